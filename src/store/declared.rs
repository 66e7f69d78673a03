//! What stands in the settings file: what of it is there, and the changes that only the file asks for.

use sqlx::Row;

use super::accounts::{SealedCredential, account_name};
use super::audit::note;
use super::bindings::{COLUMNS, binding_from};
use super::{Store, StoreError};
use crate::domain::audit::{Act, Action, By};
use crate::domain::ids::{AccountName, GuildId};
use crate::domain::setup::{DeclaredLink, Existing, ExistingLink};

impl Store {
    /// All accounts, and of those that stood in the settings file the links and bindings.
    pub async fn existing_setup(&self) -> Result<Existing, StoreError> {
        let links = sqlx::query(
            "SELECT account, guild_id, is_declared, linked_by FROM links
             WHERE account IN (SELECT name FROM accounts WHERE is_declared = 1) ORDER BY guild_id, account",
        )
        .fetch_all(&self.reader)
        .await?;
        let links = links.iter().map(|row| {
            let link =
                DeclaredLink { guild: GuildId::from_column(row.try_get("guild_id")?), account: account_name(row, 0)? };
            let is_declared = row.try_get::<i64, _>("is_declared")? != 0;
            // As `declare_link` has it.
            let is_by_hand = row.try_get::<i64, _>("linked_by")? != 0;
            Ok::<_, StoreError>(ExistingLink { link, is_declared, is_by_hand })
        });
        let query = format!(
            "SELECT {COLUMNS} FROM bindings WHERE account IN (SELECT name FROM accounts WHERE is_declared = 1) ORDER BY id"
        );
        let bindings = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_all(&self.reader).await?;
        Ok(Existing {
            accounts: self.accounts().await?,
            links: links.collect::<Result<_, _>>()?,
            bindings: bindings.iter().map(binding_from).collect::<Result<_, _>>()?,
        })
    }

    /// Links a guild, as the settings file says; a link that is there already is noted to stand in the file from now on.
    /// `Ok(false)` when the file has no such account, whoever else has one of that name.
    pub async fn declare_link(&self, link: &DeclaredLink, by: &By) -> Result<bool, StoreError> {
        let mut transaction = self.write().await?;
        let linked = sqlx::query(
            "INSERT INTO links (guild_id, account, linked_by, linked_at, is_declared)
             SELECT $1, $2, 0, $3, 1 WHERE EXISTS (SELECT 1 FROM accounts WHERE name = $2 AND is_declared = 1)
             ON CONFLICT (guild_id, account) DO NOTHING",
        )
        .bind(link.guild.to_column())
        .bind(link.account.as_str())
        .bind(by.at.nanoseconds())
        .execute(&mut *transaction)
        .await?;
        let mut action = Action::GuildLinked;
        if linked.rows_affected() == 0 {
            action = Action::LinkDeclared;
            let noted = sqlx::query(
                "UPDATE links SET is_declared = 1 WHERE guild_id = $1 AND account = $2
                 AND EXISTS (SELECT 1 FROM accounts WHERE name = $2 AND is_declared = 1)",
            )
            .bind(link.guild.to_column())
            .bind(link.account.as_str())
            .execute(&mut *transaction)
            .await?;
            if noted.rows_affected() == 0 {
                transaction.rollback().await?;
                return Ok(false);
            }
        }
        note(&mut transaction, by, &Act::on(action, &link.account).in_guild(link.guild)).await?;
        transaction.commit().await?;
        self.ring_configuration();
        Ok(true)
    }

    /// Notes that a link does not stand in the settings file any more; it stays. `Ok(false)` when there is no such link.
    pub async fn release_link(&self, link: &DeclaredLink, by: &By) -> Result<bool, StoreError> {
        let mut transaction = self.write().await?;
        let released = sqlx::query(
            "UPDATE links SET is_declared = 0 WHERE guild_id = $1 AND account = $2 AND is_declared = 1 AND linked_by <> 0",
        )
        .bind(link.guild.to_column())
        .bind(link.account.as_str())
        .execute(&mut *transaction)
        .await?;
        if released.rows_affected() == 0 {
            transaction.rollback().await?;
            return Ok(false);
        }
        note(&mut transaction, by, &Act::on(Action::LinkReleased, &link.account).in_guild(link.guild)).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Puts a credential that was read again in the place of the other. `Ok(false)` when there is no such account.
    pub async fn replace_credential(
        &self,
        account: &AccountName,
        credential: &SealedCredential,
        by: &By,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write().await?;
        let replaced = sqlx::query(
            "UPDATE accounts SET credential_kind = $1, credential = $2, revision = revision + 1 WHERE name = $3",
        )
        .bind(&credential.kind)
        .bind(credential.sealed.as_slice())
        .bind(account.as_str())
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if replaced == 1 {
            note(&mut transaction, by, &Act::on(Action::CredentialReadAgain, account).with(&credential.kind)).await?;
        }
        transaction.commit().await?;
        self.ring_configuration();
        Ok(replaced == 1)
    }
}
