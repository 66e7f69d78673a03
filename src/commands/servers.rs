//! The servers that a guild sees: found by what people type, and called what the guild calls them.

use super::request::Request;
use super::{Shared, account};
use crate::clock;
use crate::discord::words;
use crate::domain::ids::GuildId;
use crate::domain::outlook::Outlook;
use crate::domain::subject::UNKNOWN_SERVER;
use crate::domain::text::display;
use crate::store::StoreError;
use crate::store::servers::{NamedServer, Server};

/// How much of a server's name is shown, in UTF-16 units.
pub(super) const NAME_LIMIT: usize = 100;

/// How many servers are named to somebody who asked for another, and how much of each.
const KNOWN_LIMIT: usize = 10;
const KNOWN_NAME_LIMIT: usize = 50;

/// What the guild calls a server, in text that renders markdown.
pub(super) fn shown(server: &NamedServer) -> String {
    display(server.name(), NAME_LIMIT, "?")
}

/// How far what is noted of a server can be relied upon now.
pub(super) fn outlook(shared: &Shared, server: &Server) -> Outlook {
    server.outlook(shared.states.blind_since(&server.account, server.heard_at), clock::now())
}

/// The servers that a guild sees, all or those that somebody means; else what to answer. One that is hidden is seen by
/// whoever asks for it.
pub(super) async fn seen(
    shared: &Shared,
    guild: GuildId,
    wanted: Option<&str>,
) -> Result<Result<Vec<NamedServer>, String>, StoreError> {
    let servers = shared.store.servers_of_guild(guild).await?;
    if servers.is_empty() {
        let linked = !shared.store.links(guild).await?.is_empty();
        return Ok(Err(if linked { words::NO_SERVERS } else { words::NO_ACCOUNT_LINKED }.to_owned()));
    }
    let Some(wanted) = wanted else {
        let shown: Vec<_> = servers.into_iter().filter(|server| !server.is_hidden).collect();
        return Ok(if shown.is_empty() { Err(words::ALL_HIDDEN.to_owned()) } else { Ok(shown) });
    };
    let meant = meant(&servers, wanted);
    Ok(if meant.is_empty() { Err(unknown(&servers, wanted)) } else { Ok(meant.into_iter().cloned().collect()) })
}

/// The one server that a command is about, as [`chosen`] says; none is what stands for events without a server.
pub(super) async fn chosen_real(shared: &Shared, request: &Request) -> Result<Result<NamedServer, String>, StoreError> {
    Ok(chosen(shared, request).await?.and_then(|named| match named.server.id.as_str() {
        UNKNOWN_SERVER => Err(words::NO_SERVER_OF_THAT_NAME.to_owned()),
        _ => Ok(named),
    }))
}

/// The one server that a command is about, by its options `server` and, where two accounts have one of that name,
/// `account`; else why there is none.
pub(super) async fn chosen(shared: &Shared, request: &Request) -> Result<Result<NamedServer, String>, StoreError> {
    let Some(wanted) = request.text("server") else { return Ok(Err(words::bad_option("server"))) };
    let mut servers = match seen(shared, request.guild, Some(wanted)).await? {
        Ok(servers) => servers,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if request.text("account").is_some() {
        let of = match account::wanted(shared, request).await? {
            Ok(account) => account,
            Err(refusal) => return Ok(Err(refusal)),
        };
        servers.retain(|server| server.server.account == of);
    }
    if servers.len() > 1 {
        let accounts: Vec<_> = servers.into_iter().map(|server| server.server.account).collect();
        return Ok(Err(words::which_accounts_server(&display(wanted, NAME_LIMIT, "?"), &account::named(&accounts))));
    }
    Ok(servers.pop().ok_or_else(|| words::unknown_server(&display(wanted, NAME_LIMIT, "?"), "")))
}

/// Those that somebody means: by their ids, else by the guild's own names.
pub(super) fn meant<'a>(servers: &'a [NamedServer], wanted: &str) -> Vec<&'a NamedServer> {
    let by_id: Vec<_> = servers.iter().filter(|server| server.server.id.as_str() == wanted).collect();
    if !by_id.is_empty() {
        return by_id;
    }
    let wanted = wanted.to_lowercase();
    let is_called = |server: &&NamedServer| server.name.as_ref().is_some_and(|name| name.to_lowercase() == wanted);
    servers.iter().filter(is_called).collect()
}

/// That nothing was heard of that server, and which ones may have been meant, each name once: two accounts may have a
/// server of the same name.
pub(super) fn unknown(servers: &[NamedServer], wanted: &str) -> String {
    let mut names: Vec<String> = Vec::new();
    for server in servers.iter().filter(|server| !server.is_hidden) {
        let name = format!("**{}**", display(server.name(), KNOWN_NAME_LIMIT, "?"));
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let left = names.len().saturating_sub(KNOWN_LIMIT);
    names.truncate(KNOWN_LIMIT);
    if left > 0 {
        names.push(words::and_more(left));
    }
    words::unknown_server(&display(wanted, NAME_LIMIT, "?"), &names.join(", "))
}
