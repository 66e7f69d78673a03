//! The page's server: a few files, the board as JSON, and presses.
//!
//! It listens on 127.0.0.1 alone. A page from elsewhere that is open in the same browser could still send requests here,
//! or have its own name point here (DNS rebinding): so every request must name this address as its host, and a press must
//! come from this very page.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::action::Action;
use super::board::Board;

/// No press is larger.
const LARGEST_BODY: usize = 1024;

/// The page's files, by path, with their type.
const FILES: [(&str, &str, &str); 4] = [
    ("/", "text/html; charset=utf-8", include_str!("page/index.html")),
    ("/style.css", "text/css; charset=utf-8", include_str!("page/style.css")),
    ("/panel.js", "text/javascript; charset=utf-8", include_str!("page/panel.js")),
    ("/view.js", "text/javascript; charset=utf-8", include_str!("page/view.js")),
];

/// What handlers need.
#[derive(Debug, Clone)]
struct Panel {
    board: Arc<Board>,
    /// The hosts by which this server may be called, `127.0.0.1:PORT` and `localhost:PORT`.
    hosts: [String; 2],
    policy: HeaderValue,
}

/// Takes the port, 0 for a free one. Apart from [`serve`], so that a port that is taken is told at once.
pub(crate) async fn bind(port: u16) -> Result<TcpListener> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address)
        .await
        .with_context(|| format!("the page can't be served on {address}; `--port 0` takes a free port"))
}

/// Serves the page for as long as it is polled.
pub(crate) async fn serve(listener: TcpListener, board: Arc<Board>) -> Result<Infallible> {
    let port = listener.local_addr().context("asking for the page's own port")?.port();
    let frame = board.frame().split("/#").next().unwrap_or_default();
    // Nothing from anywhere but here; Discord's own page in its frame, and nobody may frame this one.
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
         frame-src {frame}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let policy = HeaderValue::from_str(&policy).context("the policy is plain text")?;
    let panel = Panel { board, hosts: [format!("127.0.0.1:{port}"), format!("localhost:{port}")], policy };
    let mut router = Router::new().route("/state", get(state)).route("/actions", post(act));
    for (path, kind, text) in FILES {
        router = router.route(path, get(async move || ([(CONTENT_TYPE, kind)], text)));
    }
    let guarded = middleware::from_fn_with_state(panel.clone(), guard);
    let router = router.layer(DefaultBodyLimit::max(LARGEST_BODY)).layer(guarded).with_state(panel);
    axum::serve(listener, router).await.context("serving the page")?;
    bail!("the page's server ended by itself")
}

/// Lets in who calls this server by its own name, and tells the browser what the page may do.
async fn guard(State(panel): State<Panel>, request: Request, next: Next) -> Response {
    let mut response = if header(request.headers(), &HOST).is_some_and(|host| panel.hosts.iter().any(|own| own == host))
    {
        next.run(request).await
    } else {
        refusal(StatusCode::MISDIRECTED_REQUEST, "this server is called 127.0.0.1 or localhost, with its port")
    };
    let fixed = [
        (CONTENT_SECURITY_POLICY, panel.policy),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    response.headers_mut().extend(fixed);
    response
}

async fn state(State(panel): State<Panel>) -> Response {
    as_json(StatusCode::OK, &panel.board.to_json())
}

async fn act(State(panel): State<Panel>, headers: HeaderMap, body: Bytes) -> Response {
    // Browsers send the origin with every POST, and no page can make one up.
    let own = header(&headers, &HOST).map(|host| format!("http://{host}"));
    if header(&headers, &ORIGIN) != own.as_deref() {
        return refusal(StatusCode::FORBIDDEN, "only the demo's own page may press its buttons");
    }
    if header(&headers, &CONTENT_TYPE) != Some("application/json") {
        return refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "a press is application/json");
    }
    let Ok(action) = serde_json::from_slice::<Action>(&body) else {
        return refusal(StatusCode::BAD_REQUEST, "there is no such action");
    };
    match panel.board.press(action) {
        Ok(()) => as_json(StatusCode::ACCEPTED, &json!({})),
        Err(why) => refusal(StatusCode::CONFLICT, &why),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn refusal(status: StatusCode, why: &str) -> Response {
    as_json(status, &json!({ "error": why }))
}

fn as_json(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
