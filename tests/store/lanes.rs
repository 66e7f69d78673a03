//! Stopped lanes: until when, who was told, and what is known of the message that was refused.

use guildwire::domain::notice::Notice;
use guildwire::store::lanes::{Head, StoppedLane};
use guildwire::store::outbox::Told;

use crate::outbox::{OTHER, fill, heads, message};
use crate::*;

#[tokio::test]
async fn a_stopped_lane_is_tried_when_it_is_time_and_opened_by_what_changes() {
    on_both(async |database| {
        let store = database.open().await;
        fill(&store, CHANNEL, 1).await;
        let ids = fill(&store, OTHER, 1).await;
        store.seal(OTHER, &message(&store, "ab12"), &showing(&ids), at(1)).await.unwrap();
        assert_eq!(store.open_lanes(at(1)).await.unwrap(), [CHANNEL, OTHER].into());
        assert_eq!(heads(&store).await, [Head::Due, Head::Sealed]);

        let refused = stop(Cause::Refused, "Missing Access", Some(20));
        for channel in [CHANNEL, OTHER] {
            assert!(store.stopped_lane(channel).await.unwrap().is_none());
            store.stop_lane(channel, &refused, None, at(10)).await.unwrap();
        }
        store.stop_lane(OTHER, &stop(Cause::Gone, "deleted", None), None, at(15)).await.unwrap();
        assert_eq!(heads(&store).await, [Head::Nothing, Head::Nothing]);
        for (now, open) in [(19, &[][..]), (20, &[CHANNEL]), (i64::MAX, &[CHANNEL])] {
            let wanted = open.iter().copied().collect();
            assert_eq!(store.open_lanes(at(now)).await.unwrap(), wanted, "at {now}");
        }
        assert_eq!(store.head(CHANNEL, at(20)).await.unwrap(), Head::Probe);
        assert_eq!(store.head(OTHER, at(20)).await.unwrap(), Head::Nothing, "only a change opens it");

        assert_eq!(store.begin_probe(CHANNEL, at(50)).await.unwrap(), 1);
        assert_eq!(store.head(CHANNEL, at(49)).await.unwrap(), Head::Nothing, "not once more by whoever dies of it");
        let mut stopped = store.stopped_lanes().await.unwrap();
        stopped.sort_by_key(|lane| lane.channel);
        let lane = |channel, cause, reason: &str, probes, next: Option<i64>| StoppedLane {
            channel,
            stopped_at: at(10),
            cause,
            reason: reason.to_owned(),
            probes,
            next_probe_at: next.map(at),
        };
        let wanted = [
            lane(CHANNEL, Cause::Refused, "Missing Access", 1, Some(50)),
            lane(OTHER, Cause::Gone, "deleted", 0, None),
        ];
        assert_eq!(stopped, wanted);
        store.take_back_probe(CHANNEL, at(35)).await.unwrap();
        let taken_back = lane(CHANNEL, Cause::Refused, "Missing Access", 0, Some(35));
        assert_eq!(store.stopped_lane(CHANNEL).await.unwrap(), Some(taken_back));

        store.probe_lane_at(OTHER, at(30)).await.unwrap();
        assert_eq!(store.head(OTHER, at(30)).await.unwrap(), Head::Probe);
        for channel in [CHANNEL, OTHER] {
            assert!(store.open_lane(channel).await.unwrap());
            assert!(!store.open_lane(channel).await.unwrap());
        }
        assert_eq!(heads(&store).await, [Head::Due, Head::Sealed]);
        // Nothing that is not stopped is tried, and what has nothing to send neither.
        store.probe_lane_at(CHANNEL, at(0)).await.unwrap();
        assert_eq!(store.begin_probe(CHANNEL, at(0)).await.unwrap(), 0);
        assert_eq!(heads(&store).await, [Head::Due, Head::Sealed]);
        store.stop_lane(ChannelId(999), &refused, None, at(1)).await.unwrap();
        assert_eq!(store.head(ChannelId(999), at(99)).await.unwrap(), Head::Nothing);
        // What was given up is something to send.
        let mut transaction = store.write().await.unwrap();
        sqlx::query("INSERT INTO given_up VALUES (999, 'player.chatted', 1, 1, 1)")
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(store.head(ChannelId(999), at(19)).await.unwrap(), Head::Nothing);
        assert_eq!(store.head(ChannelId(999), at(20)).await.unwrap(), Head::Probe);
    })
    .await;
}

#[tokio::test]
async fn a_message_that_was_refused_each_time_is_known_as_such_until_the_next_attempt() {
    on_both(async |database| {
        let store = database.open().await;
        let ids = fill(&store, CHANNEL, 1).await;
        let sealed = message(&store, "ab12");
        store.seal(CHANNEL, &sealed, &showing(&ids), at(1)).await.unwrap();
        assert!(!store.take_in_vain(sealed.id).await.unwrap());
        store.stop_lane(CHANNEL, &stop(Cause::Refused, "no", None), Some(sealed.id), at(2)).await.unwrap();
        assert!(store.take_in_vain(sealed.id).await.unwrap());
        assert!(!store.take_in_vain(sealed.id).await.unwrap());

        store.replace_body(sealed.id, "{}").await.unwrap();
        assert_eq!(store.sealed_message(CHANNEL).await.unwrap().unwrap().body, "{}");
        store.settle_delivered(sealed.id, None, at(3)).await.unwrap();
        store.replace_body(sealed.id, "never").await.unwrap();
        assert_eq!(count(&store, "SELECT COUNT(*) FROM messages WHERE body = 'never'").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_guild_is_told_of_a_stopped_lane_once() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_linked_account(&store, "GA-1").await;
        let bind = async |channel, is_thread| {
            let binding = Binding { channel, is_thread, ..binding(&store, &account) };
            assert!(store.add_binding(&binding).await.unwrap());
        };
        bind(CHANNEL, Some(false)).await;
        bind(OTHER, None).await;
        assert_eq!(store.home_of_channel(CHANNEL).await.unwrap(), Some((GUILD, false)));
        assert_eq!(store.home_of_channel(OTHER).await.unwrap(), Some((GUILD, true)), "not noted, so it may be one");
        assert_eq!(store.home_of_channel(ChannelId(999)).await.unwrap(), None);
        let mut channels = store.channels_of(Some(GUILD)).await.unwrap();
        channels.sort();
        assert_eq!(channels, [(GUILD, CHANNEL, false), (GUILD, OTHER, true)]);
        assert_eq!(store.channels_of(None).await.unwrap().len(), 2);
        assert_eq!(store.channels_of(Some(GuildId(1))).await.unwrap(), []);

        let untold = async |guild, before| -> Vec<ChannelId> {
            let lanes = store.untold_lanes(guild, at(before)).await.unwrap();
            assert!(lanes.iter().all(|(of, _)| *of == GUILD));
            lanes.into_iter().map(|(_, lane)| lane.channel).collect()
        };
        let gone = stop(Cause::Gone, "deleted", None);
        store.stop_lane(CHANNEL, &gone, None, at(10)).await.unwrap();
        assert_eq!(untold(None, 9).await, []);
        assert_eq!(untold(None, 10).await, [CHANNEL]);
        assert_eq!(untold(Some(GUILD), 10).await, [CHANNEL]);
        assert_eq!(untold(Some(GuildId(1)), 10).await, []);

        let notice = Notice::ChannelStopped {
            channel: CHANNEL,
            since: at(10),
            cause: Cause::Gone,
            reason: "deleted".to_owned(),
        };
        for is_first in [true, false] {
            let told = store.tell_lane_stopped(CHANNEL, OTHER, &account.name, &notice, at(11)).await.unwrap();
            assert_eq!(told, is_first);
        }
        let due = store.due(OTHER, 10).await.unwrap();
        assert!(matches!(&due[..], [due] if matches!(&due.told, Told::Notice(_, told) if *told == notice)), "{due:?}");
        assert_eq!(untold(Some(GUILD), 99).await, []);
        store.stop_lane(CHANNEL, &stop(Cause::Refused, "again", None), None, at(12)).await.unwrap();
        assert_eq!(untold(None, 99).await, [], "it is the same stop");

        store.open_lane(CHANNEL).await.unwrap();
        for channel in [CHANNEL, OTHER] {
            store.stop_lane(channel, &gone, None, at(20)).await.unwrap();
        }
        assert_eq!(untold(None, 99).await, [], "no channel is left to tell it in");
        assert_eq!(untold(Some(GUILD), 99).await, [CHANNEL, OTHER]);
        store.note_told(CHANNEL, at(30)).await.unwrap();
        assert_eq!(untold(Some(GUILD), 99).await, [OTHER]);
    })
    .await;
}
