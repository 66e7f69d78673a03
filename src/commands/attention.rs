//! What an admin has to know whatever they asked for: that a channel takes no messages, where no other channel could
//! tell of it.

use super::Shared;
use super::reply::Reply;
use super::request::Request;
use crate::clock;
use crate::discord::notice_embed::stopped_in_words;
use crate::discord::words;
use crate::store::StoreError;

/// Commands whose answer says it, as far as it reaches: what `/help` leaves out or stands on another page of
/// `/notify list` is not seen, so nobody counts as told by them. `/why` tells of one channel; `/status` is for everybody.
const SAY_IT_THEMSELVES: [&str; 4] = ["notify list", "help", "why", "status"];

/// The answer to a command, and below it which channels take no messages, if nobody was told that so far.
pub(super) async fn with_untold(shared: &Shared, request: &Request, mut reply: Reply) -> Result<Reply, StoreError> {
    if !request.may_manage() || SAY_IT_THEMSELVES.contains(&request.name.as_str()) {
        return Ok(reply);
    }
    let now = clock::now();
    let untold = shared.store.untold_lanes(Some(request.guild), now.minus(shared.tell_after)).await?;
    let remark = match untold.as_slice() {
        [] => return Ok(reply),
        [(_, lane)] => {
            words::channel_stopped(lane.channel.0, &stopped_in_words(lane.cause, &lane.reason, lane.stopped_at))
        }
        several => words::more_stopped(&several.iter().map(|(_, lane)| lane.channel.0).collect::<Vec<_>>()),
    };
    if reply.add_remark(&remark) {
        for (_, lane) in &untold {
            shared.store.note_told(lane.channel, now).await?;
        }
    }
    Ok(reply)
}
