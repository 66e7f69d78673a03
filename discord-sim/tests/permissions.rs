//! Who may send what where, whom a message notifies, and what cannot take messages at all.

mod common;

use common::House;
use discord_sim::{ChannelKind, Options};
use serde_json::{Value, json};

const VIEW_CHANNEL: u64 = 1 << 10;
const SEND_MESSAGES: u64 = 1 << 11;
const EMBED_LINKS: u64 = 1 << 14;
const MENTION_EVERYONE: u64 = 1 << 17;
const SEND_MESSAGES_IN_THREADS: u64 = 1 << 38;

fn text() -> Value {
    json!({ "content": "hello" })
}

#[tokio::test]
async fn a_text_channel_needs_view_and_send() {
    let house = House::new().await;
    assert_eq!(house.post(text()).await.status, 200);
    house.sim.deny(house.channel, VIEW_CHANNEL);
    let unseen = house.post(text()).await;
    assert_eq!((unseen.status, unseen.code), (403, 50001));
    house.sim.deny(house.channel, SEND_MESSAGES);
    let silent = house.post(text()).await;
    assert_eq!((silent.status, silent.code), (403, 50013));
    house.sim.deny(house.channel, 0);
    assert_eq!(house.post(text()).await.status, 200);
    assert_eq!(house.sim.statistics().invalid, 2);
}

#[tokio::test]
async fn a_thread_needs_its_own_permission_and_not_send_messages() {
    let house = House::new().await;
    let kind = ChannelKind::PublicThread { parent: house.channel };
    let thread = house.sim.add_channel(house.guild, "thread", kind);
    house.sim.deny(house.channel, SEND_MESSAGES);
    assert_eq!(house.post_to(thread, text()).await.status, 200, "SEND_MESSAGES has no effect in a thread");
    house.sim.deny(thread, SEND_MESSAGES_IN_THREADS);
    assert_eq!(house.post_to(thread, text()).await.code, 50013);
    house.sim.deny(thread, 0);
    house.sim.set_locked(thread, true);
    assert_eq!(house.post_to(thread, text()).await.code, 160_005);
}

#[tokio::test]
async fn without_embed_links_embeds_are_dropped_beside_text_and_refused_alone() {
    let house = House::new().await;
    house.sim.deny(house.channel, EMBED_LINKS);
    let alone = house.post(json!({ "embeds": [{ "title": "t" }] })).await;
    assert_eq!((alone.status, alone.code), (403, 50013));
    assert_eq!(house.post(json!({ "content": "x", "embeds": [{ "title": "t" }] })).await.status, 200);
    let shown = house.sim.messages(house.channel);
    assert_eq!((shown.len(), shown[0].embeds.len()), (1, 0));
}

#[tokio::test]
async fn a_forum_takes_no_message_but_its_posts_do() {
    let house = House::new().await;
    let forum = house.sim.add_channel(house.guild, "forum", ChannelKind::Forum);
    let post = house.sim.add_channel(house.guild, "post", ChannelKind::PublicThread { parent: forum });
    assert_eq!(house.post_to(forum, text()).await.code, 40058);
    assert_eq!(house.post_to(post, text()).await.status, 200);
}

#[tokio::test]
async fn gone_channels_guilds_and_outages_are_told_apart() {
    let house = House::new().await;
    let other = house.sim.add_channel(house.guild, "other", ChannelKind::Text);
    house.sim.delete_channel(other);
    let gone = house.post_to(other, text()).await;
    assert_eq!((gone.status, gone.code), (404, 10003));
    house.sim.set_guild_outage(house.guild, true);
    assert_eq!(house.post(text()).await.code, 10003);
    house.sim.set_guild_outage(house.guild, false);
    assert_eq!(house.post(text()).await.status, 200);
    house.sim.remove_bot(house.guild);
    assert_eq!(house.post(text()).await.code, 50001);
    assert_eq!(house.call("GET", &format!("/guilds/{}", house.guild), Value::Null).await.code, 10004);
}

#[tokio::test]
async fn mentions_notify_only_whom_they_may() {
    let house = House::new().await;
    let open = house.sim.add_role(house.guild, "open", true);
    let closed = house.sim.add_role(house.guild, "closed", false);
    let person = house.sim.add_member(house.guild, "person", 0);
    let content = format!("@everyone <@&{open}> <@&{closed}> <@{person}>");
    let send = async |allowed: Value| {
        let mut body = json!({ "content": content });
        if !allowed.is_null() {
            body["allowed_mentions"] = allowed;
        }
        assert_eq!(house.post(body).await.status, 200);
        house.sim.messages(house.channel).pop().unwrap()
    };
    let silent = send(json!({ "parse": [] })).await;
    assert!(silent.notified_roles.is_empty() && silent.notified_users.is_empty() && !silent.notified_everyone);
    let loud = send(Value::Null).await;
    assert_eq!((loud.notified_roles, loud.notified_users), (vec![open], vec![person]));
    assert!(!loud.notified_everyone, "the bot has no MENTION_EVERYONE");
    let named = send(json!({ "parse": [], "roles": [open.to_string()] })).await;
    assert_eq!((named.notified_roles, named.notified_users), (vec![open], vec![]));
    let bot_role = house.sim.bot_role(house.guild);
    house.sim.set_role_permissions(house.guild, bot_role, MENTION_EVERYONE);
    let louder = send(Value::Null).await;
    assert_eq!((louder.notified_roles, louder.notified_everyone), (vec![open, closed], true));
}

#[tokio::test]
async fn allowed_mentions_may_not_contradict_themselves() {
    let house = House::new().await;
    let allowed = json!({ "parse": ["roles"], "roles": ["1"] });
    let refused = house.post(json!({ "content": "x", "allowed_mentions": allowed })).await;
    assert_eq!(
        refused.body["errors"]["allowed_mentions"]["_errors"][0]["code"],
        "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"
    );
}

#[tokio::test]
async fn a_message_can_be_read_listed_edited_and_deleted() {
    let house = House::new().await;
    let mut ids = Vec::new();
    for number in 0..3 {
        let got = house.post(json!({ "content": format!("{number}") })).await;
        ids.push(got.body["id"].as_str().unwrap().to_owned());
    }
    let messages = format!("/channels/{}/messages", house.channel);
    let newest = house.call("GET", &format!("{messages}?limit=2"), Value::Null).await;
    assert_eq!((&newest.body[0]["id"], &newest.body[1]["id"]), (&json!(ids[2]), &json!(ids[1])));
    let after = house.call("GET", &format!("{messages}?after={}&limit=1", ids[0]), Value::Null).await;
    assert_eq!(after.body[0]["id"], json!(ids[1]));
    let one = format!("{messages}/{}", ids[0]);
    let edited = house.call("PATCH", &one, json!({ "content": "changed" })).await;
    assert_eq!(edited.body["content"], "changed");
    assert!(edited.body["edited_timestamp"].is_string());
    assert_eq!(house.call("DELETE", &one, Value::Null).await.status, 204);
    assert_eq!(house.call("GET", &one, Value::Null).await.code, 10008);
}

#[tokio::test]
async fn a_user_may_refuse_direct_messages() {
    let house = House::with(Options::default()).await;
    let person = house.sim.add_member(house.guild, "person", 0);
    let opened = house.call("POST", "/users/@me/channels", json!({ "recipient_id": person.to_string() })).await;
    let channel: u64 = opened.body["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(house.post_to(channel, text()).await.status, 200);
    house.sim.set_direct_messages(person, false);
    assert_eq!(house.post_to(channel, text()).await.code, 50007);
}
