//! Guilds that the bot was removed from: since when, and the end of what was kept of them.

use std::collections::BTreeMap;

use sqlx::{Any, Row, Transaction};

use super::accounts::account_name;
use super::audit::note;
use super::bindings::bump_revision;
use super::{Store, StoreError};
use crate::domain::audit::{Act, Action, By};
use crate::domain::ids::{AccountName, GuildId};
use crate::domain::timestamp::Timestamp;

/// How many rows go at once: intake must not wait long for the writer.
const AT_ONCE: i64 = 500;

/// A statement about the channels in which a guild is told anything.
macro_rules! of_channels {
    ($statement:literal) => {
        concat!(
            "WITH channels AS (SELECT channel_id FROM bindings WHERE guild_id = $1
                 UNION SELECT channel_id FROM ping_channels WHERE guild_id = $1) ",
            $statement
        )
    };
}

/// What is kept of a guild's channels and can be many rows, some at a time: what waits, what was told, and by what.
const ROWS: [&str; 3] = [
    of_channels!(
        "DELETE FROM outbox WHERE id IN (SELECT outbox.id FROM outbox JOIN channels
         ON channels.channel_id = outbox.channel_id WHERE message_id IS NULL LIMIT $2)"
    ),
    of_channels!(
        "DELETE FROM outbox WHERE id IN (SELECT outbox.id FROM outbox JOIN messages
         ON messages.id = outbox.message_id JOIN channels ON channels.channel_id = messages.channel_id LIMIT $2)"
    ),
    of_channels!(
        "DELETE FROM messages WHERE id IN (SELECT messages.id FROM messages JOIN channels
         ON channels.channel_id = messages.channel_id LIMIT $2)"
    ),
];

/// The rest, of which what names the channels is needed until the end.
const REST: [&str; 11] = [
    of_channels!("DELETE FROM outbox WHERE channel_id IN (SELECT channel_id FROM channels) AND message_id IS NULL"),
    of_channels!("DELETE FROM messages WHERE channel_id IN (SELECT channel_id FROM channels)"),
    of_channels!("DELETE FROM stopped_lanes WHERE channel_id IN (SELECT channel_id FROM channels)"),
    of_channels!("DELETE FROM given_up WHERE channel_id IN (SELECT channel_id FROM channels)"),
    of_channels!("DELETE FROM incident_messages WHERE channel_id IN (SELECT channel_id FROM channels)"),
    "DELETE FROM named_servers WHERE guild_id = $1",
    "DELETE FROM ping_channels WHERE guild_id = $1",
    "DELETE FROM pings WHERE guild_id = $1",
    "DELETE FROM bindings WHERE guild_id = $1 AND is_declared = 0",
    "DELETE FROM boards WHERE guild_id = $1",
    "DELETE FROM links WHERE guild_id = $1 AND is_declared = 0",
];

impl Store {
    /// The guilds of which something is kept, each with since when the bot is not in it any more, if that was noted.
    pub async fn kept_guilds(&self) -> Result<BTreeMap<GuildId, Option<Timestamp>>, StoreError> {
        let rows = sqlx::query(
            "SELECT kept.guild_id, departed_at FROM (
                 SELECT guild_id FROM links UNION SELECT guild_id FROM boards
                 UNION SELECT guild_id FROM ping_channels
                 UNION SELECT guild_id FROM departed_guilds) AS kept
             LEFT JOIN departed_guilds ON departed_guilds.guild_id = kept.guild_id",
        )
        .fetch_all(&self.reader)
        .await?;
        rows.iter()
            .map(|row| {
                let departed: Option<i64> = row.try_get(1)?;
                Ok((GuildId::from_column(row.try_get(0)?), departed.map(Timestamp::from_nanoseconds)))
            })
            .collect()
    }

    /// Notes that the bot is not in a guild any more, unless that is noted already.
    pub async fn note_departed(&self, guild: GuildId, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO departed_guilds (guild_id, departed_at) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(guild.to_column())
            .bind(now.nanoseconds())
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Notes that the bot is in a guild again: all is as it was.
    pub async fn note_returned(&self, guild: GuildId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM departed_guilds WHERE guild_id = $1")
            .bind(guild.to_column())
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Deletes what is kept of a guild that the bot departed from before `cutoff`: its links, bindings, boards, pings and
    /// messages. What
    /// the settings file has stays, for only the file ends that. The accounts stay, and with them where they were connected:
    /// that keeps them from connecting to anywhere. `Ok(false)` when it did not depart, or later.
    pub async fn forget_guild(&self, guild: GuildId, cutoff: Timestamp, by: &By) -> Result<bool, StoreError> {
        let is_over = sqlx::query("SELECT 1 FROM departed_guilds WHERE guild_id = $1 AND departed_at < $2")
            .bind(guild.to_column())
            .bind(cutoff.nanoseconds())
            .fetch_optional(&self.reader)
            .await?;
        if is_over.is_none() {
            return Ok(false);
        }
        for statement in ROWS {
            let mut deleted = 1;
            while deleted > 0 {
                let some = sqlx::query(statement).bind(guild.to_column()).bind(AT_ONCE).execute(&self.writer).await?;
                deleted = some.rows_affected();
            }
        }
        let mut transaction = self.write().await?;
        let departed = sqlx::query("DELETE FROM departed_guilds WHERE guild_id = $1 AND departed_at < $2")
            .bind(guild.to_column())
            .bind(cutoff.nanoseconds())
            .execute(&mut *transaction)
            .await?;
        if departed.rows_affected() == 0 {
            transaction.rollback().await?;
            return Ok(false);
        }
        let accounts = linked_accounts(&mut transaction, guild).await?;
        for account in &accounts {
            // Before the bindings, as wherever they change.
            bump_revision(&mut transaction, account).await?;
            note(&mut transaction, by, &Act::on(Action::GuildForgotten, account).in_guild(guild)).await?;
        }
        for statement in REST {
            sqlx::query(statement).bind(guild.to_column()).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        self.ring_configuration();
        Ok(true)
    }
}

async fn linked_accounts(
    transaction: &mut Transaction<'_, Any>,
    guild: GuildId,
) -> Result<Vec<AccountName>, StoreError> {
    let rows = sqlx::query("SELECT account FROM links WHERE guild_id = $1 ORDER BY account")
        .bind(guild.to_column())
        .fetch_all(&mut **transaction)
        .await?;
    rows.iter().map(|row| account_name(row, 0)).collect()
}
