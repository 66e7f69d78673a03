//! Acting as a person from outside: saying something, commands, autocomplete, components and modals.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Id, refuse};
use crate::permissions;
use crate::rest::compose::may_write;
use crate::sim::Sim;
use crate::view::{Actor, CommandError, Reply};
use crate::world::World;

/// The most that a person's message may hold without Nitro.
const CONTENT: usize = 2000;

pub(super) fn router() -> Router<Sim> {
    Router::new()
        .route("/sim/messages", post(say))
        .route("/sim/commands", post(command))
        .route("/sim/autocomplete", post(autocomplete))
        .route("/sim/components", post(component))
        .route("/sim/modals", post(modal))
}

/// Who acts, and where.
#[derive(Clone, Copy, Deserialize)]
struct Person {
    guild: Id,
    channel: Id,
    /// The owner if left out.
    #[serde(default)]
    user: Option<Id>,
}

impl Person {
    fn actor(self, sim: &Sim) -> Actor {
        let user = self.user.map_or_else(|| sim.owner(self.guild.0), |user| user.0);
        Actor { guild: self.guild.0, channel: self.channel.0, user }
    }
}

/// The reply, or why there is none: `error` for people, `kind` for programs.
fn answer(reply: Result<Reply, CommandError>) -> Response {
    match reply {
        Ok(reply) => Json(json!(reply)).into_response(),
        Err(error) => failed(&error),
    }
}

fn failed(error: &CommandError) -> Response {
    let kind = match error {
        CommandError::Unknown => "unknown",
        CommandError::NotPermitted => "not_permitted",
        CommandError::BadOption(_) => "bad_option",
        CommandError::NoAnswerWithin3Seconds => "no_answer",
        CommandError::NeverFinished => "never_finished",
        CommandError::NotConnected => "not_connected",
    };
    (StatusCode::BAD_REQUEST, Json(json!({ "error": error.to_string(), "kind": kind }))).into_response()
}

#[derive(Deserialize)]
struct Say {
    #[serde(flatten)]
    by: Person,
    content: String,
}

async fn say(State(sim): State<Sim>, Json(say): Json<Say>) -> Response {
    let by = say.by.actor(&sim);
    let content = say.content.trim();
    if content.is_empty() || content.encode_utf16().count() > CONTENT {
        return refuse(&format!("a message has 1 to {CONTENT} characters"));
    }
    let granted = |world: &World| permissions::in_channel(world, by.user, by.channel);
    if sim.read(|world| may_write(world, by.channel, granted(world))).is_err() {
        return refuse("the person may not send messages here");
    }
    Json(json!({ "id": sim.say(by.channel, by.user, content).to_string() })).into_response()
}

#[derive(Deserialize)]
struct Command {
    #[serde(flatten)]
    by: Person,
    name: String,
    #[serde(default)]
    options: Map<String, Value>,
}

fn pairs(options: &Map<String, Value>) -> Vec<(&str, Value)> {
    options.iter().map(|(name, value)| (name.as_str(), value.clone())).collect()
}

async fn command(State(sim): State<Sim>, Json(run): Json<Command>) -> Response {
    answer(sim.command(run.by.actor(&sim), &run.name, &pairs(&run.options)).await)
}

#[derive(Deserialize)]
struct Typing {
    #[serde(flatten)]
    command: Command,
    /// The option that is being typed into, and what stands there so far.
    focused: String,
    typed: String,
}

async fn autocomplete(State(sim): State<Sim>, Json(typing): Json<Typing>) -> Response {
    let Typing { command, focused, typed } = typing;
    let by = command.by.actor(&sim);
    match sim.autocomplete(by, &command.name, &pairs(&command.options), &focused, &typed).await {
        Ok(choices) => Json(json!(choices)).into_response(),
        Err(error) => failed(&error),
    }
}

#[derive(Deserialize)]
struct Component {
    #[serde(flatten)]
    by: Person,
    message: Id,
    custom_id: String,
    /// What was chosen; left out for a button.
    #[serde(default)]
    values: Option<Vec<String>>,
}

async fn component(State(sim): State<Sim>, Json(used): Json<Component>) -> Response {
    let Some(message) = sim.message_as_reply(used.message.0) else { return failed(&CommandError::Unknown) };
    let by = used.by.actor(&sim);
    answer(match &used.values {
        None => sim.press(by, &message, &used.custom_id).await,
        Some(values) => {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            sim.select(by, &message, &used.custom_id, &values).await
        }
    })
}

#[derive(Deserialize)]
struct FilledIn {
    #[serde(flatten)]
    by: Person,
    /// The modal's data, as the bot sent it.
    modal: Value,
    /// The message whose component opened it, if one did.
    #[serde(default)]
    message: Option<Id>,
    /// What was filled in, by the inputs' custom ids.
    values: Map<String, Value>,
}

async fn modal(State(sim): State<Sim>, Json(filled): Json<FilledIn>) -> Response {
    let modal = Reply {
        content: String::new(),
        embeds: Vec::new(),
        ephemeral: true,
        components: filled.modal["components"].clone(),
        took: std::time::Duration::ZERO,
        message: filled.message.map(|id| id.0),
        raw: filled.modal,
    };
    answer(sim.submit(filled.by.actor(&sim), &modal, &pairs(&filled.values)).await)
}
