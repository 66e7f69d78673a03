//! `/account`: which accounts' events a guild may show.

use super::component::{ButtonStyle, Listing, Target, button};
use super::press::Press;
use super::reply::Reply;
use super::request::Request;
use super::{Shared, paging};
use crate::clock;
use crate::discord::words;
use crate::domain::ids::{AccountName, GuildId};
use crate::domain::invite::invite_code_hash;
use crate::domain::text::display;
use crate::nats::states::{AccountState, Standing};
use crate::store::StoreError;
use crate::store::accounts::Redeemed;

/// How much of a name that somebody typed is shown, in UTF-16 units.
const NAME_LIMIT: usize = 100;

/// How many accounts are named at most, where they are named in a sentence.
const NAMED_LIMIT: usize = 20;

/// `/account link`.
pub(super) async fn link(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let Some(code) = request.text("code") else { return Ok(Reply::text(words::bad_option("code"))) };
    let now = clock::now();
    if let Err(again) = shared.limits.may_try_code(request.user, request.guild, now) {
        return Ok(Reply::text(words::too_many_wrong_codes(again.unix_seconds())));
    }
    let most = shared.limits.accounts_per_guild;
    if shared.store.links(request.guild).await?.len() >= most {
        return Ok(Reply::text(words::too_many_links(most)));
    }
    let redeemed = shared.store.redeem_invite(&invite_code_hash(code), request.guild, request.user, now).await?;
    if matches!(redeemed, Redeemed::Unknown | Redeemed::Used | Redeemed::Expired) {
        shared.limits.count_wrong_code(request.user, request.guild, now);
    }
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

/// A page of `/account list`.
pub(super) async fn list(shared: &Shared, guild: GuildId, page: usize) -> Result<Reply, StoreError> {
    let links = shared.store.links(guild).await?;
    if links.is_empty() {
        return Ok(Reply::text(words::NO_ACCOUNT_LINKED));
    }
    let entries: Vec<_> = links
        .iter()
        .map(|link| {
            let declared = if link.is_declared { words::DECLARED } else { "" };
            let state = state_in_words(shared, &link.account) + declared;
            words::account_line(link.account.as_str(), link.linked_at.unix_seconds(), &state)
        })
        .collect();
    Ok(paging::page(&entries, None, page, |page| Target::Page(Listing::Accounts, page)))
}

/// `/account unlink`: asks, and says what goes with the link.
pub(super) async fn ask_to_unlink(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let account = match wanted(shared, request).await? {
        Ok(account) => account,
        Err(refusal) => return Ok(Reply::text(refusal)),
    };
    if is_declared(shared, request.guild, &account).await? {
        return Ok(Reply::text(words::link_is_declared(account.as_str())));
    }
    let bindings = shared.store.bindings_of_guild(request.guild).await?;
    let concerned = bindings.iter().filter(|binding| binding.account == account).count();
    let unlink = words::unlink_button(account.as_str());
    Ok(Reply::text(words::unlink_question(account.as_str(), concerned)).with_row(&[
        button(ButtonStyle::Danger, &unlink, &Target::Unlink(account), true),
        button(ButtonStyle::Secondary, words::CANCEL, &Target::Cancel, true),
    ]))
}

/// The button below that question.
pub(super) async fn unlink(shared: &Shared, press: &Press, account: &AccountName) -> Result<Reply, StoreError> {
    if is_declared(shared, press.guild, account).await? {
        return Ok(Reply::text(words::link_is_declared(account.as_str())));
    }
    let Some(bindings) = shared.store.unlink(press.guild, account, &press.by()).await? else {
        return Ok(Reply::text(words::not_linked_any_more(account.as_str())));
    };
    tracing::info!(%account, guild = %press.guild, user = %press.user, bindings, "a guild was unlinked from the account");
    Ok(Reply::text(words::unlinked(account.as_str(), bindings)))
}

/// Whether the guild's link to the account stands in the settings file.
async fn is_declared(shared: &Shared, guild: GuildId, account: &AccountName) -> Result<bool, StoreError> {
    Ok(shared.store.links(guild).await?.iter().any(|link| link.account == *account && link.is_declared))
}

/// The linked account that is meant, or why none can be.
pub(super) async fn wanted(shared: &Shared, request: &Request) -> Result<Result<AccountName, String>, StoreError> {
    let linked: Vec<_> = shared.store.links(request.guild).await?.into_iter().map(|link| link.account).collect();
    let names = named(&linked);
    Ok(match (request.text("account"), linked.as_slice()) {
        (_, []) => Err(words::NO_ACCOUNT_LINKED.to_owned()),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(words::which_account(&names)),
        (Some(wanted), _) => linked
            .iter()
            .find(|account| account.as_str() == wanted)
            .cloned()
            .ok_or_else(|| words::account_not_linked(&display(wanted, NAME_LIMIT, "?"), &names)),
    })
}

/// Accounts by name, of very many only some: an answer has its bounds.
pub(super) fn named(accounts: &[AccountName]) -> String {
    let mut names: Vec<_> = accounts.iter().take(NAMED_LIMIT).map(|account| format!("**{account}**")).collect();
    if accounts.len() > NAMED_LIMIT {
        names.push(words::and_more(accounts.len() - NAMED_LIMIT));
    }
    names.join(", ")
}

/// How reading an account goes, since when, and what to do about it.
pub(super) fn state_in_words(shared: &Shared, account: &AccountName) -> String {
    let Some(Standing { state, since, lag }) = shared.states.get(account) else {
        return words::ACCOUNT_IDLE.to_owned();
    };
    let since = since.unix_seconds();
    match state {
        AccountState::Connecting => words::account_connecting(since),
        AccountState::Running => words::account_running(since, lag),
        AccountState::Trouble(fault) => words::account_trouble(&words::account_fault(&fault), since),
    }
}
