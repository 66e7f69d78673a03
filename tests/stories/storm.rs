//! More than a channel can show event by event: a storm, and what piled up while Discord was away, are told in few
//! messages, in which everything can be read.

use std::time::Duration;

use discord_sim::{Bucket, Options, Route, Trouble};
use guildwire_harness::house::PATIENCE;

use crate::fire::{Fire, eventually, lines};
use crate::support::{Database, on_both_databases};

on_both_databases!(a_storm_can_be_read_in_few_messages, an_outage_ends_with_one_message_in_each_channel);

/// How many events a storm has, and after how many of them one is about a server itself.
const EVENTS: usize = 2_000;
const A_SERVER_EVERY: usize = 400;

/// From which age on an event is told late. What a lane seals as it comes is never that old.
const LATE: Duration = Duration::from_secs(10);

async fn a_storm_can_be_read_in_few_messages(database: Database) {
    let bucket = Bucket { limit: 5, window: Duration::from_secs(5) };
    let fire = Fire::lay_with(database, Options { message_bucket: Some(bucket), ..Options::default() }).await;
    let _bot = fire.link().await;
    let (house, channel) = (&fire.house, fire.channel);
    house.notify(fire.guild, channel, "everything", &[]).await.unwrap();

    let mut stored = Vec::new();
    for number in 0..EVENTS {
        let (subject, payload) = if number % A_SERVER_EVERY == 0 {
            (format!("v0.rust.servers.s{number}.events.wiped"), "null".to_owned())
        } else {
            let who = format!(r#"{{"player":{{"id":"{number}","name":"Player {number}"}}}}"#);
            (format!("v0.rust.servers.main.players.{number}.events.connected"), who)
        };
        // In order, and none of them waits for the one before to be stored.
        stored.push(fire.servers.jetstream.publish(subject, payload.into()).await.unwrap());
    }
    for acknowledgement in stored {
        acknowledgement.await.unwrap();
    }
    eventually("all is recorded", async || fire.is_all_recorded().await).await;
    let so_far = house.discord.messages(channel).len();
    let all: Vec<usize> = (0..EVENTS).collect();
    let told = || lines(&house.discord, channel).iter().flat_map(|line| numbers(line)).collect::<Vec<_>>();
    house.discord.wait_until(PATIENCE, "all can be read", |_| told().len() >= EVENTS).await.unwrap();
    assert_eq!(told(), all, "each once, and in order");

    let messages = house.discord.messages(channel);
    // One may have been on its way when the last event was recorded. The next tells all the rest.
    assert!(messages.len() <= so_far + 2, "{} messages, {so_far} of them while events came", messages.len());
    let embeds = messages.iter().flat_map(|message| &message.embeds).filter_map(|embed| embed.description.as_deref());
    let seen: String = embeds.collect();
    for server in (0..EVENTS).step_by(A_SERVER_EVERY) {
        assert!(seen.contains(&format!("Server **s{server}** was wiped")), "no file has to be opened for that: {seen}");
    }
    assert_eq!(house.discord.statistics().rate_limited_total(), 0);
}

/// The numbers of the events that a line tells of: several joined in one embed stand in one line.
fn numbers(line: &str) -> Vec<usize> {
    let line = line.replace("**", "");
    let behind = ["Player ", "Server s"].into_iter().flat_map(|before| line.split(before).skip(1));
    let number = |text: &str| text.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok();
    behind.filter_map(number).collect()
}

async fn an_outage_ends_with_one_message_in_each_channel(database: Database) {
    let mut fire = Fire::lay(database).await;
    fire.set("delivery.late_after_seconds", &LATE.as_secs().to_string());
    let bot = fire.light().await;
    let mut channels = vec![fire.channel];
    for name in ["another", "a third"] {
        let channel = fire.house.channel(fire.guild, name);
        fire.bind(channel).await;
        channels.push(channel);
    }
    fire.come_up(1).await;
    for channel in &channels {
        fire.wait_for(*channel, fire.expected.last().unwrap()).await;
    }

    let discord = fire.house.discord.clone();
    // The second takes over from the first: there is no moment in which Discord takes a message.
    let again = 2 * u32::try_from(channels.len()).unwrap();
    discord.trouble(Route::MessageCreate, Trouble::Status(503), Some(again));
    discord.trouble(Route::MessageCreate, Trouble::Refuse, None);
    let mut attempts = fire.attempts();
    for _ in 0..2 {
        fire.come_up(25).await;
        eventually("all is recorded meanwhile", async || fire.is_all_recorded().await).await;
        attempts += u64::from(again);
        eventually("it is tried again", async || fire.attempts() >= attempts).await;
    }
    bot.wait_for_log("a message was not delivered; trying again", PATIENCE).await.unwrap();
    // Then all that was not sealed as it came is told late.
    tokio::time::sleep(LATE).await;
    for channel in &channels {
        assert_eq!(discord.messages(*channel).len(), 1, "nothing came through");
    }

    discord.clear_trouble();
    for channel in &channels {
        fire.wait_for(*channel, fire.expected.last().unwrap()).await;
        assert_eq!(fire.shown_in(*channel), fire.expected);
        // The first was tried all the time: it stays as it was sealed. The other tells all the rest.
        let [_, tried, rest] = discord.messages(*channel).try_into().unwrap();
        assert!(tried.embeds[0].description.as_deref().is_some_and(|text| !text.contains("told late")), "{tried:?}");
        assert!(rest.embeds[0].description.as_deref().is_some_and(|text| text.contains("told late")), "{rest:?}");
    }
    fire.check().await;
}
