//! IDENTIFY and RESUME: who gets a session, and which
//! (<https://discord.com/developers/docs/events/gateway#identifying>).

use serde_json::{Value, json};

use super::End;
use super::requests::presence;
use crate::intents;
use crate::rules::mentions::snowflake;
use crate::sessions::{Connection, NotIdentified, Outgoing, Resumed};
use crate::wire;
use crate::world::World;

/// Why there is no session.
pub(super) enum Refused {
    Close(u16, &'static str),
    /// Op 9: the connection stands, and another IDENTIFY may follow.
    Invalid,
}

impl From<End> for Refused {
    fn from(end: End) -> Self {
        match end {
            End::Close(code, reason) => Self::Close(code, reason),
            End::Goodbye | End::Lost => Self::Invalid,
        }
    }
}

fn check_token(world: &World, data: &Value) -> Result<(), Refused> {
    let given = data["token"].as_str().unwrap_or_default();
    let right = !world.token_revoked && given.strip_prefix("Bot ").unwrap_or(given) == world.options.token;
    if right { Ok(()) } else { Err(Refused::Close(4004, "Authentication failed.")) }
}

/// Checks an IDENTIFY and opens its session: READY with all guilds unavailable, then `GUILD_CREATE` for each that is not
/// out.
pub(super) fn identify(world: &mut World, data: &Value, connection: Connection) -> Result<(), Refused> {
    check_token(world, data)?;
    let asked = intents_of(world, data)?;
    if !data["properties"].is_object() {
        return Err(Refused::Close(4002, "Error while decoding payload."));
    }
    let shown = if data["presence"].is_null() { None } else { Some(presence(&data["presence"])?) };
    let shard = shard_of(data)?;
    let mine = |guild: u64| (guild >> 22) % shard.1 == shard.0;
    let guilds: Vec<u64> = world.guilds.keys().copied().filter(|&guild| mine(guild) && world.has_bot(guild)).collect();
    if guilds.len() > world.options.guilds_per_shard as usize {
        return Err(Refused::Close(4011, "Sharding required."));
    }
    match world.sessions.may_identify(shard.0, &world.options) {
        Ok(()) => {}
        Err(NotIdentified::TooFast) => return Err(Refused::Invalid),
        Err(NotIdentified::DayIsFull) => {
            world.token_revoked = true;
            world.sessions.tell_all(|| Outgoing::Close(4004, "Authentication failed."));
            return Err(Refused::Close(4004, "Authentication failed."));
        }
    }
    world.statistics.identifies += 1;
    let id = world.random_token();
    world.sessions.add(id.clone(), shard, asked, connection);
    if let Some(shown) = shown {
        world.presences.insert(shard.0, shown);
    }
    let ready = ready(world, &id, shard, &guilds);
    world.sessions.send_to(&id, "READY", &ready);
    if asked & intents::GUILDS != 0 {
        for guild in guilds {
            let Some(guild) = world.guilds.get(&guild).filter(|guild| !guild.out) else { continue };
            let create = wire::guild_create(world, guild);
            world.sessions.send_to(&id, "GUILD_CREATE", &create);
        }
    }
    Ok(())
}

fn intents_of(world: &World, data: &Value) -> Result<u64, Refused> {
    let asked = snowflake(&data["intents"]).filter(|asked| asked & !intents::KNOWN == 0);
    let asked = asked.ok_or(Refused::Close(4013, "Invalid intent(s)."))?;
    if asked & intents::PRIVILEGED != 0 && !world.options.privileged_intents {
        return Err(Refused::Close(4014, "Disallowed intent(s)."));
    }
    Ok(asked)
}

fn shard_of(data: &Value) -> Result<(u64, u64), Refused> {
    let shard = match data["shard"].as_array().map(Vec::as_slice) {
        None => data["shard"].is_null().then_some((0, 1)),
        Some([number, count]) => number.as_u64().zip(count.as_u64()).filter(|(number, count)| number < count),
        Some(_) => None,
    };
    shard.ok_or(Refused::Close(4010, "Invalid shard."))
}

fn ready(world: &World, id: &str, shard: (u64, u64), guilds: &[u64]) -> Value {
    let unavailable: Vec<Value> =
        guilds.iter().map(|guild| json!({ "id": guild.to_string(), "unavailable": true })).collect();
    json!({
        "v": 10, "user": wire::current_user(world), "guilds": unavailable, "session_id": id, "session_type": "normal",
        "resume_gateway_url": format!("ws://127.0.0.1:{}/gateway", world.port), "shard": [shard.0, shard.1],
        "application": { "id": world.bot.to_string(), "flags": 0 }, "private_channels": [], "relationships": [],
        "presences": [], "guild_join_requests": [], "user_settings": {}, "_trace": ["discord-sim"],
    })
}

/// Attaches the connection to its old session and replays what it missed
/// (<https://discord.com/developers/docs/events/gateway#resuming>).
pub(super) fn resume(world: &mut World, data: &Value, connection: &Connection) -> Result<(), Refused> {
    check_token(world, data)?;
    let id = data["session_id"].as_str().unwrap_or_default();
    let Some(sequence) = data["seq"].as_u64() else { return Err(Refused::Close(4007, "Invalid seq.")) };
    let missed = match world.sessions.resume(id, sequence, connection.clone(), world.options.session_life) {
        Resumed::With(missed) => missed,
        Resumed::Gone => return Err(Refused::Invalid),
        Resumed::Ahead => return Err(Refused::Close(4007, "Invalid seq.")),
    };
    world.statistics.resumes += 1;
    for text in missed {
        // Through the same queue as new events, so that none overtakes an older one. A connection that is just ending
        // loses nothing.
        let _ = connection.sender.send(Outgoing::Text(text));
    }
    world.sessions.send_to(id, "RESUMED", &json!({ "_trace": ["discord-sim"] }));
    Ok(())
}
