//! What a person sees, and what of it changed since it was looked at last.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::interactions::TOKEN_LIFE;
use crate::offered;
use crate::permissions::{self, VIEW_CHANNEL};
use crate::rules::commands::kind_of;
use crate::rules::mentions::snowflake;
use crate::rules::message::FLAG_EPHEMERAL;
use crate::sim::Sim;
use crate::view::{Actor, Message};
use crate::wire;
use crate::world::{ChannelKind, Guild, World};

/// How many of a channel's newest messages are followed; older ones are asked for.
pub(super) const WINDOW: usize = 50;

/// The guild, the channel and the person; what is left out or not there is chosen.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct View {
    guild: Option<u64>,
    channel: Option<u64>,
    user: Option<u64>,
}

/// What was sent to one person so far.
pub(super) struct Seen {
    view: View,
    frame: Value,
    shown: Vec<u64>,
    messages: HashMap<u64, Value>,
    /// Each channel's newest message.
    newest: BTreeMap<u64, u64>,
}

impl Seen {
    pub(super) fn new(view: View) -> Self {
        Self { view, frame: Value::Null, shown: Vec::new(), messages: HashMap::new(), newest: BTreeMap::new() }
    }

    /// What changed, if anything did.
    pub(super) fn look(&mut self, sim: &Sim) -> Option<Value> {
        let away = !sim.doors().is_open();
        sim.read(|world| {
            let by = resolve(world, self.view);
            let first = self.frame.is_null();
            let mut changes = json!({});
            let frame = frame(world, by, away);
            if frame != self.frame {
                changes["frame"] = frame.clone();
                self.frame = frame;
            }
            if let Some(messages) = self.messages(world, by, first) {
                changes["messages"] = messages;
            }
            let news = self.news(world, by, first);
            if !news.is_empty() {
                changes["news"] = json!(news);
            }
            changes.as_object().is_some_and(|changes| !changes.is_empty()).then_some(changes)
        })
    }

    /// The ids of the newest messages, in order, and those that are new or changed.
    fn messages(&mut self, world: &World, by: Actor, first: bool) -> Option<Value> {
        let window = window(world, by);
        let mut messages = HashMap::with_capacity(window.len());
        let mut changed = Vec::new();
        for id in &window {
            let Some(message) = world.messages.get(id) else { continue };
            let value = shown(world, message, by.user);
            if self.messages.get(id) != Some(&value) {
                changed.push(value.clone());
            }
            messages.insert(*id, value);
        }
        self.messages = messages;
        if !first && changed.is_empty() && window == self.shown {
            return None;
        }
        let ids: Vec<String> = window.iter().map(ToString::to_string).collect();
        let more = world.timelines.get(&by.channel).is_some_and(|timeline| timeline.len() > WINDOW);
        self.shown = window;
        Some(json!({ "ids": ids, "changed": changed, "more": more }))
    }

    /// Channels that the person can see with a newer message than before, and how many of the new ones notify them. In a
    /// guild without this person it is the owner who looks, as in [`resolve`].
    fn news(&mut self, world: &World, by: Actor, first: bool) -> Vec<Value> {
        let mut news = Vec::new();
        for (&channel, timeline) in &world.timelines {
            let Some(&newest) = timeline.last() else { continue };
            let before = self.newest.insert(channel, newest);
            if before.is_some_and(|before| before >= newest) {
                continue;
            }
            let Some(found) = world.channels.get(&channel) else { continue };
            let Some(guild) = world.guilds.get(&found.guild) else { continue };
            let user = person(guild, Some(by.user));
            if !sees(world, user, channel) {
                continue;
            }
            // What was there before anyone looked counts as read.
            let before = if first { newest } else { before.unwrap_or(0) };
            let new = &timeline[timeline.partition_point(|&id| id <= before)..];
            let notifies = |id: &&u64| world.messages.get(id).is_some_and(|of| notifies(world, of, guild.id, user));
            news.push(json!({
                "guild": guild.id.to_string(), "channel": channel.to_string(), "newest": newest.to_string(),
                "before": before.to_string(), "mentions": new.iter().filter(notifies).count(),
            }));
        }
        news
    }
}

/// Fills in what a view leaves open: the first guild, its owner, its first channel that shows messages.
fn resolve(world: &World, view: View) -> Actor {
    let guild = view.guild.and_then(|id| world.guilds.get(&id)).or_else(|| world.guilds.values().next());
    let Some(guild) = guild else { return Actor { guild: 0, channel: 0, user: 0 } };
    let user = person(guild, view.user);
    let visible = |id: u64| sees(world, user, id);
    let of_guild = |id: &u64| world.channels.get(id).is_some_and(|channel| channel.guild == guild.id);
    let channel = view.channel.filter(|id| of_guild(id) && visible(*id)).or_else(|| {
        let places = world.channels.values().filter(|channel| {
            channel.guild == guild.id && matches!(channel.kind, ChannelKind::Text | ChannelKind::Announcement)
        });
        places.map(|channel| channel.id).find(|&id| visible(id))
    });
    Actor { guild: guild.id, channel: channel.unwrap_or(0), user }
}

/// Who looks at a guild: this person if they are in it, else its owner.
fn person(guild: &Guild, user: Option<u64>) -> u64 {
    user.filter(|user| guild.members.contains_key(user)).unwrap_or(guild.owner)
}

/// Whether someone can see a channel.
pub(super) fn sees(world: &World, user: u64, channel: u64) -> bool {
    permissions::in_channel(world, user, channel) & VIEW_CHANNEL != 0
}

/// Everything around the messages.
fn frame(world: &World, by: Actor, away: bool) -> Value {
    let guilds =
        world.guilds.values().map(|guild| json!({ "id": guild.id.to_string(), "name": guild.name, "out": guild.out }));
    json!({
        "view": { "guild": by.guild.to_string(), "channel": by.channel.to_string(), "user": by.user.to_string() },
        "bot": wire::user(world, world.bot), "away": away, "connected": world.sessions.any_connected(),
        "guilds": guilds.collect::<Vec<_>>(), "guild": world.guilds.get(&by.guild).map(|guild| inside(world, guild, by)),
        "commands": commands(world, by),
    })
}

/// The guild that is looked at: what the person sees of its channels, its roles, its members.
fn inside(world: &World, guild: &Guild, by: Actor) -> Value {
    let channels = world.channels.values().filter(|channel| channel.guild == guild.id).filter_map(|channel| {
        let permissions = permissions::in_channel(world, by.user, channel.id);
        let mut value = wire::channel(world, channel);
        // What changes with every message is told by `news`.
        for counts in ["last_message_id", "message_count", "total_message_sent"] {
            value.as_object_mut()?.remove(counts);
        }
        value["permissions"] = json!(permissions.to_string());
        (permissions & VIEW_CHANNEL != 0).then_some(value)
    });
    let channels: Vec<Value> = channels.collect();
    json!({
        "id": guild.id.to_string(), "name": guild.name, "owner": guild.owner.to_string(), "channels": channels,
        "roles": guild.roles.iter().map(|role| wire::role(guild, role)).collect::<Vec<_>>(),
        "members": guild.members.keys().map(|&user| wire::member(world, guild, user, true)).collect::<Vec<_>>(),
    })
}

/// The slash commands that Discord's client offers this person here; a guild's own hides a global one.
fn commands(world: &World, by: Actor) -> Vec<Value> {
    let mut offered: Vec<Value> = Vec::new();
    for command in offered::all(world, by.guild).filter(|command| kind_of(command) == 1) {
        let hidden = offered.iter().any(|other| other["name"] == command["name"]);
        if !hidden && offered::check(world, by, command).is_ok() {
            offered.push(command.clone());
        }
    }
    offered
}

/// The newest messages of the channel, with those between them that only this person sees.
fn window(world: &World, by: Actor) -> Vec<u64> {
    if !sees(world, by.user, by.channel) {
        return Vec::new();
    }
    let timeline = world.timelines.get(&by.channel).map_or(&[][..], Vec::as_slice);
    let newest = &timeline[timeline.len().saturating_sub(WINDOW)..];
    let since = if timeline.len() > WINDOW { newest[0] } else { 0 };
    let is_whisper = |id: &u64| world.messages.get(id).is_some_and(|message| message.flags & FLAG_EPHEMERAL != 0);
    let theirs = world.interactions.values().filter(|of| of.actor.channel == by.channel && of.actor.user == by.user);
    let live = theirs.filter(|interaction| interaction.created.elapsed() < TOKEN_LIFE);
    let whispers = live.flat_map(|interaction| interaction.followups.iter().chain(&interaction.original).copied());
    let mut window: Vec<u64> = newest.to_vec();
    window.extend(whispers.filter(|id| *id > since && is_whisper(id)));
    window.sort_unstable();
    window.dedup();
    window
}

/// A message as the person sees it: Discord's object, and whether it notifies them.
pub(super) fn shown(world: &World, message: &Message, user: u64) -> Value {
    let mut value = message.raw.clone();
    let channel = snowflake(&value["channel_id"]).and_then(|id| world.channels.get(&id));
    value["notifies"] = json!(channel.is_some_and(|channel| notifies(world, message, channel.guild, user)));
    value
}

fn notifies(world: &World, message: &Message, guild: u64, user: u64) -> bool {
    let member = world.guilds.get(&guild).and_then(|guild| guild.members.get(&user));
    message.notified_users.contains(&user)
        || member.is_some_and(|member| {
            message.notified_everyone || message.notified_roles.iter().any(|role| member.roles.contains(role))
        })
}
