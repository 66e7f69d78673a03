//! Opening the database: where it is, its connections' settings, and its schema brought up to date.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AnyConnection, Connection as _, Executor as _};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use url::Url;

use super::{Engine, Shared, Store, StoreError};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// How long a statement waits for another writer (another process, such as the command line) before it fails.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// How long a process waits that makes a new SQLite database at the same time as another one.
const WAL_STEP: Duration = Duration::from_millis(10);

impl Store {
    /// Opens the database at `url`, making and migrating it as needed.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let (engine, file, url) = if let Some(rest) = url.strip_prefix("sqlite://") {
            let file = sqlite_file(rest)?;
            let url = sqlite_url(&file)?;
            (Engine::Sqlite, Some(Arc::from(file)), url)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            (Engine::Postgres, None, url.to_owned())
        } else {
            return Err(StoreError::Url("it has another scheme"));
        };
        // A connection of its own: what it locks ends with it, and a pool tries again for as long as it may, and then does
        // not say why.
        let mut connection = AnyConnection::connect(&url).await?;
        prepare(engine, &mut connection).await?;
        migrate(engine, connection).await?;
        let (writer, reader) = match engine {
            Engine::Sqlite => (pool(engine, 1).connect_lazy(&url)?, pool(engine, 4).connect_lazy(&url)?),
            Engine::Postgres => {
                let shared = pool(engine, 16).connect_lazy(&url)?;
                (shared.clone(), shared)
            }
        };
        let shared = Shared {
            next_number: AtomicI64::new(0),
            configuration: Notify::new(),
            coverage: Notify::new(),
            servers: Notify::new(),
            rung_servers: Mutex::default(),
            lanes: Notify::new(),
            rung_lanes: Mutex::default(),
            boards: Notify::new(),
            rung_boards: Mutex::default(),
        };
        let store = Self { writer, reader, engine, file, shared: Arc::new(shared) };
        store.catch_up_numbers().await?;
        Ok(store)
    }
}

fn pool(engine: Engine, connections: u32) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(30))
        // A connection to PostgreSQL may have died meanwhile. SQLite's is in this process, and asking whether it lives would
        // cost as much as a query.
        .test_before_acquire(engine == Engine::Postgres)
        .after_connect(move |connection, _| Box::pin(prepare(engine, connection)))
        // When the disk is full, SQLite ends a transaction by itself; the driver does not notice, and no other could
        // begin on that connection.
        .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
}

/// Gives a new connection its session's settings.
async fn prepare(engine: Engine, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let milliseconds = LOCK_PATIENCE.as_millis();
    let statements = match engine {
        // FULL: a commit is on the disk before it is answered, also through a power cut.
        Engine::Sqlite => [
            format!("PRAGMA busy_timeout = {milliseconds}"),
            "PRAGMA synchronous = FULL".to_owned(),
            "PRAGMA foreign_keys = ON".to_owned(),
        ],
        // A frozen client inside a transaction would hold its row locks for ever.
        Engine::Postgres => [
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

/// Brings the schema up to date. Any number of processes may do that at once: one does it, the others wait for it.
async fn migrate(engine: Engine, mut connection: AnyConnection) -> Result<(), StoreError> {
    let migrated = match engine {
        Engine::Sqlite => migrate_sqlite(&mut connection).await,
        // Here the migrator takes an advisory lock, which a failure leaves behind until the connection ends.
        Engine::Postgres => MIGRATIONS.run(&mut connection).await,
    };
    match migrated {
        Ok(()) => Ok(connection.close().await?),
        Err(MigrateError::VersionMissing(version)) => Err(StoreError::SchemaNewer(version)),
        Err(error) => Err(StoreError::Migration(error)),
    }
}

/// SQLite's migrator takes no lock, so all of it stands in one transaction that begins by writing.
async fn migrate_sqlite(connection: &mut AnyConnection) -> Result<(), MigrateError> {
    use_wal(connection).await?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    MIGRATIONS.run(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}

/// Sets the journal's mode, which stays with the file. It can't be set inside a transaction, and SQLite does not wait for
/// others that do the same: it says at once that the database is locked.
async fn use_wal(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match connection.execute("PRAGMA journal_mode = WAL").await {
            Err(error) if is_locked(&error) && Instant::now() < deadline => sleep(WAL_STEP).await,
            result => return result.map(drop),
        }
    }
}

fn is_locked(error: &sqlx::Error) -> bool {
    // The primary result code is the low byte of an extended one.
    const SQLITE_BUSY: u32 = 5;
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == SQLITE_BUSY)
}

/// The file of a SQLite URL, its folder made, and by its one true path: whoever comes by a link must find the same lock
/// beside it.
pub(super) fn sqlite_file(rest: &str) -> Result<PathBuf, StoreError> {
    let path = rest.strip_suffix("?mode=rwc").unwrap_or(rest);
    if path.contains('?') {
        return Err(StoreError::Url("a SQLite path takes no parameters"));
    }
    if path == ":memory:" {
        return Err(StoreError::Url("a database in memory would forget what was recorded"));
    }
    // Decodes what is percent-encoded.
    let options = SqliteConnectOptions::from_str(&format!("sqlite://{path}"))?;
    let path = options.get_filename();
    let Some(name) = path.file_name() else { return Err(StoreError::Url("the path names no file")) };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |source| StoreError::Folder { folder: folder.to_owned(), source };
    // What players are called and say is nobody else's on this machine.
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let file = folder.canonicalize().map_err(failed)?.join(name);
    // Fails when there is no such file yet, and then it is no link either.
    Ok(file.canonicalize().unwrap_or(file))
}

pub(super) fn sqlite_url(file: &Path) -> Result<String, StoreError> {
    let url = Url::from_file_path(file).map_err(|()| StoreError::Url("the path is not absolute"))?;
    Ok(format!("sqlite://{}?mode=rwc", url.path()))
}
