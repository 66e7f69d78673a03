//! `guildwire account remove`: an account goes, with its links and bindings, and with the consumer on its nats-server.
//!
//! While `guildwire run` runs, its reader takes the consumer back. Otherwise nobody would, so it is done here.

use std::io::{self, Write as _};

use super::asking::confirmed;
use super::{counted, known_account, refuse_declared, secret_key};
use crate::cli::RemoveAccount;
use crate::clock;
use crate::domain::account::Account;
use crate::domain::audit::By;
use crate::domain::fault::Fault;
use crate::intake::{durable_name, open_credential};
use crate::nats::connection::Connection;
use crate::nats::reach::Reach;
use crate::secrets::SecretKey;
use crate::settings::Settings;
use crate::store::lock::RunnerLock;
use crate::store::{Store, StoreError};

/// Removes the account, if that is meant.
pub(super) async fn remove(store: &Store, settings: &Settings, remove: &RemoveAccount) -> anyhow::Result<String> {
    let account = known_account(store, &remove.name).await?;
    refuse_declared(&account)?;
    let name = &account.name;
    let (links, bindings) = store.count_links_and_bindings(name).await?;
    let what_goes = format!("{} and {}", counted(links, "link", "links"), counted(bindings, "binding", "bindings"));
    let question = format!("Remove account {name}, with {what_goes}?");
    let consequence = format!("removing {name} means removing {what_goes} with it");
    if !remove.yes && !confirmed(&question, &consequence)? {
        return Ok("Nothing was removed.\n".to_owned());
    }

    let consumer = match RunnerLock::take(store).await {
        // Held until the account is gone, so that no run that starts meanwhile makes the consumer anew.
        Ok(_lock) => {
            let consumer = delete_consumer(store, settings, &account).await?;
            store.remove_account(name, &By::operator(clock::now())).await?;
            consumer
        }
        Err(StoreError::AlreadyRunning) => {
            store.remove_account(name, &By::operator(clock::now())).await?;
            "The running guildwire stops reading it within seconds, and deletes its consumer on nats-server.\n"
                .to_owned()
        }
        Err(error) => return Err(error.into()),
    };
    Ok(format!("Account {name} is removed, with {what_goes}.\n{consumer}"))
}

/// Deletes the durable consumer, where there is one. A server that can't be reached keeps no account from going: then
/// what is left behind is told.
pub(super) async fn delete_consumer(store: &Store, settings: &Settings, account: &Account) -> anyhow::Result<String> {
    let (Some(installation), Some(stream)) = (store.installation_id().await?, store.stream_read(&account.name).await?)
    else {
        // Never subscribed.
        return Ok(String::new());
    };
    let durable = durable_name(&installation);
    let deleted = match secret_key(store, settings).await {
        Ok(key) => {
            let reach = Reach::of(account, &settings.accounts.hosts);
            delete(store, &key, account, &reach, &stream, &durable).await
        }
        Err(error) => Err(error),
    };
    if let Err(error) = deleted {
        writeln!(
            io::stderr(),
            "warning: the durable consumer {durable} on stream {stream} at {} could not be deleted: {error}\n  \
             It does no harm but counts towards the account's limit of consumers. To delete it by hand: \
             `nats consumer rm {stream} {durable}`",
            account.url
        )?;
        return Ok(String::new());
    }
    Ok(format!("Its consumer {durable} on stream {stream} is deleted.\n"))
}

async fn delete(
    store: &Store,
    key: &SecretKey,
    account: &Account,
    reach: &Reach,
    stream: &str,
    durable: &str,
) -> anyhow::Result<()> {
    // Removed by another command at this very moment: then that one deletes the consumer.
    let Some(sealed) = store.credential(&account.name).await? else { return Ok(()) };
    let credential = open_credential(key, account, &sealed)?;
    let connection = Connection::open(&account.url, reach, &credential, clock::now()).await?;
    match connection.delete_consumer(stream, durable).await {
        Ok(()) | Err(Fault::StreamMissing(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
