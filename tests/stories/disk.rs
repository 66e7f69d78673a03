//! The disk with the database is full: reading pauses, says so and goes on by itself, and nothing is lost or doubled.

use guildwire_harness::RunningBot;
use guildwire_harness::house::PATIENCE;

use crate::fire::{Fire, eventually};
use crate::installation::on_sqlite;
use crate::metrics::{scrape, value, wait_for_value};
use crate::support::Database;

on_sqlite!(a_full_disk_pauses_reading_and_loses_nothing, what_was_delivered_is_not_sent_again_when_the_disk_is_full,);

/// Room for the database and some of its log.
const DISK: u64 = 4 << 20;

/// How often the bot has to have tried before it is believed to have said all that it says.
const TRIES: f64 = 4.0;

const TOLD: &str = "can't read the account; trying again";

/// A bot that hears of its servers and whose data lies on a small disk, which has room so far.
async fn light_on_small_disk(fire: &mut Fire) -> RunningBot {
    let mut bot = fire.light().await;
    fire.check().await;
    assert!(bot.terminate().await.unwrap().success());
    fire.house.bot = fire.house.bot.clone().on_small_disk(DISK);
    let bot = fire.house.start().await.unwrap();
    fire.check().await;
    bot
}

async fn readiness(bot: &RunningBot) -> (u16, String) {
    let response = reqwest::get(format!("{}/readyz", bot.http_url())).await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

async fn a_full_disk_pauses_reading_and_loses_nothing(database: Database) {
    let mut fire = Fire::lay(database).await;
    let mut bot = light_on_small_disk(&mut fire).await;
    bot.fill_disk().unwrap();
    let before = bot.log().len();
    fire.come_up(20).await;
    bot.wait_for_log("does not take what is read (the disk that it is on is full)", PATIENCE).await.unwrap();
    let (status, said) = readiness(&bot).await;
    assert_eq!((status, said.lines().next()), (503, Some("database: the disk that it is on is full")), "{said}");

    // It keeps trying, without a word more, and without reading what it can't record.
    let tried = "guildwire_database_failures_total{work=\"recording\"}";
    eventually("it is tried again", async || value(&scrape(&bot).await, tried) >= TRIES).await;
    fire.come_up(20).await;
    let text = scrape(&bot).await;
    assert!(value(&text, "guildwire_accounts{state=\"database\"}") > 0.5, "{text}");
    assert!(value(&text, "guildwire_ready") < 0.5, "{text}");
    let said = bot.log()[before..].to_owned();
    assert_eq!(said.matches(TOLD).count(), 1, "{said}");
    assert!(!said.contains("reading the account's events"), "{said}");
    assert!(!fire.is_all_recorded().await, "nothing may be acknowledged that is not recorded");

    bot.free_disk().unwrap();
    fire.wait_for_last().await;
    bot.wait_ready(PATIENCE).await.unwrap();
    wait_for_value(&bot, "guildwire_accounts{state=\"running\"}", 1.0).await;
    fire.check().await;
    let said = bot.log()[before..].to_owned();
    assert_eq!(said.matches("reading the account's events").count(), 1, "{said}");
    assert!(bot.terminate().await.unwrap().success());
}

async fn what_was_delivered_is_not_sent_again_when_the_disk_is_full(database: Database) {
    let mut fire = Fire::lay(database).await;
    let discord = fire.discord_proxy().await;
    let bot = light_on_small_disk(&mut fire).await;
    // Else it could be the answer to the last message that is held.
    wait_for_value(&bot, "guildwire_outbox_events", 0.0).await;
    discord.hold_from_target_at(b"channel_id");
    fire.come_up(1).await;
    // Discord shows the message, and its answer is on the way.
    discord.wait_until_holding(PATIENCE).await.unwrap();
    let attempts = fire.attempts();
    bot.fill_disk().unwrap();
    discord.release();
    bot.wait_for_log("can't note what became of a message; trying again", PATIENCE).await.unwrap();
    let tried = "guildwire_database_failures_total{work=\"delivery\"}";
    eventually("it is tried again", async || value(&scrape(&bot).await, tried) >= TRIES).await;
    assert_eq!(bot.log().matches("can't note what became of a message").count(), 1, "{}", bot.log());
    bot.free_disk().unwrap();
    wait_for_value(&bot, "guildwire_outbox_events", 0.0).await;
    assert_eq!(fire.attempts(), attempts, "the same message was sent again");
    fire.check().await;
}
