//! What guildwire makes of a message, for whoever published it: the event and its sentence, or why it is none, and what
//! in it counts for nothing.
//!
//! All of it may be a stranger's text: a terminal gets none of its control characters, and no payload is shown.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::discord::event_embed::{Names, sentence};
use crate::domain::account::Account;
use crate::domain::event::{Event, Group, Kind};
use crate::domain::subject::{RejectReason, Root, Subject};
use crate::domain::text::{clean, cut};
use crate::domain::timestamp::Timestamp;
use crate::intake::decode::{MAX_PAYLOAD, decode, subject_of};

/// How much of a subject is shown, in UTF-16 units.
const SUBJECT_LIMIT: usize = 500;

/// Payloads with more bytes than this are not searched for fields that count for nothing: it takes one decoding for each.
const SEARCHED: usize = 16 * 1024;

/// How many fields that count for nothing are told.
const MOST_UNUSED: usize = 50;

/// How wide the first column is.
const COLUMN: usize = 10;

/// A message, read as guildwire reads it.
#[derive(Debug)]
pub(super) struct Reading {
    subject: String,
    size: usize,
    /// The event that it is, or why it is none.
    pub(super) event: Result<Event, RejectReason>,
    sentence: Option<String>,
    unused: Vec<String>,
    remarks: Vec<String>,
}

impl Reading {
    /// Reads a message of the account's stream.
    pub(super) fn of(account: &Account, subject: &str, payload: &[u8], stored: Timestamp, sequence: u64) -> Self {
        let shown = cut(&clean(subject), SUBJECT_LIMIT);
        let mut reading = Self {
            subject: shown,
            size: payload.len(),
            event: Err(RejectReason::NotAnEvent),
            sentence: None,
            unused: Vec::new(),
            remarks: Vec::new(),
        };
        match subject_of(&account.root, subject, payload) {
            Ok(subject) => {
                let event = decode(&account.name, &subject, payload, stored, sequence);
                reading.look_at(account, &subject, payload, &event);
                reading.event = Ok(event);
                reading.word(Names::default());
            }
            Err(reason) => {
                reading.event = Err(reason);
                reading.remarks.push(mend(reason, &account.root));
            }
        }
        reading
    }

    /// Words the event anew, with the names last heard of its players.
    pub(super) fn word(&mut self, names: Names<'_>) {
        self.sentence = self.event.as_ref().ok().map(|event| without_markup(&sentence(event, names)));
    }

    /// What is worth knowing for whoever published it.
    fn look_at(&mut self, account: &Account, subject: &Subject<'_>, payload: &[u8], event: &Event) {
        let object = self.look_at_form(payload);
        if let Some(object) = object.filter(|_| payload.len() <= SEARCHED && event.kind() != Kind::Unknown) {
            let read = |payload: &Value| {
                decode(&account.name, subject, payload.to_string().as_bytes(), event.stored, event.sequence)
            };
            unused(&object, &mut Vec::new(), &|payload| read(payload) == *event, &mut self.unused);
            if self.unused.len() == MOST_UNUSED {
                self.remarks.push(format!("there may be more than these {MOST_UNUSED} fields that are not used"));
            }
        }
        if event.kind() == Kind::Unknown {
            let told = "guildwire has no words for it: channels that hear `everything` show its name, and nothing of its \
                        payload";
            self.remarks.push(told.to_owned());
        }
        let remark = match subject.server {
            None => "the subject names no server but a placeholder: put the server's id there",
            Some(server) if server.contains('.') && !account.wide_filter => {
                "a server's id with dots is heard only where the account was added with --wide-filter: better use none"
            }
            Some(_) => return,
        };
        self.remarks.push(remark.to_owned());
    }

    /// The payload's object. What it is instead is remarked on, but for nothing, which many events have to say.
    fn look_at_form(&mut self, payload: &[u8]) -> Option<Value> {
        if payload.len() > MAX_PAYLOAD {
            self.remarks.push(format!("the payload is not read, because it has more than {MAX_PAYLOAD} bytes"));
            return None;
        }
        let remark = match serde_json::from_slice(payload) {
            Ok(object @ Value::Object(_)) => return Some(object),
            Ok(Value::Null) => return None,
            Err(_) if payload.is_empty() => return None,
            Ok(Value::String(inner)) if serde_json::from_str::<Map<String, Value>>(&inner).is_ok() => {
                "the payload is JSON within a JSON string, which is read all the same: encode it once only"
            }
            Ok(_) => "the payload is no JSON object, so nothing of it is read",
            Err(_) => "the payload is no JSON, so little or nothing of it is read",
        };
        self.remarks.push(remark.to_owned());
        None
    }

    /// As one JSON object, which may be added to.
    pub(super) fn json(&self) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("subject".to_owned(), json!(self.subject));
        object.insert("size".to_owned(), json!(self.size));
        match &self.event {
            Ok(event) => {
                object.insert("kind".to_owned(), json!(event.kind()));
                object.insert("server".to_owned(), json!(event.server));
                object.insert("player".to_owned(), json!(event.player));
                object.insert("player_name".to_owned(), json!(event.player_name));
                object.insert("details".to_owned(), Value::Object(details(event)));
                object.insert("shown_as".to_owned(), json!(self.sentence));
            }
            Err(reason) => {
                object.insert("rejected".to_owned(), json!(reason.name()));
            }
        }
        object.insert("unused_fields".to_owned(), json!(self.unused));
        object.insert("remarks".to_owned(), json!(self.remarks));
        object
    }
}

/// Lines of two columns.
impl fmt::Display for Reading {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(formatter, "subject", &self.subject)?;
        line(formatter, "payload", &format!("{} bytes", self.size))?;
        match &self.event {
            Ok(event) => {
                line(formatter, "event", &format!("{}, in {}", event.kind(), groups(event.kind())))?;
                line(formatter, "server", &clean(event.server.as_str()))?;
                if let Some(player) = &event.player {
                    let name = event.player_name.as_deref().map(clean).unwrap_or_default();
                    let player = clean(player.as_str());
                    let player = if name.is_empty() { player } else { format!("{player}, {name}") };
                    line(formatter, "player", &player)?;
                }
                for (name, value) in details(event) {
                    let value = value.as_str().map_or_else(|| value.to_string(), clean);
                    line(formatter, "", &format!("{name}: {value}"))?;
                }
            }
            Err(reason) => line(formatter, "rejected", reason.name())?,
        }
        if let Some(sentence) = &self.sentence {
            line(formatter, "shown as", sentence)?;
        }
        if !self.unused.is_empty() {
            line(formatter, "not used", &self.unused.join(", "))?;
        }
        self.remarks.iter().try_for_each(|remark| line(formatter, "note", remark))
    }
}

/// A line, and those that its text goes on with below it.
fn line(formatter: &mut fmt::Formatter<'_>, name: &str, text: &str) -> fmt::Result {
    text.lines()
        .enumerate()
        .try_for_each(|(number, text)| writeln!(formatter, "{:COLUMN$}{text}", if number == 0 { name } else { "" }))
}

/// The event's details as far as they are known, but for its kind.
fn details(event: &Event) -> Map<String, Value> {
    let Ok(Value::Object(mut details)) = serde_json::to_value(&event.details) else { return Map::new() };
    details.remove("kind");
    details.retain(|_, value| !value.is_null());
    details
}

/// What people choose to hear such an event.
fn groups(kind: Kind) -> String {
    let names: Vec<_> =
        Group::ALL.iter().filter(|group| group.kinds().contains(kind)).map(|group| group.name()).collect();
    names.join(" and ")
}

/// How to make an event of a message that is none.
fn mend(reason: RejectReason, root: &Root) -> String {
    match reason {
        RejectReason::MalformedSubject => "a part of the subject is empty: join its parts with single dots".to_owned(),
        RejectReason::OutsideRoot => format!(
            "the subject does not begin with {root} and a server's id: publish there, or give the account another root \
             with `guildwire account edit NAME --root ROOT`"
        ),
        RejectReason::NotAnEvent => {
            "behind the server's id there must be events.NAME, or players.PLAYER.events.NAME for what \
                                     is about a player"
                .to_owned()
        }
        RejectReason::JetStreamAnswer => {
            "these are JetStream's words, not a game server's: somebody published with a subject \
                                          of the stream as the reply subject"
                .to_owned()
        }
    }
}

/// Finds the fields without which the event is the same, each by leaving it out. Of an object that counts for nothing only
/// its own name is told.
fn unused(object: &Value, path: &mut Vec<String>, is_same: &dyn Fn(&Value) -> bool, found: &mut Vec<String>) {
    let Some(Value::Object(fields)) = path.iter().try_fold(object, |value, name| value.get(name)) else { return };
    for (name, value) in fields {
        if found.len() == MOST_UNUSED {
            return;
        }
        path.push(name.clone());
        if is_same(&without(object, path)) {
            found.push(clean(&path.join(".")));
        } else if value.is_object() {
            unused(object, path, is_same, found);
        }
        path.pop();
    }
}

fn without(object: &Value, path: &[String]) -> Value {
    let mut object = object.clone();
    if let Some((last, objects)) = path.split_last() {
        let holder = objects.iter().try_fold(&mut object, |value, name| value.get_mut(name));
        if let Some(Value::Object(fields)) = holder {
            fields.remove(last);
        }
    }
    object
}

/// A sentence as it is seen: bold marks and links' addresses are not, and a backslash only says that what follows is
/// text. All that strangers wrote is behind such backslashes.
fn without_markup(markdown: &str) -> String {
    let mut text = String::with_capacity(markdown.len());
    let mut rest = markdown.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\\' => text.extend(rest.next()),
            '*' if rest.next_if_eq(&'*').is_some() => {}
            '[' => {}
            ']' if rest.next_if_eq(&'(').is_some() => {
                rest.by_ref().find(|character| *character == ')');
            }
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(wide_filter: bool) -> Account {
        Account {
            name: "GA-1".parse().expect("a plain name"),
            url: String::new(),
            stream: None,
            root: Root::default(),
            wide_filter,
            owner: None,
            connected_in: None,
            is_declared: false,
            revision: 0,
        }
    }

    fn read(subject: &str, payload: &str) -> Reading {
        Reading::of(&account(false), subject, payload.as_bytes(), Timestamp::from_nanoseconds(1), 1)
    }

    #[test]
    fn an_event_is_told_with_what_counts_for_nothing() {
        let payload = r#"{"player":{"id":"7","name":"A*d[a]\u001b[31m","address":"203.0.113.9:1"},"mood":"good"}"#;
        let told = read("v0.rust.servers.main.players.7.events.connected", payload).to_string();
        let wanted = "\
subject   v0.rust.servers.main.players.7.events.connected
payload   90 bytes
event     player.connected, in players and everything
server    main
player    7, A*d[a][31m
shown as  📥 A*d[a][31m joined main
not used  mood, player.address, player.id
";
        assert_eq!(told, wanted.replace("90", &payload.len().to_string()));
        assert!(!told.contains("203.0.113") && !told.contains('\u{1b}'), "{told}");
    }

    #[test]
    fn a_reject_is_told_with_how_to_mend_it() {
        for (subject, reason, mend) in [
            ("v0.rust.servers.main.started", "not_an_event", "events.NAME"),
            ("game.main.events.started", "outside_root", "does not begin with v0.*.servers"),
            ("v0.rust.servers..events.started", "malformed_subject", "single dots"),
        ] {
            let told = read(subject, "{}").to_string();
            assert!(told.contains(&format!("rejected  {reason}\n")) && told.contains(mend), "{told}");
        }
        let told = read("v0.rust.servers.main.events.started", r#"{"stream":"EVENTS", "seq":7}"#).to_string();
        assert!(told.contains("rejected  jetstream_answer\n") && told.contains("JetStream's words"), "{told}");
    }

    #[test]
    fn what_is_odd_is_remarked_on() {
        for (subject, payload, remark) in [
            ("v0.rust.servers.main.events.wiped", "\"{\\\"x\\\":1}\"", "encode it once"),
            ("v0.rust.servers.main.events.wiped", "[1]", "no JSON object"),
            ("v0.rust.servers.main.events.wiped", "{oops", "no JSON,"),
            ("v0.rust.servers.main.events.meteor.landed", "{}", "no words"),
            ("v0.rust.servers.{server_id}.events.started", "{}", "placeholder"),
            ("v0.rust.servers.eu.1.events.started", "{}", "--wide-filter"),
        ] {
            let told = read(subject, payload).to_string();
            assert!(told.contains(remark), "{told}");
        }
        for quiet in ["", "null", "{}"] {
            assert!(read("v0.rust.servers.main.events.wiped", quiet).remarks.is_empty(), "{quiet}");
        }
        let wide = Reading::of(&account(true), "v0.rust.servers.eu.1.events.started", b"", Timestamp::default(), 1);
        assert!(wide.remarks.is_empty());
    }

    #[test]
    fn fields_without_end_are_not_all_told() {
        let payload = |fields: usize| {
            let fields = (0..fields).map(|number| (format!("f{number}"), json!(1)));
            Value::Object(fields.collect()).to_string()
        };
        let many = read("v0.rust.servers.main.players.7.events.connected", &payload(1_500));
        assert_eq!(many.unused.len(), MOST_UNUSED);
        assert!(many.to_string().contains("there may be more than these 50 fields"), "{many}");
        let few = read("v0.rust.servers.main.players.7.events.connected", &payload(MOST_UNUSED - 1));
        assert_eq!((few.unused.len(), few.remarks.len()), (MOST_UNUSED - 1, 0));
    }

    #[test]
    fn markup_is_not_seen() {
        assert_eq!(without_markup(r"**A\*\*b** ([Steam](https://x/7)) \[x\]\(y\) 3 * 4"), "A**b (Steam) [x](y) 3 * 4");
    }
}
