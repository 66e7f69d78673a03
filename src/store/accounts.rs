//! Accounts with their sealed credentials, invites and links.

use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use super::audit::note;
use super::bindings::begin_behind_position;
use super::bindings::bump_revision;
use super::boards::IS_SUBSCRIBED;
use super::positions::move_position_forward;
use super::{Store, StoreError};
use crate::domain::account::Account;
use crate::domain::audit::{Act, Action, Actor, By, edited_details};
use crate::domain::ids::{AccountName, GuildId, UserId};
use crate::domain::position::Position;
use crate::domain::timestamp::Timestamp;

/// What [`account_from`] reads.
const COLUMNS: &str = "name, url, stream, root, wide_filter, owner_id, connected_in, is_declared, revision";

/// A credential as the store keeps it.
#[derive(Clone)]
pub struct SealedCredential {
    /// Which kind of credential, such as `nkey`.
    pub kind: String,
    /// The encrypted secret.
    pub sealed: Vec<u8>,
}

/// A guild's right to show an account's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Whose events.
    pub account: AccountName,
    /// Since when.
    pub linked_at: Timestamp,
    /// Whether the settings file has it.
    pub is_declared: bool,
}

/// What became of an invite code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redeemed {
    /// The guild is linked to the account now.
    Linked(AccountName),
    /// The guild was linked to it before; the code is still good.
    AlreadyLinked(AccountName),
    /// Nobody gave out such a code.
    Unknown,
    /// The code was used before.
    Used,
    /// The code is too old.
    Expired,
}

impl Store {
    /// Adds an account that was shown to be readable, or that the operator vouches for. `Ok(false)` when one of that name
    /// exists.
    pub async fn add_account(
        &self,
        account: &Account,
        credential: &SealedCredential,
        by: &By,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write().await?;
        let added = sqlx::query(
            "INSERT INTO accounts (name, url, stream, root, wide_filter, credential_kind, credential, owner_id, is_declared,
                 revision, created_at, verified_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $10) ON CONFLICT (name) DO NOTHING",
        )
        .bind(account.name.as_str())
        .bind(&account.url)
        .bind(account.stream.as_deref())
        .bind(account.root.to_string())
        .bind(i64::from(account.wide_filter))
        .bind(&credential.kind)
        .bind(credential.sealed.as_slice())
        .bind(account.owner.map(UserId::to_column))
        .bind(i64::from(account.is_declared))
        .bind(by.at.nanoseconds())
        .execute(&mut *transaction)
        .await?;
        let is_new = added.rows_affected() == 1;
        if is_new {
            let of = account.owner.map(|owner| format!(", user {owner}")).unwrap_or_default();
            let act = Act::on(Action::AccountAdded, &account.name).with(format_args!("{}{of}", account.url));
            note(&mut transaction, by, &act).await?;
        }
        transaction.commit().await?;
        self.ring_configuration();
        Ok(is_new)
    }

    /// Changes the account, and has its stream read on behind `skip_to` where one is given, both or neither. A new
    /// credential takes the place of the old one. `Ok(false)` when there is no such account.
    pub async fn edit_account(
        &self,
        account: &Account,
        credential: Option<&SealedCredential>,
        skip_to: Option<(&str, Position)>,
        by: &By,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write().await?;
        // First, in the order in which who records a batch touches these.
        if let Some((stream, end)) = skip_to {
            move_position_forward(&mut transaction, &account.name, stream, end).await?;
        }
        let query = format!("SELECT {COLUMNS} FROM accounts WHERE name = $1");
        let before = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(account.name.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(before) = before.as_ref().map(account_from).transpose()? else {
            transaction.rollback().await?;
            return Ok(false);
        };
        let edited = sqlx::query(
            "UPDATE accounts SET url = $1, stream = $2, root = $3, wide_filter = $4, revision = revision + 1
             WHERE name = $5",
        )
        .bind(&account.url)
        .bind(account.stream.as_deref())
        .bind(account.root.to_string())
        .bind(i64::from(account.wide_filter))
        .bind(account.name.as_str())
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if let Some(credential) = credential {
            sqlx::query("UPDATE accounts SET credential_kind = $1, credential = $2 WHERE name = $3")
                .bind(&credential.kind)
                .bind(credential.sealed.as_slice())
                .bind(account.name.as_str())
                .execute(&mut *transaction)
                .await?;
        }
        if (&before.root, before.wide_filter) != (&account.root, account.wide_filter) {
            // The recorded event may not be found again then, and what was told before be read anew.
            begin_behind_position(&mut transaction, &account.name).await?;
        }
        if edited == 1 {
            let resumed = skip_to.map(|(_, end)| end.last_sequence);
            let details = edited_details(&before, account, credential.is_some(), resumed);
            note(&mut transaction, by, &Act::on(Action::AccountEdited, &account.name).with(details)).await?;
        }
        transaction.commit().await?;
        self.ring_configuration();
        Ok(edited == 1)
    }

    /// Removes an account with its links, bindings and all that was heard of it. `Ok(false)` when there is none.
    pub async fn remove_account(&self, name: &AccountName, by: &By) -> Result<bool, StoreError> {
        let mut transaction = self.write().await?;
        // PostgreSQL locks rows in the order they are touched in. Who records a batch, or redeems an invite, touches
        // these before the account; to begin with the account would be a deadlock.
        for statement in ["DELETE FROM invites WHERE account = $1", "DELETE FROM positions WHERE account = $1"] {
            sqlx::query(statement).bind(name.as_str()).execute(&mut *transaction).await?;
        }
        let removed = sqlx::query("DELETE FROM accounts WHERE name = $1")
            .bind(name.as_str())
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        if removed == 1 {
            note(&mut transaction, by, &Act::on(Action::AccountRemoved, name)).await?;
        }
        transaction.commit().await?;
        self.ring_configuration();
        Ok(removed == 1)
    }

    /// All accounts, by name.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM accounts ORDER BY name");
        let rows = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_all(&self.reader).await?;
        rows.iter().map(account_from).collect()
    }

    /// The accounts that need a consumer: those with a binding or on a board, once they are verified.
    pub async fn subscribed_accounts(&self) -> Result<Vec<Account>, StoreError> {
        let query =
            format!("SELECT {COLUMNS} FROM accounts WHERE verified_at IS NOT NULL AND {IS_SUBSCRIBED} ORDER BY name");
        let rows = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_all(&self.reader).await?;
        rows.iter().map(account_from).collect()
    }

    /// The account of that name.
    pub async fn account(&self, name: &AccountName) -> Result<Option<Account>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM accounts WHERE name = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(query)).bind(name.as_str()).fetch_optional(&self.reader).await?;
        row.as_ref().map(account_from).transpose()
    }

    /// The account's credential, still sealed.
    pub async fn credential(&self, name: &AccountName) -> Result<Option<SealedCredential>, StoreError> {
        let row = sqlx::query("SELECT credential_kind, credential FROM accounts WHERE name = $1")
            .bind(name.as_str())
            .fetch_optional(&self.reader)
            .await?;
        row.map(|row| Ok(SealedCredential { kind: row.try_get(0)?, sealed: row.try_get(1)? })).transpose()
    }

    /// Keeps an invite by its code's hash. `Ok(false)` when the account waits to be verified: a link to one that is
    /// forgotten if that never happens would be worth nothing.
    pub async fn add_invite(
        &self,
        account: &AccountName,
        code_hash: &[u8],
        expires: Timestamp,
        by: &By,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write().await?;
        let waits = sqlx::query("SELECT 1 FROM accounts WHERE name = $1 AND verified_at IS NULL")
            .bind(account.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
        if waits.is_some() {
            transaction.rollback().await?;
            return Ok(false);
        }
        insert_invite(&mut transaction, account, code_hash, expires, by).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Uses an invite up and links the guild, both or neither. An invite to an account that waits to be verified counts
    /// for nothing, and neither does one by somebody whose account it is no longer: it may have been made in the moment
    /// in which the owner changed.
    pub async fn redeem_invite(
        &self,
        code_hash: &[u8],
        guild: GuildId,
        user: UserId,
        now: Timestamp,
    ) -> Result<Redeemed, StoreError> {
        let mut transaction = self.write().await?;
        let redeemed = sqlx::query(
            "UPDATE invites SET used_at = $1 WHERE code_hash = $2 AND used_at IS NULL AND expires_at > $1
                 AND EXISTS (SELECT 1 FROM accounts WHERE accounts.name = invites.account AND verified_at IS NOT NULL
                     AND (invites.created_by IS NULL OR invites.created_by = accounts.owner_id))
             RETURNING account",
        )
        .bind(now.nanoseconds())
        .bind(code_hash)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = redeemed else {
            let row = sqlx::query("SELECT used_at FROM invites WHERE code_hash = $1")
                .bind(code_hash)
                .fetch_optional(&mut *transaction)
                .await?;
            return Ok(match row.map(|row| row.try_get::<Option<i64>, _>(0)).transpose()? {
                None => Redeemed::Unknown,
                Some(Some(_)) => Redeemed::Used,
                Some(None) => Redeemed::Expired,
            });
        };
        let account = account_name(&row, 0)?;
        if !link(&mut transaction, &account, user, guild, now).await? {
            transaction.rollback().await?;
            return Ok(Redeemed::AlreadyLinked(account));
        }
        transaction.commit().await?;
        self.ring_configuration();
        Ok(Redeemed::Linked(account))
    }

    /// Ends a guild's link to an account together with its bindings, and says how many those were; `None` when it is not
    /// linked.
    pub async fn unlink(&self, guild: GuildId, account: &AccountName, by: &By) -> Result<Option<u64>, StoreError> {
        let mut transaction = self.write().await?;
        // Before the bindings, as wherever they change.
        bump_revision(&mut transaction, account).await?;
        let bindings = sqlx::query("DELETE FROM bindings WHERE guild_id = $1 AND account = $2")
            .bind(guild.to_column())
            .bind(account.as_str())
            .execute(&mut *transaction)
            .await?;
        // A board of chosen servers says that they are gone; it is not taken for one that shows all.
        sqlx::query(
            "DELETE FROM board_servers WHERE account = $2 AND board_id IN (SELECT id FROM boards WHERE guild_id = $1)",
        )
        .bind(guild.to_column())
        .bind(account.as_str())
        .execute(&mut *transaction)
        .await?;
        let links = sqlx::query("DELETE FROM links WHERE guild_id = $1 AND account = $2")
            .bind(guild.to_column())
            .bind(account.as_str())
            .execute(&mut *transaction)
            .await?;
        if links.rows_affected() == 0 {
            transaction.rollback().await?;
            return Ok(None);
        }
        note(&mut transaction, by, &Act::on(Action::GuildUnlinked, account).in_guild(guild)).await?;
        transaction.commit().await?;
        self.ring_configuration();
        Ok(Some(bindings.rows_affected()))
    }

    /// The guild's links, by account.
    pub async fn links(&self, guild: GuildId) -> Result<Vec<Link>, StoreError> {
        let rows =
            sqlx::query("SELECT account, linked_at, is_declared FROM links WHERE guild_id = $1 ORDER BY account")
                .bind(guild.to_column())
                .fetch_all(&self.reader)
                .await?;
        rows.iter()
            .map(|row| {
                let linked_at = Timestamp::from_nanoseconds(row.try_get(1)?);
                let is_declared = row.try_get::<i64, _>(2)? != 0;
                Ok(Link { account: account_name(row, 0)?, linked_at, is_declared })
            })
            .collect()
    }

    /// How many guilds an account is linked to, and how many bindings it has.
    pub async fn count_links_and_bindings(&self, account: &AccountName) -> Result<(i64, i64), StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM links WHERE account = $1), (SELECT COUNT(*) FROM bindings WHERE account = $1)",
        )
        .bind(account.as_str())
        .fetch_one(&self.reader)
        .await?;
        Ok((row.try_get(0)?, row.try_get(1)?))
    }
}

/// Keeps an invite, and who made it.
pub(super) async fn insert_invite(
    transaction: &mut Transaction<'_, Any>,
    account: &AccountName,
    code_hash: &[u8],
    expires: Timestamp,
    by: &By,
) -> Result<(), StoreError> {
    let maker = match by.actor {
        Actor::Person { user, .. } => Some(user.to_column()),
        _ => None,
    };
    sqlx::query(
        "INSERT INTO invites (code_hash, account, created_at, expires_at, created_by) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(code_hash)
    .bind(account.as_str())
    .bind(by.at.nanoseconds())
    .bind(expires.nanoseconds())
    .bind(maker)
    .execute(&mut **transaction)
    .await?;
    note(transaction, by, &Act::on(Action::InviteMade, account)).await
}

/// Links a guild to an account, by somebody there. `false` when it is linked already.
pub(super) async fn link(
    transaction: &mut Transaction<'_, Any>,
    account: &AccountName,
    user: UserId,
    guild: GuildId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let linked = sqlx::query(
        "INSERT INTO links (guild_id, account, linked_by, linked_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(guild.to_column())
    .bind(account.as_str())
    .bind(user.to_column())
    .bind(now.nanoseconds())
    .execute(&mut **transaction)
    .await?;
    let is_new = linked.rows_affected() == 1;
    if is_new {
        let by = By::person(user, guild, now);
        note(transaction, &by, &Act::on(Action::GuildLinked, account).in_guild(guild)).await?;
    }
    Ok(is_new)
}

/// The account's name in a row's column.
pub(super) fn account_name(row: &AnyRow, column: usize) -> Result<AccountName, StoreError> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|_| StoreError::BadRow { what: "account name", value: text })
}

fn account_from(row: &AnyRow) -> Result<Account, StoreError> {
    let name: String = row.try_get("name")?;
    let root: String = row.try_get("root")?;
    Ok(Account {
        name: name.parse().map_err(|_| StoreError::BadRow { what: "account name", value: name })?,
        url: row.try_get("url")?,
        stream: row.try_get("stream")?,
        root: root.parse().map_err(|_| StoreError::BadRow { what: "root", value: root })?,
        wide_filter: row.try_get::<i64, _>("wide_filter")? != 0,
        owner: row.try_get::<Option<i64>, _>("owner_id")?.map(UserId::from_column),
        connected_in: row.try_get::<Option<i64>, _>("connected_in")?.map(GuildId::from_column),
        is_declared: row.try_get::<i64, _>("is_declared")? != 0,
        revision: row.try_get("revision")?,
    })
}
