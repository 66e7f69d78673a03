//! How it goes with telling a channel, for the commands that say so.

use std::time::Duration;

use super::Shared;
pub(super) use crate::discord::notice_embed::REASON_LIMIT;
use crate::discord::notice_embed::stopped_in_words;
use crate::discord::words;
use crate::domain::ids::ChannelId;
use crate::domain::text::display;
use crate::store::StoreError;
use crate::store::history::{LaneBacklog, OpenMessage};
use crate::store::lanes::StoppedLane;

/// A limit that ends sooner is the usual pace, and nothing to tell: a bucket that is empty fills within seconds.
const SHORT: Duration = Duration::from_secs(15);

/// Why a channel is told nothing at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hindrance {
    /// Discord refuses the bot itself.
    Halted,
    /// The channel takes no messages.
    Refused(StoppedLane),
    /// Discord refused too much, and nothing is sent for that long.
    Stopped(Duration),
    /// Discord's limits, for that long.
    Limited(Duration),
    /// The message in front fails.
    Failing(OpenMessage),
}

/// What waits for a channel, and what hinders it.
pub(super) async fn lane_state(
    shared: &Shared,
    channel: ChannelId,
) -> Result<(LaneBacklog, Option<Hindrance>), StoreError> {
    let backlog = shared.store.lane_backlog(channel).await?;
    let stopped = shared.store.stopped_lane(channel).await?;
    let hindrance = hindrance(shared, channel, stopped, backlog.sealed.clone());
    Ok((backlog, hindrance))
}

/// What hinders a channel that is `stopped`, or in front of which that message is sealed.
pub(super) fn hindrance(
    shared: &Shared,
    channel: ChannelId,
    stopped: Option<StoppedLane>,
    sealed: Option<OpenMessage>,
) -> Option<Hindrance> {
    let limited = shared.limiter.closed_for(channel);
    if shared.halted.is_cancelled() {
        Some(Hindrance::Halted)
    } else if let Some(lane) = stopped {
        Some(Hindrance::Refused(lane))
    } else if let Some(wait) = shared.limiter.stopped_for() {
        Some(Hindrance::Stopped(wait))
    } else if limited > SHORT {
        Some(Hindrance::Limited(limited))
    } else {
        sealed.filter(|message| message.attempts > 0).map(Hindrance::Failing)
    }
}

impl Hindrance {
    /// What hinders, and what to do about it.
    pub(super) fn in_words(&self) -> String {
        match self {
            Self::Halted => words::HALTED.to_owned(),
            Self::Refused(lane) => {
                let next = lane.next_probe_at.map(|next| words::tried_again(next.unix_seconds()));
                stopped_in_words(lane.cause, &lane.reason, lane.stopped_at) + &next.unwrap_or_default()
            }
            Self::Stopped(wait) => words::stopped(*wait),
            Self::Limited(wait) => words::limited(*wait),
            Self::Failing(message) => {
                let reason = display(message.reason.as_deref().unwrap_or_default(), REASON_LIMIT, "?");
                words::failing(message.attempts, &reason, message.next_attempt_at.unix_seconds())
            }
        }
    }
}
