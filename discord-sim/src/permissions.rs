//! Who may do what where: roles, overwrites and the implicit rules
//! (<https://discord.com/developers/docs/topics/permissions>).

use std::time::SystemTime;

use crate::world::{ChannelKind, Guild, Member, World};

pub(crate) const KICK_MEMBERS: u64 = 1 << 1;
pub(crate) const ADMINISTRATOR: u64 = 1 << 3;
pub(crate) const MANAGE_CHANNELS: u64 = 1 << 4;
pub(crate) const ADD_REACTIONS: u64 = 1 << 6;
pub(crate) const VIEW_CHANNEL: u64 = 1 << 10;
pub(crate) const SEND_MESSAGES: u64 = 1 << 11;
pub(crate) const SEND_TTS_MESSAGES: u64 = 1 << 12;
pub(crate) const MANAGE_MESSAGES: u64 = 1 << 13;
pub(crate) const EMBED_LINKS: u64 = 1 << 14;
pub(crate) const ATTACH_FILES: u64 = 1 << 15;
pub(crate) const READ_MESSAGE_HISTORY: u64 = 1 << 16;
pub(crate) const MENTION_EVERYONE: u64 = 1 << 17;
pub(crate) const CHANGE_NICKNAME: u64 = 1 << 26;
pub(crate) const MANAGE_NICKNAMES: u64 = 1 << 27;
pub(crate) const MANAGE_ROLES: u64 = 1 << 28;
pub(crate) const MANAGE_WEBHOOKS: u64 = 1 << 29;
pub(crate) const USE_APPLICATION_COMMANDS: u64 = 1 << 31;
pub(crate) const MANAGE_THREADS: u64 = 1 << 34;
pub(crate) const CREATE_PUBLIC_THREADS: u64 = 1 << 35;
pub(crate) const CREATE_PRIVATE_THREADS: u64 = 1 << 36;
pub(crate) const SEND_MESSAGES_IN_THREADS: u64 = 1 << 38;

pub(crate) const MODERATE_MEMBERS: u64 = 1 << 40;
/// Its own since February 2026; before, `MANAGE_MESSAGES` pinned
/// (<https://discord.com/developers/docs/topics/permissions#permissions-bitwise-permission-flags>).
pub(crate) const PIN_MESSAGES: u64 = 1 << 51;

/// Everything: the owner's and the administrator's.
pub(crate) const ALL: u64 = (1 << 53) - 1;

/// What `@everyone` has in a new guild here: reactions, view, send, embed, attach, history, commands, threads. Unlike
/// in a new Discord guild `MENTION_EVERYONE` is not among it, so that a role that is not mentionable cannot be mentioned.
pub(crate) const EVERYONE: u64 = ADD_REACTIONS
    | VIEW_CHANNEL
    | SEND_MESSAGES
    | EMBED_LINKS
    | ATTACH_FILES
    | READ_MESSAGE_HISTORY
    | USE_APPLICATION_COMMANDS
    | SEND_MESSAGES_IN_THREADS;

/// What guildwire's invite asks for.
pub(crate) const BOT_ROLE: u64 = 274_878_024_704;

/// What a user may do in the whole guild, before overwrites.
pub(crate) fn in_guild(guild: &Guild, user: u64, now: SystemTime) -> u64 {
    if guild.owner == user {
        return ALL;
    }
    let Some(member) = guild.members.get(&user) else { return 0 };
    let permissions = guild
        .roles
        .iter()
        .filter(|role| role.id == guild.id || member.roles.contains(&role.id))
        .fold(0, |all, role| all | role.permissions);
    if permissions & ADMINISTRATOR != 0 {
        return ALL;
    }
    // A time-out is not lifted by overwrites either, so it is laid over what a channel gives, too.
    permissions & timed_out(member, now)
}

/// What a time-out leaves.
fn timed_out(member: &Member, now: SystemTime) -> u64 {
    if member.timed_out_until.is_some_and(|until| until > now) { VIEW_CHANNEL | READ_MESSAGE_HISTORY } else { ALL }
}

/// What a user may do in a channel. A thread has its parent's overwrites.
pub(crate) fn in_channel(world: &World, user: u64, channel: u64) -> u64 {
    let Some(of) = world.channels.get(&world.permission_channel(channel)) else { return 0 };
    if let ChannelKind::Direct { user: other } = of.kind {
        return if user == other || user == world.bot { ALL & !MANAGE_MESSAGES } else { 0 };
    }
    let Some(guild) = world.guilds.get(&of.guild) else { return 0 };
    let mut permissions = in_guild(guild, user, world.now());
    if permissions == ALL {
        return ALL;
    }
    let Some(member) = guild.members.get(&user) else { return 0 };
    for everyone in of.overwrites.iter().filter(|overwrite| overwrite.id == guild.id) {
        permissions = permissions & !everyone.deny | everyone.allow;
    }
    let of_roles =
        || of.overwrites.iter().filter(|overwrite| !overwrite.member && member.roles.contains(&overwrite.id));
    permissions &= !of_roles().fold(0, |all, overwrite| all | overwrite.deny);
    permissions |= of_roles().fold(0, |all, overwrite| all | overwrite.allow);
    for own in of.overwrites.iter().filter(|overwrite| overwrite.member && overwrite.id == user) {
        permissions = permissions & !own.deny | own.allow;
    }
    implicit(permissions & timed_out(member, world.now()), channel != of.id)
}

/// Some permissions mean nothing without others
/// (<https://discord.com/developers/docs/topics/permissions#implicit-permissions>).
fn implicit(permissions: u64, thread: bool) -> u64 {
    if permissions & VIEW_CHANNEL == 0 {
        return 0;
    }
    let sends = if thread { SEND_MESSAGES_IN_THREADS } else { SEND_MESSAGES };
    if permissions & sends == 0 {
        return permissions & !(MENTION_EVERYONE | EMBED_LINKS | ATTACH_FILES);
    }
    permissions
}
