//! How a message is worded, after what Discord said of it before.

use super::event::{Details, Event};
use super::ids::PlayerId;

/// How a message is worded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wording {
    /// As it is meant to be.
    Full,
    /// With nothing but text, because Discord did not accept it in full.
    Plain,
    /// Without what players wrote, their names among it, because a guild's `AutoMod` did not let it pass.
    Withheld,
}

impl Wording {
    /// Its name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Plain => "plain",
            Self::Withheld => "withheld",
        }
    }

    /// The wording of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Full, Self::Plain, Self::Withheld].into_iter().find(|wording| wording.name() == name)
    }
}

/// The event without what players wrote.
#[must_use]
pub fn withheld(event: &Event) -> Event {
    let details = match &event.details {
        Details::ServerCommand { by, .. } => {
            Details::ServerCommand { command: None, arguments: None, by: number(by.as_ref()) }
        }
        Details::PlayerDisconnected { .. } => Details::PlayerDisconnected { reason: None },
        Details::PlayerChatted { .. } => Details::PlayerChatted { message: None },
        Details::PlayerBanned { .. } => Details::PlayerBanned { reason: None },
        Details::PlayerReported { target, .. } => {
            Details::PlayerReported { target: number(target.as_ref()), subject: None, message: None, category: None }
        }
        other => other.clone(),
    };
    Event { player: number(event.player.as_ref()), player_name: None, details, ..event.clone() }
}

/// A player's id where it is a number: some games take a name that players choose.
fn number(player: Option<&PlayerId>) -> Option<PlayerId> {
    player.filter(|id| id.as_str().bytes().all(|byte| byte.is_ascii_digit())).cloned()
}
