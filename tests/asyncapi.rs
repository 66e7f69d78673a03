//! The contract that `asyncapi.yaml` describes is the one that guildwire keeps: AsyncAPI's own parser takes the document,
//! and what it says of subjects, kinds and fields is what the code does, both ways.
#![expect(clippy::unwrap_used, reason = "a document that can't be read is a failure")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use guildwire::discord::event_embed::{Names, sentence};
use guildwire::domain::event::{Event, Kind, KindSet};
use guildwire::domain::ids::PlayerId;
use guildwire::domain::subject::{Root, Subject};
use guildwire::domain::timestamp::Timestamp;
use guildwire::intake::decode::decode;
use serde_json::{Map, Value, json};

/// Fields that are read only in the place of an id that a subject should have had: how to do it right is the contract.
const INSTEAD_OF_SUBJECTS: [&str; 1] = ["server_id"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The document as JSON, from AsyncAPI's own parser, which has nothing to say against it.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let output = Command::new(root().join(".tools/bin/node"))
        .args(["tools/asyncapi/check.mjs", "asyncapi.yaml"])
        .current_dir(root())
        .output()
        .expect("`./dev tools` installs Node.js");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
});

/// A channel of the document: an address, its parameters' examples, and the message that is published there.
struct Channel {
    address: &'static str,
    parameters: BTreeMap<&'static str, &'static str>,
    message: &'static Value,
    tags: &'static [Value],
}

fn channels() -> Vec<Channel> {
    let channels = DOCUMENT["channels"].as_object().unwrap().values().map(|channel| {
        let parameters = channel["parameters"].as_object().unwrap();
        let messages = channel["messages"].as_object().unwrap();
        assert_eq!(messages.len(), 1, "a subject has one kind of payload");
        Channel {
            address: channel["address"].as_str().unwrap(),
            parameters: parameters
                .iter()
                .map(|(name, parameter)| (name.as_str(), parameter["examples"][0].as_str().unwrap()))
                .collect(),
            message: messages.values().next().unwrap(),
            tags: channel["tags"].as_array().unwrap(),
        }
    });
    channels.collect()
}

impl Channel {
    fn kind(&self) -> Kind {
        let name = self.message["name"].as_str().unwrap();
        Kind::from_name(name).unwrap_or_else(|| panic!("{}: there is no kind {name}", self.address))
    }

    /// The address with the parameters' examples.
    fn subject(&self) -> String {
        let fill = |address: String, (name, example): (&&str, &&str)| address.replace(&format!("{{{name}}}"), example);
        self.parameters.iter().fold(self.address.to_owned(), fill)
    }

    /// The address as a filter.
    fn filter(&self) -> String {
        let open = |address: String, name: &&str| {
            address.replace(&format!("{{{name}}}"), if *name == "name" { ">" } else { "*" })
        };
        self.parameters.keys().fold(self.address.to_owned(), open)
    }
}

fn decoded(subject: &str, payload: &Value) -> Event {
    let subject = Subject::parse(&Root::default(), subject).unwrap_or_else(|reason| panic!("{subject}: {reason}"));
    let account = "GA-1".parse().unwrap();
    decode(&account, &subject, payload.to_string().as_bytes(), Timestamp::default(), 1)
}

#[test]
fn every_example_comes_true() {
    for channel in channels() {
        let subject = channel.subject();
        assert!(!subject.contains('{'), "{subject} has a parameter without an example");
        let examples = channel.message["examples"].as_array().unwrap();
        assert!(!examples.is_empty(), "{subject}");
        for example in examples {
            for part in ["payload", "headers"] {
                let schema = jsonschema::validator_for(&channel.message[part]).unwrap();
                assert!(schema.is_valid(&example[part]), "{subject}: {part} is not as its schema says: {example}");
            }
            let event = decoded(&subject, &example["payload"]);
            assert_eq!(event.kind(), channel.kind(), "{subject}");
            assert_eq!(event.server.as_str(), channel.parameters["server"], "{subject}");
            let player = event.player.as_ref().map(PlayerId::as_str);
            assert_eq!(player, channel.parameters.get("player").copied(), "{subject}");
            let told = sentence(&event, Names::default());
            assert_eq!(Some(told.lines().next().unwrap()), example["summary"].as_str(), "{subject}");
        }
    }
}

#[test]
fn every_subject_that_is_read_is_described_and_no_other() {
    let described: BTreeSet<_> = channels().iter().map(Channel::filter).collect();
    let known: KindSet = Kind::ALL.iter().copied().filter(|kind| *kind != Kind::Unknown).collect();
    let unknown = [Kind::Unknown].into_iter().collect();
    let read: BTreeSet<_> = [known, unknown].iter().flat_map(|kinds| Root::default().filters(*kinds, false)).collect();
    assert_eq!(described, read);
    let kinds: KindSet = channels().iter().map(Channel::kind).collect();
    assert_eq!(kinds.to_names(), Kind::ALL.iter().copied().collect::<KindSet>().to_names());
}

#[test]
fn every_channel_is_received_from_and_older_ones_say_so() {
    let operations = DOCUMENT["operations"].as_object().unwrap();
    let received: BTreeSet<_> =
        operations.values().map(|operation| operation["channel"]["address"].as_str().unwrap()).collect();
    assert_eq!(received, channels().iter().map(|channel| channel.address).collect());
    assert!(operations.values().all(|operation| operation["action"] == "receive"));
    let older: BTreeSet<_> = Kind::ALL.iter().flat_map(|kind| subjects(*kind).into_iter().skip(1)).collect();
    assert_eq!(older.len(), 3);
    for channel in channels() {
        let is_older = channel.tags.iter().any(|tag| tag["name"] == "older");
        assert_eq!(is_older, older.contains(&channel.filter()), "{}", channel.address);
    }
}

/// The subjects of one kind, older ones last. Of the kinds that are always read each has one.
fn subjects(kind: Kind) -> Vec<String> {
    let always = Root::default().filters(KindSet::EMPTY, false);
    let with_kind = Root::default().filters([kind].into_iter().collect(), false);
    with_kind.into_iter().filter(|filter| kind != Kind::Unknown && !always.contains(filter)).collect()
}

#[test]
fn every_field_that_is_read_is_described_and_no_other() {
    for channel in channels() {
        let subject = channel.subject();
        let without = decoded(&subject, &json!({}));
        let mut described = BTreeSet::new();
        leaves(&channel.message["payload"], &mut Vec::new(), &mut described);
        let candidates = candidates();
        assert!(described.is_subset(&candidates), "{subject}: {:?}", described.difference(&candidates));
        // A text that can be read as whatever is wanted: an id, a number, yes.
        let is_read = |path: &Vec<String>| decoded(&subject, &holding(path, json!("1"))) != without;
        let read: BTreeSet<_> = candidates.into_iter().filter(is_read).collect();
        assert_eq!(described, read, "{subject}: described, and read");
    }
}

/// The paths to a schema's fields that hold no further ones.
fn leaves(schema: &Value, path: &mut Vec<String>, found: &mut BTreeSet<Vec<String>>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        path.push(name.clone());
        if field["properties"].is_object() {
            leaves(field, path, found);
        } else {
            found.insert(path.clone());
        }
        path.pop();
    }
}

/// Everywhere that a field could be read from: each name that the decoder looks for, in each object that it looks into.
fn candidates() -> BTreeSet<Vec<String>> {
    let source = std::fs::read_to_string(root().join("src/intake/decode/payload.rs")).unwrap();
    let list = source.split_once("const WANTED: &[&str] = &[").unwrap().1.split_once("];").unwrap().0;
    let names: BTreeSet<_> =
        list.split('"').skip(1).step_by(2).filter(|name| !INSTEAD_OF_SUBJECTS.contains(name)).collect();
    assert!(names.len() > 20, "the decoder's list is elsewhere");
    let holders: [&[&str]; 5] =
        [&[], &["player"], &["player_hit"], &["player_hit", "attacker"], &["player_hit", "victim"]];
    let paths = holders.iter().flat_map(|holder| names.iter().map(|name| [*holder, &[*name]].concat()));
    paths.map(|path| path.into_iter().map(str::to_owned).collect()).collect()
}

/// An object that holds `value` there, and nothing else.
fn holding(path: &[String], value: Value) -> Value {
    path.iter().rev().fold(value, |value, name| Value::Object(Map::from_iter([(name.clone(), value)])))
}
