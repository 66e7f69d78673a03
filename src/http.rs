//! What a supervisor asks over HTTP: whether the process lives, and whether it does its work.
//!
//! Answers are plain text, one line a check, for the person who looks with `curl`. An account that can't be read
//! fails neither check: that is its owner's trouble, and a restart would only take the others down with it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::store::Store;

/// How long the database may take to show that it takes writes. Supervisors mostly wait a little longer.
const DATABASE_PATIENCE: Duration = Duration::from_secs(2);

/// How long answers under way may take once the service stops.
const CLOSING_PATIENCE: Duration = Duration::from_secs(1);

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

/// What readiness is judged by.
#[derive(Debug, Clone)]
pub struct Readiness {
    /// The database, which must take writes.
    pub store: Store,
    /// Cancelled when Discord refuses the bot while it runs.
    pub halted: CancellationToken,
    /// Whether the gateway is connected.
    pub connected: Arc<AtomicBool>,
}

/// Listens on `address`. Apart from [`serve`], so that an address that is taken stops the start.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|source| BindError { address, source })
}

/// Answers `/healthz` and `/readyz` until the service stops.
pub async fn serve(listener: TcpListener, readiness: Readiness, drain: CancellationToken) {
    let router = Router::new()
        // That it is answered at all is the answer: a task that fails stops the process.
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .with_state(readiness);
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
    let checks =
        [("database", readiness.database().await), ("token", readiness.token()), ("gateway", readiness.gateway())];
    let ready = checks.iter().all(|(_, check)| check.is_ok());
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let line = |(name, check): &(&str, Result<(), String>)| match check {
        Ok(()) => format!("{name}: ok\n"),
        Err(reason) => format!("{name}: {reason}\n"),
    };
    (status, checks.iter().map(line).collect())
}

impl Readiness {
    async fn database(&self) -> Result<(), String> {
        match tokio::time::timeout(DATABASE_PATIENCE, self.store.check_writable()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the database takes no writes");
                Err("takes no writes, the log says why".to_owned())
            }
            Err(_) => Err(format!("took no write within {} seconds", DATABASE_PATIENCE.as_secs())),
        }
    }

    fn token(&self) -> Result<(), String> {
        let refused = || "Discord refuses it: start guildwire with a valid one (no event is lost)".to_owned();
        if self.halted.is_cancelled() { Err(refused()) } else { Ok(()) }
    }

    fn gateway(&self) -> Result<(), String> {
        if self.connected.load(Ordering::Relaxed) { Ok(()) } else { Err("not connected".to_owned()) }
    }
}
