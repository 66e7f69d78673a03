//! What a channel is told of by number only: it waited too long, or there was too much of it.

use serde::{Deserialize, Serialize};

use super::event::Kind;
use super::timestamp::Timestamp;

/// Events of one kind that were given up in a channel's lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenUp {
    /// Which kind.
    pub kind: Kind,
    /// How many.
    pub events: u64,
    /// When the first of them was stored.
    pub first_stored: Timestamp,
    /// When the last of them was.
    pub last_stored: Timestamp,
}
