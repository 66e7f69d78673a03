//! What ends the service, and what becomes of its tasks then. Signals come from a channel: a real one would reach
//! every test in this process.

use std::future::pending;

use tokio::sync::oneshot;

use super::*;

const NEVER_IN_A_TEST: Duration = Duration::from_hours(1);

/// A service, and the way to send it signals.
fn house() -> (Lifecycle, mpsc::Sender<&'static str>, mpsc::Receiver<&'static str>) {
    let (ask, requests) = mpsc::channel(REMEMBERED_REQUESTS);
    (Lifecycle::new(), ask, requests)
}

/// A task that stops when it is told to, and then says so.
fn obedient(lifecycle: &Lifecycle) -> oneshot::Receiver<()> {
    let (stopped, has_stopped) = oneshot::channel();
    let drain = lifecycle.drain();
    lifecycle.spawn("obedient", async move {
        drain.cancelled().await;
        let _ = stopped.send(());
    });
    has_stopped
}

#[tokio::test]
async fn a_signal_lets_tasks_finish() {
    let (lifecycle, ask, requests) = house();
    let has_stopped = obedient(&lifecycle);
    ask.send("SIGTERM").await.unwrap();
    assert_eq!(lifecycle.run_until_asked(requests, NEVER_IN_A_TEST).await, Outcome::Stopped);
    has_stopped.await.unwrap();
}

#[tokio::test]
async fn a_task_that_ends_by_itself_drains_the_house_and_is_named() {
    let (lifecycle, _ask, requests) = house();
    let has_stopped = obedient(&lifecycle);
    lifecycle.spawn("http", async {});
    assert_eq!(
        lifecycle.run_until_asked(requests, NEVER_IN_A_TEST).await,
        Outcome::Failed("the task http ended, though it has to run as long as guildwire does".to_owned())
    );
    has_stopped.await.unwrap();
}

#[tokio::test]
async fn a_panic_in_a_task_or_a_job_is_a_failure_that_says_why() {
    for job in [false, true] {
        let (lifecycle, _ask, requests) = house();
        let number = 7;
        if job {
            let handle = lifecycle.spawn_job("x", async move { panic!("no lane {number}") });
            assert!(handle.await.unwrap_err().is_panic());
        } else {
            lifecycle.spawn("x", async move { panic!("no lane {number}") });
        }
        assert_eq!(
            lifecycle.run_until_asked(requests, NEVER_IN_A_TEST).await,
            Outcome::Failed("the task x panicked: no lane 7".to_owned())
        );
    }
}

#[tokio::test]
async fn the_first_reason_is_told() {
    let (lifecycle, _ask, requests) = house();
    lifecycle.fail("the token is wrong");
    lifecycle.fail("the gateway is closed");
    assert_eq!(
        lifecycle.run_until_asked(requests, NEVER_IN_A_TEST).await,
        Outcome::Failed("the token is wrong".to_owned())
    );
}

#[tokio::test]
async fn a_job_may_end_or_be_aborted_without_stopping_anything() {
    let (lifecycle, ask, requests) = house();
    assert_eq!(lifecycle.spawn_job("sum", async { 1 + 1 }).await.unwrap(), 2);
    let endless = lifecycle.spawn_job("endless", pending::<()>());
    assert_eq!(lifecycle.running(), "endless");
    endless.abort();
    assert!(endless.await.unwrap_err().is_cancelled());
    assert_eq!(lifecycle.running(), "");
    assert!(!lifecycle.drain().is_cancelled());
    ask.send("SIGINT").await.unwrap();
    assert_eq!(lifecycle.run_until_asked(requests, NEVER_IN_A_TEST).await, Outcome::Stopped);
}

#[tokio::test]
async fn the_deadline_cuts_off_those_who_do_not_listen() {
    let (lifecycle, _ask, requests) = house();
    for _ in 0..3 {
        lifecycle.spawn("deaf", pending());
    }
    lifecycle.spawn("other", pending());
    assert_eq!(lifecycle.running(), "deaf (3), other");
    lifecycle.stop();
    let all = lifecycle.clone();
    assert_eq!(lifecycle.run_until_asked(requests, Duration::ZERO).await, Outcome::Stopped);
    assert_eq!(all.running(), "");
}

#[tokio::test]
async fn a_second_signal_cuts_off_at_once() {
    let (lifecycle, ask, requests) = house();
    lifecycle.spawn("deaf", pending());
    ask.send("SIGTERM").await.unwrap();
    ask.send("SIGTERM").await.unwrap();
    assert_eq!(lifecycle.run_until_asked(requests, NEVER_IN_A_TEST).await, Outcome::Stopped);
}

#[tokio::test]
async fn what_is_spawned_after_the_cut_off_is_aborted_too() {
    let (lifecycle, _ask, requests) = house();
    let late = lifecycle.clone();
    lifecycle.spawn("deaf", pending());
    lifecycle.stop();
    assert_eq!(lifecycle.run_until_asked(requests, Duration::ZERO).await, Outcome::Stopped);
    assert!(late.spawn_job("late", pending::<()>()).await.unwrap_err().is_cancelled());
    assert_eq!(late.running(), "");
}

#[test]
fn to_spawn_while_the_runtime_shuts_down_does_not_hang() {
    struct SpawnsWhenDropped(Lifecycle);
    impl Drop for SpawnsWhenDropped {
        fn drop(&mut self) {
            self.0.spawn("late", pending());
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let lifecycle = Lifecycle::new();
    let last_words = SpawnsWhenDropped(lifecycle.clone());
    let _in_runtime = runtime.enter();
    lifecycle.spawn("deaf", async move {
        let _last_words = last_words;
        pending::<()>().await;
    });
    runtime.shutdown_background();
    assert_eq!(lifecycle.running(), "");
}

#[tokio::test]
async fn to_cancel_a_drain_token_stops_only_those_who_share_it() {
    let lifecycle = Lifecycle::new();
    let token = lifecycle.drain();
    token.cancel();
    assert!(!lifecycle.drain().is_cancelled());
    lifecycle.stop();
    assert!(lifecycle.drain().is_cancelled());
}
