//! What became of a channel's rows: what waits, what was shown, what was set aside, as far as it is still kept.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, StoreError};
use crate::domain::ids::{AccountName, ChannelId};
use crate::domain::timestamp::Timestamp;

/// What a channel's lane has to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LaneBacklog {
    /// The message that is sent next.
    pub sealed: Option<OpenMessage>,
    /// How many rows are in no message yet.
    pub due: u64,
}

/// A message that is sealed and not settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenMessage {
    /// How many rows it shows.
    pub rows: u64,
    /// How many attempts to send it failed.
    pub attempts: u32,
    /// Why the last one did.
    pub reason: Option<String>,
    /// When the next is made.
    pub next_attempt_at: Timestamp,
}

/// A message that was shown or set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledMessage {
    /// When.
    pub at: Timestamp,
    /// Why it was set aside; `None` when it was shown.
    pub set_aside: Option<String>,
    /// Under which id it stands in the channel.
    pub discord_id: Option<u64>,
    /// How many events it tells of.
    pub events: u64,
    /// How many samples and notices stand in it beside them.
    pub others: u64,
    /// When nats-server stored the first of its events, by nats-server's clock.
    pub first_stored: Option<Timestamp>,
}

/// How many messages on an account's stream were no events, for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The reason's name.
    pub reason: String,
    /// How many.
    pub count: u64,
}

impl Store {
    /// What waits to be shown in a channel.
    pub async fn lane_backlog(&self, channel: ChannelId) -> Result<LaneBacklog, StoreError> {
        let sealed = sqlx::query(
            "SELECT attempts, reason, next_attempt_at,
                    (SELECT COUNT(*) FROM outbox WHERE message_id = messages.id) AS rows_in_it
             FROM messages WHERE channel_id = $1 AND state = 'sealed' ORDER BY id LIMIT 1",
        )
        .bind(channel.to_column())
        .fetch_optional(&self.reader)
        .await?;
        let due = sqlx::query("SELECT COUNT(*) FROM outbox WHERE channel_id = $1 AND message_id IS NULL")
            .bind(channel.to_column())
            .fetch_one(&self.reader)
            .await?;
        Ok(LaneBacklog {
            sealed: sealed.as_ref().map(open_message_from).transpose()?,
            due: due.try_get::<i64, _>(0)?.cast_unsigned(),
        })
    }

    /// The messages that were settled last in a channel, the newest first, at most `limit`.
    pub async fn settled_messages(&self, channel: ChannelId, limit: u32) -> Result<Vec<SettledMessage>, StoreError> {
        let rows = sqlx::query(
            "SELECT settled_at, state, reason, discord_id,
                    (SELECT COUNT(*) FROM outbox WHERE message_id = messages.id AND form = 'event') AS events,
                    (SELECT COUNT(*) FROM outbox WHERE message_id = messages.id AND form <> 'event') AS others,
                    (SELECT MIN(stored_at) FROM outbox WHERE message_id = messages.id AND form = 'event') AS first_stored
             FROM messages WHERE channel_id = $1 AND settled_at IS NOT NULL ORDER BY id DESC LIMIT $2",
        )
        .bind(channel.to_column())
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await?;
        rows.iter().map(settled_message_from).collect()
    }

    /// How many messages on the account's stream were no events since `since`, for which reasons, the most first.
    pub async fn rejected_since(&self, account: &AccountName, since: Timestamp) -> Result<Vec<Rejected>, StoreError> {
        let rows = sqlx::query(
            "SELECT reason, COUNT(*) AS times FROM rejects WHERE account = $1 AND stored_at >= $2
             GROUP BY reason ORDER BY times DESC, reason",
        )
        .bind(account.as_str())
        .bind(since.nanoseconds())
        .fetch_all(&self.reader)
        .await?;
        rows.iter()
            .map(|row| Ok(Rejected { reason: row.try_get(0)?, count: row.try_get::<i64, _>(1)?.cast_unsigned() }))
            .collect()
    }
}

fn open_message_from(row: &AnyRow) -> Result<OpenMessage, StoreError> {
    Ok(OpenMessage {
        rows: row.try_get::<i64, _>("rows_in_it")?.cast_unsigned(),
        attempts: u32::try_from(row.try_get::<i64, _>("attempts")?).unwrap_or(u32::MAX),
        reason: row.try_get("reason")?,
        next_attempt_at: Timestamp::from_nanoseconds(row.try_get("next_attempt_at")?),
    })
}

fn settled_message_from(row: &AnyRow) -> Result<SettledMessage, StoreError> {
    let state: String = row.try_get("state")?;
    let reason: Option<String> = row.try_get("reason")?;
    Ok(SettledMessage {
        at: Timestamp::from_nanoseconds(row.try_get("settled_at")?),
        set_aside: (state == "parked").then(|| reason.unwrap_or_default()),
        discord_id: row.try_get::<Option<i64>, _>("discord_id")?.map(i64::cast_unsigned),
        events: row.try_get::<i64, _>("events")?.cast_unsigned(),
        others: row.try_get::<i64, _>("others")?.cast_unsigned(),
        first_stored: row.try_get::<Option<i64>, _>("first_stored")?.map(Timestamp::from_nanoseconds),
    })
}
