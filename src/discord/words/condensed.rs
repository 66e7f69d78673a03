//! What is said of many events at once.

use super::events::{on, the};
use super::notices::count;
use crate::domain::event::Kind;

// ── Neighbours of one kind ──────────────────────────────────────────────────────────────────────────────────────────

/// Names in a sentence: `A, B and C`.
#[must_use]
pub fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [name] => name.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The same, several times.
#[must_use]
pub fn times(told: &str, times: usize) -> String {
    if times > 1 { format!("{told} (×{times})") } else { told.to_owned() }
}

/// A player who left, where the game server says why.
#[must_use]
pub fn left_because(player: &str, reason: &str) -> String {
    format!("{player} ({reason})")
}

/// Players left and came back.
#[must_use]
pub fn players_reconnected(players: &str, server: Option<&str>) -> String {
    let server = server.map_or_else(String::new, |server| format!(" to **{server}**"));
    format!("🔁 {players} reconnected{server}")
}

/// Players joined.
#[must_use]
pub fn players_joined(players: &str, server: Option<&str>) -> String {
    format!("📥 {players} joined{}", the(server))
}

/// Players left.
#[must_use]
pub fn players_left(players: &str, server: Option<&str>) -> String {
    format!("📤 {players} left{}", the(server))
}

/// Players came back to life.
#[must_use]
pub fn players_respawned(players: &str, server: Option<&str>) -> String {
    format!("🌅 {players} respawned{}", on(server))
}

// ── Catching up ─────────────────────────────────────────────────────────────────────────────────────────────────────

/// How many events a message tells of, and from when; whether that is late.
#[must_use]
pub fn caught_up(events: u64, first: i64, last: i64, is_late: bool) -> String {
    let number = count(events, "event");
    match (is_late, first == last) {
        (false, true) => format!("**{number}** at <t:{first}:T>"),
        (false, false) => format!("**{number}** from <t:{first}:T> to <t:{last}:T>"),
        (true, true) => format!("**{number}, told late**: it happened <t:{first}:f>"),
        (true, false) => format!("**{number}, told late**: it happened from <t:{first}:f> to <t:{last}:f>"),
    }
}

/// A line with the time of day at which it happened.
#[must_use]
pub fn at_time(unix_seconds: i64, sentence: &str) -> String {
    format!("<t:{unix_seconds}:T> {sentence}")
}

/// A line with the day and time at which it happened.
#[must_use]
pub fn at_day_and_time(unix_seconds: i64, sentence: &str) -> String {
    format!("<t:{unix_seconds}:f> {sentence}")
}

/// How many events there were of each kind.
#[must_use]
pub fn counted(kinds: &[(Kind, u64)]) -> String {
    kinds.iter().map(|(kind, events)| of_kind(*kind, *events)).collect::<Vec<_>>().join(" · ")
}

/// Where all of them stand.
#[must_use]
pub fn all_attached(file: &str) -> String {
    format!("📎 Every one of them, in order: **{file}**")
}

/// Where the first of them stand, and how many more there are.
#[must_use]
pub fn first_attached(file: &str, more: u64) -> String {
    format!("📎 In order: **{file}**. It is full: {more} more are in the numbers above only.")
}

/// The last line of a file that is full.
#[must_use]
pub fn file_is_full(more: u64) -> String {
    format!("This file is full: {} more.", count(more, "event"))
}

/// How many more like these there are, in the file.
#[must_use]
pub fn more_in_file(more: usize) -> String {
    format!("… and {more} more like these, in the file")
}

/// What can't be told any more.
#[must_use]
pub fn given_up(events: u64, kinds: &str, first: i64, last: i64) -> String {
    format!(
        "⚠️ **{} before that can't be told any more**: this channel took no messages for longer than I keep them, or \
         there were too many. {kinds}, from <t:{first}:f> to <t:{last}:f>",
        count(events, "event")
    )
}

/// Why a message looks plainer than others.
pub const PLAIN: &str = "Discord did not accept this as I first worded it, so it is plain.";

/// Why a message does not name anybody.
pub const WITHHELD: &str =
    "AutoMod did not let this pass as I first worded it, so players' names and what they wrote are left out.";

/// The name of the file with all lines.
pub const FILE: &str = "events.txt";

/// How many events of a kind, in few words.
#[must_use]
pub fn of_kind(kind: Kind, events: u64) -> String {
    match kind {
        Kind::ServerStarted => format!("🟢 {events} × up"),
        Kind::ServerStopping => format!("🟠 {events} × about to stop"),
        Kind::ServerStopped => format!("🔴 {events} × stopped"),
        Kind::ServerWiped => format!("✨ {events} × wiped"),
        Kind::ServerCommand => format!("⌨️ {}", count(events, "command")),
        Kind::PlayerConnected => format!("📥 {events} joined"),
        Kind::PlayerDisconnected => format!("📤 {events} left"),
        Kind::PlayerChatted => format!("💬 {}", count(events, "message")),
        Kind::PlayerRespawned => format!("🌅 {events} respawned"),
        Kind::PlayerBanned => format!("🔨 {events} banned"),
        Kind::PlayerUnbanned => format!("🕊️ {events} no longer banned"),
        Kind::PlayerReported => format!("🚩 {}", count(events, "report")),
        Kind::PlayerHit => format!("⚔️ {}", count(events, "hit")),
        Kind::PlayerGathered => format!("⛏️ {events} × gathered"),
        Kind::PlayerItemPickup => format!("🎒 {events} × picked up"),
        Kind::PlayerItemLoot => format!("📦 {events} × looted"),
        Kind::PlayerItemCrafted => format!("🛠️ {events} × crafted"),
        Kind::Unknown => format!("❔ {}", count(events, "other event")),
    }
}
