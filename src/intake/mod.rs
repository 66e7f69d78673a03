//! The way in: what game servers publish becomes rows in the database, each event once and none skipped.
//!
//! [`roster`] runs one [`reader`] for each subscribed account; a reader makes an [`attachment`] of its consumer at the
//! recorded position and follows it: it [`decode`]s what comes and records it in [`batch`]es.

pub mod attachment;
pub mod batch;
pub mod bulletin;
pub mod checking;
pub mod decode;
mod disturbance;
mod following;
mod leaving;
mod moves;
pub mod notices;
mod pace;
pub mod presence;
pub mod reader;
pub mod roster;

use std::path::Path;

use crate::clock;
pub use crate::sealing::{open_credential, seal_credential};
use crate::secrets::{KeyFileError, SecretKey};
use crate::store::{Store, StoreError};

/// How many characters an installation's id has.
const INSTALLATION_ID_LENGTH: usize = 8;

/// The name of the durable consumer that this installation makes in each account it reads.
#[must_use]
pub fn durable_name(installation: &str) -> String {
    format!("guildwire-{installation}")
}

/// This installation's id, made by whoever asks first.
pub async fn installation(store: &Store) -> Result<String, StoreError> {
    store.installation(&new_installation_id(), clock::now()).await
}

/// An id for a new installation: short, for it is read in consumers' names, and random, for two installations may
/// read the same account.
fn new_installation_id() -> String {
    (0..INSTALLATION_ID_LENGTH).map(|_| char::from(rand::random_range(b'a'..=b'z'))).collect()
}

/// The installation's key, made anew only while the database holds nothing that another key sealed.
///
/// One that opens none of the secrets there is refused: it is another installation's, and what it sealed would be lost once
/// the right one is back. But where a rotation was cut off after it had sealed everything with the next key, that one is
/// put in its place.
pub async fn load_key(store: &Store, file: &Path) -> Result<SecretKey, KeyError> {
    let secrets = store.sealed_secrets().await?;
    let opens_any = |key: &SecretKey| secrets.iter().any(|secret| key.open(&secret.context, &secret.sealed).is_ok());
    // First: where both open something, all but what slipped in beside the rotation is sealed with the next one.
    if let Some(next) = SecretKey::load_next(file)?.filter(opens_any) {
        SecretKey::take_next(file)?;
        tracing::info!(path = %file.display(), "finished a rotation of the key that was cut off");
        return Ok(next);
    }
    let key = SecretKey::load(file)?;
    if let Some(key) = key.filter(|key| secrets.is_empty() || opens_any(key)) {
        return Ok(key);
    }
    let key = SecretKey::load_or_create(file, secrets.is_empty())?;
    if secrets.is_empty() { Ok(key) } else { Err(KeyFileError::Another(file.to_owned()).into()) }
}

/// Why there is no key that fits the database.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file is missing, or no key for this database.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The database can't be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}
