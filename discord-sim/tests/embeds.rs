//! Embed and message limits: exactly at them is taken, one past is refused with the path of the fault.

mod common;

use common::House;
use serde_json::{Value, json};

#[expect(clippy::needless_pass_by_value, reason = "every caller makes the value on the spot")]
fn embed(embed: Value) -> Value {
    json!({ "embeds": [embed] })
}

/// What is measured, a body of that length, the limit, and where the fault is named.
type Case = (&'static str, fn(usize) -> Value, usize, &'static str);

#[tokio::test]
async fn every_limit_is_inclusive_and_one_more_is_refused_with_its_path() {
    let house = House::new().await;
    let cases: [Case; 7] = [
        ("content", |length| json!({ "content": "x".repeat(length) }), 2000, "/content"),
        ("title", |length| embed(json!({ "title": "x".repeat(length) })), 256, "/embeds/0/title"),
        ("description", |length| embed(json!({ "description": "x".repeat(length) })), 4096, "/embeds/0/description"),
        ("footer", |length| embed(json!({ "footer": { "text": "x".repeat(length) } })), 2048, "/embeds/0/footer/text"),
        ("author", |length| embed(json!({ "author": { "name": "x".repeat(length) } })), 256, "/embeds/0/author/name"),
        (
            "field value",
            |length| embed(json!({ "fields": [{ "name": "n", "value": "x".repeat(length) }] })),
            1024,
            "/embeds/0/fields/0/value",
        ),
        (
            "fields",
            |count| embed(json!({ "fields": vec![json!({ "name": "n", "value": "v" }); count] })),
            25,
            "/embeds/0/fields",
        ),
    ];
    for (what, body, limit, path) in cases {
        assert_eq!(house.post(body(limit)).await.status, 200, "{what} at its limit");
        let over = house.post(body(limit + 1)).await;
        assert_eq!((over.status, over.code), (400, 50035), "{what} past its limit");
        let fault = over.body["errors"].pointer(path).unwrap_or_else(|| panic!("{what}: {}", over.body));
        assert_eq!(fault["_errors"][0]["code"], "BASE_TYPE_MAX_LENGTH");
    }
}

#[tokio::test]
async fn six_thousand_units_are_shared_by_all_embeds() {
    let house = House::new().await;
    let two = |second: usize| json!({ "embeds": [{ "description": "x".repeat(4000) }, { "description": "😀".repeat(second / 2) }] });
    assert_eq!(house.post(two(2000)).await.status, 200);
    let over = house.post(two(2002)).await;
    assert_eq!(over.body["errors"]["embeds"]["_errors"][0]["code"], "MAX_EMBED_SIZE_EXCEEDED");
    let padded = json!({ "embeds": [{ "description": "x".repeat(4000) }, { "description": format!("  {}  ", "x".repeat(2000)) }] });
    assert_eq!(house.post(padded).await.status, 200, "spaces around a text are trimmed before counting");
}

#[tokio::test]
async fn eleven_embeds_are_one_too_many() {
    let house = House::new().await;
    let embeds = |count: usize| json!({ "embeds": vec![json!({ "title": "t" }); count] });
    assert_eq!(house.post(embeds(10)).await.status, 200);
    assert_eq!(house.post(embeds(11)).await.code, 50035);
}

#[tokio::test]
async fn empty_fields_wrong_times_colours_and_addresses_are_refused() {
    let house = House::new().await;
    for wrong in [
        json!({ "fields": [{ "name": "", "value": "v" }] }),
        json!({ "fields": [{ "name": "n", "value": "  " }] }),
        json!({ "title": "t", "timestamp": "yesterday" }),
        json!({ "title": "t", "color": 0x0100_0000 }),
        json!({ "title": "t", "url": "ftp://example.com" }),
        json!({ "title": "t", "footer": {} }),
        json!({ "title": 5 }),
        json!({}),
    ] {
        assert_eq!(house.post(embed(wrong.clone())).await.code, 50035, "{wrong}");
    }
    let right = json!({ "title": "t", "timestamp": "2026-11-22T10:00:00.123Z", "color": 0xFF_FFFF, "unknown": 1 });
    let got = house.post(embed(right)).await;
    assert_eq!(got.status, 200, "{}", got.body);
    assert!(got.body["embeds"][0].get("unknown").is_none(), "unknown keys are ignored");
    assert_eq!(house.sim.messages(house.channel)[0].embeds[0].color, Some(0xFF_FFFF));
}

#[tokio::test]
async fn an_empty_message_is_refused_in_its_own_words() {
    let house = House::new().await;
    for empty in [json!({}), json!({ "content": "   " }), json!({ "embeds": [] })] {
        assert_eq!(house.post(empty).await.code, 50006);
    }
    assert!(house.sim.messages(house.channel).is_empty());
}
