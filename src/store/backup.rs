//! A copy of a SQLite database that is in use.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sqlx::{AnyConnection, Connection as _};

use super::StoreError;
use super::open::{sqlite_file, sqlite_url};

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database is not a file.
    #[error("only SQLite's databases are copied")]
    NotSqlite,
    /// There is nothing to copy.
    #[error("there is no database {0} yet")]
    Missing(PathBuf),
    /// The copy's name is taken, and it is not for us to know what by.
    #[error("{0} is there already, and is not overwritten: name another file")]
    Exists(PathBuf),
    /// Another copy is being written under this name, or was and was interrupted.
    #[error("{0} is there: another backup is writing it, or one was interrupted; if none runs, remove it")]
    Unfinished(PathBuf),
    /// The copy can't be written.
    #[error("can't write {path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The database does not let itself be copied.
    #[error("can't copy the database to {path}: {source}")]
    Copy {
        /// Where to.
        path: PathBuf,
        /// What it said.
        source: StoreError,
    },
}

/// Copies the SQLite database at `url`, as it is at this moment, to the new file `to`, which its owner alone may read.
/// Whoever uses the database meanwhile is not held up. The schema is left as it is, also one that is older or newer.
///
/// The copy gets its name when it is whole and on the disk.
pub async fn copy_sqlite(url: &str, to: &Path) -> Result<(), BackupError> {
    let at = url.strip_prefix("sqlite://").ok_or(BackupError::NotSqlite)?;
    let failed = |source| BackupError::Copy { path: to.to_owned(), source };
    let database = sqlite_file(at).map_err(failed)?;
    if !database.exists() {
        return Err(BackupError::Missing(database));
    }
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let unfinished = unfinished(to);
    // SQLite takes an empty file for one that is not there, and leaves it its mode.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished);
    let file = file.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Unfinished(unfinished.clone()),
        _ => BackupError::File { path: unfinished.clone(), source },
    })?;
    let copied = match vacuum(&database, &unfinished).await {
        Ok(()) => finish(&file, &unfinished, to).map_err(|source| BackupError::File { path: to.to_owned(), source }),
        Err(source) => Err(failed(source)),
    };
    if copied.is_err() {
        // Ours alone, and of no use. Where even that fails, the next backup says that it is there.
        std::fs::remove_file(&unfinished).ok();
    }
    copied
}

async fn vacuum(database: &Path, to: &Path) -> Result<(), StoreError> {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(&sqlite_url(database)?).await?;
    sqlx::query("PRAGMA busy_timeout = 10000").execute(&mut connection).await?;
    let to = to.to_str().ok_or(StoreError::Url("the copy's path is not UTF-8"))?;
    sqlx::query("VACUUM INTO $1").bind(to).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

/// Puts the copy on the disk, then gives it its name, and puts that on the disk.
fn finish(file: &File, unfinished: &Path, to: &Path) -> io::Result<()> {
    file.sync_all()?;
    std::fs::rename(unfinished, to)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn unfinished(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}
