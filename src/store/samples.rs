//! Samples: rows of the outbox that somebody asked for, to see what becomes of them.

use sqlx::{Any, Row, Transaction};

use super::outbox::SAMPLE;
use super::recording::details_to_column;
use super::{Store, StoreError};
use crate::domain::event::Event;
use crate::domain::ids::{ChannelId, PlayerId, RoleId};

/// A channel's sample that is not settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuedSample {
    /// Its row's number.
    pub id: i64,
    /// Whether it was queued just now; else it waited already, and none was added.
    pub is_new: bool,
}

/// What became of a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SampleFate {
    /// It is on its way, behind that many other rows.
    Waiting(u64),
    /// It stands in the channel, under this id unless it was deleted since.
    Shown(Option<u64>),
    /// Discord does not accept it, for that reason.
    SetAside(String),
}

impl Store {
    /// Puts a sample into a channel's lane, unless one is there already, and opens the lane where it is stopped: to try
    /// it is what a sample is for.
    pub async fn queue_sample(
        &self,
        channel: ChannelId,
        event: &Event,
        mention: Option<RoleId>,
    ) -> Result<QueuedSample, StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query("DELETE FROM stopped_lanes WHERE channel_id = $1")
            .bind(channel.to_column())
            .execute(&mut *transaction)
            .await?;
        let queued = loop {
            let id = self.next_number();
            if insert_sample(&mut transaction, id, channel, event, mention).await? {
                break QueuedSample { id, is_new: true };
            }
            // Where it is not found, it was settled since.
            if let Some(id) = open_sample(&mut transaction, channel).await? {
                break QueuedSample { id, is_new: false };
            }
        };
        transaction.commit().await?;
        self.ring_lanes([channel]);
        Ok(queued)
    }

    /// What became of the sample in that row of the outbox.
    pub async fn sample_fate(&self, channel: ChannelId, id: i64) -> Result<SampleFate, StoreError> {
        let row = sqlx::query(
            "SELECT state, reason, discord_id FROM outbox JOIN messages ON messages.id = message_id
             WHERE outbox.id = $1",
        )
        .bind(id)
        .fetch_optional(&self.reader)
        .await?;
        let Some(row) = row else { return Ok(SampleFate::Waiting(self.rows_before(channel, id).await?)) };
        let state: String = row.try_get(0)?;
        Ok(match state.as_str() {
            "delivered" => SampleFate::Shown(row.try_get::<Option<i64>, _>(2)?.map(i64::cast_unsigned)),
            "parked" => SampleFate::SetAside(row.try_get::<Option<String>, _>(1)?.unwrap_or_default()),
            _ => SampleFate::Waiting(0),
        })
    }

    /// How many rows have to be shown before that one, which is in no message yet.
    async fn rows_before(&self, channel: ChannelId, id: i64) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM outbox WHERE channel_id = $1 AND message_id IS NULL AND id < $2)
                  + (SELECT COUNT(*) FROM messages JOIN outbox ON outbox.message_id = messages.id
                     WHERE messages.channel_id = $1 AND state = 'sealed')",
        )
        .bind(channel.to_column())
        .bind(id)
        .fetch_one(&self.reader)
        .await?;
        Ok(row.try_get::<i64, _>(0)?.cast_unsigned())
    }
}

/// `false` when the channel has a sample that is not settled.
async fn insert_sample(
    transaction: &mut Transaction<'_, Any>,
    id: i64,
    channel: ChannelId,
    event: &Event,
    mention: Option<RoleId>,
) -> Result<bool, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO outbox (id, channel_id, account, server_id, player_id, player_name, stored_at, sequence, details,
                             mention_roles, form, recorded_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $7
         WHERE NOT EXISTS (SELECT 1 FROM messages JOIN outbox ON outbox.message_id = messages.id
                           WHERE messages.channel_id = $2 AND state = 'sealed' AND form = $11)
         ON CONFLICT (channel_id) WHERE form = 'sample' AND message_id IS NULL DO NOTHING",
    )
    .bind(id)
    .bind(channel.to_column())
    .bind(event.account.as_str())
    .bind(event.server.as_str())
    .bind(event.player.as_ref().map(PlayerId::as_str))
    .bind(event.player_name.as_deref())
    .bind(event.stored.nanoseconds())
    .bind(event.sequence.cast_signed())
    .bind(details_to_column(&event.details))
    .bind(mention.map(|role| role.to_string()).unwrap_or_default())
    .bind(SAMPLE)
    .execute(&mut **transaction)
    .await?;
    Ok(inserted.rows_affected() > 0)
}

async fn open_sample(transaction: &mut Transaction<'_, Any>, channel: ChannelId) -> Result<Option<i64>, StoreError> {
    let row = sqlx::query(
        "SELECT id FROM outbox WHERE channel_id = $1 AND form = 'sample' AND message_id IS NULL
         UNION ALL
         SELECT outbox.id FROM messages JOIN outbox ON outbox.message_id = messages.id
         WHERE messages.channel_id = $1 AND state = 'sealed' AND form = 'sample'",
    )
    .bind(channel.to_column())
    .fetch_optional(&mut **transaction)
    .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}
