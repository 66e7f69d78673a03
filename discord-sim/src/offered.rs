//! Which commands Discord's client offers a person: where they stand, the context, and who may use them
//! (<https://discord.com/developers/docs/interactions/application-commands#permissions>).

use serde_json::{Value, json};

use crate::invocation::can_act;
use crate::permissions::{self, ADMINISTRATOR, USE_APPLICATION_COMMANDS};
use crate::rules::commands::kind_of;
use crate::rules::mentions::snowflake;
use crate::view::{Actor, CommandError};
use crate::world::{Guild, World};

/// The commands of a guild, then the global ones.
pub(crate) fn all(world: &World, guild: u64) -> impl Iterator<Item = &Value> {
    world.guild_commands.get(&guild).into_iter().flatten().chain(&world.commands)
}

/// A command by its type and name; a guild's own hides a global one.
pub(crate) fn find<'a>(world: &'a World, guild: u64, kind: u64, name: &str) -> Option<&'a Value> {
    all(world, guild).find(|command| kind_of(command) == kind && command["name"] == name)
}

/// Refuses what the client would not offer: elsewhere, or not to this person.
pub(crate) fn check(world: &World, by: Actor, command: &Value) -> Result<(), CommandError> {
    if !can_act(world, by) || !fits_context(command, by.guild == 0) {
        return Err(CommandError::Unknown);
    }
    if is_permitted(world, by, command) { Ok(()) } else { Err(CommandError::NotPermitted) }
}

/// `contexts`, or the older `dm_permission`: 0 is a guild, 1 a direct conversation with the bot.
fn fits_context(command: &Value, direct: bool) -> bool {
    match command["contexts"].as_array() {
        Some(contexts) => contexts.contains(&json!(u8::from(direct))),
        None => !direct || command["dm_permission"] != false,
    }
}

/// An administrator may do everything. Else the channel must be open to the command, and the most exact of what a
/// guild's admins set for the person counts: the command's, then the application's, then `default_member_permissions`.
fn is_permitted(world: &World, by: Actor, command: &Value) -> bool {
    let Some(guild) = world.guilds.get(&by.guild) else { return true };
    let has = permissions::in_channel(world, by.user, by.channel);
    if has & ADMINISTRATOR != 0 {
        return true;
    }
    let of_command = overrides(world, guild, snowflake(&command["id"]).unwrap_or_default());
    let of_application = overrides(world, guild, world.bot);
    let channel = world.permission_channel(by.channel);
    if in_channel(of_command, guild, channel).or_else(|| in_channel(of_application, guild, channel)) == Some(false) {
        return false;
    }
    if let Some(allowed) = for_person(of_command, guild, by.user) {
        return allowed;
    }
    let default = match snowflake(&command["default_member_permissions"]) {
        None => true,
        Some(0) => false,
        Some(needed) => has & needed == needed,
    };
    has & USE_APPLICATION_COMMANDS != 0 && default && for_person(of_application, guild, by.user) != Some(false)
}

fn overrides<'a>(world: &'a World, guild: &Guild, id: u64) -> &'a [Value] {
    world.command_permissions.get(&(guild.id, id)).map_or(&[], Vec::as_slice)
}

fn entry(of: &[Value], kind: u64, id: u64) -> Option<bool> {
    let id = id.to_string();
    of.iter().find(|entry| entry["type"] == kind && entry["id"] == id.as_str())?["permission"].as_bool()
}

/// All channels together have the guild's id less one.
fn in_channel(of: &[Value], guild: &Guild, channel: u64) -> Option<bool> {
    entry(of, 3, channel).or_else(|| entry(of, 3, guild.id - 1))
}

/// The person's own entry, then their roles', of which one that allows is enough, then everyone's.
fn for_person(of: &[Value], guild: &Guild, user: u64) -> Option<bool> {
    let roles = guild.members.get(&user).map_or(&[][..], |member| member.roles.as_slice());
    let of_roles = roles.iter().filter_map(|&role| entry(of, 1, role)).reduce(|one, other| one || other);
    entry(of, 2, user).or(of_roles).or_else(|| entry(of, 1, guild.id))
}
