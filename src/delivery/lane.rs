//! One lane: claim, seal, send, settle, until its channel has nothing more to show.
//!
//! A message's bytes and nonce are in the database before the first attempt, and what was attempted goes first,
//! unchanged: so a crash or a lost reply shows each event once. Discord forgets a nonce after a few minutes: what may
//! have been attempted before that is looked for in the channel, by its mark.

use std::time::Duration;

use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

use super::Shared;
use super::giving_up::give_up_if_old;
use super::requests::post;
use super::sealing::{seal, seal_anew};
use super::search::{Found, look_for, mark_as_repeated};
use super::stopping::{begin_probe, is_to_stop, settle_lane};
use crate::clock;
use crate::discord::answer::Verdict;
use crate::domain::ids::ChannelId;
use crate::domain::retry::backoff;
use crate::domain::timestamp::Timestamp;
use crate::domain::wording::Wording;
use crate::store::StoreError;
use crate::store::lanes::Head;
use crate::store::outbox::SealedMessage;
use crate::telemetry::metrics::{Outcome, Work};

/// The first wait after a failed attempt, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A place in the bot's pace that is older than this is given up.
const STALE_PLACE: Duration = Duration::from_millis(500);

/// For how long a message's nonce is relied upon. Discord says that it keeps one for "a few minutes".
pub(super) const NONCE_KEPT: Duration = Duration::from_mins(1);

/// Sends what is due in `channel`, until nothing is, the channel refuses, or the service stops. Answers with the moment
/// at which something will be due that is held until then. When the database fails, the dispatcher's next look starts
/// the lane again.
pub(super) async fn run(shared: Shared, channel: ChannelId) -> Result<Option<Timestamp>, StoreError> {
    let mut lane = Lane::default();
    loop {
        match step(&shared, channel, &mut lane).await? {
            Step::Done => {}
            Step::Over => return Ok(None),
            Step::Held(until) => return Ok(Some(until)),
        }
    }
}

/// What a lane goes on with.
enum Step {
    /// The next step.
    Done,
    /// Nothing.
    Over,
    /// Nothing until that moment.
    Held(Timestamp),
}

/// What a lane knows while it runs.
#[derive(Default)]
struct Lane {
    covered: Option<Covered>,
    /// While the lane is tried though it is stopped: for the how manieth time.
    probe: Option<u32>,
}

/// A message that was not attempted before that moment, unless in vain.
struct Covered {
    message: i64,
    since: Instant,
    /// How many attempts had failed by then: of those, nothing is known.
    attempts: u32,
    /// Whether that is known, or it is sent because nothing can be known.
    is_certain: bool,
}

/// Sends one message.
async fn step(shared: &Shared, channel: ChannelId, lane: &mut Lane) -> Result<Step, StoreError> {
    if stops(shared) {
        return Ok(Step::Over);
    }
    let head = if lane.probe.is_some() { Head::Probe } else { shared.store.head(channel, clock::now()).await? };
    let sealed = match head {
        Head::Nothing => return Ok(Step::Over),
        Head::Held(until) => return Ok(Step::Held(until)),
        Head::Sealed | Head::Probe => shared.store.sealed_message(channel).await?,
        Head::Due => None,
    };
    if let Some(message) = &sealed {
        // Bounded, because clocks are set back; what Discord told to wait for, the limiter knows.
        let wait = message.next_attempt_at.since(clock::now()).min(LONGEST_WAIT);
        if !goes_on_after(shared, tokio::time::sleep(wait)).await {
            return Ok(Step::Over);
        }
    }
    if !goes_on_after(shared, shared.limiter.wait_for_channel(channel)).await {
        return Ok(Step::Over);
    }
    let place = Instant::now();
    if is_to_stop(shared, channel, head).await? {
        return Ok(Step::Over);
    }
    if head == Head::Probe && lane.probe.is_none() {
        lane.probe = Some(begin_probe(shared, channel).await?);
    }
    let message = if let Some(message) = sealed {
        message
    } else {
        // Only now that it can be sent: whatever came while the lane waited goes with it.
        let message = seal(shared, channel).await?;
        lane.covered = Some(Covered { message: message.id, since: Instant::now(), attempts: 0, is_certain: true });
        // Lanes that waited for the database together must not send all at once.
        if place.elapsed() > STALE_PLACE && !goes_on_after(shared, shared.limiter.wait_for_gate()).await {
            return Ok(Step::Over);
        }
        message
    };
    let is_covered = |it: &&Covered| it.message == message.id && it.since.elapsed() < NONCE_KEPT;
    let Some(covered) = lane.covered.as_ref().filter(is_covered) else {
        return cover(shared, channel, message, lane).await;
    };
    let tried = Tried {
        channel,
        covered_since: covered.since,
        is_in_vain: covered.is_certain && covered.attempts == message.attempts,
        message,
        probe: lane.probe.take(),
    };
    send(shared, &tried).await?;
    Ok(Step::Done)
}

/// Finds out whether a message that may have been attempted long ago stands in its channel.
async fn cover(
    shared: &Shared,
    channel: ChannelId,
    message: SealedMessage,
    lane: &mut Lane,
) -> Result<Step, StoreError> {
    let since = Instant::now();
    let found = look_for(shared, channel, &message).await?;
    if found == Found::Settled {
        // Whatever came of it, Discord has answered nothing that concerns the channel.
        if lane.probe.take().is_some() {
            shared.store.take_back_probe(channel, clock::now().plus(LONGEST_WAIT)).await?;
        }
        return Ok(Step::Done);
    }
    if found == Found::OutOfSight {
        mark_as_repeated(shared, channel, &message).await?;
    }
    let (is_certain, attempts) = (found == Found::Absent, message.attempts);
    lane.covered = Some(Covered { message: message.id, since, attempts, is_certain });
    Ok(Step::Done)
}

pub(super) async fn try_later(
    shared: &Shared,
    channel: ChannelId,
    message: &SealedMessage,
    reason: &str,
) -> Result<(), StoreError> {
    let next = clock::now().plus(wait_after_failure(channel, message, reason));
    shared.store.postpone(message.id, message.attempts.saturating_add(1), next, reason).await
}

/// How long to wait after one more failed attempt, which is logged.
fn wait_after_failure(channel: ChannelId, message: &SealedMessage, reason: &str) -> Duration {
    let attempts = message.attempts.saturating_add(1);
    let wait = backoff(attempts, FIRST_WAIT, LONGEST_WAIT, rand::random());
    tracing::warn!(%channel, reason, attempts, ?wait, "a message was not delivered; trying again");
    wait
}

fn stops(shared: &Shared) -> bool {
    shared.drain.is_cancelled() || shared.halted.is_cancelled()
}

pub(super) async fn goes_on_after(shared: &Shared, wait: impl Future<Output = ()>) -> bool {
    tokio::select! {
        () = wait => true,
        () = shared.drain.cancelled() => false,
        () = shared.halted.cancelled() => false,
    }
}

/// A message that is tried to be sent.
pub(super) struct Tried {
    pub(super) channel: ChannelId,
    pub(super) message: SealedMessage,
    /// Since when it is known not to stand in the channel, but by its nonce.
    covered_since: Instant,
    /// Whether it can't stand in the channel if Discord refuses it now.
    pub(super) is_in_vain: bool,
    /// For the how manieth time its lane is tried though it is stopped.
    pub(super) probe: Option<u32>,
}

async fn send(shared: &Shared, tried: &Tried) -> Result<(), StoreError> {
    let Tried { channel, message, .. } = tried;
    let channel = *channel;
    let mut upload = None;
    if message.has_file {
        upload = wait_for_upload(shared, tried).await;
        if upload.is_none() {
            return Ok(());
        }
    }
    let file = if message.has_file { shared.store.file(message.id).await? } else { None };
    let verdict = post(shared, channel, &message.body, file).await;
    drop(upload);
    if matches!(verdict, Verdict::Delivered(_)) {
        tracing::trace!(%channel, mark = message.mark, "accepted");
    }
    shared.metrics.sent(outcome(&verdict, message.wording));
    let next = clock::now().plus(obey(shared, channel, message, &verdict));
    let mut failures = 0;
    while let Err(error) = settle(shared, tried, &verdict, next).await {
        // What Discord said is known: to forget it would mean to ask again.
        failures += 1;
        shared.metrics.database_failed(Work::Delivery);
        if failures == 1 {
            tracing::warn!(%channel, %error, "can't note what became of a message; trying again");
        }
        let wait = backoff(failures, FIRST_WAIT, LONGEST_WAIT, rand::random());
        if !goes_on_after(shared, tokio::time::sleep(wait)).await {
            return Err(error);
        }
    }
    match &verdict {
        Verdict::Refused(reason) | Verdict::Retry(reason) => give_up_if_old(shared, channel, message.id, reason).await,
        _ => Ok(()),
    }
}

/// Waits for a place among those who send files; `None` where the message can't be sent after that, but has to be looked
/// at anew.
async fn wait_for_upload<'a>(shared: &'a Shared, tried: &Tried) -> Option<SemaphorePermit<'a>> {
    let asked = Instant::now();
    let mut place = None;
    if !goes_on_after(shared, async { place = shared.uploads.acquire().await.ok() }).await {
        return None;
    }
    // The gate may have been closed meanwhile, and the nonce forgotten.
    if asked.elapsed() > STALE_PLACE && !goes_on_after(shared, shared.limiter.wait_for_channel(tried.channel)).await {
        return None;
    }
    place.filter(|_| tried.covered_since.elapsed() < NONCE_KEPT)
}

/// Does and logs what Discord's verdict asks for, once; answers with how long the message has to wait.
fn obey(shared: &Shared, channel: ChannelId, message: &SealedMessage, verdict: &Verdict) -> Duration {
    match verdict {
        Verdict::Delivered(_) => tracing::debug!(%channel, mark = message.mark, "delivered"),
        Verdict::ChannelLimited(wait) => {
            tracing::warn!(%channel, ?wait, "Discord limits this channel");
            shared.limiter.close_channel(channel, *wait);
            return *wait;
        }
        Verdict::Limited(wait) => {
            tracing::warn!(?wait, "Discord limits the whole bot");
            shared.limiter.close(*wait);
            return *wait;
        }
        Verdict::Retry(reason) => return wait_after_failure(channel, message, reason),
        // Told when it is noted.
        Verdict::Refused(_) => {}
        Verdict::Unacceptable(reason) | Verdict::Filtered(reason) if message.wording == Wording::Full => {
            tracing::warn!(%channel, mark = message.mark, reason, "Discord does not accept a message; it is worded anew");
        }
        Verdict::Unacceptable(reason) | Verdict::Filtered(reason) => {
            tracing::error!(%channel, mark = message.mark, reason, "Discord does not accept a message; it is set aside");
        }
        Verdict::Unauthorised(reason) => halt(shared, reason),
    }
    Duration::ZERO
}

/// Sends nothing any more: Discord refuses the bot itself.
pub(super) fn halt(shared: &Shared, reason: &str) {
    // Of the many lanes, and the gateway, the first tells.
    if !shared.halted.is_cancelled() {
        tracing::error!(
            reason,
            "Discord refuses the bot: nothing is sent until guildwire is started with a valid token; events are \
             still recorded"
        );
    }
    shared.halted.cancel();
}

/// Notes in the database what became of a message, and when it may be tried next.
async fn settle(shared: &Shared, tried: &Tried, verdict: &Verdict, next: Timestamp) -> Result<(), StoreError> {
    settle_lane(shared, tried, verdict, next).await?;
    let (store, message, id) = (&shared.store, &tried.message, tried.message.id);
    match verdict {
        Verdict::Delivered(discord_id) => settle_delivered(shared, id, *discord_id).await,
        Verdict::ChannelLimited(_) | Verdict::Limited(_) => {
            store.postpone(id, message.attempts, next, "rate limited").await
        }
        Verdict::Retry(reason) => store.postpone(id, message.attempts.saturating_add(1), next, reason).await,
        Verdict::Unacceptable(reason) if message.wording == Wording::Full => {
            seal_anew(shared, tried.channel, message, Wording::Plain, reason).await
        }
        Verdict::Filtered(reason) if message.wording == Wording::Full => {
            seal_anew(shared, tried.channel, message, Wording::Withheld, reason).await
        }
        Verdict::Unacceptable(reason) | Verdict::Filtered(reason) => {
            store.settle_parked(id, reason, clock::now()).await
        }
        Verdict::Refused(_) | Verdict::Unauthorised(_) => Ok(()),
    }
}

/// Notes that a message stands in its channel, and how long its events took to get there.
pub(super) async fn settle_delivered(shared: &Shared, id: i64, discord_id: Option<u64>) -> Result<(), StoreError> {
    let now = clock::now();
    for stored in shared.store.settle_delivered(id, discord_id, now).await? {
        shared.metrics.delivered(stored, now);
    }
    tracing::trace!(id, "settled");
    Ok(())
}

const fn outcome(verdict: &Verdict, wording: Wording) -> Outcome {
    match verdict {
        Verdict::Delivered(_) => Outcome::Delivered,
        Verdict::ChannelLimited(_) | Verdict::Limited(_) => Outcome::Limited,
        Verdict::Retry(_) => Outcome::Failed,
        Verdict::Refused(_) => Outcome::Refused,
        Verdict::Unacceptable(_) | Verdict::Filtered(_) if matches!(wording, Wording::Full) => Outcome::Reworded,
        Verdict::Unacceptable(_) | Verdict::Filtered(_) => Outcome::SetAside,
        Verdict::Unauthorised(_) => Outcome::Unauthorised,
    }
}
