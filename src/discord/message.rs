//! One Discord message of what is due: in which form it is told, the roles to mention, a nonce and a mark.
//!
//! The limits are Discord's: <https://discord.com/developers/docs/resources/message#create-message>.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::catch_up::{self, CatchUp, catch_up};
use super::embed::{EMBEDS_LIMIT, Embed, MESSAGE_LIMIT};
use super::event_embed::{Names, event_embed};
use super::joined_embed::joined_embed;
use super::words;
use crate::domain::condense::{self, condense};
use crate::domain::event::Event;
use crate::domain::given_up::GivenUp;
use crate::domain::ids::{RoleId, UserId};
use crate::domain::style::Style;
use crate::domain::timestamp::Timestamp;
use crate::domain::wording::{Wording, withheld};

/// How many roles one message mentions at most: each takes up to 25 of the content's 2,000 characters. Discord itself
/// allows 100 in `allowed_mentions`.
const ROLES_LIMIT: usize = 75;

/// How many things one joined embed tells of: more is a wall that nobody reads.
const JOINED_LIMIT: usize = 50;

/// A message that makes no sound: <https://discord.com/developers/docs/resources/message#message-object-message-flags>.
pub(super) const SUPPRESS_NOTIFICATIONS: u32 = 1 << 12;

/// What a mark adds to the footer beside itself.
const MARK_SEPARATOR: usize = 3;

/// What is due in a channel, a row of it.
#[derive(Debug, Clone)]
pub struct Row {
    /// What it tells.
    pub piece: Piece,
    /// The roles that are mentioned with it.
    pub mention: Vec<RoleId>,
    /// How it is told.
    pub style: Style,
    /// For how long it waited on purpose.
    pub hold: Duration,
    /// What its message has beside, where it takes one of its own: then no other row is composed with it.
    pub alone: Option<Alone>,
}

/// What a message of its own has beside its embed.
#[derive(Debug, Clone, Default)]
pub struct Alone {
    /// The message that it answers.
    pub answers: Option<u64>,
    /// The text of a file that goes with it.
    pub file: Option<String>,
    /// The users that it calls, no more than [`mentioned_at_once`](crate::domain::ping::mentioned_at_once) says.
    pub calls: Vec<UserId>,
}

/// What a row tells.
#[derive(Debug, Clone)]
pub enum Piece {
    /// An event.
    Event(NamedEvent),
    /// Something that is told by itself, such as a sample.
    Apart(Embed),
}

/// An event, with the names last heard of those it is about.
#[derive(Debug, Clone)]
pub struct NamedEvent {
    /// The event.
    pub event: Event,
    /// Of [`Event::player`].
    pub player: Option<String>,
    /// Of [`Details::other_player`](crate::domain::event::Details::other_player).
    pub target: Option<String>,
    /// What the guild calls its server.
    pub server: Option<String>,
}

impl NamedEvent {
    /// Its names.
    #[must_use]
    pub fn names(&self) -> Names<'_> {
        Names { player: self.player.as_deref(), target: self.target.as_deref(), server: self.server.as_deref() }
    }
}

/// A message that is ready to be sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The request's JSON.
    pub json: String,
    /// The text of the file that goes with it.
    pub file: Option<String>,
    /// How many of the rows it tells of: the first ones.
    pub rows: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it so")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What makes a message unlike any other.
#[derive(Debug, Clone, Copy)]
pub struct Seal<'a> {
    /// Ends the last embed's footer, so that the message can be found again in its channel.
    pub mark: &'a str,
    /// By it, Discord knows a message that it has already: at most 25 characters.
    pub nonce: &'a str,
}

#[derive(Serialize)]
struct CreateMessage<'a> {
    #[serde(skip_serializing_if = "String::is_empty")]
    content: String,
    embeds: Vec<Embed>,
    allowed_mentions: AllowedMentions,
    #[serde(skip_serializing_if = "is_zero")]
    flags: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Attachment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_reference: Option<MessageReference>,
    nonce: &'a str,
    enforce_nonce: bool,
}

/// The message that is answered; the answer is posted, too, when that is gone
/// (<https://discord.com/developers/docs/resources/message#message-reference-structure>).
#[derive(Serialize)]
struct MessageReference {
    message_id: String,
    fail_if_not_exists: bool,
}

/// A file that goes with the message, in the request's part `files[0]`.
#[derive(Serialize)]
struct Attachment {
    id: &'static str,
    filename: &'static str,
}

/// Only these may be notified: by default Discord would notify whomever the content names.
#[derive(Serialize)]
pub(super) struct AllowedMentions {
    parse: [&'static str; 0],
    roles: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    users: Vec<String>,
}

impl AllowedMentions {
    /// Nobody may be notified.
    pub(super) const fn none() -> Self {
        Self { parse: [], roles: Vec::new(), users: Vec::new() }
    }
}

/// What makes an event late.
#[derive(Debug, Clone, Copy)]
pub struct Lateness {
    /// The moment at which it is told.
    pub now: Timestamp,
    /// From which age on it is late.
    pub after: Duration,
}

impl Lateness {
    fn is_any(self, rows: &[Row]) -> bool {
        rows.iter().any(|row| match &row.piece {
            Piece::Event(told) => condense::is_late(told.event.stored, row.hold, self.after, self.now),
            Piece::Apart(_) => false,
        })
    }
}

/// The message that tells of `rows`, and of what was `given_up` before them.
///
/// | what is due | how it is told |
/// | --- | --- |
/// | a row that takes a message of its own | its embed, and what is beside it |
/// | up to ten rows, all in style `each`, none late | an embed for each; those that don't fit are left for the next |
/// | more, or other styles, none late, in up to ten embeds once neighbours are joined | joined embeds |
/// | more than that, or something late, or something was given up before | one catch-up |
#[must_use]
pub fn compose(rows: &[Row], given_up: &[GivenUp], lateness: Lateness, seal: Seal<'_>) -> Message {
    if let [row @ Row { alone: Some(beside), .. }] = rows
        && given_up.is_empty()
    {
        return message(rows, vec![alone(row)], beside.file.clone(), seal);
    }
    let bundles = condense(&events(rows));
    let is_late = lateness.is_any(rows);
    if !is_late && given_up.is_empty() {
        if rows.len() <= EMBEDS_LIMIT && rows.iter().all(|row| row.style == Style::Each) {
            let embeds: Vec<_> = rows.iter().map(alone).collect();
            let fitting = fitting(&embeds, seal.mark);
            return message(&rows[..fitting], embeds[..fitting].to_vec(), None, seal);
        }
        if bundles.len() <= EMBEDS_LIMIT && bundles.iter().all(|bundle| bundle.tellings.len() <= JOINED_LIMIT) {
            let embeds: Option<Vec<_>> = bundles.iter().map(|bundle| joined_embed(bundle, rows)).collect();
            if let Some(embeds) = embeds.filter(|embeds| fitting(embeds, seal.mark) == embeds.len()) {
                return message(rows, embeds, None, seal);
            }
        }
    }
    let due = catch_up::Due { rows, bundles: &bundles, given_up, is_late, wording: Wording::Full };
    let CatchUp { embed, file } = catch_up(&due);
    message(rows, vec![embed], file, seal)
}

/// The message that tells of `rows` in another `wording`, all of them, because Discord did not accept the first.
#[must_use]
pub fn compose_anew(
    rows: &[Row],
    given_up: &[GivenUp],
    wording: Wording,
    lateness: Lateness,
    seal: Seal<'_>,
) -> Message {
    let rows: Vec<Row> = rows
        .iter()
        .map(|row| Row { mention: Vec::new(), alone: calling_nobody(row), ..reworded(row, wording) })
        .collect();
    let bundles = condense(&events(&rows));
    let is_late = lateness.is_any(&rows);
    let CatchUp { embed, file } =
        catch_up(&catch_up::Due { rows: &rows, bundles: &bundles, given_up, is_late, wording });
    let beside = rows.iter().find_map(|row| row.alone.as_ref()?.file.clone());
    message(&rows, vec![embed], file.or(beside), seal)
}

fn reworded(row: &Row, wording: Wording) -> Row {
    match &row.piece {
        Piece::Event(told) if wording == Wording::Withheld => {
            let event = NamedEvent {
                event: withheld(&told.event),
                player: None,
                target: None,
                // That Discord refuses may be for this, too.
                server: None,
            };
            Row { piece: Piece::Event(event), ..row.clone() }
        }
        _ => row.clone(),
    }
}

fn calling_nobody(row: &Row) -> Option<Alone> {
    row.alone.clone().map(|alone| Alone { calls: Vec::new(), answers: None, ..alone })
}

fn events(rows: &[Row]) -> Vec<Option<&Event>> {
    rows.iter()
        .map(|row| match &row.piece {
            Piece::Event(told) => Some(&told.event),
            Piece::Apart(_) => None,
        })
        .collect()
}

fn alone(row: &Row) -> Embed {
    match &row.piece {
        Piece::Event(told) => event_embed(&told.event, told.names()),
        Piece::Apart(embed) => embed.clone(),
    }
}

/// How many of the embeds fit into one message, the first always: the embed's own bounds see to that.
fn fitting(embeds: &[Embed], mark: &str) -> usize {
    let mut size = MARK_SEPARATOR + mark.len();
    let fitting = embeds.iter().take(EMBEDS_LIMIT).take_while(|embed| {
        size += embed.size();
        size <= MESSAGE_LIMIT
    });
    fitting.count().max(1).min(embeds.len())
}

fn message(rows: &[Row], mut embeds: Vec<Embed>, file: Option<String>, seal: Seal<'_>) -> Message {
    let mut roles: Vec<RoleId> = Vec::new();
    for role in rows.iter().flat_map(|row| &row.mention) {
        if roles.len() < ROLES_LIMIT && !roles.contains(role) {
            roles.push(*role);
        }
    }
    if let Some(last) = embeds.pop() {
        embeds.push(last.with_footer_suffix(seal.mark));
    }
    let is_quiet = !rows.is_empty() && rows.iter().all(|row| row.style == Style::Quiet);
    let users: Vec<UserId> =
        rows.iter().filter_map(|row| row.alone.as_ref()).flat_map(|alone| &alone.calls).copied().collect();
    // Each is shown as a field of its own, so nothing has to stand between them.
    let called = users.iter().map(|user| format!("<@{user}>")).collect::<Vec<_>>().concat();
    let roles_called = roles.iter().map(|role| format!("<@&{role}>"));
    let mentions = roles_called.chain(Some(called).filter(|called| !called.is_empty()));
    let request = CreateMessage {
        content: mentions.collect::<Vec<_>>().join(" "),
        embeds,
        allowed_mentions: AllowedMentions {
            parse: [],
            roles: roles.iter().map(ToString::to_string).collect(),
            users: users.iter().map(ToString::to_string).collect(),
        },
        flags: if is_quiet { SUPPRESS_NOTIFICATIONS } else { 0 },
        message_reference: rows
            .iter()
            .find_map(|row| row.alone.as_ref()?.answers)
            .map(|id| MessageReference { message_id: id.to_string(), fail_if_not_exists: false }),
        attachments: file.iter().map(|_| Attachment { id: "0", filename: words::FILE }).collect(),
        nonce: seal.nonce,
        enforce_nonce: true,
    };
    Message { json: serde_json::to_string(&request).expect("texts and numbers are JSON"), file, rows: rows.len() }
}

#[derive(Serialize)]
struct EditMessage {
    embeds: [Embed; 1],
    allowed_mentions: AllowedMentions,
}

/// The body of the edit that puts `embed` in the place of what the message with that mark shows. Whom it mentioned stays
/// in its content; an edit calls nobody.
#[must_use]
pub fn edit_body(embed: Embed, mark: &str) -> String {
    let embeds = [embed.with_footer_suffix(mark)];
    let edit = EditMessage { embeds, allowed_mentions: AllowedMentions::none() };
    serde_json::to_string(&edit).expect("texts and numbers are JSON")
}

/// The same message under another nonce, saying that its channel may have shown it before. `None` where it says so
/// already, or is no message of ours.
#[must_use]
pub fn marked_as_repeated(body: &str, nonce: &str) -> Option<String> {
    let mut message: Value = serde_json::from_str(body).ok()?;
    let fields = message.as_object_mut()?;
    let content = fields.get("content").and_then(Value::as_str).unwrap_or_default();
    if content.starts_with(words::POSSIBLY_REPEATED) {
        return None;
    }
    let content = format!("{}\n{content}", words::POSSIBLY_REPEATED);
    fields.insert("content".to_owned(), content.trim_end().into());
    fields.insert("nonce".to_owned(), nonce.into());
    Some(message.to_string())
}

#[cfg(test)]
mod tests;
