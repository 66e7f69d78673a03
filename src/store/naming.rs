//! What people say of servers: a guild's own names, what it hides, and what is expected of an account's server.

use std::time::Duration;

use super::audit::note;
use super::{Store, StoreError};
use crate::domain::audit::{Act, By};
use crate::domain::ids::{AccountName, GuildId, ServerId};

impl Store {
    /// Gives a server a name in a guild, or takes it back. `Ok(false)` when the guild is not linked to its account.
    pub async fn name_server(
        &self,
        guild: GuildId,
        account: &AccountName,
        server: &ServerId,
        name: Option<&str>,
    ) -> Result<bool, StoreError> {
        let named = sqlx::query(
            "INSERT INTO named_servers (guild_id, account, server_id, name)
             SELECT guild_id, account, $3, $4 FROM links WHERE guild_id = $1 AND account = $2
             ON CONFLICT (guild_id, account, server_id) DO UPDATE SET name = excluded.name",
        )
        .bind(guild.to_column())
        .bind(account.as_str())
        .bind(server.as_str())
        .bind(name)
        .execute(&self.writer)
        .await?;
        self.ring_boards([account.clone()]);
        Ok(named.rows_affected() > 0)
    }

    /// Hides a server in a guild until it is heard of again. `Ok(false)` when the guild is not linked to its account, or
    /// there is no such server.
    pub async fn hide_server(
        &self,
        guild: GuildId,
        account: &AccountName,
        server: &ServerId,
    ) -> Result<bool, StoreError> {
        // In nats-server's time, like what will be heard of it.
        let hidden = sqlx::query(
            "INSERT INTO named_servers (guild_id, account, server_id, hidden_at)
             SELECT guild_id, links.account, server_id, last_event_at FROM links
             JOIN servers ON servers.account = links.account
             WHERE guild_id = $1 AND links.account = $2 AND server_id = $3
             ON CONFLICT (guild_id, account, server_id) DO UPDATE SET hidden_at = excluded.hidden_at",
        )
        .bind(guild.to_column())
        .bind(account.as_str())
        .bind(server.as_str())
        .execute(&self.writer)
        .await?;
        self.ring_boards([account.clone()]);
        Ok(hidden.rows_affected() > 0)
    }

    /// Says for how long an account's server may be silent, or that nobody says, and notes who did that as `act`.
    /// `Ok(false)` when there is no such server.
    pub async fn expect_silence(
        &self,
        account: &AccountName,
        server: &ServerId,
        silence: Option<Duration>,
        by: &By,
        act: &Act,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write().await?;
        let expected = sqlx::query("UPDATE servers SET expected_silence = $1 WHERE account = $2 AND server_id = $3")
            .bind(silence.map(|silence| i64::try_from(silence.as_nanos()).unwrap_or(i64::MAX)))
            .bind(account.as_str())
            .bind(server.as_str())
            .execute(&mut *transaction)
            .await?;
        if expected.rows_affected() == 0 {
            transaction.rollback().await?;
            return Ok(false);
        }
        note(&mut transaction, by, act).await?;
        transaction.commit().await?;
        Ok(true)
    }
}
