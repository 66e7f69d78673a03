//! Messages in channels: create with its permissions and nonce, list, read, edit, delete
//! (<https://discord.com/developers/docs/resources/message>).

use std::collections::HashMap;
use std::time::{Instant, SystemTime};

use serde_json::{Value, json};

use super::{Answer, Handled, ok};
use crate::multipart::File;
use crate::permissions::{
    self, ATTACH_FILES, EMBED_LINKS, MANAGE_MESSAGES, MANAGE_THREADS, READ_MESSAGE_HISTORY, SEND_MESSAGES,
    SEND_MESSAGES_IN_THREADS, VIEW_CHANNEL,
};
use crate::refusal::{Faults, Refusal};
use crate::rules::mentions::{self, snowflake};
use crate::rules::message::{self, Body, FLAG_SUPPRESS_EMBEDS, FLAG_SUPPRESS_NOTIFICATIONS};
use crate::view::{Embed, Message};
use crate::wire;
use crate::world::{ChannelKind, UsedNonce, World};

/// A channel's permissions for the bot, if it can see the channel at all.
pub(super) fn access(world: &World, channel: u64) -> Result<u64, Refusal> {
    let Some(found) = world.channels.get(&channel) else { return Err(Refusal::unknown_channel()) };
    if !matches!(found.kind, ChannelKind::Direct { .. }) {
        let guild = world.guilds.get(&found.guild);
        // During an outage channels are as good as gone: https://github.com/bsquidwrd/LiveBot/issues/30
        if guild.is_none_or(|guild| guild.out) {
            return Err(Refusal::unknown_channel());
        }
        if !world.has_bot(found.guild) {
            return Err(Refusal::missing_access());
        }
    }
    let permissions = permissions::in_channel(world, world.bot, channel);
    if permissions & VIEW_CHANNEL == 0 {
        return Err(Refusal::missing_access());
    }
    Ok(permissions)
}

pub(super) fn create(world: &mut World, channel: u64, body: &Value, files: &[File]) -> Handled {
    let permissions = access(world, channel)?;
    may_send(world, channel, permissions)?;
    let nothing = json!({});
    let mut body = message::check(if body.is_null() && !files.is_empty() { &nothing } else { body })?;
    check_files(files)?;
    // What the body says of attachments names files; only those that came along become any.
    body.attachments = files.iter().map(|file| json!({ "filename": file.name, "size": file.bytes.len() })).collect();
    if body.is_empty() {
        return Err(Refusal::empty_message());
    }
    if permissions & ATTACH_FILES == 0 && !body.attachments.is_empty() {
        return Err(Refusal::missing_permissions());
    }
    drop_embeds_without_permission(permissions, &mut body)?;
    if let Some(existing) = replayed(world, &body)? {
        return ok(existing);
    }
    body.attachments = files.iter().map(|file| keep_file(world, channel, file)).collect();
    let message = build(world, channel, &body, &json!({}));
    if let Some(nonce) = &body.nonce {
        world.nonces.insert(nonce.text.clone(), UsedNonce { message: message.id, at: Instant::now() });
    }
    let raw = message.raw.clone();
    world.keep_message(channel, message, false);
    world.statistics.creates_accepted += 1;
    ok(raw)
}

/// <https://discord.com/developers/docs/reference#uploading-files>
fn check_files(files: &[File]) -> Result<(), Refusal> {
    const FILES: usize = 10;
    const FILE_SIZE: usize = 10 * 1024 * 1024;
    if files.iter().any(|file| file.bytes.len() > FILE_SIZE) {
        return Err(Refusal::new(413, 40005, "Request entity too large"));
    }
    let mut faults = Faults::default();
    if files.len() > FILES {
        faults.too_long("attachments", FILES);
    }
    faults.into_result()
}

/// Keeps a file's bytes and gives its attachment object.
fn keep_file(world: &mut World, channel: u64, file: &File) -> Value {
    let id = world.next_id();
    world.files.insert(id, file.bytes.clone());
    let url = format!("https://cdn.discordapp.com/attachments/{channel}/{id}/{}", file.name);
    json!({
        "id": id.to_string(), "filename": file.name, "size": file.bytes.len(), "url": url, "proxy_url": url,
        "content_type": "application/octet-stream",
    })
}

fn may_send(world: &World, channel: u64, permissions: u64) -> Result<(), Refusal> {
    let found = world.channels.get(&channel).ok_or_else(Refusal::unknown_channel)?;
    match found.kind {
        ChannelKind::Forum => Err(Refusal::new(
            400,
            40058,
            "Cannot message this thread until after the post author has sent an initial message.",
        )),
        ChannelKind::Category => Err(Refusal::new(400, 50008, "Cannot send messages in a non-text channel")),
        ChannelKind::Direct { user } => {
            if world.users.get(&user).is_some_and(|user| user.takes_direct_messages) {
                return Ok(());
            }
            Err(Refusal::new(403, 50007, "Cannot send messages to this user"))
        }
        // In a thread SEND_MESSAGES has no effect: https://discord.com/developers/docs/topics/threads#permissions
        ChannelKind::PublicThread { .. } if permissions & SEND_MESSAGES_IN_THREADS == 0 => {
            Err(Refusal::missing_permissions())
        }
        ChannelKind::PublicThread { .. } if found.locked && permissions & MANAGE_THREADS == 0 => {
            Err(Refusal::new(400, 160_005, "Thread is locked"))
        }
        ChannelKind::PublicThread { .. } => Ok(()),
        _ if permissions & SEND_MESSAGES == 0 => Err(Refusal::missing_permissions()),
        _ => Ok(()),
    }
}

/// Without `EMBED_LINKS` a message of only embeds is refused, and one with text silently loses them
/// (<https://github.com/discord/discord-api-docs/issues/2601>).
fn drop_embeds_without_permission(permissions: u64, body: &mut Body) -> Result<(), Refusal> {
    if permissions & EMBED_LINKS != 0 || body.embeds.as_ref().is_none_or(Vec::is_empty) {
        return Ok(());
    }
    body.embeds = None;
    if body.is_empty() { Err(Refusal::missing_permissions()) } else { Ok(()) }
}

/// The message that was made with this nonce before, if it is enforced and remembered
/// (<https://github.com/discord/discord-api-docs/pull/6647>).
fn replayed(world: &mut World, body: &Body) -> Result<Option<Value>, Refusal> {
    let window = world.nonce_window;
    let Some(nonce) = body.nonce.as_ref().filter(|nonce| nonce.enforced) else { return Ok(None) };
    let Some(used) = world.nonces.get(&nonce.text).filter(|used| used.at.elapsed() < window) else { return Ok(None) };
    let Some(message) = world.messages.get(&used.message) else { return Err(Refusal::unknown_message()) };
    world.statistics.nonce_replays += 1;
    Ok(Some(message.raw.clone()))
}

/// Makes the message object; `extra` is laid over it.
pub(super) fn build(world: &mut World, channel: u64, body: &Body, extra: &Value) -> Message {
    let id = world.next_id();
    let sent_at = SystemTime::now();
    let mut raw = json!({
        "id": id.to_string(), "channel_id": channel.to_string(), "type": 0, "author": wire::user(world, world.bot),
        "timestamp": wire::timestamp(sent_at), "edited_timestamp": null, "tts": body.tts, "pinned": false,
        "attachments": body.attachments, "reactions": [],
        "flags": body.flags & (FLAG_SUPPRESS_EMBEDS | FLAG_SUPPRESS_NOTIFICATIONS | message::FLAG_COMPONENTS_V2 | message::FLAG_EPHEMERAL),
    });
    if let Some(nonce) = &body.nonce {
        raw["nonce"] = nonce.raw.clone();
    }
    for (key, value) in extra.as_object().into_iter().flatten() {
        raw[key] = value.clone();
    }
    let mut message = Message {
        id,
        content: String::new(),
        embeds: Vec::new(),
        nonce: body.nonce.as_ref().map(|nonce| nonce.text.clone()),
        notified_roles: Vec::new(),
        notified_everyone: false,
        notified_users: Vec::new(),
        flags: 0,
        sent_at,
        raw,
    };
    let blank = Body {
        content: Some(body.content.clone().unwrap_or_default()),
        embeds: Some(body.embeds.clone().unwrap_or_default()),
        components: Some(body.components.clone().unwrap_or_else(|| json!([]))),
        ..body.clone()
    };
    fill(world, channel, &mut message, &blank);
    let notified = mentions::notified(world, channel, &message.content, &body.allowed);
    message.notified_users = notified.users;
    message.notified_roles = notified.roles;
    message.notified_everyone = notified.everyone;
    message
}

/// Lays what a body names over a message; what it leaves out stays.
pub(super) fn fill(world: &World, channel: u64, message: &mut Message, body: &Body) {
    if let Some(content) = &body.content {
        let notified = mentions::notified(world, channel, content, &body.allowed);
        message.content.clone_from(content);
        message.raw["content"] = json!(content);
        message.raw["mentions"] = notified.users.iter().map(|&user| wire::user(world, user)).collect();
        message.raw["mention_roles"] = notified.roles.iter().map(ToString::to_string).collect();
        message.raw["mention_everyone"] = json!(notified.everyone);
    }
    if let Some(embeds) = &body.embeds {
        message.raw["embeds"] = json!(embeds);
        message.embeds = Embed::list(&message.raw["embeds"]);
    }
    if let Some(components) = &body.components {
        message.raw["components"] = components.clone();
    }
    message.flags = message.raw["flags"].as_u64().unwrap_or_default();
}

/// Edits a message in place; notifies nobody, as edits don't.
pub(super) fn edit(world: &mut World, channel: u64, id: u64, body: &Body) -> Handled {
    let Some(mut message) = world.messages.get(&id).cloned() else { return Err(Refusal::unknown_message()) };
    fill(world, channel, &mut message, body);
    let nothing_left = message.content.is_empty()
        && message.embeds.is_empty()
        && message.raw["attachments"].as_array().is_none_or(Vec::is_empty)
        && message.flags & message::FLAG_COMPONENTS_V2 == 0;
    if nothing_left {
        return Err(Refusal::empty_message());
    }
    message.raw["edited_timestamp"] = json!(wire::timestamp(SystemTime::now()));
    let raw = message.raw.clone();
    world.messages.insert(id, message);
    ok(raw)
}

/// `GET /channels/{channel}/messages`, newest first.
pub(super) fn list(world: &World, channel: u64, query: &HashMap<String, String>) -> Handled {
    let permissions = access(world, channel)?;
    // Without the history an empty list is answered, not an error.
    if permissions & READ_MESSAGE_HISTORY == 0 {
        return ok(json!([]));
    }
    let number = |key: &str| query.get(key).and_then(|value| value.parse::<u64>().ok());
    let limit = number("limit").unwrap_or(50);
    if !(1..=100).contains(&limit) {
        let mut faults = Faults::default();
        faults.add("limit", "NUMBER_TYPE_MAX", "int value should be between 1 and 100.");
        faults.into_result()?;
    }
    let limit = usize::try_from(limit).unwrap_or(100);
    let empty = Vec::new();
    let timeline = world.timelines.get(&channel).unwrap_or(&empty);
    let mut ids: Vec<u64> = if let Some(around) = number("around") {
        let at = timeline.partition_point(|&id| id < around);
        let first = at.saturating_sub(limit / 2);
        timeline[first..(first + limit).min(timeline.len())].to_vec()
    } else if let Some(after) = number("after") {
        timeline.iter().copied().filter(|&id| id > after).take(limit).collect()
    } else {
        let before = number("before").unwrap_or(u64::MAX);
        let older: Vec<u64> = timeline.iter().copied().filter(|&id| id < before).collect();
        older[older.len().saturating_sub(limit)..].to_vec()
    };
    ids.reverse();
    ok(ids.iter().filter_map(|id| world.messages.get(id)).map(|message| message.raw.clone()).collect())
}

/// One message: read, edit, delete.
pub(super) fn one(world: &mut World, method: &str, channel: u64, id: u64, body: &Value) -> Handled {
    let permissions = access(world, channel)?;
    if !world.shows(channel, id) {
        return Err(Refusal::unknown_message());
    }
    let Some(message) = world.messages.get(&id) else { return Err(Refusal::unknown_message()) };
    let own = snowflake(&message.raw["author"]["id"]) == Some(world.bot);
    match method {
        "PATCH" if !own => Err(Refusal::new(403, 50005, "Cannot edit a message authored by another user")),
        "PATCH" => {
            let mut body = message::check(body)?;
            if permissions & EMBED_LINKS == 0 {
                body.embeds = None;
            }
            edit(world, channel, id, &body)
        }
        "DELETE" if !own && permissions & MANAGE_MESSAGES == 0 => Err(Refusal::missing_permissions()),
        "DELETE" => {
            world.remove_message(channel, id);
            Ok(Answer::nothing())
        }
        _ if permissions & READ_MESSAGE_HISTORY == 0 => Err(Refusal::missing_permissions()),
        _ => ok(message.raw.clone()),
    }
}
