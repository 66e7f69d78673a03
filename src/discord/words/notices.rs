//! What the bot says in a channel beside events: that an account or another channel stopped, and samples.

use std::time::Duration;

/// What an event would look like. Roles are named where an event mentions them.
#[must_use]
pub fn sample(description: &str, roles: &[u64]) -> String {
    let roles = roles.iter().map(|role| format!("<@&{role}>")).collect::<Vec<_>>().join(", ");
    let mention = if roles.is_empty() { String::new() } else { format!("\nA real event mentions {roles}.") };
    format!("🧪 **Sample**: this did not happen, somebody used `/notify test`.\n{description}{mention}")
}

/// A server that does not exist, for samples of bindings that hear all servers.
pub const SAMPLE_SERVER: &str = "sample server";

/// A player who does not exist.
pub const SAMPLE_PLAYER: &str = "sample player";

/// What a player who does not exist says.
pub const SAMPLE_MESSAGE: &str = "Hello!";

/// Why a player who does not exist left, was banned or reported.
pub const SAMPLE_REASON: &str = "only a sample";

/// What happened that this version has no word for, in a sample.
pub const SAMPLE_EVENT: &str = "sample";

/// An account's events don't come through; `reason` is whole sentences.
#[must_use]
pub fn account_stopped(account: &str, since: i64, reason: &str) -> String {
    format!(
        "🔴 The events of **{account}** have not come through since <t:{since}:f>. {reason}\nI keep trying, and say so \
         here when they come again."
    )
}

/// An account's events come through again.
#[must_use]
pub fn account_resumed(account: &str, since: i64, until: i64) -> String {
    let out = Duration::from_secs(u64::try_from(until.saturating_sub(since)).unwrap_or(0));
    format!(
        "🟢 The events of **{account}** come through again. They did not from <t:{since}:f> to <t:{until}:f>, for {}. \
         What its stream still holds of that time is shown; nothing of it is lost.",
        duration(out)
    )
}

/// A channel takes no messages; `why` is whole sentences.
#[must_use]
pub fn channel_stopped(channel: u64, why: &str) -> String {
    format!("🔴 <#{channel}> gets no messages right now. {why}")
}

/// More channels than are told of take no messages.
#[must_use]
pub fn more_stopped(channels: &[u64]) -> String {
    let mut named: Vec<_> = channels.iter().take(STOPPED_LIMIT).map(|channel| format!("<#{channel}>")).collect();
    if channels.len() > STOPPED_LIMIT {
        named.push(super::and_more(channels.len() - STOPPED_LIMIT));
    }
    format!(
        "🔴 Channels that get no messages right now: {}. `/notify list` shows why, and `/board pings` for the one with pings.",
        named.join(" ")
    )
}

/// How many of them are named at most.
const STOPPED_LIMIT: usize = 20;

/// Above a message whose channel may have shown it before; at most 124 characters, so that it fits above the roles.
pub const POSSIBLY_REPEATED: &str =
    "⚠️ This may have been shown before: I lost Discord's answer and may not look here.";

/// A duration in its two largest units.
#[must_use]
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [("day", seconds / 86_400), ("hour", seconds / 3_600 % 24), ("minute", seconds / 60 % 60)];
    let first = units.iter().position(|(_, count)| *count > 0);
    let Some(first) = first else { return count(seconds, "second") };
    let largest = count(units[first].1, units[first].0);
    match units.get(first + 1) {
        Some((unit, number @ 1..)) => format!("{largest} {}", count(*number, unit)),
        _ => largest,
    }
}

/// A number of things, such as `1 event` or `2 events`.
#[must_use]
pub fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_told_in_its_two_largest_units() {
        for (seconds, told) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "1 minute"),
            (119, "1 minute"),
            (3_600, "1 hour"),
            (3_660, "1 hour 1 minute"),
            (7_325, "2 hours 2 minutes"),
            (86_400, "1 day"),
            (86_460, "1 day"),
            (183_600, "2 days 3 hours"),
        ] {
            assert_eq!(duration(Duration::from_secs(seconds)), told, "{seconds}");
        }
    }

    #[test]
    fn a_sample_says_what_it_is_before_it_says_anything_else() {
        let told = sample("🟢 Server **main** is up", &[1, 2]);
        let wanted = "🧪 **Sample**: this did not happen, somebody used `/notify test`.\n🟢 Server **main** is up\nA real \
                      event mentions <@&1>, <@&2>.";
        assert_eq!(told, wanted);
    }
}
