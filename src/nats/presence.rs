//! Who is connected to an account, as nats-server tells any of its users that may publish to [`CONNECTIONS`]: one answer
//! from each nats-server, which lists the account's own connections alone
//! ([documentation](https://docs.nats.io/running-a-nats-service/configuration/sys_accounts#available-events-and-services),
//! [what may be asked](https://github.com/nats-io/nats-server/blob/main/server/monitor.go), `ConnzOptions`).
//!
//! Addresses stand in these answers, too. They are not read.

mod answers;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_nats::{StatusCode, Subscriber};
use futures_util::{FutureExt as _, StreamExt as _};
use serde_json::{Value, json};

use self::answers::{Answering, Answers, Listed, Page};
use super::connection::{CLIENT_NAME, Connection, OWN_INBOXES};
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

/// No more connections are held of one look, and no more of all answers to one request.
const MOST_CONNECTIONS: usize = PAGE * MOST_PAGES;

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
    #[error("the account has more than {MOST_CONNECTIONS} connections, or too much is said of them")]
    TooMany,
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
                let server = page.server_id;
                look.clients.extend(page.connections.into_iter().map(|listed| self.client(&server, listed)));
                answered.insert(server, answering.lasting_name());
            }
            if look.clients.len() > MOST_CONNECTIONS {
                return Err(Unseen::TooMany);
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
        // Of so many nats-servers that all of it would be too much, less of each.
        let limit = PAGE.min(MOST_CONNECTIONS / look.servers.len().max(1));
        let mut request = json!({ "auth": true, "state": CLOSED, "sort": "stop", "limit": limit });
        if let Some(user) = user.filter(|user| !user.is_empty()) {
            request["user"] = user.into();
        }
        let answers = self.ask_servers(&request, Some(look.servers.len())).await?;
        let (mut ended, mut answered) = (Vec::new(), BTreeSet::new());
        for (_, page) in answers {
            let server = page.server_id;
            ended.extend(page.connections.into_iter().filter_map(|listed| {
                let (at, end) = (listed.stop?.into(), end_of_reason(&listed.reason));
                Some(Ended { client: self.client(&server, listed), at, end })
            }));
            answered.insert(server);
        }
        if look.servers.keys().all(|server| answered.contains(server)) { Ok(ended) } else { Err(Unseen::Unanswered) }
    }

    fn client(&self, server: &str, listed: Listed) -> Client {
        let own = self.client.server_info();
        Client {
            server: server.to_owned(),
            number: listed.cid,
            user: listed.authorized_user,
            language: listed.lang,
            since: listed.start.into(),
            published: u64::try_from(listed.in_msgs).unwrap_or(0),
            is_guildwire: listed.name == CLIENT_NAME || (server == own.server_id && listed.cid == own.client_id),
            is_leaf: !matches!(listed.kind.as_str(), "" | "Client"),
            name: listed.name,
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
        let (mut taken, mut came) = (Answers::default(), 0);
        while came < enough.unwrap_or(MOST_SERVERS).clamp(1, MOST_SERVERS) {
            let patience = if came == 0 { PATIENCE } else { QUIET };
            let answer = tokio::select! {
                answer = tokio::time::timeout(patience, answers.next()) => answer,
                _ = self.denied(CONNECTIONS), if !was_denied => return Err(Unseen::Denied),
            };
            let Ok(Some(message)) = answer else { break };
            came += 1;
            // Also a message that says that nobody is there to answer is none that can be read.
            taken.take(&message.payload)?;
            if came == 1 && message.status == Some(StatusCode::NO_RESPONDERS) {
                break;
            }
        }
        if taken.read.is_empty() { Err(nobody) } else { Ok(taken.read) }
    }
}
