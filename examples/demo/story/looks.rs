//! What has to be so in the end. The expected lines are written out by hand: nothing here asks the bot's code.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use discord_sim::Message;

use super::stage::{Channel, Stage};
use crate::checks::Checks;

/// What the channels show in the end, from the oldest on, as it was posted but for the times.
const SHOWN: [(&str, &[&str]); 4] = [
    (
        "server-status",
        &[
            "🟢 Server **main** is up",
            "📥 **Ada** joined **main**",
            "📥 **＠everyone** joined **main**",
            r"📥 **\[free skins\]\(https\://skins\.example\)** joined **main**",
            "📥 **Zoe** joined **main**",
            r"📥 **Bob gnp\.exe** joined **main**",
            "📥 [76561198000000006](https://steamcommunity.com/profiles/76561198000000006) joined **main**",
            r"📤 **Ada** left **main**: Kicked\: too long idle",
            "✨ Server **main** was wiped: a fresh world awaits",
            "🔴 Server **main** has stopped\n5 players were on it.",
        ],
    ),
    (
        "chat",
        &[
            "💬 **Ada** on **main**\nhello! who is up for a \\*raid\\* tonight?",
            "💬 **＠everyone** on **main**\n＠everyone ＠here come to https\\://skins\\.example",
        ],
    ),
    ("creative", &["🟢 Server **creative** is up", "🔴 Server **creative** has stopped"]),
    (
        "everything",
        &[
            "🟢 Server **main** is up",
            "📥 **Ada** joined **main**",
            "📥 **＠everyone** joined **main**",
            r"📥 **\[free skins\]\(https\://skins\.example\)** joined **main**",
            "📥 **Zoe** joined **main**",
            r"📥 **Bob gnp\.exe** joined **main**",
            "📥 [76561198000000006](https://steamcommunity.com/profiles/76561198000000006) joined **main**",
            "💀 **Zoe** killed **Ada** from 112 metres away on **main**",
            r"🔨 **\[free skins\]\(https\://skins\.example\)** ([Steam](https://steamcommunity.com/profiles/76561198000000003)) was banned on **main**: spam",
            r"📤 **Ada** left **main**: Kicked\: too long idle",
            "✨ Server **main** was wiped: a fresh world awaits",
            r"❔ **meteor\.landed** on **main**",
            "🔴 Server **main** has stopped\n5 players were on it.",
        ],
    ),
];

/// What the players' network addresses begin with.
const ADDRESSES: &str = "203.0.113.";

/// How many events the bot shows one by one in a message.
const ALONE: usize = 10;

/// How long the last messages may take, and for how long nothing more may come after them.
const PATIENCE: Duration = Duration::from_secs(45);
const QUIET: Duration = Duration::from_millis(500);

/// Waits until no channel lacks more than one message shows event by event: of more, the bot tells several together.
pub(crate) async fn wait_for_the_first(stage: &Stage) {
    let begun = |_: &_| stage.channels.iter().all(|channel| expected(*channel).len() <= stage.count(*channel) + ALONE);
    stage.house.discord.wait_until(PATIENCE, "the first events are shown", begun).await.ok();
}

/// Waits until the channels show all they have to, or it took too long; then a moment longer, for what is too much.
pub(crate) async fn wait_for_everything(stage: &Stage) {
    // Some are edited after a while.
    let is_complete =
        |channel: &Channel| difference(&lines(&stage.house.discord.messages(channel.id)), expected(*channel)).is_none();
    let complete = |_: &_| stage.channels.iter().all(is_complete);
    // What is missing then is told line by line.
    stage.house.discord.wait_until(PATIENCE, "all events are shown", complete).await.ok();
    tokio::time::sleep(QUIET).await;
}

/// Checks what stands in the channels, and what must stand nowhere.
pub(crate) fn look(stage: &Stage, checks: &mut Checks) -> Result<()> {
    checks.note_answers();
    let mut all = Vec::new();
    for channel in &stage.channels {
        let messages = stage.house.discord.messages(channel.id);
        let place = format!("{} #{}", channel.community.name, channel.name);
        let expected = expected(*channel);
        checks.note(
            format!("{place} shows exactly its {} events, each once and in order", expected.len()),
            difference(&lines(&messages), expected),
        );
        checks.note(
            format!("{place} shows nothing of any account but {}", channel.account),
            stranger(&messages, channel.account),
        );
        let wanted: &[u64] = if channel.name == "creative" { &[stage.builders] } else { &[] };
        checks.note(
            match wanted {
                [] => format!("nobody is notified in {place}"),
                _ => format!("{place} notifies the role that its admin chose, and nobody else"),
            },
            wrongly_notified(&messages, wanted),
        );
        all.extend(messages);
    }
    let tells = |message: &&Message| message.raw.to_string().contains(ADDRESSES);
    checks.note("no message shows a player's address", all.iter().find(tells).map(|message| message.raw.to_string()));
    let leaks = files_with(stage.house.bot.home_folder(), ADDRESSES.as_bytes())?;
    let leaks = (!leaks.is_empty()).then(|| format!("it is in {leaks:?}"));
    checks.note("guildwire's database and log hold no player's address", leaks);
    let statistics = stage.house.discord.statistics();
    // A process that was killed does not know how much of a channel's allowance it has used up; that costs a 429.
    let refused = statistics.rejected.iter().find(|rejection| rejection.status != 429);
    let refused = refused.map(|rejection| format!("{}: {} {}", rejection.route, rejection.status, rejection.reason));
    checks.note("Discord refused nothing that guildwire sent", refused);
    Ok(())
}

fn expected(channel: Channel) -> &'static [&'static str] {
    SHOWN.iter().find(|(name, _)| *name == channel.name).map_or(&[], |(_, lines)| lines)
}

/// What the embeds say, without the times.
fn lines(messages: &[Message]) -> Vec<String> {
    let embeds = messages.iter().flat_map(|message| &message.embeds);
    embeds.map(|embed| without_time(embed.description.as_deref().unwrap_or_default())).collect()
}

fn without_time(description: &str) -> String {
    match description.split_once(" · <t:").map(|(before, rest)| (before, rest.split_once(":R>"))) {
        Some((before, Some((_, after)))) => format!("{before}{after}"),
        _ => description.to_owned(),
    }
}

fn difference(shown: &[String], expected: &[&str]) -> Option<String> {
    if shown == expected {
        return None;
    }
    let first = shown.iter().zip(expected).position(|(shown, expected)| shown != expected);
    let at = first.unwrap_or_else(|| shown.len().min(expected.len()));
    Some(format!(
        "{} are shown; number {} is {:?} instead of {:?}",
        shown.len(),
        at + 1,
        shown.get(at).map_or("missing", String::as_str),
        expected.get(at).unwrap_or(&"nothing"),
    ))
}

/// An embed whose footer names another account.
fn stranger(messages: &[Message], account: &str) -> Option<String> {
    let own = format!("{account} · ");
    let footers = messages.iter().flat_map(|message| &message.embeds).map(|embed| embed.footer.clone());
    footers.map(Option::unwrap_or_default).find(|footer| !footer.starts_with(&own))
}

fn wrongly_notified(messages: &[Message], roles: &[u64]) -> Option<String> {
    let wrong = |message: &&Message| {
        message.notified_everyone || !message.notified_users.is_empty() || message.notified_roles != roles
    };
    messages.iter().find(wrong).map(|message| format!("not so by {}", message.raw))
}

/// The files below `folder` that hold `bytes`.
fn files_with(folder: &Path, bytes: &[u8]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("looking into {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files_with(&path, bytes)?);
        } else if fs::read(&path).is_ok_and(|text| text.windows(bytes.len()).any(|window| window == bytes)) {
            found.push(path);
        }
    }
    Ok(found)
}
