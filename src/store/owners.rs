//! Accounts and their owners in Discord: whose they are, the codes that owners make, and the guilds that are linked.

use std::collections::BTreeMap;

use sqlx::Row;

use super::accounts::{account_name, insert_invite};
use super::audit::note;
use super::{Store, StoreError};
use crate::domain::audit::{Act, Action, By};
use crate::domain::ids::{AccountName, GuildId, UserId};
use crate::domain::timestamp::Timestamp;

/// A guild that may show an account's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedGuild {
    /// Which guild.
    pub guild: GuildId,
    /// Since when.
    pub linked_at: Timestamp,
    /// Whether the settings file has the link.
    pub is_declared: bool,
    /// How many bindings it has of the account.
    pub bindings: u64,
}

/// What became of an owner's wish for a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InviteMade {
    /// It is there.
    Done,
    /// The account has as many codes that can still be used as it may have.
    TooMany,
    /// The account is not this person's.
    NotTheirs,
    /// The account waits to be verified.
    Unverified,
}

impl Store {
    /// The accounts that have an owner, each owner's by name.
    pub async fn owned_accounts(&self) -> Result<BTreeMap<UserId, Vec<AccountName>>, StoreError> {
        let rows = sqlx::query("SELECT name, owner_id FROM accounts WHERE owner_id IS NOT NULL ORDER BY name")
            .fetch_all(&self.reader)
            .await?;
        let mut owned: BTreeMap<UserId, Vec<AccountName>> = BTreeMap::new();
        for row in &rows {
            owned.entry(UserId::from_column(row.try_get(1)?)).or_default().push(account_name(row, 0)?);
        }
        Ok(owned)
    }

    /// Gives an account another owner, or none. Nothing of it is read differently, so its revision stays. What the one
    /// before began ends: codes that nobody has used, and a credential that waits to be verified. `Ok(false)` when there
    /// is no such account.
    pub async fn set_owner(&self, name: &AccountName, owner: Option<UserId>, by: &By) -> Result<bool, StoreError> {
        let mut transaction = self.write().await?;
        let before = sqlx::query("SELECT owner_id FROM accounts WHERE name = $1")
            .bind(name.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(before) = before.map(|row| row.try_get::<Option<i64>, _>(0)).transpose()? else {
            transaction.rollback().await?;
            return Ok(false);
        };
        if before == owner.map(UserId::to_column) {
            transaction.rollback().await?;
            return Ok(true);
        }
        if before.is_some() {
            // Before the account, as where it is removed.
            sqlx::query("DELETE FROM invites WHERE account = $1 AND used_at IS NULL AND created_by IS NOT NULL")
                .bind(name.as_str())
                .execute(&mut *transaction)
                .await?;
            sqlx::query(
                "UPDATE accounts SET next_credential_kind = NULL, next_credential = NULL, next_since = NULL
                 WHERE name = $1",
            )
            .bind(name.as_str())
            .execute(&mut *transaction)
            .await?;
        }
        let changed = sqlx::query("UPDATE accounts SET owner_id = $1 WHERE name = $2")
            .bind(owner.map(UserId::to_column))
            .bind(name.as_str())
            .execute(&mut *transaction)
            .await?;
        if changed.rows_affected() == 1 {
            let told = owner.map_or_else(|| "nobody".to_owned(), |owner| format!("user {owner}"));
            note(&mut transaction, by, &Act::on(Action::OwnerChanged, name).with(told)).await?;
        }
        transaction.commit().await?;
        self.ring_configuration();
        Ok(changed.rows_affected() == 1)
    }

    /// The guilds that are linked to an account, those that were linked first at the beginning.
    pub async fn linked_guilds(&self, account: &AccountName) -> Result<Vec<LinkedGuild>, StoreError> {
        let rows = sqlx::query(
            "SELECT guild_id, linked_at, is_declared, (SELECT COUNT(*) FROM bindings
                 WHERE bindings.account = links.account AND bindings.guild_id = links.guild_id) AS bindings
             FROM links WHERE account = $1 ORDER BY linked_at, guild_id",
        )
        .bind(account.as_str())
        .fetch_all(&self.reader)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(LinkedGuild {
                    guild: GuildId::from_column(row.try_get(0)?),
                    linked_at: Timestamp::from_nanoseconds(row.try_get(1)?),
                    is_declared: row.try_get::<i64, _>(2)? != 0,
                    bindings: row.try_get::<i64, _>(3)?.cast_unsigned(),
                })
            })
            .collect()
    }

    /// Keeps an invite that the account's owner made, by its code's hash; unless the account has `most` already that can
    /// still be used.
    pub async fn add_owners_invite(
        &self,
        account: &AccountName,
        owner: UserId,
        code_hash: &[u8],
        expires: Timestamp,
        most: u32,
        by: &By,
    ) -> Result<InviteMade, StoreError> {
        let mut transaction = self.write().await?;
        // Locks the account's row, too, so that codes that are made at once are counted one after another.
        let theirs = sqlx::query(
            "UPDATE accounts SET owner_id = owner_id WHERE name = $1 AND owner_id = $2 RETURNING verified_at",
        )
        .bind(account.as_str())
        .bind(owner.to_column())
        .fetch_optional(&mut *transaction)
        .await?;
        let refused = match theirs.map(|row| row.try_get::<Option<i64>, _>(0)).transpose()? {
            None => Some(InviteMade::NotTheirs),
            Some(None) => Some(InviteMade::Unverified),
            Some(Some(_)) => None,
        };
        if let Some(refused) = refused {
            transaction.rollback().await?;
            return Ok(refused);
        }
        let open: i64 =
            sqlx::query("SELECT COUNT(*) FROM invites WHERE account = $1 AND used_at IS NULL AND expires_at > $2")
                .bind(account.as_str())
                .bind(by.at.nanoseconds())
                .fetch_one(&mut *transaction)
                .await?
                .try_get(0)?;
        if open >= i64::from(most) {
            transaction.rollback().await?;
            return Ok(InviteMade::TooMany);
        }
        insert_invite(&mut transaction, account, code_hash, expires, by).await?;
        transaction.commit().await?;
        Ok(InviteMade::Done)
    }
}
