//! Lays an event out as one embed. The sentences are in `words`, the limits in `embed`, the safety in `domain::text`.
//!
//! A fact that is missing makes the sentence shorter, never strange. Nothing is looked up here: the last names heard
//! of players are handed in.

use crate::domain::event::{Details, Event};
use crate::domain::ids::{PlayerId, RoleId};
use crate::domain::subject::UNKNOWN_SERVER;
use crate::domain::text::{clean, display, plain};

use super::embed::{Colour, Embed};
use super::words;

/// The names last heard of the players that an event is about, and its server's.
#[derive(Debug, Clone, Copy, Default)]
pub struct Names<'a> {
    /// Of [`Event::player`].
    pub player: Option<&'a str>,
    /// Of [`Details::other_player`].
    pub target: Option<&'a str>,
    /// What the guild calls [`Event::server`]. The id stays in the footer.
    pub server: Option<&'a str>,
}

/// The embed that tells of `event`.
#[must_use]
pub fn event_embed(event: &Event, names: Names<'_>) -> Embed {
    laid_out(event, &description(event, names))
}

/// The embed that shows what an event would look like that did not happen, and whom it would mention.
#[must_use]
pub fn sample_embed(event: &Event, names: Names<'_>, mention: &[RoleId]) -> Embed {
    let roles: Vec<_> = mention.iter().map(|role| role.0).collect();
    laid_out(event, &words::sample(&description(event, names), &roles))
}

/// What `event` says in Discord, without when: a sentence, and what stands below it. Markdown.
#[must_use]
pub fn sentence(event: &Event, names: Names<'_>) -> String {
    let (sentence, below) = tell(event, names);
    std::iter::once(sentence).chain(below).collect::<Vec<_>>().join("\n")
}

fn description(event: &Event, names: Names<'_>) -> String {
    let (sentence, below) = tell(event, names);
    let mut description = words::when(&sentence, event.stored.unix_seconds());
    for line in below {
        description.push('\n');
        description.push_str(&line);
    }
    description
}

/// An embed about what `event` is about.
pub(super) fn laid_out(event: &Event, description: &str) -> Embed {
    let server = plain(event.server.as_str(), NAME_LIMIT, UNKNOWN_SERVER);
    Embed::new(description)
        .with_colour(colour(event))
        .with_footer(&words::origin(event.account.as_str(), &server))
        .with_timestamp(event.stored)
}

/// Names of players, servers and events. Steam allows 32 characters, and escaping may double them.
const NAME_LIMIT: usize = 100;

/// Reasons, headlines, commands.
const REMARK_LIMIT: usize = 400;

/// What people wrote: chat and reports. Four times what Rust's chat lets through.
const MESSAGE_LIMIT: usize = 3_000;

/// What `event` says: a sentence, and lines to put below it.
fn tell(event: &Event, names: Names<'_>) -> (String, Vec<String>) {
    let known_server = known_server(event, names.server);
    let server = known_server.as_deref();
    let player = || subject_of(event, names.player);
    let other = |id: Option<&PlayerId>| somebody(names.target, id);
    let sentence = match &event.details {
        Details::ServerStarted { how } => words::server_started(&server_of(server), *how),
        Details::ServerStopping => words::server_stopping(&server_of(server)),
        Details::ServerStopped => words::server_stopped(&server_of(server)),
        Details::ServerWiped => words::server_wiped(&server_of(server)),
        Details::ServerCommand { command, arguments, by } => {
            let player = other(by.as_ref()).unwrap_or_else(|| words::SOME_PLAYER.to_owned());
            let command = command.as_deref().and_then(|command| shown(command, NAME_LIMIT));
            words::server_command(&player, command.as_deref(), server, remark(arguments.as_ref()).as_deref())
        }
        Details::PlayerConnected => words::player_connected(&player(), server),
        Details::PlayerDisconnected { reason } => {
            words::player_disconnected(&player(), server, reason_of_leaving(reason.as_ref()).as_deref())
        }
        Details::PlayerChatted { message } => match written(message.as_ref()) {
            Some(message) => return (words::player_chatted(&player(), server), vec![message]),
            None => words::player_chatted_silently(&player(), server),
        },
        Details::PlayerRespawned => words::player_respawned(&player(), server),
        Details::PlayerBanned { reason } => {
            let player = beside_profile(player(), event.player.as_ref());
            words::player_banned(&player, server, remark(reason.as_ref()).as_deref())
        }
        Details::PlayerUnbanned => words::player_unbanned(&beside_profile(player(), event.player.as_ref()), server),
        Details::PlayerReported { target, subject, message, category } => {
            let reported = other(target.as_ref()).map_or_else(
                || words::SOME_PLAYER_AS_OBJECT.to_owned(),
                |reported| beside_profile(reported, target.as_ref()),
            );
            let category = category.as_deref().and_then(|category| shown(category, NAME_LIMIT));
            let headline = remark(subject.as_ref()).map(|subject| words::headline(&subject));
            let below = headline.into_iter().chain(written(message.as_ref())).collect();
            return (words::player_reported(&player(), &reported, category.as_deref(), server), below);
        }
        Details::PlayerHit { attacker, killed, metres } => {
            let attacker = other(attacker.as_ref());
            let victim = if attacker.is_none() { player() } else { object_of(event, names.player) };
            words::player_hit(&victim, attacker.as_deref(), killed.unwrap_or(false), *metres, server)
        }
        Details::PlayerGathered { item, amount } => words::player_gathered(&player(), &things(*item, *amount), server),
        Details::PlayerItemPickup { item, amount } => {
            words::player_item_pickup(&player(), &things(*item, *amount), server)
        }
        Details::PlayerItemLoot { item, amount: Some(amount @ ..0) } => {
            words::player_item_stored(&player(), &things(*item, Some(*amount)), server)
        }
        Details::PlayerItemLoot { item, amount } => {
            words::player_item_taken(&player(), &things(*item, *amount), server)
        }
        Details::PlayerItemCrafted { item, amount } => {
            words::player_item_crafted(&player(), &things(*item, *amount), server)
        }
        Details::Unknown { name } => {
            let name = name.strip_prefix("events.").unwrap_or(name);
            words::unknown_event(&display(name, NAME_LIMIT, words::NAMELESS), server)
        }
    };
    (sentence, Vec::new())
}

pub(super) fn colour(event: &Event) -> Colour {
    match &event.details {
        Details::ServerStarted { .. } | Details::PlayerConnected | Details::PlayerUnbanned => Colour::GREEN,
        Details::ServerStopping | Details::PlayerReported { .. } | Details::ServerCommand { .. } => Colour::AMBER,
        Details::ServerStopped | Details::PlayerBanned { .. } | Details::PlayerHit { .. } => Colour::RED,
        Details::ServerWiped => Colour::PURPLE,
        Details::PlayerChatted { .. } => Colour::BLURPLE,
        Details::PlayerDisconnected { .. } | Details::PlayerRespawned | Details::Unknown { .. } => Colour::GREY,
        Details::PlayerGathered { .. }
        | Details::PlayerItemPickup { .. }
        | Details::PlayerItemLoot { .. }
        | Details::PlayerItemCrafted { .. } => Colour::BROWN,
    }
}

/// Why a player left. Rust's own word for one who simply left says nothing more than the sentence does.
pub(super) fn reason_of_leaving(reason: Option<&String>) -> Option<String> {
    remark(reason).filter(|reason| !reason.eq_ignore_ascii_case("disconnected"))
}

/// The event's player, as a sentence begins with them.
pub(super) fn subject_of(event: &Event, last_name: Option<&str>) -> String {
    somebody(name_of(event, last_name), event.player.as_ref()).unwrap_or_else(|| words::SOME_PLAYER.to_owned())
}

/// The event's player, behind a verb.
fn object_of(event: &Event, last_name: Option<&str>) -> String {
    somebody(name_of(event, last_name), event.player.as_ref())
        .unwrap_or_else(|| words::SOME_PLAYER_AS_OBJECT.to_owned())
}

/// The event's server, as a sentence begins with it.
fn server_of(name: Option<&str>) -> String {
    name.map_or_else(|| words::SOME_SERVER.to_owned(), words::server)
}

/// What the event itself tells goes before what was heard earlier, unless there is nothing to see in it.
fn name_of<'a>(event: &'a Event, last_name: Option<&'a str>) -> Option<&'a str> {
    event.player_name.as_deref().filter(|name| !clean(name).is_empty()).or(last_name)
}

/// A player by name, else by id, else nobody.
fn somebody(name: Option<&str>, id: Option<&PlayerId>) -> Option<String> {
    if let Some(name) = name.and_then(|name| shown(name, NAME_LIMIT)) {
        return Some(words::player(&name));
    }
    match steam_id(id) {
        Some(steam_id) => Some(words::player_by_steam_id(steam_id)),
        None => shown(id?.as_str(), NAME_LIMIT).map(|id| words::player(&id)),
    }
}

/// With a link to their profile where moderators will want one, and it isn't there already.
fn beside_profile(player: String, id: Option<&PlayerId>) -> String {
    match steam_id(id) {
        Some(steam_id) if player != words::player_by_steam_id(steam_id) => {
            words::beside_steam_profile(&player, steam_id)
        }
        _ => player,
    }
}

/// A player's id, where it is a `SteamID` for sure: nothing else may become a part of a link.
fn steam_id(id: Option<&PlayerId>) -> Option<&str> {
    let id = id?.as_str();
    (id.len() == 17 && id.bytes().all(|byte| byte.is_ascii_digit())).then_some(id)
}

/// The event's server by the guild's name for it, else by its id.
pub(super) fn known_server(event: &Event, name: Option<&str>) -> Option<String> {
    let id = event.server.as_str();
    let by_id = || if id == UNKNOWN_SERVER { None } else { shown(id, NAME_LIMIT) };
    name.and_then(|name| shown(name, NAME_LIMIT)).or_else(by_id)
}

/// An amount without its sign: sentences say the direction.
fn things(item: Option<i64>, amount: Option<i64>) -> String {
    words::things(item, amount.map(i64::unsigned_abs))
}

fn remark(text: Option<&String>) -> Option<String> {
    shown(text?, REMARK_LIMIT)
}

fn written(text: Option<&String>) -> Option<String> {
    shown(text?, MESSAGE_LIMIT)
}

/// `text` made safe to show; `None` when nothing in it can be seen.
fn shown(text: &str, limit: usize) -> Option<String> {
    Some(display(text, limit, "")).filter(|shown| !shown.is_empty())
}

#[cfg(test)]
mod tests;
