//! What people are told of a server: how it stands, or that it can't be seen. An old state is not shown as a fresh one.

use std::time::Duration;

use super::server_state::{ServerState, State};
use super::timestamp::Timestamp;

/// For how long it counts as seen that a server runs, or stops, after its last event or after its connection was last seen.
pub const FRESH: Duration = Duration::from_mins(15);

/// How far a server's state can be relied upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlook {
    /// It is as it was noted.
    Seen,
    /// guildwire can't read the account: nothing newer than that moment is known.
    Blind {
        /// Since when.
        since: Timestamp,
    },
    /// It was running, or about to stop, nothing was heard of it since then, and its connection can't be seen.
    Unheard {
        /// Since when.
        since: Timestamp,
    },
}

/// How far `state` can be relied upon `now`. `heard_at` is when the server's last event was stored, `connection_seen_at`
/// when its connection was last looked at and was there, `blind_since` since when its account can't be read, if it can't.
#[must_use]
pub fn outlook(
    state: ServerState,
    heard_at: Timestamp,
    connection_seen_at: Option<Timestamp>,
    blind_since: Option<Timestamp>,
    now: Timestamp,
) -> Outlook {
    if let Some(since) = blind_since {
        return Outlook::Blind { since };
    }
    let last = connection_seen_at.map_or(heard_at, |seen| seen.max(heard_at));
    // Not every publisher says that its server has stopped after it said that it is about to.
    let may_run = matches!(state.state, State::Online | State::Stopping);
    if may_run && now.since(last) > FRESH {
        return Outlook::Unheard { since: last };
    }
    Outlook::Seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::server_state::Cause;

    fn at(minute: u64) -> Timestamp {
        Timestamp::default().plus(Duration::from_mins(minute))
    }

    #[test]
    fn a_running_server_of_which_nothing_is_heard_or_seen_is_out_of_sight_and_one_that_stopped_stays_stopped() {
        let online = ServerState {
            state: State::Online,
            since: Some(at(0)),
            cause: Some(Cause::Heard),
            ..ServerState::default()
        };
        assert_eq!(outlook(online, at(0), None, None, at(15)), Outlook::Seen);
        assert_eq!(outlook(online, at(0), None, None, at(16)), Outlook::Unheard { since: at(0) });
        assert_eq!(outlook(online, at(0), Some(at(10)), None, at(16)), Outlook::Seen);
        assert_eq!(outlook(online, at(12), Some(at(10)), None, at(28)), Outlook::Unheard { since: at(12) });
        let stopping = ServerState { state: State::Stopping, ..online };
        assert_eq!(outlook(stopping, at(0), None, None, at(15)), Outlook::Seen);
        assert_eq!(outlook(stopping, at(0), None, None, at(16)), Outlook::Unheard { since: at(0) });
        assert_eq!(outlook(stopping, at(0), Some(at(10)), None, at(16)), Outlook::Seen);
        let offline = ServerState { state: State::Offline, ..online };
        assert_eq!(outlook(offline, at(0), None, None, at(600)), Outlook::Seen);
        assert_eq!(outlook(offline, at(0), None, Some(at(500)), at(600)), Outlook::Blind { since: at(500) });
    }
}
