//! When to stop asking Discord: so many refusals that it may ban the address.
//!
//! Discord bans an address that was answered 10,000 times with 401, 403 or 429 within ten minutes:
//! <https://discord.com/developers/docs/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans>. Nothing that works
//! as it should comes near a tenth of that, so at a tenth something goes on that nobody has thought of.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The time that Discord counts within.
const WINDOW: Duration = Duration::from_mins(10);

/// How many refusals within it stop everything, and how few let it go on.
const MOST: usize = 1_000;
const FEW: usize = MOST / 2;

/// Counts refusals.
#[derive(Debug, Default)]
pub struct Breaker {
    /// The last ones, at most [`MOST`].
    refusals: VecDeque<Instant>,
    is_tripped: bool,
}

impl Breaker {
    /// Counts a refusal. `true` when it is the one that stops everything.
    pub fn count(&mut self, now: Instant) -> bool {
        self.forget(now);
        if self.refusals.len() >= MOST {
            self.refusals.pop_front();
        }
        self.refusals.push_back(now);
        let trips = !self.is_tripped && self.refusals.len() >= MOST;
        self.is_tripped |= trips;
        trips
    }

    /// For how long nothing may be sent from now on, if nothing may: until few enough refusals are left.
    pub fn closed_for(&mut self, now: Instant) -> Option<Duration> {
        self.forget(now);
        if !self.is_tripped {
            return None;
        }
        let too_many = self.refusals.len().checked_sub(FEW)?;
        let last = self.refusals.get(too_many)?;
        Some((*last + WINDOW).saturating_duration_since(now))
    }

    /// Whether it is over with a stop.
    pub fn recovers(&mut self, now: Instant) -> bool {
        self.forget(now);
        let recovers = self.is_tripped && self.refusals.len() < FEW;
        self.is_tripped &= !recovers;
        recovers
    }

    fn forget(&mut self, now: Instant) {
        while self.refusals.front().is_some_and(|at| now.saturating_duration_since(*at) >= WINDOW) {
            self.refusals.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Refusals from a moment on, one each time that `apart` has passed; how many of them stopped everything.
    fn refuse(breaker: &mut Breaker, from: Instant, apart: Duration, count: u32) -> usize {
        (0..count).filter(|number| breaker.count(from + apart * *number)).count()
    }

    #[test]
    fn a_thousand_refusals_within_ten_minutes_stop_everything_once() {
        let (mut breaker, start) = (Breaker::default(), Instant::now());
        assert_eq!(refuse(&mut breaker, start, SECOND / 2, 999), 0);
        assert_eq!(breaker.closed_for(start + SECOND * 500), None);
        assert!(!breaker.recovers(start + SECOND * 500));
        assert!(breaker.count(start + SECOND * 500));
        assert!(!breaker.count(start + SECOND * 500), "once");
        assert!(!breaker.recovers(start + SECOND * 500));
    }

    #[test]
    fn fewer_in_any_ten_minutes_are_no_reason() {
        let (mut breaker, start) = (Breaker::default(), Instant::now());
        // A hundred a minute is a thousand in ten minutes; this is a little less.
        assert_eq!(refuse(&mut breaker, start, SECOND * 601 / 1000, 10_000), 0);
    }

    #[test]
    fn it_goes_on_when_half_of_them_are_forgotten() {
        let (mut breaker, start) = (Breaker::default(), Instant::now());
        assert_eq!(refuse(&mut breaker, start, SECOND / 10, 1_000), 1);
        // The 501st was at 50.0 seconds.
        let now = start + SECOND * 100;
        let opens = now + breaker.closed_for(now).unwrap();
        assert_eq!(opens, start + WINDOW + SECOND * 50);
        assert!(!breaker.recovers(start + WINDOW + SECOND * 49));
        assert!(breaker.recovers(opens));
        assert_eq!(breaker.closed_for(opens), None);
        assert!(!breaker.recovers(opens), "once");
    }

    #[test]
    fn refusals_meanwhile_put_it_off() {
        let (mut breaker, start) = (Breaker::default(), Instant::now());
        refuse(&mut breaker, start, Duration::ZERO, 1_000);
        refuse(&mut breaker, start + SECOND * 300, Duration::ZERO, 5_000);
        assert_eq!(breaker.closed_for(start + SECOND * 300), Some(WINDOW));
        assert!(!breaker.recovers(start + WINDOW));
        assert!(breaker.recovers(start + SECOND * 900));
    }
}
