//! Messages in channels: create with its permissions and nonce, list, read, edit, delete, crosspost, and typing
//! (<https://discord.com/developers/docs/resources/message>).

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::compose::{access, allowed, build, drop_embeds_without_permission, find, guild_of, may_send, refer};
use super::{Call, Handled, compose, done, ok};
use crate::permissions::{
    ATTACH_FILES, EMBED_LINKS, MANAGE_MESSAGES, READ_MESSAGE_HISTORY, SEND_MESSAGES, SEND_TTS_MESSAGES,
};
use crate::refusal::Refusal;
use crate::rules::fields::Fields;
use crate::rules::mentions::snowflake;
use crate::rules::message::{self, Body, FLAG_CROSSPOSTED, FLAG_SUPPRESS_EMBEDS};
use crate::wire;
use crate::world::{ChannelKind, UsedNonce, World, prune};

/// Nothing older than this can be deleted in bulk
/// (<https://discord.com/developers/docs/resources/message#bulk-delete-messages>).
const BULK_AGE: Duration = Duration::from_hours(14 * 24);

pub(crate) fn create(world: &mut World, call: &Call) -> Handled {
    let channel = call.id("channel")?;
    let permissions = access(world, channel)?;
    may_send(world, channel, permissions)?;
    let mut body = message::read(call.json(), &call.files, 0)?;
    if body.is_empty() {
        return Err(Refusal::empty_message());
    }
    if permissions & ATTACH_FILES == 0 && !body.files.is_empty() {
        return Err(Refusal::missing_permissions());
    }
    body.tts &= permissions & SEND_TTS_MESSAGES != 0;
    drop_embeds_without_permission(permissions, &mut body)?;
    let extra = match &body.reference {
        Some(reference) => refer(world, channel, permissions, reference)?,
        None => json!({}),
    };
    if let Some(existing) = replayed(world, &body)? {
        return ok(existing);
    }
    let message = build(world, channel, &body, &extra);
    if let Some(nonce) = &body.nonce {
        let window = world.nonce_window;
        prune(&mut world.nonces, |used| used.at.elapsed() < window);
        world.nonces.insert(nonce.text.clone(), UsedNonce { message: message.id, at: Instant::now() });
    }
    let raw = message.raw.clone();
    world.keep_message(channel, message, false);
    world.statistics.creates_accepted += 1;
    ok(raw)
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

/// `GET /channels/{channel}/messages`, newest first.
pub(crate) fn list(world: &mut World, call: &Call) -> Handled {
    let channel = call.id("channel")?;
    let permissions = access(world, channel)?;
    // Without the history an empty list is answered, not an error.
    if permissions & READ_MESSAGE_HISTORY == 0 {
        return ok(json!([]));
    }
    let limit = call.limit(100, 50)?;
    let empty = Vec::new();
    let timeline = world.timelines.get(&channel).unwrap_or(&empty);
    let mut ids: Vec<u64> = if let Some(around) = call.query_id("around") {
        let at = timeline.partition_point(|&id| id < around);
        let first = at.saturating_sub(limit / 2);
        timeline[first..(first + limit).min(timeline.len())].to_vec()
    } else if let Some(after) = call.query_id("after") {
        timeline.iter().copied().filter(|&id| id > after).take(limit).collect()
    } else {
        let before = call.query_id("before").unwrap_or(u64::MAX);
        let older: Vec<u64> = timeline.iter().copied().filter(|&id| id < before).collect();
        older[older.len().saturating_sub(limit)..].to_vec()
    };
    ids.reverse();
    ok(ids.iter().filter_map(|id| world.messages.get(id)).map(|message| message.raw.clone()).collect())
}

pub(crate) fn get(world: &mut World, call: &Call) -> Handled {
    let (permissions, message) = find(world, call.id("channel")?, call.id("message")?)?;
    if permissions & READ_MESSAGE_HISTORY == 0 {
        return Err(Refusal::missing_permissions());
    }
    ok(message.raw.clone())
}

/// Others' messages can only have their embeds suppressed, with `MANAGE_MESSAGES`.
pub(crate) fn edit(world: &mut World, call: &Call) -> Handled {
    let (channel, id) = (call.id("channel")?, call.id("message")?);
    let (permissions, message) = find(world, channel, id)?;
    let own = snowflake(&message.raw["author"]["id"]) == Some(world.bot);
    let system = !matches!(message.raw["type"].as_u64(), Some(0 | 19 | 20 | 23));
    let frozen = world.channels.get(&channel).is_some_and(crate::world::Channel::is_archived);
    if frozen {
        return Err(Refusal::new(400, 50083, "Thread is archived"));
    }
    let mut body = message::read(call.json(), &call.files, message.flags)?;
    if !own {
        let only_flags = call.json().as_object().is_some_and(|keys| keys.keys().all(|key| key == "flags"));
        if !only_flags || !body.names_flags {
            return Err(Refusal::new(403, 50005, "Cannot edit a message authored by another user"));
        }
        if permissions & MANAGE_MESSAGES == 0 {
            return Err(Refusal::missing_permissions());
        }
        let suppressed = body.flags & FLAG_SUPPRESS_EMBEDS;
        world.change_message(id, |raw| {
            let flags = raw["flags"].as_u64().unwrap_or_default();
            raw["flags"] = json!(flags & !FLAG_SUPPRESS_EMBEDS | suppressed);
        });
        return ok(world.messages.get(&id).map_or(Value::Null, |message| message.raw.clone()));
    }
    if system {
        return Err(Refusal::new(403, 50021, "Cannot execute action on a system message"));
    }
    if permissions & ATTACH_FILES == 0 && !body.files.is_empty() {
        return Err(Refusal::missing_permissions());
    }
    if permissions & EMBED_LINKS == 0 {
        body.embeds = None;
    }
    compose::edit(world, channel, id, &body)
}

pub(crate) fn delete(world: &mut World, call: &Call) -> Handled {
    let (channel, id) = (call.id("channel")?, call.id("message")?);
    let (permissions, message) = find(world, channel, id)?;
    let own = snowflake(&message.raw["author"]["id"]) == Some(world.bot);
    if !own && permissions & MANAGE_MESSAGES == 0 {
        return Err(Refusal::missing_permissions());
    }
    world.remove_message(channel, id);
    done()
}

/// <https://discord.com/developers/docs/resources/message#bulk-delete-messages>
pub(crate) fn bulk_delete(world: &mut World, call: &Call) -> Handled {
    let channel = call.id("channel")?;
    access(world, channel)?;
    guild_of(world, channel)?;
    allowed(world, channel, MANAGE_MESSAGES | READ_MESSAGE_HISTORY)?;
    let mut fields = Fields::of(call.json());
    let ids = fields.ids("messages", 100);
    match &ids {
        None => fields.faults.required("messages"),
        Some(ids) if ids.len() < 2 => fields.faults.bad_length("messages", 2, 100),
        Some(_) => {}
    }
    fields.done()?;
    let mut ids = ids.unwrap_or_default();
    if ids.iter().any(|&id| world.age(id) > BULK_AGE) {
        return Err(Refusal::new(400, 50034, "You can only bulk delete messages that are under 14 days old."));
    }
    ids.sort_unstable();
    if ids.windows(2).any(|two| two[0] == two[1]) {
        return Err(Refusal::invalid(
            "messages",
            "SET_TYPE_ALREADY_CONTAINS_VALUE",
            "The set already contains this value",
        ));
    }
    ids.retain(|&id| world.shows(channel, id));
    for &id in &ids {
        world.forget_message(channel, id);
    }
    let gone: Vec<String> = ids.iter().map(ToString::to_string).collect();
    world.tell(channel, "MESSAGE_DELETE_BULK", json!({ "ids": gone, "channel_id": channel.to_string() }));
    done()
}

/// <https://discord.com/developers/docs/resources/message#crosspost-message>
pub(crate) fn crosspost(world: &mut World, call: &Call) -> Handled {
    let (channel, id) = (call.id("channel")?, call.id("message")?);
    let (permissions, message) = find(world, channel, id)?;
    if world.channels.get(&channel).is_none_or(|of| of.kind != ChannelKind::Announcement) {
        return Err(Refusal::wrong_channel_type());
    }
    let own = snowflake(&message.raw["author"]["id"]) == Some(world.bot);
    let needed = if own { SEND_MESSAGES } else { SEND_MESSAGES | MANAGE_MESSAGES };
    if permissions & needed != needed {
        return Err(Refusal::missing_permissions());
    }
    if message.flags & FLAG_CROSSPOSTED != 0 {
        return Err(Refusal::new(400, 40033, "This message has already been crossposted"));
    }
    let flags = message.flags | FLAG_CROSSPOSTED;
    world.change_message(id, |raw| raw["flags"] = json!(flags));
    ok(world.messages.get(&id).map_or(Value::Null, |message| message.raw.clone()))
}

/// <https://discord.com/developers/docs/resources/channel#trigger-typing-indicator>
pub(crate) fn typing(world: &mut World, call: &Call) -> Handled {
    let channel = call.id("channel")?;
    let permissions = access(world, channel)?;
    may_send(world, channel, permissions)?;
    world.type_in(channel, world.bot);
    done()
}

impl World {
    /// `TYPING_START` by a user.
    pub(crate) fn type_in(&mut self, channel: u64, user: u64) {
        let since = self.now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut data = json!({ "channel_id": channel.to_string(), "user_id": user.to_string(), "timestamp": since });
        let guild = self.channels.get(&channel).and_then(|channel| self.guilds.get(&channel.guild));
        if let Some(guild) = guild.filter(|guild| guild.members.contains_key(&user)) {
            data["member"] = wire::member(self, guild, user, true);
        }
        self.tell(channel, "TYPING_START", data);
    }
}
