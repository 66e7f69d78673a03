//! How far each account's stream is recorded.

use sqlx::{Any, Row, Transaction};

use super::accounts::account_name;
use super::boards::IS_SUBSCRIBED;
use super::{Store, StoreError};
use crate::domain::ids::AccountName;
use crate::domain::position::Position;
use crate::domain::timestamp::Timestamp;

impl Store {
    /// The recorded position in `stream`, or `None` when that stream was never read for the account.
    pub async fn position(&self, account: &AccountName, stream: &str) -> Result<Option<Position>, StoreError> {
        let row = sqlx::query("SELECT last_sequence, last_time FROM positions WHERE account = $1 AND stream = $2")
            .bind(account.as_str())
            .bind(stream)
            .fetch_optional(&self.reader)
            .await?;
        row.map(|row| {
            let last_sequence: i64 = row.try_get(0)?;
            Ok(Position {
                last_sequence: last_sequence.cast_unsigned(),
                last_time: Timestamp::from_nanoseconds(row.try_get(1)?),
            })
        })
        .transpose()
    }

    /// Installs where reading `stream` begins. What was installed for it before stays; another stream's position goes.
    /// Does nothing when the account was removed meanwhile.
    pub async fn install_position(
        &self,
        account: &AccountName,
        stream: &str,
        position: Position,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO positions (account, stream, last_sequence, last_time)
             SELECT $1, $2, $3, $4 WHERE EXISTS (SELECT 1 FROM accounts WHERE name = $1)
             ON CONFLICT (account) DO UPDATE
             SET stream = excluded.stream, last_sequence = excluded.last_sequence, last_time = excluded.last_time
             WHERE positions.stream <> excluded.stream",
        )
        .bind(account.as_str())
        .bind(stream)
        .bind(position.last_sequence.cast_signed())
        .bind(position.last_time.nanoseconds())
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// The stream that was last read for the account; `None` when none is. Its durable consumer is there.
    pub async fn stream_read(&self, account: &AccountName) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT stream FROM positions WHERE account = $1")
            .bind(account.as_str())
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// The accounts that were read and are subscribed no more: their durable consumers are still to be deleted.
    pub async fn forsaken_accounts(&self) -> Result<Vec<AccountName>, StoreError> {
        let query = format!(
            "SELECT name FROM accounts WHERE EXISTS (SELECT 1 FROM positions WHERE positions.account = accounts.name)
             AND NOT {IS_SUBSCRIBED}"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_all(&self.reader).await?;
        rows.iter().map(|row| account_name(row, 0)).collect()
    }

    /// Forgets the account's position: the next subscription begins at its own now. Stays while it is subscribed.
    pub async fn forget_position(&self, account: &AccountName) -> Result<(), StoreError> {
        let statement = format!(
            "DELETE FROM positions WHERE account = $1
             AND NOT EXISTS (SELECT 1 FROM accounts WHERE name = $1 AND {IS_SUBSCRIBED})"
        );
        sqlx::query(sqlx::AssertSqlSafe(statement)).bind(account.as_str()).execute(&self.writer).await?;
        Ok(())
    }
}

/// Moves the position in `stream` from `before` to `after`, or answers `false` when it does not stand at `before`, or the
/// account is no longer at that `revision`: another writer recorded meanwhile, or the bindings are others, and nothing of this
/// transaction may be committed. In one statement, because every event waits for it.
pub async fn advance_position(
    transaction: &mut Transaction<'_, Any>,
    account: &AccountName,
    revision: Option<i64>,
    stream: &str,
    before: Position,
    after: Position,
) -> Result<bool, StoreError> {
    let result = sqlx::query(
        "UPDATE positions SET last_sequence = $1, last_time = $2
         WHERE account = $3 AND stream = $4 AND last_sequence = $5 AND last_time = $6
             AND (CAST($7 AS BIGINT) IS NULL OR EXISTS (SELECT 1 FROM accounts WHERE name = $3 AND revision = $7))",
    )
    .bind(after.last_sequence.cast_signed())
    .bind(after.last_time.nanoseconds())
    .bind(account.as_str())
    .bind(stream)
    .bind(before.last_sequence.cast_signed())
    .bind(before.last_time.nanoseconds())
    .bind(revision)
    .execute(&mut **transaction)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Moves the position in `stream` forward to `end`, where that stream is read; one that is there or further stays.
pub(super) async fn move_position_forward(
    transaction: &mut Transaction<'_, Any>,
    account: &AccountName,
    stream: &str,
    end: Position,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE positions
         SET last_sequence = $1, last_time = CASE WHEN last_time > $2 THEN last_time ELSE $2 END
         WHERE account = $3 AND stream = $4 AND NOT (last_sequence >= $1 AND last_time >= $2)",
    )
    .bind(end.last_sequence.cast_signed())
    .bind(end.last_time.nanoseconds())
    .bind(account.as_str())
    .bind(stream)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
