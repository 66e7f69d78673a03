//! What time alone shows of servers: incidents that are over because nothing happened any more, and servers that are
//! silent for longer than is expected of them.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::domain::binding::Binding;
use crate::domain::ids::AccountName;
use crate::domain::server_state::{Sign, State};
use crate::domain::timestamp::Timestamp;
use crate::incidents::{Observer, Rules};
use crate::nats::states::{AccountState, AccountStates};
use crate::store::servers::Server;
use crate::store::{Store, StoreError};

/// How often is looked.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A connection that was seen within this time shows more than silence does.
const CONNECTION_COUNTS: Duration = Duration::from_mins(5);

/// What looking needs.
pub struct Shared {
    /// The database.
    pub store: Store,
    /// How reading the accounts goes.
    pub states: AccountStates,
    /// What incidents go by.
    pub rules: Rules,
    /// Cancelled when the service stops.
    pub drain: CancellationToken,
}

/// Looks until the service stops.
pub async fn run(shared: Shared) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut failing = false;
    while shared.drain.run_until_cancelled(looks.tick()).await.is_some() {
        match look(&shared).await {
            Ok(()) => failing = false,
            // Once for as long as it lasts.
            Err(_) if std::mem::replace(&mut failing, true) => {}
            Err(error) => tracing::warn!(%error, "can't look how servers stand; trying again"),
        }
    }
}

async fn look(shared: &Shared) -> Result<(), StoreError> {
    let now = clock::now();
    for (account, server) in shared.store.due_incidents(now).await? {
        let bindings = shared.store.bindings_of_account(&account).await?;
        shared.observer(&account, &bindings, now).pass_time(&server).await?;
    }
    for server in shared.store.servers_with_expectation().await? {
        let since = heard_all_since(&shared.states, &server.account);
        if !since.is_some_and(|since| is_silent(&server, since, now)) {
            continue;
        }
        let bindings = shared.store.bindings_of_account(&server.account).await?;
        shared.observer(&server.account, &bindings, now).observe_alone(&server.id, Sign::Silent, now).await?;
    }
    Ok(())
}

impl Shared {
    const fn observer<'a>(&'a self, account: &'a AccountName, bindings: &'a [Binding], now: Timestamp) -> Observer<'a> {
        Observer { store: &self.store, account, bindings, rules: self.rules, now }
    }
}

/// Since when all that the account's servers said has been heard; `None` while guildwire can't tell. Its own blindness is
/// not their silence.
fn heard_all_since(states: &AccountStates, account: &AccountName) -> Option<Timestamp> {
    let standing = states.get(account)?;
    (standing.state == AccountState::Running && standing.lag == 0).then_some(standing.since)
}

/// Whether a server that is taken to run has said nothing for longer than is expected, while all was heard `since`.
fn is_silent(server: &Server, since: Timestamp, now: Timestamp) -> bool {
    let is_seen = server.connection.is_some_and(|connection| now.since(connection.seen_at) <= CONNECTION_COUNTS);
    let may_run = matches!(server.state.state, State::Online | State::Stopping);
    let silent_for = now.since(server.heard_at.max(since));
    may_run && !is_seen && server.expected_silence.is_some_and(|expected| silent_for > expected)
}
