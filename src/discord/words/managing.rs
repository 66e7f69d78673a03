//! What is said when links and bindings are changed, when a list is long, and when a limit is reached.

use super::answers::why_later;
use super::count;
use crate::domain::event::Kind;

// ── Buttons and lists ───────────────────────────────────────────────────────────────────────────────────────────────

/// A button of another version, or one that nobody was shown.
pub const UNKNOWN_BUTTON: &str = "I don't know that button any more. Use the command again.";

/// The button that gives a question up.
pub const CANCEL: &str = "Cancel";

/// It was pressed.
pub const CANCELLED: &str = "Nothing was changed.";

/// The buttons to the page before and after.
pub const PREVIOUS_PAGE: &str = "◀";
/// See [`PREVIOUS_PAGE`].
pub const NEXT_PAGE: &str = "▶";

/// Where in a list this is.
#[must_use]
pub fn page(number: usize, of: usize) -> String {
    format!("Page {number} of {of}.")
}

// ── Unlinking ───────────────────────────────────────────────────────────────────────────────────────────────────────

/// Whether to end a link.
#[must_use]
pub fn unlink_question(account: &str, bindings: usize) -> String {
    let bindings = match bindings {
        0 => "No channel here hears it.".to_owned(),
        1 => "1 entry of `/notify list` goes with it.".to_owned(),
        more => format!("{more} entries of `/notify list` go with it."),
    };
    format!("Unlink **{account}** from this Discord server? {bindings} To link it again takes a new one-time code.")
}

/// The button that ends the link.
#[must_use]
pub fn unlink_button(account: &str) -> String {
    format!("Unlink {account}")
}

/// The link has ended.
#[must_use]
pub fn unlinked(account: &str, bindings: u64) -> String {
    let bindings = match bindings {
        0 => return format!("🗑️ **{account}** is no longer linked here."),
        1 => "1 entry of `/notify list`".to_owned(),
        more => format!("{more} entries of `/notify list`"),
    };
    format!(
        "🗑️ **{account}** is no longer linked here, and {bindings} went with it. What was due already is still shown."
    )
}

/// The link has ended before.
#[must_use]
pub fn not_linked_any_more(account: &str) -> String {
    format!("**{account}** is not linked here any more.")
}

// ── Editing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/// What a binding is to hear.
#[must_use]
pub fn edit_question(binding: &str) -> String {
    format!("{binding}. Choose all that it is to hear from now on, or how it is told:")
}

/// The select of kinds before anything is chosen.
pub const CHOOSE_KINDS: &str = "Which events";

/// A kind of event, where one is chosen.
#[must_use]
pub const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::ServerStarted => "Server is up",
        Kind::ServerStopping => "Server is about to stop",
        Kind::ServerStopped => "Server has stopped",
        Kind::ServerWiped => "Server was wiped",
        Kind::ServerCommand => "Player runs a command",
        Kind::PlayerConnected => "Player joins",
        Kind::PlayerDisconnected => "Player leaves",
        Kind::PlayerChatted => "Chat: everything players say, team chat included",
        Kind::PlayerRespawned => "Player respawns",
        Kind::PlayerBanned => "Player is banned",
        Kind::PlayerUnbanned => "Player is no longer banned",
        Kind::PlayerReported => "Player reports another",
        Kind::PlayerHit => "Player is hit or killed",
        Kind::PlayerGathered => "Player gathers something",
        Kind::PlayerItemPickup => "Player picks something up",
        Kind::PlayerItemLoot => "Player loots something",
        Kind::PlayerItemCrafted => "Player crafts something",
        Kind::Unknown => "Events that I have no words for, by their name",
    }
}

/// A binding tells its events in another style.
#[must_use]
pub fn restyled(binding: &str) -> String {
    format!("✅ {binding}: that is how I tell what comes from now on. What waits already is told as it was to be.")
}

/// A binding hears fewer kinds, and no others than before.
#[must_use]
pub fn narrowed(binding: &str) -> String {
    format!("✅ {binding}. What was due already is still shown.")
}

/// A binding hears more kinds.
#[must_use]
pub fn widened(binding: &str, new: &str) -> String {
    format!("✅ {binding}: **{new}** from this moment on, the rest as before.")
}

/// A binding is to hear more kinds, and these wait for its account, for a reason where one is known.
#[must_use]
pub fn widened_later(binding: &str, new: &str, why: Option<&str>) -> String {
    let why = why_later(why);
    format!("🕓 {binding}: **{new}** as soon as the account can be read, the rest as before. {why}")
}

/// Kinds of a binding that were chosen and that no consumer covered so far, in a list.
#[must_use]
pub fn kinds_wait(kinds: &str) -> String {
    format!("\n🕓 **{kinds}** begins as soon as the account can be read: `/account list` says why it can't")
}

/// A binding that is paused was changed.
#[must_use]
pub fn edited_while_paused(binding: &str) -> String {
    format!("✅ {binding}, once you resume it: it is paused, and nothing is kept for it until `/notify resume`.")
}

/// What was chosen is what it does.
#[must_use]
pub fn hears_that_already(binding: &str) -> String {
    format!("{binding}, as before. Nothing was changed.")
}

/// What was chosen is another binding.
#[must_use]
pub fn another_is_that(channel: u64) -> String {
    format!(
        "Nothing was changed: another entry for <#{channel}> is exactly that already. `/notify list` shows it; \
         `/notify remove` ends the one you don't need."
    )
}

// ── Listing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/// A binding whose account's events don't come through; `fault` is whole sentences.
#[must_use]
pub fn binding_without_account(account: &str, fault: &str) -> String {
    format!("\n🔴 I can't read the events of **{account}** now. {fault}")
}

/// How many events of a binding wait, and since when the first does.
#[must_use]
pub fn binding_has_waiting(events: u64, since: i64) -> String {
    let wait = if events == 1 { "waits" } else { "wait, the first" };
    format!("\n🕓 {} {wait} since <t:{since}:R>", count(events, "event"))
}

/// How many events of a binding are held, and until when: nothing is wrong.
#[must_use]
pub fn binding_holds(events: u64, until: i64) -> String {
    let are = if events == 1 { "is" } else { "are" };
    format!("\n🕓 {} {are} held, told <t:{until}:R>", count(events, "event"))
}

/// When a binding showed something last, and in which message, if that was not deleted at once.
#[must_use]
pub fn binding_shown_last(at: i64, link: Option<&str>) -> String {
    let link = link.map_or_else(String::new, |link| format!(" · [message]({link})"));
    format!("\n✅ shown last <t:{at}:R>{link}")
}

// ── Pausing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/// A binding was paused.
#[must_use]
pub fn paused(binding: &str) -> String {
    format!(
        "⏸️ Paused: {binding}. Until `/notify resume` nothing is kept for it, so what happens meanwhile is never shown. \
         What was due already is still shown."
    )
}

/// It was paused before.
#[must_use]
pub fn already_paused(since: i64) -> String {
    format!("That is paused already (<t:{since}:R>): nothing is kept for it until `/notify resume`.")
}

/// It is not paused.
pub const NOT_PAUSED: &str = "That is not paused. `/notify list` shows everything.";

/// A paused binding, in a list.
#[must_use]
pub fn binding_paused(since: i64) -> String {
    format!("\n⏸️ paused <t:{since}:R>: nothing is kept for it until `/notify resume`")
}

/// A paused binding, where one is chosen.
pub const PAUSED_CHOICE: &str = "paused";

/// An equal binding exists, and is paused.
#[must_use]
pub fn already_bound_but_paused(channel: u64) -> String {
    format!("<#{channel}> hears exactly that already, but it is paused: `/notify resume` ends that.")
}

/// An equal binding exists, and mentions another role, or none.
#[must_use]
pub fn already_bound_with_another_mention(channel: u64) -> String {
    format!(
        "<#{channel}> hears exactly that already, with another mention or none. To change that, end it with `/notify \
         remove` and add it again."
    )
}

/// An equal binding exists, and tells events in another style.
#[must_use]
pub fn already_bound_in_another_style(channel: u64) -> String {
    format!("<#{channel}> hears exactly that already, in another style. To change that, use `/notify edit`.")
}

// ── Limits ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/// The guild has as many bindings as it may have.
#[must_use]
pub fn too_many_bindings(most: usize) -> String {
    format!(
        "There are {most} entries in `/notify list`, and whoever operates me allows no more here. Let one hear more with \
         `/notify edit`, or end one with `/notify remove`."
    )
}

/// The guild has as many links as it may have.
#[must_use]
pub fn too_many_links(most: usize) -> String {
    format!(
        "Accounts linked here: {most}, and whoever operates me allows no more. End one with `/account unlink`. The code \
         was not used up."
    )
}

/// Somebody uses commands faster than a person would.
#[must_use]
pub fn too_many_commands(again: i64) -> String {
    format!("You have used more commands in a minute than whoever operates me allows. Try again <t:{again}:R>.")
}

/// Too many codes were wrong.
#[must_use]
pub fn too_many_wrong_codes(again: i64) -> String {
    format!(
        "Too many codes were wrong, so I take none for a while, not even a good one. Check yours with the account's owner, \
         and try again <t:{again}:R>."
    )
}
