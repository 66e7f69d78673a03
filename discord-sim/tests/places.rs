//! Channels, overwrites, roles and members: who may change what, and the limits of each.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::time::Duration;

use common::House;
use discord_sim::{ChannelKind, Options};
use serde_json::{Value, json};

const KICK_MEMBERS: u64 = 1 << 1;
const MANAGE_CHANNELS: u64 = 1 << 4;
const VIEW_CHANNEL: u64 = 1 << 10;
const SEND_MESSAGES: u64 = 1 << 11;
const BAN_MEMBERS: u64 = 1 << 2;
const CHANGE_NICKNAME: u64 = 1 << 26;
const MANAGE_NICKNAMES: u64 = 1 << 27;
const MANAGE_ROLES: u64 = 1 << 28;
const MODERATE_MEMBERS: u64 = 1 << 40;

#[tokio::test]
async fn channels_are_made_changed_and_deleted() {
    let house = House::new().await;
    let made = json!({ "name": "Wipe News", "type": 0, "topic": "when" });
    assert_eq!(house.in_guild("POST", "/channels", made.clone()).await.code, 50013);
    house.grant(MANAGE_CHANNELS);
    let mut socket = house.watch().await;
    let channel = house.in_guild("POST", "/channels", made).await;
    assert_eq!((channel.status, &channel.body["name"]), (201, &json!("wipe-news")));
    assert_eq!(socket.until("CHANNEL_CREATE").await["d"]["topic"], "when");
    let path = format!("/channels/{}", channel.id());
    let long = house.call("PATCH", &path, json!({ "topic": "t".repeat(1025), "rate_limit_per_user": 21_601 })).await;
    assert_eq!(long.fault("topic"), "BASE_TYPE_BAD_LENGTH");
    assert_eq!(long.fault("rate_limit_per_user"), "NUMBER_TYPE_MAX", "every fault is told");
    let news = house.call("PATCH", &path, json!({ "type": 5, "topic": null })).await;
    assert_eq!((&news.body["type"], &news.body["topic"]), (&json!(5), &Value::Null));
    assert_eq!(house.call("PATCH", &path, json!({ "type": 2 })).await.fault("type"), "BASE_TYPE_CHOICES");
    assert_eq!(house.call("DELETE", &path, Value::Null).await.body["id"], channel.body["id"]);
    socket.until("CHANNEL_DELETE").await;
    assert_eq!(house.call("GET", &path, Value::Null).await.code, 10003);
}

#[tokio::test]
async fn what_is_no_object_changes_nothing() {
    let house = House::new().await;
    house.grant(MANAGE_CHANNELS | MANAGE_ROLES);
    let member = format!("/guilds/{}/members/{}", house.guild, house.sim.owner(house.guild));
    let role = format!("/guilds/{}/roles/{}", house.guild, house.sim.add_role(house.guild, "r", false));
    for path in [format!("/channels/{}", house.channel), role, member] {
        for wrong in [json!([]), json!("x"), json!(5)] {
            let refused = house.call("PATCH", &path, wrong).await.body;
            assert_eq!(refused["errors"]["_errors"][0]["code"], "MODEL_TYPE_CONVERT", "{path}");
        }
    }
}

#[tokio::test]
async fn channels_move_within_a_guild_all_or_none() {
    let house = House::new().await;
    house.grant(MANAGE_CHANNELS);
    let (text, other) = (ChannelKind::Text, house.sim.add_guild("Other"));
    let [category, foreign] =
        [house.guild, other].map(|guild| house.sim.add_channel(guild, "Servers", ChannelKind::Category).to_string());
    let channel = house.channel.to_string();
    let moved = json!([{ "id": channel, "position": 7, "parent_id": category }]);
    assert_eq!(house.in_guild("PATCH", "/channels", moved).await.status, 204);
    for (wrong, path, fault) in [
        (json!({ "position": u64::MAX }), "position", "NUMBER_TYPE_MAX"),
        (json!({ "position": 1_u64 << 31 }), "position", "NUMBER_TYPE_MAX"),
        (json!({ "position": "8" }), "position", "NUMBER_TYPE_MAX"),
        (json!({ "position": 8, "parent_id": foreign }), "parent_id", "CHANNEL_PARENT_INVALID"),
        (json!({ "position": 8, "parent_id": channel }), "parent_id", "CHANNEL_PARENT_INVALID"),
    ] {
        let mut list = json!([{ "id": channel, "position": 9 }, wrong]);
        list[1]["id"] = json!(channel);
        assert_eq!(house.in_guild("PATCH", "/channels", list).await.fault(path), fault, "{wrong}");
    }
    let wide = json!({ "name": "wide", "position": 1_u64 << 31 });
    assert_eq!(house.in_guild("POST", "/channels", wide).await.fault("position"), "NUMBER_TYPE_MAX");
    for place in ["/channels", "/roles"] {
        house.grant(MANAGE_CHANNELS | MANAGE_ROLES);
        assert_eq!(house.in_guild("PATCH", place, json!({ "id": channel })).await.code, 50035, "{place}: no list");
    }
    let stands = house.here("GET", "", Value::Null).await.body;
    assert_eq!((&stands["position"], &stands["parent_id"]), (&json!(7), &json!(category)));
    house.sim.add_channel(house.guild, "next", text);
    let freed = json!([{ "id": channel, "parent_id": null }]);
    assert_eq!(house.in_guild("PATCH", "/channels", freed).await.status, 204);
    assert_eq!(house.here("GET", "", Value::Null).await.body["parent_id"], Value::Null);
}

#[tokio::test]
async fn a_category_holds_fifty_and_leaves_its_channels_when_it_goes() {
    let house = House::new().await;
    house.grant(MANAGE_CHANNELS);
    let category = house.sim.add_channel(house.guild, "Servers", ChannelKind::Category);
    let child = json!({ "name": "x", "parent_id": category.to_string() });
    let mut first = 0;
    for at in 0..50 {
        let made = house.patiently("POST", &format!("/guilds/{}/channels", house.guild), child.clone()).await;
        first = if at == 0 { made.id() } else { first };
    }
    let full = house.patiently("POST", &format!("/guilds/{}/channels", house.guild), child).await;
    assert_eq!(full.fault("parent_id"), "CHANNEL_PARENT_MAX_CHANNELS");
    house.patiently("DELETE", &format!("/channels/{category}"), Value::Null).await;
    let left = house.patiently("GET", &format!("/channels/{first}"), Value::Null).await;
    assert_eq!((left.status, &left.body["parent_id"]), (200, &Value::Null));
}

#[tokio::test]
async fn nobody_gives_in_an_overwrite_what_they_lack() {
    let house = House::new().await;
    let person = house.sim.add_member(house.guild, "person", 0);
    let path = format!("/channels/{}/permissions/{person}", house.channel);
    let hide = json!({ "type": 1, "allow": "0", "deny": VIEW_CHANNEL.to_string() });
    assert_eq!(house.call("PUT", &path, hide.clone()).await.code, 50013);
    house.grant(MANAGE_ROLES);
    let banner = json!({ "type": 1, "allow": BAN_MEMBERS.to_string() });
    assert_eq!(house.call("PUT", &path, banner).await.code, 50013);
    assert_eq!(house.call("PUT", &path, json!({ "allow": "0" })).await.fault("type"), "BASE_TYPE_REQUIRED");
    let mut socket = house.watch().await;
    assert_eq!(house.call("PUT", &path, hide).await.status, 204);
    assert_eq!(socket.until("CHANNEL_UPDATE").await["d"]["permission_overwrites"][0]["id"], json!(person.to_string()));
    assert_eq!(house.call("DELETE", &path, Value::Null).await.status, 204);
    assert_eq!(house.call("DELETE", &path, Value::Null).await.code, 10009);
    let nobody = format!("/channels/{}/permissions/1", house.channel);
    assert_eq!(house.call("PUT", &nobody, json!({ "type": 0 })).await.code, 10011);
}

#[tokio::test]
async fn roles_are_managed_below_ones_own() {
    let house = House::new().await;
    assert_eq!(house.in_guild("POST", "/roles", json!({ "name": "wiped" })).await.code, 50013);
    house.grant(MANAGE_ROLES);
    let strong = json!({ "name": "admins", "permissions": BAN_MEMBERS.to_string() });
    assert_eq!(house.in_guild("POST", "/roles", strong).await.code, 50013, "nobody gives what they lack");
    let mut socket = house.watch().await;
    let role = house.in_guild("POST", "/roles", json!({ "name": "wiped", "color": 255, "mentionable": true })).await;
    assert_eq!((role.status, &role.body["position"], &role.body["color"]), (200, &json!(1), &json!(255)));
    assert_eq!(socket.until("GUILD_ROLE_CREATE").await["d"]["role"]["name"], "wiped");
    let path = format!("/roles/{}", role.id());
    assert_eq!(house.in_guild("PATCH", &path, json!({ "name": "calm" })).await.body["name"], "calm");
    socket.until("GUILD_ROLE_UPDATE").await;
    let own = format!("/roles/{}", house.sim.bot_role(house.guild));
    assert_eq!(house.in_guild("PATCH", &own, json!({ "name": "king" })).await.code, 50013, "not above itself");
    let everyone = format!("/roles/{}", house.guild);
    assert_eq!(house.in_guild("DELETE", &everyone, Value::Null).await.code, 50028);
    let other = house.sim.add_role(house.guild, "other", false);
    let moved = house.in_guild("PATCH", "/roles", json!([{ "id": other.to_string(), "position": 2 }])).await;
    assert_eq!(moved.body[2]["id"], json!(other.to_string()));
    assert_eq!(house.in_guild("DELETE", &path, Value::Null).await.status, 204);
    socket.until("GUILD_ROLE_DELETE").await;
    assert_eq!(house.in_guild("GET", &path, Value::Null).await.code, 10011);
    for at in 0..247 {
        house.sim.add_role(house.guild, &at.to_string(), false);
    }
    assert_eq!(house.in_guild("POST", "/roles", json!({})).await.code, 30005);
}

#[tokio::test]
async fn members_get_roles_nicknames_and_time_outs_from_who_outranks_them() {
    let house = House::with(Options { privileged_intents: true, ..Options::default() }).await;
    let person = house.sim.add_member(house.guild, "person", 0);
    let role = house.sim.add_role(house.guild, "wiped", false);
    let path = format!("/members/{person}");
    assert_eq!(house.in_guild("PUT", &format!("{path}/roles/{role}"), Value::Null).await.code, 50013);
    house.grant(MANAGE_ROLES | MANAGE_NICKNAMES | MODERATE_MEMBERS);
    assert_eq!(house.in_guild("PUT", &format!("{path}/roles/{role}"), Value::Null).await.status, 204);
    let own = house.sim.bot_role(house.guild);
    assert_eq!(house.in_guild("PUT", &format!("{path}/roles/{own}"), Value::Null).await.code, 50013);
    let named = house.in_guild("PATCH", &path, json!({ "nick": "Rusty" })).await;
    assert_eq!((&named.body["nick"], &named.body["roles"][0]), (&json!("Rusty"), &json!(role.to_string())));
    assert_eq!(
        house.in_guild("PATCH", &path, json!({ "nick": "n".repeat(33) })).await.fault("nick"),
        "BASE_TYPE_BAD_LENGTH"
    );
    let owner = format!("/members/{}", house.sim.owner(house.guild));
    assert_eq!(house.in_guild("PATCH", &owner, json!({ "nick": "x" })).await.code, 50013);
    let far = json!({ "communication_disabled_until": "2100-01-01T00:00:00Z" });
    assert_eq!(house.in_guild("PATCH", &path, far).await.status, 400);
    assert_eq!(house.in_guild("DELETE", &format!("{path}/roles/{role}"), Value::Null).await.status, 204);
    assert_eq!(house.in_guild("DELETE", &path, Value::Null).await.code, 50013);
    house.grant(KICK_MEMBERS);
    assert_eq!(house.in_guild("DELETE", &path, Value::Null).await.status, 204);
    assert_eq!(house.in_guild("GET", &path, Value::Null).await.code, 10007);
}

#[tokio::test]
async fn members_are_listed_only_with_the_privileged_intent_and_found_without() {
    let house = House::new().await;
    house.sim.add_member(house.guild, "Rusty", 0);
    assert_eq!(house.in_guild("GET", "/members?limit=10", Value::Null).await.code, 50001);
    let found = house.in_guild("GET", "/members/search?query=rus&limit=10", Value::Null).await;
    let names: Vec<&Value> = found.body.as_array().unwrap().iter().map(|member| &member["user"]["username"]).collect();
    assert_eq!(names, ["Rustaceans-owner", "Rusty"]);
    let open = House::with(Options { privileged_intents: true, ..Options::default() }).await;
    assert_eq!(open.in_guild("GET", "/members?limit=10", Value::Null).await.body.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_bot_names_itself_and_leaves() {
    let house = House::new().await;
    assert_eq!(house.in_guild("PATCH", "/members/@me", json!({ "nick": "guard" })).await.code, 50013);
    house.grant(CHANGE_NICKNAME);
    let mut socket = house.watch().await;
    assert_eq!(house.in_guild("PATCH", "/members/@me", json!({ "nick": "guard" })).await.body["nick"], "guard");
    assert_eq!(
        socket.until("GUILD_MEMBER_UPDATE").await["d"]["nick"],
        "guard",
        "of itself it hears without the intent"
    );
    let left = house.call("DELETE", &format!("/users/@me/guilds/{}", house.guild), Value::Null).await;
    assert_eq!(left.status, 204);
    let gone = socket.until("GUILD_DELETE").await;
    assert!(gone["d"]["unavailable"].is_null());
    assert_eq!(house.call("GET", "/users/@me/guilds", Value::Null).await.body, json!([]));
}

#[tokio::test]
async fn a_deleted_guild_is_gone_with_its_channels() {
    let house = House::new().await;
    let mut socket = house.watch().await;
    house.sim.delete_guild(house.guild);
    assert_eq!(socket.until("GUILD_DELETE").await["d"]["id"], json!(house.guild.to_string()));
    assert_eq!(house.in_guild("GET", "", Value::Null).await.code, 10004);
    assert_eq!(house.post(json!({ "content": "x" })).await.code, 10003);
}

#[tokio::test]
async fn who_is_timed_out_only_reads() {
    let house = House::new().await;
    house.grant(MODERATE_MEMBERS | SEND_MESSAGES);
    let until = time(Duration::from_hours(1));
    let path = format!("/members/{}", house.sim.bot());
    let timed_out = house.in_guild("PATCH", &path, json!({ "communication_disabled_until": until })).await;
    assert_eq!(timed_out.status, 200, "{}", timed_out.body);
    assert_eq!(house.post(json!({ "content": "x" })).await.code, 50013);
    assert_eq!(house.here("GET", "/messages", Value::Null).await.status, 200);
    house.sim.pass_time(Duration::from_hours(2));
    assert_eq!(house.post(json!({ "content": "x" })).await.status, 200);
}

/// A moment from now as Discord writes it.
fn time(from_now: Duration) -> String {
    (time::OffsetDateTime::now_utc() + from_now).format(&time::format_description::well_known::Rfc3339).unwrap()
}
