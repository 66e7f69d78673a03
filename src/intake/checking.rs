//! A check of an account as it is stored, by whoever has the right to use its durable: its reader, or the command line
//! while none runs.

use crate::clock;
use crate::domain::account::Account;
use crate::domain::binding::heard_kinds;
use crate::domain::check::Report;
use crate::domain::hosts::AllowedHosts;
use crate::nats::check::{Afterwards, Walk};
use crate::nats::reach::Reach;
use crate::sealing::open_credential;
use crate::secrets::SecretKey;
use crate::store::{Store, StoreError};

/// What a check takes beside the account.
#[derive(Debug, Clone, Copy)]
pub struct Checking<'a> {
    /// Where the account's credential is, and what hears it.
    pub store: &'a Store,
    /// Opens the credential.
    pub key: &'a SecretKey,
    /// The name of this installation's durable.
    pub durable: &'a str,
    /// Where accounts that were connected in Discord may be.
    pub hosts: &'a AllowedHosts,
    /// Whether the credential to try is the one that is to take the other's place.
    pub of_next: bool,
    /// What becomes of the durable.
    pub after: Afterwards,
}

impl Checking<'_> {
    /// Tries everything that reading the account takes. `None` when the account, or the credential that was to be tried,
    /// is not there any more.
    pub async fn check(self, account: &Account) -> Result<Option<Report>, StoreError> {
        let Self { store, key, durable, hosts, of_next, after } = self;
        let sealed = if of_next {
            let proof = store.proof(&account.name).await?;
            proof.and_then(|proof| proof.next).map(|next| next.credential)
        } else {
            store.credential(&account.name).await?
        };
        let Some(sealed) = sealed else { return Ok(None) };
        let kinds = heard_kinds(&store.bindings_of_account(&account.name).await?);
        let reach = Reach::of(account, hosts);
        let was_read = store.stream_read(&account.name).await?.is_some();
        let walk = Walk { account, reach: &reach, durable, kinds, after, was_read, now: clock::now() };
        Ok(Some(walk.go(open_credential(key, account, &sealed)).await))
    }
}
