//! A JSON object that is asked for single fields, each answer tolerant on its own.
//!
//! A derived struct would refuse the whole payload for one odd field: a name twice, a number too large, half a
//! surrogate pair. Here the object's fields are found first and kept as the text they are, and only those that
//! somebody asks for are read. It does not know which kind of event it reads for.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::address::hide_addresses;
use super::{MAX_ID, MAX_PAYLOAD, MAX_TEXT};

/// Every field that is ever asked for. What is not listed is skipped while parsing, whatever its size.
const WANTED: &[&str] = &[
    "Reason",
    "amount",
    "arguments",
    "attacker",
    "command",
    "full_message",
    "hit_distance",
    "id",
    "isKill",
    "item_id",
    "message",
    "name",
    "player",
    "player_hit",
    "player_name",
    "raw_message",
    "reason",
    "reportedType",
    "reported_target_steam_id",
    "reporter_steam_id",
    "server_id",
    "steam_id",
    "subject",
    "victim",
];

/// What some of .NET's encoders begin UTF-8 with.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// An object's wanted fields. Has none where there was no object.
#[derive(Debug, Default)]
pub(super) struct Object<'a> {
    /// Values as they stand in the payload, by name.
    fields: Vec<(&'static str, &'a str)>,
}

impl<'a> Object<'a> {
    /// The object that `json` is, if it is one.
    pub(super) fn parse(json: &'a str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }

    /// The object in a field.
    pub(super) fn object(&self, name: &str) -> Self {
        self.raw(name).map(Self::parse).unwrap_or_default()
    }

    /// A text, bounded and without addresses; a number counts as one, and so do several joined by spaces.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        keep(&loose_text(self.raw(name)?)?)
    }

    /// An id: a text or a whole number.
    pub(super) fn id(&self, name: &str) -> Option<String> {
        let raw = self.raw(name)?;
        let text = if raw.starts_with('"') {
            string(raw)?
        } else if raw.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit()) {
            raw.to_owned()
        } else {
            return None;
        };
        let kept: String = keep(&text)?.chars().take(MAX_ID).collect();
        // What looks like an address names nobody.
        (kept == text.trim().chars().take(MAX_ID).collect::<String>()).then_some(kept)
    }

    /// A whole number, also from text and from a fraction of zero such as `5.0`.
    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        let text = loose_text(self.raw(name)?)?;
        let text = text.trim();
        text.parse().ok().or_else(|| {
            let number: f64 = text.parse().ok()?;
            // 2⁵³: beyond it a floating point number doesn't say which whole number was meant.
            let exact = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
            exact.then(|| format!("{number:.0}").parse().ok()).flatten()
        })
    }

    /// A length or an amount that nobody needs a fraction of, rounded.
    pub(super) fn rounded(&self, name: &str) -> Option<u32> {
        let number: f64 = loose_text(self.raw(name)?)?.trim().parse().ok()?;
        if number.is_finite() && number >= 0.0 { format!("{number:.0}").parse().ok() } else { None }
    }

    /// Yes or no, also from text and from 1 and 0.
    pub(super) fn truth(&self, name: &str) -> Option<bool> {
        let raw = self.raw(name)?;
        let text = string(raw).map_or(Cow::Borrowed(raw), Cow::Owned);
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }

    /// A field as it stands in the payload. Of a name that stands there twice the last counts, as for most readers.
    fn raw(&self, name: &str) -> Option<&'a str> {
        debug_assert!(WANTED.contains(&name), "{name} is not in WANTED, so it is never found");
        self.fields.iter().rev().find(|(field, _)| *field == name).map(|(_, raw)| *raw)
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

/// The JSON in a message's payload. One that is a string holding JSON is opened, once: a client library encodes twice.
/// Empty where there is nothing to read.
pub(super) fn json_text(payload: &[u8]) -> Cow<'_, str> {
    if payload.len() > MAX_PAYLOAD {
        return Cow::Borrowed("");
    }
    let text = String::from_utf8_lossy(payload.strip_prefix(BYTE_ORDER_MARK).unwrap_or(payload));
    match string(&text) {
        Some(inner) => Cow::Owned(inner),
        None => text,
    }
}

/// What is kept of a text from the outside; `None` when that is nothing.
///
/// NUL characters go here rather than where text is shown, since `PostgreSQL` can't store them.
pub(super) fn keep(text: &str) -> Option<String> {
    let hidden = hide_addresses(text.trim());
    let kept: String = hidden.chars().filter(|character| *character != '\0').take(MAX_TEXT).collect();
    (!kept.trim().is_empty()).then_some(kept)
}

/// Collects the wanted fields of an object.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Object<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Object<'de>, M::Error> {
        let mut fields = Vec::new();
        while let Some(key) = map.next_key::<Key<'_>>()? {
            match WANTED.iter().find(|wanted| **wanted == key.0) {
                Some(name) => fields.push((*name, map.next_value::<&RawValue>()?.get())),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Object { fields })
    }
}

/// A field's name, copied only where it holds escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// A text that may hold half a surrogate pair, which JSON allows and UTF-8 does not.
struct LossyString(String);

impl<'de> Deserialize<'de> for LossyString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = LossyString;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<LossyString, E> {
                Ok(LossyString(String::from_utf8_lossy(bytes).into_owned()))
            }
        }

        deserializer.deserialize_bytes(Bytes)
    }
}

/// The string that `raw` is, if it is one.
fn string(raw: &str) -> Option<String> {
    if !raw.trim_start().starts_with('"') {
        return None;
    }
    serde_json::from_str(raw).ok().map(|LossyString(text)| text)
}

/// A string, a number as it is written, or a list of these joined by spaces.
fn loose_text(raw: &str) -> Option<String> {
    match raw.as_bytes().first()? {
        b'"' => string(raw),
        b'-' | b'0'..=b'9' => Some(raw.to_owned()),
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
            let texts = items.iter().filter(|item| !item.get().starts_with('['));
            Some(texts.filter_map(|item| loose_text(item.get())).collect::<Vec<_>>().join(" "))
        }
        _ => None,
    }
}
