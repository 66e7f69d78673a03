//! Embed limits (<https://discord.com/developers/docs/resources/message#embed-object-embed-limits>) and the embed as
//! Discord echoes it: known keys only, texts trimmed.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::PrimitiveDateTime;
use time::format_description::well_known::{Iso8601, Rfc3339};

use super::length;
use crate::refusal::Faults;

const EMBEDS: usize = 10;
const FIELDS: usize = 25;
const TITLE: usize = 256;
const DESCRIPTION: usize = 4096;
const FIELD_NAME: usize = 256;
const FIELD_VALUE: usize = 1024;
const FOOTER: usize = 2048;
const AUTHOR: usize = 256;
const URL: usize = 2048;
const COLOR: u64 = 0xFF_FFFF;
/// The sum over all embeds of one message.
const TOTAL: usize = 6000;

/// Checks the `embeds` of a body and gives them as they will be stored.
pub(crate) fn check(embeds: &Value, faults: &mut Faults) -> Vec<Value> {
    let list = match embeds {
        Value::Null => return Vec::new(),
        Value::Array(list) => list,
        _ => {
            faults.add("embeds", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType");
            return Vec::new();
        }
    };
    if list.len() > EMBEDS {
        faults.too_long("embeds", EMBEDS);
    }
    let mut total = 0;
    let stored = list
        .iter()
        .enumerate()
        .map(|(at, embed)| check_one(embed, &format!("embeds.{at}"), &mut total, faults))
        .collect();
    if total > TOTAL {
        faults.add("embeds", "MAX_EMBED_SIZE_EXCEEDED", format!("Embed size exceeds maximum size of {TOTAL}"));
    }
    stored
}

fn check_one(embed: &Value, path: &str, total: &mut usize, faults: &mut Faults) -> Value {
    let Some(given) = embed.as_object() else {
        faults.add(path, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType");
        return Value::Null;
    };
    let mut stored = Map::new();
    stored.insert("type".to_owned(), json!("rich"));
    for (key, most) in [("title", TITLE), ("description", DESCRIPTION)] {
        if let Some(text) = text(given.get(key), &format!("{path}.{key}"), most, false, total, faults) {
            stored.insert(key.to_owned(), json!(text));
        }
    }
    url(given, "url", path, &mut stored, faults);
    match given.get("color") {
        None | Some(Value::Null) => {}
        Some(color) => match color.as_u64() {
            Some(color) if color <= COLOR => {
                stored.insert("color".to_owned(), json!(color));
            }
            _ => faults.add(
                format!("{path}.color"),
                "NUMBER_TYPE_MAX",
                format!("int value should be between 0 and {COLOR}."),
            ),
        },
    }
    match given.get("timestamp") {
        None | Some(Value::Null) => {}
        Some(at) => match at.as_str().and_then(read_time) {
            Some(()) => {
                stored.insert("timestamp".to_owned(), at.clone());
            }
            None => faults.add(
                format!("{path}.timestamp"),
                "DATE_TIME_TYPE_PARSE",
                format!("Could not parse {at}. Should be ISO8601."),
            ),
        },
    }
    part(given, "footer", "text", FOOTER, &["icon_url"], path, total, &mut stored, faults);
    part(given, "author", "name", AUTHOR, &["url", "icon_url"], path, total, &mut stored, faults);
    for picture in ["image", "thumbnail"] {
        if let Some(given) = given.get(picture).and_then(Value::as_object) {
            let mut of = Map::new();
            url(given, "url", &format!("{path}.{picture}"), &mut of, faults);
            stored.insert(picture.to_owned(), Value::Object(of));
        }
    }
    let fields = fields(given.get("fields"), path, total, faults);
    if stored.len() == 1 && fields.is_empty() {
        faults.add(path, "EMBED_EMPTY", "Embed must have at least one visible part");
    }
    stored.insert("fields".to_owned(), Value::Array(fields));
    Value::Object(stored)
}

fn fields(fields: Option<&Value>, path: &str, total: &mut usize, faults: &mut Faults) -> Vec<Value> {
    let list = match fields {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(list)) => list,
        Some(_) => {
            faults.add(format!("{path}.fields"), "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType");
            return Vec::new();
        }
    };
    if list.len() > FIELDS {
        faults.too_long(format!("{path}.fields"), FIELDS);
    }
    list.iter()
        .enumerate()
        .map(|(at, field)| {
            let path = format!("{path}.fields.{at}");
            let name = text(field.get("name"), &format!("{path}.name"), FIELD_NAME, true, total, faults);
            let value = text(field.get("value"), &format!("{path}.value"), FIELD_VALUE, true, total, faults);
            json!({ "name": name, "value": value, "inline": field["inline"].as_bool().unwrap_or_default() })
        })
        .collect()
}

/// A footer or an author: a required text and some addresses.
#[expect(clippy::too_many_arguments, reason = "the two callers stand beside each other and differ in every one")]
fn part(
    given: &Map<String, Value>,
    key: &str,
    text_key: &str,
    most: usize,
    addresses: &[&str],
    path: &str,
    total: &mut usize,
    stored: &mut Map<String, Value>,
    faults: &mut Faults,
) {
    let given = match given.get(key) {
        None | Some(Value::Null) => return,
        Some(Value::Object(given)) => given,
        Some(_) => {
            faults.add(format!("{path}.{key}"), "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType");
            return;
        }
    };
    let path = format!("{path}.{key}");
    let mut of = Map::new();
    if let Some(text) = text(given.get(text_key), &format!("{path}.{text_key}"), most, true, total, faults) {
        of.insert(text_key.to_owned(), json!(text));
    }
    for address in addresses {
        url(given, address, &path, &mut of, faults);
    }
    stored.insert(key.to_owned(), Value::Object(of));
}

fn text(
    given: Option<&Value>,
    path: &str,
    most: usize,
    required: bool,
    total: &mut usize,
    faults: &mut Faults,
) -> Option<String> {
    let text = match given {
        None | Some(Value::Null) => "",
        Some(Value::String(text)) => text.trim(),
        Some(_) => {
            faults.add(path, "STRING_TYPE_CONVERT", "Could not interpret value as string.");
            return None;
        }
    };
    if text.is_empty() {
        if required {
            faults.required(path);
        }
        return None;
    }
    let length = length(text);
    *total += length;
    if length > most {
        faults.too_long(path, most);
    }
    Some(text.to_owned())
}

fn url(given: &Map<String, Value>, key: &str, path: &str, stored: &mut Map<String, Value>, faults: &mut Faults) {
    let path = format!("{path}.{key}");
    match given.get(key) {
        None | Some(Value::Null) => {}
        Some(Value::String(url)) => {
            let known = ["http://", "https://", "attachment://"].iter().any(|scheme| url.starts_with(scheme));
            if length(url) > URL {
                faults.too_long(path.clone(), URL);
            } else if url.contains("://") && !known {
                faults.add(
                    path,
                    "URL_TYPE_INVALID_SCHEME",
                    format!("Scheme \"{}\" is not supported.", url.split("://").next().unwrap_or_default()),
                );
            } else if !known || url.contains(char::is_whitespace) {
                faults.add(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.");
            }
            stored.insert(key.to_owned(), json!(url));
        }
        Some(_) => faults.add(path, "URL_TYPE_INVALID_URL", "Not a well formed URL."),
    }
}

/// Discord takes more of ISO 8601 than RFC 3339: an offset may be missing.
fn read_time(text: &str) -> Option<()> {
    OffsetDateTime::parse(text, &Rfc3339)
        .or_else(|_| OffsetDateTime::parse(text, &Iso8601::DEFAULT))
        .map(|_| ())
        .or_else(|_| PrimitiveDateTime::parse(text, &Iso8601::DEFAULT).map(|_| ()))
        .ok()
}
