//! Every sentence the bot says, and nothing else: no layout, no cleaning, no decisions about who hears it.
//!
//! Arguments are shown as they are: what strangers wrote has been through `domain::text` before it comes here.
//! Results are markdown, as embed descriptions and message contents render it.

// ── Events: the server ──────────────────────────────────────────────────────────────────────────────────────────────

/// A server that has a name, within a sentence.
#[must_use]
pub fn server(name: &str) -> String {
    format!("Server **{name}**")
}

/// A server that nobody named.
pub const SOME_SERVER: &str = "A server";

/// The server came up. Publishers also say so when only their plugin was loaded anew, so it says that it *is* up.
#[must_use]
pub fn server_started(server: &str) -> String {
    format!("🟢 {server} is up")
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
pub fn server_command(player: &str, command: Option<&str>, arguments: Option<&str>) -> String {
    match (command, arguments) {
        (Some(command), Some(arguments)) => format!("⌨️ {player} ran **{command}** {arguments}"),
        (Some(command), None) => format!("⌨️ {player} ran **{command}**"),
        (None, Some(arguments)) => format!("⌨️ {player} ran a command: {arguments}"),
        (None, None) => format!("⌨️ {player} ran a command"),
    }
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
pub fn player_connected(player: &str) -> String {
    format!("📥 {player} joined")
}

/// A player left.
#[must_use]
pub fn player_disconnected(player: &str, reason: Option<&str>) -> String {
    with_reason(format!("📤 {player} left"), reason)
}

/// Who said what comes below.
#[must_use]
pub fn player_chatted(player: &str) -> String {
    format!("💬 {player}")
}

/// A player said something that did not arrive.
#[must_use]
pub fn player_chatted_silently(player: &str) -> String {
    format!("💬 {player} said something")
}

/// A player came back to life.
#[must_use]
pub fn player_respawned(player: &str) -> String {
    format!("🌅 {player} respawned")
}

/// A player was hit, by somebody or something, perhaps to death.
#[must_use]
pub fn player_hit(victim: &str, attacker: Option<&str>, killed: bool, metres: Option<u32>) -> String {
    let sentence = match (attacker, killed) {
        (Some(attacker), true) => format!("💀 {attacker} killed {victim}"),
        (Some(attacker), false) => format!("⚔️ {attacker} hit {victim}"),
        (None, true) => format!("💀 {victim} was killed"),
        (None, false) => format!("⚔️ {victim} was hit"),
    };
    match metres {
        Some(1) => format!("{sentence} from 1 metre away"),
        Some(metres @ 2..) => format!("{sentence} from {metres} metres away"),
        Some(0) | None => sentence,
    }
}

// ── Events: moderation ──────────────────────────────────────────────────────────────────────────────────────────────

/// A player was banned.
#[must_use]
pub fn player_banned(player: &str, reason: Option<&str>) -> String {
    with_reason(format!("🔨 {player} was banned"), reason)
}

/// A player's ban was lifted.
#[must_use]
pub fn player_unbanned(player: &str) -> String {
    format!("🕊️ {player} is no longer banned")
}

/// A player reported another.
#[must_use]
pub fn player_reported(player: &str, target: &str, category: Option<&str>) -> String {
    match category {
        Some(category) => format!("🚩 {player} reported {target} for {category}"),
        None => format!("🚩 {player} reported {target}"),
    }
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
pub fn player_gathered(player: &str, things: &str) -> String {
    format!("⛏️ {player} gathered {things}")
}

/// A player picked things up.
#[must_use]
pub fn player_item_pickup(player: &str, things: &str) -> String {
    format!("🎒 {player} picked up {things}")
}

/// A player took things out of a container.
#[must_use]
pub fn player_item_taken(player: &str, things: &str) -> String {
    format!("📦 {player} looted {things}")
}

/// A player put things into a container.
#[must_use]
pub fn player_item_stored(player: &str, things: &str) -> String {
    format!("📦 {player} stored {things}")
}

/// A player crafted things.
#[must_use]
pub fn player_item_crafted(player: &str, things: &str) -> String {
    format!("🛠️ {player} crafted {things}")
}

// ── Events: all of them ─────────────────────────────────────────────────────────────────────────────────────────────

/// Something that this version has no word for.
#[must_use]
pub fn unknown_event(name: &str) -> String {
    format!("❔ **{name}**")
}

/// The name of an event that has none left after cleaning.
pub const NAMELESS: &str = "an event without a name";

/// Where a player's event happened.
#[must_use]
pub fn on_server(sentence: &str, server: &str) -> String {
    format!("{sentence} on **{server}**")
}

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

fn with_reason(sentence: String, reason: Option<&str>) -> String {
    match reason {
        Some(reason) => format!("{sentence}: {reason}"),
        None => sentence,
    }
}

fn steam_profile(steam_id: &str) -> String {
    format!("https://steamcommunity.com/profiles/{steam_id}")
}
