//! What guildwire tells a channel of its own accord: of itself, not of a game server.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::binding::Binding;
use super::event::Kind;
use super::fault::Fault;
use super::ids::{ChannelId, GuildId};
use super::stoppage::Cause;
use super::timestamp::Timestamp;

/// Something the admins of a guild have to know about an account that they hear events of, or about a channel.
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
    /// A channel takes no messages.
    ChannelStopped {
        /// Which; another one than this is told in.
        channel: ChannelId,
        /// Since when.
        since: Timestamp,
        /// Why.
        cause: Cause,
        /// What Discord said, or what the gateway shows.
        reason: String,
    },
}

/// The channel in which a guild is told something, among those of `bindings`: one that takes messages and is not paused,
/// for that asks for silence; `before` if that is one, else one that is told when servers stop.
#[must_use]
pub fn channel_that_works(
    bindings: &[Binding],
    guild: GuildId,
    stopped: &BTreeSet<ChannelId>,
    before: Option<ChannelId>,
) -> Option<ChannelId> {
    let works = |binding: &&Binding| {
        binding.guild == guild && binding.paused_at.is_none() && !stopped.contains(&binding.channel)
    };
    let working: Vec<_> = bindings.iter().filter(works).collect();
    let same = working.iter().find(|binding| Some(binding.channel) == before);
    let lifecycle = working.iter().find(|binding| binding.kinds.contains(Kind::ServerStopped));
    same.or(lifecycle).or(working.first()).map(|binding| binding.channel)
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
            Notice::ChannelStopped {
                channel: ChannelId(u64::MAX),
                since,
                cause: Cause::Gone,
                reason: "deleted".to_owned(),
            },
        ] {
            let written = serde_json::to_string(&notice).expect("texts and numbers are JSON");
            assert_eq!(serde_json::from_str::<Notice>(&written).expect("what was written"), notice);
        }
    }
}
