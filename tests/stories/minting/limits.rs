//! What an account may use, and an end to it.

use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::stream::{self, StorageType};
use guildwire_harness::house::PATIENCE;
use serde_json::json;

use super::{Operator, User, usual_operator};
use crate::installation::on_sqlite;
use crate::support::{Database, on_both_databases};

on_both_databases!(an_account_is_suspended_resumed_and_deleted);
on_sqlite!(
    a_tiers_limits_hold_and_change_while_connections_are_open,
    whoever_may_do_everything_in_an_account_stays_within_its_tier,
    an_account_that_can_not_be_resumed_stays_suspended,
);

async fn a_tiers_limits_hold_and_change_while_connections_are_open(database: Database) {
    let mut operator = usual_operator(database).await;
    operator.set("tiers.small.max_file", "1M");
    operator.set("tiers.small.max_connections", "2");
    operator.set("tiers.large.max_file", "4M");
    operator.set("tiers.large.max_connections", "3");
    operator.operate("operator account create GA-1 --tier small --no-add").await;
    let (first, path) = operator.user("GA-1", "--role server", "_INBOX").await;
    let creds = std::fs::read_to_string(path).unwrap();
    let url = operator.house.nats.url();
    let mut second = User::connect(&url, &creds, "_INBOX").await.unwrap();
    let full = User::connect(&url, &creds, "_INBOX").await.err().unwrap();
    assert!(full.contains("maximum account active connections exceeded"), "{full}");

    // It never refuses an event: the oldest goes.
    let payload = "x".repeat(30_000);
    for _ in 0..50 {
        first
            .jetstream
            .publish("v0.rust.servers.main.events.chat", payload.clone().into())
            .await
            .unwrap()
            .await
            .unwrap();
    }
    assert_eq!(stored(&operator).await, 32, "of 50");

    let larger = operator.operate("operator account limits GA-1 --tier large").await;
    let limits = "max_file 4M, max_mem 1M, max_streams 1, max_consumers 10, max_connections 3";
    assert_eq!(larger, format!("Account GA-1 has the limits of tier large now: {limits}.\n"));
    let third = User::connect(&url, &creds, "_INBOX").await.unwrap();
    for _ in 0..50 {
        first
            .jetstream
            .publish("v0.rust.servers.main.events.chat", payload.clone().into())
            .await
            .unwrap()
            .await
            .unwrap();
    }
    assert_eq!(stored(&operator).await, 82, "all that came since");
    drop(third);

    operator.set("tiers.small.max_connections", "1");
    let list = operator.operate("operator account list").await;
    assert!(list.contains("large  4M"), "{list}");
    operator.operate("operator account limits GA-1 --tier small").await;
    assert_eq!(second.objection().await, "nats: maximum account active connections exceeded", "the newest has to go");
    assert_eq!(stored(&operator).await, 32);
    operator.set("tiers.small.max_streams", "2");
    let list = operator.operate("operator account list").await;
    assert!(list.contains("made, with older limits of its tier"), "{list}");
}

/// How many messages the only account's stream has, as the system account sees it.
async fn stored(operator: &Operator) -> u64 {
    let creds = std::fs::read_to_string(&operator.system_creds).unwrap();
    let system = User::connect(&operator.house.nats.url(), &creds, "_INBOX").await.unwrap();
    let request = json!({ "accounts": true, "streams": true }).to_string();
    let answer = system.client.request("$SYS.REQ.SERVER.PING.JSZ", request.into()).await.unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
    answer["data"]["account_details"][0]["stream_detail"][0]["state"]["messages"].as_u64().unwrap()
}

async fn whoever_may_do_everything_in_an_account_stays_within_its_tier(database: Database) {
    let mut operator = usual_operator(database).await;
    operator.set("tiers.few.max_consumers", "2");
    operator.set("tiers.more.max_streams", "2");
    operator.operate("operator account create GA-1 --tier few --no-add").await;
    let administrator = operator.administrator("GA-1").await.jetstream;
    let another = |storage, max_bytes| stream::Config {
        name: "ANOTHER".to_owned(),
        subjects: vec!["another.>".to_owned()],
        storage,
        max_bytes,
        ..stream::Config::default()
    };
    let refused = administrator.create_stream(another(StorageType::File, 65_536)).await.unwrap_err().to_string();
    assert!(refused.contains("maximum number of streams reached"), "{refused}");
    let events = administrator.get_stream("EVENTS").await.unwrap();
    let mut refused = String::new();
    for number in 0..3 {
        assert_eq!(refused, "", "two are within the tier");
        let durable_name = Some(format!("reader-{number}"));
        let made = events.create_consumer(pull::Config { durable_name, ..pull::Config::default() }).await;
        refused = made.err().map(|error| error.to_string()).unwrap_or_default();
    }
    assert!(refused.contains("maximum consumers limit reached"), "{refused}");
    operator.operate("operator account limits GA-1 --tier more").await;
    let refused = administrator.create_stream(another(StorageType::Memory, 2 << 20)).await.unwrap_err().to_string();
    assert!(refused.contains("insufficient memory resources available"), "{refused}");
    administrator.create_stream(another(StorageType::Memory, 1 << 20)).await.unwrap();
}

async fn an_account_that_can_not_be_resumed_stays_suspended(database: Database) {
    let mut operator = usual_operator(database).await;
    operator.operate("operator account create GA-1 --no-add").await;
    let (_, path) = operator.user("GA-1", "--role server", "_INBOX").await;
    let creds = std::fs::read_to_string(path).unwrap();
    // Its stream can't be made again beside one with the same subjects.
    let administrator = operator.administrator("GA-1").await.jetstream;
    administrator.delete_stream("EVENTS").await.unwrap();
    let subjects = vec!["v0.*.servers.>".to_owned()];
    let other = stream::Config { name: "OTHER".to_owned(), subjects, max_bytes: 65_536, ..stream::Config::default() };
    administrator.create_stream(other).await.unwrap();
    let suspended = operator.operate("operator account suspend GA-1").await;

    let url = operator.house.nats.url();
    let said = operator.refused("operator account resume GA-1").await;
    assert!(said.ends_with("\nThe account is suspended, as before.\n"), "{said}");
    let refused = User::connect(&url, &creds, "_INBOX").await.err().unwrap();
    assert!(refused.contains("maximum account active connections exceeded"), "{refused}");
    assert_eq!(operator.operate("operator account suspend GA-1").await, suspended, "to be sure");
    let list = operator.operate("operator account list").await;
    assert!(list.contains("suspended since "), "{list}");
}

async fn an_account_is_suspended_resumed_and_deleted(database: Database) {
    let mut operator = usual_operator(database).await;
    operator.operate("operator account create GA-1").await;
    let (mut server, path) = operator.user("GA-1", "--role server", "_INBOX").await;
    let creds = std::fs::read_to_string(path).unwrap();
    let url = operator.house.nats.url();
    let mut bot = operator.house.start().await.unwrap();
    let guild = operator.house.guild("Rustaceans");
    let channel = operator.house.channel(guild, "status");
    operator.house.link(guild, "GA-1").await.unwrap();
    operator.house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    server.publish("main.events.started").await.unwrap();
    operator.house.wait_for_shown(channel, 1).await.unwrap();

    let suspended = operator.operate("operator account suspend GA-1").await;
    assert_eq!(
        suspended,
        "Account GA-1 is suspended: its connections are ended, and nobody is let in until `guildwire operator account \
         resume GA-1`. What is stored in it stays.\n"
    );
    assert_eq!(server.objection().await, "nats: maximum account active connections exceeded");
    let refused = User::connect(&url, &creds, "_INBOX").await.err().unwrap();
    assert!(refused.contains("maximum account active connections exceeded"), "{refused}");
    bot.wait_for_log("connection_limit", PATIENCE).await.unwrap();
    let said = operator.refused("operator account limits GA-1 --tier free").await;
    assert_eq!(said, "error: the account GA-1 is suspended: `guildwire operator account resume GA-1` first\n");
    let list = operator.operate("operator account list").await;
    assert!(list.contains("suspended since "), "{list}");

    let resumed = operator.operate("operator account resume GA-1").await;
    assert_eq!(resumed, "Account GA-1 is resumed: its users are let in again.\n");
    let mut server = User::connect(&url, &creds, "_INBOX").await.unwrap();
    server.publish("main.events.stopping").await.unwrap();
    assert_eq!(operator.house.wait_for_shown(channel, 2).await.unwrap().len(), 2, "nothing has to be done in Discord");

    let asked = operator.refused("operator account delete GA-1").await;
    assert!(
        asked.contains("deleting GA-1 means deleting 2 users, all that is stored in it, 1 link and 1 binding with it"),
        "{asked}"
    );
    let deleted = operator.operate("operator account delete GA-1 --yes").await;
    let wanted = "Account GA-1 is deleted, with 2 users, all that is stored in it, 1 link and 1 binding.\n";
    assert_eq!(deleted, wanted);
    let gone = server.objection().await;
    assert!(gone.contains("expired") || gone.contains("Expired") || gone == "disconnected", "{gone}");
    assert!(User::connect(&url, &creds, "_INBOX").await.is_err());
    assert!(operator.operate("operator account list").await.starts_with("guildwire has made no accounts yet"));
    assert!(operator.operate("account list").await.starts_with("no accounts yet"));
    let kept = std::fs::read_dir(operator.house.nats.store_dir().join("jetstream")).unwrap();
    let kept: Vec<String> = kept.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(kept.iter().all(|name| !name.starts_with('A')), "nothing is left on the disk: {kept:?}");
    // The name is free again, and what is made under it is new.
    operator.operate("operator account create GA-1").await;
    assert!(User::connect(&url, &creds, "_INBOX").await.is_err());
    assert!(bot.terminate().await.unwrap().success());
}
