//! One REST request, from admission to answer. All of it is a plain function of the world; connections, waiting and
//! dropping are `server`'s.

mod commands;
mod interactions;
mod messages;
mod places;

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::endpoint::Endpoint;
use crate::limits::{round_up, too_many};
use crate::multipart::File;
use crate::refusal::Refusal;
use crate::trouble::{Scope, Trouble};
use crate::wire;
use crate::world::World;

/// What Cloudflare answers a banned address.
const CLOUDFLARE: &str = "<!DOCTYPE html>\n<html><head><title>Access denied | discord.com used Cloudflare to restrict \
                          access</title></head><body>error code: 1015</body></html>";

/// A request, read.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) endpoint: Endpoint,
    pub(crate) query: HashMap<String, String>,
    pub(crate) authorization: Option<String>,
    pub(crate) agent: Option<String>,
    /// Nothing if it was not readable.
    pub(crate) body: Option<Value>,
    pub(crate) files: Vec<File>,
}

#[derive(Debug)]
pub(crate) enum Payload {
    Json(Value),
    Html(String),
    Nothing,
}

/// An answer, not yet HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) payload: Payload,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Whether it counts towards the ban if it is a 401, 403 or 429.
    counts: bool,
}

impl Answer {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self { status, payload: Payload::Json(body), headers: Vec::new(), counts: true }
    }

    fn nothing() -> Self {
        Self { status: 204, payload: Payload::Nothing, headers: Vec::new(), counts: true }
    }

    fn html(status: u16, body: String) -> Self {
        Self { status, payload: Payload::Html(body), headers: Vec::new(), counts: false }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self::json(refusal.status, refusal.body)
    }
}

/// What a handler gives: a body with status 200, or 204, or a refusal.
type Handled = Result<Answer, Refusal>;

#[expect(clippy::unnecessary_wraps, reason = "every handler ends with it, and handlers are refused too")]
fn ok(body: Value) -> Handled {
    Ok(Answer::json(200, body))
}

/// Answers a request and counts the answer.
pub(crate) fn answer(world: &mut World, call: &Call) -> Answer {
    let Some(route) = call.endpoint.route(&call.method) else {
        let (status, text) = match call.endpoint {
            Endpoint::Nowhere => (404, "404: Not Found"),
            _ => (405, "405: Method Not Allowed"),
        };
        return noted(world, "unknown", Refusal::new(status, 0, text).into());
    };
    let answer = match admit(world, call, route) {
        Err(refused) => refused,
        Ok(headers) => {
            let mut answer = handle(world, call, route).unwrap_or_else(Answer::from);
            answer.headers.extend(headers);
            answer
        }
    };
    noted(world, route, answer)
}

/// The answer that trouble gives instead; nothing if this trouble is one of the connection.
pub(crate) fn troubled(world: &mut World, route: &'static str, trouble: &Trouble) -> Option<Answer> {
    let answer = match trouble {
        Trouble::RateLimited { scope, retry_after } => rate_limited(world, *scope, *retry_after),
        Trouble::CloudflareHtml => {
            world.statistics.count_rate_limited("cloudflare");
            Answer::html(429, CLOUDFLARE.to_owned())
        }
        Trouble::Status(status) => Answer::html(*status, format!("<html><body>{status}</body></html>")),
        Trouble::Error { status, code, message } => Refusal::new(*status, *code, message).into(),
        Trouble::Refuse | Trouble::Hang | Trouble::HangFor(_) | Trouble::LoseReply => return None,
    };
    world.statistics.injected += 1;
    Some(noted(world, route, answer))
}

/// User agent, ban, token and limits, in the order a request meets them; gives the bucket's headers.
fn admit(world: &mut World, call: &Call, route: &'static str) -> Result<Vec<(&'static str, String)>, Answer> {
    if world.limits.is_banned() {
        world.statistics.banned = true;
        world.statistics.count_rate_limited("cloudflare");
        return Err(Answer::html(429, CLOUDFLARE.to_owned()));
    }
    // <https://discord.com/developers/docs/reference#user-agent>
    let agent = call.agent.as_deref().unwrap_or_default();
    let named = agent.strip_prefix("DiscordBot (").and_then(|rest| rest.split_once(')'));
    if !named.is_some_and(|(inner, _)| inner.contains(", ")) {
        return Err(Refusal::new(403, 40333, "internal network error").into());
    }
    if !call.endpoint.is_interaction() {
        let expected = format!("Bot {}", world.options.token);
        let open = matches!(call.endpoint, Endpoint::Gateway);
        if !open && (world.token_revoked || call.authorization.as_deref() != Some(expected.as_str())) {
            return Err(Refusal::unauthorized().into());
        }
        match world.limits.take_global() {
            Ok(used) => world.statistics.peak_per_second = world.statistics.peak_per_second.max(used),
            Err(left) => return Err(rate_limited(world, Scope::Global, round_up(left))),
        }
    }
    let Some(standing) = world.limits.take(&call.endpoint, route) else { return Ok(Vec::new()) };
    let Some(left) = standing.exceeded else { return Ok(standing.headers) };
    let mut answer = rate_limited(world, Scope::User, round_up(left));
    answer.headers.extend(standing.headers);
    Err(answer)
}

/// A 429 in Discord's own words. The header is in whole seconds, the body is exact.
fn rate_limited(world: &mut World, scope: Scope, retry_after: f64) -> Answer {
    world.statistics.count_rate_limited(scope.name());
    let global = scope == Scope::Global;
    let mut answer = Answer::json(429, too_many(retry_after, global));
    answer.counts = scope != Scope::Shared;
    answer.headers.push(("x-ratelimit-scope", scope.name().to_owned()));
    answer.headers.push(("retry-after", format!("{:.0}", retry_after.ceil())));
    if global {
        answer.headers.push(("x-ratelimit-global", "true".to_owned()));
    }
    answer
}

fn noted(world: &mut World, route: &str, answer: Answer) -> Answer {
    if answer.counts && matches!(answer.status, 401 | 403 | 429) {
        world.statistics.invalid += 1;
        world.limits.count_invalid();
    }
    if answer.status >= 400 {
        let reason = match &answer.payload {
            Payload::Json(body) => Refusal { status: answer.status, body: body.clone() }.reason(),
            Payload::Html(body) => body.chars().take(80).collect(),
            Payload::Nothing => String::new(),
        };
        world.statistics.reject(route, answer.status, reason);
    }
    answer
}

fn handle(world: &mut World, call: &Call, route: &'static str) -> Handled {
    let Some(body) = &call.body else {
        return Err(Refusal::new(400, 50109, "The request body contains invalid JSON."));
    };
    if !body.is_null() {
        world.keep_body(route, body);
    }
    let method = call.method.as_str();
    match &call.endpoint {
        Endpoint::Gateway => ok(json!({ "url": gateway_url(world) })),
        Endpoint::GatewayBot => ok(gateway_bot(world)),
        Endpoint::Me => ok(wire::current_user(world)),
        Endpoint::Application => ok(wire::application(world)),
        Endpoint::GlobalCommands { application } => commands::handle(world, method, *application, None, body),
        Endpoint::GuildCommands { application, guild } => {
            commands::handle(world, method, *application, Some(*guild), body)
        }
        Endpoint::InteractionCallback { interaction, token } => {
            let with_response = call.query.get("with_response").is_some_and(|value| value == "true");
            interactions::callback(world, *interaction, token, body, with_response)
        }
        Endpoint::WebhookCreate { application, token } => interactions::followup(world, *application, token, body),
        Endpoint::WebhookMessage { application, token, message } => {
            interactions::message(world, method, *application, token, *message, body)
        }
        Endpoint::Messages { channel } if method == "POST" => messages::create(world, *channel, body, &call.files),
        Endpoint::Messages { channel } => messages::list(world, *channel, &call.query),
        Endpoint::Message { channel, message } => messages::one(world, method, *channel, *message, body),
        Endpoint::Socket | Endpoint::Nowhere => Err(Refusal::new(404, 0, "404: Not Found")),
        place => places::handle(world, place, body),
    }
}

fn gateway_url(world: &World) -> String {
    format!("ws://127.0.0.1:{}/gateway", world.port)
}

/// <https://discord.com/developers/docs/events/gateway#get-gateway-bot>
fn gateway_bot(world: &World) -> Value {
    let total = world.options.identify_limit;
    let used = u32::try_from(world.sessions.identified_today()).unwrap_or(total);
    let day = Duration::from_hours(24).as_millis();
    json!({
        "url": gateway_url(world), "shards": world.options.shards,
        "session_start_limit": {
            "total": total, "remaining": total.saturating_sub(used), "reset_after": u64::try_from(day).unwrap_or(0),
            "max_concurrency": world.options.max_concurrency,
        },
    })
}
