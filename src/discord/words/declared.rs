//! What is said of accounts and bindings that stand in the settings file.

/// Such a link or binding, in a list.
pub const DECLARED: &str = "\n📄 from the settings file";

/// Such a binding can't be changed in Discord.
#[must_use]
pub fn binding_is_declared(binding: &str) -> String {
    format!(
        "{binding}: that entry stands in the settings file, so I don't change it here. Whoever operates me can, in that \
         file."
    )
}

/// Such a link can't be ended in Discord.
#[must_use]
pub fn link_is_declared(account: &str) -> String {
    format!(
        "The link to **{account}** stands in the settings file, so I don't end it here. Whoever operates me can, in that \
         file."
    )
}

/// Such an account's credential is read from a file.
#[must_use]
pub fn account_is_declared(account: &str) -> String {
    format!(
        "**{account}** stands in the settings file, so its key is exchanged where that file says, and not here. Ask whoever \
         operates me."
    )
}
