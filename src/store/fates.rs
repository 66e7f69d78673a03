//! What became of single events, for whoever looks on: in which channel each was shown, or why not yet.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, StoreError};
use crate::domain::ids::{AccountName, ChannelId};
use crate::domain::timestamp::Timestamp;

/// What became of an event in a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// The channel.
    pub channel: ChannelId,
    /// When nats-server stored the event.
    pub stored: Timestamp,
    /// The event's number in its stream.
    pub sequence: u64,
    /// How far it came.
    pub became: Became,
}

/// How far an event came in a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Became {
    /// It waits to be sent.
    Waiting {
        /// Why the last attempt to send it failed, if there was one.
        reason: Option<String>,
    },
    /// It was shown.
    Shown {
        /// In which message.
        message: Option<u64>,
    },
    /// Discord did not take it.
    SetAside {
        /// Why.
        reason: String,
    },
}

impl Store {
    /// The highest number of an event for a channel so far: what is recorded from now on has a higher one.
    pub async fn last_event_row(&self) -> Result<i64, StoreError> {
        let row = sqlx::query("SELECT COALESCE(MAX(id), 0) FROM outbox").fetch_one(&self.reader).await?;
        Ok(row.try_get(0)?)
    }

    /// What became of the account's events that were stored at `since` or later, of those whose number is higher than
    /// `after_row`.
    pub async fn fates(
        &self,
        account: &AccountName,
        since: Timestamp,
        after_row: i64,
    ) -> Result<Vec<Fate>, StoreError> {
        let rows = sqlx::query(
            "SELECT outbox.channel_id, stored_at, sequence, state, reason, discord_id
             FROM outbox LEFT JOIN messages ON messages.id = message_id
             WHERE outbox.id > $1 AND account = $2 AND stored_at >= $3 AND form = 'event' ORDER BY outbox.id",
        )
        .bind(after_row)
        .bind(account.as_str())
        .bind(since.nanoseconds())
        .fetch_all(&self.reader)
        .await?;
        rows.iter().map(fate_from).collect()
    }
}

fn fate_from(row: &AnyRow) -> Result<Fate, StoreError> {
    let reason: Option<String> = row.try_get("reason")?;
    let became = match row.try_get::<Option<String>, _>("state")?.as_deref() {
        Some("parked") => Became::SetAside { reason: reason.unwrap_or_default() },
        Some("delivered") => {
            Became::Shown { message: row.try_get::<Option<i64>, _>("discord_id")?.map(i64::cast_unsigned) }
        }
        _ => Became::Waiting { reason },
    };
    Ok(Fate {
        channel: ChannelId(row.try_get::<i64, _>("channel_id")?.cast_unsigned()),
        stored: Timestamp::from_nanoseconds(row.try_get("stored_at")?),
        sequence: row.try_get::<i64, _>("sequence")?.cast_unsigned(),
        became,
    })
}
