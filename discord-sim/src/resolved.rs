//! What the ids in an interaction stand for
//! (<https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-resolved-data-structure>).

use serde_json::{Map, Value, json};

use crate::permissions;
use crate::view::{Actor, CommandError};
use crate::wire;
use crate::world::World;

/// Users, members, roles, channels, messages and attachments, each by its id.
#[derive(Default)]
pub(crate) struct Resolved(pub(crate) Map<String, Value>);

impl Resolved {
    fn put(&mut self, kind: &str, id: u64, value: Value) {
        let map = self.0.entry(kind).or_insert_with(|| json!({}));
        map[id.to_string()] = value;
    }

    pub(crate) fn user(&mut self, world: &World, by: Actor, id: &str) -> Result<(), CommandError> {
        let bad = || CommandError::BadOption(format!("there is no user {id}"));
        let user = id.parse().ok().filter(|user| world.users.contains_key(user)).ok_or_else(bad)?;
        self.put("users", user, wire::user(world, user));
        if let Some(guild) = world.guilds.get(&by.guild).filter(|guild| guild.members.contains_key(&user)) {
            let mut member = wire::member(world, guild, user, false);
            // A resolved member lacks what the docs leave out: user, deaf and mute.
            if let Some(fields) = member.as_object_mut() {
                fields.retain(|key, _| key != "deaf" && key != "mute");
            }
            member["permissions"] = json!(permissions::in_channel(world, user, by.channel).to_string());
            self.put("members", user, member);
        }
        Ok(())
    }

    pub(crate) fn role(&mut self, world: &World, by: Actor, id: &str) -> Result<(), CommandError> {
        let bad = || CommandError::BadOption(format!("there is no role {id}"));
        let guild = world.guilds.get(&by.guild).ok_or_else(bad)?;
        let role = guild.roles.iter().find(|role| role.id.to_string() == id).ok_or_else(bad)?;
        self.put("roles", role.id, wire::role(guild, role));
        Ok(())
    }

    /// A role, or else a user.
    pub(crate) fn mentionable(&mut self, world: &World, by: Actor, id: &str) -> Result<(), CommandError> {
        self.role(world, by, id).or_else(|_| self.user(world, by, id))
    }

    /// A channel of the guild that the person can see, of one of these types if there are any.
    pub(crate) fn channel(&mut self, world: &World, by: Actor, id: &str, types: &Value) -> Result<(), CommandError> {
        let bad = |why: &str| CommandError::BadOption(format!("{why}: channel {id}"));
        let found = id.parse::<u64>().ok().and_then(|id| world.channels.get(&id));
        let channel = found.filter(|channel| channel.guild == by.guild).ok_or_else(|| bad("not in this guild"))?;
        let kind = channel.kind.number();
        if types.as_array().is_some_and(|types| !types.is_empty() && !types.contains(&json!(kind))) {
            return Err(bad("its type is not offered"));
        }
        if permissions::in_channel(world, by.user, channel.id) & permissions::VIEW_CHANNEL == 0 {
            return Err(bad("the person cannot see it"));
        }
        self.put("channels", channel.id, wire::resolved_channel(world, channel, by.user));
        Ok(())
    }

    /// A file that was uploaded before.
    pub(crate) fn attachment(&mut self, world: &World, id: &str) -> Result<(), CommandError> {
        let bad = || CommandError::BadOption(format!("no file {id} was uploaded"));
        let number = id.parse().map_err(|_| bad())?;
        self.put("attachments", number, world.clients.uploads.get(&number).ok_or_else(bad)?.clone());
        Ok(())
    }

    /// A message of the person's channel.
    pub(crate) fn message(&mut self, world: &World, by: Actor, id: u64) -> Result<(), CommandError> {
        let found = world.messages.get(&id).filter(|_| world.shows(by.channel, id));
        self.put("messages", id, found.ok_or(CommandError::Unknown)?.raw.clone());
        Ok(())
    }
}

pub(crate) fn type_of(of: &Value) -> u64 {
    of["type"].as_u64().unwrap_or_default()
}
