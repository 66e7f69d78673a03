//! `/server`: what a guild calls its servers and which of them it sees, and what is expected of them.

use std::time::Duration;

use super::component::{Listing, Target};
use super::reply::Reply;
use super::request::Request;
use super::servers::{self, shown};
use super::{Shared, owning, paging};
use crate::discord::words;
use crate::domain::audit::{Act, Action};
use crate::domain::ids::GuildId;
use crate::domain::text::{clean, cut, display, plain};
use crate::store::StoreError;
use crate::store::servers::NamedServer;

/// The longest name that a guild gives a server, in UTF-16 units.
pub(super) const LONGEST_NAME: u16 = 50;

/// For how long a server may be silent, as that is chosen.
pub(super) const SILENCES: [(&str, Option<Duration>); 8] = [
    ("off", None),
    ("5m", Some(Duration::from_mins(5))),
    ("15m", Some(Duration::from_mins(15))),
    ("30m", Some(Duration::from_mins(30))),
    ("1h", Some(Duration::from_hours(1))),
    ("3h", Some(Duration::from_hours(3))),
    ("12h", Some(Duration::from_hours(12))),
    ("24h", Some(Duration::from_hours(24))),
];

/// How much is shown of the user and the name of a connection, in UTF-16 units.
const CONNECTION_LIMIT: usize = 60;

/// A page of `/server list`: all servers, those that are hidden, too.
pub(super) async fn list(shared: &Shared, guild: GuildId, page: usize) -> Result<Reply, StoreError> {
    let servers = shared.store.servers_of_guild(guild).await?;
    if servers.is_empty() {
        let linked = !shared.store.links(guild).await?.is_empty();
        return Ok(Reply::text(if linked { words::NO_SERVERS } else { words::NO_ACCOUNT_LINKED }));
    }
    let entries: Vec<_> = servers.iter().map(|server| entry(shared, server)).collect();
    Ok(paging::page(&entries, None, page, |page| Target::Page(Listing::AllServers, page)))
}

fn entry(shared: &Shared, named: &NamedServer) -> String {
    let server = &named.server;
    let id = named.name.as_ref().map(|_| display(server.id.as_str(), servers::NAME_LIMIT, "?"));
    let standing = words::standing(server.state, servers::outlook(shared, server));
    let tie = server.tie.as_ref().map(|tie| {
        let [user, name] = [&tie.user, &tie.name].map(|text| display(text, CONNECTION_LIMIT, "?"));
        words::tied_to(&user, (!tie.name.is_empty()).then_some(&name), tie.is_by_hand)
    });
    words::managed_server(
        &shown(named),
        server.account.as_str(),
        id.as_deref(),
        &standing,
        &words::expected_of(tie.as_deref(), server.expected_silence),
        named.is_hidden,
    )
}

/// `/server rename`.
pub(super) async fn rename(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let server = match servers::chosen(shared, request).await? {
        Ok(server) => server,
        Err(refusal) => return Ok(Reply::text(refusal)),
    };
    let name = request.text("name").map(|name| cut(&clean(name), LONGEST_NAME.into()));
    if name.as_ref().is_some_and(String::is_empty) {
        return Ok(Reply::text(words::NOTHING_IN_THE_NAME));
    }
    let (account, id) = (&server.server.account, &server.server.id);
    if let Some(name) = &name {
        let all = shared.store.servers_of_guild(request.guild).await?;
        let is_another = |other: &&NamedServer| (&other.server.account, &other.server.id) != (account, id);
        let is_taken = |other: &NamedServer| {
            [other.name(), other.server.id.as_str()].iter().any(|taken| taken.to_lowercase() == name.to_lowercase())
        };
        if all.iter().filter(is_another).any(is_taken) {
            return Ok(Reply::text(words::name_taken(&display(name, servers::NAME_LIMIT, "?"))));
        }
    }
    let by_id = display(id.as_str(), servers::NAME_LIMIT, "?");
    if !shared.store.name_server(request.guild, account, id, name.as_deref()).await? {
        return Ok(Reply::text(words::not_linked_any_more(account.as_str())));
    }
    Ok(Reply::text(match name {
        Some(name) => words::server_renamed(&by_id, account.as_str(), &display(&name, servers::NAME_LIMIT, "?")),
        None => words::server_has_no_name(&by_id, account.as_str()),
    }))
}

/// `/server forget`.
pub(super) async fn forget(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let server = match servers::chosen(shared, request).await? {
        Ok(server) => server,
        Err(refusal) => return Ok(Reply::text(refusal)),
    };
    let (account, id) = (&server.server.account, &server.server.id);
    Ok(Reply::text(if shared.store.hide_server(request.guild, account, id).await? {
        words::server_hidden(&shown(&server))
    } else {
        words::not_linked_any_more(account.as_str())
    }))
}

/// `/server expect`.
pub(super) async fn expect(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let server = match servers::chosen(shared, request).await? {
        Ok(server) => server,
        Err(refusal) => return Ok(Reply::text(refusal)),
    };
    let Some(chosen) = request.text("silence") else {
        return Ok(Reply::text(entry(shared, &server)));
    };
    let Some((_, silence)) = SILENCES.iter().find(|(name, _)| *name == chosen) else {
        return Ok(Reply::text(words::bad_option("silence")));
    };
    let (account, id) = (&server.server.account, &server.server.id);
    if let Err(refusal) = owning::may_speak_for(shared, request, account).await? {
        return Ok(Reply::text(refusal));
    }
    let details = words::expectation_audited(&plain(id.as_str(), servers::NAME_LIMIT, "?"), *silence);
    let act = Act::on(Action::ServerExpected, account).with(details);
    Ok(Reply::text(if shared.store.expect_silence(account, id, *silence, &request.by(), &act).await? {
        words::silence_expected(&shown(&server), *silence)
    } else {
        words::not_linked_any_more(account.as_str())
    }))
}
