//! Application commands, global and of guilds
//! (<https://discord.com/developers/docs/interactions/application-commands#endpoints>).

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Call, Handled, created, done, ok};
use crate::refusal::Refusal;
use crate::rules::commands::{check, check_one, kind_of, most_of};
use crate::rules::mentions::snowflake;
use crate::world::World;

/// Creates per day and guild, or global
/// (<https://discord.com/developers/docs/interactions/application-commands#registering-a-command>).
const CREATES_PER_DAY: usize = 200;

/// What a command is answered with if the body does not say otherwise.
fn defaults() -> Value {
    json!({
        "type": 1, "name_localizations": null, "description": "", "description_localizations": null, "options": [],
        "default_member_permissions": null, "dm_permission": true, "nsfw": false, "contexts": null,
        "integration_types": [0],
    })
}

/// The guild a path is about, 0 for the global commands; if the application is the bot's, and it is in the guild.
fn scope(world: &World, call: &Call) -> Result<u64, Refusal> {
    if call.id("application")? != world.bot {
        return Err(Refusal::new(403, 20012, "You are not authorized to perform this action on this application"));
    }
    if call.text("guild").is_empty() {
        return Ok(0);
    }
    let guild = call.id("guild")?;
    if world.has_bot(guild) { Ok(guild) } else { Err(Refusal::missing_access()) }
}

fn registered(world: &World, scope: u64) -> &[Value] {
    let of_guild = || world.guild_commands.get(&scope).map_or(&[][..], Vec::as_slice);
    if scope == 0 { &world.commands } else { of_guild() }
}

fn registered_mut(world: &mut World, scope: u64) -> &mut Vec<Value> {
    if scope == 0 { &mut world.commands } else { world.guild_commands.entry(scope).or_default() }
}

/// Where the command of a path stands in its list.
fn find(world: &World, call: &Call, scope: u64) -> Result<usize, Refusal> {
    let id = call.id("command")?;
    let at = registered(world, scope).iter().position(|command| snowflake(&command["id"]) == Some(id));
    at.ok_or_else(|| Refusal::new(404, 10063, "Unknown application command"))
}

fn same(given: &Value, known: &Value) -> bool {
    kind_of(given) == kind_of(known) && given["name"] == known["name"]
}

/// Without `with_localizations` a list leaves them out
/// (<https://discord.com/developers/docs/interactions/application-commands#get-global-application-commands>).
pub(crate) fn list(world: &mut World, call: &Call) -> Handled {
    let mut commands = registered(world, scope(world, call)?).to_vec();
    if !call.query_flag("with_localizations") {
        for command in &mut commands {
            for key in ["name_localizations", "description_localizations"] {
                command.as_object_mut().and_then(|command| command.remove(key));
            }
        }
    }
    ok(Value::Array(commands))
}

pub(crate) fn get(world: &mut World, call: &Call) -> Handled {
    let scope = scope(world, call)?;
    let at = find(world, call, scope)?;
    ok(registered(world, scope)[at].clone())
}

/// An upsert: a command of the same name and kind is replaced, with 200 instead of 201.
pub(crate) fn create(world: &mut World, call: &Call) -> Handled {
    let (scope, given) = (scope(world, call)?, call.json());
    check_one(given)?;
    let list = registered(world, scope);
    let known = list.iter().position(|known| same(given, known));
    if known.is_none() {
        let kind = kind_of(given);
        most_of(kind, list.iter().filter(|known| kind_of(known) == kind).count() + 1)?;
        count_creates(world, scope, 1)?;
    }
    let before = known.map(|at| registered(world, scope)[at].clone());
    let command = complete(world, given, before.as_ref(), scope);
    match known {
        Some(at) => registered_mut(world, scope)[at] = command.clone(),
        None => registered_mut(world, scope).push(command.clone()),
    }
    world.commands_registered = true;
    if known.is_some() { ok(command) } else { created(command) }
}

/// What the body leaves out stays. A name that another command of the kind has is refused.
pub(crate) fn edit(world: &mut World, call: &Call) -> Handled {
    let scope = scope(world, call)?;
    let at = find(world, call, scope)?;
    let before = registered(world, scope)[at].clone();
    let mut wanted = before.clone();
    for (key, value) in call.json().as_object().into_iter().flatten().filter(|(key, _)| *key != "type") {
        wanted[key] = value.clone();
    }
    check_one(&wanted)?;
    let taken = registered(world, scope).iter().enumerate().any(|(other, known)| other != at && same(&wanted, known));
    if taken {
        return Err(Refusal::new(400, 40041, "An application command with that name already exists"));
    }
    let command = complete(world, &wanted, Some(&before), scope);
    registered_mut(world, scope)[at] = command.clone();
    ok(command)
}

pub(crate) fn delete(world: &mut World, call: &Call) -> Handled {
    let scope = scope(world, call)?;
    let at = find(world, call, scope)?;
    registered_mut(world, scope).remove(at);
    done()
}

/// `PUT` of the whole list. Commands that are there already are no creates.
pub(crate) fn overwrite(world: &mut World, call: &Call) -> Handled {
    let scope = scope(world, call)?;
    let Some(given) = call.json().as_array() else { return Err(Refusal::no_list()) };
    check(given)?;
    let existing = registered(world, scope).to_vec();
    let new = given.iter().filter(|given| !existing.iter().any(|known| same(given, known))).count();
    count_creates(world, scope, new)?;
    let mut commands = Vec::new();
    for given in given {
        let known = existing.iter().find(|known| same(given, known));
        commands.push(complete(world, given, known, scope));
    }
    registered_mut(world, scope).clone_from(&commands);
    world.commands_registered = true;
    ok(Value::Array(commands))
}

/// What a guild's admins set for each command, and for all of them under the application's id
/// (<https://discord.com/developers/docs/interactions/application-commands#get-guild-application-command-permissions>).
pub(crate) fn all_permissions(world: &mut World, call: &Call) -> Handled {
    let guild = scope(world, call)?;
    let mut set: Vec<u64> =
        world.command_permissions.keys().filter(|(of, _)| *of == guild).map(|(_, id)| *id).collect();
    set.sort_unstable();
    ok(set.into_iter().filter_map(|command| world.permissions_of(guild, command)).collect())
}

/// What nobody set anything for is unknown
/// (<https://discord.com/developers/docs/interactions/application-commands#get-application-command-permissions>).
pub(crate) fn permissions(world: &mut World, call: &Call) -> Handled {
    let (scope, command) = (scope(world, call)?, call.id("command")?);
    if command != world.bot {
        find(world, call, scope).or_else(|unknown| find(world, call, 0).map_err(|_| unknown))?;
    }
    let set = world.permissions_of(scope, command);
    ok(set.ok_or_else(|| Refusal::new(404, 10066, "Unknown application command permissions"))?)
}

impl World {
    /// What a guild's admins set for a command, if anything, as Discord answers and tells it.
    pub(crate) fn permissions_of(&self, guild: u64, command: u64) -> Option<Value> {
        let entries = self.command_permissions.get(&(guild, command)).filter(|entries| !entries.is_empty())?;
        Some(json!({
            "id": command.to_string(), "application_id": self.bot.to_string(), "guild_id": guild.to_string(),
            "permissions": entries,
        }))
    }
}

/// Only a Bearer token of somebody who manages the guild may
/// (<https://discord.com/developers/docs/interactions/application-commands#edit-application-command-permissions>).
pub(crate) fn set_permissions(world: &mut World, call: &Call) -> Handled {
    scope(world, call)?;
    Err(Refusal::new(403, 20001, "Bots cannot use this endpoint"))
}

fn count_creates(world: &mut World, scope: u64, new: usize) -> Result<(), Refusal> {
    let creates = world.command_creates.entry(scope).or_default();
    while creates.front().is_some_and(|at| at.elapsed() > Duration::from_hours(24)) {
        creates.pop_front();
    }
    if creates.len() + new > CREATES_PER_DAY {
        let message = format!("Max number of daily application command creates has been reached ({CREATES_PER_DAY})");
        return Err(Refusal::new(400, 30034, &message));
    }
    creates.extend(std::iter::repeat_n(Instant::now(), new));
    Ok(())
}

/// The full object: the given keys over the defaults, with ids. An equal command keeps its version. Contexts are for
/// global commands only.
fn complete(world: &mut World, given: &Value, known: Option<&Value>, scope: u64) -> Value {
    let mut command = defaults();
    for (key, default) in defaults().as_object().into_iter().flatten() {
        let value = &given[key];
        command[key] = if value.is_null() { default.clone() } else { value.clone() };
    }
    command["name"] = given["name"].clone();
    command["application_id"] = json!(world.bot.to_string());
    if scope != 0 {
        command["guild_id"] = json!(scope.to_string());
        command["contexts"] = Value::Null;
    }
    command["id"] = known.map_or_else(|| json!(world.next_id().to_string()), |known| known["id"].clone());
    let unchanged =
        known.is_some_and(|known| command.as_object().into_iter().flatten().all(|(key, value)| &known[key] == value));
    command["version"] = match known {
        Some(known) if unchanged => known["version"].clone(),
        _ => json!(world.next_id().to_string()),
    };
    command
}
