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
    SealedColumn {
        table: "accounts",
        column: "credential",
        kind: Some("credential_kind"),
        context: |name, kind| format!("account {name}: {kind}"),
    },
    SealedColumn {
        table: "accounts",
        column: "next_credential",
        kind: Some("next_credential_kind"),
        // As it is called once it has taken the other's place.
        context: |name, kind| format!("account {name}: {kind}"),
    },
    SealedColumn {
        table: "nats_accounts",
        column: "seed",
        kind: None,
        context: |name, _| format!("NATS account {name}: seed"),
    },
];

/// The context of an account's credential of that kind.
#[must_use]
pub fn credential_context(account: &AccountName, kind: &str) -> String {
    (SEALED_COLUMNS[0].context)(account.as_str(), kind)
}

/// The context of the seed of an account of the operator's own nats-server.
#[must_use]
pub fn nats_account_context(name: &str) -> String {
    (SEALED_COLUMNS[2].context)(name, "")
}
