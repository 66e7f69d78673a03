//! What the sections hold that need no more than their keys.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::values;
use crate::domain::hosts::AllowedHosts;
use crate::domain::style::Holds;
use crate::telemetry::Format;

/// Section `discord`.
#[derive(Debug, Clone)]
pub struct Discord {
    /// The bot's token, where one is set; those who can't do without ask [`Discord::token_required`].
    pub token: Option<SecretString>,
    /// The file that the token was read from, where one is set.
    pub token_file: Option<PathBuf>,
    /// Where the API is, without a slash at its end: REST lives under `{api_url}/api/v10`.
    pub api_url: String,
    /// The pace of all requests together.
    pub messages_per_second: u32,
}

/// Section `database`.
#[derive(Debug, Clone)]
pub struct Database {
    /// `sqlite://…` or `postgres://…`; secret, for it may hold a password. Show [`Database::redacted_url`] instead.
    pub url: SecretString,
}

/// Section `nats`.
#[derive(Debug, Clone)]
pub struct Nats {
    /// The server of accounts that name none.
    pub url: String,
}

/// Section `accounts`.
#[derive(Debug, Clone)]
pub struct Accounts {
    /// Whether people may connect accounts in Discord.
    pub self_service: bool,
    /// On which hosts they may be.
    pub hosts: AllowedHosts,
}

/// Section `http`.
#[derive(Debug, Clone)]
pub struct Http {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Whether metrics tell of each account.
    pub metrics_per_account: bool,
}

/// Section `log`.
#[derive(Debug, Clone)]
pub struct Log {
    /// How much, in the form [`crate::telemetry::start`] takes.
    pub level: String,
    /// In which form.
    pub format: Format,
}

/// Section `secrets`.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// The file with the key that seals credentials in the database.
    pub key_file: PathBuf,
}

/// Section `shutdown`.
#[derive(Debug, Clone)]
pub struct Shutdown {
    /// How long tasks may take to finish.
    pub deadline: Duration,
}

/// Section `delivery`.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// How long Discord may take to answer.
    pub request_timeout: Duration,
    /// For how long events wait for others in the styles that have them wait.
    pub holds: Holds,
    /// From which age on an event is told as late.
    pub late_after: Duration,
    /// How long a lane keeps what it can't send.
    pub keep: Duration,
    /// How many events a lane keeps that it can't send.
    pub keep_events: usize,
    /// When a channel that refuses the bot is tried again for the first time.
    pub probe_after: Duration,
}

/// Section `notices`.
#[derive(Debug, Clone)]
pub struct Notices {
    /// How long an account has to be out until its guilds are told.
    pub after: Duration,
}

/// Section `pings`.
#[derive(Debug, Clone)]
pub struct Pings {
    /// For how long a member is not pinged again for the same.
    pub cooldown: Duration,
}

/// Section `retention`.
#[derive(Debug, Clone)]
pub struct Retention {
    /// How long delivered messages and their events are kept.
    pub settled: Duration,
    /// How long the name of a player who is not heard of is kept.
    pub players: Duration,
    /// How long what was heard of a server that is silent is kept.
    pub servers: Duration,
    /// How long it is known who did what.
    pub audit: Duration,
    /// How long what belongs to a guild is kept that the bot was removed from.
    pub departed: Duration,
}

/// Section `limits`.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bindings in one guild.
    pub bindings_per_guild: usize,
    /// Accounts linked to one guild.
    pub accounts_per_guild: usize,
    /// Accounts that one person may own who connects accounts.
    pub accounts_per_owner: usize,
    /// Commands, buttons and selects that one person may use in a minute.
    pub commands_per_minute: u32,
    /// Accounts that one person has connected, and not shown to be readable.
    pub unverified_per_person: usize,
    /// The same in one guild.
    pub unverified_per_guild: usize,
}

/// There is no token, and something needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no Discord token is set: put it into the environment variable DISCORD_TOKEN, into a file that DISCORD_TOKEN_FILE \
     names, or into the settings file as token in section [discord] (you find it at https://discord.com/developers/applications, your application, \"Bot\")"
)]
pub struct TokenMissing;

impl Discord {
    /// The token, for those who can do nothing without it.
    pub fn token_required(&self) -> Result<&SecretString, TokenMissing> {
        self.token.as_ref().ok_or(TokenMissing)
    }

    /// Whether another than the real Discord is meant, so that the real one must never be contacted.
    #[must_use]
    pub fn is_test_address(&self) -> bool {
        self.api_url != "https://discord.com"
    }
}

impl Database {
    /// The address with `***` for its password, for logs and people.
    #[must_use]
    pub fn redacted_url(&self) -> String {
        values::redact_database_url(self.url.expose_secret())
    }
}
