//! What commands answer, and what they refuse.

use std::time::Duration;

use super::told_together;
use crate::domain::style::Style;

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

/// Several accounts have a server of that name.
#[must_use]
pub fn which_accounts_server(server: &str, accounts: &str) -> String {
    format!("Several accounts have a server {server}: {accounts}. Say whose you mean with the option `account`.")
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

/// A binding is there and hears events.
#[must_use]
pub fn bound(binding: &str) -> String {
    format!("✅ {binding}, from this moment on.")
}

/// A binding is there and waits for its account, for a reason where one is known.
#[must_use]
pub fn bound_later(binding: &str, why: Option<&str>) -> String {
    let why = why_later(why);
    format!("🕓 {binding}, as soon as the account can be read. {why}")
}

/// Why something waits for its account.
pub(super) fn why_later(why: Option<&str>) -> String {
    why.map_or_else(
        || "I am still connecting to it: `/account list` shows how that goes.".to_owned(),
        |why| format!("It can't yet: {why} I keep trying."),
    )
}

/// What a binding does. That it tells events at once is not mentioned.
#[must_use]
pub fn binding(
    channel: u64,
    kinds: &str,
    account: &str,
    server: Option<&str>,
    mention: Option<u64>,
    (style, hold): (Style, Duration),
) -> String {
    let server = server.map_or_else(|| "all servers".to_owned(), |server| format!("server **{server}**"));
    let mention = mention.map_or_else(String::new, |role| format!(", mentioning <@&{role}>"));
    let style = match style {
        Style::Each => String::new(),
        Style::Grouped | Style::Quiet => format!(", **{}** ({})", style.name(), told_together(style, hold)),
    };
    format!("<#{channel}> hears **{kinds}** of **{account}** ({server}){mention}{style}")
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

/// A binding whose channel is told nothing.
#[must_use]
pub fn binding_stopped(hindrance: &str) -> String {
    format!("\n🔴 {hindrance}")
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
