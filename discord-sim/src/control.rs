//! The control interface under `/sim`: the library's handle as JSON over HTTP, for people and scripts beside the demo.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::sim::Sim;
use crate::trouble::{Route, Trouble};
use crate::view::Actor;
use crate::world::ChannelKind;

/// The routes, or none if the interface is not wanted.
pub(crate) fn router(enabled: bool) -> Router<Sim> {
    if !enabled {
        return Router::new();
    }
    Router::new()
        .route("/sim/state", get(state))
        .route("/sim/statistics", get(statistics))
        .route("/sim/guilds", post(add_guild))
        .route("/sim/channels", post(add_channel))
        .route("/sim/channels/{channel}/messages", get(messages))
        .route("/sim/roles", post(add_role))
        .route("/sim/members", post(add_member))
        .route("/sim/deny", post(deny))
        .route("/sim/commands", post(command))
        .route("/sim/trouble", post(trouble).delete(clear_trouble))
        .route("/sim/away", post(away))
        .route("/sim/back", post(back))
        .route("/sim/restart", post(restart))
}

async fn state(State(sim): State<Sim>) -> Json<Value> {
    Json(sim.state())
}

async fn statistics(State(sim): State<Sim>) -> Json<Value> {
    Json(json!(sim.statistics()))
}

#[derive(Deserialize)]
struct NewGuild {
    name: String,
}

async fn add_guild(State(sim): State<Sim>, Json(new): Json<NewGuild>) -> Json<Value> {
    let guild = sim.add_guild(&new.name);
    Json(json!({ "id": guild.to_string(), "owner": sim.owner(guild).to_string() }))
}

/// Ids may stand as numbers or as strings: JavaScript loses a snowflake's last digits in a number.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "Value")]
struct Id(u64);

impl TryFrom<Value> for Id {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let id = value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
        id.map(Self).ok_or_else(|| format!("{value} is no id"))
    }
}

#[derive(Deserialize)]
struct NewChannel {
    guild: Id,
    name: String,
    /// `text`, `announcement`, `forum`, `voice`, `category`; `public_thread` with `parent`.
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    parent: Option<Id>,
}

async fn add_channel(State(sim): State<Sim>, Json(new): Json<NewChannel>) -> Response {
    let kind = match (new.kind.as_deref().unwrap_or("text"), new.parent) {
        ("text", _) => ChannelKind::Text,
        ("announcement", _) => ChannelKind::Announcement,
        ("forum", _) => ChannelKind::Forum,
        ("voice", _) => ChannelKind::Voice,
        ("category", _) => ChannelKind::Category,
        ("public_thread", Some(Id(parent))) => ChannelKind::PublicThread { parent },
        (other, _) => return refuse(&format!("there is no channel kind {other:?}, or its parent is missing")),
    };
    let channel = sim.add_channel(new.guild.0, &new.name, kind);
    Json(json!({ "id": channel.to_string() })).into_response()
}

fn refuse(why: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": why }))).into_response()
}

async fn messages(State(sim): State<Sim>, Path(channel): Path<u64>) -> Json<Value> {
    Json(json!(sim.messages(channel)))
}

#[derive(Deserialize)]
struct NewRole {
    guild: Id,
    name: String,
    #[serde(default)]
    mentionable: bool,
}

async fn add_role(State(sim): State<Sim>, Json(new): Json<NewRole>) -> Json<Value> {
    Json(json!({ "id": sim.add_role(new.guild.0, &new.name, new.mentionable).to_string() }))
}

#[derive(Deserialize)]
struct NewMember {
    guild: Id,
    name: String,
    #[serde(default)]
    permissions: u64,
}

async fn add_member(State(sim): State<Sim>, Json(new): Json<NewMember>) -> Json<Value> {
    Json(json!({ "id": sim.add_member(new.guild.0, &new.name, new.permissions).to_string() }))
}

#[derive(Deserialize)]
struct Denial {
    channel: Id,
    permissions: u64,
}

async fn deny(State(sim): State<Sim>, Json(denial): Json<Denial>) -> Json<Value> {
    sim.deny(denial.channel.0, denial.permissions);
    Json(json!({}))
}

#[derive(Deserialize)]
struct RunCommand {
    guild: Id,
    channel: Id,
    /// The owner if left out.
    #[serde(default)]
    user: Option<Id>,
    name: String,
    #[serde(default)]
    options: Map<String, Value>,
}

async fn command(State(sim): State<Sim>, Json(run): Json<RunCommand>) -> Response {
    let user = run.user.map_or_else(|| sim.owner(run.guild.0), |user| user.0);
    let by = Actor { guild: run.guild.0, channel: run.channel.0, user };
    let options: Vec<(&str, Value)> = run.options.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    match sim.command(by, &run.name, &options).await {
        Ok(reply) => Json(json!(reply)).into_response(),
        Err(error) => refuse(&error.to_string()),
    }
}

#[derive(Deserialize)]
struct NewTrouble {
    #[serde(default)]
    route: Option<Route>,
    trouble: Trouble,
    #[serde(default)]
    count: Option<u32>,
}

async fn trouble(State(sim): State<Sim>, Json(new): Json<NewTrouble>) -> Json<Value> {
    sim.trouble(new.route.unwrap_or(Route::Everything), new.trouble, new.count);
    Json(json!({}))
}

async fn clear_trouble(State(sim): State<Sim>) -> Json<Value> {
    sim.clear_trouble();
    Json(json!({}))
}

#[derive(Default, Deserialize)]
struct Away {
    /// Back by itself after so many seconds.
    #[serde(default)]
    seconds: Option<f64>,
}

async fn away(State(sim): State<Sim>, body: Option<Json<Away>>) -> Json<Value> {
    let seconds =
        body.and_then(|Json(away)| away.seconds).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    // In a task of its own: this very connection is dropped with all others.
    tokio::spawn(async move {
        match seconds {
            Some(time) => sim.away_for(time).await,
            None => sim.go_away().await,
        }
    });
    Json(json!({}))
}

async fn back(State(sim): State<Sim>) -> Json<Value> {
    sim.come_back().await;
    Json(json!({}))
}

#[derive(Default, Deserialize)]
struct Restart {
    #[serde(default)]
    forget_sessions: bool,
}

async fn restart(State(sim): State<Sim>, body: Option<Json<Restart>>) -> Json<Value> {
    let forget_sessions = body.is_some_and(|Json(restart)| restart.forget_sessions);
    tokio::spawn(async move { sim.restart(forget_sessions).await });
    Json(json!({}))
}
