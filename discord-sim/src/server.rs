//! Connections: accepting, refusing and dropping them, and turning HTTP into [`rest::Call`]s.
//!
//! Connections are served by hyper directly, because trouble needs to end one in the middle of a request.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Extension, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::endpoint::{Parameters, Wanted, decoded};
use crate::rest::{self, Answer, Call, Payload, Received};
use crate::rules::mentions::snowflake;
use crate::sim::Sim;
use crate::trouble::{CREATE_MESSAGE, Trouble};
use crate::{control, gateway, multipart};

/// Discord's own request limit (<https://discord.com/developers/docs/reference#uploading-files>).
const BODY_LIMIT: usize = 25 * 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Open,
    Away,
    Stopped,
}

/// Whether connections are taken, and the switch that drops all of them.
pub(crate) struct Doors {
    wanted: watch::Sender<Door>,
    actual: watch::Sender<Door>,
    connections: Mutex<Connections>,
}

/// Every connection taken since the last time all were dropped.
#[derive(Clone, Default)]
struct Connections {
    dropped: CancellationToken,
    tasks: TaskTracker,
}

impl Doors {
    pub(crate) fn new() -> Self {
        Self {
            wanted: watch::Sender::new(Door::Open),
            actual: watch::Sender::new(Door::Open),
            connections: Mutex::new(Connections::default()),
        }
    }

    /// Asks for a state and waits until it holds for new connections.
    pub(crate) async fn set(&self, door: Door) {
        self.wanted.send_replace(door);
        let mut actual = self.actual.subscribe();
        // The accept loop can only be gone if it was stopped before, and then no connection is taken either.
        let _ = actual.wait_for(|&now| now == door || now == Door::Stopped).await;
    }

    pub(crate) fn is_open(&self) -> bool {
        *self.wanted.borrow() == Door::Open
    }

    /// Drops every connection and returns when their sockets are closed.
    pub(crate) async fn drop_connections(&self) {
        let old = std::mem::take(&mut *self.connections.lock().expect("nothing panics while it holds the switch"));
        old.dropped.cancel();
        old.tasks.close();
        old.tasks.wait().await;
    }

    fn connections(&self) -> Connections {
        self.connections.lock().expect("nothing panics while it holds the switch").clone()
    }
}

pub(crate) async fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await
}

/// Takes connections until the simulator is stopped.
pub(crate) async fn serve(sim: Sim, mut listener: TcpListener) {
    let doors = sim.doors();
    let mut wanted = doors.wanted.subscribe();
    let router = Router::new()
        .merge(control::router(sim.control_enabled(), sim.port()))
        .fallback(discord)
        .with_state(sim.clone());
    loop {
        let door = *wanted.borrow_and_update();
        match door {
            Door::Stopped => {
                doors.actual.send_replace(door);
                return;
            }
            Door::Away if !sim.control_enabled() => {
                drop(listener);
                let held = hold_port(sim.port()).await;
                doors.actual.send_replace(door);
                // An error means the sender is gone, which the simulator's own handle prevents.
                let _ = wanted.wait_for(|&now| now != Door::Away).await;
                listener = match held.and_then(|socket| socket.listen(1024)) {
                    Ok(listener) => listener,
                    Err(error) => {
                        tracing::error!(%error, "the simulated Discord cannot come back on its port");
                        doors.actual.send_replace(Door::Stopped);
                        return;
                    }
                };
            }
            Door::Open | Door::Away => {
                doors.actual.send_replace(door);
                tokio::select! {
                    accepted = listener.accept() => match accepted {
                        Ok((stream, _)) => take(stream, &router, &doors.connections()),
                        Err(error) => {
                            // Mostly there are too many open files, which a moment may change and a busy loop does not.
                            tracing::warn!(%error, "a connection could not be accepted");
                            tokio::time::sleep(Duration::from_millis(10)).await;
                        }
                    },
                    _ = wanted.changed() => {}
                }
            }
        }
    }
}

/// A socket that is bound but does not listen: connections are refused, and nobody else gets the port.
async fn hold_port(port: u16) -> io::Result<TcpSocket> {
    let mut attempts = 0;
    loop {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        match socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))) {
            Ok(()) => return Ok(socket),
            Err(error) if attempts >= 100 => return Err(error),
            Err(_) => attempts += 1,
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn take(stream: TcpStream, router: &Router, connections: &Connections) {
    // Small frames and answers must not wait for each other; a failure only costs time.
    let _ = stream.set_nodelay(true);
    let connection = connections.dropped.child_token();
    let service = TowerToHyperService::new(router.clone().layer(Extension(connection.clone())));
    connections.tasks.spawn(async move {
        let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades();
        // Clients that go away in the middle are their own affair.
        let _ = connection.run_until_cancelled(served).await;
    });
}

/// Ends the connection without an answer.
async fn hang_up(connection: &CancellationToken) -> Response {
    connection.cancel();
    std::future::pending().await
}

/// Everything that is not the control interface: REST and the gateway's socket.
async fn discord(
    State(sim): State<Sim>,
    Extension(connection): Extension<CancellationToken>,
    request: Request,
) -> Response {
    if !sim.doors().is_open() {
        return hang_up(&connection).await;
    }
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path();
    let is_socket = parts.headers.contains_key(header::UPGRADE);
    if let Some(file) = path.strip_prefix("/attachments/") {
        return attachment(&sim, file);
    }
    let method = parts.method.as_str();
    let wanted = if is_socket { Wanted::Socket } else { Wanted::read(method, path) };
    let route = wanted.name();
    let (trouble, latency) = sim.change(|world| {
        *world.statistics.requests.entry(route.to_owned()).or_default() += 1;
        let trouble = world.troubles.take(&wanted, world.bot);
        world.statistics.troubled += u64::from(trouble.is_some());
        (trouble, world.options.latency)
    });
    match &trouble {
        Some(Trouble::Refuse) => return hang_up(&connection).await,
        Some(Trouble::Hang) => sim.until_trouble_clears().await,
        Some(Trouble::HangFor(time)) => tokio::time::sleep(*time).await,
        Some(other) => {
            if let Some(answer) = sim.change(|world| rest::troubled(world, &wanted, other)) {
                return http(answer);
            }
        }
        None => {}
    }
    if is_socket {
        // No bot runs in a page, and this one's token is no secret.
        if control::is_foreign(&parts.headers, sim.port()) {
            return (StatusCode::FORBIDDEN, "a page of another server may not connect").into_response();
        }
        return socket(sim, connection, &mut parts).await;
    }
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let call = call(wanted.parameters(), &parts, body).await;
    let answer = sim.change(|world| rest::answer(world, &wanted, &call));
    if trouble == Some(Trouble::LoseReply) {
        if let Payload::Json(body) = &answer.payload
            && wanted.name() == CREATE_MESSAGE
            && let Some(message) = snowflake(&body["id"])
        {
            sim.change(|world| world.statistics.last_unanswered = Some(message));
        }
        return hang_up(&connection).await;
    }
    http(answer)
}

async fn socket(sim: Sim, connection: CancellationToken, parts: &mut Parts) -> Response {
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let given = |key: &str| query.split('&').filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == key);
    if query.contains("compress=zstd-stream") || query.contains("encoding=etf") {
        return (StatusCode::BAD_REQUEST, "zstd-stream and ETF are not simulated").into_response();
    }
    match WebSocketUpgrade::from_request_parts(parts, &()).await {
        Ok(upgrade) => {
            let wanted = gateway::Wanted {
                zlib_stream: given("compress").is_some_and(|(_, value)| value == "zlib-stream"),
                known_version: given("v").is_none_or(|(_, value)| value == "10"),
            };
            upgrade.on_upgrade(move |socket| gateway::run(sim, socket, connection, wanted))
        }
        Err(refused) => refused.into_response(),
    }
}

async fn call(parameters: Parameters, parts: &Parts, body: Body) -> Call {
    let text = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    let bytes = to_bytes(body, BODY_LIMIT).await;
    let boundary = text(header::CONTENT_TYPE).and_then(|of| multipart::boundary(&of));
    let (body, files) = match (&bytes, boundary) {
        (Ok(bytes), _) if bytes.is_empty() => (Received::Json(Value::Null), Vec::new()),
        (Ok(bytes), Some(boundary)) => match multipart::parse(bytes, &boundary) {
            Some((payload, files)) => (Received::Json(payload), files),
            None => (Received::Unreadable, Vec::new()),
        },
        (Ok(bytes), None) => (serde_json::from_slice(bytes).map_or(Received::Unreadable, Received::Json), Vec::new()),
        // A connection that broke off gets no answer anyway; what is left is the length.
        (Err(_), _) => (Received::TooLarge, Vec::new()),
    };
    Call {
        parameters,
        query: query(parts.uri.query().unwrap_or_default()),
        authorization: text(header::AUTHORIZATION),
        agent: text(header::USER_AGENT),
        body,
        files,
    }
}

fn query(text: &str) -> HashMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter_map(|(key, value)| Some((key.to_owned(), decoded(&value.replace('+', " "))?))).collect()
}

/// An uploaded file, at the address its attachment object names: `/attachments/{channel}/{id}/{filename}`. Only what a
/// browser merely shows is shown: anyone may have written it, and the control interface is of the same origin.
fn attachment(sim: &Sim, path: &str) -> Response {
    let id = path.split('/').nth(1).and_then(|id| id.parse::<u64>().ok());
    let found = id.and_then(|id| sim.read(|world| world.files.get(&id).cloned()));
    let Some(bytes) = found else {
        return (StatusCode::NOT_FOUND, "This content is no longer available.").into_response();
    };
    let shown = crate::rest::attachments::picture_type(&bytes);
    let disposition = if shown.is_some() { "inline" } else { "attachment" };
    let headers = [
        (header::CONTENT_TYPE, shown.unwrap_or("application/octet-stream")),
        (header::CONTENT_DISPOSITION, disposition),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, bytes).into_response()
}

fn http(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = match answer.payload {
        Payload::Json(body) => ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response(),
        Payload::Html(body) => ([(header::CONTENT_TYPE, "text/html; charset=UTF-8")], body).into_response(),
        Payload::Nothing => ().into_response(),
    };
    *response.status_mut() = status;
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}
