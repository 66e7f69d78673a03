//! `/notify pause` and `/notify resume`. While a binding is paused nothing is kept for it; it begins anew when it is
//! resumed.

use super::{changeable, in_words, told_when, wanted_binding};
use crate::clock;
use crate::commands::Shared;
use crate::commands::reply::Reply;
use crate::commands::request::Request;
use crate::discord::words;
use crate::domain::binding::Binding;
use crate::store::StoreError;
use crate::store::bindings::Changed;

/// `/notify pause`.
pub(in crate::commands) async fn pause(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let now = clock::now();
    if let Err(refusal) = changeable(shared, request.guild, wanted_binding(request)).await? {
        return Ok(Reply::text(refusal));
    }
    let changed = change(shared, request, |binding| binding.pause(now)).await?;
    Ok(Reply::text(match changed {
        Changed::Missing => words::NO_SUCH_BINDING.to_owned(),
        Changed::Done { after, .. } => words::paused(&in_words(shared, &after)),
        Changed::Unchanged(binding) | Changed::Equal(binding) => {
            words::already_paused(binding.paused_at.unwrap_or(now).unix_seconds())
        }
    }))
}

/// `/notify resume`.
pub(in crate::commands) async fn resume(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    if let Err(refusal) = changeable(shared, request.guild, wanted_binding(request)).await? {
        return Ok(Reply::text(refusal));
    }
    let changed = change(shared, request, Binding::resume).await?;
    Ok(Reply::text(match changed {
        Changed::Missing => words::NO_SUCH_BINDING.to_owned(),
        Changed::Done { after, .. } => told_when(shared, &after).await,
        Changed::Unchanged(_) | Changed::Equal(_) => words::NOT_PAUSED.to_owned(),
    }))
}

async fn change(shared: &Shared, request: &Request, change: impl FnOnce(&mut Binding)) -> Result<Changed, StoreError> {
    let Some(id) = wanted_binding(request) else { return Ok(Changed::Missing) };
    let changed = shared.store.change_binding(request.guild, id, &request.by(), change).await?;
    if let Changed::Done { after, .. } = &changed {
        tracing::info!(
            binding = id, account = %after.account, guild = %request.guild, user = %request.user,
            is_paused = after.paused_at.is_some(), "a binding was paused or resumed"
        );
    }
    Ok(changed)
}
