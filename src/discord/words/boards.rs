//! What stands on a board, and what is said of boards.

// ── On a board ──────────────────────────────────────────────────────────────────────────────────────────────────────

/// A server's name at the head of its part of a board; `account` where there are several.
#[must_use]
pub fn board_heading(server: &str, account: Option<&str>) -> String {
    account.map_or_else(|| format!("**{server}**"), |account| format!("**{server}** · {account}"))
}

/// A player of whom no name was heard.
pub const UNNAMED_PLAYER: &str = "somebody";

/// Servers that a board has no room for.
#[must_use]
pub fn board_more_servers(count: usize) -> String {
    if count == 1 { "… and 1 more server".to_owned() } else { format!("… and {count} more servers") }
}

/// A board of all servers, before any was heard of.
pub const BOARD_EMPTY: &str = "❔ I have heard of no game server yet. Each appears here with its first event.";

/// A board of all servers, in a Discord server that has no account any more.
pub const BOARD_UNLINKED: &str = "❔ No game-server account is linked to this Discord server any more. With a one-time code from \
                                  an account's owner, `/account link` links one; `/board remove` takes this board away.";

/// A board of chosen servers, none of which is linked any more.
pub const BOARD_WITHOUT_SERVERS: &str =
    "❔ The servers of this board are no longer linked to this Discord server. `/board remove` takes it away.";

/// What a board is, below it.
pub const BOARD_REMARK: &str = "Edited when something changes";

// ── Boards ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/// A board was created.
#[must_use]
pub fn board_created(channel: u64, servers: &str) -> String {
    format!("📋 <#{channel}> has a board from now on, with {servers}. I edit it whenever something changes.")
}

/// The servers of a board that names none.
pub const ALL_SERVERS: &str = "all servers of the linked accounts, later ones too";

/// A channel has a board already.
#[must_use]
pub fn board_there_already(channel: u64) -> String {
    format!(
        "<#{channel}> has a board already. Choose another channel, or take that one away with `/board remove` first."
    )
}

/// A guild has as many boards as it may have.
#[must_use]
pub fn too_many_boards(most: usize) -> String {
    format!("This Discord server has {most} boards, and that is the most. Take one away with `/board remove` first.")
}

/// A thread can be archived, and is not there to be looked at then.
pub const BOARD_NOT_IN_THREADS: &str = "A board needs a text or announcement channel: a thread that nobody writes in is archived, and nothing can be edited \
     there.";

/// Two accounts have a server of that name.
#[must_use]
pub fn which_server(server: &str) -> String {
    format!("Several linked accounts have a server {server}. Choose one of those that are offered while you type.")
}

/// There is no board.
pub const NO_BOARDS: &str = "There is no board here yet. `/board create` makes one.";

/// There is no board of that number.
pub const NO_SUCH_BOARD: &str = "There is no such board here. `/board list` shows what there is.";

/// A board in the list; `link` is its message, and `trouble` why it can't be kept up to date.
#[must_use]
pub fn board_line(id: i64, channel: u64, servers: &str, link: Option<&str>, trouble: Option<&str>) -> String {
    let link = link.map_or_else(|| " · not posted yet".to_owned(), |link| format!(" · [the message]({link})"));
    let trouble = trouble.map_or_else(String::new, |trouble| format!("\n🔴 not up to date: {trouble}"));
    format!("`#{id}` <#{channel}> · {servers}{link}{trouble}")
}

/// A board was removed.
#[must_use]
pub fn board_removed(channel: u64) -> String {
    format!("🗑️ The board in <#{channel}> is gone, and I delete its message.")
}
