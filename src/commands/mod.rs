//! Slash commands: the gateway brings them, plain functions answer them.

mod account;
mod attention;
mod auditing;
mod autocomplete;
mod board;
mod checking;
mod component;
mod connect;
mod definitions;
pub mod departures;
mod directory;
mod gateway;
mod help;
mod lane_state;
mod limits;
mod maintenance;
mod notify;
mod owning;
mod paging;
mod ping_button;
mod pings;
mod players;
mod press;
mod reply;
mod request;
mod server;
mod servers;
mod status;
mod verify;
mod why;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use secrecy::SecretString;
use serenity::model::application::CommandInteraction;
use tokio_util::sync::CancellationToken;

pub use self::checking::{CHECK_PATIENCE, Checked, have_it_checked};
pub use self::component::COMPONENTS;
pub use self::connect::Connecting;
pub use self::definitions::names;
pub use self::directory::Directory;
pub use self::gateway::{Visit, check_gateway, rest_failure, run, visit};
pub use self::limits::{Caps, Limits};
use self::reply::{Form, Reply};
use self::request::Request;
use crate::clock;
use crate::discord::guilds::Guilds;
use crate::discord::limiter::Limiter;
use crate::discord::rest::{Rest, RestError};
use crate::discord::sight::Sight;
use crate::discord::words;
use crate::domain::ids::UserId;
use crate::incidents::Rules;
use crate::nats::states::AccountStates;
use crate::store::{Store, StoreError};
use crate::telemetry::metrics::Metrics;

/// What is not answered by then is deferred: Discord waits for three seconds, the way there and back included.
/// <https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object>
const DEFER_AFTER: Duration = Duration::from_millis(1_500);

/// The commands that everybody may use, and whose answers everybody in the channel sees.
const FOR_ALL: [&str; 2] = ["status", "players"];

/// What commands need.
#[derive(Clone)]
pub struct Shared {
    /// The database.
    pub store: Store,
    /// The way to Discord.
    pub rest: Rest,
    /// The bot's pace, for requests that Discord counts.
    pub limiter: Arc<Limiter>,
    /// What the gateway shows of the channels; written here.
    pub sight: Sight,
    /// How reading the accounts goes.
    pub states: AccountStates,
    /// Where the gateway's shards are counted.
    pub metrics: Metrics,
    /// What is offered while somebody types.
    pub directory: Directory,
    /// How much a guild and a person may ask for.
    pub limits: Arc<Limits>,
    /// What connecting accounts takes.
    pub connecting: Arc<Connecting>,
    /// For how long events wait in each style, and what makes a loop.
    pub rules: Rules,
    /// For how long a member is not pinged again for the same.
    pub ping_cooldown: Duration,
    /// How long a channel takes no messages until somebody of its guild is told.
    pub tell_after: Duration,
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

/// Whom an answer goes to: an interaction, which has to be answered within three seconds.
struct Sender<'a> {
    application: u64,
    interaction: u64,
    token: &'a str,
}

impl Sender<'_> {
    /// Answers with a refusal, for whoever asked alone.
    async fn refuse(&self, shared: &Shared, refusal: &str) -> Result<(), RestError> {
        let response = Form::New { ephemeral: true }.response(&Reply::text(refusal));
        shared.rest.respond(self.interaction, self.token, &response).await
    }
}

/// Answers with what `work` comes to, within the time that Discord waits.
async fn respond_in_time(
    shared: &Shared,
    sender: &Sender<'_>,
    form: Form,
    work: impl Future<Output = Reply>,
) -> Result<(), RestError> {
    tokio::pin!(work);
    tokio::select! {
        reply = &mut work => shared.rest.respond(sender.interaction, sender.token, &form.response(&reply)).await,
        () = tokio::time::sleep(DEFER_AFTER) => {
            // Side by side: work that stands still inside a transaction would hold up every other writer.
            let deferral = form.deferral();
            let (deferred, reply) =
                tokio::join!(shared.rest.respond(sender.interaction, sender.token, &deferral), work);
            deferred?;
            shared.rest.complete(sender.application, sender.token, &form.message(&reply)).await
        }
    }
}

/// Answers a command, within the time that Discord waits.
async fn answer(shared: &Shared, guilds: &Guilds, interaction: &CommandInteraction) -> Result<(), RestError> {
    let sender = Sender {
        application: interaction.application_id.get(),
        interaction: interaction.id.get(),
        token: &interaction.token,
    };
    if let Err(again) = shared.limits.use_command(UserId(interaction.user.id.get()), clock::now()) {
        return sender.refuse(shared, &words::too_many_commands(again.unix_seconds())).await;
    }
    let form = Form::New { ephemeral: !FOR_ALL.contains(&interaction.data.name.as_str()) };
    respond_in_time(shared, &sender, form, reply_to(shared, guilds, interaction)).await
}

/// Offers choices for an option that is being typed.
async fn offer(shared: &Shared, guilds: &Guilds, interaction: &CommandInteraction) -> Result<(), RestError> {
    let choices = match Request::new(interaction) {
        Some(request) if request.name == "ping leave" => {
            autocomplete::offer_to_leave(shared, &request).await.unwrap_or_else(|error| {
                tracing::warn!(guild = %request.guild, %error, "can't look what a member may leave");
                reply::choices([])
            })
        }
        Some(request)
            if request.may_manage()
                || FOR_ALL.contains(&request.name.as_str())
                || request.name.starts_with("ping ") =>
        {
            autocomplete::offer(shared, guilds, &request)
        }
        _ => reply::choices([]),
    };
    shared.rest.respond(interaction.id.get(), &interaction.token, &choices).await
}

async fn reply_to(shared: &Shared, guilds: &Guilds, interaction: &CommandInteraction) -> Reply {
    let Some(request) = Request::new(interaction) else { return Reply::text(words::ONLY_IN_GUILDS) };
    let reply = async { attention::with_untold(shared, &request, execute(shared, guilds, &request).await?).await };
    let reply = reply.await.unwrap_or_else(|error| {
        tracing::error!(command = request.name, guild = %request.guild, %error, "a command failed");
        Reply::text(words::FAILED)
    });
    // Before the answer: what a command changed is offered to whoever types the next one.
    shared.directory.refresh(&shared.store, request.guild).await;
    reply
}

async fn execute(shared: &Shared, guilds: &Guilds, request: &Request) -> Result<Reply, StoreError> {
    match request.name.as_str() {
        "status" => return status::status(shared, request).await,
        "players" => return players::players(shared, request).await,
        "help" => return help::help(shared, request).await,
        "ping me" => return pings::me(shared, request).await,
        "ping list" => return pings::list(shared, request.guild, request.user).await,
        "ping leave" => return pings::leave(shared, request).await,
        _ => {}
    }
    // The permission that a command is registered with is a default that a guild's admins may change.
    if !request.may_manage() {
        return Ok(Reply::text(words::NEEDS_MANAGE_SERVER));
    }
    match request.name.as_str() {
        "account connect" => connect::connect(shared, request).await,
        "account rotate" => connect::rotate(shared, request).await,
        "account link" => account::link(shared, request).await,
        "account list" => account::list(shared, request.guild, 0).await,
        "account unlink" => account::ask_to_unlink(shared, request).await,
        "account invite" => owning::invite(shared, request).await,
        "account guilds" => owning::list(shared, request).await,
        "account audit" => auditing::list(shared, request).await,
        "board create" => board::create(shared, guilds, request).await,
        "board list" => board::list(shared, request.guild).await,
        "board remove" => board::remove(shared, request).await,
        "notify add" => notify::add::add(shared, guilds, request).await,
        "notify list" => notify::list::list(shared, request.guild, 0).await,
        "notify edit" => notify::edit::ask(shared, request).await,
        "notify pause" => notify::pause::pause(shared, request).await,
        "notify resume" => notify::pause::resume(shared, request).await,
        "notify remove" => notify::remove::remove(shared, request).await,
        "notify test" => notify::test::test(shared, request).await,
        "server list" => server::list(shared, request.guild, request.user, 0).await,
        "server rename" => server::rename(shared, request).await,
        "server expect" => server::expect(shared, request).await,
        "server forget" => server::forget(shared, request).await,
        "maintenance start" => maintenance::start(shared, request).await,
        "maintenance end" => maintenance::end(shared, request).await,
        "board pings" => pings::allow(shared, guilds, request).await,
        "why" => why::why(shared, request).await,
        _ => Ok(Reply::text(words::UNKNOWN_COMMAND)),
    }
}
