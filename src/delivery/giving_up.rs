//! What waits for a channel that takes no messages is bounded: the oldest is deleted and counted, and the counts are told
//! in the channel's next message, whenever that is.
//!
//! A row's age is counted from when it was put into its lane, not from when the event happened: what is read from an old
//! stream is not old here. And a lane that moves is not cut: in a storm it holds more than it may keep for as long as it
//! takes to send that, and after a long night of the bot's own what is older.

use std::time::Duration;

use tokio::time::Instant;

use super::Shared;
use crate::clock;
use crate::domain::ids::ChannelId;
use crate::domain::timestamp::Timestamp;
use crate::store::StoreError;
use crate::store::given_up::{Loss, UnsentMessage, WaitingLane};
use crate::telemetry::metrics::Metrics;

/// How often is looked, at most and at least.
const SHORTEST_LOOK: Duration = Duration::from_secs(1);
const LONGEST_LOOK: Duration = Duration::from_secs(30);

/// For how long none of a lane's messages has to be settled until it counts as one that does not move, unless a lane
/// keeps what it can't send for less.
const STANDSTILL: Duration = Duration::from_mins(1);

/// What a lane keeps that it can't send.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    /// For how long.
    pub age: Duration,
    /// How many rows of it.
    pub rows: usize,
}

/// A lane's rows that are given up: those put into it before the one, up to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cut {
    due_before: Timestamp,
    last: i64,
}

/// Gives up what lanes have waited with for too long, or have too much of, until the service stops.
pub(super) async fn run(shared: Shared) {
    let kept = shared.kept;
    // At the start no lane has moved yet.
    let first = Instant::now() + standstill(kept.age);
    let mut looks = tokio::time::interval_at(first, (kept.age / 4).clamp(SHORTEST_LOOK, LONGEST_LOOK));
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut failing = false;
    while shared.drain.run_until_cancelled(looks.tick()).await.is_some() {
        match look(&shared, clock::now()).await {
            Ok(()) => failing = false,
            // Once for as long as it lasts.
            Err(_) if std::mem::replace(&mut failing, true) => {}
            Err(error) => tracing::warn!(%error, "can't give up what waits too long for its channel; trying again"),
        }
    }
}

async fn look(shared: &Shared, now: Timestamp) -> Result<(), StoreError> {
    let (store, kept) = (&shared.store, shared.kept);
    // The messages first: their events are older than those that wait behind them.
    for message in store.abandoned_messages(now.minus(kept.age)).await? {
        give_up(shared, &message, now).await?;
    }
    for lane in store.waiting_lanes(kept.rows).await? {
        for cut in cuts(&lane, kept.age, now) {
            loop {
                let loss = store.give_up_rows(lane.channel, cut.due_before, cut.last).await?;
                tell(&shared.metrics, lane.channel, &loss);
                if loss.is_empty() || shared.drain.is_cancelled() {
                    break;
                }
            }
        }
    }
    store.forget_ended_lanes().await
}

/// Gives up a message that was tried in vain just now, if it is as old as a lane may keep it. The lane does so itself: so
/// nothing is given up that is on its way.
pub(super) async fn give_up_if_old(
    shared: &Shared,
    channel: ChannelId,
    id: i64,
    reason: &str,
) -> Result<(), StoreError> {
    let now = clock::now();
    if now.since(shared.store.sealed_at(id).await?) < shared.kept.age {
        return Ok(());
    }
    give_up(shared, &UnsentMessage { id, channel, reason: reason.to_owned() }, now).await
}

async fn give_up(shared: &Shared, message: &UnsentMessage, now: Timestamp) -> Result<(), StoreError> {
    let reason = format!("given up: {}", message.reason);
    let loss = shared.store.give_up_message(message, &reason, now).await?;
    tell(&shared.metrics, message.channel, &loss);
    Ok(())
}

/// Counts what was given up, and logs it where a channel's losses begin.
fn tell(metrics: &Metrics, channel: ChannelId, loss: &Loss) {
    for it in &loss.events {
        metrics.given_up(it.kind, it.events);
    }
    metrics.given_up_besides(loss.samples, loss.notices);
    if loss.is_first && !loss.events.is_empty() {
        tracing::warn!(
            %channel,
            "the channel takes no messages for too long: what waits for it is given up, the oldest first, and counted"
        );
    }
}

fn standstill(keep: Duration) -> Duration {
    keep.min(STANDSTILL)
}

/// What is given up of a lane: what is too old, and what is too much.
fn cuts(lane: &WaitingLane, keep: Duration, now: Timestamp) -> Vec<Cut> {
    let still_since = now.minus(standstill(keep));
    // What seems to have been settled later than now was so before the clock was set back.
    if lane.last_settled.is_some_and(|at| still_since < at && at <= now) {
        return Vec::new();
    }
    let oldest_kept = now.minus(keep);
    let too_old = (lane.since < oldest_kept).then_some(Cut { due_before: oldest_kept, last: i64::MAX });
    let too_many = lane.last_beyond.map(|last| Cut { due_before: still_since, last });
    too_old.into_iter().chain(too_many).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);
    const SECOND: Duration = Duration::from_secs(1);

    fn now() -> Timestamp {
        Timestamp::default().plus(DAY * 1000)
    }

    fn lane(waits: Duration, last_beyond: Option<i64>, settled: Option<Duration>) -> WaitingLane {
        let last_settled = settled.map(|ago| now().minus(ago));
        WaitingLane { channel: ChannelId(1), since: now().minus(waits), last_beyond, last_settled }
    }

    #[test]
    fn what_waits_too_long_or_is_too_much_is_given_up_where_the_lane_does_not_move() {
        let too_old = Cut { due_before: now().minus(DAY), last: i64::MAX };
        let too_many = Cut { due_before: now().minus(STANDSTILL), last: 7 };
        for (waits, beyond, settled, given_up) in [
            (DAY, None, None, vec![]),
            (DAY + SECOND, None, None, vec![too_old]),
            (SECOND, Some(7), None, vec![too_many]),
            (DAY + SECOND, Some(7), Some(DAY), vec![too_old, too_many]),
            // It moves, or did just now.
            (DAY * 2, Some(7), Some(Duration::ZERO), vec![]),
            (DAY * 2, Some(7), Some(SECOND * 59), vec![]),
            (DAY * 2, None, Some(STANDSTILL), vec![too_old]),
        ] {
            let found = cuts(&lane(waits, beyond, settled), DAY, now());
            assert_eq!(found, given_up, "{waits:?} {beyond:?} {settled:?}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_keeps_no_lane_for_ever() {
        let settled_tomorrow = WaitingLane { last_settled: Some(now().plus(DAY)), ..lane(SECOND, Some(7), None) };
        assert_eq!(cuts(&settled_tomorrow, DAY, now()).len(), 1);
    }

    #[test]
    fn who_keeps_little_calls_a_lane_dead_sooner() {
        let (keep, ago) = (SECOND * 2, SECOND * 3);
        let too_many = Cut { due_before: now().minus(keep), last: 7 };
        assert_eq!(cuts(&lane(SECOND, Some(7), Some(ago)), keep, now()), [too_many]);
        assert_eq!(cuts(&lane(ago, Some(7), Some(SECOND)), keep, now()), []);
    }
}
