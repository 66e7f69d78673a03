//! Building the world from outside: guilds, channels, roles, members, denied permissions.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Id, refuse};
use crate::sim::Sim;
use crate::world::ChannelKind;

pub(super) fn router() -> Router<Sim> {
    Router::new()
        .route("/sim/guilds", post(guild))
        .route("/sim/channels", post(channel))
        .route("/sim/roles", post(role))
        .route("/sim/members", post(member))
        .route("/sim/deny", post(deny))
}

#[derive(Deserialize)]
struct NewGuild {
    name: String,
}

async fn guild(State(sim): State<Sim>, Json(new): Json<NewGuild>) -> Json<Value> {
    let guild = sim.add_guild(&new.name);
    Json(json!({ "id": guild.to_string(), "owner": sim.owner(guild).to_string() }))
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

fn no_guild(sim: &Sim, guild: Id) -> Option<Response> {
    let there = sim.read(|world| world.guilds.contains_key(&guild.0));
    (!there).then(|| refuse("there is no such guild"))
}

async fn channel(State(sim): State<Sim>, Json(new): Json<NewChannel>) -> Response {
    if let Some(refused) = no_guild(&sim, new.guild) {
        return refused;
    }
    let holds_threads = |id: u64| {
        sim.read(|world| {
            let parent = world.channels.get(&id).filter(|parent| parent.guild == new.guild.0);
            parent.is_some_and(|parent| parent.kind == ChannelKind::Text || parent.kind.is_forum())
        })
    };
    let kind = match (new.kind.as_deref().unwrap_or("text"), new.parent) {
        ("text", _) => ChannelKind::Text,
        ("announcement", _) => ChannelKind::Announcement,
        ("forum", _) => ChannelKind::Forum,
        ("voice", _) => ChannelKind::Voice,
        ("category", _) => ChannelKind::Category,
        ("public_thread", Some(Id(parent))) if holds_threads(parent) => ChannelKind::PublicThread { parent },
        (other, _) => return refuse(&format!("there is no channel kind {other:?}, or its parent holds no threads")),
    };
    let channel = sim.add_channel(new.guild.0, &new.name, kind);
    Json(json!({ "id": channel.to_string() })).into_response()
}

#[derive(Deserialize)]
struct NewRole {
    guild: Id,
    name: String,
    #[serde(default)]
    mentionable: bool,
}

async fn role(State(sim): State<Sim>, Json(new): Json<NewRole>) -> Response {
    if let Some(refused) = no_guild(&sim, new.guild) {
        return refused;
    }
    Json(json!({ "id": sim.add_role(new.guild.0, &new.name, new.mentionable).to_string() })).into_response()
}

#[derive(Deserialize)]
struct NewMember {
    guild: Id,
    name: String,
    #[serde(default)]
    permissions: u64,
}

async fn member(State(sim): State<Sim>, Json(new): Json<NewMember>) -> Response {
    if let Some(refused) = no_guild(&sim, new.guild) {
        return refused;
    }
    Json(json!({ "id": sim.add_member(new.guild.0, &new.name, new.permissions).to_string() })).into_response()
}

#[derive(Deserialize)]
struct Denial {
    channel: Id,
    permissions: u64,
}

async fn deny(State(sim): State<Sim>, Json(denial): Json<Denial>) -> Response {
    if !sim.read(|world| world.channels.contains_key(&denial.channel.0)) {
        return refuse("there is no such channel");
    }
    sim.deny(denial.channel.0, denial.permissions);
    Json(json!({})).into_response()
}
