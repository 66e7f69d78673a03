//! Lanes: what is due, what is sealed, what is settled, and what is forgotten.

use guildwire::domain::wording::Wording;
use guildwire::store::StoreError;
use guildwire::store::lanes::Head;
use guildwire::store::outbox::SealedMessage;
use guildwire::store::recording::{NewOutboxRow, Reject};

use crate::recording::{insert, row};
use crate::*;

pub(crate) const OTHER: ChannelId = ChannelId(201);

pub(crate) fn message(store: &Store, mark: &str) -> SealedMessage {
    let body = format!("{{\"nonce\":\"{mark} ' \\\\ \u{1f389}\"}}");
    SealedMessage {
        id: store.next_number(),
        mark: mark.to_owned(),
        body,
        has_file: false,
        wording: Wording::Full,
        attempts: 0,
        next_attempt_at: at(0),
    }
}

async fn due(store: &Store, channel: ChannelId) -> Vec<i64> {
    store.due(channel, 100).await.unwrap().iter().map(|event| event.id).collect()
}

/// What the lanes of `CHANNEL` and `OTHER` have to do next.
pub(crate) async fn heads(store: &Store) -> [Head; 2] {
    [store.head(CHANNEL, at(1)).await.unwrap(), store.head(OTHER, at(1)).await.unwrap()]
}

/// Puts that many events into a channel's outbox.
pub(crate) async fn fill(store: &Store, channel: ChannelId, events: u64) -> Vec<i64> {
    let rows: Vec<_> = (1..=events).map(|sequence| row(store, channel, sequence, "hello")).collect();
    insert(store, &rows).await;
    rows.iter().map(|row| row.id).collect()
}

#[tokio::test]
async fn a_channel_has_its_own_events_due_in_order_up_to_a_limit() {
    on_both(async |database| {
        let store = database.open().await;
        let rows: Vec<_> = [CHANNEL, OTHER, CHANNEL].map(|channel| row(&store, channel, 1, "hello")).into();
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let backwards: Vec<_> = rows.into_iter().rev().collect();
        insert(&store, &backwards).await;
        assert_eq!(due(&store, CHANNEL).await, [ids[0], ids[2]]);
        assert_eq!(due(&store, OTHER).await, [ids[1]]);
        assert_eq!(store.due(CHANNEL, 1).await.unwrap()[0].id, ids[0]);
        assert_eq!(store.open_lanes(at(1)).await.unwrap(), [CHANNEL, OTHER].into());
    })
    .await;
}

#[tokio::test]
async fn sealed_events_are_due_no_more_and_their_message_stays_until_it_is_settled() {
    on_both(async |database| {
        let store = database.open().await;
        let ids = fill(&store, CHANNEL, 3).await;
        assert!(store.sealed_message(CHANNEL).await.unwrap().is_none());
        assert_eq!(heads(&store).await, [Head::Due, Head::Nothing]);
        let sealed = message(&store, "ab12");
        store.seal(CHANNEL, &sealed, &showing(&ids[..2]), at(50)).await.unwrap();
        assert_eq!(due(&store, CHANNEL).await, ids[2..]);
        assert_eq!(heads(&store).await, [Head::Sealed, Head::Nothing]);

        let found = store.sealed_message(CHANNEL).await.unwrap().unwrap();
        assert_eq!((found.id, &found.mark, &found.body, found.attempts), (sealed.id, &sealed.mark, &sealed.body, 0));
        assert_eq!(found.next_attempt_at, at(50));
        assert!(store.sealed_message(OTHER).await.unwrap().is_none());

        store.postpone(sealed.id, 3, at(99), "503").await.unwrap();
        let found = store.sealed_message(CHANNEL).await.unwrap().unwrap();
        assert_eq!((found.attempts, found.next_attempt_at, found.body), (3, at(99), sealed.body.clone()));

        store.settle_delivered(sealed.id, Some(u64::MAX >> 1), at(120)).await.unwrap();
        assert!(store.sealed_message(CHANNEL).await.unwrap().is_none());
        assert_eq!(due(&store, CHANNEL).await, ids[2..]);
        assert_eq!(heads(&store).await, [Head::Due, Head::Nothing]);
        assert_eq!(store.open_lanes(at(1)).await.unwrap(), [CHANNEL].into());

        let last = message(&store, "cd34");
        store.seal(CHANNEL, &last, &showing(&ids[2..]), at(130)).await.unwrap();
        assert_eq!(store.open_lanes(at(1)).await.unwrap(), [CHANNEL].into(), "a sealed message is something to send");
        store.settle_parked(last.id, "400", at(140)).await.unwrap();
        assert_eq!(store.open_lanes(at(1)).await.unwrap(), [].into());
        let states = "SELECT COUNT(*) FROM messages WHERE (state = 'delivered' AND discord_id = 9223372036854775807)
                      OR (state = 'parked' AND reason = '400' AND settled_at = 140)";
        assert_eq!(count(&store, states).await, 2);
    })
    .await;
}

#[tokio::test]
async fn an_event_is_sealed_into_one_message_even_by_two_runners() {
    on_both(async |database| {
        let (one, two) = (database.open().await, database.open().await);
        let ids = fill(&one, CHANNEL, 3).await;
        while two.next_number() < 1000 {}
        let (first, second) = (message(&one, "one"), message(&two, "two"));
        let (all, last) = (showing(&ids), showing(&ids[1..]));
        let (sealed, also) =
            tokio::join!(one.seal(CHANNEL, &first, &all, at(1)), two.seal(CHANNEL, &second, &last, at(1)));
        let winner = match (sealed, also) {
            (Ok(()), Err(StoreError::SealedElsewhere)) => first,
            (Err(StoreError::SealedElsewhere), Ok(())) => second,
            both => panic!("{both:?}"),
        };
        assert_eq!(count(&one, "SELECT COUNT(*) FROM messages").await, 1);
        assert_eq!(one.sealed_message(CHANNEL).await.unwrap().unwrap().mark, winner.mark);
        let expected = if winner.mark == "one" { &[][..] } else { &ids[..1] };
        assert_eq!(due(&one, CHANNEL).await, expected);
        // Who finds that the other left nothing has no message to send.
        let nothing = two.seal(CHANNEL, &message(&two, "none"), &showing(&[]), at(2)).await;
        assert!(matches!(nothing, Err(StoreError::SealedElsewhere)), "{nothing:?}");
        assert_eq!(count(&one, "SELECT COUNT(*) FROM messages").await, 1);
    })
    .await;
}

#[tokio::test]
async fn only_what_was_settled_or_rejected_long_ago_is_forgotten() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_account(&store, "GA-1").await;
        let ids = fill(&store, CHANNEL, 6).await;
        let messages: Vec<_> = (0..4).map(|number| message(&store, &number.to_string())).collect();
        for (message, events) in messages.iter().zip([&ids[..2], &ids[2..3], &ids[3..4], &ids[4..5]]) {
            store.seal(CHANNEL, message, &showing(events), at(1)).await.unwrap();
        }
        store.settle_delivered(messages[0].id, None, at(99)).await.unwrap();
        store.settle_parked(messages[1].id, "400", at(99)).await.unwrap();
        store.settle_delivered(messages[2].id, Some(1), at(100)).await.unwrap();
        for (code, expires) in [("old", 99), ("new", 100)] {
            store.add_invite(&account.name, code.as_bytes(), at(expires), &by(0)).await.unwrap();
        }
        let reject =
            |stored_at| Reject { stored_at, sequence: 1, subject: "a".to_owned(), size: 0, reason: "outside_root" };
        let rejects: Vec<_> = (-1500..=100).map(reject).collect();
        let mut transaction = store.write().await.unwrap();
        store.insert_rejects(&mut transaction, &account.name, &rejects).await.unwrap();
        transaction.commit().await.unwrap();

        assert_eq!(store.forget_before(at(100)).await.unwrap(), 2 + 1 + 1600);
        assert_eq!(store.forget_before(at(100)).await.unwrap(), 0);
        assert_eq!(count(&store, "SELECT COUNT(*) FROM messages").await, 2);
        assert_eq!(count(&store, "SELECT COUNT(*) FROM outbox").await, 3);
        assert_eq!(count(&store, "SELECT COUNT(*) FROM rejects").await, 1);
        assert_eq!(count(&store, "SELECT COUNT(*) FROM invites").await, 1);
        assert_eq!(due(&store, CHANNEL).await, ids[5..]);
        assert_eq!(store.sealed_message(CHANNEL).await.unwrap().unwrap().id, messages[3].id);
    })
    .await;
}

#[tokio::test]
async fn numbers_count_on_after_a_restart() {
    on_both(async |database| {
        let store = database.open().await;
        let ids = fill(&store, CHANNEL, 3).await;
        assert_eq!(database.open().await.next_number(), ids[2] + 1);
        let sealed = message(&store, "ab12");
        store.seal(CHANNEL, &sealed, &showing(&ids), at(1)).await.unwrap();
        assert_eq!(database.open().await.next_number(), sealed.id + 1);
    })
    .await;
}

#[tokio::test]
async fn a_held_row_is_due_after_its_hold_and_goes_with_what_is_due_sooner() {
    on_both(async |database| {
        let store = database.open().await;
        insert(&store, &[NewOutboxRow { due_at: 50, ..row(&store, CHANNEL, 1, "held") }]).await;
        assert_eq!(
            (store.head(CHANNEL, at(49)).await.unwrap(), store.open_lanes(at(49)).await.unwrap()),
            (Head::Held(at(50)), [].into())
        );
        assert_eq!(
            (store.head(CHANNEL, at(50)).await.unwrap(), store.open_lanes(at(50)).await.unwrap()),
            (Head::Due, [CHANNEL].into())
        );

        insert(&store, &[row(&store, CHANNEL, 2, "at once")]).await;
        assert_eq!(store.head(CHANNEL, at(1)).await.unwrap(), Head::Due);
        assert_eq!(due(&store, CHANNEL).await.len(), 2);

        let two_days = 2 * 24 * 60 * 60 * 1_000_000_000;
        insert(&store, &[NewOutboxRow { due_at: two_days, ..row(&store, OTHER, 3, "before the clock was set back") }])
            .await;
        assert_eq!(store.head(OTHER, at(1)).await.unwrap(), Head::Due, "no hold is that long");
    })
    .await;
}
