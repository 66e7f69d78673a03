//! The truth: which server runs and who is on it, as whoever makes things happen knows it.

use serde_json::{Value, json};

use super::cast::{PLAYERS, SERVERS};
use super::happening::Happening;

/// A server's number, counted from 0 as in [`SERVERS`].
pub(crate) type ServerId = usize;
/// A player's number, counted from 0 as in [`PLAYERS`].
pub(crate) type PlayerId = usize;

/// How a server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Players can join.
    Running,
    /// It said that it is about to stop.
    Stopping,
    /// It said that it has stopped, or was never started.
    Stopped,
    /// It died, and told nobody.
    Crashed,
}

impl State {
    /// In a word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Stopping => "stopping",
            State::Stopped => "stopped",
            State::Crashed => "crashed",
        }
    }
}

/// Where a player is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Not playing.
    Home,
    /// On a server.
    On(ServerId),
    /// On a server, and dead until they respawn.
    DeadOn(ServerId),
    /// Not let in for a while; see [`Town::forgive`].
    Banned,
}

/// Two servers and their players.
#[derive(Debug)]
pub(crate) struct Town {
    servers: [State; SERVERS.len()],
    /// What happened last on each, for people.
    last: [String; SERVERS.len()],
    players: [Place; PLAYERS.len()],
}

impl Town {
    /// Nothing runs yet, and everybody is at home.
    pub(crate) fn new() -> Town {
        Town {
            servers: [State::Stopped; SERVERS.len()],
            last: [const { String::new() }; SERVERS.len()],
            players: [Place::Home; PLAYERS.len()],
        }
    }

    /// How a server does.
    pub(crate) fn state(&self, server: ServerId) -> State {
        self.servers[server]
    }

    /// Whether a server said that it stops, and not yet that it started.
    pub(crate) fn is_down(&self, server: ServerId) -> bool {
        matches!(self.state(server), State::Stopping | State::Stopped)
    }

    /// Who is at this place, in the cast's order.
    pub(crate) fn at(&self, place: Place) -> Vec<PlayerId> {
        self.players.iter().enumerate().filter(|(_, at)| **at == place).map(|(player, _)| player).collect()
    }

    /// Everybody on a server, alive or not.
    pub(crate) fn on(&self, server: ServerId) -> Vec<PlayerId> {
        [Place::On(server), Place::DeadOn(server)].into_iter().flat_map(|place| self.at(place)).collect()
    }

    /// Lets a player in again who was banned; nobody announces that.
    pub(crate) fn forgive(&mut self, player: PlayerId) {
        if self.players[player] == Place::Banned {
            self.players[player] = Place::Home;
        }
    }

    /// Whether this can happen now: who decided it may have done so before something else happened.
    pub(crate) fn allows(&self, server: ServerId, happening: &Happening) -> bool {
        let state = self.servers[server];
        match happening {
            Happening::Started => state != State::Running,
            Happening::Stopping | Happening::Crashed => state == State::Running,
            Happening::Stopped | Happening::Wiped => state == State::Stopping,
            Happening::Joined { player } => state == State::Running && self.players[*player] == Place::Home,
            Happening::Left { player, .. } => self.on(server).contains(player),
            Happening::Banned { player, .. } => state == State::Running && self.on(server).contains(player),
            Happening::Said { .. }
            | Happening::Killed { .. }
            | Happening::Respawned { .. }
            | Happening::Gathered { .. }
            | Happening::Reported { .. } => true,
        }
    }

    /// Something happens. What a stopped or dead server's players did is of no consequence any more.
    pub(crate) fn apply(&mut self, server: ServerId, happening: &Happening) {
        match happening {
            Happening::Started => self.servers[server] = State::Running,
            Happening::Stopping => self.servers[server] = State::Stopping,
            Happening::Stopped => self.empty(server, State::Stopped),
            Happening::Crashed => self.empty(server, State::Crashed),
            Happening::Joined { player } | Happening::Respawned { player } => self.players[*player] = Place::On(server),
            Happening::Left { player, .. } => {
                if self.players[*player] != Place::Banned {
                    self.players[*player] = Place::Home;
                }
            }
            Happening::Banned { player, .. } => self.players[*player] = Place::Banned,
            Happening::Killed { victim, .. } => self.players[*victim] = Place::DeadOn(server),
            Happening::Wiped | Happening::Said { .. } | Happening::Gathered { .. } | Happening::Reported { .. } => {}
        }
        self.last[server] = happening.about(SERVERS[server]);
    }

    fn empty(&mut self, server: ServerId, state: State) {
        self.servers[server] = state;
        for player in self.on(server) {
            self.players[player] = Place::Home;
        }
    }

    /// The same for the page.
    pub(crate) fn to_json(&self) -> Value {
        let names = |players: Vec<PlayerId>| players.into_iter().map(|player| PLAYERS[player]).collect::<Vec<_>>();
        let server = |(server, name): (ServerId, &&str)| {
            json!({
                "name": name, "state": self.state(server).name(), "last": self.last[server],
                "players": names(self.on(server)),
            })
        };
        json!({
            "servers": SERVERS.iter().enumerate().map(server).collect::<Vec<_>>(),
            "home": names(self.at(Place::Home)), "banned": names(self.at(Place::Banned)),
        })
    }
}
