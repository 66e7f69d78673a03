//! Accounts that people connect in Discord, and credentials that take another's place, until each was shown to work.

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, Row};

use super::accounts::{SealedCredential, link};
use super::audit::note;
use super::{Store, StoreError};
use crate::domain::account::Account;
use crate::domain::audit::{Act, Action, Actor, By};
use crate::domain::ids::{AccountName, GuildId, UserId};
use crate::domain::timestamp::Timestamp;

/// What is known of an account's credentials: whether it was shown that they work, and what waits for that.
#[derive(Clone)]
pub struct Proof {
    /// Whether it was shown that it can be read, or the operator vouches for it.
    pub is_verified: bool,
    /// The credential that is to take the place of the other.
    pub next: Option<NextCredential>,
}

/// A credential that is to take another's place.
#[derive(Clone)]
pub struct NextCredential {
    /// The credential.
    pub credential: SealedCredential,
    /// Since when it is there; another one is there since another moment.
    pub since: Timestamp,
}

/// How many accounts may be connected.
#[derive(Debug, Clone, Copy)]
pub struct MostConnected {
    /// That one person owns.
    pub per_owner: usize,
    /// That one person owns and that wait to be verified.
    pub unverified_per_person: usize,
    /// That wait in one guild.
    pub unverified_per_guild: usize,
}

/// What became of connecting an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connected {
    /// It waits to be verified.
    Done,
    /// There is an account of that name.
    NameTaken,
    /// The person owns as many as they may.
    TooManyOfOwner,
    /// The person has too many that wait.
    TooManyOfPerson,
    /// The guild has.
    TooManyInGuild,
}

impl Store {
    /// Adds an account that its owner has still to let guildwire in to. Nobody reads it before it is verified.
    pub async fn connect_account(
        &self,
        account: &Account,
        credential: &SealedCredential,
        (user, guild): (UserId, GuildId),
        most: MostConnected,
        now: Timestamp,
    ) -> Result<Connected, StoreError> {
        let mut transaction = self.write().await?;
        let (user_id, guild_id) = (user.to_column(), guild.to_column());
        for (which, id, most, refusal) in [
            ("owner_id = $1", user_id, most.per_owner, Connected::TooManyOfOwner),
            ("verified_at IS NULL AND owner_id = $1", user_id, most.unverified_per_person, Connected::TooManyOfPerson),
            (
                "verified_at IS NULL AND connected_in = $1",
                guild_id,
                most.unverified_per_guild,
                Connected::TooManyInGuild,
            ),
        ] {
            let query = format!("SELECT COUNT(*) FROM accounts WHERE {which}");
            let row = sqlx::query(sqlx::AssertSqlSafe(query)).bind(id).fetch_one(&mut *transaction).await?;
            if row.try_get::<i64, _>(0)?.cast_unsigned() >= most as u64 {
                return Ok(refusal);
            }
        }
        let added = sqlx::query(
            "INSERT INTO accounts (name, url, stream, root, wide_filter, credential_kind, credential, owner_id,
                 connected_in, is_declared, revision, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $10) ON CONFLICT (name) DO NOTHING",
        )
        .bind(account.name.as_str())
        .bind(&account.url)
        .bind(account.stream.as_deref())
        .bind(account.root.to_string())
        .bind(i64::from(account.wide_filter))
        .bind(&credential.kind)
        .bind(credential.sealed.as_slice())
        .bind(user_id)
        .bind(guild_id)
        .bind(now.nanoseconds())
        .execute(&mut *transaction)
        .await?;
        if added.rows_affected() == 0 {
            return Ok(Connected::NameTaken);
        }
        let act = Act::on(Action::AccountConnected, &account.name).in_guild(guild).with(&account.url);
        note(&mut transaction, &By::person(user, guild, now), &act).await?;
        transaction.commit().await?;
        Ok(Connected::Done)
    }

    /// Whether an account is verified, and what waits for that; `None` when there is no such account.
    pub async fn proof(&self, account: &AccountName) -> Result<Option<Proof>, StoreError> {
        let row = sqlx::query(
            "SELECT verified_at, next_credential_kind, next_credential, next_since FROM accounts WHERE name = $1",
        )
        .bind(account.as_str())
        .fetch_optional(&self.reader)
        .await?;
        row.as_ref().map(proof_from).transpose()
    }

    /// Notes that the account can be read, and links the guild in which it was connected. `Ok(false)` when it does not wait
    /// for that, or is not what was checked any more.
    pub async fn verify_account(
        &self,
        checked: &Account,
        (user, guild): (UserId, GuildId),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let by = By::person(user, guild, now);
        let mut transaction = self.write().await?;
        let account = &checked.name;
        let verified = sqlx::query(
            "UPDATE accounts SET verified_at = $1
             WHERE name = $2 AND verified_at IS NULL AND owner_id = $3 AND connected_in = $4 AND revision = $5",
        )
        .bind(now.nanoseconds())
        .bind(account.as_str())
        .bind(user.to_column())
        .bind(guild.to_column())
        .bind(checked.revision)
        .execute(&mut *transaction)
        .await?;
        if verified.rows_affected() == 0 {
            return Ok(false);
        }
        note(&mut transaction, &by, &Act::on(Action::AccountVerified, account)).await?;
        // One that is linked already is as good.
        link(&mut transaction, account, user, guild, now).await?;
        transaction.commit().await?;
        self.ring_configuration();
        Ok(true)
    }

    /// Puts a credential beside the account's own, to take its place once it is verified. `Ok(false)` when there is no
    /// such account any more, or it has another owner.
    pub async fn add_next_credential(
        &self,
        account: &Account,
        next: &SealedCredential,
        by: &By,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write().await?;
        let added = sqlx::query(
            "UPDATE accounts SET next_credential_kind = $1, next_credential = $2, next_since = $3
             WHERE name = $4 AND COALESCE(owner_id, 0) = $5",
        );
        let is_there = set_next(added, next, by, account).execute(&mut *transaction).await?.rows_affected() == 1;
        if is_there {
            note(&mut transaction, by, &Act::on(Action::RotationBegun, &account.name)).await?;
        }
        transaction.commit().await?;
        Ok(is_there)
    }

    /// Has another form of it take the place of the credential that waits to be verified: the next one, which is there
    /// `since` then, or that of an account which waits itself. `Ok(false)` when it does not wait any more, or not as it was
    /// read.
    pub async fn complete_credential(
        &self,
        account: &Account,
        since: Option<Timestamp>,
        credential: &SealedCredential,
        by: &By,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write().await?;
        let completed = if let Some(since) = since {
            let next = sqlx::query(
                "UPDATE accounts SET next_credential_kind = $1, next_credential = $2, next_since = $3
                 WHERE name = $4 AND COALESCE(owner_id, 0) = $5 AND next_since = $6",
            );
            set_next(next, credential, by, account).bind(since.nanoseconds())
        } else {
            sqlx::query(
                "UPDATE accounts SET credential_kind = $1, credential = $2, revision = revision + 1
                 WHERE name = $3 AND verified_at IS NULL AND COALESCE(owner_id, 0) = $4 AND revision = $5",
            )
            .bind(credential.kind.clone())
            .bind(credential.sealed.clone())
            .bind(account.name.as_str().to_owned())
            .bind(owner_column(account))
            .bind(account.revision)
        };
        let is_done = completed.execute(&mut *transaction).await?.rows_affected() == 1;
        if is_done {
            note(&mut transaction, by, &Act::on(Action::JwtGiven, &account.name)).await?;
        }
        transaction.commit().await?;
        Ok(is_done)
    }

    /// Has the next credential, which was verified, take the place of the other. `Ok(false)` when it is not the one that
    /// is there since then.
    pub async fn adopt_next_credential(
        &self,
        account: &AccountName,
        since: Timestamp,
        by: &By,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write().await?;
        let adopted = sqlx::query(
            "UPDATE accounts SET credential_kind = next_credential_kind, credential = next_credential,
                 next_credential_kind = NULL, next_credential = NULL, next_since = NULL, revision = revision + 1
             WHERE name = $1 AND next_since = $2",
        )
        .bind(account.as_str())
        .bind(since.nanoseconds())
        .execute(&mut *transaction)
        .await?;
        let is_done = adopted.rows_affected() == 1;
        if is_done {
            note(&mut transaction, by, &Act::on(Action::CredentialRotated, account)).await?;
        }
        transaction.commit().await?;
        self.ring_configuration();
        Ok(is_done)
    }

    /// Removes accounts that were connected before `cutoff` and never verified. Answers with how many. One that a guild
    /// is linked to stays: what was set up there goes by nobody's wish.
    pub async fn forget_unverified(&self, cutoff: Timestamp, now: Timestamp) -> Result<u64, StoreError> {
        const OLD: &str = "verified_at IS NULL AND created_at < $1
             AND NOT EXISTS (SELECT 1 FROM links WHERE links.account = accounts.name)";
        let mut transaction = self.write().await?;
        // Before the accounts, as where an account is removed.
        let invites = format!("DELETE FROM invites WHERE account IN (SELECT name FROM accounts WHERE {OLD})");
        sqlx::query(sqlx::AssertSqlSafe(invites)).bind(cutoff.nanoseconds()).execute(&mut *transaction).await?;
        let accounts = format!("DELETE FROM accounts WHERE {OLD} RETURNING name");
        let removed =
            sqlx::query(sqlx::AssertSqlSafe(accounts)).bind(cutoff.nanoseconds()).fetch_all(&mut *transaction).await?;
        let by = By { actor: Actor::Guildwire, at: now };
        for row in &removed {
            let account = super::accounts::account_name(row, 0)?;
            note(&mut transaction, &by, &Act::on(Action::AccountRemoved, &account).with("it was never verified"))
                .await?;
        }
        transaction.commit().await?;
        self.ring_configuration();
        Ok(removed.len() as u64)
    }
}

/// Binds an account's next credential: its kind, its secret, since when, of which account, and whose that is.
fn set_next(
    change: Query<'static, Any, AnyArguments>,
    credential: &SealedCredential,
    by: &By,
    account: &Account,
) -> Query<'static, Any, AnyArguments> {
    change
        .bind(credential.kind.clone())
        .bind(credential.sealed.clone())
        .bind(by.at.nanoseconds())
        .bind(account.name.as_str().to_owned())
        .bind(owner_column(account))
}

/// An account's owner; 0, which is nobody's id, where it has none.
fn owner_column(account: &Account) -> i64 {
    account.owner.map_or(0, UserId::to_column)
}

fn proof_from(row: &AnyRow) -> Result<Proof, StoreError> {
    let kind: Option<String> = row.try_get(1)?;
    let sealed: Option<Vec<u8>> = row.try_get(2)?;
    let since = row.try_get::<Option<i64>, _>(3)?.map(Timestamp::from_nanoseconds);
    let next = match (kind, sealed, since) {
        (Some(kind), Some(sealed), Some(since)) => {
            Some(NextCredential { credential: SealedCredential { kind, sealed }, since })
        }
        _ => None,
    };
    Ok(Proof { is_verified: row.try_get::<Option<i64>, _>(0)?.is_some(), next })
}
