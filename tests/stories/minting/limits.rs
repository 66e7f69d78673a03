//! What an account may use, and an end to it.

use guildwire_harness::house::PATIENCE;
use serde_json::json;

use super::{Operator, User, usual_operator};
use crate::installation::on_sqlite;
use crate::support::{Database, on_both_databases};

on_both_databases!(an_account_is_suspended_resumed_and_deleted);
on_sqlite!(a_tiers_limits_hold_and_change_while_connections_are_open);

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
    assert_eq!(stored(&operator, "GA-1").await, (32, 1), "of 50, and no other stream can be made");

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
    assert_eq!(stored(&operator, "GA-1").await.0, 82, "all that came since");
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
    let streams = answer["data"]["account_details"][0]["stream_detail"].as_array().unwrap();
    (streams[0]["state"]["messages"].as_u64().unwrap(), streams.len().try_into().unwrap())
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
    for command in ["suspend GA-1", "limits GA-1 --tier free"] {
        let said = operator.refused(&format!("operator account {command}")).await;
        let wanted = "error: the account GA-1 is suspended: `guildwire operator account resume GA-1` first\n";
        assert_eq!(said, wanted);
    }
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
