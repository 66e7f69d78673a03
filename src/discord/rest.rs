//! Requests to Discord's REST API. One place makes them, names the bot and holds the token.

mod messages;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Method, StatusCode, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

pub use self::messages::{PAGE, Posted};
use super::answer::{Answer, Scope, Verdict, seconds};
use super::limiter::{BucketState, Limiter, Slot};
use crate::domain::session_starts::SessionStarts;
use crate::telemetry::metrics::{LimitScope, Metrics};

/// Discord asks bots to name themselves in this form, and refuses others:
/// <https://discord.com/developers/docs/reference#user-agent>.
const USER_AGENT: &str =
    concat!("DiscordBot (https://github.com/guildwire/guildwire, ", env!("CARGO_PKG_VERSION"), ")");

/// A client of Discord's REST API, version 10.
#[derive(Clone)]
pub struct Rest {
    client: Client,
    base: String,
    token: SecretString,
    metrics: Metrics,
    /// Told of answers that Discord counts towards a ban.
    limiter: Option<Arc<Limiter>>,
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum RestError {
    /// No answer, or not a whole one: it may have been carried out all the same.
    #[error("no answer from Discord: {0}")]
    NoAnswer(String),
    /// The token is wrong or was revoked.
    #[error("Discord refuses the bot's token")]
    Unauthorised,
    /// Too many requests.
    #[error("Discord limits the bot for {wait:?}")]
    Limited {
        /// For how long.
        wait: Duration,
        /// Whether that goes for every request, or for those of this kind.
        is_global: bool,
    },
    /// Another refusal.
    #[error("Discord answers {status}: {body}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The beginning of what it said.
        body: String,
    },
}

/// Where the gateway is, and how it may be used.
#[derive(Debug, Clone, Deserialize)]
pub struct Gateway {
    /// The address to connect to.
    pub url: String,
    /// How many shards Discord recommends.
    shards: NonZeroU32,
    session_start_limit: SessionStartLimit,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct SessionStartLimit {
    total: u32,
    remaining: u32,
    /// In milliseconds.
    reset_after: u64,
}

impl Gateway {
    /// How many shards Discord recommends.
    #[must_use]
    pub const fn shards(&self) -> u32 {
        self.shards.get()
    }

    /// How many sessions the bot may still begin.
    #[must_use]
    pub const fn session_starts(&self) -> SessionStarts {
        let SessionStartLimit { total, remaining, reset_after } = self.session_start_limit;
        SessionStarts { total, remaining, reset_after: Duration::from_millis(reset_after) }
    }
}

/// The application that the bot belongs to.
#[derive(Deserialize)]
struct Application {
    id: String,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl Rest {
    /// A client that talks to `{api_url}/api/v10` and gives up on a request after `timeout`.
    pub fn new(api_url: &str, token: SecretString, timeout: Duration) -> Result<Self, RestError> {
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .timeout(timeout)
            // The token goes to the configured address and nowhere else.
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|error| no_answer(&error))?;
        Ok(Self { client, base: format!("{api_url}/api/v10"), token, metrics: Metrics::default(), limiter: None })
    }

    /// Counts what Discord answers in `metrics`, sends no more than `limiter` has slots for, and has it stop everything
    /// when too many answers are refusals.
    #[must_use]
    pub fn counting_in(self, metrics: Metrics, limiter: Arc<Limiter>) -> Self {
        Self { metrics, limiter: Some(limiter), ..self }
    }

    /// Counts an answer that is no 429 for everybody: 401, 403 and 429 lead to a ban of the address.
    pub fn count_answer(&self, status: u16) {
        if self.metrics.answered(status) && self.limiter.as_ref().is_some_and(|limiter| limiter.count_refusal()) {
            self.metrics.stopped(true);
            tracing::error!(
                "Discord has refused so many requests that it may ban this address: nothing but answers to commands is \
                 sent until they are fewer"
            );
        }
    }

    /// Where the gateway is; also tells whether the token is right.
    pub async fn gateway(&self) -> Result<Gateway, RestError> {
        self.request(Method::GET, "/gateway/bot", None, true).await
    }

    /// The id of the bot's application.
    pub async fn application(&self) -> Result<u64, RestError> {
        let application: Application = self.request(Method::GET, "/applications/@me", None, true).await?;
        application.id.parse().map_err(|_| RestError::NoAnswer(format!("{:?} is no application's id", application.id)))
    }

    /// The names of the commands that are registered in every guild, sorted.
    pub async fn command_names(&self, application: u64) -> Result<Vec<String>, RestError> {
        let path = format!("/applications/{application}/commands");
        let commands: Vec<Named> = self.request(Method::GET, &path, None, true).await?;
        let mut names: Vec<_> = commands.into_iter().map(|command| command.name).collect();
        names.sort();
        Ok(names)
    }

    /// Registers the commands, in every guild, in place of those registered before.
    pub async fn set_commands(&self, application: u64, commands: &Value) -> Result<(), RestError> {
        let path = format!("/applications/{application}/commands");
        self.request::<Value>(Method::PUT, &path, Some(commands), true).await.map(drop)
    }

    /// Answers an interaction for the first time, which Discord awaits within 3 seconds.
    pub async fn respond(&self, interaction: u64, token: &str, response: &Value) -> Result<(), RestError> {
        let path = format!("/interactions/{interaction}/{token}/callback");
        self.request::<Value>(Method::POST, &path, Some(response), false).await.map(drop)
    }

    /// Completes an answer that was deferred, which is possible for 15 minutes.
    pub async fn complete(&self, application: u64, token: &str, message: &Value) -> Result<(), RestError> {
        let path = format!("/webhooks/{application}/{token}/messages/@original");
        self.request::<Value>(Method::PATCH, &path, Some(message), false).await.map(drop)
    }

    /// Interactions' requests carry their own token in the path and must not carry the bot's.
    async fn request<T: serde::de::DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        authorised: bool,
    ) -> Result<T, RestError> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if authorised {
            request = request.header(AUTHORIZATION, format!("Bot {}", self.token.expose_secret()));
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        // Discord does not count answers to interactions.
        let _slot = if authorised { self.slot().await } else { None };
        let response = request.send().await.map_err(|error| no_answer(&error))?;
        let status = response.status();
        let headers = response.headers().clone();
        self.count(status.as_u16(), &headers);
        let body = response.bytes().await.map_err(|error| no_answer(&error))?;
        if status == StatusCode::UNAUTHORIZED {
            return Err(RestError::Unauthorised);
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(limited(&headers, &body));
        }
        if !status.is_success() {
            let body = String::from_utf8_lossy(&body).chars().take(500).collect();
            return Err(RestError::Refused { status: status.as_u16(), body });
        }
        let body: &[u8] = if body.is_empty() { b"null" } else { &body };
        serde_json::from_slice(body).map_err(|error| RestError::NoAnswer(error.to_string()))
    }

    async fn slot(&self) -> Option<Slot> {
        match &self.limiter {
            Some(limiter) => Some(limiter.take_slot().await),
            None => None,
        }
    }

    fn count(&self, status: u16, headers: &HeaderMap) {
        if status != StatusCode::TOO_MANY_REQUESTS.as_u16() {
            return self.count_answer(status);
        }
        let scope = match scope(headers) {
            Some(Scope::User) => LimitScope::User,
            Some(Scope::Global) => LimitScope::Global,
            Some(Scope::Shared) => LimitScope::Shared,
            None => LimitScope::Unknown,
        };
        self.metrics.limited(scope);
        // What everybody does in a channel is not held against the bot.
        if scope != LimitScope::Shared {
            self.count_answer(status);
        }
    }
}

/// What a 429 says: as in the answer to a message that was posted.
fn limited(headers: &HeaderMap, body: &[u8]) -> RestError {
    let answer = Answer {
        status: StatusCode::TOO_MANY_REQUESTS.as_u16(),
        body: body.to_vec(),
        bucket: None,
        retry_after: number(headers, RETRY_AFTER.as_str()).and_then(seconds),
        scope: scope(headers),
    };
    match answer.verdict() {
        Verdict::ChannelLimited(wait) => RestError::Limited { wait, is_global: false },
        Verdict::Limited(wait) => RestError::Limited { wait, is_global: true },
        // A 429 in other words, such as "overloaded".
        _ => RestError::Refused { status: answer.status, body: String::from_utf8_lossy(&answer.body).into_owned() },
    }
}

/// What went wrong, without the URL: an interaction's holds its token.
fn no_answer(error: &reqwest::Error) -> RestError {
    let mut words = if error.is_timeout() { "timed out".to_owned() } else { "the connection failed".to_owned() };
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    RestError::NoAnswer(words)
}

fn bucket(headers: &HeaderMap) -> Option<BucketState> {
    let remaining = headers.get("x-ratelimit-remaining")?.to_str().ok()?.parse().ok()?;
    let reset_after = seconds(number(headers, "x-ratelimit-reset-after")?)?;
    Some(BucketState { remaining, reset_after })
}

fn scope(headers: &HeaderMap) -> Option<Scope> {
    if headers.contains_key("x-ratelimit-global") {
        return Some(Scope::Global);
    }
    match headers.get("x-ratelimit-scope").and_then(|value| value.to_str().ok()) {
        Some("global") => Some(Scope::Global),
        Some("shared") => Some(Scope::Shared),
        Some(_) => Some(Scope::User),
        None => headers.contains_key("x-ratelimit-bucket").then_some(Scope::User),
    }
}

fn number(headers: &HeaderMap, name: &str) -> Option<f64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}
