//! What the command line does besides `run`, each command to its end.
//!
//! `guildwire account …` opens the database, making and migrating it when it is new, and works while `guildwire run` runs,
//! which sees by itself what changed. What a command has to say is its result, for standard output; only a question
//! and a warning go to standard error. `watch` alone prints as it goes.

mod add;
mod asking;
mod audit;
mod backup;
mod check;
mod declared;
mod doctor;
mod edit;
mod fates;
mod finding;
mod health;
mod invite;
mod list;
mod minting;
mod nkey;
mod owner;
mod privacy;
mod publish;
mod reading;
mod remove;
mod report;
mod rotate;
mod secrets;
mod watch;

pub use self::audit::audit;
pub use self::backup::backup;
pub use self::doctor::doctor;
pub use self::health::health;
pub use self::minting::operator;
pub use self::nkey::nkey;
pub use self::privacy::privacy;
pub use self::publish::publish;
use self::report::Report;
pub use self::secrets::secrets;
pub use self::watch::watch;
use anyhow::Context as _;
use secrecy::ExposeSecret;

use crate::cli::AccountCommand;
use crate::domain::account::Account;
use crate::domain::ids::AccountName;
use crate::intake::{load_key, open_credential};
use crate::nats::credential::Credential;
use crate::secrets::SecretKey;
use crate::secrets::lock::KeyLock;
use crate::settings::Settings;
use crate::store::Store;

/// What a command has to say.
#[derive(Debug)]
pub struct Told {
    /// What is to be printed, line ends included.
    pub text: String,
    /// What went wrong, where the text tells of it and the exit code has to.
    pub failure: Option<String>,
}

impl From<String> for Told {
    fn from(text: String) -> Self {
        Self { text, failure: None }
    }
}

impl From<Report> for Told {
    fn from(report: Report) -> Self {
        Self { text: report.to_string(), failure: report.failure() }
    }
}

/// Carries the command out and gives back what it has to say.
pub async fn account(command: AccountCommand, settings: &Settings) -> anyhow::Result<Told> {
    let store = open_store(settings).await?;
    Ok(match command {
        AccountCommand::Add(add) => add::add(&store, settings, add).await?.into(),
        AccountCommand::Edit(edit) => edit::edit(&store, settings, edit).await?.into(),
        AccountCommand::List => list::list(&store).await?.into(),
        AccountCommand::Check(check) => check::check(&store, settings, &check).await?.into(),
        AccountCommand::Invite(invite) => invite::invite(&store, &invite).await?.into(),
        AccountCommand::Rotate(rotate) => rotate::rotate(&store, settings, &rotate).await?,
        AccountCommand::Remove(remove) => remove::remove(&store, settings, &remove).await?.into(),
    })
}

async fn open_store(settings: &Settings) -> anyhow::Result<Store> {
    let store = Store::open(settings.database.url.expose_secret()).await;
    store.with_context(|| format!("can't open the database {}", settings.database.redacted_url()))
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

/// Refuses to change by hand what the settings file says.
fn refuse_declared(account: &Account) -> anyhow::Result<()> {
    anyhow::ensure!(
        !account.is_declared,
        "the account {name} stands in the settings file and is changed there: edit its entry of [[setup.accounts]] or take \
         it out, then send SIGHUP to the running guildwire, or start it",
        name = account.name
    );
    Ok(())
}

/// The key that seals credentials; made anew only while nothing is sealed.
async fn secret_key(store: &Store, settings: &Settings) -> anyhow::Result<SecretKey> {
    let file = &settings.secrets.key_file;
    if !file.exists() {
        // Made on first use, and its folder with it.
        load_key(store, file).await?;
    }
    // Before it is read: nobody changes it until what is sealed with it is stored.
    let lock = KeyLock::share(file).await?;
    Ok(load_key(store, file).await?.locked(lock))
}

/// The credential that is stored for the account.
async fn stored_credential(store: &Store, key: &SecretKey, account: &Account) -> anyhow::Result<Credential> {
    let sealed = store.credential(&account.name).await?;
    let sealed = sealed.ok_or_else(|| anyhow::anyhow!("the account {} was removed meanwhile", account.name))?;
    Ok(open_credential(key, account, &sealed)?)
}

/// A number of things, such as `1 link` or `2 links`.
fn counted(number: i64, one: &str, several: &str) -> String {
    if number == 1 { format!("{number} {one}") } else { format!("{number} {several}") }
}

/// How an account stands that somebody connected in Discord and that nothing was read of yet.
const UNVERIFIED: &str = "waits for its owner to let guildwire in";

const HOW_TO_ADD: &str = "add one with `guildwire account add NAME --url nats://… --creds FILE` \
                          (`guildwire account add --help` tells the other ways)";
