//! Bindings: who hears what, and since when.

use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use super::accounts::account_name;
use super::{Store, StoreError};
use crate::domain::binding::Binding;
use crate::domain::event::KindSet;
use crate::domain::ids::{AccountName, ChannelId, GuildId, RoleId, ServerId, UserId};
use crate::domain::timestamp::Timestamp;

const COLUMNS: &str =
    "account, id, guild_id, channel_id, server_id, kinds, mention_role, created_by, created_at, covered_from";

impl Store {
    /// Adds a binding, and opens its channel's lane where it is stopped, also when an equal binding is there already. `Ok(false)` when an equal one exists or the guild is not linked.
    pub async fn add_binding(&self, binding: &Binding) -> Result<bool, StoreError> {
        let mut transaction = self.write().await?;
        // Before the binding, as in `remove_account`: PostgreSQL locks rows in the order they are touched in.
        bump_revision(&mut transaction, &binding.account).await?;
        // Only an equal binding is a conflict: a number given out twice is an error.
        let added = sqlx::query(
            "INSERT INTO bindings (id, guild_id, channel_id, account, server_id, kinds, mention_role, created_by, created_at)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9
             WHERE EXISTS (SELECT 1 FROM links WHERE guild_id = $2 AND account = $4)
             ON CONFLICT (channel_id, account, COALESCE(server_id, ''), kinds) DO NOTHING",
        )
        .bind(binding.id)
        .bind(binding.guild.to_column())
        .bind(binding.channel.to_column())
        .bind(binding.account.as_str())
        .bind(binding.server.as_ref().map(ServerId::as_str))
        .bind(binding.kinds.to_names())
        .bind(binding.mention.map(RoleId::to_column))
        .bind(binding.created_by.to_column())
        .bind(binding.created_at.nanoseconds())
        .execute(&mut *transaction)
        .await?;
        let is_new = added.rows_affected() > 0;
        if is_new {
            transaction.commit().await?;
            self.ring_configuration();
        } else {
            transaction.rollback().await?;
        }
        // Also for an equal one: whoever mended the channel types the same command again.
        sqlx::query(
            "DELETE FROM stopped_lanes WHERE channel_id = $1
             AND EXISTS (SELECT 1 FROM bindings WHERE channel_id = $1 AND guild_id = $2)",
        )
        .bind(binding.channel.to_column())
        .bind(binding.guild.to_column())
        .execute(&self.writer)
        .await?;
        self.ring_lanes([binding.channel]);
        Ok(is_new)
    }

    /// Removes a guild's binding and gives it back, or `None` when the guild has no such binding.
    pub async fn remove_binding(&self, guild: GuildId, id: i64) -> Result<Option<Binding>, StoreError> {
        let mut transaction = self.write().await?;
        let bumped = sqlx::query(
            "UPDATE accounts SET revision = revision + 1
             WHERE name = (SELECT account FROM bindings WHERE guild_id = $1 AND id = $2)",
        )
        .bind(guild.to_column())
        .bind(id)
        .execute(&mut *transaction)
        .await?;
        if bumped.rows_affected() == 0 {
            transaction.rollback().await?;
            return Ok(None);
        }
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "DELETE FROM bindings WHERE guild_id = $1 AND id = $2 RETURNING {COLUMNS}"
        )))
        .bind(guild.to_column())
        .bind(id)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let binding = binding_from(&row)?;
        transaction.commit().await?;
        self.ring_configuration();
        Ok(Some(binding))
    }

    /// A guild's bindings, oldest first.
    pub async fn bindings_of_guild(&self, guild: GuildId) -> Result<Vec<Binding>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM bindings WHERE guild_id = $1 ORDER BY id");
        let rows = sqlx::query(sqlx::AssertSqlSafe(query)).bind(guild.to_column()).fetch_all(&self.reader).await?;
        rows.iter().map(binding_from).collect()
    }

    /// The channels that some binding names, with their guilds.
    pub async fn bound_channels(&self) -> Result<Vec<(GuildId, ChannelId)>, StoreError> {
        let rows = sqlx::query("SELECT DISTINCT guild_id, channel_id FROM bindings ORDER BY guild_id, channel_id")
            .fetch_all(&self.reader)
            .await?;
        rows.iter()
            .map(|row| Ok((GuildId::from_column(row.try_get(0)?), ChannelId::from_column(row.try_get(1)?))))
            .collect()
    }

    /// An account's bindings, oldest first.
    pub async fn bindings_of_account(&self, account: &AccountName) -> Result<Vec<Binding>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM bindings WHERE account = $1 ORDER BY id");
        let rows = sqlx::query(sqlx::AssertSqlSafe(query)).bind(account.as_str()).fetch_all(&self.reader).await?;
        rows.iter().map(binding_from).collect()
    }

    /// Says that the account's consumer covers the bindings of those ids since `moment`, if none did before.
    pub async fn cover_bindings(&self, ids: &[i64], moment: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        for id in ids {
            sqlx::query("UPDATE bindings SET covered_from = $1 WHERE id = $2 AND covered_from IS NULL")
                .bind(moment.nanoseconds())
                .bind(id)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        self.ring_coverage();
        Ok(())
    }

    /// Since when the binding is covered, if it is.
    pub async fn covered_from(&self, id: i64) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query("SELECT covered_from FROM bindings WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.reader)
            .await?;
        let covered = row.map(|row| row.try_get::<Option<i64>, _>(0)).transpose()?.flatten();
        Ok(covered.map(Timestamp::from_nanoseconds))
    }
}

async fn bump_revision(transaction: &mut Transaction<'_, Any>, account: &AccountName) -> Result<(), StoreError> {
    sqlx::query("UPDATE accounts SET revision = revision + 1 WHERE name = $1")
        .bind(account.as_str())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

fn binding_from(row: &AnyRow) -> Result<Binding, StoreError> {
    let kinds: String = row.try_get("kinds")?;
    Ok(Binding {
        id: row.try_get("id")?,
        guild: GuildId::from_column(row.try_get("guild_id")?),
        channel: ChannelId::from_column(row.try_get("channel_id")?),
        account: account_name(row, 0)?,
        server: row.try_get::<Option<String>, _>("server_id")?.map(ServerId::from),
        kinds: KindSet::from_names(&kinds),
        mention: row.try_get::<Option<i64>, _>("mention_role")?.map(RoleId::from_column),
        created_by: UserId::from_column(row.try_get("created_by")?),
        created_at: Timestamp::from_nanoseconds(row.try_get("created_at")?),
        covered_from: row.try_get::<Option<i64>, _>("covered_from")?.map(Timestamp::from_nanoseconds),
    })
}
