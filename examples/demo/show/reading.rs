//! What somebody reads in a channel, counted as they would count it: in messages, and in the files beside them.

use discord_sim::{Message, Sim};

use crate::community::cast::SERVERS;

/// What a telling of an event begins with, whatever it tells; but for those in which several players are named.
const TELLINGS: [char; 17] =
    ['🟢', '🔄', '🟠', '🔴', '✨', '⌨', '💬', '🔨', '🕊', '🚩', '⚔', '💀', '⛏', '🎒', '📦', '🛠', '❔'];

/// Where the names end that stand in one telling.
const ENDS: [&str; 4] = [" joined", " left", " respawned", " reconnected"];

/// How many events can be read of in a message: in its file, where it has one, and else in its embeds.
pub(crate) fn events(discord: &Sim, message: &Message) -> usize {
    match file(discord, message) {
        Some(file) => file.lines().count(),
        None => message.embeds.iter().filter_map(|embed| embed.description.as_deref()).map(tellings).sum(),
    }
}

/// What each server said last of itself in a message's file, and is not seen without opening it.
pub(crate) fn hidden(discord: &Sim, message: &Message) -> Vec<String> {
    let file = file(discord, message).unwrap_or_default();
    let said = |server: &str| {
        let about = format!(" Server {server} ");
        let said = file.lines().rev().filter_map(|line| line.split_once("  "));
        said.map(|(_, said)| said).find(|said| said.contains(&about))
    };
    let seen: String = message.embeds.iter().filter_map(|embed| embed.description.as_deref()).collect();
    let seen = seen.replace("**", "");
    SERVERS.iter().filter_map(|server| said(server)).filter(|said| !seen.contains(said)).map(str::to_owned).collect()
}

/// The text of a message's file.
fn file(discord: &Sim, message: &Message) -> Option<String> {
    let (_, bytes) = discord.files(message).into_iter().next()?;
    String::from_utf8(bytes).ok()
}

fn tellings(text: &str) -> usize {
    text.lines().map(telling).sum()
}

fn telling(line: &str) -> usize {
    // In a catch-up, the time stands before it.
    let line = if line.starts_with("<t:") { line.split_once("> ").map_or(line, |(_, told)| told) } else { line };
    match line.chars().next() {
        // An incident that is over: what happened is listed in the message that closes it.
        Some('🟢') if [" is back", " has held for "].iter().any(|end| line.contains(end)) => 0,
        Some('🔁') if !line.contains(" reconnected") => 0,
        Some('i') => ["it said that", "it started"].iter().filter(|said| line.starts_with(**said)).count(),
        Some('📥' | '📤' | '🌅') => names(line),
        // They left and joined.
        Some('🔁') => 2 * names(line),
        Some(first) if TELLINGS.contains(&first) => times(line),
        _ => 0,
    }
}

fn names(line: &str) -> usize {
    let end = ENDS.iter().filter_map(|end| line.find(end)).min().unwrap_or(line.len());
    let names = line.get(..end).unwrap_or_default().split(", ").flat_map(|names| names.split(" and "));
    names.map(times).sum()
}

/// `(×3)` says that it happened three times.
fn times(told: &str) -> usize {
    let number = told.split_once("(×").and_then(|(_, rest)| rest.split_once(')'));
    number.and_then(|(number, _)| number.parse().ok()).unwrap_or(1)
}

/// Tellings that were counted by hand.
const COUNTED: [(&str, usize); 10] = [
    ("🟢 Server **Ironhaven** is up · <t:1:R>", 1),
    ("💬 **Vex** on **Ironhaven** · <t:1:R>\ngg, that was a clean raid", 1),
    ("⛏️ **Vex** gathered 20 wood on **Ironhaven** (×3) · <t:1:R>\n⛏️ **Pike** gathered 30 wood on **Ironhaven**", 4),
    ("📥 **Vex**, **Pike** (×2) and **Nova** joined **Ironhaven** · <t:1:R>", 4),
    ("📤 **Vex** left **Ironhaven**: Kicked\\: idle for too long · <t:1:R>", 1),
    ("🔁 **Vex** and **Nova** reconnected to **Ironhaven** · <t:1:R>", 4),
    (
        "**3 events** from <t:1:T> to <t:2:T>\n<t:1:T> 🔴 Server **Ironhaven** has stopped\n<t:1:T> 📥 **A** and **B** joined",
        3,
    ),
    ("🟢 Server **Ironhaven** is back after 5 seconds · <t:1:R>\n3 players were on it.", 0),
    ("🟢 Server **Ironhaven** has held for 2 seconds\n🔁 down 2 times in 3 seconds.\n<t:1:T> it started", 1),
    ("🟢 Server **Ironhaven** is back\n<t:1:T> it said that it has stopped\n<t:2:T> it started", 2),
];

/// A telling that is not counted as it was by hand.
pub(crate) fn miscounted() -> Option<String> {
    COUNTED.iter().find(|(text, events)| tellings(text) != *events).map(|(text, _)| (*text).to_owned())
}
