//! Which guilds were told that an account's events don't come through, or that a channel takes no messages, and the rows
//! that tell them.

use sqlx::{Any, Row, Transaction};

use super::accounts::account_name;
use super::lanes::{StoppedLane, stopped_lane_from};
use super::outbox::NOTICE;
use super::{Store, StoreError};
use crate::domain::ids::{AccountName, ChannelId, GuildId};
use crate::domain::notice::Notice;
use crate::domain::timestamp::Timestamp;

/// A guild that was told of an outage, and not yet of its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldOutage {
    /// Which guild.
    pub guild: GuildId,
    /// Whose events don't come through.
    pub account: AccountName,
    /// Where the guild was told.
    pub channel: ChannelId,
    /// Since when they don't.
    pub since: Timestamp,
}

impl Store {
    /// The guilds that were told of an outage and not yet of its end.
    pub async fn told_outages(&self) -> Result<Vec<ToldOutage>, StoreError> {
        let rows = sqlx::query("SELECT account, guild_id, channel_id, since FROM told_outages")
            .fetch_all(&self.reader)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(ToldOutage {
                    guild: GuildId::from_column(row.try_get(1)?),
                    account: account_name(row, 0)?,
                    channel: ChannelId::from_column(row.try_get(2)?),
                    since: Timestamp::from_nanoseconds(row.try_get(3)?),
                })
            })
            .collect()
    }

    /// Tells a guild of an outage, and notes that it was told. `Ok(false)`, and then nothing happens, when it was told
    /// before or does not hear the account any more.
    pub async fn tell_stopped(&self, outage: &ToldOutage, notice: &Notice, now: Timestamp) -> Result<bool, StoreError> {
        let mut transaction = self.write().await?;
        let told = sqlx::query(
            "INSERT INTO told_outages (guild_id, account, channel_id, since)
             SELECT $1, $2, $3, $4 WHERE EXISTS (SELECT 1 FROM bindings WHERE guild_id = $1 AND account = $2)
             ON CONFLICT DO NOTHING",
        )
        .bind(outage.guild.to_column())
        .bind(outage.account.as_str())
        .bind(outage.channel.to_column())
        .bind(outage.since.nanoseconds())
        .execute(&mut *transaction)
        .await?;
        if told.rows_affected() == 0 {
            transaction.rollback().await?;
            return Ok(false);
        }
        self.insert_notice(&mut transaction, outage.channel, &outage.account, notice, now).await?;
        transaction.commit().await?;
        self.ring_lanes([outage.channel]);
        Ok(true)
    }

    /// Tells a guild of an outage's end in `channel`, or nobody where there is none, and forgets the outage.
    pub async fn tell_resumed(
        &self,
        outage: &ToldOutage,
        channel: Option<ChannelId>,
        notice: &Notice,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let forgotten = sqlx::query("DELETE FROM told_outages WHERE guild_id = $1 AND account = $2")
            .bind(outage.guild.to_column())
            .bind(outage.account.as_str())
            .execute(&mut *transaction)
            .await?;
        // Else its link ended meanwhile, and what is told of the account is no longer this guild's.
        let channel = channel.filter(|_| forgotten.rows_affected() > 0);
        if let Some(channel) = channel {
            self.insert_notice(&mut transaction, channel, &outage.account, notice, now).await?;
        }
        transaction.commit().await?;
        self.ring_lanes(channel);
        Ok(())
    }

    /// The lanes that were stopped by `before` and that nobody was told of, those in which members are pinged too: of a
    /// guild, or, in every guild, those that another of its channels can tell of.
    pub async fn untold_lanes(
        &self,
        guild: Option<GuildId>,
        before: Timestamp,
    ) -> Result<Vec<(GuildId, StoppedLane)>, StoreError> {
        let rows = sqlx::query(
            "SELECT lanes.channel_id, stopped_at, cause, reason, next_probe_at, probes, places.guild_id
             FROM stopped_lanes AS lanes JOIN (
                 SELECT guild_id, channel_id FROM bindings UNION SELECT guild_id, channel_id FROM ping_channels
             ) AS places ON places.channel_id = lanes.channel_id
             WHERE told_at IS NULL AND stopped_at <= $1 AND (places.guild_id = $2 OR CAST($2 AS BIGINT) IS NULL AND EXISTS (
                 SELECT 1 FROM bindings AS others WHERE others.guild_id = places.guild_id AND paused_at IS NULL
                 AND NOT EXISTS (SELECT 1 FROM stopped_lanes WHERE channel_id = others.channel_id)))
             ORDER BY lanes.channel_id",
        )
        .bind(before.nanoseconds())
        .bind(guild.map(GuildId::to_column))
        .fetch_all(&self.reader)
        .await?;
        rows.iter().map(|row| Ok((GuildId::from_column(row.try_get(6)?), stopped_lane_from(row)?))).collect()
    }

    /// Tells a guild in `told_in` that a channel takes no messages, and notes that it was told. `Ok(false)`, and then
    /// nothing happens, when it was told before or the lane is open again.
    pub async fn tell_lane_stopped(
        &self,
        channel: ChannelId,
        told_in: ChannelId,
        account: &AccountName,
        notice: &Notice,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write().await?;
        let told = sqlx::query("UPDATE stopped_lanes SET told_at = $1 WHERE channel_id = $2 AND told_at IS NULL")
            .bind(now.nanoseconds())
            .bind(channel.to_column())
            .execute(&mut *transaction)
            .await?;
        if told.rows_affected() == 0 {
            transaction.rollback().await?;
            return Ok(false);
        }
        self.insert_notice(&mut transaction, told_in, account, notice, now).await?;
        transaction.commit().await?;
        self.ring_lanes([told_in]);
        Ok(true)
    }

    /// Notes that somebody of the guild was told of a stopped lane.
    pub async fn note_told(&self, channel: ChannelId, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE stopped_lanes SET told_at = $1 WHERE channel_id = $2 AND told_at IS NULL")
            .bind(now.nanoseconds())
            .bind(channel.to_column())
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn insert_notice(
        &self,
        transaction: &mut Transaction<'_, Any>,
        channel: ChannelId,
        account: &AccountName,
        notice: &Notice,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO outbox (id, channel_id, account, server_id, stored_at, sequence, details, mention_roles, form,
                                 recorded_at)
             VALUES ($1, $2, $3, '', $4, 0, $5, '', $6, $4)",
        )
        .bind(self.next_number())
        .bind(channel.to_column())
        .bind(account.as_str())
        .bind(now.nanoseconds())
        .bind(serde_json::to_string(notice).expect("notices are texts and numbers"))
        .bind(NOTICE)
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }
}
