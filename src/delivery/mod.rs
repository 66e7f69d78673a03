//! The way out: rows of the outbox become messages in channels, in order, each once.
//!
//! Each channel is a lane. The dispatcher starts a lane when it has something to send; the lane claims, seals, sends
//! and settles until nothing is left. A lane that waits, for its bucket or for Discord, holds up no other.

mod boards;
mod editing;
pub mod giving_up;
mod incident_edits;
mod lane;
mod requests;
mod sealing;
mod search;
mod stopping;
mod telling;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use self::giving_up::Kept;
use crate::clock;
use crate::discord::limiter::Limiter;
use crate::discord::rest::Rest;
use crate::discord::sight::Sight;
use crate::domain::ids::ChannelId;
use crate::domain::incident::LoopRule;
use crate::domain::timestamp::Timestamp;
use crate::lifecycle::Lifecycle;
use crate::store::{Store, StoreError};
use crate::telemetry::metrics::{Metrics, Work};

/// How often the database is asked for open lanes, whether or not somebody rang.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How many lanes at a time may have thousands of rows in memory, and how many a file, which takes up to 8 MiB. Apart, so
/// that uploads that hang keep none from being sealed.
pub const COMPOSING: usize = 4;
/// See [`COMPOSING`].
pub const UPLOADS: usize = 8;

/// Longer than any hold.
const FOREVER: Duration = Duration::from_hours(24 * 365);

/// What all lanes share.
#[derive(Clone)]
pub struct Shared {
    /// The database.
    pub store: Store,
    /// The way to Discord.
    pub rest: Rest,
    /// The bot's pace.
    pub limiter: Arc<Limiter>,
    /// What the gateway shows of the channels.
    pub sight: Sight,
    /// How long a lane that is refused stays stopped until it is tried for the first time.
    pub probe_after: Duration,
    /// How long a lane is stopped until somebody of its guild is told.
    pub tell_after: Duration,
    /// Where it is counted what becomes of messages.
    pub metrics: Metrics,
    /// From which age on an event is told as late.
    pub late_after: Duration,
    /// What makes a loop of incidents.
    pub loops: LoopRule,
    /// How much a lane keeps that it can't send.
    pub kept: Kept,
    /// Places for those who have thousands of rows in memory.
    pub composing: Arc<Semaphore>,
    /// Places for those who have a file in memory.
    pub uploads: Arc<Semaphore>,
    /// Cancelled when the service stops.
    pub drain: CancellationToken,
    /// Cancelled when Discord refuses the bot itself: nothing is sent any more, while intake goes on.
    pub halted: CancellationToken,
}

/// Starts what sends, what stops and opens lanes as Discord changes, what tells of those that are stopped, and what keeps
/// messages true.
pub fn start(shared: &Shared, lifecycle: &Lifecycle) {
    lifecycle.spawn("delivery", run(shared.clone(), lifecycle.clone()));
    lifecycle.spawn("channels", stopping::watch(shared.clone()));
    lifecycle.spawn("telling", telling::tell(shared.clone()));
    lifecycle.spawn("bounds", giving_up::run(shared.clone()));
    lifecycle.spawn("editing", editing::run(shared.clone(), lifecycle.clone()));
}

/// Sends what is due until the service stops.
async fn run(shared: Shared, lifecycle: Lifecycle) {
    let (ended, mut ends) = mpsc::unbounded_channel();
    let mut dispatcher = Dispatcher {
        shared,
        lifecycle,
        running: HashMap::new(),
        held: BTreeSet::new(),
        failing: HashMap::new(),
        ended,
    };
    // What was held when the bot stopped: its lanes find out until when.
    let mut horizon = FOREVER;
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let shared = dispatcher.shared.clone();
        tokio::select! {
            () = shared.drain.cancelled() => return,
            channels = shared.store.rung_lanes() => dispatcher.start_all(channels),
            () = dispatcher.next_hold_ends() => dispatcher.start_held(clock::now()),
            _ = looks.tick() => {
                note_recovery(&shared);
                match shared.store.open_lanes(clock::now().plus(horizon)).await {
                    Ok(channels) => {
                        horizon = Duration::ZERO;
                        dispatcher.note_success(None);
                        dispatcher.start_all(channels);
                    }
                    Err(error) => dispatcher.note_failure(None, &error),
                }
            }
            Some((channel, ended)) = ends.recv() => dispatcher.end(channel, ended),
        }
    }
}

/// Tells when what was stopped after too many refusals goes on.
fn note_recovery(shared: &Shared) {
    if shared.limiter.recovers() {
        shared.metrics.stopped(false);
        tracing::info!("Discord has refused few requests of late: everything is sent again");
    }
}

struct Dispatcher {
    shared: Shared,
    lifecycle: Lifecycle,
    /// The lanes that run, and whether they were rung since they started.
    running: HashMap<ChannelId, bool>,
    /// The lanes that have something to send from that moment on.
    held: BTreeSet<(Timestamp, ChannelId)>,
    /// The lanes that the database did not let go on when they were last tried, and why; `None` is the look for lanes.
    failing: HashMap<Option<ChannelId>, String>,
    ended: mpsc::UnboundedSender<(ChannelId, Result<Option<Timestamp>, StoreError>)>,
}

impl Dispatcher {
    fn start_all(&mut self, channels: impl IntoIterator<Item = ChannelId>) {
        for channel in channels {
            self.start(channel);
        }
    }

    fn start(&mut self, channel: ChannelId) {
        if self.shared.halted.is_cancelled() {
            return;
        }
        if let Some(rung) = self.running.get_mut(&channel) {
            *rung = true;
            return;
        }
        self.running.insert(channel, false);
        let (shared, ended) = (self.shared.clone(), self.ended.clone());
        self.lifecycle.spawn_job(format!("lane of channel {channel}"), async move {
            let result = lane::run(shared, channel).await;
            // Nobody listens any more once the dispatcher has stopped.
            ended.send((channel, result)).ok();
        });
    }

    /// Waits until the soonest hold ends; for ever while nothing is held.
    async fn next_hold_ends(&self) {
        match self.held.first() {
            Some((until, _)) => tokio::time::sleep(until.since(clock::now())).await,
            None => std::future::pending().await,
        }
    }

    /// Starts the lanes whose holds have ended by `now`.
    fn start_held(&mut self, now: Timestamp) {
        while self.held.first().is_some_and(|(until, _)| *until <= now) {
            let ended = self.held.pop_first();
            self.start_all(ended.map(|(_, channel)| channel));
        }
    }

    /// A lane that was rung may have looked before what it was rung for was there: it looks again.
    fn end(&mut self, channel: ChannelId, ended: Result<Option<Timestamp>, StoreError>) {
        match ended {
            Ok(held_until) => {
                self.held.extend(held_until.map(|until| (until, channel)));
                self.note_success(Some(channel));
            }
            Err(error) => self.note_failure(Some(channel), &error),
        }
        if self.running.remove(&channel) == Some(true) {
            self.start(channel);
        }
    }

    /// Tells it once, however many lanes suffer from the same and however often they try: the next look starts them.
    fn note_failure(&mut self, lane: Option<ChannelId>, error: &StoreError) {
        self.shared.metrics.database_failed(Work::Delivery);
        let reason = error.to_string();
        if !self.failing.values().any(|told| *told == reason) {
            tracing::warn!(%error, "the database does not let messages be delivered; trying again");
        }
        self.failing.insert(lane, reason);
    }

    fn note_success(&mut self, lane: Option<ChannelId>) {
        if self.failing.remove(&lane).is_some() && self.failing.is_empty() {
            tracing::info!("the database lets messages be delivered again");
        }
    }
}
