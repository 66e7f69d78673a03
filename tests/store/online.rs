//! Who is on which server: kept, counted, named, and gone with a server that goes down.

use std::time::Duration;

use guildwire::domain::ids::ServerId;
use guildwire::domain::online::{MOST_PLAYERS, Stay};
use guildwire::domain::position::{Delivered, Position};
use guildwire::intake::batch::{Batch, Recorded};
use guildwire::store::online::{Place, PlayerOn, Stays};
use guildwire::store::recording::{HeardPlayer, HeardServer};

use crate::positions::{START, STREAM, message};
use crate::*;

pub(crate) fn place(server: &str, player: &str) -> Place {
    Place { server_id: server.into(), player_id: player.into() }
}

async fn hear(store: &Store, account: &str, servers: &[&str]) {
    add_linked_account(store, account).await;
    let rows: Vec<_> = servers
        .iter()
        .map(|server| HeardServer { server_id: (*server).into(), last_event_at: 5, wiped_at: None })
        .collect();
    let mut transaction = store.write().await.unwrap();
    store.hear_servers(&mut transaction, &name(account), &rows).await.unwrap();
    transaction.commit().await.unwrap();
}

pub(crate) async fn keep(store: &Store, account: &str, stays: &[(&str, &str, i64)]) {
    let stays: Vec<_> = stays
        .iter()
        .map(|(server, player, since)| (place(server, player), Stay { since: at(*since), earlier_end_until: None }))
        .collect();
    let stays: Vec<_> = stays.iter().map(|(place, stay)| (place, *stay)).collect();
    let mut transaction = store.write().await.unwrap();
    store.keep_stays(&mut transaction, &name(account), &stays).await.unwrap();
    transaction.commit().await.unwrap();
}

async fn on(store: &Store, account: &str, server: &str) -> Vec<String> {
    let (count, players) = store.players_on(&name(account), &server.into(), usize::MAX).await.unwrap();
    let mut transaction = store.write().await.unwrap();
    let counted = store.players_on_count(&mut transaction, &name(account), &server.into()).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!((count, counted), (players.len() as u64, players.len() as u64));
    players.into_iter().map(|player| player.player.as_str().to_owned()).collect()
}

#[tokio::test]
async fn stays_come_back_as_they_were_kept_and_end_alone() {
    on_both(async |database| {
        let store = database.open().await;
        let hostile = r#"'; DROP TABLE online_players; -- " \ $1 {} 🧨"#;
        hear(&store, "GA-1", &["0", hostile]).await;
        hear(&store, "GA-2", &["0"]).await;
        keep(&store, "GA-1", &[("0", "7", 30), ("0", hostile, 20), (hostile, "7", 10)]).await;
        keep(&store, "GA-2", &[("0", "7", 40)]).await;

        let mut transaction = store.write().await.unwrap();
        let places = [place("0", hostile), place("0", "7"), place(hostile, "7"), place("0", "70"), place("1", "7")];
        let waiting = Stay { since: at(31), earlier_end_until: Some(at(i64::MAX)) };
        store.keep_stays(&mut transaction, &name("GA-1"), &[(&places[1], waiting)]).await.unwrap();
        let stays = store.stays(&mut transaction, &name("GA-1"), &places.iter().collect::<Vec<_>>()).await.unwrap();
        let stay = |since| Stay { since: at(since), earlier_end_until: None };
        let wanted = [(places[0].clone(), stay(20)), (places[1].clone(), waiting), (places[2].clone(), stay(10))];
        let counts = [(ServerId::from("0"), 2), (hostile.into(), 1)];
        assert_eq!(stays, Stays { known: BTreeMap::from(wanted), counts: BTreeMap::from(counts) });
        store.end_stays(&mut transaction, &name("GA-1"), &[&places[0], &places[3]]).await.unwrap();
        store.end_stays(&mut transaction, &name("GA-1"), &[]).await.unwrap();
        assert_eq!(store.stays(&mut transaction, &name("GA-1"), &[]).await.unwrap(), Stays::default());
        store.keep_stays(&mut transaction, &name("GA-1"), &[]).await.unwrap();
        transaction.commit().await.unwrap();

        assert_eq!(on(&store, "GA-1", "0").await, ["7"]);
        assert_eq!(on(&store, "GA-1", hostile).await, ["7"]);
        assert_eq!(on(&store, "GA-2", "0").await, ["7"], "another account's server of the same name");
        let counts = store.players_on_servers(GUILD).await.unwrap();
        let wanted = [("GA-1", "0"), ("GA-1", hostile), ("GA-2", "0")];
        assert_eq!(counts, wanted.map(|(account, server)| ((name(account), ServerId::from(server)), 1)).into());
        assert!(store.players_on_servers(GuildId(1)).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn players_are_listed_by_when_they_came_with_the_last_name_heard() {
    on_both(async |database| {
        let store = database.open().await;
        hear(&store, "GA-1", &["main"]).await;
        hear(&store, "GA-2", &["main"]).await;
        keep(&store, "GA-1", &[("main", "c", 30), ("main", "b", 10), ("main", "a", 30)]).await;
        let mut transaction = store.write().await.unwrap();
        for (account, text) in [("GA-1", "Bob"), ("GA-2", "Somebody else")] {
            let heard = [HeardPlayer { player_id: "b".into(), name: text.to_owned(), heard_at: 1 }];
            store.hear_players(&mut transaction, &name(account), &heard).await.unwrap();
        }
        transaction.commit().await.unwrap();
        let player = |id: &str, name: Option<&str>, since| PlayerOn {
            player: id.into(),
            name: name.map(str::to_owned),
            since: at(since),
        };
        let (count, players) = store.players_on(&name("GA-1"), &"main".into(), 2).await.unwrap();
        assert_eq!((count, players), (3, vec![player("b", Some("Bob"), 10), player("a", None, 30)]));
        assert_eq!(store.players_on(&name("GA-1"), &"other".into(), 2).await.unwrap(), (0, Vec::new()));
    })
    .await;
}

#[tokio::test]
async fn a_server_that_goes_down_has_nobody_who_was_there_before() {
    on_both(async |database| {
        let store = database.open().await;
        hear(&store, "GA-1", &["main", "other"]).await;
        keep(&store, "GA-1", &[("main", "before", 99), ("main", "then", 100), ("main", "after", 101)]).await;
        keep(&store, "GA-1", &[("other", "before", 1)]).await;
        let mut transaction = store.write().await.unwrap();
        store.nobody_is_on(&mut transaction, &name("GA-1"), &"main".into(), at(100)).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(on(&store, "GA-1", "main").await, ["then", "after"]);
        assert_eq!(on(&store, "GA-1", "other").await, ["before"]);

        // And whoever never was told to have left goes by the time for players who are silent.
        store.forget_silent(at(101), at(0)).await.unwrap();
        assert_eq!(on(&store, "GA-1", "main").await, ["after"]);
        run(&store, "DELETE FROM servers WHERE server_id = 'main'").await;
        assert_eq!(on(&store, "GA-1", "main").await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn of_each_server_those_who_came_last_are_kept() {
    on_both(async |database| {
        let store = database.open().await;
        hear(&store, "GA-1", &["main", "other"]).await;
        let account = store.account(&name("GA-1")).await.unwrap().unwrap();
        store.install_position(&account.name, STREAM, START).await.unwrap();
        let ids: Vec<_> = (0..MOST_PLAYERS).map(|number| format!("{number:04}")).collect();
        let stays: Vec<_> = (1..).zip(&ids).map(|(since, id)| ("main", id.as_str(), since)).collect();
        keep(&store, "GA-1", &[("other", "first", 0)]).await;
        keep(&store, "GA-1", &stays).await;
        let comes = ["main.players.ada.events.connected", "main.players.bob.events.connected"];
        let from = record(&store, &account, START, &comes[..1]).await;
        let last = |ids: &[String], came: &[&str]| -> Vec<String> {
            ids.iter().cloned().chain(came.iter().map(|id| (*id).to_owned())).collect()
        };
        assert_eq!(on(&store, "GA-1", "main").await, last(&ids[1..], &["ada"]));
        // Whoever is on already takes nobody's place, though they come again.
        let from = record(&store, &account, from, &comes[..1]).await;
        record(&store, &account, from, &comes).await;
        assert_eq!(on(&store, "GA-1", "main").await, last(&ids[2..], &["ada", "bob"]));
        assert_eq!(on(&store, "GA-1", "other").await, ["first"]);
    })
    .await;
}

/// Records what players did on a server, each a second after the one before, from a position on.
pub(crate) async fn record(store: &Store, account: &Account, from: Position, subjects: &[&str]) -> Position {
    let mut batch = Batch::default();
    let mut to = from;
    for subject in subjects {
        to = to.after(to.last_sequence + 1, to.last_time.plus(Duration::from_secs(1)));
        let delivered = Delivered { sequence: to.last_sequence, stored: to.last_time, consumer_sequence: 1 };
        let payload = r#"{"steam_id":"of the payload"}"#;
        batch.add(account, &[], delivered, &message(&format!("v0.rust.servers.{subject}"), payload));
    }
    let recorded = batch.record(store, &account.name, &[], STREAM, from, to).await.unwrap();
    assert_eq!(recorded, Recorded::Committed(Vec::new()));
    to
}

#[tokio::test]
async fn events_say_who_is_on_in_whatever_batches_they_come() {
    let minute = ["main.events.chatted"; 60];
    let came = ["main.players.ada.events.connected", "main.players.bob.events.connected"];
    let late = ["main.players.ada.events.connected", "main.players.ada.events.disconnected"];
    let placeholders = [
        "{server_id}.players.7.events.connected",
        "main.players.{steam_id}.events.connected",
        "main.players.bob.events.disconnected",
        "main.players.nobody.events.disconnected",
    ];
    let all = [&came[..], &minute, &late, &placeholders].concat();
    on_both(async |database| {
        let store = database.open().await;
        let (once, each) = (add_account(&store, "GA-1").await, add_account(&store, "GA-2").await);
        for account in [&once, &each] {
            store.install_position(&account.name, STREAM, START).await.unwrap();
        }
        record(&store, &once, START, &all).await;
        let mut from = START;
        for subject in &all {
            from = record(&store, &each, from, &[*subject]).await;
        }
        for account in ["GA-1", "GA-2"] {
            assert_eq!(on(&store, account, "main").await, ["ada", "of the payload"], "{account}");
            assert!(on(&store, account, "unknown").await.is_empty(), "{account}: many servers, for all that is known");
        }
    })
    .await;
}

#[tokio::test]
async fn who_came_after_a_stop_is_there_and_whoever_came_before_is_not() {
    let pause = ["main.events.chatted"; 130];
    let before = ["main.players.ada.events.connected", "main.players.bob.events.connected"];
    let after = [
        "main.events.stopped",
        "main.events.started",
        "main.players.bob.events.connected",
        "main.players.cy.events.connected",
        // Late news of the time before, of a server that does not start again: that would empty it.
        "other.events.stopped",
        "other.players.late.events.connected",
    ];
    let left = ["main.players.bob.events.disconnected"];
    // Such news of one that shows only later that it runs.
    let third = ["third.events.stopped", "third.events.chatted", "third.players.late.events.connected"];
    let third_pause = ["third.events.chatted"; 130];
    let all = [&before[..], &pause, &after, &pause, &left, &third, &third_pause].concat();
    on_both(async |database| {
        let store = database.open().await;
        let (once, each) = (add_account(&store, "GA-1").await, add_account(&store, "GA-2").await);
        for account in [&once, &each] {
            store.install_position(&account.name, STREAM, START).await.unwrap();
        }
        record(&store, &once, START, &all).await;
        let mut from = START;
        for subject in &all {
            from = record(&store, &each, from, &[*subject]).await;
        }
        for account in ["GA-1", "GA-2"] {
            // Bob's departure ends the stay that began after the stop: the one before ended with it.
            assert_eq!(on(&store, account, "main").await, ["cy"], "{account}");
            for server in ["other", "third"] {
                assert!(on(&store, account, server).await.is_empty(), "{account} {server}");
            }
        }
    })
    .await;
}
