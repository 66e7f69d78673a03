//! Boards: each has one message, which is posted, edited, posted anew where somebody deleted it, and deleted at last.

use std::time::Duration;

use super::Shared;
use super::editing::{Next, View};
use super::lane::{NONCE_KEPT, goes_on_after};
use super::requests::{self, obey};
use super::sealing::new_mark;
use super::search::{Standing, find};
use crate::clock;
use crate::discord::answer::{Edited, Verdict};
use crate::discord::board_embed::{PLAYERS_LIMIT, Posting, SERVERS_LIMIT, board_body};
use crate::discord::rest::RestError;
use crate::domain::board::{Board, NoServers, OnlinePlayer, Picture, ShownServer};
use crate::domain::ids::{AccountName, ChannelId, ServerId};
use crate::domain::outlook::Outlook;
use crate::domain::server_state::ServerState;
use crate::domain::subject::UNKNOWN_SERVER;
use crate::domain::timestamp::Timestamp;
use crate::store::StoreError;
use crate::store::board_messages::KeptBoard;
use crate::store::servers::NamedServer;

/// How often a board is posted anew at most, because its message was found deleted: whoever deletes all that is posted
/// in a channel would else be answered with one more, again and again.
const RECREATED_EVERY: Duration = Duration::from_secs(30);

/// How often at most because its message is too old to be edited as often as it changes.
const REPLACED_EVERY: Duration = Duration::from_mins(10);

/// Brings a board's message to where it is to be, one request at a time.
pub(super) async fn keep(shared: &Shared, id: i64, view: &View) -> Result<Next, StoreError> {
    let Some(kept) = shared.store.kept_board(id).await? else { return Ok(Next::Unchanged) };
    if kept.is_removed {
        return take_away(shared, &kept).await;
    }
    if let Some(reason) = objection(shared, &kept.board).await? {
        note_trouble(shared, &kept, &reason).await?;
        return Ok(Next::Unchanged);
    }
    match (kept.message, kept.replaced) {
        // First of all: else a busy board would stand beside another that is not true any more.
        (Some(_), Some(replaced)) => {
            let next = delete(shared, kept.board.channel, replaced).await;
            if next != Next::Edited {
                return Ok(next);
            }
            shared.store.note_replaced(id).await?;
            Ok(Next::Again(Duration::ZERO))
        }
        (Some(message), None) => show(shared, &kept, message, view).await,
        (None, _) => post(shared, &kept, view).await,
    }
}

/// Why the channel takes no messages, as far as that is known without asking.
async fn objection(shared: &Shared, board: &Board) -> Result<Option<String>, StoreError> {
    if let Some((_, reason)) = shared.sight.channel_in(board.guild, board.channel, false).objection() {
        return Ok(Some(reason));
    }
    Ok(shared.store.stopped_lane(board.channel).await?.map(|lane| lane.reason))
}

async fn note_trouble(shared: &Shared, kept: &KeptBoard, reason: &str) -> Result<(), StoreError> {
    if kept.trouble.as_deref() != Some(reason) {
        shared.store.note_trouble(kept.board.id, Some(reason)).await?;
        tracing::warn!(board = kept.board.id, channel = %kept.board.channel, reason, "a board can't be kept up to date");
    }
    Ok(())
}

/// Edits a board's message, if it shows anything else than it is to show.
async fn show(shared: &Shared, kept: &KeptBoard, message: u64, view: &View) -> Result<Next, StoreError> {
    let (id, channel) = (kept.board.id, kept.board.channel);
    let body = async || Ok::<_, StoreError>(board_body(&picture(shared, &kept.board, view).await?, &kept.mark, None));
    if kept.shown.as_ref() == Some(&body().await?) {
        if kept.trouble.is_some() {
            shared.store.note_trouble(id, None).await?;
        }
        return Ok(Next::Unchanged);
    }
    let Some(slot) = requests::turn(shared, channel).await else { return Ok(Next::Unchanged) };
    // Much may have happened while it waited: the latest wins.
    let body = body().await?;
    if kept.shown.as_ref() == Some(&body) {
        return Ok(Next::Unchanged);
    }
    // If its answer is lost, or this process dies, what was shown before may be what is to be shown again: it must not be
    // taken for what stands there.
    if kept.shown.is_some() {
        shared.store.note_editing(id).await?;
    }
    match requests::edit(shared, channel, message, &body, slot).await {
        Edited::Done => {
            shared.store.note_board_shown(id, &body).await?;
            tracing::trace!(board = id, %channel, "edited");
            Ok(Next::Edited)
        }
        Edited::Gone => {
            shared.store.note_gone(id).await?;
            tracing::info!(board = id, %channel, "a board was deleted in Discord; posting it anew");
            Ok(Next::Again(left_of(RECREATED_EVERY, kept.posted_at)))
        }
        Edited::TooOld => {
            let wait = left_of(REPLACED_EVERY, kept.replaced_at);
            if wait.is_zero() {
                shared.store.replace_board_message(id, clock::now()).await?;
                tracing::info!(board = id, %channel, "a board is too old to be edited so often; another takes its place");
            }
            Ok(Next::Again(wait))
        }
        Edited::Not(verdict) => refused(shared, kept, verdict, view).await,
    }
}

/// Posts a board's message. Where it may have been posted before, it is looked for first.
async fn post(shared: &Shared, kept: &KeptBoard, view: &View) -> Result<Next, StoreError> {
    let (id, channel) = (kept.board.id, kept.board.channel);
    let closed = shared.limiter.closed_for(channel);
    if !closed.is_zero() {
        return Ok(Next::Again(closed));
    }
    let mut mark = kept.mark.clone();
    if let Some(since) = kept.posting_since {
        match look_for(shared, channel, &mark, since).await {
            Ok(Standing::At(message)) => {
                shared.store.note_posted(id, message, None, clock::now()).await?;
                return Ok(Next::Again(Duration::ZERO));
            }
            Ok(Standing::Absent) => {}
            // By its nonce, Discord knows it for a while. After that, another would stand beside it for ever.
            Ok(Standing::OutOfSight) if clock::now().since(since) < NONCE_KEPT => {}
            Ok(Standing::OutOfSight) => match shared.sight.shows_history(kept.board.guild, channel) {
                Some(true) => {}
                Some(false) => {
                    note_trouble(shared, kept, "missing Read Message History").await?;
                    return Ok(Next::Refused);
                }
                None => return Ok(Next::Failed),
            },
            Ok(Standing::NotYetKnown) => return Ok(Next::Unchanged),
            Err(next) => return Ok(next),
        }
    } else {
        mark = new_mark();
    }
    if !goes_on_after(shared, shared.limiter.wait_for_channel(channel)).await {
        return Ok(Next::Unchanged);
    }
    shared.store.note_posting(id, &mark, clock::now()).await?;
    let nonce = format!("board-{mark}");
    let picture = picture(shared, &kept.board, view).await?;
    let body = board_body(&picture, &mark, Some(Posting { nonce: &nonce }));
    match requests::post(shared, channel, &body, None).await {
        Verdict::Delivered(Some(message)) => {
            tracing::trace!(board = id, %channel, "board accepted");
            // To what was attempted before, Discord answers with the message of then.
            let shown = kept.posting_since.is_none().then(|| board_body(&picture, &mark, None));
            shared.store.note_posted(id, message, shown.as_deref(), clock::now()).await?;
            let is_settled = kept.replaced.is_none() && shown.is_some();
            Ok(if is_settled { Next::Edited } else { Next::Again(Duration::ZERO) })
        }
        Verdict::Delivered(None) => {
            shared.store.note_gone(id).await?;
            Ok(Next::Again(RECREATED_EVERY))
        }
        verdict => {
            if let Verdict::ChannelLimited(wait) = verdict {
                shared.limiter.close_channel(channel, wait);
            }
            if kept.posting_since.is_none() && !matches!(verdict, Verdict::Retry(_)) {
                // It certainly does not stand there.
                shared.store.note_gone(id).await?;
            }
            refused(shared, kept, verdict, view).await
        }
    }
}

/// Looks for a board's message in its channel; or says what is to be done where that can't be done now.
async fn look_for(shared: &Shared, channel: ChannelId, mark: &str, since: Timestamp) -> Result<Standing, Next> {
    if !goes_on_after(shared, shared.limiter.wait_for_gate()).await {
        return Ok(Standing::NotYetKnown);
    }
    find(shared, channel, mark, since).await.map_err(|error| {
        let verdict = match error {
            RestError::Limited { wait, is_global: true } => Verdict::Limited(wait),
            RestError::Limited { wait, is_global: false } => Verdict::ChannelLimited(wait),
            RestError::Unauthorised => Verdict::Unauthorised(error.to_string()),
            RestError::Refused { .. } | RestError::NoAnswer(_) => Verdict::Retry(error.to_string()),
        };
        obey(shared, channel, &verdict).unwrap_or(Next::Failed)
    })
}

/// Deletes what a board leaves behind, and forgets it.
async fn take_away(shared: &Shared, kept: &KeptBoard) -> Result<Next, StoreError> {
    let (id, channel) = (kept.board.id, kept.board.channel);
    let mut left: Vec<_> = kept.message.into_iter().chain(kept.replaced).collect();
    if let (None, Some(since)) = (kept.message, kept.posting_since) {
        match look_for(shared, channel, &kept.mark, since).await {
            Ok(Standing::At(message)) => left.push(message),
            Ok(Standing::NotYetKnown) => return Ok(Next::Unchanged),
            Ok(Standing::Absent | Standing::OutOfSight) => {}
            Err(next) => return Ok(next),
        }
    }
    for message in left {
        let next = delete(shared, channel, message).await;
        if next != Next::Edited {
            return Ok(next);
        }
    }
    shared.store.forget_board(id).await?;
    Ok(Next::Edited)
}

/// Deletes a message; [`Next::Edited`] where it is gone, or can't be deleted.
async fn delete(shared: &Shared, channel: ChannelId, message: u64) -> Next {
    let Some(slot) = requests::turn(shared, channel).await else { return Next::Unchanged };
    match requests::delete(shared, channel, message, slot).await {
        Edited::Done | Edited::Gone | Edited::TooOld => Next::Edited,
        // Whoever keeps the bot out of the channel has to delete it.
        Edited::Not(verdict) => obey(shared, channel, &verdict).unwrap_or(Next::Edited),
    }
}

/// What is done where a board was not taken.
async fn refused(shared: &Shared, kept: &KeptBoard, verdict: Verdict, view: &View) -> Result<Next, StoreError> {
    if let Some(next) = obey(shared, kept.board.channel, &verdict) {
        return Ok(next);
    }
    match verdict {
        Verdict::Refused(reason) => {
            note_trouble(shared, kept, &reason).await?;
            Ok(Next::Refused)
        }
        // A player's name must not be able to end a board.
        _ if !view.is_withheld => Ok(Next::Withheld),
        Verdict::Unacceptable(reason) | Verdict::Filtered(reason) => {
            note_trouble(shared, kept, &reason).await?;
            Ok(Next::Refused)
        }
        _ => Ok(Next::Failed),
    }
}

/// How much of `time` is left since `then`.
fn left_of(time: Duration, then: Option<Timestamp>) -> Duration {
    then.map_or(Duration::ZERO, |then| time.saturating_sub(clock::now().since(then)))
}

/// What a board is to show now.
async fn picture(shared: &Shared, board: &Board, view: &View) -> Result<Picture, StoreError> {
    let mut known = shared.store.servers_of_guild(board.guild).await?;
    let if_none = why_none(shared, board, &known).await?;
    let wanted: Vec<(AccountName, ServerId, Option<NamedServer>)> = match &board.chosen {
        None => {
            known.retain(|named| !named.is_hidden && named.server.id.as_str() != UNKNOWN_SERVER);
            known
                .into_iter()
                .map(|named| (named.server.account.clone(), named.server.id.clone(), Some(named)))
                .collect()
        }
        Some(chosen) => chosen
            .iter()
            .map(|(account, server)| {
                let found = known.iter().find(|named| named.server.account == *account && named.server.id == *server);
                (account.clone(), server.clone(), found.cloned())
            })
            .collect(),
    };
    let now = clock::now();
    let more = wanted.len().saturating_sub(SERVERS_LIMIT);
    let mut servers = Vec::with_capacity(wanted.len() - more);
    for (account, id, named) in wanted.into_iter().take(SERVERS_LIMIT) {
        let blind_since = view.blind.get(&account).copied();
        let (online, players) = shared.store.players_on(&account, &id, PLAYERS_LIMIT).await?;
        let players = players.into_iter().map(|player| OnlinePlayer { name: player.name, since: player.since });
        let (name, server) = named.map_or((None, None), |named| (named.name, Some(named.server)));
        let state = server.as_ref().map_or_else(ServerState::default, |server| server.state);
        let heard_at = server.as_ref().map(|server| server.heard_at);
        servers.push(ShownServer {
            outlook: server.as_ref().map_or(Outlook::Seen, |server| server.outlook(blind_since, now)),
            wiped_at: server.and_then(|server| server.wiped_at),
            name: name.filter(|_| !view.is_withheld),
            players: if view.is_withheld { Vec::new() } else { players.collect() },
            account,
            id,
            state,
            heard_at,
            online,
        });
    }
    Ok(Picture { servers, more, if_none })
}

/// Why a board shows no servers, if it shows none; `known` are those of its guild, hidden ones too.
async fn why_none(shared: &Shared, board: &Board, known: &[NamedServer]) -> Result<NoServers, StoreError> {
    let is_hidden = |named: &NamedServer| named.is_hidden && named.server.id.as_str() != UNKNOWN_SERVER;
    Ok(if board.chosen.is_some() {
        NoServers::ChosenUnlinked
    } else if known.iter().any(is_hidden) {
        NoServers::Hidden
    } else if known.is_empty() && shared.store.links(board.guild).await?.is_empty() {
        NoServers::Unlinked
    } else {
        NoServers::Unheard
    })
}
