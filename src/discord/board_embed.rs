//! Lays out a board: an embed for each server, within what one message may hold.
//!
//! A board has to be posted whatever happened, so everything that can grow is bounded: the servers by the embeds of a
//! message, what is told of each by its share of the message. What is left out is counted.

use serde::Serialize;
use serde_json::{Value, json};

use super::embed::{Colour, DESCRIPTION_LIMIT, EMBEDS_LIMIT, Embed, MESSAGE_LIMIT};
use super::message::AllowedMentions;
use super::words;
use crate::domain::board::{NoServers, OnlinePlayer, Picture, ShownServer};
use crate::domain::outlook::Outlook;
use crate::domain::server_state::State;
use crate::domain::text::{display, utf16_length};

/// What the button below a board stands for, by which members are pinged.
pub const PING_BUTTON: &str = "ping";

/// How many servers one board tells of.
pub const SERVERS_LIMIT: usize = EMBEDS_LIMIT;

/// How many players are named for each server: more is a wall that nobody reads.
pub const PLAYERS_LIMIT: usize = 30;

/// How much of a name that strangers chose is shown, in UTF-16 units.
const NAME_LIMIT: usize = 60;

/// What the last embed's footer, its mark and the count of further servers take at most.
const LAST_ROOM: usize = 120;

/// What makes the first post of a board's message unlike any other: see [`Seal`](super::message::Seal).
#[derive(Debug, Clone, Copy)]
pub struct Posting<'a> {
    /// By it, Discord knows a message that it has already: at most 25 characters.
    pub nonce: &'a str,
}

#[derive(Serialize)]
struct BoardMessage<'a> {
    content: &'static str,
    embeds: Vec<Embed>,
    components: Vec<Value>,
    allowed_mentions: AllowedMentions,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    enforce_nonce: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    flags: Option<u32>,
}

/// The request's body that shows `picture`, to edit a board's message, or to post it where `posting` is given. `mark` ends
/// the last embed's footer, so that the message can be found again in its channel.
#[must_use]
pub fn board_body(picture: &Picture, mark: &str, posting: Option<Posting<'_>>) -> String {
    let message = BoardMessage {
        content: "",
        embeds: embeds(picture, mark),
        components: components(picture),
        allowed_mentions: AllowedMentions::none(),
        nonce: posting.map(|posting| posting.nonce),
        enforce_nonce: posting.is_some(),
        // It appears, and calls nobody.
        flags: posting.map(|_| super::message::SUPPRESS_NOTIFICATIONS),
    };
    serde_json::to_string(&message).expect("texts and numbers are JSON")
}

/// The rows of buttons below a board: what it shows, members can be pinged for.
fn components(picture: &Picture) -> Vec<Value> {
    if picture.servers.is_empty() {
        return Vec::new();
    }
    let button = json!({ "type": 2, "style": 2, "label": words::PING_ME, "custom_id": PING_BUTTON });
    vec![json!({ "type": 1, "components": [button] })]
}

fn embeds(picture: &Picture, mark: &str) -> Vec<Embed> {
    let servers = &picture.servers[..picture.servers.len().min(SERVERS_LIMIT)];
    let more = picture.more + picture.servers.len() - servers.len();
    let room = ((MESSAGE_LIMIT - LAST_ROOM) / servers.len().max(1)).min(DESCRIPTION_LIMIT);
    let has_several_accounts = servers.windows(2).any(|pair| pair[0].account != pair[1].account);
    let mut embeds: Vec<_> = servers.iter().map(|server| server_embed(server, has_several_accounts, room)).collect();
    let last = embeds.pop().unwrap_or_else(|| {
        let told = match picture.if_none {
            NoServers::Unheard => words::BOARD_EMPTY,
            NoServers::Hidden => words::ALL_HIDDEN,
            NoServers::Unlinked => words::BOARD_UNLINKED,
            NoServers::ChosenUnlinked => words::BOARD_WITHOUT_SERVERS,
        };
        Embed::new(told).with_colour(Colour::GREY)
    });
    let remark = if more == 0 {
        words::BOARD_REMARK.to_owned()
    } else {
        format!("{} · {}", words::board_more_servers(more), words::BOARD_REMARK)
    };
    embeds.push(last.with_footer(&remark).with_footer_suffix(mark));
    embeds
}

fn server_embed(server: &ShownServer, with_account: bool, room: usize) -> Embed {
    let name = display(server.name.as_deref().unwrap_or(server.id.as_str()), NAME_LIMIT, "?");
    let account = with_account.then_some(server.account.as_str());
    let head = format!("{}\n{}", words::board_heading(&name, account), words::standing(server.state, server.outlook));
    let moments = server.wiped_at.map(words::wiped).into_iter();
    // When its connection was seen changes all the time, and would be an edit each time.
    let moments = moments.chain(server.heard_about().map(|heard| words::freshness(heard, None)));
    let moments = moments.collect::<Vec<_>>().join(" · ");
    let mut parts = vec![head];
    if server.is_in_sight() && server.state.state != State::Offline {
        let taken = utf16_length(&parts[0]) + utf16_length(&moments) + 2;
        parts.push(players(&server.players, server.online, room.saturating_sub(taken)));
    }
    parts.push(moments);
    parts.retain(|part| !part.is_empty());
    Embed::new(&parts.join("\n")).with_colour(colour(server))
}

/// How many are online, and as many of them by name as fit; those who are left out are counted.
fn players(players: &[OnlinePlayer], online: u64, room: usize) -> String {
    let mut told = format!("👥 {}", words::players_on(online, true));
    // The counts have at most 20 digits each.
    let room = room.saturating_sub(64);
    let mut named = 0;
    for player in players.iter().take(PLAYERS_LIMIT) {
        let name = display(player.name.as_deref().unwrap_or_default(), NAME_LIMIT, words::UNNAMED_PLAYER);
        let line = words::player_since(&name, player.since);
        if utf16_length(&told) + utf16_length(&line) >= room {
            break;
        }
        told = format!("{told}\n{line}");
        named += 1;
    }
    let left = online.saturating_sub(named);
    if named > 0 && left > 0 {
        told = format!("{told}\n{}", words::and_more(usize::try_from(left).unwrap_or(usize::MAX)));
    }
    told
}

fn colour(server: &ShownServer) -> Colour {
    match (server.outlook, server.state.state) {
        (Outlook::Seen, State::Online) => Colour::GREEN,
        (Outlook::Seen, State::Stopping) => Colour::AMBER,
        (Outlook::Seen, State::Offline) => Colour::RED,
        _ => Colour::GREY,
    }
}

#[cfg(test)]
mod tests;
