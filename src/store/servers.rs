//! What was last heard of servers and players.

use sqlx::Row;

use super::{Store, StoreError};
use crate::domain::event::Kind;
use crate::domain::ids::{AccountName, GuildId, PlayerId, ServerId};
use crate::domain::timestamp::Timestamp;

/// What was last heard of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerStatus {
    /// Whose server.
    pub account: AccountName,
    /// Which server.
    pub server: ServerId,
    /// When anything was last heard of it.
    pub last_event_at: Timestamp,
    /// Its last lifecycle event, and when that was stored.
    pub lifecycle: Option<(Kind, Timestamp)>,
}

impl Store {
    /// The servers of all accounts that the guild is linked to.
    pub async fn servers_of_guild(&self, guild: GuildId) -> Result<Vec<ServerStatus>, StoreError> {
        let rows = sqlx::query(
            "SELECT servers.account, server_id, last_event_at, lifecycle, lifecycle_at
             FROM servers JOIN links ON links.account = servers.account
             WHERE links.guild_id = $1 ORDER BY servers.account, server_id",
        )
        .bind(guild.to_column())
        .fetch_all(&self.reader)
        .await?;
        rows.iter()
            .map(|row| {
                let kind = row.try_get::<Option<String>, _>(3)?.and_then(|name| Kind::from_name(&name));
                let at = row.try_get::<Option<i64>, _>(4)?.map(Timestamp::from_nanoseconds);
                Ok(ServerStatus {
                    account: super::accounts::account_name(row, 0)?,
                    server: ServerId::from(row.try_get::<String, _>(1)?),
                    last_event_at: Timestamp::from_nanoseconds(row.try_get(2)?),
                    lifecycle: kind.zip(at),
                })
            })
            .collect()
    }

    /// The last name heard of a player.
    pub async fn player_name(&self, account: &AccountName, player: &PlayerId) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT name FROM players WHERE account = $1 AND player_id = $2")
            .bind(account.as_str())
            .bind(player.as_str())
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }
}
