//! What the bot answers to those who ask how it goes with their channels: what hinders them, and `/notify test`.

use std::time::Duration;

use super::{count, duration};

// ── What hinders a channel ──────────────────────────────────────────────────────────────────────────────────────────

/// Discord refuses the bot itself.
pub const HALTED: &str = "Discord no longer takes my token, so I can't send anything anywhere. Tell whoever operates \
                          me; what happens meanwhile is kept for as long as they allow, usually a day.";

/// The channel refuses the bot.
#[must_use]
pub fn refused(reason: &str, since: i64, remedy: &str) -> String {
    format!("The channel refused me <t:{since}:R> ({reason}). {remedy}")
}

/// The bot lacks permissions in the channel.
#[must_use]
pub fn lacking(reason: &str, since: i64) -> String {
    format!(
        "I have not been able to post there since <t:{since}:f>: {reason}. Give me that in the channel's settings under \
         Permissions, for my role: I notice it, and what waits is kept."
    )
}

/// When a channel that takes no messages is tried again, after why.
#[must_use]
pub fn tried_again(next: i64) -> String {
    format!(" The next try is <t:{next}:R>.")
}

/// The channel is gone, as Discord shows.
#[must_use]
pub fn gone(reason: &str, since: i64) -> String {
    format!(
        "Nothing can be shown there since <t:{since}:f>: {reason}. Choose another with `/notify add` (for members' pings \
         with `/board pings`), and take this one off the list with `/notify remove`."
    )
}

/// Too many requests were refused.
#[must_use]
pub fn stopped(wait: Duration) -> String {
    format!(
        "Discord has refused so much of late that I send nothing anywhere for {}, so that it does not ban me. Tell \
         whoever operates me; what happens meanwhile is kept.",
        duration(wait)
    )
}

/// What to do about a channel that is gone.
pub const CHANNEL_GONE: &str = "It was deleted, or hidden from me: choose another with `/notify add` (for members' pings \
                                with `/board pings`), and take this one off the list with `/notify remove`.";

/// What to do about a channel that the bot may not post in.
pub const CHANNEL_NEEDS_PERMISSIONS: &str = "Give me **View Channel**, **Send Messages** (in a thread **Send Messages in \
                                             Threads**) and **Embed Links** there, then use `/notify test` (for members' \
                                             pings `/board pings`): what waits is kept, and I try again.";

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
