//! Threads and forum posts: starting and listing them (<https://discord.com/developers/docs/topics/threads>).

use serde_json::{Value, json};

use super::compose::{self, access, allowed, build, find};
use super::{Call, Handled, created, ok};
use crate::permissions::{
    ATTACH_FILES, CREATE_PRIVATE_THREADS, CREATE_PUBLIC_THREADS, MANAGE_THREADS, READ_MESSAGE_HISTORY, SEND_MESSAGES,
};
use crate::refusal::Refusal;
use crate::rules::fields::Fields;
use crate::rules::mentions::snowflake;
use crate::rules::message::{self, Body, FLAG_HAS_THREAD};
use crate::wire;
use crate::world::{Channel, ChannelKind, World};

/// Minutes until a quiet thread is archived.
pub(super) const ARCHIVE_AFTER: [u64; 4] = [60, 1440, 4320, 10_080];
pub(super) const SLOW_MODE: u64 = 21_600;
/// Tags of one forum post.
pub(super) const TAGS: usize = 5;
/// A forum's flag: a post must have a tag.
pub(super) const REQUIRE_TAG: u64 = 1 << 4;

/// `POST /channels/{channel}/messages/{message}/threads`: the thread has the message's id.
pub(crate) fn from_message(world: &mut World, call: &Call) -> Handled {
    let (channel, message) = (call.id("channel")?, call.id("message")?);
    let (permissions, _) = find(world, channel, message)?;
    let kind = match world.channels.get(&channel).map(|channel| channel.kind) {
        Some(ChannelKind::Text) => ChannelKind::PublicThread { parent: channel },
        Some(ChannelKind::Announcement) => ChannelKind::AnnouncementThread { parent: channel },
        _ => return Err(Refusal::wrong_channel_type()),
    };
    if permissions & CREATE_PUBLIC_THREADS == 0 || permissions & READ_MESSAGE_HISTORY == 0 {
        return Err(Refusal::missing_permissions());
    }
    let (name, settings) = read(call.json(), false)?;
    if world.channels.contains_key(&message) {
        return Err(Refusal::new(400, 160_004, "A thread has already been created for this message"));
    }
    world.start_thread(message, &name, kind, world.bot, settings);
    world.change_message(message, |raw| {
        raw["flags"] = json!(raw["flags"].as_u64().unwrap_or_default() | FLAG_HAS_THREAD);
    });
    world.show_thread_on_message(message);
    answer(world, message, None)
}

/// `POST /channels/{channel}/threads`: without a message, or a post in a forum.
pub(crate) fn create(world: &mut World, call: &Call) -> Handled {
    let channel = call.id("channel")?;
    let permissions = access(world, channel)?;
    let parent = world.channels.get(&channel).map(|channel| channel.kind);
    if parent.is_some_and(ChannelKind::is_forum) {
        return post(world, call, channel, permissions);
    }
    let body = call.json();
    let (kind, needed) = match (parent, body["type"].as_u64().unwrap_or(12)) {
        (Some(ChannelKind::Text), 11) => (ChannelKind::PublicThread { parent: channel }, CREATE_PUBLIC_THREADS),
        (Some(ChannelKind::Text), 12) => (ChannelKind::PrivateThread { parent: channel }, CREATE_PRIVATE_THREADS),
        (Some(ChannelKind::Announcement), 10) => {
            (ChannelKind::AnnouncementThread { parent: channel }, CREATE_PUBLIC_THREADS)
        }
        (Some(ChannelKind::Text | ChannelKind::Announcement), _) => {
            return Err(Refusal::invalid("type", "BASE_TYPE_CHOICES", "This channel has no threads of this type."));
        }
        _ => return Err(Refusal::wrong_channel_type()),
    };
    if permissions & needed == 0 {
        return Err(Refusal::missing_permissions());
    }
    let (name, settings) = read(body, kind == ChannelKind::PrivateThread { parent: channel })?;
    let id = world.next_id();
    world.start_thread(id, &name, kind, world.bot, settings);
    if !matches!(kind, ChannelKind::PrivateThread { .. }) {
        // The parent says that a thread was started; its id is a new one, the pointer names the thread.
        let extra = json!({
            "type": 18, "message_reference": { "type": 0, "channel_id": id.to_string(),
                "guild_id": world.channels.get(&channel).map(|channel| channel.guild.to_string()) },
        });
        let notice = build(world, channel, &Body { content: Some(name), ..Body::default() }, &extra);
        world.keep_message(channel, notice, false);
    }
    answer(world, id, None)
}

/// A post: a thread with its first message, which has the thread's id
/// (<https://discord.com/developers/docs/resources/channel#start-thread-in-forum-or-media-channel>).
fn post(world: &mut World, call: &Call, forum: u64, permissions: u64) -> Handled {
    if permissions & SEND_MESSAGES == 0 {
        return Err(Refusal::missing_permissions());
    }
    let given = call.json();
    let (name, settings) = read(given, false)?;
    if !given["message"].is_object() {
        return Err(Refusal::invalid("message", "BASE_TYPE_REQUIRED", "This field is required"));
    }
    let mut body = message::read(&given["message"], &call.files, 0)?;
    if body.is_empty() {
        return Err(Refusal::empty_message());
    }
    if permissions & ATTACH_FILES == 0 && !body.files.is_empty() {
        return Err(Refusal::missing_permissions());
    }
    compose::drop_embeds_without_permission(permissions, &mut body)?;
    let tags = tags(world, forum, given, true)?.unwrap_or_default();
    let id = world.post_in_forum(forum, &name, settings, &tags, &body, &json!({}));
    answer(world, id, Some(id))
}

/// The name and what else a new thread is given.
fn read(body: &Value, private: bool) -> Result<(String, serde_json::Map<String, Value>), Refusal> {
    let mut fields = Fields::of(body);
    let name = fields.required_text("name", 1, 100);
    let mut settings = serde_json::Map::new();
    if let Some(minutes) = fields.one_of("auto_archive_duration", &ARCHIVE_AFTER) {
        settings.insert("auto_archive_duration".to_owned(), json!(minutes));
    }
    if let Some(seconds) = fields.number("rate_limit_per_user", 0, SLOW_MODE) {
        settings.insert("rate_limit_per_user".to_owned(), json!(seconds));
    }
    if let Some(invitable) = fields.flag("invitable").filter(|_| private) {
        settings.insert("invitable".to_owned(), json!(invitable));
    }
    fields.done()?;
    Ok((name, settings))
}

/// The `applied_tags` of a body, which must be the forum's; `new` posts need one where the forum requires it.
pub(super) fn tags(world: &World, forum: u64, body: &Value, new: bool) -> Result<Option<Vec<u64>>, Refusal> {
    let mut fields = Fields::of(body);
    let tags = fields.ids("applied_tags", TAGS);
    fields.done()?;
    let Some(forum) = world.channels.get(&forum) else { return Err(Refusal::unknown_channel()) };
    let known = forum.settings.get("available_tags").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let unknown = tags.iter().flatten().any(|tag| !known.iter().any(|known| snowflake(&known["id"]) == Some(*tag)));
    if unknown {
        return Err(Refusal::new(404, 10087, "Unknown tag"));
    }
    let required = forum.settings.get("flags").and_then(Value::as_u64).unwrap_or_default() & REQUIRE_TAG != 0;
    if required && (new || tags.is_some()) && tags.as_ref().is_none_or(Vec::is_empty) {
        return Err(Refusal::new(400, 40067, "A tag is required to create a forum post in this channel"));
    }
    Ok(tags)
}

fn answer(world: &World, thread: u64, message: Option<u64>) -> Handled {
    let Some(channel) = world.channels.get(&thread) else { return Err(Refusal::unknown_channel()) };
    let mut value = wire::channel(world, channel);
    value["member"] = wire::thread_member(world, thread, world.bot, false).unwrap_or_default();
    if let Some(message) = message.and_then(|id| world.messages.get(&id)) {
        value["message"] = message.raw.clone();
    }
    created(value)
}

impl World {
    /// Makes a thread with its owner as its first member, and tells of it.
    pub(crate) fn start_thread(
        &mut self,
        id: u64,
        name: &str,
        kind: ChannelKind,
        owner: u64,
        settings: serde_json::Map<String, Value>,
    ) {
        let guild = kind.thread_parent().and_then(|parent| self.channels.get(&parent)).map_or(0, |parent| parent.guild);
        let mut channel = Channel::new(id, guild, name, kind, owner, self.now());
        channel.settings = settings;
        self.channels.insert(id, channel);
        self.announce_channel(id, "CREATE");
        self.announce_thread_members(id, &[owner], &[]);
    }

    /// Makes a post in a forum; gives the id that the thread and its first message have.
    pub(crate) fn post_in_forum(
        &mut self,
        forum: u64,
        name: &str,
        settings: serde_json::Map<String, Value>,
        tags: &[u64],
        body: &Body,
        extra: &Value,
    ) -> u64 {
        let kind = ChannelKind::PublicThread { parent: forum };
        let author = snowflake(&extra["author"]["id"]).unwrap_or(self.bot);
        let id = self.next_id();
        // The thread comes first, so that the message has a channel; its event needs the tags.
        let guild = self.channels.get(&forum).map_or(0, |forum| forum.guild);
        let mut channel = Channel::new(id, guild, name, kind, author, self.now());
        channel.settings = settings;
        if let Some(thread) = &mut channel.thread {
            thread.tags = tags.to_vec();
        }
        self.channels.insert(id, channel);
        if let Some(forum) = self.channels.get_mut(&forum) {
            forum.last_message = Some(id);
        }
        self.announce_channel(id, "CREATE");
        self.announce_thread_members(id, &[author], &[]);
        let mut message = build(self, id, body, extra);
        message.id = id;
        message.raw["id"] = json!(id.to_string());
        self.keep_message(id, message, false);
        id
    }

    /// Brings a message's object up to the thread that was started from it.
    fn show_thread_on_message(&mut self, message: u64) {
        let Some(thread) = self.channels.get(&message).map(|thread| wire::channel(self, thread)) else { return };
        if let Some(message) = self.messages.get_mut(&message) {
            message.raw["thread"] = thread;
        }
    }
}

/// `GET /guilds/{guild}/threads/active`
pub(crate) fn active(world: &mut World, call: &Call) -> Handled {
    let guild = call.id("guild")?;
    world.reachable_guild(guild).ok_or_else(Refusal::unknown_guild)?;
    let wanted = |channel: &&Channel| {
        channel.guild == guild
            && channel.kind.is_thread()
            && !channel.is_archived()
            && wire::sees_thread(world, channel)
    };
    let mut threads: Vec<&Channel> = world.channels.values().filter(wanted).collect();
    threads.sort_unstable_by_key(|channel| std::cmp::Reverse(channel.id));
    let mut value = listed(world, &threads);
    value["has_more"] = json!(false);
    ok(value)
}

fn listed(world: &World, threads: &[&Channel]) -> Value {
    let members = threads.iter().filter_map(|thread| wire::thread_member(world, thread.id, world.bot, false));
    json!({
        "threads": threads.iter().map(|thread| wire::channel(world, thread)).collect::<Vec<_>>(),
        "members": members.collect::<Vec<_>>(),
    })
}

pub(crate) fn archived_public(world: &mut World, call: &Call) -> Handled {
    let before = before(call)?;
    archived(world, call, READ_MESSAGE_HISTORY, |of| !is_private(of) && before(of))
}

pub(crate) fn archived_private(world: &mut World, call: &Call) -> Handled {
    let before = before(call)?;
    archived(world, call, READ_MESSAGE_HISTORY | MANAGE_THREADS, |of| is_private(of) && before(of))
}

/// The private ones that the bot is in; unlike the others in pages by id.
pub(crate) fn archived_joined(world: &mut World, call: &Call) -> Handled {
    let (bot, before) = (world.bot, call.query_id("before").unwrap_or(u64::MAX));
    let joined = |of: &Channel| of.thread.as_ref().is_some_and(|thread| thread.members.contains_key(&bot));
    archived(world, call, READ_MESSAGE_HISTORY, |of| is_private(of) && joined(of) && of.id < before)
}

fn is_private(of: &Channel) -> bool {
    matches!(of.kind, ChannelKind::PrivateThread { .. })
}

/// Whether a thread was archived before the query's time.
fn before(call: &Call) -> Result<impl Fn(&Channel) -> bool, Refusal> {
    let before = call.query_time("before")?;
    Ok(move |of: &Channel| {
        let turned = of.thread.as_ref().map(|thread| wire::to_the_microsecond(thread.turned));
        before.is_none_or(|before| turned.is_some_and(|turned| turned < before))
    })
}

/// Archived threads of a channel, the last archived first
/// (<https://discord.com/developers/docs/resources/channel#list-public-archived-threads>).
fn archived(world: &World, call: &Call, needed: u64, wanted: impl Fn(&Channel) -> bool) -> Handled {
    let channel = call.id("channel")?;
    allowed(world, channel, needed)?;
    let limit = call.limit(100, 50)?;
    let fits = |of: &&Channel| of.kind.thread_parent() == Some(channel) && of.is_archived() && wanted(of);
    let mut threads: Vec<&Channel> = world.channels.values().filter(fits).collect();
    threads.sort_by_key(|of| std::cmp::Reverse(of.thread.as_ref().map(|thread| thread.turned)));
    let has_more = threads.len() > limit;
    threads.truncate(limit);
    let mut value = listed(world, &threads);
    value["has_more"] = json!(has_more);
    ok(value)
}
