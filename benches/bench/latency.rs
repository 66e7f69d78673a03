//! How long an event takes from its publisher to Discord, on an idle system.
//!
//! The floor is a plain NATS subscription in this process, which waits for no disk, and a bare POST for what it got.
//! Beside it stands the same with a consumer of JetStream, as whoever must not miss events needs. All use one nats-server,
//! which syncs every event, and Discords in this process that limit nobody.

use std::time::Duration;

use anyhow::{Result, bail};
use async_nats::Subscriber;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use discord_sim::Sim;
use futures_util::StreamExt as _;
use guildwire_harness::house::{FIRST_ACCOUNT, House, Publisher, SECOND_ACCOUNT};
use reqwest::header::AUTHORIZATION;
use serde_json::json;

use crate::bots::{self, Database, Peer, generous, start_guildwire, tell};
use crate::figure::{Figure, ROUNDS, Reach};

/// How many events a side tells in a round, and how many before that to warm up.
const SAMPLES: usize = 150;
const WARM_UP: usize = 10;
/// How long it is quiet between two events: guildwire lets 45 messages pass in a second.
const PAUSE: Duration = Duration::from_millis(30);

pub(crate) async fn measure() -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let house = bots::house(Database::Sqlite, generous()).await?;
    figures.extend(measure_guildwire("guildwire on SQLite", &house).await?);
    figures.extend(measure_consumer(&house).await?);
    figures.extend(measure_peer(&house).await?);
    let house = bots::house(Database::Postgres, generous()).await?;
    figures.extend(measure_guildwire("guildwire on PostgreSQL", &house).await?);
    Ok(figures)
}

async fn measure_guildwire(name: &str, house: &House) -> Result<[Figure; 2]> {
    let (mut running, guild) = start_guildwire(house).await?;
    let channel = house.channel(guild, "players");
    house.notify(guild, channel, "players", &[]).await?;
    let guildwire = Side { discord: &house.discord, publisher: house.publisher(FIRST_ACCOUNT).await?, channel };
    let figures = beside_floor(name, [3.0, 5.0].map(Reach::AtMost), house, async || guildwire.round().await).await?;
    running.terminate().await?;
    Ok(figures)
}

/// A consumer of JetStream and a bare POST.
async fn measure_consumer(house: &House) -> Result<[Figure; 2]> {
    let consumer = Side::without_bot(house).await?;
    let round = async || consumer.round_while(post_and_acknowledge_each(consumer.consume().await?, &consumer)).await;
    beside_floor("a bare consumer", [Reach::Nothing; 2], house, round).await
}

async fn measure_peer(house: &House) -> Result<[Figure; 2]> {
    let peer = Peer::prepare(house).await?;
    let _process = peer.start().await?;
    let side = Side { discord: &peer.discord, publisher: peer.publisher.clone(), channel: peer.channel };
    beside_floor("the peer", [Reach::Nothing; 2], house, async || side.round().await).await
}

/// Rounds of the floor and of what `round` measures, in turn.
async fn beside_floor(
    name: &str,
    [half, most]: [Reach; 2],
    house: &House,
    round: impl AsyncFn() -> Result<[f64; 2]>,
) -> Result<[Figure; 2]> {
    let floor = Side::without_bot(house).await?;
    let mut figures = [
        Figure::new(format!("publish → Discord, p50, {name}"), "ms", half),
        Figure::new(format!("publish → Discord, p99, {name}"), "ms", most),
    ];
    for _ in 0..ROUNDS {
        let below = floor.round_while(post_each(floor.subscribe().await?, &floor)).await?;
        let measured = round().await?;
        for (figure, (below, measured)) in figures.iter_mut().zip(below.into_iter().zip(measured)) {
            figure.add(below, measured);
        }
    }
    Ok(figures)
}

/// Whoever tells a channel of an account's events.
struct Side<'a> {
    discord: &'a Sim,
    publisher: Publisher,
    channel: u64,
}

impl<'a> Side<'a> {
    /// A channel of guildwire's Discord, and an account that guildwire does not read.
    async fn without_bot(house: &'a House) -> Result<Self> {
        let guild = house.guild("without a bot");
        let channel = house.channel(guild, "events");
        Ok(Self { discord: &house.discord, publisher: house.publisher(SECOND_ACCOUNT).await?, channel })
    }

    /// The time in milliseconds in which half of the events came, and 99 of 100.
    async fn round(&self) -> Result<[f64; 2]> {
        tell(self.discord, &self.publisher, self.channel, WARM_UP, PAUSE).await?;
        let mut took = tell(self.discord, &self.publisher, self.channel, SAMPLES, PAUSE).await?;
        took.sort();
        Ok([50, 99].map(|percent| took[(SAMPLES * percent).div_ceil(100) - 1].as_secs_f64() * 1000.0))
    }

    /// The same while `telling` goes on, which has no end of its own.
    async fn round_while(&self, telling: impl Future<Output = Result<()>>) -> Result<[f64; 2]> {
        tokio::select! {
            round = self.round() => round,
            ended = telling => ended.and_then(|()| bail!("the floor ended")),
        }
    }

    /// What is published, whether or not it is stored.
    async fn subscribe(&self) -> Result<Subscriber> {
        let client = self.publisher.jetstream.client();
        let events = client.subscribe("v0.*.servers.>").await?;
        client.flush().await?;
        Ok(events)
    }

    /// What is stored from now on, by a consumer with guildwire's filters.
    async fn consume(&self) -> Result<pull::Stream> {
        let stream = self.publisher.jetstream.get_stream_no_info("EVENTS").await?;
        let config = pull::Config {
            ack_policy: AckPolicy::Explicit,
            deliver_policy: DeliverPolicy::New,
            filter_subjects: vec!["v0.*.servers.*.events.>".into(), "v0.*.servers.*.players.*.events.>".into()],
            ..pull::Config::default()
        };
        Ok(stream.create_consumer(config).await?.messages().await?)
    }
}

async fn post_each(mut events: Subscriber, side: &Side<'_>) -> Result<()> {
    let post = Post::new(side)?;
    while let Some(event) = events.next().await {
        post.send(&event).await?;
    }
    Ok(())
}

async fn post_and_acknowledge_each(mut events: pull::Stream, side: &Side<'_>) -> Result<()> {
    let post = Post::new(side)?;
    while let Some(event) = events.next().await {
        let event = event?;
        post.send(&event).await?;
        event.ack().await.map_err(anyhow::Error::from_boxed)?;
    }
    Ok(())
}

/// The least that makes a message of an event.
struct Post {
    client: reqwest::Client,
    url: String,
    token: String,
}

impl Post {
    fn new(side: &Side<'_>) -> Result<Self> {
        let agent = "DiscordBot (https://github.com/guildwire/guildwire, bench)";
        let client = reqwest::Client::builder().user_agent(agent).no_proxy().build()?;
        let url = format!("{}/api/v10/channels/{}/messages", side.discord.url(), side.channel);
        Ok(Self { client, url, token: format!("Bot {}", side.discord.token()) })
    }

    async fn send(&self, event: &async_nats::Message) -> Result<()> {
        let body = json!({ "embeds": [{ "description": String::from_utf8_lossy(&event.payload) }] });
        let answer = self.client.post(&self.url).header(AUTHORIZATION, &self.token).json(&body).send().await?;
        answer.error_for_status()?.bytes().await?;
        Ok(())
    }
}
