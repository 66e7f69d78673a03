//! Lays out what members waited for as one embed. Whom it calls stands in the message's content: nothing in an embed
//! notifies anybody.

use super::embed::{Colour, Embed};
use super::words;
use crate::domain::ids::AccountName;
use crate::domain::ping::{Call, News};
use crate::domain::text::{display, plain};

/// How much of a server's name is shown, in UTF-16 units.
const NAME_LIMIT: usize = 100;

/// The embed that tells what came about, on a server of `account`; one that is told late says that nobody is called.
#[must_use]
pub fn ping_embed(account: &AccountName, call: &Call, is_late: bool) -> Embed {
    let at = if let News::Wiped(wiped) = call.news { wiped } else { call.at };
    let server = plain(call.server.as_str(), NAME_LIMIT, "?");
    let sentence = ping_sentence(call);
    let description = if is_late { format!("{sentence}\n{}", words::CALLED_LATE) } else { sentence };
    Embed::new(&description)
        .with_colour(Colour::GREEN)
        .with_footer(&format!("{} · {}", words::origin(account.as_str(), &server), words::CALLED_REMARK))
        .with_timestamp(at)
}

/// What came about, in a sentence. Markdown.
#[must_use]
pub fn ping_sentence(call: &Call) -> String {
    let name = call.name.as_deref().unwrap_or(call.server.as_str());
    words::called(&words::server(&display(name, NAME_LIMIT, "?")), call.news)
}
