//! What channels waited for too long, or too much of: deleted and counted, until a message tells how much it was.

use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use super::{Store, StoreError};
use crate::domain::event::Kind;
use crate::domain::given_up::GivenUp;
use crate::domain::ids::ChannelId;
use crate::domain::timestamp::Timestamp;

impl Store {
    /// What a sealed message tells of what was given up.
    pub async fn given_up_in(&self, message: i64) -> Result<Vec<GivenUp>, StoreError> {
        let row =
            sqlx::query("SELECT given_up FROM messages WHERE id = $1").bind(message).fetch_one(&self.reader).await?;
        let Some(told) = row.try_get::<Option<String>, _>(0)? else { return Ok(Vec::new()) };
        serde_json::from_str(&told).map_err(|_| StoreError::BadRow { what: "count of what was given up", value: told })
    }

    /// What was given up in a channel and is in no message yet, in the order of the kinds' names.
    pub async fn given_up(&self, channel: ChannelId) -> Result<Vec<GivenUp>, StoreError> {
        let rows = sqlx::query(
            "SELECT kind, events, first_stored, last_stored FROM given_up WHERE channel_id = $1 ORDER BY kind",
        )
        .bind(channel.to_column())
        .fetch_all(&self.reader)
        .await?;
        rows.iter().map(given_up_from).collect()
    }
}

/// Notes that a message tells `told`, which is therefore not told again: what was counted since it was read is left.
/// The message's row has to be there.
pub async fn tell_given_up(
    transaction: &mut Transaction<'_, Any>,
    channel: ChannelId,
    message: i64,
    told: &[GivenUp],
) -> Result<(), StoreError> {
    if told.is_empty() {
        return Ok(());
    }
    sqlx::query("UPDATE messages SET given_up = $1 WHERE id = $2")
        .bind(serde_json::to_string(told).expect("counts are JSON"))
        .bind(message)
        .execute(&mut **transaction)
        .await?;
    for it in told {
        // The oldest are given up first: what is left was stored later than what is told.
        sqlx::query("UPDATE given_up SET events = events - $1, first_stored = $2 WHERE channel_id = $3 AND kind = $4")
            .bind(it.events.cast_signed())
            .bind(it.last_stored.nanoseconds())
            .bind(channel.to_column())
            .bind(it.kind.name())
            .execute(&mut **transaction)
            .await?;
    }
    sqlx::query("DELETE FROM given_up WHERE channel_id = $1 AND events <= 0")
        .bind(channel.to_column())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

fn given_up_from(row: &AnyRow) -> Result<GivenUp, StoreError> {
    let kind: String = row.try_get("kind")?;
    Ok(GivenUp {
        kind: Kind::from_name(&kind).ok_or(StoreError::BadRow { what: "kind", value: kind })?,
        events: row.try_get::<i64, _>("events")?.cast_unsigned(),
        first_stored: Timestamp::from_nanoseconds(row.try_get("first_stored")?),
        last_stored: Timestamp::from_nanoseconds(row.try_get("last_stored")?),
    })
}
