//! The requests about messages: each learns what its answer says of buckets, and does what it asks of everybody.

use super::Shared;
use super::editing::Next;
use super::lane::{goes_on_after, halt};
use crate::discord::answer::{Answer, Edited, Verdict};
use crate::discord::limiter::Slot;
use crate::discord::rest::RestError;
use crate::domain::ids::ChannelId;
use crate::telemetry::metrics::EditOutcome;

/// Posts a message's body as it stands, with the text of the file that goes with it.
pub(super) async fn post(shared: &Shared, channel: ChannelId, body: &str, file: Option<String>) -> Verdict {
    match shared.rest.create_message(channel, body, file).await {
        Ok(answer) => {
            if let Some(bucket) = answer.bucket {
                shared.limiter.learn(channel, bucket);
            }
            answer.verdict()
        }
        Err(error) => Verdict::Retry(error.to_string()),
    }
}

/// Puts another body in the place of a message's.
pub(super) async fn edit(shared: &Shared, channel: ChannelId, message: u64, body: &str, slot: Slot) -> Edited {
    let edited = edited(shared, channel, shared.rest.edit_message(channel, message, body, slot).await);
    shared.metrics.edited(outcome(&edited));
    edited
}

/// Deletes a message.
pub(super) async fn delete(shared: &Shared, channel: ChannelId, message: u64, slot: Slot) -> Edited {
    edited(shared, channel, shared.rest.delete_message(channel, message, slot).await)
}

/// Waits until a message of `channel` may be edited; `None` where nothing is to be edited any more.
pub(super) async fn turn(shared: &Shared, channel: ChannelId) -> Option<Slot> {
    let mut slot = None;
    goes_on_after(shared, async { slot = Some(shared.limiter.wait_for_edit(channel).await) }).await;
    slot
}

/// What is to be done where a verdict speaks of more than the one message; `None` where it does not.
pub(super) fn obey(shared: &Shared, channel: ChannelId, verdict: &Verdict) -> Option<Next> {
    match verdict {
        Verdict::ChannelLimited(wait) => {
            shared.limiter.close_edits(channel, *wait);
            Some(Next::Again(*wait))
        }
        Verdict::Limited(wait) => {
            shared.limiter.close(*wait);
            Some(Next::Again(*wait))
        }
        Verdict::Delivered(_) | Verdict::Retry(_) => Some(Next::Failed),
        Verdict::Unauthorised(reason) => {
            halt(shared, reason);
            Some(Next::Failed)
        }
        Verdict::Refused(_) | Verdict::Unacceptable(_) | Verdict::Filtered(_) => None,
    }
}

fn edited(shared: &Shared, channel: ChannelId, answer: Result<Answer, RestError>) -> Edited {
    match answer {
        Ok(answer) => {
            if let Some(bucket) = answer.bucket {
                shared.limiter.learn_of_edits(channel, bucket);
            }
            answer.edited()
        }
        Err(error) => Edited::Not(Verdict::Retry(error.to_string())),
    }
}

/// How an edit is counted.
const fn outcome(edited: &Edited) -> EditOutcome {
    match edited {
        Edited::Done => EditOutcome::Done,
        Edited::Gone => EditOutcome::Gone,
        Edited::TooOld => EditOutcome::TooOld,
        Edited::Not(Verdict::ChannelLimited(_) | Verdict::Limited(_)) => EditOutcome::Limited,
        Edited::Not(Verdict::Retry(_) | Verdict::Delivered(_)) => EditOutcome::Failed,
        Edited::Not(Verdict::Refused(_)) => EditOutcome::Refused,
        Edited::Not(Verdict::Unacceptable(_) | Verdict::Filtered(_)) => EditOutcome::Unaccepted,
        Edited::Not(Verdict::Unauthorised(_)) => EditOutcome::Unauthorised,
    }
}
