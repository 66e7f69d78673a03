//! Section `status`: how it is found out how servers stand, and when incidents are one.

use std::time::Duration;

use super::given::Given;
use super::values::seconds;
use crate::domain::incident::LoopRule;
use crate::domain::presence::Looking;

/// Section `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// How often nats-server is asked which connections are there, and how long one has to be gone until its server is.
    pub looking: Looking,
    /// What makes a loop of incidents.
    pub loops: LoopRule,
}

impl Status {
    pub(super) fn read(given: &mut Given) -> Self {
        Self {
            looking: Looking {
                every: given.read("status.presence_seconds", |value| seconds(value, 1..=300)),
                debounce: given.read("status.debounce_seconds", |value| seconds(value, 1..=3_600)),
            },
            loops: LoopRule {
                within: given.read("status.loop_seconds", |value| seconds(value, 1..=86_400)),
                hold: given.read("status.hold_seconds", |value| seconds(value, 1..=86_400)),
            },
        }
    }

    pub(super) fn shown(&self) -> [(&'static str, String); 4] {
        let text = |duration: Duration| duration.as_secs().to_string();
        [
            ("status.presence_seconds", text(self.looking.every)),
            ("status.debounce_seconds", text(self.looking.debounce)),
            ("status.loop_seconds", text(self.loops.within)),
            ("status.hold_seconds", text(self.loops.hold)),
        ]
    }
}
