//! A NATS account as this installation knows it.

use std::fmt;
use std::path::PathBuf;

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

/// Where an account's credential is taken from. `-` in the place of a file is standard input, at the command line.
#[derive(Clone, PartialEq, Eq)]
pub enum CredentialSource {
    /// A credentials file, as `nsc` makes them: a JWT and its seed.
    Creds(PathBuf),
    /// A file with an nkey's seed.
    NkeySeed(PathBuf),
    /// A user, and the file with the password where there is one.
    User {
        /// The user's name. It may be all there is to know, so it is as secret as a password.
        name: String,
        /// The file with the password.
        password_file: Option<PathBuf>,
    },
}

impl fmt::Debug for CredentialSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Creds(file) => formatter.debug_tuple("Creds").field(file).finish(),
            Self::NkeySeed(file) => formatter.debug_tuple("NkeySeed").field(file).finish(),
            Self::User { name: _, password_file } => {
                formatter.debug_struct("User").field("password_file", password_file).finish_non_exhaustive()
            }
        }
    }
}
