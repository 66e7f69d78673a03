//! One installation, one runner.

use std::pin::pin;
use std::time::Duration;

use guildwire::store::StoreError;
use guildwire::store::lock::{OperatorLock, RunnerLock, is_held};
use guildwire_harness::TcpProxy;
use tokio::time::timeout;

use crate::recording::{insert, row};
use crate::*;

const BOUND: Duration = Duration::from_secs(30);

/// The server's process that holds the lock.
const HOLDER: &str = "SELECT CAST(COALESCE(MAX(pid), 0) AS BIGINT) FROM pg_locks
    WHERE locktype = 'advisory' AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

const END_HOLDER: &str = "SELECT COUNT(pg_terminate_backend(pid, 5000)) FROM pg_locks
    WHERE locktype = 'advisory' AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// When the runner's newest session began, in microseconds.
const NEWEST_SESSION: &str = "SELECT CAST(EXTRACT(EPOCH FROM MAX(backend_start)) * 1000000 AS BIGINT)
    FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'runner'";

/// Takes the lock once its last holder's end has got around.
async fn take(store: &Store) -> RunnerLock {
    let trying = async {
        loop {
            match RunnerLock::take(store).await {
                Ok(lock) => return lock,
                Err(StoreError::AlreadyRunning) => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        }
    };
    timeout(BOUND, trying).await.unwrap()
}

async fn is_taken(store: &Store) -> bool {
    matches!(RunnerLock::take(store).await, Err(StoreError::AlreadyRunning))
}

async fn becomes(store: &Store, query: &'static str, wanted: impl Fn(i64) -> bool) {
    timeout(BOUND, async { while !wanted(count(store, query).await) {} }).await.unwrap();
}

#[tokio::test]
async fn who_looks_whether_the_lock_is_held_keeps_nobody_from_taking_it() {
    on_both(async |database| {
        let (one, two) = (database.open().await, database.open().await);
        assert!(!is_held(&two).await.unwrap(), "never taken");
        let watching = async {
            loop {
                is_held(&two).await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let take_often = async {
            for _ in 0..50 {
                let lock = RunnerLock::take(&one).await.unwrap();
                assert!(is_held(&two).await.unwrap());
                drop(lock);
                if database.is_postgres() {
                    // The session ends after its handle.
                    timeout(BOUND, async { while is_held(&two).await.unwrap() {} }).await.unwrap();
                }
            }
        };
        tokio::select! {
            () = take_often => {}
            () = watching => {}
        }
        assert!(!is_held(&two).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_second_runner_is_refused_until_the_first_is_gone() {
    on_both(async |database| {
        let (one, two) = (database.open().await, database.open().await);
        let lock = RunnerLock::take(&one).await.unwrap();
        assert!(is_taken(&two).await);
        assert!(is_taken(&one).await, "nor may the same process run twice");
        // What is refused must not hold, or give back, anything.
        assert!(is_taken(&two).await);
        drop(lock);
        let lock = take(&two).await;
        assert!(is_taken(&one).await);
        drop(lock);
        take(&one).await;
    })
    .await;
}

#[tokio::test]
async fn commands_for_the_operators_nats_server_wait_for_one_another_and_for_no_runner() {
    on_both(async |database| {
        let (one, two) = (database.open().await, database.open().await);
        let _runner = take(&one).await;
        let first = OperatorLock::wait(&one).await.unwrap();
        let mut second = pin!(OperatorLock::wait(&two));
        assert!(timeout(Duration::from_secs(2), &mut second).await.is_err(), "it waits");
        drop(first);
        timeout(BOUND, second).await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_lock_that_is_gone_leaves_the_handle_usable() {
    on_both(async |database| {
        let (store, other) = (database.open().await, database.open().await);
        for _ in 0..20 {
            drop(take(&store).await);
        }
        store.installation("id", at(1)).await.unwrap();
        take(&other).await;
    })
    .await;
}

#[tokio::test]
async fn a_runner_counts_on_from_what_the_last_one_recorded() {
    on_both(async |database| {
        let (last, next) = (database.open().await, database.open().await);
        let lock = RunnerLock::take(&last).await.unwrap();
        let rows: Vec<_> = (1..=3).map(|sequence| row(&last, CHANNEL, sequence, "hello")).collect();
        insert(&last, &rows).await;
        drop(lock);
        let _lock = take(&next).await;
        let first = row(&next, CHANNEL, 4, "hello");
        assert!(first.id > rows[2].id);
        insert(&next, &[first]).await;
    })
    .await;
}

#[tokio::test]
async fn a_link_to_the_file_leads_to_the_same_lock() {
    let database = Database::sqlite();
    let store = database.open().await;
    let _lock = RunnerLock::take(&store).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(database.folder.as_ref().unwrap().path().join("guildwire.db"), &link).unwrap();
    let linked = Store::open(&format!("sqlite://{}", link.display())).await.unwrap();
    assert!(is_taken(&linked).await);
}

#[tokio::test]
async fn a_runner_whose_session_was_ended_takes_the_lock_again() {
    let database = Database::postgres().await;
    let (store, other) = (database.open().await, database.open().await);
    let lock = RunnerLock::take(&store).await.unwrap();
    let before = count(&other, HOLDER).await;
    let mut lost = pin!(lock.lost());
    let watch = async {
        assert_eq!(count(&other, END_HOLDER).await, 1);
        becomes(&other, HOLDER, |holder| holder != before && holder != 0).await;
        assert!(is_taken(&other).await);
    };
    tokio::select! {
        error = &mut lost => panic!("{error}"),
        () = watch => {}
    }
}

#[tokio::test]
async fn a_runner_whose_lock_another_one_took_meanwhile_is_told() {
    let database = Database::postgres().await;
    let (store, other) = (database.open().await, database.open().await);
    let lock = RunnerLock::take(&store).await.unwrap();
    assert_eq!(count(&other, END_HOLDER).await, 1);
    let _quicker = RunnerLock::take(&other).await.unwrap();
    let error = timeout(BOUND, lock.lost()).await.unwrap();
    assert!(matches!(error, StoreError::AlreadyRunning), "{error}");
}

#[tokio::test]
async fn a_runner_is_not_shut_out_by_its_own_session_on_a_broken_network() {
    let database = Database::postgres().await;
    let other = database.open().await;
    let proxy = TcpProxy::start(Postgres::shared().address()).await.unwrap();
    let through = database.url.replace(&Postgres::shared().address().to_string(), &proxy.addr().to_string());
    let store = Store::open(&format!("{through}?sslmode=disable&application_name=runner")).await.unwrap();
    let lock = RunnerLock::take(&store).await.unwrap();
    let before = count(&other, HOLDER).await;
    // With the pool's sessions in use or given up, a try to take the lock again shows as a new one.
    let _busy = store.write().await.unwrap();
    let newest = count(&other, NEWEST_SESSION).await;
    proxy.hold_from_target();
    let mut lost = pin!(lock.lost());
    let watch = async {
        becomes(&other, NEWEST_SESSION, |now| now > newest).await;
        assert_eq!(count(&other, HOLDER).await, before, "the server knows nothing of the broken network");
        proxy.release();
        proxy.pass();
        becomes(&other, HOLDER, |holder| holder != before && holder != 0).await;
    };
    tokio::select! {
        error = &mut lost => panic!("{error}"),
        () = watch => {}
    }
    assert!(is_taken(&other).await);
}
