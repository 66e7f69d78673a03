//! What is forgotten after a while: messages that are settled, with their events, and rejects.

use super::{Store, StoreError};
use crate::domain::timestamp::Timestamp;

impl Store {
    /// Deletes what was settled or rejected before `cutoff`, and invites that expired before it. Answers with how many
    /// rows went.
    pub async fn forget_before(&self, cutoff: Timestamp) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        // Each its own short transaction: intake must not wait long for the writer.
        for statement in [
            "DELETE FROM outbox WHERE message_id IN (SELECT id FROM messages WHERE settled_at < $1)",
            "DELETE FROM messages WHERE settled_at < $1",
            "DELETE FROM rejects WHERE stored_at < $1",
            "DELETE FROM invites WHERE expires_at < $1",
        ] {
            let result = sqlx::query(statement).bind(cutoff.nanoseconds()).execute(&self.writer).await?;
            forgotten += result.rows_affected();
        }
        Ok(forgotten)
    }
}
