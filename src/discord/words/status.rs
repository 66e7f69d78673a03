//! How servers stand, and who is on them: no more than is known, and how old that is.

use crate::domain::outlook::Outlook;
use crate::domain::server_state::{Cause, ServerState, State};
use crate::domain::timestamp::Timestamp;

/// How a server stands, since when and because of what; or since when that can't be told.
#[must_use]
pub fn standing(server: ServerState, outlook: Outlook) -> String {
    match outlook {
        Outlook::Seen => seen(server),
        Outlook::Blind { since } => {
            let because = "I can't read what its servers send";
            format!("❔ out of my sight since {}: {because}{}", moment(since), before(server))
        }
        Outlook::Unheard { since } => {
            format!("❔ nothing was heard or seen of it since {}{}", moment(since), before(server))
        }
    }
}

/// The same in two or three words, for where there is no room.
#[must_use]
pub fn standing_in_short(server: ServerState, outlook: Outlook) -> &'static str {
    match (outlook, server.state) {
        (Outlook::Blind { .. } | Outlook::Unheard { .. }, _) => "❔ can't be seen",
        (Outlook::Seen, State::Unknown) => "❔ not known",
        (Outlook::Seen, State::Online) => "🟢 online",
        (Outlook::Seen, State::Stopping) => "🟠 stopping",
        (Outlook::Seen, State::Offline) if server.is_crash() => "💥 crashed",
        (Outlook::Seen, State::Offline) => "🔴 offline",
        (Outlook::Seen, State::ContactLost) => "⚫ contact lost",
    }
}

fn seen(server: ServerState) -> String {
    let short = standing_in_short(server, Outlook::Seen);
    let Some(since) = server.since.map(moment) else {
        return format!("{short}: it has not said whether it is up");
    };
    let because = match (server.state, server.cause) {
        (State::Online, Some(Cause::Heard)) => return format!("{short}, at least since {since}"),
        (State::Online, Some(Cause::Started)) => "it said that it started",
        (State::Online, Some(Cause::Connected)) => "its connection is there",
        (State::Stopping, _) => "it said that it stops",
        (State::Offline, Some(Cause::SaidStopped)) => "it said that it stopped",
        (State::Offline, Some(Cause::SaidStopping)) => "it said that it stops, and its connection closed",
        (State::Offline, _) if server.is_crash() => {
            let because = "its connection closed without a word, and it usually says when it stops";
            return format!("{short} {since}: {because}");
        }
        (State::Offline, Some(Cause::Closed)) => "its connection closed; whether it stopped or crashed can't be told",
        (State::ContactLost, Some(Cause::Stale)) => {
            "its connection does not answer any more: it hangs, or the network between does"
        }
        (State::ContactLost, Some(Cause::Revoked)) => "its credential was revoked; it may run all the same",
        (State::ContactLost, Some(Cause::Vanished)) => "its connection has gone, and nobody can tell why",
        (State::ContactLost, Some(Cause::Silent)) => {
            "it was silent for longer than is expected of it; it may run all the same"
        }
        _ => return format!("{short} since {since}"),
    };
    format!("{short} since {since}: {because}")
}

/// How it stood before it got out of sight.
fn before(server: ServerState) -> String {
    match server.state {
        State::Unknown => String::new(),
        _ => format!(". Before that: {}", standing_in_short(server, Outlook::Seen)),
    }
}

fn moment(at: Timestamp) -> String {
    format!("<t:{}:R>", at.unix_seconds())
}

/// How many players are on a server; on one that is out of sight, or whose contact is lost, how many were.
#[must_use]
pub fn players_on(count: u64, is_now: bool) -> String {
    match (count, is_now) {
        (0, true) => "nobody on".to_owned(),
        (0, false) => "nobody was on".to_owned(),
        (1, true) => "1 player on".to_owned(),
        (1, false) => "1 player was on".to_owned(),
        (_, true) => format!("{count} players on"),
        (_, false) => format!("{count} players were on"),
    }
}

/// When a server's world was wiped last.
#[must_use]
pub fn wiped(at: Timestamp) -> String {
    format!("wiped {}", moment(at))
}

/// When the last event of a server was stored, and when its connection was seen last, where that is newer.
#[must_use]
pub fn freshness(heard: Timestamp, connection_seen: Option<Timestamp>) -> String {
    let seen = connection_seen.filter(|seen| *seen > heard);
    let seen = seen.map_or_else(String::new, |seen| format!(", connection seen {}", moment(seen)));
    format!("last heard {}{seen}", moment(heard))
}

/// A server in a list, with its standing and what else is known of it.
#[must_use]
pub fn server_entry(server: &str, account: &str, standing: &str, facts: &[String]) -> String {
    format!("**{server}** · {account}\n{standing}\n{}", facts.join(" · "))
}

/// A server above its players.
#[must_use]
pub fn players_title(server: &str, account: &str, facts: &[String]) -> String {
    std::iter::once(format!("**{server}** · {account}")).chain(facts.iter().cloned()).collect::<Vec<_>>().join(" · ")
}

/// A player who is on a server, and since when.
#[must_use]
pub fn player_since(player: &str, since: Timestamp) -> String {
    format!("{player} · {}", moment(since))
}

/// What the list of players is worth.
pub const PLAYERS_REMARK: &str = "Whoever came before I listened is missing, and a departure may be told minutes late.";

/// No server was ever heard of.
pub const NO_SERVERS: &str = "I have heard of no game server yet. One appears here with its first event, once a channel \
                              hears its account (`/notify add`) or a board shows it (`/board create`).";

/// All servers are hidden.
pub const ALL_HIDDEN: &str =
    "All game servers are hidden here until they are heard of again. `/server list` shows them.";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(second: u64) -> Timestamp {
        Timestamp::default().plus(Duration::from_secs(second))
    }

    fn server(state: State, cause: Option<Cause>, says_when_it_stops: bool) -> ServerState {
        ServerState { state, since: cause.map(|_| at(60)), cause, says_when_it_stops, said_started_at: None }
    }

    #[test]
    fn no_more_is_said_than_is_known() {
        for (state, cause, says, wanted) in [
            (State::Unknown, None, false, "❔ not known: it has not said whether it is up"),
            (State::Online, Some(Cause::Started), false, "🟢 online since <t:60:R>: it said that it started"),
            (State::Online, Some(Cause::Heard), true, "🟢 online, at least since <t:60:R>"),
            (State::Online, Some(Cause::Connected), true, "🟢 online since <t:60:R>: its connection is there"),
            (State::Stopping, Some(Cause::SaidStopping), true, "🟠 stopping since <t:60:R>: it said that it stops"),
            (State::Offline, Some(Cause::SaidStopped), true, "🔴 offline since <t:60:R>: it said that it stopped"),
            (
                State::Offline,
                Some(Cause::SaidStopping),
                true,
                "🔴 offline since <t:60:R>: it said that it stops, and its connection closed",
            ),
            (
                State::Offline,
                Some(Cause::Closed),
                true,
                "💥 crashed <t:60:R>: its connection closed without a word, and it usually says when it stops",
            ),
            (
                State::Offline,
                Some(Cause::Closed),
                false,
                "🔴 offline since <t:60:R>: its connection closed; whether it stopped or crashed can't be told",
            ),
            (
                State::ContactLost,
                Some(Cause::Stale),
                true,
                "⚫ contact lost since <t:60:R>: its connection does not answer any more: it hangs, or the network between \
                 does",
            ),
            (
                State::ContactLost,
                Some(Cause::Revoked),
                false,
                "⚫ contact lost since <t:60:R>: its credential was revoked; it may run all the same",
            ),
            (
                State::ContactLost,
                Some(Cause::Vanished),
                false,
                "⚫ contact lost since <t:60:R>: its connection has gone, and nobody can tell why",
            ),
            (
                State::ContactLost,
                Some(Cause::Silent),
                false,
                "⚫ contact lost since <t:60:R>: it was silent for longer than is expected of it; it may run all the same",
            ),
        ] {
            assert_eq!(standing(server(state, cause, says), Outlook::Seen), wanted);
        }
    }

    #[test]
    fn what_is_out_of_sight_is_told_as_it_was() {
        let online = server(State::Online, Some(Cause::Started), false);
        let (blind, unheard) = (Outlook::Blind { since: at(90) }, Outlook::Unheard { since: at(90) });
        assert_eq!(
            standing(online, blind),
            "❔ out of my sight since <t:90:R>: I can't read what its servers send. Before that: 🟢 online"
        );
        assert_eq!(
            standing(online, unheard),
            "❔ nothing was heard or seen of it since <t:90:R>. Before that: 🟢 online"
        );
        assert_eq!(
            standing(ServerState::default(), blind),
            "❔ out of my sight since <t:90:R>: I can't read what its servers send"
        );
        assert_eq!(standing_in_short(online, blind), "❔ can't be seen");
        assert_eq!(
            (players_on(2, true), players_on(1, false)),
            ("2 players on".to_owned(), "1 player was on".to_owned())
        );
    }

    #[test]
    fn freshness_is_the_newer_of_what_was_heard_and_seen() {
        assert_eq!(freshness(at(60), None), "last heard <t:60:R>");
        assert_eq!(freshness(at(60), Some(at(50))), "last heard <t:60:R>");
        assert_eq!(freshness(at(60), Some(at(70))), "last heard <t:60:R>, connection seen <t:70:R>");
    }
}
