//! Members' own pings: what they are told in the channel, and what `/ping` and `/board pings` answer.

use std::time::Duration;

use super::duration;
use crate::domain::ping::{News, Wish};

/// What a member has waited for came about on a server, as [`server`](super::server) names it.
#[must_use]
pub fn called(server: &str, news: News) -> String {
    match news {
        News::Back => format!("🔔 {server} is back"),
        News::Players(1) => format!("🔔 One player is on: {server}"),
        News::Players(players) => format!("🔔 {players} players are on: {server}"),
        News::Wiped(_) => format!("🔔 {server} was wiped: a fresh world awaits"),
    }
}

/// What stands below a ping: where no markdown is rendered.
pub const CALLED_REMARK: &str = "You asked for it · /ping leave ends it";

/// Below what came about, where that was too long ago to call anybody.
pub const CALLED_LATE: &str = "🕓 I could not tell it sooner, so nobody is called for it.";

/// A ping, in a line, and how many it called.
#[must_use]
pub fn call_line(what: &str, users: usize) -> String {
    format!("{what} · members who asked for it: {users}")
}

/// What a member waits for, within a sentence.
#[must_use]
pub fn wish(wish: Wish) -> String {
    match wish {
        Wish::Back => "is back after it was down".to_owned(),
        Wish::Players(1) => "has a player on".to_owned(),
        Wish::Players(players) => format!("has at least {players} players on"),
        Wish::Wiped => "was wiped".to_owned(),
    }
}

/// What can be waited for, where it is chosen.
#[must_use]
pub fn wish_choice(wish: &str) -> &'static str {
    match wish {
        "back" => "back: it is back after it was down",
        "players" => "players: at least so many players are on",
        _ => "wiped: its world was wiped",
    }
}

/// The member waits for something.
#[must_use]
pub fn ping_asked(server: &str, wanted: Wish, channel: u64, cooldown: Duration) -> String {
    format!(
        "🔔 I ping you in <#{channel}> when **{server}** {}, at most once in {}. `/ping list` shows what you asked for, and \
         `/ping leave` ends it.",
        wish(wanted),
        duration(cooldown)
    )
}

/// Behind that: it took the place of what the member waited for before.
#[must_use]
pub fn ping_instead_of(players: u32) -> String {
    format!("It replaces your wish for {players} players: I watch one number of players for each server.")
}

/// Of several numbers of players that were chosen for one server, one is waited for.
pub const PING_LEAST: &str = "I watch one number of players for each server, and took the lowest that you chose.";

/// The channel for pings is stopped.
#[must_use]
pub fn pings_held_up(channel: u64) -> String {
    format!("🔴 <#{channel}> takes no messages from me now, so no ping gets there until somebody mends that.")
}

/// Behind that: so many are on already.
pub const PING_NOT_NOW: &str = "As many are on now, so I wait until they are fewer, and then for the next time.";

/// The member had that already.
#[must_use]
pub fn ping_there(server: &str, wanted: Wish, channel: u64) -> String {
    format!("You have that already: I ping you in <#{channel}> when **{server}** {}.", wish(wanted))
}

/// No channel is allowed.
pub const PINGS_NOT_ALLOWED: &str = "Nobody can be pinged here yet: somebody with **Manage Server** has to allow a channel \
                                     for it with `/board pings`. I send no direct messages.";

/// `players` was chosen, and no number given.
pub const PING_NEEDS_PLAYERS: &str = "Say from how many players on: choose a number with the option `players`.";

/// What has no server's name is no server.
pub const NO_SERVER_OF_THAT_NAME: &str = "**unknown** is no game server: it stands for events that don't say which server \
                                          they are of.";

/// The server is not one of the guild's any more.
#[must_use]
pub fn ping_server_gone(server: &str) -> String {
    format!("**{server}** is none of this Discord server's game servers any more.")
}

/// What was chosen is not offered any more.
pub const PING_CHOICE_GONE: &str = "What you chose is not there any more. Press the button once more.";

/// The member has the most that one may have.
#[must_use]
pub fn too_many_pings(most: i64) -> String {
    format!("You have asked for {most} things already, and that is as many as one may here. `/ping leave` ends some.")
}

/// The guild has the most that it may have.
#[must_use]
pub fn too_many_pings_here(most: i64) -> String {
    format!(
        "The members of this Discord server have asked for {most} things together, and that is as many as I keep for one. \
         There is room when somebody uses `/ping leave`."
    )
}

/// What a member waits for, one of them.
#[must_use]
pub fn ping_entry(server: &str, account: &str, wanted: Wish) -> String {
    format!("🔔 **{server}** · {account} {}", wish(wanted))
}

/// Where a member is pinged for what stands above, and how that is ended.
#[must_use]
pub fn pings_told_in(channel: Option<u64>) -> String {
    match channel {
        Some(channel) => format!("You are pinged in <#{channel}> when:"),
        None => "No channel is allowed for pings at this time, so you are not pinged. You would be when:".to_owned(),
    }
}

/// The member waits for nothing.
pub const NO_PINGS: &str = "You asked for no pings here. `/ping me` does.";

/// The member waits for nothing on that server.
#[must_use]
pub fn no_pings_of(server: &str) -> String {
    format!("You asked for no pings of **{server}** here. `/ping list` shows what you asked for.")
}

/// What the member waited for is over.
#[must_use]
pub fn pings_left(count: u64) -> String {
    match count {
        1 => "🔕 One ping less: it is ended.".to_owned(),
        count => format!("🔕 {count} pings less: they are ended."),
    }
}

/// Members may be pinged in a channel.
#[must_use]
pub fn pings_allowed(channel: u64) -> String {
    format!(
        "Members are pinged in <#{channel}> from now on, each for what they ask for with `/ping me`. I mention nobody \
         else, and send no direct messages. `/board pings` without a channel takes it back."
    )
}

/// It was so already.
#[must_use]
pub fn pings_allowed_already(channel: u64) -> String {
    format!("Members are pinged in <#{channel}> already, for what they ask for with `/ping me`.")
}

/// Members are not pinged any more.
pub const PINGS_FORBIDDEN: &str = "Nobody is pinged here any more. What members asked for is kept, for when you allow a \
                                   channel again with `/board pings`; they can end it with `/ping leave`.";

/// They were not pinged before.
pub const PINGS_FORBIDDEN_ALREADY: &str =
    "Nobody is pinged here: no channel was allowed for it. `/board pings` with a channel allows one.";

/// The button under a board.
pub const PING_ME: &str = "🔔 Ping me";

/// In a select of what to be pinged for.
pub const CHOOSE_PING: &str = "What to be pinged for";

/// Above that select.
pub const CHOOSE_PING_BELOW: &str =
    "Choose what to be pinged for. `/ping me` takes every server, and any number of players.";

/// In its place where no server's name fits into a choice.
pub const PINGS_BY_COMMAND: &str = "The servers' names are too long to be chosen here. Use `/ping me` instead.";

/// Below it, where there was no room for all servers.
pub const MORE_BY_COMMAND: &str = "There are more servers than fit in here: `/ping me` takes every one.";

/// The button that ends all.
pub const LEAVE_PINGS: &str = "🔕 End all of mine";

/// What can be chosen there, as it may stand where no markdown is rendered.
#[must_use]
pub fn ping_option(server: &str, wanted: Wish) -> String {
    format!("{server} {}", wish(wanted))
}
