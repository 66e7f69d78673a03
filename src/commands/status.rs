//! `/status`: how the servers stand, and how old that is. No more is said than is known.

use std::collections::BTreeMap;

use super::component::{Listing, Target};
use super::reply::Reply;
use super::request::Request;
use super::{Shared, paging, servers};
use crate::discord::words;
use crate::domain::ids::{AccountName, GuildId, ServerId};
use crate::domain::outlook::Outlook;
use crate::domain::server_state::State;
use crate::store::StoreError;
use crate::store::servers::{NamedServer, Server};

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
    let seen = match servers::seen(shared, guild, wanted).await? {
        Ok(seen) => seen,
        Err(answer) => return Ok(Reply::text(answer)),
    };
    let players = shared.store.players_on_servers(guild).await?;
    let entries: Vec<_> = seen.iter().map(|server| entry(shared, server, &players)).collect();
    if wanted.is_some() {
        // A page's button can't say which server was meant. One for each account with a server of that name: they fit.
        return Ok(Reply::list(&entries, None));
    }
    Ok(paging::page(&entries, None, page, |page| Target::Page(Listing::Servers, page)))
}

fn entry(shared: &Shared, named: &NamedServer, players: &BTreeMap<(AccountName, ServerId), u64>) -> String {
    let server = &named.server;
    let outlook = servers::outlook(shared, server);
    let count = players.get(&(server.account.clone(), server.id.clone())).copied().unwrap_or(0);
    let facts = [
        players_on(server, outlook, count),
        server.wiped_at.map(words::wiped),
        Some(words::freshness(server.heard_at, server.connection.map(|seen| seen.seen_at))),
    ];
    let facts: Vec<_> = facts.into_iter().flatten().collect();
    let standing = words::standing(server.state, outlook);
    words::server_entry(&servers::shown(named), server.account.as_str(), &standing, &facts)
}

/// How many are on a server, or were when it was last seen; nothing of one that is down.
pub(super) fn players_on(server: &Server, outlook: Outlook, count: u64) -> Option<String> {
    let is_seen = outlook == Outlook::Seen;
    match server.state.state {
        State::Online | State::Stopping => Some(words::players_on(count, is_seen)),
        State::ContactLost => Some(words::players_on(count, false)),
        State::Offline | State::Unknown => None,
    }
}
