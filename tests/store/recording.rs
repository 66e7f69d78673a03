//! The bulk statements: what goes in comes out, and older news does not replace newer.

use std::collections::BTreeMap;

use guildwire::domain::event::Details;
use guildwire::domain::ids::{PlayerId, RoleId};
use guildwire::domain::server_state::ServerState;
use guildwire::store::outbox::{Due, DueEvent, EVENT, Told};
use guildwire::store::recording::{HeardPlayer, HeardServer, NewOutboxRow, Reject, details_to_column};

use crate::*;

/// An event for a channel, in which a player says something.
pub(crate) fn row(store: &Store, channel: ChannelId, sequence: u64, said: &str) -> NewOutboxRow {
    NewOutboxRow {
        id: store.next_number(),
        channel_id: channel,
        server_id: "main".into(),
        player_id: None,
        player_name: None,
        stored_at: 6000,
        sequence,
        form: EVENT,
        details: details_to_column(&Details::PlayerChatted { message: Some(said.to_owned()) }),
        mention_roles: String::new(),
        style: "each",
        recorded_at: 6000,
        due_at: 0,
    }
}

/// Puts rows into the outbox, for an account that need not exist.
pub(crate) async fn insert(store: &Store, rows: &[NewOutboxRow]) {
    let mut transaction = store.write().await.unwrap();
    store.insert_outbox(&mut transaction, &name("GA-1"), rows).await.unwrap();
    transaction.commit().await.unwrap();
}

/// What is due, where all of it is events.
pub(crate) fn events(due: Vec<Due>) -> Vec<DueEvent> {
    let event = |due: Due| match due.told {
        Told::Event(event) => event,
        other => panic!("{other:?}"),
    };
    due.into_iter().map(event).collect()
}

async fn hear_server(store: &Store, last_event_at: i64, wiped_at: Option<i64>) {
    let rows = [HeardServer { server_id: "main".into(), last_event_at, wiped_at }];
    let mut transaction = store.write().await.unwrap();
    let states = store.hear_servers(&mut transaction, &name("GA-1"), &rows).await.unwrap();
    assert_eq!(states, BTreeMap::from([("main".into(), ServerState::default())]));
    transaction.commit().await.unwrap();
}

async fn hear_player(store: &Store, text: &str, heard_at: i64) -> Option<String> {
    let player = PlayerId::from("76561198000000000");
    let rows = [HeardPlayer { player_id: player.clone(), name: text.to_owned(), heard_at }];
    let mut transaction = store.write().await.unwrap();
    store.hear_players(&mut transaction, &name("GA-1"), &rows).await.unwrap();
    transaction.commit().await.unwrap();
    store.player_name(&name("GA-1"), &player).await.unwrap()
}

#[tokio::test]
async fn five_hundred_events_are_due_in_the_order_of_their_batch() {
    on_both(async |database| {
        let store = database.open().await;
        let rows: Vec<_> = (1..=500).map(|sequence| row(&store, CHANNEL, sequence, "hello")).collect();
        insert(&store, &rows).await;
        let more: Vec<_> = (501..=510).map(|sequence| row(&store, CHANNEL, sequence, "hello")).collect();
        insert(&store, &more).await;
        insert(&store, &[]).await;

        let due = store.due(CHANNEL, usize::MAX).await.unwrap();
        assert!(due.is_sorted_by(|left, right| left.id < right.id));
        assert!(events(due).iter().map(|due| due.event.sequence).eq(1..=510));
    })
    .await;
}

#[tokio::test]
async fn hostile_text_comes_back_as_it_went_in() {
    on_both(async |database| {
        let store = database.open().await;
        add_account(&store, "GA-1").await;
        let long = "\u{1f9e8}".repeat(10_000);
        let hostile = [
            r#"'; DROP TABLE outbox; -- " ' ` \ \\ \" \' $1 ?1 %s {} [] $.id"#,
            "{\"id\": 1}",
            "\\u0041 \\0 \\",
            "e\u{301}\u{202e}\u{200b}\u{feff}\u{fffd}\u{7f}\u{1}\r\n\t",
            "\u{1f469}\u{200d}\u{1f680} \u{10ffff}",
            "",
            " ",
            "null",
            "1e400",
            &long,
        ];
        for (sequence, text) in (1..).zip(hostile) {
            let mut new = row(&store, CHANNEL, sequence, text);
            new.server_id = text.into();
            new.player_id = Some(text.into());
            new.player_name = Some(text.to_owned());
            insert(&store, &[new]).await;
            let heard = [HeardPlayer { player_id: text.into(), name: text.to_owned(), heard_at: 1 }];
            let mut transaction = store.write().await.unwrap();
            store.hear_players(&mut transaction, &name("GA-1"), &heard).await.unwrap();
            transaction.commit().await.unwrap();
        }
        let due = events(store.due(CHANNEL, 100).await.unwrap());
        assert_eq!(due.len(), hostile.len());
        for (event, text) in due.into_iter().zip(hostile) {
            assert_eq!(event.event.server.as_str(), text);
            assert_eq!(event.event.player, Some(text.into()));
            assert_eq!(event.event.player_name.as_deref(), Some(text));
            assert_eq!(event.last_name.as_deref(), Some(text));
            assert_eq!(event.event.details, Details::PlayerChatted { message: Some(text.to_owned()) });
        }
    })
    .await;
}

#[tokio::test]
async fn large_numbers_and_mentions_are_kept_exactly() {
    on_both(async |database| {
        let store = database.open().await;
        let channel = ChannelId(u64::MAX >> 1);
        let mut new = row(&store, channel, u64::MAX >> 1, "");
        new.stored_at = 1_800_000_000_123_456_789;
        new.mention_roles = "1234567890123456789 5".to_owned();
        new.details = details_to_column(&Details::PlayerGathered { item: Some(-932_201_673), amount: Some(i64::MAX) });
        insert(&store, &[new]).await;
        let due = events(store.due(channel, 1).await.unwrap()).remove(0);
        assert_eq!(due.event.sequence, u64::MAX >> 1);
        assert_eq!(due.event.stored, at(1_800_000_000_123_456_789));
        assert_eq!(due.mention, [RoleId(1_234_567_890_123_456_789), RoleId(5)]);
        let gathered = Details::PlayerGathered { item: Some(-932_201_673), amount: Some(i64::MAX) };
        assert_eq!(due.event.details, gathered);
        assert_eq!((due.event.player, due.event.player_name, due.last_name), (None, None, None));
        assert!(store.open_lanes(at(1)).await.unwrap().contains(&channel));
    })
    .await;
}

#[tokio::test]
async fn of_a_server_the_newer_is_kept() {
    on_both(async |database| {
        let store = database.open().await;
        add_linked_account(&store, "GA-1").await;
        let known = async || {
            let server = store.servers_of_guild(GUILD).await.unwrap().remove(0).server;
            (server.heard_at, server.wiped_at)
        };
        for (heard_at, wiped_at, then) in [
            (100, None, (at(100), None)),
            (90, Some(80), (at(100), Some(at(80)))),
            (200, None, (at(200), Some(at(80)))),
            (300, Some(70), (at(300), Some(at(80)))),
            (80, Some(90), (at(300), Some(at(90)))),
        ] {
            hear_server(&store, heard_at, wiped_at).await;
            assert_eq!(known().await, then);
        }
        assert_eq!(store.servers_of_guild(GuildId(1)).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn a_player_goes_by_the_newest_name() {
    on_both(async |database| {
        let store = database.open().await;
        add_account(&store, "GA-1").await;
        assert_eq!(hear_player(&store, "first", 100).await.as_deref(), Some("first"));
        assert_eq!(hear_player(&store, "older", 99).await.as_deref(), Some("first"));
        assert_eq!(hear_player(&store, "newer", 100).await.as_deref(), Some("newer"));
        assert_eq!(store.player_name(&name("GA-1"), &"nobody".into()).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_reject_that_comes_twice_is_kept_once() {
    on_both(async |database| {
        let store = database.open().await;
        add_account(&store, "GA-1").await;
        let reject = |stored_at, sequence| Reject {
            stored_at,
            sequence,
            subject: "v0.\"'\\".to_owned(),
            size: 1 << 20,
            reason: "outside_root",
        };
        for rows in [vec![reject(1, 1), reject(1, 1)], vec![reject(1, 1), reject(2, 1)]] {
            let mut transaction = store.write().await.unwrap();
            store.insert_rejects(&mut transaction, &name("GA-1"), &rows).await.unwrap();
            transaction.commit().await.unwrap();
        }
        assert_eq!(count(&store, "SELECT COUNT(*) FROM rejects").await, 2);
        assert_eq!(count(&store, "SELECT COUNT(*) FROM rejects WHERE size = 1048576").await, 2);
    })
    .await;
}
