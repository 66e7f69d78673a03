//! The messages that tell of incidents, edited as these unfold. One that is too old to be edited is continued by another,
//! which its lane sends.

use std::time::Duration;

use super::Shared;
use super::boards::outcome;
use super::editing::Next;
use super::lane::{goes_on_after, halt};
use crate::clock;
use crate::discord::answer::{Edited, Verdict};
use crate::discord::incident_embed::{Telling, incident_embed};
use crate::discord::message::edit_body;
use crate::domain::ids::ChannelId;
use crate::store::StoreError;
use crate::store::incidents::KeptIncident;

/// From which age on a message is continued by another: Discord takes only so many edits of those older than an hour.
const CONTINUED_AFTER: Duration = Duration::from_mins(55);

/// Brings the message that tells `channel` of an incident to the latest version.
pub(super) async fn edit(shared: &Shared, incident: i64, channel: ChannelId) -> Result<Next, StoreError> {
    let Some(stale) = shared.store.stale_message(incident, channel).await? else { return Ok(Next::Unchanged) };
    let Some(kept) = shared.store.incident(incident).await? else { return Ok(Next::Unchanged) };
    if shared.store.stopped_lane(channel).await?.is_some() {
        // It goes on with its lane.
        return Ok(Next::Unchanged);
    }
    if clock::now().since(stale.posted_at) >= CONTINUED_AFTER {
        shared.store.continue_incident(incident, channel, clock::now()).await?;
        return Ok(Next::Edited);
    }
    if !goes_on_after(shared, shared.limiter.wait_for_edit(channel)).await {
        return Ok(Next::Unchanged);
    }
    let telling = Telling {
        account: &kept.account,
        server: &kept.server,
        name: stale.server_name.as_deref(),
        incident: &kept.incident,
        is_over: kept.closed_at.is_some(),
        rule: shared.loops,
        is_late: false,
    };
    let body = edit_body(incident_embed(&telling), &stale.mark);
    let edited = match shared.rest.edit_message(channel, stale.message, &body).await {
        Ok(answer) => {
            if let Some(bucket) = answer.bucket {
                shared.limiter.learn_of_edits(channel, bucket);
            }
            answer.edited()
        }
        Err(error) => Edited::Not(Verdict::Retry(error.to_string())),
    };
    shared.metrics.edited(outcome(&edited));
    match edited {
        Edited::Done => {
            shared.store.note_incident_shown(incident, channel, kept.version).await?;
            tracing::trace!(%channel, mark = stale.mark, "edited");
            Ok(Next::Edited)
        }
        Edited::Gone => {
            shared.store.note_message_gone(channel, stale.message).await?;
            Ok(Next::Edited)
        }
        Edited::TooOld => {
            shared.store.continue_incident(incident, channel, clock::now()).await?;
            Ok(Next::Edited)
        }
        Edited::Not(verdict) => obey(shared, &kept, channel, verdict).await,
    }
}

async fn obey(shared: &Shared, kept: &KeptIncident, channel: ChannelId, verdict: Verdict) -> Result<Next, StoreError> {
    Ok(match verdict {
        Verdict::ChannelLimited(wait) => {
            shared.limiter.close_edits(channel, wait);
            Next::Again(wait)
        }
        Verdict::Limited(wait) => {
            shared.limiter.close(wait);
            Next::Again(wait)
        }
        Verdict::Delivered(_) | Verdict::Retry(_) => Next::Failed,
        Verdict::Refused(_) => Next::Refused,
        Verdict::Unauthorised(reason) => {
            halt(shared, &reason);
            Next::Failed
        }
        // The lane's own message tells it in the end, in other words where that takes them.
        Verdict::Unacceptable(reason) | Verdict::Filtered(reason) => {
            tracing::warn!(%channel, reason, "Discord does not accept an edit; the message stays as it is");
            shared.store.note_incident_shown(kept.id, channel, kept.version).await?;
            Next::Edited
        }
    })
}
