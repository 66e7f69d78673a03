//! What is noticed of servers, brought together in the caller's transaction: how each stands, the incident that this
//! begins, continues or ends, and the rows that tell of it.
//!
//! Events come here with the batch that records them, and what connections show by themselves: both are applied to one
//! row of the database, which is held meanwhile.

use sqlx::{Any, Transaction};

use crate::domain::ids::{AccountName, ServerId};
use crate::domain::server_state::{ServerState, Sign};
use crate::domain::timestamp::Timestamp;
use crate::store::{Store, StoreError};

/// Whoever takes note of what is noticed of an account's servers.
#[derive(Debug, Clone, Copy)]
pub struct Observer<'a> {
    /// The database.
    pub store: &'a Store,
    /// Whose servers.
    pub account: &'a AccountName,
}

impl Observer<'_> {
    /// Takes note of a sign of a server, of the moment `at` in nats-server's time. Answers with how it stands now;
    /// nothing is noted of a server that is not known.
    pub async fn observe(
        &self,
        transaction: &mut Transaction<'_, Any>,
        server: &ServerId,
        sign: Sign,
        at: Timestamp,
    ) -> Result<ServerState, StoreError> {
        let Some(known) = self.store.hold_server(transaction, self.account, server).await? else {
            return Ok(ServerState::default());
        };
        let (state, _) = known.state.after(sign, at);
        if state != known.state {
            self.store.set_server_state(transaction, self.account, server, state).await?;
        }
        Ok(state)
    }
}
