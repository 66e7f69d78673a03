//! Accounts and users of the operator's own nats-server, which guildwire makes.

use super::ids::AccountName;
use super::subject::Root;
use super::tier::Tier;
use super::timestamp::Timestamp;

/// An account, but for its seed, which stays sealed in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsAccount {
    /// Its name.
    pub name: AccountName,
    /// Its identity, `A…`.
    pub public_key: String,
    /// The name of the tier it was given.
    pub tier: String,
    /// What it may use: what the tier allowed then.
    pub limits: Tier,
    /// The stream that keeps its game servers' events.
    pub stream: String,
    /// Under which subjects they publish.
    pub root: Root,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it was shown to work. `None` where making it was interrupted.
    pub verified_at: Option<Timestamp>,
    /// Since when nobody is let in, if so.
    pub suspended_at: Option<Timestamp>,
}

/// A user of such an account. Nothing secret of it is kept: its creds are written to a file, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsUser {
    /// Its identity, `U…`.
    pub public_key: String,
    /// Of which account.
    pub account: AccountName,
    /// What it is for.
    pub role: Role,
    /// The one server whose events a game server's user may publish; any where `None`.
    pub server: Option<String>,
    /// Since when.
    pub created_at: Timestamp,
    /// Since when it is not let in any more, if so.
    pub revoked_at: Option<Timestamp>,
}

/// What a user is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A game server: publishes its events.
    Server,
    /// guildwire: reads the stream by its durable consumer.
    Bot,
    /// Somebody who looks on with `guildwire watch`.
    Reader,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Server, Self::Bot, Self::Reader];

    /// Its one name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Bot => "bot",
            Self::Reader => "reader",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}
