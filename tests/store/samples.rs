//! Samples: one at a time for each channel, and what becomes of it; and what is remembered of a channel.

use guildwire::domain::event::{Details, Event, Start};
use guildwire::domain::ids::RoleId;
use guildwire::domain::wording::Wording;
use guildwire::store::history::{LaneBacklog, OpenMessage, Rejected};
use guildwire::store::lately::{LaneMessage, LaneRow, Progress};
use guildwire::store::outbox::{SealedMessage, Told};
use guildwire::store::recording::Reject;
use guildwire::store::samples::{QueuedSample, SampleFate};

use crate::recording::{insert, row};
use crate::*;

fn sample() -> Event {
    Event {
        account: name("GA-1"),
        server: "sample server".into(),
        player: None,
        player_name: None,
        stored: at(500),
        sequence: 0,
        details: Details::ServerStarted { how: Start::Up },
    }
}

pub(crate) async fn queue(store: &Store) -> QueuedSample {
    store.queue_sample(CHANNEL, &sample(), Some(RoleId(7))).await.unwrap()
}

async fn seal(store: &Store, rows: &[i64], now: i64) -> i64 {
    let id = store.next_number();
    let message = SealedMessage {
        id,
        mark: id.to_string(),
        body: "{}".to_owned(),
        has_file: false,
        wording: Wording::Full,
        attempts: 0,
        next_attempt_at: at(now),
    };
    store.seal(CHANNEL, &message, &showing(rows), at(now)).await.unwrap();
    id
}

#[tokio::test]
async fn a_channel_has_one_sample_until_it_is_settled() {
    on_both(async |database| {
        let store = database.open().await;
        let events: Vec<_> = (1..=3).map(|sequence| row(&store, CHANNEL, sequence, "hello")).collect();
        insert(&store, &events).await;
        store.stop_lane(CHANNEL, &stop(Cause::Refused, "Missing Access", None), None, at(1)).await.unwrap();

        let first = queue(&store).await;
        assert!(first.is_new && store.stopped_lane(CHANNEL).await.unwrap().is_none(), "a sample tries a stopped lane");
        assert_eq!(queue(&store).await, QueuedSample { id: first.id, is_new: false });
        assert_eq!(store.sample_fate(CHANNEL, first.id).await.unwrap(), SampleFate::Waiting(3));
        let due = store.due(CHANNEL, 10).await.unwrap().pop().unwrap();
        assert!(
            matches!(&due.told, Told::Sample(due) if due.event == sample() && due.mention == [RoleId(7)]),
            "{due:?}"
        );
        assert!(store.queue_sample(ChannelId(201), &sample(), None).await.unwrap().is_new, "another channel's own");

        let message = seal(&store, &[events[0].id, events[1].id], 10).await;
        assert_eq!(store.sample_fate(CHANNEL, first.id).await.unwrap(), SampleFate::Waiting(3));
        store.settle_delivered(message, Some(1), at(11)).await.unwrap();
        assert_eq!(store.sample_fate(CHANNEL, first.id).await.unwrap(), SampleFate::Waiting(1));
        let message = seal(&store, &[events[2].id, first.id], 12).await;
        assert_eq!(store.sample_fate(CHANNEL, first.id).await.unwrap(), SampleFate::Waiting(0));
        assert_eq!(queue(&store).await, QueuedSample { id: first.id, is_new: false });
        store.settle_delivered(message, Some(u64::MAX >> 1), at(13)).await.unwrap();
        assert_eq!(store.sample_fate(CHANNEL, first.id).await.unwrap(), SampleFate::Shown(Some(u64::MAX >> 1)));

        let second = queue(&store).await;
        assert!(second.is_new && second.id > first.id, "{second:?}");
        let message = seal(&store, &[second.id], 14).await;
        store.settle_parked(message, "400", at(15)).await.unwrap();
        assert_eq!(store.sample_fate(CHANNEL, second.id).await.unwrap(), SampleFate::SetAside("400".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn many_who_ask_at_once_get_one_sample() {
    on_both(async |database| {
        let store = database.open().await;
        let queued = futures_util::future::join_all((0..8).map(|_| queue(&store))).await;
        assert_eq!(queued.iter().filter(|queued| queued.is_new).count(), 1, "{queued:?}");
        assert!(queued.iter().all(|other| other.id == queued[0].id), "{queued:?}");
        assert_eq!(count(&store, "SELECT COUNT(*) FROM outbox").await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_became_of_a_channels_rows_is_remembered() {
    on_both(async |database| {
        let store = database.open().await;
        assert_eq!(store.lane_backlog(CHANNEL).await.unwrap(), LaneBacklog::default());
        let events: Vec<_> = (1..=4).map(|sequence| row(&store, CHANNEL, sequence, "hello")).collect();
        insert(&store, &events).await;
        let asked = queue(&store).await;
        let shown = seal(&store, &[events[0].id, events[1].id], 10).await;
        store.settle_delivered(shown, Some(77), at(7_000)).await.unwrap();
        let refused = seal(&store, &[asked.id], 20).await;
        store.settle_parked(refused, "400", at(8_000)).await.unwrap();
        let open = seal(&store, &[events[2].id], 30).await;
        store.postpone(open, 3, at(99), "503").await.unwrap();

        let sealed = OpenMessage { rows: 1, attempts: 3, reason: Some("503".to_owned()), next_attempt_at: at(99) };
        assert_eq!(store.lane_backlog(CHANNEL).await.unwrap(), LaneBacklog { sealed: Some(sealed), due: 1 });
        let of = |id, progress, reason: Option<&str>, rows| {
            let (reason, wording) = (reason.map(str::to_owned), Wording::Full);
            LaneMessage { id, progress, wording, reason, rows }
        };
        let told = of(shown, Progress::Shown { at: at(7_000), discord_id: Some(77) }, None, 2);
        let set_aside = of(refused, Progress::SetAside { at: at(8_000) }, Some("400"), 1);
        let open = of(open, Progress::Sealed, Some("503"), 1);
        let last = store.last_messages(CHANNEL, 9).await.unwrap();
        assert_eq!(last, [open.clone(), set_aside.clone(), told]);
        assert_eq!(store.last_messages(CHANNEL, 1).await.unwrap(), [open, set_aside.clone()]);
        assert_eq!(store.set_aside(CHANNEL, 9).await.unwrap(), [set_aside]);
        assert_eq!(store.set_aside(ChannelId(201), 9).await.unwrap(), []);

        // Rows, the newest first, each with its message; of a message that is not reached by the limit, none is read.
        let numbers = |rows: Vec<LaneRow>| rows.iter().map(|row| (row.due.id, row.message)).collect::<Vec<_>>();
        let [first, second, third, fourth] = [0, 1, 2, 3].map(|number| events[number].id);
        let (of_open, of_refused) = ((third, Some(last[0].id)), (asked.id, Some(refused)));
        let of_shown = [(second, Some(shown)), (first, Some(shown))];
        let all = [&[of_refused, of_open][..], &of_shown].concat();
        assert_eq!(numbers(store.rows_of(&last, 9).await.unwrap()), all);
        assert_eq!(numbers(store.rows_of(&last, 3).await.unwrap()), all[..3]);
        assert_eq!(numbers(store.rows_of(&last, 2).await.unwrap()), all[..2]);
        assert_eq!(numbers(store.rows_of(&[], 9).await.unwrap()), []);
        assert_eq!(numbers(store.waiting_rows(CHANNEL, 9).await.unwrap()), [(fourth, None)]);

        let account = add_account(&store, "GA-1").await;
        let reject = |stored_at, reason| Reject { stored_at, sequence: 1, subject: "a".to_owned(), size: 0, reason };
        let rejects = [
            reject(9, "outside_root"),
            reject(10, "outside_root"),
            reject(11, "not_an_event"),
            reject(12, "not_an_event"),
        ];
        let mut transaction = store.write().await.unwrap();
        store.insert_rejects(&mut transaction, &account.name, &rejects).await.unwrap();
        transaction.commit().await.unwrap();
        let rejected = |reason: &str, count| Rejected { reason: reason.to_owned(), count };
        assert_eq!(
            store.rejected_since(&account.name, at(10)).await.unwrap(),
            [rejected("not_an_event", 2), rejected("outside_root", 1)]
        );
    })
    .await;
}
