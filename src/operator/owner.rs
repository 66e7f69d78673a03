//! Whom an account belongs to in Discord: `guildwire account edit --owner` and `--no-owner`.

use crate::cli::EditAccount;
use crate::clock;
use crate::domain::audit::By;
use crate::store::Store;

/// Gives the account the owner that it is to have, if that was asked for.
pub(super) async fn set_owner(store: &Store, edit: &EditAccount) -> anyhow::Result<String> {
    let Some(owner) = edit.ownership() else { return Ok(String::new()) };
    let name = &edit.name;
    if !store.set_owner(name, owner, &By::operator(clock::now())).await? {
        anyhow::bail!("the account {name} was removed meanwhile");
    }
    Ok(match owner {
        Some(owner) => format!(
            "Account {name} belongs to the Discord user {owner}, who may use /account invite, /account guilds and \
             /account audit for it wherever they have the permission Manage Server.\n"
        ),
        None => {
            format!("Account {name} belongs to nobody in Discord: `guildwire account invite {name}` makes its codes.\n")
        }
    })
}
