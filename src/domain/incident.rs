//! Incidents: a server goes down, why, and is back. One is told as one message, however much happens in it.
//!
//! A server that goes down again soon after it was back is in a loop: from then on only the message's count changes,
//! until the server has held for a while. Maintenance that was announced is an incident too, and alarms nobody.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::server_state::{Cause, ServerState, Sign, State, Turn};
use super::timestamp::Timestamp;

/// How many happenings are kept of an incident; of more, only the number.
const KEPT: usize = 500;

/// What makes a loop of incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LoopRule {
    /// A server that goes down within this time of being back is in a loop.
    pub within: Duration,
    /// It is back for good when it has held for so long.
    pub hold: Duration,
}

/// What began with a server going down, or being maintained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// The maintenance that was announced, where it is one.
    pub maintenance: Option<Maintenance>,
    /// What happened, in the order in which it was noticed.
    pub happenings: Vec<Happening>,
    /// How many more happened in the midst of it, which are not kept.
    pub more: u64,
    /// How many players were on the server when it went down first.
    pub affected: u64,
    /// How often it went down, and how often of these it crashed; in a loop, since that began.
    pub downs: u32,
    /// See [`Incident::downs`].
    pub crashes: u32,
    /// How many of the times that it went down belong to the incidents before it, which told them.
    #[serde(default)]
    pub told_before: u32,
    /// Since when the server has been in a loop.
    pub loops_since: Option<Timestamp>,
    /// Since when it is up.
    pub up_since: Option<Timestamp>,
}

/// Maintenance that was announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintenance {
    /// When it is over.
    pub until: Timestamp,
    /// What for, where somebody said.
    pub reason: Option<String>,
}

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happening {
    /// When, in nats-server's time.
    pub at: Timestamp,
    /// What.
    pub what: What,
}

/// What can happen in an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The server said that it stops.
    SaidStopping,
    /// It said that it stopped.
    SaidStopped,
    /// Its connection closed, after it had said that it stops.
    ClosedAsSaid,
    /// Its connection closed, and it never says when it stops.
    Closed,
    /// Its connection closed, and it usually says when it stops.
    Crashed,
    /// Its connection does not answer any more.
    Stale,
    /// Its credential was revoked.
    Revoked,
    /// Its connection has gone, nobody can tell why.
    Vanished,
    /// Nothing was heard of it for longer than is expected.
    Silent,
    /// It said that it started.
    Started,
    /// Its connection is there again.
    Connected,
    /// It sent an event.
    Heard,
    /// It started anew on another connection, and never says when it stops.
    Restarted,
    /// It started anew on another connection, and usually says when it stops.
    CrashedAndStarted,
    /// Its plugin was loaded anew, or that can't be told from a start.
    Reloaded,
    /// Maintenance was announced.
    MaintenanceBegan,
    /// Maintenance is over.
    MaintenanceEnded,
}

/// What is to be told of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// Nothing.
    Nothing,
    /// That it began: a message.
    Opened,
    /// That it goes on: the message changes.
    Unfolded,
    /// That it is over: the message changes, and another one answers it.
    Closed,
    /// That it began and was over at once: a message.
    Passed,
}

/// What a row of the outbox tells of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chapter {
    /// Which incident.
    pub incident: i64,
    /// What of it.
    pub phase: Phase,
}

/// What a message tells of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// That it began; edited as it unfolds.
    Opened,
    /// That it goes on: Discord limits edits of messages older than an hour. Edited in place of the one before.
    Continued,
    /// That it is over, and all that happened. Never edited.
    Closed,
}

impl What {
    /// What a server's new `state` means that a `turn` led to; `None` where nothing happened.
    #[must_use]
    pub fn of(turn: Turn, state: ServerState) -> Option<Self> {
        match turn {
            Turn::None | Turn::Appeared | Turn::ReloadedAsSaid(_) => None,
            Turn::Restarted if state.says_when_it_stops => Some(Self::CrashedAndStarted),
            Turn::Restarted => Some(Self::Restarted),
            Turn::Reloaded(_) => Some(Self::Reloaded),
            Turn::Down | Turn::Developed | Turn::Up => Some(match state.cause? {
                Cause::Started => Self::Started,
                Cause::Heard => Self::Heard,
                Cause::Connected => Self::Connected,
                Cause::SaidStopping if state.state == State::Offline => Self::ClosedAsSaid,
                Cause::SaidStopping => Self::SaidStopping,
                Cause::SaidStopped => Self::SaidStopped,
                Cause::Closed if state.is_crash() => Self::Crashed,
                Cause::Closed => Self::Closed,
                Cause::Stale => Self::Stale,
                Cause::Revoked => Self::Revoked,
                Cause::Vanished => Self::Vanished,
                Cause::Silent => Self::Silent,
            }),
        }
    }

    /// What a sign says that changes nothing: it came late, or again.
    #[must_use]
    pub const fn said(sign: Sign) -> Option<Self> {
        match sign {
            Sign::Stopping => Some(Self::SaidStopping),
            Sign::Stopped => Some(Self::SaidStopped),
            Sign::Started(_) => Some(Self::Started),
            _ => None,
        }
    }

    const fn is_crash(self) -> bool {
        matches!(self, Self::Crashed | Self::CrashedAndStarted)
    }
}

impl Incident {
    /// What begins with `what`; `None` when nothing begins with that. `before` is the server's incident before, and when
    /// that was over.
    #[must_use]
    pub fn begin(
        turn: Turn,
        what: What,
        at: Timestamp,
        affected: u64,
        before: Option<(&Self, Timestamp)>,
        rule: LoopRule,
    ) -> Option<(Self, Telling)> {
        if !matches!(turn, Turn::Down | Turn::Restarted) {
            return None;
        }
        let near = before.filter(|(before, over)| {
            before.maintenance.is_none() && at.since(before.up_since.unwrap_or(*over)) <= rule.within
        });
        let mut incident = Self {
            maintenance: None,
            happenings: vec![Happening { at, what }],
            more: 0,
            affected,
            downs: 1,
            crashes: u32::from(what.is_crash()),
            told_before: 0,
            loops_since: None,
            up_since: (turn == Turn::Restarted).then_some(at),
        };
        if let Some((before, over)) = near {
            incident.downs += before.downs;
            incident.told_before = before.downs;
            incident.crashes += before.crashes;
            incident.loops_since =
                Some(before.loops_since.or_else(|| Some(before.happenings.first()?.at)).unwrap_or(over));
            return Some((incident, Telling::Opened));
        }
        let telling = if turn == Turn::Restarted { Telling::Passed } else { Telling::Opened };
        Some((incident, telling))
    }

    /// Maintenance that is announced.
    #[must_use]
    pub fn maintenance(until: Timestamp, reason: Option<String>, is_up: bool, at: Timestamp) -> Self {
        Self {
            maintenance: Some(Maintenance { until, reason }),
            happenings: vec![Happening { at, what: What::MaintenanceBegan }],
            more: 0,
            affected: 0,
            downs: 0,
            crashes: 0,
            told_before: 0,
            loops_since: None,
            up_since: is_up.then_some(at),
        }
    }

    /// What `what`, which a `turn` led to, makes of an incident that is not over.
    pub fn unfold(&mut self, turn: Turn, what: What, at: Timestamp) -> Telling {
        let was_crash = self.happenings.last().is_some_and(|last| last.what == What::Crashed);
        self.note(what, at);
        self.crashes += u32::from(what.is_crash());
        match turn {
            Turn::Down | Turn::Restarted => {
                self.downs += 1;
                self.up_since = (turn == Turn::Restarted).then_some(at);
            }
            Turn::Up => self.up_since = Some(at),
            // It had said that it stops, which was recorded only now.
            Turn::Developed if was_crash => self.crashes -= 1,
            Turn::None | Turn::Appeared | Turn::Reloaded(_) | Turn::ReloadedAsSaid(_) | Turn::Developed => {}
        }
        let is_over = turn == Turn::Up && self.loops_since.is_none() && self.maintenance.is_none();
        if is_over { Telling::Closed } else { Telling::Unfolded }
    }

    /// Notes something that changes nothing else, unless it was said before since the server was up.
    pub fn repeat(&mut self, what: What, at: Timestamp) -> Telling {
        let since = self.up_since.filter(|_| what != What::Started);
        let was_said = |it: &Happening| it.what == what && since.is_none_or(|since| it.at > since);
        if self.happenings.iter().any(was_said) {
            return Telling::Nothing;
        }
        self.note(what, at);
        Telling::Unfolded
    }

    /// When time alone changes it; `None` while it waits for the server.
    #[must_use]
    pub fn due_at(&self, rule: LoopRule) -> Option<Timestamp> {
        match &self.maintenance {
            Some(maintenance) => Some(maintenance.until),
            None => self.up_since.filter(|_| self.loops_since.is_some()).map(|since| since.plus(rule.hold)),
        }
    }

    /// Ends maintenance.
    pub fn end_maintenance(&mut self, at: Timestamp) {
        self.note(What::MaintenanceEnded, at);
    }

    /// How long the server was down, from the first time to the last; `None` while it is.
    #[must_use]
    pub fn lasted(&self) -> Option<Duration> {
        Some(self.up_since?.since(self.happenings.first()?.at))
    }

    fn note(&mut self, what: What, at: Timestamp) {
        if self.happenings.len() >= KEPT {
            // How it began and how it stands matter most.
            self.happenings.remove(KEPT / 2);
            self.more += 1;
        }
        self.happenings.push(Happening { at, what });
    }
}

#[cfg(test)]
mod tests;
