//! Lays out what guildwire tells of an account itself as one embed.

use super::embed::{Colour, Embed};
use super::words;
use crate::domain::ids::AccountName;
use crate::domain::notice::Notice;

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
    };
    Embed::new(&description).with_colour(colour).with_footer(name)
}
