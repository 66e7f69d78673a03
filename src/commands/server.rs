//! `/server`: what a guild calls its servers and which of them it sees, and what is expected of them.

use std::time::Duration;

use super::component::{Listing, Target};
use super::reply::Reply;
use super::request::Request;
use super::servers::{self, shown};
use super::{Shared, owning, paging};
use crate::discord::words;
use crate::domain::audit::{Act, Action};
use crate::domain::ids::{AccountName, GuildId, UserId};
use crate::domain::presence::{Client, Tie};
use crate::domain::text::{clean, cut, display, plain};
use crate::nats::connected::Connected;
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

/// The choice that no connection is a server's.
pub(super) const NO_CONNECTION: &str = "none";

/// How much is shown of the user and the name of a connection, in UTF-16 units.
const CONNECTION_LIMIT: usize = 60;

/// A page of `/server list`: all servers, those that are hidden, too.
pub(super) async fn list(shared: &Shared, guild: GuildId, user: UserId, page: usize) -> Result<Reply, StoreError> {
    let servers = shared.store.servers_of_guild(guild).await?;
    if servers.is_empty() {
        let linked = !shared.store.links(guild).await?.is_empty();
        return Ok(Reply::text(if linked { words::NO_SERVERS } else { words::NO_ACCOUNT_LINKED }));
    }
    let owned = shared.store.owned_accounts().await?;
    let is_anothers = |account| owned.iter().any(|(owner, accounts)| *owner != user && accounts.contains(account));
    let entries: Vec<_> =
        servers.iter().map(|server| entry(shared, server, !is_anothers(&server.server.account))).collect();
    Ok(paging::page(&entries, None, page, |page| Target::Page(Listing::AllServers, page)))
}

/// A server and what is expected of it; its connection only for whoever may say which it is.
fn entry(shared: &Shared, named: &NamedServer, with_connection: bool) -> String {
    let server = &named.server;
    let id = named.name.as_ref().map(|_| display(server.id.as_str(), servers::NAME_LIMIT, "?"));
    let standing = words::standing(server.state, servers::outlook(shared, server));
    let tie = server.tie.as_ref().map(|tie| if with_connection { tied_to(tie) } else { words::TIED.to_owned() });
    let tie = tie.or_else(|| server.is_untied.then(|| words::UNTIED.to_owned()));
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

/// `/server expect`: what is said is noted; where nothing is, what was said is shown.
pub(super) async fn expect(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let server = match servers::chosen_real(shared, request).await? {
        Ok(server) => server,
        Err(refusal) => return Ok(Reply::text(refusal)),
    };
    let (account, id) = (&server.server.account, &server.server.id);
    let speaks = owning::may_speak_for(shared, request.user, account).await?;
    let (silence, connection) = (request.text("silence"), request.text("connection"));
    if silence.is_none() && connection.is_none() {
        return Ok(Reply::text(entry(shared, &server, speaks.is_ok())));
    }
    if let Err(refusal) = speaks {
        return Ok(Reply::text(refusal));
    }
    let silence = silence.map(|chosen| SILENCES.iter().find(|(name, _)| *name == chosen));
    let silence = match silence {
        Some(None) => return Ok(Reply::text(words::bad_option("silence"))),
        Some(Some((_, silence))) => Some(*silence),
        None => None,
    };
    let tie = match connection.map(|chosen| chosen_tie(shared, account, chosen)).transpose() {
        Ok(tie) => tie,
        Err(refusal) => return Ok(Reply::text(refusal)),
    };
    let name = shown(&server);
    let mut said = Vec::new();
    if let Some(tie) = tie {
        if !shared.store.tie_server(account, id, tie.as_ref(), &request.by()).await? {
            return Ok(Reply::text(words::not_linked_any_more(account.as_str())));
        }
        said.push(words::connection_expected(&name, tie.as_ref().map(tied_to).as_deref()));
    }
    if let Some(silence) = silence {
        let details = words::expectation_audited(&plain(id.as_str(), servers::NAME_LIMIT, "?"), silence);
        let act = Act::on(Action::ServerExpected, account).with(details);
        if !shared.store.expect_silence(account, id, silence, &request.by(), &act).await? {
            return Ok(Reply::text(words::not_linked_any_more(account.as_str())));
        }
        said.push(words::silence_expected(&name, silence));
    }
    Ok(Reply::text(said.join("\n")))
}

/// The connection that was chosen among those that are open, or none; else why it can't be.
fn chosen_tie(shared: &Shared, account: &AccountName, chosen: &str) -> Result<Option<Tie>, String> {
    if chosen == NO_CONNECTION {
        return Ok(None);
    }
    let clients = clients(shared, account).ok_or_else(|| words::connections_unseen(account.as_str()))?;
    let client = clients.into_iter().find(|client| connection_key(client) == chosen);
    client
        .map(|client| Some(Tie { user: client.user, name: client.name, is_by_hand: true }))
        .ok_or_else(|| words::NO_SUCH_CONNECTION.to_owned())
}

/// Who is connected to an account; `None` where that can't be seen.
pub(super) fn clients(shared: &Shared, account: &AccountName) -> Option<Vec<Client>> {
    match shared.states.connected.get(account)? {
        Connected::Seen { clients, .. } => Some(clients),
        Connected::Unseen(_) => None,
    }
}

/// How a choice names a client's connections, in at most 100 characters.
pub(super) fn connection_key(client: &Client) -> String {
    cut(&format!("{}/{}", client.user, client.name), 100)
}

fn tied_to(tie: &Tie) -> String {
    let [user, name] = [&tie.user, &tie.name].map(|text| display(text, CONNECTION_LIMIT, "–"));
    words::tied_to(&user, (!tie.name.is_empty()).then_some(&name), tie.is_by_hand)
}
