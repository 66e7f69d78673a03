//! Whether the bot does its work: its database takes writes, Discord takes its token, the gateway is connected.
//!
//! An account that can't be read fails nothing here: that is its owner's trouble, and a restart would only take the
//! others down with it. But when what an account reads can't be recorded, that is the database's trouble.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::nats::states::AccountStates;
use crate::store::Store;

/// How long the database may take to show that it takes writes. Supervisors mostly wait a little longer.
const DATABASE_PATIENCE: Duration = Duration::from_secs(2);

/// For how long a write that worked counts: each costs a sync of the disk, and probes may come every second. One that
/// failed is tried again by whoever asks next.
const WRITE_COUNTS: Duration = Duration::from_secs(5);

/// What readiness is judged by. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Readiness {
    store: Store,
    states: AccountStates,
    halted: CancellationToken,
    connected: Arc<AtomicBool>,
    /// When the database last took a write of ours. Held while one is tried, so that many who ask cause one.
    written: Arc<Mutex<Option<Instant>>>,
}

impl Readiness {
    /// Judged by the database, by whether accounts can record there, by `halted`, which is cancelled when Discord
    /// refuses the bot while it runs, and by whether the gateway is `connected`.
    #[must_use]
    pub fn new(store: Store, states: AccountStates, halted: CancellationToken, connected: Arc<AtomicBool>) -> Self {
        Self { store, states, halted, connected, written: Arc::default() }
    }

    /// Each check by its name, and what is wrong.
    pub async fn checks(&self) -> [(&'static str, Result<(), String>); 3] {
        [("database", self.database().await), ("token", self.token()), ("gateway", self.gateway())]
    }

    async fn database(&self) -> Result<(), String> {
        // A disk that is full takes a small write for longer than those that matter.
        if let Some(reason) = self.states.database_trouble() {
            return Err(reason);
        }
        match tokio::time::timeout(DATABASE_PATIENCE, self.write()).await {
            Ok(written) => written,
            Err(_) => Err(format!("took no write within {} seconds", DATABASE_PATIENCE.as_secs())),
        }
    }

    async fn write(&self) -> Result<(), String> {
        let mut written = self.written.lock().await;
        if written.is_some_and(|at| at.elapsed() < WRITE_COUNTS) {
            return Ok(());
        }
        self.store.check_writable().await.map_err(|error| format!("takes no writes ({error})"))?;
        *written = Some(Instant::now());
        Ok(())
    }

    fn token(&self) -> Result<(), String> {
        let refused = || "Discord refuses it: start guildwire with a valid one (no event is lost)".to_owned();
        if self.halted.is_cancelled() { Err(refused()) } else { Ok(()) }
    }

    fn gateway(&self) -> Result<(), String> {
        if self.connected.load(Ordering::Relaxed) { Ok(()) } else { Err("not connected".to_owned()) }
    }
}
