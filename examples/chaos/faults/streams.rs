//! What happens to the streams and the durable consumer under the bot.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::consumer::pull::Batch;
use futures_util::{StreamExt as _, TryStreamExt as _};
use rand::RngExt as _;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::Conductor;
use crate::ledger::{Entry, Kind, Ledger};
use crate::publisher::{Account, STREAM};

/// How long a stranger waits for events.
const STRANGER_WAITS: Duration = Duration::from_secs(1);

const STRANGER_ROUNDS: usize = 3;
/// How long a stranger waits for the bot to read.
const STRANGER_PATIENCE: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// For how long the streams grow before they are rolled back.
const GROWS_FOR: Duration = Duration::from_millis(1_500);

/// A stream that lost something grows by at most so much before the bot is back.
const LARGEST_GROWTH: usize = 300;

/// How a stream loses something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// Everything it holds.
    PurgeAll,
    /// What stands before some event.
    PurgeSome,
    /// It is deleted and made anew.
    Recreate,
    /// Its file is an older one: that of all accounts.
    RollBack,
}

/// The stopped nats-server's store at some time, and how much each account had published by then.
#[derive(Debug)]
pub(super) struct Copy {
    folder: TempDir,
    published: Vec<usize>,
}

impl Cut {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::PurgeAll => "stream purged",
            Self::PurgeSome => "stream purged in part",
            Self::Recreate => "stream made anew",
            Self::RollBack => "streams rolled back",
        }
    }
}

impl Conductor {
    /// Somebody deletes the durable consumer of an account. `false` when there was none.
    pub(super) async fn delete_durable(&mut self) -> Result<bool> {
        let account = self.any_account();
        let account = self.stage.accounts[account].clone();
        let mut is_met = false;
        for durable in durables(&account).await? {
            is_met |= account
                .persist("deleting a durable", async || {
                    let stream = account.jetstream.get_stream_no_info(STREAM).await?;
                    // The bot may be making it at this moment.
                    let deleted = stream.delete_consumer(&durable).await;
                    deleted.map(|_| true).or_else(|error| if is_gone(&error) { Ok(false) } else { Err(error.into()) })
                })
                .await?;
        }
        Ok(is_met)
    }

    /// Somebody else reads by the durable consumer, and acknowledges what it gets. `false` when it got nothing.
    pub(super) async fn pull_as_stranger(&mut self) -> Result<bool> {
        let account = self.any_account();
        let account = self.stage.accounts[account].clone();
        let wanted = self.random.random_range(1..40);
        // So that there is something to take.
        let kinds: Vec<Kind> = (0..wanted + 20).map(|_| self.one_of(&Kind::ALL)).collect();
        let mut taken = 0;
        for _ in 0..STRANGER_ROUNDS {
            // The bot resets its consumer when it notices, and may delete it: then the stranger gets nothing.
            let waiting = wait_as_stranger(&account, wanted).await;
            account.publish(&mut *account.pause().await, &kinds, &mut self.random).await;
            if let Ok(mut events) = waiting {
                while let Some(Ok(event)) = events.next().await {
                    taken += usize::from(event.ack().await.is_ok());
                }
            }
        }
        Ok(taken > 0)
    }

    /// A stream loses something, while the bot lives or not. `false` when it held nothing to lose.
    pub(super) async fn cut(&mut self, cut: Cut, while_dead: bool) -> Result<bool> {
        if cut == Cut::RollBack && self.copy.is_none() {
            self.copy_streams().await?;
            // So that there is something to roll back, which the bot has recorded.
            sleep(GROWS_FOR).await;
        }
        if while_dead {
            self.kill_bot().await?;
        }
        let account = self.any_account();
        let gone = match cut {
            Cut::PurgeAll => vec![(account, self.purge(account, false).await?)],
            Cut::PurgeSome => vec![(account, self.purge(account, true).await?)],
            Cut::Recreate => vec![(account, self.recreate(account).await?)],
            Cut::RollBack => self.roll_back().await?,
        };
        let is_met = gone.iter().any(|(_, gone)| *gone > 0);
        // With the bot dead always, else half the time, it is longer than it was before the bot looks, so that other
        // events stand where the last one stood that the bot recorded.
        if while_dead || self.random.random() {
            for (account, gone) in gone {
                self.outgrow(account, gone).await;
            }
        }
        if while_dead {
            self.start_bot()?;
        }
        Ok(is_met)
    }

    /// Publishes an event that a channel has to show, right after something breaks, so that it is met at once. Whether
    /// JetStream took it.
    pub(super) async fn publish_for(&mut self, channel: usize, breaks: impl FnOnce()) -> bool {
        let channel = &self.stage.channels[channel];
        let heard = channel.accounts().flat_map(|account| Kind::ALL.map(|kind| (account, kind)));
        let heard: Vec<_> = heard.filter(|(account, kind)| channel.wants(*account, *kind)).collect();
        let (account, kind) = self.one_of(&heard);
        let account = self.stage.accounts[account].clone();
        let mut ledger = account.pause().await;
        breaks();
        account.publish(&mut ledger, &[kind], &mut self.random).await;
        ledger.entries.last().is_some_and(|entry| entry.sequence.is_some())
    }

    /// An account publishes more than its stream lost.
    async fn outgrow(&mut self, account: usize, gone: usize) {
        let account = self.stage.accounts[account].clone();
        let count = gone.min(LARGEST_GROWTH) + self.random.random_range(1..30);
        let kinds: Vec<Kind> = (0..count).map(|_| self.one_of(&Kind::ALL)).collect();
        account.publish(&mut *account.pause().await, &kinds, &mut self.random).await;
    }

    async fn purge(&mut self, account: usize, in_part: bool) -> Result<usize> {
        let account = self.stage.accounts[account].clone();
        let mut ledger = account.pause().await;
        let before = if in_part { self.somewhere_in(&ledger) } else { None };
        account
            .persist("purging the stream", async || {
                let stream = account.jetstream.get_stream_no_info(STREAM).await?;
                let purge = stream.purge();
                match before {
                    Some((_, sequence)) => purge.sequence(sequence).await?,
                    None => purge.await?,
                };
                Ok(())
            })
            .await?;
        Ok(ledger.cut(|index, _| before.is_none_or(|(kept, _)| index < kept)))
    }

    /// An event among the last that the stream holds: its place in the ledger, and its sequence.
    fn somewhere_in(&mut self, ledger: &Ledger) -> Option<(usize, u64)> {
        let holds = |(index, entry): (usize, &Entry)| Some((index, entry.sequence.filter(|_| entry.cut.is_none())?));
        let held: Vec<_> = ledger.entries.iter().enumerate().filter_map(holds).collect();
        let last = &held[held.len().saturating_sub(60)..];
        (!last.is_empty()).then(|| self.one_of(last))
    }

    async fn recreate(&mut self, account: usize) -> Result<usize> {
        let account = self.stage.accounts[account].clone();
        let mut ledger = account.pause().await;
        account
            .persist("deleting the stream", async || {
                let deleted = account.jetstream.delete_stream(STREAM).await;
                deleted.map(drop).or_else(|error| if is_gone(&error) { Ok(()) } else { Err(error.into()) })
            })
            .await?;
        account.make_stream().await?;
        let gone = ledger.cut(|_, _| true);
        drop(ledger);
        // An older copy would bring back the stream that was deleted, whose events are not to be told apart from new
        // ones by their place and time: a fault of its own, which nobody claims to survive.
        self.copy = None;
        Ok(gone)
    }

    /// nats-server's store becomes an older one. Answers with how much each account lost.
    async fn roll_back(&mut self) -> Result<Vec<(usize, usize)>> {
        let copy = self.copy.take().context("there is a copy")?;
        let accounts = self.stage.accounts.clone();
        let mut gone = Vec::new();
        {
            let mut ledgers = Vec::new();
            for account in &accounts {
                ledgers.push(account.pause().await);
            }
            self.stage.house.nats.kill()?;
            self.stage.house.nats.restore_store(copy.folder.path())?;
            for (account, (ledger, published)) in ledgers.iter_mut().zip(&copy.published).enumerate() {
                gone.push((account, ledger.cut(|index, _| index >= *published)));
            }
            tokio::task::block_in_place(|| self.stage.house.nats.start_again())?;
        }
        // The next one goes back as far, or to a newer copy.
        if self.random.random() {
            self.copy = Some(copy);
        } else {
            self.copy_streams().await?;
        }
        Ok(gone)
    }

    /// Stops nats-server for a copy of its store.
    pub(super) async fn copy_streams(&mut self) -> Result<()> {
        let accounts = self.stage.accounts.clone();
        let mut ledgers = Vec::new();
        for account in &accounts {
            ledgers.push(account.pause().await);
        }
        let folder = tempfile::tempdir().context("making a folder for a copy of the streams")?;
        let nats = &mut self.stage.house.nats;
        nats.kill()?;
        nats.copy_store(folder.path())?;
        tokio::task::block_in_place(|| nats.start_again())?;
        self.copy = Some(Copy { folder, published: ledgers.iter().map(|ledger| ledger.entries.len()).collect() });
        Ok(())
    }
}

async fn durables(account: &Account) -> Result<Vec<String>> {
    account
        .persist("listing the durables", async || {
            let stream = account.jetstream.get_stream(STREAM).await?;
            Ok(stream.consumer_names().try_collect().await?)
        })
        .await
}

/// Asks for so many events by the bot's own durable.
async fn wait_as_stranger(account: &Account, wanted: usize) -> Result<Batch> {
    let durables = durables(account).await?;
    let durable = durables.first().context("the bot has made its durable")?;
    let mut consumer: PullConsumer = account.jetstream.get_consumer_from_stream(durable, STREAM).await?;
    // While the bot reads: what is taken before it attaches is handed out again.
    let deadline = Instant::now() + STRANGER_PATIENCE;
    while consumer.info().await?.num_waiting == 0 {
        ensure!(Instant::now() < deadline, "nobody reads by it");
        sleep(LOOK_EVERY).await;
    }
    Ok(consumer.fetch().max_messages(wanted).expires(STRANGER_WAITS).messages().await?)
}

/// Whether what was to be deleted is not there.
fn is_gone(error: &impl std::fmt::Display) -> bool {
    let said = error.to_string();
    said.contains("10014") || said.contains("10059") || said.contains("not found")
}
