//! What supervisors and collectors ask over HTTP: whether the process lives, whether it does its work, and its metrics.
//!
//! Answers to checks are plain text, one line a check, for the person who looks with `curl`.

pub mod readiness;
pub mod scrape;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::readiness::Readiness;
use self::scrape::Scrape;

/// How long answers under way may take once the service stops.
const CLOSING_PATIENCE: Duration = Duration::from_secs(1);

/// The form that `/metrics` has.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The address can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error(
    "can't listen for health checks on {address} ({source}): is something else listening there? Another address can \
     be set with http.listen, as in GUILDWIRE__HTTP__LISTEN=127.0.0.1:9311"
)]
pub struct BindError {
    address: SocketAddr,
    source: std::io::Error,
}

/// Listens on `address`. Apart from [`serve`], so that an address that is taken stops the start.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|source| BindError { address, source })
}

/// Answers `/healthz`, `/readyz` and `/metrics` until the service stops.
pub async fn serve(listener: TcpListener, readiness: Readiness, scrape: Scrape, drain: CancellationToken) {
    let router = Router::new()
        // That it is answered at all is the answer: a task that fails stops the process.
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(readyz).with_state(readiness))
        .route("/metrics", get(metrics).with_state(scrape));
    let serving = axum::serve(listener, router).with_graceful_shutdown(drain.clone().cancelled_owned());
    let closed = async {
        drain.cancelled().await;
        tokio::time::sleep(CLOSING_PATIENCE).await;
    };
    tokio::select! {
        result = serving => if let Err(error) = result {
            tracing::error!(%error, "serving health checks failed");
        },
        // Somebody keeps a connection open without a word; nothing is owed to them.
        () = closed => {}
    }
}

async fn readyz(State(readiness): State<Readiness>) -> (StatusCode, String) {
    let checks = readiness.checks().await;
    let ready = checks.iter().all(|(_, check)| check.is_ok());
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let line = |(name, check): &(&str, Result<(), String>)| match check {
        Ok(()) => format!("{name}: ok\n"),
        Err(reason) => format!("{name}: {reason}\n"),
    };
    (status, checks.iter().map(line).collect())
}

async fn metrics(State(scrape): State<Scrape>) -> Response {
    match scrape.render().await {
        Ok(text) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}
