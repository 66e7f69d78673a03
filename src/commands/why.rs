//! `/why`: what happened to the last events for a channel, from what is recorded, and what that can't tell.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Shared;
use super::account::state_in_words;
use super::lane_state::{Hindrance, REASON_LIMIT, lane_state};
use super::notify::{in_words, kinds_in_words, wanted_binding};
use super::reply::Reply;
use super::request::Request;
use crate::clock;
use crate::discord::words;
use crate::domain::binding::Binding;
use crate::domain::ids::{AccountName, ChannelId};
use crate::domain::text::display;
use crate::store::StoreError;
use crate::store::history::{LaneBacklog, SettledMessage};
use crate::store::servers::ServerStatus;

/// How many of the last messages are looked through, and how many are told of.
const LOOK_BACK: u32 = 100;
const SHOWN_LIMIT: usize = 5;
const SET_ASIDE_LIMIT: usize = 3;

/// How many servers are told of, and how much of each one's name, in UTF-16 units.
const SERVERS_LIMIT: usize = 5;
const NAME_LIMIT: usize = 100;

/// How far back rejects count.
const REJECTS_SINCE: Duration = Duration::from_hours(24);

/// `/why`.
pub(super) async fn why(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let mut bindings = shared.store.bindings_of_guild(request.guild).await?;
    let channel = if request.text("binding").is_some() {
        let chosen = wanted_binding(request);
        bindings.retain(|binding| Some(binding.id) == chosen);
        let [binding] = bindings.as_slice() else { return Ok(Reply::text(words::NO_SUCH_BINDING)) };
        binding.channel
    } else {
        bindings.retain(|binding| binding.channel == request.place);
        request.place
    };
    let (backlog, hindrance) = lane_state(shared, channel).await?;
    let settled = shared.store.settled_messages(channel, LOOK_BACK).await?;
    if bindings.is_empty() && settled.is_empty() && backlog == LaneBacklog::default() {
        return Ok(Reply::text(words::nothing_goes_to(channel.0)));
    }
    let mut entries = vec![at_present(channel, &backlog, hindrance.as_ref(), &settled)];
    for binding in &bindings {
        entries.push(binding_in_words(shared, binding));
    }
    entries.extend(shown(request, channel, &settled));
    entries.extend(set_aside(&settled));
    if backlog == LaneBacklog::default() && settled.iter().all(|message| message.events == 0) {
        entries.extend(silence(shared, request, &bindings).await?);
    }
    let accounts: BTreeSet<_> = bindings.iter().map(|binding| &binding.account).collect();
    for account in accounts {
        entries.extend(rejects(shared, account).await?);
    }
    Ok(Reply::list(&entries, Some(words::WHY_REMARK)))
}

/// Whether anything waits, and what hinders it.
fn at_present(
    channel: ChannelId,
    backlog: &LaneBacklog,
    hindrance: Option<&Hindrance>,
    settled: &[SettledMessage],
) -> String {
    let waiting = backlog.due + backlog.sealed.as_ref().map_or(0, |message| message.rows);
    match hindrance {
        Some(hindrance) => words::hindered(channel.0, &hindrance.in_words(), waiting),
        None if waiting > 0 => words::on_its_way(channel.0, waiting),
        None if settled.is_empty() => words::nothing_yet(channel.0),
        None => words::nothing_waits(channel.0),
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
    words::binding_line(
        binding.id,
        &in_words(shared, binding),
        &format!("{since}{waiting}\n{}: {state}", binding.account),
    )
}

/// The last messages that were shown.
fn shown(request: &Request, channel: ChannelId, settled: &[SettledMessage]) -> Option<String> {
    let lines: Vec<_> = settled
        .iter()
        .filter(|message| message.set_aside.is_none())
        .take(SHOWN_LIMIT)
        .map(|message| {
            let link = message.discord_id.map(|id| words::link(request.guild.0, channel.0, id));
            let took = message.first_stored.map(|stored| message.at.since(stored));
            words::shown_message(message.at.unix_seconds(), message.events, message.others, took, link.as_deref())
        })
        .collect();
    (!lines.is_empty()).then(|| words::shown_last(&lines.join("\n")))
}

/// The last messages that Discord did not accept.
fn set_aside(settled: &[SettledMessage]) -> Option<String> {
    let refused = settled.iter().filter_map(|message| Some((message, message.set_aside.as_deref()?)));
    let lines: Vec<_> = refused
        .take(SET_ASIDE_LIMIT)
        .map(|(message, reason)| {
            let reason = display(reason, REASON_LIMIT, "?");
            words::message_set_aside(message.at.unix_seconds(), message.events + message.others, &reason)
        })
        .collect();
    (!lines.is_empty()).then(|| words::set_aside_last(&lines.join("\n")))
}

/// Why nothing was shown, as far as the servers' last events tell.
async fn silence(shared: &Shared, request: &Request, bindings: &[Binding]) -> Result<Vec<String>, StoreError> {
    let servers = shared.store.servers_of_guild(request.guild).await?;
    let told = |binding: &Binding| {
        let mut of_account: Vec<_> = servers.iter().filter(|status| status.account == binding.account).collect();
        let is_another = |status: &ServerStatus| binding.server.as_ref().is_some_and(|bound| *bound != status.server);
        of_account.sort_by_key(|status| (is_another(status), std::cmp::Reverse(status.last_event_at)));
        if of_account.is_empty() {
            return words::no_server_heard(binding.account.as_str());
        }
        let lines: Vec<_> = of_account.iter().take(SERVERS_LIMIT).map(|status| silence_of(binding, status)).collect();
        words::servers_heard(binding.id, &lines.join("\n"))
    };
    Ok(bindings.iter().map(told).collect())
}

/// Why a binding shows nothing of what a server sent last.
fn silence_of(binding: &Binding, status: &ServerStatus) -> String {
    let server = display(status.server.as_str(), NAME_LIMIT, "?");
    let why = match &binding.server {
        Some(bound) if *bound != status.server => words::HEARS_ANOTHER_SERVER,
        _ if binding.paused_at.is_some() => words::PAUSED,
        _ if binding.covered_from.is_none_or(|from| status.last_event_at <= from) => words::SENT_BEFORE_IT_BEGAN,
        // It was read and is new enough. What was shown is forgotten sooner than what was heard of the server.
        _ => words::HEARS_OTHER_KINDS,
    };
    words::server_silent(&server, status.last_event_at.unix_seconds(), why)
}

/// How much on the account's stream was no event.
async fn rejects(shared: &Shared, account: &AccountName) -> Result<Option<String>, StoreError> {
    let since = clock::now().minus(REJECTS_SINCE);
    let rejected = shared.store.rejected_since(account, since).await?;
    let reasons: Vec<_> =
        rejected.iter().map(|rejected| words::rejected_for(rejected.count, &rejected.reason)).collect();
    Ok((!reasons.is_empty()).then(|| words::rejected(account.as_str(), &reasons.join(", "))))
}
