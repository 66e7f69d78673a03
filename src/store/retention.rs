//! What is forgotten after a while: messages that are settled, with their events, and rejects.

use super::{Store, StoreError};
use crate::domain::timestamp::Timestamp;

/// How many rows go at once: intake must not wait long for the writer. A message takes up to ten events along.
const AT_ONCE: i64 = 500;

impl Store {
    /// Deletes what was settled or rejected before `cutoff`, and invites that expired before it. Answers with how many
    /// messages, rejects and invites went.
    pub async fn forget_before(&self, cutoff: Timestamp) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        for statement in [
            // Their events go with them.
            "DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE settled_at < $1 LIMIT $2)",
            "DELETE FROM rejects WHERE (account, stored_at, sequence) IN
                 (SELECT account, stored_at, sequence FROM rejects WHERE stored_at < $1 LIMIT $2)",
            "DELETE FROM invites WHERE code_hash IN (SELECT code_hash FROM invites WHERE expires_at < $1 LIMIT $2)",
        ] {
            loop {
                let result =
                    sqlx::query(statement).bind(cutoff.nanoseconds()).bind(AT_ONCE).execute(&self.writer).await?;
                forgotten += result.rows_affected();
                if result.rows_affected() == 0 {
                    break;
                }
            }
        }
        Ok(forgotten)
    }
}
