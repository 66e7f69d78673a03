//! The messages that tell of incidents, edited as these unfold. One that is too old to be edited is continued by another,
//! which its lane sends.

use std::time::Duration;

use super::Shared;
use super::editing::Next;
use super::requests::{self, obey};
use crate::clock;
use crate::discord::answer::{Edited, Verdict};
use crate::discord::incident_embed::{Telling, incident_embed};
use crate::discord::message::edit_body;
use crate::domain::condense::is_late;
use crate::domain::ids::ChannelId;
use crate::store::StoreError;

/// From which age on a message is continued by another: Discord takes only so many edits of those older than an hour.
const CONTINUED_AFTER: Duration = Duration::from_mins(55);

/// Brings the message that tells `channel` of an incident to the latest version.
pub(super) async fn edit(shared: &Shared, incident: i64, channel: ChannelId) -> Result<Next, StoreError> {
    let Some(stale) = shared.store.stale_message(incident, channel).await? else { return Ok(Next::Unchanged) };
    if clock::now().since(stale.posted_at) >= CONTINUED_AFTER {
        shared.store.continue_incident(incident, channel, clock::now()).await?;
        return Ok(Next::Edited);
    }
    let Some(slot) = requests::turn(shared, channel).await else { return Ok(Next::Unchanged) };
    // Only now: much may have happened while it waited.
    let Some(kept) = shared.store.incident(incident).await? else { return Ok(Next::Unchanged) };
    let telling = Telling {
        account: &kept.account,
        server: &kept.server,
        name: stale.server_name.as_deref(),
        incident: &kept.incident,
        is_over: kept.closed_at.is_some(),
        rule: shared.loops,
        // As it was told first: it does not become earlier.
        is_late: is_late(stale.stored, stale.hold, shared.late_after, stale.sealed),
    };
    let body = edit_body(incident_embed(&telling), &stale.mark);
    match requests::edit(shared, channel, stale.message, &body, slot).await {
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
        // The lane's own message tells it in the end, in other words where that takes them.
        Edited::Not(Verdict::Unacceptable(reason) | Verdict::Filtered(reason)) => {
            tracing::warn!(%channel, reason, "Discord does not accept an edit; the message stays as it is");
            shared.store.note_incident_shown(incident, channel, kept.version).await?;
            Ok(Next::Edited)
        }
        Edited::Not(verdict) => Ok(obey(shared, channel, &verdict).unwrap_or(Next::Refused)),
    }
}
