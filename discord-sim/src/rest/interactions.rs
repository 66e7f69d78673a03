//! Answering interactions: the callback, `@original`, followups
//! (<https://discord.com/developers/docs/interactions/receiving-and-responding>).

use serde_json::{Value, json};

use super::{Answer, Call, Handled, compose, ok};
use crate::interactions::{self, Interaction, Kind};
use crate::multipart::File;
use crate::refusal::{Faults, Refusal};
use crate::rules::commands::check_choices;
use crate::rules::message::{self, Body, FLAG_EPHEMERAL, FLAG_LOADING};
use crate::rules::modal;
use crate::wire;
use crate::world::World;

const CHOICES: usize = 25;

/// `POST /interactions/{id}/{token}/callback`
pub(crate) fn respond(world: &mut World, call: &Call) -> Handled {
    let (id, token, body) = (call.id("interaction")?, call.text("token"), call.json());
    let deadline = world.options.interaction_deadline;
    let interaction =
        world.interactions.get(token).filter(|found| found.id == id).ok_or_else(Refusal::unknown_interaction)?;
    if interaction.answer.is_some() {
        return Err(Refusal::new(400, 40060, "Interaction has already been acknowledged."));
    }
    let took = interaction.created.elapsed();
    if took > deadline {
        return Err(Refusal::unknown_interaction());
    }
    let (kind, channel, source) =
        (body["type"].as_u64().unwrap_or_default(), interaction.actor.channel, interaction.source);
    check_kind(interaction, kind)?;
    let mut data = body["data"].clone();
    let mut original = None;
    match kind {
        4 => {
            let body = shown(&data, &call.files)?;
            original = Some(post(world, channel, &body, token));
        }
        5 => {
            let ephemeral = data["flags"].as_u64().unwrap_or_default() & FLAG_EPHEMERAL != 0;
            let flags = FLAG_LOADING | if ephemeral { FLAG_EPHEMERAL } else { 0 };
            let body = Body { flags, ..Body::default() };
            original = Some(post(world, channel, &body, token));
        }
        6 => original = source,
        7 => {
            original = source;
            if let Some(source) = source {
                change(world, channel, source, &data, &call.files)?;
            }
        }
        8 => check_completion(interaction, &data)?,
        _ => data = modal::check(&data)?,
    }
    let interaction = world.interactions.get_mut(token).ok_or_else(Refusal::unknown_interaction)?;
    interaction.answer = Some(interactions::Answer { kind, took, data });
    interaction.original = original;
    interaction.finished = !matches!(kind, 5 | 6);
    if !call.query_flag("with_response") {
        return Ok(Answer::nothing());
    }
    let mut answered = json!({
        "interaction": { "id": id.to_string(), "type": interaction.kind as u64 }, "resource": { "type": kind },
    });
    if let Some(message) = original.and_then(|id| world.messages.get(&id)) {
        answered["interaction"]["response_message_id"] = message.raw["id"].clone();
        answered["interaction"]["response_message_loading"] = json!(kind == 5);
        answered["interaction"]["response_message_ephemeral"] = json!(message.flags & FLAG_EPHEMERAL != 0);
        answered["resource"]["message"] = message.raw.clone();
    }
    ok(answered)
}

/// Which answers fit which interaction.
fn check_kind(interaction: &Interaction, kind: u64) -> Result<(), Refusal> {
    let fits = match interaction.kind {
        Kind::Command => matches!(kind, 4 | 5 | 9),
        Kind::Component => matches!(kind, 4..=7 | 9),
        Kind::Autocomplete => kind == 8,
        Kind::Modal => matches!(kind, 4 | 5) || matches!(kind, 6 | 7) && interaction.source.is_some(),
    };
    let mut faults = Faults::default();
    if !fits {
        faults.add("type", "INTERACTION_CALLBACK_TYPE_INVALID", format!("{kind} does not answer this interaction"));
    }
    faults.into_result()
}

fn check_completion(interaction: &Interaction, data: &Value) -> Result<(), Refusal> {
    let mut faults = Faults::default();
    match data["choices"].as_array() {
        None => faults.required("data.choices"),
        Some(choices) => {
            if choices.len() > CHOICES {
                faults.too_long("data.choices", CHOICES);
            }
            check_choices(choices, interaction.focused_kind, "data.choices", &mut faults);
        }
    }
    faults.into_result()
}

/// A body that must show something.
fn shown(data: &Value, files: &[File]) -> Result<Body, Refusal> {
    let body = message::read(data, files, 0)?;
    if body.is_empty() { Err(Refusal::empty_message()) } else { Ok(body) }
}

/// Puts an interaction's message into its channel, or keeps it for the person alone.
fn post(world: &mut World, channel: u64, body: &Body, token: &str) -> u64 {
    let Some(interaction) = world.interactions.get(token) else { return 0 };
    let mut extra = json!({
        "type": if interaction.kind == Kind::Command { 20 } else { 0 }, "webhook_id": world.bot.to_string(),
        "application_id": world.bot.to_string(), "interaction_metadata": metadata(world, interaction),
    });
    if body.flags & FLAG_LOADING != 0 {
        extra["flags"] = json!(body.flags);
    }
    let message = compose::build(world, channel, body, &extra);
    let id = message.id;
    world.keep_message(channel, message, body.flags & FLAG_EPHEMERAL != 0);
    id
}

/// <https://discord.com/developers/docs/resources/message#message-interaction-metadata-object>
fn metadata(world: &World, interaction: &Interaction) -> Value {
    let mut metadata = json!({
        "id": interaction.id.to_string(), "type": interaction.kind as u64,
        "user": wire::user(world, interaction.actor.user),
        "authorizing_integration_owners": { "0": interaction.actor.guild.to_string() },
    });
    if let Some(name) = &interaction.name {
        metadata["name"] = json!(name);
    }
    if let Some(original) = interaction.original {
        metadata["original_response_message_id"] = json!(original.to_string());
    }
    if let Some(source) = interaction.source {
        metadata["interacted_message_id"] = json!(source.to_string());
    }
    metadata
}

/// Lays a body over a message of an interaction; what was being thought about is there then.
fn change(world: &mut World, channel: u64, id: u64, body: &Value, files: &[File]) -> Handled {
    let standing = world.messages.get(&id).ok_or_else(Refusal::unknown_message)?.flags;
    let body = message::read(body, files, standing)?;
    if standing & FLAG_LOADING != 0 && body.is_empty() {
        return Err(Refusal::empty_message());
    }
    compose::edit(world, channel, id, &body)
}

/// An interaction whose token is good for edits and followups: answered, and younger than 15 minutes.
fn usable<'a>(world: &'a World, token: &str) -> Result<&'a Interaction, Refusal> {
    let unknown = || Refusal::new(404, 10015, "Unknown Webhook");
    let found = world.interactions.get(token).ok_or_else(unknown)?;
    if found.created.elapsed() > world.options.interaction_life {
        return Err(Refusal::new(401, 50027, "Invalid Webhook Token"));
    }
    if found.answer.is_none() { Err(unknown()) } else { Ok(found) }
}

/// `POST /webhooks/{application}/{token}`. The first after a deferred answer becomes that answer.
pub(super) fn followup(world: &mut World, call: &Call) -> Handled {
    let token = call.text("token");
    let interaction = usable(world, token)?;
    let channel = interaction.actor.channel;
    let deferred = interaction.answer.as_ref().is_some_and(|answer| answer.kind == 5);
    if let Some(original) = interaction.original.filter(|_| deferred && !interaction.finished) {
        return finish(world, token, |world| change(world, channel, original, call.json(), &call.files));
    }
    let body = shown(call.json(), &call.files)?;
    let id = post(world, channel, &body, token);
    if let Some(interaction) = world.interactions.get_mut(token) {
        interaction.followups.push(id);
    }
    finish(world, token, |world| ok(world.messages.get(&id).map_or(Value::Null, |message| message.raw.clone())))
}

/// Once this succeeds, the person has an answer.
fn finish(world: &mut World, token: &str, action: impl FnOnce(&mut World) -> Handled) -> Handled {
    let answer = action(world)?;
    if let Some(interaction) = world.interactions.get_mut(token) {
        interaction.finished = true;
    }
    Ok(answer)
}

/// `GET`, `PATCH` and `DELETE` of `@original` or of a followup.
pub(super) fn message(world: &mut World, method: &str, call: &Call) -> Handled {
    let token = call.text("token");
    let message = if call.text("message") == "@original" { None } else { Some(call.id("message")?) };
    let interaction = usable(world, token)?;
    let channel = interaction.actor.channel;
    let own = || interaction.followups.iter().copied().chain(interaction.original);
    let id = message.map_or(interaction.original, |id| own().find(|&own| own == id));
    let id = id.ok_or_else(Refusal::unknown_message)?;
    match method {
        "PATCH" => finish(world, token, |world| change(world, channel, id, call.json(), &call.files)),
        "DELETE" if world.remove_message(channel, id) => Ok(Answer::nothing()),
        "GET" => ok(world.messages.get(&id).ok_or_else(Refusal::unknown_message)?.raw.clone()),
        _ => Err(Refusal::unknown_message()),
    }
}
