//! Which accounts are read: one reader for each account that has a binding, started and stopped as bindings come and
//! go. A change made by the command line, in another process, is found by looking.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::reader::{Order, Reader, Shared};
use crate::domain::ids::AccountName;
use crate::lifecycle::Lifecycle;
use crate::store::StoreError;

/// How often the database is looked at when nobody rang.
const LOOK_EVERY: Duration = Duration::from_secs(2);

struct Running {
    order: watch::Sender<Order>,
    task: JoinHandle<()>,
}

/// Keeps a reader running for each subscribed account, until the service stops.
pub async fn run(shared: Shared, lifecycle: Lifecycle) {
    let mut running = BTreeMap::new();
    while !shared.drain.is_cancelled() {
        // Enabled before looking, so that a change made meanwhile is not missed.
        let mut bell = pin!(shared.store.configuration_bell());
        bell.as_mut().enable();
        if let Err(error) = look(&shared, &lifecycle, &mut running).await {
            tracing::warn!(%error, "can't look which accounts to read");
        }
        tokio::select! {
            () = bell => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = shared.drain.cancelled() => {}
        }
    }
    for (_, reader) in running {
        // Readers see the drain themselves; a panic in one is the lifecycle's to tell.
        reader.task.await.ok();
    }
}

async fn look(
    shared: &Shared,
    lifecycle: &Lifecycle,
    running: &mut BTreeMap<AccountName, Running>,
) -> Result<(), StoreError> {
    let subscribed: BTreeMap<AccountName, i64> =
        shared.store.subscribed_accounts().await?.into_iter().map(|account| (account.name, account.revision)).collect();
    running.retain(|_, reader| !reader.task.is_finished());
    for (account, reader) in running.iter() {
        let order = subscribed.get(account).map_or(Order::Leave, |revision| Order::Read(*revision));
        // A reader that was told to leave does so, even when the account is subscribed again meanwhile: its successor
        // starts once it is gone.
        reader.order.send_if_modified(|current| {
            let changed = *current != order && *current != Order::Leave;
            if changed {
                *current = order;
            }
            changed
        });
    }
    let to_read = subscribed.into_iter().map(|(account, revision)| (account, Order::Read(revision)));
    // What an earlier run did not get to clean up.
    let to_leave = shared.store.forsaken_accounts().await?.into_iter().map(|account| (account, Order::Leave));
    for (account, order) in to_read.chain(to_leave) {
        running.entry(account).or_insert_with_key(|account| {
            let (order, orders) = watch::channel(order);
            let reader = Reader::new(shared.clone(), account.clone(), orders);
            let task = lifecycle.spawn_job(format!("reader of {account}"), reader.run());
            Running { order, task }
        });
    }
    Ok(())
}
