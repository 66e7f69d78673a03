//! How far an account's stream is recorded, and what an event that arrives means for it.
//!
//! The position in the database is the truth; the durable consumer is set back to it at every attach. Three rules
//! hold this together, each measured to lose thousands of events when left out: an event is old only if *both* its
//! sequence and its stored time are not beyond the position (a rolled-back stream gives sequences out again); the
//! consumer's own sequence must count up without a gap (someone else pulled, or the server forgot); and the first
//! event handed out must be the recorded one (the anchor), else the stream is not the one that was recorded.

use super::timestamp::Timestamp;

/// The last recorded event of a stream. `last_time` is the latest stored time ever recorded, so that a stream that
/// starts over, or a server's clock that is set back, can be told from a redelivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The stream sequence of the last recorded event; 0 when the stream was empty.
    pub last_sequence: u64,
    /// The latest stored time of all that is recorded.
    pub last_time: Timestamp,
}

impl Position {
    /// Whether an event is recorded already.
    #[must_use]
    pub fn holds(self, sequence: u64, stored: Timestamp) -> bool {
        sequence <= self.last_sequence && stored <= self.last_time
    }

    /// The position once that event is recorded.
    #[must_use]
    pub fn after(self, sequence: u64, stored: Timestamp) -> Self {
        Self { last_sequence: sequence, last_time: self.last_time.max(stored) }
    }
}

/// Where a delivered event stands: in the stream and in the consumer's own count of deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// Its sequence in the stream.
    pub sequence: u64,
    /// When nats-server stored it.
    pub stored: Timestamp,
    /// The how-manieth delivery of the consumer since its last reset, from 1.
    pub consumer_sequence: u64,
}

/// What to do with a delivered event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is new: record it.
    Record,
    /// It is recorded: acknowledge it and go on.
    Skip,
    /// Deliveries are missing before it: attach anew.
    Gap,
    /// It is not the recorded event that had to come first: attach anew, from the stream's beginning.
    NotTheAnchor,
}

/// One attachment to a consumer that was just reset, following what it delivers.
#[derive(Debug, Clone, Copy)]
pub struct Session {
    position: Position,
    expected: u64,
    anchored: bool,
}

impl Session {
    /// A session whose consumer was reset to `position`. With `anchored`, its first event must be the recorded one.
    #[must_use]
    pub const fn new(position: Position, anchored: bool) -> Self {
        Self { position, expected: 1, anchored }
    }

    /// The position including everything that was to be recorded.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    /// Says that the position was moved to `position` in the database, with nothing recorded.
    pub const fn stand_at(&mut self, position: Position) {
        self.position = position;
    }

    /// Judges the next delivery, and counts it unless the session has to end.
    pub fn judge(&mut self, event: Delivered) -> Verdict {
        if event.consumer_sequence != self.expected {
            return Verdict::Gap;
        }
        let first = self.expected == 1;
        if first && self.anchored {
            let is_anchor = event.sequence == self.position.last_sequence && event.stored <= self.position.last_time;
            if !is_anchor {
                return Verdict::NotTheAnchor;
            }
        }
        self.expected += 1;
        if self.position.holds(event.sequence, event.stored) {
            return Verdict::Skip;
        }
        self.position = self.position.after(event.sequence, event.stored);
        Verdict::Record
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(sequence: u64, stored: i64, consumer_sequence: u64) -> Delivered {
        Delivered { sequence, stored: Timestamp::from_nanoseconds(stored), consumer_sequence }
    }

    fn recorded(last_sequence: u64, last_time: i64) -> Position {
        Position { last_sequence, last_time: Timestamp::from_nanoseconds(last_time) }
    }

    #[test]
    fn an_anchored_session_skips_the_recorded_event_and_records_what_follows() {
        let mut session = Session::new(recorded(10, 1000), true);
        assert_eq!(session.judge(at(10, 1000, 1)), Verdict::Skip);
        assert_eq!(session.judge(at(12, 1001, 2)), Verdict::Record);
        assert_eq!(session.position(), recorded(12, 1001));
    }

    #[test]
    fn another_event_in_the_anchors_place_means_another_history() {
        assert_eq!(Session::new(recorded(10, 1000), true).judge(at(11, 1001, 1)), Verdict::NotTheAnchor);
        assert_eq!(Session::new(recorded(10, 1000), true).judge(at(10, 1001, 1)), Verdict::NotTheAnchor);
        assert_eq!(Session::new(recorded(10, 1000), false).judge(at(11, 1001, 1)), Verdict::Record);
    }

    #[test]
    fn a_sequence_given_out_again_is_new_when_its_time_is() {
        let mut session = Session::new(recorded(10, 1000), false);
        assert_eq!(session.judge(at(1, 1, 1)), Verdict::Skip);
        assert_eq!(session.judge(at(2, 2000, 2)), Verdict::Record);
        assert_eq!(session.position(), recorded(2, 2000));
    }

    #[test]
    fn an_old_clock_does_not_make_a_new_sequence_old() {
        let mut session = Session::new(recorded(10, 1000), false);
        assert_eq!(session.judge(at(11, 500, 1)), Verdict::Record);
        assert_eq!(session.position(), recorded(11, 1000));
    }

    #[test]
    fn a_delivery_left_out_is_a_gap() {
        let mut session = Session::new(recorded(0, 0), false);
        assert_eq!(session.judge(at(1, 1, 1)), Verdict::Record);
        assert_eq!(session.judge(at(3, 3, 3)), Verdict::Gap);
        assert_eq!(Session::new(recorded(0, 0), false).judge(at(2, 2, 2)), Verdict::Gap);
    }
}
