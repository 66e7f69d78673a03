//! Every sentence the bot says, and nothing else: no layout, no cleaning, no decisions about who hears it.
//!
//! Arguments are shown as they are: what strangers wrote has been through `domain::text` before it comes here.
//! Results are markdown, as embed descriptions and message contents render it.

pub mod descriptions;

mod accounts;
mod answers;
mod asking;
mod boards;
mod condensed;
mod connecting;
mod declared;
mod events;
mod help;
mod incidents;
mod managing;
mod notices;
mod owning;
mod pings;
mod servers;
mod status;
mod why;

pub use self::accounts::*;
pub use self::answers::*;
pub use self::asking::*;
pub use self::boards::*;
pub use self::condensed::*;
pub use self::connecting::*;
pub use self::declared::*;
pub use self::events::*;
pub use self::help::*;
pub use self::incidents::*;
pub use self::managing::*;
pub use self::notices::*;
pub use self::owning::*;
pub use self::pings::*;
pub use self::servers::*;
pub use self::status::*;
pub use self::why::*;
use std::time::Duration;

use crate::domain::event::Group;
use crate::domain::style::Style;

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

/// A style with its hold, where one is chosen.
#[must_use]
pub fn style_choice(style: Style, hold: Duration) -> String {
    match style {
        Style::Each => "each: at once".to_owned(),
        Style::Grouped | Style::Quiet => format!("{}: {}", style.name(), told_together(style, hold)),
    }
}

/// How events are told that wait for others, within a sentence.
fn told_together(style: Style, hold: Duration) -> String {
    let sound = if style == Style::Quiet { ", without a sound" } else { "" };
    format!("told together after {}{sound}", duration(hold))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    #[test]
    fn no_sentence_lost_the_end_of_a_line() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/discord/words");
        let (mut lines, blanks) = (0, " ".repeat(2));
        for file in fs::read_dir(folder).unwrap() {
            for line in fs::read_to_string(file.unwrap().path()).unwrap().lines() {
                assert!(!line.trim().contains(&blanks), "{line}");
                lines += 1;
            }
        }
        assert!(lines > 1_000, "{lines}");
    }
}
