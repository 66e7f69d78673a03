//! Looking for a message whose fate is unknown: Discord forgets a nonce after a few minutes, but the channel still shows
//! the mark that every message carries.

use std::time::Duration;

use super::Shared;
use super::lane::{goes_on_after, settle_delivered, try_later};
use super::sealing::new_nonce;
use crate::clock;
use crate::discord::message::marked_as_repeated;
use crate::discord::rest::{PAGE, Posted, RestError};
use crate::domain::ids::ChannelId;
use crate::domain::timestamp::Timestamp;
use crate::store::StoreError;
use crate::store::outbox::SealedMessage;
use crate::telemetry::metrics::Outcome;

/// How far Discord's clock may be behind ours.
const CLOCK_SKEW: Duration = Duration::from_mins(5);

/// How many pages of a channel are searched for a message at most.
const PAGES: usize = 20;

/// The moment from which Discord's ids count milliseconds, in Unix time:
/// <https://discord.com/developers/docs/reference#snowflakes>.
const DISCORD_EPOCH: u64 = 1_420_070_400_000;

/// What looking for a message came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing more is to be done for now: it stands there and is settled, or can't be looked for yet.
    Settled,
    /// It does not stand there.
    Absent,
    /// It may stand there, but the bot may not look, or there is too much to look through.
    OutOfSight,
    /// Discord refuses the bot itself: the attempt to send it tells what that means.
    Unauthorised,
}

/// Looks for a message in its channel, by its mark, and settles it when it stands there.
pub(super) async fn look_for(
    shared: &Shared,
    channel: ChannelId,
    message: &SealedMessage,
) -> Result<Found, StoreError> {
    if shared.store.take_in_vain(message.id).await? {
        return Ok(Found::Absent);
    }
    let mut after = first_id(shared.store.sealed_at(message.id).await?);
    for number in 0..PAGES {
        let page = match page(shared, channel, message, after).await? {
            Ok(page) => page,
            Err(found) => return Ok(found),
        };
        if let Some(shown) = page.iter().find(|posted| posted.carries(&message.mark)) {
            tracing::info!(%channel, mark = message.mark, "delivered already, by an attempt that got no answer");
            settle_delivered(shared, message.id, Some(shown.id)).await?;
            shared.metrics.sent(Outcome::Found);
            return Ok(Found::Settled);
        }
        match page.iter().map(|posted| posted.id).max() {
            Some(last) if page.len() == PAGE => after = last,
            None if number == 0 => return is_readable(shared, channel, message).await,
            // Only a page that is not full proves that nothing follows.
            _ => return Ok(Found::Absent),
        }
        if !goes_on_after(shared, shared.limiter.wait_for_gate()).await {
            return Ok(Found::Settled);
        }
    }
    Ok(Found::OutOfSight)
}

/// Whether nothing was found because nothing is there. Who may not read a channel's history is answered as if there was
/// none: <https://discord.com/developers/docs/resources/message#get-channel-messages>. In a channel that shows nothing
/// at all, it can't be told.
async fn is_readable(shared: &Shared, channel: ChannelId, message: &SealedMessage) -> Result<Found, StoreError> {
    if !goes_on_after(shared, shared.limiter.wait_for_gate()).await {
        return Ok(Found::Settled);
    }
    Ok(match page(shared, channel, message, 0).await? {
        Ok(page) if page.is_empty() => Found::OutOfSight,
        Ok(_) => Found::Absent,
        Err(found) => found,
    })
}

/// The channel's messages after an id, or what it means that they can't be had.
async fn page(
    shared: &Shared,
    channel: ChannelId,
    message: &SealedMessage,
    after: u64,
) -> Result<Result<Vec<Posted>, Found>, StoreError> {
    let found = match shared.rest.messages_after(channel, after).await {
        Ok(page) => return Ok(Ok(page)),
        Err(RestError::Limited { wait, is_global }) => {
            if is_global {
                shared.limiter.close(wait);
            } else {
                shared.limiter.close_channel(channel, wait);
            }
            tracing::warn!(%channel, ?wait, is_global, "Discord limits looking for a message");
            let next = clock::now().plus(wait);
            shared.store.postpone(message.id, message.attempts, next, "rate limited").await?;
            Found::Settled
        }
        Err(RestError::Refused { status, .. }) if status >= 500 => {
            try_later(shared, channel, message, &format!("HTTP {status}, looking for it in the channel")).await?;
            Found::Settled
        }
        Err(RestError::NoAnswer(reason)) => {
            try_later(shared, channel, message, &reason).await?;
            Found::Settled
        }
        Err(RestError::Refused { .. }) => Found::OutOfSight,
        Err(RestError::Unauthorised) => Found::Unauthorised,
    };
    Ok(Err(found))
}

/// Whether a board's message stands in its channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It does, under this id.
    At(u64),
    /// It does not, or the bot may not look.
    Nowhere,
    /// It can't be looked for at this moment.
    NotYetKnown,
}

/// Looks for the message with that mark, among those that were posted since it may stand there.
pub(super) async fn find(shared: &Shared, channel: ChannelId, mark: &str, since: Timestamp) -> Standing {
    let mut after = first_id(since);
    for _ in 0..PAGES {
        if !goes_on_after(shared, shared.limiter.wait_for_gate()).await {
            return Standing::NotYetKnown;
        }
        let page = match shared.rest.messages_after(channel, after).await {
            Ok(page) => page,
            Err(RestError::Limited { wait, is_global: true }) => {
                shared.limiter.close(wait);
                return Standing::NotYetKnown;
            }
            Err(RestError::Refused { status, .. }) if status < 500 => return Standing::Nowhere,
            Err(_) => return Standing::NotYetKnown,
        };
        if let Some(found) = page.iter().find(|posted| posted.carries(mark)) {
            return Standing::At(found.id);
        }
        match page.iter().map(|posted| posted.id).max() {
            Some(last) if page.len() == PAGE => after = last,
            _ => break,
        }
    }
    Standing::Nowhere
}

/// Has a message say that it may have been shown before, once, under a nonce of its own: before it is sent again.
pub(super) async fn mark_as_repeated(
    shared: &Shared,
    channel: ChannelId,
    message: &SealedMessage,
) -> Result<(), StoreError> {
    if let Some(body) = marked_as_repeated(&message.body, &new_nonce()) {
        shared.store.replace_body(message.id, &body).await?;
        tracing::warn!(
            %channel, mark = message.mark,
            "it can't be told whether a message was shown: it is sent again, and says so"
        );
    }
    Ok(())
}

/// An id below those of all messages that were made since `moment`.
fn first_id(moment: Timestamp) -> u64 {
    let milliseconds = moment.since(Timestamp::default().plus(CLOCK_SKEW)).as_millis();
    u64::try_from(milliseconds).unwrap_or(0).saturating_sub(DISCORD_EPOCH) << 22
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_searched_from_before_the_sealing() {
        // Discord's own example: made at 2016-04-30T11:18:25.796Z.
        let example = 175_928_847_299_117_063;
        let made = Timestamp::from_nanoseconds(1_462_015_105_796_000_000);
        assert!(first_id(made) < example);
        assert_eq!(first_id(made.plus(CLOCK_SKEW)), example >> 22 << 22);
        assert_eq!(first_id(Timestamp::default()), 0);
    }
}
