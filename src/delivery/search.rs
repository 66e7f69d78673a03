//! Looking for a message whose fate is unknown: Discord forgets a nonce after a few minutes, but the channel still shows
//! the mark that every message carries.

use std::time::Duration;

use super::Shared;
use super::lane::{goes_on_after, settle_delivered, try_later};
use super::sealing::new_nonce;
use crate::clock;
use crate::discord::message::marked_as_repeated;
use crate::discord::rest::{PAGE, RestError};
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
    let since = shared.store.sealed_at(message.id).await?;
    match find(shared, channel, &message.mark, since).await {
        Ok(Standing::At(shown)) => {
            tracing::info!(%channel, mark = message.mark, "delivered already, by an attempt that got no answer");
            settle_delivered(shared, message.id, Some(shown)).await?;
            shared.metrics.sent(Outcome::Found);
            Ok(Found::Settled)
        }
        Ok(Standing::Absent) => Ok(Found::Absent),
        Ok(Standing::OutOfSight) => Ok(Found::OutOfSight),
        Ok(Standing::NotYetKnown) => Ok(Found::Settled),
        Err(error) => not_shown(shared, channel, message, error).await,
    }
}

/// Whether a message stands in its channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It does, under this id.
    At(u64),
    /// It does not.
    Absent,
    /// It may, but the bot may not look, or there is too much to look through.
    OutOfSight,
    /// The service stops.
    NotYetKnown,
}

/// Looks for the message with that mark, among those that were posted since it may stand there. The first request is made
/// at once.
pub(super) async fn find(
    shared: &Shared,
    channel: ChannelId,
    mark: &str,
    since: Timestamp,
) -> Result<Standing, RestError> {
    let mut after = first_id(since);
    for number in 0..PAGES {
        let page = match shared.rest.messages_after(channel, after).await {
            Ok(page) => page,
            Err(RestError::Refused { status, .. }) if status < 500 => return Ok(Standing::OutOfSight),
            Err(error) => return Err(error),
        };
        if let Some(shown) = page.iter().find(|posted| posted.carries(mark)) {
            return Ok(Standing::At(shown.id));
        }
        let last = page.iter().map(|posted| posted.id).max();
        // Only a page that is not full proves that nothing follows.
        if last.is_some() && page.len() < PAGE || number > 0 && last.is_none() {
            return Ok(Standing::Absent);
        }
        if !goes_on_after(shared, shared.limiter.wait_for_gate()).await {
            return Ok(Standing::NotYetKnown);
        }
        match last {
            Some(last) => after = last,
            // Who may not read a channel's history is answered as if there was none:
            // <https://discord.com/developers/docs/resources/message#get-channel-messages>. In a channel that shows
            // nothing at all, it can't be told.
            None if shared.rest.messages_after(channel, 0).await?.is_empty() => return Ok(Standing::OutOfSight),
            None => return Ok(Standing::Absent),
        }
    }
    Ok(Standing::OutOfSight)
}

/// What it means that the channel's messages can't be had.
async fn not_shown(
    shared: &Shared,
    channel: ChannelId,
    message: &SealedMessage,
    error: RestError,
) -> Result<Found, StoreError> {
    match error {
        RestError::Limited { wait, is_global } => {
            if is_global {
                shared.limiter.close(wait);
            } else {
                shared.limiter.close_channel(channel, wait);
            }
            tracing::warn!(%channel, ?wait, is_global, "Discord limits looking for a message");
            let next = clock::now().plus(wait);
            shared.store.postpone(message.id, message.attempts, next, "rate limited").await?;
            Ok(Found::Settled)
        }
        RestError::Refused { status, .. } if status >= 500 => {
            try_later(shared, channel, message, &format!("HTTP {status}, looking for it in the channel")).await?;
            Ok(Found::Settled)
        }
        RestError::NoAnswer(reason) => {
            try_later(shared, channel, message, &reason).await?;
            Ok(Found::Settled)
        }
        RestError::Refused { .. } => Ok(Found::OutOfSight),
        RestError::Unauthorised => Ok(Found::Unauthorised),
    }
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
