//! Why a binding shows nothing, as far as the servers' last events tell.

use crate::commands::Shared;
use crate::discord::words;
use crate::domain::binding::Binding;
use crate::domain::ids::GuildId;
use crate::domain::text::display;
use crate::store::StoreError;
use crate::store::servers::Server;

/// How many servers are told of, and how much of each one's name, in UTF-16 units.
const SERVERS_LIMIT: usize = 5;
const NAME_LIMIT: usize = 100;

/// For each binding, what its servers sent last, and why none of that was shown.
pub(super) async fn told(shared: &Shared, guild: GuildId, bindings: &[Binding]) -> Result<Vec<String>, StoreError> {
    let servers: Vec<_> = shared.store.servers_of_guild(guild).await?.into_iter().map(|named| named.server).collect();
    let told = |binding: &Binding| {
        let mut of_account: Vec<_> = servers.iter().filter(|server| server.account == binding.account).collect();
        let is_another = |server: &Server| binding.server.as_ref().is_some_and(|bound| *bound != server.id);
        of_account.sort_by_key(|server| (is_another(server), std::cmp::Reverse(server.heard_at)));
        if of_account.is_empty() {
            return words::no_server_heard(binding.account.as_str());
        }
        let lines: Vec<_> = of_account.iter().take(SERVERS_LIMIT).map(|server| silence_of(binding, server)).collect();
        words::servers_heard(binding.id, &lines.join("\n"))
    };
    Ok(bindings.iter().map(told).collect())
}

/// Why a binding shows nothing of what a server sent last.
fn silence_of(binding: &Binding, server: &Server) -> String {
    let name = display(server.id.as_str(), NAME_LIMIT, "?");
    let why = match &binding.server {
        Some(bound) if *bound != server.id => words::HEARS_ANOTHER_SERVER,
        _ if binding.paused_at.is_some() => words::PAUSED,
        _ if binding.covered_from.is_none_or(|from| server.heard_at <= from) => words::SENT_BEFORE_IT_BEGAN,
        // It was read and is new enough. What was shown is forgotten sooner than what was heard of the server.
        _ => words::HEARS_OTHER_KINDS,
    };
    words::server_silent(&name, server.heard_at.unix_seconds(), why)
}
