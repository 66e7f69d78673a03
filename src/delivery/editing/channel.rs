//! A channel of which messages are edited: what waits there, and when it is whose turn.

use std::time::Duration;

use tokio::time::Instant;

use super::Subject;

/// What waits to be looked at in a channel, in the order in which it was asked for.
#[derive(Default)]
pub(super) struct Channel {
    /// Each once, with the moment before which it is left alone.
    waiting: Vec<(Instant, Subject)>,
    /// Which is carried out, and how it was asked for again meanwhile.
    running: Option<(Subject, Again)>,
    /// The moment before which nothing is edited there.
    opens: Option<Instant>,
}

/// How something was asked for while it was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Again {
    No,
    Wanted,
    WantedNow,
}

impl Channel {
    /// Asks for something that is left alone until then; where it waits already, it waits as it does.
    pub(super) fn want(&mut self, subject: Subject, not_before: Instant) {
        match &mut self.running {
            Some((running, again)) if *running == subject => *again = (*again).max(Again::Wanted),
            _ if self.waiting.iter().any(|(_, waiting)| *waiting == subject) => {}
            _ => self.waiting.push((not_before, subject)),
        }
    }

    /// The same, however long it was to be left alone.
    pub(super) fn want_now(&mut self, subject: Subject, now: Instant) {
        match &mut self.running {
            Some((running, again)) if *running == subject => *again = Again::WantedNow,
            _ => {
                self.waiting.retain(|(_, waiting)| *waiting != subject);
                self.waiting.push((now, subject));
            }
        }
    }

    /// From when on something of it can be carried out; `None` while nothing waits or something is.
    pub(super) fn due_at(&self) -> Option<Instant> {
        let first = self.waiting.iter().map(|(not_before, _)| *not_before).min();
        first.filter(|_| self.running.is_none()).map(|first| self.opens.map_or(first, |opens| opens.max(first)))
    }

    /// What is carried out from now on.
    pub(super) fn take(&mut self, now: Instant) -> Option<Subject> {
        let place = self.waiting.iter().position(|(not_before, _)| *not_before <= now)?;
        let (_, subject) = self.waiting.remove(place);
        self.running = Some((subject, Again::No));
        Some(subject)
    }

    /// What was carried out is over, and is to be left alone for `wait` before it is tried again.
    pub(super) fn settle(&mut self, now: Instant, wait: Option<Duration>) {
        let Some((subject, again)) = self.running.take() else { return };
        match (again, wait) {
            // What it came to was found before something changed that can't wait, as that a board was taken away.
            (Again::WantedNow, _) | (Again::Wanted, None) => self.want(subject, now),
            (_, Some(wait)) => self.want(subject, now + wait),
            (Again::No, None) => {}
        }
    }

    /// Has nothing be edited there before then.
    pub(super) fn close_until(&mut self, opens: Instant) {
        self.opens = Some(opens);
    }

    /// Whether nothing has to be known of it any more.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.waiting.is_empty() && self.running.is_none() && self.opens.is_none_or(|opens| opens <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOARD: Subject = Subject::Board(1);
    const WAIT: Duration = Duration::from_mins(10);

    /// A channel whose board is carried out.
    fn running(now: Instant) -> Channel {
        let mut channel = Channel::default();
        channel.want(BOARD, now);
        assert_eq!((channel.take(now), channel.due_at()), (Some(BOARD), None));
        channel
    }

    #[test]
    fn what_is_asked_for_while_it_is_carried_out_comes_again_when_that_is_over() {
        let now = Instant::now();
        let mut channel = running(now);
        channel.settle(now, None);
        assert!(channel.is_over(now));

        let mut channel = running(now);
        channel.want(BOARD, now);
        channel.settle(now, None);
        assert_eq!(channel.due_at(), Some(now));

        let mut channel = running(now);
        channel.want(BOARD, now);
        channel.settle(now, Some(WAIT));
        channel.want(BOARD, now);
        assert_eq!(channel.due_at(), Some(now + WAIT), "it was told to wait");
        channel.want_now(BOARD, now);
        assert_eq!(channel.due_at(), Some(now));
    }

    #[test]
    fn what_can_not_wait_does_not_wait_for_what_an_attempt_before_came_to() {
        let now = Instant::now();
        for wait in [None, Some(WAIT)] {
            let mut channel = running(now);
            channel.want_now(BOARD, now);
            channel.want(BOARD, now);
            channel.settle(now, wait);
            channel.close_until(now + Duration::from_secs(5));
            assert_eq!(channel.due_at(), Some(now + Duration::from_secs(5)));
        }
    }
}
