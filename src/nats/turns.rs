//! Taking turns at connecting: when a nats-server restarts, all who read accounts on it come back at once, and it is to
//! be spared. One that hangs holds up nobody but those who want to connect to it.

use std::sync::Arc;

use dashmap::DashMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many may connect to one nats-server, and make their consumers there, at the same time.
const AT_ONCE: usize = 24;

/// The turns at each nats-server, by its address. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Turns(Arc<DashMap<String, Arc<Semaphore>>>);

impl Turns {
    /// Waits for a turn at the server of this address; it lasts until the permit is dropped.
    pub async fn wait(&self, url: &str) -> OwnedSemaphorePermit {
        let turns = Arc::clone(&self.0.entry(url.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE))));
        turns.acquire_owned().await.expect("turns are never closed")
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_server_that_takes_long_holds_up_no_other() {
        let turns = Turns::default();
        let mut taken = Vec::new();
        for _ in 0..AT_ONCE {
            taken.push(turns.wait("nats://slow").await);
        }
        assert!(turns.wait("nats://slow").now_or_never().is_none());
        assert!(turns.wait("nats://other").now_or_never().is_some());
        taken.pop();
        assert!(turns.wait("nats://slow").now_or_never().is_some());
    }
}
