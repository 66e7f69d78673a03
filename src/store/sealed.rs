//! The secrets in the database, as they are sealed: for who looks whether a key fits, and for who changes the key.

use sqlx::{Any, Row, Transaction};

use super::audit::note;
use super::{Store, StoreError};
use crate::domain::audit::{Act, Action, By};
use crate::domain::sealed::{SEALED_COLUMNS, SealedColumn};

/// A sealed secret and where it belongs.
pub struct SealedSecret {
    /// What it was sealed in, and opens in.
    pub context: String,
    /// The encrypted secret.
    pub sealed: Vec<u8>,
    name: String,
}

/// Why the secrets could not be sealed anew. None of them was.
#[derive(Debug, thiserror::Error)]
pub enum ResealError {
    /// This one does not open.
    #[error("the secret of {context} can't be opened: {reason}")]
    Closed {
        /// Where it belongs.
        context: String,
        /// Why not.
        reason: String,
    },
    /// The database takes nothing.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// All sealed secrets.
    pub async fn sealed_secrets(&self) -> Result<Vec<SealedSecret>, StoreError> {
        let mut transaction = self.reader.begin().await?;
        let mut secrets = Vec::new();
        for column in &SEALED_COLUMNS {
            secrets.extend(secrets_in(&mut transaction, column).await?);
        }
        Ok(secrets)
    }

    /// Puts what `reseal` makes of each sealed secret in its place, of all or none, and says how many they were.
    pub async fn reseal(
        &self,
        by: &By,
        reseal: impl Fn(&SealedSecret) -> Result<Vec<u8>, String>,
    ) -> Result<usize, ResealError> {
        let mut transaction = self.write().await?;
        let mut number = 0;
        for column in &SEALED_COLUMNS {
            let SealedColumn { table, column: name, .. } = column;
            let update = format!("UPDATE {table} SET {name} = $1 WHERE name = $2");
            for secret in secrets_in(&mut transaction, column).await? {
                let sealed = reseal(&secret)
                    .map_err(|reason| ResealError::Closed { context: secret.context.clone(), reason })?;
                sqlx::query(sqlx::AssertSqlSafe(update.as_str()))
                    .bind(sealed)
                    .bind(&secret.name)
                    .execute(&mut *transaction)
                    .await
                    .map_err(StoreError::from)?;
                number += 1;
            }
        }
        let details = format!("{number} secrets were sealed anew");
        let act = Act { action: Action::KeyRotated, account: None, guild: None, details };
        note(&mut transaction, by, &act).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(number)
    }
}

async fn secrets_in(
    transaction: &mut Transaction<'_, Any>,
    column: &SealedColumn,
) -> Result<Vec<SealedSecret>, StoreError> {
    let SealedColumn { table, column, kind, context } = *column;
    let kind = kind.unwrap_or("''");
    let query = format!("SELECT name, {column}, {kind} FROM {table} WHERE {column} IS NOT NULL ORDER BY name");
    let rows = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_all(&mut **transaction).await?;
    rows.iter()
        .map(|row| {
            let (name, kind): (String, String) = (row.try_get(0)?, row.try_get(2)?);
            Ok(SealedSecret { context: context(&name, &kind), sealed: row.try_get(1)?, name })
        })
        .collect()
}
