//! Reactions (<https://discord.com/developers/docs/resources/message#create-reaction>).

use serde_json::{Value, json};

use super::compose::{access, find};
use super::{Call, Handled, done, ok};
use crate::permissions::{ADD_REACTIONS, MANAGE_MESSAGES, READ_MESSAGE_HISTORY};
use crate::refusal::Refusal;
use crate::rules::emoji;
use crate::wire;
use crate::world::{Reaction, World};

/// Different emojis on one message.
const EMOJIS: usize = 20;

/// The message and the emoji of a path, if both are known; and the bot's permissions.
fn subject(world: &World, call: &Call) -> Result<(u64, u64, String, u64), Refusal> {
    let (channel, message) = (call.id("channel")?, call.id("message")?);
    let emoji = call.text("emoji").to_owned();
    let (permissions, _) = find(world, channel, message)?;
    if emoji::read(&emoji).is_none() {
        return Err(Refusal::new(400, 10014, "Unknown Emoji"));
    }
    Ok((channel, message, emoji, permissions))
}

pub(crate) fn add(world: &mut World, call: &Call) -> Handled {
    let (channel, message, emoji, permissions) = subject(world, call)?;
    let there = world.reactions.get(&message).map_or(&[][..], Vec::as_slice);
    let first = !there.iter().any(|reaction| reaction.emoji == emoji);
    if permissions & READ_MESSAGE_HISTORY == 0 || first && permissions & ADD_REACTIONS == 0 {
        return Err(Refusal::missing_permissions());
    }
    if world.channels.get(&channel).is_some_and(crate::world::Channel::is_archived) {
        return Err(Refusal::new(400, 50083, "Thread is archived"));
    }
    if first && there.len() >= EMOJIS {
        return Err(Refusal::new(400, 30010, &format!("Maximum number of reactions reached ({EMOJIS})")));
    }
    world.react(channel, message, world.bot, &emoji);
    done()
}

/// The bot's own reaction for `@me`, else that of somebody, which takes `MANAGE_MESSAGES`.
pub(crate) fn remove(world: &mut World, call: &Call) -> Handled {
    let (channel, message, emoji, permissions) = subject(world, call)?;
    let user = call.user(world)?;
    if user != world.bot && permissions & MANAGE_MESSAGES == 0 {
        return Err(Refusal::missing_permissions());
    }
    if world.unreact(channel, message, user, &emoji) { done() } else { Err(Refusal::unknown_message()) }
}

pub(crate) fn list(world: &mut World, call: &Call) -> Handled {
    let (_, message, emoji, permissions) = subject(world, call)?;
    if permissions & READ_MESSAGE_HISTORY == 0 {
        return Err(Refusal::missing_permissions());
    }
    let (limit, after) = (call.limit(100, 25)?, call.query_id("after").unwrap_or(0));
    let reactions = world.reactions.get(&message).map_or(&[][..], Vec::as_slice);
    let mut users: Vec<u64> = reactions
        .iter()
        .filter(|reaction| reaction.emoji == emoji)
        .flat_map(|reaction| &reaction.users)
        .copied()
        .collect();
    users.sort_unstable();
    ok(users.into_iter().filter(|&user| user > after).take(limit).map(|user| wire::user(world, user)).collect())
}

pub(crate) fn clear(world: &mut World, call: &Call) -> Handled {
    let (channel, message) = (call.id("channel")?, call.id("message")?);
    find(world, channel, message)?;
    if access(world, channel)? & MANAGE_MESSAGES == 0 {
        return Err(Refusal::missing_permissions());
    }
    world.reactions.remove(&message);
    world.show_reactions(message);
    let data = json!({ "channel_id": channel.to_string(), "message_id": message.to_string() });
    world.tell(channel, "MESSAGE_REACTION_REMOVE_ALL", data);
    done()
}

pub(crate) fn clear_emoji(world: &mut World, call: &Call) -> Handled {
    let (channel, message, emoji, permissions) = subject(world, call)?;
    if permissions & MANAGE_MESSAGES == 0 {
        return Err(Refusal::missing_permissions());
    }
    if let Some(reactions) = world.reactions.get_mut(&message) {
        reactions.retain(|reaction| reaction.emoji != emoji);
    }
    world.show_reactions(message);
    let data = json!({
        "channel_id": channel.to_string(), "message_id": message.to_string(), "emoji": emoji::read(&emoji),
    });
    world.tell(channel, "MESSAGE_REACTION_REMOVE_EMOJI", data);
    done()
}

impl World {
    /// Adds a user's reaction; a second of the same changes nothing.
    pub(crate) fn react(&mut self, channel: u64, message: u64, user: u64, emoji: &str) {
        let reactions = self.reactions.entry(message).or_default();
        let at = reactions.iter().position(|reaction| reaction.emoji == emoji).unwrap_or_else(|| {
            reactions.push(Reaction { emoji: emoji.to_owned(), users: Vec::new() });
            reactions.len() - 1
        });
        if reactions[at].users.contains(&user) {
            return;
        }
        reactions[at].users.push(user);
        self.show_reactions(message);
        let mut data = reaction_event(channel, message, user, emoji);
        let guild = self.channels.get(&channel).and_then(|channel| self.guilds.get(&channel.guild));
        if let Some(guild) = guild.filter(|guild| guild.members.contains_key(&user)) {
            data["member"] = wire::member(self, guild, user, true);
        }
        if let Some(message) = self.messages.get(&message) {
            data["message_author_id"] = message.raw["author"]["id"].clone();
        }
        self.tell(channel, "MESSAGE_REACTION_ADD", data);
    }

    /// Takes a user's reaction away; whether there was one.
    pub(crate) fn unreact(&mut self, channel: u64, message: u64, user: u64, emoji: &str) -> bool {
        let Some(reactions) = self.reactions.get_mut(&message) else { return false };
        let Some(reaction) = reactions.iter_mut().find(|reaction| reaction.emoji == emoji) else { return false };
        let Some(at) = reaction.users.iter().position(|&of| of == user) else { return false };
        reaction.users.remove(at);
        reactions.retain(|reaction| !reaction.users.is_empty());
        self.show_reactions(message);
        self.tell(channel, "MESSAGE_REACTION_REMOVE", reaction_event(channel, message, user, emoji));
        true
    }

    /// Brings a message's object up to its reactions.
    fn show_reactions(&mut self, message: u64) {
        let reactions = self.reactions.get(&message).map_or(&[][..], Vec::as_slice);
        let shown: Vec<Value> = reactions
            .iter()
            .map(|reaction| {
                let count = reaction.users.len();
                json!({
                    "emoji": emoji::read(&reaction.emoji), "count": count, "me": reaction.users.contains(&self.bot),
                    "count_details": { "burst": 0, "normal": count }, "me_burst": false, "burst_colors": [],
                })
            })
            .collect();
        if let Some(message) = self.messages.get_mut(&message) {
            message.raw["reactions"] = json!(shown);
        }
    }
}

fn reaction_event(channel: u64, message: u64, user: u64, emoji: &str) -> Value {
    json!({
        "user_id": user.to_string(), "channel_id": channel.to_string(), "message_id": message.to_string(),
        "emoji": emoji::read(emoji), "burst": false, "type": 0,
    })
}
