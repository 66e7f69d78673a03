//! `guildwire account …`: what the operator does from the command line, each to its end.
//!
//! Every command opens the database, making and migrating it when it is new, and works while `guildwire run` runs,
//! which sees by itself what changed. What a command has to say is its result, for standard output; only a question
//! and a warning go to standard error.

mod add;
mod backup;
mod doctor;
mod health;
mod invite;
mod list;
mod remove;
mod report;

pub use self::backup::backup;
pub use self::doctor::doctor;
pub use self::health::health;
use anyhow::Context as _;
use secrecy::ExposeSecret;

use crate::cli::AccountCommand;
use crate::domain::account::Account;
use crate::domain::ids::AccountName;
use crate::intake::load_key;
use crate::secrets::SecretKey;
use crate::settings::Settings;
use crate::store::Store;

/// Carries the command out and gives back what is to be printed, line ends included.
pub async fn account(command: AccountCommand, settings: &Settings) -> anyhow::Result<String> {
    let store = Store::open(settings.database.url.expose_secret())
        .await
        .with_context(|| format!("can't open the database {}", settings.database.redacted_url()))?;
    match command {
        AccountCommand::Add(add) => add::add(&store, settings, add).await,
        AccountCommand::List => list::list(&store).await,
        AccountCommand::Invite(invite) => invite::invite(&store, &invite).await,
        AccountCommand::Remove(remove) => remove::remove(&store, settings, &remove).await,
    }
}

/// The account of that name; where there is none, the error says which there are.
async fn known_account(store: &Store, name: &AccountName) -> anyhow::Result<Account> {
    if let Some(account) = store.account(name).await? {
        return Ok(account);
    }
    let names: Vec<String> = store.accounts().await?.into_iter().map(|account| account.name.to_string()).collect();
    if names.is_empty() {
        anyhow::bail!("there is no account {name}, and no other: {HOW_TO_ADD}");
    }
    anyhow::bail!("there is no account {name}; the accounts are {}", names.join(", "));
}

/// The key that seals credentials; made anew only while nothing is sealed.
async fn secret_key(store: &Store, settings: &Settings) -> anyhow::Result<SecretKey> {
    Ok(load_key(store, &settings.secrets.key_file).await?)
}

/// A number of things, such as `1 link` or `2 links`.
fn counted(number: i64, one: &str, several: &str) -> String {
    if number == 1 { format!("{number} {one}") } else { format!("{number} {several}") }
}

const HOW_TO_ADD: &str = "add one with `guildwire account add NAME --url nats://… --creds FILE` \
                          (`guildwire account add --help` tells the other ways)";
