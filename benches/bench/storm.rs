//! A storm: as many events for one channel as it could show event by event in a quarter of an hour, all at once. How long
//! it takes until every one of them can be read, in the messages or in the files beside them, under the limits that
//! Discord usually has.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use discord_sim::{Bucket, Message, Options, Sim};
use futures_util::future::try_join_all;
use guildwire::clock;
use guildwire_harness::house::{FIRST_ACCOUNT, House, PATIENCE, Publisher};

use crate::bots::{Database, config, house_on, joined, start_guildwire, taken_at};
use crate::figure::{Figure, ROUNDS, Reach};

/// What Discord usually gives a channel.
const BUCKET: Bucket = Bucket { limit: 5, window: Duration::from_secs(5) };
/// How many events come at once, and after how many of them one is about a server itself.
const EVENTS: usize = 10_000;
const A_SERVER_EVERY: usize = 1_000;

pub(crate) async fn measure() -> Result<Vec<Figure>> {
    let options = Options { message_bucket: Some(BUCKET), ..Options::default() };
    // Else nats-server takes longer to store them than the storm may last.
    let house = house_on(config().synced_late(), Database::Sqlite, options).await?;
    let (_running, guild) = start_guildwire(&house).await?;
    let channel = house.channel(guild, "storm");
    house.notify(guild, channel, "everything", &[]).await?;
    let publisher = house.publisher(FIRST_ACCOUNT).await?;
    let mut figures = [
        Figure::new(format!("a storm of {EVENTS} events (floor: publishing them)"), "s", Reach::Within(15.0)),
        Figure::new("messages that it takes", "messages", Reach::Nothing),
    ];
    for round in 0..ROUNDS {
        // What the last round left of a window is over.
        tokio::time::sleep(BUCKET.window).await;
        let [publishing, reading, messages] = storm(&house, &publisher, channel, round * EVENTS).await?;
        figures[0].add(publishing, reading);
        figures[1].add(1.0, messages);
    }
    let limited = house.discord.statistics().rate_limited_total();
    ensure!(limited == 0, "Discord answered {limited} times with 429");
    Ok(figures.into())
}

/// For how many seconds events were published, how many more it took until all could be read, and in how many messages.
async fn storm(house: &House, publisher: &Publisher, channel: u64, first: usize) -> Result<[f64; 3]> {
    let discord = &house.discord;
    let before = discord.messages(channel).len();
    let began = clock::now();
    let events = (first..first + EVENTS).map(|number| async move {
        if number % A_SERVER_EVERY == 0 {
            return publisher.publish(&format!("{}.events.wiped", server(number)), "null").await;
        }
        let (subject, payload) = joined(number);
        publisher.publish(&subject, &payload).await
    });
    try_join_all(events).await?;
    let stored = clock::now();
    let new = || discord.messages(channel).split_off(before);
    let can_be_read = |discord: &Sim| told(discord, &new()).len() >= EVENTS;
    discord.wait_until(PATIENCE, "all events of a storm can be read", can_be_read).await?;
    let messages = new();
    check(discord, &messages, first)?;
    let last = messages.last().context("there are some")?;
    let readable = taken_at(last).since(stored);
    let count = u32::try_from(messages.len()).context("fewer than events")?;
    Ok([stored.since(began).as_secs_f64(), readable.as_secs_f64(), count.into()])
}

/// Each event can be read once, and what servers said of themselves without opening a file.
fn check(discord: &Sim, messages: &[Message], first: usize) -> Result<()> {
    let mut told = told(discord, messages);
    told.sort_unstable();
    ensure!(told == (first..first + EVENTS).collect::<Vec<_>>(), "not every event can be read, or one can be twice");
    let seen: String = messages.iter().flat_map(descriptions).collect();
    for number in (first..first + EVENTS).step_by(A_SERVER_EVERY) {
        let is_seen = seen.contains(&format!("Server **{}** was wiped", server(number)));
        ensure!(is_seen, "that {} was wiped is seen only by opening a file", server(number));
    }
    Ok(())
}

/// The numbers of the events that can be read in messages: in a message's file, where it has one, else in its embeds.
fn told(discord: &Sim, messages: &[Message]) -> Vec<usize> {
    let text = |message: &Message| match discord.files(message).into_iter().next() {
        Some((_, bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
        None => descriptions(message).collect::<Vec<_>>().join("\n").replace("**", ""),
    };
    messages.iter().flat_map(|message| numbers(&text(message))).collect()
}

fn descriptions(message: &Message) -> impl Iterator<Item = &str> {
    message.embeds.iter().filter_map(|embed| embed.description.as_deref())
}

fn numbers(text: &str) -> Vec<usize> {
    let behind = ["Player ", "Server s"].into_iter().flat_map(|before| text.split(before).skip(1));
    let number = |text: &str| text.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok();
    behind.filter_map(number).collect()
}

/// The server that the event of that number is about.
fn server(number: usize) -> String {
    format!("s{number}")
}
