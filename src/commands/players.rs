//! `/players`: who is on the servers, as far as that was heard.

use super::component::Target;
use super::reply::Reply;
use super::request::Request;
use super::{Shared, paging, servers, status};
use crate::discord::words;
use crate::domain::ids::GuildId;
use crate::domain::outlook::Outlook;
use crate::domain::server_state::State;
use crate::domain::text::display;
use crate::store::StoreError;
use crate::store::online::PlayerOn;

/// How much of a player's name is shown, in UTF-16 units. Steam allows 32 characters, and escaping may double them.
const NAME_LIMIT: usize = 64;

/// How many players stand together below their server's name: as many as half a page holds.
const TOGETHER: usize = 20;

/// How many players are listed altogether; a server's number tells of the rest.
const MOST_LISTED: usize = 2_000;

/// The longest custom id of a button: <https://discord.com/developers/docs/components/reference#custom-id>.
const CUSTOM_ID_LIMIT: usize = 100;

/// `/players`.
pub(super) async fn players(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    show(shared, request.guild, request.text("server"), 0).await
}

/// A page of who is on all servers, or on the `wanted` ones.
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
    let counts = shared.store.players_on_servers(guild).await?;
    let mut left = MOST_LISTED;
    let mut entries = Vec::new();
    for named in &seen {
        let server = &named.server;
        let count = counts.get(&(server.account.clone(), server.id.clone())).copied().unwrap_or(0);
        let outlook = servers::outlook(shared, server);
        let on = status::players_on(server, outlook, count);
        let limit = if on.is_none() || count == 0 { 0 } else { left };
        let players = match limit {
            0 => Vec::new(),
            limit => shared.store.players_on(&server.account, &server.id, limit).await?.1,
        };
        left -= players.len();
        let is_plain = server.state.state == State::Online && outlook == Outlook::Seen;
        let short = words::standing_in_short(server.state, outlook);
        let facts: Vec<_> = (!is_plain).then(|| short.to_owned()).into_iter().chain(on).collect();
        let title = words::players_title(&servers::shown(named), server.account.as_str(), &facts);
        add_entries(&title, &players, &mut entries);
    }
    let remark = Some(words::PLAYERS_REMARK);
    let target = |page| Target::Players(page, wanted.map(str::to_owned));
    if target(usize::MAX).custom_id().chars().count() > CUSTOM_ID_LIMIT {
        return Ok(Reply::list(&entries, remark));
    }
    Ok(paging::page(&entries, remark, page, target))
}

/// A server with its players, some at a time.
fn add_entries(title: &str, players: &[PlayerOn], entries: &mut Vec<String>) {
    if players.is_empty() {
        entries.push(title.to_owned());
    }
    entries.extend(players.chunks(TOGETHER).map(|players| {
        let lines: Vec<_> = players.iter().map(line).collect();
        format!("{title}\n{}", lines.join("\n"))
    }));
}

fn line(player: &PlayerOn) -> String {
    let id = display(player.player.as_str(), NAME_LIMIT, words::SOME_PLAYER);
    let name = player.name.as_deref().map_or_else(|| id.clone(), |name| display(name, NAME_LIMIT, &id));
    words::player_since(&name, player.since)
}
