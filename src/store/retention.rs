//! What is forgotten after a while: messages that are settled, with their events, rejects, and what was not heard of.

use sqlx::Row as _;

use super::{Store, StoreError};
use crate::domain::timestamp::Timestamp;

/// How many rows go at once: intake must not wait long for the writer.
const AT_ONCE: i64 = 500;

/// The messages that go next, and what they show. Both name the same ones: what is settled by now was settled later.
const OLDEST: &str = "DELETE FROM messages WHERE id IN (
     SELECT id FROM messages WHERE settled_at < $1 ORDER BY settled_at, id LIMIT $2)";
const ROWS_OF_OLDEST: &str = "DELETE FROM outbox WHERE id IN (
     SELECT outbox.id FROM outbox JOIN (
         SELECT id FROM messages WHERE settled_at < $1 ORDER BY settled_at, id LIMIT $2) AS oldest
     ON outbox.message_id = oldest.id LIMIT $2)";

/// The servers that nothing was heard or seen of since `$1`, and of which nothing is to be told any more.
const SILENT: &str = "last_event_at < $1 AND COALESCE(connection_seen_at, 0) < $1
     AND NOT EXISTS (SELECT 1 FROM incidents WHERE incidents.account = servers.account
         AND incidents.server_id = servers.server_id AND closed_at IS NULL)";

impl Store {
    /// Deletes what was settled or rejected before `cutoff`, invites that expired before it, and incidents that were over.
    /// Answers with how many messages, rejects, invites and incidents went.
    pub async fn forget_before(&self, cutoff: Timestamp) -> Result<u64, StoreError> {
        let messages = self.forget_messages(cutoff).await?;
        let others = self.forget(
            cutoff,
            &[
                "DELETE FROM rejects WHERE (account, stored_at, sequence) IN
                 (SELECT account, stored_at, sequence FROM rejects WHERE stored_at < $1 LIMIT $2)",
                "DELETE FROM invites WHERE code_hash IN (SELECT code_hash FROM invites WHERE expires_at < $1 LIMIT $2)",
                "DELETE FROM incidents WHERE id IN (SELECT id FROM incidents WHERE closed_at < $1 LIMIT $2)",
            ],
        )
        .await?;
        Ok(messages + others)
    }

    /// Deletes messages that were settled before `cutoff`, the oldest first, and before some of them go, what they show:
    /// one may show thousands of rows. Answers with how many messages went.
    async fn forget_messages(&self, cutoff: Timestamp) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        loop {
            self.forget(cutoff, &[ROWS_OF_OLDEST]).await?;
            let messages = self.forget_some(cutoff, OLDEST).await?;
            forgotten += messages;
            if messages == 0 {
                return Ok(forgotten);
            }
        }
    }

    /// Forgets players that were last heard of before `players`, also those whose departure never came, and servers
    /// likewise. Whoever is heard of again is known again. Answers with how many went.
    pub async fn forget_silent(&self, players: Timestamp, servers: Timestamp) -> Result<u64, StoreError> {
        let forgotten = self
            .forget(
                players,
                &[
                    "DELETE FROM players WHERE (account, player_id) IN
                     (SELECT account, player_id FROM players WHERE heard_at < $1 LIMIT $2)",
                    "DELETE FROM online_players WHERE (account, server_id, player_id) IN
                     (SELECT account, server_id, player_id FROM online_players WHERE since < $1 LIMIT $2)",
                ],
            )
            .await?;
        Ok(forgotten + self.forget_servers(servers).await?)
    }

    /// Forgets servers, each of which is held before it is looked at again: on PostgreSQL one statement would not see the
    /// maintenance that somebody begins meanwhile, and take that along. What is held by others is not silent.
    async fn forget_servers(&self, cutoff: Timestamp) -> Result<u64, StoreError> {
        let held = format!(
            "SELECT account, server_id FROM servers WHERE {SILENT} ORDER BY account, server_id LIMIT $2{}",
            self.choose("", " FOR UPDATE SKIP LOCKED")
        );
        let delete = format!("DELETE FROM servers WHERE {SILENT} AND account = $2 AND server_id = $3");
        let mut forgotten = 0;
        loop {
            let mut transaction = self.write().await?;
            let rows = sqlx::query(sqlx::AssertSqlSafe(held.clone()))
                .bind(cutoff.nanoseconds())
                .bind(AT_ONCE)
                .fetch_all(&mut *transaction)
                .await?;
            let mut some = 0;
            for row in &rows {
                some += sqlx::query(sqlx::AssertSqlSafe(delete.clone()))
                    .bind(cutoff.nanoseconds())
                    .bind(row.try_get::<String, _>(0)?)
                    .bind(row.try_get::<String, _>(1)?)
                    .execute(&mut *transaction)
                    .await?
                    .rows_affected();
            }
            transaction.commit().await?;
            forgotten += some;
            if some == 0 {
                return Ok(forgotten);
            }
        }
    }

    /// Forgets who did what before `cutoff`. Answers with how many lines went.
    pub async fn forget_audit(&self, cutoff: Timestamp) -> Result<u64, StoreError> {
        self.forget(
            cutoff,
            &["DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE done_at < $1 ORDER BY done_at, id LIMIT $2)"],
        )
        .await
    }

    /// Carries each statement out until nothing is left for it, a few rows at a time.
    async fn forget(&self, cutoff: Timestamp, statements: &[&'static str]) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        for statement in statements {
            loop {
                let some = self.forget_some(cutoff, statement).await?;
                forgotten += some;
                if some == 0 {
                    break;
                }
            }
        }
        Ok(forgotten)
    }

    /// Carries a statement out once. Answers with how many rows went.
    async fn forget_some(&self, cutoff: Timestamp, statement: &'static str) -> Result<u64, StoreError> {
        let result = sqlx::query(statement).bind(cutoff.nanoseconds()).bind(AT_ONCE).execute(&self.writer).await?;
        Ok(result.rows_affected())
    }
}
