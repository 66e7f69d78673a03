//! Which event a NATS subject names, and which subjects a consumer asks for.
//!
//! Publishers don't agree on one layout: chat hangs below `events.player.{id}`, everything else below
//! `players.{id}.events`, older libraries use other words for four kinds, some publish the placeholder `{server_id}`
//! itself, and a server's id may hold dots. So a subject is read from its right end, where the words are known.
//! Payloads are not read here, and nothing is allocated: this runs once for every message of every stream.

mod naming;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use self::naming::{BadNaming, Naming, checked_subject};
use super::event::{Kind, KindSet};

/// The server of an event whose subject names none: it carries the placeholder `{server_id}` itself.
pub const UNKNOWN_SERVER: &str = "unknown";

/// What stands before a server's id in an account's subjects, such as `v0.*.servers`.
///
/// At least one token, each either `*` (any one token) or plain.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Root(String);

/// What a text must be to serve as a root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRoot {
    /// A token is missing, as in an empty text or between two dots.
    #[error("a root is tokens joined by single dots, such as v0.*.servers, and {0:?} has an empty token")]
    EmptyToken(String),
    /// A token has a character that it may not have.
    #[error(
        "a root's token is either * or plain text without spaces, control characters, * and >, which {0:?} is not \
         (the bot adds what comes after the root itself)"
    )]
    BadToken(String),
}

/// Why a message is no event. The name is the metric's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RejectReason {
    /// A token is empty, which no subject of a stream should have.
    MalformedSubject,
    /// It does not begin with the account's root and a server.
    OutsideRoot,
    /// It is below the root, but not an event: what `--wide-filter` brings along.
    NotAnEvent,
    /// JetStream's answer to somebody who gave a subject of the stream as the reply subject.
    JetStreamAnswer,
}

/// What a subject tells of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// What happened.
    pub kind: Kind,
    /// The server's id, dots and all. `None` where the subject carries a placeholder such as `{server_id}`.
    pub server: Option<&'a str>,
    /// The player's id. `None` where the layout has no player, and where it carries a placeholder.
    pub player: Option<&'a str>,
    /// The item's id. `None` where the layout has no item, and where it carries a placeholder.
    pub item: Option<&'a str>,
    /// What stands after the server, such as `events.started`.
    pub path: &'a str,
}

impl Root {
    /// The root as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// One filter for everything below the root.
    #[must_use]
    pub fn all_subjects(&self) -> String {
        format!("{}.>", self.0)
    }

    /// The filters of the account's consumer, for the kinds that its bindings want.
    ///
    /// Lifecycle, joining and leaving are always among them: names and status come from these. `wide` takes everything
    /// below the root, for server ids with dots, which no filter by kind can match. No two filters overlap: nats-server
    /// refuses such a consumer with its error 10138.
    #[must_use]
    pub fn filters(&self, kinds: KindSet, wide: bool) -> Vec<String> {
        if wide {
            return vec![self.all_subjects()];
        }
        let ends: Vec<&str> = if kinds.contains(Kind::Unknown) {
            vec!["events.>", "players.*.events.>"]
        } else {
            let wanted = kinds.union(ALWAYS_READ.iter().copied().collect());
            wanted.iter().flat_map(|kind| endings(kind).iter().copied()).collect()
        };
        ends.into_iter().map(|end| format!("{}.*.{end}", self.0)).collect()
    }

    /// What stands after the root in `subject`, the server first; `None` when it is not below the root.
    fn strip<'a>(&self, subject: &'a str) -> Option<&'a str> {
        let mut rest = subject;
        for expected in self.0.split('.') {
            let (token, after) = rest.split_once('.')?;
            if expected != "*" && expected != token {
                return None;
            }
            rest = after;
        }
        Some(rest)
    }
}

impl Default for Root {
    /// `v0.*.servers`: the layout of the `GamingAPI`, for any game.
    fn default() -> Self {
        Self("v0.*.servers".to_owned())
    }
}

impl FromStr for Root {
    type Err = BadRoot;

    fn from_str(text: &str) -> Result<Self, BadRoot> {
        if text.split('.').any(str::is_empty) {
            return Err(BadRoot::EmptyToken(text.chars().take(64).collect()));
        }
        let forbidden = |character: char| {
            character == '*' || character == '>' || character.is_whitespace() || character.is_control()
        };
        match text.split('.').find(|token| *token != "*" && token.contains(forbidden)) {
            Some(token) => Err(BadRoot::BadToken(token.chars().take(64).collect())),
            None => Ok(Self(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Root {
    type Error = BadRoot;

    fn try_from(text: String) -> Result<Self, BadRoot> {
        text.parse()
    }
}

impl From<Root> for String {
    fn from(root: Root) -> Self {
        root.0
    }
}

impl fmt::Display for Root {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl RejectReason {
    /// Every reason there is.
    pub const ALL: &[Self] = &[Self::MalformedSubject, Self::OutsideRoot, Self::NotAnEvent, Self::JetStreamAnswer];

    /// The reason's one name, the metric's label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MalformedSubject => "malformed_subject",
            Self::OutsideRoot => "outside_root",
            Self::NotAnEvent => "not_an_event",
            Self::JetStreamAnswer => "jetstream_answer",
        }
    }
}

impl fmt::Display for RejectReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl<'a> Subject<'a> {
    /// Reads a subject of an account whose root is `root`.
    pub fn parse(root: &Root, subject: &'a str) -> Result<Self, RejectReason> {
        if subject.is_empty() || subject.starts_with('.') || subject.ends_with('.') || subject.contains("..") {
            return Err(RejectReason::MalformedSubject);
        }
        let rest = root.strip(subject).ok_or(RejectReason::OutsideRoot)?;
        parse_known(rest).or_else(|| parse_unknown(rest)).ok_or(RejectReason::NotAnEvent)
    }
}

/// What a status and a name need, whoever asked for what.
const ALWAYS_READ: &[Kind] = &[
    Kind::ServerStarted,
    Kind::ServerStopping,
    Kind::ServerStopped,
    Kind::ServerWiped,
    Kind::PlayerConnected,
    Kind::PlayerDisconnected,
];

/// How the subjects of a kind go on after the server, older names last. `*` stands for an id.
const fn endings(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::ServerStarted => &["events.started"],
        Kind::ServerStopping => &["events.stopping"],
        Kind::ServerStopped => &["events.stopped"],
        Kind::ServerWiped => &["events.wiped"],
        Kind::ServerCommand => &["events.command"],
        Kind::PlayerConnected => &["players.*.events.connected"],
        Kind::PlayerDisconnected => &["players.*.events.disconnected"],
        Kind::PlayerChatted => &["events.player.*.chatted", "players.*.events.chat"],
        Kind::PlayerRespawned => &["players.*.events.respawned"],
        Kind::PlayerBanned => &["players.*.events.banned"],
        Kind::PlayerUnbanned => &["players.*.events.unbanned"],
        Kind::PlayerReported => &["players.*.events.reported"],
        Kind::PlayerHit => &["players.*.events.combat.hit", "players.*.events.combat.playerhit"],
        Kind::PlayerGathered => &["players.*.events.gatheredResources", "players.*.events.resourcesGathered"],
        Kind::PlayerItemPickup => &["players.*.events.items.*.pickup"],
        Kind::PlayerItemLoot => &["players.*.events.items.*.loot"],
        Kind::PlayerItemCrafted => &["players.*.events.items.*.crafted"],
        Kind::Unknown => &[],
    }
}

/// Reads a known kind from the right end of `rest`, which begins with the server.
fn parse_known(rest: &str) -> Option<Subject<'_>> {
    let (before, word) = rest.rsplit_once('.')?;
    let kind = match word {
        "started" => Kind::ServerStarted,
        "stopping" => Kind::ServerStopping,
        "stopped" => Kind::ServerStopped,
        "wiped" => Kind::ServerWiped,
        "command" => Kind::ServerCommand,
        "connected" => Kind::PlayerConnected,
        "disconnected" => Kind::PlayerDisconnected,
        "chatted" | "chat" => Kind::PlayerChatted,
        "respawned" => Kind::PlayerRespawned,
        "banned" => Kind::PlayerBanned,
        "unbanned" => Kind::PlayerUnbanned,
        "reported" => Kind::PlayerReported,
        "hit" | "playerhit" => Kind::PlayerHit,
        "gatheredResources" | "resourcesGathered" => Kind::PlayerGathered,
        "pickup" => Kind::PlayerItemPickup,
        "loot" => Kind::PlayerItemLoot,
        "crafted" => Kind::PlayerItemCrafted,
        _ => return None,
    };
    let (server, player, item) = match kind {
        Kind::ServerStarted | Kind::ServerStopping | Kind::ServerStopped | Kind::ServerWiped | Kind::ServerCommand => {
            // Below a player, `events.stopped` is another event, of which nothing is known.
            if split_player(before).is_some() {
                return None;
            }
            (before.strip_suffix(".events")?, None, None)
        }
        Kind::PlayerChatted if word == "chatted" => {
            let (before, player) = before.rsplit_once('.')?;
            (before.strip_suffix(".events.player")?, Some(player), None)
        }
        Kind::PlayerHit => {
            let (server, player) = split_player(before.strip_suffix(".combat")?)?;
            (server, Some(player), None)
        }
        Kind::PlayerItemPickup | Kind::PlayerItemLoot | Kind::PlayerItemCrafted => {
            let (before, item) = before.rsplit_once('.')?;
            let (server, player) = split_player(before.strip_suffix(".items")?)?;
            (server, Some(player), Some(item))
        }
        _ => {
            let (server, player) = split_player(before)?;
            (server, Some(player), None)
        }
    };
    Some(Subject {
        kind,
        server: named(server),
        player: player.and_then(named),
        item: item.and_then(named),
        path: &rest[server.len() + 1..],
    })
}

/// Reads an event of which only the layout is known. The first place where a layout begins counts, so that an event's
/// own words, whatever they are, are not taken for a part of the server's id.
fn parse_unknown(rest: &str) -> Option<Subject<'_>> {
    let mut server_end = rest.find('.')?;
    loop {
        let path = &rest[server_end + 1..];
        let mut tokens = path.split('.');
        let player = match (tokens.next(), tokens.next(), tokens.next(), tokens.next()) {
            (Some("events"), Some(_), _, _) => Some(None),
            (Some("players"), Some(player), Some("events"), Some(_)) => Some(named(player)),
            _ => None,
        };
        if let Some(player) = player {
            let server = named(&rest[..server_end]);
            return Some(Subject { kind: Kind::Unknown, server, player, item: None, path });
        }
        server_end += 1 + path.find('.')?;
    }
}

/// Splits `{server}.players.{player}.events` into server and player.
fn split_player(text: &str) -> Option<(&str, &str)> {
    let (before, player) = text.strip_suffix(".events")?.rsplit_once('.')?;
    Some((before.strip_suffix(".players")?, player))
}

/// An id, unless it is a placeholder that some libraries forgot to fill in.
fn named(token: &str) -> Option<&str> {
    (!(token.starts_with('{') && token.ends_with('}'))).then_some(token)
}

#[cfg(test)]
mod tests;
