//! `/account audit`: who did what to an account, for its owner.

use std::collections::BTreeSet;

use super::component::Target;
use super::owning::{self, Person, shown};
use super::reply::Reply;
use super::request::Request;
use super::{Shared, paging};
use crate::discord::words;
use crate::domain::audit::{Actor, Entry};
use crate::domain::ids::GuildId;
use crate::domain::text::display;
use crate::store::StoreError;

/// How many lines can be looked at in Discord; the operator sees all.
const LINES_LIMIT: u32 = 500;

/// How much of a line's details is shown, in UTF-16 units.
const DETAILS_LIMIT: usize = 200;

/// `/account audit`.
pub(super) async fn list(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let Some(wanted) = request.text("account") else { return Ok(Reply::text(words::bad_option("account"))) };
    audit(shared, &Person::of(request), wanted, 0).await
}

/// A page of what was done to an account.
pub(super) async fn audit(shared: &Shared, person: &Person, wanted: &str, page: usize) -> Result<Reply, StoreError> {
    let account = match owning::owned(shared, person, wanted).await? {
        Ok(account) => account.name,
        Err(refusal) => return Ok(Reply::text(refusal)),
    };
    let entries = shared.store.audit_since_added(&account, LINES_LIMIT).await?;
    if entries.is_empty() {
        return Ok(Reply::text(words::nothing_audited(account.as_str())));
    }
    // Others may have been made up, or are nobody's business any more: those have their ids alone.
    let mut named: BTreeSet<_> = shared.store.linked_guilds(&account).await?.iter().map(|link| link.guild).collect();
    named.insert(person.guild);
    let name = |guild| if named.contains(&guild) { shown(shared, guild) } else { words::nameless_guild(guild.0) };
    let lines: Vec<_> = entries.iter().map(|entry| in_words(entry, name)).collect();
    let remark = words::audit_remark(LINES_LIMIT);
    Ok(paging::page(&lines, Some(&remark), page, |page| Target::Audit(account.clone(), page)))
}

/// A line; `name` says what a guild is called.
fn in_words(Entry { by, act }: &Entry, name: impl Fn(GuildId) -> String) -> String {
    let who = match by.actor {
        Actor::Person { user, guild } => words::by_person(user.0, &name(guild)),
        Actor::Operator => words::BY_OPERATOR.to_owned(),
        Actor::Settings => words::BY_SETTINGS.to_owned(),
        Actor::Guildwire => words::BY_ITSELF.to_owned(),
    };
    let guild = act.guild.map(|guild| words::audited_guild(&name(guild))).unwrap_or_default();
    let details = display(&act.details, DETAILS_LIMIT, "");
    words::audited(by.at.unix_seconds(), &who, words::action(act.action), &guild, &details)
}
