//! What the bot answers to those who ask how it goes with their channels: `/notify test` and `/why`.

use std::time::Duration;

use super::{count, duration};

// ── What hinders a channel ──────────────────────────────────────────────────────────────────────────────────────────

/// Discord refuses the bot itself.
pub const HALTED: &str = "Discord no longer takes my token, so I can't send anything anywhere. Tell whoever operates \
                          me; events are still recorded and none is lost.";

/// The channel refuses the bot.
#[must_use]
pub fn refused(reason: &str, since: i64, remedy: &str) -> String {
    format!("The channel refused me <t:{since}:R> ({reason}). {remedy}")
}

/// What to do about a channel that is gone.
pub const CHANNEL_GONE: &str = "It was deleted, or hidden from me: choose another with `/notify add`, and take this one \
                                off the list with `/notify remove`.";

/// What to do about a channel that the bot may not post in.
pub const CHANNEL_NEEDS_PERMISSIONS: &str = "Give me **View Channel**, **Send Messages** (in a thread **Send Messages in \
                                             Threads**) and **Embed Links** there, then use `/notify test`: what waits is \
                                             kept, and I try again.";

/// Discord's limits are reached.
#[must_use]
pub fn limited(wait: Duration) -> String {
    format!("Discord lets me post there again in {}.", duration(wait))
}

/// A message could not be sent so far.
#[must_use]
pub fn failing(attempts: u32, reason: &str, next: i64) -> String {
    let attempts = count(attempts.into(), "attempt");
    format!("{attempts} failed, the last with: {reason}. I keep trying (next <t:{next}:R>).")
}

// ── /notify test ────────────────────────────────────────────────────────────────────────────────────────────────────

/// The sample stands in the channel.
#[must_use]
pub fn sample_shown(channel: u64, link: Option<&str>) -> String {
    match link {
        Some(link) => format!("✅ It works: the sample stands in <#{channel}>. {link}"),
        None => format!("✅ It works: the sample was shown in <#{channel}>, and somebody has deleted it since."),
    }
}

/// Discord does not take the sample.
#[must_use]
pub fn sample_set_aside(channel: u64, reason: &str) -> String {
    format!(
        "🔴 Discord does not take the sample in <#{channel}>: {reason}. If AutoMod guards that channel, exempt my role \
         from it. Events go on to be tried; `/why` shows which were set aside."
    )
}

/// The sample could not be shown.
#[must_use]
pub fn sample_hindered(channel: u64, hindrance: &str) -> String {
    format!("🔴 The sample could not be shown in <#{channel}>. {hindrance}")
}

/// The sample is on its way, behind that many others, hindered by something or not.
#[must_use]
pub fn sample_waits(channel: u64, ahead: u64, hindrance: Option<&str>) -> String {
    let behind = match ahead {
        0 => String::new(),
        ahead => format!(", behind {}", count(ahead, "other")),
    };
    let hindrance = hindrance.map_or_else(String::new, |hindrance| format!(" {hindrance}"));
    format!("🕓 The sample is still on its way to <#{channel}>{behind}.{hindrance} `/why` tells how it goes on.")
}

/// There was a sample on its way already.
pub const SAMPLE_NOT_ADDED: &str = "An earlier sample was still on its way there, so I added none and waited for that.";

/// The binding is paused.
pub const SAMPLE_WHILE_PAUSED: &str = "⏸️ But this entry is paused: no event is shown until `/notify resume`.";

/// The channel can be told, but there is nothing to tell: `reason` is whole sentences.
#[must_use]
pub fn sample_without_account(account: &str, reason: &str) -> String {
    format!("⚠️ But I can't read the events of **{account}** now. {reason}")
}

/// Where a message stands.
#[must_use]
pub fn link(guild: u64, channel: u64, message: u64) -> String {
    format!("https://discord.com/channels/{guild}/{channel}/{message}")
}

// ── /why ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Nothing goes to that channel.
#[must_use]
pub fn nothing_goes_to(channel: u64) -> String {
    format!(
        "Nothing is sent to <#{channel}>. `/notify list` shows which channels hear something: choose one of them with \
         the option `binding`, or use `/why` there."
    )
}

/// Something hinders the channel, and that much waits.
#[must_use]
pub fn hindered(channel: u64, hindrance: &str, waiting: u64) -> String {
    let waiting = match waiting {
        0 => "Nothing waits for it.".to_owned(),
        1 => "1 item waits for it and is kept.".to_owned(),
        waiting => format!("{waiting} items wait for it and are kept."),
    };
    format!("🔴 <#{channel}> is told nothing at present. {hindrance} {waiting}")
}

/// That much is on its way, and nothing hinders it.
#[must_use]
pub fn on_its_way(channel: u64, waiting: u64) -> String {
    format!("🕓 {} on the way to <#{channel}> right now.", count(waiting, "item"))
}

/// Whatever there was to show was shown or set aside.
#[must_use]
pub fn nothing_waits(channel: u64) -> String {
    format!("🟢 Nothing waits to be shown in <#{channel}>.")
}

/// Nothing was shown, nor is anything to be.
#[must_use]
pub fn nothing_yet(channel: u64) -> String {
    format!("⚪ No event for <#{channel}> has come so far, as far back as I remember.")
}

/// Since when a binding hears events.
#[must_use]
pub fn covered_since(since: i64) -> String {
    format!("\nsince <t:{since}:f>")
}

/// A binding that does not hear anything yet.
pub const NOT_COVERED: &str = "\nnot yet: it begins when its account can be read";

/// The messages that were shown last, a line each.
#[must_use]
pub fn shown_last(lines: &str) -> String {
    format!("**Shown last**\n{lines}")
}

/// A message that was shown: when, what it tells of, and how long after the first of its events was stored.
#[must_use]
pub fn shown_message(at: i64, events: u64, others: u64, took: Option<Duration>, link: Option<&str>) -> String {
    let what = match (events, others) {
        (0, _) => "no event, but a sample or a notice of mine".to_owned(),
        (events, _) => count(events, "event"),
    };
    let took = took.map_or_else(String::new, |took| format!(", {} after the first was stored", short(took)));
    let link = link.map_or_else(|| " (deleted since)".to_owned(), |link| format!(" · [message]({link})"));
    format!("✅ <t:{at}:R>: {what}{took}{link}")
}

/// The messages that were set aside last, a line each.
#[must_use]
pub fn set_aside_last(lines: &str) -> String {
    format!("**Set aside, because Discord does not accept them**\n{lines}")
}

/// A message that was set aside.
#[must_use]
pub fn message_set_aside(at: i64, items: u64, reason: &str) -> String {
    format!("⛔ <t:{at}:R>: {}. {reason}", count(items, "item"))
}

/// No server of an account was ever heard.
#[must_use]
pub fn no_server_heard(account: &str) -> String {
    format!(
        "No game server of **{account}** has sent anything since I read its events. Ask the account's owner whether its \
         servers publish there."
    )
}

/// What the servers behind a binding sent last, a line each.
#[must_use]
pub fn servers_heard(binding: i64, lines: &str) -> String {
    format!("**What the servers sent last, and why I know of nothing that `#{binding}` showed of it**\n{lines}")
}

/// A server's last event, and why a binding did not show it.
#[must_use]
pub fn server_silent(server: &str, last: i64, why: &str) -> String {
    format!("**{server}** sent something <t:{last}:R>: {why}")
}

/// The binding is of another server.
pub const HEARS_ANOTHER_SERVER: &str = "another server than this entry's";

/// The binding did not hear anything then.
pub const SENT_BEFORE_IT_BEGAN: &str = "that was before this entry began";

/// The binding hears nothing for now.
pub const PAUSED: &str = "this entry is paused";

/// It was of other kinds, or shown and forgotten since.
pub const HEARS_OTHER_KINDS: &str = "not among the events that this entry hears, or shown longer ago than I remember";

/// What on an account's stream was no event.
#[must_use]
pub fn rejected(account: &str, reasons: &str) -> String {
    format!(
        "Of what came on the stream of **{account}** in the last 24 hours, I could not read: {reasons}. That is for \
         whoever publishes there."
    )
}

/// How many messages were no events for a reason, by the reason's name.
#[must_use]
pub fn rejected_for(number: u64, reason: &str) -> String {
    let why = match reason {
        "malformed_subject" => "a subject that is none",
        "outside_root" => "a subject outside of what I read",
        "not_an_event" => "a subject that names no event",
        other => other,
    };
    format!("{number} with {why}")
}

/// What an answer to `/why` is worth.
pub const WHY_REMARK: &str = "From what I still keep, which is some days. Of events that no game server published, I \
                              can't know. Two clocks are compared: nats-server's and mine.";

/// A duration, to the tenth of a second where it is short.
fn short(took: Duration) -> String {
    if took < Duration::from_secs(10) { format!("{:.1} seconds", took.as_secs_f64()) } else { duration(took) }
}
