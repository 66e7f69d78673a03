//! Replies, edits, bulk deletes, lists, crossposts and typing; and what the gateway tells of them.

mod common;

use std::time::Duration;

use common::House;
use discord_sim::{ChannelKind, Options};
use serde_json::{Value, json};

const VIEW_AND_SEND: u64 = 1 << 10 | 1 << 11;
const MANAGE_MESSAGES: u64 = 1 << 13;
const READ_MESSAGE_HISTORY: u64 = 1 << 16;

#[tokio::test]
async fn a_reply_names_its_message_and_notifies_who_wrote_it() {
    let house = House::new().await;
    let person = house.sim.add_member(house.guild, "person", 0);
    let asked = house.sim.say(house.channel, person, "when is the wipe?");
    let reply = json!({ "content": "on Thursday", "message_reference": { "message_id": asked.to_string() } });
    let got = house.post(reply.clone()).await;
    assert_eq!((got.status, &got.body["type"]), (200, &json!(19)));
    assert_eq!(got.body["referenced_message"]["content"], "when is the wipe?");
    assert_eq!(house.sim.messages(house.channel)[1].notified_users, vec![person]);
    let mut silent = reply.clone();
    silent["allowed_mentions"] = json!({ "parse": [] });
    house.post(silent).await;
    assert!(house.sim.messages(house.channel)[2].notified_users.is_empty());
    house.sim.deny(house.channel, READ_MESSAGE_HISTORY);
    assert_eq!(house.post(reply.clone()).await.code, 160_002);
    house.sim.deny(house.channel, 0);
    house.sim.delete_message(house.channel, asked);
    assert_eq!(house.post(reply.clone()).await.fault("message_reference"), "REPLIES_UNKNOWN_MESSAGE");
    let mut careless = reply;
    careless["message_reference"]["fail_if_not_exists"] = json!(false);
    assert_eq!(house.post(careless).await.body["type"], 0);
}

#[tokio::test]
async fn a_reply_to_a_reply_holds_one_message_only() {
    let house = House::new().await;
    let user = house.owner().user;
    let first = house.sim.say(house.channel, user, "first");
    let second = house.sim.answer(house.channel, user, first, "second");
    let third = house.sim.answer(house.channel, user, second, "third");
    let reply = json!({ "content": "fourth", "message_reference": { "message_id": third.to_string() } });
    let fourth = house.post(reply).await.body;
    for (message, answered) in [(house.sim.messages(house.channel)[2].raw.clone(), "second"), (fourth, "third")] {
        let other = &message["referenced_message"];
        assert_eq!((&other["content"], other.get("referenced_message")), (&json!(answered), None));
    }
}

#[tokio::test]
async fn a_forward_carries_a_snapshot_and_needs_no_text() {
    let house = House::new().await;
    let other = house.sim.add_channel(house.guild, "other", ChannelKind::Text);
    let id = house.post_to(other, json!({ "content": "the news" })).await.id();
    let reference = json!({ "type": 1, "message_id": id.to_string(), "channel_id": other.to_string() });
    let got = house.post(json!({ "message_reference": reference })).await;
    assert_eq!(got.body["message_snapshots"][0]["message"]["content"], "the news");
    house.sim.deny(other, VIEW_AND_SEND);
    assert_eq!(house.post(json!({ "message_reference": reference })).await.code, 50001);
}

#[tokio::test]
async fn others_messages_can_only_be_suppressed_and_only_by_moderators() {
    let house = House::new().await;
    let person = house.sim.add_member(house.guild, "person", 0);
    let id = house.sim.say(house.channel, person, "look: https://example.com");
    let path = format!("/messages/{id}");
    assert_eq!(house.here("PATCH", &path, json!({ "content": "censored" })).await.code, 50005);
    assert_eq!(house.here("PATCH", &path, json!({ "flags": 4 })).await.code, 50013);
    assert_eq!(house.here("DELETE", &path, Value::Null).await.code, 50013);
    house.grant(MANAGE_MESSAGES);
    let suppressed = house.here("PATCH", &path, json!({ "flags": 4 })).await;
    assert_eq!(
        (&suppressed.body["flags"], &suppressed.body["content"]),
        (&json!(4), &json!("look: https://example.com"))
    );
    assert_eq!(house.here("DELETE", &path, Value::Null).await.status, 204);
}

#[tokio::test]
async fn an_edit_reads_mentions_anew_and_leaves_what_it_does_not_name() {
    let house = House::new().await;
    let person = house.sim.add_member(house.guild, "person", 0);
    let body = json!({ "content": "x", "embeds": [{ "title": "kept" }], "allowed_mentions": { "parse": [] } });
    let path = format!("/messages/{}", house.post(body).await.id());
    let edited = house.here("PATCH", &path, json!({ "content": format!("<@{person}>") })).await;
    assert_eq!(edited.body["mentions"][0]["id"], json!(person.to_string()), "defaults, not what the create said");
    assert_eq!(edited.body["embeds"][0]["title"], "kept");
    let emptied = house.here("PATCH", &path, json!({ "content": "", "embeds": [] })).await;
    assert_eq!(emptied.code, 50006);
}

#[tokio::test]
async fn edits_of_messages_older_than_an_hour_are_few() {
    let house = House::with(Options { old_edits_per_hour: Some(2), ..Options::default() }).await;
    let path = format!("/messages/{}", house.post(json!({ "content": "status" })).await.id());
    assert_eq!(house.here("PATCH", &path, json!({ "content": "young" })).await.status, 200);
    house.sim.pass_time(Duration::from_mins(61));
    for edit in ["one", "two"] {
        assert_eq!(house.here("PATCH", &path, json!({ "content": edit })).await.status, 200);
    }
    let refused = house.here("PATCH", &path, json!({ "content": "three" })).await;
    assert_eq!((refused.status, refused.code), (429, 30046));
    assert_eq!(house.sim.messages(house.channel)[0].content, "two");
}

#[tokio::test]
async fn bulk_delete_takes_2_to_100_of_the_last_fortnight() {
    let house = House::new().await;
    let person = house.sim.add_member(house.guild, "person", 0);
    let old = house.sim.say(house.channel, person, "old");
    house.sim.pass_time(Duration::from_hours(15 * 24));
    let new: Vec<u64> = (0..3).map(|at| house.sim.say(house.channel, person, &at.to_string())).collect();
    let bulk = async |ids: &[u64]| {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        house
            .patiently("POST", &format!("/channels/{}/messages/bulk-delete", house.channel), json!({ "messages": ids }))
            .await
    };
    assert_eq!(bulk(&new).await.code, 50013);
    house.grant(MANAGE_MESSAGES);
    assert_eq!(bulk(&new[..1]).await.fault("messages"), "BASE_TYPE_BAD_LENGTH");
    assert_eq!(bulk(&[new[0], old]).await.code, 50034);
    assert_eq!(bulk(&[new[0], new[0]]).await.status, 400, "no id stands twice");
    let mut socket = house.watch().await;
    assert_eq!(bulk(&new).await.status, 204);
    assert_eq!(socket.until("MESSAGE_DELETE_BULK").await["d"]["ids"].as_array().unwrap().len(), 3);
    assert_eq!(house.sim.messages(house.channel).len(), 1);
}

#[tokio::test]
async fn a_list_goes_by_around_before_after_and_limit() {
    let house = House::new().await;
    let person = house.sim.add_member(house.guild, "person", 0);
    let ids: Vec<u64> = (0..5).map(|at| house.sim.say(house.channel, person, &at.to_string())).collect();
    let list = async |query: String| {
        let got = house.here("GET", &format!("/messages{query}"), Value::Null).await;
        let list = got.body.as_array().cloned().unwrap_or_default();
        list.iter().map(|message| message["content"].as_str().unwrap().to_owned()).collect::<String>()
    };
    assert_eq!(list(String::new()).await, "43210");
    assert_eq!(list("?limit=2".to_owned()).await, "43");
    assert_eq!(list(format!("?before={}&limit=2", ids[3])).await, "21");
    assert_eq!(list(format!("?after={}&limit=2", ids[0])).await, "21");
    assert_eq!(list(format!("?around={}&limit=3", ids[2])).await, "321");
    assert_eq!(house.here("GET", "/messages?limit=101", Value::Null).await.fault("limit"), "NUMBER_TYPE_MAX");
    house.sim.deny(house.channel, READ_MESSAGE_HISTORY);
    assert_eq!(list(String::new()).await, "", "without the history it is empty, no error");
}

#[tokio::test]
async fn a_layout_can_keep_every_limit_and_still_be_too_heavy() {
    let house = House::new().await;
    let layout = |bytes: usize| {
        let text = format!("{}{}", "あ".repeat(3386), "x".repeat(bytes - 3 * 3386));
        json!({ "flags": 1 << 15, "components": [{ "type": 10, "content": text }] })
    };
    assert_eq!(house.post(layout(10_158)).await.status, 200);
    assert_eq!(house.post(layout(10_159)).await.status, 500);
}

#[tokio::test]
async fn only_announcements_are_crossposted_and_once() {
    let house = House::new().await;
    let id = house.post(json!({ "content": "x" })).await.id();
    assert_eq!(house.here("POST", &format!("/messages/{id}/crosspost"), Value::Null).await.code, 50024);
    let news = house.sim.add_channel(house.guild, "news", ChannelKind::Announcement);
    let id = house.post_to(news, json!({ "content": "wiped" })).await.id();
    let path = format!("/channels/{news}/messages/{id}/crosspost");
    assert_eq!(house.call("POST", &path, Value::Null).await.body["flags"], 1);
    assert_eq!(house.call("POST", &path, Value::Null).await.code, 40033);
}

#[tokio::test]
async fn what_this_stand_in_has_not_is_refused_and_not_swallowed() {
    let house = House::new().await;
    assert_eq!(house.post(json!({ "content": "x", "sticker_ids": ["1"] })).await.code, 50081);
    let poll = json!({ "question": { "text": "?" }, "answers": [] });
    assert_eq!(house.post(json!({ "content": "x", "poll": poll })).await.fault("poll"), "NOT_SIMULATED");
    let spoken = house.post(json!({ "content": "x", "tts": true })).await;
    assert_eq!(spoken.body["tts"], false, "without SEND_TTS_MESSAGES it is not read out");
}

#[tokio::test]
async fn the_gateway_tells_of_every_message_and_of_typing() {
    let house = House::new().await;
    let person = house.sim.add_member(house.guild, "person", 0);
    let mut socket = house.watch().await;
    let id = house.post(json!({ "content": "a" })).await.id();
    let created = socket.until("MESSAGE_CREATE").await;
    assert_eq!(
        (&created["d"]["id"], &created["d"]["guild_id"]),
        (&json!(id.to_string()), &json!(house.guild.to_string()))
    );
    assert!(created["d"]["member"]["roles"].is_array());
    house.here("PATCH", &format!("/messages/{id}"), json!({ "content": "b" })).await;
    assert_eq!(socket.until("MESSAGE_UPDATE").await["d"]["content"], "b");
    house.here("DELETE", &format!("/messages/{id}"), Value::Null).await;
    assert_eq!(socket.until("MESSAGE_DELETE").await["d"]["id"], json!(id.to_string()));
    assert_eq!(house.here("POST", "/typing", Value::Null).await.status, 204);
    assert_eq!(socket.until("TYPING_START").await["d"]["user_id"], json!(house.sim.bot().to_string()));
    let said = house.sim.say(house.channel, person, "mine alone");
    let heard = socket.until("MESSAGE_CREATE").await;
    assert_eq!((&heard["d"]["id"], &heard["d"]["content"]), (&json!(said.to_string()), &json!("")));
    let hidden = house.sim.add_channel(house.guild, "hidden", ChannelKind::Text);
    house.sim.deny(hidden, VIEW_AND_SEND);
    house.sim.say(hidden, person, "unseen");
    house.sim.say(house.channel, person, "seen");
    let next = socket.until("MESSAGE_CREATE").await;
    assert_eq!(next["d"]["channel_id"], json!(house.channel.to_string()), "what the bot cannot see it does not hear");
}
