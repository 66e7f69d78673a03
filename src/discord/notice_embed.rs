//! Lays out what guildwire tells of itself as one embed.

use super::embed::{Colour, Embed};
use super::words;
use crate::domain::ids::AccountName;
use crate::domain::notice::Notice;
use crate::domain::stoppage::Cause;
use crate::domain::text::display;
use crate::domain::timestamp::Timestamp;

/// How much of what Discord said is shown, in UTF-16 units.
pub const REASON_LIMIT: usize = 300;

/// Discord's code for a channel that is not there: <https://discord.com/developers/docs/topics/opcodes-and-status-codes>.
const UNKNOWN_CHANNEL: &str = "code 10003:";

/// The embed that tells of `account`.
#[must_use]
pub fn notice_embed(account: &AccountName, notice: &Notice) -> Embed {
    let name = account.as_str();
    let (description, colour) = match notice {
        Notice::Stopped { since, fault } => {
            (words::account_stopped(name, since.unix_seconds(), &words::account_fault(fault)), Colour::RED)
        }
        Notice::Resumed { since, until } => {
            (words::account_resumed(name, since.unix_seconds(), until.unix_seconds()), Colour::GREEN)
        }
        Notice::ChannelStopped { channel, since, cause, reason } => {
            (words::channel_stopped(channel.0, &stopped_in_words(*cause, reason, *since)), Colour::RED)
        }
    };
    Embed::new(&description).with_colour(colour).with_footer(name)
}

/// Why a channel takes no messages, since when, and what to do about it.
#[must_use]
pub fn stopped_in_words(cause: Cause, reason: &str, since: Timestamp) -> String {
    let (shown, since) = (display(reason, REASON_LIMIT, "?"), since.unix_seconds());
    match cause {
        Cause::Refused if reason.contains(UNKNOWN_CHANNEL) => words::refused(&shown, since, words::CHANNEL_GONE),
        Cause::Refused => words::refused(&shown, since, words::CHANNEL_NEEDS_PERMISSIONS),
        Cause::Lacking => words::lacking(&shown, since),
        Cause::Gone => words::gone(&shown, since),
    }
}
