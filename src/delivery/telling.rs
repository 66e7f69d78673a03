//! Tells a guild once that one of its channels takes no messages, in another one that does. Where none does, whoever
//! uses a command there next is told.
//!
//! That it works again, the channel shows by itself.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Shared;
use crate::clock;
use crate::domain::binding::Binding;
use crate::domain::ids::ChannelId;
use crate::domain::notice::{Notice, channel_that_works};
use crate::store::StoreError;

/// How often is looked, at most and at least.
const SHORTEST_LOOK: Duration = Duration::from_millis(250);
const LONGEST_LOOK: Duration = Duration::from_secs(5);

/// Tells guilds until the service stops.
pub(super) async fn tell(shared: Shared) {
    let mut looks = tokio::time::interval((shared.tell_after / 4).clamp(SHORTEST_LOOK, LONGEST_LOOK));
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut failing = false;
    while shared.drain.run_until_cancelled(looks.tick()).await.is_some() {
        match look(&shared).await {
            Ok(()) => failing = false,
            // Once for as long as it lasts.
            Err(_) if std::mem::replace(&mut failing, true) => {}
            Err(error) => tracing::warn!(%error, "can't tell guilds which channels are stopped; trying again"),
        }
    }
}

async fn look(shared: &Shared) -> Result<(), StoreError> {
    let now = clock::now();
    let untold = shared.store.untold_lanes(None, now.minus(shared.tell_after)).await?;
    if untold.is_empty() {
        return Ok(());
    }
    let stopped: BTreeSet<ChannelId> =
        shared.store.stopped_lanes().await?.into_iter().map(|lane| lane.channel).collect();
    for (guild, lane) in untold {
        let bindings = shared.store.bindings_of_guild(guild).await?;
        let Some(told_in) = channel_that_works(&bindings, guild, &stopped, None) else { continue };
        // Whose events the channel hears; where members are pinged alone, that is nobody's.
        let hearing = |channel| bindings.iter().find(|binding| binding.channel == channel);
        let Some(Binding { account, .. }) = hearing(lane.channel).or_else(|| hearing(told_in)) else { continue };
        let (channel, since) = (lane.channel, lane.stopped_at);
        let notice = Notice::ChannelStopped { channel, since, cause: lane.cause, reason: lane.reason };
        if shared.store.tell_lane_stopped(channel, told_in, account, &notice, now).await? {
            tracing::info!(%guild, %channel, %told_in, "told a guild that a channel is stopped");
        }
    }
    Ok(())
}
