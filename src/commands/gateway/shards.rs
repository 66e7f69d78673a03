//! Which shards are connected, and whether they ever will be.

use std::collections::BTreeSet;
use std::time::Duration;

use serenity::all::ShardId;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long nothing may change while a shard is not connected. The library tries again every five seconds for as long as
/// it takes, and each attempt may use up a session.
const PATIENCE: Duration = Duration::from_mins(2);

/// Which shards are connected, of how many.
#[derive(Debug, Default)]
pub(super) struct Shards {
    connected: BTreeSet<ShardId>,
    total: usize,
}

impl Shards {
    /// None of `total` shards is connected so far.
    pub(super) fn none_of(total: u32) -> Self {
        Self { connected: BTreeSet::new(), total: usize::try_from(total).unwrap_or(usize::MAX) }
    }

    pub(super) fn connect(&mut self, shard: ShardId) {
        self.connected.insert(shard);
    }

    pub(super) fn disconnect(&mut self, shard: ShardId) {
        self.connected.remove(&shard);
    }

    /// How many are connected.
    pub(super) fn connected(&self) -> usize {
        self.connected.len()
    }

    /// How many there are.
    pub(super) const fn total(&self) -> usize {
        self.total
    }

    pub(super) fn are_all_connected(&self) -> bool {
        self.connected.len() >= self.total
    }
}

/// Waits until some shard is not connected and nothing has changed about that for [`PATIENCE`].
pub(super) async fn stalled(mut shards: watch::Receiver<Shards>) {
    loop {
        let are_all_connected = shards.borrow_and_update().are_all_connected();
        if are_all_connected {
            // Whoever tells is there for as long as the connection, and so for longer than this.
            shards.changed().await.ok();
        } else if timeout(PATIENCE, shards.changed()).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_shards_that_get_nowhere_are_stalled() {
        let (sender, receiver) = watch::channel(Shards::none_of(2));
        let start = Instant::now();
        let telling = async {
            for shard in [0, 1] {
                tokio::time::sleep(PATIENCE / 2).await;
                sender.send_modify(|shards| shards.connect(ShardId(shard)));
            }
            tokio::time::sleep(PATIENCE * 10).await;
            sender.send_modify(|shards| shards.disconnect(ShardId(1)));
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = stalled(receiver) => {}
            () = telling => {}
        }
        assert_eq!(start.elapsed(), PATIENCE * 12);
    }
}
