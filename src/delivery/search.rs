//! Looking for a message whose fate is unknown: Discord forgets a nonce after a few minutes, but the channel still shows
//! the mark that every message carries.

use std::time::Duration;

use super::Shared;
use super::lane::{goes_on_after, settle_delivered, try_later};
use crate::clock;
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

/// Looks for a message in its channel, by its mark, and settles it when it stands there. `true` when it does not, or the
/// bot may not look: then it may be sent.
pub(super) async fn look_for(shared: &Shared, channel: ChannelId, message: &SealedMessage) -> Result<bool, StoreError> {
    let mut after = first_id(shared.store.sealed_at(message.id).await?);
    for _ in 0..PAGES {
        let page = match shared.rest.messages_after(channel, after).await {
            Ok(page) => page,
            Err(RestError::Limited { wait, is_global }) => {
                if is_global {
                    shared.limiter.close(wait);
                } else {
                    shared.limiter.close_channel(channel, wait);
                }
                tracing::warn!(%channel, ?wait, is_global, "Discord limits looking for a message");
                let next = clock::now().plus(wait);
                shared.store.postpone(message.id, message.attempts, next, "rate limited").await?;
                return Ok(false);
            }
            Err(RestError::Refused { status, .. }) if status >= 500 => {
                try_later(shared, channel, message, &format!("HTTP {status}, looking for it in the channel")).await?;
                return Ok(false);
            }
            Err(RestError::NoAnswer(reason)) => {
                try_later(shared, channel, message, &reason).await?;
                return Ok(false);
            }
            // The attempt to send it tells what that means.
            Err(RestError::Refused { .. } | RestError::Unauthorised) => return Ok(true),
        };
        if let Some(shown) = page.iter().find(|posted| posted.carries(&message.mark)) {
            tracing::info!(%channel, mark = message.mark, "delivered already, by an attempt that got no answer");
            settle_delivered(shared, message.id, Some(shown.id)).await?;
            shared.metrics.sent(Outcome::Found);
            return Ok(false);
        }
        match page.iter().map(|posted| posted.id).max() {
            Some(last) if page.len() == PAGE => after = last,
            _ => break,
        }
        if !goes_on_after(shared, shared.limiter.wait_for_gate()).await {
            return Ok(false);
        }
    }
    Ok(true)
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
