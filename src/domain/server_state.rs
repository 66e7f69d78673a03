//! How a game server stands: a state machine over what it says of itself and over whether its connection is there.
//!
//! Publishers repeat events, send what matters less minutes later, and end without a word, so no single sign is
//! trusted for more than it shows. `docs/status.md` has the table; each of its cells has a test.

use std::time::Duration;

use super::event::Kind;
use super::timestamp::Timestamp;

/// For how long after a server said that it stops, its other events are taken for late ones: publishers send those
/// that matter less last, ten in a second.
pub const LATE: Duration = Duration::from_mins(2);

/// Within this time of nats-server's, a server that says again that it started repeats itself.
const REPEATED_WITHIN: Duration = Duration::from_secs(10);

/// Defines an enum with the one name each variant has in the database.
macro_rules! named {
    ($(#[$about:meta])* $name:ident { $($(#[$documentation:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$documentation])* $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name in the database.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// The one of that name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.name() == name)
            }
        }
    };
}

named! {
    /// What can be said of a server.
    State {
        /// Nothing is known of it.
        Unknown = "unknown",
        /// It runs.
        Online = "online",
        /// It said that it stops.
        Stopping = "stopping",
        /// It does not run.
        Offline = "offline",
        /// It can't be seen any more, and may run all the same.
        ContactLost = "contact_lost",
    }
}

named! {
    /// What a state was concluded from.
    Cause {
        /// It said that it started.
        Started = "started",
        /// It sent an event.
        Heard = "heard",
        /// Its connection is there.
        Connected = "connected",
        /// It said that it stops.
        SaidStopping = "said_stopping",
        /// It said that it stopped.
        SaidStopped = "said_stopped",
        /// Its connection was closed, and it had not said that it stops.
        Closed = "closed",
        /// Its connection did not answer any more: it hangs, or the network between does.
        Stale = "stale",
        /// Its credential was revoked.
        Revoked = "revoked",
        /// Its connection has gone, nobody can tell why.
        Vanished = "vanished",
        /// It was silent for longer than is expected of it.
        Silent = "silent",
    }
}

/// How a server stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerState {
    /// What can be said of it.
    pub state: State,
    /// Since when, in nats-server's time; `None` while nothing is known.
    pub since: Option<Timestamp>,
    /// Because of what; `None` while nothing is known.
    pub cause: Option<Cause>,
    /// Whether it ever said that it stops: of one that never does, an end without a word tells nothing.
    pub says_when_it_stops: bool,
    /// When it said last that it started, repeats apart.
    pub said_started_at: Option<Timestamp>,
}

/// What is noticed of a server, from its events or its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It said that it started: the server did, or its plugin was loaded anew.
    Started(Connection),
    /// It said that it stops.
    Stopping,
    /// It said that it stopped.
    Stopped,
    /// It sent any other event.
    Heard(Kind),
    /// Its connection is there.
    Connected {
        /// When the connection began.
        since: Timestamp,
    },
    /// Its connection has been gone for long enough not to be on its way back.
    Gone(End),
    /// It sent nothing for longer than is expected of it, and its connection can't be seen.
    Silent,
}

/// On which connection a server said that it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// On the one it had before: only its plugin was loaded anew.
    Same,
    /// On another than before: it was started anew.
    New,
    /// That can't be seen.
    Unseen,
}

/// How a connection ended, as nats-server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// It was closed: in good order, or because its process was killed. nats-server sees no difference.
    Closed,
    /// It did not answer any more.
    Stale,
    /// Its credential was revoked.
    Revoked,
    /// nats-server does not say, or does not know any more.
    Unknown,
}

/// What a sign changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Nothing, or nothing that was not known.
    None,
    /// It is there, which was not known.
    Appeared,
    /// It runs on, and its plugin may have been loaded anew: for sure on the same connection.
    Reloaded(Connection),
    /// The same, said once more.
    ReloadedAsSaid(Connection),
    /// It runs, and was down unseen just before.
    Restarted,
    /// It runs no more, or can't be seen any more.
    Down,
    /// It was down, and more is known now.
    Developed,
    /// It is back.
    Up,
}

impl Sign {
    /// The sign that an event of `kind` is; `connection` is the one on which a server that started said so.
    #[must_use]
    pub const fn of_event(kind: Kind, connection: Connection) -> Self {
        match kind {
            Kind::ServerStarted => Self::Started(connection),
            Kind::ServerStopping => Self::Stopping,
            Kind::ServerStopped => Self::Stopped,
            kind => Self::Heard(kind),
        }
    }

    const fn is_event(self) -> bool {
        matches!(self, Self::Started(_) | Self::Stopping | Self::Stopped | Self::Heard(_))
    }
}

impl Default for ServerState {
    fn default() -> Self {
        Self { state: State::Unknown, since: None, cause: None, says_when_it_stops: false, said_started_at: None }
    }
}

impl ServerState {
    /// How the server stands after a sign of the moment `at`, in nats-server's time, and what that changes.
    #[must_use]
    pub fn after(self, sign: Sign, at: Timestamp) -> (Self, Turn) {
        if let Some(cause) = self.explained_by(sign, at) {
            let explained = Self { state: State::Offline, cause: Some(cause), says_when_it_stops: true, ..self };
            return (explained, Turn::Developed);
        }
        let told = self.with_what_it_says(sign, at);
        let to = |state, cause| Self { state, since: Some(at.max(self.since_or(at))), cause: Some(cause), ..told };
        if sign.is_event() && self.since.is_some_and(|since| at < since) {
            return (told, Turn::None);
        }
        match (self.state, sign) {
            (State::Unknown, Sign::Started(_)) => (to(State::Online, Cause::Started), Turn::Appeared),
            (State::Unknown, Sign::Heard(kind)) if kind != Kind::PlayerDisconnected => {
                (to(State::Online, Cause::Heard), Turn::Appeared)
            }
            (State::Unknown, Sign::Connected { .. }) => (to(State::Online, Cause::Connected), Turn::Appeared),

            (State::Online, Sign::Started(connection)) if self.repeats_itself(at) => {
                (told, if self.ran_before_it_said_so() { Turn::ReloadedAsSaid(connection) } else { Turn::None })
            }
            (State::Online, Sign::Started(Connection::New | Connection::Unseen)) if self.was_seen_coming(at) => {
                (Self { cause: Some(Cause::Started), ..told }, Turn::None)
            }
            (State::Online, Sign::Started(Connection::New)) => (to(State::Online, Cause::Started), Turn::Restarted),
            (State::Online, Sign::Started(connection)) => (told, Turn::Reloaded(connection)),

            (State::Unknown | State::Online, Sign::Stopping) => (to(State::Stopping, Cause::SaidStopping), Turn::Down),
            (State::Unknown | State::Online, Sign::Stopped) => (to(State::Offline, Cause::SaidStopped), Turn::Down),
            (State::Online, Sign::Gone(end)) => (to(gone_to(end), cause_of(end)), Turn::Down),
            (State::Online, Sign::Silent) => (to(State::ContactLost, Cause::Silent), Turn::Down),

            (State::ContactLost, Sign::Stopping) => (to(State::Stopping, Cause::SaidStopping), Turn::Developed),
            (State::Stopping | State::ContactLost, Sign::Stopped) => {
                (to(State::Offline, Cause::SaidStopped), Turn::Developed)
            }
            (State::Stopping, Sign::Gone(End::Closed | End::Unknown)) => {
                (to(State::Offline, Cause::SaidStopping), Turn::Developed)
            }
            (State::Stopping, Sign::Gone(end)) => (to(State::ContactLost, cause_of(end)), Turn::Developed),
            (State::Stopping, Sign::Silent) => (to(State::ContactLost, Cause::Silent), Turn::Developed),
            (State::ContactLost, Sign::Gone(end)) if self.cause == Some(Cause::Silent) => {
                (to(gone_to(end), cause_of(end)), Turn::Developed)
            }

            (State::Stopping | State::Offline | State::ContactLost, Sign::Started(_)) => {
                (to(State::Online, Cause::Started), Turn::Up)
            }
            (State::ContactLost, Sign::Heard(_)) => (to(State::Online, Cause::Heard), Turn::Up),
            (State::Stopping | State::Offline, Sign::Heard(kind)) if self.is_news(kind, at) => {
                (to(State::Online, Cause::Heard), Turn::Up)
            }
            (State::Offline | State::ContactLost, Sign::Connected { since }) if self.is_new(since) => {
                (to(State::Online, Cause::Connected), Turn::Up)
            }
            _ => (told, Turn::None),
        }
    }

    /// Whether the server went down without a word as far as that can be told: it says so at other times.
    #[must_use]
    pub fn is_crash(self) -> bool {
        self.cause == Some(Cause::Closed) && self.says_when_it_stops
    }

    /// Whether it is known not to run, to stop, or to be out of contact.
    #[must_use]
    pub const fn is_down(self) -> bool {
        matches!(self.state, State::Stopping | State::Offline | State::ContactLost)
    }

    /// The same, with what a server's word tells of its habits.
    fn with_what_it_says(self, sign: Sign, at: Timestamp) -> Self {
        match sign {
            // Of an end that it does not explain, it must not make a crash.
            Sign::Stopping | Sign::Stopped if self.cause == Some(Cause::Closed) => self,
            Sign::Stopping | Sign::Stopped => Self { says_when_it_stops: true, ..self },
            Sign::Started(_) if self.state != State::Online || !self.repeats_itself(at) => {
                Self { said_started_at: self.said_started_at.max(Some(at)), ..self }
            }
            _ => self,
        }
    }

    fn since_or(self, at: Timestamp) -> Timestamp {
        self.since.unwrap_or(at)
    }

    /// Why a server is offline whose connection closed, where it had said that it stops, which was recorded only now.
    fn explained_by(self, sign: Sign, at: Timestamp) -> Option<Cause> {
        let is_near = self.since.is_some_and(|since| since.since(at) <= LATE && at.since(since) <= LATE);
        let is_unexplained = matches!(self.cause, Some(Cause::Closed | Cause::Vanished));
        match sign {
            Sign::Stopping if is_unexplained && is_near => Some(Cause::SaidStopping),
            Sign::Stopped if is_unexplained && is_near => Some(Cause::SaidStopped),
            _ => None,
        }
    }

    fn repeats_itself(self, at: Timestamp) -> bool {
        self.said_started_at.is_some_and(|said_at| at.since(said_at) <= REPEATED_WITHIN)
    }

    /// Whether the server had run for a while when it said last that it started.
    fn ran_before_it_said_so(self) -> bool {
        self.said_started_at.zip(self.since).is_some_and(|(said_at, since)| said_at.since(since) > LATE)
    }

    /// Whether the connection on which the server says that it started told so already: it connects first.
    fn was_seen_coming(self, at: Timestamp) -> bool {
        self.cause == Some(Cause::Connected) && self.since.is_some_and(|since| at.since(since) <= LATE)
    }

    /// Whether an event after a stop is more than a late one. A departure always is one: it comes last.
    fn is_news(self, kind: Kind, at: Timestamp) -> bool {
        kind != Kind::PlayerDisconnected && self.since.is_none_or(|since| at.since(since) > LATE)
    }

    /// Whether a connection is not the one that a server which says that it stopped has yet to close.
    fn is_new(self, connected_since: Timestamp) -> bool {
        self.cause != Some(Cause::SaidStopped) || self.since.is_none_or(|since| connected_since > since)
    }
}

const fn gone_to(end: End) -> State {
    match end {
        End::Closed => State::Offline,
        End::Stale | End::Revoked | End::Unknown => State::ContactLost,
    }
}

const fn cause_of(end: End) -> Cause {
    match end {
        End::Closed => Cause::Closed,
        End::Stale => Cause::Stale,
        End::Revoked => Cause::Revoked,
        End::Unknown => Cause::Vanished,
    }
}

#[cfg(test)]
mod tests;
