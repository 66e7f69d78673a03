//! What is forgotten after a while: messages that are settled, with their events, rejects, and what was not heard of.

use super::{Store, StoreError};
use crate::domain::timestamp::Timestamp;

/// How many rows go at once: intake must not wait long for the writer. A message takes up to ten events along.
const AT_ONCE: i64 = 500;

impl Store {
    /// Deletes what was settled or rejected before `cutoff`, and invites that expired before it. Answers with how many
    /// messages, rejects and invites went.
    pub async fn forget_before(&self, cutoff: Timestamp) -> Result<u64, StoreError> {
        self.forget(
            cutoff,
            &[
                // Their events go with them.
                "DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE settled_at < $1 LIMIT $2)",
                "DELETE FROM rejects WHERE (account, stored_at, sequence) IN
                 (SELECT account, stored_at, sequence FROM rejects WHERE stored_at < $1 LIMIT $2)",
                "DELETE FROM invites WHERE code_hash IN (SELECT code_hash FROM invites WHERE expires_at < $1 LIMIT $2)",
            ],
        )
        .await
    }

    /// Forgets players that were last heard of before `players`, and servers likewise. Whoever is heard of again is known
    /// again. Answers with how many went.
    pub async fn forget_silent(&self, players: Timestamp, servers: Timestamp) -> Result<u64, StoreError> {
        let forgotten = self
            .forget(
                players,
                &["DELETE FROM players WHERE (account, player_id) IN
                 (SELECT account, player_id FROM players WHERE heard_at < $1 LIMIT $2)"],
            )
            .await?;
        let servers = self
            .forget(
                servers,
                &["DELETE FROM servers WHERE (account, server_id) IN
                 (SELECT account, server_id FROM servers WHERE last_event_at < $1 LIMIT $2)"],
            )
            .await?;
        Ok(forgotten + servers)
    }

    /// Carries each statement out until nothing is left for it, a few rows at a time.
    async fn forget(&self, cutoff: Timestamp, statements: &[&'static str]) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        for statement in statements {
            loop {
                let result =
                    sqlx::query(*statement).bind(cutoff.nanoseconds()).bind(AT_ONCE).execute(&self.writer).await?;
                forgotten += result.rows_affected();
                if result.rows_affected() == 0 {
                    break;
                }
            }
        }
        Ok(forgotten)
    }
}
