//! Attachments: what comes along with a message, what an edit keeps, and where it is served.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{Got, House};
use discord_sim::Sim;
use serde_json::{Value, json};

const ATTACH_FILES: u64 = 1 << 15;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x20\0\0\0\x10";

/// Sends a body and files (name and bytes) as `multipart/form-data`.
async fn upload(house: &House, method: &str, path: &str, payload: &Value, files: &[(&str, &[u8])]) -> Got {
    let mut body = Vec::new();
    let open = "--edge\r\nContent-Disposition: form-data; name=";
    body.extend(format!("{open}\"payload_json\"\r\nContent-Type: application/json\r\n\r\n{payload}\r\n").into_bytes());
    for (at, (name, bytes)) in files.iter().enumerate() {
        body.extend(
            format!("{open}\"files[{at}]\"; filename=\"{name}\"\r\nContent-Type: text/plain\r\n\r\n").into_bytes(),
        );
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    let request = house.request(method, path).header("content-type", "multipart/form-data; boundary=edge");
    Got::from(request.body(body).send().await.unwrap()).await
}

async fn post(house: &House, payload: &Value, files: &[(&str, &[u8])]) -> Got {
    upload(house, "POST", &format!("/channels/{}/messages", house.channel), payload, files).await
}

/// What a browser gets there: status, type and bytes.
async fn fetch(sim: &Sim, url: &Value) -> (u16, String, Vec<u8>) {
    assert!(url.as_str().unwrap().starts_with(&sim.url()));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(url.as_str().unwrap()).send().await.unwrap();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    (answer.status().as_u16(), kind, answer.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn a_file_arrives_with_its_message_and_is_served() {
    let house = House::new().await;
    let payload =
        json!({ "content": "x", "attachments": [{ "id": 0, "filename": "the lines.txt", "description": "all" }] });
    let got = post(&house, &payload, &[("ignored.txt", b"one\r\ntwo")]).await;
    let attachment = &got.body["attachments"][0];
    assert_eq!((&attachment["size"], &attachment["filename"]), (&json!(8), &json!("the_lines.txt")));
    assert_eq!((&attachment["description"], &attachment["content_type"]), (&json!("all"), &json!("text/plain")));
    let shown = house.sim.messages(house.channel);
    assert_eq!(house.sim.files(&shown[0]), vec![("the_lines.txt".to_owned(), b"one\r\ntwo".to_vec())]);
    let (status, kind, bytes) = fetch(&house.sim, &attachment["url"]).await;
    assert_eq!((status, kind.as_str(), bytes.as_slice()), (200, "application/octet-stream", &b"one\r\ntwo"[..]));
    house.sim.delete_message(house.channel, shown[0].id);
    assert_eq!(fetch(&house.sim, &attachment["url"]).await.0, 404);
    house.sim.deny(house.channel, ATTACH_FILES);
    assert_eq!(post(&house, &payload, &[("a", b"x")]).await.code, 50013, "it needs ATTACH_FILES");
}

#[tokio::test]
async fn a_name_may_hold_what_parts_a_header() {
    let house = House::new().await;
    for (name, kept) in [("a;b.png", "a_b.png"), ("a; name=c.txt", "a__name_c.txt"), ("a=b: c", "a_b__c")] {
        let got = post(&house, &json!({}), &[(name, b"x")]).await;
        assert_eq!((got.status, &got.body["attachments"][0]["filename"]), (200, &json!(kept)), "{name}");
    }
}

#[tokio::test]
async fn an_embed_shows_a_picture_that_came_along() {
    let house = House::new().await;
    let embed = json!({ "title": "map", "image": { "url": "attachment://map.png" } });
    let got = post(&house, &json!({ "embeds": [embed] }), &[("map.png", PNG)]).await;
    let attachment = &got.body["attachments"][0];
    assert_eq!((&attachment["width"], &attachment["height"]), (&json!(32), &json!(16)));
    assert_eq!(got.body["embeds"][0]["image"]["url"], attachment["url"]);
    assert_eq!(fetch(&house.sim, &attachment["url"]).await.1, "image/png");
}

#[tokio::test]
async fn an_edit_keeps_what_it_lists_and_adds_what_comes_along() {
    let house = House::new().await;
    let message = post(&house, &json!({}), &[("a.txt", b"a"), ("b.txt", b"b")]).await;
    let path = format!("/channels/{}/messages/{}", house.channel, message.id());
    let names = |got: &Got| {
        let list = got.body["attachments"].as_array().cloned().unwrap_or_default();
        list.iter().map(|attachment| attachment["filename"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let untouched = house.call("PATCH", &path, json!({ "content": "x" })).await;
    assert_eq!(names(&untouched), ["a.txt", "b.txt"]);
    let kept =
        json!({ "attachments": [{ "id": message.body["attachments"][1]["id"] }, { "id": 0, "filename": "c.txt" }] });
    assert_eq!(names(&upload(&house, "PATCH", &path, &kept, &[("c", b"c")]).await), ["b.txt", "c.txt"]);
    assert_eq!(fetch(&house.sim, &message.body["attachments"][0]["url"]).await.0, 404, "a.txt is gone");
    let appended = upload(&house, "PATCH", &path, &json!({}), &[("d.txt", b"d")]).await;
    assert_eq!(names(&appended), ["b.txt", "c.txt", "d.txt"]);
    let emptied = house.call("PATCH", &path, json!({ "attachments": [], "content": "" })).await;
    assert_eq!(emptied.code, 50006);
}

#[tokio::test]
async fn ten_files_of_ten_mebibytes_and_25_in_one_request_are_the_most() {
    let house = House::new().await;
    let eleven = [("a", &b"x"[..]); 11];
    assert_eq!(post(&house, &json!({}), &eleven).await.fault("attachments"), "BASE_TYPE_MAX_LENGTH");
    let large = vec![0; 10 * 1024 * 1024];
    assert_eq!(post(&house, &json!({}), &[("a", &large)]).await.status, 200);
    let larger = vec![0; 10 * 1024 * 1024 + 1];
    let refused = post(&house, &json!({}), &[("a", &larger)]).await;
    assert_eq!((refused.status, refused.code), (413, 40005));
    let too_much = post(&house, &json!({}), &[("a", &large), ("b", &large), ("c", &large)]).await;
    assert_eq!((too_much.status, too_much.code), (413, 40005));
    let described = json!({ "attachments": [{ "id": 0, "description": "d".repeat(1025) }] });
    assert_eq!(
        post(&house, &described, &[("a", b"x")]).await.fault("attachments.0.description"),
        "BASE_TYPE_MAX_LENGTH"
    );
}

#[tokio::test]
async fn what_could_run_in_a_browser_is_only_ever_downloaded() {
    let house = House::new().await;
    let got = post(&house, &json!({}), &[("page.html", b"<script>alert(1)</script>")]).await;
    let (_, kind, _) = fetch(&house.sim, &got.body["attachments"][0]["url"]).await;
    assert_eq!(kind, "application/octet-stream");
}
