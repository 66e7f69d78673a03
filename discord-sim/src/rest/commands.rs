//! Registering commands: reading them and the bulk overwrite
//! (<https://discord.com/developers/docs/interactions/application-commands#bulk-overwrite-global-application-commands>).

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Handled, ok};
use crate::refusal::{Faults, Refusal};
use crate::rules::commands::{check, kind_of};
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

pub(super) fn handle(world: &mut World, method: &str, application: u64, guild: Option<u64>, body: &Value) -> Handled {
    if application != world.bot {
        return Err(Refusal::new(403, 20012, "You are not authorized to perform this action on this application"));
    }
    if let Some(guild) = guild
        && !world.has_bot(guild)
    {
        return Err(Refusal::missing_access());
    }
    let existing = match guild {
        None => world.commands.clone(),
        Some(guild) => world.guild_commands.get(&guild).cloned().unwrap_or_default(),
    };
    if method == "GET" {
        return ok(Value::Array(existing));
    }
    let Some(given) = body.as_array() else {
        let mut faults = Faults::default();
        faults.add("", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType");
        faults.into_result()?;
        return Err(Refusal::new(400, 50035, "Invalid Form Body"));
    };
    check(given)?;
    let same = |given: &Value, known: &Value| kind_of(given) == kind_of(known) && given["name"] == known["name"];
    let new = given.iter().filter(|given| !existing.iter().any(|known| same(given, known))).count();
    count_creates(world, guild.unwrap_or_default(), new)?;
    let mut registered = Vec::new();
    for given in given {
        let known = existing.iter().find(|known| same(given, known));
        registered.push(complete(world, given, known, guild));
    }
    match guild {
        None => world.commands.clone_from(&registered),
        Some(guild) => {
            world.guild_commands.insert(guild, registered.clone());
        }
    }
    world.commands_registered = true;
    ok(Value::Array(registered))
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

/// The full object: the given keys over the defaults, with ids. An equal command keeps its version.
fn complete(world: &mut World, given: &Value, known: Option<&Value>, guild: Option<u64>) -> Value {
    let mut command = defaults();
    for (key, default) in defaults().as_object().into_iter().flatten() {
        let value = &given[key];
        command[key] = if value.is_null() { default.clone() } else { value.clone() };
    }
    command["name"] = given["name"].clone();
    command["application_id"] = json!(world.bot.to_string());
    if let Some(guild) = guild {
        command["guild_id"] = json!(guild.to_string());
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
