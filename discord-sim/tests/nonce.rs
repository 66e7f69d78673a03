//! `enforce_nonce`: one message per nonce while it is remembered, and 10008 once that message is gone.

mod common;

use std::time::Duration;

use common::House;
use discord_sim::{Bucket, Options};
use serde_json::json;

#[tokio::test]
async fn the_same_nonce_gives_back_the_same_message() {
    let house = House::new().await;
    let body = json!({ "content": "once", "nonce": "abc", "enforce_nonce": true });
    let first = house.post(body.clone()).await;
    let again = house.post(body).await;
    assert_eq!((again.status, &again.body["id"]), (200, &first.body["id"]));
    assert_eq!(first.body["nonce"], "abc");
    assert_eq!(house.sim.messages(house.channel).len(), 1);
    assert_eq!((house.sim.statistics().creates_accepted, house.sim.statistics().nonce_replays), (1, 1));
}

#[tokio::test]
async fn a_nonce_that_is_not_enforced_doubles() {
    let house = House::new().await;
    let body = json!({ "content": "twice", "nonce": "abc" });
    house.post(body.clone()).await;
    house.post(body).await;
    assert_eq!(house.sim.messages(house.channel).len(), 2);
}

#[tokio::test]
async fn a_nonce_is_forgotten_when_its_window_ends() {
    let window = Duration::from_millis(50);
    let bucket = Bucket { limit: 100, window: Duration::from_secs(1) };
    let options = Options { nonce_window: Some(window), message_bucket: Some(bucket), ..Options::default() };
    let house = House::with(options).await;
    let body = json!({ "content": "late", "nonce": "abc", "enforce_nonce": true });
    house.post(body.clone()).await;
    // Time is what is tested: the window has to pass.
    tokio::time::sleep(window).await;
    house.post(body).await;
    assert_eq!(house.sim.messages(house.channel).len(), 2);
}

#[tokio::test]
async fn nonces_can_be_forgotten_at_once() {
    let house = House::new().await;
    let body = json!({ "content": "late", "nonce": "abc", "enforce_nonce": true });
    house.post(body.clone()).await;
    house.sim.forget_nonces();
    house.post(body).await;
    assert_eq!(house.sim.messages(house.channel).len(), 2);
}

#[tokio::test]
async fn the_nonce_of_a_deleted_message_answers_unknown_message_and_posts_nothing() {
    let house = House::new().await;
    let body = json!({ "content": "gone", "nonce": 12345, "enforce_nonce": true });
    house.post(body.clone()).await;
    let id = house.sim.messages(house.channel)[0].id;
    house.sim.delete_message(house.channel, id);
    let again = house.post(body).await;
    assert_eq!((again.status, again.code), (404, 10008));
    assert!(house.sim.messages(house.channel).is_empty());
}

#[tokio::test]
async fn a_nonce_has_at_most_25_characters() {
    let house = House::new().await;
    let nonce = |length: usize| json!({ "content": "x", "nonce": "n".repeat(length), "enforce_nonce": true });
    assert_eq!(house.post(nonce(25)).await.status, 200);
    assert_eq!(house.post(nonce(26)).await.code, 50035);
}

#[tokio::test]
async fn the_window_varies_by_seed_between_two_and_five_minutes() {
    let mut windows = Vec::new();
    for seed in 0..5 {
        let house = House::with(Options { seed, ..Options::default() }).await;
        let window = house.sim.nonce_window();
        assert!((120..=300).contains(&window.as_secs()));
        windows.push(window);
    }
    windows.dedup();
    assert!(windows.len() > 1);
}
