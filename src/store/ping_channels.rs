//! Where members of a guild may be pinged.

use sqlx::{Any, Row, Transaction};

use super::audit::note;
use super::outbox::PING;
use super::{Store, StoreError};
use crate::domain::audit::{Act, Action, By};
use crate::domain::ids::{ChannelId, GuildId};

impl Store {
    /// Where members of a guild may be pinged.
    pub async fn ping_channel(&self, guild: GuildId) -> Result<Option<ChannelId>, StoreError> {
        let row = sqlx::query("SELECT channel_id FROM ping_channels WHERE guild_id = $1")
            .bind(guild.to_column())
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(|row| row.try_get(0).map(ChannelId::from_column)).transpose()?)
    }

    /// Allows members of a guild to be pinged in a channel, which may be a thread, instead of the one that was allowed, or in
    /// none; nobody is called any more in the one that was. Opens its lane where that is stopped: whoever mended the channel
    /// types the same command again. `Ok(false)` when it was so already.
    pub async fn set_ping_channel(
        &self,
        guild: GuildId,
        channel: Option<(ChannelId, bool)>,
        by: &By,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write().await?;
        let before = self.hold_ping_channel(&mut transaction, guild, " FOR UPDATE").await?;
        let changed = match channel {
            Some((channel, is_thread)) => {
                sqlx::query("DELETE FROM stopped_lanes WHERE channel_id = $1")
                    .bind(channel.to_column())
                    .execute(&mut *transaction)
                    .await?;
                sqlx::query(
                    "INSERT INTO ping_channels (guild_id, channel_id, is_thread) VALUES ($1, $2, $3)
                     ON CONFLICT (guild_id)
                     DO UPDATE SET channel_id = excluded.channel_id, is_thread = excluded.is_thread
                     WHERE ping_channels.channel_id <> excluded.channel_id",
                )
                .bind(guild.to_column())
                .bind(channel.to_column())
                .bind(i64::from(is_thread))
                .execute(&mut *transaction)
                .await?
            }
            None => {
                sqlx::query("DELETE FROM ping_channels WHERE guild_id = $1")
                    .bind(guild.to_column())
                    .execute(&mut *transaction)
                    .await?
            }
        };
        let is_changed = changed.rows_affected() > 0;
        let channel = channel.map(|(channel, _)| channel);
        if is_changed {
            if let Some(before) = before {
                // What is sealed is on its way.
                sqlx::query("DELETE FROM outbox WHERE channel_id = $1 AND form = $2 AND message_id IS NULL")
                    .bind(before.to_column())
                    .bind(PING)
                    .execute(&mut *transaction)
                    .await?;
            }
            let details = channel.map_or_else(String::new, |channel| format!("channel {channel}"));
            let action = if channel.is_some() { Action::PingsAllowed } else { Action::PingsForbidden };
            note(&mut transaction, by, &Act { action, account: None, guild: Some(guild), details }).await?;
        }
        transaction.commit().await?;
        self.ring_lanes(channel);
        Ok(is_changed)
    }

    /// Where members of a guild may be pinged, held for this transaction with that `lock` of PostgreSQL's.
    pub(super) async fn hold_ping_channel(
        &self,
        transaction: &mut Transaction<'_, Any>,
        guild: GuildId,
        lock: &'static str,
    ) -> Result<Option<ChannelId>, StoreError> {
        let lock = self.choose("", lock);
        let query = format!("SELECT channel_id FROM ping_channels WHERE guild_id = $1{lock}");
        let row =
            sqlx::query(sqlx::AssertSqlSafe(query)).bind(guild.to_column()).fetch_optional(&mut **transaction).await?;
        Ok(row.map(|row| row.try_get(0).map(ChannelId::from_column)).transpose()?)
    }
}
