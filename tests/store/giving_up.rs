//! What is given up of a lane: counted by kind, told once, and never more than was there.

use guildwire::domain::event::{Details, Kind, Start};
use guildwire::domain::given_up::GivenUp;
use guildwire::domain::ids::ServerId;
use guildwire::domain::incident::{Chapter, Incident, LoopRule, Phase, What};
use guildwire::domain::notice::Notice;
use guildwire::domain::server_state::Turn;
use guildwire::domain::stoppage::Cause;
use guildwire::domain::wording::Wording;
use guildwire::store::given_up::{Loss, UnsentMessage, WaitingLane, tell_given_up};
use guildwire::store::incidents::KeptIncident;
use guildwire::store::lanes::Head;
use guildwire::store::notices::ToldOutage;
use guildwire::store::outbox::{INCIDENT, SealedMessage};
use guildwire::store::recording::{HeardServer, NewOutboxRow, details_to_column};

use crate::recording::{insert, row};
use crate::samples::queue;
use crate::*;

const OTHER: ChannelId = ChannelId(201);

fn given_up(kind: Kind, events: u64, first: i64, last: i64) -> GivenUp {
    GivenUp { kind, events, first_stored: at(first), last_stored: at(last) }
}

async fn count_given_up(store: &Store, channel: ChannelId, it: GivenUp) {
    let mut transaction = store.write().await.unwrap();
    sqlx::query(
        "INSERT INTO given_up (channel_id, kind, events, first_stored, last_stored) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (channel_id, kind) DO UPDATE SET
             events = given_up.events + excluded.events, last_stored = excluded.last_stored",
    )
    .bind(channel.0.cast_signed())
    .bind(it.kind.name())
    .bind(it.events.cast_signed())
    .bind(it.first_stored.nanoseconds())
    .bind(it.last_stored.nanoseconds())
    .execute(&mut *transaction)
    .await
    .unwrap();
    transaction.commit().await.unwrap();
}

/// Seals the channel's next event into a message.
async fn seal(store: &Store, channel: ChannelId, mark: &str) -> SealedMessage {
    let row = row(store, channel, 1, "hello");
    let id = row.id;
    insert(store, &[row]).await;
    let message = SealedMessage {
        id: store.next_number(),
        mark: mark.to_owned(),
        body: "{}".to_owned(),
        has_file: false,
        wording: Wording::Full,
        attempts: 0,
        next_attempt_at: at(0),
    };
    store.seal(channel, &message, &showing(&[id]), at(1)).await.unwrap();
    message
}

async fn tell(store: &Store, channel: ChannelId, message: &SealedMessage, told: &[GivenUp]) {
    let mut transaction = store.write().await.unwrap();
    tell_given_up(&mut transaction, channel, message.id, told).await.unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn what_was_given_up_is_told_once_and_what_came_meanwhile_later() {
    on_both(async |database| {
        let store = database.open().await;
        let (joins, starts) = (Kind::PlayerConnected, Kind::ServerStarted);
        count_given_up(&store, OTHER, given_up(joins, 7, 1, 2)).await;
        assert_eq!(store.given_up(CHANNEL).await.unwrap(), []);
        count_given_up(&store, CHANNEL, given_up(starts, 1, 20, 20)).await;
        count_given_up(&store, CHANNEL, given_up(joins, 3, 10, 30)).await;
        let told = store.given_up(CHANNEL).await.unwrap();
        assert_eq!(told, [given_up(joins, 3, 10, 30), given_up(starts, 1, 20, 20)]);

        // Between the look and the seal, more is given up.
        count_given_up(&store, CHANNEL, given_up(joins, 2, 40, 50)).await;
        let message = seal(&store, CHANNEL, "one").await;
        tell(&store, CHANNEL, &message, &told).await;
        assert_eq!(store.given_up(CHANNEL).await.unwrap(), [given_up(joins, 2, 30, 50)]);
        assert_eq!(count(&store, "SELECT COUNT(*) FROM messages WHERE given_up IS NOT NULL").await, 1);

        let rest = store.given_up(CHANNEL).await.unwrap();
        store.settle_delivered(message.id, None, at(2)).await.unwrap();
        let message = seal(&store, CHANNEL, "two").await;
        tell(&store, CHANNEL, &message, &rest).await;
        assert_eq!(store.given_up(CHANNEL).await.unwrap(), []);
        assert_eq!(store.given_up(OTHER).await.unwrap(), [given_up(joins, 7, 1, 2)]);

        // A message that has nothing of that to tell changes nothing.
        store.settle_delivered(message.id, None, at(3)).await.unwrap();
        let message = seal(&store, OTHER, "three").await;
        tell(&store, OTHER, &message, &[]).await;
        assert_eq!(store.given_up(OTHER).await.unwrap(), [given_up(joins, 7, 1, 2)]);
        assert_eq!(count(&store, "SELECT COUNT(*) FROM messages WHERE given_up IS NOT NULL").await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_channel_that_was_given_up_on_has_something_to_say_once_it_works() {
    on_both(async |database| {
        let store = database.open().await;
        let channels = async || store.open_lanes(at(1)).await.unwrap().into_iter().collect::<Vec<_>>();
        assert_eq!(store.head(CHANNEL, at(1)).await.unwrap(), Head::Nothing);
        count_given_up(&store, CHANNEL, given_up(Kind::PlayerConnected, 1, 1, 1)).await;
        assert_eq!(store.head(CHANNEL, at(1)).await.unwrap(), Head::Due);
        assert_eq!(channels().await, [CHANNEL]);
        assert_eq!(store.backlog().await.unwrap().due_lanes, 1);
        assert_eq!(store.head(OTHER, at(1)).await.unwrap(), Head::Nothing);

        store.stop_lane(CHANNEL, &stop(Cause::Gone, "403", None), None, at(2)).await.unwrap();
        assert_eq!(store.head(CHANNEL, at(1)).await.unwrap(), Head::Nothing);
        assert_eq!(channels().await, []);
        assert_eq!(store.backlog().await.unwrap().due_lanes, 0);
    })
    .await;
}

/// An event that was stored and put into its lane at that moment.
fn event(store: &Store, channel: ChannelId, kind: &Details, moment: i64) -> NewOutboxRow {
    let sequence = moment.cast_unsigned();
    let details = details_to_column(kind);
    NewOutboxRow { stored_at: moment, recorded_at: moment, details, ..row(store, channel, sequence, "") }
}

async fn left(store: &Store, channel: ChannelId) -> Vec<i64> {
    store.due(channel, 10_000).await.unwrap().iter().map(|due| due.id).collect()
}

/// Gives up as long as there is something.
async fn give_up(store: &Store, channel: ChannelId, recorded_before: i64, last: i64) -> Vec<Loss> {
    let mut losses = Vec::new();
    loop {
        let loss = store.give_up_rows(channel, at(recorded_before), last).await.unwrap();
        if loss.is_empty() {
            return losses;
        }
        losses.push(loss);
    }
}

#[tokio::test]
async fn the_oldest_are_given_up_and_counted_a_few_at_a_time() {
    on_both(async |database| {
        let store = database.open().await;
        let kinds = [Details::PlayerConnected, Details::ServerStarted { how: Start::Up }];
        let rows: Vec<_> =
            (1..=1_200).map(|moment| event(&store, CHANNEL, &kinds[usize::from(moment % 100 == 0)], moment)).collect();
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        insert(&store, &rows).await;
        insert(&store, &[event(&store, OTHER, &kinds[0], 1)]).await;

        assert_eq!(give_up(&store, CHANNEL, 1, i64::MAX).await, []);
        let losses = give_up(&store, CHANNEL, 1_101, i64::MAX).await;
        assert!(losses.len() > 1, "intake waits for the writer meanwhile");
        assert_eq!(losses.iter().filter(|loss| loss.is_first).count(), 1);
        assert!(losses[0].is_first);
        let expected =
            [given_up(Kind::PlayerConnected, 1_089, 1, 1_099), given_up(Kind::ServerStarted, 11, 100, 1_100)];
        assert_eq!(store.given_up(CHANNEL).await.unwrap(), expected);
        assert_eq!(left(&store, CHANNEL).await, ids[1_100..]);

        // Those beyond the most that is kept, but for what came just now.
        assert_eq!(give_up(&store, CHANNEL, 1_150, ids[1_109]).await.len(), 1);
        assert_eq!(left(&store, CHANNEL).await, ids[1_110..]);
        assert_eq!(give_up(&store, CHANNEL, 1_120, ids[1_189]).await.len(), 1);
        assert_eq!(left(&store, CHANNEL).await, ids[1_119..]);
        assert_eq!(store.given_up(CHANNEL).await.unwrap()[0], given_up(Kind::PlayerConnected, 1_108, 1, 1_119));

        assert_eq!(left(&store, OTHER).await.len(), 1);
        assert_eq!(store.given_up(OTHER).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn lanes_are_looked_at_by_their_ends() {
    on_both(async |database| {
        let store = database.open().await;
        assert_eq!(store.waiting_lanes(10).await.unwrap(), []);
        let rows: Vec<_> = (1..=12).map(|moment| event(&store, CHANNEL, &Details::PlayerConnected, moment)).collect();
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        insert(&store, &rows).await;
        insert(&store, &[event(&store, OTHER, &Details::PlayerConnected, 30)]).await;
        let lane = |last_beyond| WaitingLane { channel: CHANNEL, since: at(1), last_beyond, last_settled: None };
        let other = WaitingLane { channel: OTHER, since: at(30), last_beyond: None, last_settled: None };
        assert_eq!(store.waiting_lanes(10).await.unwrap(), [lane(Some(ids[1])), other]);
        assert_eq!(store.waiting_lanes(11).await.unwrap(), [lane(Some(ids[0])), other]);
        assert_eq!(store.waiting_lanes(12).await.unwrap(), [lane(None), other]);

        // What is in a message does not wait any more, and tells by its end that the lane moves.
        let message = seal(&store, OTHER, "one").await;
        assert_eq!(store.waiting_lanes(12).await.unwrap(), [lane(None), other]);
        store.settle_delivered(message.id, None, at(70)).await.unwrap();
        let moved = WaitingLane { last_settled: Some(at(70)), ..other };
        assert_eq!(store.waiting_lanes(12).await.unwrap(), [lane(None), moved]);
    })
    .await;
}

#[tokio::test]
async fn notices_and_samples_are_given_up_without_being_told_later() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_linked_account(&store, "GA-1").await;
        assert!(store.add_binding(&binding(&store, &account)).await.unwrap());
        let outage = ToldOutage { guild: GUILD, account: account.name.clone(), channel: CHANNEL, since: at(1) };
        let notice = Notice::Resumed { since: at(1), until: at(2) };
        assert!(store.tell_stopped(&outage, &notice, at(300)).await.unwrap());
        assert!(queue(&store).await.is_new);
        let losses = give_up(&store, CHANNEL, 501, i64::MAX).await;
        assert_eq!(losses, [Loss { samples: 1, notices: 1, is_first: true, ..Loss::default() }]);
        assert_eq!(store.given_up(CHANNEL).await.unwrap(), []);
        assert_eq!(left(&store, CHANNEL).await, [] as [i64; 0]);
    })
    .await;
}

/// Keeps incidents, each of a server of its own, and puts the rows into the channel's lane that tell that it began and that
/// it is over.
async fn tell_incidents(store: &Store, incidents: Vec<Incident>) -> Vec<i64> {
    let mut rows = Vec::new();
    let mut transaction = store.write().await.unwrap();
    for (number, incident) in (1..).zip(incidents) {
        let server = ServerId::from(format!("server{number}"));
        let heard = [HeardServer { server_id: server.clone(), last_event_at: 1, wiped_at: None }];
        store.hear_servers(&mut transaction, &name("GA-1"), &heard).await.unwrap();
        let kept =
            KeptIncident { id: number, account: name("GA-1"), server, incident, version: 1, closed_at: Some(at(5)) };
        store.keep_incident(&mut transaction, &kept, None, at(1)).await.unwrap();
        for (moment, phase) in [(1, Phase::Opened), (5, Phase::Closed)] {
            let details = serde_json::to_string(&Chapter { incident: number, phase }).unwrap();
            rows.push(NewOutboxRow {
                form: INCIDENT,
                details,
                stored_at: moment,
                recorded_at: moment,
                ..row(store, CHANNEL, 1, "")
            });
        }
    }
    transaction.commit().await.unwrap();
    insert(store, &rows).await;
    rows.iter().map(|row| row.id).collect()
}

#[tokio::test]
async fn no_server_stopped_or_started_where_maintenance_was_given_up() {
    on_both(async |database| {
        let store = database.open().await;
        add_linked_account(&store, "GA-1").await;
        let down = |at| Incident::begin(Turn::Down, What::Crashed, at, 0, None, LoopRule::default()).unwrap().0;
        let mut back = down(at(1));
        back.unfold(Turn::Up, What::Started, at(5));
        // Still down when maintenance was announced, which ended it.
        let mut ended = down(at(1));
        ended.repeat(What::MaintenanceBegan, at(5));
        let incidents = vec![back, ended, Incident::maintenance(at(5), None, true, at(1))];
        let told = [given_up(Kind::ServerStarted, 1, 5, 5), given_up(Kind::ServerStopped, 2, 1, 1)];

        tell_incidents(&store, incidents.clone()).await;
        let losses = give_up(&store, CHANNEL, 10, i64::MAX).await;
        assert_eq!(losses.iter().map(|loss| loss.notices).collect::<Vec<_>>(), [3]);
        assert_eq!(store.given_up(CHANNEL).await.unwrap(), told);

        // Nor of what a message was to tell.
        let rows = tell_incidents(&store, incidents).await;
        let message = crate::outbox::message(&store, "one");
        store.seal(CHANNEL, &message, &showing(&rows), at(6)).await.unwrap();
        let unsent = UnsentMessage { id: message.id, channel: CHANNEL, reason: "403".to_owned() };
        let mut loss = store.give_up_message(&unsent, "given up", at(7)).await.unwrap();
        loss.events.sort_by_key(|it| it.events);
        assert_eq!(loss, Loss { events: told.into(), notices: 3, ..Loss::default() });
    })
    .await;
}

#[tokio::test]
async fn a_message_that_its_channel_refuses_is_given_up_with_what_it_was_to_tell() {
    on_both(async |database| {
        let store = database.open().await;
        let joins = Kind::PlayerConnected;
        count_given_up(&store, CHANNEL, given_up(joins, 3, 10, 30)).await;
        let message = seal(&store, CHANNEL, "one").await;
        tell(&store, CHANNEL, &message, &[given_up(joins, 3, 10, 30)]).await;
        assert_eq!(store.given_up(CHANNEL).await.unwrap(), []);
        let abandoned = async |cutoff| store.abandoned_messages(at(cutoff)).await.unwrap();

        // Sealed at 1: refused since, and for long enough.
        assert_eq!(abandoned(2).await, [], "the lane is not stopped: it may be sent at any moment");
        store.stop_lane(CHANNEL, &stop(Cause::Gone, "403: Missing Access (50001)", None), None, at(2)).await.unwrap();
        assert_eq!(abandoned(1).await, []);
        let reason = "403: Missing Access (50001)".to_owned();
        let expected = UnsentMessage { id: message.id, channel: CHANNEL, reason };
        assert_eq!(abandoned(2).await, std::slice::from_ref(&expected));

        let loss = store.give_up_message(&expected, "given up", at(6)).await.unwrap();
        let kinds = [given_up(Kind::PlayerChatted, 1, 6_000, 6_000), given_up(joins, 3, 10, 30)];
        assert_eq!(loss, Loss { events: kinds.into(), is_first: true, ..Loss::default() });
        let mut told = store.given_up(CHANNEL).await.unwrap();
        told.sort_by_key(|it| it.events);
        assert_eq!(told, kinds);
        let set_aside = store.set_aside(CHANNEL, 10).await.unwrap();
        assert_eq!(set_aside.iter().map(|it| it.reason.as_deref()).collect::<Vec<_>>(), [Some("given up")]);
        assert!(store.sealed_message(CHANNEL).await.unwrap().is_none());

        // Once is enough, and what was shown meanwhile is not given up.
        assert!(store.give_up_message(&expected, "given up", at(7)).await.unwrap().is_empty());
        assert_eq!(store.given_up(CHANNEL).await.unwrap().len(), 2);
        assert_eq!(store.forget_before(at(7)).await.unwrap(), 1);
        assert_eq!(count(&store, "SELECT COUNT(*) FROM outbox").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_stopped_lane_is_forgotten_where_no_binding_and_nothing_is_left_of_it() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_linked_account(&store, "GA-1").await;
        let [bound, waiting, sealed, open, ended] = [1, 2, 3, 4, 5].map(ChannelId);
        assert!(store.add_binding(&Binding { channel: bound, ..binding(&store, &account) }).await.unwrap());
        insert(&store, &[row(&store, waiting, 1, "hello")]).await;
        let message = seal(&store, sealed, "ab12").await;
        for channel in [bound, waiting, sealed, open, ended] {
            count_given_up(&store, channel, given_up(Kind::PlayerChatted, 1, 1, 2)).await;
            if channel != open {
                store.stop_lane(channel, &stop(Cause::Gone, "deleted", None), None, at(2)).await.unwrap();
            }
        }
        let left = async || {
            let mut stopped: Vec<_> = store.stopped_lanes().await.unwrap().iter().map(|lane| lane.channel).collect();
            stopped.sort();
            let mut counted = Vec::new();
            for channel in [bound, waiting, sealed, open, ended] {
                if !store.given_up(channel).await.unwrap().is_empty() {
                    counted.push(channel);
                }
            }
            (stopped, counted)
        };
        store.forget_ended_lanes().await.unwrap();
        assert_eq!(left().await, (vec![bound, waiting, sealed], vec![bound, waiting, sealed, open]));

        // What ends later is forgotten then.
        store.settle_parked(message.id, "given up", at(3)).await.unwrap();
        assert!(!store.give_up_rows(waiting, at(i64::MAX), i64::MAX).await.unwrap().is_empty());
        store.forget_ended_lanes().await.unwrap();
        assert_eq!(left().await, (vec![bound], vec![bound, open]));
    })
    .await;
}
