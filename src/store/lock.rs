//! One installation, one runner: the lock that a second `run` on the same database does not get.

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Any, Row};

use super::{Engine, Store, StoreError, make_folder_of, sqlite_path};

/// The key of the advisory lock: "guildwir" in ASCII. Advisory locks are apart per PostgreSQL database.
const ADVISORY_KEY: i64 = 0x6775_696c_6477_6972;

/// How often the holder makes sure that it still holds the lock.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// The right to run on this database, for as long as it lives.
#[derive(Debug)]
pub struct RunnerLock {
    store: Store,
    held: Held,
}

#[derive(Debug)]
enum Held {
    /// The system gives the lock back when the process ends, however it ends.
    File { _file: File },
    /// PostgreSQL gives the lock back when the session ends.
    Session(PoolConnection<Any>),
}

impl RunnerLock {
    /// Takes the lock, or fails with [`StoreError::AlreadyRunning`].
    pub async fn take(store: &Store) -> Result<Self, StoreError> {
        let held = match store.engine {
            Engine::Sqlite => Held::File { _file: lock_file(&store.url)? },
            Engine::Postgres => Held::Session(lock_session(store).await?),
        };
        Ok(Self { store: store.clone(), held })
    }

    /// Watches over the lock until it is lost for good: when PostgreSQL ended the session and another runner was
    /// quicker to take the lock. Never returns on SQLite, where the lock lives as long as the process.
    pub async fn lost(mut self) -> StoreError {
        loop {
            tokio::time::sleep(CHECK_EVERY).await;
            let Held::Session(connection) = &mut self.held else { continue };
            if sqlx::query("SELECT 1").execute(&mut **connection).await.is_ok() {
                continue;
            }
            tracing::warn!("the database ended the session that holds the runner's lock; taking it again");
            match lock_session(&self.store).await {
                Ok(connection) => self.held = Held::Session(connection),
                Err(StoreError::AlreadyRunning) => return StoreError::AlreadyRunning,
                Err(error) => tracing::warn!(%error, "can't take the runner's lock yet"),
            }
        }
    }
}

fn lock_file(url: &str) -> Result<File, StoreError> {
    let database = sqlite_path(url);
    make_folder_of(&database)?;
    let mut name = database.into_os_string();
    name.push(".lock");
    let path = PathBuf::from(name);
    let file = File::create(&path).map_err(|source| StoreError::Lock { path: path.clone(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::AlreadyRunning),
        Err(TryLockError::Error(source)) => Err(StoreError::Lock { path, source }),
    }
}

async fn lock_session(store: &Store) -> Result<PoolConnection<Any>, StoreError> {
    let mut connection = store.writer.acquire().await?;
    // CAST because the driver for any database has no boolean.
    let row = sqlx::query("SELECT CAST(pg_try_advisory_lock($1) AS INTEGER) ")
        .bind(ADVISORY_KEY)
        .fetch_one(&mut *connection)
        .await?;
    let taken: i32 = row.try_get(0)?;
    if taken == 1 { Ok(connection) } else { Err(StoreError::AlreadyRunning) }
}
