//! Encryption of what is secret in the database, and the key file that it takes.
//!
//! A stolen database or backup alone tells no credential: the key lies apart from it. This file does not know what it
//! encrypts and keeps nothing but the key; when a key may be made is the caller's to say, because only the database
//! knows whether it holds anything that an older key sealed.
//!
//! The cipher is XChaCha20-Poly1305, whose nonces are long enough to be drawn at random for ever.

pub mod lock;
mod rotation;

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use rand::TryRng;
use rand::rngs::SysRng;
use secrecy::SecretSlice;
use secrecy::zeroize::Zeroizing;

use self::lock::KeyLock;

/// The first byte of everything sealed here, so that another way of sealing can follow.
const VERSION: u8 = 1;
const NONCE_LENGTH: usize = 24;
const KEY_LENGTH: usize = 32;

/// What a key file begins with, for whoever finds it.
const FILE_COMMENT: &str = "# guildwire's key: it decrypts the credentials in guildwire's database. Keep it secret, \
                            and keep a copy apart from the database's backups: without it they are lost.";

/// The key. Nothing shows it, and its memory is wiped when it is dropped.
pub struct SecretKey {
    cipher: XChaCha20Poly1305,
    /// What keeps it from being changed meanwhile, where something else could.
    _lock: Option<KeyLock>,
}

/// Why there is no key to work with.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It was there once, since the database holds what it sealed.
    #[error(
        "the key file {0} is missing, but the database holds secrets that were made with it: put it back from your \
         backup, or let secrets.key_file point to where it is (a new key could not open them)"
    )]
    Missing(PathBuf),
    /// What is there is no key.
    #[error(
        "the key file {path} holds no key: {reason}; put the right file back from your backup (only if guildwire \
         never held an account's credential, remove the file and a new one is made)"
    )]
    Garbage {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// It is a key, but not the database's.
    #[error(
        "the key file {0} is not the one that the credentials in the database were encrypted with: put the right file \
         back from your backup, or let secrets.key_file point to it"
    )]
    Another(PathBuf),
    /// Somebody else seals with it, or changes it.
    #[error("another guildwire command is using the key file {0}: run this once that one is done")]
    InUse(PathBuf),
    /// There is an older key where this one is to be kept.
    #[error(
        "the key before the last rotation is still in {0}, and would be lost: put it where the keys of your backups are, or \
         delete it when no copy of the database needs it any more; then rotate"
    )]
    OldKept(PathBuf),
    /// The file or its directory can't be used.
    #[error("can't {doing} the key file {path}: {source}")]
    Unusable {
        /// What was tried, such as `read` or `make`.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Why something sealed can't be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not something that was sealed by this version, or any before it.
    #[error("this is not a secret that this version of guildwire can read: it is cut short or was made by a newer one")]
    Unreadable,
    /// Wrong key, wrong place, or changed bytes: the cipher can't tell them apart.
    #[error("the secret can't be decrypted: it was made with another key (see secrets.key_file), or it was altered")]
    Refused,
}

impl SecretKey {
    /// The key in the file at `path`; with `may_create`, a new one in a new file when there is none.
    ///
    /// Pass `may_create` only while the database holds nothing sealed: a new key opens nothing that is older.
    pub fn load_or_create(path: &Path, may_create: bool) -> Result<Self, KeyFileError> {
        if let Some(key) = Self::load(path)? {
            return Ok(key);
        }
        if !may_create {
            return Err(KeyFileError::Missing(path.to_owned()));
        }
        create(path).map_err(|source| KeyFileError::Unusable { doing: "make", path: path.to_owned(), source })?;
        // Read back, for another process may have been first: then its key is the one.
        Self::load(path)?.ok_or_else(|| KeyFileError::Missing(path.to_owned()))
    }

    /// Encrypts `plain`. It opens only with the same `context`, which names the place it is meant for, such as
    /// `account/GA-1/credential`: so no sealed value can be moved to another place.
    #[must_use]
    pub fn seal(&self, context: &str, plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_LENGTH] = random();
        let payload = Payload { msg: plain, aad: context.as_bytes() };
        let cipher = self.cipher.encrypt(&XNonce::from(nonce), payload).expect("a secret is shorter than 256 GiB");
        [&[VERSION], &nonce[..], &cipher[..]].concat()
    }

    /// Decrypts what [`SecretKey::seal`] made in the same `context`.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<SecretSlice<u8>, OpenError> {
        let Some((&VERSION, rest)) = sealed.split_first() else { return Err(OpenError::Unreadable) };
        let Some((nonce, cipher)) = rest.split_first_chunk::<NONCE_LENGTH>() else {
            return Err(OpenError::Unreadable);
        };
        let payload = Payload { msg: cipher, aad: context.as_bytes() };
        let plain = self.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| OpenError::Refused)?;
        Ok(plain.into())
    }

    /// It with what keeps it from being changed for as long as it is there.
    #[must_use]
    pub fn locked(self, lock: KeyLock) -> Self {
        Self { _lock: Some(lock), ..self }
    }

    /// The key in the file, or none where there is no file.
    pub fn load(path: &Path) -> Result<Option<Self>, KeyFileError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(KeyFileError::Garbage { path: path.to_owned(), reason: "it is not text".to_owned() });
            }
            Err(source) => return Err(KeyFileError::Unusable { doing: "read", path: path.to_owned(), source }),
        };
        warn_if_others_can_read(path);
        let garbage = |reason: String| KeyFileError::Garbage { path: path.to_owned(), reason };
        parse(&text).map(Some).map_err(garbage)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretKey(..)")
    }
}

/// Reads a key file's text: comments, and one line of hexadecimal digits. The error never repeats any of it.
fn parse(text: &str) -> Result<SecretKey, String> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let line = lines.next().ok_or("it is empty")?;
    if lines.next().is_some() {
        return Err("it has more than one line beside comments".to_owned());
    }
    let expected = format!("{} hexadecimal digits are expected", 2 * KEY_LENGTH);
    let bytes = HEXLOWER_PERMISSIVE.decode(line.as_bytes()).map(Zeroizing::new);
    let bytes = bytes.map_err(|_| expected.clone())?;
    let key = XChaCha20Poly1305::new_from_slice(&bytes);
    key.map(|cipher| SecretKey { cipher, _lock: None }).map_err(|_| format!("{expected}, not {}", line.len()))
}

/// Puts a new key at `path`, whole or not at all, and never over another one.
///
/// It is written beside its place and linked into it: so no reader, and no start after a crash, finds half a key.
fn create(path: &Path) -> io::Result<()> {
    let directory = folder_of(path);
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let draft = draft_beside(path, directory)?;
    let placed = write_key(&draft).and_then(|()| place(&draft, path));
    let removed = std::fs::remove_file(&draft);
    placed?;
    // Gone already when it was renamed into its place.
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
    File::open(directory)?.sync_all()
}

/// A new file's name in `directory` beside `path`, for what is to take a place once it is whole.
fn draft_beside(path: &Path, directory: &Path) -> io::Result<PathBuf> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_owned();
    name.push(format!(".{}.new", HEXLOWER.encode(&random::<8>())));
    Ok(directory.join(name))
}

/// The folder that a file is in.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes a new key to a new file that only its owner can read, and has it on the disk.
fn write_key(path: &Path) -> io::Result<()> {
    let key = Zeroizing::new(random::<KEY_LENGTH>());
    let text = Zeroizing::new(format!("{FILE_COMMENT}\n{}\n", *Zeroizing::new(HEXLOWER.encode(&*key))));
    write_private(path, &text)
}

/// Writes a new file that only its owner can read, and has it on the disk.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Makes `draft` appear at `path`, unless something is there: then that stays.
fn place(draft: &Path, path: &Path) -> io::Result<()> {
    match std::fs::hard_link(draft, path) {
        // Some network file systems have no links. There, two first starts in the same moment could each make a key;
        // what is lost then is only what the other one sealed in that moment.
        Err(_) if !path.exists() => std::fs::rename(draft, path),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Says when others on the machine can read the key. It is no error: containers and orchestrators mount secrets with
/// modes of their own choosing, and refusing those would teach people to run as root.
pub fn warn_if_others_can_read(path: &Path) {
    if let Ok(mode) = std::fs::metadata(path).map(|metadata| metadata.permissions().mode())
        && mode & 0o077 != 0
    {
        let mode = format!("{:04o}", mode & 0o7777);
        tracing::warn!(path = %path.display(), mode, "others than its owner can use the key file; 0600 is enough");
    }
}

/// Random bytes from the operating system.
fn random<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    SysRng.try_fill_bytes(&mut bytes).expect("the operating system gives random bytes once it has booted");
    bytes
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn key() -> SecretKey {
        parse(&"07".repeat(32)).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let sealed = key().seal("account/GA-1", b"seed");
        assert_eq!(key().open("account/GA-1", &sealed).unwrap().expose_secret(), b"seed");
        assert_eq!(key().open("account/GA-2", &sealed).unwrap_err(), OpenError::Refused);
        let other = parse(&"08".repeat(32)).unwrap();
        assert_eq!(other.open("account/GA-1", &sealed).unwrap_err(), OpenError::Refused);
    }

    #[test]
    fn each_changed_byte_is_noticed_and_each_cut() {
        let sealed = key().seal("place", b"seed");
        for position in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[position] ^= 1;
            assert!(key().open("place", &altered).is_err(), "byte {position}");
            assert!(key().open("place", &sealed[..position]).is_err(), "cut at {position}");
        }
    }

    #[test]
    fn the_same_secret_never_looks_the_same() {
        assert_ne!(key().seal("place", b"seed"), key().seal("place", b"seed"));
    }

    #[test]
    fn the_sealed_form_stays_readable_by_later_versions() {
        let sealed = b"01502fb484b2d97729f030157bf45bd816fc286542b143a2adff6356256268d5ca4f3a39daed6bc245edcc0599";
        let sealed = HEXLOWER.decode(sealed).unwrap();
        assert_eq!(key().open("account/GA-1", &sealed).unwrap().expose_secret(), b"seed");
    }

    #[test]
    fn a_new_file_is_for_its_owner_and_holds_the_key_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b/guildwire.key");
        let sealed = SecretKey::load_or_create(&path, true).unwrap().seal("place", b"seed");
        let again = SecretKey::load_or_create(&path, true).unwrap();
        assert_eq!(again.open("place", &sealed).unwrap().expose_secret(), b"seed");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
        assert!(std::fs::read_to_string(&path).unwrap().starts_with("# guildwire's key"));
    }

    #[test]
    fn processes_that_start_together_agree_on_one_key() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("guildwire.key");
        let keys: Vec<SecretKey> = std::thread::scope(|scope| {
            let starts: Vec<_> =
                (0..8).map(|_| scope.spawn(|| SecretKey::load_or_create(&path, true).unwrap())).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        let sealed = keys[0].seal("place", b"seed");
        assert!(keys.iter().all(|key| key.open("place", &sealed).is_ok()));
    }

    #[test]
    fn a_missing_key_is_not_replaced_when_something_was_sealed_with_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("guildwire.key");
        let error = SecretKey::load_or_create(&path, false).unwrap_err().to_string();
        assert!(error.contains("put it back from your backup"), "{error}");
        assert!(!path.exists());
    }

    #[test]
    fn a_wrong_file_is_refused_without_repeating_it() {
        let reasons = [
            ("", "it is empty"),
            ("# only words\n", "it is empty"),
            ("abcd", "64 hexadecimal digits are expected, not 4"),
            ("not hexadecimal", "64 hexadecimal digits are expected"),
            ("00\n00", "it has more than one line beside comments"),
        ];
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("guildwire.key");
        for (text, expected) in reasons {
            std::fs::write(&path, text).unwrap();
            match SecretKey::load_or_create(&path, true) {
                Err(KeyFileError::Garbage { reason, .. }) => assert_eq!(reason, expected, "{text:?}"),
                other => panic!("{text:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", key()), "SecretKey(..)");
    }
}
