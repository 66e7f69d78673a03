//! How fast a stream is recorded, as a ratio to reading it and doing nothing.
//!
//! The floor is a raw pull of the same stream with the same batch and an
//! explicit acknowledgement of each event; the bot's reader decodes, records (synced to disk) and acknowledges, with a
//! binding that hears one event in ten. Both alternate against one nats-server, each reading the whole stream every
//! time; the ratio of each pair counts, because the machine's speed drifts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use async_nats::jetstream::consumer::{AckPolicy, pull};
use futures_util::StreamExt as _;
use guildwire::domain::account::Account;
use guildwire::domain::event::Group;
use guildwire::domain::ids::{AccountName, ChannelId};
use guildwire::incidents::Rules;
use guildwire::intake::{reader, roster};
use guildwire::lifecycle::Lifecycle;
use guildwire::nats::states::AccountStates;
use guildwire::nats::turns::Turns;
use guildwire::secrets::SecretKey;
use guildwire::store::Store;
use guildwire::telemetry::metrics::Metrics;
use guildwire_harness::house::Publisher;
use guildwire_harness::{NatsConfig, NatsServer, Postgres};

use crate::figure::{Figure, ROUNDS, Reach};
use crate::installation::{self, GUILD, Heard};

const EVENTS: usize = 50_000;
const SERVERS: usize = 10;
/// Few, because nats-server itself finds the next event of several filters the slower, the more subjects there are.
const PLAYERS: usize = 10;
const BATCH: usize = 500;
const STREAM: &str = "EVENTS";

/// An installation that has covered its binding and reads the stream once.
struct Installation {
    database: &'static str,
    store: Store,
    shared: reader::Shared,
    _folder: tempfile::TempDir,
}

pub(crate) async fn measure() -> Result<Vec<Figure>> {
    let nats = NatsServer::start(&NatsConfig::blog_post().synced_late())?;
    let client = async_nats::ConnectOptions::with_user_and_password(NatsConfig::BLOG_POST_USER.into(), String::new())
        .connect(nats.url())
        .await?;
    let publisher = Publisher { jetstream: async_nats::jetstream::new(client) };
    publisher.make_stream().await?;

    let mut installations = Vec::new();
    for repetition in 0..ROUNDS {
        for database in ["SQLite", "PostgreSQL"] {
            installations.push(install(&nats, database, repetition).await?);
        }
    }
    publish(&publisher, EVENTS).await?;

    let what = |database| format!("intake of {EVENTS} events, 1 in {SERVERS} heard, {database}");
    let mut figures = [
        Figure::new(what("SQLite"), "/s", Reach::AtLeast(0.60)),
        Figure::new(what("PostgreSQL"), "/s", Reach::AtLeast(0.45)),
    ];
    for (number, installation) in installations.iter().enumerate() {
        let floor = rate(EVENTS, read_and_do_nothing(&publisher, number, EVENTS).await?);
        let intake = rate(EVENTS, read(installation, EVENTS).await?);
        let [sqlite, postgres] = &mut figures;
        (if installation.database == "SQLite" { sqlite } else { postgres }).add(floor, intake);
    }
    Ok(figures.into())
}

#[expect(clippy::cast_precision_loss, reason = "a count of events is far below 2^52")]
fn rate(events: usize, took: Duration) -> f64 {
    events as f64 / took.as_secs_f64()
}

async fn install(nats: &NatsServer, database: &'static str, repetition: usize) -> Result<Installation> {
    let folder = tempfile::tempdir()?;
    let url = match database {
        "SQLite" => format!("sqlite://{}", folder.path().join("guildwire.db").display()),
        _ => Postgres::shared().create_database("bench").await?,
    };
    let store = Store::open(&url).await?;
    let key = SecretKey::load_or_create(&folder.path().join("key"), true)?;
    let account = Account {
        name: "GA-1".parse()?,
        url: nats.url(),
        stream: Some(STREAM.to_owned()),
        root: "v0.*.servers".parse()?,
        wide_filter: false,
        owner: None,
        connected_in: None,
        is_declared: false,
        revision: 0,
    };
    let kinds = Group::Everything.kinds().union(Group::Chat.kinds());
    let heard = Heard { channel: ChannelId(1), server: Some("server-0".into()), kinds };
    let binding = installation::add(&store, &key, &account, NatsConfig::BLOG_POST_USER, heard).await?;
    let shared = reader::Shared {
        store: store.clone(),
        states: AccountStates::default(),
        metrics: Metrics::default(),
        turns: Turns::default(),
        hosts: guildwire::domain::hosts::AllowedHosts::default(),
        key: Arc::new(key),
        durable: format!("guildwire-{}-{repetition}", database.to_lowercase()),
        rules: Rules::default(),
        looking: guildwire::domain::presence::Looking {
            every: Duration::from_secs(15),
            debounce: Duration::from_secs(75),
        },
        drain: Lifecycle::new().drain(),
    };
    let installation = Installation { database, store, shared, _folder: folder };
    let is_covered =
        async |store: &Store| Ok(store.binding(GUILD, binding).await?.is_some_and(|binding| binding.is_covered()));
    until(&installation, is_covered).await?;
    Ok(installation)
}

/// Runs the installation's readers until `done`, and answers with how long that took.
async fn until(installation: &Installation, done: impl AsyncFn(&Store) -> Result<bool>) -> Result<Duration> {
    let lifecycle = Lifecycle::new();
    let shared = reader::Shared { drain: lifecycle.drain(), ..installation.shared.clone() };
    let start = Instant::now();
    let reading = lifecycle.spawn_job("roster", roster::run(shared, lifecycle.clone()));
    while !done(&installation.store).await? {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let took = start.elapsed();
    lifecycle.stop();
    reading.await?;
    Ok(took)
}

async fn read(installation: &Installation, events: usize) -> Result<Duration> {
    let account: AccountName = "GA-1".parse()?;
    until(installation, async |store| {
        let position = store.position(&account, STREAM).await?.context("installed before")?;
        Ok(position.last_sequence >= events as u64)
    })
    .await
}

async fn read_and_do_nothing(publisher: &Publisher, number: usize, events: usize) -> Result<Duration> {
    let start = Instant::now();
    let stream = publisher.jetstream.get_stream_no_info(STREAM).await?;
    let config = pull::Config {
        durable_name: Some(format!("floor-{number}")),
        ack_policy: AckPolicy::Explicit,
        filter_subjects: vec!["v0.*.servers.*.events.>".into(), "v0.*.servers.*.players.*.events.>".into()],
        ..pull::Config::default()
    };
    let consumer = stream.create_consumer(config).await?;
    let mut messages = consumer.stream().max_messages_per_batch(BATCH).messages().await?;
    for _ in 0..events {
        let message = messages.next().await.context("the stream ended")??;
        message.ack().await.map_err(anyhow::Error::from_boxed)?;
    }
    Ok(start.elapsed())
}

async fn publish(publisher: &Publisher, events: usize) -> Result<()> {
    let mut acknowledgements = std::collections::VecDeque::new();
    for number in 0..events {
        let server = format!("server-{}", number % SERVERS);
        let player = 76_561_198_000_000_000 + number / SERVERS % PLAYERS;
        let (subject, payload) = match number / SERVERS % 5 {
            0 => (
                format!("players.{player}.events.connected"),
                format!(
                    r#"{{"connected_timestamp":"11/22/2026 2:39:38 PM","player":{{"id":"{player}","name":"Player {player}","address":"203.0.113.9:28015"}}}}"#
                ),
            ),
            1 => (
                format!("players.{player}.events.disconnected"),
                format!(
                    r#"{{"disconnected_timestamp":"11/22/2026 2:39:38 PM","player":{{"id":"{player}"}},"reason":"Disconnected"}}"#
                ),
            ),
            2 => (
                format!("players.{player}.events.gatheredResources"),
                format!(
                    r#"{{"steam_id":"{player}","item_uid":1,"item_id":-151838493,"amount":20,"gathered_timestamp":"11/22/2026 2:39:38 PM"}}"#
                ),
            ),
            _ => (
                format!("events.player.{player}.chatted"),
                format!(
                    r#"{{"steam_id":"{player}","player_name":"Player {player}","full_message":"is anybody at the dome tonight?","is_admin":false}}"#
                ),
            ),
        };
        let subject = format!("v0.rust.servers.{server}.{subject}");
        acknowledgements.push_back(publisher.jetstream.publish(subject, payload.into()).await?);
        if acknowledgements.len() > 500 {
            acknowledgements.pop_front().context("there are more than none")?.await?;
        }
    }
    for acknowledgement in acknowledgements {
        acknowledgement.await?;
    }
    Ok(())
}
