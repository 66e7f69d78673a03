//! Uploads with create-message.

mod common;

use common::{Got, House};
use serde_json::json;

fn upload(payload: &serde_json::Value, file: &str) -> String {
    format!(
        "--edge\r\nContent-Disposition: form-data; name=\"payload_json\"\r\nContent-Type: application/json\r\n\r\n{payload}\r\n\
         --edge\r\nContent-Disposition: form-data; name=\"files[0]\"; filename=\"lines.txt\"\r\n\r\n{file}\r\n--edge--\r\n"
    )
}

#[tokio::test]
async fn a_file_arrives_with_its_message() {
    let house = House::new().await;
    let payload = json!({ "content": "the lines", "attachments": [{ "id": 0, "filename": "lines.txt" }] });
    let request = house.request("POST", &format!("/channels/{}/messages", house.channel));
    let request = request.header("content-type", "multipart/form-data; boundary=edge");
    let got = Got::from(request.body(upload(&payload, "one\r\ntwo")).send().await.unwrap()).await;
    assert_eq!((got.status, &got.body["attachments"][0]["size"]), (200, &json!(8)));
    let shown = house.sim.messages(house.channel);
    assert_eq!(house.sim.files(&shown[0]), vec![("lines.txt".to_owned(), b"one\r\ntwo".to_vec())]);
    house.sim.deny(house.channel, 1 << 15);
    let request = house.request("POST", &format!("/channels/{}/messages", house.channel));
    let request = request.header("content-type", "multipart/form-data; boundary=edge");
    let refused = Got::from(request.body(upload(&payload, "x")).send().await.unwrap()).await;
    assert_eq!(refused.code, 50013, "it needs ATTACH_FILES");
}
