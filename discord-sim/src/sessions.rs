//! Gateway sessions: who is connected, what was dispatched, and what a RESUME must replay
//! (<https://discord.com/developers/docs/events/gateway#resuming>).

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::options::Options;

/// Events kept per session for a RESUME. Past this the oldest go, and a resume that would need them is refused.
pub(crate) const EVENTS_KEPT: usize = 5000;

/// Sessions without a connection that are kept for a RESUME.
const DETACHED_KEPT: usize = 16;

/// How long an IDENTIFY counts.
const DAY: Duration = Duration::from_hours(24);

/// What a connection is told to send.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Text(String),
    /// An opcode and its data, outside of the sequence.
    Op(u64, Value),
    Close(u16, &'static str),
}

/// The sending side of one gateway connection.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    /// Tells a session's connections apart: a late goodbye of an old one must not detach a new one.
    pub(crate) number: u64,
    pub(crate) sender: mpsc::UnboundedSender<Outgoing>,
}

pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) shard: (u64, u64),
    pub(crate) intents: u64,
    pub(crate) sequence: u64,
    events: VecDeque<(u64, String)>,
    pub(crate) connection: Option<Connection>,
    /// Since when there is no connection.
    detached: Option<Instant>,
}

impl Session {
    fn detach(&mut self) {
        self.connection = None;
        self.detached = Some(Instant::now());
    }

    fn send(&mut self, event: &str, data: &Value) {
        self.sequence += 1;
        let text = json!({ "op": 0, "s": self.sequence, "t": event, "d": data }).to_string();
        if let Some(connection) = &self.connection {
            // A connection that is just ending loses nothing: the event waits for the RESUME.
            let _ = connection.sender.send(Outgoing::Text(text.clone()));
        }
        if self.events.len() >= EVENTS_KEPT {
            self.events.pop_front();
        }
        self.events.push_back((self.sequence, text));
    }

    fn serves(&self, guild: u64) -> bool {
        guild == 0 && self.shard.0 == 0 || guild != 0 && (guild >> 22) % self.shard.1 == self.shard.0
    }
}

/// Why an IDENTIFY was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotIdentified {
    /// Too many within five seconds: `INVALID_SESSION`.
    TooFast,
    /// Too many within a day: the token is taken away.
    DayIsFull,
}

/// What a RESUME finds.
pub(crate) enum Resumed {
    /// The events after the client's last.
    With(Vec<String>),
    /// The session or some of its events are gone.
    Gone,
    /// The client says that it had events which were never sent.
    Ahead,
}

pub(crate) struct Sessions {
    list: Vec<Session>,
    connections: u64,
    /// When each `max_concurrency` bucket was last used.
    buckets: HashMap<u64, Instant>,
    identified: VecDeque<Instant>,
    /// Whether heartbeats are answered.
    pub(crate) acknowledges: bool,
}

impl Default for Sessions {
    fn default() -> Self {
        let (list, identified) = (Vec::new(), VecDeque::new());
        Self { list, connections: 0, buckets: HashMap::new(), identified, acknowledges: true }
    }
}

impl Sessions {
    pub(crate) fn next_connection(&mut self) -> u64 {
        self.connections += 1;
        self.connections
    }

    /// Counts an IDENTIFY against its shard's bucket and the daily limit
    /// (<https://discord.com/developers/docs/events/gateway#sharding-max-concurrency>).
    pub(crate) fn may_identify(&mut self, shard: u64, options: &Options) -> Result<(), NotIdentified> {
        let now = Instant::now();
        if self.identified_today().0 >= options.identify_limit as usize {
            return Err(NotIdentified::DayIsFull);
        }
        let bucket = shard % u64::from(options.max_concurrency.max(1));
        let used = self.buckets.get(&bucket);
        if used.is_some_and(|&at| now.duration_since(at) < options.identify_interval) {
            return Err(NotIdentified::TooFast);
        }
        self.buckets.insert(bucket, now);
        self.identified.push_back(now);
        Ok(())
    }

    /// The session of a connection: its id, shard and intents.
    pub(crate) fn of(&self, connection: u64) -> Option<(String, u64, u64)> {
        let is_it = |session: &&Session| session.connection.as_ref().is_some_and(|own| own.number == connection);
        self.list.iter().find(is_it).map(|session| (session.id.clone(), session.shard.0, session.intents))
    }

    /// How many IDENTIFYs the last 24 hours had, and in how long the oldest of them no longer counts.
    pub(crate) fn identified_today(&mut self) -> (usize, Duration) {
        self.identified.retain(|at| at.elapsed() < DAY);
        let oldest = self.identified.front().map(Instant::elapsed).unwrap_or_default();
        (self.identified.len(), DAY.saturating_sub(oldest))
    }

    pub(crate) fn add(&mut self, id: String, shard: (u64, u64), intents: u64, connection: Connection) {
        let detached = self.list.iter().filter(|session| session.connection.is_none()).count();
        if detached >= DETACHED_KEPT
            && let Some(oldest) = self.list.iter().position(|session| session.connection.is_none())
        {
            self.list.remove(oldest);
        }
        let events = VecDeque::new();
        self.list.push(Session {
            id,
            shard,
            intents,
            sequence: 0,
            events,
            connection: Some(connection),
            detached: None,
        });
    }

    /// Sends to one session by its id; used for READY and what follows it.
    pub(crate) fn send_to(&mut self, id: &str, event: &str, data: &Value) {
        if let Some(session) = self.list.iter_mut().find(|session| session.id == id) {
            session.send(event, data);
        }
    }

    /// Sends an event of a guild (0: no guild) to every session that serves it, as what its intents let it have; the
    /// disconnected ones keep it.
    pub(crate) fn dispatch<'a>(&mut self, guild: u64, event: &str, data: impl Fn(u64) -> Option<&'a Value>) {
        for session in self.list.iter_mut().filter(|session| session.serves(guild)) {
            if let Some(data) = data(session.intents) {
                session.send(event, data);
            }
        }
    }

    /// Whether any session, connected or resumable, would get an event of this guild.
    pub(crate) fn anyone_serves(&self, guild: u64) -> bool {
        self.list.iter().any(|session| session.serves(guild))
    }

    pub(crate) fn any_connected(&self) -> bool {
        self.list.iter().any(|session| session.connection.is_some())
    }

    /// Attaches a connection and gives back what it missed. A session that was alone for longer than `life` is gone, and
    /// one that a sequence from the future was named for is so from then on, unless another connection has it.
    pub(crate) fn resume(&mut self, id: &str, sequence: u64, connection: Connection, life: Duration) -> Resumed {
        self.list.retain(|session| session.detached.is_none_or(|at| at.elapsed() < life));
        let Some(session) = self.list.iter_mut().find(|session| session.id == id) else { return Resumed::Gone };
        if sequence > session.sequence {
            self.list.retain(|session| session.id != id || session.connection.is_some());
            return Resumed::Ahead;
        }
        let first_kept = session.events.front().map_or(session.sequence + 1, |(first, _)| *first);
        if sequence + 1 < first_kept {
            return Resumed::Gone;
        }
        session.detached = None;
        if let Some(old) = session.connection.replace(connection) {
            let _ = old.sender.send(Outgoing::Close(4000, "Superseded."));
        }
        let missed = session.events.iter().filter(|(at, _)| *at > sequence);
        Resumed::With(missed.map(|(_, text)| text.clone()).collect())
    }

    /// Ends every session with op 9; its connection stands, for a RESUME or an IDENTIFY.
    pub(crate) fn invalidate(&mut self, resumable: bool) {
        self.tell_all(|| Outgoing::Op(9, json!(resumable)));
        if resumable { self.detach_all() } else { self.list.clear() }
    }

    /// The connection is gone; the session stays for a RESUME unless it was closed for good.
    pub(crate) fn detach(&mut self, connection: u64, for_good: bool) {
        let is_it = |session: &Session| session.connection.as_ref().is_some_and(|own| own.number == connection);
        if for_good {
            self.list.retain(|session| !is_it(session));
        } else if let Some(session) = self.list.iter_mut().find(|session| is_it(session)) {
            session.detach();
        }
    }

    /// Every connection is gone; every session stays for a RESUME.
    pub(crate) fn detach_all(&mut self) {
        for session in self.list.iter_mut().filter(|session| session.connection.is_some()) {
            session.detach();
        }
    }

    /// Tells every connection something, outside of the sequence.
    pub(crate) fn tell_all(&self, message: impl Fn() -> Outgoing) {
        for connection in self.list.iter().filter_map(|session| session.connection.as_ref()) {
            let _ = connection.sender.send(message());
        }
    }

    pub(crate) fn forget_all(&mut self) {
        self.list.clear();
    }
}
