//! What time shows of servers, where one account's reading or rows are in trouble.

use std::collections::BTreeMap;

use super::*;
use crate::domain::account::Account;
use crate::domain::audit::{Act, Action, By};
use crate::domain::event::Group;
use crate::domain::fault::Fault;
use crate::domain::ids::{ChannelId, GuildId, UserId};
use crate::domain::incident::{Incident, What};
use crate::domain::server_state::{Cause, ServerState};
use crate::domain::style::Style;
use crate::nats::states::AccountState;
use crate::store::accounts::SealedCredential;
use crate::store::recording::HeardServer;

/// Accounts that are subscribed, each with a server `main`.
async fn shared(accounts: &[&AccountName]) -> (tempfile::TempDir, Shared) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite://{}/guildwire.db", folder.path().display())).await.unwrap();
    let (guild, user, now) = (GuildId(1), UserId(2), clock::now());
    let by = By::operator(now);
    for name in accounts {
        let account = Account {
            name: (*name).clone(),
            url: "nats://127.0.0.1:4222".to_owned(),
            stream: None,
            root: "v0.*.servers".parse().unwrap(),
            wide_filter: false,
            owner: None,
            connected_in: None,
            is_declared: false,
            revision: 0,
        };
        let credential = SealedCredential { kind: "nkey".to_owned(), sealed: vec![1] };
        assert!(store.add_account(&account, &credential, &by).await.unwrap());
        let code = name.as_str().as_bytes();
        store.add_invite(name, code, Timestamp::from_nanoseconds(i64::MAX), &by).await.unwrap();
        store.redeem_invite(code, guild, user, now).await.unwrap();
        let binding = Binding {
            id: store.next_number(),
            guild,
            channel: ChannelId(3),
            account: (*name).clone(),
            server: None,
            kinds: Group::Lifecycle.kinds(),
            mention: None,
            style: Style::Each,
            is_thread: Some(false),
            created_by: user,
            created_at: now,
            covered_from: None,
            later_kinds: BTreeMap::new(),
            paused_at: None,
            is_declared: false,
        };
        assert!(store.add_binding(&binding).await.unwrap());
        let mut transaction = store.write().await.unwrap();
        let heard = [HeardServer { server_id: "main".into(), last_event_at: 1, wiped_at: None }];
        store.hear_servers(&mut transaction, name, &heard).await.unwrap();
        transaction.commit().await.unwrap();
    }
    let (states, rules, drain) = (AccountStates::default(), Rules::default(), CancellationToken::new());
    (folder, Shared { store, states, rules, drain })
}

impl Shared {
    /// Has the account been read for long enough.
    fn is_read(&self, account: &AccountName) {
        assert!(self.states.set(account, AccountState::Running, clock::now().minus(Duration::from_mins(1))));
    }

    /// Has the account's server be maintained until so many minutes ago.
    async fn maintain(&self, account: &AccountName, minutes: u64) {
        let until = clock::now().minus(Duration::from_mins(minutes));
        let observer = self.observer(account, &[], until);
        observer.begin_maintenance(&"main".into(), until, None, &By::operator(until)).await.unwrap();
    }

    /// Notes how the account's server stands.
    async fn stands(&self, account: &AccountName, state: State, cause: Cause) {
        let since = Some(clock::now().minus(Duration::from_hours(1)));
        let state = ServerState { state, since, cause: Some(cause), says_when_it_stops: true, said_started_at: None };
        let mut transaction = self.store.write().await.unwrap();
        self.store.set_server_state(&mut transaction, account, &"main".into(), state).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// The incident of the account's server that is not over, and the one that was over last.
    async fn incidents(&self, account: &AccountName) -> (Option<Incident>, Option<Incident>) {
        let mut transaction = self.store.write().await.unwrap();
        let open = self.store.open_incident(&mut transaction, account, &"main".into()).await.unwrap();
        let last = self.store.last_incident(&mut transaction, account, &"main".into()).await.unwrap();
        transaction.rollback().await.unwrap();
        (open.map(|kept| kept.incident), last.map(|kept| kept.incident))
    }
}

#[tokio::test]
async fn maintenance_of_what_cannot_be_seen_is_over_soon_after_its_time_and_alarms_nobody() {
    let [read, blind, later] = ["GA-1", "GA-2", "GA-3"].map(|name| name.parse().unwrap());
    let (_folder, shared) = shared(&[&read, &blind, &later]).await;
    shared.is_read(&read);
    for (account, minutes) in [(&read, 1), (&blind, 15), (&later, 14)] {
        shared.maintain(account, minutes).await;
        shared.stands(account, State::Offline, Cause::SaidStopped).await;
    }
    look(&shared, clock::now()).await.unwrap();
    assert!(shared.incidents(&blind).await.0.is_some(), "it may be read in a moment: guildwire has just begun");
    look(&shared, Timestamp::default()).await.unwrap();
    let ended = |incident: Option<Incident>| incident.unwrap().happenings.last().unwrap().what;

    let (open, last) = shared.incidents(&read).await;
    assert_eq!((open.unwrap().maintenance, ended(last)), (None, What::MaintenanceEnded), "it is down, as can be seen");
    let (open, last) = shared.incidents(&blind).await;
    assert_eq!((open, last.as_ref().unwrap().up_since), (None, None), "how it stands now, nobody knows");
    assert_eq!(ended(last), What::MaintenanceEnded);
    let (open, last) = shared.incidents(&later).await;
    assert!(open.unwrap().maintenance.is_some() && last.is_none(), "it may be read again in a moment");
}

#[tokio::test]
async fn one_accounts_rows_hold_up_no_other() {
    let [bad, good] = ["GA-1", "GA-2"].map(|name| name.parse().unwrap());
    for broken in
        ["UPDATE bindings SET style = '?' WHERE account = 'GA-1'", "UPDATE accounts SET root = '' WHERE name = 'GA-1'"]
    {
        let (_folder, shared) = shared(&[&bad, &good]).await;
        for (account, minutes) in [(&bad, 10), (&good, 5)] {
            shared.is_read(account);
            shared.maintain(account, minutes).await;
        }
        let mut transaction = shared.store.write().await.unwrap();
        sqlx::query(broken).execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
        assert!(matches!(look(&shared, Timestamp::default()).await, Err(StoreError::BadRow { .. })), "{broken}");
        let (_, last) = shared.incidents(&good).await;
        assert!(last.is_some_and(|incident| incident.maintenance.is_some()), "{broken}");
    }
}

#[tokio::test]
async fn silence_counts_over_a_connection_that_was_made_anew_and_not_over_trouble() {
    let account = "GA-1".parse().unwrap();
    let (_folder, shared) = shared(&[&account]).await;
    let ago = |minutes| clock::now().minus(Duration::from_mins(minutes));
    let mut transaction = shared.store.write().await.unwrap();
    let heard = [HeardServer { server_id: "main".into(), last_event_at: ago(50).nanoseconds(), wiped_at: None }];
    shared.store.hear_servers(&mut transaction, &account, &heard).await.unwrap();
    transaction.commit().await.unwrap();
    shared.stands(&account, State::Online, Cause::Heard).await;
    let by = By::operator(clock::now());
    let act = Act::on(Action::ServerExpected, &account);
    let half_an_hour = Some(Duration::from_mins(30));
    assert!(shared.store.expect_silence(&account, &"main".into(), half_an_hour, &by, &act).await.unwrap());
    let state = async || shared.store.servers_of_account(&account).await.unwrap()[0].state.state;

    let lost = AccountState::Trouble(Fault::Lost);
    assert!(shared.states.set(&account, lost, ago(40)));
    assert!(shared.states.set(&account, AccountState::Running, ago(20)));
    look(&shared, Timestamp::default()).await.unwrap();
    assert_eq!(state().await, State::Online, "while nobody could reach nats-server, it could not say anything");
    shared.states.remove(&account);
    assert!(shared.states.set(&account, AccountState::Running, ago(40)));
    assert!(shared.states.set(&account, AccountState::Connecting, ago(2)));
    assert!(shared.states.set(&account, AccountState::Running, ago(1)));
    look(&shared, Timestamp::default()).await.unwrap();
    assert_eq!(state().await, State::ContactLost, "the stream would have kept what it said");
}
