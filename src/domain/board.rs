//! A board: one message in a channel that always shows how servers stand and who is on them.
//!
//! What it shows changes only when something happened: moments that go on by themselves are left to the reader's own
//! clock, and those that change with each event are rounded.

use std::time::Duration;

use super::ids::{AccountName, ChannelId, GuildId, ServerId, UserId};
use super::outlook::Outlook;
use super::server_state::{ServerState, State};
use super::timestamp::Timestamp;

/// How many boards one guild may have.
pub const BOARDS_LIMIT: usize = 5;

/// How many servers may be chosen for a board: a command has an option for each.
pub const CHOSEN_LIMIT: usize = 5;

/// How exactly a board tells when a server was heard of last. More exactly, and each event would be an edit.
const HEARD_EXACT_TO: Duration = Duration::from_mins(5);

/// A board, as somebody wanted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    /// Its number.
    pub id: i64,
    /// Whose.
    pub guild: GuildId,
    /// Where it is.
    pub channel: ChannelId,
    /// The servers that it shows; `None` where that is all servers of its guild's accounts, later ones too.
    pub chosen: Option<Vec<(AccountName, ServerId)>>,
    /// Who wanted it.
    pub created_by: UserId,
    /// When.
    pub created_at: Timestamp,
}

/// What a board shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The servers, in a lasting order.
    pub servers: Vec<ShownServer>,
    /// How many servers there are beside these.
    pub more: usize,
    /// Why there are none, where there are none.
    pub if_none: NoServers,
}

/// Why a board has no servers to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoServers {
    /// None was heard of yet.
    Unheard,
    /// The guild hides all of them.
    Hidden,
    /// No account is linked to the guild any more.
    Unlinked,
    /// The accounts of those that were chosen are not linked any more.
    ChosenUnlinked,
}

/// A server on a board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownServer {
    /// Whose it is.
    pub account: AccountName,
    /// Which.
    pub id: ServerId,
    /// What the guild calls it.
    pub name: Option<String>,
    /// How it stands.
    pub state: ServerState,
    /// How far that can be relied upon.
    pub outlook: Outlook,
    /// When anything was last heard of it; `None` where nothing ever was.
    pub heard_at: Option<Timestamp>,
    /// When its world was wiped last.
    pub wiped_at: Option<Timestamp>,
    /// How many players are on it.
    pub online: u64,
    /// Those of them who came first, in that order.
    pub players: Vec<OnlinePlayer>,
}

/// A player who is on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnlinePlayer {
    /// The last name heard.
    pub name: Option<String>,
    /// Since when.
    pub since: Timestamp,
}

impl ShownServer {
    /// When it was heard of last, as exactly as a board tells that.
    #[must_use]
    pub fn heard_about(&self) -> Option<Timestamp> {
        self.heard_at.map(|heard| {
            let exact = i64::try_from(HEARD_EXACT_TO.as_nanos()).unwrap_or(i64::MAX);
            Timestamp::from_nanoseconds(heard.nanoseconds().div_euclid(exact) * exact)
        })
    }

    /// Whether what is known of it is how it is: what can't be seen is greyed out, and who was on it is not told.
    #[must_use]
    pub fn is_in_sight(&self) -> bool {
        self.outlook == Outlook::Seen && !matches!(self.state.state, State::Unknown | State::ContactLost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_it_was_heard_of_is_told_to_five_minutes_and_never_as_later_than_it_was() {
        let server = |heard_at| ShownServer {
            account: "GA-1".parse().unwrap(),
            id: "main".into(),
            name: None,
            state: ServerState::default(),
            outlook: Outlook::Seen,
            heard_at,
            wiped_at: None,
            online: 0,
            players: Vec::new(),
        };
        let at = |seconds: u64| Timestamp::default().plus(Duration::from_secs(seconds));
        for (heard, told) in [(0, 0), (299, 0), (300, 300), (301, 300), (3599, 3300)] {
            assert_eq!(server(Some(at(heard))).heard_about(), Some(at(told)));
        }
        let before = Timestamp::from_nanoseconds(-1);
        assert!(server(Some(before)).heard_about().unwrap() <= before);
        assert_eq!(server(None).heard_about(), None);
    }
}
