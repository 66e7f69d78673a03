//! What a session asks for or says: its presence, a guild's members, soundboards
//! (<https://discord.com/developers/docs/events/gateway-events#send-events>).

use serde_json::{Value, json};

use super::End;
use crate::intents::{GUILD_MEMBERS, GUILD_PRESENCES};
use crate::rules::mentions::snowflake;
use crate::wire;
use crate::world::{Guild, World};

/// Members of one `GUILD_MEMBERS_CHUNK`.
const CHUNK: usize = 1000;
/// Users that one request may name, and results that a search may ask for.
const NAMED: usize = 100;
/// A nonce of more bytes is not echoed.
const NONCE: usize = 32;

const UNREADABLE: End = End::Close(4002, "Error while decoding payload.");

/// Checks what a bot wants to be shown as
/// (<https://discord.com/developers/docs/events/gateway-events#update-presence>). `since` and `afk` are not looked at:
/// serenity sends a `since` that is no number, and Discord takes it.
pub(super) fn presence(data: &Value) -> Result<Value, End> {
    let status = ["online", "dnd", "idle", "invisible", "offline"].iter().any(|status| data["status"] == *status);
    let named = |activity: &Value| activity["name"].is_string() && matches!(activity["type"].as_u64(), Some(0..=5));
    let activities = data["activities"].as_array().is_some_and(|list| list.iter().all(named));
    if status && activities { Ok(data.clone()) } else { Err(UNREADABLE) }
}

/// Answers a request for members with `GUILD_MEMBERS_CHUNK`s. All of them are told only with the intent `GUILD_MEMBERS`,
/// presences only with `GUILD_PRESENCES`; without, nothing is answered
/// (<https://discord.com/developers/docs/events/gateway-events#request-guild-members>).
pub(super) fn members(world: &mut World, session: &str, intents: u64, data: &Value) -> Result<(), End> {
    let guild = snowflake(&data["guild_id"]).ok_or(UNREADABLE)?;
    let named = named(&data["user_ids"])?;
    let query = data["query"].as_str();
    let limit = usize::try_from(data["limit"].as_u64().unwrap_or_default()).unwrap_or(usize::MAX);
    if named.is_none() && query.is_none() || named.as_ref().is_some_and(|named| named.len() > NAMED) {
        return Err(UNREADABLE);
    }
    let everyone = named.is_none() && query == Some("") && limit == 0;
    let presences = data["presences"] == true;
    let refused = everyone && intents & GUILD_MEMBERS == 0 || presences && intents & GUILD_PRESENCES == 0;
    let Some(of) = world.reachable_guild(guild).filter(|_| !refused) else { return Ok(()) };
    let found: Vec<u64> = match (&named, query.unwrap_or_default().to_lowercase()) {
        (Some(named), _) => named.iter().copied().filter(|user| of.members.contains_key(user)).collect(),
        (None, start) => {
            let most = if everyone { usize::MAX } else { limit.min(NAMED) };
            let starts = |user: &&u64| name(world, **user).to_lowercase().starts_with(&start);
            of.members.keys().filter(starts).take(most).copied().collect()
        }
    };
    let missing: Vec<String> =
        named.iter().flatten().filter(|user| !found.contains(user)).map(ToString::to_string).collect();
    for chunk in chunks(world, of, &found, &missing, presences, &data["nonce"]) {
        world.sessions.send_to(session, "GUILD_MEMBERS_CHUNK", &chunk);
    }
    Ok(())
}

/// One id or a list of them; nothing if the field is left out.
fn named(ids: &Value) -> Result<Option<Vec<u64>>, End> {
    let list = match ids {
        Value::Null => return Ok(None),
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    list.iter().map(snowflake).collect::<Option<Vec<u64>>>().map(Some).ok_or(UNREADABLE)
}

fn name(world: &World, user: u64) -> &str {
    world.users.get(&user).map_or("", |user| user.name.as_str())
}

fn chunks(
    world: &World,
    guild: &Guild,
    found: &[u64],
    missing: &[String],
    presences: bool,
    nonce: &Value,
) -> Vec<Value> {
    // Nobody found is told in one empty chunk.
    let parts: Vec<&[u64]> = if found.is_empty() { vec![&[]] } else { found.chunks(CHUNK).collect() };
    let count = parts.len();
    let chunk = |(at, part): (usize, &[u64])| {
        let members: Vec<Value> = part.iter().map(|&user| wire::member(world, guild, user, true)).collect();
        let mut chunk = json!({
            "guild_id": guild.id.to_string(), "members": members, "chunk_index": at, "chunk_count": count,
        });
        if !missing.is_empty() && at == 0 {
            chunk["not_found"] = json!(missing);
        }
        if presences {
            chunk["presences"] = json!([]);
        }
        if nonce.as_str().is_some_and(|nonce| nonce.len() <= NONCE) {
            chunk["nonce"] = nonce.clone();
        }
        chunk
    };
    parts.into_iter().enumerate().map(chunk).collect()
}

/// No guild has sounds here: <https://discord.com/developers/docs/events/gateway-events#request-soundboard-sounds>
pub(super) fn soundboards(world: &mut World, session: &str, data: &Value) -> Result<(), End> {
    let guilds = data["guild_ids"].as_array().ok_or(UNREADABLE)?;
    for guild in guilds.iter().filter_map(snowflake) {
        if world.reachable_guild(guild).is_some() {
            let sounds = json!({ "guild_id": guild.to_string(), "soundboard_sounds": [] });
            world.sessions.send_to(session, "SOUNDBOARD_SOUNDS", &sounds);
        }
    }
    Ok(())
}
