//! When a lane is stopped, and when it is tried again.
//!
//! Discord counts refusals towards a ban of the address, so what is known to be refused is not asked for. What is known
//! may be wrong, so no lane is left alone for ever as long as its channel may be there.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::retry::backoff;

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_hours(6);

/// Why a lane is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Discord refused a message, and the gateway does not show why.
    Refused,
    /// The gateway shows that the bot lacks permissions there.
    Lacking,
    /// The gateway shows that the channel was deleted, or that the bot was removed from its guild.
    Gone,
}

/// What the gateway shows of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Nothing that can be relied upon: it is not connected, the guild has an outage, or the channel may be a thread
    /// that is archived.
    Unknown,
    /// The channel is not there any more, for that reason.
    Gone(&'static str),
    /// The bot lacks these permissions there, by the names of Discord's settings.
    Lacking(Vec<&'static str>),
    /// The bot may post there.
    Open,
}

/// What is to be done about a lane after something has changed in its guild.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It stays as it is.
    Leave,
    /// It is stopped, or stopped for another reason than before.
    Stop,
    /// It is not stopped any more.
    Open,
    /// It stays stopped, and is tried now.
    Try,
}

impl Cause {
    const ALL: [Self; 3] = [Self::Refused, Self::Lacking, Self::Gone];

    /// The cause's name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Lacking => "lacking",
            Self::Gone => "gone",
        }
    }

    /// The cause of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }

    /// How long a lane waits until it is tried, after `probes` attempts in vain: twice as long each time, from `first` on.
    /// What the gateway explains is tried rarely, in case that it is wrong, and what is gone never: an event tells when
    /// that changes. `random`, from 0 to 1, keeps many from coming back together.
    #[must_use]
    pub fn wait(self, probes: u32, first: Duration, random: f64) -> Option<Duration> {
        match self {
            Self::Refused => Some(backoff(probes.saturating_add(1), first, LONGEST_WAIT, random)),
            Self::Lacking => Some(backoff(1, LONGEST_WAIT, LONGEST_WAIT, random)),
            Self::Gone => None,
        }
    }
}

impl Seen {
    /// Why a message to the channel would be refused, and how that is called; `None` where nothing speaks against it.
    #[must_use]
    pub fn objection(&self) -> Option<(Cause, String)> {
        match self {
            Self::Unknown | Self::Open => None,
            Self::Gone(why) => Some((Cause::Gone, (*why).to_owned())),
            Self::Lacking(missing) => Some((Cause::Lacking, format!("missing {}", missing.join(", ")))),
        }
    }

    /// What is to be done about a lane that is `stopped` for that cause, or not stopped, when the gateway has told of a
    /// change in its guild; `is_named` when the change is one of the channel itself, or undoes why it was stopped.
    ///
    /// A refusal that the gateway does not explain is nothing that a change elsewhere in the guild could mend: else each
    /// change of a role would try all such channels once more.
    #[must_use]
    pub const fn turn(&self, stopped: Option<Cause>, is_named: bool) -> Turn {
        match (self, stopped) {
            (Self::Gone(_), Some(Cause::Gone)) => Turn::Leave,
            (Self::Gone(_) | Self::Lacking(_), _) => Turn::Stop,
            (Self::Open, Some(Cause::Lacking | Cause::Gone)) => Turn::Open,
            (Self::Open, Some(Cause::Refused)) | (Self::Unknown, Some(Cause::Refused | Cause::Gone)) if is_named => {
                Turn::Try
            }
            (Self::Open | Self::Unknown, _) => Turn::Leave,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_mins(1);

    #[test]
    fn a_refusing_channel_is_tried_ever_more_rarely() {
        let waits = [0, 1, 2, 8, 9, u32::MAX].map(|probes| Cause::Refused.wait(probes, FIRST, 0.0).unwrap());
        assert_eq!(waits, [FIRST, FIRST * 2, FIRST * 4, FIRST * 256, LONGEST_WAIT, LONGEST_WAIT]);
        assert_eq!(Cause::Refused.wait(0, FIRST, 1.0), Some(FIRST / 2));
    }

    #[test]
    fn what_the_gateway_explains_is_tried_rarely_and_what_is_gone_never() {
        for probes in [0, 7] {
            assert_eq!(Cause::Lacking.wait(probes, FIRST, 0.0), Some(LONGEST_WAIT));
            assert_eq!(Cause::Gone.wait(probes, FIRST, 0.0), None);
        }
    }

    #[test]
    fn a_cause_comes_back_from_the_database() {
        for cause in Cause::ALL {
            assert_eq!(Cause::from_name(cause.name()), Some(cause));
        }
        assert_eq!(Cause::from_name(""), None);
    }

    #[test]
    fn a_change_stops_opens_or_tries_what_it_concerns() {
        let (gone, lacking) = (Seen::Gone("deleted"), Seen::Lacking(vec!["Send Messages"]));
        let (refused, lacked, left) = (Some(Cause::Refused), Some(Cause::Lacking), Some(Cause::Gone));
        for (seen, stopped, elsewhere, here) in [
            (&Seen::Open, None, Turn::Leave, Turn::Leave),
            (&Seen::Open, refused, Turn::Leave, Turn::Try),
            (&Seen::Open, lacked, Turn::Open, Turn::Open),
            (&Seen::Open, left, Turn::Open, Turn::Open),
            (&Seen::Unknown, None, Turn::Leave, Turn::Leave),
            (&Seen::Unknown, refused, Turn::Leave, Turn::Try),
            (&Seen::Unknown, lacked, Turn::Leave, Turn::Leave),
            (&Seen::Unknown, left, Turn::Leave, Turn::Try),
            (&lacking, None, Turn::Stop, Turn::Stop),
            (&lacking, refused, Turn::Stop, Turn::Stop),
            (&lacking, left, Turn::Stop, Turn::Stop),
            (&gone, None, Turn::Stop, Turn::Stop),
            (&gone, refused, Turn::Stop, Turn::Stop),
            (&gone, lacked, Turn::Stop, Turn::Stop),
            (&gone, left, Turn::Leave, Turn::Leave),
        ] {
            assert_eq!(seen.turn(stopped, false), elsewhere, "{seen:?}, {stopped:?}");
            assert_eq!(seen.turn(stopped, true), here, "{seen:?}, {stopped:?}");
        }
    }

    #[test]
    fn an_objection_names_what_is_missing() {
        let lacking = Seen::Lacking(vec!["View Channel", "Embed Links"]);
        assert_eq!(lacking.objection(), Some((Cause::Lacking, "missing View Channel, Embed Links".to_owned())));
        assert_eq!(Seen::Gone("deleted").objection(), Some((Cause::Gone, "deleted".to_owned())));
        assert_eq!(Seen::Open.objection(), None);
        assert_eq!(Seen::Unknown.objection(), None);
    }
}
