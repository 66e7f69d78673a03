//! The control interface under `/sim`: the library's handle as JSON over HTTP, for the page, and for people and scripts
//! beside the demo.

mod act;
mod build;
mod live;

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::page;
use crate::sim::Sim;
use crate::trouble::{Route, Trouble};

/// The routes and the page that uses them, or none if the interface is not wanted.
pub(crate) fn router(enabled: bool) -> Router<Sim> {
    if !enabled {
        return Router::new();
    }
    Router::new()
        .merge(page::router())
        .merge(build::router())
        .merge(act::router())
        .route("/sim/live", get(live::stream))
        .route("/sim/channels/{channel}/messages", get(live::messages))
        .route("/sim/state", get(state))
        .route("/sim/statistics", get(statistics))
        .route("/sim/trouble", post(trouble).delete(clear_trouble))
        .route("/sim/away", post(away))
        .route("/sim/back", post(back))
        .route("/sim/restart", post(restart))
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

fn refuse(why: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": why }))).into_response()
}

async fn state(State(sim): State<Sim>) -> Json<Value> {
    Json(sim.state())
}

async fn statistics(State(sim): State<Sim>) -> Json<Value> {
    Json(json!(sim.statistics()))
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
