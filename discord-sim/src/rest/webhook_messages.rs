//! Messages by webhooks. An interaction's followups take the same paths, with the application's id for the webhook's
//! (<https://discord.com/developers/docs/resources/webhook#execute-webhook>).

use std::time::Duration;

use serde_json::{Value, json};

use super::threads::tags;
use super::webhooks::{find, read_name};
use super::{Call, Handled, compose, done, interactions, ok, rate_limited};
use crate::limits::round_up;
use crate::options::Bucket;
use crate::refusal::Refusal;
use crate::rules::fields::Fields;
use crate::rules::mentions::snowflake;
use crate::rules::message;
use crate::trouble::Scope;
use crate::world::World;

/// What all webhooks of a channel may send together; no header tells of it
/// (<https://github.com/discord/discord-api-docs/issues/367>).
const OF_CHANNEL: Bucket = Bucket { limit: 30, window: Duration::from_mins(1) };

/// Whether the path is that of an interaction.
fn is_interaction(world: &World, call: &Call) -> bool {
    call.id("webhook").is_ok_and(|id| id == world.bot)
}

/// `POST /webhooks/{webhook}/{token}`: nothing is answered unless `wait` is asked for.
pub(crate) fn execute(world: &mut World, call: &Call) -> Handled {
    if is_interaction(world, call) {
        return interactions::followup(world, call);
    }
    let webhook = find(world, call)?;
    let (id, channel, webhook_name, own) =
        (webhook.id, webhook.channel, webhook.name.clone(), webhook.creator == world.bot);
    if let Err(left) = world.limits.take_hidden("webhooks of a channel", &channel.to_string(), OF_CHANNEL) {
        return Ok(rate_limited(world, Scope::Shared, round_up(left)));
    }
    let given = call.json();
    let mut fields = Fields::of(given);
    let name = read_name(&mut fields, "username").unwrap_or(webhook_name);
    let thread_name = fields.text("thread_name", 1, 100);
    fields.done()?;
    let body = message::read(call.json(), &call.files, 0)?;
    if body.is_empty() {
        return Err(Refusal::empty_message());
    }
    if !own && interactive(&body.components.clone().unwrap_or_default()) {
        // <https://discord.com/developers/docs/resources/webhook#execute-webhook>
        return Err(Refusal::invalid(
            "components",
            "BASE_TYPE_BAD_TYPE",
            "This webhook cannot send interactive components",
        ));
    }
    let extra = json!({
        "author": author(id, &name), "webhook_id": id.to_string(),
        "application_id": own.then(|| world.bot.to_string()),
    });
    let is_forum = world.channels.get(&channel).is_some_and(|channel| channel.kind.is_forum());
    let message = match (call.query_id("thread_id"), thread_name) {
        (None, None) if is_forum => {
            return Err(Refusal::new(
                400,
                220_001,
                "Webhooks posted to forum channels must have a thread_name or thread_id",
            ));
        }
        (Some(_), Some(_)) if is_forum => {
            let message = "Webhooks posted to forum channels cannot have both a thread_name and thread_id";
            return Err(Refusal::new(400, 220_002, message));
        }
        (_, Some(_)) if !is_forum => {
            return Err(Refusal::new(400, 220_003, "Webhooks can only create threads in forum channels"));
        }
        (None, Some(name)) => {
            let tags = tags(world, channel, given, true)?.unwrap_or_default();
            world.post_in_forum(channel, &name, serde_json::Map::new(), &tags, &body, &extra)
        }
        (thread, _) => {
            let place = thread.unwrap_or(channel);
            let of_thread = world.channels.get(&place).map(|thread| thread.kind.thread_parent());
            if thread.is_some() && of_thread != Some(Some(channel)) {
                return Err(Refusal::unknown_channel());
            }
            let message = compose::build(world, place, &body, &extra);
            let id = message.id;
            world.keep_message(place, message, false);
            id
        }
    };
    if !call.query_flag("wait") {
        return done();
    }
    ok(world.messages.get(&message).map(|message| message.raw.clone()).unwrap_or_default())
}

fn author(webhook: u64, name: &str) -> Value {
    json!({
        "id": webhook.to_string(), "username": name, "discriminator": "0000", "global_name": null, "avatar": null,
        "bot": true, "public_flags": 0, "flags": 0, "primary_guild": null,
    })
}

/// Whether there is anything that would ask the application.
fn interactive(components: &Value) -> bool {
    match components {
        Value::Array(list) => list.iter().any(interactive),
        Value::Object(map) => map.contains_key("custom_id") || map.values().any(interactive),
        _ => false,
    }
}

/// A message that this webhook wrote, in its channel or the thread of the query: where and which.
fn own(world: &World, call: &Call) -> Result<(u64, u64), Refusal> {
    let webhook = find(world, call)?;
    let channel = call.query_id("thread_id").unwrap_or(webhook.channel);
    let id = call.id("message")?;
    let message = world.messages.get(&id).filter(|_| world.shows(channel, id));
    let message = message.filter(|message| snowflake(&message.raw["webhook_id"]) == Some(webhook.id));
    message.map(|_| (channel, id)).ok_or_else(Refusal::unknown_message)
}

pub(crate) fn get(world: &mut World, call: &Call) -> Handled {
    if is_interaction(world, call) {
        return interactions::message(world, "GET", call);
    }
    let (_, id) = own(world, call)?;
    ok(world.messages.get(&id).map(|message| message.raw.clone()).unwrap_or_default())
}

pub(crate) fn edit(world: &mut World, call: &Call) -> Handled {
    if is_interaction(world, call) {
        return interactions::message(world, "PATCH", call);
    }
    let (channel, id) = own(world, call)?;
    let standing = world.messages.get(&id).map_or(0, |message| message.flags);
    let body = message::read(call.json(), &call.files, standing)?;
    compose::edit(world, channel, id, &body)
}

pub(crate) fn delete(world: &mut World, call: &Call) -> Handled {
    if is_interaction(world, call) {
        return interactions::message(world, "DELETE", call);
    }
    let (channel, id) = own(world, call)?;
    world.remove_message(channel, id);
    done()
}
