//! One REST request, from admission to answer. All of it is a plain function of the world; connections, waiting and
//! dropping are `server`'s.

pub(crate) mod attachments;
pub(crate) mod channels;
pub(crate) mod commands;
pub(crate) mod compose;
pub(crate) mod guilds;
pub(crate) mod interactions;
pub(crate) mod members;
pub(crate) mod messages;
pub(crate) mod overwrites;
pub(crate) mod pins;
pub(crate) mod reactions;
pub(crate) mod roles;
pub(crate) mod thread_members;
pub(crate) mod threads;
pub(crate) mod users;
pub(crate) mod webhook_messages;
pub(crate) mod webhooks;

use std::collections::HashMap;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::endpoint::{Caller, Endpoint, Parameters, Wanted};
use crate::limits::{round_up, too_many};
use crate::multipart::File;
use crate::refusal::Refusal;
use crate::trouble::{Scope, Trouble};
use crate::world::World;

/// What Cloudflare answers a banned address.
const CLOUDFLARE: &str = "<!DOCTYPE html>\n<html><head><title>Access denied | discord.com used Cloudflare to restrict \
                          access</title></head><body>error code: 1015</body></html>";

/// A request's body.
#[derive(Debug)]
pub(crate) enum Received {
    /// `null` if it was empty.
    Json(Value),
    Unreadable,
    TooLarge,
}

/// A request, read.
#[derive(Debug)]
pub(crate) struct Call {
    /// The values in the path.
    pub(crate) parameters: Parameters,
    pub(crate) query: HashMap<String, String>,
    pub(crate) authorization: Option<String>,
    pub(crate) agent: Option<String>,
    pub(crate) body: Received,
    pub(crate) files: Vec<File>,
}

impl Call {
    /// A text in the path; empty if the path has no such parameter.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.parameters.iter().find(|(of, _)| *of == name).map_or("", |(_, value)| value)
    }

    /// An id in the path.
    pub(crate) fn id(&self, name: &str) -> Result<u64, Refusal> {
        let text = self.text(name);
        text.parse().map_err(|_| {
            let message = format!("Value \"{text}\" is not snowflake.");
            Refusal::invalid(&format!("{name}_id"), "NUMBER_TYPE_COERCE", &message)
        })
    }

    /// An id in the path where `@me` stands for the bot.
    pub(crate) fn user(&self, world: &World) -> Result<u64, Refusal> {
        if self.text("user") == "@me" { Ok(world.bot) } else { self.id("user") }
    }

    /// An id in the query; what is none counts as left out.
    pub(crate) fn query_id(&self, key: &str) -> Option<u64> {
        self.query.get(key).and_then(|value| value.parse().ok())
    }

    /// A time in the query.
    pub(crate) fn query_time(&self, key: &str) -> Result<Option<OffsetDateTime>, Refusal> {
        let Some(text) = self.query.get(key) else { return Ok(None) };
        let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| {
            let message = format!("Could not parse {text}. Should be ISO8601.");
            Refusal::invalid(key, "DATE_TIME_TYPE_PARSE", &message)
        })?;
        Ok(Some(time))
    }

    pub(crate) fn query_flag(&self, key: &str) -> bool {
        self.query.get(key).is_some_and(|value| matches!(value.as_str(), "true" | "True" | "1"))
    }

    /// How many are wanted, by the query's `limit`.
    pub(crate) fn limit(&self, most: usize, usual: usize) -> Result<usize, Refusal> {
        let Some(given) = self.query.get("limit") else { return Ok(usual) };
        let limit = given.parse().ok().filter(|limit| (1..=most).contains(limit));
        limit.ok_or_else(|| {
            let message = format!("int value should be between 1 and {most}.");
            Refusal::invalid("limit", "NUMBER_TYPE_MAX", &message)
        })
    }

    /// The JSON of the body, `null` if there is none.
    pub(crate) fn json(&self) -> &Value {
        if let Received::Json(body) = &self.body { body } else { &Value::Null }
    }
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

    pub(crate) fn nothing() -> Self {
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

/// What a handler gives: a body with status 200 or 201, or 204, or a refusal.
pub(crate) type Handled = Result<Answer, Refusal>;

#[expect(clippy::unnecessary_wraps, reason = "every handler ends with it, and handlers are refused too")]
fn ok(body: Value) -> Handled {
    Ok(Answer::json(200, body))
}

/// The same for what was made, where Discord answers 201.
#[expect(clippy::unnecessary_wraps, reason = "as above")]
fn created(body: Value) -> Handled {
    Ok(Answer::json(201, body))
}

#[expect(clippy::unnecessary_wraps, reason = "as above")]
fn done() -> Handled {
    Ok(Answer::nothing())
}

/// Answers a request and counts the answer.
pub(crate) fn answer(world: &mut World, wanted: &Wanted, call: &Call) -> Answer {
    let answer = match wanted {
        Wanted::Endpoint(endpoint, _) => match admit(world, call, endpoint) {
            Err(refused) => refused,
            Ok(headers) => {
                let mut answer = handle(world, call, endpoint).unwrap_or_else(Answer::from);
                answer.headers.extend(headers);
                answer
            }
        },
        // Discord still serves older versions; this stand-in only the one it knows.
        Wanted::WrongVersion => Refusal::new(400, 50041, "Invalid API version specified").into(),
        Wanted::WrongMethod => Refusal::new(405, 0, "405: Method Not Allowed").into(),
        Wanted::Socket | Wanted::Nowhere => Refusal::new(404, 0, "404: Not Found").into(),
    };
    noted(world, wanted.name(), answer)
}

/// The answer that trouble gives instead; nothing if this trouble is one of the connection.
pub(crate) fn troubled(world: &mut World, wanted: &Wanted, trouble: &Trouble) -> Option<Answer> {
    let answer = match trouble {
        Trouble::RateLimited { scope, retry_after } => {
            let mut answer = rate_limited(world, *scope, *retry_after);
            if let Wanted::Endpoint(endpoint, _) = wanted {
                answer.headers.extend(world.limits.beside(endpoint, *scope, *retry_after));
            }
            answer
        }
        Trouble::CloudflareHtml => {
            world.statistics.count_rate_limited("cloudflare");
            Answer::html(429, CLOUDFLARE.to_owned())
        }
        Trouble::Status(status) => Answer::html(*status, format!("<html><body>{status}</body></html>")),
        Trouble::Error { status, code, message } => Refusal::new(*status, *code, message).into(),
        Trouble::Refuse | Trouble::Hang | Trouble::HangFor(_) | Trouble::LoseReply => return None,
    };
    world.statistics.injected += 1;
    Some(noted(world, wanted.name(), answer))
}

/// User agent, ban, token and limits, in the order a request meets them; gives the bucket's headers.
fn admit(world: &mut World, call: &Call, endpoint: &Endpoint) -> Result<Vec<(&'static str, String)>, Answer> {
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
    let expected = format!("Bot {}", world.options.token);
    let known = !world.token_revoked && call.authorization.as_deref() == Some(expected.as_str());
    if endpoint.caller == Caller::Bot && !known {
        return Err(Refusal::unauthorized().into());
    }
    if endpoint.caller != Caller::Token {
        match world.limits.take_global(known) {
            Ok(used) => world.statistics.peak_per_second = world.statistics.peak_per_second.max(used),
            Err(left) => return Err(rate_limited(world, Scope::Global, round_up(left))),
        }
    }
    let Some(standing) = world.limits.take(endpoint, &resource(call)) else { return Ok(Vec::new()) };
    let Some(left) = standing.exceeded else { return Ok(standing.headers) };
    let mut answer = rate_limited(world, Scope::User, round_up(left));
    answer.headers.extend(standing.headers);
    Err(answer)
}

/// The top-level resource, which parts a bucket: the channel, the guild, or the webhook with its token
/// (<https://discord.com/developers/docs/topics/rate-limits#rate-limits>).
fn resource(call: &Call) -> String {
    match call.parameters.first() {
        Some((name @ ("channel" | "guild"), value)) => format!("{name} {value}"),
        Some(("webhook", value)) => format!("webhook {value} {}", call.text("token")),
        _ => String::new(),
    }
}

/// A 429 in Discord's own words. The header is in whole seconds, the body is exact.
pub(crate) fn rate_limited(world: &mut World, scope: Scope, retry_after: f64) -> Answer {
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
        if let Payload::Json(body) = &answer.payload
            && let Some(code) = body["code"].as_u64()
        {
            *world.statistics.refused.entry(code).or_default() += 1;
        }
        let reason = match &answer.payload {
            Payload::Json(body) => Refusal { status: answer.status, body: body.clone() }.reason(),
            Payload::Html(body) => body.chars().take(80).collect(),
            Payload::Nothing => String::new(),
        };
        world.statistics.reject(route, answer.status, reason);
    }
    answer
}

fn handle(world: &mut World, call: &Call, endpoint: &Endpoint) -> Handled {
    match &call.body {
        Received::Json(Value::Null) => {}
        Received::Json(body) => world.keep_body(endpoint.name, body),
        Received::Unreadable => return Err(Refusal::new(400, 50109, "The request body contains invalid JSON.")),
        Received::TooLarge => return Err(Refusal::new(413, 40005, "Request entity too large")),
    }
    (endpoint.handler)(world, call)
}
