//! `guildwire operator`: accounts and users of the operator's own nats-server.
//!
//! The database knows an account before nats-server does, so that whatever interrupts a command can be taken up by typing
//! it again: what a command hands in is made anew from the database and the settings each time.

mod account;
mod mint;
mod user;

use secrecy::ExposeSecret as _;

use super::{counted, open_store};
use crate::cli::{NatsAccountCommand, NatsUserCommand, OperatorCommand};
use crate::domain::ids::AccountName;
use crate::domain::nats_account::NatsAccount;
use crate::nats::jwt::SigningKey;
use crate::sealing::open_seed;
use crate::secrets::SecretKey;
use crate::settings::Settings;
use crate::store::Store;
use crate::store::lock::OperatorLock;

/// Carries the command out and gives back what it has to say.
pub async fn operator(command: OperatorCommand, settings: &Settings) -> anyhow::Result<String> {
    let store = open_store(settings).await?;
    // What is handed in is made of what is read before: two at once would undo each other's part.
    let _lock = match command {
        OperatorCommand::Account(NatsAccountCommand::List) => None,
        _ => Some(OperatorLock::wait(&store).await?),
    };
    match command {
        OperatorCommand::Account(NatsAccountCommand::Create(create)) => account::create(&store, settings, create).await,
        OperatorCommand::Account(NatsAccountCommand::Limits(limits)) => account::limit(&store, settings, limits).await,
        OperatorCommand::Account(NatsAccountCommand::Suspend { name }) => {
            account::suspend(&store, settings, &name).await
        }
        OperatorCommand::Account(NatsAccountCommand::Resume { name }) => account::resume(&store, settings, &name).await,
        OperatorCommand::Account(NatsAccountCommand::Delete(delete)) => {
            account::delete(&store, settings, &delete).await
        }
        OperatorCommand::Account(NatsAccountCommand::List) => account::list(&store, settings).await,
        OperatorCommand::User(NatsUserCommand::Create(create)) => user::create(&store, settings, create).await,
        OperatorCommand::User(NatsUserCommand::Revoke(revoke)) => user::revoke(&store, settings, &revoke).await,
    }
}

/// The account of that name, if it was made here.
async fn known(store: &Store, name: &AccountName) -> anyhow::Result<NatsAccount> {
    if let Some(account) = store.nats_account(name).await? {
        return Ok(account);
    }
    let names: Vec<String> = store.nats_accounts().await?.into_iter().map(|account| account.name.to_string()).collect();
    if names.is_empty() {
        anyhow::bail!("guildwire has made no account {name}, and no other: `guildwire operator account create {name}`");
    }
    anyhow::bail!("guildwire has made no account {name}; those it made are {}", names.join(", "));
}

/// [`known`], where it also has to work.
async fn finished(store: &Store, name: &AccountName) -> anyhow::Result<NatsAccount> {
    let account = known(store, name).await?;
    if account.verified_at.is_none() {
        anyhow::bail!(
            "making the account {name} was interrupted: finish it with `guildwire operator account create {name} --tier {}`, \
             or take it away with `guildwire operator account delete {name}`",
            account.tier
        );
    }
    Ok(account)
}

/// The key of an account, with which its users are signed.
async fn account_key(store: &Store, key: &SecretKey, name: &AccountName) -> anyhow::Result<SigningKey> {
    let sealed = store.nats_account_seed(name).await?;
    let sealed = sealed.ok_or_else(|| anyhow::anyhow!("the account {name} was deleted meanwhile"))?;
    let seed = open_seed(key, name, &sealed)?;
    Ok(SigningKey::account(seed.expose_secret())?)
}
