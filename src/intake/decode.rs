//! Makes an event of a subject and a payload. Total: every subject that names an event becomes one, unless JetStream itself
//! wrote the payload.
//!
//! A payload only enriches. Publishers leave fields out, write numbers as text, encode JSON twice, or send nothing at
//! all, and none of that is a reason to keep an event from people. So each wanted field is looked up on its own, and
//! what is unusable is as if it were not there. Fields that are not wanted are skipped without being kept: a
//! player's address and positions are never looked up, so they can't get further than this file. Times in payloads
//! are not read either: they are local times without a zone.

mod address;
mod jetstream;
mod payload;

use crate::domain::event::{Details, Event, Kind, Start};
use crate::domain::ids::{AccountName, PlayerId, ServerId};
use crate::domain::subject::{RejectReason, Root, Subject, UNKNOWN_SERVER};
use crate::domain::timestamp::Timestamp;

use jetstream::is_jetstreams_answer;
use payload::{Object, json_text};

/// The largest payload that is read. It is nats-server's default `max_payload`, and no publisher comes near it.
pub const MAX_PAYLOAD: usize = 1024 * 1024;

/// The most characters that are kept of a text, so that no payload can bloat the database.
pub const MAX_TEXT: usize = 2_000;

/// The most characters that are kept of an id.
pub const MAX_ID: usize = 128;

/// What a message's subject tells of its event, or why the message is none.
pub fn subject_of<'a>(root: &Root, subject: &'a str, payload: &[u8]) -> Result<Subject<'a>, RejectReason> {
    let subject = Subject::parse(root, subject)?;
    if is_jetstreams_answer(payload) { Err(RejectReason::JetStreamAnswer) } else { Ok(subject) }
}

/// The event that `subject` and `payload` tell of, as nats-server stored it.
#[must_use]
pub fn decode(account: &AccountName, subject: &Subject<'_>, payload: &[u8], stored: Timestamp, sequence: u64) -> Event {
    let json = json_text(payload);
    let payload = Object::parse(&json);
    Event {
        account: account.clone(),
        server: server_in(subject, &payload),
        player: player_in(subject, &payload),
        player_name: player_name(subject.kind, &payload),
        stored,
        sequence,
        details: details(subject, &payload),
    }
}

/// The server that an event is about: from the payload only where the subject carries a placeholder.
#[must_use]
pub fn server_of(subject: &Subject<'_>, payload: &[u8]) -> ServerId {
    if subject.server.is_some() {
        return server_in(subject, &Object::default());
    }
    server_in(subject, &Object::parse(&json_text(payload)))
}

/// The player whom an event is about: from the payload only where the subject carries a placeholder.
#[must_use]
pub fn player_of(subject: &Subject<'_>, payload: &[u8]) -> Option<PlayerId> {
    if subject.player.is_some() {
        return player_in(subject, &Object::default());
    }
    player_in(subject, &Object::parse(&json_text(payload)))
}

fn server_in(subject: &Subject<'_>, payload: &Object<'_>) -> ServerId {
    let named = subject.server.map(id).or_else(|| payload.id("server_id"));
    ServerId::from(named.unwrap_or_else(|| UNKNOWN_SERVER.to_owned()))
}

fn player_in(subject: &Subject<'_>, payload: &Object<'_>) -> Option<PlayerId> {
    let named = subject.player.map(id).or_else(|| player_of_placeholder(subject, payload));
    named.map(PlayerId::from)
}

/// The player, where the subject has a place for one and a placeholder stands there.
fn player_of_placeholder(subject: &Subject<'_>, payload: &Object<'_>) -> Option<String> {
    match subject.kind {
        Kind::PlayerReported => payload.id("reporter_steam_id"),
        Kind::PlayerHit => payload.object("player_hit").object("victim").id("steam_id"),
        _ if subject.path.starts_with("players.") || subject.kind == Kind::PlayerChatted => {
            payload.id("steam_id").or_else(|| payload.object("player").id("id"))
        }
        _ => None,
    }
}

fn player_name(kind: Kind, payload: &Object<'_>) -> Option<String> {
    match kind {
        // The only player these know is one that the subject has no place for.
        Kind::ServerStarted | Kind::ServerStopping | Kind::ServerStopped | Kind::ServerWiped | Kind::ServerCommand => {
            None
        }
        // Nothing is known of what these fields would mean.
        Kind::Unknown => None,
        Kind::PlayerBanned | Kind::PlayerUnbanned => payload.text("player_name").or_else(|| payload.text("name")),
        _ => payload.text("player_name").or_else(|| payload.object("player").text("name")),
    }
}

fn details(subject: &Subject<'_>, payload: &Object<'_>) -> Details {
    match subject.kind {
        Kind::ServerStarted => Details::ServerStarted { how: Start::Up },
        Kind::ServerStopping => Details::ServerStopping,
        Kind::ServerStopped => Details::ServerStopped,
        Kind::ServerWiped => Details::ServerWiped,
        Kind::ServerCommand => Details::ServerCommand {
            command: payload.text("command"),
            arguments: payload.text("arguments"),
            by: payload.id("steam_id").map(PlayerId::from),
        },
        Kind::PlayerConnected => Details::PlayerConnected,
        // The schema requires `Reason` and describes `reason`.
        Kind::PlayerDisconnected => Details::PlayerDisconnected { reason: reason(payload) },
        Kind::PlayerChatted => Details::PlayerChatted {
            message: payload
                .text("full_message")
                .or_else(|| payload.text("raw_message"))
                .or_else(|| payload.text("message")),
        },
        Kind::PlayerRespawned => Details::PlayerRespawned,
        Kind::PlayerBanned => Details::PlayerBanned { reason: reason(payload) },
        Kind::PlayerUnbanned => Details::PlayerUnbanned,
        Kind::PlayerReported => Details::PlayerReported {
            target: payload.id("reported_target_steam_id").map(PlayerId::from),
            subject: payload.text("subject"),
            message: payload.text("message"),
            category: payload.text("reportedType"),
        },
        Kind::PlayerHit => {
            let hit = payload.object("player_hit");
            Details::PlayerHit {
                attacker: hit.object("attacker").id("steam_id").map(PlayerId::from),
                killed: hit.truth("isKill"),
                metres: hit.rounded("hit_distance"),
            }
        }
        Kind::PlayerGathered => {
            Details::PlayerGathered { item: payload.integer("item_id"), amount: payload.integer("amount") }
        }
        Kind::PlayerItemPickup => {
            Details::PlayerItemPickup { item: item(subject, payload), amount: payload.integer("amount") }
        }
        Kind::PlayerItemLoot => {
            Details::PlayerItemLoot { item: item(subject, payload), amount: payload.integer("amount") }
        }
        Kind::PlayerItemCrafted => {
            Details::PlayerItemCrafted { item: item(subject, payload), amount: payload.integer("amount") }
        }
        Kind::Unknown => Details::Unknown { name: unknown_name(subject.path) },
    }
}

fn reason(payload: &Object<'_>) -> Option<String> {
    payload.text("reason").or_else(|| payload.text("Reason"))
}

fn item(subject: &Subject<'_>, payload: &Object<'_>) -> Option<i64> {
    match subject.item {
        Some(item) => item.parse().ok(),
        None => payload.integer("item_id"),
    }
}

/// The path from `events` on: a player's id is kept where ids are kept, not in a kind's name.
fn unknown_name(path: &str) -> String {
    let name = match path.strip_prefix("players.").and_then(|rest| rest.split_once('.')) {
        Some((_, name)) => name,
        None => path,
    };
    id(name)
}

fn id(text: &str) -> String {
    text.chars().filter(|character| *character != '\0').take(MAX_ID).collect()
}
