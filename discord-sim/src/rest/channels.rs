//! Channels: read, create, edit, delete (<https://discord.com/developers/docs/resources/channel>).

use serde_json::{Map, Value, json};

use super::compose::{access, allowed, guild_of};
use super::threads::{ARCHIVE_AFTER, SLOW_MODE, tags};
use super::{Call, Handled, created, ok, overwrites};
use crate::permissions::{self, MANAGE_CHANNELS, MANAGE_THREADS, SEND_MESSAGES_IN_THREADS};
use crate::refusal::Refusal;
use crate::rules::fields::Fields;
use crate::wire;
use crate::world::{Channel, ChannelKind, World};

/// Channels of one guild, threads apart (code 30013), and of one category.
const CHANNELS: usize = 500;
const CHILDREN: usize = 50;
/// A position is a signed number of 32 bits, as in Discord's own description of its API.
pub(super) const MOST_POSITION: u64 = i32::MAX as u64;
/// Tags a forum offers.
const FORUM_TAGS: usize = 20;

pub(crate) fn get(world: &mut World, call: &Call) -> Handled {
    let channel = call.id("channel")?;
    access(world, channel)?;
    shown(world, channel)
}

fn shown(world: &World, channel: u64) -> Handled {
    let channel = world.channels.get(&channel).ok_or_else(Refusal::unknown_channel)?;
    ok(wire::channel(world, channel))
}

/// `POST /guilds/{guild}/channels`
pub(crate) fn create(world: &mut World, call: &Call) -> Handled {
    let guild = call.id("guild")?;
    let found = world.reachable_guild(guild).ok_or_else(Refusal::unknown_guild)?;
    let granted = permissions::in_guild(found, world.bot, world.now());
    if granted & MANAGE_CHANNELS == 0 {
        return Err(Refusal::missing_permissions());
    }
    if world.channels.values().filter(|of| of.guild == guild && !of.kind.is_thread()).count() >= CHANNELS {
        return Err(Refusal::new(400, 30013, &format!("Maximum number of guild channels reached ({CHANNELS})")));
    }
    let body = call.json();
    let mut fields = Fields::of(body);
    let name = fields.required_text("name", 1, 100);
    let kind = match fields.one_of("type", &[0, 2, 4, 5, 15, 16]) {
        Some(2) => ChannelKind::Voice,
        Some(4) => ChannelKind::Category,
        Some(5) => ChannelKind::Announcement,
        Some(15) => ChannelKind::Forum,
        Some(16) => ChannelKind::Media,
        _ => ChannelKind::Text,
    };
    let mut settings = Map::new();
    read_settings(kind, &mut fields, &mut settings);
    let position = fields.number("position", 0, MOST_POSITION);
    let category = category(world, guild, &mut fields);
    fields.done()?;
    let given = overwrites::read_list(world, guild, granted, body)?;
    let id = world.next_id();
    let mut channel = Channel::new(id, guild, &written(&name, kind), kind, world.bot, world.now());
    channel.settings = complete_tags(world, settings);
    channel.category = category;
    channel.overwrites = given.unwrap_or_default();
    channel.position = position.unwrap_or_else(|| world.next_position(guild));
    world.channels.insert(id, channel);
    world.announce_channel(id, "CREATE");
    created(world.channels.get(&id).map_or(Value::Null, |channel| wire::channel(world, channel)))
}

/// Names of text channels are written small and with dashes, as Discord writes them.
fn written(name: &str, kind: ChannelKind) -> String {
    match kind {
        ChannelKind::Voice | ChannelKind::Category => name.to_owned(),
        _ if kind.is_thread() => name.to_owned(),
        _ => name.to_lowercase().replace(char::is_whitespace, "-"),
    }
}

/// What is only kept and shown, within its bounds.
fn read_settings(kind: ChannelKind, fields: &mut Fields<'_>, settings: &mut Map<String, Value>) {
    let mut keep = |key: &str, value: Option<Value>| value.map(|value| settings.insert(key.to_owned(), value));
    let forum = kind.is_forum();
    if fields.names("topic") {
        let topic = fields.text("topic", 0, if forum { 4096 } else { 1024 });
        keep("topic", Some(json!(topic)));
    }
    keep("nsfw", fields.flag("nsfw").map(Value::from));
    keep("rate_limit_per_user", fields.number("rate_limit_per_user", 0, SLOW_MODE).map(Value::from));
    let archive = fields.one_of("default_auto_archive_duration", &ARCHIVE_AFTER);
    keep("default_auto_archive_duration", archive.map(Value::from));
    let slow = fields.number("default_thread_rate_limit_per_user", 0, SLOW_MODE);
    keep("default_thread_rate_limit_per_user", slow.map(Value::from));
    if kind == ChannelKind::Voice {
        keep("bitrate", fields.number("bitrate", 8000, 96_000).map(Value::from));
        keep("user_limit", fields.number("user_limit", 0, 99).map(Value::from));
    }
    if forum {
        keep("flags", fields.number("flags", 0, u64::MAX).map(Value::from));
        keep("default_forum_layout", fields.one_of("default_forum_layout", &[0, 1, 2]).map(Value::from));
        keep("default_sort_order", fields.one_of("default_sort_order", &[0, 1]).map(Value::from));
        keep("available_tags", available_tags(fields));
    }
}

/// A forum's tags: names of 1 to 20 characters, each once.
fn available_tags(fields: &mut Fields<'_>) -> Option<Value> {
    let list = fields.list("available_tags", FORUM_TAGS)?;
    let mut tags: Vec<Value> = Vec::new();
    for (at, tag) in list.iter().enumerate() {
        let name = tag["name"].as_str().unwrap_or_default().trim();
        if !(1..=20).contains(&crate::rules::length(name)) {
            fields.faults.bad_length(format!("available_tags.{at}.name"), 1, 20);
        }
        if tags.iter().any(|other| other["name"] == name) {
            fields.faults.add("available_tags", "TAG_NAMES_MUST_BE_UNIQUE", "Tag names must be unique");
        }
        tags.push(json!({
            "id": tag["id"], "name": name, "moderated": tag["moderated"].as_bool().unwrap_or_default(),
            "emoji_id": null, "emoji_name": tag["emoji_name"],
        }));
    }
    Some(json!(tags))
}

/// Gives new tags their ids.
fn complete_tags(world: &mut World, mut settings: Map<String, Value>) -> Map<String, Value> {
    for tag in settings.get_mut("available_tags").and_then(Value::as_array_mut).into_iter().flatten() {
        if !tag["id"].is_string() {
            tag["id"] = json!(world.next_id().to_string());
        }
    }
    settings
}

/// The category that a body names, if it names one that has room.
pub(super) fn category(world: &World, guild: u64, fields: &mut Fields<'_>) -> Option<u64> {
    let id = fields.id("parent_id");
    if let Some(id) = id {
        let category = world.channels.get(&id).filter(|of| of.guild == guild && of.kind == ChannelKind::Category);
        if category.is_none() {
            fields.faults.add("parent_id", "CHANNEL_PARENT_INVALID", "Category does not exist");
        } else if world.channels.values().filter(|of| of.category == Some(id)).count() >= CHILDREN {
            let message = format!("Maximum number of channels in category reached ({CHILDREN})");
            fields.faults.add("parent_id", "CHANNEL_PARENT_MAX_CHANNELS", message);
        }
    }
    id
}

/// `PATCH /channels/{channel}`
pub(crate) fn edit(world: &mut World, call: &Call) -> Handled {
    let id = call.id("channel")?;
    access(world, id)?;
    let guild = guild_of(world, id)?;
    let kind = world.channels.get(&id).ok_or_else(Refusal::unknown_channel)?.kind;
    if kind.is_thread() {
        return edit_thread(world, call, id);
    }
    let granted = allowed(world, id, MANAGE_CHANNELS)?;
    let body = call.json();
    let mut fields = Fields::of(body);
    let name = fields.text("name", 1, 100);
    let mut settings = Map::new();
    read_settings(kind, &mut fields, &mut settings);
    let position = fields.number("position", 0, MOST_POSITION);
    let (moves, category) = (fields.names("parent_id"), category(world, guild, &mut fields));
    // Only text and announcement channels turn into one another.
    let wanted = fields.one_of("type", &[0, 5]);
    if wanted.is_some() && !matches!(kind, ChannelKind::Text | ChannelKind::Announcement) {
        fields.faults.add("type", "BASE_TYPE_CHOICES", "This channel cannot be converted.");
    }
    fields.done()?;
    let given = overwrites::read_list(world, guild, granted, body)?;
    let settings = complete_tags(world, settings);
    let channel = world.channels.get_mut(&id).ok_or_else(Refusal::unknown_channel)?;
    match wanted {
        Some(0) => channel.kind = ChannelKind::Text,
        Some(5) => channel.kind = ChannelKind::Announcement,
        _ => {}
    }
    if let Some(name) = name {
        channel.name = written(&name, channel.kind);
    }
    channel.settings.extend(settings);
    channel.position = position.unwrap_or(channel.position);
    if moves {
        channel.category = category;
    }
    if let Some(given) = given {
        channel.overwrites = given;
    }
    world.announce_channel(id, "UPDATE");
    shown(world, id)
}

/// A thread's own fields. Who started it may change them, `locked` and un-archiving a locked one apart; an archived one
/// takes nothing but being un-archived (<https://discord.com/developers/docs/resources/channel#modify-channel>).
fn edit_thread(world: &mut World, call: &Call, id: u64) -> Handled {
    let permissions = access(world, id)?;
    let body = call.json();
    let mut fields = Fields::of(body);
    let name = fields.text("name", 1, 100);
    let archive = fields.one_of("auto_archive_duration", &ARCHIVE_AFTER);
    let slow = fields.number("rate_limit_per_user", 0, SLOW_MODE);
    let flags = fields.number("flags", 0, u64::MAX);
    let invitable = fields.flag("invitable");
    let (archived, locked) = (fields.flag("archived"), fields.flag("locked"));
    fields.done()?;
    let (kind, thread) = match world.channels.get(&id) {
        Some(Channel { kind, thread: Some(thread), .. }) => (*kind, thread),
        _ => return Err(Refusal::unknown_channel()),
    };
    let (manages, owns) = (permissions & MANAGE_THREADS != 0, thread.owner == world.bot);
    let wakes = thread.archived && archived == Some(false);
    let only_wakes = body.as_object().is_some_and(|keys| keys.keys().all(|key| key == "archived" || key == "locked"));
    let may = if wakes && only_wakes && locked.is_none() {
        manages || !thread.locked && permissions & SEND_MESSAGES_IN_THREADS != 0
    } else {
        manages || owns && locked.is_none() && slow.is_none()
    };
    if !may {
        return Err(Refusal::missing_permissions());
    }
    if thread.archived && !wakes && !(manages && locked.is_some() && only_wakes) {
        return Err(Refusal::new(400, 50083, "Thread is archived"));
    }
    let parent = kind.thread_parent().unwrap_or_default();
    let forum = world.channels.get(&parent).is_some_and(|parent| parent.kind.is_forum());
    let tags = if forum { tags(world, parent, body, false)? } else { None };
    let now = world.now();
    let channel = world.channels.get_mut(&id).ok_or_else(Refusal::unknown_channel)?;
    if let Some(name) = name {
        channel.name = name;
    }
    let set = [
        ("auto_archive_duration", archive.map(Value::from)),
        ("rate_limit_per_user", slow.map(Value::from)),
        ("flags", flags.filter(|_| forum).map(Value::from)),
        ("invitable", invitable.filter(|_| matches!(kind, ChannelKind::PrivateThread { .. })).map(Value::from)),
    ];
    for (key, value) in set {
        value.map(|value| channel.settings.insert(key.to_owned(), value));
    }
    if let Some(thread) = &mut channel.thread {
        if let Some(archived) = archived.filter(|&archived| archived != thread.archived) {
            (thread.archived, thread.turned) = (archived, now);
        }
        thread.locked = locked.unwrap_or(thread.locked);
        thread.tags = tags.unwrap_or(std::mem::take(&mut thread.tags));
    }
    world.announce_channel(id, "UPDATE");
    shown(world, id)
}

/// `DELETE /channels/{channel}`: answers what was deleted. A direct conversation is only closed.
pub(crate) fn delete(world: &mut World, call: &Call) -> Handled {
    let id = call.id("channel")?;
    let permissions = access(world, id)?;
    let channel = world.channels.get(&id).ok_or_else(Refusal::unknown_channel)?;
    let value = wire::channel(world, channel);
    if channel.guild == 0 {
        return ok(value);
    }
    let needed = if channel.kind.is_thread() { MANAGE_THREADS } else { MANAGE_CHANNELS };
    if permissions & needed == 0 {
        return Err(Refusal::missing_permissions());
    }
    world.delete_channel(id);
    ok(value)
}

impl World {
    /// The place behind every channel of a guild.
    pub(crate) fn next_position(&self, guild: u64) -> u64 {
        let of_guild = self.channels.values().filter(|of| of.guild == guild && !of.kind.is_thread());
        of_guild.map(|channel| channel.position + 1).max().unwrap_or_default()
    }

    /// Deletes a channel with its threads, messages and webhooks. Channels of a category stay, outside of it.
    pub(crate) fn delete_channel(&mut self, channel: u64) {
        let ids_of = |world: &Self, wanted: &dyn Fn(&Channel) -> bool| -> Vec<u64> {
            world.channels.values().filter(|of| wanted(of)).map(|of| of.id).collect()
        };
        for child in ids_of(self, &|of| of.category == Some(channel)) {
            if let Some(child) = self.channels.get_mut(&child) {
                child.category = None;
            }
            self.announce_channel(child, "UPDATE");
        }
        for id in ids_of(self, &|of| of.kind.thread_parent() == Some(channel)).into_iter().chain([channel]) {
            self.announce_channel(id, "DELETE");
            for message in self.timelines.remove(&id).unwrap_or_default() {
                self.forget_message(id, message);
            }
            self.channels.remove(&id);
            self.webhooks.retain(|_, webhook| webhook.channel != id);
        }
    }
}
