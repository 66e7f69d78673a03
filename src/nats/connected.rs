//! Who is connected to each account, as it was seen last: written by intake, read by commands.

use std::collections::BTreeMap;
use std::sync::Arc;

use dashmap::DashMap;

use super::presence::Unseen;
use crate::domain::ids::{AccountName, ServerId};
use crate::domain::presence::{Client, Look};
use crate::domain::timestamp::Timestamp;

/// How many clients of an account are kept to choose from.
const MOST_KEPT: usize = 200;

/// Who is connected to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connected {
    /// These are.
    Seen {
        /// When, in nats-server's time.
        at: Timestamp,
        /// How many nats-servers answered.
        servers: usize,
        /// The clients, guildwire itself and other nats-servers not among them.
        clients: Vec<Client>,
        /// The game servers that were there, or that are missing and may be on their way back: whether they were there.
        sightings: BTreeMap<ServerId, bool>,
    },
    /// That can't be seen.
    Unseen(Unseen),
}

/// Who is connected to each account that is read. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct ConnectedClients(Arc<DashMap<AccountName, Connected>>);

impl ConnectedClients {
    /// Who is connected to the account; `None` while that was not looked at.
    #[must_use]
    pub fn get(&self, account: &AccountName) -> Option<Connected> {
        self.0.get(account).map(|entry| entry.value().clone())
    }

    /// How many nats-servers answered last; `None` where none may be asked or none answered.
    #[must_use]
    pub fn servers(&self, account: &AccountName) -> Option<usize> {
        match self.0.get(account)?.value() {
            Connected::Seen { servers, .. } => Some(*servers),
            Connected::Unseen(_) => None,
        }
    }

    /// Whether a game server may have gone `by` that moment without anybody having noticed yet: it is missing, or was there
    /// when it was looked, and that was before. `false` where that can't be seen at all.
    #[must_use]
    pub fn may_have_gone(&self, account: &AccountName, server: &ServerId, by: Timestamp) -> bool {
        let connected = self.get(account);
        let Some(Connected::Seen { at, sightings, .. }) = connected else { return false };
        sightings.get(server).is_some_and(|was_there| !was_there || at < by)
    }

    /// Notes what a look showed, of the game servers too.
    pub fn see(&self, account: &AccountName, look: &Look, sightings: BTreeMap<ServerId, bool>) {
        let others = look.clients.iter().filter(|client| !client.is_guildwire && !client.is_leaf);
        let clients = others.take(MOST_KEPT).cloned().collect();
        let seen = Connected::Seen { at: look.at, servers: look.servers.len(), clients, sightings };
        self.0.insert(account.clone(), seen);
    }

    /// Notes why nothing can be seen.
    pub fn lose(&self, account: &AccountName, unseen: Unseen) {
        self.0.insert(account.clone(), Connected::Unseen(unseen));
    }

    /// Forgets an account that is not read any more.
    pub fn remove(&self, account: &AccountName) {
        self.0.remove(account);
    }
}
