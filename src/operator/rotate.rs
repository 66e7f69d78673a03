//! `guildwire account rotate`: a new nkey, beside the old one until it was shown to work.

use super::check::{check_one, tell};
use super::report::Report;
use super::{Told, known_account, secret_key, stored_credential};
use crate::cli::RotateAccount;
use crate::clock;
use crate::commands::Checked;
use crate::domain::account::Account;
use crate::domain::audit::By;
use crate::domain::permissions;
use crate::intake::{durable_name, installation, seal_credential};
use crate::nats::connection::OWN_INBOXES;
use crate::nats::credential::Credential;
use crate::settings::Settings;
use crate::store::Store;

/// Makes a new key, or has the one that was made take the old one's place.
pub(super) async fn rotate(store: &Store, settings: &Settings, rotate: &RotateAccount) -> anyhow::Result<Told> {
    let account = known_account(store, &rotate.name).await?;
    if account.is_declared {
        anyhow::bail!("the account {} stands in the settings file: change its credential there", account.name);
    }
    if rotate.verify {
        verify(store, settings, &account).await
    } else {
        Ok(begin(store, settings, &account).await?.into())
    }
}

async fn begin(store: &Store, settings: &Settings, account: &Account) -> anyhow::Result<String> {
    let name = &account.name;
    if store.proof(name).await?.is_some_and(|proof| !proof.is_verified) {
        anyhow::bail!(
            "the account {name} waits for its owner to let guildwire in, by /account connect in Discord: there is no key \
             in use yet that could be changed"
        );
    }
    let key = secret_key(store, settings).await?;
    if !matches!(stored_credential(store, &key, account).await?, Credential::Nkey(_)) {
        anyhow::bail!(
            "the account {name} is not connected by an nkey: give it another credential with `guildwire account edit \
             {name} --creds FILE` or `--user NAME` (its owner, if it has one, can use /account rotate in Discord)"
        );
    }
    let read = store.stream_read(name).await?;
    let credential = Credential::new_nkey();
    let sealed = seal_credential(&key, name, &credential);
    if !store.add_next_credential(account, &sealed, &By::operator(clock::now())).await? {
        anyhow::bail!("the account {name} was removed meanwhile, or got another owner: try again");
    }
    let durable = durable_name(&installation(store).await?);
    let permissions = permissions::to_read_account(account, read.as_deref(), &durable, OWN_INBOXES);
    let entry = permissions.user_entry(&credential.public_key().unwrap_or_default());
    Ok(format!(
        "A new key for {name} is there, and the old one stays in use. Add this to the account's `users: [ … ]` in \
         nats-server's configuration, beside the old one, and reload it:\n\n{entry}\n\nThen: `guildwire account rotate \
         {name} --verify`\n"
    ))
}

async fn verify(store: &Store, settings: &Settings, account: &Account) -> anyhow::Result<Told> {
    let name = &account.name;
    let Some(next) = store.proof(name).await?.and_then(|proof| proof.next) else {
        anyhow::bail!("there is no new key for {name}: `guildwire account rotate {name}` makes one");
    };
    let found = check_one(store, settings, account, Checked::Next).await?;
    let mut report = Report::default();
    tell(&mut report, &found);
    let told = Told::from(report);
    if found.fault().is_some() {
        return Ok(Told { text: format!("{}The old key stays in use.\n", told.text), ..told });
    }
    let key = secret_key(store, settings).await?;
    let old = stored_credential(store, &key, account).await?.public_key().unwrap_or_default();
    if !store.adopt_next_credential(name, next.since, &By::operator(clock::now())).await? {
        anyhow::bail!("another key for {name} was made meanwhile: try that one");
    }
    Ok(Told {
        text: format!(
            "{}{name} is read with its new key. The old one may be removed from nats-server: {old}\n",
            told.text
        ),
        ..told
    })
}
