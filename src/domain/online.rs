//! Who is on a server: what a player's coming and going comes to.
//!
//! Publishers send what matters less last, so that somebody left is told minutes late, and often after the same player
//! came again. And they repeat themselves. So the order alone says nothing, and the table is this:
//!
//! | the player is | comes | leaves |
//! | --- | --- | --- |
//! | not there | is there | – |
//! | there, and it is a repetition (10 seconds) | – | |
//! | there | is there since then; the end of the earlier stay may come for 10 minutes | is gone |
//! | there, and the end of an earlier stay may still come | the same, anew | stays; that end has come |
//! | there, and what happened is older than that | – | – |
//!
//! A departure that never comes leaves the player on the server until that stops.

use std::time::Duration;

use super::timestamp::Timestamp;

/// How many players are kept of a server: those that came last.
pub const MOST_PLAYERS: usize = 1_000;

/// Within this time of nats-server's, a player who comes again is told of twice.
const REPEATED_WITHIN: Duration = Duration::from_secs(10);

/// For how long the end of an earlier stay is waited for.
const LATE: Duration = Duration::from_mins(10);

/// A player's being on a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    /// Since when, in nats-server's time.
    pub since: Timestamp,
    /// Until when the end of an earlier stay may come, where there was one.
    pub earlier_end_until: Option<Timestamp>,
}

/// What a player did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Came.
    Connected,
    /// Left.
    Disconnected,
}

/// What is known of a player after a move that was stored `at`; `None` is somebody who is not there.
#[must_use]
pub fn after(known: Option<Stay>, what: Move, at: Timestamp) -> Option<Stay> {
    let Some(stay) = known else {
        return (what == Move::Connected).then_some(Stay { since: at, earlier_end_until: None });
    };
    if at < stay.since {
        return Some(stay);
    }
    match what {
        Move::Connected if at.since(stay.since) <= REPEATED_WITHIN => Some(stay),
        Move::Connected => Some(Stay { since: at, earlier_end_until: Some(at.plus(LATE)) }),
        Move::Disconnected if stay.earlier_end_until.is_some_and(|until| at <= until) => {
            Some(Stay { earlier_end_until: None, ..stay })
        }
        Move::Disconnected => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Move::{Connected, Disconnected};
    use super::*;

    fn at(second: u64) -> Timestamp {
        Timestamp::default().plus(Duration::from_secs(second))
    }

    fn stay(since: u64, earlier_end_until: Option<u64>) -> Stay {
        Stay { since: at(since), earlier_end_until: earlier_end_until.map(at) }
    }

    #[test]
    fn each_cell_of_the_table() {
        for (known, what, second, then) in [
            (None, Connected, 100, Some(stay(100, None))),
            (None, Disconnected, 100, None),
            // A repetition.
            (Some(stay(100, None)), Connected, 110, Some(stay(100, None))),
            (Some(stay(100, Some(700))), Connected, 100, Some(stay(100, Some(700)))),
            // The end of an earlier stay is still to come.
            (Some(stay(100, None)), Connected, 111, Some(stay(111, Some(711)))),
            (Some(stay(100, Some(700))), Connected, 300, Some(stay(300, Some(900)))),
            (Some(stay(111, Some(711))), Disconnected, 111, Some(stay(111, None))),
            (Some(stay(111, Some(711))), Disconnected, 711, Some(stay(111, None))),
            // It does not come any more.
            (Some(stay(111, Some(711))), Disconnected, 712, None),
            (Some(stay(100, None)), Disconnected, 100, None),
            (Some(stay(100, None)), Disconnected, 100_000, None),
            // Older than what is known.
            (Some(stay(100, None)), Connected, 50, Some(stay(100, None))),
            (Some(stay(100, None)), Disconnected, 99, Some(stay(100, None))),
            (Some(stay(100, Some(700))), Disconnected, 99, Some(stay(100, Some(700)))),
        ] {
            assert_eq!(after(known, what, at(second)), then, "{known:?} {what:?} {second}");
        }
    }

    #[test]
    fn whoever_leaves_and_comes_again_stays_in_whatever_order_that_is_told_and_leaves_when_it_is_over() {
        let told =
            |moves: &[(Move, u64)]| moves.iter().fold(None, |known, (what, second)| after(known, *what, at(*second)));
        for moves in [
            [(Connected, 0), (Disconnected, 60), (Connected, 90)],
            [(Connected, 0), (Connected, 90), (Disconnected, 400)],
        ] {
            assert_eq!(told(&moves), Some(stay(90, None)), "{moves:?}");
            let mut over = moves.to_vec();
            over.push((Disconnected, 2_000));
            assert_eq!(told(&over), None, "{over:?}");
        }
        let both_ends_last = [(Connected, 0), (Connected, 90), (Disconnected, 400), (Disconnected, 400)];
        assert_eq!(told(&both_ends_last), None);
    }
}
