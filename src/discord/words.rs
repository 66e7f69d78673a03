//! Every sentence the bot says, and nothing else: no layout, no cleaning, no decisions about who hears it.
//!
//! Arguments are shown as they are: what strangers wrote has been through `domain::text` before it comes here.
//! Results are markdown, as embed descriptions and message contents render it.

use crate::domain::event::{Group, Kind};

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
fn on(server: Option<&str>) -> String {
    server.map_or_else(String::new, |server| format!(" on **{server}**"))
}

/// What was joined or left, where that is known.
fn the(server: Option<&str>) -> String {
    server.map_or_else(String::new, |server| format!(" **{server}**"))
}

fn steam_profile(steam_id: &str) -> String {
    format!("https://steamcommunity.com/profiles/{steam_id}")
}

// ── Commands: what people are offered ───────────────────────────────────────────────────────────────────────────────

/// The description of a group of kinds, where one is chosen.
#[must_use]
pub const fn group(group: Group) -> &'static str {
    match group {
        Group::Lifecycle => "Lifecycle: server started, stopping, stopped, wiped",
        Group::Players => "Players: who joins and leaves",
        Group::Chat => "Chat: everything players say, team chat included",
        Group::Moderation => "Moderation: bans, reports, commands",
        Group::Combat => "Combat: hits and respawns",
        Group::Items => "Items: gathered, picked up, looted, crafted",
        Group::Everything => "Everything but chat",
    }
}

/// The descriptions of commands and their options.
pub mod descriptions {
    #![expect(missing_docs, reason = "each is the description of the command or option it is named after")]
    pub const ACCOUNT: &str = "Connect this Discord server with a game-server account";
    pub const ACCOUNT_LINK: &str = "Link this Discord server to the account whose one-time code you were given";
    pub const ACCOUNT_LINK_CODE: &str = "The one-time code, from the account's owner";
    pub const ACCOUNT_LIST: &str = "Show the linked accounts and how they are doing";
    pub const NOTIFY: &str = "Choose which game-server events go to which channel";
    pub const NOTIFY_ADD: &str = "Send events to a channel, from this moment on";
    pub const NOTIFY_ADD_CHANNEL: &str = "The channel or thread to tell";
    pub const NOTIFY_ADD_EVENTS: &str = "Which events";
    pub const NOTIFY_ADD_ACCOUNT: &str = "Whose events; not needed when one account is linked";
    pub const NOTIFY_ADD_SERVER: &str = "Only this game server's events; all servers' when left out";
    pub const NOTIFY_ADD_MENTION: &str = "A role to mention with every message";
    pub const NOTIFY_LIST: &str = "Show which events go to which channel";
    pub const NOTIFY_REMOVE: &str = "Stop sending events to a channel";
    pub const NOTIFY_REMOVE_BINDING: &str = "Which one";
    pub const STATUS: &str = "What was last heard of the game servers";
    pub const STATUS_SERVER: &str = "Only this game server";
}

// ── Commands: refusals ──────────────────────────────────────────────────────────────────────────────────────────────

/// Somebody used a command outside a guild.
pub const ONLY_IN_GUILDS: &str = "This works in a Discord server only, not in direct messages.";

/// Somebody without the right to configure the bot tried to.
pub const NEEDS_MANAGE_SERVER: &str =
    "You need the permission **Manage Server** here for that. Ask somebody who has it.";

/// The bot failed. Nothing was done.
pub const FAILED: &str =
    "That did not work, because of a fault on my side. Please try again; if it stays, tell whoever operates me.";

/// A command of another version.
pub const UNKNOWN_COMMAND: &str = "I don't know that command any more. Restart your Discord client and try again.";

/// An option is missing or of a kind that Discord should not have sent.
#[must_use]
pub fn bad_option(name: &str) -> String {
    format!("The option `{name}` is missing or can't be read. Choose it from what is offered.")
}

/// No account is linked to the guild.
pub const NO_ACCOUNT_LINKED: &str = "No game-server account is linked here yet. Ask the account's owner for a one-time \
                                     code and use it with `/account link`.";

/// Several accounts are linked and none was chosen.
#[must_use]
pub fn which_account(names: &str) -> String {
    format!("Several accounts are linked here: {names}. Say whose events you mean with the option `account`.")
}

/// That account is not linked.
#[must_use]
pub fn account_not_linked(account: &str, linked: &str) -> String {
    format!("The account {account} is not linked here. Linked are: {linked}.")
}

/// Nothing was ever heard of that server.
#[must_use]
pub fn unknown_server(server: &str, known: &str) -> String {
    if known.is_empty() {
        format!(
            "I have heard of no server {server} yet: none of the account's servers has sent an event so far. Leave the \
             option `server` out to hear all of them."
        )
    } else {
        format!("I have heard of no server {server} yet. I know: {known}.")
    }
}

/// The bot can't post in a channel.
#[must_use]
pub fn missing_permissions(channel: u64, missing: &str) -> String {
    format!(
        "I can't post in <#{channel}>: I am missing {missing} there. Add that in the channel's settings under \
         Permissions, for my role, and try again."
    )
}

/// The gateway told of no such channel.
#[must_use]
pub fn channel_out_of_sight(channel: u64) -> String {
    format!(
        "I can't see <#{channel}>. Give me **View Channel** there (in a private thread: mention me in it once) and try \
         again."
    )
}

/// Everybody can't be mentioned by a bot's messages.
pub const NOT_EVERYONE: &str = "I don't mention @everyone. Choose a role.";

/// The bot may not mention that role.
#[must_use]
pub fn role_not_mentionable(role: u64) -> String {
    format!(
        "I may not mention <@&{role}>: allow anyone to mention that role in its settings, or give me **Mention \
         @everyone, @here, and All Roles** in the channel."
    )
}

/// An equal binding exists.
#[must_use]
pub fn already_bound(channel: u64) -> String {
    format!(
        "<#{channel}> hears exactly that already. If it refused me, I try again now; `/notify list` shows everything."
    )
}

/// No such binding in this guild.
pub const NO_SUCH_BINDING: &str = "There is no such entry here. `/notify list` shows what there is.";

// ── Commands: answers ───────────────────────────────────────────────────────────────────────────────────────────────

/// The guild is linked.
#[must_use]
pub fn linked(account: &str) -> String {
    format!(
        "✅ This Discord server is linked to **{account}**. Next: `/notify add` to choose which of its events go to \
         which channel."
    )
}

/// The guild was linked before.
#[must_use]
pub fn already_linked(account: &str) -> String {
    format!("This Discord server is linked to **{account}** already. The code was not used up.")
}

/// Nobody gave out such a code.
pub const CODE_UNKNOWN: &str = "I don't know that code. Check it for typing mistakes, or ask the account's owner for a \
                                new one.";

/// The code was used before.
pub const CODE_USED: &str = "That code was used already; each works once. Ask the account's owner for a new one.";

/// The code is too old.
pub const CODE_EXPIRED: &str = "That code has expired. Ask the account's owner for a new one.";

/// One linked account in a list.
#[must_use]
pub fn account_line(account: &str, linked_at: i64, state: &str) -> String {
    format!("**{account}** · linked <t:{linked_at}:D>\n{state}")
}

/// An account that no binding needs.
pub const ACCOUNT_IDLE: &str = "⚪ not in use yet: choose a channel for its events with `/notify add`";

/// An account that is about to be read.
pub const ACCOUNT_CONNECTING: &str = "🟠 connecting";

/// An account whose events are read.
#[must_use]
pub fn account_running(since: i64) -> String {
    format!("🟢 reading its events (connected <t:{since}:R>)")
}

/// An account that can't be read.
#[must_use]
pub fn account_trouble(reason: &str, since: i64) -> String {
    format!("🔴 can't be read: {reason}. I keep trying (it began <t:{since}:R>).")
}

/// A binding is there and hears events.
#[must_use]
pub fn bound(binding: &str) -> String {
    format!("✅ {binding}, from this moment on.")
}

/// A binding is there and waits for its account, for a reason where one is known.
#[must_use]
pub fn bound_later(binding: &str, why: Option<&str>) -> String {
    let why = why.map_or_else(
        || "I am still connecting to it: `/account list` shows how that goes.".to_owned(),
        |why| format!("It can't yet: {why}. I keep trying."),
    );
    format!("🕓 {binding}, as soon as the account can be read. {why}")
}

/// What a binding does.
#[must_use]
pub fn binding(channel: u64, kinds: &str, account: &str, server: Option<&str>, mention: Option<u64>) -> String {
    let server = server.map_or_else(|| "all servers".to_owned(), |server| format!("server **{server}**"));
    let mention = mention.map_or_else(String::new, |role| format!(", mentioning <@&{role}>"));
    format!("<#{channel}> hears **{kinds}** of **{account}** ({server}){mention}")
}

/// What whoever binds chat has to know.
pub const CHAT_WARNING: &str = "⚠️ Game servers don't tell team chat from global chat: what players say to their team \
                                is shown, too. Choose a channel that only the right people can read.";

/// Nothing is bound.
pub const NOTHING_BOUND: &str = "No channel hears anything yet. `/notify add` changes that.";

/// A binding in a list, with how it is doing.
#[must_use]
pub fn binding_line(id: i64, binding: &str, state: &str) -> String {
    format!("`#{id}` {binding}{state}")
}

/// A binding that no consumer covered so far.
pub const BINDING_WAITS: &str = "\n🕓 begins as soon as the account can be read: `/account list` says why it can't";

/// A binding whose channel refuses the bot.
#[must_use]
pub fn binding_stopped(reason: &str, since: i64) -> String {
    format!(
        "\n🔴 the channel refused me <t:{since}:R> ({reason}). Mend that, then repeat `/notify add` for \
         the channel: its events are kept, and I try again."
    )
}

/// A binding was removed.
#[must_use]
pub fn unbound(binding: &str) -> String {
    format!("🗑️ Removed: {binding}. What was due already is still shown.")
}

/// More than fits.
#[must_use]
pub fn and_more(count: usize) -> String {
    format!("… and {count} more")
}

/// No server was ever heard of.
pub const NO_SERVERS: &str = "I have heard of no game server yet. One appears here with its first event, once a channel \
                              hears its account (`/notify add`).";

/// What was last heard of a server.
#[must_use]
pub fn server_status(server: &str, account: &str, lifecycle: &str, heard: i64) -> String {
    format!("**{server}** · {account}\n{lifecycle} · last heard <t:{heard}:R>")
}

/// The last lifecycle event of a server.
#[must_use]
pub fn last_lifecycle(kind: Kind, at: i64) -> String {
    let said = match kind {
        Kind::ServerStopping => "🟠 said that it is about to stop",
        Kind::ServerStopped => "🔴 said that it has stopped",
        Kind::ServerWiped => "✨ was wiped",
        _ => "🟢 said that it is up",
    };
    format!("{said}, <t:{at}:R>")
}

/// A server that has told nothing of its own state so far.
pub const NO_LIFECYCLE: &str = "❔ has not said whether it is up";

/// What a status is worth.
pub const STATUS_REMARK: &str = "What the servers said last. One that crashes says nothing.";
