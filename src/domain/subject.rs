//! Which event a NATS subject names, and which subjects a consumer asks for.
//!
//! Publishers don't agree on one layout: chat hangs below `events.player.{id}`, everything else below
//! `players.{id}.events`, older libraries use other words for four kinds, some publish the placeholder `{server_id}`
//! itself, and a server's id may hold dots. So a subject is read from its right end, where the words are known.
//! Payloads are not read here, and nothing is allocated: this runs once for every message of every stream.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

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

/// Why a subject names no event. The name is the metric's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RejectReason {
    /// A token is empty, which no subject of a stream should have.
    MalformedSubject,
    /// It does not begin with the account's root and a server.
    OutsideRoot,
    /// It is below the root, but not an event: what `--wide-filter` brings along.
    NotAnEvent,
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
    /// The reason's one name, the metric's label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MalformedSubject => "malformed_subject",
            Self::OutsideRoot => "outside_root",
            Self::NotAnEvent => "not_an_event",
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// nats-server's rule for two filters that may match one subject.
    fn overlap(left: &str, right: &str) -> bool {
        let mut lefts = left.split('.');
        let mut rights = right.split('.');
        loop {
            match (lefts.next(), rights.next()) {
                (None, None) => return true,
                (Some(">"), Some(_)) | (Some(_), Some(">")) => return true,
                (Some(one), Some(other)) if one == "*" || other == "*" || one == other => {}
                _ => return false,
            }
        }
    }

    #[test]
    fn the_whole_of_the_kinds_has_no_overlap_either() {
        // Every smaller set's filters are among these.
        let known = Kind::ALL.iter().copied().filter(|kind| *kind != Kind::Unknown).collect();
        let filters = Root::default().filters(known, false);
        for (index, left) in filters.iter().enumerate() {
            assert!(filters[index + 1..].iter().all(|right| !overlap(left, right)), "{left}");
        }
        assert!(overlap("a.*.c", "a.b.>") && !overlap("a.b", "a.b.>"));
    }

    fn parse(subject: &str) -> Result<Subject<'_>, RejectReason> {
        Subject::parse(&Root::default(), subject)
    }

    #[test]
    fn a_root_is_plain_tokens_and_stars() {
        for accepted in ["v0.*.servers", "servers", "*", "guild.prod-1.servers"] {
            let root: Root = accepted.parse().unwrap();
            assert_eq!(root.to_string(), accepted);
            assert_eq!(serde_json::from_str::<Root>(&serde_json::to_string(&root).unwrap()).unwrap(), root);
        }
        for refused in ["", ".", "v0.", ".v0", "v0..servers", "v0.>", "v0.a b", "v0.a*", "v0.\u{7}", "**"] {
            assert!(refused.parse::<Root>().is_err(), "{refused:?}");
            assert!(serde_json::from_value::<Root>(refused.into()).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn status_is_read_whoever_asked_for_what() {
        let narrow = Root::default().filters(KindSet::EMPTY, false);
        let expected = [
            "v0.*.servers.*.events.started",
            "v0.*.servers.*.events.stopping",
            "v0.*.servers.*.events.stopped",
            "v0.*.servers.*.events.wiped",
            "v0.*.servers.*.players.*.events.connected",
            "v0.*.servers.*.players.*.events.disconnected",
        ];
        assert_eq!(narrow, expected);
        assert_eq!(
            Root::default().filters([Kind::Unknown, Kind::PlayerHit].into_iter().collect(), false),
            ["v0.*.servers.*.events.>", "v0.*.servers.*.players.*.events.>"]
        );
        assert_eq!(Root::default().filters(KindSet::EMPTY, true), ["v0.*.servers.>"]);
    }

    #[test]
    fn what_a_filter_asks_for_is_read_as_its_kind() {
        for kind in Kind::ALL {
            for ending in endings(*kind) {
                let subject = format!("v0.rust.servers.eu-1.{}", ending.replace('*', "-7"));
                let parsed = parse(&subject).unwrap();
                assert_eq!((parsed.kind, parsed.server), (*kind, Some("eu-1")), "{subject}");
                assert_eq!(parsed.player, ending.contains('*').then_some("-7"));
                assert_eq!(parsed.item, ending.contains("items").then_some("-7"));
                assert_eq!(format!("v0.rust.servers.eu-1.{}", parsed.path), subject);
            }
        }
    }

    #[test]
    fn a_server_may_have_dots_and_the_layouts_own_words() {
        for server in
            ["a.b.c", "127.0.0.1:28015", "events", "players", "eu.events", "my.players", "players.events", "ä ö"]
        {
            for ending in ["events.started", "players.7.events.banned", "events.player.7.chatted"] {
                let subject = format!("v0.rust.servers.{server}.{ending}");
                let parsed = parse(&subject).unwrap();
                assert_eq!((parsed.server, parsed.path), (Some(server), ending));
                assert_ne!(parsed.kind, Kind::Unknown);
            }
        }
    }

    #[test]
    fn placeholders_name_nobody() {
        let parsed = parse("v0.rust.servers.{server_id}.players.{steam_id}.events.items.{item_id}.loot").unwrap();
        assert_eq!(parsed.kind, Kind::PlayerItemLoot);
        assert_eq!((parsed.server, parsed.player, parsed.item), (None, None, None));
        assert_eq!(parse("v0.rust.servers.{server_id}.events.meteor").unwrap().server, None);
    }

    #[test]
    fn unknown_events_keep_their_path_and_player() {
        for (subject, server, player, path) in [
            ("v0.rust.servers.0.events.meteor.landed", "0", None, "events.meteor.landed"),
            ("v0.rust.servers.0.players.7.events.danced", "0", Some("7"), "players.7.events.danced"),
            ("v0.rust.servers.a.b.players.7.events.danced", "a.b", Some("7"), "players.7.events.danced"),
            ("v0.rust.servers.0.players.7.events.stopped", "0", Some("7"), "players.7.events.stopped"),
            ("v0.rust.servers.0.events.raid.events.begun", "0", None, "events.raid.events.begun"),
            ("v0.rust.servers.0.events.chat", "0", None, "events.chat"),
        ] {
            let parsed = parse(subject).unwrap();
            assert_eq!(parsed, Subject { kind: Kind::Unknown, server: Some(server), player, item: None, path });
        }
    }

    #[test]
    fn what_is_no_event_says_why() {
        for (subject, reason) in [
            ("v1.rust.servers.0.events.started", RejectReason::OutsideRoot),
            ("v0.rust.servers", RejectReason::OutsideRoot),
            ("v0.rust.servers.0", RejectReason::NotAnEvent),
            ("v0.rust.servers.0.events", RejectReason::NotAnEvent),
            ("v0.rust.servers.events.started", RejectReason::NotAnEvent),
            ("v0.rust.servers.0.players.7.events", RejectReason::NotAnEvent),
            ("v0.rust.servers.0.commands.kick", RejectReason::NotAnEvent),
            ("v0.rust.servers..events.started", RejectReason::MalformedSubject),
            ("", RejectReason::MalformedSubject),
            (".", RejectReason::MalformedSubject),
        ] {
            assert_eq!(parse(subject), Err(reason), "{subject}");
        }
        assert_eq!(RejectReason::NotAnEvent.name(), "not_an_event");
    }

    proptest! {
        #[test]
        fn no_two_filters_overlap_for_any_set_of_kinds(
            bits in 0..1_u32 << Kind::ALL.len(), root in prop::sample::select(vec!["v0.*.servers", "*", "events", "*.players"]),
            wide in any::<bool>(),
        ) {
            let root: Root = root.parse().unwrap();
            let kinds = Kind::ALL.iter().copied().filter(|kind| bits & (1 << *kind as u32) != 0).collect();
            let filters = root.filters(kinds, wide);
            for (index, left) in filters.iter().enumerate() {
                for right in &filters[index + 1..] {
                    prop_assert!(!overlap(left, right), "{left} {right}");
                }
            }
        }

        #[test]
        fn no_subject_makes_it_panic(subject in any::<String>()) {
            let _ = parse(&subject);
        }

        #[test]
        fn what_is_read_is_a_part_of_what_came(
            tokens in prop::collection::vec(
                prop_oneof![
                    Just("events"), Just("players"), Just("player"), Just("items"), Just("combat"), Just("started"),
                    Just("chatted"), Just("chat"), Just("hit"), Just("loot"), Just("7"), Just("{x}"), Just("é"), Just("")
                ],
                0..10,
            )
        ) {
            let rest = tokens.join(".");
            let subject = format!("v0.rust.servers.{rest}");
            if let Ok(parsed) = parse(&subject) {
                let ending = format!(".{}", parsed.path);
                prop_assert!(subject.ends_with(&ending));
                for id in [parsed.server, parsed.player, parsed.item].into_iter().flatten() {
                    prop_assert!(!id.is_empty() && rest.contains(id));
                }
            }
        }
    }
}
