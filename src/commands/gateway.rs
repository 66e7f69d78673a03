//! The connection that brings interactions and keeps the bot's picture of its guilds: serenity's, watched.

mod handler;
mod shards;
mod visit;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serenity::all::{Client, ClientBuilder, EventHandler, GatewayIntents, HttpBuilder};
use serenity::cache::Settings as CacheSettings;
use serenity::gateway::GatewayError;
use serenity::http::HttpError;
use tokio::sync::watch;
use tokio::time::Instant;

use self::handler::Handler;
use self::shards::{Shards, stalled};
pub use self::visit::{Visit, visit};
use super::{Shared, definitions};
use crate::discord::guilds::Guilds;
use crate::discord::rest::{Gateway, RestError};
use crate::domain::retry::backoff;
use crate::lifecycle::Lifecycle;

/// The first wait after a failure, and the longest. Discord allows 1,000 new sessions a day.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(2);

const WRONG_TOKEN: &str = "Discord refuses the bot's token: set DISCORD_TOKEN (or discord.token) to the token on the page \
                           Bot of your application at https://discord.com/developers/applications, and start again";

/// Why the gateway is not, or no longer, connected.
enum Failure {
    /// No use to try again.
    Fatal(String),
    /// Discord refuses the token.
    WrongToken,
    /// It may work later.
    ForNow(String),
    /// Discord says how long to wait before it is asked again.
    Limited(Duration),
}

/// Stays connected until the service stops. A token that is wrong from the start stops the service; one that is revoked
/// later stops what is said, but not what is recorded.
pub async fn run(shared: Shared, lifecycle: Lifecycle) {
    let mut failures = 0;
    let was_ready = Arc::new(AtomicBool::new(false));
    while !shared.drain.is_cancelled() {
        let began = Instant::now();
        let ended = connect(&shared, &was_ready).await;
        shared.sight.end();
        shared.connected.store(false, Ordering::Relaxed);
        shared.metrics.shards(0, 0);
        if began.elapsed() > LONGEST_WAIT {
            failures = 0;
        }
        let mut shortest_wait = Duration::ZERO;
        let reason = match (ended, was_ready.load(Ordering::Relaxed)) {
            (Failure::WrongToken, false) => return lifecycle.fail(WRONG_TOKEN),
            (Failure::WrongToken, true) => {
                // A lane may have been the first to hear of it.
                if !shared.halted.is_cancelled() {
                    let reason = "the gateway does not take the token";
                    tracing::error!(
                        reason,
                        "Discord refuses the bot: nothing is sent until guildwire is started with a valid token; events \
                         are still recorded"
                    );
                }
                shared.halted.cancel();
                return shared.drain.cancelled().await;
            }
            (Failure::Fatal(reason), false) => return lifecycle.fail(reason),
            (Failure::Fatal(reason) | Failure::ForNow(reason), _) => reason,
            (Failure::Limited(wait), _) => {
                shortest_wait = wait;
                "Discord limits the bot".to_owned()
            }
        };
        if shared.drain.is_cancelled() {
            return;
        }
        failures += 1;
        let wait = backoff(failures, FIRST_WAIT, LONGEST_WAIT, rand::random()).max(shortest_wait);
        tracing::warn!(reason, ?wait, "no connection to Discord's gateway; trying again");
        shared.drain.run_until_cancelled(tokio::time::sleep(wait)).await;
    }
}

/// Registers the commands, connects, and says why the connection has ended.
async fn connect(shared: &Shared, was_ready: &Arc<AtomicBool>) -> Failure {
    let stopping = || Failure::ForNow("the service stops".to_owned());
    let gateway = match shared.drain.run_until_cancelled(prepare(shared)).await {
        Some(Ok(gateway)) => gateway,
        Some(Err(failure)) => return failure,
        None => return stopping(),
    };
    let (shards, changes) = watch::channel(Shards::none_of(gateway.shards()));
    let handler = Handler { shared: shared.clone(), was_ready: Arc::clone(was_ready), shards };
    let mut client = match client(&shared.token, &shared.api_url, &gateway, handler).await {
        Ok(client) => client,
        Err(error) => {
            count(shared, &error);
            return Failure::ForNow(error.to_string());
        }
    };
    shared.sight.begin(Guilds::new(Arc::clone(&client.cache)), gateway.shards());
    let manager = Arc::clone(&client.shard_manager);
    tokio::select! {
        ended = client.start_shards(gateway.shards()) => match ended {
            Ok(()) => Failure::ForNow("the connection ended".to_owned()),
            Err(error) => {
                count(shared, &error);
                gateway_failure(error)
            }
        },
        () = stalled(changes) => {
            manager.shutdown_all().await;
            Failure::ForNow("a shard did not connect".to_owned())
        }
        () = shared.drain.cancelled() => {
            manager.shutdown_all().await;
            stopping()
        }
    }
}

/// serenity's client, which goes to the address that was asked for and to no other.
async fn client(
    token: &SecretString,
    api_url: &str,
    gateway: &Gateway,
    handler: impl EventHandler + 'static,
) -> serenity::Result<Client> {
    let http = HttpBuilder::new(token.expose_secret())
        .proxy(api_url)
        // With its own limiter, serenity would talk to discord.com whatever the proxy is.
        .ratelimiter_disabled(true)
        .build();
    let mut cache = CacheSettings::default();
    cache.max_messages = 0;
    cache.cache_users = false;
    let client =
        ClientBuilder::new_with_http(http, GatewayIntents::GUILDS).cache_settings(cache).event_handler(handler).await?;
    // serenity asks for this address itself and, when that fails, takes the real Discord's.
    gateway.url.clone_into(&mut *client.ws_url.lock().await);
    Ok(client)
}

fn gateway_failure(error: serenity::Error) -> Failure {
    match error {
        serenity::Error::Gateway(GatewayError::InvalidAuthentication) => Failure::WrongToken,
        serenity::Error::Gateway(GatewayError::InvalidGatewayIntents | GatewayError::DisallowedGatewayIntents) => {
            Failure::Fatal(in_words(error))
        }
        other => Failure::ForNow(in_words(other)),
    }
}

/// Why the gateway ended a connection.
fn in_words(error: serenity::Error) -> String {
    match error {
        serenity::Error::Gateway(GatewayError::InvalidAuthentication) => WRONG_TOKEN.to_owned(),
        serenity::Error::Gateway(
            error @ (GatewayError::InvalidGatewayIntents | GatewayError::DisallowedGatewayIntents),
        ) => format!("Discord refuses the bot's gateway intents: {error}"),
        other => other.to_string(),
    }
}

/// Refuses the real Discord's gateway behind a test address.
pub fn check_gateway(gateway: &Gateway, api_url: &str, is_test_address: bool) -> Result<(), String> {
    if is_test_address && gateway.url.contains("discord.gg") {
        return Err(format!(
            "{api_url} names the real Discord's gateway, {}, though discord.api_url is another address: guildwire does \
             not go there",
            gateway.url
        ));
    }
    Ok(())
}

/// Makes sure of the token, registers the commands, and waits until new sessions may begin.
async fn prepare(shared: &Shared) -> Result<Gateway, Failure> {
    shared.limiter.wait_for_gate().await;
    let gateway = shared.rest.gateway().await.map_err(failure)?;
    check_gateway(&gateway, &shared.api_url, shared.is_test_address).map_err(Failure::Fatal)?;
    shared.limiter.wait_for_gate().await;
    let application = shared.rest.application().await.map_err(failure)?;
    let commands = serde_json::to_value(definitions::all(shared.rules.holds))
        .map_err(|error| Failure::Fatal(error.to_string()))?;
    shared.limiter.wait_for_gate().await;
    shared.rest.set_commands(application, &commands).await.map_err(|error| match error {
        RestError::Refused { status: 400, body } => {
            Failure::Fatal(format!("Discord does not accept the bot's commands: {body}"))
        }
        other => failure(other),
    })?;
    let starts = gateway.session_starts();
    let wait = starts.wait(gateway.shards());
    if !wait.is_zero() {
        tracing::warn!(
            ?wait,
            remaining = starts.remaining,
            total = starts.total,
            "too many sessions with Discord's gateway were begun: waiting, so that Discord does not take the bot's token \
             away; events are still recorded and sent"
        );
        tokio::time::sleep(wait).await;
    }
    Ok(gateway)
}

/// Why Discord can't be asked, in words for the operator.
#[must_use]
pub fn rest_failure(error: &RestError) -> String {
    match error {
        RestError::Unauthorised => WRONG_TOKEN.to_owned(),
        other => other.to_string(),
    }
}

/// The library makes requests of its own, of which we learn only when they fail.
fn count(shared: &Shared, error: &serenity::Error) {
    if let serenity::Error::Http(HttpError::UnsuccessfulRequest(response)) = error {
        shared.rest.count_answer(response.status_code.as_u16());
    }
}

fn failure(error: RestError) -> Failure {
    match error {
        RestError::Unauthorised => Failure::WrongToken,
        RestError::Limited { wait, .. } => Failure::Limited(wait),
        other => Failure::ForNow(other.to_string()),
    }
}
