//! Webhooks: making them, sending by them, and their limits.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{Got, House};
use discord_sim::ChannelKind;
use serde_json::{Value, json};

const MANAGE_CHANNELS: u64 = 1 << 4;
const MANAGE_WEBHOOKS: u64 = 1 << 29;

/// Makes one in the house's channel; gives its path with the token.
async fn hook(house: &House) -> String {
    house.grant(MANAGE_WEBHOOKS);
    let made = house.here("POST", "/webhooks", json!({ "name": "events" })).await;
    format!("/webhooks/{}/{}", made.id(), made.body["token"].as_str().unwrap())
}

#[tokio::test]
async fn a_webhook_needs_its_permission_and_a_name_of_its_own() {
    let house = House::new().await;
    let make = async |name: &str| house.here("POST", "/webhooks", json!({ "name": name })).await;
    assert_eq!(make("events").await.code, 50013);
    house.grant(MANAGE_WEBHOOKS);
    for name in ["Clyde", "my discord", ""] {
        assert_eq!(make(name).await.code, 50035, "{name}");
    }
    assert_eq!(make(&"n".repeat(81)).await.fault("name"), "BASE_TYPE_BAD_LENGTH");
    let mut socket = house.watch().await;
    let webhook = make("events").await;
    assert_eq!((webhook.status, &webhook.body["type"]), (200, &json!(1)));
    assert_eq!(socket.until("WEBHOOKS_UPDATE").await["d"]["channel_id"], json!(house.channel.to_string()));
    for _ in 1..15 {
        assert_eq!(make("events").await.status, 200);
    }
    assert_eq!(make("events").await.code, 30007);
    assert_eq!(house.here("GET", "/webhooks", Value::Null).await.body.as_array().unwrap().len(), 15);
    assert_eq!(house.in_guild("GET", "/webhooks", Value::Null).await.body.as_array().unwrap().len(), 15);
}

#[tokio::test]
async fn the_token_alone_is_enough_and_nothing_is_answered_without_wait() {
    let house = House::new().await;
    let path = hook(&house).await;
    let client = reqwest::Client::builder().user_agent(common::AGENT).no_proxy().build().unwrap();
    let url = house.call("GET", &path, Value::Null).await.body["url"].as_str().unwrap().to_owned();
    let silent = Got::from(client.post(&url).json(&json!({ "content": "a" })).send().await.unwrap()).await;
    assert_eq!((silent.status, &silent.body), (204, &Value::Null));
    let body = json!({ "content": "b", "username": "Rust Main" });
    let told = Got::from(client.post(format!("{url}?wait=true")).json(&body).send().await.unwrap()).await;
    assert_eq!((told.status, &told.body["author"]["username"]), (200, &json!("Rust Main")));
    let known = Got::from(client.get(&url).send().await.unwrap()).await;
    assert!(known.body["user"].is_null() && known.body["name"] == "events");
    let wrong = house.call("POST", &format!("{path}x"), json!({ "content": "a" })).await;
    assert_eq!((wrong.status, wrong.code), (401, 50027));
    assert_eq!(house.call("DELETE", &path, Value::Null).await.status, 204);
    let gone = house.call("POST", &path, json!({ "content": "a" })).await;
    assert_eq!((gone.status, gone.code), (404, 10015));
}

#[tokio::test]
async fn a_webhook_edits_and_deletes_its_own_messages_alone() {
    let house = House::new().await;
    let path = hook(&house).await;
    let theirs = house.post(json!({ "content": "the bot's" })).await.id();
    let own = house.call("POST", &format!("{path}?wait=true"), json!({ "content": "a" })).await.id();
    let message = format!("{path}/messages/{own}");
    assert_eq!(house.call("PATCH", &message, json!({ "content": "b" })).await.body["content"], "b");
    assert_eq!(house.call("GET", &format!("{path}/messages/{theirs}"), Value::Null).await.code, 10008);
    assert_eq!(house.call("DELETE", &message, Value::Null).await.status, 204);
}

#[tokio::test]
async fn five_in_two_seconds_and_a_hidden_thirty_a_minute_for_all_of_a_channel() {
    let house = House::new().await;
    house.grant(MANAGE_WEBHOOKS);
    let mut paths = Vec::new();
    for _ in 0..7 {
        paths.push(hook(&house).await);
    }
    for path in &paths[..6] {
        for _ in 0..5 {
            assert_eq!(house.call("POST", path, json!({ "content": "x" })).await.status, 204);
        }
    }
    let shared = house.call("POST", &paths[6], json!({ "content": "x" })).await;
    assert_eq!((shared.status, shared.header("x-ratelimit-scope")), (429, Some("shared")));
    assert_eq!(shared.header("x-ratelimit-remaining"), Some("4"), "its own bucket does not tell of it");
    assert_eq!(house.sim.messages(house.channel).len(), 30);
    assert_eq!(house.sim.statistics().invalid, 0, "shared limits don't count towards the ban");
    let own = house.call("POST", &paths[0], json!({ "content": "x" })).await;
    assert_eq!((own.status, own.header("x-ratelimit-scope")), (429, Some("user")), "the sixth in two seconds");
}

#[tokio::test]
async fn in_a_forum_a_thread_is_named_or_made() {
    let house = House::new().await;
    house.grant(MANAGE_WEBHOOKS | MANAGE_CHANNELS);
    let forum = house.sim.add_channel(house.guild, "forum", ChannelKind::Forum);
    let made = house.call("POST", &format!("/channels/{forum}/webhooks"), json!({ "name": "events" })).await;
    let path = format!("/webhooks/{}/{}", made.id(), made.body["token"].as_str().unwrap());
    let send =
        async |query: &str, body: Value| house.patiently("POST", &format!("{path}?wait=true{query}"), body).await;
    assert_eq!(send("", json!({ "content": "x" })).await.code, 220_001);
    let post = send("", json!({ "content": "x", "thread_name": "wipe" })).await;
    assert_eq!(post.body["channel_id"], post.body["id"]);
    let thread = format!("&thread_id={}", post.id());
    assert_eq!(send(&thread, json!({ "content": "y" })).await.status, 200);
    assert_eq!(send(&thread, json!({ "content": "y", "thread_name": "z" })).await.code, 220_002);
    assert_eq!(house.sim.messages(post.id()).len(), 2);
    let text = hook(&house).await;
    assert_eq!(house.call("POST", &text, json!({ "content": "x", "thread_name": "z" })).await.code, 220_003);
}

#[tokio::test]
async fn only_the_applications_own_webhook_sends_buttons() {
    let house = House::new().await;
    let (id, token) = house.sim.add_webhook(house.channel, house.sim.owner(house.guild), "a person's");
    let button = json!({ "type": 2, "style": 1, "label": "go", "custom_id": "go" });
    let body = json!({ "content": "x", "components": [{ "type": 1, "components": [button] }] });
    let refused = house.call("POST", &format!("/webhooks/{id}/{token}"), body.clone()).await;
    assert_eq!(refused.fault("components"), "BASE_TYPE_BAD_TYPE");
    let own = hook(&house).await;
    assert_eq!(house.call("POST", &own, body).await.status, 204);
}
