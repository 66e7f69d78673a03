//! Every sentence the bot says, and nothing else: no layout, no cleaning, no decisions about who hears it.
//!
//! Arguments are shown as they are: what strangers wrote has been through `domain::text` before it comes here.
//! Results are markdown, as embed descriptions and message contents render it.

pub mod descriptions;

mod accounts;
mod answers;
mod asking;
mod condensed;
mod events;
mod help;
mod managing;
mod notices;

pub use self::accounts::*;
pub use self::answers::*;
pub use self::asking::*;
pub use self::condensed::*;
pub use self::events::*;
pub use self::help::*;
pub use self::managing::*;
pub use self::notices::*;
use crate::domain::event::Group;

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
