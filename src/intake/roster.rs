//! Which accounts are read: one reader for each account that has a binding, started and stopped as bindings come and
//! go. A change made by the command line, in another process, is found by looking.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::reader::{Order, Reader, Shared};
use crate::clock;
use crate::domain::account::Account;
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
    let mut failing = false;
    while !shared.drain.is_cancelled() {
        // Enabled before looking, so that a change made meanwhile is not missed.
        let mut bell = pin!(shared.store.configuration_bell());
        bell.as_mut().enable();
        match look(&shared, &lifecycle, &mut running).await {
            Ok(()) => failing = false,
            // Told once for as long as it lasts: the next look comes in two seconds.
            Err(error) if !std::mem::replace(&mut failing, true) => {
                tracing::warn!(%error, "can't look which accounts to read; trying again");
            }
            Err(_) => {}
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
    let mut checks = shared.store.wanted_checks(clock::now()).await?;
    let subscribed: BTreeMap<AccountName, Order> = shared
        .store
        .subscribed_accounts()
        .await?
        .into_iter()
        .map(|Account { name, revision, .. }| {
            let check = checks.remove(&name);
            (name, Order::Read { revision, check })
        })
        .collect();
    running.retain(|_, reader| !reader.task.is_finished());
    for (account, reader) in running.iter() {
        let order = subscribed.get(account).copied().unwrap_or(Order::Leave);
        // A reader that was told to leave does so, even when the account is subscribed again meanwhile: its successor
        // starts once it is gone. So does one that only checks.
        reader.order.send_if_modified(|current| {
            let changed = *current != order && matches!(current, Order::Read { .. });
            if changed {
                *current = order;
            }
            changed
        });
    }
    // What an earlier run did not get to clean up.
    let to_leave = shared.store.forsaken_accounts().await?.into_iter().map(|account| (account, Order::Leave));
    // Those that nobody reads.
    let to_check = checks.into_iter().map(|(account, check)| (account, Order::Check(check)));
    for (account, order) in subscribed.into_iter().chain(to_leave).chain(to_check) {
        running.entry(account).or_insert_with_key(|account| {
            let (order, orders) = watch::channel(order);
            let reader = Reader::new(shared.clone(), account.clone(), orders);
            let task = lifecycle.spawn_job(format!("reader of {account}"), reader.run());
            Running { order, task }
        });
    }
    Ok(())
}
