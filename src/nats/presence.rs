//! Who is connected to an account, as nats-server tells any of its users that may publish to [`CONNECTIONS`]: one answer
//! from each nats-server, which lists the account's own connections alone
//! ([documentation](https://docs.nats.io/running-a-nats-service/configuration/sys_accounts#available-events-and-services),
//! [what may be asked](https://github.com/nats-io/nats-server/blob/main/server/monitor.go), `ConnzOptions`).
//!
//! Addresses stand in these answers, too. They are not read.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_nats::{StatusCode, Subscriber};
use futures_util::{FutureExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::connection::{CLIENT_NAME, Connection, OWN_INBOXES};
use super::said::said;
use crate::domain::permissions::CONNECTIONS;
use crate::domain::presence::{Client, Ended, Look, end_of_reason};

/// How long the first answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long after an answer another nats-server's may come.
const QUIET: Duration = Duration::from_millis(250);

/// How many connections one answer holds: nats-server's own limit.
const PAGE: usize = 1024;

/// After so many pages, an account has too many connections to be looked at again and again.
const MOST_PAGES: usize = 8;

/// An answer is not longer, in bytes: a connection with its user's JWT takes a few thousand.
const MOST_BYTES: usize = 8 << 20;

/// More nats-servers than a cluster has.
const MOST_SERVERS: usize = 256;

/// What may be asked for, in nats-server's numbers.
const OPEN: u8 = 0;
const CLOSED: u8 = 1;

/// Why it can't be seen who is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unseen {
    /// The user may not ask.
    #[error("the user may not publish to {CONNECTIONS}")]
    Denied,
    /// No nats-server answered, or none so that it could be read.
    #[error("nobody answered at {CONNECTIONS}")]
    Unanswered,
    /// There are too many connections to look at.
    #[error("the account has more than {} connections", PAGE * MOST_PAGES)]
    TooMany,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    server: Answering,
    data: Option<Page>,
}

/// Who answers. A nats-server that nobody named goes by its id, which is another one each time that it is started.
#[derive(Deserialize, Default)]
struct Answering {
    #[serde(default)]
    name: String,
    #[serde(default)]
    id: String,
    /// Empty where it is the only one.
    #[serde(default)]
    cluster: String,
}

#[derive(Deserialize)]
struct Page {
    server_id: String,
    #[serde(with = "time::serde::rfc3339")]
    now: OffsetDateTime,
    #[serde(default)]
    total: usize,
    #[serde(default)]
    connections: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    cid: u64,
    #[serde(with = "time::serde::rfc3339")]
    start: OffsetDateTime,
    #[serde(default, with = "time::serde::rfc3339::option")]
    stop: Option<OffsetDateTime>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    in_msgs: i64,
    /// "Client", whatever protocol it speaks; empty on a nats-server that does not say.
    #[serde(default)]
    kind: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    lang: String,
    #[serde(default)]
    authorized_user: String,
}

/// Rings once, when a connection of the account begins or ends. Whoever may publish there can ring it, so what the event says
/// is not read.
#[derive(Debug)]
pub struct Bell(Subscriber);

impl Bell {
    /// Waits until it rings.
    pub async fn rung(&mut self) {
        if self.0.next().await.is_none() {
            // The connection is lost, and with it whoever could ring.
            std::future::pending::<()>().await;
        }
    }
}

impl Connection {
    /// Looks at the account's open connections. With `servers` given, no more answers are waited for than that.
    pub async fn look_at_connections(&self, servers: Option<usize>) -> Result<Look, Unseen> {
        let mut look = Look::default();
        for page in 0..MOST_PAGES {
            let offset = page * PAGE;
            let request = json!({ "auth": true, "state": OPEN, "sort": "cid", "limit": PAGE, "offset": offset });
            let enough = if page == 0 { servers } else { Some(look.servers.len()) };
            let answers = self.ask_servers(&request, enough).await?;
            let is_last = answers.iter().all(|(_, page)| page.total <= offset + PAGE);
            let mut answered = BTreeMap::new();
            for (answering, page) in answers {
                look.at = look.at.max(page.now.into());
                let server = said_or_none(&page.server_id);
                let clients = page.connections.iter().take(PAGE).map(|listed| self.client(&server, listed));
                look.clients.extend(clients);
                answered.insert(server, answering.lasting_name());
            }
            if page > 0 && answered != look.servers {
                // Of one that did not answer each time, not all connections are known.
                return Err(Unseen::Unanswered);
            }
            look.servers = answered;
            if is_last {
                return Ok(look);
            }
        }
        Err(Unseen::TooMany)
    }

    /// The account's connections of `user`, or of all users, that ended lately, as far as nats-server remembers them: each
    /// nats-server's latest first. Asks the nats-servers of `look`, and tells nothing where one of them does not answer.
    pub async fn ended_connections(&self, user: Option<&str>, look: &Look) -> Result<Vec<Ended>, Unseen> {
        let mut request = json!({ "auth": true, "state": CLOSED, "sort": "stop", "limit": PAGE });
        if let Some(user) = user.filter(|user| !user.is_empty()) {
            request["user"] = user.into();
        }
        let answers = self.ask_servers(&request, Some(look.servers.len())).await?;
        let (mut ended, mut answered) = (Vec::new(), BTreeSet::new());
        for (_, page) in answers {
            let server = said_or_none(&page.server_id);
            ended.extend(page.connections.iter().take(PAGE).filter_map(|listed| {
                let client = self.client(&server, listed);
                Some(Ended { client, at: listed.stop?.into(), end: end_of_reason(&listed.reason) })
            }));
            answered.insert(server);
        }
        if look.servers.keys().all(|server| answered.contains(server)) { Ok(ended) } else { Err(Unseen::Unanswered) }
    }

    fn client(&self, server: &str, listed: &Listed) -> Client {
        let own = self.client.server_info();
        let name = said_or_none(&listed.name);
        Client {
            server: server.to_owned(),
            number: listed.cid,
            user: said_or_none(&listed.authorized_user),
            language: said_or_none(&listed.lang),
            since: listed.start.into(),
            published: u64::try_from(listed.in_msgs).unwrap_or(0),
            is_guildwire: name == CLIENT_NAME || (server == own.server_id && listed.cid == own.client_id),
            is_leaf: !matches!(listed.kind.as_str(), "" | "Client"),
            name,
        }
    }

    /// Is told of the account's next connection that begins or ends, where the account imports its own events to where the
    /// reader's user may subscribe anyway: what is not imported is not denied either, only never heard of.
    pub async fn next_change(&self) -> Option<Bell> {
        let mut bell = self.client.subscribe(format!("{OWN_INBOXES}.connections.*")).await.ok()?;
        // One is enough, and no more than one is held.
        bell.unsubscribe_after(1).await.ok()?;
        Some(Bell(bell))
    }

    /// Asks all nats-servers, and takes what comes until it is quiet, or until `enough` have answered. One whose answer can't
    /// be read has not.
    async fn ask_servers(&self, request: &Value, enough: Option<usize>) -> Result<Vec<(Answering, Page)>, Unseen> {
        // What was denied once on this connection stays noted; that it is permitted by now shows by an answer.
        let was_denied = self.denied(CONNECTIONS).now_or_never().is_some();
        let nobody = if was_denied { Unseen::Denied } else { Unseen::Unanswered };
        let inbox = self.client.new_inbox();
        let mut answers = self.client.subscribe(inbox.clone()).await.map_err(|_| Unseen::Unanswered)?;
        let request = request.to_string();
        self.client.publish_with_reply(CONNECTIONS, inbox, request.into()).await.map_err(|_| Unseen::Unanswered)?;
        let (mut pages, mut came) = (Vec::new(), 0);
        while came < enough.unwrap_or(MOST_SERVERS).clamp(1, MOST_SERVERS) {
            let patience = if came == 0 { PATIENCE } else { QUIET };
            let answer = tokio::select! {
                answer = tokio::time::timeout(patience, answers.next()) => answer,
                _ = self.denied(CONNECTIONS), if !was_denied => return Err(Unseen::Denied),
            };
            let Ok(Some(message)) = answer else { break };
            came += 1;
            // Also a message that says that nobody is there to answer is none that can be read.
            pages.extend(read(&message.payload));
            if came == 1 && message.status == Some(StatusCode::NO_RESPONDERS) {
                break;
            }
        }
        if pages.is_empty() { Err(nobody) } else { Ok(pages) }
    }
}

impl Answering {
    /// The name that it keeps when it is started anew; empty for the only one there is, where nobody named it.
    fn lasting_name(&self) -> String {
        if self.name == self.id && self.cluster.is_empty() { String::new() } else { said_or_none(&self.name) }
    }
}

/// An answer, where it is one.
fn read(payload: &[u8]) -> Option<(Answering, Page)> {
    let answer = (payload.len() <= MOST_BYTES).then(|| serde_json::from_slice::<Answer>(payload).ok())??;
    Some((answer.server, answer.data?))
}

/// What a server says, where nothing may be said.
fn said_or_none(text: &str) -> String {
    if text.is_empty() { String::new() } else { said(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_nats_server_gives_them_and_addresses_are_not() {
        let text = r#"{"server":{"name":"N1","id":"N1"},"data":{"server_id":"N1","now":"2026-11-23T09:39:39.198303921Z",
            "num_connections":1,"total":1,"offset":0,"limit":1024,"connections":[{"cid":8,"kind":"Client","ip":"10.1.2.3",
            "port":43454,"start":"2026-11-23T10:39:38.865410744+01:00","stop":"2026-11-23T09:39:38.867774028Z",
            "reason":"Client Closed","in_msgs":3,"name":"gone","lang":"rust","authorized_user":"b","account":"GA1"}]}}"#;
        let (answering, page) = read(text.as_bytes()).unwrap();
        assert_eq!(answering.lasting_name(), "", "its name is its id, and it is the only one");
        let listed = &page.connections[0];
        assert_eq!((listed.cid, listed.in_msgs, listed.reason.as_str()), (8, 3, "Client Closed"));
        let since = crate::domain::timestamp::Timestamp::from(listed.start);
        assert_eq!(since.rfc3339(), "2026-11-23T09:39:38.865410744Z");
        assert!(listed.stop.is_some());

        let bare = r#"{"data":{"server_id":"N1","now":"2026-11-23T09:39:39Z","connections":[{"cid":1,
            "start":"2026-11-23T09:39:38Z"}]}}"#;
        assert!(read(bare.as_bytes()).unwrap().1.connections[0].stop.is_none());
        let refused = r#"{"server":{"id":"N1"},"error":{"code":400,"description":"json"}}"#;
        for unread in [refused, "", "{}", &format!("{bare}{}", " ".repeat(MOST_BYTES))] {
            assert!(read(unread.as_bytes()).is_none());
        }
    }

    #[test]
    fn a_nats_server_is_known_by_a_name_that_it_keeps() {
        for (name, cluster, lasting) in [("n1", "", "n1"), ("n1", "west", "n1"), ("N1", "", ""), ("N1", "west", "N1")] {
            let answering = Answering { name: name.to_owned(), id: "N1".to_owned(), cluster: cluster.to_owned() };
            assert_eq!(answering.lasting_name(), lasting, "{name} {cluster}");
        }
    }
}
