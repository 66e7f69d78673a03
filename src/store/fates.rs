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

/// By the index `outbox_of_event`: it is asked several times a second, beside the bot that writes.
const FATES: &str = "SELECT outbox.channel_id, stored_at, sequence, state, reason, discord_id
     FROM outbox LEFT JOIN messages ON messages.id = message_id
     WHERE account = $1 AND stored_at >= $2 AND form IN ('event', 'incident') AND sequence > 0";

impl Store {
    /// What became of the account's events that were stored at `since` or later.
    pub async fn fates(&self, account: &AccountName, since: Timestamp) -> Result<Vec<Fate>, StoreError> {
        let rows = sqlx::query(FATES).bind(account.as_str()).bind(since.nanoseconds()).fetch_all(&self.reader).await?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_events_asked_for_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/guildwire.db", folder.path().display())).await.unwrap();
        let explained = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {FATES}")));
        let plan = explained.bind("GA-1").bind(1_i64).fetch_all(&store.reader).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.try_get("detail").unwrap()).collect();
        let wanted = "SEARCH outbox USING INDEX outbox_of_event (account=? AND stored_at>?)";
        assert!(plan.iter().any(|step| step == wanted), "{plan:?}");
    }
}
