//! How accounts are doing, as the running guildwire leaves it for other processes, and the checks they ask it for.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::Row;

use super::accounts::account_name;
use super::{Store, StoreError};
use crate::domain::ids::AccountName;
use crate::domain::timestamp::Timestamp;

/// A check that was asked for longer ago is not carried out: whoever asked has given up.
const WORTH_ANSWERING: Duration = Duration::from_mins(1);

/// The written form of the state of an account whose events are read as they come.
pub const RUNNING: &str = "\"running\"";

/// An account's state as it stands in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredState {
    /// The state, in its written form.
    pub state: String,
    /// Since when.
    pub since: Timestamp,
    /// How many events wait.
    pub lag: u64,
}

impl StoredState {
    /// Whether the account's events are read as they come.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.state == RUNNING
    }
}

impl Store {
    /// Leaves these states, and takes away those of the accounts `gone`, as they are now.
    pub async fn note_states(
        &self,
        changed: &BTreeMap<AccountName, StoredState>,
        gone: &[AccountName],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        for (account, StoredState { state, since, lag }) in changed {
            sqlx::query(
                "INSERT INTO account_states (account, state, since, lag)
                 SELECT $1, $2, $3, $4 WHERE EXISTS (SELECT 1 FROM accounts WHERE name = $1)
                 ON CONFLICT (account) DO UPDATE SET state = excluded.state, since = excluded.since, lag = excluded.lag",
            )
            .bind(account.as_str())
            .bind(state)
            .bind(since.nanoseconds())
            .bind(lag.cast_signed())
            .execute(&mut *transaction)
            .await?;
        }
        for account in gone {
            sqlx::query("DELETE FROM account_states WHERE account = $1")
                .bind(account.as_str())
                .execute(&mut *transaction)
                .await?;
        }
        sqlx::query("DELETE FROM account_states_seen").execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO account_states_seen (seen_at) VALUES ($1)")
            .bind(now.nanoseconds())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The states that were left, and when they were looked at last; `None` when none ever were.
    pub async fn noted_states(&self) -> Result<(BTreeMap<AccountName, StoredState>, Option<Timestamp>), StoreError> {
        let rows = sqlx::query("SELECT account, state, since, lag FROM account_states").fetch_all(&self.reader).await?;
        let states = rows
            .iter()
            .map(|row| {
                let since = Timestamp::from_nanoseconds(row.try_get(2)?);
                let lag = row.try_get::<i64, _>(3)?.cast_unsigned();
                Ok((account_name(row, 0)?, StoredState { state: row.try_get(1)?, since, lag }))
            })
            .collect::<Result<_, StoreError>>()?;
        let seen = sqlx::query("SELECT MAX(seen_at) FROM account_states_seen").fetch_one(&self.reader).await?;
        Ok((states, seen.try_get::<Option<i64>, _>(0)?.map(Timestamp::from_nanoseconds)))
    }

    /// Asks the running guildwire for a check, under an id that the caller made up.
    pub async fn ask_for_check(&self, id: i64, account: &AccountName, now: Timestamp) -> Result<(), StoreError> {
        self.ask_check(id, account, false, now).await
    }

    /// Asks for a check of the credential that is to take the place of the account's own.
    pub async fn ask_for_check_of_next(
        &self,
        id: i64,
        account: &AccountName,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.ask_check(id, account, true, now).await
    }

    async fn ask_check(&self, id: i64, account: &AccountName, of_next: bool, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO account_checks (id, account, asked_at, of_next) VALUES ($1, $2, $3, $4)")
            .bind(id)
            .bind(account.as_str())
            .bind(now.nanoseconds())
            .bind(i64::from(of_next))
            .execute(&self.writer)
            .await?;
        self.ring_configuration();
        Ok(())
    }

    /// Whether a check is one of the credential that is to take the place of the account's own.
    pub async fn is_check_of_next(&self, id: i64) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM account_checks WHERE id = $1 AND of_next <> 0")
            .bind(id)
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.is_some())
    }

    /// The checks that somebody waits for, one for each account.
    pub async fn wanted_checks(&self, now: Timestamp) -> Result<BTreeMap<AccountName, i64>, StoreError> {
        let rows = sqlx::query(
            "SELECT account, MIN(id) FROM account_checks WHERE report IS NULL AND asked_at > $1 GROUP BY account",
        )
        .bind(now.minus(WORTH_ANSWERING).nanoseconds())
        .fetch_all(&self.reader)
        .await?;
        rows.iter().map(|row| Ok((account_name(row, 0)?, row.try_get(1)?))).collect()
    }

    /// Leaves the report of a check for whoever asked.
    pub async fn answer_check(&self, id: i64, report: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE account_checks SET report = $1 WHERE id = $2")
            .bind(report)
            .bind(id)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// The report of a check, once it is there.
    pub async fn check_report(&self, id: i64) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT report FROM account_checks WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.flatten())
    }

    /// Forgets a check, and those that their askers left behind.
    pub async fn forget_check(&self, id: i64, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM account_checks WHERE id = $1 OR asked_at <= $2")
            .bind(id)
            .bind(now.minus(WORTH_ANSWERING).nanoseconds())
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}
