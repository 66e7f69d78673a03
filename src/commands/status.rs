//! `/status`: what was last heard of the servers, and no more than that.

use super::component::{Listing, Target};
use super::reply::Reply;
use super::request::Request;
use super::{Shared, paging};
use crate::discord::words;
use crate::domain::ids::{GuildId, ServerId};
use crate::domain::text::display;
use crate::domain::timestamp::Timestamp;
use crate::store::StoreError;

/// How much of a server's id is shown, in UTF-16 units.
const NAME_LIMIT: usize = 100;

/// How many servers are named to somebody who asked for another, and how much of each.
const KNOWN_LIMIT: usize = 10;
const KNOWN_NAME_LIMIT: usize = 50;

/// `/status`.
pub(super) async fn status(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    show(shared, request.guild, request.text("server"), 0).await
}

/// A page of the status of all servers, or of the `wanted` ones.
pub(super) async fn show(
    shared: &Shared,
    guild: GuildId,
    wanted: Option<&str>,
    page: usize,
) -> Result<Reply, StoreError> {
    let servers = shared.store.servers_of_guild(guild).await?;
    if servers.is_empty() {
        let linked = !shared.store.links(guild).await?.is_empty();
        return Ok(Reply::text(if linked { words::NO_SERVERS } else { words::NO_ACCOUNT_LINKED }));
    }
    let lines: Vec<_> = servers
        .iter()
        .map(|named| &named.server)
        .filter(|server| wanted.is_none_or(|wanted| server.id.as_str() == wanted))
        .map(|server| {
            let since = server.state.since.map(Timestamp::unix_seconds);
            let state = words::server_state(server.state.state, since);
            let name = display(server.id.as_str(), NAME_LIMIT, "?");
            words::server_status(&name, server.account.as_str(), &state, server.heard_at.unix_seconds())
        })
        .collect();
    if lines.is_empty() {
        let known = known_servers(servers.iter().map(|named| &named.server.id));
        let wanted = display(wanted.unwrap_or_default(), NAME_LIMIT, "?");
        return Ok(Reply::text(words::unknown_server(&wanted, &known)));
    }
    if wanted.is_some() {
        // A page's button can't say which server was meant. One for each account with a server of that name: they fit.
        return Ok(Reply::list(&lines, Some(words::STATUS_REMARK)));
    }
    Ok(paging::page(&lines, Some(words::STATUS_REMARK), page, |page| Target::Page(Listing::Servers, page)))
}

/// Servers that may have been meant, each name once: two accounts may have a server of the same name.
pub(super) fn known_servers<'a>(servers: impl Iterator<Item = &'a ServerId>) -> String {
    let mut names: Vec<String> = Vec::new();
    for server in servers {
        let name = format!("**{}**", display(server.as_str(), KNOWN_NAME_LIMIT, "?"));
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let left = names.len().saturating_sub(KNOWN_LIMIT);
    names.truncate(KNOWN_LIMIT);
    if left > 0 {
        names.push(words::and_more(left));
    }
    names.join(", ")
}
