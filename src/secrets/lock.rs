//! Whoever seals with the key, and whoever changes it, one after the other: what is sealed with a key that was changed
//! meanwhile would open with none.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{KeyFileError, folder_of};

/// How long others may go on with the key until it is given up to wait for them.
const PATIENCE: Duration = Duration::from_secs(5);
const STEP: Duration = Duration::from_millis(25);

/// A hold on the key file. It is on the file's folder, for the file gives way to the next one; the system gives it back
/// when the process ends, however it ends.
#[derive(Debug)]
pub struct KeyLock {
    _folder: File,
}

impl KeyLock {
    /// Keeps the key in the file at `path` from being changed, beside others who do the same.
    pub async fn share(path: &Path) -> Result<Self, KeyFileError> {
        Self::take(path, File::try_lock_shared).await
    }

    /// Keeps everybody else from sealing with the key in the file at `path`, to change it.
    pub async fn alone(path: &Path) -> Result<Self, KeyFileError> {
        Self::take(path, File::try_lock).await
    }

    async fn take(path: &Path, lock: fn(&File) -> Result<(), TryLockError>) -> Result<Self, KeyFileError> {
        let unusable = |source| KeyFileError::Unusable { doing: "lock", path: path.to_owned(), source };
        let folder = File::open(folder_of(path)).map_err(unusable)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match lock(&folder) {
                Ok(()) => return Ok(Self { _folder: folder }),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(STEP).await,
                Err(TryLockError::WouldBlock) => return Err(KeyFileError::InUse(path.to_owned())),
                // Some network file systems have no locks, or none on folders; there, nobody can be waited for.
                Err(TryLockError::Error(source)) if is_without_locks(&source) => return Ok(Self { _folder: folder }),
                Err(TryLockError::Error(source)) => return Err(unusable(source)),
            }
        }
    }
}

/// Whether that says that the file system has no such locks: also as a file that is not open for writing, which NFS wants.
fn is_without_locks(error: &io::Error) -> bool {
    const EBADF: i32 = 9;
    error.kind() == io::ErrorKind::Unsupported || error.raw_os_error() == Some(EBADF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn those_who_seal_do_so_together_and_whoever_changes_the_key_does_so_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("guildwire.key");
        let is_free = |lock: fn(&File) -> Result<(), TryLockError>| {
            let folder = File::open(folder.path()).unwrap();
            lock(&folder).is_ok()
        };
        let one = KeyLock::share(&path).await.unwrap();
        let two = KeyLock::share(&path).await.unwrap();
        drop(one);
        assert!(!is_free(File::try_lock));
        drop(two);
        let alone = KeyLock::alone(&path).await.unwrap();
        assert!(!is_free(File::try_lock_shared));
        drop(alone);
        assert!(is_free(File::try_lock));
    }
}
