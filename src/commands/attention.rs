//! What an admin has to know whatever they asked for: that a channel takes no messages, where no other channel could
//! tell of it.

use super::Shared;
use super::reply::Reply;
use super::request::Request;
use crate::clock;
use crate::discord::notice_embed::stopped_in_words;
use crate::discord::words;
use crate::store::StoreError;

/// Commands whose answer says it anyway.
const TELL_IT: [&str; 2] = ["notify list", "help"];

/// The answer to a command, and below it which channels take no messages, if nobody was told that so far.
pub(super) async fn with_untold(shared: &Shared, request: &Request, reply: Reply) -> Result<Reply, StoreError> {
    // `/why` tells it of one channel only, and `/status` is for everybody.
    if !request.may_manage() || ["why", "status"].contains(&request.name.as_str()) {
        return Ok(reply);
    }
    let now = clock::now();
    let untold = shared.store.untold_lanes(Some(request.guild), now.minus(shared.tell_after)).await?;
    for (_, lane) in &untold {
        shared.store.note_told(lane.channel, now).await?;
    }
    let remark = match untold.as_slice() {
        [] => return Ok(reply),
        _ if TELL_IT.contains(&request.name.as_str()) => return Ok(reply),
        [(_, lane)] => {
            words::channel_stopped(lane.channel.0, &stopped_in_words(lane.cause, &lane.reason, lane.stopped_at))
        }
        several => words::more_stopped(several.len()),
    };
    Ok(reply.with_remark(&remark))
}
