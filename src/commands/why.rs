//! `/why`: what became of the last events for a channel, from what is recorded, and what that can't tell.

mod lately;
mod silence;

use std::collections::BTreeSet;
use std::time::Duration;

use self::lately::Lately;
use super::account::state_in_words;
use super::component::Target;
use super::lane_state::{Hindrance, lane_state};
use super::notify::{in_words, kinds_in_words, wanted_binding};
use super::reply::Reply;
use super::request::Request;
use super::{Shared, paging};
use crate::clock;
use crate::discord::words;
use crate::domain::binding::Binding;
use crate::domain::ids::{AccountName, ChannelId, GuildId};
use crate::domain::text::utf16_length;
use crate::domain::timestamp::Timestamp;
use crate::store::StoreError;
use crate::store::history::LaneBacklog;

/// How far back rejects count.
const REJECTS_SINCE: Duration = Duration::from_hours(24);

/// How much of an answer stands together at most, in UTF-16 units: what is longer can't be shared out among pages.
const BLOCK_LIMIT: usize = 1_500;

/// `/why`.
pub(super) async fn why(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    match (request.text("binding"), wanted_binding(request)) {
        (Some(_), None) => Ok(Reply::text(words::NO_SUCH_BINDING)),
        (_, binding) => show(shared, request.guild, request.place, binding, 0).await,
    }
}

/// A page of what became of a binding's events; of those of the channel where it is asked when there is none.
pub(super) async fn show(
    shared: &Shared,
    guild: GuildId,
    place: ChannelId,
    chosen: Option<i64>,
    page: usize,
) -> Result<Reply, StoreError> {
    let mut bindings = shared.store.bindings_of_guild(guild).await?;
    let channel = if let Some(chosen) = chosen {
        bindings.retain(|binding| binding.id == chosen);
        let [binding] = bindings.as_slice() else { return Ok(Reply::text(words::NO_SUCH_BINDING)) };
        binding.channel
    } else {
        bindings.retain(|binding| binding.channel == place);
        place
    };
    let (backlog, hindrance) = lane_state(shared, channel).await?;
    let held_until = held_until(shared, channel, &backlog).await?;
    let lately = Lately::read(shared, guild, channel, backlog.due).await?.of(chosen.and(bindings.first()));
    if bindings.is_empty() && lately.is_empty() {
        return Ok(Reply::text(words::nothing_goes_to(channel.0)));
    }
    let mut entries = vec![at_present(channel, chosen, &backlog, hindrance.as_ref(), held_until, &lately)];
    for binding in &bindings {
        entries.push(binding_in_words(shared, binding));
    }
    let named: &[Binding] = if chosen.is_none() && bindings.len() > 1 { &bindings } else { &[] };
    entries.extend(blocks(words::LAST_EVENTS, lately.lines(hindrance.is_some(), held_until, named)));
    entries.extend(blocks(words::GIVEN_UP, lately.given_up()));
    if backlog == LaneBacklog::default() && !lately.tells_of_events() {
        entries.extend(silence::told(shared, guild, &bindings).await?);
    }
    let accounts: BTreeSet<_> = bindings.iter().map(|binding| &binding.account).collect();
    for account in accounts {
        entries.extend(rejects(shared, account).await?);
    }
    entries.extend(blocks(words::SET_ASIDE, lately.set_aside()));
    Ok(paging::page(&entries, Some(words::WHY_REMARK), page, |page| Target::Why(chosen, page)))
}

/// Until when all that waits for a channel is held, if it is.
async fn held_until(
    shared: &Shared,
    channel: ChannelId,
    backlog: &LaneBacklog,
) -> Result<Option<Timestamp>, StoreError> {
    if backlog.due == 0 {
        return Ok(None);
    }
    let now = clock::now();
    Ok(shared.store.held_until(channel).await?.filter(|until| *until > now))
}

/// Whether anything waits, and what hinders it.
fn at_present(
    channel: ChannelId,
    chosen: Option<i64>,
    backlog: &LaneBacklog,
    hindrance: Option<&Hindrance>,
    held_until: Option<Timestamp>,
    lately: &Lately,
) -> String {
    let waiting = backlog.due + backlog.sealed.as_ref().map_or(0, |message| message.rows);
    match (hindrance, held_until) {
        (Some(hindrance), _) => words::hindered(channel.0, &hindrance.in_words(), waiting),
        (None, Some(until)) if backlog.sealed.is_none() => words::all_held(channel.0, waiting, until.unix_seconds()),
        _ if waiting > 0 => words::on_its_way(channel.0, waiting),
        _ if lately.is_empty() => chosen.map_or_else(|| words::nothing_yet(channel.0), words::nothing_of_binding_yet),
        _ => words::nothing_waits(channel.0),
    }
}

/// What a binding hears, since when, and how its account is doing.
fn binding_in_words(shared: &Shared, binding: &Binding) -> String {
    let since = match (binding.paused_at, binding.covered_from) {
        (Some(since), _) => words::binding_paused(since.unix_seconds()),
        (None, Some(since)) => words::covered_since(since.unix_seconds()),
        (None, None) => words::NOT_COVERED.to_owned(),
    };
    let waiting = binding.waiting_kinds();
    let waiting = if binding.covered_from.is_none() || waiting.is_empty() {
        String::new()
    } else {
        words::kinds_wait(&kinds_in_words(waiting))
    };
    let state = state_in_words(shared, &binding.account);
    let standing = format!("{since}{waiting}\n{}: {state}", binding.account);
    words::binding_line(binding.id, &in_words(shared, binding), &standing)
}

/// How much on the account's stream was no event.
async fn rejects(shared: &Shared, account: &AccountName) -> Result<Option<String>, StoreError> {
    let since = clock::now().minus(REJECTS_SINCE);
    let rejected = shared.store.rejected_since(account, since).await?;
    let reasons: Vec<_> =
        rejected.iter().map(|rejected| words::rejected_for(rejected.count, &rejected.reason)).collect();
    Ok((!reasons.is_empty()).then(|| words::rejected(account.as_str(), &reasons.join(", "))))
}

/// Lines below a title, in entries that are small enough to be shared out among pages. Nothing where there are none.
fn blocks(title: &str, lines: Vec<String>) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    for line in lines {
        match blocks.last_mut() {
            Some(block) if utf16_length(block) + utf16_length(&line) < BLOCK_LIMIT => {
                block.push('\n');
                block.push_str(&line);
            }
            Some(_) => blocks.push(line),
            None => blocks.push(format!("{title}\n{line}")),
        }
    }
    blocks
}
