//! What is offered while an option is typed.

use serde_json::Value;
use tokio::time::Instant;

use super::Shared;
use super::notify::kinds_in_words;
use super::owning;
use super::reply::choices;
use super::request::Request;
use crate::discord::guilds::Guilds;
use crate::discord::words;
use crate::domain::ids::AccountName;
use crate::domain::text::plain;
use crate::store::directory::{Choices, KnownServer};

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
        "server" => servers(&known, request),
        "binding" => bindings(&known, guilds, request),
        _ => Vec::new(),
    };
    let typed = typed.to_lowercase();
    choices(all.into_iter().filter(|(name, _)| name.to_lowercase().contains(&typed)))
}

fn named(accounts: &[AccountName]) -> Vec<(String, String)> {
    accounts.iter().map(|account| (account.to_string(), account.to_string())).collect()
}

fn servers(known: &Choices, request: &Request) -> Vec<(String, String)> {
    let wanted = request.text("account");
    known
        .servers
        .iter()
        // Those that are hidden stay there for whoever manages them; there is nothing more to hide of them.
        .filter(|server| !server.is_hidden || request.name == "server rename" || request.name == "server expect")
        .filter(|server| wanted.is_none_or(|wanted| server.account.as_str() == wanted))
        .map(|KnownServer { account, id, name, .. }| {
            let by_id = plain(id.as_str(), NAME_LIMIT / 2, "?");
            let name = match name {
                Some(name) => format!("{} ({by_id})", plain(name, NAME_LIMIT, "?")),
                None => plain(id.as_str(), NAME_LIMIT, "?"),
            };
            (format!("{name} · {account}"), id.as_str().to_owned())
        })
        .collect()
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
