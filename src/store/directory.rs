//! What each guild may choose from, read at once for any number of guilds.

use std::collections::BTreeMap;

use sqlx::Row;

use super::accounts::account_name;
use super::bindings::{COLUMNS, binding_from};
use super::{Store, StoreError};
use crate::domain::binding::Binding;
use crate::domain::ids::{AccountName, GuildId, ServerId};

/// What a guild may choose from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices {
    /// The linked accounts, by name.
    pub accounts: Vec<AccountName>,
    /// Their servers, by account and id. Of very many, those last heard of.
    pub servers: Vec<(AccountName, ServerId)>,
    /// The guild's bindings, oldest first.
    pub bindings: Vec<Binding>,
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
            "SELECT account, guild_id, server_id FROM (
                 SELECT servers.account, guild_id, server_id,
                        ROW_NUMBER() OVER (PARTITION BY guild_id ORDER BY last_event_at DESC) AS place
                 FROM servers JOIN links ON links.account = servers.account
                 WHERE CAST($1 AS BIGINT) IS NULL OR guild_id = $1
             ) AS heard WHERE place <= $2 ORDER BY guild_id, account, server_id",
        );
        for row in servers.bind(guild).bind(i64::from(most_servers)).fetch_all(&self.reader).await? {
            let choices = found.entry(GuildId::from_column(row.try_get(1)?)).or_default();
            choices.servers.push((account_name(&row, 0)?, ServerId::from(row.try_get::<String, _>(2)?)));
        }
        let bindings = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM bindings WHERE CAST($1 AS BIGINT) IS NULL OR guild_id = $1 ORDER BY id"
        )));
        for row in bindings.bind(guild).fetch_all(&self.reader).await? {
            let binding = binding_from(&row)?;
            found.entry(binding.guild).or_default().bindings.push(binding);
        }
        Ok(found)
    }
}
