//! The store on both engines: each test is one story, told on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic, in its helpers, too")]

mod accounts;
mod audit;
mod bindings;
mod boards;
mod connecting;
mod declared;
mod departures;
mod directory;
mod full;
mod giving_up;
mod incidents;
mod lanes;
mod lock;
mod nats_accounts;
mod observing;
mod online;
mod outbox;
mod owners;
mod pings;
mod positions;
mod privacy;
mod recording;
mod retention;
mod samples;
mod schema;
mod sealed;
mod states;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, resume_unwind};

use futures_util::FutureExt as _;
use guildwire::domain::account::Account;
use guildwire::domain::audit::By;
use guildwire::domain::binding::Binding;
use guildwire::domain::event::Group;
use guildwire::domain::ids::{AccountName, ChannelId, GuildId, UserId};
use guildwire::domain::stoppage::Cause;
use guildwire::domain::style::Style;
use guildwire::domain::timestamp::Timestamp;
use guildwire::store::Store;
use guildwire::store::accounts::SealedCredential;
use guildwire::store::lanes::Stop;
use guildwire::store::outbox::Contents;
use guildwire_harness::Postgres;
use tempfile::TempDir;

const GUILD: GuildId = GuildId(100);
const CHANNEL: ChannelId = ChannelId(200);
const USER: UserId = UserId(300);

/// A database of a test's own.
struct Database {
    url: String,
    /// Where SQLite's file lies.
    folder: Option<TempDir>,
}

impl Database {
    fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { url: format!("sqlite://{}/guildwire.db", folder.path().display()), folder: Some(folder) }
    }

    async fn postgres() -> Self {
        Self { url: Postgres::shared().create_database("store").await.unwrap(), folder: None }
    }

    /// One more handle, as another process would have it.
    async fn open(&self) -> Store {
        Store::open(&self.url).await.unwrap()
    }

    fn is_postgres(&self) -> bool {
        self.folder.is_none()
    }
}

/// Tells a story on SQLite, then on PostgreSQL.
async fn on_both(story: impl AsyncFn(&Database)) {
    for database in [Database::sqlite(), Database::postgres().await] {
        if let Err(panic) = AssertUnwindSafe(story(&database)).catch_unwind().await {
            eprintln!("this failed on {}", if database.is_postgres() { "PostgreSQL" } else { "SQLite" });
            resume_unwind(panic);
        }
    }
}

/// What a query counts.
async fn count(store: &Store, query: &'static str) -> i64 {
    let mut transaction = store.write().await.unwrap();
    let count = sqlx::query_scalar(query).fetch_one(&mut *transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    count
}

/// Has the database changed in a way in which guildwire does not.
async fn run(store: &Store, statement: &'static str) {
    let mut transaction = store.write().await.unwrap();
    sqlx::query(statement).execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
}

/// A message's contents that are these rows and nothing else.
fn showing(rows: &[i64]) -> Contents<'_> {
    Contents { rows, ..Contents::default() }
}

fn at(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanoseconds(nanoseconds)
}

/// By the operator, at a moment.
fn by(nanoseconds: i64) -> By {
    By::operator(at(nanoseconds))
}

fn name(text: &str) -> AccountName {
    text.parse().unwrap()
}

/// A lane that is stopped until a moment, or until something changes.
fn stop(cause: Cause, reason: &str, next_probe_at: Option<i64>) -> Stop {
    Stop { cause, reason: reason.to_owned(), next_probe_at: next_probe_at.map(at) }
}

async fn add_account(store: &Store, text: &str) -> Account {
    add(store, text, false).await
}

/// One that stands in the settings file.
async fn add_declared_account(store: &Store, text: &str) -> Account {
    add(store, text, true).await
}

async fn add(store: &Store, text: &str, is_declared: bool) -> Account {
    let account = Account {
        name: name(text),
        url: "nats://127.0.0.1:4222".to_owned(),
        stream: None,
        root: "v0.*.servers".parse().unwrap(),
        wide_filter: false,
        owner: None,
        connected_in: None,
        is_declared,
        revision: 0,
    };
    let credential = SealedCredential { kind: "nkey".to_owned(), sealed: vec![0, 159, 146, 150] };
    assert!(store.add_account(&account, &credential, &by(1000)).await.unwrap());
    store.account(&account.name).await.unwrap().unwrap()
}

/// An account to which [`GUILD`] is linked.
async fn add_linked_account(store: &Store, text: &str) -> Account {
    let account = add_account(store, text).await;
    link(store, &account, GUILD).await;
    account
}

async fn link(store: &Store, account: &Account, guild: GuildId) {
    let code = format!("{} for {guild}", account.name.as_str());
    store.add_invite(&account.name, code.as_bytes(), at(i64::MAX), &by(0)).await.unwrap();
    store.redeem_invite(code.as_bytes(), guild, USER, at(1)).await.unwrap();
}

/// A binding of everything that nothing covers yet.
fn binding(store: &Store, account: &Account) -> Binding {
    Binding {
        id: store.next_number(),
        guild: GUILD,
        channel: CHANNEL,
        account: account.name.clone(),
        server: None,
        kinds: Group::Everything.kinds().union(Group::Chat.kinds()),
        mention: None,
        style: Style::Each,
        is_thread: Some(false),
        created_by: USER,
        created_at: at(2000),
        covered_from: None,
        later_kinds: BTreeMap::new(),
        paused_at: None,
        is_declared: false,
    }
}
