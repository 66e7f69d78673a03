//! `/notify list`: what goes where, and how that is doing.

use std::collections::{BTreeMap, BTreeSet};

use super::{in_words, kinds_in_words};
use crate::clock;
use crate::commands::component::{Listing, Target};
use crate::commands::lane_state::{Hindrance, hindrance};
use crate::commands::reply::Reply;
use crate::commands::{Shared, paging};
use crate::discord::words;
use crate::domain::binding::Binding;
use crate::domain::ids::{ChannelId, GuildId};
use crate::domain::timestamp::Timestamp;
use crate::nats::states::AccountState;
use crate::store::StoreError;
use crate::store::health::BindingHealth;
use crate::store::history::OpenMessage;

/// A page of `/notify list`.
pub(in crate::commands) async fn list(shared: &Shared, guild: GuildId, page: usize) -> Result<Reply, StoreError> {
    let bindings = shared.store.bindings_of_guild(guild).await?;
    if bindings.is_empty() {
        return Ok(Reply::text(words::NOTHING_BOUND));
    }
    let stopped = shared.store.stopped_lanes().await?;
    let open = shared.store.open_messages(guild).await?;
    let health = shared.store.health_of_bindings(guild, &bindings).await?;
    let held = held(shared, &bindings, &health, &open).await?;
    let lines: Vec<_> = bindings
        .iter()
        .map(|binding| {
            let stopped = stopped.iter().find(|lane| lane.channel == binding.channel).cloned();
            let hindrance = hindrance(shared, binding.channel, stopped, open.get(&binding.channel).cloned());
            let health = health.get(&binding.id).copied().unwrap_or_default();
            let declared = if binding.is_declared { words::DECLARED } else { "" };
            let standing = declared.to_owned()
                + &standing(shared, binding)
                + &doing(binding, hindrance.as_ref(), health, held.get(&binding.channel));
            words::binding_line(binding.id, &in_words(shared, binding), &standing)
        })
        .collect();
    Ok(paging::page(&lines, None, page, |page| Target::Page(Listing::Bindings, page)))
}

/// Whether it hears anything, and why not.
fn standing(shared: &Shared, binding: &Binding) -> String {
    if let Some(since) = binding.paused_at {
        return words::binding_paused(since.unix_seconds());
    }
    let fault = match shared.states.state(&binding.account) {
        Some(AccountState::Trouble(fault)) => {
            words::binding_without_account(binding.account.as_str(), &words::account_fault(&fault))
        }
        _ => String::new(),
    };
    let waiting = binding.waiting_kinds();
    let begins = if waiting.is_empty() {
        String::new()
    } else if waiting == binding.kinds {
        words::BINDING_WAITS.to_owned()
    } else {
        words::kinds_wait(&kinds_in_words(waiting))
    };
    begins + &fault
}

/// The channels in which all that waits is held, and until when.
async fn held(
    shared: &Shared,
    bindings: &[Binding],
    health: &BTreeMap<i64, BindingHealth>,
    open: &BTreeMap<ChannelId, OpenMessage>,
) -> Result<BTreeMap<ChannelId, Timestamp>, StoreError> {
    let waits = |binding: &&Binding| health.get(&binding.id).is_some_and(|it| it.waiting > 0);
    let channels: BTreeSet<_> = bindings.iter().filter(waits).map(|binding| binding.channel).collect();
    let now = clock::now();
    let mut held = BTreeMap::new();
    for channel in channels.into_iter().filter(|channel| !open.contains_key(channel)) {
        if let Some(until) = shared.store.held_until(channel).await?.filter(|until| *until > now) {
            held.insert(channel, until);
        }
    }
    Ok(held)
}

/// What hinders its channel, what waits for it, until when that is held, and what it showed last.
fn doing(
    binding: &Binding,
    hindrance: Option<&Hindrance>,
    health: BindingHealth,
    held_until: Option<&Timestamp>,
) -> String {
    let mut told = hindrance.map_or_else(String::new, |hindrance| words::binding_stopped(&hindrance.in_words()));
    if let Some(since) = health.waiting_since {
        told += &match held_until {
            Some(until) if hindrance.is_none() => words::binding_holds(health.waiting, until.unix_seconds()),
            _ => words::binding_has_waiting(health.waiting, since.unix_seconds()),
        };
    }
    if let Some(shown) = health.last_shown {
        let link = shown.discord_id.map(|id| words::link(binding.guild.0, binding.channel.0, id));
        told += &words::binding_shown_last(shown.at.unix_seconds(), link.as_deref());
    }
    told
}
