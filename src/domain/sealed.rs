//! What the database keeps sealed, and the context that binds each secret to its place: the one list.
//!
//! Who seals asks here for the context, and so does who seals everything anew with another key.

use super::ids::AccountName;

/// A column with sealed secrets, in a table whose rows have a `name`.
#[derive(Debug, Clone, Copy)]
pub struct SealedColumn {
    /// Its table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The column beside it that says which kind of secret it is, where there are several.
    pub kind: Option<&'static str>,
    /// The context, by the row's name and that kind.
    pub context: fn(name: &str, kind: &str) -> String,
}

/// All of them. A test compares them with the schema.
pub const SEALED_COLUMNS: [SealedColumn; 3] = [
    SealedColumn { table: "accounts", column: "credential", kind: Some("credential_kind"), context: credential },
    SealedColumn {
        table: "accounts",
        column: "next_credential",
        kind: Some("next_credential_kind"),
        // As it is called once it has taken the other's place.
        context: credential,
    },
    SealedColumn { table: "nats_accounts", column: "seed", kind: None, context: |name, _| nats_account_context(name) },
];

/// The context of an account's credential of that kind.
#[must_use]
pub fn credential_context(account: &AccountName, kind: &str) -> String {
    credential(account.as_str(), kind)
}

/// The context of the seed of an account of the operator's own nats-server.
#[must_use]
pub fn nats_account_context(name: &str) -> String {
    format!("NATS account {name}: seed")
}

fn credential(account: &str, kind: &str) -> String {
    format!("account {account}: {kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_in_later_versions_too() {
        let account: AccountName = "GA-1".parse().unwrap();
        assert_eq!(credential_context(&account, "nkey"), "account GA-1: nkey");
        assert_eq!(nats_account_context("GA-1"), "NATS account GA-1: seed");
        let contexts = SEALED_COLUMNS.map(|column| (column.context)("GA-1", "nkey"));
        assert_eq!(contexts, ["account GA-1: nkey", "account GA-1: nkey", "NATS account GA-1: seed"]);
    }
}
