//! What is offered while an option is typed.

use serde_json::Value;

use super::Shared;
use super::notify::kinds_in_words;
use super::reply::choices;
use super::request::Request;
use crate::discord::guilds::Guilds;
use crate::domain::text::plain;
use crate::store::StoreError;

/// How much of a name that strangers chose is shown, in UTF-16 units.
const NAME_LIMIT: usize = 60;

/// The choices for the option that is being typed.
pub(super) async fn offer(shared: &Shared, guilds: &Guilds, request: &Request) -> Result<Value, StoreError> {
    let Some((option, typed)) = request.focused() else { return Ok(choices([])) };
    let all = match option {
        "account" => accounts(shared, request).await?,
        "server" => servers(shared, request).await?,
        "binding" => bindings(shared, guilds, request).await?,
        _ => Vec::new(),
    };
    let typed = typed.to_lowercase();
    Ok(choices(all.into_iter().filter(|(name, _)| name.to_lowercase().contains(&typed))))
}

async fn accounts(shared: &Shared, request: &Request) -> Result<Vec<(String, String)>, StoreError> {
    let links = shared.store.links(request.guild).await?;
    Ok(links.into_iter().map(|link| (link.account.to_string(), link.account.to_string())).collect())
}

async fn servers(shared: &Shared, request: &Request) -> Result<Vec<(String, String)>, StoreError> {
    let account = request.text("account");
    let servers = shared.store.servers_of_guild(request.guild).await?;
    Ok(servers
        .into_iter()
        .filter(|status| account.is_none_or(|account| status.account.as_str() == account))
        .map(|status| {
            let name = plain(status.server.as_str(), NAME_LIMIT, "?");
            (format!("{name} · {}", status.account), status.server.as_str().to_owned())
        })
        .collect())
}

async fn bindings(shared: &Shared, guilds: &Guilds, request: &Request) -> Result<Vec<(String, String)>, StoreError> {
    let bindings = shared.store.bindings_of_guild(request.guild).await?;
    Ok(bindings
        .into_iter()
        .map(|binding| {
            let channel = guilds
                .channel_name(binding.guild, binding.channel)
                .map_or_else(|| binding.channel.to_string(), |name| format!("#{name}"));
            let server = binding
                .server
                .as_ref()
                .map_or_else(String::new, |server| format!(" · {}", plain(server.as_str(), NAME_LIMIT / 2, "?")));
            let name =
                format!("#{} {channel} · {} · {}{server}", binding.id, kinds_in_words(&binding), binding.account);
            (name, binding.id.to_string())
        })
        .collect())
}
