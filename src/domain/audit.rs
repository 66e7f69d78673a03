//! Who did what to accounts, links and bindings, and to what is kept of people: for their owners and the operator.

use std::fmt;

use super::account::Account;
use super::ids::{AccountName, GuildId, UserId};
use super::timestamp::Timestamp;

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// Somebody in Discord.
    Person {
        /// Who.
        user: UserId,
        /// In which guild.
        guild: GuildId,
    },
    /// Whoever may use the command line beside the database.
    Operator,
    /// The settings file.
    Settings,
    /// guildwire by itself.
    Guildwire,
}

/// Who did something, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// An account was added.
    AccountAdded,
    /// An account was changed.
    AccountEdited,
    /// An account was connected in Discord, and waits to be verified.
    AccountConnected,
    /// It was shown that it can be read.
    AccountVerified,
    /// The JWT of the user whose key guildwire has was handed in.
    JwtGiven,
    /// A new credential was put beside the account's own.
    RotationBegun,
    /// It took the place of the other.
    CredentialRotated,
    /// An account was removed.
    AccountRemoved,
    /// An account got another owner, or none.
    OwnerChanged,
    /// An invite code was made.
    InviteMade,
    /// A guild was linked to an account.
    GuildLinked,
    /// A link that was there has come into the settings file.
    LinkDeclared,
    /// A guild was unlinked from an account.
    GuildUnlinked,
    /// A link left the settings file and stayed, for it was made with a code.
    LinkReleased,
    /// A binding was added.
    BindingAdded,
    /// A binding was changed, paused or resumed.
    BindingChanged,
    /// A binding was removed.
    BindingRemoved,
    /// A board was created that shows its servers.
    BoardAdded,
    /// Such a board was removed.
    BoardRemoved,
    /// It was said what is expected of a server.
    ServerExpected,
    /// Maintenance of a server was announced or ended.
    ServerMaintained,
    /// A channel was allowed in which members may be pinged.
    PingsAllowed,
    /// That was taken back.
    PingsForbidden,
    /// What was kept of a guild was deleted, some time after the bot was removed from it.
    GuildForgotten,
    /// What was kept of a player was deleted. Nothing here says who that was.
    PlayerForgotten,
    /// It was said by which NATS connection a game server is known, or by none any more.
    ServerTied,
    /// The file with an account's credential held another one.
    CredentialReadAgain,
    /// The key that seals secrets was changed.
    KeyRotated,
    /// An account was made on the operator's nats-server.
    NatsAccountCreated,
    /// It was given another tier.
    NatsAccountLimited,
    /// Nobody is let into it any more.
    NatsAccountSuspended,
    /// Its users are let in again.
    NatsAccountResumed,
    /// It was deleted, with its streams.
    NatsAccountDeleted,
    /// A user of it was made.
    NatsUserCreated,
    /// One of its users is not let in any more.
    NatsUserRevoked,
}

impl Action {
    /// All that is ever done.
    pub const ALL: &[Self] = &[
        Self::AccountAdded,
        Self::AccountEdited,
        Self::AccountConnected,
        Self::AccountVerified,
        Self::JwtGiven,
        Self::RotationBegun,
        Self::CredentialRotated,
        Self::AccountRemoved,
        Self::OwnerChanged,
        Self::InviteMade,
        Self::GuildLinked,
        Self::LinkDeclared,
        Self::GuildUnlinked,
        Self::LinkReleased,
        Self::BindingAdded,
        Self::BindingChanged,
        Self::BindingRemoved,
        Self::BoardAdded,
        Self::BoardRemoved,
        Self::ServerExpected,
        Self::ServerMaintained,
        Self::PingsAllowed,
        Self::PingsForbidden,
        Self::GuildForgotten,
        Self::PlayerForgotten,
        Self::ServerTied,
        Self::CredentialReadAgain,
        Self::KeyRotated,
        Self::NatsAccountCreated,
        Self::NatsAccountLimited,
        Self::NatsAccountSuspended,
        Self::NatsAccountResumed,
        Self::NatsAccountDeleted,
        Self::NatsUserCreated,
        Self::NatsUserRevoked,
    ];

    /// Its one name, in the database and for people at the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccountAdded => "account added",
            Self::AccountEdited => "account edited",
            Self::AccountConnected => "account connected",
            Self::AccountVerified => "account verified",
            Self::JwtGiven => "jwt given",
            Self::RotationBegun => "rotation begun",
            Self::CredentialRotated => "credential rotated",
            Self::AccountRemoved => "account removed",
            Self::OwnerChanged => "owner changed",
            Self::InviteMade => "invite made",
            Self::GuildLinked => "guild linked",
            Self::LinkDeclared => "link declared",
            Self::GuildUnlinked => "guild unlinked",
            Self::LinkReleased => "link released",
            Self::BindingAdded => "binding added",
            Self::BindingChanged => "binding changed",
            Self::BindingRemoved => "binding removed",
            Self::BoardAdded => "board added",
            Self::BoardRemoved => "board removed",
            Self::ServerExpected => "server expected",
            Self::ServerMaintained => "server maintained",
            Self::PingsAllowed => "pings allowed",
            Self::PingsForbidden => "pings forbidden",
            Self::GuildForgotten => "guild forgotten",
            Self::PlayerForgotten => "player forgotten",
            Self::ServerTied => "server tied",
            Self::CredentialReadAgain => "credential read again",
            Self::KeyRotated => "key rotated",
            Self::NatsAccountCreated => "NATS account created",
            Self::NatsAccountLimited => "NATS account limited",
            Self::NatsAccountSuspended => "NATS account suspended",
            Self::NatsAccountResumed => "NATS account resumed",
            Self::NatsAccountDeleted => "NATS account deleted",
            Self::NatsUserCreated => "NATS user created",
            Self::NatsUserRevoked => "NATS user revoked",
        }
    }

    /// The action of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.name() == name)
    }
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// What.
    pub action: Action,
    /// To which account.
    pub account: Option<AccountName>,
    /// To which guild, or to something of which guild.
    pub guild: Option<GuildId>,
    /// What else there is to tell of it, in words; never a secret.
    pub details: String,
}

/// A line of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Who, and when.
    pub by: By,
    /// What.
    pub act: Act,
}

impl Act {
    /// Something done to an account.
    #[must_use]
    pub fn on(action: Action, account: &AccountName) -> Self {
        Self { action, account: Some(account.clone()), guild: None, details: String::new() }
    }

    /// Something done in a guild, or to it.
    #[must_use]
    pub fn in_guild(self, guild: GuildId) -> Self {
        Self { guild: Some(guild), ..self }
    }

    /// With what else there is to tell.
    #[must_use]
    pub fn with(self, details: impl fmt::Display) -> Self {
        Self { details: details.to_string(), ..self }
    }
}

/// What is told of an account's edit: what has another value now, and that it has another credential, but not which.
#[must_use]
pub fn edited_details(
    before: &Account,
    after: &Account,
    has_other_credential: bool,
    resumed_behind: Option<u64>,
) -> String {
    let mut changes = Vec::new();
    if before.url != after.url {
        changes.push(format!("url {}", after.url));
    }
    if has_other_credential {
        changes.push("credential".to_owned());
    }
    if before.stream != after.stream {
        changes.push(format!("stream {}", after.stream.as_deref().unwrap_or("found by its subjects")));
    }
    if before.root != after.root {
        changes.push(format!("root {}", after.root));
    }
    if before.wide_filter != after.wide_filter {
        changes.push(format!("wide filter {}", if after.wide_filter { "on" } else { "off" }));
    }
    if let Some(sequence) = resumed_behind {
        changes.push(format!("resumed behind message {sequence}"));
    }
    if changes.is_empty() { "connected anew".to_owned() } else { changes.join(", ") }
}

impl By {
    /// Done by somebody in a guild.
    #[must_use]
    pub const fn person(user: UserId, guild: GuildId, at: Timestamp) -> Self {
        Self { actor: Actor::Person { user, guild }, at }
    }

    /// Done because the settings file says so.
    #[must_use]
    pub const fn settings(at: Timestamp) -> Self {
        Self { actor: Actor::Settings, at }
    }

    /// Done at the command line.
    #[must_use]
    pub const fn operator(at: Timestamp) -> Self {
        Self { actor: Actor::Operator, at }
    }
}
