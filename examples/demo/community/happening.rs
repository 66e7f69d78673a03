//! What can happen on a game server, and how a GamingAPI plugin writes it down.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::cast::PLAYERS;
use super::town::PlayerId;

/// One thing that happens on a server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Happening {
    /// The server came up.
    Started,
    /// It is about to stop.
    Stopping,
    /// It stopped.
    Stopped,
    /// Its world begins anew.
    Wiped,
    /// It died: nobody is left to tell.
    Crashed,
    /// A player joined.
    Joined { player: PlayerId },
    /// A player left.
    Left { player: PlayerId, reason: &'static str },
    /// A player wrote into the chat.
    Said { player: PlayerId, text: &'static str },
    /// A player killed another, from so many metres away.
    Killed { victim: PlayerId, by: PlayerId, metres: u32 },
    /// A player is back among the living.
    Respawned { player: PlayerId },
    /// A player gathered so much of something.
    Gathered { player: PlayerId, item: i64, amount: u32 },
    /// A player reported another.
    Reported { player: PlayerId, target: PlayerId, why: &'static str },
    /// A player was banned.
    Banned { player: PlayerId, reason: &'static str },
}

/// A message for nats-server: the subject after `v0.rust.servers.`, and the payload.
pub(crate) type Wire = (String, String);

impl Happening {
    /// As a game server publishes it at this moment (in Unix seconds), or nothing where it can't any more.
    ///
    /// Subjects and fields are those of <https://github.com/GamingAPI/definitions>; the times are local ones without a
    /// zone, as the plugin writes them.
    pub(crate) fn wire(&self, server: &str, now: i64) -> Option<Wire> {
        let moment = local_time(now);
        let of = |player: &PlayerId, what: &str| format!("{server}.players.{}.events.{what}", steam_id(*player));
        Some(match self {
            Happening::Started => (format!("{server}.events.started"), json!({ "timestamp": moment }).to_string()),
            Happening::Stopping => (format!("{server}.events.stopping"), json!({ "timestamp": moment }).to_string()),
            Happening::Stopped => (format!("{server}.events.stopped"), json!({ "timestamp": moment }).to_string()),
            Happening::Wiped => (format!("{server}.events.wiped"), "null".to_owned()),
            Happening::Crashed => return None,
            Happening::Joined { player } => {
                let who = json!({ "id": steam_id(*player), "name": PLAYERS[*player], "address": address(*player) });
                (of(player, "connected"), json!({ "player": who, "connected_timestamp": moment }).to_string())
            }
            Happening::Left { player, reason } => {
                let left = json!({
                    "player": { "id": steam_id(*player) }, "reason": reason, "disconnected_timestamp": moment,
                });
                (of(player, "disconnected"), left.to_string())
            }
            Happening::Said { player, text } => {
                let said = json!({
                    "steam_id": steam_id(*player), "player_name": PLAYERS[*player], "full_message": text,
                    "is_admin": false, "timestamp": moment,
                });
                (format!("{server}.events.player.{}.chatted", steam_id(*player)), said.to_string())
            }
            Happening::Killed { victim, by, metres } => {
                let hit = json!({
                    "isKill": true, "hit_distance": metres, "victim": { "steam_id": steam_id(*victim) },
                    "attacker": { "steam_id": steam_id(*by) },
                });
                (of(victim, "combat.hit"), json!({ "hit_timestamp": moment, "player_hit": hit }).to_string())
            }
            Happening::Respawned { player } => {
                let back = json!({
                    "steam_id": steam_id(*player), "respawn_timestamp": moment,
                    "respawn_position": { "x": -312.5, "y": 4.25, "z": 1024.0 },
                });
                (of(player, "respawned"), back.to_string())
            }
            Happening::Gathered { player, item, amount } => {
                let gathered = json!({
                    "steam_id": steam_id(*player), "item_uid": 0, "item_id": item, "amount": amount,
                    "gathering_item": { "uid": 0, "item_id": 0 }, "gathered_timestamp": moment,
                });
                (of(player, "gatheredResources"), gathered.to_string())
            }
            Happening::Reported { player, target, why } => {
                let report = json!({
                    "reporter_steam_id": steam_id(*player), "reported_target_steam_id": steam_id(*target),
                    "timestamp": moment, "subject": why, "reportedType": "cheat",
                });
                (of(player, "reported"), report.to_string())
            }
            Happening::Banned { player, reason } => {
                let banned: Value = json!({
                    "steam_id": steam_id(*player), "player_name": PLAYERS[*player], "reason": reason,
                    "timestamp": moment,
                });
                (of(player, "banned"), banned.to_string())
            }
        })
    }

    /// In a few words.
    pub(crate) fn about(&self, server: &str) -> String {
        let name = |player: &PlayerId| PLAYERS[*player];
        match self {
            Happening::Started => format!("{server} came up"),
            Happening::Stopping => format!("{server} is about to stop"),
            Happening::Stopped => format!("{server} stopped"),
            Happening::Wiped => format!("{server} was wiped"),
            Happening::Crashed => format!("{server} crashed without a word"),
            Happening::Joined { player } => format!("{} joined {server}", name(player)),
            Happening::Left { player, reason } => format!("{} left {server} ({reason})", name(player)),
            Happening::Said { player, text } => format!("{} said “{text}”", name(player)),
            Happening::Killed { victim, by, .. } => format!("{} killed {}", name(by), name(victim)),
            Happening::Respawned { player } => format!("{} respawned", name(player)),
            Happening::Gathered { player, amount, .. } => format!("{} gathered {amount} of something", name(player)),
            Happening::Reported { player, target, .. } => format!("{} reported {}", name(player), name(target)),
            Happening::Banned { player, reason } => format!("{} was banned from {server} ({reason})", name(player)),
        }
    }
}

/// A `SteamID` that belongs to nobody: Steam counts accounts from 76561197960265728 on, these are below.
fn steam_id(player: PlayerId) -> String {
    format!("{}", 76_561_197_900_000_001_u64 + player as u64)
}

/// From the addresses that are kept for documentation (<https://www.rfc-editor.org/rfc/rfc5737>).
fn address(player: PlayerId) -> String {
    format!("203.0.113.{}:28015", player + 10)
}

/// .NET's `DateTime.Now.ToString()` in the culture of the United States: `11/22/2026 2:39:38 PM`.
fn local_time(unix_seconds: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(unix_seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (hour, half) = match moment.hour() {
        0 => (12, "AM"),
        hour @ 1..12 => (hour, "AM"),
        12 => (12, "PM"),
        hour => (hour - 12, "PM"),
    };
    let (day, month, year) = (moment.day(), u8::from(moment.month()), moment.year());
    format!("{month}/{day}/{year} {hour}:{:02}:{:02} {half}", moment.minute(), moment.second())
}
