//! Messages that are kept true by edits. What is to be shown is state: the latest wins, and nothing is shown by an edit
//! alone.
//!
//! One task says which is next, and each is carried out in a task of its own. Each channel has at most one edit in five
//! seconds, and none that changes nothing; a place and a slot are taken only where nobody who sends wants one
//! (`Limiter::wait_for_edit`).

mod channel;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use self::channel::Channel;
use super::{Shared, boards, incident_edits};
use crate::clock;
use crate::domain::ids::{AccountName, ChannelId};
use crate::domain::retry::backoff;
use crate::domain::stoppage::Cause;
use crate::domain::timestamp::Timestamp;
use crate::lifecycle::Lifecycle;
use crate::store::StoreError;
use crate::store::board_messages::WatchedBoard;
use crate::telemetry::metrics::Work;

/// How long a channel is left alone after an edit, counted from its answer, so that Discord sees no shorter time.
const SPACING: Duration = Duration::from_secs(5);

/// How long it is left alone after a look that found nothing to edit: much may happen that shows nowhere.
const LOOK_SPACING: Duration = Duration::from_secs(1);

/// How many are edited at the same time. Each holds one of the requests that Discord allows in a second.
const AT_ONCE: usize = 4;

/// How often it is looked which messages there are, and which accounts can't be seen.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How often each board is looked at, whether or not anything was heard: time alone changes what is known.
const LOOK_AT_ALL_EVERY: Duration = Duration::from_mins(1);

/// How many messages of incidents are taken up at a time.
const MOST_INCIDENTS: u32 = 100;

/// For how long an account has to be out of sight until that is shown: a new connection takes seconds.
const BLIND_AFTER: Duration = Duration::from_secs(15);

/// For how long a message is shown without what strangers wrote, after Discord did not accept it.
const WITHHELD_FOR: Duration = Duration::from_mins(10);

/// The first wait after a failed attempt, and the longest.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What is kept true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// The board of that number.
    Board(i64),
    /// The message that tells a channel of the incident of that number.
    Incident(i64),
}

/// What an attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// There was nothing to do.
    Unchanged,
    /// It shows what it is to show.
    Edited,
    /// It is looked at again after that time.
    Again(Duration),
    /// It is tried again, ever later.
    Failed,
    /// The channel refuses the bot: it is tried again as rarely as a lane.
    Refused,
    /// It is tried without what strangers wrote.
    Withheld,
}

/// What those who edit know beside the database.
#[derive(Debug, Clone, Default)]
pub(super) struct View {
    /// The accounts that can't be read, and since when.
    pub(super) blind: Arc<BTreeMap<AccountName, Timestamp>>,
    /// Whether what strangers wrote is left out.
    pub(super) is_withheld: bool,
}

/// Keeps everything true until the service stops.
pub(super) async fn run(shared: Shared, lifecycle: Lifecycle) {
    let mut editor = Editor::new(shared.clone());
    let (ended, mut ends) = mpsc::unbounded_channel();
    let mut running = 0;
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let has_room = running < AT_ONCE && !shared.halted.is_cancelled();
        if has_room && let Some((channel, subject, view)) = editor.take_due(Instant::now()) {
            running += 1;
            let (shared, ended) = (shared.clone(), ended.clone());
            // Not in this task: what one holds, others may wait for, while this task waits for the database.
            lifecycle.spawn_job(format!("edit in channel {channel}"), async move {
                let next = carry_out(&shared, channel, subject, view).await;
                // Nobody listens any more once the service stops.
                ended.send((channel, subject, next)).ok();
            });
            continue;
        }
        tokio::select! {
            () = shared.drain.cancelled() => return,
            rung = shared.store.rung_boards() => editor.hear(&rung.accounts, rung.is_list_changed).await,
            _ = looks.tick() => editor.look().await,
            Some((channel, subject, next)) = ends.recv() => {
                running -= 1;
                editor.settle(channel, subject, next);
            }
            () = editor.something_is_due(), if has_room => {}
        }
    }
}

async fn carry_out(shared: &Shared, channel: ChannelId, subject: Subject, view: View) -> Result<Next, StoreError> {
    match subject {
        Subject::Board(id) => boards::keep(shared, id, &view).await,
        Subject::Incident(id) => incident_edits::edit(shared, id, channel).await,
    }
}

struct Editor {
    shared: Shared,
    channels: HashMap<ChannelId, Channel>,
    boards: BTreeMap<i64, WatchedBoard>,
    blind: Arc<BTreeMap<AccountName, Timestamp>>,
    /// How often each failed of late.
    failures: HashMap<(ChannelId, Subject), u32>,
    /// Which are shown without what strangers wrote, and until when.
    withheld: HashMap<Subject, Instant>,
    looked_at_all: Option<Instant>,
    looked_for_incidents: Option<Instant>,
    is_database_failing: bool,
}

impl Editor {
    fn new(shared: Shared) -> Self {
        Self {
            shared,
            channels: HashMap::new(),
            boards: BTreeMap::new(),
            blind: Arc::default(),
            failures: HashMap::new(),
            withheld: HashMap::new(),
            looked_at_all: None,
            looked_for_incidents: None,
            is_database_failing: false,
        }
    }

    /// What is to be carried out next, if anything is. Where Discord takes no edits for a while, it waits here, in nobody's
    /// place.
    fn take_due(&mut self, now: Instant) -> Option<(ChannelId, Subject, View)> {
        let limiter = &self.shared.limiter;
        let is_due = |id: ChannelId, channel: &mut Channel| {
            let due = channel.due_at().filter(|due| *due <= now)?;
            let closed = limiter.edits_closed_for(id);
            if closed.is_zero() {
                return Some(due);
            }
            channel.close_until(now + closed);
            None
        };
        let (id, channel) = self
            .channels
            .iter_mut()
            .filter_map(|(id, channel)| is_due(*id, channel).map(|due| (due, *id, channel)))
            .min_by_key(|(due, id, _)| (*due, *id))
            .map(|(_, id, channel)| (id, channel))?;
        let subject = channel.take(now)?;
        let is_withheld = self.withheld.get(&subject).is_some_and(|until| *until > now);
        Some((id, subject, View { blind: Arc::clone(&self.blind), is_withheld }))
    }

    /// Waits until something can be carried out; for ever while nothing waits.
    async fn something_is_due(&self) {
        match self.channels.values().filter_map(Channel::due_at).min() {
            Some(due) => tokio::time::sleep_until(due).await,
            None => std::future::pending().await,
        }
    }

    fn settle(&mut self, id: ChannelId, subject: Subject, next: Result<Next, StoreError>) {
        let now = Instant::now();
        let next = next.unwrap_or_else(|error| {
            self.note_failure(&error);
            Next::Failed
        });
        let failures = self.failures.get(&(id, subject)).copied().unwrap_or_default().saturating_add(1);
        let wait = match next {
            Next::Unchanged | Next::Edited => None,
            Next::Again(wait) => Some(wait),
            Next::Failed => Some(backoff(failures, FIRST_WAIT, LONGEST_WAIT, rand::random())),
            Next::Refused => Cause::Refused.wait(failures - 1, self.shared.probe_after, rand::random()),
            Next::Withheld => {
                self.withheld.insert(subject, now + WITHHELD_FOR);
                Some(Duration::ZERO)
            }
        };
        if matches!(next, Next::Failed | Next::Refused) {
            self.failures.insert((id, subject), failures);
        } else {
            self.failures.remove(&(id, subject));
        }
        let Some(channel) = self.channels.get_mut(&id) else { return };
        channel.settle(now, wait);
        channel.close_until(now + if next == Next::Unchanged { LOOK_SPACING } else { SPACING });
        self.channels.retain(|_, channel| !channel.is_over(now));
    }

    /// Something was heard of these accounts, or boards were created or taken away.
    async fn hear(&mut self, accounts: &BTreeSet<AccountName>, is_list_changed: bool) {
        if is_list_changed {
            self.look().await;
        }
        let now = Instant::now();
        for (id, board) in self.boards.iter().filter(|(_, board)| !board.accounts.is_disjoint(accounts)) {
            self.channels.entry(board.channel).or_default().want(Subject::Board(*id), now);
        }
        // An event may be what an incident goes on with.
        if !is_list_changed
            && self.looked_for_incidents.is_none_or(|looked| looked.elapsed() >= LOOK_SPACING)
            && let Err(error) = self.look_for_incidents().await
        {
            self.note_failure(&error);
        }
    }

    /// Looks for messages that do not show how incidents stand.
    async fn look_for_incidents(&mut self) -> Result<(), StoreError> {
        let now = Instant::now();
        self.looked_for_incidents = Some(now);
        for stale in self.shared.store.stale_messages(MOST_INCIDENTS).await? {
            self.channels.entry(stale.channel).or_default().want(Subject::Incident(stale.incident), now);
        }
        Ok(())
    }

    async fn look(&mut self) {
        match self.look_at_database().await {
            Ok(()) if self.is_database_failing => {
                self.is_database_failing = false;
                tracing::info!("the database lets messages be kept true again");
            }
            Ok(()) => {}
            Err(error) => self.note_failure(&error),
        }
    }

    async fn look_at_database(&mut self) -> Result<(), StoreError> {
        self.look_for_incidents().await?;
        let now = Instant::now();
        let boards = self.shared.store.watched_boards().await?;
        let blind = self.out_of_sight().await?;
        let is_other = |account: &AccountName| blind.get(account) != self.blind.get(account);
        let looks_at_all = self.looked_at_all.is_none_or(|looked| looked.elapsed() >= LOOK_AT_ALL_EVERY);
        for (id, board) in &boards {
            if self.boards.get(id) != Some(board) {
                self.channels.entry(board.channel).or_default().want_now(Subject::Board(*id), now);
            } else if looks_at_all || board.is_removed || board.accounts.iter().any(is_other) {
                self.channels.entry(board.channel).or_default().want(Subject::Board(*id), now);
            }
        }
        if looks_at_all {
            self.looked_at_all = Some(now);
            self.withheld.retain(|_, until| *until > now);
        }
        (self.boards, self.blind) = (boards, Arc::new(blind));
        Ok(())
    }

    /// The accounts that can't be read, and since when: one that goes from one trouble into another was out of sight all
    /// the time.
    async fn out_of_sight(&self) -> Result<BTreeMap<AccountName, Timestamp>, StoreError> {
        let (states, _) = self.shared.store.noted_states().await?;
        let now = clock::now();
        let blind = states.into_iter().filter(|(_, state)| !state.is_running()).filter_map(|(account, state)| {
            let known = self.blind.get(&account).copied();
            let since = known.or_else(|| (now.since(state.since) >= BLIND_AFTER).then_some(state.since))?;
            Some((account, since))
        });
        Ok(blind.collect())
    }

    /// Tells it once, for as long as it lasts.
    fn note_failure(&mut self, error: &StoreError) {
        self.shared.metrics.database_failed(Work::Delivery);
        if !std::mem::replace(&mut self.is_database_failing, true) {
            tracing::warn!(%error, "the database does not let messages be kept true; trying again");
        }
    }
}
