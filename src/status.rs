//! What time alone shows of servers: incidents that are over because nothing happened any more, and servers that are
//! silent for longer than is expected of them.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::domain::binding::Binding;
use crate::domain::ids::{AccountName, ServerId};
use crate::domain::server_state::{Sign, State};
use crate::domain::timestamp::Timestamp;
use crate::incidents::{Observer, Rules};
use crate::nats::states::{AccountStates, heard_all_since};
use crate::store::servers::Server;
use crate::store::{Store, StoreError};

/// How often is looked.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A connection that was seen within this time shows more than silence does.
const CONNECTION_COUNTS: Duration = Duration::from_mins(5);

/// For how long after its time an incident waits until it can be seen how its server stands: whoever looks at its message
/// must not be told for days that it is over soon.
const PATIENCE: Duration = Duration::from_mins(15);

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
    let began = clock::now();
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut failing = false;
    while shared.drain.run_until_cancelled(looks.tick()).await.is_some() {
        match look(&shared, began).await {
            Ok(()) => failing = false,
            // Once for as long as it lasts.
            Err(_) if std::mem::replace(&mut failing, true) => {}
            Err(error) => tracing::warn!(%error, "can't look how servers stand; trying again"),
        }
    }
}

/// Looks once, in a run that `began` then.
async fn look(shared: &Shared, began: Timestamp) -> Result<(), StoreError> {
    let now = clock::now();
    let due = shared.store.due_incidents(now).await?;
    let subscribed = if due.is_empty() { Ok(Vec::new()) } else { shared.store.subscribed_accounts().await };
    // One account's trouble is told, and the others go on.
    let mut trouble = Ok(());
    for (account, server, due_at) in due {
        // Where nobody knows, it may be.
        let is_read = subscribed.as_ref().map_or(true, |all| all.iter().any(|subscribed| subscribed.name == account));
        // While guildwire did not run, nobody waited.
        let is_enough = now.since(due_at.max(began)) >= PATIENCE;
        // What waits on the stream may say that it did not hold, or that it is up; and so may its connection.
        let is_in_sight = heard_all_since(&shared.states, &account, now).is_some()
            && (is_enough || !shared.states.connected.may_have_gone(&account, &server, due_at));
        let is_known = !is_read || is_in_sight;
        if is_known || is_enough {
            trouble = trouble.and(shared.pass_time(&account, &server, is_known, now).await);
        }
    }
    for server in shared.store.servers_with_expectation().await? {
        let since = heard_all_since(&shared.states, &server.account, now)
            .and_then(|_| shared.states.untroubled_since(&server.account));
        if since.is_some_and(|since| is_silent(&server, since, now)) {
            trouble = trouble.and(shared.note_silence(&server, now).await);
        }
    }
    subscribed.map(drop).and(trouble)
}

impl Shared {
    async fn pass_time(
        &self,
        account: &AccountName,
        server: &ServerId,
        is_known: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let bindings = self.store.bindings_of_account(account).await?;
        let observer = self.observer(account, &bindings, now);
        if is_known {
            return observer.pass_time(server).await;
        }
        observer.end_unseen_maintenance(server, now.minus(PATIENCE)).await
    }

    async fn note_silence(&self, server: &Server, now: Timestamp) -> Result<(), StoreError> {
        let bindings = self.store.bindings_of_account(&server.account).await?;
        // Since then nothing is known of it; and that is nats-server's time, as all others are.
        let observer = self.observer(&server.account, &bindings, now);
        observer.observe_alone(server, Sign::Silent, server.heard_at).await.map(drop)
    }

    const fn observer<'a>(&'a self, account: &'a AccountName, bindings: &'a [Binding], now: Timestamp) -> Observer<'a> {
        Observer { store: &self.store, account, bindings, rules: self.rules, now }
    }
}

/// Whether a server that is taken to run has said nothing for longer than is expected, while it could be heard `since`.
fn is_silent(server: &Server, since: Timestamp, now: Timestamp) -> bool {
    let is_seen = server.connection.is_some_and(|connection| now.since(connection.seen_at) <= CONNECTION_COUNTS);
    let may_run = matches!(server.state.state, State::Online | State::Stopping);
    let silent_for = now.since(server.heard_at.max(since));
    may_run && !is_seen && server.expected_silence.is_some_and(|expected| silent_for > expected)
}

#[cfg(test)]
mod tests;
