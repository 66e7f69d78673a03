//! A channel's last messages, and the rows that stand in them or wait, for whoever asks what became of events.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::outbox::{DUE, Due, due_from};
use super::{Store, StoreError};
use crate::domain::ids::ChannelId;
use crate::domain::timestamp::Timestamp;
use crate::domain::wording::Wording;

/// A message of a channel's lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneMessage {
    /// Its row's number.
    pub id: i64,
    /// How far it came.
    pub progress: Progress,
    /// How it is worded.
    pub wording: Wording,
    /// What Discord said last against it, if it did.
    pub reason: Option<String>,
    /// How many rows of the outbox it shows.
    pub rows: u64,
}

/// How far a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Its bytes are fixed, and it is not settled.
    Sealed,
    /// It was shown.
    Shown {
        /// When.
        at: Timestamp,
        /// Under which id it stands in the channel; `None` when it was deleted before Discord said so.
        discord_id: Option<u64>,
    },
    /// Discord does not accept it, or refused its channel for too long.
    SetAside {
        /// Since when.
        at: Timestamp,
    },
}

/// A row of a channel's lane.
#[derive(Debug, Clone)]
pub struct LaneRow {
    /// What it tells.
    pub due: Due,
    /// The message that it stands in, if one does.
    pub message: Option<i64>,
}

/// Where the messages are: the channel's unsettled one, those that are settled, and those of them that are set aside.
/// Each names what its index is limited to.
const SEALED: &str = "channel_id = $1 AND state = 'sealed'";
const SETTLED: &str = "channel_id = $1 AND settled_at IS NOT NULL";
const SET_ASIDE: &str = "channel_id = $1 AND state = 'parked'";

impl Store {
    /// The messages of a channel that were sealed last, the newest first, at most `limit` beside the one that is not
    /// settled.
    pub async fn last_messages(&self, channel: ChannelId, limit: u32) -> Result<Vec<LaneMessage>, StoreError> {
        let mut messages = self.messages(SEALED, channel, limit).await?;
        messages.extend(self.messages(SETTLED, channel, limit).await?);
        Ok(messages)
    }

    /// The messages of a channel that were set aside last, the newest first, at most `limit`.
    pub async fn set_aside(&self, channel: ChannelId, limit: u32) -> Result<Vec<LaneMessage>, StoreError> {
        self.messages(SET_ASIDE, channel, limit).await
    }

    async fn messages(&self, which: &str, channel: ChannelId, limit: u32) -> Result<Vec<LaneMessage>, StoreError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(messages_query(which)))
            .bind(channel.to_column())
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await?;
        rows.iter().map(message_from).collect()
    }

    /// The last rows that stand in these messages, which come the newest first, at most `limit`: the newest row first.
    pub async fn rows_of(&self, messages: &[LaneMessage], limit: u32) -> Result<Vec<LaneRow>, StoreError> {
        // Only as many messages as it takes: one may show thousands of rows, all of which would be sorted.
        let mut rows_so_far = 0;
        let ids: Vec<_> = messages
            .iter()
            .take_while(|message| {
                let is_wanted = rows_so_far < u64::from(limit);
                rows_so_far += message.rows;
                is_wanted
            })
            .map(|message| message.id)
            .collect();
        let which = self.choose(
            "message_id IN (SELECT value FROM json_each($1))",
            "message_id IN (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($1 AS json)))",
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(rows_query(which)))
            .bind(serde_json::to_string(&ids).expect("numbers are JSON"))
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await?;
        rows.iter().map(row_from).collect()
    }

    /// The last rows of a channel that are in no message yet, at most `limit`: the newest first.
    pub async fn waiting_rows(&self, channel: ChannelId, limit: u32) -> Result<Vec<LaneRow>, StoreError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(rows_query("channel_id = $1 AND message_id IS NULL")))
            .bind(channel.to_column())
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await?;
        rows.iter().map(row_from).collect()
    }
}

fn messages_query(which: &str) -> String {
    format!(
        "SELECT id, state, wording, reason, settled_at, discord_id,
                (SELECT COUNT(*) FROM outbox WHERE message_id = messages.id) AS rows_in_it
         FROM messages WHERE {which} ORDER BY id DESC LIMIT $2"
    )
}

fn rows_query(which: &str) -> String {
    format!("{DUE} WHERE {which} ORDER BY id DESC LIMIT $2")
}

fn message_from(row: &AnyRow) -> Result<LaneMessage, StoreError> {
    let state: String = row.try_get("state")?;
    let wording: String = row.try_get("wording")?;
    let settled_at = row.try_get::<Option<i64>, _>("settled_at")?.map(Timestamp::from_nanoseconds);
    Ok(LaneMessage {
        id: row.try_get("id")?,
        progress: match (state.as_str(), settled_at) {
            ("sealed", _) => Progress::Sealed,
            ("delivered", Some(at)) => {
                Progress::Shown { at, discord_id: row.try_get::<Option<i64>, _>("discord_id")?.map(i64::cast_unsigned) }
            }
            ("parked", Some(at)) => Progress::SetAside { at },
            _ => return Err(StoreError::BadRow { what: "state", value: state }),
        },
        wording: Wording::from_name(&wording).ok_or(StoreError::BadRow { what: "wording", value: wording })?,
        reason: row.try_get("reason")?,
        rows: row.try_get::<i64, _>("rows_in_it")?.cast_unsigned(),
    })
}

fn row_from(row: &AnyRow) -> Result<LaneRow, StoreError> {
    Ok(LaneRow { due: due_from(row)?, message: row.try_get("message_id")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps that SQLite takes for a query.
    async fn plan(store: &Store, query: &str) -> Vec<String> {
        let explained = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}")));
        let steps = explained.bind("[1]").bind(1_i64).fetch_all(&store.reader).await.unwrap();
        steps.iter().map(|row| row.try_get("detail").unwrap()).collect()
    }

    #[tokio::test]
    async fn a_channel_with_any_number_of_rows_is_asked_about_by_indexes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/guildwire.db", folder.path().display())).await.unwrap();
        let of_messages = "SEARCH outbox USING COVERING INDEX outbox_of_message (message_id=?)";
        for (query, steps) in [
            (messages_query(SEALED), ["SEARCH messages USING INDEX messages_open (channel_id=?)", of_messages]),
            (messages_query(SETTLED), ["SEARCH messages USING INDEX messages_of_channel (channel_id=?)", of_messages]),
            (messages_query(SET_ASIDE), ["SEARCH messages USING INDEX messages_set_aside (channel_id=?)", of_messages]),
            (
                rows_query("message_id IN (SELECT value FROM json_each($1))"),
                [
                    "SEARCH outbox USING INDEX outbox_of_message (message_id=?)",
                    "SEARCH players USING INDEX sqlite_autoindex_players_1 (account=? AND player_id=?) LEFT-JOIN",
                ],
            ),
            (
                rows_query("channel_id = $1 AND message_id IS NULL"),
                [
                    "SEARCH outbox USING INDEX outbox_due (channel_id=?)",
                    "SEARCH players USING INDEX sqlite_autoindex_players_1 (account=? AND player_id=?) LEFT-JOIN",
                ],
            ),
        ] {
            let plan = plan(&store, &query).await;
            assert!(steps.iter().all(|step| plan.iter().any(|it| it == step)), "{query}: {plan:?}");
            assert!(!plan.iter().any(|step| step.starts_with("SCAN outbox") || step.starts_with("SCAN messages")));
        }
    }
}
