//! Building and changing the world that the bot lives in: guilds, channels, roles, members. Every change goes out as
//! the gateway event it is.

#![expect(clippy::must_use_candidate, reason = "what is added is often wanted for its effect alone")]

use std::collections::BTreeMap;

use serde_json::json;

use crate::permissions;
use crate::sim::Sim;
use crate::wire;
use crate::world::{Channel, ChannelKind, Guild, Member, Overwrite, Role, World};

impl Sim {
    /// Makes a guild with its `@everyone` role, an owner, and the bot as a member whose role grants 274878024704.
    pub fn add_guild(&self, name: &str) -> u64 {
        self.change(|world| {
            let owner = world.add_user(&format!("{name}-owner"), false);
            // The id before a guild's means all its channels where commands are permitted, so it is nobody's.
            world.next_id();
            let id = world.next_id();
            let everyone = Role::new(id, "@everyone", permissions::EVERYONE);
            let members = BTreeMap::from([(owner, Member::new(Vec::new(), world.now()))]);
            world
                .guilds
                .insert(id, Guild { id, name: name.to_owned(), owner, roles: vec![everyone], members, out: false });
            invite_bot(world, id);
            id
        })
    }

    /// Deletes a guild with everything in it.
    pub fn delete_guild(&self, guild: u64) {
        self.change(|world| {
            world.dispatch(guild, "GUILD_DELETE", &json!({ "id": guild.to_string() }));
            world.guilds.remove(&guild);
            world.guild_commands.remove(&guild);
            world.webhooks.retain(|_, webhook| webhook.guild != guild);
            let channels: Vec<u64> =
                world.channels.values().filter(|channel| channel.guild == guild).map(|channel| channel.id).collect();
            for channel in channels {
                for message in world.timelines.remove(&channel).unwrap_or_default() {
                    world.forget_message(channel, message);
                }
                world.channels.remove(&channel);
            }
        });
    }

    /// Makes a channel. For a thread, its parent must be a channel of the same guild.
    pub fn add_channel(&self, guild: u64, name: &str, kind: ChannelKind) -> u64 {
        self.change(|world| {
            let (id, now) = (world.next_id(), world.now());
            let owner = world.guilds.get(&guild).map_or(0, |guild| guild.owner);
            let mut channel = Channel::new(id, guild, name, kind, owner, now);
            channel.position = world.next_position(guild);
            world.channels.insert(id, channel);
            world.announce_channel(id, "CREATE");
            id
        })
    }

    /// Makes a role without permissions.
    pub fn add_role(&self, guild: u64, name: &str, mentionable: bool) -> u64 {
        self.change(|world| add_role(world, guild, name, 0, mentionable))
    }

    /// Makes a member with a role of their own that grants these permissions, for example `0x20` for Manage Server.
    pub fn add_member(&self, guild: u64, name: &str, permissions: u64) -> u64 {
        let user = self.change(|world| world.add_user(name, false));
        self.join_guild(guild, user, name, permissions);
        user
    }

    /// Makes a user a member of another guild, too, with a role of this name that grants these permissions.
    pub fn join_guild(&self, guild: u64, user: u64, role: &str, permissions: u64) {
        self.change(|world| {
            let roles =
                if permissions == 0 { Vec::new() } else { vec![add_role(world, guild, role, permissions, false)] };
            let member = Member::new(roles, world.now());
            if let Some(guild) = world.guilds.get_mut(&guild) {
                guild.members.insert(user, member);
            }
            world.announce_member(guild, user, "GUILD_MEMBER_ADD");
        });
    }

    /// The guild's owner, who may do everything; 0 if there is no such guild.
    #[must_use]
    pub fn owner(&self, guild: u64) -> u64 {
        self.read(|world| world.guilds.get(&guild).map_or(0, |guild| guild.owner))
    }

    /// The role the bot got with its invite; 0 if the bot is not in the guild.
    #[must_use]
    pub fn bot_role(&self, guild: u64) -> u64 {
        self.read(|world| {
            let guild = world.guilds.get(&guild);
            guild.and_then(|guild| guild.roles.iter().find(|role| role.managed)).map_or(0, |role| role.id)
        })
    }

    /// Gives a role new permissions. `@everyone` has the guild's id.
    pub fn set_role_permissions(&self, guild: u64, role: u64, permissions: u64) {
        self.change(|world| world.change_role(guild, role, |role| role.permissions = permissions, "GUILD_ROLE_UPDATE"));
    }

    /// Makes a role mentionable by everyone, or not.
    pub fn set_role_mentionable(&self, guild: u64, role: u64, mentionable: bool) {
        self.change(|world| world.change_role(guild, role, |role| role.mentionable = mentionable, "GUILD_ROLE_UPDATE"));
    }

    /// Deletes a role; its members lose it.
    pub fn delete_role(&self, guild: u64, role: u64) {
        self.change(|world| world.delete_role(guild, role));
    }

    /// Denies the bot these permissions in a channel, by an overwrite for its member; 0 removes the overwrite. A thread
    /// has its parent's overwrites, so for a thread the parent is changed.
    pub fn deny(&self, channel: u64, permissions: u64) {
        let bot = self.bot();
        self.overwrite(channel, bot, 0, permissions);
    }

    /// Sets the overwrite of a role or a member in a channel; nothing allowed and nothing denied removes it.
    pub fn overwrite(&self, channel: u64, role_or_member: u64, allow: u64, deny: u64) {
        self.change(|world| {
            let id = world.permission_channel(channel);
            let is_member = world.users.contains_key(&role_or_member);
            let Some(channel) = world.channels.get_mut(&id) else { return };
            channel.overwrites.retain(|overwrite| overwrite.id != role_or_member);
            if allow != 0 || deny != 0 {
                channel.overwrites.push(Overwrite { id: role_or_member, member: is_member, allow, deny });
            }
            world.announce_channel(id, "UPDATE");
        });
    }

    /// Deletes a channel with its threads and messages.
    pub fn delete_channel(&self, channel: u64) {
        self.change(|world| world.delete_channel(channel));
    }

    /// Renames a channel.
    pub fn rename_channel(&self, channel: u64, name: &str) {
        self.change(|world| {
            if let Some(channel) = world.channels.get_mut(&channel) {
                name.clone_into(&mut channel.name);
            }
            world.announce_channel(channel, "UPDATE");
        });
    }

    /// Locks or unlocks a thread.
    pub fn set_locked(&self, thread: u64, locked: bool) {
        self.change(|world| {
            if let Some(of) = world.channels.get_mut(&thread).and_then(|channel| channel.thread.as_mut()) {
                of.locked = locked;
            }
            world.announce_channel(thread, "UPDATE");
        });
    }

    /// Archives or un-archives a thread.
    pub fn set_archived(&self, thread: u64, archived: bool) {
        self.change(|world| {
            let now = world.now();
            if let Some(of) = world.channels.get_mut(&thread).and_then(|channel| channel.thread.as_mut()) {
                (of.archived, of.turned) = (archived, now);
            }
            world.announce_channel(thread, "UPDATE");
        });
    }

    /// Kicks the bot out of a guild.
    pub fn remove_bot(&self, guild: u64) {
        self.change(|world| world.remove_bot(guild));
    }

    /// Takes a person out of a guild.
    pub fn remove_member(&self, guild: u64, user: u64) {
        self.change(|world| world.remove_member(guild, user));
    }

    /// Invites the bot into a guild it was removed from.
    pub fn add_bot(&self, guild: u64) {
        self.change(|world| {
            if !world.has_bot(guild) {
                invite_bot(world, guild);
            }
        });
    }

    /// Makes a guild unavailable, or available again. The bot stays its member.
    pub fn set_guild_outage(&self, guild: u64, out: bool) {
        self.change(|world| {
            let Some(found) = world.guilds.get_mut(&guild) else { return };
            found.out = out;
            if out {
                // `unavailable: true` tells an outage from a removal:
                // https://discord.com/developers/docs/events/gateway-events#guild-delete
                world.dispatch(guild, "GUILD_DELETE", &json!({ "id": guild.to_string(), "unavailable": true }));
            } else {
                world.announce_guild(guild);
            }
        });
    }

    /// Whether a user takes direct messages; sending one to who doesn't is refused with 50007.
    pub fn set_direct_messages(&self, user: u64, taken: bool) {
        self.change(|world| {
            if let Some(user) = world.users.get_mut(&user) {
                user.takes_direct_messages = taken;
            }
        });
    }
}

fn invite_bot(world: &mut World, guild: u64) {
    let (id, bot, now) = (world.next_id(), world.bot, world.now());
    if let Some(guild) = world.guilds.get_mut(&guild) {
        guild.roles.push(Role { managed: true, ..Role::new(id, "guildwire", permissions::BOT_ROLE) });
        guild.members.insert(bot, Member::new(vec![id], now));
    }
    world.announce_guild(guild);
}

fn add_role(world: &mut World, guild: u64, name: &str, permissions: u64, mentionable: bool) -> u64 {
    let id = world.add_role(guild, name, permissions);
    world.change_role(guild, id, |role| role.mentionable = mentionable, "GUILD_ROLE_CREATE");
    id
}

impl Sim {
    /// The whole world as JSON, for the control interface and for a failed test's last words.
    #[must_use]
    pub fn state(&self) -> serde_json::Value {
        self.read(|world| {
            let guilds: Vec<_> = world.guilds.values().map(|guild| state_of(world, guild)).collect();
            json!({
                "bot": world.bot.to_string(), "token_revoked": world.token_revoked, "guilds": guilds,
                "commands": world.commands, "gateway_connected": world.sessions.any_connected(),
                "nonce_window_seconds": world.nonce_window.as_secs_f64(),
                "message_bucket": {
                    "limit": world.limits.message_bucket().limit,
                    "window_seconds": world.limits.message_bucket().window.as_secs_f64(),
                },
                "statistics": world.statistics,
            })
        })
    }
}

fn state_of(world: &World, guild: &Guild) -> serde_json::Value {
    let channels = world.channels.values().filter(|channel| channel.guild == guild.id).map(|channel| {
        let mut value = wire::channel(world, channel);
        value["messages"] = json!(world.timelines.get(&channel.id).map_or(0, Vec::len));
        value
    });
    let members = guild.members.keys().map(|&user| wire::member(world, guild, user, true));
    json!({
        "id": guild.id.to_string(), "name": guild.name, "owner": guild.owner.to_string(), "out": guild.out,
        "bot_is_member": guild.members.contains_key(&world.bot),
        "roles": guild.roles.iter().map(|role| wire::role(guild, role)).collect::<Vec<_>>(),
        "channels": channels.collect::<Vec<_>>(), "members": members.collect::<Vec<_>>(),
    })
}
