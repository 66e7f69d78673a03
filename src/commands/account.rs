//! `/account`: which accounts' events a guild may show.

use super::Shared;
use super::reply::Reply;
use super::request::Request;
use crate::clock;
use crate::discord::words;
use crate::domain::invite::invite_code_hash;
use crate::domain::text::display;
use crate::nats::states::AccountState;
use crate::store::StoreError;
use crate::store::accounts::Redeemed;

/// How much of a fault's reason is shown, in UTF-16 units.
const REASON_LIMIT: usize = 600;

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
            let state = match shared.states.get(&link.account) {
                None => words::ACCOUNT_IDLE.to_owned(),
                Some((AccountState::Connecting, _)) => words::ACCOUNT_CONNECTING.to_owned(),
                Some((AccountState::Running, since)) => words::account_running(since.unix_seconds()),
                Some((AccountState::Trouble(fault), since)) => {
                    words::account_trouble(&display(&fault.to_string(), REASON_LIMIT, ""), since.unix_seconds())
                }
            };
            words::account_line(link.account.as_str(), link.linked_at.unix_seconds(), &state)
        })
        .collect();
    Ok(Reply::list(&entries, None))
}
