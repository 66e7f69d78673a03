//! How long a reader waits before it tries again: soon where time may heal, seldom where only a person can.

use std::time::Duration;

use crate::domain::fault::Fault;
use crate::domain::retry::backoff;

/// Over how long the first attempts are spread of those who lost their connections together.
const SPREAD: Duration = Duration::from_secs(2);

/// The first wait after a failure that followed another, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// The same for a refused credential. It will not become good by being tried, each try looks like an attack to whoever
/// watches over nats-server, and a changed account is tried at once.
const FIRST_WAIT_REFUSED: Duration = Duration::from_secs(10);
const LONGEST_WAIT_REFUSED: Duration = Duration::from_mins(5);

/// The failures of one reader, in a row.
#[derive(Debug, Default)]
pub(super) struct Pace {
    failures: u32,
    refusals: u32,
}

impl Pace {
    /// Whether anything failed since the last success.
    pub(super) const fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// Counts a failure and answers how long to wait after it; `random` is from 0 to 1.
    pub(super) fn failed(&mut self, fault: Option<&Fault>, random: f64) -> Duration {
        self.failures += 1;
        if fault.is_some_and(Fault::is_about_credential) {
            self.refusals += 1;
            return backoff(self.refusals, FIRST_WAIT_REFUSED, LONGEST_WAIT_REFUSED, random);
        }
        self.refusals = 0;
        match self.failures {
            1 => SPREAD.mul_f64(random),
            failures => backoff(failures - 1, FIRST_WAIT, LONGEST_WAIT, random),
        }
    }

    /// Says that reading went well.
    pub(super) const fn succeeded(&mut self) {
        (self.failures, self.refusals) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_fail_together_come_back_apart() {
        let first = |random| Pace::default().failed(Some(&Fault::Lost), random);
        assert_eq!((first(0.0), first(0.5), first(1.0)), (Duration::ZERO, SPREAD / 2, SPREAD));
    }

    #[test]
    fn waits_grow_to_their_cap_and_begin_anew_after_a_success() {
        let mut pace = Pace::default();
        let waits: Vec<_> = (0..12).map(|_| pace.failed(Some(&Fault::NoJetStream), 0.0)).collect();
        assert_eq!(waits[1..4], [FIRST_WAIT, FIRST_WAIT * 2, FIRST_WAIT * 4]);
        assert_eq!(waits[11], LONGEST_WAIT);
        assert!(pace.is_failing());
        pace.succeeded();
        assert!(!pace.is_failing());
        assert_eq!(pace.failed(None, 0.5), SPREAD / 2);
    }

    #[test]
    fn a_refused_credential_is_tried_every_few_minutes_at_most() {
        let refused = Fault::Refused { url: "nats://x".to_owned() };
        let mut pace = Pace::default();
        let waits: Vec<_> = (0..8).map(|_| pace.failed(Some(&refused), 0.0)).collect();
        assert_eq!(waits[..3], [FIRST_WAIT_REFUSED, FIRST_WAIT_REFUSED * 2, FIRST_WAIT_REFUSED * 4]);
        assert_eq!(waits[7], LONGEST_WAIT_REFUSED);
        // Another fault meanwhile, such as a restart of the server, is another matter.
        assert_eq!(pace.failed(Some(&Fault::Lost), 0.0), LONGEST_WAIT);
        assert_eq!(pace.failed(Some(&refused), 0.0), FIRST_WAIT_REFUSED);
    }
}
