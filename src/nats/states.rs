//! The state each subscribed account is in: written by intake, read by commands and metrics.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;

use super::connected::ConnectedClients;
use crate::domain::fault::Fault;
use crate::domain::ids::AccountName;
use crate::domain::timestamp::Timestamp;

/// For how long an account has to be read until it is known how much waits on its stream.
const SETTLED: Duration = Duration::from_secs(3);

/// How reading an account goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountState {
    /// Connecting, or not yet attached.
    Connecting,
    /// Events are read as they come.
    Running,
    /// Reading stopped, or brings nothing new; it is tried again by itself.
    Trouble(Fault),
}

impl AccountState {
    /// The state's one name, for metrics and logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Running => "running",
            Self::Trouble(fault) => fault.name(),
        }
    }
}

/// An account's state, since when, and how far its reading is behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The state.
    pub state: AccountState,
    /// Since when.
    pub since: Timestamp,
    /// How many events wait on the stream, as it was last heard.
    pub lag: u64,
}

/// All accounts at one glance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// How many accounts are in each state, by the state's name. States in which none is are missing.
    pub by_state: BTreeMap<&'static str, u64>,
    /// The largest lag of an account.
    pub lag_max: u64,
    /// The lags of all accounts together.
    pub lag_sum: u64,
}

/// Every subscribed account's state. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct AccountStates {
    standings: Arc<DashMap<AccountName, Standing>>,
    /// Since when each was in no trouble.
    untroubled: Arc<DashMap<AccountName, Timestamp>>,
    /// Who is connected to each.
    pub connected: ConnectedClients,
}

impl AccountStates {
    /// Notes the account's state; the moment stays when the state does. Answers whether it changed.
    #[must_use]
    pub fn set(&self, account: &AccountName, state: AccountState, now: Timestamp) -> bool {
        let connecting = || Standing { state: AccountState::Connecting, since: now, lag: 0 };
        let mut entry = self.standings.entry(account.clone()).or_insert_with(connecting);
        let changed = entry.state != state;
        let is_trouble = |state: &AccountState| matches!(state, AccountState::Trouble(_));
        if is_trouble(&entry.state) || is_trouble(&state) {
            self.untroubled.insert(account.clone(), now);
        } else {
            self.untroubled.entry(account.clone()).or_insert(now);
        }
        if changed {
            (entry.state, entry.since) = (state, now);
        }
        changed
    }

    /// Since when nothing kept the account's servers from being heard: what they said while a connection of guildwire's own
    /// was made anew, their stream kept. `None` when it is not subscribed.
    #[must_use]
    pub fn untroubled_since(&self, account: &AccountName) -> Option<Timestamp> {
        self.untroubled.get(account).map(|entry| *entry.value())
    }

    /// Notes how many events wait on the account's stream.
    pub fn set_lag(&self, account: &AccountName, lag: u64) {
        if let Some(mut entry) = self.standings.get_mut(account) {
            entry.lag = lag;
        }
    }

    /// Forgets an account that is no longer subscribed.
    pub fn remove(&self, account: &AccountName) {
        self.standings.remove(account);
        self.untroubled.remove(account);
        self.connected.remove(account);
    }

    /// How the account stands; `None` when it is not subscribed.
    #[must_use]
    pub fn get(&self, account: &AccountName) -> Option<Standing> {
        self.standings.get(account).map(|entry| entry.value().clone())
    }

    /// The account's state; `None` when it is not subscribed.
    #[must_use]
    pub fn state(&self, account: &AccountName) -> Option<AccountState> {
        self.get(account).map(|standing| standing.state)
    }

    /// Since when nothing new is known of the account, because it is not read; `None` while it is. Of one that is not
    /// subscribed, nothing is known since `heard_at`, when its last event was stored.
    #[must_use]
    pub fn blind_since(&self, account: &AccountName, heard_at: Timestamp) -> Option<Timestamp> {
        match self.get(account) {
            Some(Standing { state: AccountState::Running, .. }) => None,
            Some(Standing { since, .. }) => Some(since),
            None => Some(heard_at),
        }
    }

    /// Every account with how it stands, by name.
    #[must_use]
    pub fn all(&self) -> BTreeMap<AccountName, Standing> {
        self.standings.iter().map(|entry| (entry.key().clone(), entry.value().clone())).collect()
    }

    /// What keeps the database from recording, as the first account tells that suffers from it.
    #[must_use]
    pub fn database_trouble(&self) -> Option<String> {
        self.standings.iter().find_map(|entry| match &entry.state {
            AccountState::Trouble(Fault::Database(reason)) => Some(reason.clone()),
            _ => None,
        })
    }

    /// All accounts at one glance.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for entry in self.standings.iter() {
            *summary.by_state.entry(entry.state.name()).or_default() += 1;
            summary.lag_max = summary.lag_max.max(entry.lag);
            summary.lag_sum = summary.lag_sum.saturating_add(entry.lag);
        }
        summary
    }
}

/// Since when all that the account's servers said has been heard; `None` while guildwire can't tell. What waits on the stream
/// may say that it is otherwise by now, and guildwire's own blindness is not the servers' silence.
#[must_use]
pub fn heard_all_since(states: &AccountStates, account: &AccountName, now: Timestamp) -> Option<Timestamp> {
    let standing = states.get(account)?;
    let is_settled = now.since(standing.since) >= SETTLED;
    (standing.state == AccountState::Running && standing.lag == 0 && is_settled).then_some(standing.since)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanoseconds: i64) -> Timestamp {
        Timestamp::from_nanoseconds(nanoseconds)
    }

    #[test]
    fn a_state_keeps_its_beginning_while_it_lasts() {
        let (states, account) = (AccountStates::default(), "GA-1".parse().unwrap());
        assert!(states.set(&account, AccountState::Running, at(1)));
        assert!(!states.set(&account, AccountState::Running, at(2)));
        states.set_lag(&account, 7);
        let standing = Standing { state: AccountState::Running, since: at(1), lag: 7 };
        assert_eq!(states.get(&account), Some(standing));
        assert!(states.set(&account, AccountState::Trouble(Fault::Lost), at(3)));
        assert_eq!(states.get(&account).map(|standing| (standing.since, standing.lag)), Some((at(3), 7)));
    }

    #[test]
    fn only_trouble_keeps_an_account_from_being_heard() {
        let (states, account) = (AccountStates::default(), "GA-1".parse().unwrap());
        let lost = AccountState::Trouble(Fault::Lost);
        assert_eq!(states.untroubled_since(&account), None);
        for (moment, state, is_new, since) in [
            (1, AccountState::Connecting, false, 1),
            (2, AccountState::Running, true, 1),
            // Its credential was renewed, or it was checked.
            (3, AccountState::Connecting, true, 1),
            (4, AccountState::Running, true, 1),
            (5, lost.clone(), true, 5),
            (6, lost, false, 6),
            (7, AccountState::Running, true, 7),
            (8, AccountState::Running, false, 7),
        ] {
            assert_eq!(states.set(&account, state, at(moment)), is_new);
            assert_eq!(states.untroubled_since(&account), Some(at(since)), "{moment}");
        }
        states.remove(&account);
        assert_eq!(states.untroubled_since(&account), None);
    }

    #[test]
    fn all_is_heard_of_an_account_that_is_read_for_a_while_and_has_nothing_waiting() {
        let (states, account) = (AccountStates::default(), "GA-1".parse().unwrap());
        let (begun, settled) = (at(1), at(1).plus(SETTLED));
        assert_eq!(heard_all_since(&states, &account, settled), None, "it is not read");
        assert!(states.set(&account, AccountState::Running, begun));
        assert_eq!(heard_all_since(&states, &account, begun), None, "what waits is not known yet");
        assert_eq!(heard_all_since(&states, &account, settled), Some(begun));
        states.set_lag(&account, 1);
        assert_eq!(heard_all_since(&states, &account, settled), None);
        states.set_lag(&account, 0);
        assert!(states.set(&account, AccountState::Trouble(Fault::Lost), settled));
        assert_eq!(heard_all_since(&states, &account, settled.plus(SETTLED)), None);
    }

    #[test]
    fn all_accounts_are_counted_by_state() {
        let states = AccountStates::default();
        for (name, state, lag) in [
            ("a", AccountState::Running, 3),
            ("b", AccountState::Running, 0),
            ("c", AccountState::Trouble(Fault::NoJetStream), 4),
        ] {
            let name = name.parse().unwrap();
            assert!(states.set(&name, state, at(1)));
            states.set_lag(&name, lag);
        }
        let by_state = BTreeMap::from([("running", 2), ("no_jetstream", 1)]);
        assert_eq!(states.summary(), Summary { by_state, lag_max: 4, lag_sum: 7 });
        states.remove(&"c".parse().unwrap());
        assert_eq!(states.all().len(), 2);
    }
}
