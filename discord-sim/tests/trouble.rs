//! Injected trouble: what the client sees, and what really happened.

mod common;

use std::time::Duration;

use common::House;
use discord_sim::{Bucket, Options, Route, Scope, Trouble};
use serde_json::{Value, json};

fn text() -> Value {
    json!({ "content": "x" })
}

impl House {
    async fn broken_post(&self) -> reqwest::Error {
        let path = format!("/channels/{}/messages", self.channel);
        self.request("POST", &path).json(&text()).send().await.expect_err("no answer comes")
    }
}

#[tokio::test]
async fn a_lost_reply_has_really_posted() {
    let house = House::new().await;
    house.sim.trouble(Route::MessageCreate, Trouble::LoseReply, Some(1));
    house.broken_post().await;
    let taken = house.sim.messages(house.channel);
    assert_eq!(taken.len(), 1);
    assert_eq!(house.sim.statistics().last_unanswered, Some(taken[0].id));
    assert_eq!(house.post(text()).await.status, 200, "it happens once");
}

#[tokio::test]
async fn a_refused_connection_has_posted_nothing() {
    let house = House::new().await;
    house.sim.trouble(Route::MessageCreateIn(house.channel), Trouble::Refuse, Some(1));
    house.broken_post().await;
    assert!(house.sim.messages(house.channel).is_empty());
}

#[tokio::test]
async fn trouble_keeps_to_its_route() {
    let house = House::new().await;
    house.sim.trouble(Route::MessageCreateIn(1), Trouble::Status(500), None);
    house.sim.trouble(Route::Interactions, Trouble::Status(500), None);
    assert_eq!(house.post(text()).await.status, 200);
    house.sim.trouble(Route::Everything, Trouble::Status(502), None);
    for _ in 0..3 {
        assert_eq!(house.post(text()).await.status, 502);
    }
    house.sim.clear_trouble();
    assert_eq!(house.post(text()).await.status, 200);
    let counted = house.sim.statistics();
    assert_eq!((counted.injected, counted.troubled), (3, 3));
}

#[tokio::test]
async fn rate_limits_come_in_three_scopes_and_as_cloudflares_page() {
    let house = House::new().await;
    for scope in [Scope::User, Scope::Global, Scope::Shared] {
        house.sim.trouble(Route::MessageCreate, Trouble::RateLimited { scope, retry_after: 0.3 }, Some(1));
        let refused = house.post(text()).await;
        assert_eq!((refused.status, &refused.body["retry_after"]), (429, &json!(0.3)));
        assert_eq!(refused.header("retry-after"), Some("1"));
        assert_eq!(refused.body["global"], json!(scope == Scope::Global));
        // The house's bucket has 100; what is shared with others leaves it as it is.
        let of_bucket = ["limit", "remaining", "reset-after"].map(|of| refused.header(&format!("x-ratelimit-{of}")));
        assert_eq!(
            of_bucket,
            match scope {
                Scope::User => [Some("100"), Some("0"), Some("0.300")],
                Scope::Shared => [Some("100"), Some("99"), Some("1.000")],
                Scope::Global => [None; 3],
            }
        );
        assert_eq!(refused.header("x-ratelimit-bucket").is_some(), scope != Scope::Global);
    }
    assert_eq!(house.sim.statistics().invalid, 2, "shared ones do not count");
    house.sim.trouble(Route::MessageCreate, Trouble::CloudflareHtml, Some(1));
    let page = house.post(text()).await;
    assert_eq!(page.status, 429);
    assert!(page.header("retry-after").is_none() && page.header("x-ratelimit-limit").is_none());
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    assert!(house.sim.messages(house.channel).is_empty());
}

#[tokio::test]
async fn a_limit_lasts_a_day_at_most_and_a_bucket_may_hold_nothing() {
    let bucket = Bucket { limit: 0, window: Duration::from_secs(1) };
    let house = House::with(Options { message_bucket: Some(bucket), ..Options::default() }).await;
    for scope in [Scope::User, Scope::Shared, Scope::Global] {
        for (asked, told) in [(1e19, 86_400.0), (f64::MAX, 86_400.0), (-1.0, 0.0)] {
            house.sim.trouble(Route::MessageCreate, Trouble::RateLimited { scope, retry_after: asked }, Some(1));
            let refused = house.post(text()).await;
            assert_eq!((refused.status, refused.body["retry_after"].as_f64()), (429, Some(told)), "{scope:?} {asked}");
        }
    }
}

#[tokio::test]
async fn errors_are_worded_as_asked() {
    let house = House::new().await;
    let error = Trouble::Error { status: 400, code: 200_000, message: "Blocked".to_owned() };
    house.sim.trouble(Route::MessageCreate, error, Some(1));
    let refused = house.post(text()).await;
    assert_eq!((refused.status, refused.code), (400, 200_000));
}

#[tokio::test]
async fn a_hanging_request_goes_on_when_trouble_is_cleared() {
    let house = House::new().await;
    house.sim.trouble(Route::MessageCreate, Trouble::Hang, Some(1));
    let hanging = async { tokio::time::timeout(Duration::from_secs(5), house.post(text())).await.unwrap().status };
    let clearing = async {
        let arrived = |sim: &discord_sim::Sim| sim.statistics().requests_to("POST /channels/{channel}/messages") == 1;
        house.sim.wait_until(Duration::from_secs(5), "the request", arrived).await.unwrap();
        assert!(house.sim.messages(house.channel).is_empty());
        house.sim.clear_trouble();
    };
    let (status, ()) = tokio::join!(hanging, clearing);
    assert_eq!(status, 200);
}

#[tokio::test]
async fn going_away_refuses_connections_and_coming_back_finds_everything() {
    let house = House::new().await;
    house.post(text()).await;
    house.sim.go_away().await;
    let fresh = reqwest::Client::builder().no_proxy().build().unwrap();
    let refused = fresh.get(house.sim.url()).send().await.expect_err("nobody listens");
    assert!(refused.is_connect(), "{refused:?}");
    house.broken_post().await;
    house.sim.come_back().await;
    assert_eq!(house.post(text()).await.status, 200);
    assert_eq!(house.sim.messages(house.channel).len(), 2);
    house.sim.restart(true).await;
    assert_eq!(house.post(text()).await.status, 200);
    assert_eq!(house.sim.messages(house.channel).len(), 3);
    house.sim.stop().await;
    house.broken_post().await;
}
