//! The bot's own pace: below each channel's bucket and below the global limit, so that a 429 is a rare accident.
//!
//! A library's limiter that learns from refusals is of no use here: refusals count towards a ban of the address.
//! <https://discord.com/developers/docs/topics/rate-limits>

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until};

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
    gate: Mutex<Gate>,
    /// From when on each of Discord's allowed requests may be used.
    slots: tokio::sync::Mutex<UnboundedReceiver<Instant>>,
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
        Self { empty: DashMap::new(), gate, slots: slots.into(), used, breaker: Mutex::default() }
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

    /// Waits until Discord allows one more request, right before it is sent. Those who wait are served in turn.
    pub async fn take_slot(&self) -> Slot {
        let mut slots = self.slots.lock().await;
        let usable = slots.recv().await;
        let slot = Slot { used: self.used.clone() };
        if let Some(usable) = usable.filter(|usable| *usable > Instant::now()) {
            sleep_until(usable).await;
        }
        slot
    }

    /// Notes what an answer's headers say of the channel's bucket.
    pub fn learn(&self, channel: ChannelId, bucket: BucketState) {
        if bucket.remaining == 0 {
            self.empty.insert(channel, Instant::now() + bucket.reset_after);
        }
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
        let opens = self.gate().opens;
        let until = self.empty.get(&channel).map_or(opens, |entry| opens.max(*entry.value()));
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
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    const CHANNEL: ChannelId = ChannelId(1);

    async fn seconds_for(limiter: &Limiter, requests: u32) -> f64 {
        let start = Instant::now();
        for _ in 0..requests {
            limiter.wait_for_channel(CHANNEL).await;
        }
        start.elapsed().as_secs_f64()
    }

    #[tokio::test(start_paused = true)]
    async fn requests_are_spaced_evenly_below_the_global_limit() {
        let limiter = Limiter::new(45);
        let seconds = seconds_for(&limiter, 46).await;
        assert!((1.0..1.1).contains(&seconds), "{seconds}");
        tokio::time::sleep(Duration::from_secs(10)).await;
        let seconds = seconds_for(&limiter, 2).await;
        assert!(seconds >= 0.02, "a quiet time gives no right to a burst: {seconds}");
    }

    #[tokio::test]
    async fn whoever_has_nothing_to_wait_for_passes_at_once() {
        let limiter = Limiter::new(45);
        assert!(limiter.wait_for_channel(CHANNEL).now_or_never().is_some());
        assert!(limiter.wait_for_channel(CHANNEL).now_or_never().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_pace_can_be_changed() {
        let limiter = Limiter::new(45);
        limiter.set_pace(1);
        let seconds = seconds_for(&limiter, 3).await;
        assert!((2.0..2.1).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn requests_that_were_held_up_together_never_exceed_what_discord_allows_in_a_second() {
        let limiter = Limiter::new(45);
        let start = Instant::now();
        let mut held_up = Vec::new();
        for _ in 0..ALLOWED {
            held_up.push(limiter.take_slot().await);
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert!(limiter.take_slot().now_or_never().is_none());
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert!(limiter.take_slot().now_or_never().is_none(), "none of them was answered");
        held_up.pop();
        let answered = Instant::now();
        let waiting = tokio::time::timeout(Duration::from_millis(500), limiter.take_slot());
        assert!(waiting.await.is_err(), "Discord may have counted it just now");
        drop(limiter.take_slot().await);
        assert!(answered.elapsed() >= SECOND, "{:?}", answered.elapsed());
        held_up.clear();
        let answered = Instant::now();
        for _ in 0..ALLOWED {
            drop(limiter.take_slot().await);
        }
        assert!((SECOND..2 * SECOND).contains(&answered.elapsed()), "{:?}", answered.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_bucket_is_waited_out_by_its_own_channel_only() {
        let limiter = Limiter::new(50);
        limiter.learn(CHANNEL, BucketState { remaining: 0, reset_after: Duration::from_secs(4) });
        let start = Instant::now();
        limiter.wait_for_channel(ChannelId(2)).await;
        assert!(start.elapsed() < Duration::from_secs(1));
        limiter.learn(ChannelId(2), BucketState { remaining: 1, reset_after: Duration::from_secs(4) });
        limiter.wait_for_channel(ChannelId(2)).await;
        assert!(start.elapsed() < Duration::from_secs(1));
        assert_eq!(limiter.closed_for(ChannelId(2)), Duration::ZERO);
        assert!(limiter.closed_for(CHANNEL) > Duration::from_secs(3));
        limiter.wait_for_channel(CHANNEL).await;
        assert!(start.elapsed() >= Duration::from_secs(4));
        limiter.close(Duration::from_secs(9));
        assert_eq!(limiter.closed_for(CHANNEL), Duration::from_secs(9));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_when_the_gate_closes_waits_for_its_opening() {
        let limiter = Limiter::new(1);
        limiter.wait_for_gate().await;
        let start = Instant::now();
        let waiting = limiter.wait_for_gate();
        let closing = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            limiter.close(Duration::from_secs(30));
        };
        tokio::join!(waiting, closing);
        assert!(start.elapsed() >= Duration::from_secs(30), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_passes_after_too_many_refusals_until_they_are_few() {
        let limiter = Limiter::new(45);
        let begins = (0..1_500).filter(|_| limiter.count_refusal()).count();
        assert_eq!((begins, limiter.recovers()), (1, false));
        assert_eq!(limiter.stopped_for(), Some(Duration::from_mins(10)));
        let start = Instant::now();
        limiter.wait_for_channel(CHANNEL).await;
        assert!(start.elapsed() >= Duration::from_mins(10), "{:?}", start.elapsed());
        assert!(limiter.recovers() && limiter.stopped_for().is_none());
    }
}
