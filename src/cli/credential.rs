//! The options that say which credential to connect with, for every command that takes one.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

pub use crate::domain::account::CredentialSource;

/// The group of the ways to connect, of which at most one may be given. A command that can't do without one requires it.
pub(super) const CREDENTIAL: &str = "credential";

/// The ways to connect.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[group(skip)]
#[command(group = ArgGroup::new(CREDENTIAL).args(["creds", "nkey_seed", "user"]))]
pub(super) struct CredentialArguments {
    /// Connect with a credentials file (JWT and seed), as nsc makes them.
    #[arg(long, value_name = "FILE")]
    creds: Option<PathBuf>,

    /// Connect with an nkey; the file holds its seed, which begins with SU.
    #[arg(long, value_name = "FILE")]
    nkey_seed: Option<PathBuf>,

    /// Connect as this user.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,

    /// The file with the user's password, on one line; without it, the user has none.
    #[arg(long, value_name = "FILE", requires = "user", conflicts_with_all = ["creds", "nkey_seed"])]
    password_file: Option<PathBuf>,
}

impl CredentialArguments {
    /// Where the credential is to be taken from, if one was named.
    pub(super) fn source(&self) -> Option<CredentialSource> {
        let Self { creds, nkey_seed, user, password_file } = self.clone();
        let user = user.map(|name| CredentialSource::User { name, password_file });
        creds.map(CredentialSource::Creds).or_else(|| nkey_seed.map(CredentialSource::NkeySeed)).or(user)
    }
}
