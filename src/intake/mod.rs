//! The way in: what game servers publish becomes rows in the database, each event once and none skipped.
//!
//! [`roster`] runs one [`reader`] for each subscribed account; a reader attaches its consumer at the recorded
//! position, [`decode`]s what comes and records it in [`batch`]es.

pub mod attachment;
pub mod batch;
pub mod decode;
pub mod reader;
pub mod roster;

use secrecy::{ExposeSecret, SecretString};

use crate::domain::account::Account;
use crate::domain::ids::AccountName;
use crate::nats::connection::NatsError;
use crate::nats::credential::Credential;
use crate::secrets::SecretKey;
use crate::store::accounts::SealedCredential;

/// The name of the durable consumer that this installation makes in each account it reads.
#[must_use]
pub fn durable_name(installation: &str) -> String {
    format!("guildwire-{installation}")
}

/// Seals an account's credential for the database, bound to the account's name and the credential's kind.
#[must_use]
pub fn seal_credential(key: &SecretKey, account: &AccountName, credential: &Credential) -> SealedCredential {
    let kind = credential.kind().to_owned();
    let sealed = key.seal(&context(account, &kind), credential.to_secret().expose_secret().as_bytes());
    SealedCredential { kind, sealed }
}

/// Opens an account's credential.
pub fn open_credential(key: &SecretKey, account: &Account, sealed: &SealedCredential) -> Result<Credential, NatsError> {
    let secret = key
        .open(&context(&account.name, &sealed.kind), &sealed.sealed)
        .map_err(|error| NatsError::BadCredential(error.to_string()))?;
    let text = std::str::from_utf8(secret.expose_secret())
        .map_err(|_| NatsError::BadCredential("the stored credential is no text".to_owned()))?;
    Ok(Credential::from_secret(&sealed.kind, SecretString::from(text))?)
}

fn context(account: &AccountName, kind: &str) -> String {
    format!("account {account}: {kind}")
}
