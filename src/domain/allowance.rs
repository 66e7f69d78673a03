//! How often something may be done: so many times at once, and again as time passes.
//!
//! All that is kept of the past is the moment at which the whole allowance will be there again, so one moment for each
//! who has something to spend is enough, and one that has passed can be forgotten.

use std::time::Duration;

use super::timestamp::Timestamp;

/// So many times in each window, evenly: one that was spent comes back after the window's share of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    times: u32,
    window: Duration,
}

impl Allowance {
    /// `times` in a `window`, at least once.
    #[must_use]
    pub const fn new(times: u32, window: Duration) -> Self {
        Self { times: if times == 0 { 1 } else { times }, window }
    }

    /// Whether one more is allowed now, when the whole allowance is there again at `whole_at`; else the moment at which
    /// it is.
    pub fn check(&self, whole_at: Timestamp, now: Timestamp) -> Result<(), Timestamp> {
        let share = self.share();
        let used = self.bounded(whole_at, now).since(now);
        let room = self.window.saturating_sub(used);
        if room >= share { Ok(()) } else { Err(now.plus(share.saturating_sub(room))) }
    }

    /// When the whole allowance is there again after one more was spent.
    #[must_use]
    pub fn spend(&self, whole_at: Timestamp, now: Timestamp) -> Timestamp {
        self.bounded(self.bounded(whole_at, now).max(now).plus(self.share()), now)
    }

    /// Rounded down, so that all of them fit into the window.
    fn share(&self) -> Duration {
        self.window / self.times
    }

    /// No later than a window from now: a clock that is set back must not shut anybody out for longer.
    fn bounded(&self, whole_at: Timestamp, now: Timestamp) -> Timestamp {
        whole_at.min(now.plus(self.window))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_nanoseconds(seconds * 1_000_000_000)
    }

    #[test]
    fn all_may_be_spent_at_once_and_come_back_one_by_one() {
        let allowance = Allowance::new(3, MINUTE);
        let mut whole_at = at(0);
        for _ in 0..3 {
            assert_eq!(allowance.check(whole_at, at(100)), Ok(()));
            whole_at = allowance.spend(whole_at, at(100));
        }
        assert_eq!(whole_at, at(160));
        assert_eq!(allowance.check(whole_at, at(100)), Err(at(120)));
        assert_eq!(allowance.check(whole_at, at(119)), Err(at(120)));
        assert_eq!(allowance.check(whole_at, at(120)), Ok(()));
        whole_at = allowance.spend(whole_at, at(120));
        assert_eq!(allowance.check(whole_at, at(121)), Err(at(140)));
        assert_eq!(allowance.check(whole_at, at(1_000)), Ok(()));
    }

    #[test]
    fn whoever_goes_on_all_the_same_waits_no_longer_than_a_window() {
        let allowance = Allowance::new(3, MINUTE);
        let mut whole_at = at(0);
        for _ in 0..100 {
            whole_at = allowance.spend(whole_at, at(100));
        }
        assert_eq!(whole_at, at(160));
        // The clock was set back by an hour.
        assert_eq!(allowance.check(at(3_660), at(0)), Err(at(20)));
    }

    #[test]
    fn numbers_that_do_not_divide_the_window_are_reached() {
        let allowance = Allowance::new(7, Duration::from_secs(1));
        let mut whole_at = at(5);
        for _ in 0..7 {
            assert_eq!(allowance.check(whole_at, at(5)), Ok(()));
            whole_at = allowance.spend(whole_at, at(5));
        }
        assert!(allowance.check(whole_at, at(5)).is_err());
        assert_eq!(Allowance::new(0, MINUTE), Allowance::new(1, MINUTE));
    }
}
