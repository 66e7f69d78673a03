//! One installation, one runner: the lock that a second `run` on the same database does not get. And another, for one
//! `guildwire operator` command at a time.

use std::fs::{File, TryLockError};
use std::future::pending;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::{AnyConnection, Row};
use tokio::time::{Instant, sleep, timeout};

use super::{Store, StoreError};

/// The key of the advisory lock: "guildwir" in ASCII. Advisory locks are apart per PostgreSQL database.
const ADVISORY_KEY: i64 = 0x6775_696c_6477_6972;

/// The key of the other advisory lock, for operator commands.
const OPERATOR_KEY: i64 = ADVISORY_KEY + 1;

/// What is added to a database file's name, for the files that are locked.
const RUNNER_FILE: &str = ".lock";
const OPERATOR_FILE: &str = ".operator.lock";

/// How often the holder makes sure that it still holds the lock: until it looks, there may be two runners.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// How long a lock that is held counts as a look at it: [`is_held`] takes it for a moment.
const LOOK: Duration = Duration::from_millis(500);
const LOOK_STEP: Duration = Duration::from_millis(25);

/// How long a command may hold the lock until it is taken for another runner.
const COMMAND_PATIENCE: Duration = Duration::from_secs(10);

/// How long it waits for an answer before it holds the session for gone.
const ANSWER_PATIENCE: Duration = Duration::from_secs(5);

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
    Session(Session),
}

/// A session that holds the lock. Its connection is out of the pool, which would go on to keep it open, lock and all.
#[derive(Debug)]
struct Session {
    connection: AnyConnection,
    /// The number of the server's process behind it.
    process: i32,
}

impl RunnerLock {
    /// Takes the lock, or fails with [`StoreError::AlreadyRunning`].
    pub async fn take(store: &Store) -> Result<Self, StoreError> {
        let held = match &store.file {
            Some(database) => Held::File { _file: lock_file(database, RUNNER_FILE).await? },
            None => Held::Session(Session::lock(store, ADVISORY_KEY).await?),
        };
        // The last runner may have recorded until a moment ago.
        store.catch_up_numbers().await?;
        Ok(Self { store: store.clone(), held })
    }

    /// Takes the lock, if need be once a command has given it back: `account check` and others hold it for seconds.
    /// Fails with [`StoreError::AlreadyRunning`] where nobody gives it back.
    pub async fn wait(store: &Store) -> Result<Self, StoreError> {
        let deadline = Instant::now() + COMMAND_PATIENCE;
        loop {
            match Self::take(store).await {
                Err(StoreError::AlreadyRunning) if Instant::now() < deadline => sleep(CHECK_EVERY).await,
                result => return result,
            }
        }
    }

    /// Watches over the lock until it is lost for good: when PostgreSQL ended the session and another runner was
    /// quicker to take the lock. Never returns on SQLite, where the lock lives as long as the process.
    pub async fn lost(self) -> StoreError {
        let Self { store, held } = self;
        let mut session = match held {
            Held::Session(session) => session,
            Held::File { _file } => pending().await,
        };
        let mut lost_to_another = None;
        loop {
            sleep(CHECK_EVERY).await;
            if session.is_alive().await {
                lost_to_another = None;
                continue;
            }
            if lost_to_another.is_none() {
                tracing::warn!("the session that holds the runner's lock is gone; taking the lock again");
            }
            // Bounded, because the pool may hand out a session that is as broken; that one is given up with it.
            match timeout(ANSWER_PATIENCE, session.replace(&store)).await {
                Ok(Ok(next)) => session = next,
                // A command holds it for seconds; what is recorded meanwhile is fenced, as ever, by the position.
                Ok(Err(StoreError::AlreadyRunning))
                    if lost_to_another.get_or_insert_with(Instant::now).elapsed() < COMMAND_PATIENCE => {}
                Ok(Err(StoreError::AlreadyRunning)) => return StoreError::AlreadyRunning,
                Ok(Err(error)) => tracing::warn!(%error, "can't take the runner's lock yet"),
                Err(_) => {
                    let error = "the database does not answer";
                    tracing::warn!(error, "can't take the runner's lock yet");
                }
            }
        }
    }
}

/// The right to change accounts on the operator's nats-server, for as long as it lives.
#[derive(Debug)]
pub struct OperatorLock {
    _held: Held,
}

impl OperatorLock {
    /// Takes the lock, if need be once another command has given it back. Fails with [`StoreError::OperatorBusy`] where it
    /// does not.
    pub async fn wait(store: &Store) -> Result<Self, StoreError> {
        let deadline = Instant::now() + COMMAND_PATIENCE;
        loop {
            let held = match &store.file {
                Some(database) => lock_file(database, OPERATOR_FILE).await.map(|file| Held::File { _file: file }),
                None => Session::lock(store, OPERATOR_KEY).await.map(Held::Session),
            };
            match held {
                Ok(held) => return Ok(Self { _held: held }),
                Err(StoreError::AlreadyRunning) if Instant::now() < deadline => sleep(CHECK_EVERY).await,
                Err(StoreError::AlreadyRunning) => return Err(StoreError::OperatorBusy),
                Err(error) => return Err(error),
            }
        }
    }
}

impl Session {
    async fn lock(store: &Store, key: i64) -> Result<Self, StoreError> {
        let mut connection = store.writer.acquire().await?.detach();
        // CAST because the driver for any database has no boolean.
        let row = sqlx::query("SELECT CAST(pg_try_advisory_lock($1) AS INTEGER), pg_backend_pid()")
            .bind(key)
            .fetch_one(&mut connection)
            .await?;
        let taken: i32 = row.try_get(0)?;
        if taken == 1 { Ok(Self { connection, process: row.try_get(1)? }) } else { Err(StoreError::AlreadyRunning) }
    }

    async fn is_alive(&mut self) -> bool {
        let answer = sqlx::query("SELECT 1").execute(&mut self.connection);
        timeout(ANSWER_PATIENCE, answer).await.is_ok_and(|answer| answer.is_ok())
    }

    /// Takes the lock in a new session. When only the network between broke, the server may keep the old one, with the
    /// lock, for hours: it is ended first, unless it is not ours any more.
    async fn replace(&self, store: &Store) -> Result<Self, StoreError> {
        sqlx::query(
            "SELECT COUNT(pg_terminate_backend(pid, 1000)) FROM pg_locks
             WHERE locktype = 'advisory' AND granted AND pid = $1
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                 AND (CAST(classid AS BIGINT) << 32) + CAST(objid AS BIGINT) = $2",
        )
        .bind(self.process)
        .bind(ADVISORY_KEY)
        .execute(&store.writer)
        .await?;
        let next = Self::lock(store, ADVISORY_KEY).await?;
        store.catch_up_numbers().await?;
        Ok(next)
    }
}

/// Whether somebody holds the lock now: `guildwire run`, or for a moment a command that needs the same right.
pub async fn is_held(store: &Store) -> Result<bool, StoreError> {
    if let Some(database) = &store.file {
        return is_locked(database);
    }
    let row = sqlx::query(
        "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
             AND (CAST(classid AS BIGINT) << 32) + CAST(objid AS BIGINT) = $1",
    )
    .bind(ADVISORY_KEY)
    .fetch_one(&store.reader)
    .await?;
    Ok(row.try_get::<i64, _>(0)? > 0)
}

/// A file's lock can't be looked at, only be taken: shared, so that those who look don't see one another.
fn is_locked(database: &Path) -> Result<bool, StoreError> {
    let path = lock_path(database, RUNNER_FILE);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(StoreError::Lock { path, source }),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(source)) => Err(StoreError::Lock { path, source }),
    }
}

/// Locks the file. One that stays locked is somebody's; a look at it is over in a moment.
async fn lock_file(database: &Path, suffix: &str) -> Result<File, StoreError> {
    let path = lock_path(database, suffix);
    let file = File::create(&path).map_err(|source| StoreError::Lock { path: path.clone(), source })?;
    let deadline = Instant::now() + LOOK;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(LOOK_STEP).await,
            Err(TryLockError::WouldBlock) => return Err(StoreError::AlreadyRunning),
            Err(TryLockError::Error(source)) => return Err(StoreError::Lock { path, source }),
        }
    }
}

fn lock_path(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
