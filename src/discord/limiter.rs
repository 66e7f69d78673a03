//! The bot's own pace: below each channel's bucket and below the global limit, so that a 429 is a rare accident.
//!
//! A library's limiter that learns from refusals is of no use here: refusals count towards a ban of the address.
//! <https://discord.com/developers/docs/topics/rate-limits>

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep, sleep_until};

use crate::domain::breaker::Breaker;
use crate::domain::ids::ChannelId;

/// How many requests Discord allows a bot in a second, which it counts by its own clock
/// (<https://discord.com/developers/docs/topics/rate-limits#global-rate-limit>).
const ALLOWED: usize = 50;
const SECOND: Duration = Duration::from_secs(1);

/// What Discord's headers say of a channel's bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BucketState {
    /// How many more requests it takes before it resets.
    pub remaining: u32,
    /// How long until it resets.
    pub reset_after: Duration,
}

/// Paces every request that Discord counts. Answers to interactions don't pass here: Discord does not count them.
#[derive(Debug)]
pub struct Limiter {
    /// Channels whose bucket is empty, and until when.
    empty: DashMap<ChannelId, Instant>,
    /// The same of edits: Discord has a bucket for each method.
    edits_empty: DashMap<ChannelId, Instant>,
    gate: Mutex<Gate>,
    slots: tokio::sync::Mutex<Slots>,
    used: UnboundedSender<Instant>,
    breaker: Mutex<Breaker>,
}

/// One of the requests that Discord allows in a second, to be held until its answer is there. It can be used again a
/// second later: whenever Discord counted it, no second of Discord's has had more than it allows, even if the machine
/// or the network held up many requests and let them go at once.
#[derive(Debug)]
#[must_use]
pub struct Slot {
    used: UnboundedSender<Instant>,
}

/// The slots that nobody holds.
#[derive(Debug)]
struct Slots {
    /// From when on each may be used.
    free: UnboundedReceiver<Instant>,
    /// The first, where somebody who would not wait for it has looked at it.
    first: Option<Instant>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        // Without a limiter there is nobody to use it again.
        self.used.send(Instant::now() + SECOND).ok();
    }
}

/// The global limit: requests pass one by one, evenly spaced.
#[derive(Debug)]
struct Gate {
    /// The first place that nobody took.
    next: Instant,
    /// Nobody passes before this.
    opens: Instant,
    spacing: Duration,
}

impl Limiter {
    /// Lets `per_second` requests pass, evenly spaced. Discord allows 50 to a bot.
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        let now = Instant::now();
        let gate = Mutex::new(Gate { next: now, opens: now, spacing: spacing(per_second) });
        let (used, slots) = unbounded_channel();
        for _ in 0..ALLOWED {
            used.send(now).ok();
        }
        Self {
            empty: DashMap::new(),
            edits_empty: DashMap::new(),
            gate,
            slots: Slots { free: slots, first: None }.into(),
            used,
            breaker: Mutex::default(),
        }
    }

    /// Lets as many pass from now on.
    pub fn set_pace(&self, per_second: u32) {
        self.gate().spacing = spacing(per_second);
    }

    /// Waits until a message may be sent to `channel`, and takes that place.
    pub async fn wait_for_channel(&self, channel: ChannelId) {
        loop {
            let empty_until = self.empty.get(&channel).map(|entry| *entry.value());
            match empty_until {
                Some(until) if until > Instant::now() => sleep_until(until).await,
                Some(_) => {
                    self.empty.remove(&channel);
                }
                None => break,
            }
        }
        self.wait_for_gate().await;
    }

    /// Waits until a request of any kind may be sent, and takes that place.
    pub async fn wait_for_gate(&self) {
        let mut place = self.take_place();
        loop {
            // A timer takes a millisecond even for a moment that is over.
            if place > Instant::now() {
                sleep_until(place).await;
            }
            // Closed while we waited: everybody lines up again behind the opening.
            if self.gate().opens <= Instant::now() {
                return;
            }
            place = self.take_place();
        }
    }

    /// Waits until a message of `channel` may be edited without delaying anybody who sends, and takes that place, and a
    /// slot that nobody waits for.
    pub async fn wait_for_edit(&self, channel: ChannelId) -> Slot {
        loop {
            let closed = self.edits_closed_for(channel);
            if !closed.is_zero() {
                sleep(closed).await;
                continue;
            }
            self.edits_empty.remove_if(&channel, |_, until| *until <= Instant::now());
            if let Err(again) = self.try_take_past_place() {
                sleep_until(again).await;
            } else if let Some(slot) = self.try_take_slot() {
                return slot;
            } else {
                // The place is lost, which delays nobody: it was over.
                let spacing = self.gate().spacing;
                sleep(spacing).await;
            }
        }
    }

    /// How long nothing may be edited in `channel` from now on, because Discord said so.
    #[must_use]
    pub fn edits_closed_for(&self, channel: ChannelId) -> Duration {
        self.open_after(&self.edits_empty, channel)
    }

    /// Takes a place that nobody wanted in time, or says when there may be one. Whoever sends is not delayed: the places
    /// from now on are left to them. In a second there are never more requests than places, but for one: each is sent no
    /// longer than one place's time after its own.
    fn try_take_past_place(&self) -> Result<(), Instant> {
        let mut gate = self.gate();
        let now = Instant::now();
        if gate.opens > now {
            return Err(gate.opens);
        }
        // Of a quiet time no more than one place counts: nobody saves places up.
        let last = now.checked_sub(gate.spacing).unwrap_or(now);
        let place = gate.next.max(last);
        if place > last {
            return Err(place + gate.spacing);
        }
        gate.next = place + gate.spacing;
        Ok(())
    }

    /// Waits until Discord allows one more request, right before it is sent. Those who wait are served in turn.
    pub async fn take_slot(&self) -> Slot {
        let mut slots = self.slots.lock().await;
        let usable = match slots.first.take() {
            Some(usable) => Some(usable),
            None => slots.free.recv().await,
        };
        let slot = Slot { used: self.used.clone() };
        if let Some(usable) = usable.filter(|usable| *usable > Instant::now()) {
            sleep_until(usable).await;
        }
        slot
    }

    /// Takes a slot, if there is one that can be used now and nobody waits for.
    fn try_take_slot(&self) -> Option<Slot> {
        let mut slots = self.slots.try_lock().ok()?;
        let usable = slots.first.take().or_else(|| slots.free.try_recv().ok())?;
        if usable > Instant::now() {
            slots.first = Some(usable);
            return None;
        }
        Some(Slot { used: self.used.clone() })
    }

    /// Notes what an answer's headers say of the channel's bucket.
    pub fn learn(&self, channel: ChannelId, bucket: BucketState) {
        if bucket.remaining == 0 {
            self.empty.insert(channel, Instant::now() + bucket.reset_after);
        }
    }

    /// Notes what an edit's answer says of the bucket of the channel's edits.
    pub fn learn_of_edits(&self, channel: ChannelId, bucket: BucketState) {
        if bucket.remaining == 0 {
            self.edits_empty.insert(channel, Instant::now() + bucket.reset_after);
        }
    }

    /// Edits nothing in `channel` for `duration`: Discord said so.
    pub fn close_edits(&self, channel: ChannelId, duration: Duration) {
        self.edits_empty.insert(channel, Instant::now() + duration);
    }

    /// Sends nothing to `channel` for `duration`: Discord said so.
    pub fn close_channel(&self, channel: ChannelId, duration: Duration) {
        self.empty.insert(channel, Instant::now() + duration);
    }

    /// Sends nothing at all for `duration`: Discord said so.
    pub fn close(&self, duration: Duration) {
        let mut gate = self.gate();
        gate.opens = gate.opens.max(Instant::now() + duration);
    }

    /// Counts an answer that Discord counts towards a ban of the address. After too many, nothing passes until they are
    /// few again; `true` when that begins.
    pub fn count_refusal(&self) -> bool {
        let now = Instant::now().into_std();
        let mut breaker = self.breaker();
        let begins = breaker.count(now);
        let closed = breaker.closed_for(now);
        drop(breaker);
        if let Some(wait) = closed {
            self.close(wait);
        }
        begins
    }

    /// For how long nothing passes because too many requests were refused.
    #[must_use]
    pub fn stopped_for(&self) -> Option<Duration> {
        self.breaker().closed_for(Instant::now().into_std())
    }

    /// Whether it has ended, since this was asked last, that nothing passes because too many requests were refused.
    pub fn recovers(&self) -> bool {
        self.breaker().recovers(Instant::now().into_std())
    }

    /// How long nothing is sent to `channel` from now on, because Discord said so.
    #[must_use]
    pub fn closed_for(&self, channel: ChannelId) -> Duration {
        self.open_after(&self.empty, channel)
    }

    fn open_after(&self, empty: &DashMap<ChannelId, Instant>, channel: ChannelId) -> Duration {
        let opens = self.gate().opens;
        let until = empty.get(&channel).map_or(opens, |entry| opens.max(*entry.value()));
        until.saturating_duration_since(Instant::now())
    }

    fn take_place(&self) -> Instant {
        let mut gate = self.gate();
        let place = gate.next.max(gate.opens).max(Instant::now());
        gate.next = place + gate.spacing;
        place
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn spacing(per_second: u32) -> Duration {
    Duration::from_secs(1) / per_second.max(1)
}

#[cfg(test)]
mod tests;
