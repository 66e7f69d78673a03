//! What a check of an account found: step by step, what was tried and what came of it.

use serde::{Deserialize, Serialize};

use super::fault::Fault;

/// A step of the walk, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The stored credential can be used.
    Credential,
    /// nats-server is there and lets the user in.
    Connection,
    /// It is new enough.
    Version,
    /// The stream is there.
    Stream,
    /// The durable consumer is there or can be made.
    Consumer,
    /// It can be set back.
    Reset,
    /// Events can be asked for.
    Pull,
    /// They can be acknowledged.
    Acknowledgement,
    /// The account's limits leave room.
    Limits,
    /// It can be seen who is connected.
    Presence,
    /// The consumer can be deleted.
    Deletion,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It went well; with what was seen.
    Passed(String),
    /// It was left out, or failed, and that does no harm; with why.
    Left(String),
    /// It failed.
    Failed(Fault),
    /// An earlier one failed.
    NotTried,
}

/// A step: what was tried, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which.
    pub check: Check,
    /// What was tried: an address or a subject.
    pub tried: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// A whole check.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Report {
    /// The steps, in their order.
    pub steps: Vec<Step>,
    /// Whether an event was brought.
    #[serde(default)]
    pub has_event: bool,
    /// What is worth knowing though nothing failed.
    pub remarks: Vec<String>,
}

impl Check {
    /// All of them, in their order.
    pub const ALL: [Self; 11] = [
        Self::Credential,
        Self::Connection,
        Self::Version,
        Self::Stream,
        Self::Consumer,
        Self::Reset,
        Self::Pull,
        Self::Acknowledgement,
        Self::Limits,
        Self::Presence,
        Self::Deletion,
    ];

    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Connection => "connection",
            Self::Version => "version",
            Self::Stream => "stream",
            Self::Consumer => "consumer",
            Self::Reset => "reset",
            Self::Pull => "pull",
            Self::Acknowledgement => "acknowledge",
            Self::Limits => "limits",
            Self::Presence => "presence",
            Self::Deletion => "delete",
        }
    }
}

impl Report {
    /// The first thing that is wrong; `None` when the account can be read.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        self.steps.iter().find_map(|step| match &step.outcome {
            Outcome::Failed(fault) => Some(fault),
            _ => None,
        })
    }

    /// Notes a step.
    pub fn note(&mut self, check: Check, tried: impl Into<String>, outcome: Outcome) {
        self.steps.push(Step { check, tried: tried.into(), outcome });
    }

    /// Notes all steps that were not come to.
    pub fn finish(&mut self) {
        for check in Check::ALL {
            if !self.steps.iter().any(|step| step.check == check) {
                self.note(check, "", Outcome::NotTried);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_that_were_not_come_to_are_told_behind_the_one_that_failed() {
        let mut report = Report::default();
        report.note(Check::Credential, "creds", Outcome::Passed(String::new()));
        report.note(Check::Connection, "nats://x", Outcome::Failed(Fault::Lost));
        report.finish();
        assert_eq!(report.fault(), Some(&Fault::Lost));
        assert_eq!(report.steps.iter().map(|step| step.check).collect::<Vec<_>>(), Check::ALL);
        assert!(report.steps[2..].iter().all(|step| step.outcome == Outcome::NotTried));
        let again: Report = serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap();
        assert_eq!(again, report);
    }
}
