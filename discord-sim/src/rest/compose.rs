//! Who may send what where, and making and changing the message object
//! (<https://discord.com/developers/docs/resources/message>).

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Handled, attachments, ok};
use crate::permissions::{
    self, EMBED_LINKS, MANAGE_THREADS, READ_MESSAGE_HISTORY, SEND_MESSAGES, SEND_MESSAGES_IN_THREADS, VIEW_CHANNEL,
};
use crate::refusal::Refusal;
use crate::rules::mentions::{self, snowflake};
use crate::rules::message::{
    Body, FLAG_COMPONENTS_V2, FLAG_EPHEMERAL, FLAG_LOADING, FLAG_SUPPRESS_EMBEDS, FLAG_SUPPRESS_NOTIFICATIONS,
    Reference,
};
use crate::view::{Embed, Message};
use crate::wire;
use crate::world::{ChannelKind, World};

/// A channel's permissions for the bot, if it can see the channel at all.
pub(super) fn access(world: &World, channel: u64) -> Result<u64, Refusal> {
    let Some(found) = world.channels.get(&channel) else { return Err(Refusal::unknown_channel()) };
    if !matches!(found.kind, ChannelKind::Direct { .. }) {
        let guild = world.guilds.get(&found.guild);
        // During an outage channels are as good as gone: https://github.com/bsquidwrd/LiveBot/issues/30
        if guild.is_none_or(|guild| guild.out) {
            return Err(Refusal::unknown_channel());
        }
        if !world.has_bot(found.guild) || found.kind.is_thread() && !wire::sees_thread(world, found) {
            return Err(Refusal::missing_access());
        }
    }
    let permissions = permissions::in_channel(world, world.bot, channel);
    if permissions & VIEW_CHANNEL == 0 {
        return Err(Refusal::missing_access());
    }
    Ok(permissions)
}

/// The same, if the bot has these permissions there, too.
pub(super) fn allowed(world: &World, channel: u64, wanted: u64) -> Result<u64, Refusal> {
    let permissions = access(world, channel)?;
    if permissions & wanted == wanted { Ok(permissions) } else { Err(Refusal::missing_permissions()) }
}

/// Access to a message that a channel shows; gives the permissions.
pub(super) fn find(world: &World, channel: u64, message: u64) -> Result<(u64, &Message), Refusal> {
    let permissions = access(world, channel)?;
    let found = world.messages.get(&message).filter(|_| world.shows(channel, message));
    Ok((permissions, found.ok_or_else(Refusal::unknown_message)?))
}

/// The guild of a channel; a direct conversation has none, and most actions are not for it.
pub(super) fn guild_of(world: &World, channel: u64) -> Result<u64, Refusal> {
    match world.channels.get(&channel) {
        None => Err(Refusal::unknown_channel()),
        Some(found) if found.guild == 0 => Err(Refusal::direct_channel()),
        Some(found) => Ok(found.guild),
    }
}

pub(super) fn may_send(world: &World, channel: u64, permissions: u64) -> Result<(), Refusal> {
    let kind = world.channels.get(&channel).ok_or_else(Refusal::unknown_channel)?.kind;
    if let ChannelKind::Direct { user } = kind
        && world.users.get(&user).is_none_or(|user| !user.takes_direct_messages)
    {
        return Err(Refusal::new(403, 50007, "Cannot send messages to this user"));
    }
    may_write(world, channel, permissions)
}

/// Whether somebody with these permissions, be it the bot or a person, may write there.
pub(crate) fn may_write(world: &World, channel: u64, permissions: u64) -> Result<(), Refusal> {
    let found = world.channels.get(&channel).ok_or_else(Refusal::unknown_channel)?;
    let locked = found.thread.as_ref().is_some_and(|thread| thread.locked);
    match found.kind {
        ChannelKind::Forum | ChannelKind::Media => {
            Err(Refusal::new(400, 40058, "Cannot send a message in a forum channel"))
        }
        ChannelKind::Category => Err(Refusal::new(400, 50008, "Cannot send messages in a non-text channel")),
        // In a thread SEND_MESSAGES has no effect: https://discord.com/developers/docs/topics/threads#permissions
        kind if kind.is_thread() && permissions & SEND_MESSAGES_IN_THREADS == 0 => Err(Refusal::missing_permissions()),
        kind if kind.is_thread() && locked && permissions & MANAGE_THREADS == 0 => {
            Err(Refusal::new(400, 160_005, "Thread is locked"))
        }
        kind if kind.is_thread() => Ok(()),
        _ if permissions & SEND_MESSAGES == 0 => Err(Refusal::missing_permissions()),
        _ => Ok(()),
    }
}

/// Without `EMBED_LINKS` a message of only embeds is refused, and one with text silently loses them
/// (<https://github.com/discord/discord-api-docs/issues/2601>).
pub(super) fn drop_embeds_without_permission(permissions: u64, body: &mut Body) -> Result<(), Refusal> {
    if permissions & EMBED_LINKS != 0 || body.embeds.as_ref().is_none_or(Vec::is_empty) {
        return Ok(());
    }
    body.embeds = None;
    if body.is_empty() { Err(Refusal::missing_permissions()) } else { Ok(()) }
}

/// What a reply or a forward lays over the message
/// (<https://discord.com/developers/docs/resources/message#message-reference-types>).
pub(super) fn refer(world: &World, channel: u64, permissions: u64, reference: &Reference) -> Result<Value, Refusal> {
    let from = reference.channel.unwrap_or(channel);
    let unknown = |code, message| Err(Refusal::invalid("message_reference", code, message));
    let other = world.messages.get(&reference.message).filter(|_| world.shows(from, reference.message));
    if reference.forwards {
        let seen = access(world, from)? & READ_MESSAGE_HISTORY != 0;
        let Some(other) = other.filter(|_| seen) else { return Err(Refusal::unknown_message()) };
        let keys = [
            "type",
            "content",
            "embeds",
            "attachments",
            "timestamp",
            "edited_timestamp",
            "flags",
            "mentions",
            "mention_roles",
            "components",
        ];
        let snapshot: Value = keys.iter().map(|&key| (key.to_owned(), other.raw[key].clone())).collect();
        return Ok(json!({
            "message_reference": pointer(world, from, reference.message, 1),
            "message_snapshots": [{ "message": snapshot }],
        }));
    }
    if permissions & READ_MESSAGE_HISTORY == 0 {
        return Err(Refusal::new(403, 160_002, "Cannot reply without permission to read message history"));
    }
    match other.filter(|_| from == channel) {
        None if reference.must_exist => unknown("REPLIES_UNKNOWN_MESSAGE", "Unknown message"),
        None => Ok(json!({})),
        Some(other) if !matches!(other.raw["type"].as_u64(), Some(0 | 19 | 20 | 23)) => {
            unknown("REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE", "Cannot reply to a system message")
        }
        Some(other) => Ok(json!({
            "type": 19, "message_reference": pointer(world, from, reference.message, 0),
            "referenced_message": referenced(other),
        })),
    }
}

/// A message as the answer to it carries it: without the one it answers itself, as Discord nests them one level deep
/// (<https://discord.com/developers/docs/resources/message#message-object>).
pub(crate) fn referenced(message: &Message) -> Value {
    let mut raw = message.raw.clone();
    raw.as_object_mut().and_then(|raw| raw.remove("referenced_message"));
    raw
}

/// A `message_reference` as a message carries it.
pub(crate) fn pointer(world: &World, channel: u64, message: u64, kind: u8) -> Value {
    let mut pointer = json!({ "type": kind, "channel_id": channel.to_string(), "message_id": message.to_string() });
    if let Some(channel) = world.channels.get(&channel).filter(|channel| channel.guild != 0) {
        pointer["guild_id"] = json!(channel.guild.to_string());
    }
    pointer
}

/// Makes the message object; `extra` is laid over it.
pub(crate) fn build(world: &mut World, channel: u64, body: &Body, extra: &Value) -> Message {
    let id = world.next_id();
    let sent_at = world.now();
    let shown = FLAG_SUPPRESS_EMBEDS | FLAG_SUPPRESS_NOTIFICATIONS | FLAG_COMPONENTS_V2 | FLAG_EPHEMERAL;
    let mut raw = json!({
        "id": id.to_string(), "channel_id": channel.to_string(), "type": 0, "author": wire::user(world, world.bot),
        "timestamp": wire::timestamp(sent_at), "edited_timestamp": null, "tts": body.tts, "pinned": false,
        "attachments": attachments::settle(world, channel, body, &[]), "flags": body.flags & shown,
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
        edits: 0,
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
    let answered = snowflake(&message.raw["referenced_message"]["author"]["id"]);
    if let Some(author) =
        answered.filter(|author| body.allowed.replied_user && !message.notified_users.contains(author))
    {
        message.notified_users.push(author);
        let user = wire::user(world, author);
        message.raw["mentions"].as_array_mut().expect("it was just filled with a list").push(user);
    }
    message
}

/// Lays what a body names over a message; what it leaves out stays.
fn fill(world: &World, channel: u64, message: &mut Message, body: &Body) {
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
    }
    let attached = message.raw["attachments"].as_array().cloned().unwrap_or_default();
    if let Some(components) = &body.components {
        message.raw["components"] = components.clone();
    }
    for shown in ["embeds", "components"] {
        attachments::link(&mut message.raw[shown], &attached);
    }
    message.embeds = Embed::list(&message.raw["embeds"]);
    message.flags = message.raw["flags"].as_u64().unwrap_or_default();
}

/// Edits a message in place; notifies nobody, as edits don't.
pub(super) fn edit(world: &mut World, channel: u64, id: u64, body: &Body) -> Handled {
    let Some(mut message) = world.messages.get(&id).cloned() else { return Err(Refusal::unknown_message()) };
    let had = message.raw["attachments"].as_array().cloned().unwrap_or_default();
    let nothing_attached = body.files.is_empty()
        && match &body.listed {
            None => had.is_empty(),
            Some(listed) => {
                !had.iter().any(|had| listed.iter().any(|listed| snowflake(&listed["id"]) == snowflake(&had["id"])))
            }
        };
    let mut flags = message.raw["flags"].as_u64().unwrap_or_default();
    // What was being thought about is not edited by being there at last: clients would mark it.
    let thinking = flags & FLAG_LOADING != 0;
    flags &= !FLAG_LOADING;
    if body.names_flags {
        flags = flags & !FLAG_SUPPRESS_EMBEDS | body.flags & (FLAG_SUPPRESS_EMBEDS | FLAG_COMPONENTS_V2);
    }
    fill(world, channel, &mut message, body);
    let bare = message.content.is_empty() && message.embeds.is_empty() && nothing_attached;
    if bare && flags & FLAG_COMPONENTS_V2 == 0 && message.raw.get("message_snapshots").is_none() {
        return Err(Refusal::empty_message());
    }
    take_old_edit(world, id)?;
    let attached = attachments::settle(world, channel, body, &had);
    for gone in had.iter().filter(|had| !attached.iter().any(|kept| kept["id"] == had["id"])) {
        snowflake(&gone["id"]).and_then(|id| world.files.remove(&id));
    }
    message.raw["attachments"] = json!(attached);
    message.raw["flags"] = json!(flags);
    if !thinking {
        message.raw["edited_timestamp"] = json!(wire::timestamp(world.now()));
        message.edits += 1;
    }
    fill(world, channel, &mut message, body);
    let raw = message.raw.clone();
    world.messages.insert(id, message);
    world.tell_of_change(id);
    ok(raw)
}

/// Messages older than an hour have a limit of their own, of which no header tells and whose size Discord does not say
/// (<https://github.com/discord/discord-api-docs/issues/4413>).
fn take_old_edit(world: &mut World, message: u64) -> Result<(), Refusal> {
    const HOUR: Duration = Duration::from_hours(1);
    if world.age(message) <= HOUR {
        return Ok(());
    }
    while world.old_edits.front().is_some_and(|at| at.elapsed() >= HOUR) {
        world.old_edits.pop_front();
    }
    if world.old_edits.len() >= world.old_edits_per_hour as usize {
        let message = "Maximum number of edits to messages older than 1 hour reached. Try again later.";
        return Err(Refusal::new(429, 30046, message));
    }
    world.old_edits.push_back(Instant::now());
    Ok(())
}
