//! Slash commands: the gateway brings them, plain functions answer them.

mod account;
mod autocomplete;
mod definitions;
mod gateway;
mod notify;
mod reply;
mod request;
mod status;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;
use serenity::model::application::CommandInteraction;
use tokio_util::sync::CancellationToken;

pub use self::definitions::names;
pub use self::gateway::{Visit, check_gateway, rest_failure, run, visit};
use self::reply::{Reply, deferred};
use self::request::Request;
use crate::discord::guilds::Guilds;
use crate::discord::limiter::Limiter;
use crate::discord::rest::{Rest, RestError};
use crate::discord::words;
use crate::nats::states::AccountStates;
use crate::store::{Store, StoreError};
use crate::telemetry::metrics::Metrics;

/// What is not answered by then is deferred: Discord waits for three seconds, the way there and back included.
/// <https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object>
const DEFER_AFTER: Duration = Duration::from_millis(1_500);

/// What commands need.
#[derive(Clone)]
pub struct Shared {
    /// The database.
    pub store: Store,
    /// The way to Discord.
    pub rest: Rest,
    /// The bot's pace, for requests that Discord counts.
    pub limiter: Arc<Limiter>,
    /// How reading the accounts goes.
    pub states: AccountStates,
    /// Where the gateway's shards are counted.
    pub metrics: Metrics,
    /// The bot's token, for the gateway.
    pub token: SecretString,
    /// Discord's address.
    pub api_url: String,
    /// Whether that is not the real Discord's, which is never contacted then.
    pub is_test_address: bool,
    /// Whether the gateway is connected; written here.
    pub connected: Arc<AtomicBool>,
    /// Cancelled when the service stops.
    pub drain: CancellationToken,
    /// Cancelled when Discord refuses the bot itself: nothing is sent any more, while intake goes on.
    pub halted: CancellationToken,
}

/// Answers a command, within the time that Discord waits.
async fn answer(shared: &Shared, guilds: &Guilds, interaction: &CommandInteraction) -> Result<(), RestError> {
    let (id, token) = (interaction.id.get(), interaction.token.as_str());
    let ephemeral = interaction.data.name != "status";
    let work = reply_to(shared, guilds, interaction);
    tokio::pin!(work);
    tokio::select! {
        reply = &mut work => {
            let response = json!({ "type": 4, "data": reply.to_message(ephemeral) });
            shared.rest.respond(id, token, &response).await
        }
        () = tokio::time::sleep(DEFER_AFTER) => {
            // Side by side: work that stands still inside a transaction would hold up every other writer.
            let deferral = deferred(ephemeral);
            let (deferred, reply) = tokio::join!(shared.rest.respond(id, token, &deferral), work);
            deferred?;
            shared.rest.complete(interaction.application_id.get(), token, &reply.to_message(ephemeral)).await
        }
    }
}

/// Offers choices for an option that is being typed.
async fn offer(shared: &Shared, guilds: &Guilds, interaction: &CommandInteraction) -> Result<(), RestError> {
    let choices = match Request::new(interaction) {
        Some(request) if request.may_manage() || request.name == "status" => {
            autocomplete::offer(shared, guilds, &request).await.unwrap_or_else(|error| {
                tracing::error!(command = request.name, %error, "can't offer choices");
                reply::choices([])
            })
        }
        _ => reply::choices([]),
    };
    shared.rest.respond(interaction.id.get(), &interaction.token, &choices).await
}

async fn reply_to(shared: &Shared, guilds: &Guilds, interaction: &CommandInteraction) -> Reply {
    let Some(request) = Request::new(interaction) else { return Reply::text(words::ONLY_IN_GUILDS) };
    execute(shared, guilds, &request).await.unwrap_or_else(|error| {
        tracing::error!(command = request.name, guild = %request.guild, %error, "a command failed");
        Reply::text(words::FAILED)
    })
}

async fn execute(shared: &Shared, guilds: &Guilds, request: &Request) -> Result<Reply, StoreError> {
    if request.name == "status" {
        return status::status(shared, request).await;
    }
    // The permission that a command is registered with is a default that a guild's admins may change.
    if !request.may_manage() {
        return Ok(Reply::text(words::NEEDS_MANAGE_SERVER));
    }
    match request.name.as_str() {
        "account link" => account::link(shared, request).await,
        "account list" => account::list(shared, request).await,
        "notify add" => notify::add(shared, guilds, request).await,
        "notify list" => notify::list(shared, request).await,
        "notify remove" => notify::remove(shared, request).await,
        _ => Ok(Reply::text(words::UNKNOWN_COMMAND)),
    }
}
