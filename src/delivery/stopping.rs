//! Lanes that stop, because their channel takes no message, and how they come to go on: what is known to be refused is
//! not sent, what was refused is tried ever more rarely, and whatever the gateway shows as mended is opened at once.

use std::time::Duration;

use super::Shared;
use super::lane::Tried;
use crate::clock;
use crate::discord::answer::Verdict;
use crate::discord::sight::{Changes, REMOVED};
use crate::domain::ids::{ChannelId, GuildId};
use crate::domain::stoppage::{Cause, Seen, Turn};
use crate::domain::timestamp::Timestamp;
use crate::store::StoreError;
use crate::store::lanes::{Head, Stop, StoppedLane};
use crate::telemetry::metrics::Work;

/// How long changes are gathered: a guild that is moved around sends many at a time.
const GATHER: Duration = Duration::from_millis(100);

/// How long to wait when the database fails.
const PAUSE: Duration = Duration::from_secs(5);

/// Stops the lane when the gateway shows that its channel would refuse a message. Where the lane is only tried, what is
/// computed from permissions is not believed: this is how a mistake in it comes out.
pub(super) async fn is_to_stop(shared: &Shared, channel: ChannelId, head: Head) -> Result<bool, StoreError> {
    let Some((cause, reason)) = seen(shared, channel).await?.objection() else { return Ok(false) };
    if cause == Cause::Lacking && head == Head::Probe {
        return Ok(false);
    }
    stop(shared, channel, cause, reason).await?;
    Ok(true)
}

/// What the gateway shows of a channel. Without a query where it shows it, which is the usual case.
async fn seen(shared: &Shared, channel: ChannelId) -> Result<Seen, StoreError> {
    if let Some(seen) = shared.sight.channel(channel) {
        return Ok(seen);
    }
    let home = shared.store.home_of_channel(channel).await?;
    // What is left of a binding that was removed is still sent.
    Ok(home.map_or(Seen::Unknown, |(guild, may_be_thread)| shared.sight.channel_in(guild, channel, may_be_thread)))
}

/// Counts one more attempt at a stopped lane, and answers with how many that makes.
pub(super) async fn begin_probe(shared: &Shared, channel: ChannelId) -> Result<u32, StoreError> {
    let probes = shared.store.stopped_lane(channel).await?.map_or(0, |lane| lane.probes);
    let wait = Cause::Refused.wait(probes.saturating_add(1), shared.probe_after, rand::random());
    shared.store.begin_probe(channel, clock::now().plus(wait.unwrap_or_default())).await
}

/// Stops the lane that was refused, and opens one that was tried and took its message.
pub(super) async fn settle_lane(
    shared: &Shared,
    tried: &Tried,
    verdict: &Verdict,
    next: Timestamp,
) -> Result<(), StoreError> {
    let channel = tried.channel;
    match verdict {
        Verdict::Refused(said) => {
            let (cause, reason) =
                seen(shared, channel).await?.objection().unwrap_or_else(|| (Cause::Refused, said.clone()));
            let stop = stop_for(shared, cause, reason, tried.probe.unwrap_or_default());
            let in_vain = tried.is_in_vain.then_some(tried.message.id);
            shared.store.stop_lane(channel, &stop, in_vain, clock::now()).await?;
            tracing::warn!(
                %channel, reason = said,
                "the channel refuses the bot: its events are kept, and it is tried again now and then"
            );
            Ok(())
        }
        // A message that is not accepted was not refused by the channel.
        Verdict::Delivered(_) | Verdict::Unacceptable(_) | Verdict::Filtered(_) if tried.probe.is_some() => {
            shared.sight.disprove(channel);
            open(shared, channel).await
        }
        Verdict::ChannelLimited(_) | Verdict::Limited(_) | Verdict::Retry(_) if tried.probe.is_some() => {
            shared.store.take_back_probe(channel, next).await
        }
        _ => Ok(()),
    }
}

async fn open(shared: &Shared, channel: ChannelId) -> Result<(), StoreError> {
    if shared.store.open_lane(channel).await? {
        tracing::info!(%channel, "the channel takes messages again");
    }
    Ok(())
}

/// Stops a lane because of what the gateway shows.
async fn stop(shared: &Shared, channel: ChannelId, cause: Cause, reason: String) -> Result<(), StoreError> {
    let stop = stop_for(shared, cause, reason, 0);
    shared.store.stop_lane(channel, &stop, None, clock::now()).await?;
    tracing::warn!(
        %channel, reason = stop.reason,
        "the bot can't post in a channel: nothing is sent there, its events are kept"
    );
    Ok(())
}

fn stop_for(shared: &Shared, cause: Cause, reason: String, probes: u32) -> Stop {
    let wait = cause.wait(probes, shared.probe_after, rand::random());
    Stop { cause, reason, next_probe_at: wait.map(|wait| clock::now().plus(wait)) }
}

/// Stops, opens and tries lanes as the gateway shows changes, until the service stops.
pub(super) async fn watch(shared: Shared) {
    let mut failing = false;
    while let Some(mut changes) = shared.drain.run_until_cancelled(shared.sight.changes()).await {
        shared.drain.run_until_cancelled(tokio::time::sleep(GATHER)).await;
        changes.add(shared.sight.take_changes());
        while let Err(error) = review(&shared, &changes).await {
            shared.metrics.database_failed(Work::Delivery);
            // Once for as long as it lasts.
            if !std::mem::replace(&mut failing, true) {
                tracing::warn!(%error, "can't note which channels may be posted in; trying again");
            }
            if shared.drain.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
                return;
            }
        }
        failing = false;
    }
}

async fn review(shared: &Shared, changes: &Changes) -> Result<(), StoreError> {
    let mut channels = Vec::new();
    if changes.everywhere {
        channels = shared.store.channels_of(None).await?;
    } else {
        for guild in changes.guilds.keys() {
            channels.extend(shared.store.channels_of(Some(*guild)).await?);
        }
    }
    if channels.is_empty() {
        return Ok(());
    }
    let stopped = shared.store.stopped_lanes().await?;
    for (guild, channel, may_be_thread) in channels {
        let lane = stopped.iter().find(|lane| lane.channel == channel);
        let seen = if changes.deleted_threads.contains(&channel) {
            Seen::Gone("the thread was deleted")
        } else {
            shared.sight.channel_in(guild, channel, may_be_thread)
        };
        // Of a thread that is archived, nothing else shows that the bot is back.
        let is_back = changes.joined.contains(&guild) && lane.is_some_and(|lane| lane.reason == REMOVED);
        turn(shared, channel, &seen, lane, is_back || is_named(changes, guild, channel)).await?;
    }
    Ok(())
}

fn is_named(changes: &Changes, guild: GuildId, channel: ChannelId) -> bool {
    changes.guilds.get(&guild).is_some_and(|named| named.contains(&channel))
}

async fn turn(
    shared: &Shared,
    channel: ChannelId,
    seen: &Seen,
    lane: Option<&StoppedLane>,
    is_named: bool,
) -> Result<(), StoreError> {
    match (seen.turn(lane.map(|lane| lane.cause), is_named), seen.objection()) {
        (Turn::Stop, Some((cause, reason))) => {
            // Else each change would put off the next attempt.
            if lane.is_none_or(|lane| lane.cause != cause || lane.reason != reason) {
                stop(shared, channel, cause, reason).await?;
            }
        }
        (Turn::Open, _) => open(shared, channel).await?,
        (Turn::Try, _) => {
            shared.store.probe_lane_at(channel, clock::now()).await?;
            shared.store.ring_lanes([channel]);
        }
        (Turn::Stop | Turn::Leave, _) => {}
    }
    Ok(())
}
