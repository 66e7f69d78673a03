//! How events are told: a sentence each, the same everywhere.

use crate::domain::event::Start;

// ── Events: the server ──────────────────────────────────────────────────────────────────────────────────────────────

/// A server that has a name, within a sentence.
#[must_use]
pub fn server(name: &str) -> String {
    format!("Server **{name}**")
}

/// A server that nobody named.
pub const SOME_SERVER: &str = "A server";

/// The server said that it started, which it also does when only its plugin was loaded anew: so it *is* up, at least.
#[must_use]
pub fn server_started(server: &str, how: Start) -> String {
    match how {
        Start::Up => format!("🟢 {server} is up"),
        Start::Reloaded => format!("🔄 {server}: plugin reloaded, the server ran on"),
        Start::ReloadedOrStarted => format!("🔄 {server}: plugin reloaded, or the server was started anew"),
        Start::Restarted => format!("🟢 {server} was restarted"),
    }
}

/// The server is about to stop.
#[must_use]
pub fn server_stopping(server: &str) -> String {
    format!("🟠 {server} is about to stop")
}

/// The server stopped.
#[must_use]
pub fn server_stopped(server: &str) -> String {
    format!("🔴 {server} has stopped")
}

/// The server's world was wiped.
#[must_use]
pub fn server_wiped(server: &str) -> String {
    format!("✨ {server} was wiped: a fresh world awaits")
}

/// Somebody ran a command.
#[must_use]
pub fn server_command(player: &str, command: Option<&str>, server: Option<&str>, arguments: Option<&str>) -> String {
    let command = command.map_or_else(|| "a command".to_owned(), |command| format!("**{command}**"));
    with_remark(format!("⌨️ {player} ran {command}{}", on(server)), arguments)
}

// ── Events: players ─────────────────────────────────────────────────────────────────────────────────────────────────

/// A player who has a name.
#[must_use]
pub fn player(name: &str) -> String {
    format!("**{name}**")
}

/// A player of whom only a `SteamID` is known. Only digits may come here: Discord shows a link's label as it is.
#[must_use]
pub fn player_by_steam_id(steam_id: &str) -> String {
    format!("[{steam_id}]({})", steam_profile(steam_id))
}

/// A player whom nobody named.
pub const SOME_PLAYER: &str = "A player";

/// The same, after a verb.
pub const SOME_PLAYER_AS_OBJECT: &str = "a player";

/// A link beside a player's name. Their name is not its label: a label's backslashes are shown, not obeyed.
#[must_use]
pub fn beside_steam_profile(player: &str, steam_id: &str) -> String {
    format!("{player} ([Steam]({}))", steam_profile(steam_id))
}

/// A player joined.
#[must_use]
pub fn player_connected(player: &str, server: Option<&str>) -> String {
    format!("📥 {player} joined{}", the(server))
}

/// A player left.
#[must_use]
pub fn player_disconnected(player: &str, server: Option<&str>, reason: Option<&str>) -> String {
    with_remark(format!("📤 {player} left{}", the(server)), reason)
}

/// Who said what comes below.
#[must_use]
pub fn player_chatted(player: &str, server: Option<&str>) -> String {
    format!("💬 {player}{}", on(server))
}

/// A player said something that did not arrive.
#[must_use]
pub fn player_chatted_silently(player: &str, server: Option<&str>) -> String {
    format!("💬 {player} said something{}", on(server))
}

/// A player came back to life.
#[must_use]
pub fn player_respawned(player: &str, server: Option<&str>) -> String {
    format!("🌅 {player} respawned{}", on(server))
}

/// A player was hit, by somebody or something, perhaps to death.
#[must_use]
pub fn player_hit(
    victim: &str,
    attacker: Option<&str>,
    killed: bool,
    metres: Option<u32>,
    server: Option<&str>,
) -> String {
    let sentence = match (attacker, killed) {
        (Some(attacker), true) => format!("💀 {attacker} killed {victim}"),
        (Some(attacker), false) => format!("⚔️ {attacker} hit {victim}"),
        (None, true) => format!("💀 {victim} was killed"),
        (None, false) => format!("⚔️ {victim} was hit"),
    };
    let distance = match metres {
        Some(0) | None => String::new(),
        Some(1) => " from 1 metre away".to_owned(),
        Some(metres) => format!(" from {metres} metres away"),
    };
    format!("{sentence}{distance}{}", on(server))
}

// ── Events: moderation ──────────────────────────────────────────────────────────────────────────────────────────────

/// A player was banned.
#[must_use]
pub fn player_banned(player: &str, server: Option<&str>, reason: Option<&str>) -> String {
    with_remark(format!("🔨 {player} was banned{}", on(server)), reason)
}

/// A player's ban was lifted.
#[must_use]
pub fn player_unbanned(player: &str, server: Option<&str>) -> String {
    format!("🕊️ {player} is no longer banned{}", on(server))
}

/// A player reported another.
#[must_use]
pub fn player_reported(player: &str, target: &str, category: Option<&str>, server: Option<&str>) -> String {
    let category = category.map_or_else(String::new, |category| format!(" for {category}"));
    format!("🚩 {player} reported {target}{category}{}", on(server))
}

/// A report's headline, on a line of its own.
#[must_use]
pub fn headline(subject: &str) -> String {
    format!("**{subject}**")
}

// ── Events: things ──────────────────────────────────────────────────────────────────────────────────────────────────

/// How many of what. Items come as numbers of the game's own.
#[must_use]
pub fn things(item: Option<i64>, amount: Option<u64>) -> String {
    match (item, amount) {
        (Some(item), Some(amount)) => format!("{amount} × item {item}"),
        (Some(item), None) => format!("item {item}"),
        (None, Some(1)) => "1 item".to_owned(),
        (None, Some(amount)) => format!("{amount} items"),
        (None, None) => "something".to_owned(),
    }
}

/// A player gathered resources.
#[must_use]
pub fn player_gathered(player: &str, things: &str, server: Option<&str>) -> String {
    format!("⛏️ {player} gathered {things}{}", on(server))
}

/// A player picked things up.
#[must_use]
pub fn player_item_pickup(player: &str, things: &str, server: Option<&str>) -> String {
    format!("🎒 {player} picked up {things}{}", on(server))
}

/// A player took things out of a container.
#[must_use]
pub fn player_item_taken(player: &str, things: &str, server: Option<&str>) -> String {
    format!("📦 {player} looted {things}{}", on(server))
}

/// A player put things into a container.
#[must_use]
pub fn player_item_stored(player: &str, things: &str, server: Option<&str>) -> String {
    format!("📦 {player} stored {things}{}", on(server))
}

/// A player crafted things.
#[must_use]
pub fn player_item_crafted(player: &str, things: &str, server: Option<&str>) -> String {
    format!("🛠️ {player} crafted {things}{}", on(server))
}

// ── Events: all of them ─────────────────────────────────────────────────────────────────────────────────────────────

/// Something that this version has no word for.
#[must_use]
pub fn unknown_event(name: &str, server: Option<&str>) -> String {
    format!("❔ **{name}**{}", on(server))
}

/// The name of an event that has none left after cleaning.
pub const NAMELESS: &str = "an event without a name";

/// When an event happened, in each reader's own words and kept up to date by their client:
/// <https://discord.com/developers/docs/reference#message-formatting-timestamp-styles>.
#[must_use]
pub fn when(sentence: &str, unix_seconds: i64) -> String {
    format!("{sentence} · <t:{unix_seconds}:R>")
}

/// A footer: whose server, and which.
#[must_use]
pub fn origin(account: &str, server: &str) -> String {
    format!("{account} · {server}")
}

fn with_remark(sentence: String, remark: Option<&str>) -> String {
    match remark {
        Some(remark) => format!("{sentence}: {remark}"),
        None => sentence,
    }
}

/// Where something happened, where that is known.
pub(super) fn on(server: Option<&str>) -> String {
    server.map_or_else(String::new, |server| format!(" on **{server}**"))
}

/// What was joined or left, where that is known.
pub(super) fn the(server: Option<&str>) -> String {
    server.map_or_else(String::new, |server| format!(" **{server}**"))
}

fn steam_profile(steam_id: &str) -> String {
    format!("https://steamcommunity.com/profiles/{steam_id}")
}
