//! Named tasks, and a shutdown in two steps: first every task is told to stop taking new work, then, past a deadline
//! or at a second signal, what still runs is cut off and named.
//!
//! Only this file spawns. It does not restart what failed: a service without one of its parts is worse than one that
//! its supervisor starts anew, because nobody sees that something is missing. Nor is a clean shutdown needed for
//! anything to be right: it is a courtesy, surviving a crash is the contract.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, mpsc};
use tokio::task::{AbortHandle, JoinHandle};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long tasks that were cut off get to be dropped. Only one that blocks its thread needs longer, and that one
/// would keep the process for ever.
const GRACE_AFTER_ABORT: Duration = Duration::from_secs(1);

/// How many requests to stop are remembered before they are looked at; the third says nothing new.
const REMEMBERED_REQUESTS: usize = 2;

/// The running service: spawns its tasks, and stops all of them when it is asked to or when one of them fails.
#[derive(Clone, Default)]
pub struct Lifecycle {
    shared: Arc<Shared>,
}

/// How the service ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was asked to stop.
    Stopped,
    /// Something that has to run did not: this says what, in words for the operator.
    Failed(String),
}

impl Lifecycle {
    /// A service with nothing running yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `task`, which has to live as long as the service: it ends once [`Lifecycle::drain`] is cancelled, and
    /// not before. Ending by itself, or a panic, drains the service and makes the outcome a failure with its name.
    ///
    /// A task that knows why it can't go on says so with [`Lifecycle::fail`] and returns.
    pub fn spawn(&self, name: impl Into<Arc<str>>, task: impl Future<Output = ()> + Send + 'static) {
        let name = name.into();
        let lifecycle = self.clone();
        self.start(Arc::clone(&name), async move {
            task.await;
            if !lifecycle.shared.drain.is_cancelled() {
                lifecycle.fail(format!("the task {name} ended, though it has to run as long as guildwire does"));
            }
        });
    }

    /// Runs `job`, which may end by itself whenever it is done. A panic in it is a failure of the service, too.
    ///
    /// The handle can be awaited, aborted, or dropped: the job goes on, and shutdown waits for it all the same.
    pub fn spawn_job<T: Send + 'static>(
        &self,
        name: impl Into<Arc<str>>,
        job: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.start(name.into(), job)
    }

    /// Cancelled once no new work is to be taken. What is in hand may be finished, up to the deadline.
    ///
    /// Each call makes a token of its own below the service's: to cancel it tells only those who share it.
    #[must_use]
    pub fn drain(&self) -> CancellationToken {
        self.shared.drain.child_token()
    }

    /// Starts the drain, as a signal does.
    pub fn stop(&self) {
        self.shared.drain.cancel();
    }

    /// Starts the drain and makes the outcome a failure for this `reason`. The first reason given is the one that
    /// is told; those that follow are mostly its consequences.
    pub fn fail(&self, reason: impl Into<String>) {
        let reason = reason.into();
        tracing::error!(reason, "stopping, because something that has to run does not");
        lock(&self.shared.failure).get_or_insert(reason);
        self.stop();
    }

    /// Waits until SIGHUP asks for the settings to be read again. What was asked while nobody waited is not missed.
    pub async fn reload_asked(&self) {
        self.shared.reload.notified().await;
    }

    /// Waits for SIGINT, SIGTERM or a failed task, then stops the service: lets tasks finish for up to `deadline`,
    /// cuts off and names those that did not. A second signal cuts off at once.
    pub async fn run_until_shutdown(self, deadline: Duration) -> Outcome {
        let (ask, requests) = mpsc::channel(REMEMBERED_REQUESTS);
        let listener = match Signals::listen() {
            Ok(signals) => Some(launch(signals.forward(ask, Arc::clone(&self.shared)))),
            Err(error) => {
                self.fail(format!("can't listen for SIGINT, SIGTERM and SIGHUP: {error}"));
                None
            }
        };
        let outcome = self.run_until_asked(requests, deadline).await;
        if let Some(listener) = listener {
            listener.abort();
        }
        outcome
    }

    /// [`Lifecycle::run_until_shutdown`] with the signals' names coming from a channel.
    async fn run_until_asked(self, mut requests: mpsc::Receiver<&'static str>, deadline: Duration) -> Outcome {
        let Shared { drain, tasks, .. } = &*self.shared;
        tokio::select! {
            () = drain.cancelled() => {}
            Some(request) = requests.recv() => tracing::info!(request, "stopping; once more stops at once"),
        }
        drain.cancel();
        tasks.close();
        let cut_off_because = tokio::select! {
            biased;
            () = tasks.wait() => None,
            Some(request) = requests.recv() => Some(request),
            () = tokio::time::sleep(deadline) => Some("deadline"),
        };
        if let Some(reason) = cut_off_because {
            let stragglers = self.cut_off();
            tracing::warn!(reason, stragglers, "cut off what did not stop by itself");
            if tokio::time::timeout(GRACE_AFTER_ABORT, tasks.wait()).await.is_err() {
                tracing::warn!(stragglers = self.running(), "left behind what blocks its thread");
            }
        }
        lock(&self.shared.failure).take().map_or(Outcome::Stopped, Outcome::Failed)
    }

    /// Spawns, keeps the name for as long as it runs, and turns a panic into a failure.
    fn start<T: Send + 'static>(
        &self,
        name: Arc<str>,
        future: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        let lifecycle = self.clone();
        // Listed before it runs, so that one that ends at once can't leave its name behind; and not launched under
        // the lock, because a runtime that is shutting down drops the task there and then, which takes the lock.
        let id = lock(&self.shared.running).enlist(Arc::clone(&name));
        let entry = Entry { shared: Arc::clone(&self.shared), id };
        let handle = launch(self.shared.tasks.track_future(async move {
            let _entry = entry;
            // Nothing of the future is looked at after its panic, and what it shared sits behind locks.
            match AssertUnwindSafe(future).catch_unwind().await {
                Ok(output) => output,
                Err(panic) => {
                    lifecycle.fail(format!("the task {name} panicked: {}", panic_message(&*panic)));
                    resume_unwind(panic)
                }
            }
        }));
        let mut running = lock(&self.shared.running);
        if running.cut_off {
            handle.abort();
        } else if let Some((_, abort)) = running.tasks.get_mut(&id) {
            *abort = Some(handle.abort_handle());
        }
        drop(running);
        handle
    }

    /// Aborts everything that still runs and says what that was.
    fn cut_off(&self) -> String {
        let names = self.running();
        let mut running = lock(&self.shared.running);
        running.cut_off = true;
        let aborts: Vec<AbortHandle> = running.tasks.values().filter_map(|(_, abort)| abort.clone()).collect();
        // Released first: a task that is dropped by its abort takes this very lock.
        drop(running);
        for abort in aborts {
            abort.abort();
        }
        names
    }

    /// The names of what runs now, such as `http, lane (3)`.
    fn running(&self) -> String {
        let mut counts: BTreeMap<Arc<str>, usize> = BTreeMap::new();
        for (name, _) in lock(&self.shared.running).tasks.values() {
            *counts.entry(Arc::clone(name)).or_default() += 1;
        }
        let told = |(name, count): (&Arc<str>, &usize)| match count {
            1 => name.to_string(),
            _ => format!("{name} ({count})"),
        };
        counts.iter().map(told).collect::<Vec<_>>().join(", ")
    }
}

/// What every clone of a [`Lifecycle`] and every task sees.
#[derive(Default)]
struct Shared {
    drain: CancellationToken,
    tasks: TaskTracker,
    running: Mutex<Running>,
    failure: Mutex<Option<String>>,
    /// Notified when the settings are to be read again.
    reload: Notify,
}

/// The tasks that run, by a number that is never given twice: names are not unique.
#[derive(Default)]
struct Running {
    next_id: u64,
    /// Whether everything was aborted, and so is what is spawned from here on.
    cut_off: bool,
    /// Each with its name and, once it is launched, the way to abort it.
    tasks: BTreeMap<u64, (Arc<str>, Option<AbortHandle>)>,
}

impl Running {
    fn enlist(&mut self, name: Arc<str>) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.tasks.insert(id, (name, None));
        id
    }
}

/// A task's place in [`Running`], given up however the task ends: by itself, by panic or by abort.
struct Entry {
    shared: Arc<Shared>,
    id: u64,
}

impl Drop for Entry {
    fn drop(&mut self) {
        lock(&self.shared.running).tasks.remove(&self.id);
    }
}

/// Spawns on the current runtime.
fn launch<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that spawns")]
    tokio::spawn(future)
}

/// The signals that mean something here.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Hands on the name of each that asks to stop, until nobody listens any more.
    async fn forward(mut self, ask: mpsc::Sender<&'static str>, shared: Arc<Shared>) {
        loop {
            let name = tokio::select! {
                Some(()) = self.interrupt.recv() => "SIGINT",
                Some(()) = self.terminate.recv() => "SIGTERM",
                Some(()) = self.hangup.recv() => {
                    shared.reload.notify_one();
                    continue;
                }
                else => return,
            };
            if ask.send(name).await.is_err() {
                return;
            }
        }
    }
}

/// What a panic said, where it said anything.
fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it gave no reason")
}

/// The lock's content, also after a panic elsewhere: each change to it here is a single step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
