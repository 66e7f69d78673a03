//! Uploaded files as attachments of a message
//! (<https://discord.com/developers/docs/reference#uploading-files>).

use serde_json::{Value, json};

use crate::multipart::File;
use crate::rules::mentions::snowflake;
use crate::rules::message::Body;
use crate::world::World;

/// What a message has attached after this body: what it had, if the body does not leave it out, and the files that came
/// along. On an edit only files that the body lists stay.
pub(super) fn settle(world: &mut World, channel: u64, body: &Body, had: &[Value]) -> Vec<Value> {
    let index = |at: usize, file: &File| file.index.unwrap_or(at as u64);
    let Some(listed) = &body.listed else {
        let files = body.files.iter().map(|file| keep(world, channel, file, &Value::Null));
        return had.iter().cloned().chain(files.collect::<Vec<_>>()).collect();
    };
    let says = |id: u64| listed.iter().find(|listed| snowflake(&listed["id"]) == Some(id));
    let mut settled = Vec::new();
    for attachment in had {
        if let Some(said) = snowflake(&attachment["id"]).and_then(says) {
            let mut attachment = attachment.clone();
            if let Some(description) = said.get("description") {
                attachment["description"] = description.clone();
            }
            settled.push(attachment);
        }
    }
    for (at, file) in body.files.iter().enumerate() {
        settled.push(keep(world, channel, file, says(index(at, file)).unwrap_or(&Value::Null)));
    }
    settled
}

/// Keeps a file's bytes and gives its attachment object; `said` is what the body lists of it.
pub(crate) fn keep(world: &mut World, channel: u64, file: &File, said: &Value) -> Value {
    let id = world.next_id();
    world.files.insert(id, file.bytes.clone());
    let name = plain(said["filename"].as_str().unwrap_or(&file.name));
    let url = format!("http://127.0.0.1:{}/attachments/{channel}/{id}/{name}", world.port);
    let kind = picture_type(&file.bytes).or(file.content_type.as_deref()).unwrap_or("application/octet-stream");
    let mut attachment = json!({
        "id": id.to_string(), "filename": name, "size": file.bytes.len(), "url": url, "proxy_url": url,
        "content_type": kind,
    });
    if let Some((width, height)) = extent(&file.bytes) {
        attachment["width"] = json!(width);
        attachment["height"] = json!(height);
    }
    if let Some(description) = said["description"].as_str() {
        attachment["description"] = json!(description);
    }
    attachment
}

/// A file's name as Discord keeps it: what could mean something in an address becomes `_`.
fn plain(name: &str) -> String {
    name.chars().map(|sign| if sign.is_alphanumeric() || "._-".contains(sign) { sign } else { '_' }).collect()
}

/// The type of a picture, by its first bytes: what a browser shows without running anything.
pub(crate) fn picture_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xFF, 0xD8, 0xFF, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// Width and height of a PNG or a GIF.
fn extent(bytes: &[u8]) -> Option<(u32, u32)> {
    let at = |from: usize| bytes.get(from..from + 4).and_then(|four| four.try_into().ok()).map(u32::from_be_bytes);
    let half = |from: usize| bytes.get(from..from + 2).and_then(|two| two.try_into().ok()).map(u16::from_le_bytes);
    match picture_type(bytes)? {
        "image/png" => Some((at(16)?, at(20)?)),
        "image/gif" => Some((half(6)?.into(), half(8)?.into())),
        _ => None,
    }
}

/// Puts real addresses where an embed names an attached file
/// (<https://discord.com/developers/docs/reference#uploading-files-using-attachments-within-embeds>).
pub(super) fn link(embeds: &mut Value, attachments: &[Value]) {
    match embeds {
        Value::String(text) => {
            let named = text.strip_prefix("attachment://").and_then(|name| {
                let name = plain(name);
                attachments.iter().find(|attachment| attachment["filename"] == name.as_str())
            });
            if let Some(url) = named.and_then(|attachment| attachment["url"].as_str()) {
                url.clone_into(text);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| link(value, attachments)),
        Value::Object(map) => map.values_mut().for_each(|value| link(value, attachments)),
        _ => {}
    }
}
