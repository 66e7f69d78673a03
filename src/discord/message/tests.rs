//! Which form a message takes, by what is due.

use serde_json::{Value, json};

use super::*;
use crate::domain::event::{Details, Kind, Start};
use crate::domain::ids::PlayerId;
use crate::domain::text::utf16_length;

const SEAL: Seal<'_> = Seal { mark: "7f3k2m9q", nonce: "n-1" };

/// When the first event was stored.
fn start() -> Timestamp {
    Timestamp::from_nanoseconds(1_800_000_000_000_000_000)
}

/// That many seconds later.
fn at(second: u64) -> Timestamp {
    start().plus(Duration::from_secs(second))
}

fn row(second: u64, server: &str, player: Option<&str>, details: Details) -> Row {
    let event = Event {
        account: "GA-1".parse().unwrap(),
        server: server.into(),
        player: player.map(PlayerId::from),
        player_name: player.map(str::to_owned),
        stored: at(second),
        sequence: second,
        details,
    };
    let piece = Piece::Event(NamedEvent { event, player: None, target: None, server: None });
    Row { piece, mention: Vec::new(), style: Style::Each, hold: Duration::ZERO, alone: None }
}

fn joins(second: u64, player: &str) -> Row {
    row(second, "eu1", Some(player), Details::PlayerConnected)
}

fn leaves(second: u64, player: &str) -> Row {
    row(second, "eu1", Some(player), Details::PlayerDisconnected { reason: None })
}

fn says(second: u64, message: &str) -> Row {
    row(second, "eu1", Some("Ann"), Details::PlayerChatted { message: Some(message.to_owned()) })
}

fn stops(second: u64, server: &str) -> Row {
    row(second, server, None, Details::ServerStopped)
}

fn apart(text: &str) -> Row {
    Row {
        piece: Piece::Apart(Embed::new(text)),
        mention: Vec::new(),
        style: Style::Each,
        hold: Duration::ZERO,
        alone: None,
    }
}

fn in_style(style: Style, rows: Vec<Row>) -> Vec<Row> {
    rows.into_iter().map(|row| Row { style, ..row }).collect()
}

fn composed(rows: &[Row]) -> Message {
    compose(rows, &[], told_at(60), SEAL)
}

/// As it is told that many seconds after the first event.
fn told_at(second: u64) -> Lateness {
    Lateness { now: at(second), after: Duration::from_mins(5) }
}

fn parsed(message: &Message) -> Value {
    serde_json::from_str(&message.json).unwrap()
}

fn descriptions(message: &Message) -> Vec<String> {
    let json = parsed(message);
    json["embeds"].as_array().unwrap().iter().map(|it| it["description"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_few_are_told_each_and_only_the_last_embed_carries_the_mark() {
    let rows: Vec<_> = (0..10).map(|number| says(number, &number.to_string())).collect();
    let message = composed(&rows);
    assert_eq!((message.rows, &message.file), (10, &None));
    let json = parsed(&message);
    assert_eq!(json["embeds"].as_array().unwrap().len(), 10);
    assert_eq!(json["embeds"][8]["footer"]["text"], "GA-1 · eu1");
    assert_eq!(json["embeds"][9]["footer"]["text"], "GA-1 · eu1 · 7f3k2m9q");
    assert_eq!((json["nonce"].as_str(), json["enforce_nonce"].as_bool()), (Some("n-1"), Some(true)));
    assert!(["content", "flags", "attachments"].iter().all(|key| json.get(key).is_none()), "{json}");
}

#[test]
fn embeds_never_count_more_than_a_message_may() {
    let long: Vec<_> = (0..3).map(|number| says(number, &"x".repeat(2_500))).collect();
    assert_eq!(composed(&long).rows, 2);
    assert_eq!(composed(&long[..1]).rows, 1);
}

#[test]
fn only_the_chosen_roles_can_be_notified_each_once() {
    let rows = [
        Row { mention: vec![RoleId(1), RoleId(2)], ..says(0, "@everyone <@&3>") },
        Row { mention: vec![RoleId(2)], ..says(0, "b") },
    ];
    let json = parsed(&composed(&rows));
    assert_eq!(json["content"], "<@&1> <@&2>");
    assert_eq!(json["allowed_mentions"], json!({ "parse": [], "roles": ["1", "2"] }));
}

#[test]
fn more_than_ten_join_and_everybody_is_named() {
    let mut rows: Vec<_> = ["A", "B", "C", "D"].iter().map(|player| joins(1, player)).collect();
    rows.extend([leaves(2, "X"), joins(9, "X"), stops(10, "eu2"), stops(12, "eu2")]);
    rows.extend(["one", "two", "three"].map(|text| says(20, text)));
    assert_eq!(rows.len(), 11);
    let message = composed(&rows);
    assert_eq!((message.rows, &message.file), (11, &None));
    let second = |second| at(second).unix_seconds();
    assert_eq!(
        descriptions(&message),
        [
            format!("📥 **A**, **B**, **C** and **D** joined **eu1** · <t:{}:R>", second(1)),
            format!("🔁 **X** reconnected to **eu1** · <t:{}:R>", second(9)),
            format!("🔴 Server **eu2** has stopped (×2) · <t:{}:R>", second(12)),
            format!(
                "💬 **Ann** on **eu1**: one\n💬 **Ann** on **eu1**: two\n💬 **Ann** on **eu1**: three · <t:{}:R>",
                second(20)
            ),
        ]
    );
}

#[test]
fn other_styles_join_also_when_few_and_only_quiet_alone_makes_no_sound() {
    let rows = vec![joins(1, "A"), joins(2, "B")];
    let grouped = composed(&in_style(Style::Grouped, rows.clone()));
    let told = format!("📥 **A** and **B** joined **eu1** · <t:{}:R>", at(2).unix_seconds());
    assert_eq!((descriptions(&grouped), parsed(&grouped).get("flags")), (vec![told], None));
    let mut quiet = in_style(Style::Quiet, rows);
    assert_eq!(parsed(&composed(&quiet))["flags"], 1 << 12);
    quiet.extend(in_style(Style::Grouped, vec![joins(3, "C")]));
    assert_eq!(parsed(&composed(&quiet)).get("flags"), None);
}

#[test]
fn too_much_for_that_is_counted_and_every_line_is_attached() {
    let mut rows: Vec<_> = (0..1_000).map(|number| says(number % 60, &format!("line {number}"))).collect();
    rows.insert(500, stops(30, "eu2"));
    rows.insert(700, apart("🧪 a sample"));
    let message = composed(&rows);
    assert_eq!(message.rows, 1_002);
    let [told] = descriptions(&message).try_into().unwrap();
    let span = format!("**1001 events** from <t:{}:T> to <t:{}:T>", at(0).unix_seconds(), at(59).unix_seconds());
    let stopped = format!("<t:{}:T> 🔴 Server **eu2** has stopped", at(30).unix_seconds());
    let attached = "📎 Every one of them, in order: **events.txt**";
    assert_eq!(
        told.lines().collect::<Vec<_>>(),
        [&span, &stopped, "🧪 a sample", "🔴 1 × stopped · 💬 1000 messages", attached]
    );
    assert_eq!(parsed(&message)["attachments"], json!([{ "id": "0", "filename": "events.txt" }]));
    let file = message.file.unwrap();
    let lines: Vec<_> = file.lines().collect();
    assert_eq!(lines.len(), 1_002);
    assert_eq!(lines[0], "2027-01-15 08:00:00 UTC  💬 Ann on eu1: line 0");
    assert_eq!(lines[500], "2027-01-15 08:00:30 UTC  🔴 Server eu2 has stopped");
    assert_eq!(lines[700], "🧪 a sample");
}

#[test]
fn what_a_server_said_last_is_never_buried() {
    let mut rows = Vec::new();
    for second in 0..60 {
        rows.push(row(second, "flapping", None, Details::ServerStarted { how: Start::Up }));
        rows.push(row(second, "flapping", None, Details::ServerStopped));
    }
    rows.insert(0, stops(0, "eu2"));
    let message = composed(&rows);
    let [told] = descriptions(&message).try_into().unwrap();
    assert!(told.contains("Server **eu2** has stopped"), "{told}");
    assert!(told.contains("… and 96 more like these, in the file"), "{told}");
}

#[test]
fn what_is_late_says_when_it_was() {
    let message = compose(&[stops(0, "eu1"), joins(400, "A")], &[], told_at(420), SEAL);
    let [told] = descriptions(&message).try_into().unwrap();
    let (first, last) = (at(0).unix_seconds(), at(400).unix_seconds());
    let wanted = format!(
        "**2 events, told late**: it happened from <t:{first}:f> to <t:{last}:f>\n<t:{first}:T> 🔴 Server **eu1** has \
         stopped\n<t:{last}:T> 📥 **A** joined **eu1**"
    );
    assert_eq!((told, &message.file), (wanted, &None));
}

#[test]
fn what_was_given_up_is_told_also_where_nothing_else_is() {
    let given_up = [
        GivenUp { kind: Kind::PlayerConnected, events: 4_000, first_stored: at(0), last_stored: at(50) },
        GivenUp { kind: Kind::ServerStopped, events: 1, first_stored: at(20), last_stored: at(20) },
    ];
    let message = compose(&[], &given_up, told_at(60), SEAL);
    let [told] = descriptions(&message).try_into().unwrap();
    assert!(told.starts_with("⚠️ **4001 events before that can't be told any more**"), "{told}");
    assert!(told.contains("📥 4000 joined · 🔴 1 × stopped"), "{told}");
    assert!(parsed(&message)["embeds"][0]["footer"]["text"].as_str().unwrap().ends_with("7f3k2m9q"));
}

#[test]
fn a_line_that_does_not_fit_into_an_embed_is_whole_in_the_file() {
    let long = "x".repeat(900);
    let message = compose(&[says(0, &long)], &[], told_at(400), SEAL);
    assert!(message.file.unwrap().contains(&long));
}

#[test]
fn a_file_that_is_full_says_how_much_is_missing() {
    let rows: Vec<_> = (0..5_000).map(|number| says(0, &format!("{number} {}", "x".repeat(1_900)))).collect();
    let message = composed(&rows);
    let file = message.file.as_ref().unwrap();
    assert!((8 << 20) - 4_000 < file.len() && file.len() < (8 << 20) + 100, "{}", file.len());
    let lines = file.lines().count() - 1;
    assert!(file.ends_with(&format!("This file is full: {} events more.", 5_000 - lines)));
    let [told] = descriptions(&message).try_into().unwrap();
    assert!(told.contains(&format!("It is full: {} more", 5_000 - lines)), "{told}");
    assert!(told.contains("💬 5000 messages"), "{told}");
}

#[test]
fn what_discord_did_not_accept_is_told_plainly_once_more() {
    let rows =
        [Row { mention: vec![RoleId(1)], ..row(0, "eu1", Some("*Ann*"), Details::PlayerBanned { reason: None }) }];
    let json = parsed(&compose_anew(&rows, &[], Wording::Plain, told_at(60), SEAL));
    let told = json["embeds"][0]["description"].as_str().unwrap();
    assert!(told.ends_with("🔨 \\*Ann\\* was banned on eu1"), "{told}");
    assert!(json.get("content").is_none() && json["embeds"][0].get("timestamp").is_none());
}

#[test]
fn what_a_filter_refused_is_told_without_what_players_wrote() {
    let rows = [stops(0, "eu1"), says(1, "bad word"), joins(2, "bad name")];
    let message = compose_anew(&rows, &[], Wording::Withheld, told_at(60), SEAL);
    assert!(!message.json.contains("bad word") && !message.json.contains("Ann"), "{}", message.json);
    let [told] = descriptions(&message).try_into().unwrap();
    assert!(told.contains("Server **eu1** has stopped") && told.contains("said something"), "{told}");
}

#[test]
fn a_repeated_message_says_so_once_and_fits() {
    let roles: Vec<RoleId> = (0..100).map(|role| RoleId(u64::MAX - role)).collect();
    for mention in [Vec::new(), roles] {
        let body = composed(&[Row { mention, ..says(0, "hello") }]).json;
        let before: Value = serde_json::from_str(&body).unwrap();
        let repeated = marked_as_repeated(&body, "n-2").unwrap();
        let after: Value = serde_json::from_str(&repeated).unwrap();
        let content = after["content"].as_str().unwrap();
        assert!(content.starts_with(words::POSSIBLY_REPEATED), "{content}");
        assert!(content.ends_with(before["content"].as_str().unwrap_or_default()), "{content}");
        assert!(utf16_length(content) <= 2_000);
        assert_eq!(after["nonce"], "n-2");
        assert_eq!((&after["embeds"], &after["allowed_mentions"]), (&before["embeds"], &before["allowed_mentions"]));
        assert_eq!(marked_as_repeated(&repeated, "n-3"), None);
    }
}

#[test]
fn what_is_late_is_so_in_other_words_too() {
    let message = compose_anew(&[stops(0, "eu1")], &[], Wording::Withheld, told_at(400), SEAL);
    let [told] = descriptions(&message).try_into().unwrap();
    assert!(told.contains("**1 event, told late**"), "{told}");
}

#[test]
fn lines_that_do_not_fit_into_one_embed_are_whole_in_the_file() {
    // Wherever in a word the limit falls.
    for length in 80..100 {
        let rows: Vec<_> = (0..50).map(|number| says(0, &format!("{number} {}", "word ".repeat(length / 5)))).collect();
        let message = composed(&rows);
        let told = format!("{:?}{:?}", descriptions(&message), message.file);
        assert!((0..50).all(|number| told.contains(&format!(": {number} word"))), "{length}: {told}");
    }
}

#[test]
fn nothing_is_cut_where_everything_that_may_be_said_is_said() {
    let kinds =
        Kind::ALL.iter().map(|kind| GivenUp { kind: *kind, events: 1 << 40, first_stored: at(0), last_stored: at(9) });
    let mut rows: Vec<_> = (0..200).map(|number| stops(0, &format!("{number}{}", "s".repeat(90)))).collect();
    rows.extend((0..9_000).map(|number| says(0, &format!("{number} {}", "x".repeat(1_900)))));
    let message = compose(&rows, &kinds.collect::<Vec<_>>(), told_at(400), SEAL);
    let [told] = descriptions(&message).try_into().unwrap();
    assert!(told.contains("more like these") && told.contains("9000 messages"), "{told}");
    assert!(told.ends_with("more are in the numbers above only."), "{told}");
}

#[test]
fn who_is_called_is_named_once_and_nobody_is_where_it_was_not_accepted() {
    let calls = vec![UserId(1), UserId(2)];
    let rows = [Row { alone: Some(Alone { calls, ..Alone::default() }), ..apart("back") }];
    let body = parsed(&composed(&rows));
    assert_eq!(body["content"], "<@1><@2>");
    assert_eq!(body["allowed_mentions"], json!({ "parse": [], "roles": [], "users": ["1", "2"] }));
    let anew = parsed(&compose_anew(&rows, &[], Wording::Plain, told_at(60), SEAL));
    assert_eq!((&anew["content"], &anew["allowed_mentions"]), (&Value::Null, &json!({ "parse": [], "roles": [] })));
}
