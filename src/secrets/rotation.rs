//! Another key in the place of the one there is, so that whoever is cut off at any moment leaves files of which one fits
//! the database.
//!
//! The key that there is stays as `FILE.old`, from before anything changes: older copies of the database open with nothing
//! else. The next key waits beside the file, as `FILE.next`, until everything is sealed with it; only then it takes the
//! file's place.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;

use super::{KeyFileError, SecretKey, draft_beside, folder_of, write_key, write_private};

impl SecretKey {
    /// Keeps the key in the file at `path` beside it, as [`SecretKey::old_file`]. Fails where another one is kept there, and
    /// where the file can't be replaced later: one that is mounted by itself.
    pub fn keep_old(path: &Path) -> Result<(), KeyFileError> {
        let (old, unusable) =
            (Self::old_file(path), |source| KeyFileError::Unusable { doing: "replace", path: path.to_owned(), source });
        let is_same = || Ok(!old.exists() || read(&old)? == read(path)?);
        if !is_same().map_err(unusable)? {
            return Err(KeyFileError::OldKept(old));
        }
        keep(path, &old).map_err(unusable)
    }

    /// Makes the next key beside the one in the file at `path`. One that waits there already was never used, if the one in
    /// the file fits.
    pub fn make_next(path: &Path) -> Result<Self, KeyFileError> {
        let next = beside(path, "next");
        let made = || {
            let draft = draft_beside(path, folder_of(path))?;
            let written = write_key(&draft).and_then(|()| fs::rename(&draft, &next));
            without_draft(&draft, written)?;
            sync_folder(path)
        };
        made().map_err(|source| KeyFileError::Unusable { doing: "make", path: next.clone(), source })?;
        Self::load(&next)?.ok_or(KeyFileError::Missing(next))
    }

    /// The key that waits beside the one in the file at `path`, if one does.
    pub fn load_next(path: &Path) -> Result<Option<Self>, KeyFileError> {
        Self::load(&beside(path, "next"))
    }

    /// Puts the key that waits in the place of the one in the file at `path`, and keeps that one beside it.
    pub fn take_next(path: &Path) -> Result<(), KeyFileError> {
        let next = beside(path, "next");
        let taken = || {
            if !next.exists() {
                // Somebody else was quicker, with the same.
                return Ok(());
            }
            if path.exists() {
                keep(path, &Self::old_file(path))?;
            }
            fs::rename(&next, path)?;
            sync_folder(path)
        };
        taken().map_err(|source| KeyFileError::Unusable { doing: "replace", path: path.to_owned(), source })
    }

    /// Where the key before the one in the file at `path` is kept.
    #[must_use]
    pub fn old_file(path: &Path) -> PathBuf {
        beside(path, "old")
    }
}

/// Has the file at `old`, too, unless something is there.
fn keep(path: &Path, old: &Path) -> io::Result<()> {
    match fs::hard_link(path, old) {
        Ok(()) => sync_folder(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        // The file is a mount of its own: nothing can be renamed to its place.
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => Err(error),
        // Some network file systems have no links.
        Err(_) => {
            let written = read(path).and_then(|text| write_private(old, &text));
            without_draft(old, written)?;
            sync_folder(path)
        }
    }
}

fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    fs::read_to_string(path).map(Zeroizing::new)
}

/// Takes a file away whose writing failed: it may hold a part of a key.
fn without_draft(draft: &Path, written: io::Result<()>) -> io::Result<()> {
    if written.is_err() {
        fs::remove_file(draft).ok();
    }
    written
}

fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".");
    name.push(extension);
    name.into()
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_next_key_takes_the_place_of_the_other_which_stays_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("guildwire.key");
        let first = SecretKey::load_or_create(&path, true).unwrap();
        let unused = SecretKey::make_next(&path).unwrap();
        let second = SecretKey::make_next(&path).unwrap();
        SecretKey::keep_old(&path).unwrap();
        SecretKey::keep_old(&path).unwrap();
        let sealed = second.seal("place", b"seed");
        assert!(unused.open("place", &sealed).is_err(), "each is a new one");
        assert!(first.open("place", &sealed).is_err());
        assert!(SecretKey::load_next(&path).unwrap().unwrap().open("place", &sealed).is_ok());
        assert!(SecretKey::load(&path).unwrap().unwrap().open("place", &sealed).is_err(), "so far it waits");

        SecretKey::take_next(&path).unwrap();
        SecretKey::take_next(&path).unwrap();
        assert!(SecretKey::load(&path).unwrap().unwrap().open("place", &sealed).is_ok());
        assert!(SecretKey::load_next(&path).unwrap().is_none());
        let old = SecretKey::load(&SecretKey::old_file(&path)).unwrap().unwrap();
        assert!(old.open("place", &first.seal("place", b"seed")).is_ok());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&SecretKey::old_file(&path))), (0o600, 0o600));
        let refused = SecretKey::keep_old(&path).unwrap_err();
        assert!(matches!(refused, KeyFileError::OldKept(_)), "no key is written over: {refused}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no draft is left");
    }

    #[test]
    fn the_next_key_takes_a_place_that_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("guildwire.key");
        SecretKey::make_next(&path).unwrap();
        SecretKey::take_next(&path).unwrap();
        assert!(SecretKey::load(&path).unwrap().is_some());
    }
}
