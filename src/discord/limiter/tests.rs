//! The pace, with the clock held.

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
async fn an_edit_takes_only_what_nobody_wanted_and_delays_nobody() {
    let limiter = Limiter::new(10);
    let spacing = Duration::from_millis(100);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(limiter.wait_for_edit(CHANNEL).now_or_never().is_some());
    assert!(limiter.wait_for_edit(CHANNEL).now_or_never().is_none(), "a quiet time gives no right to a burst");
    assert!(limiter.wait_for_channel(CHANNEL).now_or_never().is_some(), "whoever sends right after it is not delayed");
    let start = Instant::now();
    drop(limiter.wait_for_edit(CHANNEL).await);
    assert!(start.elapsed() >= 2 * spacing, "{:?}", start.elapsed());

    // Four times as many as there are places want to send: an edit comes when they are through.
    let start = Instant::now();
    let sends = async {
        for _ in 0..40 {
            limiter.wait_for_channel(ChannelId(2)).await;
        }
        start.elapsed()
    };
    let edit = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(limiter.wait_for_edit(CHANNEL).await);
        start.elapsed()
    };
    let (sent, edited) = tokio::join!(sends, edit);
    assert!(sent < spacing * 40, "{sent:?}");
    assert!(edited > sent, "{edited:?}");
}

#[tokio::test(start_paused = true)]
async fn an_edit_takes_a_slot_only_where_nobody_who_sends_waits_for_one() {
    let limiter = Limiter::new(45);
    let mut held = Vec::new();
    for _ in 0..ALLOWED {
        held.push(limiter.take_slot().await);
    }
    let edit = tokio::time::timeout(Duration::from_secs(10), limiter.wait_for_edit(CHANNEL));
    assert!(edit.await.is_err(), "none is free");
    held.pop();
    assert!(limiter.try_take_slot().is_none(), "Discord may have counted it just now");
    let mut sends = Box::pin(limiter.take_slot());
    assert!(sends.as_mut().now_or_never().is_none());
    tokio::time::sleep(2 * SECOND).await;
    assert!(limiter.try_take_slot().is_none(), "somebody waits for it");
    let sent = sends.now_or_never();
    assert!(sent.is_some() && limiter.try_take_slot().is_none(), "there is no other");
    drop(sent);
    let answered = Instant::now();
    drop(limiter.wait_for_edit(CHANNEL).await);
    assert!((SECOND..2 * SECOND).contains(&answered.elapsed()), "{:?}", answered.elapsed());
}

#[tokio::test(start_paused = true)]
async fn edits_and_messages_with_one_another_stay_below_the_pace() {
    let limiter = Limiter::new(10);
    let start = Instant::now();
    let mut times = Vec::new();
    let mut random = 7_u64;
    while start.elapsed() < Duration::from_mins(1) {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        if random >> 62 == 0 {
            limiter.wait_for_channel(CHANNEL).await;
        } else {
            drop(limiter.wait_for_edit(CHANNEL).await);
        }
        times.push(Instant::now());
        tokio::time::sleep(Duration::from_millis((random >> 56) / 2)).await;
    }
    for (at, first) in times.iter().enumerate() {
        let within = times[at..].iter().take_while(|time| **time < *first + Duration::from_secs(1)).count();
        assert!(within <= 11, "{within} in a second");
    }
}

#[tokio::test(start_paused = true)]
async fn edits_have_a_bucket_of_their_own() {
    let limiter = Limiter::new(50);
    limiter.learn_of_edits(CHANNEL, BucketState { remaining: 0, reset_after: Duration::from_secs(4) });
    let start = Instant::now();
    limiter.wait_for_channel(CHANNEL).await;
    drop(limiter.wait_for_edit(ChannelId(2)).await);
    assert!(start.elapsed() < Duration::from_secs(1));
    drop(limiter.wait_for_edit(CHANNEL).await);
    assert!(start.elapsed() >= Duration::from_secs(4));
    limiter.close_edits(CHANNEL, Duration::from_secs(9));
    drop(limiter.wait_for_edit(CHANNEL).await);
    assert!(start.elapsed() >= Duration::from_secs(13));
    limiter.close(Duration::from_secs(30));
    drop(limiter.wait_for_edit(CHANNEL).await);
    assert!(start.elapsed() >= Duration::from_secs(43));
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
