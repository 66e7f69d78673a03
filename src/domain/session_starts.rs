//! Discord's allowance of new gateway sessions, and how it is made to last.

use std::time::Duration;

/// For how long an allowance lasts.
const DAY: Duration = Duration::from_hours(24);

/// How many sessions a bot may still begin: past that, Discord takes its token away.
/// <https://discord.com/developers/docs/events/gateway#session-start-limit-object>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionStarts {
    /// The whole allowance, 1,000 a day for most bots.
    pub total: u32,
    /// What is left of it.
    pub remaining: u32,
    /// When it is whole again.
    pub reset_after: Duration,
}

impl SessionStarts {
    /// How long to wait before a session for each of `shards` begins. The first half of the allowance is there to be
    /// used; the second is spread over the day, so that a bot that starts over and over, for whatever reason, slows down
    /// and never uses all of it.
    #[must_use]
    pub fn wait(&self, shards: u32) -> Duration {
        let Some(left) = self.remaining.checked_sub(shards) else { return self.reset_after };
        let half = self.total / 2;
        if left >= half {
            return Duration::ZERO;
        }
        self.reset_after.saturating_sub(DAY.mul_f64(f64::from(left) / f64::from(half)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn left(remaining: u32) -> SessionStarts {
        SessionStarts { total: 1_000, remaining, reset_after: DAY }
    }

    #[test]
    fn the_first_half_of_the_allowance_costs_no_wait() {
        assert_eq!(left(1_000).wait(1), Duration::ZERO);
        assert_eq!(left(501).wait(1), Duration::ZERO);
        assert_eq!(left(516).wait(16), Duration::ZERO);
        assert!(left(515).wait(16) > Duration::ZERO);
    }

    #[test]
    fn the_second_half_is_spread_over_the_day() {
        assert_eq!(left(500).wait(1), DAY / 500);
        assert_eq!(left(266).wait(16), DAY / 2);
        assert_eq!(SessionStarts { reset_after: DAY / 2, ..left(251) }.wait(1), Duration::ZERO, "it was used slowly");
        assert_eq!(left(15).wait(16), DAY, "not enough for every shard");
        assert_eq!(left(0).wait(1), DAY);
    }

    #[test]
    fn a_bot_that_starts_over_and_over_never_uses_all_of_it() {
        let (mut elapsed, mut starts) = (Duration::ZERO, left(1_000));
        while elapsed < DAY {
            elapsed += starts.wait(1) + Duration::from_secs(1);
            let reset_after = DAY.saturating_sub(elapsed);
            starts = SessionStarts { remaining: starts.remaining - 1, reset_after, ..starts };
        }
        assert!(starts.remaining < 10, "{starts:?}");
    }
}
