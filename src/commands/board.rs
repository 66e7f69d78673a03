//! `/board`: messages that always show how servers stand. What keeps them up to date is `delivery`.

use super::reply::Reply;
use super::request::Request;
use super::{Shared, servers};
use crate::clock;
use crate::discord::guilds::{ChannelAccess, Guilds, Place};
use crate::discord::notice_embed::REASON_LIMIT;
use crate::discord::words;
use crate::domain::board::{BOARDS_LIMIT, Board};
use crate::domain::ids::{AccountName, ChannelId, GuildId, ServerId};
use crate::domain::text::display;
use crate::store::StoreError;
use crate::store::boards::{BoardAdded, ListedBoard};
use crate::store::servers::NamedServer;

/// The options for the servers that a board shows.
pub(super) const SERVERS: [&str; crate::domain::board::CHOSEN_LIMIT] =
    ["server", "server2", "server3", "server4", "server5"];

/// How much of a name that strangers chose is shown, in UTF-16 units.
const NAME_LIMIT: usize = 60;

/// `/board create`.
pub(super) async fn create(shared: &Shared, guilds: &Guilds, request: &Request) -> Result<Reply, StoreError> {
    let chosen = match chosen_servers(shared, request).await? {
        Ok(chosen) => chosen,
        Err(refusal) => return Ok(Reply::text(refusal)),
    };
    let channel = match channel_for_board(guilds, request) {
        Ok(channel) => channel,
        Err(refusal) => return Ok(Reply::text(refusal)),
    };
    let board = Board {
        id: shared.store.next_number(),
        guild: request.guild,
        channel,
        chosen,
        created_by: request.user,
        created_at: clock::now(),
    };
    Ok(Reply::text(match shared.store.add_board(&board, &request.by()).await? {
        BoardAdded::Done => {
            tracing::info!(board = board.id, guild = %board.guild, %channel, user = %request.user, "a board was created");
            let named = shared.store.servers_of_guild(request.guild).await?;
            words::board_created(channel.0, &servers_in_words(&board, &named))
        }
        BoardAdded::ThereAlready => words::board_there_already(channel.0),
        BoardAdded::TooMany => words::too_many_boards(BOARDS_LIMIT),
        BoardAdded::NotLinked => words::NO_ACCOUNT_LINKED.to_owned(),
    }))
}

/// `/board list`.
pub(super) async fn list(shared: &Shared, guild: GuildId) -> Result<Reply, StoreError> {
    let boards = shared.store.boards_of_guild(guild).await?;
    if boards.is_empty() {
        return Ok(Reply::text(words::NO_BOARDS));
    }
    let named = shared.store.servers_of_guild(guild).await?;
    let line = |ListedBoard { board, message, trouble }: &ListedBoard| {
        let link = message.map(|message| words::link(board.guild.0, board.channel.0, message));
        let trouble = trouble.as_ref().map(|trouble| display(trouble, REASON_LIMIT, "?"));
        let servers = servers_in_words(board, &named);
        words::board_line(board.id, board.channel.0, &servers, link.as_deref(), trouble.as_deref())
    };
    let lines: Vec<_> = boards.iter().map(line).collect();
    Ok(Reply::list(&lines, None))
}

/// `/board remove`.
pub(super) async fn remove(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let id = request.text("board").and_then(|board| board.trim_start_matches('#').parse().ok());
    let removed = match id {
        Some(id) => shared.store.remove_board(request.guild, id, &request.by()).await?,
        None => None,
    };
    let Some(board) = removed else { return Ok(Reply::text(words::NO_SUCH_BOARD)) };
    let (guild, channel) = (board.guild, board.channel);
    tracing::info!(board = board.id, %guild, %channel, user = %request.user, "a board was removed");
    Ok(Reply::text(words::board_removed(channel.0)))
}

/// The channel that is meant, or why it can't have a board.
fn channel_for_board(guilds: &Guilds, request: &Request) -> Result<ChannelId, String> {
    let Some(channel) = request.channel("channel") else { return Err(words::bad_option("channel")) };
    if channel.place != Place::Channel {
        return Err(words::BOARD_NOT_IN_THREADS.to_owned());
    }
    let access = guilds.access(request.guild, channel);
    if access == ChannelAccess::Unknown {
        return Err(words::channel_out_of_sight(channel.id.0));
    }
    let missing: Vec<_> = access.missing_permissions().into_iter().map(|name| format!("**{name}**")).collect();
    if missing.is_empty() { Ok(channel.id) } else { Err(words::missing_permissions(channel.id.0, &missing.join(", "))) }
}

/// The servers that were chosen, `None` where that is all; or why they can't be shown.
async fn chosen_servers(
    shared: &Shared,
    request: &Request,
) -> Result<Result<Option<Vec<(AccountName, ServerId)>>, String>, StoreError> {
    if shared.store.links(request.guild).await?.is_empty() {
        return Ok(Err(words::NO_ACCOUNT_LINKED.to_owned()));
    }
    let known = shared.store.servers_of_guild(request.guild).await?;
    let mut chosen = Vec::new();
    for wanted in SERVERS.iter().filter_map(|option| request.text(option)) {
        match meant(&known, wanted) {
            Ok(server) if chosen.contains(&server) => {}
            Ok(server) => chosen.push(server),
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
    chosen.sort();
    Ok(Ok((!chosen.is_empty()).then_some(chosen)))
}

/// A server as it was offered, by its account and id; or as it was typed, where only one can be meant.
fn meant(known: &[NamedServer], wanted: &str) -> Result<(AccountName, ServerId), String> {
    let key = |named: &NamedServer| (named.server.account.clone(), named.server.id.clone());
    if let Some(named) = known.iter().find(|named| choice(&named.server.account, &named.server.id) == wanted) {
        return Ok(key(named));
    }
    match servers::meant(known, wanted).as_slice() {
        [named] => Ok(key(named)),
        [] => Err(servers::unknown(known, wanted)),
        _ => Err(words::which_server(&display(wanted, NAME_LIMIT, "?"))),
    }
}

/// The value of a server's choice: no account has a space in its name.
pub(super) fn choice(account: &AccountName, server: &ServerId) -> String {
    format!("{account} {}", server.as_str())
}

/// The servers that a board shows, by the names that the guild knows.
fn servers_in_words(board: &Board, known: &[NamedServer]) -> String {
    let Some(chosen) = &board.chosen else { return words::ALL_SERVERS.to_owned() };
    let name = |(account, id): &(AccountName, ServerId)| {
        let named = known.iter().find(|named| named.server.account == *account && named.server.id == *id);
        let name = named.and_then(|named| named.name.as_deref()).unwrap_or(id.as_str());
        format!("**{}**", display(name, NAME_LIMIT, "?"))
    };
    let names: Vec<_> = chosen.iter().map(name).collect();
    if names.is_empty() { words::BOARD_WITHOUT_SERVERS.to_owned() } else { names.join(", ") }
}
