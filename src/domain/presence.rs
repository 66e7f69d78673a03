//! What an account's NATS connections tell of its game servers: which one is a server's, whether it is there, and for how
//! long it has not been. Says no more than was seen.
//!
//! A look is what all nats-servers answered at one moment. Looks follow one another on one connection of guildwire's own:
//! a [`Sight`] ends with it, for what ended that may have ended all the others.

use std::collections::BTreeMap;
use std::time::Duration;

use super::ids::ServerId;
use super::server_state::{Connection, End};
use super::timestamp::Timestamp;

/// Where a connection began so shortly before a server's first word on it, that word is of its start.
const BEGINNING: Duration = Duration::from_mins(2);

/// How far the clocks of one cluster's nats-servers may be apart.
const APART: Duration = Duration::from_secs(2);

/// How often one looks, and for how long a connection has to be away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looking {
    /// The time between two looks.
    pub every: Duration,
    /// For how long a connection has to be missing until its server is gone.
    pub debounce: Duration,
}

/// By which NATS connections a server is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tie {
    /// Their user: a public key, or a name; empty where nats-server asks for none.
    pub user: String,
    /// The name that the client gave itself; empty where it gave none.
    pub name: String,
    /// Whether somebody said so, or it was the only one that it could be.
    pub is_by_hand: bool,
}

/// A server's connection, as it was seen last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenConnection {
    /// When it began.
    pub since: Timestamp,
    /// When it was seen.
    pub seen_at: Timestamp,
}

/// A client's connection. Where it comes from is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The nats-server that it is connected to.
    pub server: String,
    /// Its number there.
    pub number: u64,
    /// As whom it was let in: a public key, or a name; empty where nats-server asks for none.
    pub user: String,
    /// The name that it gave itself; empty where it gave none.
    pub name: String,
    /// In which language it says that it is written.
    pub language: String,
    /// When it began.
    pub since: Timestamp,
    /// How many messages it has published, requests among them.
    pub published: u64,
    /// Whether it is guildwire: this one, or another that calls itself so.
    pub is_guildwire: bool,
    /// Whether it is no client but another nats-server, whose own clients are not listed.
    pub is_leaf: bool,
}

/// A client's connection that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Whose it was.
    pub client: Client,
    /// When it ended.
    pub at: Timestamp,
    /// How.
    pub end: End,
}

/// What all nats-servers of an account answered at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Look {
    /// When, in nats-server's time.
    pub at: Timestamp,
    /// The nats-servers, each with the name that it keeps when it is started anew; empty for the only one there is, where
    /// nobody named it. One that was started anew is another.
    pub servers: BTreeMap<String, String>,
    /// The connections that are open.
    pub clients: Vec<Client>,
}

/// A server of the account, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub id: ServerId,
    /// When its last event was stored.
    pub heard_at: Timestamp,
    /// Which connections are its.
    pub tie: Option<Tie>,
    /// Whether somebody said that no connection is its.
    pub is_untied: bool,
    /// Its connection, as it was seen last; `None` when it never was.
    pub connection: Option<SeenConnection>,
    /// The nats-server that this is connected to, by the name that [`Look::servers`] has.
    pub connected_to: String,
}

/// What a look shows of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Its connection is there.
    Present {
        /// When it began: the first of them, where there are several.
        since: Timestamp,
    },
    /// It is not there, and may be on its way back; or it was never seen.
    Absent,
    /// It has not been there for as long as nothing else explains.
    Gone {
        /// When it was missed first.
        at: Timestamp,
    },
    /// Nobody knows which connection is its.
    Untied,
}

/// What a look shows of all servers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Showing {
    /// Servers with another tie by itself than before, or with none any more.
    pub ties: Vec<(ServerId, Option<Tie>)>,
    /// Since when nobody else was seen to publish, where there is a new tie: it is to be made only if [`Tie::is_alone_since`]
    /// says so, else [`Sight::doubt`] has the waiting begin anew.
    pub alone_since: Option<Timestamp>,
    /// Each server.
    pub servers: BTreeMap<ServerId, Shown>,
}

impl Tie {
    /// Whether that connection is one of these.
    #[must_use]
    pub fn is_of(&self, client: &Client) -> bool {
        !client.is_guildwire && !client.is_leaf && client.user == self.user && client.name == self.name
    }

    /// Whether, besides it, nobody who published has ended since then: what ended between two looks was in none.
    #[must_use]
    pub fn is_alone_since(&self, since: Timestamp, look: &Look, ended: &[Ended]) -> bool {
        let apart = if look.servers.len() > 1 { APART } else { Duration::ZERO };
        !ended.iter().any(|Ended { client, at, .. }| {
            !client.is_guildwire && client.published > 0 && !self.is_of(client) && at.plus(apart) >= since
        })
    }

    /// The first of its open connections: where there are several, nobody knows whose those are that came later. `None` where
    /// none is open.
    #[must_use]
    pub fn first<'a>(&self, clients: &'a [Client]) -> Option<&'a Client> {
        clients.iter().filter(|client| self.is_of(client)).min_by_key(|client| client.since)
    }

    /// Its open connection; `None` where there is none, or several.
    #[must_use]
    pub fn only<'a>(&self, clients: &'a [Client]) -> Option<&'a Client> {
        let mut its = clients.iter().filter(|client| self.is_of(client));
        its.next().filter(|_| its.next().is_none())
    }

    /// How its last connection ended, where nats-server still knows: the one that was seen last, or one that came and went
    /// unseen afterwards.
    #[must_use]
    pub fn end_of<'a>(&self, connection: SeenConnection, ended: &'a [Ended]) -> Option<&'a Ended> {
        let its = |ended: &&Ended| self.is_of(&ended.client) && ended.client.since >= connection.since;
        ended.iter().filter(its).max_by_key(|ended| ended.at)
    }
}

impl Known {
    /// How a server went whose connection was missed first at `missed_at` and ended so, where nats-server still knows, and
    /// when. `None` where it was heard of afterwards: then it has another connection.
    #[must_use]
    pub fn went(&self, missed_at: Timestamp, ended: Option<&Ended>) -> Option<(End, Timestamp)> {
        let (end, at) = ended.map_or((End::Unknown, missed_at), |ended| (ended.end, ended.at));
        (self.heard_at <= at.plus(APART)).then_some((end, at))
    }
}

/// How nats-server's word for why a connection was closed is to be understood.
/// [Its words](https://github.com/nats-io/nats-server/blob/main/server/monitor.go) are in `ClosedState.String`.
#[must_use]
pub fn end_of_reason(reason: &str) -> End {
    match reason {
        "Client Closed" => End::Closed,
        // A client that hangs reads nothing either.
        "Stale Connection" | "Slow Consumer (Pending Bytes)" | "Slow Consumer (Write Deadline)" => End::Stale,
        "Credentials Revoked" | "Authentication Expired" | "Authentication Failure" => End::Revoked,
        // "Read Error" and "Write Error" are the network's or a dead process', "Server Shutdown" is nats-server's own.
        _ => End::Unknown,
    }
}

/// On which connection a server said at `said_at` that it started, where that is its only open one and began at `since`.
/// `heard_at` is when it was heard of before.
#[must_use]
pub fn said_on(since: Timestamp, said_at: Timestamp, heard_at: Timestamp) -> Connection {
    if since > said_at.plus(APART) {
        // It was said on one that is no more.
        return Connection::Unseen;
    }
    if heard_at >= since {
        return Connection::Same;
    }
    if said_at.since(since) <= BEGINNING {
        return Connection::New;
    }
    // A server that takes long to start, or one that was quiet and whose plugin was loaded anew.
    Connection::Unseen
}

/// What one connection of guildwire's own sees of the others.
#[derive(Debug, Clone)]
pub struct Sight {
    debounce: Duration,
    servers: BTreeMap<String, String>,
    looked_at: Option<Timestamp>,
    /// The same by guildwire's own steady clock.
    watched: Duration,
    lone: Option<Lone>,
    missing: BTreeMap<ServerId, Missing>,
}

/// The one publisher that is there, or that there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Lone {
    /// Its nats-server and its number there.
    client: Option<(String, u64)>,
    /// Since when no other was.
    since: Timestamp,
}

/// A server whose connection is not there.
#[derive(Debug, Clone, Copy)]
struct Missing {
    /// Since when, by guildwire's own steady clock.
    watched: Duration,
    /// Since when, in nats-server's time.
    at: Timestamp,
}

impl Sight {
    /// Sight by a new connection. What is not there for `debounce` is gone.
    #[must_use]
    pub fn new(debounce: Duration) -> Self {
        Self {
            debounce,
            servers: BTreeMap::new(),
            looked_at: None,
            watched: Duration::ZERO,
            lone: None,
            missing: BTreeMap::new(),
        }
    }

    /// That nothing could be seen: what is not there next may have gone this moment.
    pub fn interrupt(&mut self) {
        self.looked_at = None;
        self.lone = None;
        self.missing.clear();
    }

    /// That the one publisher that is seen is not the only one there was.
    pub fn doubt(&mut self) {
        self.lone = None;
    }

    /// That a server spoke which is missing: what is not there next may have gone this moment.
    pub fn restart(&mut self, server: &ServerId) {
        self.missing.remove(server);
    }

    /// What a look shows of the account's servers, `watched` after the connection began.
    pub fn look(&mut self, look: &Look, watched: Duration, servers: &[Known]) -> Showing {
        if look.servers != self.servers {
            // One was started anew, and with it all its connections; or its answer is missing, and with it they are.
            self.interrupt();
            self.servers.clone_from(&look.servers);
        }
        let ties = self.ties(look, servers);
        let is_new = ties.iter().any(|(_, tie)| tie.is_some());
        let alone_since = self.lone.as_ref().filter(|_| is_new).map(|lone| lone.since);
        let mut showing = Showing { ties, alone_since, servers: BTreeMap::new() };
        for server in servers {
            let changed = showing.ties.iter().find(|(id, _)| *id == server.id).map(|(_, tie)| tie.as_ref());
            let shown = match changed.unwrap_or(server.tie.as_ref()) {
                None => Shown::Untied,
                Some(tie) => match tie.first(&look.clients) {
                    Some(client) => Shown::Present { since: client.since },
                    None => self.miss(look, watched, server),
                },
            };
            if !matches!(shown, Shown::Absent | Shown::Gone { .. }) {
                self.missing.remove(&server.id);
            }
            showing.servers.insert(server.id.clone(), shown);
        }
        self.missing.retain(|id, _| showing.servers.contains_key(id));
        self.looked_at = Some(look.at);
        self.watched = watched;
        showing
    }

    /// How long after the connection began the next look is due at the latest: when the first of those that were missing at the
    /// last one is gone, if it does not come back.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        let due = self.missing.values().map(|missing| missing.watched + self.debounce);
        due.filter(|due| *due > self.watched).min()
    }

    /// The servers that the last look showed, or that it missed and that may be on their way back: whether they were there.
    #[must_use]
    pub fn sightings(&self, showing: &Showing) -> BTreeMap<ServerId, bool> {
        let was_there = |(id, shown): (&ServerId, &Shown)| match shown {
            Shown::Present { .. } => Some((id.clone(), true)),
            Shown::Absent if self.missing.contains_key(id) => Some((id.clone(), false)),
            Shown::Absent | Shown::Gone { .. } | Shown::Untied => None,
        };
        showing.servers.iter().filter_map(was_there).collect()
    }

    fn miss(&mut self, look: &Look, watched: Duration, server: &Known) -> Shown {
        if server.connection.is_none() {
            // It need not be this server's: nobody has seen it yet.
            return Shown::Absent;
        }
        if !look.servers.values().any(|name| *name == server.connected_to) {
            // The nats-server that would list it does not answer: it may be there all the same.
            self.missing.remove(&server.id);
            return Shown::Absent;
        }
        let missing = self.missing.entry(server.id.clone()).or_insert(Missing { watched, at: look.at });
        if server.heard_at > missing.at {
            // It speaks by another connection, or did: one that is not known as its own.
            *missing = Missing { watched, at: look.at };
        }
        let is_gone = watched.saturating_sub(missing.watched) >= self.debounce;
        if is_gone { Shown::Gone { at: missing.at } } else { Shown::Absent }
    }

    /// What changes of the ties that are made without anybody saying so.
    fn ties(&mut self, look: &Look, servers: &[Known]) -> Vec<(ServerId, Option<Tie>)> {
        let publishers: Vec<_> =
            look.clients.iter().filter(|client| !client.is_guildwire && client.published > 0).collect();
        // Of those behind another nats-server, nobody knows.
        let is_all = !look.clients.iter().any(|client| client.is_leaf);
        let lone = match publishers.as_slice() {
            [] if is_all => Some(self.alone(look.at, None).since),
            [client] if is_all => Some(self.alone(look.at, Some(client)).since),
            _ => {
                self.lone = None;
                None
            }
        };
        // Also while no server is known: the first one's first word makes it known.
        let ([server], Some(alone_since)) = (servers, lone) else {
            let by_itself = servers.iter().filter(|server| server.tie.as_ref().is_some_and(|tie| !tie.is_by_hand));
            return by_itself.map(|server| (server.id.clone(), None)).collect();
        };
        if server.is_untied || server.tie.as_ref().is_some_and(|tie| tie.is_by_hand) {
            return Vec::new();
        }
        if let Some(tie) = publishers.first().and_then(|client| Self::spoken(server, client, alone_since)) {
            return vec![(server.id.clone(), Some(tie))];
        }
        let missing =
            self.missing.get(&server.id).filter(|_| !look.clients.iter().any(|client| is_its(server, client)));
        if missing.is_some_and(|missing| server.heard_at > missing.at.plus(APART)) {
            // It speaks, but not by the connection that it was known by.
            return vec![(server.id.clone(), None)];
        }
        Vec::new()
    }

    /// The tie of a server that spoke by the only publisher, where that is news.
    fn spoken(server: &Known, client: &Client, alone_since: Timestamp) -> Option<Tie> {
        // That it spoke while nobody else was there, and not only that it is there.
        let spoke = server.heard_at > alone_since && server.heard_at.plus(APART) >= client.since;
        (spoke && !is_its(server, client)).then(|| Tie {
            user: client.user.clone(),
            name: client.name.clone(),
            is_by_hand: false,
        })
    }

    /// Since when this publisher is the only one.
    fn alone(&mut self, at: Timestamp, publisher: Option<&Client>) -> &Lone {
        let client = publisher.map(|client| (client.server.clone(), client.number));
        let before = self.lone.take();
        let lone = match before {
            Some(before) if before.client == client => before,
            // It came since the last look, when nobody was there.
            Some(Lone { client: None, .. }) => Lone { client, since: self.looked_at.unwrap_or(at) },
            _ => Lone { client, since: at },
        };
        self.lone.insert(lone)
    }
}

/// Whether that connection is the server's.
fn is_its(server: &Known, client: &Client) -> bool {
    server.tie.as_ref().is_some_and(|tie| tie.is_of(client))
}

#[cfg(test)]
mod tests;
