//! `/notify remove`.

use super::{changeable, in_words, wanted_binding};
use crate::commands::Shared;
use crate::commands::reply::Reply;
use crate::commands::request::Request;
use crate::discord::words;
use crate::store::StoreError;

/// `/notify remove`.
pub(in crate::commands) async fn remove(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let id = match changeable(shared, request.guild, wanted_binding(request)).await? {
        Ok(binding) => binding.id,
        Err(refusal) => return Ok(Reply::text(refusal)),
    };
    let removed = shared.store.remove_binding(request.guild, id, &request.by()).await?;
    let Some(binding) = removed else { return Ok(Reply::text(words::NO_SUCH_BINDING)) };
    tracing::info!(
        binding = binding.id, account = %binding.account, guild = %binding.guild, channel = %binding.channel,
        user = %request.user, "a binding was removed"
    );
    Ok(Reply::text(words::unbound(&in_words(shared, &binding))))
}
