//! Reactions and pins: who may, how many, and what the gateway tells.

mod common;

use common::House;
use discord_sim::Sim;
use serde_json::{Value, json};

const ADD_REACTIONS: u64 = 1 << 6;
const MANAGE_MESSAGES: u64 = 1 << 13;
const PIN_MESSAGES: u64 = 1 << 51;
const THUMB: &str = "%F0%9F%91%8D";

#[tokio::test]
async fn reactions_are_added_listed_and_taken_back() {
    let house = House::new().await;
    let person = house.sim.add_member(house.guild, "person", 0);
    let id = house.post(json!({ "content": "x" })).await.id();
    let path = format!("/channels/{}/messages/{id}/reactions/{THUMB}", house.channel);
    let mut socket = house.watch().await;
    assert_eq!(house.patiently("PUT", &format!("{path}/@me"), Value::Null).await.status, 204);
    let added = socket.until("MESSAGE_REACTION_ADD").await;
    assert_eq!(
        (&added["d"]["emoji"]["name"], &added["d"]["message_author_id"]),
        (&json!("👍"), &json!(house.sim.bot().to_string()))
    );
    house.sim.react(house.channel, id, person, "👍");
    let message = house.here("GET", &format!("/messages/{id}"), Value::Null).await;
    assert_eq!(
        (&message.body["reactions"][0]["count"], &message.body["reactions"][0]["me"]),
        (&json!(2), &json!(true))
    );
    let users = house.call("GET", &format!("{path}?limit=1&after={}", house.sim.bot()), Value::Null).await;
    assert_eq!(users.body[0]["id"], json!(person.to_string()));
    assert_eq!(house.patiently("DELETE", &format!("{path}/{person}"), Value::Null).await.code, 50013);
    assert_eq!(house.patiently("DELETE", &format!("{path}/@me"), Value::Null).await.status, 204);
    assert_eq!(socket.until("MESSAGE_REACTION_REMOVE").await["d"]["user_id"], json!(house.sim.bot().to_string()));
    house.grant(MANAGE_MESSAGES);
    assert_eq!(house.patiently("DELETE", &path, Value::Null).await.status, 204);
    socket.until("MESSAGE_REACTION_REMOVE_EMOJI").await;
    let all = format!("/channels/{}/messages/{id}/reactions", house.channel);
    assert_eq!(house.patiently("DELETE", &all, Value::Null).await.status, 204);
    socket.until("MESSAGE_REACTION_REMOVE_ALL").await;
}

#[tokio::test]
async fn only_the_first_of_an_emoji_needs_the_permission_to_add() {
    let house = House::new().await;
    let person = house.sim.add_member(house.guild, "person", 0);
    let id = house.post(json!({ "content": "x" })).await.id();
    house.sim.deny(house.channel, ADD_REACTIONS);
    let path = format!("/channels/{}/messages/{id}/reactions/{THUMB}/@me", house.channel);
    assert_eq!(house.patiently("PUT", &path, Value::Null).await.code, 50013);
    house.sim.react(house.channel, id, person, "👍");
    assert_eq!(house.patiently("PUT", &path, Value::Null).await.status, 204);
}

#[tokio::test]
async fn what_is_no_emoji_and_the_21st_are_refused() {
    let house = House::new().await;
    let person = house.sim.add_member(house.guild, "person", 0);
    let id = house.post(json!({ "content": "x" })).await.id();
    let path = |emoji: &str| format!("/channels/{}/messages/{id}/reactions/{emoji}/@me", house.channel);
    for wrong in ["smile", "rust:123", "1", "%3Cscript%3E"] {
        assert_eq!(house.patiently("PUT", &path(wrong), Value::Null).await.code, 10014, "{wrong}");
    }
    for at in 0..20 {
        house.sim.react(house.channel, id, person, &char::from_u32(0x1F34E + at).unwrap().to_string());
    }
    assert_eq!(house.patiently("PUT", &path(THUMB), Value::Null).await.code, 30010);
}

#[tokio::test]
async fn reactions_share_a_bucket_of_one_in_a_quarter_of_a_second() {
    let house = House::new().await;
    let id = house.post(json!({ "content": "x" })).await.id();
    let first = house.here("PUT", &format!("/messages/{id}/reactions/{THUMB}/@me"), Value::Null).await;
    let second = house.here("DELETE", &format!("/messages/{id}/reactions/{THUMB}/@me"), Value::Null).await;
    assert_eq!((first.header("x-ratelimit-limit"), second.status), (Some("1"), 429));
    assert_eq!(first.header("x-ratelimit-bucket"), second.header("x-ratelimit-bucket"));
}

fn contents(sim: &Sim, channel: u64) -> Vec<Value> {
    sim.messages(channel).iter().map(|message| message.raw["type"].clone()).collect()
}

#[tokio::test]
async fn pinning_has_its_own_permission_and_says_so_in_the_channel() {
    let house = House::new().await;
    let id = house.post(json!({ "content": "status" })).await.id();
    house.grant(MANAGE_MESSAGES);
    let path = format!("/messages/pins/{id}");
    assert_eq!(house.here("PUT", &path, Value::Null).await.code, 50013, "MANAGE_MESSAGES pins no more");
    house.grant(PIN_MESSAGES);
    let mut socket = house.watch().await;
    assert_eq!(house.here("PUT", &path, Value::Null).await.status, 204);
    assert!(socket.until("CHANNEL_PINS_UPDATE").await["d"]["last_pin_timestamp"].is_string());
    assert_eq!(contents(&house.sim, house.channel), [json!(0), json!(6)]);
    assert_eq!(house.here("PUT", &path, Value::Null).await.status, 204, "once more changes nothing");
    assert_eq!(contents(&house.sim, house.channel).len(), 2);
    let pins = house.here("GET", "/messages/pins", Value::Null).await;
    assert_eq!(pins.body["items"][0]["message"]["pinned"], true);
    assert_eq!(pins.body["has_more"], false);
    assert_eq!(house.here("GET", "/pins", Value::Null).await.body[0]["id"], json!(id.to_string()));
    assert_eq!(house.here("DELETE", &format!("/pins/{id}"), Value::Null).await.status, 204);
    assert!(socket.until("CHANNEL_PINS_UPDATE").await["d"]["last_pin_timestamp"].is_null());
}

#[tokio::test]
async fn pins_come_in_pages_and_250_are_the_most() {
    let house = House::new().await;
    let person = house.sim.owner(house.guild);
    let ids: Vec<u64> = (0..251).map(|at| house.sim.say(house.channel, person, &at.to_string())).collect();
    for &id in &ids[..250] {
        assert!(house.sim.pin(house.channel, id, person));
    }
    house.grant(PIN_MESSAGES);
    let refused = house.here("PUT", &format!("/messages/pins/{}", ids[250]), Value::Null).await;
    assert_eq!((refused.status, refused.code), (400, 30003));
    let mut seen = Vec::new();
    let mut before = String::new();
    loop {
        let page = house.here("GET", &format!("/messages/pins?limit=50{before}"), Value::Null).await.body;
        let items = page["items"].as_array().unwrap().clone();
        seen.extend(items.iter().map(|item| item["message"]["id"].as_str().unwrap().parse::<u64>().unwrap()));
        if page["has_more"] == false {
            break;
        }
        before = format!("&before={}", items.last().unwrap()["pinned_at"].as_str().unwrap().replace('+', "%2B"));
    }
    let mut expected = ids[..250].to_vec();
    expected.reverse();
    assert_eq!(seen, expected);
}
