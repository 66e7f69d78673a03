//! Who is connected to each account, as it was seen last: written by intake, read by commands.

use std::sync::Arc;

use dashmap::DashMap;

use super::presence::Unseen;
use crate::domain::ids::AccountName;
use crate::domain::presence::{Client, Look};

/// How many clients of an account are kept to choose from.
const MOST_KEPT: usize = 200;

/// Who is connected to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connected {
    /// These are.
    Seen {
        /// How many nats-servers answered.
        servers: usize,
        /// The clients, guildwire itself and other nats-servers not among them.
        clients: Vec<Client>,
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

    /// Notes what a look showed.
    pub fn set(&self, account: &AccountName, look: &Result<Look, Unseen>) {
        let connected = match look {
            Ok(look) => {
                let others = look.clients.iter().filter(|client| !client.is_guildwire && !client.is_leaf);
                Connected::Seen { servers: look.servers.len(), clients: others.take(MOST_KEPT).cloned().collect() }
            }
            Err(unseen) => Connected::Unseen(*unseen),
        };
        self.0.insert(account.clone(), connected);
    }

    /// Forgets an account that is not read any more.
    pub fn remove(&self, account: &AccountName) {
        self.0.remove(account);
    }
}
