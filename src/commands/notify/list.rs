//! `/notify list`: what goes where, and how that is doing.

use super::{in_words, kinds_in_words};
use crate::commands::component::{Listing, Target};
use crate::commands::lane_state::{Hindrance, hindrance};
use crate::commands::reply::Reply;
use crate::commands::{Shared, paging};
use crate::discord::words;
use crate::domain::binding::Binding;
use crate::domain::ids::GuildId;
use crate::nats::states::AccountState;
use crate::store::StoreError;
use crate::store::health::BindingHealth;

/// A page of `/notify list`.
pub(in crate::commands) async fn list(shared: &Shared, guild: GuildId, page: usize) -> Result<Reply, StoreError> {
    let bindings = shared.store.bindings_of_guild(guild).await?;
    if bindings.is_empty() {
        return Ok(Reply::text(words::NOTHING_BOUND));
    }
    let stopped = shared.store.stopped_lanes().await?;
    let open = shared.store.open_messages(guild).await?;
    let health = shared.store.health_of_bindings(guild, &bindings).await?;
    let lines: Vec<_> = bindings
        .iter()
        .map(|binding| {
            let stopped = stopped.iter().find(|lane| lane.channel == binding.channel).cloned();
            let hindrance = hindrance(shared, binding.channel, stopped, open.get(&binding.channel).cloned());
            let health = health.get(&binding.id).copied().unwrap_or_default();
            let standing = standing(shared, binding) + &doing(binding, hindrance.as_ref(), health);
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

/// What hinders its channel, what waits for it, and what it showed last.
fn doing(binding: &Binding, hindrance: Option<&Hindrance>, health: BindingHealth) -> String {
    let mut told = hindrance.map_or_else(String::new, |hindrance| words::binding_stopped(&hindrance.in_words()));
    if let Some(since) = health.waiting_since {
        told += &words::binding_has_waiting(health.waiting, since.unix_seconds());
    }
    if let Some(shown) = health.last_shown {
        let link = shown.discord_id.map(|id| words::link(binding.guild.0, binding.channel.0, id));
        told += &words::binding_shown_last(shown.at.unix_seconds(), link.as_deref());
    }
    told
}
