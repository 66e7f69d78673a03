//! Tells the words of JetStream itself from those of a publisher.
//!
//! nats-server checks which subject a user publishes to, not the reply subject it asks for. JetStream's answer goes
//! there, and where the stream covers that subject it is stored beside the events: so a game server could have an
//! event of another server stored.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// What the `type` of every answer of JetStream's API begins with.
const API: &str = "io.nats.jetstream.api.";

/// What JetStream's answers begin with: their fields have an order. Most payloads are not parsed for this.
const BEGINNINGS: [&[u8]; 3] = [b"{\"stream\":", b"{\"error\":", b"{\"type\":"];

/// The answer to a message that a stream was to store. Every field that it may have is named, and no event has these alone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    error: Option<Refusal>,
    stream: Option<String>,
    seq: Option<u64>,
    #[serde(rename = "domain")]
    _domain: Option<IgnoredAny>,
    #[serde(rename = "duplicate")]
    _duplicate: Option<IgnoredAny>,
    #[serde(rename = "val")]
    _value: Option<IgnoredAny>,
    #[serde(rename = "batch")]
    _batch: Option<IgnoredAny>,
    #[serde(rename = "count")]
    _count: Option<IgnoredAny>,
}

/// Why it was not stored.
#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "code")]
    _code: u16,
}

/// Another answer of JetStream's API.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

/// Whether JetStream wrote this payload, as an answer to somebody who gave a stream's subject as the reply subject.
pub(super) fn is_jetstreams_answer(payload: &[u8]) -> bool {
    if !BEGINNINGS.iter().any(|beginning| payload.starts_with(beginning)) {
        return false;
    }
    serde_json::from_slice::<Stored>(payload)
        .is_ok_and(|stored| stored.error.is_some() || (stored.stream.is_some() && stored.seq.is_some()))
        || serde_json::from_slice::<Answer<'_>>(payload).is_ok_and(|answer| answer.kind.starts_with(API))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jetstreams_answers_are_told_from_events() {
        for answer in [
            r#"{"stream":"EVENTS", "seq":7}"#,
            r#"{"stream":"EVENTS","seq":7,"duplicate":true}"#,
            r#"{"stream":"EVENTS","domain":"hub","seq":7,"val":"5","batch":"b","count":2}"#,
            r#"{"error":{"code":400,"err_code":10060,"description":"expected stream does not match"},"stream":"EVENTS","seq":0}"#,
            r#"{"error":{"code":503,"err_code":10023,"description":"insufficient resources"}}"#,
            r#"{"type":"io.nats.jetstream.api.v1.stream_info_response","total":0,"config":{"name":"EVENTS"}}"#,
        ] {
            assert!(is_jetstreams_answer(answer.as_bytes()), "{answer}");
        }
        for event in [
            "",
            "{}",
            r#"{"stream":"EVENTS"}"#,
            r#"{"stream":"EVENTS","seq":7,"player_name":"Ann"}"#,
            r#"{"stream":"twitch.tv/ann","message":"hi"}"#,
            r#"{"error":"no such command","command":"kick"}"#,
            r#"{"type":"chat","message":"io.nats.jetstream.api.v1"}"#,
            r#"{"message":"{\"stream\":\"EVENTS\",\"seq\":7}"}"#,
            r#"{"stream":"EVENTS","seq":7"#,
        ] {
            assert!(!is_jetstreams_answer(event.as_bytes()), "{event}");
        }
    }
}
