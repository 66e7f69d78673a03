//! What `/metrics` answers: what was counted, and what is looked at for each answer.
//!
//! A scrape must not hurt: the database is asked one query, for at most a second, and takes one small write, for at most
//! two, neither more often than every few seconds however many ask.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::readiness::Readiness;
use crate::nats::states::AccountStates;
use crate::store::Store;
use crate::store::lanes::Backlog;
use crate::telemetry::metrics::{Metrics, Moment};

/// How long the database may take; after that its gauges are left out.
const DATABASE_PATIENCE: Duration = Duration::from_secs(1);

/// For how long what the database said is said again.
const BACKLOG_COUNTS: Duration = Duration::from_secs(5);

/// When the database was asked last, and what it said.
type Asked = (Instant, Option<Backlog>);

/// Answers scrapes. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Scrape {
    store: Store,
    states: AccountStates,
    metrics: Metrics,
    readiness: Readiness,
    per_account: bool,
    /// Held while the database is asked, so that many who ask cause one query.
    last: Arc<Mutex<Option<Asked>>>,
}

impl Scrape {
    /// Answers with what `metrics` counted and what the others say of this moment; of each account where
    /// `per_account` says so.
    #[must_use]
    pub fn new(store: Store, states: AccountStates, metrics: Metrics, readiness: Readiness, per_account: bool) -> Self {
        Self { store, states, metrics, readiness, per_account, last: Arc::default() }
    }

    /// The answer's text.
    pub async fn render(&self) -> Result<String, fmt::Error> {
        let (backlog, checks) = tokio::join!(timeout(DATABASE_PATIENCE, self.backlog()), self.readiness.checks());
        let backlog = backlog.ok().flatten();
        let summary = self.states.summary();
        let each = if self.per_account { self.states.all() } else { BTreeMap::new() };
        self.metrics.render(&Moment {
            accounts: summary.by_state,
            lag: (summary.lag_max, summary.lag_sum),
            lag_of: each.into_iter().map(|(account, standing)| (account.to_string(), standing.lag)).collect(),
            lanes: backlog.map(|now| vec![("due", now.due_lanes), ("stopped", now.stopped_lanes)]).unwrap_or_default(),
            outbox_events: backlog.map(|now| now.events),
            ready: checks.iter().all(|(_, check)| check.is_ok()),
        })
    }

    async fn backlog(&self) -> Option<Backlog> {
        let mut last = self.last.lock().await;
        if let Some((at, backlog)) = *last
            && at.elapsed() < BACKLOG_COUNTS
        {
            return backlog;
        }
        // Noted before it is asked: a question that takes too long is left, and must not be put again at once.
        *last = Some((Instant::now(), None));
        let backlog = self.store.backlog().await;
        if let Err(error) = &backlog {
            tracing::debug!(%error, "the database does not say what is on its way");
        }
        *last = Some((Instant::now(), backlog.ok()));
        last.and_then(|(_, backlog)| backlog)
    }
}
