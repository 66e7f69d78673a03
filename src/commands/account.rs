//! `/account`: which accounts' events a guild may show.

use super::Shared;
use super::reply::Reply;
use super::request::Request;
use crate::clock;
use crate::discord::words;
use crate::domain::invite::invite_code_hash;
use crate::nats::states::{AccountState, Standing};
use crate::store::StoreError;
use crate::store::accounts::Redeemed;

/// `/account link`.
pub(super) async fn link(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let Some(code) = request.text("code") else { return Ok(Reply::text(words::bad_option("code"))) };
    let hash = invite_code_hash(code);
    let redeemed = shared.store.redeem_invite(&hash, request.guild, request.user, clock::now()).await?;
    Ok(Reply::text(match redeemed {
        Redeemed::Linked(account) => {
            tracing::info!(%account, guild = %request.guild, user = %request.user, "a guild was linked to the account");
            words::linked(account.as_str())
        }
        Redeemed::AlreadyLinked(account) => words::already_linked(account.as_str()),
        Redeemed::Unknown => words::CODE_UNKNOWN.to_owned(),
        Redeemed::Used => words::CODE_USED.to_owned(),
        Redeemed::Expired => words::CODE_EXPIRED.to_owned(),
    }))
}

/// `/account list`.
pub(super) async fn list(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let links = shared.store.links(request.guild).await?;
    if links.is_empty() {
        return Ok(Reply::text(words::NO_ACCOUNT_LINKED));
    }
    let entries: Vec<_> = links
        .iter()
        .map(|link| {
            let state = shared.states.get(&link.account).map_or_else(|| words::ACCOUNT_IDLE.to_owned(), in_words);
            words::account_line(link.account.as_str(), link.linked_at.unix_seconds(), &state)
        })
        .collect();
    Ok(Reply::list(&entries, None))
}

/// How reading an account goes, since when, and what to do about it.
fn in_words(Standing { state, since, lag }: Standing) -> String {
    let since = since.unix_seconds();
    match state {
        AccountState::Connecting => words::account_connecting(since),
        AccountState::Running => words::account_running(since, lag),
        AccountState::Trouble(fault) => words::account_trouble(&words::account_fault(&fault), since),
    }
}
