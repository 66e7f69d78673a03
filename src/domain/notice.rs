//! What guildwire tells a channel of its own accord: of itself, not of a game server.

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::timestamp::Timestamp;

/// Something the admins of a guild have to know about an account that they hear events of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Notice {
    /// Its events can't be read.
    Stopped {
        /// For how long already.
        since: Timestamp,
        /// Why.
        fault: Fault,
    },
    /// They are read again.
    Resumed {
        /// When reading had stopped.
        since: Timestamp,
        /// When it went on.
        until: Timestamp,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_from_the_database_as_it_was_written() {
        let since = Timestamp::from_nanoseconds(1);
        for notice in [
            Notice::Stopped { since, fault: Fault::Denied("$JS.API.INFO".to_owned()) },
            Notice::Stopped { since, fault: Fault::Lost },
            Notice::Resumed { since, until: Timestamp::from_nanoseconds(2) },
        ] {
            let written = serde_json::to_string(&notice).expect("texts and numbers are JSON");
            assert_eq!(serde_json::from_str::<Notice>(&written).expect("what was written"), notice);
        }
    }
}
