//! `guildwire account add`: takes a credential in, once it has shown that the account's stream can be found with it.

use super::finding::{Found, find, in_words, not_stored};
use super::secret_key;
use crate::cli::AddAccount;
use crate::clock;
use crate::domain::account::Account;
use crate::domain::audit::By;
use crate::domain::ids::AccountName;
use crate::intake::seal_credential;
use crate::nats::reach::Reach;
use crate::settings::Settings;
use crate::setup::credential_files::read_credential;
use crate::store::Store;

/// Adds the account; nothing is stored when it can't be read, unless it was not to be tried.
pub(super) async fn add(store: &Store, settings: &Settings, add: AddAccount) -> anyhow::Result<String> {
    let credential = read_credential(add.credential()).await?;
    let account = Account {
        name: add.name,
        url: add.url.unwrap_or_else(|| settings.nats.url.clone()),
        stream: add.stream,
        root: add.root,
        wide_filter: add.wide_filter,
        owner: add.owner,
        connected_in: None,
        is_declared: false,
        revision: 0,
    };
    // Before the connection is tried, because that may take a while.
    if store.account(&account.name).await?.is_some() {
        return Err(name_is_taken(&account.name));
    }
    let found = if add.no_check {
        None
    } else {
        Some(
            find(&account, &Reach::Anywhere, &credential)
                .await
                .map_err(|fault| not_stored(&fault, "To store the account without trying it, add --no-check."))?,
        )
    };

    let key = secret_key(store, settings).await?;
    let sealed = seal_credential(&key, &account.name, &credential);
    if !store.add_account(&account, &sealed, &By::operator(clock::now())).await? {
        return Err(name_is_taken(&account.name));
    }
    Ok(told(&account, found.as_ref()))
}

fn told(account: &Account, found: Option<&Found>) -> String {
    let Account { name, url, root, .. } = account;
    let tried = in_words(found, url);
    format!(
        "Account {name} is added.\n{tried}\nThe subjects of its events begin with {root}.\n\
         Next: `guildwire account invite {name}` prints a code; an admin of the Discord server types it there: \
         /account link\n"
    )
}

fn name_is_taken(name: &AccountName) -> anyhow::Error {
    anyhow::anyhow!(
        "there is an account {name} already: choose another name, or remove it first with \
         `guildwire account remove {name}` (its links and bindings go with it)"
    )
}
