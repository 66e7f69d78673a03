//! `guildwire run`: the only place that builds the parts and starts them. Every wait and every rule is theirs.

mod reload;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Context as _;
use dashmap::DashMap;
use secrecy::ExposeSecret;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use self::reload::Reloading;
use crate::commands::{Caps, Connecting, Directory, Limits};
use crate::delivery::giving_up::Kept;
use crate::discord::limiter::Limiter;
use crate::discord::rest::Rest;
use crate::discord::sight::Sight;
use crate::http::readiness::Readiness;
use crate::http::scrape::Scrape;
use crate::incidents::Rules;
use crate::lifecycle::{Lifecycle, Outcome};
use crate::nats::states::AccountStates;
use crate::nats::turns::Turns;
use crate::secrets::SecretKey;
use crate::settings::{Retention, Settings};
use crate::setup::Keeper;
use crate::store::connecting::MostConnected;
use crate::store::lock::RunnerLock;
use crate::store::{Store, StoreError};
use crate::telemetry::metrics::Metrics;
use crate::{clock, commands, delivery, http, intake, pings, status, telemetry};

/// How often what is done with is forgotten.
const FORGET_EVERY: Duration = Duration::from_hours(1);

/// How long an account that was connected waits to be verified.
const UNVERIFIED_KEPT: Duration = Duration::from_hours(24);

/// Runs the bot until it is asked to stop or something that has to run does not.
///
/// Fails when it can't start; what goes wrong later is in the outcome. `file` is where the settings are read again from.
pub async fn run(settings: &Settings, file: Option<PathBuf>) -> anyhow::Result<Outcome> {
    let logging = telemetry::start(&settings.log.level, settings.log.format)?;
    let token = settings.discord.token_required()?.clone();
    let (store, lock, key) = open(settings).await?;
    let keeper = Keeper::start(store.clone(), Arc::clone(&key), settings.setup.clone()).await?;
    let durable = intake::durable_name(&intake::installation(&store).await?);
    let metrics = Metrics::default();
    let limiter = Arc::new(Limiter::new(settings.discord.messages_per_second));
    let rest = Rest::new(&settings.discord.api_url, token.clone(), settings.delivery.request_timeout)?
        .counting_in(metrics.clone(), Arc::clone(&limiter));
    let sight = Sight::default();
    let directory = Directory::load(&store).await?;
    let listener = http::bind(settings.http.listen).await?;
    let address = listener.local_addr()?;

    let lifecycle = Lifecycle::new();
    let states = AccountStates::default();
    let connected = Arc::new(AtomicBool::new(false));
    let halted = CancellationToken::new();
    announce(settings, address, &durable);

    let readiness = Readiness::new(store.clone(), states.clone(), halted.clone(), Arc::clone(&connected));
    let scrape = Scrape::new(
        store.clone(),
        states.clone(),
        metrics.clone(),
        readiness.clone(),
        settings.http.metrics_per_account,
    );
    lifecycle.spawn("http", http::serve(listener, readiness, scrape, lifecycle.drain()));

    let rules = Rules { holds: settings.delivery.holds, loops: settings.status.loops };
    let reading = intake::reader::Shared {
        store: store.clone(),
        states: states.clone(),
        metrics: metrics.clone(),
        turns: Turns::default(),
        hosts: settings.accounts.hosts.clone(),
        key: Arc::clone(&key),
        durable: durable.clone(),
        rules,
        looking: settings.status.looking,
        drain: lifecycle.drain(),
    };
    lifecycle.spawn("states", intake::bulletin::run(reading.clone()));
    lifecycle.spawn("intake", intake::roster::run(reading, lifecycle.clone()));

    watch_servers(settings, &store, &states, rules, &lifecycle);

    let sending = delivery::Shared {
        store: store.clone(),
        rest: rest.clone(),
        limiter: Arc::clone(&limiter),
        sight: sight.clone(),
        probe_after: settings.delivery.probe_after,
        tell_after: settings.notices.after,
        metrics: metrics.clone(),
        late_after: settings.delivery.late_after,
        loops: settings.status.loops,
        kept: Kept { age: settings.delivery.keep, rows: settings.delivery.keep_events },
        composing: Arc::new(Semaphore::new(delivery::COMPOSING)),
        uploads: Arc::new(Semaphore::new(delivery::UPLOADS)),
        drain: lifecycle.drain(),
        halted: halted.clone(),
    };
    delivery::start(&sending, &lifecycle);

    let (retention, kept) = watch::channel(settings.retention.clone());
    lifecycle.spawn("retention", forget(store.clone(), sight.clone(), kept, lifecycle.drain()));
    lifecycle.spawn("departures", commands::departures::watch(store.clone(), sight.clone(), lifecycle.drain()));
    let (setup, wanted) = watch::channel(settings.setup.clone());
    lifecycle.spawn("setup", keeper.keep(wanted, lifecycle.drain()));
    let reloading =
        Reloading { file, settings: settings.clone(), logging, limiter: Arc::clone(&limiter), retention, setup };
    lifecycle.spawn("settings", reloading.run(lifecycle.clone()));

    lifecycle.spawn("directory", directory.clone().keep(store.clone(), lifecycle.drain()));

    let listening = commands::Shared {
        store,
        rest,
        limiter,
        sight,
        states,
        metrics,
        directory,
        limits: Arc::new(limits(settings)),
        connecting: Arc::new(connecting(settings, &key, &durable)),
        rules,
        ping_cooldown: settings.pings.cooldown,
        tell_after: settings.notices.after,
        token,
        api_url: settings.discord.api_url.clone(),
        is_test_address: settings.discord.is_test_address(),
        connected,
        drain: lifecycle.drain(),
        halted,
    };
    lifecycle.spawn("gateway", commands::run(listening, lifecycle.clone()));

    let watcher = lifecycle.clone();
    // No task of its own: so the lock is held until the last task has ended, and the next runner waits for all of us.
    tokio::select! {
        outcome = lifecycle.run_until_shutdown(settings.shutdown.deadline) => Ok(outcome),
        never = hold(lock, watcher) => match never {},
    }
}

/// Starts what tells guilds of accounts that can't be read, what time alone shows of servers, and what pings members.
fn watch_servers(settings: &Settings, store: &Store, states: &AccountStates, rules: Rules, lifecycle: &Lifecycle) {
    let telling = intake::notices::Shared {
        store: store.clone(),
        states: states.clone(),
        after: settings.notices.after,
        drain: lifecycle.drain(),
    };
    lifecycle.spawn("notices", intake::notices::run(telling));
    let looking = status::Shared { store: store.clone(), states: states.clone(), rules, drain: lifecycle.drain() };
    lifecycle.spawn("status", status::run(looking));
    let pinging = pings::Shared {
        store: store.clone(),
        states: states.clone(),
        cooldown: settings.pings.cooldown,
        drain: lifecycle.drain(),
    };
    lifecycle.spawn("pings", pings::run(pinging));
}

/// What connecting accounts in Discord takes.
fn connecting(settings: &Settings, key: &Arc<SecretKey>, durable: &str) -> Connecting {
    Connecting {
        is_allowed: settings.accounts.self_service,
        hosts: settings.accounts.hosts.clone(),
        key: Arc::clone(key),
        durable: durable.to_owned(),
        most: MostConnected {
            per_owner: settings.limits.accounts_per_owner,
            unverified_per_person: settings.limits.unverified_per_person,
            unverified_per_guild: settings.limits.unverified_per_guild,
        },
        waiting: DashMap::new(),
    }
}

/// The database, the right to be the one that runs on it, and the key to its secrets.
async fn open(settings: &Settings) -> anyhow::Result<(Store, RunnerLock, Arc<SecretKey>)> {
    let store = Store::open(settings.database.url.expose_secret())
        .await
        .with_context(|| format!("can't open the database {}", settings.database.redacted_url()))?;
    let lock = RunnerLock::wait(&store).await?;
    let key = intake::load_key(&store, &settings.secrets.key_file).await?;
    Ok((store, lock, Arc::new(key)))
}

fn limits(settings: &Settings) -> Limits {
    Limits::new(Caps {
        bindings_per_guild: settings.limits.bindings_per_guild,
        accounts_per_guild: settings.limits.accounts_per_guild,
        commands_per_minute: settings.limits.commands_per_minute,
    })
}

fn announce(settings: &Settings, address: SocketAddr, durable: &str) {
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        database = settings.database.redacted_url(),
        http = %address,
        durable,
        "guildwire starts"
    );
}

/// Holds the runner's lock; stops the service when it is lost.
async fn hold(lock: RunnerLock, lifecycle: Lifecycle) -> Infallible {
    let error = lock.lost().await;
    lifecycle.fail(format!("lost the right to run on this database: {error}"));
    std::future::pending().await
}

/// Forgets what was kept for long enough, now, every hour, and when that is set to another time, until the service
/// stops.
async fn forget(store: Store, sight: Sight, mut kept: watch::Receiver<Retention>, drain: CancellationToken) {
    let mut turns = tokio::time::interval(FORGET_EVERY);
    loop {
        tokio::select! {
            () = drain.cancelled() => return,
            _ = turns.tick() => {}
            // Whoever may change it lives as long as the service.
            Ok(()) = kept.changed() => {}
        }
        let times = kept.borrow_and_update().clone();
        match forget_now(&store, &sight, &times).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "forgot what was kept for long enough"),
            Err(error) => tracing::warn!(%error, "can't forget what was kept for long enough; trying again in an hour"),
        }
    }
}

async fn forget_now(store: &Store, sight: &Sight, kept: &Retention) -> Result<u64, StoreError> {
    let now = clock::now();
    let settled = store.forget_before(now.minus(kept.settled)).await?;
    let audited = store.forget_audit(now.minus(kept.audit)).await?;
    let departed = commands::departures::forget(store, sight, kept.departed).await?;
    let silent = store.forget_silent(now.minus(kept.players), now.minus(kept.servers)).await?;
    let unverified = store.forget_unverified(now.minus(UNVERIFIED_KEPT), now).await?;
    Ok(settled + audited + departed + silent + unverified)
}
