//! What waits for a channel, and what of an account's stream was no event.

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, StoreError};
use crate::domain::ids::{AccountName, ChannelId, GuildId};
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

    /// The messages that are sealed and not settled in the channels that the guild's bindings name.
    pub async fn open_messages(&self, guild: GuildId) -> Result<BTreeMap<ChannelId, OpenMessage>, StoreError> {
        let rows = sqlx::query(
            "SELECT channel_id, attempts, reason, next_attempt_at,
                    (SELECT COUNT(*) FROM outbox WHERE message_id = messages.id) AS rows_in_it
             FROM messages WHERE state = 'sealed'
             AND channel_id IN (SELECT channel_id FROM bindings WHERE guild_id = $1)",
        )
        .bind(guild.to_column())
        .fetch_all(&self.reader)
        .await?;
        rows.iter()
            .map(|row| Ok((ChannelId::from_column(row.try_get("channel_id")?), open_message_from(row)?)))
            .collect()
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
