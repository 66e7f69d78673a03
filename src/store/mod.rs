//! The database: SQL and nothing else. One text serves SQLite and PostgreSQL; the few statements that can't be
//! shared are chosen by `Store::choose`.
//!
//! Rows are the truth. The bells only shorten a wait: whoever waits for one also looks by itself every few seconds.

pub mod accounts;
pub mod audit;
pub mod backup;
pub mod bindings;
pub mod board_messages;
pub mod boards;
pub mod connecting;
mod declared;
pub mod departures;
pub mod directory;
pub mod fates;
pub mod forgetting;
pub mod given_up;
pub mod health;
pub mod history;
pub mod incidents;
pub mod lanes;
pub mod lately;
pub mod lock;
mod naming;
pub mod nats_accounts;
pub mod notices;
pub mod online;
mod open;
pub mod outbox;
pub mod owners;
mod ping_channels;
pub mod pings;
pub mod positions;
pub mod presence;
pub mod privacy;
pub mod recording;
pub mod retention;
pub mod samples;
pub mod sealed;
pub mod servers;
pub mod states;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::migrate::MigrateError;
use sqlx::{Any, AnyPool, Executor as _, Row, Transaction};
use tokio::sync::Notify;

use crate::domain::ids::{AccountName, ChannelId};
use crate::domain::timestamp::Timestamp;

/// Why the database can't be used, or a statement failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no database this build can open.
    #[error("database.url must be sqlite://PATH or postgres://…: {0}")]
    Url(&'static str),
    /// The folder of the database file could not be made.
    #[error("can't make the folder {folder} for the database: {source}")]
    Folder {
        /// Which folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A newer guildwire migrated this database.
    #[error(
        "this database was made by a newer guildwire (its schema has version {0}, which this one does not know): run that version again, or restore a backup from before the upgrade"
    )]
    SchemaNewer(i64),
    /// The schema could not be brought up to date.
    #[error("can't bring the database's schema up to date: {0}")]
    Migration(MigrateError),
    /// A second `run` on the same database.
    #[error("another guildwire is running on this database; stop it first (only `run` needs the database to itself)")]
    AlreadyRunning,
    /// A second command that changes accounts on the operator's nats-server.
    #[error(
        "another `guildwire operator` command on this database changes accounts or users at this moment; try again when it \
         is done"
    )]
    OperatorBusy,
    /// The lock file could not be opened or locked.
    #[error("can't lock {path}: {source}")]
    Lock {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Someone else sealed an event first: a second runner, though there must be none.
    #[error("another guildwire sealed these events; two must not run on one database")]
    SealedElsewhere,
    /// A row holds what no version of guildwire writes.
    #[error("the database holds a bad {what}: {value:?}")]
    BadRow {
        /// What kind of value it should be.
        what: &'static str,
        /// What stands there.
        value: String,
    },
    /// There is no room for what is to be written.
    #[error("the disk that it is on is full")]
    DiskFull,
    /// The database failed.
    #[error("database: {0}")]
    Sql(sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        if code.is_some_and(|code| DISK_FULL.contains(&&*code)) { Self::DiskFull } else { Self::Sql(error) }
    }
}

/// What the engines say then: SQLite's FULL, the same where it grows the file that its processes share, and
/// PostgreSQL's `disk_full`.
const DISK_FULL: [&str; 3] = ["13", "4874", "53100"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

/// What was rung of boards.
#[derive(Debug, Default)]
pub struct RungBoards {
    /// The accounts of which something may be shown anew.
    pub accounts: BTreeSet<AccountName>,
    /// Whether boards were created or taken away.
    pub is_list_changed: bool,
}

/// The one handle on the database; cloning shares it.
#[derive(Debug, Clone)]
pub struct Store {
    /// SQLite has one writer, so its pool has one connection: nothing of ours ever waits for a file lock of ours.
    writer: AnyPool,
    reader: AnyPool,
    engine: Engine,
    /// SQLite's file. The URL itself is not kept: a PostgreSQL one holds a password, and this is `Debug`.
    file: Option<Arc<Path>>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    next_number: AtomicI64,
    /// Rung when an account, a link or a binding changed.
    configuration: Notify,
    /// Rung when a consumer covered bindings, or reading an account has begun.
    coverage: Notify,
    /// Rung with the boards, for whoever looks at how servers stand, with the accounts.
    servers: Notify,
    rung_servers: Mutex<BTreeSet<AccountName>>,
    /// Rung when a lane has something new to send, with the lanes' channels.
    lanes: Notify,
    rung_lanes: Mutex<BTreeSet<ChannelId>>,
    /// Rung when what boards show of an account may have changed, with the accounts.
    boards: Notify,
    rung_boards: Mutex<RungBoards>,
}

impl Store {
    /// This installation's id, made by whoever asks first.
    pub async fn installation(&self, candidate: &str, now: Timestamp) -> Result<String, StoreError> {
        let mut transaction = self.write().await?;
        // Else two processes that begin with a new PostgreSQL database would each make one. SQLite has one writer.
        if self.engine == Engine::Postgres {
            transaction.execute("LOCK TABLE installation IN SHARE ROW EXCLUSIVE MODE").await?;
        }
        let found = sqlx::query("SELECT id FROM installation").fetch_optional(&mut *transaction).await?;
        let id = if let Some(row) = found {
            row.try_get(0)?
        } else {
            sqlx::query("INSERT INTO installation (id, created_at) VALUES ($1, $2)")
                .bind(candidate)
                .bind(now.nanoseconds())
                .execute(&mut *transaction)
                .await?;
            candidate.to_owned()
        };
        transaction.commit().await?;
        Ok(id)
    }

    /// This installation's id; `None` before the first run.
    pub async fn installation_id(&self) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT id FROM installation").fetch_optional(&self.reader).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// Whether the database takes a write now.
    pub async fn check_writable(&self) -> Result<(), StoreError> {
        sqlx::query("UPDATE installation SET created_at = created_at").execute(&self.writer).await?;
        Ok(())
    }

    /// A transaction that writes. On SQLite it holds the only writer, so nothing slow belongs inside.
    pub async fn write(&self) -> Result<Transaction<'static, Any>, StoreError> {
        // A deferred transaction that reads first and writes later fails at once when another process wrote between.
        let begin = self.choose("BEGIN IMMEDIATE", "BEGIN");
        Ok(self.writer.begin_with(begin).await?)
    }

    /// The next number for a row: it only counts up, so that the order of numbers is the order of recording.
    #[must_use]
    pub fn next_number(&self) -> i64 {
        self.shared.next_number.fetch_add(1, Ordering::Relaxed)
    }

    /// Counts on from the highest number in the database: another process may have counted since this one looked.
    async fn catch_up_numbers(&self) -> Result<(), StoreError> {
        let highest = highest_number(&self.writer).await?;
        self.shared.next_number.fetch_max(highest + 1, Ordering::Relaxed);
        Ok(())
    }

    /// Says that an account, a link or a binding changed.
    pub fn ring_configuration(&self) {
        self.shared.configuration.notify_waiters();
    }

    /// Waits until [`Store::ring_configuration`] is called. Enable it before looking, else a ring can be missed.
    pub fn configuration_bell(&self) -> tokio::sync::futures::Notified<'_> {
        self.shared.configuration.notified()
    }

    /// Says that a consumer covered bindings, or that reading an account has begun.
    pub fn ring_coverage(&self) {
        self.shared.coverage.notify_waiters();
    }

    /// Waits until [`Store::ring_coverage`] is called. Enable it before looking, else a ring can be missed.
    pub fn coverage_bell(&self) -> tokio::sync::futures::Notified<'_> {
        self.shared.coverage.notified()
    }

    /// Waits until [`Store::ring_boards`] was called, and says for which accounts. Apart from the boards' own ring, so that
    /// each of the two who wait hears of all.
    pub async fn rung_servers(&self) -> BTreeSet<AccountName> {
        self.shared.servers.notified().await;
        let mut rung = self.shared.rung_servers.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *rung)
    }

    /// Says that the lanes of `channels` have something to send.
    pub fn ring_lanes(&self, channels: impl IntoIterator<Item = ChannelId>) {
        let mut rung = self.shared.rung_lanes.lock().unwrap_or_else(PoisonError::into_inner);
        rung.extend(channels);
        drop(rung);
        self.shared.lanes.notify_one();
    }

    /// Waits until lanes were rung, and says which.
    pub async fn rung_lanes(&self) -> BTreeSet<ChannelId> {
        self.shared.lanes.notified().await;
        let mut rung = self.shared.rung_lanes.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *rung)
    }

    /// Says that what boards show of `accounts` may have changed.
    pub fn ring_boards(&self, accounts: impl IntoIterator<Item = AccountName>) {
        let accounts: BTreeSet<_> = accounts.into_iter().collect();
        let mut rung = self.shared.rung_servers.lock().unwrap_or_else(PoisonError::into_inner);
        rung.extend(accounts.iter().cloned());
        drop(rung);
        let mut rung = self.shared.rung_boards.lock().unwrap_or_else(PoisonError::into_inner);
        rung.accounts.extend(accounts);
        drop(rung);
        self.shared.boards.notify_one();
        self.shared.servers.notify_one();
    }

    /// Says that boards were created or taken away.
    pub fn ring_board_list(&self) {
        self.shared.rung_boards.lock().unwrap_or_else(PoisonError::into_inner).is_list_changed = true;
        self.shared.boards.notify_one();
    }

    /// Waits until boards were rung, and says what was.
    pub async fn rung_boards(&self) -> RungBoards {
        self.shared.boards.notified().await;
        let mut rung = self.shared.rung_boards.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *rung)
    }

    fn choose(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self.engine {
            Engine::Sqlite => sqlite,
            Engine::Postgres => postgres,
        }
    }
}

async fn highest_number(writer: &AnyPool) -> Result<i64, StoreError> {
    let row = sqlx::query(
        "SELECT COALESCE(MAX(highest), 0) FROM (
             SELECT MAX(id) AS highest FROM outbox
             UNION ALL SELECT MAX(id) FROM messages
             UNION ALL SELECT MAX(id) FROM bindings
             UNION ALL SELECT MAX(id) FROM boards
             UNION ALL SELECT MAX(id) FROM incidents
             UNION ALL SELECT MAX(row_id) FROM incident_messages
         ) AS numbers",
    )
    .fetch_one(writer)
    .await?;
    Ok(row.try_get(0)?)
}
