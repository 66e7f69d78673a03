//! Threads and forum posts: starting, joining, archiving, locking, listing.

mod common;

use common::House;
use discord_sim::ChannelKind;
use serde_json::{Value, json};

const MANAGE_CHANNELS: u64 = 1 << 4;
const MANAGE_THREADS: u64 = 1 << 34;
const CREATE_PUBLIC_THREADS: u64 = 1 << 35;
const CREATE_PRIVATE_THREADS: u64 = 1 << 36;

#[tokio::test]
async fn a_thread_from_a_message_has_its_id_and_is_made_once() {
    let house = House::new().await;
    let id = house.post(json!({ "content": "x" })).await.id();
    let path = format!("/messages/{id}/threads");
    assert_eq!(house.here("POST", &path, json!({ "name": "talk" })).await.code, 50013);
    house.grant(CREATE_PUBLIC_THREADS);
    assert_eq!(house.here("POST", &path, json!({ "name": "" })).await.fault("name"), "BASE_TYPE_BAD_LENGTH");
    let odd = json!({ "name": "talk", "auto_archive_duration": 61 });
    assert_eq!(house.here("POST", &path, odd).await.fault("auto_archive_duration"), "BASE_TYPE_CHOICES");
    let mut socket = house.watch().await;
    let thread = house.here("POST", &path, json!({ "name": "talk" })).await;
    assert_eq!((thread.status, thread.id(), &thread.body["type"]), (201, id, &json!(11)));
    assert_eq!(socket.until("THREAD_CREATE").await["d"]["newly_created"], true);
    let message = house.here("GET", &format!("/messages/{id}"), Value::Null).await;
    assert_eq!(message.body["thread"]["name"], "talk");
    assert_eq!(message.body["flags"], 1 << 5);
    assert_eq!(house.here("POST", &path, json!({ "name": "again" })).await.code, 160_004);
}

#[tokio::test]
async fn a_private_thread_is_for_its_members() {
    let house = House::new().await;
    house.grant(CREATE_PUBLIC_THREADS);
    let body = json!({ "name": "secret", "type": 12 });
    assert_eq!(house.here("POST", "/threads", body.clone()).await.code, 50013, "it has a permission of its own");
    house.grant(CREATE_PRIVATE_THREADS);
    assert_eq!(house.here("POST", "/threads", body).await.body["type"], 12);
    let owner = house.sim.owner(house.guild);
    let parent = house.channel;
    let theirs = house.sim.start_thread(owner, "theirs", ChannelKind::PrivateThread { parent });
    assert_eq!(house.call("GET", &format!("/channels/{theirs}"), Value::Null).await.code, 50001);
    house.sim.join_thread(theirs, house.sim.bot());
    assert_eq!(house.call("GET", &format!("/channels/{theirs}"), Value::Null).await.status, 200);
}

#[tokio::test]
async fn a_public_thread_without_a_message_is_told_in_its_channel() {
    let house = House::new().await;
    house.grant(CREATE_PUBLIC_THREADS);
    let thread = house.here("POST", "/threads", json!({ "name": "talk", "type": 11 })).await;
    assert_eq!(thread.status, 201);
    let told = house.sim.messages(house.channel);
    assert_eq!((&told[0].raw["type"], told[0].content.as_str()), (&json!(18), "talk"));
    let voice = house.sim.add_channel(house.guild, "voice", ChannelKind::Voice);
    assert_eq!(house.call("POST", &format!("/channels/{voice}/threads"), json!({ "name": "x" })).await.code, 50024);
}

#[tokio::test]
async fn a_message_wakes_an_archived_thread_and_a_locked_one_takes_none() {
    let house = House::new().await;
    let thread = house.sim.add_channel(house.guild, "talk", ChannelKind::PublicThread { parent: house.channel });
    house.sim.set_archived(thread, true);
    let path = format!("/channels/{thread}");
    let archived = house.call("GET", &path, Value::Null).await;
    assert_eq!(archived.body["thread_metadata"]["archived"], true);
    assert_eq!(house.call("PUT", &format!("{path}/thread-members/@me"), Value::Null).await.code, 50083);
    assert_eq!(house.call("PATCH", &path, json!({ "name": "other" })).await.code, 50013);
    let mut socket = house.watch().await;
    assert_eq!(house.post_to(thread, json!({ "content": "hello" })).await.status, 200);
    assert_eq!(socket.until("THREAD_UPDATE").await["d"]["thread_metadata"]["archived"], false);
    house.grant(MANAGE_THREADS);
    let closed = house.call("PATCH", &path, json!({ "archived": true, "locked": true })).await;
    assert_eq!((closed.status, &closed.body["thread_metadata"]["locked"]), (200, &json!(true)));
    assert_eq!(house.call("PATCH", &path, json!({ "name": "other" })).await.code, 50083, "it is archived");
    house.grant(0);
    assert_eq!(house.post_to(thread, json!({ "content": "hello" })).await.code, 160_005);
    assert_eq!(house.call("PATCH", &path, json!({ "archived": false })).await.code, 50013, "only moderators unlock");
    house.sim.set_locked(thread, false);
    assert_eq!(house.call("PATCH", &path, json!({ "archived": false })).await.status, 200);
}

#[tokio::test]
async fn members_join_leave_and_are_listed_with_the_privileged_intent() {
    let options = discord_sim::Options { privileged_intents: true, ..discord_sim::Options::default() };
    let house = House::with(options).await;
    let person = house.sim.add_member(house.guild, "person", 0);
    let thread = house.sim.add_channel(house.guild, "talk", ChannelKind::PublicThread { parent: house.channel });
    let path = format!("/channels/{thread}/thread-members");
    let mut socket = house.watch().await;
    assert_eq!(house.call("PUT", &format!("{path}/@me"), Value::Null).await.status, 204);
    let told = socket.until("THREAD_MEMBERS_UPDATE").await;
    assert_eq!(told["d"]["added_members"][0]["user_id"], json!(house.sim.bot().to_string()));
    assert_eq!(house.call("PUT", &format!("{path}/{person}"), Value::Null).await.status, 204);
    assert_eq!(house.call("GET", &path, Value::Null).await.body.as_array().unwrap().len(), 3);
    assert_eq!(house.call("DELETE", &format!("{path}/{person}"), Value::Null).await.code, 50013);
    assert_eq!(house.call("DELETE", &format!("{path}/@me"), Value::Null).await.status, 204);
    assert_eq!(house.call("GET", &format!("{path}/@me"), Value::Null).await.code, 10007);
    let plain = House::new().await;
    let thread = plain.sim.add_channel(plain.guild, "talk", ChannelKind::PublicThread { parent: plain.channel });
    assert_eq!(plain.call("GET", &format!("/channels/{thread}/thread-members"), Value::Null).await.code, 50001);
}

#[tokio::test]
async fn a_forum_post_has_a_message_and_the_tags_its_forum_asks_for() {
    let house = House::new().await;
    house.grant(MANAGE_CHANNELS);
    let tags: Vec<Value> = (0..6).map(|at| json!({ "name": format!("tag {at}") })).collect();
    let body = json!({ "name": "Help", "type": 15, "available_tags": tags, "flags": 1 << 4 });
    let forum = house.in_guild("POST", "/channels", body).await;
    let known: Vec<Value> =
        forum.body["available_tags"].as_array().unwrap().iter().map(|tag| tag["id"].clone()).collect();
    let path = format!("/channels/{}/threads", forum.id());
    let post = async |tags: Value| {
        let message = json!({ "content": "how?" });
        house.call("POST", &path, json!({ "name": "question", "message": message, "applied_tags": tags })).await
    };
    assert_eq!(house.call("POST", &path, json!({ "name": "question" })).await.fault("message"), "BASE_TYPE_REQUIRED");
    assert_eq!(post(json!([])).await.code, 40067);
    assert_eq!(post(json!(known)).await.fault("applied_tags"), "BASE_TYPE_MAX_LENGTH");
    assert_eq!(post(json!(["1"])).await.code, 10087);
    let made = post(json!([known[0]])).await;
    assert_eq!((made.status, &made.body["message"]["id"]), (201, &made.body["id"]));
    assert_eq!(made.body["applied_tags"], json!([known[0]]));
    assert_eq!(house.sim.messages(made.id())[0].content, "how?");
}

#[tokio::test]
async fn active_and_archived_threads_are_listed_apart() {
    let house = House::new().await;
    let kind = ChannelKind::PublicThread { parent: house.channel };
    let open = house.sim.add_channel(house.guild, "open", kind);
    let mut done = Vec::new();
    for at in 0..3 {
        let thread = house.sim.add_channel(house.guild, &at.to_string(), kind);
        house.sim.set_archived(thread, true);
        done.insert(0, thread.to_string());
    }
    let active = house.in_guild("GET", "/threads/active", Value::Null).await;
    assert_eq!(active.body["threads"].as_array().unwrap().len(), 1);
    assert_eq!(active.body["threads"][0]["id"], json!(open.to_string()));
    let page = house.here("GET", "/threads/archived/public?limit=2", Value::Null).await.body;
    assert_eq!((&page["threads"][0]["id"], &page["has_more"]), (&json!(done[0]), &json!(true)));
    let before = page["threads"][1]["thread_metadata"]["archive_timestamp"].as_str().unwrap();
    let rest = house.here("GET", &format!("/threads/archived/public?before={before}"), Value::Null).await.body;
    assert_eq!((&rest["threads"][0]["id"], &rest["has_more"]), (&json!(done[2]), &json!(false)));
    assert_eq!(house.here("GET", "/threads/archived/private", Value::Null).await.code, 50013);
}
