//! The contract in: what game servers publish, as `tests/fixtures/events` has it, and the event that each becomes.
//!
//! A new kind, alias or payload form begins here, with a fixture. What events look like in Discord is tested where
//! they are worded.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use guildwire::discord::event_embed::{Names, event_embed};
use guildwire::domain::event::{Event, Kind};
use guildwire::domain::subject::{Root, Subject};
use guildwire::domain::timestamp::Timestamp;
use guildwire::intake::decode::{MAX_ID, MAX_PAYLOAD, MAX_TEXT, decode, server_of, subject_of};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// A message as it comes, and what it must become: an event or a reject.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    about: String,
    subject: String,
    payload: String,
    event: Option<Expected>,
    rejected: Option<String>,
}

/// Fields that are left out must be unknown.
#[derive(Deserialize, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
struct Expected {
    kind: String,
    server: String,
    player: Option<String>,
    player_name: Option<String>,
    #[serde(default)]
    details: Map<String, Value>,
}

#[test]
fn every_fixture_becomes_what_it_says() {
    let mut kinds = BTreeSet::new();
    for (file, fixture) in fixtures() {
        let about = format!("{file}: {}: {}", fixture.about, fixture.subject);
        match subject_of(&Root::default(), &fixture.subject, fixture.payload.as_bytes()) {
            Ok(subject) => {
                let event = decoded(&subject, fixture.payload.as_bytes());
                assert_eq!(server_of(&subject, fixture.payload.as_bytes()), event.server, "{about}");
                assert_eq!(Some(summary(&event)), fixture.event, "{about}");
                kinds.insert(event.kind());
            }
            Err(reason) => assert_eq!(Some(reason.name()), fixture.rejected.as_deref(), "{about}"),
        }
    }
    assert_eq!(kinds.len(), Kind::ALL.len(), "each kind has a fixture, these have: {kinds:?}");
}

#[test]
fn an_event_is_stamped_with_what_the_connection_knows() {
    let subject = Subject::parse(&Root::default(), "v0.rust.servers.0.events.started").unwrap();
    let event = decoded(&subject, br#"{"account":"other","sequence":1,"timestamp":"1999-01-01T00:00:00Z"}"#);
    assert_eq!((event.account.as_str(), event.sequence), ("GA-1", 42));
    assert_eq!(event.stored, Timestamp::from_nanoseconds(1_700_000_000_000_000_000));
}

#[test]
fn no_payload_bloats_the_database() {
    let long = "é".repeat(10_000);
    let subject = format!("v0.rust.servers.{long}.events.player.{long}.chatted");
    let subject = Subject::parse(&Root::default(), &subject).unwrap();
    let event = decoded(&subject, json!({ "player_name": long, "full_message": long }).to_string().as_bytes());
    assert_eq!(event.server.as_str().chars().count(), MAX_ID);
    assert_eq!(event.player.unwrap().as_str().chars().count(), MAX_ID);
    assert_eq!(event.player_name.unwrap().chars().count(), MAX_TEXT);
    assert!(serde_json::to_string(&event.details).unwrap().chars().count() < MAX_TEXT + 100);

    let subject = Subject::parse(&Root::default(), "v0.rust.servers.0.events.player.7.chatted").unwrap();
    let fits = format!("{{\"full_message\":\"hi\",\"x\":\"{}\"}}", "x".repeat(MAX_PAYLOAD - 28));
    assert_eq!(fits.len(), MAX_PAYLOAD);
    assert_eq!(summary(&decoded(&subject, fits.as_bytes())).details.get("message"), Some(&json!("hi")));
    let too_large = format!("{fits} ");
    assert_eq!(summary(&decoded(&subject, too_large.as_bytes())).details.get("message"), None);
    // Deep nesting overflows no stack.
    for deep in ["[".repeat(MAX_PAYLOAD), r#"{"player":"#.repeat(MAX_PAYLOAD / 10)] {
        assert_eq!(decoded(&subject, deep.as_bytes()).player_name, None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_message_makes_it_panic(index in any::<prop::sample::Index>(), payload in hostile_payload(), names in any::<[String; 2]>()) {
        let fixtures = fixtures();
        let (_, fixture) = index.get(&fixtures);
        if let Ok(subject) = Subject::parse(&Root::default(), &fixture.subject) {
            let names = Names { player: Some(&names[0]), target: Some(&names[1]), server: None };
            let embed = event_embed(&decoded(&subject, &payload), names);
            prop_assert!(embed.size() <= 6_000);
        }
    }

    #[test]
    fn no_address_of_a_player_survives(
        four in any::<[u8; 4]>(), six in any::<[u16; 8]>(), port in 1_u16.., form in 0..4,
        end in prop::sample::select(vec!["connected", "disconnected", "banned", "reported", "danced"]), holder in 0..6,
    ) {
        let four = std::net::Ipv4Addr::from(four).to_string();
        let six = std::net::Ipv6Addr::from(six).to_string();
        prop_assume!(six.bytes().any(|byte| byte.is_ascii_digit()));
        let (secret, written) = match form {
            0 => (&four, four.clone()),
            1 => (&four, format!("{four}:{port}")),
            2 => (&six, six.clone()),
            _ => (&six, format!("[{six}]:{port}")),
        };
        let fields = ["address", "ip", "ipAddress", "ip_address", "Address", "endpoint", "id", "name", "player_name",
            "steam_id", "reason", "message", "subject", "reportedType", "reported_target_steam_id", "server_id"];
        let text: Value = match holder {
            0 => json!(written),
            1 => json!(format!("Bob {written}")),
            2 => json!(format!("({written})")),
            3 => json!([written]),
            4 => json!({ "address": written }),
            _ => json!(format!("ip:{written},")),
        };
        let object: Map<String, Value> = fields.iter().map(|field| ((*field).to_owned(), text.clone())).collect();
        let mut payload = object.clone();
        payload.insert("player".to_owned(), Value::Object(object));
        let payload = Value::Object(payload).to_string();
        for payload in [payload.clone(), json!(payload).to_string()] {
            for subject in [format!("v0.rust.servers.eu-1.players.7.events.{end}"),
                format!("v0.rust.servers.{{server_id}}.players.{{steam_id}}.events.{end}")] {
                let subject = Subject::parse(&Root::default(), &subject).unwrap();
                let event = decoded(&subject, payload.as_bytes());
                let embed = serde_json::to_string(&event_embed(&event, Names::default())).unwrap();
                // As it is shown: an address must not hide behind escapes either.
                for place in [format!("{event:?}"), serde_json::to_string(&event.details).unwrap(), embed.replace('\\', "")] {
                    prop_assert!(!place.contains(secret.as_str()), "{place}");
                }
            }
        }
    }
}

/// Every fixture, with the file it stands in.
fn fixtures() -> Vec<(String, Fixture)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/events");
    let mut fixtures = Vec::new();
    for entry in fs::read_dir(directory).expect("fixtures are in the repository") {
        let path = entry.expect("fixtures can be listed").path();
        let file = path.file_name().expect("a listed file has a name").to_string_lossy().into_owned();
        let cases: Vec<Fixture> = serde_json::from_str(&fs::read_to_string(&path).expect("a fixture can be read"))
            .unwrap_or_else(|error| panic!("{file}: {error}"));
        fixtures.extend(cases.into_iter().map(|case| (file.clone(), case)));
    }
    fixtures
}

fn decoded(subject: &Subject<'_>, payload: &[u8]) -> Event {
    let account = "GA-1".parse().expect("a plain name");
    decode(&account, subject, payload, Timestamp::from_nanoseconds(1_700_000_000_000_000_000), 42)
}

fn summary(event: &Event) -> Expected {
    let Value::Object(mut details) = serde_json::to_value(&event.details).expect("details are plain data") else {
        panic!("details are an object");
    };
    details.remove("kind");
    details.retain(|_, value| !value.is_null());
    Expected {
        kind: event.kind().name().to_owned(),
        server: event.server.as_str().to_owned(),
        player: event.player.as_ref().map(|player| player.as_str().to_owned()),
        player_name: event.player_name.clone(),
        details,
    }
}

/// Bytes of every sort, and JSON whose fields are those that are read, with values of every type.
fn hostile_payload() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "player",
        "id",
        "name",
        "player_name",
        "steam_id",
        "full_message",
        "reason",
        "Reason",
        "command",
        "arguments",
        "player_hit",
        "attacker",
        "victim",
        "isKill",
        "hit_distance",
        "item_id",
        "amount",
        "subject",
        "message",
    ]);
    let tree = leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(name.clone().prop_map(str::to_owned), inner, 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    });
    prop_oneof![
        any::<Vec<u8>>(),
        tree.clone().prop_map(|tree| tree.to_string().into_bytes()),
        tree.clone().prop_map(|tree| json!(tree.to_string()).to_string().into_bytes()),
        (tree, any::<prop::sample::Index>()).prop_map(|(tree, torn)| {
            let mut bytes = tree.to_string().into_bytes();
            bytes.truncate(torn.index(bytes.len() + 1));
            bytes
        }),
    ]
}
