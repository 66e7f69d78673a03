//! The connection that brings interactions and keeps the bot's picture of its guilds: serenity's, watched.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
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
use tokio::time::Instant;

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
    let was_ready = Arc::new(AtomicBool::new(false));
    while !shared.drain.is_cancelled() {
        let began = Instant::now();
        let ended = connect(&shared, &was_ready).await;
        shared.connected.store(false, Ordering::Relaxed);
        if began.elapsed() > LONGEST_WAIT {
            failures = 0;
        }
        let reason = match (ended, was_ready.load(Ordering::Relaxed)) {
            (Failure::WrongToken, false) => return lifecycle.fail(WRONG_TOKEN),
            (Failure::WrongToken, true) => {
                tracing::error!("{REVOKED_TOKEN}");
                shared.halted.cancel();
                return shared.drain.cancelled().await;
            }
            (Failure::Fatal(reason), false) => return lifecycle.fail(reason),
            (Failure::Fatal(reason) | Failure::ForNow(reason), _) => reason,
        };
        if shared.drain.is_cancelled() {
            return;
        }
        failures += 1;
        let wait = backoff(failures, FIRST_WAIT, LONGEST_WAIT, rand::random());
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
    let http = HttpBuilder::new(shared.token.expose_secret())
        .proxy(&shared.api_url)
        // With its own limiter, serenity would talk to discord.com whatever the proxy is.
        .ratelimiter_disabled(true)
        .build();
    let mut cache = CacheSettings::default();
    cache.max_messages = 0;
    cache.cache_users = false;
    let handler = Handler { shared: shared.clone(), was_ready: Arc::clone(was_ready), shards: Mutex::default() };
    let client =
        ClientBuilder::new_with_http(http, GatewayIntents::GUILDS).cache_settings(cache).event_handler(handler);
    let mut client = match client.await {
        Ok(client) => client,
        Err(error) => return Failure::ForNow(error.to_string()),
    };
    // serenity asks for this address itself and, when that fails, takes the real Discord's.
    gateway.clone_into(&mut *client.ws_url.lock().await);

    let shards = Arc::clone(&client.shard_manager);
    match shared.drain.run_until_cancelled(client.start_autosharded()).await {
        Some(Ok(())) => Failure::ForNow("the connection ended".to_owned()),
        Some(Err(serenity::Error::Gateway(GatewayError::InvalidAuthentication))) => Failure::WrongToken,
        Some(Err(serenity::Error::Gateway(
            error @ (GatewayError::InvalidGatewayIntents | GatewayError::DisallowedGatewayIntents),
        ))) => Failure::Fatal(format!("Discord refuses the bot's gateway intents: {error}")),
        Some(Err(other)) => Failure::ForNow(other.to_string()),
        None => {
            shards.shutdown_all().await;
            stopping()
        }
    }
}

/// Makes sure of the token and registers the commands; answers with the gateway's address.
async fn prepare(shared: &Shared) -> Result<String, Failure> {
    shared.limiter.wait_for_gate().await;
    let gateway = shared.rest.gateway().await.map_err(failure)?;
    if shared.is_test_address && gateway.url.contains("discord.gg") {
        return Err(Failure::Fatal(format!(
            "{} names the real Discord's gateway, {}, though discord.api_url is another address: guildwire does not go \
             there",
            shared.api_url, gateway.url
        )));
    }
    shared.limiter.wait_for_gate().await;
    let application = shared.rest.application().await.map_err(failure)?;
    let commands = serde_json::to_value(definitions::all()).map_err(|error| Failure::Fatal(error.to_string()))?;
    shared.limiter.wait_for_gate().await;
    shared.rest.set_commands(application, &commands).await.map_err(|error| match error {
        RestError::Refused { status: 400, body } => {
            Failure::Fatal(format!("Discord does not accept the bot's commands: {body}"))
        }
        other => failure(other),
    })?;
    Ok(gateway.url)
}

fn failure(error: RestError) -> Failure {
    match error {
        RestError::Unauthorised => Failure::WrongToken,
        other => Failure::ForNow(other.to_string()),
    }
}

struct Handler {
    shared: Shared,
    /// Whether a session ever began.
    was_ready: Arc<AtomicBool>,
    shards: Mutex<Shards>,
}

/// Which shards are connected, of how many.
#[derive(Default)]
struct Shards {
    connected: BTreeSet<ShardId>,
    total: usize,
}

impl Handler {
    fn note(&self, change: impl FnOnce(&mut Shards)) {
        let mut shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut shards);
        let all = shards.total > 0 && shards.connected.len() >= shards.total;
        self.shared.connected.store(all, Ordering::Relaxed);
    }
}

#[async_trait]
impl EventHandler for Handler {
    async fn ready(&self, context: Context, ready: Ready) {
        tracing::info!(shard = context.shard_id.0, guilds = ready.guilds.len(), "connected to Discord");
        self.was_ready.store(true, Ordering::Relaxed);
        self.note(|shards| {
            shards.total = ready.shard.map_or(1, |shard| usize::try_from(shard.total).unwrap_or(1));
            shards.connected.insert(context.shard_id);
        });
    }

    async fn resume(&self, context: Context, _: ResumedEvent) {
        tracing::info!(shard = context.shard_id.0, "connected to Discord again, with nothing missed");
        self.note(|shards| {
            shards.connected.insert(context.shard_id);
        });
    }

    async fn shard_stage_update(&self, _: Context, event: ShardStageUpdateEvent) {
        self.note(|shards| {
            if event.new == ConnectionStage::Connected {
                shards.connected.insert(event.shard_id);
            } else {
                shards.connected.remove(&event.shard_id);
            }
        });
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
