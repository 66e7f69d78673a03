//! `/help`: the next steps, from where this guild stands.

use std::collections::BTreeSet;

use super::Shared;
use super::account::named;
use super::lane_state::lane_state;
use super::reply::Reply;
use super::request::Request;
use crate::discord::words;
use crate::domain::binding::Binding;
use crate::nats::states::AccountState;
use crate::store::StoreError;

/// How many troubles are told at once.
const TROUBLES_LIMIT: usize = 5;

/// `/help`.
pub(super) async fn help(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    if !request.may_manage() {
        return Ok(Reply::text(words::HELP_FOR_EVERYBODY));
    }
    let links = shared.store.links(request.guild).await?;
    if links.is_empty() {
        return Ok(Reply::text(if shared.connecting.is_allowed {
            format!("{}\n{}", words::HELP_TO_LINK, words::HELP_TO_CONNECT)
        } else {
            words::HELP_TO_LINK.to_owned()
        }));
    }
    let bindings = shared.store.bindings_of_guild(request.guild).await?;
    if bindings.is_empty() {
        let accounts: Vec<_> = links.into_iter().map(|link| link.account).collect();
        return Ok(Reply::text(words::help_to_bind(&named(&accounts))));
    }
    let mut entries = troubles(shared, &bindings).await?;
    if entries.is_empty() {
        entries.push(words::help_all_well(bindings.len()));
    } else {
        let left = entries.len().saturating_sub(TROUBLES_LIMIT);
        entries.truncate(TROUBLES_LIMIT);
        if left > 0 {
            entries.push(words::and_more(left));
        }
        entries.insert(0, words::HELP_TROUBLE.to_owned());
    }
    entries.push(words::HELP_COMMANDS.to_owned());
    Ok(Reply::list(&entries, None))
}

/// What is wrong with the accounts and channels of a guild's bindings, and what to do about it.
async fn troubles(shared: &Shared, bindings: &[Binding]) -> Result<Vec<String>, StoreError> {
    let mut troubles = Vec::new();
    for account in bindings.iter().map(|binding| &binding.account).collect::<BTreeSet<_>>() {
        if let Some(AccountState::Trouble(fault)) = shared.states.state(account) {
            troubles.push(words::help_account(account.as_str(), &words::account_fault(&fault)));
        }
    }
    for channel in bindings.iter().map(|binding| binding.channel).collect::<BTreeSet<_>>() {
        if let (_, Some(hindrance)) = lane_state(shared, channel).await? {
            troubles.push(words::help_channel(channel.0, &hindrance.in_words()));
        }
    }
    let paused = bindings.iter().filter(|binding| binding.paused_at.is_some()).count();
    if paused > 0 {
        troubles.push(words::help_paused(paused));
    }
    let waiting = bindings.iter().filter(|binding| !binding.is_covered()).count();
    if waiting > 0 && troubles.is_empty() {
        troubles.push(words::help_waiting(waiting));
    }
    Ok(troubles)
}
