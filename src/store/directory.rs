//! What each guild may choose from, read at once for any number of guilds.

use std::collections::BTreeMap;

use sqlx::Row;

use super::accounts::account_name;
use super::bindings::{COLUMNS, binding_from};
use super::{Store, StoreError};
use crate::domain::binding::Binding;
use crate::domain::ids::{AccountName, ChannelId, GuildId, ServerId};

/// A server that a guild may choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownServer {
    /// Whose.
    pub account: AccountName,
    /// Which.
    pub id: ServerId,
    /// What the guild calls it, where it gave it a name.
    pub name: Option<String>,
    /// Whether the guild does not want to see it.
    pub is_hidden: bool,
}

/// What a guild may choose from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices {
    /// The linked accounts, by name.
    pub accounts: Vec<AccountName>,
    /// Their servers, by account and id. Of very many, those last heard of.
    pub servers: Vec<KnownServer>,
    /// The guild's bindings, oldest first.
    pub bindings: Vec<Binding>,
    /// The guild's boards with their channels, oldest first.
    pub boards: Vec<(i64, ChannelId)>,
}

impl Store {
    /// What one guild may choose from, or each that is linked to anything; at most `most_servers` for each.
    pub async fn choices(
        &self,
        guild: Option<GuildId>,
        most_servers: u32,
    ) -> Result<BTreeMap<GuildId, Choices>, StoreError> {
        let guild = guild.map(GuildId::to_column);
        let mut found: BTreeMap<GuildId, Choices> = BTreeMap::new();
        let links = sqlx::query(
            "SELECT account, guild_id FROM links WHERE CAST($1 AS BIGINT) IS NULL OR guild_id = $1
             ORDER BY guild_id, account",
        );
        for row in links.bind(guild).fetch_all(&self.reader).await? {
            let choices = found.entry(GuildId::from_column(row.try_get(1)?)).or_default();
            choices.accounts.push(account_name(&row, 0)?);
        }
        let servers = sqlx::query(
            "SELECT account, guild_id, server_id, name, is_hidden FROM (
                 SELECT servers.account, links.guild_id, servers.server_id, name,
                        CASE WHEN last_event_at <= hidden_at THEN 1 ELSE 0 END AS is_hidden,
                        ROW_NUMBER() OVER (PARTITION BY links.guild_id ORDER BY last_event_at DESC) AS place
                 FROM servers JOIN links ON links.account = servers.account
                 LEFT JOIN named_servers ON named_servers.guild_id = links.guild_id
                     AND named_servers.account = servers.account AND named_servers.server_id = servers.server_id
                 WHERE CAST($1 AS BIGINT) IS NULL OR links.guild_id = $1
             ) AS heard WHERE place <= $2 ORDER BY guild_id, account, server_id",
        );
        for row in servers.bind(guild).bind(i64::from(most_servers)).fetch_all(&self.reader).await? {
            let choices = found.entry(GuildId::from_column(row.try_get(1)?)).or_default();
            choices.servers.push(KnownServer {
                account: account_name(&row, 0)?,
                id: ServerId::from(row.try_get::<String, _>(2)?),
                name: row.try_get(3)?,
                is_hidden: row.try_get::<i64, _>(4)? != 0,
            });
        }
        let bindings = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM bindings WHERE CAST($1 AS BIGINT) IS NULL OR guild_id = $1 ORDER BY id"
        )));
        for row in bindings.bind(guild).fetch_all(&self.reader).await? {
            let binding = binding_from(&row)?;
            found.entry(binding.guild).or_default().bindings.push(binding);
        }
        let boards = sqlx::query(
            "SELECT id, guild_id, channel_id FROM boards
             WHERE removed_at IS NULL AND (CAST($1 AS BIGINT) IS NULL OR guild_id = $1) ORDER BY id",
        );
        for row in boards.bind(guild).fetch_all(&self.reader).await? {
            let choices = found.entry(GuildId::from_column(row.try_get(1)?)).or_default();
            choices.boards.push((row.try_get(0)?, ChannelId::from_column(row.try_get(2)?)));
        }
        Ok(found)
    }
}
