//! Looking whether game servers are connected, beside reading what they publish and on the same connection. It holds up
//! nothing: what can't be seen or noted is looked at again.
//!
//! A change that the account's own events tell of makes the next look come sooner, and nothing else: what counts is what is
//! seen.
//!
//! What a look shows is `domain::presence`'s business, what that means `domain::server_state`'s.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::Instant;

use super::batch::Batch;
use super::reader::{Reader, Shared};
use crate::clock;
use crate::domain::ids::AccountName;
use crate::domain::presence::{Known, Look, Looking, SeenConnection, Showing, Shown, Sight, said_on};
use crate::domain::server_state::{End, Sign, State, Turn};
use crate::domain::subject::UNKNOWN_SERVER;
use crate::domain::timestamp::Timestamp;
use crate::incidents::Observer;
use crate::nats::connection::Connection;
use crate::nats::presence::Unseen;
use crate::store::StoreError;
use crate::store::servers::Server;

/// How often it is tried again whether one may ask, where one was told not to, and whether there are still too many to look at.
const USELESS_FOR: Duration = Duration::from_mins(10);

/// How often it is noted that a connection is there which is known to be.
const NOTED_EVERY: Duration = Duration::from_mins(1);

/// How long after a change it is looked: nats-server tells of an end a moment before it takes the connection off its list, and
/// of a beginning before its first word. So changes cause no more than one look in this time, too.
const AFTER_CHANGE: Duration = Duration::from_secs(1);

/// How long recording a server's start waits to know on which connection it was said.
const START_PATIENCE: Duration = Duration::from_secs(1);

/// How often that is done: a publisher that says again and again that it starts is not looked at each time.
const STARTS_EVERY: Duration = Duration::from_secs(1);

/// How old that event may be: the connections of now tell nothing of an older one's.
const START_AGE: Duration = Duration::from_secs(30);

/// Looks at an account's connections, by one of them.
pub(super) struct Presence {
    shared: Shared,
    account: AccountName,
    connection: Connection,
    began: Instant,
}

/// Why a look came to nothing.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Unseen(#[from] Unseen),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Presence {
    /// Looks from the connection's beginning on.
    pub(super) fn of(shared: &Shared, account: &AccountName, connection: &Connection) -> Self {
        Self { shared: shared.clone(), account: account.clone(), connection: connection.clone(), began: Instant::now() }
    }

    /// Looks again and again, for as long as it is let.
    pub(super) async fn watch(self) -> Infallible {
        let Looking { every, debounce } = self.shared.looking;
        let mut sight = Sight::new(debounce);
        let mut failing = false;
        let mut bell = None;
        loop {
            if bell.is_none() {
                // Before it is looked, so that no change is missed in between.
                bell = self.connection.next_change().await;
            }
            let looked = self.look(&mut sight).await;
            let is_useless = matches!(looked, Err(LookError::Unseen(Unseen::Denied | Unseen::TooMany)));
            match looked {
                Ok(()) => failing = false,
                Err(error) => {
                    // Once for as long as it lasts. That one may not ask is told by the account's check.
                    if !std::mem::replace(&mut failing, true) && matches!(error, LookError::Store(_)) {
                        tracing::warn!(
                            account = %self.account, %error, "can't note which game servers are connected; trying again"
                        );
                    } else {
                        tracing::debug!(account = %self.account, %error, "can't see which game servers are connected");
                    }
                }
            }
            // Not all accounts at once.
            let pause = if is_useless { USELESS_FOR } else { every }.mul_f64(rand::random_range(0.9..1.1));
            let due = sight.due().map(|due| due.saturating_sub(self.began.elapsed()));
            let pause = tokio::time::sleep(due.unwrap_or(pause).min(pause));
            match &mut bell {
                Some(ringing) if !is_useless => tokio::select! {
                    () = pause => {}
                    () = ringing.rung() => {
                        bell = None;
                        tokio::time::sleep(AFTER_CHANGE).await;
                    }
                },
                _ => pause.await,
            }
        }
    }

    async fn look(&self, sight: &mut Sight) -> Result<(), LookError> {
        let (look, servers) = match self.see().await {
            Ok(seen) => seen,
            Err(error) => {
                sight.interrupt();
                if let LookError::Unseen(unseen) = error {
                    self.shared.states.connected.lose(&self.account, unseen);
                }
                return Err(error);
            }
        };
        let known: Vec<_> = servers.iter().map(known).collect();
        let showing = sight.look(&look, self.began.elapsed(), &known);
        let mut outcome = Ok(());
        for (server, known) in servers.iter().zip(&known) {
            // What can't be found out of one server is no reason not to note another.
            if let Err(error) = self.note(sight, &look, &showing, server, known).await {
                outcome = Err(error);
            }
        }
        if outcome.is_ok() {
            // Once it is noted who has gone.
            self.shared.states.connected.see(&self.account, &look, sight.sightings(&showing));
        }
        tracing::trace!(account = %self.account, clients = look.clients.len(), "looked who is connected");
        outcome
    }

    /// Who is connected, and which servers are known, but for those that have no name: one server for all that name none.
    async fn see(&self) -> Result<(Look, Vec<Server>), LookError> {
        let look = self.connection.look_at_connections(None).await?;
        let mut servers = self.shared.store.servers_of_account(&self.account).await?;
        servers.retain(|server| server.id.as_str() != UNKNOWN_SERVER);
        Ok((look, servers))
    }

    async fn note(
        &self,
        sight: &mut Sight,
        look: &Look,
        showing: &Showing,
        server: &Server,
        known: &Known,
    ) -> Result<(), LookError> {
        let changed = showing.ties.iter().find(|(id, _)| *id == server.id).map(|(_, tie)| tie.as_ref());
        if let Some(tie) = changed {
            if let (Some(tie), Some(since)) = (tie, showing.alone_since) {
                let ended = self.connection.ended_connections(None, look).await?;
                if !tie.is_alone_since(since, look, &ended) {
                    sight.doubt();
                    return Ok(());
                }
            }
            tracing::debug!(account = %self.account, server = server.id.as_str(), tied = tie.is_some(), "tied by itself");
            self.shared.store.tie_server_by_itself(&self.account, &server.id, tie).await?;
        }
        match showing.servers.get(&server.id) {
            Some(Shown::Present { since }) => {
                self.observe(server, Sign::Connected { since: *since }, *since).await?;
                let Some(tie) = changed.unwrap_or(server.tie.as_ref()) else { return Ok(()) };
                let Some(client) = tie.first(&look.clients) else { return Ok(()) };
                let on = look.servers.get(&client.server).map_or("", String::as_str);
                let seen = SeenConnection { since: *since, seen_at: look.at };
                let is_noted = changed.is_none()
                    && server.connected_to == on
                    && server
                        .connection
                        .is_some_and(|before| before.since == *since && look.at.since(before.seen_at) < NOTED_EVERY);
                if !is_noted {
                    self.shared.store.see_connection(&self.account, &server.id, tie, seen, on).await?;
                }
            }
            Some(Shown::Gone { at }) => self.note_gone(sight, look, server, known, *at).await?,
            Some(Shown::Absent | Shown::Untied) | None => {}
        }
        Ok(())
    }

    async fn note_gone(
        &self,
        sight: &mut Sight,
        look: &Look,
        server: &Server,
        known: &Known,
        missed_at: Timestamp,
    ) -> Result<(), LookError> {
        let (Some(tie), Some(connection)) = (&server.tie, server.connection) else { return Ok(()) };
        if !is_news(server, Sign::Gone(End::Unknown), missed_at) {
            return Ok(());
        }
        let ended = self.connection.ended_connections(Some(&tie.user), look).await?;
        match known.went(missed_at, tie.end_of(connection, &ended)) {
            Some((end, at)) => self.observe(server, Sign::Gone(end), at).await?,
            // It speaks by another connection.
            None if tie.is_by_hand => sight.restart(&server.id),
            None => self.shared.store.tie_server_by_itself(&self.account, &server.id, None).await?,
        }
        Ok(())
    }

    /// Takes note of what a look showed of a server.
    async fn observe(&self, server: &Server, sign: Sign, at: Timestamp) -> Result<(), StoreError> {
        if !is_news(server, sign, at) {
            return Ok(());
        }
        let Shared { store, rules, .. } = &self.shared;
        let bindings = store.bindings_of_account(&self.account).await?;
        let observer =
            Observer { store, account: &self.account, bindings: &bindings, rules: *rules, now: clock::now() };
        let state = observer.observe_alone(server, sign, at).await?;
        tracing::debug!(
            account = %self.account, server = server.id.as_str(), ?sign, state = state.state.name(), "seen by its connection"
        );
        Ok(())
    }
}

impl Reader {
    /// Finds out on which connection the servers are that say in this batch that they started just now.
    pub(super) async fn see_starts(&mut self, connection: &Connection, batch: &mut Batch) {
        let starts = batch.starts_since(clock::now().minus(START_AGE));
        if starts.is_empty() {
            return;
        }
        // Known only while one may ask, and does.
        let Some(nats_servers) = self.shared.states.connected.servers(&self.account) else { return };
        let Ok(servers) = self.shared.store.servers_of_account(&self.account).await else { return };
        let tied = |server: &&Server| {
            server.tie.is_some() && server.state.state == State::Online && starts.contains_key(&server.id)
        };
        let servers: Vec<_> = servers.iter().filter(tied).collect();
        if servers.is_empty() {
            return;
        }
        if self.starts_seen_at.is_some_and(|seen_at| seen_at.elapsed() < STARTS_EVERY) {
            return;
        }
        let look = connection.look_at_connections(Some(nats_servers));
        let look = tokio::time::timeout(START_PATIENCE, look).await;
        self.starts_seen_at = Some(Instant::now());
        let Ok(Ok(look)) = look else { return };
        for server in servers {
            let Some(only) = server.tie.as_ref().and_then(|tie| tie.only(&look.clients)) else { continue };
            let start = starts[&server.id];
            let heard_at = start.heard_at.map_or(server.heard_at, |heard_at| heard_at.max(server.heard_at));
            batch.set_connection(&server.id, start.said_at, said_on(only.since, start.said_at, heard_at));
        }
    }
}

/// Whether a sign tells anything of a server as it is noted.
fn is_news(server: &Server, sign: Sign, at: Timestamp) -> bool {
    server.state.after(sign, at) != (server.state, Turn::None)
}

fn known(server: &Server) -> Known {
    Known {
        id: server.id.clone(),
        heard_at: server.heard_at,
        tie: server.tie.clone(),
        is_untied: server.is_untied,
        connection: server.connection,
        connected_to: server.connected_to.clone(),
    }
}
