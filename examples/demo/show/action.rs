//! What whoever watches can make happen, as the page asks for it.

use serde::Deserialize;

use crate::community::cast::SERVERS;
use crate::community::town::{Place, ServerId, State, Town};

/// One press of a button: `{"action":"wipe","server":"Ironhaven"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Action {
    /// Somebody joins.
    Join { server: Server },
    /// Somebody leaves.
    Leave { server: Server },
    /// Somebody says something.
    Chat { server: Server },
    /// Somebody is banned.
    Ban { server: Server },
    /// A server stops in good order.
    Stop { server: Server },
    /// A server comes up.
    Start { server: Server },
    /// A server stops, gets a fresh world, and comes up.
    Wipe { server: Server },
    /// A server dies without a word.
    Crash { server: Server },
    /// Messages that are broken, unheard of, or mean harm.
    Garbage {},
    /// A thousand events at once.
    Storm {},
    /// Discord can't be reached for a while.
    DiscordAway {},
    /// nats-server is killed and started again.
    NatsRestart {},
    /// The bot is killed and started again.
    BotKill {},
}

/// One of the two servers, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Server(pub(crate) ServerId);

impl TryFrom<String> for Server {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Server, &'static str> {
        SERVERS.iter().position(|known| *known == name).map(Server).ok_or("there is no such server")
    }
}

impl Action {
    /// Why this can't happen right now, if it can't.
    pub(crate) fn obstacle(self, town: &Town) -> Option<String> {
        let is = |server: Server| town.state(server.0);
        let (server, wanted, players_wanted) = match self {
            Action::Join { server } => {
                if town.at(Place::Home).is_empty() {
                    return Some("everybody plays already".to_owned());
                }
                (server, is(server) == State::Running, false)
            }
            Action::Leave { server } | Action::Chat { server } | Action::Ban { server } => {
                (server, is(server) == State::Running, true)
            }
            Action::Stop { server } | Action::Wipe { server } | Action::Crash { server } => {
                (server, is(server) == State::Running, false)
            }
            Action::Start { server } => (server, matches!(is(server), State::Stopped | State::Crashed), false),
            Action::Garbage {}
            | Action::Storm {}
            | Action::DiscordAway {}
            | Action::NatsRestart {}
            | Action::BotKill {} => return None,
        };
        let name = SERVERS[server.0];
        if !wanted {
            return Some(format!("{name} is {} right now", is(server).name()));
        }
        (players_wanted && town.on(server.0).is_empty()).then(|| format!("nobody is on {name}"))
    }
}
