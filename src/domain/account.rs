//! A NATS account as this installation knows it.

use super::ids::{AccountName, GuildId, UserId};
use super::subject::Root;

/// What is known of an account but for its credential, which stays sealed in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name here.
    pub name: AccountName,
    /// Where its nats-server listens.
    pub url: String,
    /// The stream to read; found by the root's subjects when `None`.
    pub stream: Option<String>,
    /// Under which subjects its game servers publish.
    pub root: Root,
    /// Whether to take everything under the root, which dotted server ids need.
    pub wide_filter: bool,
    /// Who connected it in Discord; `None` where the operator added it.
    pub owner: Option<UserId>,
    /// In which guild somebody connected it, and so gave its URL; `None` where that was the operator.
    pub connected_in: Option<GuildId>,
    /// Whether it stands in the settings file, and is not changed in another way.
    pub is_declared: bool,
    /// Changes with the account and with its bindings.
    pub revision: i64,
}
