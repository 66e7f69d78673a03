//! An account whose storage is full: nothing new is stored, which only looks as if nothing happened.

use guildwire_harness::house::{House, PATIENCE, Publisher};
use guildwire_harness::{NatsConfig, NatsServer, NatsUser, TcpProxy};

use crate::installation::{house_around, on_sqlite};
use crate::states::{PUBLISHER, Reading, publisher, read, user};
use crate::support::Database;

on_sqlite!(an_account_whose_storage_is_full_says_so, a_late_answer_about_full_storage_is_asked_for_again);

/// A house whose account has no room for another event.
async fn full_house(database: Database) -> (House, Publisher) {
    let users = [NatsUser::without_password(PUBLISHER), user()];
    let nats = NatsConfig::open().account_with_jetstream("GA-1", "{ max_file: 64K }", &users);
    let house = house_around(NatsServer::start(&nats).unwrap(), database).await;
    let publisher = publisher(&house).await;
    publisher.make_stream().await.unwrap();
    let payload = format!("\"{}\"", "x".repeat(200));
    let refused = loop {
        if let Err(error) = publisher.publish("main.events.noise", &payload).await {
            break format!("{error:#}");
        }
    };
    assert!(refused.contains("resource limits exceeded"), "{refused}");
    (house, publisher)
}

/// Waits until it is told that there is no room.
async fn has_no_room(reading: &Reading) {
    let storage = reading.publisher.jetstream.query_account().await.unwrap().storage;
    reading.is_in_trouble(&format!(
        "the account's JetStream storage is full ({storage} of 64000 bytes), so new events are not stored: raise its \
         limit, or let its streams drop old messages (`nats stream edit STREAM --max-age 7d`)"
    ))
    .await;
}

async fn an_account_whose_storage_is_full_says_so(database: Database) {
    let (house, publisher) = full_house(database).await;
    let reading = read(house, publisher).await;
    has_no_room(&reading).await;
    reading.publisher.jetstream.get_stream("EVENTS").await.unwrap().purge().await.unwrap();
    reading.shows(1).await;
    reading.is_read().await;
}

async fn a_late_answer_about_full_storage_is_asked_for_again(database: Database) {
    let (mut house, publisher) = full_house(database).await;
    let proxy = TcpProxy::start(house.nats.address()).await.unwrap();
    house.bot = house.bot.setting("nats.url", &proxy.url_for("nats"));
    proxy.hold_to_target_at(b"$JS.API.INFO");
    let reading = read(house, publisher).await;
    // It reads without the answer.
    reading.bot.wait_for_log("reading the account's events", PATIENCE).await.unwrap();
    proxy.pass();
    has_no_room(&reading).await;
}
