//! How near guildwire comes to what Discord's limits leave: one channel that has much to show, and many that have a
//! little. The floors are not measured, they follow from the limits.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use discord_sim::{Bucket, Options, Sim};
use guildwire::clock;
use guildwire::domain::timestamp::Timestamp;
use guildwire_harness::house::{FIRST_ACCOUNT, Guild, House, PATIENCE, Publisher};

use crate::bots::{Database, house, joined, start_guildwire, taken_at};
use crate::figure::{Figure, ROUNDS, Reach};

/// What Discord usually gives a channel.
const BUCKET: Bucket = Bucket { limit: 5, window: Duration::from_secs(5) };
/// How many messages one lane sends: four windows full.
const MESSAGES: u32 = 20;
/// How many lanes send at once, and how many messages each.
const LANES: u32 = 150;
const MESSAGES_EACH: u32 = 2;
/// What `discord.messages_per_second` is unless it is set.
const PACE: f64 = 45.0;

pub(crate) async fn measure() -> Result<Vec<Figure>> {
    let house = house(Database::Sqlite, Options { message_bucket: Some(BUCKET), ..Options::default() }).await?;
    let (_running, guild) = start_guildwire(&house).await?;
    let one = house.channel(guild, "one");
    house.notify(guild, one, "players", &[]).await?;
    let lanes = bind_lanes(&house, guild).await?;
    let publisher = house.publisher(FIRST_ACCOUNT).await?;

    let mut figures = [
        Figure::new(format!("one lane, {MESSAGES} messages"), "s", Reach::AtMost(1.05)),
        Figure::new(format!("{LANES} lanes × {MESSAGES_EACH} messages"), "s", Reach::AtMost(1.05)),
    ];
    for _ in 0..ROUNDS {
        let windows = (MESSAGES - 1) / BUCKET.limit;
        let took = fill_one(&house.discord, &publisher, one).await?;
        figures[0].add((BUCKET.window * windows).as_secs_f64(), took.as_secs_f64());
        let took = fill_many(&house.discord, &publisher, &lanes).await?;
        figures[1].add(f64::from(LANES * MESSAGES_EACH) / PACE, took.as_secs_f64());
    }
    let limited = house.discord.statistics().rate_limited_total();
    ensure!(limited == 0, "Discord answered {limited} times with 429");
    Ok(figures.into())
}

async fn bind_lanes(house: &House, guild: Guild) -> Result<Vec<u64>> {
    let mut lanes = Vec::new();
    for number in 0..LANES {
        let channel = house.channel(guild, &format!("lane-{number}"));
        house.notify(guild, channel, "lifecycle", &[]).await?;
        lanes.push(channel);
    }
    Ok(lanes)
}

/// Each event comes when the one before was told: of several that wait, the bot would tell in one message.
async fn fill_one(discord: &Sim, publisher: &Publisher, channel: u64) -> Result<Duration> {
    // What the last round left of a window is over.
    tokio::time::sleep(BUCKET.window).await;
    let before = discord.messages(channel).len();
    let began = clock::now();
    for number in 1..=MESSAGES as usize {
        let (subject, payload) = joined(number);
        publisher.publish(&subject, &payload).await?;
        discord.wait_for_messages(channel, before + number, PATIENCE).await?;
    }
    took(discord, &[(channel, before)], MESSAGES as usize, began).await
}

/// The second event comes when each lane told of the first, for the same reason.
async fn fill_many(discord: &Sim, publisher: &Publisher, lanes: &[u64]) -> Result<Duration> {
    let before: Vec<_> = lanes.iter().map(|&lane| (lane, discord.messages(lane).len())).collect();
    let began = clock::now();
    let mut took_so_far = Duration::ZERO;
    for message in 1..=MESSAGES_EACH as usize {
        publisher.publish("main.events.started", "{}").await?;
        took_so_far = took(discord, &before, message, began).await?;
    }
    Ok(took_so_far)
}

/// Waits until each channel shows so many messages more than before, not one too many, and says when the last came.
async fn took(discord: &Sim, before: &[(u64, usize)], more: usize, began: Timestamp) -> Result<Duration> {
    let mut last = began;
    for &(channel, before) in before {
        let messages = discord.wait_for_messages(channel, before + more, PATIENCE).await?;
        ensure!(messages.len() == before + more, "{} messages came instead of {more}", messages.len() - before);
        last = last.max(taken_at(messages.last().context("there are some")?));
    }
    Ok(last.since(began))
}
