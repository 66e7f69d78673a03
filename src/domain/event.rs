//! What can happen on a game server, in the words that settings, metrics and selects use.

mod kinds;

use serde::{Deserialize, Serialize};

use super::ids::{AccountName, PlayerId, ServerId};
use super::timestamp::Timestamp;

pub use kinds::{Group, Kind, KindSet};

/// One thing that happened on a game server.
///
/// Its identity is (account, stored, sequence): a stream that was recreated or rolled back gives a sequence out again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Whose server; from the connection, never from the payload.
    pub account: AccountName,
    /// Which server; from the subject.
    pub server: ServerId,
    /// Which player it is about, where it is about one.
    pub player: Option<PlayerId>,
    /// The player's name, where this very event told it.
    pub player_name: Option<String>,
    /// When nats-server stored it. Publishers' own times are local times without a zone.
    pub stored: Timestamp,
    /// Its sequence in the account's stream.
    pub sequence: u64,
    /// What happened, and what is known of it beyond who and when.
    pub details: Details,
}

impl Event {
    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.details.kind()
    }
}

/// How it is to be read that a server said that it started: publishers say so, too, when their plugin was loaded anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// It is up, and no more is known.
    #[default]
    Up,
    /// It ran on, on the same connection: its plugin was loaded anew.
    Reloaded,
    /// It was up before, and its connection can't be seen: either.
    ReloadedOrStarted,
    /// It was up before, on another connection: it was started anew.
    Restarted,
}

impl Start {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it so")]
    const fn is_up(&self) -> bool {
        matches!(self, Self::Up)
    }
}

/// What is known of an event beyond who and when. Fields are `None` where the payload did not tell.
///
/// Nothing here is a player's network address: it is dropped when a payload is decoded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Details {
    /// See [`Kind::ServerStarted`].
    #[serde(rename = "server.started")]
    ServerStarted {
        /// How that is to be read.
        #[serde(default, skip_serializing_if = "Start::is_up")]
        how: Start,
    },
    /// See [`Kind::ServerStopping`].
    #[serde(rename = "server.stopping")]
    ServerStopping,
    /// See [`Kind::ServerStopped`].
    #[serde(rename = "server.stopped")]
    ServerStopped,
    /// See [`Kind::ServerWiped`].
    #[serde(rename = "server.wiped")]
    ServerWiped,
    /// See [`Kind::ServerCommand`].
    #[serde(rename = "server.command")]
    ServerCommand {
        /// The command's name.
        command: Option<String>,
        /// What was given to it, joined by spaces.
        arguments: Option<String>,
        /// Who ran it. The payload's word: the subject has no place for a player.
        by: Option<PlayerId>,
    },
    /// See [`Kind::PlayerConnected`].
    #[serde(rename = "player.connected")]
    PlayerConnected,
    /// See [`Kind::PlayerDisconnected`].
    #[serde(rename = "player.disconnected")]
    PlayerDisconnected {
        /// Why, in the game server's words.
        reason: Option<String>,
    },
    /// See [`Kind::PlayerChatted`].
    #[serde(rename = "player.chatted")]
    PlayerChatted {
        /// What was said.
        message: Option<String>,
    },
    /// See [`Kind::PlayerRespawned`].
    #[serde(rename = "player.respawned")]
    PlayerRespawned,
    /// See [`Kind::PlayerBanned`].
    #[serde(rename = "player.banned")]
    PlayerBanned {
        /// Why.
        reason: Option<String>,
    },
    /// See [`Kind::PlayerUnbanned`].
    #[serde(rename = "player.unbanned")]
    PlayerUnbanned,
    /// See [`Kind::PlayerReported`]. The event's player is the one who reports.
    #[serde(rename = "player.reported")]
    PlayerReported {
        /// Who is reported.
        target: Option<PlayerId>,
        /// The report's headline.
        subject: Option<String>,
        /// The report's text.
        message: Option<String>,
        /// What kind of misbehaviour.
        category: Option<String>,
    },
    /// See [`Kind::PlayerHit`]. The event's player is the one who was hit.
    #[serde(rename = "player.hit")]
    PlayerHit {
        /// Who hit them, where told.
        attacker: Option<PlayerId>,
        /// Whether the hit killed, where told.
        killed: Option<bool>,
        /// From how far away, where told.
        metres: Option<u32>,
    },
    /// See [`Kind::PlayerGathered`].
    #[serde(rename = "player.gathered")]
    PlayerGathered {
        /// The item's id in the game; negative ones are common.
        item: Option<i64>,
        /// How many.
        amount: Option<i64>,
    },
    /// See [`Kind::PlayerItemPickup`].
    #[serde(rename = "player.item_pickup")]
    PlayerItemPickup {
        /// The item's id in the game.
        item: Option<i64>,
        /// How many.
        amount: Option<i64>,
    },
    /// See [`Kind::PlayerItemLoot`].
    #[serde(rename = "player.item_loot")]
    PlayerItemLoot {
        /// The item's id in the game.
        item: Option<i64>,
        /// How many; negative when items were put in.
        amount: Option<i64>,
    },
    /// See [`Kind::PlayerItemCrafted`].
    #[serde(rename = "player.item_crafted")]
    PlayerItemCrafted {
        /// The item's id in the game.
        item: Option<i64>,
        /// How many.
        amount: Option<i64>,
    },
    /// See [`Kind::Unknown`].
    #[serde(rename = "unknown")]
    Unknown {
        /// The subject's part from `events` on, such as `events.meteor.landed`, without a player's id.
        name: String,
    },
}

impl Details {
    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::ServerStarted { .. } => Kind::ServerStarted,
            Self::ServerStopping => Kind::ServerStopping,
            Self::ServerStopped => Kind::ServerStopped,
            Self::ServerWiped => Kind::ServerWiped,
            Self::ServerCommand { .. } => Kind::ServerCommand,
            Self::PlayerConnected => Kind::PlayerConnected,
            Self::PlayerDisconnected { .. } => Kind::PlayerDisconnected,
            Self::PlayerChatted { .. } => Kind::PlayerChatted,
            Self::PlayerRespawned => Kind::PlayerRespawned,
            Self::PlayerBanned { .. } => Kind::PlayerBanned,
            Self::PlayerUnbanned => Kind::PlayerUnbanned,
            Self::PlayerReported { .. } => Kind::PlayerReported,
            Self::PlayerHit { .. } => Kind::PlayerHit,
            Self::PlayerGathered { .. } => Kind::PlayerGathered,
            Self::PlayerItemPickup { .. } => Kind::PlayerItemPickup,
            Self::PlayerItemLoot { .. } => Kind::PlayerItemLoot,
            Self::PlayerItemCrafted { .. } => Kind::PlayerItemCrafted,
            Self::Unknown { .. } => Kind::Unknown,
        }
    }

    /// The other player whom the details name, beside the event's own: whose last name is worth looking up.
    #[must_use]
    pub const fn other_player(&self) -> Option<&PlayerId> {
        match self {
            Self::ServerCommand { by, .. } => by.as_ref(),
            Self::PlayerReported { target, .. } => target.as_ref(),
            Self::PlayerHit { attacker, .. } => attacker.as_ref(),
            _ => None,
        }
    }
}
