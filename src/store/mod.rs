//! The database: SQL and nothing else. One text serves SQLite and PostgreSQL; the few statements that can't be
//! shared are chosen by [`Store::choose`].
//!
//! Rows are the truth. The bells only shorten a wait: whoever waits for one also looks by itself every few seconds.

pub mod accounts;
pub mod bindings;
pub mod lock;
pub mod outbox;
pub mod positions;
pub mod recording;
pub mod retention;
pub mod servers;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Any, AnyConnection, AnyPool, Connection, Executor, Row, Transaction};
use tokio::sync::Notify;

use crate::domain::ids::ChannelId;
use crate::domain::timestamp::Timestamp;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// How long a statement waits for another writer (another process, such as the command line) before it fails.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// Why the database can't be used, or a statement failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no database this build can open.
    #[error("database.url must be sqlite://PATH or postgres://…: {0}")]
    Url(String),
    /// The folder of the database file could not be made.
    #[error("can't make the folder {folder} for the database: {source}")]
    Folder {
        /// Which folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A newer guildwire migrated this database.
    #[error(
        "this database was made by a newer guildwire (its schema has version {0}, which this one does not know): run that version again, or restore a backup from before the upgrade"
    )]
    SchemaNewer(i64),
    /// The schema could not be brought up to date.
    #[error("can't bring the database's schema up to date: {0}")]
    Migration(MigrateError),
    /// A second `run` on the same database.
    #[error("another guildwire is running on this database; stop it first (only `run` needs the database to itself)")]
    AlreadyRunning,
    /// The lock file could not be opened or locked.
    #[error("can't lock {path}: {source}")]
    Lock {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A row holds what no version of guildwire writes.
    #[error("the database holds a bad {what}: {value:?}")]
    BadRow {
        /// What kind of value it should be.
        what: &'static str,
        /// What stands there.
        value: String,
    },
    /// The database failed.
    #[error("database: {0}")]
    Sql(#[from] sqlx::Error),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

/// The one handle on the database; cloning shares it.
#[derive(Debug, Clone)]
pub struct Store {
    /// SQLite has one writer, so its pool has one connection: nothing of ours ever waits for a file lock of ours.
    writer: AnyPool,
    reader: AnyPool,
    engine: Engine,
    url: Arc<str>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    next_number: AtomicI64,
    /// Rung when an account, a link or a binding changed.
    configuration: Notify,
    /// Rung when a consumer covered bindings.
    coverage: Notify,
    /// Rung when a lane has something new to send, with the lanes' channels.
    lanes: Notify,
    rung_lanes: Mutex<BTreeSet<ChannelId>>,
}

impl Store {
    /// Opens the database at `url`, making and migrating it as needed.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let engine = if url.starts_with("sqlite://") {
            Engine::Sqlite
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Engine::Postgres
        } else {
            return Err(StoreError::Url("another scheme".to_owned()));
        };
        let (writer, reader) = match engine {
            Engine::Sqlite => {
                make_folder_of(&sqlite_path(url))?;
                let url = sqlite_url(url);
                try_to_connect(&url, engine).await?;
                (pool(engine, 1).connect(&url).await?, pool(engine, 4).connect_lazy(&url)?)
            }
            Engine::Postgres => {
                try_to_connect(url, engine).await?;
                let shared = pool(engine, 16).connect(url).await?;
                (shared.clone(), shared)
            }
        };
        migrate(&writer).await?;
        let next_number = highest_number(&writer).await? + 1;
        let shared = Shared {
            next_number: AtomicI64::new(next_number),
            configuration: Notify::new(),
            coverage: Notify::new(),
            lanes: Notify::new(),
            rung_lanes: Mutex::default(),
        };
        Ok(Self { writer, reader, engine, url: url.into(), shared: Arc::new(shared) })
    }

    /// This installation's id, made by whoever asks first.
    pub async fn installation(&self, candidate: &str, now: Timestamp) -> Result<String, StoreError> {
        let mut transaction = self.write().await?;
        let found = sqlx::query("SELECT id FROM installation").fetch_optional(&mut *transaction).await?;
        let id = if let Some(row) = found {
            row.try_get(0)?
        } else {
            sqlx::query("INSERT INTO installation (id, created_at) VALUES ($1, $2)")
                .bind(candidate)
                .bind(now.nanoseconds())
                .execute(&mut *transaction)
                .await?;
            candidate.to_owned()
        };
        transaction.commit().await?;
        Ok(id)
    }

    /// This installation's id; `None` before the first run.
    pub async fn installation_id(&self) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT id FROM installation").fetch_optional(&self.reader).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// Whether the database takes a write now.
    pub async fn check_writable(&self) -> Result<(), StoreError> {
        sqlx::query("UPDATE installation SET created_at = created_at").execute(&self.writer).await?;
        Ok(())
    }

    /// A transaction that writes. On SQLite it holds the only writer, so nothing slow belongs inside.
    pub async fn write(&self) -> Result<Transaction<'static, Any>, StoreError> {
        // A deferred transaction that reads first and writes later fails at once when another process wrote between.
        let begin = self.choose("BEGIN IMMEDIATE", "BEGIN");
        Ok(self.writer.begin_with(begin).await?)
    }

    /// The next number for a row: it only counts up, so that the order of numbers is the order of recording.
    #[must_use]
    pub fn next_number(&self) -> i64 {
        self.shared.next_number.fetch_add(1, Ordering::Relaxed)
    }

    /// Says that an account, a link or a binding changed.
    pub fn ring_configuration(&self) {
        self.shared.configuration.notify_waiters();
    }

    /// Waits until [`Store::ring_configuration`] is called. Enable it before looking, else a ring can be missed.
    pub fn configuration_bell(&self) -> tokio::sync::futures::Notified<'_> {
        self.shared.configuration.notified()
    }

    /// Says that a consumer covered bindings.
    pub fn ring_coverage(&self) {
        self.shared.coverage.notify_waiters();
    }

    /// Waits until [`Store::ring_coverage`] is called. Enable it before looking, else a ring can be missed.
    pub fn coverage_bell(&self) -> tokio::sync::futures::Notified<'_> {
        self.shared.coverage.notified()
    }

    /// Says that the lanes of `channels` have something to send.
    pub fn ring_lanes(&self, channels: impl IntoIterator<Item = ChannelId>) {
        let mut rung = self.shared.rung_lanes.lock().unwrap_or_else(PoisonError::into_inner);
        rung.extend(channels);
        drop(rung);
        self.shared.lanes.notify_one();
    }

    /// Waits until lanes were rung, and says which.
    pub async fn rung_lanes(&self) -> BTreeSet<ChannelId> {
        self.shared.lanes.notified().await;
        let mut rung = self.shared.rung_lanes.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *rung)
    }

    fn choose(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self.engine {
            Engine::Sqlite => sqlite,
            Engine::Postgres => postgres,
        }
    }
}

fn pool(engine: Engine, connections: u32) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(30))
        .after_connect(move |connection, _| Box::pin(prepare(connection, engine)))
}

/// Connects once, without a pool: a pool tries again for as long as it may, and then does not say why.
async fn try_to_connect(url: &str, engine: Engine) -> Result<(), StoreError> {
    let mut connection = AnyConnection::connect(url).await?;
    prepare(&mut connection, engine).await?;
    Ok(connection.close().await?)
}

/// Sets a new connection up.
async fn prepare(connection: &mut AnyConnection, engine: Engine) -> Result<(), sqlx::Error> {
    let milliseconds = LOCK_PATIENCE.as_millis();
    let statements = match engine {
        // FULL: a commit is on the disk before it is answered, also through a power cut.
        Engine::Sqlite => vec![
            format!("PRAGMA busy_timeout = {milliseconds}"),
            "PRAGMA journal_mode = WAL".to_owned(),
            "PRAGMA synchronous = FULL".to_owned(),
            "PRAGMA foreign_keys = ON".to_owned(),
        ],
        // A frozen client inside a transaction would hold its row locks for ever.
        Engine::Postgres => vec![
            format!("SET lock_timeout = {milliseconds}"),
            format!("SET idle_in_transaction_session_timeout = {milliseconds}"),
            "SET synchronous_commit = on".to_owned(),
        ],
    };
    for statement in statements {
        connection.execute(sqlx::AssertSqlSafe(statement)).await?;
    }
    Ok(())
}

async fn migrate(writer: &AnyPool) -> Result<(), StoreError> {
    match MIGRATIONS.run(writer).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(version)) => Err(StoreError::SchemaNewer(version)),
        Err(error) => {
            // Another process may have made the new database at the same moment; then the second look finds it done.
            tracing::debug!(%error, "migrating failed, looking once more");
            MIGRATIONS.run(writer).await.map_err(StoreError::Migration)
        }
    }
}

async fn highest_number(writer: &AnyPool) -> Result<i64, StoreError> {
    let row = sqlx::query(
        "SELECT COALESCE(MAX(highest), 0) FROM (
             SELECT MAX(id) AS highest FROM outbox
             UNION ALL SELECT MAX(id) FROM messages
             UNION ALL SELECT MAX(id) FROM bindings
         ) AS numbers",
    )
    .fetch_one(writer)
    .await?;
    Ok(row.try_get(0)?)
}

fn sqlite_path(url: &str) -> PathBuf {
    let path = url.trim_start_matches("sqlite://");
    PathBuf::from(path.split_once('?').map_or(path, |(path, _)| path))
}

fn sqlite_url(url: &str) -> String {
    if url.contains('?') { format!("{url}&mode=rwc") } else { format!("{url}?mode=rwc") }
}

fn make_folder_of(path: &std::path::Path) -> Result<(), StoreError> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    std::fs::create_dir_all(folder).map_err(|source| StoreError::Folder { folder: folder.to_owned(), source })
}
