//! What members wait for: a server that is back, so many players on it, its wipe. When that has come about is decided by
//! how the server stands, not by single events, so whatever is missed, repeated or out of order calls nobody twice.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ids::{ServerId, UserId};
use super::server_state::State;
use super::timestamp::Timestamp;

/// Up to how many users one message may mention:
/// <https://discord.com/developers/docs/resources/message#allowed-mentions-object>.
const USERS_LIMIT: usize = 100;

/// How many characters the mentions of one message may take together: of the content's 2,000, some are left for the
/// sentence that it may be a repetition.
const MENTIONS_LIMIT: usize = 1_870;

/// How many wishes one member may have in a guild, and how many all of a guild together.
pub const MOST_OF_MEMBER: i64 = 10;
/// See [`MOST_OF_MEMBER`].
pub const MOST_OF_GUILD: i64 = 2_000;

/// How far guildwire's clock, by which is asked, may be ahead of nats-server's, by which is wiped.
const APART: Duration = Duration::from_secs(5);

/// What a member waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// The server is back after it was down.
    Back,
    /// At least so many players are on.
    Players(u32),
    /// Its world was wiped.
    Wiped,
}

impl Wish {
    /// The names of all of them, in the order people are offered them.
    pub const NAMES: [&str; 3] = ["back", "players", "wiped"];

    /// What is typed and kept in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Back => Self::NAMES[0],
            Self::Players(_) => Self::NAMES[1],
            Self::Wiped => Self::NAMES[2],
        }
    }

    /// For how many players it waits; 0 for the others.
    #[must_use]
    pub const fn players(self) -> u32 {
        match self {
            Self::Players(players) => players,
            Self::Back | Self::Wiped => 0,
        }
    }

    /// The wish of that name; `players` counts for one alone, and has to be some.
    #[must_use]
    pub fn from_name(name: &str, players: u32) -> Option<Self> {
        match Self::NAMES.iter().position(|known| *known == name)? {
            0 => Some(Self::Back),
            1 => (players > 0).then_some(Self::Players(players)),
            _ => Some(Self::Wiped),
        }
    }
}

/// How a server stands, as far as anybody waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether it runs.
    pub state: State,
    /// How many players are on.
    pub players: u32,
    /// When its world was wiped last, if that was heard.
    pub wiped_at: Option<Timestamp>,
}

/// How far what a member waits for has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Whether it has still to come about. Of a wipe, `wiped_at` says that.
    pub armed: bool,
    /// The last wipe that the member knows of, or when they began to wait for one.
    pub wiped_at: Option<Timestamp>,
    /// When they were pinged last.
    pub pinged_at: Option<Timestamp>,
}

impl Progress {
    /// That of a wish which is made at that moment: what is so already is not waited for, nor is a wipe of before that is
    /// heard of only later.
    #[must_use]
    pub fn begin(wish: Wish, now: &Standing, at: Timestamp) -> Self {
        let armed = match wish {
            Wish::Back => is_down(now.state),
            Wish::Players(wanted) => now.players < wanted,
            Wish::Wiped => true,
        };
        let wiped_at = if wish == Wish::Wiped { now.wiped_at.max(Some(at.minus(APART))) } else { now.wiped_at };
        Self { armed, wiped_at, pinged_at: None }
    }

    /// How far it has come once the server stands like that, and whether the member is to be pinged. Who was pinged less
    /// than `cooldown` ago is not, and what came about meanwhile is no news afterwards.
    #[must_use]
    pub fn after(self, wish: Wish, now: &Standing, at: Timestamp, cooldown: Duration) -> (Self, bool) {
        let (next, has_come) = match wish {
            Wish::Back if is_down(now.state) => (Self { armed: true, ..self }, false),
            Wish::Back if now.state == State::Online => (Self { armed: false, ..self }, self.armed),
            Wish::Back => (self, false),
            Wish::Players(wanted) => {
                (Self { armed: now.players < wanted, ..self }, self.armed && now.players >= wanted)
            }
            Wish::Wiped => (Self { wiped_at: self.wiped_at.max(now.wiped_at), ..self }, self.wiped_at < now.wiped_at),
        };
        let is_told = has_come && self.pinged_at.is_none_or(|pinged| at.since(pinged) >= cooldown);
        (if is_told { Self { pinged_at: Some(at), ..next } } else { next }, is_told)
    }
}

const fn is_down(state: State) -> bool {
    matches!(state, State::Stopping | State::Offline | State::ContactLost)
}

/// What a message tells those who waited for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// On which server it came about.
    pub server: ServerId,
    /// What the guild calls the server, where it gave it a name.
    pub name: Option<String>,
    /// What came about.
    pub news: News,
    /// When that was seen.
    pub at: Timestamp,
    /// Who waited for it.
    pub users: Vec<UserId>,
}

/// What came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// The server is back.
    Back,
    /// So many players are on.
    Players(u32),
    /// Its world was wiped, at that moment.
    Wiped(Timestamp),
}

impl News {
    /// What came about for those with that wish, by how the server stands.
    #[must_use]
    pub fn of(wish: Wish, now: &Standing) -> Self {
        match wish {
            Wish::Back => Self::Back,
            Wish::Players(_) => Self::Players(now.players),
            Wish::Wiped => Self::Wiped(now.wiped_at.unwrap_or_default()),
        }
    }
}

/// How many of those users, the first ones, one message mentions.
#[must_use]
pub fn mentioned_at_once(users: impl IntoIterator<Item = UserId>) -> usize {
    let mut length = 0;
    let fits = |user: &UserId| {
        // `<@` and `>`: each is shown as a field of its own, so nothing has to stand between them.
        length += user.to_string().len() + 3;
        length <= MENTIONS_LIMIT
    };
    users.into_iter().take(USERS_LIMIT).take_while(fits).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOLDOWN: Duration = Duration::from_hours(1);

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_nanoseconds(minute * 60_000_000_000)
    }

    const fn standing(state: State, players: u32) -> Standing {
        Standing { state, players, wiped_at: None }
    }

    /// In which of those minutes a member is pinged whose wish was made at the first.
    fn pinged(wish: Wish, course: &[(i64, Standing)]) -> Vec<i64> {
        let mut progress = Progress::begin(wish, &course[0].1, at(course[0].0));
        let mut pinged = Vec::new();
        for (minute, standing) in course {
            let (next, is_pinged) = progress.after(wish, standing, at(*minute), COOLDOWN);
            progress = next;
            pinged.extend(is_pinged.then_some(*minute));
        }
        pinged
    }

    #[test]
    fn who_waits_for_a_server_is_pinged_once_when_it_is_back() {
        use State::{ContactLost, Offline, Online, Stopping, Unknown};
        let course = |states: &[(i64, State)]| {
            let course: Vec<_> = states.iter().map(|(minute, state)| (*minute, standing(*state, 0))).collect();
            pinged(Wish::Back, &course)
        };
        assert_eq!(course(&[(0, Online), (1, Online)]), [0; 0], "it was there all along");
        assert_eq!(course(&[(0, Unknown), (1, Online)]), [0; 0], "nobody knows whether it was down");
        for down in [Stopping, Offline, ContactLost] {
            assert_eq!(course(&[(0, down), (1, down), (2, Online), (3, Online)]), [2]);
            assert_eq!(course(&[(0, Online), (1, down), (2, Unknown), (3, Online)]), [3]);
        }
        let loops = [(0, Offline), (1, Online), (2, Offline), (3, Online), (70, Online), (80, Offline), (81, Online)];
        assert_eq!(course(&loops), [1, 81], "what fell into the cooldown is not told when that is over");
    }

    #[test]
    fn who_waits_for_players_is_pinged_when_so_many_are_on_and_not_again_while_they_are() {
        let course = |counts: &[(i64, u32)]| {
            let course: Vec<_> = counts.iter().map(|(minute, on)| (*minute, standing(State::Online, *on))).collect();
            pinged(Wish::Players(10), &course)
        };
        assert_eq!(course(&[(0, 9), (1, 10), (2, 11)]), [1]);
        assert_eq!(course(&[(0, 12), (1, 30)]), [0; 0], "so many were on when it was asked for");
        assert_eq!(course(&[(0, 12), (1, 9), (2, 10)]), [2]);
        assert_eq!(course(&[(0, 0), (1, 10), (2, 9), (3, 10), (61, 10), (62, 9), (63, 10)]), [1, 63]);
    }

    #[test]
    fn who_waits_for_a_wipe_is_pinged_for_those_that_come() {
        let wiped = |minute, wiped| (minute, Standing { wiped_at: wiped, ..standing(State::Online, 0) });
        assert_eq!(pinged(Wish::Wiped, &[wiped(0, None), wiped(1, Some(at(1))), wiped(2, Some(at(1)))]), [1]);
        assert_eq!(pinged(Wish::Wiped, &[wiped(0, Some(at(-9))), wiped(1, Some(at(-9)))]), [0; 0]);
        let course = [wiped(0, None), wiped(1, Some(at(1))), wiped(9, Some(at(9))), wiped(90, Some(at(9)))];
        assert_eq!(pinged(Wish::Wiped, &course), [1], "the second fell into the cooldown");
        assert_eq!(pinged(Wish::Wiped, &[wiped(0, Some(at(5))), wiped(1, None), wiped(2, Some(at(3)))]), [0; 0]);
        let course = [wiped(5, None), wiped(6, Some(at(4))), wiped(7, Some(at(7)))];
        assert_eq!(
            pinged(Wish::Wiped, &course),
            [7],
            "the first was over when it was asked for, and heard of after that"
        );
    }

    #[test]
    fn a_wish_is_known_by_its_name() {
        for wish in [Wish::Back, Wish::Players(20), Wish::Wiped] {
            assert_eq!(Wish::from_name(wish.name(), wish.players()), Some(wish));
        }
        assert_eq!(Wish::from_name("players", 0), None);
        assert_eq!(Wish::from_name("down", 1), None);
    }

    #[test]
    fn a_message_mentions_no_more_than_its_content_holds() {
        let users = |id, count| (0..count).map(move |_| UserId(id));
        assert_eq!(mentioned_at_once(users(1, 0)), 0);
        assert_eq!(mentioned_at_once(users(1, 250)), USERS_LIMIT);
        let (today, last) =
            (mentioned_at_once(users(1_440_000_000_000_000_000, 250)), mentioned_at_once(users(u64::MAX, 250)));
        assert_eq!((today, last), (85, 81));
        assert!(last * "<@18446744073709551615>".len() <= MENTIONS_LIMIT);
    }
}
