//! Building and changing the world that the bot lives in: guilds, channels, roles, members. Every change goes out as
//! the gateway event it is.

#![expect(clippy::must_use_candidate, reason = "what is added is often wanted for its effect alone")]

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::json;

use crate::permissions;
use crate::sim::Sim;
use crate::view::Message;
use crate::wire;
use crate::world::{Channel, ChannelKind, Guild, Member, Overwrite, Role, World};

impl Sim {
    /// Makes a guild with its `@everyone` role, an owner, and the bot as a member whose role grants 274878024704.
    pub fn add_guild(&self, name: &str) -> u64 {
        self.change(|world| {
            let owner = world.add_user(&format!("{name}-owner"), false);
            let id = world.next_id();
            let everyone = Role {
                id,
                name: "@everyone".to_owned(),
                permissions: permissions::EVERYONE,
                mentionable: false,
                managed: false,
            };
            let members = BTreeMap::from([(owner, member(Vec::new()))]);
            world
                .guilds
                .insert(id, Guild { id, name: name.to_owned(), owner, roles: vec![everyone], members, out: false });
            invite_bot(world, id);
            id
        })
    }

    /// Makes a channel. For a thread, its parent must be a channel of the same guild.
    pub fn add_channel(&self, guild: u64, name: &str, kind: ChannelKind) -> u64 {
        self.change(|world| {
            let id = world.next_id();
            let channel = Channel {
                id,
                guild,
                name: name.to_owned(),
                kind,
                overwrites: Vec::new(),
                locked: false,
                archived: false,
                last_message: None,
            };
            world.channels.insert(id, channel);
            announce_channel(world, id, "CREATE");
            id
        })
    }

    /// Makes a role without permissions.
    pub fn add_role(&self, guild: u64, name: &str, mentionable: bool) -> u64 {
        self.change(|world| add_role(world, guild, name, 0, mentionable, false))
    }

    /// Makes a member with a role of their own that grants these permissions, for example `0x20` for Manage Server.
    pub fn add_member(&self, guild: u64, name: &str, permissions: u64) -> u64 {
        self.change(|world| {
            let user = world.add_user(name, false);
            let roles = if permissions == 0 {
                Vec::new()
            } else {
                vec![add_role(world, guild, name, permissions, false, false)]
            };
            if let Some(guild) = world.guilds.get_mut(&guild) {
                guild.members.insert(user, member(roles));
            }
            user
        })
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
        self.change(|world| change_role(world, guild, role, |role| role.permissions = permissions));
    }

    /// Makes a role mentionable by everyone, or not.
    pub fn set_role_mentionable(&self, guild: u64, role: u64, mentionable: bool) {
        self.change(|world| change_role(world, guild, role, |role| role.mentionable = mentionable));
    }

    /// Deletes a role; its members lose it.
    pub fn delete_role(&self, guild: u64, role: u64) {
        self.change(|world| {
            if let Some(guild) = world.guilds.get_mut(&guild) {
                guild.roles.retain(|own| own.id != role);
                for member in guild.members.values_mut() {
                    member.roles.retain(|&own| own != role);
                }
            }
            let data = json!({ "guild_id": guild.to_string(), "role_id": role.to_string() });
            world.dispatch(guild, "GUILD_ROLE_DELETE", &data);
        });
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
            announce_channel(world, id, "UPDATE");
        });
    }

    /// Deletes a channel with its threads and messages.
    pub fn delete_channel(&self, channel: u64) {
        self.change(|world| {
            let threads: Vec<u64> = world
                .channels
                .values()
                .filter(|thread| thread.kind == ChannelKind::PublicThread { parent: channel })
                .map(|thread| thread.id)
                .collect();
            for id in threads.into_iter().chain([channel]) {
                announce_channel(world, id, "DELETE");
                world.channels.remove(&id);
                for message in world.timelines.remove(&id).unwrap_or_default() {
                    world.messages.remove(&message);
                }
            }
        });
    }

    /// Renames a channel.
    pub fn rename_channel(&self, channel: u64, name: &str) {
        self.change(|world| {
            if let Some(channel) = world.channels.get_mut(&channel) {
                name.clone_into(&mut channel.name);
            }
            announce_channel(world, channel, "UPDATE");
        });
    }

    /// Locks or unlocks a thread.
    pub fn set_locked(&self, thread: u64, locked: bool) {
        self.change(|world| {
            if let Some(thread) = world.channels.get_mut(&thread) {
                thread.locked = locked;
            }
            announce_channel(world, thread, "UPDATE");
        });
    }

    /// Kicks the bot out of a guild.
    pub fn remove_bot(&self, guild: u64) {
        self.change(|world| {
            // While it is still a member it is told; afterwards it hears nothing of this guild.
            world.dispatch(guild, "GUILD_DELETE", &json!({ "id": guild.to_string() }));
            let bot = world.bot;
            if let Some(guild) = world.guilds.get_mut(&guild) {
                guild.members.remove(&bot);
                guild.roles.retain(|role| !role.managed);
            }
        });
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
                announce_guild(world, guild);
            }
        });
    }

    /// Deletes a message, as a moderator would.
    pub fn delete_message(&self, channel: u64, message: u64) {
        self.change(|world| world.remove_message(channel, message));
    }

    /// Posts a message as a person, for channels that are not the bot's alone.
    pub fn say(&self, channel: u64, user: u64, content: &str) -> u64 {
        self.change(|world| {
            let id = world.next_id();
            let sent_at = SystemTime::now();
            let raw = json!({
                "id": id.to_string(), "channel_id": channel.to_string(), "type": 0, "author": wire::user(world, user),
                "content": content, "timestamp": wire::timestamp(sent_at), "edited_timestamp": null, "tts": false,
                "mention_everyone": false, "mentions": [], "mention_roles": [], "attachments": [], "embeds": [],
                "pinned": false, "components": [], "flags": 0,
            });
            let message = Message {
                id,
                content: content.to_owned(),
                embeds: Vec::new(),
                nonce: None,
                notified_roles: Vec::new(),
                notified_everyone: false,
                notified_users: Vec::new(),
                flags: 0,
                sent_at,
                raw,
            };
            world.keep_message(channel, message, false);
            id
        })
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

fn member(roles: Vec<u64>) -> Member {
    Member { roles, joined_at: SystemTime::now() }
}

fn invite_bot(world: &mut World, guild: u64) {
    let role = world.next_id();
    let bot = world.bot;
    if let Some(guild) = world.guilds.get_mut(&guild) {
        let (name, permissions) = ("guildwire".to_owned(), permissions::BOT_ROLE);
        guild.roles.push(Role { id: role, name, permissions, mentionable: false, managed: true });
        guild.members.insert(bot, member(vec![role]));
    }
    announce_guild(world, guild);
}

fn announce_guild(world: &mut World, guild: u64) {
    if let Some(guild) = world.guilds.get(&guild) {
        let (id, create) = (guild.id, wire::guild_create(world, guild));
        world.dispatch(id, "GUILD_CREATE", &create);
    }
}

/// `CHANNEL_…` or `THREAD_…`, as the kind is.
fn announce_channel(world: &mut World, channel: u64, what: &str) {
    let Some(channel) = world.channels.get(&channel) else { return };
    let thread = matches!(channel.kind, ChannelKind::PublicThread { .. });
    let (guild, mut data) = (channel.guild, wire::channel(world, channel));
    if thread && what == "CREATE" {
        data["newly_created"] = json!(true);
    }
    let event = format!("{}_{what}", if thread { "THREAD" } else { "CHANNEL" });
    world.dispatch(guild, &event, &data);
}

fn add_role(world: &mut World, guild: u64, name: &str, permissions: u64, mentionable: bool, managed: bool) -> u64 {
    let id = world.next_id();
    if let Some(guild) = world.guilds.get_mut(&guild) {
        guild.roles.push(Role { id, name: name.to_owned(), permissions, mentionable, managed });
    }
    announce_role(world, guild, id, "GUILD_ROLE_CREATE");
    id
}

fn change_role(world: &mut World, guild: u64, role: u64, change: impl FnOnce(&mut Role)) {
    let roles = world.guilds.get_mut(&guild).map(|guild| &mut guild.roles);
    if let Some(role) = roles.and_then(|roles| roles.iter_mut().find(|own| own.id == role)) {
        change(role);
    }
    announce_role(world, guild, role, "GUILD_ROLE_UPDATE");
}

fn announce_role(world: &mut World, guild: u64, role: u64, event: &str) {
    let Some(of) = world.guilds.get(&guild) else { return };
    let Some(role) = of.roles.iter().find(|own| own.id == role) else { return };
    let data = json!({ "guild_id": guild.to_string(), "role": wire::role(of, role) });
    world.dispatch(guild, event, &data);
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
