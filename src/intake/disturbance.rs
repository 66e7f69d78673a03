//! Somebody meddles with our consumer: deletes it, or reads from it. Each time reading recovers at once, from the
//! position; when it goes on again and again, that is a state to tell of.

use std::fmt;
use std::time::Duration;

use crate::domain::fault::Fault;

/// An attachment that lives so long was not disturbed.
pub(super) const CALM: Duration = Duration::from_secs(15);

/// So many disturbances in a row are no accident.
const TOLERATED: u32 = 3;

/// Why to attach anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// The consumer was deleted.
    Deleted,
    /// A delivery is missing: it went to somebody else.
    Gap,
    /// The deliveries ended.
    Ended,
    /// A delivery says neither its number nor its time.
    Placeless,
    /// The pull failed.
    PullFailed,
    /// The server was silent.
    Silent,
    /// The position or the bindings changed under us.
    Fenced,
    /// The operator moved the position.
    Moved,
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Deleted => "the consumer was deleted",
            Self::Gap => "deliveries are missing: someone else reads from this consumer",
            Self::Ended => "the consumer's deliveries ended",
            Self::Placeless => "a delivery without its place in the stream",
            Self::PullFailed => "the pull failed",
            Self::Silent => "nats-server was silent",
            Self::Moved => "the operator moved the position",
            Self::Fenced => "another writer recorded meanwhile, or who hears the account changed",
        })
    }
}

/// How often in a row the consumer was meddled with.
#[derive(Debug, Default)]
pub(super) struct Disturbances {
    deletions: u32,
    thefts: u32,
}

impl Disturbances {
    /// Counts the end of an attachment that lived so long.
    pub(super) fn ended(&mut self, reason: Reason, lived: Duration) {
        if lived >= CALM {
            *self = Self::default();
        }
        match reason {
            Reason::Deleted => self.deletions += 1,
            Reason::Gap => self.thefts += 1,
            _ => {}
        }
    }

    /// Counts that, after deliveries stood still, `missed` events turned out to be waiting. Once may be chance, as they
    /// may have come that moment.
    pub(super) fn idled(&mut self, missed: bool) {
        if missed {
            self.thefts += TOLERATED - 1;
        } else {
            *self = Self::default();
        }
    }

    /// What to tell of it, once it is no accident any more.
    pub(super) fn fault(&self, stream: &str, durable: &str) -> Option<Fault> {
        let (stream, durable) = (stream.to_owned(), durable.to_owned());
        if self.deletions >= TOLERATED {
            Some(Fault::ConsumerDeleted { stream, durable })
        } else if self.thefts >= TOLERATED {
            Some(Fault::ConsumerShared { stream, durable })
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_is_told_and_what_happens_once_is_not() {
        let mut disturbances = Disturbances::default();
        let name = |disturbances: &Disturbances| disturbances.fault("S", "d").map(|fault| fault.name());
        for _ in 0..2 {
            disturbances.ended(Reason::Deleted, Duration::from_secs(1));
        }
        disturbances.ended(Reason::Ended, Duration::from_secs(1));
        assert_eq!(name(&disturbances), None);
        disturbances.ended(Reason::Deleted, Duration::from_secs(1));
        assert_eq!(name(&disturbances), Some("consumer_deleted"));
        disturbances.ended(Reason::Deleted, CALM);
        assert_eq!(name(&disturbances), None);
        for _ in 0..3 {
            disturbances.ended(Reason::Gap, Duration::ZERO);
        }
        assert_eq!(name(&disturbances), Some("consumer_shared"));
    }

    #[test]
    fn events_that_wait_after_silence_twice_were_taken_by_somebody() {
        let mut disturbances = Disturbances::default();
        disturbances.idled(true);
        assert_eq!(disturbances.fault("S", "d"), None);
        disturbances.idled(true);
        assert!(disturbances.fault("S", "d").is_some());
        disturbances.idled(false);
        assert_eq!(disturbances.fault("S", "d"), None);
    }
}
