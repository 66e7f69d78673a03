//! The bot itself, where its gateway is, and users.

use serde_json::{Value, json};

use super::{Call, Handled, done, ok};
use crate::permissions;
use crate::refusal::Refusal;
use crate::rules::mentions::snowflake;
use crate::wire;
use crate::world::{Channel, ChannelKind, World};

fn gateway_url(world: &World) -> String {
    format!("ws://127.0.0.1:{}/gateway", world.port)
}

pub(crate) fn gateway(world: &mut World, _: &Call) -> Handled {
    ok(json!({ "url": gateway_url(world) }))
}

/// <https://discord.com/developers/docs/events/gateway#get-gateway-bot>
pub(crate) fn gateway_bot(world: &mut World, _: &Call) -> Handled {
    let total = world.options.identify_limit;
    let (used, left) = world.sessions.identified_today();
    let used = u32::try_from(used).unwrap_or(total);
    ok(json!({
        "url": gateway_url(world), "shards": world.options.shards,
        "session_start_limit": {
            "total": total, "remaining": total.saturating_sub(used),
            "reset_after": u64::try_from(left.as_millis()).unwrap_or(0),
            "max_concurrency": world.options.max_concurrency,
        },
    }))
}

pub(crate) fn me(world: &mut World, _: &Call) -> Handled {
    ok(wire::current_user(world))
}

pub(crate) fn application(world: &mut World, _: &Call) -> Handled {
    ok(wire::application(world))
}

pub(crate) fn get(world: &mut World, call: &Call) -> Handled {
    let user = call.user(world)?;
    if world.users.contains_key(&user) { ok(wire::user(world, user)) } else { Err(Refusal::unknown_user()) }
}

/// <https://discord.com/developers/docs/resources/user#get-current-user-guilds>
pub(crate) fn my_guilds(world: &mut World, call: &Call) -> Handled {
    let limit = call.limit(200, 200)?;
    let (after, before) = (call.query_id("after").unwrap_or(0), call.query_id("before").unwrap_or(u64::MAX));
    let mine = world.guilds.values().filter(|guild| guild.members.contains_key(&world.bot));
    let asked = mine.filter(|guild| guild.id > after && guild.id < before).take(limit);
    ok(asked
        .map(|guild| {
            let permissions = permissions::in_guild(guild, world.bot, world.now());
            json!({
                "id": guild.id.to_string(), "name": guild.name, "icon": null, "banner": null, "owner": false,
                "permissions": permissions.to_string(), "features": [],
            })
        })
        .collect())
}

pub(crate) fn leave_guild(world: &mut World, call: &Call) -> Handled {
    let guild = call.id("guild")?;
    if !world.has_bot(guild) {
        return Err(Refusal::unknown_guild());
    }
    world.remove_bot(guild);
    done()
}

/// Opening is never refused for a user who takes no messages; sending is, with 50007, as on Discord.
pub(crate) fn open_direct(world: &mut World, call: &Call) -> Handled {
    let user = snowflake(&call.json()["recipient_id"]).filter(|user| world.users.contains_key(user));
    let Some(user) = user.filter(|&user| user != world.bot) else {
        return Err(Refusal::invalid("recipient_id", "INVALID_RECIPIENT", "Invalid recipient"));
    };
    let kind = ChannelKind::Direct { user };
    let existing = world.channels.values().find(|channel| channel.kind == kind).map(|channel| channel.id);
    let id = existing.unwrap_or_else(|| {
        let (id, now) = (world.next_id(), world.now());
        world.channels.insert(id, Channel::new(id, 0, "", kind, user, now));
        id
    });
    ok(world.channels.get(&id).map_or(Value::Null, |channel| wire::channel(world, channel)))
}
