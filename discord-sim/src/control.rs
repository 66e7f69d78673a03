//! The control interface under `/sim`: the library's handle as JSON over HTTP, for the page, and for people and scripts
//! beside the demo.

mod act;
mod build;
mod live;

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::uri::{Authority, Uri};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::page;
use crate::sim::Sim;
use crate::trouble::{Route, Trouble};

/// The routes and the page that uses them on this port, or none if the interface is not wanted.
pub(crate) fn router(enabled: bool, port: u16) -> Router<Sim> {
    if !enabled {
        return Router::new();
    }
    let router = Router::new()
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
        .route("/sim/restart", post(restart));
    router.route_layer(middleware::from_fn_with_state(port, own_pages_only))
}

/// Lets in programs and the pages of this very server, and no other page that a browser on this machine has open: one
/// whose name was made to mean 127.0.0.1 gives itself away by `Host`, one that sends a form by `Origin`.
async fn own_pages_only(State(port): State<u16>, request: Request, next: Next) -> Response {
    let host = text(request.headers(), &header::HOST).and_then(|host| host.parse::<Authority>().ok());
    if !host.is_some_and(|host| is_own(host.host(), host.port_u16(), port)) {
        return forbid("this is for http://127.0.0.1 and http://localhost");
    }
    if request.method() != Method::GET && is_foreign(request.headers(), port) {
        return forbid("another page has no business here");
    }
    next.run(request).await
}

/// Whether a page of another server sent this. What is no browser sends no `Origin`.
pub(crate) fn is_foreign(headers: &HeaderMap, port: u16) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    !origin.is_some_and(|of| {
        of.scheme_str() == Some("http") && of.host().is_some_and(|host| is_own(host, of.port_u16(), port))
    })
}

fn is_own(host: &str, given: Option<u16>, port: u16) -> bool {
    matches!(host, "127.0.0.1" | "localhost") && given.unwrap_or(80) == port
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn forbid(why: &str) -> Response {
    (StatusCode::FORBIDDEN, Json(json!({ "error": why }))).into_response()
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
