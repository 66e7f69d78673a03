//! What each guild may choose from, in memory: whoever types an option is answered from here and never waits for the
//! database.
//!
//! It is as old as it is: read at the start, again after each command for the guild that used it, and in the background
//! as soon as somebody types and it is older than [`FRESH`]. So what is new elsewhere (a server's first event) is
//! offered a moment after somebody began to type. What is chosen is checked against the database.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::domain::ids::{AccountName, GuildId, UserId};
use crate::store::directory::Choices;
use crate::store::{Store, StoreError};

/// For how long it is not looked again while somebody types.
const FRESH: Duration = Duration::from_secs(2);

/// How often everything is read again: it forgets guilds that have gone.
const RELOAD_EVERY: Duration = Duration::from_mins(1);

/// How soon after that it may be read again, when links and bindings change: thousands of guilds take a while.
const RELOAD_AT_MOST_EVERY: Duration = Duration::from_secs(5);

/// How many servers are offered to a guild. A publisher may make up any number of them.
const MOST_SERVERS: u32 = 1_000;

/// The directory; cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Directory(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    guilds: DashMap<GuildId, Entry>,
    owned: Mutex<Owned>,
    /// Whom to look up again, and the bell that says so.
    stale: Mutex<Stale>,
    bell: Notify,
}

#[derive(Debug)]
struct Entry {
    choices: Arc<Choices>,
    /// When reading it began.
    read_at: Instant,
}

/// Whose the accounts are.
#[derive(Debug, Default)]
struct Owned {
    by: BTreeMap<UserId, Vec<AccountName>>,
    /// When reading it began.
    read_at: Option<Instant>,
}

#[derive(Debug, Default)]
struct Stale {
    guilds: BTreeSet<GuildId>,
    owned: bool,
}

impl Directory {
    /// Reads everything.
    pub async fn load(store: &Store) -> Result<Self, StoreError> {
        let directory = Self::default();
        directory.reload(store).await?;
        Ok(directory)
    }

    /// Keeps it up to date until the service stops.
    pub async fn keep(self, store: Store, drain: CancellationToken) {
        tokio::join!(self.reload_now_and_then(&store, &drain), self.refresh_stale(&store, &drain));
    }

    /// What the guild may choose from, as far as is known, without any wait.
    pub(super) fn look(&self, guild: GuildId, now: Instant) -> Arc<Choices> {
        let known = self.0.guilds.get(&guild).map(|entry| (Arc::clone(&entry.choices), entry.read_at));
        if known.as_ref().is_none_or(|(_, read_at)| now.duration_since(*read_at) > FRESH) {
            self.ask(|stale| {
                stale.guilds.insert(guild);
            });
        }
        known.map_or_else(Arc::default, |(choices, _)| choices)
    }

    /// The accounts that a person owns, as far as is known, without any wait.
    pub(super) fn owned_by(&self, user: UserId, now: Instant) -> Vec<AccountName> {
        let (accounts, read_at) = {
            let owned = self.0.owned.lock().unwrap_or_else(PoisonError::into_inner);
            (owned.by.get(&user).cloned().unwrap_or_default(), owned.read_at)
        };
        if read_at.is_none_or(|read_at| now.duration_since(read_at) > FRESH) {
            self.ask(|stale| stale.owned = true);
        }
        accounts
    }

    /// Whether nobody else owns an account, as far as is known, without any wait.
    pub(super) fn is_no_others(&self, user: UserId, account: &AccountName) -> bool {
        let owned = self.0.owned.lock().unwrap_or_else(PoisonError::into_inner);
        owned.read_at.is_some()
            && owned.by.iter().all(|(owner, accounts)| *owner == user || !accounts.contains(account))
    }

    /// Has something looked up again, soon.
    fn ask(&self, ask: impl FnOnce(&mut Stale)) {
        ask(&mut self.0.stale.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.bell.notify_one();
    }

    /// Reads what the guild may choose from again.
    pub(super) async fn refresh(&self, store: &Store, guild: GuildId) {
        let read_at = Instant::now();
        match store.choices(Some(guild), MOST_SERVERS).await {
            Ok(mut found) => self.insert(guild, found.remove(&guild).unwrap_or_default(), read_at),
            Err(error) => tracing::warn!(%guild, %error, "can't read again what a guild may choose from"),
        }
    }

    /// Keeps what was read, unless something that was read later is there already.
    fn insert(&self, guild: GuildId, choices: Choices, read_at: Instant) {
        let mut entry = self.0.guilds.entry(guild).or_insert_with(|| Entry { choices: Arc::default(), read_at });
        if entry.read_at <= read_at {
            *entry = Entry { choices: Arc::new(choices), read_at };
        }
    }

    /// Reads again whose the accounts are.
    async fn read_owned(&self, store: &Store) -> Result<(), StoreError> {
        let read_at = Some(Instant::now());
        let by = store.owned_accounts().await?;
        *self.0.owned.lock().unwrap_or_else(PoisonError::into_inner) = Owned { by, read_at };
        Ok(())
    }

    async fn reload(&self, store: &Store) -> Result<(), StoreError> {
        self.read_owned(store).await?;
        let read_at = Instant::now();
        for (guild, choices) in store.choices(None, MOST_SERVERS).await? {
            self.insert(guild, choices, read_at);
        }
        // What was not found has gone.
        self.0.guilds.retain(|_, entry| entry.read_at >= read_at);
        Ok(())
    }

    async fn reload_now_and_then(&self, store: &Store, drain: &CancellationToken) {
        while !drain.is_cancelled() {
            let bell = pin!(store.configuration_bell());
            tokio::select! {
                () = bell => {}
                () = tokio::time::sleep(RELOAD_EVERY) => {}
                () = drain.cancelled() => return,
            }
            if let Some(Err(error)) = drain.run_until_cancelled(self.reload(store)).await {
                tracing::warn!(%error, "can't read again what guilds may choose from");
            }
            drain.run_until_cancelled(tokio::time::sleep(RELOAD_AT_MOST_EVERY)).await;
        }
    }

    async fn refresh_stale(&self, store: &Store, drain: &CancellationToken) {
        while drain.run_until_cancelled(self.0.bell.notified()).await.is_some() {
            let stale = std::mem::take(&mut *self.0.stale.lock().unwrap_or_else(PoisonError::into_inner));
            if stale.owned
                && let Some(Err(error)) = drain.run_until_cancelled(self.read_owned(store)).await
            {
                tracing::warn!(%error, "can't read again whose the accounts are");
            }
            for guild in stale.guilds {
                if drain.run_until_cancelled(self.refresh(store, guild)).await.is_none() {
                    return;
                }
            }
        }
    }
}
