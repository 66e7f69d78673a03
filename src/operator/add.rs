//! `guildwire account add`: takes a credential in, once it has shown that the account's stream can be found with it.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use secrecy::SecretString;

use super::secret_key;
use crate::cli::{AddAccount, CredentialSource};
use crate::clock;
use crate::domain::account::Account;
use crate::domain::fault::Fault;
use crate::domain::ids::AccountName;
use crate::intake::seal_credential;
use crate::nats::connection::Connection;
use crate::nats::credential::Credential;
use crate::settings::Settings;
use crate::store::Store;

/// What was found where the account is said to be.
struct Found {
    server_version: String,
    stream: String,
    last_sequence: u64,
}

/// Adds the account; nothing is stored when it can't be read, unless it was not to be tried.
pub(super) async fn add(store: &Store, settings: &Settings, add: AddAccount) -> anyhow::Result<String> {
    let credential = read_credential(add.credential())?;
    let account = Account {
        name: add.name,
        url: add.url.unwrap_or_else(|| settings.nats.url.clone()),
        stream: add.stream,
        root: add.root,
        wide_filter: add.wide_filter,
        revision: 0,
    };
    // Before the connection is tried, because that may take a while.
    if store.account(&account.name).await?.is_some() {
        return Err(name_is_taken(&account.name));
    }
    let found =
        if add.no_check { None } else { Some(find(&account, &credential).await.map_err(|error| not_stored(&error))?) };

    let key = secret_key(store, settings).await?;
    let sealed = seal_credential(&key, &account.name, &credential);
    if !store.add_account(&account, &sealed, clock::now()).await? {
        return Err(name_is_taken(&account.name));
    }
    Ok(told(&account, found.as_ref()))
}

/// Looks for what reading the account takes, in the order in which reading it does.
async fn find(account: &Account, credential: &Credential) -> Result<Found, Fault> {
    let connection = Connection::open(&account.url, credential).await?;
    let stream = match &account.stream {
        Some(stream) => stream.clone(),
        None => connection.find_stream(&account.root).await?,
    };
    let last_sequence = connection.stream_end(&stream).await?.last_sequence;
    Ok(Found { server_version: connection.server_version(), stream, last_sequence })
}

fn told(account: &Account, found: Option<&Found>) -> String {
    let Account { name, url, root, .. } = account;
    let tried = match found {
        Some(Found { server_version, stream, last_sequence: 0 }) => {
            format!("It was reached at {url}: nats-server {server_version}, stream {stream}, which is empty so far.")
        }
        Some(Found { server_version, stream, last_sequence }) => format!(
            "It was reached at {url}: nats-server {server_version}, stream {stream}, whose last message has number \
             {last_sequence}."
        ),
        None => format!("It was not tried whether it can be reached at {url}."),
    };
    format!(
        "Account {name} is added.\n{tried}\nThe subjects of its events begin with {root}.\n\
         Next: `guildwire account invite {name}` prints a code; an admin of the Discord server types it there: \
         /account link\n"
    )
}

fn not_stored(error: &Fault) -> anyhow::Error {
    anyhow::anyhow!("{error}\nNothing was stored. To store the account without trying it, add --no-check.")
}

fn name_is_taken(name: &AccountName) -> anyhow::Error {
    anyhow::anyhow!(
        "there is an account {name} already: choose another name, or remove it first with \
         `guildwire account remove {name}` (its links and bindings go with it)"
    )
}

fn read_credential(source: CredentialSource) -> anyhow::Result<Credential> {
    match source {
        CredentialSource::Creds(file) => {
            Credential::creds(&read(&file)?).with_context(|| format!("{} can't be used", file.display()))
        }
        CredentialSource::NkeySeed(file) => {
            Credential::nkey(&read(&file)?).with_context(|| format!("{} can't be used", file.display()))
        }
        CredentialSource::User { name, password_file } => {
            let password = password_file.as_deref().map(read_password).transpose()?;
            Ok(Credential::User { name: name.into(), password })
        }
    }
}

fn read_password(file: &Path) -> anyhow::Result<SecretString> {
    let text = read(file)?;
    // Editors and shells leave a line end behind. Other spaces may be the password's own.
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        anyhow::bail!("{} is empty: leave --password-file out if the user has no password", file.display());
    }
    if password.contains(['\r', '\n']) {
        anyhow::bail!("{} must hold the password alone, on one line", file.display());
    }
    Ok(password.into())
}

fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()))
}
