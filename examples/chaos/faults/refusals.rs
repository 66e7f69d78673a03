//! Messages that Discord refuses, once or for good. What it refuses for good `/why` has to tell, below its reason.
//!
//! It is known which events are refused only if nothing else is on its way: so the channel's accounts fall silent, the
//! channel catches up, and then a few events meet the refusal.

use std::time::Duration;

use anyhow::{Result, ensure};
use discord_sim::{Route, Trouble};
use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::time::{Instant, sleep};

use super::Conductor;
use crate::ledger::{Kind, Ledger, count};
use crate::numbers::{Number, numbers_in};
use crate::oracle::places;

/// How long a channel may take to catch up; where it needs longer, the fault is left out.
const SILENCE_BOUND: Duration = Duration::from_secs(10);
/// How long refused events may take to be shown in another form, or to be told of.
const TOLD_BOUND: Duration = Duration::from_secs(30);
/// What `/why` begins the line with that tells of such a message.
const SET_ASIDE: &str = "⛔";
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How Discord refuses a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// "Invalid Form Body", to the first form of it.
    BadOnce,
    /// The same to every form.
    BadForGood,
    /// `AutoMod`, to the first form of it.
    AutoModOnce,
    /// The same to every form.
    AutoModForGood,
}

impl Refusal {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::BadOnce => "400 once",
            Self::BadForGood => "400 for good",
            Self::AutoModOnce => "AutoMod once",
            Self::AutoModForGood => "AutoMod for good",
        }
    }

    const fn is_auto_mod(self) -> bool {
        matches!(self, Self::AutoModOnce | Self::AutoModForGood)
    }

    const fn code(self) -> u32 {
        if self.is_auto_mod() { 200_000 } else { 50_035 }
    }

    fn trouble(self) -> Trouble {
        let message =
            if self.is_auto_mod() { "Message was blocked by automatic moderation" } else { "Invalid Form Body" };
        Trouble::Error { status: 400, code: self.code(), message: message.to_owned() }
    }

    const fn times(self) -> Option<u32> {
        match self {
            Self::BadOnce | Self::AutoModOnce => Some(1),
            Self::BadForGood | Self::AutoModForGood => None,
        }
    }
}

impl Conductor {
    /// A few events of a channel that is silent otherwise are refused. `false` when it does not fall silent, or nobody
    /// asked.
    pub(super) async fn refuse(&mut self, refusal: Refusal) -> Result<bool> {
        self.wait_for_gateway().await?;
        self.stage.house.discord.clear_trouble();
        // What players write is left out of what `AutoMod` blocked: of a server's id nothing is.
        let kind = if refusal.is_auto_mod() { Kind::Lifecycle } else { self.one_of(&[Kind::Lifecycle, Kind::Player]) };
        let hears = |place: &usize| self.stage.channels[*place].wants(0, kind);
        let possible: Vec<usize> = (0..self.stage.channels.len()).filter(hears).collect();
        let place = self.one_of(&possible);
        let channel = self.stage.channels[place].clone();
        let accounts: Vec<_> = channel.accounts().map(|account| self.stage.accounts[account].clone()).collect();
        let mut ledgers = Vec::new();
        for account in &accounts {
            ledgers.push((account.index, account.pause().await));
        }
        let last: Vec<Number> = ledgers
            .iter()
            .filter_map(|(account, ledger)| {
                let count = ledger.last(|kind| channel.wants(*account, kind))?;
                Some(Number { account: *account, count })
            })
            .collect();
        if !self.is_shown_within(place, &last, SILENCE_BOUND).await {
            return Ok(false);
        }
        let discord = self.stage.house.discord.clone();
        let before = discord.statistics().troubled;
        discord.trouble(Route::MessageCreateIn(channel.id), refusal.trouble(), refusal.times());
        let kinds = vec![kind; self.random.random_range(1..4)];
        let ledger = &mut ledgers[0].1;
        let refused = publish(&accounts[0], ledger, &kinds, &mut self.random).await;
        let told = self.wait_until_told(place, refusal, &refused).await;
        discord.clear_trouble();
        told.map(|()| discord.statistics().troubled > before)
    }

    /// Waits until each of these is shown, or `/why` has told that it was refused.
    async fn wait_until_told(&mut self, place: usize, refusal: Refusal, refused: &[Number]) -> Result<()> {
        let deadline = Instant::now() + TOLD_BOUND;
        let channel = self.stage.channels[place].clone();
        loop {
            // First what `/why` says, then what is shown: what was being decided is shown by then.
            let told = self.stage.why(&channel).await.unwrap_or_default();
            let shown = self.shown(place);
            let open: Vec<Number> = refused.iter().copied().filter(|number| !shown.contains(number)).collect();
            if open.is_empty() {
                return Ok(());
            }
            let named = named_with(&told, &refusal.code().to_string());
            if open.iter().all(|number| named.contains(number)) {
                self.evidence.told.extend(open.into_iter().map(|number| (channel.id, number)));
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "/why does not tell within {TOLD_BOUND:?} that {open:?} in #{} were refused ({}): {told}",
                channel.name,
                refusal.name()
            );
            sleep(LOOK_EVERY).await;
        }
    }

    async fn is_shown_within(&self, place: usize, wanted: &[Number], within: Duration) -> bool {
        let deadline = Instant::now() + within;
        loop {
            let shown = self.shown(place);
            let is_there = |number: &Number| {
                shown.contains(number) || self.evidence.told.contains(&(self.stage.channels[place].id, *number))
            };
            if wanted.iter().all(is_there) {
                return true;
            }
            if Instant::now() > deadline {
                return false;
            }
            sleep(LOOK_EVERY).await;
        }
    }

    fn shown(&self, place: usize) -> std::collections::BTreeSet<Number> {
        let places = places(&self.stage.house.discord, self.stage.channels[place].id, &self.evidence);
        places.iter().flat_map(crate::oracle::Place::numbers).collect()
    }
}

/// The numbers that stand below a message that was set aside for a reason with this code.
fn named_with(told: &str, code: &str) -> Vec<Number> {
    let mut is_below = false;
    let mut named = Vec::new();
    for line in told.lines() {
        if line.contains(SET_ASIDE) {
            is_below = line.contains(code);
        } else if is_below {
            named.extend(numbers_in(line));
        }
    }
    named
}

/// Publishes events of these kinds; those that were acknowledged.
async fn publish(
    account: &crate::publisher::Account,
    ledger: &mut Ledger,
    kinds: &[Kind],
    random: &mut StdRng,
) -> Vec<Number> {
    let first = ledger.entries.len();
    account.publish(ledger, kinds, random).await;
    let published = ledger.entries.iter().enumerate().skip(first);
    let acknowledged = published.filter(|(_, entry)| entry.sequence.is_some());
    acknowledged.map(|(index, _)| Number { account: account.index, count: count(index) }).collect()
}
