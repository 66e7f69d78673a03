//! The state each subscribed account is in: written by intake, read by commands and by readiness.

use std::sync::Arc;

use dashmap::DashMap;

use crate::domain::fault::Fault;
use crate::domain::ids::AccountName;
use crate::domain::timestamp::Timestamp;

/// How reading an account goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountState {
    /// Connecting, or not yet attached.
    Connecting,
    /// Events are read as they come.
    Running,
    /// Reading stopped; it is tried again by itself.
    Trouble(Fault),
}

/// Every subscribed account's state, with the moment since when. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct AccountStates(Arc<DashMap<AccountName, (AccountState, Timestamp)>>);

impl AccountStates {
    /// Notes the account's state; the moment stays when the state does. Answers whether it changed.
    #[must_use]
    pub fn set(&self, account: &AccountName, state: AccountState, now: Timestamp) -> bool {
        let mut entry = self.0.entry(account.clone()).or_insert_with(|| (AccountState::Connecting, now));
        let changed = entry.0 != state;
        if changed {
            *entry = (state, now);
        }
        changed
    }

    /// Forgets an account that is no longer subscribed.
    pub fn remove(&self, account: &AccountName) {
        self.0.remove(account);
    }

    /// The account's state and since when; `None` when it is not subscribed.
    #[must_use]
    pub fn get(&self, account: &AccountName) -> Option<(AccountState, Timestamp)> {
        self.0.get(account).map(|entry| entry.value().clone())
    }
}
