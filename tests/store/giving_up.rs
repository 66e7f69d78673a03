//! What is given up of a lane: counted by kind, told once, and never more than was there.

use guildwire::domain::event::Kind;
use guildwire::domain::given_up::GivenUp;
use guildwire::domain::wording::Wording;
use guildwire::store::given_up::tell_given_up;
use guildwire::store::lanes::Head;
use guildwire::store::outbox::SealedMessage;

use crate::recording::{insert, row};
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

        store.stop_lane(CHANNEL, "403", at(2)).await.unwrap();
        assert_eq!(store.head(CHANNEL, at(1)).await.unwrap(), Head::Nothing);
        assert_eq!(channels().await, []);
        assert_eq!(store.backlog().await.unwrap().due_lanes, 0);
    })
    .await;
}
