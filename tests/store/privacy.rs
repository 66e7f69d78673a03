//! What is stored of a player: found wherever it is, and taken away.

use std::collections::{BTreeMap, BTreeSet};

use guildwire::domain::audit::Action;
use guildwire::domain::event::Details;
use guildwire::domain::ids::PlayerId;
use guildwire::domain::online::Stay;
use guildwire::store::forgetting::Forgotten;
use guildwire::store::recording::{HeardPlayer, HeardServer, NewOutboxRow, Reject, details_to_column};
use serde_json::{Value, json};

use crate::online::place;
use crate::outbox::message;
use crate::recording::{insert, row};
use crate::*;

const ADA: &str = "76561198000000001";
const BOB: &str = "7656119800000000";

async fn hear(store: &Store, account: &str, players: &[(&str, &str)]) {
    let rows: Vec<_> = players
        .iter()
        .map(|(id, name)| HeardPlayer { player_id: (*id).into(), name: (*name).to_owned(), heard_at: 5 })
        .collect();
    let rejects = [Reject {
        stored_at: 5,
        sequence: 9,
        subject: format!("v0.rust.servers.main.players.{ADA}.events"),
        size: 3,
        reason: "bad_subject",
    }];
    let mut transaction = store.write().await.unwrap();
    store.hear_players(&mut transaction, &name(account), &rows).await.unwrap();
    store.insert_rejects(&mut transaction, &name(account), &rejects).await.unwrap();
    let heard = [HeardServer { server_id: "main".into(), last_event_at: 5, wiped_at: None }];
    store.hear_servers(&mut transaction, &name(account), &heard).await.unwrap();
    let places: Vec<_> = players.iter().map(|(id, _)| place("main", id)).collect();
    let stay = Stay { since: at(5), earlier_end_until: None };
    let stays: Vec<_> = places.iter().map(|place| (place, stay)).collect();
    store.keep_stays(&mut transaction, &name(account), &stays).await.unwrap();
    transaction.commit().await.unwrap();
}

fn about(store: &Store, sequence: u64, player: &str, details: &Details) -> NewOutboxRow {
    NewOutboxRow {
        player_id: Some(player.into()),
        player_name: Some("Somebody".to_owned()),
        details: details_to_column(details),
        ..row(store, CHANNEL, sequence, "")
    }
}

fn said(text: &str) -> Details {
    Details::PlayerChatted { message: Some(text.to_owned()) }
}

/// Events of Ada and of Bob, whose id is the beginning of hers: some wait, two are in a message that was sent, and one
/// is in one that is being sent.
async fn furnished(store: &Store) -> Vec<i64> {
    for account in ["GA-1", "GA-2"] {
        add_account(store, account).await;
        hear(store, account, &[(ADA, "Ada"), (BOB, "Bob")]).await;
    }
    let hit = Details::PlayerHit { attacker: Some(ADA.into()), killed: Some(true), metres: None };
    let rows = [
        about(store, 1, ADA, &said("sent")),
        about(store, 2, BOB, &said(&format!("{ADA} was here, 50% of_it"))),
        about(store, 3, ADA, &said("being sent")),
        about(store, 4, ADA, &said("waits")),
        about(store, 5, BOB, &hit),
        about(store, 6, BOB, &said(&format!("x{ADA} and {BOB}"))),
    ];
    insert(store, &rows).await;
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let sent = message(store, "sent");
    let body = json!({ "embeds": [{ "description": "**Ada** said…" }] }).to_string();
    let sent = guildwire::store::outbox::SealedMessage { body, ..sent };
    store.seal(CHANNEL, &sent, &showing(&ids[..2]), at(10)).await.unwrap();
    store.settle_delivered(sent.id, Some(7), at(11)).await.unwrap();
    store.seal(CHANNEL, &message(store, "open"), &showing(&ids[2..3]), at(12)).await.unwrap();
    ids
}

async fn exported(store: &Store, player: &str, account: Option<&str>) -> Value {
    let account = account.map(name);
    let stored = store.stored_of(&PlayerId::from(player), account.as_ref()).await.unwrap();
    serde_json::to_value(stored).unwrap()
}

fn sequences(exported: &Value) -> Vec<u64> {
    exported["events"].as_array().unwrap().iter().filter_map(|event| event["sequence"].as_u64()).collect()
}

#[tokio::test]
async fn all_that_names_a_player_is_found_and_nothing_else() {
    on_both(async |database| {
        let store = database.open().await;
        furnished(&store).await;
        let ada = exported(&store, ADA, None).await;
        assert_eq!(sequences(&ada), [1, 2, 3, 4, 5], "{ada:#}");
        assert_eq!(ada["names"].as_array().unwrap().len(), 2);
        assert_eq!(
            ada["names"][0],
            json!({ "account": "GA-1", "name": "Ada", "heard_at": "1970-01-01T00:00:00.000000005Z" })
        );
        let stay = json!({ "account": "GA-1", "server": "main", "since": "1970-01-01T00:00:00.000000005Z" });
        assert_eq!((&ada["stays"][0], ada["stays"].as_array().unwrap().len()), (&stay, 2));
        assert_eq!(ada["rejects"].as_array().unwrap().len(), 2);
        let states: Vec<_> = ada["messages"].as_array().unwrap().iter().map(|it| it["state"].clone()).collect();
        assert_eq!(states, ["delivered", "sealed"]);
        assert_eq!(ada["messages"][0]["body"]["embeds"][0]["description"], "**Ada** said…");
        assert_eq!(sequences(&exported(&store, BOB, None).await), [2, 5, 6]);
        let of_second = exported(&store, ADA, Some("GA-2")).await;
        assert_eq!((sequences(&of_second), of_second["names"].as_array().unwrap().len()), (Vec::new(), 1));
        assert_eq!(of_second["messages"], json!([]));
        for nobody in ["%", "_", "!", "7656", "' OR 1=1 --"] {
            let none = exported(&store, nobody, None).await;
            assert_eq!(
                none,
                json!({ "names": [], "stays": [], "events": [], "messages": [], "rejects": [] }),
                "{nobody}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_player_is_forgotten_but_for_what_is_being_sent() {
    on_both(async |database| {
        let store = database.open().await;
        let ids = furnished(&store).await;
        let player = PlayerId::from(ADA);
        let stored = store.stored_of(&player, None).await.unwrap();
        let gone = store.forget_player(&player, None, &stored, &by(5000)).await.unwrap();
        let wanted =
            Forgotten { names: 2, stays: 2, waiting: 1, told: 1, others: 2, messages: 1, rejects: 2, on_their_way: 1 };
        assert_eq!(gone, wanted);

        let left = exported(&store, ADA, None).await;
        assert_eq!(sequences(&left), [3], "what is being sent: {left:#}");
        assert_eq!((&left["names"], &left["stays"], &left["rejects"]), (&json!([]), &json!([]), &json!([])));
        let due = crate::recording::events(store.due(CHANNEL, 10).await.unwrap());
        let details: Vec<_> = due.iter().map(|due| due.event.details.clone()).collect();
        let hit = Details::PlayerHit { attacker: None, killed: Some(true), metres: None };
        assert_eq!(details, [hit, said(&format!("x{ADA} and {BOB}"))], "events of others are still told");
        let sealed = store.sealed_message(CHANNEL).await.unwrap().unwrap();
        assert!(sealed.body.contains("open"), "its bytes are fixed");
        assert_eq!(count(&store, "SELECT COUNT(*) FROM players").await, 2, "others' names stay");
        assert_eq!(count(&store, "SELECT COUNT(*) FROM online_players").await, 2, "others stay where they are");
        let line = &store.audit(None, 1).await.unwrap()[0];
        assert_eq!((line.act.action, line.act.details.as_str()), (Action::PlayerForgotten, "11 rows"));
        assert!(!format!("{:?}", store.audit(None, 50).await.unwrap()).contains(ADA), "it is told of nobody");

        // Once it is sent, it goes, too.
        store.settle_delivered(sealed.id, Some(8), at(600)).await.unwrap();
        let stored = store.stored_of(&player, None).await.unwrap();
        let gone = store.forget_player(&player, None, &stored, &by(700)).await.unwrap();
        assert_eq!(gone, Forgotten { told: 1, messages: 1, ..Forgotten::default() });
        assert!(store.stored_of(&player, None).await.unwrap().is_empty());
        assert_eq!(count(&store, "SELECT COUNT(*) FROM outbox").await, i64::try_from(ids.len()).unwrap() - 3);
    })
    .await;
}

#[tokio::test]
async fn what_has_gone_into_a_message_since_it_was_found_is_forgotten_with_its_text() {
    on_both(async |database| {
        let store = database.open().await;
        let ids = furnished(&store).await;
        let player = PlayerId::from(ADA);
        let stored = store.stored_of(&player, None).await.unwrap();
        // While somebody was asked: what waited is told by now, or being sent.
        let [told, open] = ["told", "open"].map(|mark| {
            let body = json!({ "embeds": [{ "description": "**Ada**: waits" }] }).to_string();
            guildwire::store::outbox::SealedMessage { body, ..message(&store, mark) }
        });
        let being_sent = store.sealed_message(CHANNEL).await.unwrap().unwrap();
        store.settle_delivered(being_sent.id, Some(8), at(20)).await.unwrap();
        store.seal(CHANNEL, &told, &showing(&ids[3..4]), at(21)).await.unwrap();
        store.settle_delivered(told.id, Some(9), at(22)).await.unwrap();
        store.seal(CHANNEL, &open, &showing(&ids[4..5]), at(23)).await.unwrap();

        let gone = store.forget_player(&player, None, &stored, &by(5000)).await.unwrap();
        let wanted =
            Forgotten { names: 2, stays: 2, told: 3, others: 1, messages: 3, rejects: 2, on_their_way: 1, waiting: 0 };
        assert_eq!(gone, wanted);
        let with_text = "SELECT COUNT(*) FROM messages WHERE body <> '{}'";
        assert_eq!(count(&store, with_text).await, 1, "what is being sent");
        assert_eq!(sequences(&exported(&store, ADA, None).await), [5]);
        let stored = store.stored_of(&player, None).await.unwrap();
        let again = store.forget_player(&player, None, &stored, &by(5001)).await.unwrap();
        assert_eq!(again, Forgotten { on_their_way: 1, ..Forgotten::default() });
        assert_eq!(gone.and_then(&again), gone);
        let lines = store.audit(None, 50).await.unwrap();
        assert_eq!(lines.iter().filter(|line| line.act.action == Action::PlayerForgotten).count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_player_of_whom_much_is_stored_is_forgotten_in_steps() {
    on_both(async |database| {
        let store = database.open().await;
        add_account(&store, "GA-1").await;
        let rows: Vec<_> = (1..=501).map(|sequence| about(&store, sequence, ADA, &said("waits"))).collect();
        insert(&store, &rows).await;
        let player = PlayerId::from(ADA);
        let stored = store.stored_of(&player, None).await.unwrap();
        let gone = store.forget_player(&player, None, &stored, &by(5000)).await.unwrap();
        assert_eq!(gone, Forgotten { waiting: 501, ..Forgotten::default() });
        let lines = store.audit(None, 2).await.unwrap();
        let mut told: Vec<_> = lines.iter().map(|line| line.act.details.as_str()).collect();
        told.sort_unstable();
        assert_eq!(told, ["1 rows", "500 rows"]);
    })
    .await;
}

#[tokio::test]
async fn a_player_whose_id_is_a_word_of_guildwires_leaves_events_that_can_be_told() {
    on_both(async |database| {
        let store = database.open().await;
        add_account(&store, "GA-1").await;
        let unknown = Details::Unknown { name: "events.meteor.landed".to_owned() };
        let hit = Details::PlayerHit { attacker: Some("player".into()), killed: None, metres: None };
        insert(&store, &[about(&store, 1, BOB, &unknown), about(&store, 2, BOB, &hit)]).await;
        for (id, wanted) in [("unknown", vec![]), ("player", vec![2])] {
            let player = PlayerId::from(id);
            let stored = store.stored_of(&player, None).await.unwrap();
            assert_eq!(sequences(&serde_json::to_value(&stored).unwrap()), wanted);
            store.forget_player(&player, None, &stored, &by(5000)).await.unwrap();
        }
        let due = crate::recording::events(store.due(CHANNEL, 10).await.unwrap());
        let details: Vec<_> = due.iter().map(|due| due.event.details.clone()).collect();
        assert_eq!(details, [unknown, Details::PlayerHit { attacker: None, killed: None, metres: None }]);
    })
    .await;
}

#[tokio::test]
async fn a_player_is_forgotten_of_one_account() {
    on_both(async |database| {
        let store = database.open().await;
        furnished(&store).await;
        let (player, account) = (PlayerId::from(ADA), name("GA-2"));
        let stored = store.stored_of(&player, Some(&account)).await.unwrap();
        let gone = store.forget_player(&player, Some(&account), &stored, &by(500)).await.unwrap();
        assert_eq!(gone, Forgotten { names: 1, stays: 1, rejects: 1, ..Forgotten::default() });
        assert_eq!(sequences(&exported(&store, ADA, None).await), [1, 2, 3, 4, 5]);
        assert_eq!(store.player_name(&name("GA-1"), &player).await.unwrap().as_deref(), Some("Ada"));
        assert_eq!(store.player_name(&account, &player).await.unwrap(), None);
    })
    .await;
}

/// What `PRIVACY.md` says of the database: each table's columns.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let page = include_str!("../../PRIVACY.md");
    let (_, tables) = page.split_once("| --- | --- | --- | --- |\n").unwrap();
    let mut documented: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut current = String::new();
    for line in tables.lines().take_while(|line| line.starts_with('|')) {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 4, "{line}");
        if !cells[0].is_empty() {
            cells[0].trim_matches('`').clone_into(&mut current);
        }
        for column in cells[1].split(' ') {
            let is_new = documented.entry(current.clone()).or_default().insert(column.trim_matches('`').to_owned());
            assert!(is_new, "{current}.{column} stands there twice");
        }
    }
    documented
}

#[tokio::test]
async fn the_page_on_privacy_names_every_column_of_every_table() {
    let store = Database::sqlite().open().await;
    let mut transaction = store.write().await.unwrap();
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT tables.name, columns.name FROM sqlite_master AS tables JOIN pragma_table_info(tables.name) AS columns
         WHERE tables.type = 'table' AND tables.name <> '_sqlx_migrations'
         AND tables.name NOT LIKE 'sqlite!_%' ESCAPE '!'",
    )
    .fetch_all(&mut *transaction)
    .await
    .unwrap();
    let mut real: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (table, column) in rows {
        real.entry(table).or_default().insert(column);
    }
    assert!(real.len() > 15, "{real:?}");
    assert_eq!(documented(), real, "PRIVACY.md says what is stored, and for how long");
}

#[test]
fn the_page_on_privacy_names_settings_that_there_are() {
    let page = include_str!("../../PRIVACY.md");
    let mut section = "";
    let mut keys = BTreeSet::new();
    for line in include_str!("../../config/guildwire.toml").lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            keys.insert(format!("{section}.{key}"));
        }
    }
    let words: BTreeSet<_> = page.split('`').skip(1).step_by(2).collect();
    let sections: BTreeSet<_> = keys.iter().filter_map(|key| key.split('.').next()).collect();
    for word in &words {
        if word.split_once('.').is_some_and(|(section, _)| sections.contains(section)) {
            assert!(keys.contains(*word), "{word}");
        }
    }
    for key in keys.iter().filter(|key| key.starts_with("retention.")) {
        assert!(words.contains(key.as_str()), "{key}");
    }
}
