//! Accounts and users of the operator's own nats-server.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::accounts::account_name;
use super::audit::note;
use super::{Store, StoreError};
use crate::domain::audit::{Act, Action, By};
use crate::domain::ids::AccountName;
use crate::domain::nats_account::{NatsAccount, NatsUser, Role};
use crate::domain::tier::{Bytes, Tier};
use crate::domain::timestamp::Timestamp;

const COLUMNS: &str = "name, public_key, tier, max_file, max_mem, max_streams, max_consumers, max_connections, stream, \
                       root, created_at, verified_at, suspended_at";

impl Store {
    /// Notes an account that is about to be made, with its sealed seed, so that whatever interrupts that can be taken up
    /// again. `Ok(false)` when one of that name exists.
    pub async fn begin_nats_account(&self, account: &NatsAccount, seed: &[u8]) -> Result<bool, StoreError> {
        let mut transaction = self.write().await?;
        let begun = sqlx::query(
            "INSERT INTO nats_accounts (name, public_key, seed, tier, max_file, max_mem, max_streams, max_consumers,
                 max_connections, stream, root, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (name) DO NOTHING",
        )
        .bind(account.name.as_str())
        .bind(&account.public_key)
        .bind(seed)
        .bind(&account.tier)
        .bind(account.limits.max_file.0.cast_signed())
        .bind(account.limits.max_mem.0.cast_signed())
        .bind(i64::from(account.limits.max_streams))
        .bind(i64::from(account.limits.max_consumers))
        .bind(i64::from(account.limits.max_connections))
        .bind(&account.stream)
        .bind(account.root.as_str())
        .bind(account.created_at.nanoseconds())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(begun.rows_affected() == 1)
    }

    /// Forgets an account whose making failed and of which nothing is left on nats-server.
    pub async fn abandon_nats_account(&self, name: &AccountName) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query("DELETE FROM nats_accounts WHERE name = $1 AND verified_at IS NULL")
            .bind(name.as_str())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Stores what nats-server has in force for the account: its tier, its stream, that it works, and whether it is
    /// suspended. `action` is what was done.
    pub async fn settle_nats_account(&self, account: &NatsAccount, action: Action, by: &By) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query(
            "UPDATE nats_accounts SET tier = $1, max_file = $2, max_mem = $3, max_streams = $4, max_consumers = $5,
                 max_connections = $6, stream = $7, root = $8, verified_at = $9, suspended_at = $10
             WHERE name = $11",
        )
        .bind(&account.tier)
        .bind(account.limits.max_file.0.cast_signed())
        .bind(account.limits.max_mem.0.cast_signed())
        .bind(i64::from(account.limits.max_streams))
        .bind(i64::from(account.limits.max_consumers))
        .bind(i64::from(account.limits.max_connections))
        .bind(&account.stream)
        .bind(account.root.as_str())
        .bind(account.verified_at.map(Timestamp::nanoseconds))
        .bind(account.suspended_at.map(Timestamp::nanoseconds))
        .bind(account.name.as_str())
        .execute(&mut *transaction)
        .await?;
        let act = Act::on(action, &account.name);
        let act = match action {
            Action::NatsAccountCreated | Action::NatsAccountLimited => act.with(format!("tier {}", account.tier)),
            _ => act,
        };
        note(&mut transaction, by, &act).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Removes an account that nats-server has no more, and its users with it.
    pub async fn remove_nats_account(&self, name: &AccountName, by: &By) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let removed = sqlx::query("DELETE FROM nats_accounts WHERE name = $1")
            .bind(name.as_str())
            .execute(&mut *transaction)
            .await?;
        if removed.rows_affected() == 1 {
            note(&mut transaction, by, &Act::on(Action::NatsAccountDeleted, name)).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// All accounts, by name.
    pub async fn nats_accounts(&self) -> Result<Vec<NatsAccount>, StoreError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM nats_accounts ORDER BY name")))
            .fetch_all(&self.reader)
            .await?;
        rows.iter().map(account_from).collect()
    }

    /// The account of that name.
    pub async fn nats_account(&self, name: &AccountName) -> Result<Option<NatsAccount>, StoreError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM nats_accounts WHERE name = $1")))
            .bind(name.as_str())
            .fetch_optional(&self.reader)
            .await?;
        row.as_ref().map(account_from).transpose()
    }

    /// The account's seed, still sealed.
    pub async fn nats_account_seed(&self, name: &AccountName) -> Result<Option<Vec<u8>>, StoreError> {
        let row = sqlx::query("SELECT seed FROM nats_accounts WHERE name = $1")
            .bind(name.as_str())
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// Notes a user whose creds are about to be written to a file.
    pub async fn add_nats_user(&self, user: &NatsUser, by: &By) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query(
            "INSERT INTO nats_users (public_key, account, role, server, created_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&user.public_key)
        .bind(user.account.as_str())
        .bind(user.role.name())
        .bind(user.server.as_deref())
        .bind(user.created_at.nanoseconds())
        .execute(&mut *transaction)
        .await?;
        note(&mut transaction, by, &Act::on(Action::NatsUserCreated, &user.account).with(described(user))).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Forgets a user whose creds nobody got.
    pub async fn abandon_nats_user(&self, user: &NatsUser, by: &By) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query("DELETE FROM nats_users WHERE public_key = $1")
            .bind(&user.public_key)
            .execute(&mut *transaction)
            .await?;
        note(&mut transaction, by, &Act::on(Action::NatsUserRevoked, &user.account).with(described(user))).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Notes that nats-server is to let the user in no more.
    pub async fn revoke_nats_user(&self, user: &NatsUser, by: &By) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query("UPDATE nats_users SET revoked_at = $1 WHERE public_key = $2")
            .bind(by.at.nanoseconds())
            .bind(&user.public_key)
            .execute(&mut *transaction)
            .await?;
        note(&mut transaction, by, &Act::on(Action::NatsUserRevoked, &user.account).with(described(user))).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The account's users, the eldest first.
    pub async fn nats_users(&self, account: &AccountName) -> Result<Vec<NatsUser>, StoreError> {
        let rows = sqlx::query(
            "SELECT public_key, account, role, server, created_at, revoked_at FROM nats_users WHERE account = $1
             ORDER BY created_at, public_key",
        )
        .bind(account.as_str())
        .fetch_all(&self.reader)
        .await?;
        rows.iter().map(user_from).collect()
    }
}

fn described(user: &NatsUser) -> String {
    let server = user.server.as_ref().map_or_else(String::new, |server| format!(" {server}"));
    format!("{}{server} {}", user.role.name(), user.public_key)
}

fn account_from(row: &AnyRow) -> Result<NatsAccount, StoreError> {
    let root: String = row.try_get("root")?;
    let moment =
        |column: &str| row.try_get::<Option<i64>, _>(column).map(|moment| moment.map(Timestamp::from_nanoseconds));
    let bytes = |column: &str| row.try_get::<i64, _>(column).map(|bytes| Bytes(bytes.cast_unsigned()));
    let number = |column: &'static str| {
        let number: i64 = row.try_get(column)?;
        u32::try_from(number).map_err(|_| StoreError::BadRow { what: column, value: number.to_string() })
    };
    Ok(NatsAccount {
        name: account_name(row, 0)?,
        public_key: row.try_get("public_key")?,
        tier: row.try_get("tier")?,
        limits: Tier {
            max_file: bytes("max_file")?,
            max_mem: bytes("max_mem")?,
            max_streams: number("max_streams")?,
            max_consumers: number("max_consumers")?,
            max_connections: number("max_connections")?,
        },
        stream: row.try_get("stream")?,
        root: root.parse().map_err(|_| StoreError::BadRow { what: "root", value: root })?,
        created_at: Timestamp::from_nanoseconds(row.try_get("created_at")?),
        verified_at: moment("verified_at")?,
        suspended_at: moment("suspended_at")?,
    })
}

fn user_from(row: &AnyRow) -> Result<NatsUser, StoreError> {
    let role: String = row.try_get("role")?;
    Ok(NatsUser {
        public_key: row.try_get("public_key")?,
        account: account_name(row, 1)?,
        role: Role::from_name(&role).ok_or(StoreError::BadRow { what: "role", value: role })?,
        server: row.try_get("server")?,
        created_at: Timestamp::from_nanoseconds(row.try_get("created_at")?),
        revoked_at: row.try_get::<Option<i64>, _>("revoked_at")?.map(Timestamp::from_nanoseconds),
    })
}
