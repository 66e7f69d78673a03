//! One lane: claim, seal, send, settle, until its channel has nothing more to show.
//!
//! A message's bytes and nonce are in the database before the first attempt, and what was attempted goes first,
//! unchanged: so a crash or a lost reply shows each event once.

use std::time::Duration;

use super::Shared;
use crate::clock;
use crate::discord::answer::{Answer, Verdict};
use crate::discord::embed::EMBEDS_LIMIT;
use crate::discord::event_embed::{Names, event_embed};
use crate::discord::message::{Shown, compose};
use crate::domain::ids::ChannelId;
use crate::domain::retry::backoff;
use crate::store::StoreError;
use crate::store::outbox::{DueEvent, SealedMessage};

/// The first wait after a failed attempt, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How many random characters make a nonce and a mark. Discord takes nonces of up to 25.
const NONCE_LENGTH: usize = 20;
const MARK_LENGTH: usize = 8;

/// Digits and lower-case letters that are not taken for one another.
const ALPHABET: &[u8; 32] = b"23456789abcdefghijkmnpqrstuvwxyz";

/// Sends what is due in `channel`, until nothing is, the channel refuses, or the service stops.
pub(super) async fn run(shared: Shared, channel: ChannelId) {
    loop {
        match step(&shared, channel).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                // The dispatcher's next look starts the lane again.
                tracing::warn!(%channel, %error, "the lane can't go on for now");
                return;
            }
        }
    }
}

/// Sends one message. `false` when the lane has nothing more to do.
async fn step(shared: &Shared, channel: ChannelId) -> Result<bool, StoreError> {
    if stops(shared) || shared.store.is_stopped(channel).await? {
        return Ok(false);
    }
    let sealed = shared.store.sealed_message(channel).await?;
    if let Some(message) = &sealed {
        let wait = message.next_attempt_at.since(clock::now());
        if !goes_on_after(shared, tokio::time::sleep(wait)).await {
            return Ok(false);
        }
    } else if shared.store.due_events(channel, 1).await?.is_empty() {
        return Ok(false);
    }
    if !goes_on_after(shared, shared.limiter.wait_for_channel(channel)).await {
        return Ok(false);
    }
    let message = match sealed {
        Some(message) => message,
        // Only now that it can be sent: whatever came while the lane waited goes with it.
        None => seal(shared, channel).await?,
    };
    send(shared, channel, message).await?;
    Ok(true)
}

fn stops(shared: &Shared) -> bool {
    shared.drain.is_cancelled() || shared.halted.is_cancelled()
}

async fn goes_on_after(shared: &Shared, wait: impl Future<Output = ()>) -> bool {
    tokio::select! {
        () = wait => true,
        () = shared.drain.cancelled() => false,
        () = shared.halted.cancelled() => false,
    }
}

async fn seal(shared: &Shared, channel: ChannelId) -> Result<SealedMessage, StoreError> {
    let due = shared.store.due_events(channel, EMBEDS_LIMIT).await?;
    let mut shown = Vec::with_capacity(due.len());
    for event in &due {
        shown.push(show(shared, event).await?);
    }
    let (mark, nonce) = (random_text(MARK_LENGTH), random_text(NONCE_LENGTH));
    let body = compose(&shown, &mark, &nonce);
    let now = clock::now();
    let message =
        SealedMessage { id: shared.store.next_number(), mark, body: body.json, attempts: 0, next_attempt_at: now };
    let events: Vec<i64> = due[..body.shown].iter().map(|event| event.id).collect();
    shared.store.seal(channel, &message, &events, now).await?;
    Ok(message)
}

async fn show(shared: &Shared, due: &DueEvent) -> Result<Shown, StoreError> {
    let other = match due.event.details.other_player() {
        Some(player) => shared.store.player_name(&due.event.account, player).await?,
        None => None,
    };
    let names = Names { player: due.last_name.as_deref(), target: other.as_deref() };
    Ok(Shown { embed: event_embed(&due.event, names), mention: due.mention.clone() })
}

async fn send(shared: &Shared, channel: ChannelId, message: SealedMessage) -> Result<(), StoreError> {
    let verdict = match shared.rest.create_message(channel, &message.body).await {
        Ok(answer) => {
            note_bucket(shared, channel, &answer);
            answer.verdict()
        }
        Err(error) => Verdict::Retry(error.to_string()),
    };
    let (store, now, id) = (&shared.store, clock::now(), message.id);
    match verdict {
        Verdict::Delivered(discord_id) => {
            tracing::debug!(%channel, mark = message.mark, "delivered");
            store.settle_delivered(id, discord_id, now).await
        }
        Verdict::ChannelLimited(wait) => {
            tracing::warn!(%channel, ?wait, "Discord limits this channel");
            shared.limiter.close_channel(channel, wait);
            store.postpone(id, message.attempts, now.plus(wait), "rate limited").await
        }
        Verdict::Limited(wait) => {
            tracing::warn!(?wait, "Discord limits the whole bot");
            shared.limiter.close(wait);
            store.postpone(id, message.attempts, now.plus(wait), "rate limited").await
        }
        Verdict::Retry(reason) => {
            let attempts = message.attempts.saturating_add(1);
            let wait = backoff(attempts, FIRST_WAIT, LONGEST_WAIT, rand::random());
            tracing::warn!(%channel, reason, attempts, ?wait, "a message was not delivered; trying again");
            store.postpone(id, attempts, now.plus(wait), &reason).await
        }
        Verdict::Refused(reason) => {
            tracing::warn!(
                %channel, reason,
                "the channel refuses the bot: its events are kept, and tried again at the next start or /notify add"
            );
            store.stop_lane(channel, &reason, now).await
        }
        Verdict::Unacceptable(reason) => {
            tracing::error!(%channel, mark = message.mark, reason, "Discord does not accept a message; it is set aside");
            store.settle_parked(id, &reason, now).await
        }
        Verdict::Unauthorised(reason) => {
            tracing::error!(
                reason,
                "Discord refuses the bot: nothing is sent until guildwire is started with a valid token; events are still \
                 recorded and none is lost"
            );
            shared.halted.cancel();
            Ok(())
        }
    }
}

fn note_bucket(shared: &Shared, channel: ChannelId, answer: &Answer) {
    if let Some(bucket) = answer.bucket {
        shared.limiter.learn(channel, bucket);
    }
}

fn random_text(length: usize) -> String {
    (0..length).map(|_| char::from(ALPHABET[rand::random_range(0..ALPHABET.len())])).collect()
}
