//! Bindings: who hears what, and since when.

use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use super::accounts::account_name;
use super::audit::note;
use super::{Store, StoreError};
use crate::domain::audit::{Act, Action, Actor, By};
use crate::domain::binding::Binding;
use crate::domain::event::KindSet;
use crate::domain::ids::{AccountName, ChannelId, GuildId, RoleId, ServerId, UserId};
use crate::domain::style::Style;
use crate::domain::timestamp::Timestamp;

pub(super) const COLUMNS: &str = "account, id, guild_id, channel_id, server_id, kinds, mention_role, created_by, created_at, covered_from, later_kinds, paused_at, style, is_thread, is_declared";

/// What became of a change to a binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// It is as it was asked to be.
    Done {
        /// As it was.
        before: Binding,
        /// As it is now.
        after: Binding,
    },
    /// It was so already.
    Unchanged(Binding),
    /// It stays as it was: another one is what it would have become.
    Equal(Binding),
    /// The guild has no such binding.
    Missing,
}

impl Store {
    /// Adds a binding, and opens its channel's lane where it is stopped, also when an equal binding is there already. `Ok(false)` when an equal one exists or the guild is not linked.
    pub async fn add_binding(&self, binding: &Binding) -> Result<bool, StoreError> {
        let mut transaction = self.write().await?;
        // Before the binding, as in `remove_account`: PostgreSQL locks rows in the order they are touched in.
        bump_revision(&mut transaction, &binding.account).await?;
        // Only an equal binding is a conflict: a number given out twice is an error.
        let added = sqlx::query(
            "INSERT INTO bindings (id, guild_id, channel_id, account, server_id, kinds, mention_role, created_by, created_at, style, is_thread, is_declared)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
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
        .bind(binding.style.name())
        .bind(binding.is_thread.map(i64::from))
        .bind(i64::from(binding.is_declared))
        .execute(&mut *transaction)
        .await?;
        let is_new = added.rows_affected() > 0;
        if is_new {
            let actor = if binding.is_declared {
                Actor::Settings
            } else {
                Actor::Person { user: binding.created_by, guild: binding.guild }
            };
            note(&mut transaction, &By { actor, at: binding.created_at }, &act(Action::BindingAdded, binding)).await?;
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
    pub async fn remove_binding(&self, guild: GuildId, id: i64, by: &By) -> Result<Option<Binding>, StoreError> {
        let mut transaction = self.write().await?;
        if !bump_revision_of_binding(&mut transaction, guild, id).await? {
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
        note(&mut transaction, by, &act(Action::BindingRemoved, &binding)).await?;
        transaction.commit().await?;
        self.ring_configuration();
        Ok(Some(binding))
    }

    /// Changes a guild's binding by `change`, which may alter its kinds, its coverage, its pause, its style and the role that it mentions.
    pub async fn change_binding(
        &self,
        guild: GuildId,
        id: i64,
        by: &By,
        change: impl FnOnce(&mut Binding),
    ) -> Result<Changed, StoreError> {
        let mut transaction = self.write().await?;
        // It also keeps every other change of the account's bindings out, so that what is looked at here holds.
        if !bump_revision_of_binding(&mut transaction, guild, id).await? {
            transaction.rollback().await?;
            return Ok(Changed::Missing);
        }
        let query = format!("SELECT {COLUMNS} FROM bindings WHERE guild_id = $1 AND id = $2");
        let row = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(guild.to_column())
            .bind(id)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else { return Ok(Changed::Missing) };
        let before = binding_from(&row)?;
        let mut after = before.clone();
        change(&mut after);
        if after == before {
            transaction.rollback().await?;
            return Ok(Changed::Unchanged(before));
        }
        let equal = sqlx::query(
            "SELECT 1 FROM bindings WHERE channel_id = $1 AND account = $2 AND COALESCE(server_id, '') = $3
             AND kinds = $4 AND id <> $5",
        )
        .bind(after.channel.to_column())
        .bind(after.account.as_str())
        .bind(after.server.as_ref().map_or("", ServerId::as_str))
        .bind(after.kinds.to_names())
        .bind(id)
        .fetch_optional(&mut *transaction)
        .await?;
        if equal.is_some() {
            transaction.rollback().await?;
            return Ok(Changed::Equal(after));
        }
        sqlx::query(
            "UPDATE bindings SET kinds = $1, covered_from = $2, later_kinds = $3, paused_at = $4, style = $5, mention_role = $6
             WHERE id = $7",
        )
        .bind(after.kinds.to_names())
        .bind(after.covered_from.map(Timestamp::nanoseconds))
        .bind(later_kinds_to_column(&after))
        .bind(after.paused_at.map(Timestamp::nanoseconds))
        .bind(after.style.name())
        .bind(after.mention.map(RoleId::to_column))
        .bind(id)
        .execute(&mut *transaction)
        .await?;
        note(&mut transaction, by, &act(Action::BindingChanged, &after)).await?;
        transaction.commit().await?;
        self.ring_configuration();
        Ok(Changed::Done { before, after })
    }

    /// A guild's bindings, oldest first.
    pub async fn bindings_of_guild(&self, guild: GuildId) -> Result<Vec<Binding>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM bindings WHERE guild_id = $1 ORDER BY id");
        let rows = sqlx::query(sqlx::AssertSqlSafe(query)).bind(guild.to_column()).fetch_all(&self.reader).await?;
        rows.iter().map(binding_from).collect()
    }

    /// The channels that some binding names, in which members are pinged, or in which a board stands, with their guilds.
    pub async fn channels_in_use(&self) -> Result<Vec<(GuildId, ChannelId)>, StoreError> {
        let rows = sqlx::query(
            "SELECT guild_id, channel_id FROM bindings UNION SELECT guild_id, channel_id FROM ping_channels
             UNION SELECT guild_id, channel_id FROM boards WHERE removed_at IS NULL ORDER BY guild_id, channel_id",
        )
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

    /// Keeps since when a consumer covers these bindings of an account, which were looked at when it was at `revision`.
    /// `Ok(false)` when it no longer is: one of them may have other kinds by now, or have been paused and resumed.
    pub async fn cover_bindings(
        &self,
        account: &AccountName,
        revision: i64,
        covered: &[&Binding],
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write().await?;
        // Locks the row, too: on PostgreSQL a look alone would let a change in between.
        let current = sqlx::query("UPDATE accounts SET revision = revision WHERE name = $1 AND revision = $2")
            .bind(account.as_str())
            .bind(revision)
            .execute(&mut *transaction)
            .await?;
        if current.rows_affected() == 0 {
            transaction.rollback().await?;
            return Ok(false);
        }
        for binding in covered {
            save_beginnings(&mut transaction, binding).await?;
        }
        transaction.commit().await?;
        self.ring_coverage();
        Ok(true)
    }

    /// The guild's binding of that number.
    pub async fn binding(&self, guild: GuildId, id: i64) -> Result<Option<Binding>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM bindings WHERE guild_id = $1 AND id = $2");
        let row = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(guild.to_column())
            .bind(id)
            .fetch_optional(&self.reader)
            .await?;
        row.as_ref().map(binding_from).transpose()
    }
}

/// What is done to a binding, with what it is like then.
fn act(action: Action, binding: &Binding) -> Act {
    let Binding { channel, kinds, style, paused_at, .. } = binding;
    let paused = if paused_at.is_some() { ", paused" } else { "" };
    let details = format!("channel {channel}: {}, {}{paused}", kinds.to_names(), style.name());
    Act::on(action, &binding.account).in_guild(binding.guild).with(details)
}

/// Lets the account's bindings hear nothing that was stored before what is recorded already.
pub(super) async fn begin_behind_position(
    transaction: &mut Transaction<'_, Any>,
    account: &AccountName,
) -> Result<(), StoreError> {
    let position = sqlx::query("SELECT last_time FROM positions WHERE account = $1")
        .bind(account.as_str())
        .fetch_optional(&mut **transaction)
        .await?;
    let Some(position) = position else { return Ok(()) };
    let recorded = Timestamp::from_nanoseconds(position.try_get(0)?);
    let query = format!("SELECT {COLUMNS} FROM bindings WHERE account = $1");
    let rows = sqlx::query(sqlx::AssertSqlSafe(query)).bind(account.as_str()).fetch_all(&mut **transaction).await?;
    for row in &rows {
        let mut binding = binding_from(row)?;
        binding.begin_no_sooner_than(recorded);
        save_beginnings(transaction, &binding).await?;
    }
    Ok(())
}

async fn save_beginnings(transaction: &mut Transaction<'_, Any>, binding: &Binding) -> Result<(), StoreError> {
    sqlx::query("UPDATE bindings SET covered_from = $1, later_kinds = $2 WHERE id = $3")
        .bind(binding.covered_from.map(Timestamp::nanoseconds))
        .bind(later_kinds_to_column(binding))
        .bind(binding.id)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// Says by the account's row that its bindings change, and locks it until they have.
pub(super) async fn bump_revision(
    transaction: &mut Transaction<'_, Any>,
    account: &AccountName,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE accounts SET revision = revision + 1 WHERE name = $1")
        .bind(account.as_str())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// Does so for the account of a guild's binding; `false` when there is no such binding.
async fn bump_revision_of_binding(
    transaction: &mut Transaction<'_, Any>,
    guild: GuildId,
    id: i64,
) -> Result<bool, StoreError> {
    let bumped = sqlx::query(
        "UPDATE accounts SET revision = revision + 1
         WHERE name = (SELECT account FROM bindings WHERE guild_id = $1 AND id = $2)",
    )
    .bind(guild.to_column())
    .bind(id)
    .execute(&mut **transaction)
    .await?;
    Ok(bumped.rows_affected() > 0)
}

fn later_kinds_to_column(binding: &Binding) -> String {
    serde_json::to_string(&binding.later_kinds).expect("kinds are texts and moments are numbers")
}

pub(super) fn binding_from(row: &AnyRow) -> Result<Binding, StoreError> {
    let kinds: String = row.try_get("kinds")?;
    let later_kinds: String = row.try_get("later_kinds")?;
    let style: String = row.try_get("style")?;
    Ok(Binding {
        id: row.try_get("id")?,
        guild: GuildId::from_column(row.try_get("guild_id")?),
        channel: ChannelId::from_column(row.try_get("channel_id")?),
        account: account_name(row, 0)?,
        server: row.try_get::<Option<String>, _>("server_id")?.map(ServerId::from),
        kinds: KindSet::from_names(&kinds),
        mention: row.try_get::<Option<i64>, _>("mention_role")?.map(RoleId::from_column),
        style: Style::from_name(&style).ok_or(StoreError::BadRow { what: "style", value: style })?,
        is_thread: row.try_get::<Option<i64>, _>("is_thread")?.map(|truth| truth != 0),
        created_by: UserId::from_column(row.try_get("created_by")?),
        created_at: Timestamp::from_nanoseconds(row.try_get("created_at")?),
        covered_from: row.try_get::<Option<i64>, _>("covered_from")?.map(Timestamp::from_nanoseconds),
        later_kinds: serde_json::from_str(&later_kinds)
            .map_err(|_| StoreError::BadRow { what: "list of later kinds", value: later_kinds })?,
        paused_at: row.try_get::<Option<i64>, _>("paused_at")?.map(Timestamp::from_nanoseconds),
        is_declared: row.try_get::<i64, _>("is_declared")? != 0,
    })
}
