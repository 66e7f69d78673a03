//! The position: where it begins, and that only one of two writers moves it.

use guildwire::domain::position::{Delivered, Position};
use guildwire::intake::batch::{Batch, Recorded};
use guildwire::store::positions::advance_position;

use crate::recording::events;
use crate::*;

pub(crate) const STREAM: &str = "EVENTS";
pub(crate) const START: Position = Position { last_sequence: 5, last_time: Timestamp::from_nanoseconds(5000) };

pub(crate) fn message(subject: &str, payload: &str) -> async_nats::Message {
    async_nats::Message {
        subject: subject.into(),
        reply: None,
        payload: payload.to_owned().into(),
        headers: None,
        status: None,
        description: None,
        length: 0,
    }
}

/// A batch with an event for [`CHANNEL`], news of a server and a player, and a reject.
fn batch(store: &Store, account: &Account, who: &str) -> Batch {
    let bindings = [Binding { covered_from: Some(at(1)), ..binding(store, account) }];
    let mut batch = Batch::default();
    let delivered = |sequence| Delivered { sequence, stored: at(6000), consumer_sequence: 1 };
    let joined = message(&format!("v0.rust.servers.{who}.players.{who}.events.connected"), &named(who));
    batch.add(account, &bindings, delivered(6), &joined);
    batch.add(account, &bindings, delivered(7), &message(&format!("{who}.is.no.event"), ""));
    assert_eq!((batch.events(), batch.rejected()), (2, 1));
    batch
}

fn named(who: &str) -> String {
    format!("{{\"player_name\":\"{who}\"}}")
}

#[tokio::test]
async fn a_position_is_installed_once_and_another_stream_begins_at_its_own() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_account(&store, "GA-1").await.name;
        let later = Position { last_sequence: u64::MAX >> 1, last_time: at(i64::MAX) };
        assert_eq!(store.position(&account, STREAM).await.unwrap(), None);

        store.install_position(&account, STREAM, START).await.unwrap();
        store.install_position(&account, STREAM, later).await.unwrap();
        assert_eq!(store.position(&account, STREAM).await.unwrap(), Some(START));

        store.install_position(&account, "other", later).await.unwrap();
        assert_eq!(store.position(&account, "other").await.unwrap(), Some(later));
        assert_eq!(store.position(&account, STREAM).await.unwrap(), None);

        store.forget_position(&account).await.unwrap();
        assert_eq!(store.position(&account, "other").await.unwrap(), None);
        store.install_position(&account, "other", START).await.unwrap();
        assert_eq!(store.position(&account, "other").await.unwrap(), Some(START));
    })
    .await;
}

#[tokio::test]
async fn a_position_that_is_moved_forward_fences_who_records_from_the_old_one() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_account(&store, "GA-1").await;
        let end = Position { last_sequence: 90, last_time: at(9000) };
        store.edit_account(&account, None, Some((STREAM, end)), &by(1)).await.unwrap();
        assert_eq!(store.position(&account.name, STREAM).await.unwrap(), None, "what is not read has no position");

        store.install_position(&account.name, STREAM, START).await.unwrap();
        let before = store.account(&account.name).await.unwrap().unwrap().revision;
        store.edit_account(&account, None, Some((STREAM, end)), &by(1)).await.unwrap();
        assert_eq!(store.position(&account.name, STREAM).await.unwrap(), Some(end));
        assert!(store.account(&account.name).await.unwrap().unwrap().revision > before);
        let recorded =
            batch(&store, &account, "late").record(&store, &account.name, &[], STREAM, START, START.after(7, at(6000)));
        assert_eq!(recorded.await.unwrap(), Recorded::Fenced);

        // Who was quicker than the one who looked for the end is not set back.
        store.edit_account(&account, None, Some((STREAM, START)), &by(1)).await.unwrap();
        assert_eq!(store.position(&account.name, STREAM).await.unwrap(), Some(end));
        // A stream that was made anew has lower numbers and later times.
        let anew = Position { last_sequence: 3, last_time: at(10_000) };
        store.edit_account(&account, None, Some((STREAM, anew)), &by(1)).await.unwrap();
        assert_eq!(store.position(&account.name, STREAM).await.unwrap(), Some(anew));
    })
    .await;
}

#[tokio::test]
async fn an_account_that_is_gone_gets_no_position() {
    on_both(async |database| {
        let store = database.open().await;
        store.install_position(&name("gone"), STREAM, START).await.unwrap();
        assert_eq!(store.position(&name("gone"), STREAM).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_position_is_moved_only_from_where_it_stands() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_account(&store, "GA-1").await.name;
        store.install_position(&account, STREAM, START).await.unwrap();
        let after = START.after(6, at(6000));
        for before in [
            Position { last_sequence: START.last_sequence - 1, ..START },
            Position { last_sequence: START.last_sequence + 1, ..START },
            Position { last_time: at(4999), ..START },
            Position { last_time: at(5001), ..START },
        ] {
            let mut transaction = store.write().await.unwrap();
            assert!(
                !advance_position(&mut transaction, &account, None, STREAM, before, after).await.unwrap(),
                "{before:?}"
            );
            transaction.commit().await.unwrap();
            assert_eq!(store.position(&account, STREAM).await.unwrap(), Some(START));
        }
        let mut transaction = store.write().await.unwrap();
        assert!(!advance_position(&mut transaction, &account, None, "ANOTHER", START, after).await.unwrap());
        let revision = store.account(&account).await.unwrap().unwrap().revision;
        for (revision, moves) in [(revision + 1, false), (revision, true)] {
            let moved = advance_position(&mut transaction, &account, Some(revision), STREAM, START, after).await;
            assert_eq!(moved.unwrap(), moves);
        }
        transaction.commit().await.unwrap();
        assert_eq!(store.position(&account, STREAM).await.unwrap(), Some(after));
    })
    .await;
}

#[tokio::test]
async fn of_two_writers_from_one_position_one_is_fenced_and_leaves_nothing() {
    on_both(async |database| {
        let (one, two) = (database.open().await, database.open().await);
        // Else the second writer would fail by its numbers, and not by the position.
        while two.next_number() < 1000 {}
        let account = add_account(&one, "GA-1").await;
        one.install_position(&account.name, STREAM, START).await.unwrap();
        let after = START.after(7, at(6000));

        let (first, second) = tokio::join!(
            batch(&one, &account, "one").record(&one, &account.name, &[], STREAM, START, after),
            batch(&two, &account, "two").record(&two, &account.name, &[], STREAM, START, after),
        );
        let winner = match (first.unwrap(), second.unwrap()) {
            (Recorded::Committed(_), Recorded::Fenced) => "one",
            (Recorded::Fenced, Recorded::Committed(_)) => "two",
            both => panic!("{both:?}"),
        };
        assert_eq!(one.position(&account.name, STREAM).await.unwrap(), Some(after));
        let due = events(two.due(CHANNEL, 10).await.unwrap());
        assert_eq!(due.len(), 1);
        assert_eq!(due[0].event.player_name.as_deref(), Some(winner));
        for rows in ["SELECT COUNT(*) FROM servers", "SELECT COUNT(*) FROM players", "SELECT COUNT(*) FROM rejects"] {
            assert_eq!(count(&one, rows).await, 1, "{rows}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_batch_is_not_recorded_for_an_account_that_was_removed() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_account(&store, "GA-1").await;
        store.install_position(&account.name, STREAM, START).await.unwrap();
        let batch = batch(&store, &account, "late");
        store.remove_account(&account.name, &by(1)).await.unwrap();
        let recorded = batch.record(&store, &account.name, &[], STREAM, START, START.after(7, at(6000))).await.unwrap();
        assert_eq!(recorded, Recorded::Fenced);
        assert_eq!(store.due(CHANNEL, 10).await.unwrap().len(), 0);
    })
    .await;
}

#[tokio::test]
async fn an_account_may_be_removed_in_the_middle_of_a_batch() {
    on_both(async |database| {
        let (store, other) = (database.open().await, database.open().await);
        for _ in 0..20 {
            let account = add_account(&store, "GA-1").await;
            store.install_position(&account.name, STREAM, START).await.unwrap();
            let batch = batch(&store, &account, "busy");
            let operator = by(1);
            let (recorded, removed) = tokio::join!(
                batch.record(&store, &account.name, &[], STREAM, START, START.after(7, at(6000))),
                other.remove_account(&account.name, &operator),
            );
            recorded.unwrap();
            assert!(removed.unwrap());
            assert_eq!(count(&store, "SELECT COUNT(*) FROM servers").await, 0);
        }
    })
    .await;
}

#[tokio::test]
async fn a_payload_full_of_nul_blocks_no_stream() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_account(&store, "GA-1").await;
        store.install_position(&account.name, STREAM, START).await.unwrap();
        let bindings = [Binding { covered_from: Some(at(1)), ..binding(&store, &account) }];
        let payload = r#"{"server_id":"a\u0000b","player_name":"c\u0000d","full_message":"e\u0000f"}"#;
        let mut batch = Batch::default();
        for (sequence, subject) in [
            (6, "v0.rust.servers.{server_id}.players.p\0q.events.connected"),
            (7, "v0.rust.servers.x\0y.events.player.{player_id}.chatted"),
            (8, "v0.rust.servers.x.events.un\0known"),
            (9, "no\0event"),
        ] {
            let delivered = Delivered { sequence, stored: at(6000), consumer_sequence: 1 };
            batch.add(&account, &bindings, delivered, &message(subject, payload));
        }
        let after = START.after(9, at(6000));
        let recorded = batch.record(&store, &account.name, &[], STREAM, START, after).await.unwrap();
        assert_eq!(recorded, Recorded::Committed(vec![CHANNEL; 3]));
        assert_eq!(store.due(CHANNEL, 10).await.unwrap().len(), 3);
        assert_eq!(count(&store, "SELECT COUNT(*) FROM rejects").await, 1);
    })
    .await;
}

#[tokio::test]
async fn another_filter_tells_nothing_again_that_is_recorded() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_linked_account(&store, "GA-1").await;
        let bound = binding(&store, &account);
        assert!(store.add_binding(&bound).await.unwrap());
        let revision = store.account(&account.name).await.unwrap().unwrap().revision;
        let covered = Binding { covered_from: Some(at(50)), ..bound.clone() };
        assert!(store.cover_bindings(&account.name, revision, &[&covered]).await.unwrap());
        store.install_position(&account.name, STREAM, START).await.unwrap();
        let begins = async || store.binding(GUILD, bound.id).await.unwrap().unwrap().covered_from;

        let moved = Account { url: "nats://elsewhere".to_owned(), ..account.clone() };
        assert!(store.edit_account(&moved, None, None, &by(1)).await.unwrap());
        assert_eq!(begins().await, Some(at(50)), "the same events are read on");
        let widened = Account { wide_filter: !account.wide_filter, ..moved };
        assert!(store.edit_account(&widened, None, None, &by(1)).await.unwrap());
        assert_eq!(begins().await, Some(START.last_time));
    })
    .await;
}
