//! Buckets, the global limit, the ban, tokens and user agents.

mod common;

use std::time::Duration;

use common::{Got, House};
use discord_sim::{Bucket, ChannelKind, Options};
use serde_json::{Value, json};

fn two_per_200_milliseconds() -> Options {
    let bucket = Bucket { limit: 2, window: Duration::from_millis(200) };
    Options { message_bucket: Some(bucket), ..Options::default() }
}

#[tokio::test]
async fn a_full_bucket_says_when_it_resets_and_then_takes_more() {
    let house = House::with(two_per_200_milliseconds()).await;
    let first = house.post(json!({ "content": "1" })).await;
    assert_eq!(first.header("x-ratelimit-limit"), Some("2"));
    assert_eq!(first.header("x-ratelimit-remaining"), Some("1"));
    assert!(first.header("x-ratelimit-reset").unwrap().parse::<f64>().unwrap() > 1.0e9);
    house.post(json!({ "content": "2" })).await;
    let refused = house.post(json!({ "content": "3" })).await;
    assert_eq!((refused.status, refused.header("x-ratelimit-scope")), (429, Some("user")));
    assert_eq!(refused.body["global"], false);
    assert_eq!(refused.header("x-ratelimit-remaining"), Some("0"));
    assert_eq!((refused.header("retry-after"), refused.header("x-ratelimit-limit")), (Some("1"), Some("2")));
    assert_eq!(refused.header("x-ratelimit-bucket"), first.header("x-ratelimit-bucket"));
    assert!(refused.header("x-ratelimit-reset-after").unwrap().parse::<f64>().unwrap() > 0.0);
    let wait = refused.body["retry_after"].as_f64().unwrap();
    assert!(wait > 0.0 && wait <= 0.2, "{wait}");
    tokio::time::sleep(Duration::from_secs_f64(wait)).await;
    assert_eq!(house.post(json!({ "content": "3" })).await.status, 200);
    assert_eq!(house.sim.statistics().rate_limited["user"], 1);
}

#[tokio::test]
async fn channels_share_the_hash_but_not_the_bucket() {
    let house = House::with(two_per_200_milliseconds()).await;
    let other = house.sim.add_channel(house.guild, "other", ChannelKind::Text);
    let body = json!({ "content": "x" });
    house.post(body.clone()).await;
    let last = house.post(body.clone()).await;
    let elsewhere = house.post_to(other, body).await;
    assert_eq!(last.header("x-ratelimit-bucket"), elsewhere.header("x-ratelimit-bucket"));
    assert_eq!(elsewhere.header("x-ratelimit-remaining"), Some("1"));
}

#[tokio::test]
async fn the_default_bucket_varies_by_seed_around_five_per_five_seconds() {
    for seed in 0..10 {
        let bucket = House::with(Options { seed, ..Options::default() }).await.sim.message_bucket();
        assert!((4..=6).contains(&bucket.limit));
        assert!((4000..=6000).contains(&bucket.window.as_millis()));
    }
}

#[tokio::test]
async fn the_global_limit_holds_for_the_bot_but_not_for_interactions() {
    let house = House::with(Options { global_per_second: 3, ..Options::default() }).await;
    let mut last = house.call("GET", "/users/@me", Value::Null).await;
    for _ in 0..3 {
        last = house.call("GET", "/users/@me", Value::Null).await;
    }
    assert_eq!((last.status, &last.body["global"]), (429, &json!(true)));
    assert_eq!(last.header("x-ratelimit-global"), Some("true"));
    assert_eq!(last.header("x-ratelimit-scope"), Some("global"));
    let callback = house.call("POST", "/interactions/1/token/callback", json!({ "type": 5 })).await;
    assert_eq!((callback.status, callback.code), (404, 10062), "interactions are exempt");
}

#[tokio::test]
async fn too_many_invalid_requests_end_at_cloudflare() {
    let house = House::with(Options { invalid_request_limit: 3, ..Options::default() }).await;
    for _ in 0..3 {
        let url = format!("{}/api/v10/users/@me", house.sim.url());
        let client = reqwest::Client::builder().user_agent(common::AGENT).no_proxy().build().unwrap();
        let refused = client.get(url).header("authorization", "Bot wrong").send().await.unwrap();
        assert_eq!(refused.status(), 401);
    }
    let banned = house.call("GET", "/users/@me", Value::Null).await;
    assert_eq!(banned.status, 429);
    assert!(banned.header("x-ratelimit-scope").is_none() && banned.header("retry-after").is_none());
    assert!(house.sim.statistics().banned);
}

#[tokio::test]
async fn without_a_proper_user_agent_nothing_is_answered() {
    let house = House::new().await;
    let url = format!("{}/api/v10/gateway", house.sim.url());
    let nameless = reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await.unwrap();
    assert_eq!(Got::from(nameless).await.code, 40333);
}

#[tokio::test]
async fn without_a_token_the_address_has_a_limit_of_its_own() {
    let house = House::with(Options { global_per_second: 2, ..Options::default() }).await;
    let client = reqwest::Client::builder().user_agent(common::AGENT).no_proxy().build().unwrap();
    let url = format!("{}/api/v10/gateway", house.sim.url());
    let mut last = 200;
    for _ in 0..3 {
        last = client.get(&url).send().await.unwrap().status().as_u16();
    }
    assert_eq!(last, 429);
    assert_eq!(house.call("GET", "/gateway", Value::Null).await.status, 200, "the bot has its own second");
}

#[tokio::test]
async fn only_version_ten_is_spoken() {
    let house = House::new().await;
    let client = reqwest::Client::builder().user_agent(common::AGENT).no_proxy().build().unwrap();
    for path in ["/api/users/@me", "/api/v9/users/@me"] {
        let got = Got::from(client.get(format!("{}{path}", house.sim.url())).send().await.unwrap()).await;
        assert_eq!((got.status, got.code), (400, 50041), "{path}");
    }
    assert_eq!(house.call("GET", "/nowhere", Value::Null).await.status, 404);
    assert_eq!(house.call("PUT", "/users/@me", Value::Null).await.status, 405);
    let odd = house.call("GET", "/channels/general", Value::Null).await;
    assert_eq!((odd.code, odd.fault("channel_id")), (50035, "NUMBER_TYPE_COERCE"));
}

#[tokio::test]
async fn deleting_a_message_has_a_bucket_of_its_own() {
    let house = House::new().await;
    let id = house.post(json!({ "content": "x" })).await.id();
    let path = format!("/channels/{}/messages/{id}", house.channel);
    let edited = house.call("PATCH", &path, json!({ "content": "y" })).await;
    let deleted = house.call("DELETE", &path, Value::Null).await;
    assert_ne!(edited.header("x-ratelimit-bucket"), deleted.header("x-ratelimit-bucket"));
    assert_eq!(edited.header("x-ratelimit-remaining"), deleted.header("x-ratelimit-remaining"));
}

#[tokio::test]
async fn a_revoked_token_is_unauthorized_everywhere() {
    let house = House::new().await;
    assert_eq!(house.call("GET", "/gateway/bot", Value::Null).await.status, 200);
    house.sim.revoke_token();
    let refused = house.call("GET", "/gateway/bot", Value::Null).await;
    assert_eq!((refused.status, &refused.body), (401, &json!({ "message": "401: Unauthorized", "code": 0 })));
}
