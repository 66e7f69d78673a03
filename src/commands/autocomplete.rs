//! What is offered while an option is typed.

use std::collections::BTreeSet;

use serde_json::Value;
use tokio::time::Instant;

use super::notify::kinds_in_words;
use super::reply::choices;
use super::request::Request;
use super::{Shared, board, owning, pings, server};
use crate::discord::guilds::Guilds;
use crate::discord::words;
use crate::domain::ids::{AccountName, ChannelId, ServerId};
use crate::domain::subject::UNKNOWN_SERVER;
use crate::domain::text::plain;
use crate::store::StoreError;
use crate::store::directory::{Choices, KnownServer};
use crate::store::pings::Place;

/// Commands that are about how a server stands, which nothing tells of what stands for events without a server.
const OF_REAL_SERVERS: [&str; 4] = ["ping me", "server expect", "maintenance start", "maintenance end"];

/// How much of a name that strangers chose is shown, in UTF-16 units.
const NAME_LIMIT: usize = 60;

/// The choices for the option that is being typed, from memory.
pub(super) fn offer(shared: &Shared, guilds: &Guilds, request: &Request) -> Value {
    let Some((option, typed)) = request.focused() else { return choices([]) };
    let known = shared.directory.look(request.guild, Instant::now());
    let all = match option {
        "account" if owning::COMMANDS.contains(&request.name.as_str()) => {
            named(&shared.directory.owned_by(request.user, Instant::now()))
        }
        "account" => named(&known.accounts),
        option if request.name == "board create" && board::SERVERS.contains(&option) => {
            let servers = servers(&known, request, board::choice);
            // One that was chosen in another option is not offered again.
            let taken: Vec<_> = board::SERVERS.iter().filter_map(|option| request.text(option)).collect();
            servers.into_iter().filter(|(_, value)| !taken.contains(&value.as_str())).collect()
        }
        "board" => boards(&known, guilds, request),
        "server" if request.name == "ping me" => servers(&known, request, board::choice),
        "server" => servers(&known, request, |_, server| server.as_str().to_owned()),
        "connection" => connections(shared, &known, request),
        "binding" => bindings(&known, guilds, request),
        _ => Vec::new(),
    };
    matching(typed, all)
}

/// The servers that a member may leave: those on which they wait for something, hidden and forgotten ones too.
pub(super) async fn offer_to_leave(shared: &Shared, request: &Request) -> Result<Value, StoreError> {
    let places = pings::awaited_by(shared, request.guild, request.user).await?;
    let named = |((account, server), name): (Place, Option<String>)| {
        (in_words(&account, &server, name.as_deref()), board::choice(&account, &server))
    };
    Ok(matching(request.focused().map_or("", |(_, typed)| typed), places.into_iter().map(named)))
}

fn matching(typed: &str, all: impl IntoIterator<Item = (String, String)>) -> Value {
    let typed = typed.to_lowercase();
    choices(all.into_iter().filter(|(name, _)| name.to_lowercase().contains(&typed)))
}

fn named(accounts: &[AccountName]) -> Vec<(String, String)> {
    accounts.iter().map(|account| (account.to_string(), account.to_string())).collect()
}

/// The known servers, each under the value that `value_of` makes of it.
fn servers(
    known: &Choices,
    request: &Request,
    value_of: impl Fn(&AccountName, &ServerId) -> String,
) -> Vec<(String, String)> {
    let wanted = request.text("account");
    known
        .servers
        .iter()
        // Those that are hidden stay there for whoever manages them; there is nothing more to hide of them.
        .filter(|server| !server.is_hidden || request.name == "server rename" || request.name == "server expect")
        .filter(|server| !OF_REAL_SERVERS.contains(&request.name.as_str()) || server.id.as_str() != UNKNOWN_SERVER)
        .filter(|server| wanted.is_none_or(|wanted| server.account.as_str() == wanted))
        .map(|KnownServer { account, id, name, .. }| (in_words(account, id, name.as_deref()), value_of(account, id)))
        .collect()
}

/// A server, as it is offered.
fn in_words(account: &AccountName, id: &ServerId, name: Option<&str>) -> String {
    let by_id = plain(id.as_str(), NAME_LIMIT / 2, "?");
    let name = match name {
        Some(name) => format!("{} ({by_id})", plain(name, NAME_LIMIT, "?")),
        None => plain(id.as_str(), NAME_LIMIT, "?"),
    };
    format!("{name} · {account}")
}

fn boards(known: &Choices, guilds: &Guilds, request: &Request) -> Vec<(String, String)> {
    let name = |(id, channel): &(i64, ChannelId)| {
        let channel =
            guilds.channel_name(request.guild, *channel).map_or_else(|| channel.to_string(), |name| format!("#{name}"));
        (format!("#{id} {channel}"), id.to_string())
    };
    known.boards.iter().map(name).collect()
}

/// What is connected to the account of the server that was chosen, for whoever may say which connection is its.
fn connections(shared: &Shared, known: &Choices, request: &Request) -> Vec<(String, String)> {
    let (wanted, account) = (request.text("server").unwrap_or_default(), request.text("account"));
    let accounts: BTreeSet<_> = known
        .servers
        .iter()
        .filter(|server| server.id.as_str() == wanted || server.name.as_deref() == Some(wanted))
        .map(|server| &server.account)
        .filter(|of| account.is_none_or(|account| of.as_str() == account))
        .filter(|of| shared.directory.is_no_others(request.user, of))
        .collect();
    let none = (words::NO_CONNECTION_CHOICE.to_owned(), server::NO_CONNECTION.to_owned());
    let mut offered = vec![none];
    for client in accounts.into_iter().flat_map(|account| server::clients(shared, account).unwrap_or_default()) {
        let [user, name, language] =
            [&client.user, &client.name, &client.language].map(|text| plain(text, NAME_LIMIT / 2, "–"));
        let choice = (words::connection_choice(&user, &name, &language), server::connection_key(&client));
        if !offered.contains(&choice) {
            offered.push(choice);
        }
    }
    offered
}

fn bindings(known: &Choices, guilds: &Guilds, request: &Request) -> Vec<(String, String)> {
    known
        .bindings
        .iter()
        .filter(|binding| match request.name.as_str() {
            "notify pause" => binding.paused_at.is_none(),
            "notify resume" => binding.paused_at.is_some(),
            _ => true,
        })
        .map(|binding| {
            let channel = guilds
                .channel_name(binding.guild, binding.channel)
                .map_or_else(|| binding.channel.to_string(), |name| format!("#{name}"));
            let mut name =
                format!("#{} {channel} · {} · {}", binding.id, kinds_in_words(binding.kinds), binding.account);
            if let Some(server) = &binding.server {
                name = format!("{name} · {}", plain(server.as_str(), NAME_LIMIT / 2, "?"));
            }
            if binding.paused_at.is_some() {
                name = format!("{name} · {}", words::PAUSED_CHOICE);
            }
            (name, binding.id.to_string())
        })
        .collect()
}
