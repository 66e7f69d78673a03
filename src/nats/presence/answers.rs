//! What is answered when it is asked who is connected, held within bounds: whoever owns an account can answer there as its
//! nats-servers do, and say anything, as often and as long as they like.

use std::fmt;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use time::OffsetDateTime;

use super::{MOST_CONNECTIONS, PAGE, Unseen};
use crate::nats::said::said;

/// All answers to one request are not longer together, in bytes: a connection with its user's JWT takes a few thousand.
const MOST_BYTES: usize = 16 << 20;

/// The answers to one request.
#[derive(Default)]
pub(super) struct Answers {
    /// Those that could be read.
    pub(super) read: Vec<(Answering, Page)>,
    bytes: usize,
    connections: usize,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    server: Answering,
    data: Option<Page>,
}

/// Who answers. A nats-server that nobody named goes by its id, which is another one each time that it is started.
#[derive(Deserialize, Default)]
pub(super) struct Answering {
    #[serde(default, deserialize_with = "short")]
    name: String,
    #[serde(default, deserialize_with = "short")]
    id: String,
    /// Empty where it is the only one.
    #[serde(default, deserialize_with = "short")]
    cluster: String,
}

#[derive(Deserialize)]
pub(super) struct Page {
    #[serde(deserialize_with = "short")]
    pub(super) server_id: String,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) now: OffsetDateTime,
    #[serde(default)]
    pub(super) total: usize,
    #[serde(default, deserialize_with = "a_page")]
    pub(super) connections: Vec<Listed>,
}

#[derive(Deserialize)]
pub(super) struct Listed {
    pub(super) cid: u64,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) start: OffsetDateTime,
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub(super) stop: Option<OffsetDateTime>,
    #[serde(default, deserialize_with = "short")]
    pub(super) reason: String,
    #[serde(default)]
    pub(super) in_msgs: i64,
    /// "Client", whatever protocol it speaks; empty on a nats-server that does not say.
    #[serde(default, deserialize_with = "short")]
    pub(super) kind: String,
    #[serde(default, deserialize_with = "short")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "short")]
    pub(super) lang: String,
    #[serde(default, deserialize_with = "short")]
    pub(super) authorized_user: String,
}

impl Answers {
    /// Takes one more answer, which counts for nothing where it can't be read.
    pub(super) fn take(&mut self, payload: &[u8]) -> Result<(), Unseen> {
        self.bytes = self.bytes.saturating_add(payload.len());
        if self.bytes > MOST_BYTES {
            return Err(Unseen::TooMany);
        }
        let Ok(Answer { server, data: Some(page) }) = serde_json::from_slice(payload) else { return Ok(()) };
        self.connections += page.connections.len();
        if self.connections > MOST_CONNECTIONS {
            return Err(Unseen::TooMany);
        }
        self.read.push((server, page));
        Ok(())
    }
}

impl Answering {
    /// The name that it keeps when it is started anew; empty for the only one there is, where nobody named it.
    pub(super) fn lasting_name(self) -> String {
        if self.name == self.id && self.cluster.is_empty() { String::new() } else { self.name }
    }
}

/// What a server says, where nothing may be said. It is cut while it is read, so that no answer is held whole.
fn short<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(if text.is_empty() { text } else { said(text) })
}

/// As many connections as nats-server lists in one answer. The rest is passed over.
fn a_page<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Listed>, D::Error> {
    struct APage;
    impl<'de> Visitor<'de> for APage {
        type Value = Vec<Listed>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a list of connections")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut listed: A) -> Result<Self::Value, A::Error> {
            let mut page = Vec::new();
            while page.len() < PAGE
                && let Some(next) = listed.next_element()?
            {
                page.push(next);
            }
            while listed.next_element::<IgnoredAny>()?.is_some() {}
            Ok(page)
        }
    }
    deserializer.deserialize_seq(APage)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(Answering, Page)> {
        let mut answers = Answers::default();
        answers.take(text.as_bytes()).unwrap();
        answers.read.pop()
    }

    /// An answer that lists so many connections, whose names are so long.
    fn listing(count: usize, name: usize) -> String {
        let one = format!(r#"{{"cid":1,"start":"2026-11-23T09:39:38Z","name":"{}"}}"#, "x".repeat(name));
        let all = vec![one; count].join(",");
        format!(r#"{{"data":{{"server_id":"N1","now":"2026-11-23T09:39:39Z","connections":[{all}]}}}}"#)
    }

    #[test]
    fn answers_are_read_as_nats_server_gives_them_and_addresses_are_not() {
        let text = r#"{"server":{"name":"N1","id":"N1"},"data":{"server_id":"N1","now":"2026-11-23T09:39:39.198303921Z",
            "num_connections":1,"total":1,"offset":0,"limit":1024,"connections":[{"cid":8,"kind":"Client","ip":"10.1.2.3",
            "port":43454,"start":"2026-11-23T10:39:38.865410744+01:00","stop":"2026-11-23T09:39:38.867774028Z",
            "reason":"Client Closed","in_msgs":3,"name":"gone","lang":"rust","authorized_user":"b","account":"GA1"}]}}"#;
        let (answering, page) = read(text).unwrap();
        assert_eq!(answering.lasting_name(), "", "its name is its id, and it is the only one");
        let listed = &page.connections[0];
        assert_eq!((listed.cid, listed.in_msgs, listed.reason.as_str()), (8, 3, "Client Closed"));
        let since = crate::domain::timestamp::Timestamp::from(listed.start);
        assert_eq!(since.rfc3339(), "2026-11-23T09:39:38.865410744Z");
        assert!(listed.stop.is_some());

        let bare = listing(1, 0);
        assert!(read(&bare).unwrap().1.connections[0].stop.is_none());
        for unread in [r#"{"server":{"id":"N1"},"error":{"code":400,"description":"json"}}"#, "", "{}"] {
            assert!(read(unread).is_none());
        }
    }

    #[test]
    fn no_more_is_held_of_an_answer_than_nats_server_would_say() {
        let (_, page) = read(&listing(PAGE + 1000, 0)).unwrap();
        assert_eq!(page.connections.len(), PAGE);
        let (_, page) = read(&listing(1, 100_000)).unwrap();
        assert!(page.connections[0].name.capacity() < 2000, "{}", page.connections[0].name.capacity());
    }

    #[test]
    fn whoever_answers_again_and_again_is_not_listened_to() {
        // As much as one message may hold on a nats-server that nobody set up otherwise.
        for (answer, enough) in [(listing(20_000, 0), MOST_CONNECTIONS / PAGE), (" ".repeat(1 << 20), MOST_BYTES >> 20)]
        {
            let mut answers = Answers::default();
            for _ in 0..enough {
                answers.take(answer.as_bytes()).unwrap();
            }
            assert_eq!(answers.take(answer.as_bytes()), Err(Unseen::TooMany));
            let held: usize = answers.read.iter().map(|(_, page)| page.connections.capacity()).sum();
            assert!(held <= MOST_CONNECTIONS, "{held}");
        }
    }

    #[test]
    fn a_nats_server_is_known_by_a_name_that_it_keeps() {
        for (name, cluster, lasting) in [("n1", "", "n1"), ("n1", "west", "n1"), ("N1", "", ""), ("N1", "west", "N1")] {
            let answering = Answering { name: name.to_owned(), id: "N1".to_owned(), cluster: cluster.to_owned() };
            assert_eq!(answering.lasting_name(), lasting, "{name} {cluster}");
        }
    }
}
