//! The connection that brings interactions and keeps the bot's picture of its guilds: serenity's, watched.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::ExposeSecret;
use serenity::all::{
    ClientBuilder, ConnectionStage, Context, EventHandler, GatewayIntents, HttpBuilder, Interaction, Ready,
    ResumedEvent, ShardId, ShardStageUpdateEvent,
};
use serenity::async_trait;
use serenity::cache::Settings as CacheSettings;
use serenity::gateway::GatewayError;

use super::{Shared, answer, definitions, offer};
use crate::discord::guilds::Guilds;
use crate::discord::rest::RestError;
use crate::domain::retry::backoff;
use crate::lifecycle::Lifecycle;

/// The first wait after a failure, and the longest. Discord allows 1,000 new sessions a day.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(2);

const WRONG_TOKEN: &str = "Discord refuses the bot's token: set DISCORD_TOKEN (or discord.token) to the token on the page \
                           Bot of your application at https://discord.com/developers/applications, and start again";

const REVOKED_TOKEN: &str = "Discord no longer takes the bot's token: nothing is sent until guildwire is started with a \
                             valid one; events are still recorded and none is lost";

/// Why the gateway is not, or no longer, connected.
enum Failure {
    /// No use to try again.
    Fatal(String),
    /// Discord refuses the token.
    WrongToken,
    /// It may work later.
    ForNow(String),
}

/// Stays connected until the service stops. A token that is wrong from the start stops the service; one that is revoked
/// later stops what is said, but not what is recorded.
pub async fn run(shared: Shared, lifecycle: Lifecycle) {
    let mut failures = 0;
    let mut was_accepted = false;
    while !shared.drain.is_cancelled() {
        let failure = connect(&shared, &mut failures, &mut was_accepted).await;
        shared.connected.store(false, Ordering::Relaxed);
        match failure {
            Ok(()) => {}
            Err(Failure::Fatal(reason)) => return lifecycle.fail(reason),
            Err(Failure::WrongToken) if !was_accepted => return lifecycle.fail(WRONG_TOKEN),
            Err(Failure::WrongToken) => {
                tracing::error!("{REVOKED_TOKEN}");
                shared.halted.cancel();
                return shared.drain.cancelled().await;
            }
            Err(Failure::ForNow(reason)) => {
                failures += 1;
                let wait = backoff(failures, FIRST_WAIT, LONGEST_WAIT, rand::random());
                tracing::warn!(reason, ?wait, "no connection to Discord's gateway; trying again");
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = shared.drain.cancelled() => {}
                }
            }
        }
    }
}

/// Registers the commands, connects, and returns once the connection has ended.
async fn connect(shared: &Shared, failures: &mut u32, was_accepted: &mut bool) -> Result<(), Failure> {
    let gateway = tokio::select! {
        prepared = prepare(shared) => prepared?,
        () = shared.drain.cancelled() => return Ok(()),
    };
    *was_accepted = true;
    let http = HttpBuilder::new(shared.token.expose_secret())
        .proxy(&shared.api_url)
        // With its own limiter, serenity would talk to discord.com whatever the proxy is.
        .ratelimiter_disabled(true)
        .build();
    let mut cache = CacheSettings::default();
    cache.max_messages = 0;
    cache.cache_users = false;
    let handler = Handler { shared: shared.clone(), unconnected: Mutex::default() };
    let mut client = ClientBuilder::new_with_http(http, GatewayIntents::GUILDS)
        .cache_settings(cache)
        .event_handler(handler)
        .await
        .map_err(|error| Failure::ForNow(error.to_string()))?;
    // serenity asks for this address itself and, when that fails, takes the real Discord's.
    gateway.clone_into(&mut *client.ws_url.lock().await);
    *failures = 0;

    let shards = Arc::clone(&client.shard_manager);
    tokio::select! {
        ended = client.start_autosharded() => ended.map_err(|error| match error {
            serenity::Error::Gateway(GatewayError::InvalidAuthentication) => Failure::WrongToken,
            serenity::Error::Gateway(
                error @ (GatewayError::InvalidGatewayIntents | GatewayError::DisallowedGatewayIntents),
            ) => Failure::Fatal(format!("Discord refuses the bot's gateway intents: {error}")),
            other => Failure::ForNow(other.to_string()),
        }),
        () = shared.drain.cancelled() => {
            shards.shutdown_all().await;
            Ok(())
        }
    }
}

/// Makes sure of the token and registers the commands; answers with the gateway's address.
async fn prepare(shared: &Shared) -> Result<String, Failure> {
    shared.limiter.wait_for_gate().await;
    let gateway = shared.rest.gateway().await.map_err(failure)?;
    shared.limiter.wait_for_gate().await;
    let application = shared.rest.application().await.map_err(failure)?;
    let commands = serde_json::to_value(definitions::all()).map_err(|error| Failure::Fatal(error.to_string()))?;
    shared.limiter.wait_for_gate().await;
    shared.rest.set_commands(application, &commands).await.map_err(failure)?;
    Ok(gateway.url)
}

fn failure(error: RestError) -> Failure {
    match error {
        RestError::Unauthorised => Failure::WrongToken,
        RestError::Refused { status: 400, body } => {
            Failure::Fatal(format!("Discord does not accept the bot's commands: {body}"))
        }
        other => Failure::ForNow(other.to_string()),
    }
}

struct Handler {
    shared: Shared,
    /// The shards that are not connected at the moment.
    unconnected: Mutex<BTreeSet<ShardId>>,
}

impl Handler {
    fn note(&self, shard: ShardId, is_connected: bool) {
        let mut unconnected = self.unconnected.lock().unwrap_or_else(PoisonError::into_inner);
        if is_connected {
            unconnected.remove(&shard);
        } else {
            unconnected.insert(shard);
        }
        self.shared.connected.store(unconnected.is_empty(), Ordering::Relaxed);
    }
}

#[async_trait]
impl EventHandler for Handler {
    async fn ready(&self, context: Context, ready: Ready) {
        tracing::info!(shard = context.shard_id.0, guilds = ready.guilds.len(), "connected to Discord");
        self.note(context.shard_id, true);
    }

    async fn resume(&self, context: Context, _: ResumedEvent) {
        tracing::info!(shard = context.shard_id.0, "connected to Discord again, with nothing missed");
        self.note(context.shard_id, true);
    }

    async fn shard_stage_update(&self, _: Context, event: ShardStageUpdateEvent) {
        if event.new != ConnectionStage::Connected {
            self.note(event.shard_id, false);
        }
    }

    async fn interaction_create(&self, context: Context, interaction: Interaction) {
        let guilds = Guilds::new(Arc::clone(&context.cache));
        let answered = match &interaction {
            Interaction::Command(command) => answer(&self.shared, &guilds, command).await,
            Interaction::Autocomplete(command) => offer(&self.shared, &guilds, command).await,
            _ => Ok(()),
        };
        if let Err(error) = answered {
            tracing::warn!(%error, "an interaction was not answered");
        }
    }
}
