//! What the owner of an account may do with it in Discord: make codes, see which guilds are linked, and unlink them.
//!
//! Whose an account is, is asked for each time: neither a command's option nor a custom id proves anything. A refusal
//! tells nothing of accounts that are not this person's, not even whether there are any.

use std::time::Duration;

use super::component::{ButtonStyle, Target, button, guild_select};
use super::limits::OPEN_CODES_OF_AN_ACCOUNT;
use super::press::Press;
use super::reply::Reply;
use super::request::Request;
use super::{Shared, account, paging};
use crate::discord::words;
use crate::domain::account::Account;
use crate::domain::ids::{AccountName, GuildId, UserId};
use crate::domain::invite::InviteCode;
use crate::domain::text::{display, plain};
use crate::store::StoreError;
use crate::store::owners::{InviteMade, LinkedGuild};

/// The commands whose `account` is one that the person owns.
pub(super) const COMMANDS: [&str; 4] = ["account invite", "account guilds", "account audit", "account rotate"];

/// How long a code can be used, as that is chosen.
pub(super) const LIFETIMES: [(&str, Duration); 3] =
    [("1h", Duration::from_hours(1)), ("24h", Duration::from_hours(24)), ("7d", Duration::from_hours(7 * 24))];

/// How much of a name that strangers chose is shown, in UTF-16 units.
const NAME_LIMIT: usize = 100;

/// How many guilds are on a page: a select holds no more than 25.
const GUILDS_A_PAGE: usize = 20;

/// Somebody who asks for something.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person {
    pub(super) user: UserId,
    /// Where.
    pub(super) guild: GuildId,
}

impl Person {
    /// Who used a command.
    pub(super) const fn of(request: &Request) -> Self {
        Self { user: request.user, guild: request.guild }
    }
}

/// The account that is meant, if it is this person's; else why it is refused.
pub(super) async fn owned(
    shared: &Shared,
    person: &Person,
    wanted: &str,
) -> Result<Result<Account, String>, StoreError> {
    let account = match wanted.parse::<AccountName>() {
        Ok(name) => shared.store.account(&name).await?,
        Err(_) => None,
    };
    match account {
        Some(account) if account.owner == Some(person.user) => return Ok(Ok(account)),
        // Those of a linked guild know the account anyway.
        Some(account) if account.owner.is_none() && is_linked(shared, person.guild, &account.name).await? => {
            return Ok(Err(words::account_of_nobody(account.name.as_str())));
        }
        _ => {}
    }
    let theirs = shared.store.owned_accounts().await?.remove(&person.user).unwrap_or_default();
    Ok(Err(words::not_your_account(&display(wanted, NAME_LIMIT, "?"), &account::named(&theirs))))
}

/// Whether somebody may say what concerns all who hear an account: its owner where it has one, else whoever may manage a
/// guild that is linked to it. The commands that ask have seen to the latter.
pub(super) async fn may_speak_for(
    shared: &Shared,
    user: UserId,
    account: &AccountName,
) -> Result<Result<(), String>, StoreError> {
    let owner = shared.store.account(account).await?.and_then(|account| account.owner);
    Ok(match owner {
        Some(owner) if owner != user => Err(words::only_the_owner(account.as_str())),
        _ => Ok(()),
    })
}

async fn is_linked(shared: &Shared, guild: GuildId, account: &AccountName) -> Result<bool, StoreError> {
    Ok(shared.store.links(guild).await?.iter().any(|link| link.account == *account))
}

/// `/account invite`.
pub(super) async fn invite(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let Some(wanted) = request.text("account") else { return Ok(Reply::text(words::bad_option("account"))) };
    let chosen = request.text("expires").unwrap_or("24h");
    let Some((_, lifetime)) = LIFETIMES.iter().find(|(name, _)| *name == chosen) else {
        return Ok(Reply::text(words::bad_option("expires")));
    };
    let account = match owned(shared, &Person::of(request), wanted).await? {
        Ok(account) => account.name,
        Err(refusal) => return Ok(Reply::text(refusal)),
    };
    let by = request.by();
    if let Err(again) = shared.limits.make_code(request.user, request.guild, by.at) {
        return Ok(Reply::text(words::too_many_codes_made(again.unix_seconds())));
    }
    let code = InviteCode::from_random(rand::random());
    let expires = by.at.plus(*lifetime);
    let most = OPEN_CODES_OF_AN_ACCOUNT;
    let made = shared.store.add_owners_invite(&account, request.user, &code.hash(), expires, most, &by).await?;
    Ok(Reply::text(match made {
        InviteMade::Done => {
            tracing::info!(%account, guild = %request.guild, user = %request.user, "an owner made a code for the account");
            words::invite_made(account.as_str(), code.as_str(), expires.unix_seconds())
        }
        InviteMade::TooMany => words::too_many_open_codes(account.as_str(), most),
        InviteMade::NotTheirs => words::not_your_account(account.as_str(), ""),
        InviteMade::Unverified => words::codes_once_verified(account.as_str()),
    }))
}

/// `/account guilds`.
pub(super) async fn list(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let Some(wanted) = request.text("account") else { return Ok(Reply::text(words::bad_option("account"))) };
    guilds(shared, &Person::of(request), wanted, 0).await
}

/// A page of the guilds that are linked to an account, and a select that unlinks one of them.
pub(super) async fn guilds(shared: &Shared, person: &Person, wanted: &str, page: usize) -> Result<Reply, StoreError> {
    let account = match owned(shared, person, wanted).await? {
        Ok(account) => account.name,
        Err(refusal) => return Ok(Reply::text(refusal)),
    };
    let linked = shared.store.linked_guilds(&account).await?;
    let pages: Vec<_> = linked.chunks(GUILDS_A_PAGE).collect();
    let Some(last) = pages.len().checked_sub(1) else {
        return Ok(Reply::text(words::no_linked_guilds(account.as_str())));
    };
    let at = page.min(last);
    let lines: Vec<_> = pages[at]
        .iter()
        .map(|link| words::linked_guild(&shown(shared, link.guild), link.linked_at.unix_seconds(), link.bindings))
        .collect();
    let mut remark = words::linked_guilds_remark(linked.len() as u64);
    if last > 0 {
        remark = format!("{remark} {}", words::page(at + 1, pages.len()));
    }
    let choices: Vec<_> = pages[at].iter().map(|link| (link.guild, choice(shared, link.guild))).collect();
    let mut reply = Reply::list(&lines, Some(&remark));
    if last > 0 {
        reply = reply.with_row(&paging::turns(at, last, |page| Target::Guilds(account.clone(), page)));
    }
    Ok(reply.with_row(&[guild_select(&Target::AskToUnlink(account.clone()), &choices)]))
}

/// The select below that list: asks, and says what goes with the link.
pub(super) async fn ask_to_unlink(shared: &Shared, press: &Press, account: &AccountName) -> Result<Reply, StoreError> {
    let Some(guild) = press.values.first().and_then(|value| value.parse().ok()).map(GuildId) else {
        return Ok(Reply::text(words::UNKNOWN_BUTTON));
    };
    let link = match link_to_end(shared, press, account, guild).await? {
        Ok(link) => link,
        Err(refusal) => return Ok(Reply::text(refusal)),
    };
    let question = words::unlink_guild_question(account.as_str(), &shown(shared, guild), link.bindings);
    Ok(Reply::text(question).with_row(&[
        button(ButtonStyle::Danger, words::UNLINK, &Target::UnlinkGuild(account.clone(), guild), true),
        button(ButtonStyle::Secondary, words::CANCEL, &Target::Cancel, true),
    ]))
}

/// The button below that question.
pub(super) async fn unlink(
    shared: &Shared,
    press: &Press,
    account: &AccountName,
    guild: GuildId,
) -> Result<Reply, StoreError> {
    if let Err(refusal) = link_to_end(shared, press, account, guild).await? {
        return Ok(Reply::text(refusal));
    }
    let name = shown(shared, guild);
    let Some(bindings) = shared.store.unlink(guild, account, &press.by()).await? else {
        return Ok(Reply::text(words::guild_not_linked(account.as_str(), &name)));
    };
    tracing::info!(%account, %guild, user = %press.user, bindings, "an owner unlinked a guild from the account");
    shared.directory.refresh(&shared.store, guild).await;
    Ok(Reply::text(words::guild_unlinked(account.as_str(), &name, bindings)))
}

/// The link that the presser may end; else why not.
async fn link_to_end(
    shared: &Shared,
    press: &Press,
    account: &AccountName,
    guild: GuildId,
) -> Result<Result<LinkedGuild, String>, StoreError> {
    if let Err(refusal) = owned(shared, &press.person(), account.as_str()).await? {
        return Ok(Err(refusal));
    }
    let link = shared.store.linked_guilds(account).await?.into_iter().find(|link| link.guild == guild);
    Ok(match link {
        // Without its name, which is told only of those that are linked: any id may have been made up.
        None => Err(words::guild_not_linked(account.as_str(), &words::nameless_guild(guild.0))),
        Some(link) if link.is_declared => Err(words::guild_link_is_declared(account.as_str(), &shown(shared, guild))),
        Some(link) => Ok(link),
    })
}

/// A guild by its name, where that is known, in text that renders markdown.
pub(super) fn shown(shared: &Shared, guild: GuildId) -> String {
    shared.sight.guild_name(guild).map_or_else(
        || words::nameless_guild(guild.0),
        |name| format!("**{}**", display(&name, NAME_LIMIT, &words::nameless_guild(guild.0))),
    )
}

/// The same in a select.
fn choice(shared: &Shared, guild: GuildId) -> String {
    let nameless = words::nameless_guild(guild.0);
    shared.sight.guild_name(guild).map_or_else(|| nameless.clone(), |name| plain(&name, NAME_LIMIT, &nameless))
}
