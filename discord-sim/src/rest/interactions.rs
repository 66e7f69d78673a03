//! Answering interactions: the callback, `@original`, followups
//! (<https://discord.com/developers/docs/interactions/receiving-and-responding>).

use serde_json::{Value, json};

use super::{Answer, Handled, messages, ok};
use crate::interactions::{self, Interaction, Kind, TOKEN_LIFE};
use crate::refusal::{Faults, Refusal};
use crate::rules::commands::check_choices;
use crate::rules::length;
use crate::rules::message::{self, Body, FLAG_EPHEMERAL};
use crate::world::World;

const CHOICES: usize = 25;

/// `POST /interactions/{id}/{token}/callback`
pub(super) fn callback(world: &mut World, id: u64, token: &str, body: &Value, with_response: bool) -> Handled {
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
    let data = &body["data"];
    let mut ephemeral = false;
    let mut original = None;
    match kind {
        4 => {
            let body = shown(data)?;
            ephemeral = body.flags & FLAG_EPHEMERAL != 0;
            original = Some(post(world, channel, &body, token));
        }
        5 => ephemeral = data["flags"].as_u64().unwrap_or_default() & FLAG_EPHEMERAL != 0,
        6 => original = source,
        7 => {
            let body = message::check(data)?;
            original = source;
            if let Some(source) = source {
                messages::edit(world, channel, source, &body)?;
            }
        }
        8 => check_completion(interaction, data)?,
        9 => check_modal(data)?,
        _ => {}
    }
    let interaction = world.interactions.get_mut(token).ok_or_else(Refusal::unknown_interaction)?;
    interaction.answer = Some(interactions::Answer { kind, took, ephemeral, data: data.clone() });
    interaction.original = original;
    interaction.finished = !matches!(kind, 5 | 6);
    if !with_response {
        return Ok(Answer::nothing());
    }
    let message = original.and_then(|id| world.messages.get(&id)).map(|message| message.raw.clone());
    ok(json!({
        "interaction": { "id": id.to_string(), "type": 2, "response_message_loading": kind == 5,
            "response_message_ephemeral": ephemeral, "response_message_id": original.map(|id| id.to_string()) },
        "resource": { "type": kind, "message": message },
    }))
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

/// <https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object-modal>
fn check_modal(data: &Value) -> Result<(), Refusal> {
    let mut faults = Faults::default();
    for (key, most) in [("custom_id", 100), ("title", 45)] {
        match data[key].as_str() {
            None | Some("") => faults.required(format!("data.{key}")),
            Some(text) if length(text) > most => faults.too_long(format!("data.{key}"), most),
            Some(_) => {}
        }
    }
    if !(1..=5).contains(&data["components"].as_array().map_or(0, Vec::len)) {
        faults.bad_length("data.components", 1, 5);
    }
    faults.into_result()
}

/// A body that must show something.
fn shown(data: &Value) -> Result<Body, Refusal> {
    let body = message::check(data)?;
    if body.is_empty() { Err(Refusal::empty_message()) } else { Ok(body) }
}

/// Puts an interaction's message into its channel, or keeps it for the person alone.
fn post(world: &mut World, channel: u64, body: &Body, token: &str) -> u64 {
    let command = world.interactions.get(token).is_some_and(|found| found.kind == Kind::Command);
    let extra = json!({
        "type": if command { 20 } else { 0 }, "webhook_id": world.bot.to_string(),
        "application_id": world.bot.to_string(),
    });
    let message = messages::build(world, channel, body, &extra);
    let id = message.id;
    world.keep_message(channel, message, body.flags & FLAG_EPHEMERAL != 0);
    id
}

/// An interaction whose token is good for edits and followups: answered, and younger than 15 minutes.
fn usable<'a>(world: &'a World, application: u64, token: &str) -> Result<&'a Interaction, Refusal> {
    let unknown = || Refusal::new(404, 10015, "Unknown Webhook");
    let found = world.interactions.get(token).filter(|_| application == world.bot).ok_or_else(unknown)?;
    if found.created.elapsed() > TOKEN_LIFE {
        return Err(Refusal::new(401, 50027, "Invalid Webhook Token"));
    }
    if found.answer.is_none() { Err(unknown()) } else { Ok(found) }
}

/// `POST /webhooks/{application}/{token}`. The first after a deferred answer becomes that answer.
pub(super) fn followup(world: &mut World, application: u64, token: &str, body: &Value) -> Handled {
    let interaction = usable(world, application, token)?;
    let channel = interaction.actor.channel;
    let fills = interaction.original.is_none() && !interaction.finished;
    let fixed = interaction.answer.as_ref().is_some_and(|answer| answer.ephemeral);
    let mut body = shown(body)?;
    if fills {
        body.flags = body.flags & !FLAG_EPHEMERAL | if fixed { FLAG_EPHEMERAL } else { 0 };
    }
    let id = post(world, channel, &body, token);
    let interaction = world.interactions.get_mut(token).ok_or_else(Refusal::unknown_interaction)?;
    if fills {
        interaction.original = Some(id);
    } else {
        interaction.followups.push(id);
    }
    interaction.finished = true;
    ok(raw(world, id))
}

fn raw(world: &World, id: u64) -> Value {
    world.messages.get(&id).map_or(Value::Null, |message| message.raw.clone())
}

/// `GET`, `PATCH` and `DELETE` of `@original` or of a followup.
pub(super) fn message(
    world: &mut World,
    method: &str,
    application: u64,
    token: &str,
    message: Option<u64>,
    body: &Value,
) -> Handled {
    let interaction = usable(world, application, token)?;
    let channel = interaction.actor.channel;
    let ephemeral = interaction.answer.as_ref().is_some_and(|answer| answer.ephemeral);
    let id = match message {
        None => interaction.original,
        Some(id) => interaction.followups.iter().copied().chain(interaction.original).find(|&own| own == id),
    };
    let Some(id) = id else {
        // A deferred answer has no message yet: its first edit makes it, as visible as the deferral said.
        let waiting = message.is_none() && !interaction.finished && method == "PATCH";
        if !waiting {
            return Err(Refusal::unknown_message());
        }
        let mut body = shown(body)?;
        body.flags = if ephemeral { body.flags | FLAG_EPHEMERAL } else { body.flags & !FLAG_EPHEMERAL };
        let id = post(world, channel, &body, token);
        let interaction = world.interactions.get_mut(token).ok_or_else(Refusal::unknown_interaction)?;
        interaction.original = Some(id);
        interaction.finished = true;
        return ok(raw(world, id));
    };
    match method {
        "PATCH" => {
            let body = message::check(body)?;
            let edited = messages::edit(world, channel, id, &body)?;
            if let Some(interaction) = world.interactions.get_mut(token) {
                interaction.finished = true;
            }
            Ok(edited)
        }
        "DELETE" => {
            world.remove_message(channel, id);
            Ok(Answer::nothing())
        }
        _ if world.messages.contains_key(&id) => ok(raw(world, id)),
        _ => Err(Refusal::unknown_message()),
    }
}
