//! Accounts' credentials, sealed for the database and opened for a connection.

use secrecy::{ExposeSecret, SecretString};

use crate::domain::account::Account;
use crate::domain::fault::Fault;
use crate::domain::ids::AccountName;
use crate::domain::sealed::{credential_context, nats_account_context};
use crate::nats::credential::Credential;
use crate::secrets::SecretKey;
use crate::store::accounts::SealedCredential;

/// Seals an account's credential for the database, bound to the account's name and the credential's kind.
#[must_use]
pub fn seal_credential(key: &SecretKey, account: &AccountName, credential: &Credential) -> SealedCredential {
    let kind = credential.kind().to_owned();
    let sealed = key.seal(&credential_context(account, &kind), credential.to_secret().expose_secret().as_bytes());
    SealedCredential { kind, sealed }
}

/// Opens an account's credential.
pub fn open_credential(key: &SecretKey, account: &Account, sealed: &SealedCredential) -> Result<Credential, Fault> {
    let secret = key
        .open(&credential_context(&account.name, &sealed.kind), &sealed.sealed)
        .map_err(|error| Fault::BadCredential(error.to_string()))?;
    let text = std::str::from_utf8(secret.expose_secret())
        .map_err(|_| Fault::BadCredential("the stored credential is no text".to_owned()))?;
    Ok(Credential::from_secret(&sealed.kind, SecretString::from(text))?)
}

/// Seals the seed of an account of the operator's own nats-server, bound to the account's name.
#[must_use]
pub fn seal_seed(key: &SecretKey, account: &AccountName, seed: &SecretString) -> Vec<u8> {
    key.seal(&nats_account_context(account.as_str()), seed.expose_secret().as_bytes())
}

/// Opens such a seed.
pub fn open_seed(key: &SecretKey, account: &AccountName, sealed: &[u8]) -> Result<SecretString, Fault> {
    let seed = key.open(&nats_account_context(account.as_str()), sealed);
    let seed = seed.map_err(|error| Fault::BadCredential(error.to_string()))?;
    let text = std::str::from_utf8(seed.expose_secret())
        .map_err(|_| Fault::BadCredential("the stored seed is no text".to_owned()))?;
    Ok(text.into())
}
