//! What breaks, in the order that the seed decides: every other time the bot dies at a boundary, and between that
//! whatever comes out of a bag that holds every other fault, shuffled, and is filled again when it is empty. On top lie
//! those that no run should do without, however short it is.

mod bot;
mod discord;
mod refusals;
mod streams;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::{Instant, sleep};

use self::discord::Trouble;
use self::refusals::Refusal;
use self::streams::{Copy, Cut};
use crate::bot::{Boundary, Process, ensure_runs};
use crate::oracle::{Evidence, places};
use crate::stage::Stage;

/// How long the last events may take to arrive once everything works again.
const ARRIVAL_BOUND: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A run of this length or more has room for faults that take a minute each.
const LONG_RUN: Duration = Duration::from_mins(3);

/// One thing that breaks.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// The bot stands still for a while, and is killed then or goes on.
    FreezeBot { then_kill: bool },
    /// nats-server is killed and started again.
    KillNats,
    /// A request, or several, meet this.
    Trouble(Trouble),
    /// A message is taken, the bot hears nothing, and posts it again.
    LostReplies,
    /// A message is taken, the bot hears nothing and dies, and Discord forgets the nonce meanwhile.
    LostAndForgotten,
    /// The same while the bot lives, for longer than it relies on the nonce.
    LostForLong,
    /// A message is taken, the bot hears nothing, and a moderator deletes it before the bot asks again.
    LostAndDeleted,
    /// Discord refuses a message.
    Refused(Refusal),
    /// The bot may not see or write in a channel for a while.
    Denied { sees: bool },
    /// A channel refuses the bot for a while, and nothing that the gateway tells says why.
    Unexplained,
    /// A guild is out for a while: Discord says that its channels don't exist.
    Outage,
    /// The token is revoked for a while.
    Revoked,
    /// Somebody deletes the durable consumer.
    DeleteDurable,
    /// Somebody else reads by it and acknowledges.
    Stranger,
    /// A stream loses something.
    Cut { cut: Cut, while_dead: bool },
}

impl Fault {
    /// What the report counts it as.
    const fn name(self) -> &'static str {
        match self {
            Self::FreezeBot { then_kill: true } => "bot frozen and killed",
            Self::FreezeBot { then_kill: false } => "bot frozen",
            Self::KillNats => "nats-server killed",
            Self::Trouble(trouble) => trouble.name(),
            Self::LostReplies => "replies lost",
            Self::LostAndForgotten => "reply lost, nonce forgotten",
            Self::LostForLong => "reply lost for more than a minute",
            Self::LostAndDeleted => "reply lost, message deleted (10008)",
            Self::Refused(refusal) => refusal.name(),
            Self::Denied { sees: true } => "403 for a while: may not send",
            Self::Denied { sees: false } => "403 for a while: may not see",
            Self::Unexplained => "403 for a while: for no reason",
            Self::Outage => "404 for a while: a guild's outage",
            Self::Revoked => "401 for a while",
            Self::DeleteDurable => "durable deleted",
            Self::Stranger => "stranger took events",
            Self::Cut { cut, .. } => cut.name(),
        }
    }
}

/// What breaks first: what tells whether the bot's anchor, its count of deliveries, its nonces and its search hold.
const FIRST_FAULTS: [Fault; 6] = [
    Fault::Cut { cut: Cut::RollBack, while_dead: true },
    Fault::Cut { cut: Cut::RollBack, while_dead: false },
    Fault::Cut { cut: Cut::Recreate, while_dead: true },
    Fault::Stranger,
    Fault::LostReplies,
    Fault::LostAndForgotten,
];

/// Everything else.
const FAULTS: [Fault; 27] = [
    Fault::FreezeBot { then_kill: false },
    Fault::FreezeBot { then_kill: true },
    Fault::KillNats,
    Fault::Trouble(Trouble::Restart),
    Fault::Trouble(Trouble::Away),
    Fault::Trouble(Trouble::Frozen),
    Fault::Trouble(Trouble::RouteLimit),
    Fault::Trouble(Trouble::GlobalLimit),
    Fault::Trouble(Trouble::SharedLimit),
    Fault::Trouble(Trouble::ServerErrors),
    Fault::Trouble(Trouble::Hang),
    Fault::Trouble(Trouble::RefusedConnections),
    Fault::LostAndDeleted,
    Fault::Refused(Refusal::BadOnce),
    Fault::Refused(Refusal::BadForGood),
    Fault::Refused(Refusal::AutoModOnce),
    Fault::Refused(Refusal::AutoModForGood),
    Fault::Denied { sees: true },
    Fault::Denied { sees: false },
    Fault::Unexplained,
    Fault::Outage,
    Fault::Revoked,
    Fault::DeleteDurable,
    Fault::Stranger,
    Fault::Cut { cut: Cut::PurgeAll, while_dead: false },
    Fault::Cut { cut: Cut::PurgeSome, while_dead: true },
    Fault::Cut { cut: Cut::Recreate, while_dead: false },
];

/// What takes long: Discord's address is banned for at least ten minutes by Cloudflare, which the bot believes.
const SLOW_FAULTS: [Fault; 2] = [Fault::Trouble(Trouble::Cloudflare), Fault::LostForLong];

/// Breaks things, one after the other, and counts them.
pub(crate) struct Conductor {
    pub(crate) stage: Stage,
    pub(crate) evidence: Evidence,
    /// What broke, and how often the bot met it: of each sort that may come in this run.
    pub(crate) tally: BTreeMap<&'static str, u64>,
    /// What was to break and found nothing to break, and how often.
    pub(crate) missed: BTreeMap<&'static str, u64>,
    /// How often the bot was killed at each boundary, as its own log tells.
    pub(crate) boundaries: BTreeMap<Boundary, u64>,
    /// What the bot's log said, apart from traces, and how often.
    pub(crate) said: BTreeMap<String, u64>,
    process: Option<Process>,
    random: StdRng,
    lasts: Duration,
    bag: Vec<Fault>,
    copy: Option<Copy>,
}

impl Conductor {
    /// Nothing is broken yet.
    pub(crate) fn new(stage: Stage, process: Process, seed: u64, lasts: Duration) -> Conductor {
        Conductor {
            stage,
            evidence: Evidence::default(),
            tally: FIRST_FAULTS.into_iter().chain(later(lasts)).map(|fault| (fault.name(), 0)).collect(),
            missed: BTreeMap::new(),
            boundaries: Boundary::ALL.map(|boundary| (boundary, 0)).into(),
            said: BTreeMap::new(),
            process: Some(process),
            random: StdRng::seed_from_u64(seed),
            lasts,
            bag: Vec::new(),
            copy: None,
        }
    }

    /// Breaks things for as long as the run lasts, and until nothing is left of what no run should do without.
    pub(crate) async fn conduct(&mut self) -> Result<()> {
        let ends = Instant::now() + self.lasts;
        self.copy_streams().await?;
        let mut committed = 0;
        while Instant::now() < ends || committed < FIRST_FAULTS.len() {
            self.kill_at_boundary().await?;
            self.rest().await;
            let fault = self.next_fault();
            let is_met = self.commit(fault).await?;
            let counts = if is_met { &mut self.tally } else { &mut self.missed };
            *counts.entry(fault.name()).or_default() += 1;
            committed += 1;
            ensure_runs(self.process.as_ref())?;
            self.rest().await;
        }
        Ok(())
    }

    fn next_fault(&mut self) -> Fault {
        if self.bag.is_empty() {
            let mut later = later(self.lasts);
            later.shuffle(&mut self.random);
            let mut first = FIRST_FAULTS;
            first.shuffle(&mut self.random);
            self.bag = later;
            self.bag.extend(first);
        }
        self.bag.pop().unwrap_or(Fault::KillNats)
    }

    /// Breaks it; whether the bot met it, as far as that can be seen from outside.
    async fn commit(&mut self, fault: Fault) -> Result<bool> {
        match fault {
            Fault::FreezeBot { then_kill } => self.freeze_bot(then_kill).await.map(|()| true),
            Fault::KillNats => self.kill_nats().await.map(|()| true),
            Fault::Trouble(trouble) => self.trouble(trouble).await,
            Fault::LostReplies => self.lose_replies().await,
            Fault::LostAndForgotten => self.lose_and_forget().await,
            Fault::LostForLong => self.lose_for_long().await,
            Fault::LostAndDeleted => self.lose_and_delete().await,
            Fault::Refused(refusal) => self.refuse(refusal).await,
            Fault::Denied { sees } => self.deny(sees).await,
            Fault::Unexplained => self.refuse_unexplained().await,
            Fault::Outage => self.guild_outage().await,
            Fault::Revoked => self.revoke_token().await,
            Fault::DeleteDurable => self.delete_durable().await,
            Fault::Stranger => self.pull_as_stranger().await,
            Fault::Cut { cut, while_dead } => self.cut(cut, while_dead).await,
        }
    }

    /// A moment in which things go their way.
    async fn rest(&mut self) {
        let rest = self.random.random_range(0..700);
        sleep(Duration::from_millis(rest)).await;
    }

    /// A place in the list of accounts.
    fn any_account(&mut self) -> usize {
        self.random.random_range(0..self.stage.accounts.len())
    }

    /// A channel, by its place.
    fn any_channel(&mut self) -> usize {
        self.random.random_range(0..self.stage.channels.len())
    }

    /// Ends all trouble; what is broken for longer than a request was mended by who broke it.
    pub(crate) fn calm_down(&mut self) -> Result<()> {
        self.stage.house.discord.clear_trouble();
        // No start helps the bot: a channel that refused it has to be tried again without.
        ensure_runs(self.process.as_ref()).map(drop)
    }

    /// One last event of each kind for each account; once a channel shows these, all before has been decided. `false`
    /// when it did not come to that in time.
    pub(crate) async fn wait_for_the_last(&mut self) -> Result<bool> {
        let mut wanted = Vec::new();
        for account in &self.stage.accounts {
            account.publish_last(&mut self.random).await?;
            let ledger = account.pause().await;
            for (place, channel) in self.stage.channels.iter().enumerate() {
                let last = ledger.last(|kind| channel.wants(account.index, kind));
                wanted.extend(last.map(|count| (place, crate::numbers::Number { account: account.index, count })));
            }
        }
        let deadline = Instant::now() + ARRIVAL_BOUND;
        while Instant::now() < deadline {
            wanted.retain(|(place, number)| {
                let shown = places(&self.stage.house.discord, self.stage.channels[*place].id, &self.evidence);
                !shown.iter().rev().any(|place| place.numbers().contains(number))
            });
            if wanted.is_empty() {
                return Ok(true);
            }
            ensure_runs(self.process.as_ref())?;
            sleep(LOOK_EVERY).await;
        }
        Ok(false)
    }

    /// Ends the bot.
    pub(crate) async fn close(&mut self) -> Result<()> {
        if let Some(process) = self.process.take() {
            let ended = process.kill().await?.ensure_killed()?;
            self.note(ended);
        }
        Ok(())
    }

    fn note(&mut self, ended: crate::bot::Ended) {
        for (message, times) in ended.said {
            *self.said.entry(message).or_default() += times;
        }
    }

    /// One of these.
    fn one_of<T: std::marker::Copy>(&mut self, all: &[T]) -> T {
        *all.choose(&mut self.random).expect("there is something to choose from")
    }
}

/// What comes out of the bag behind what breaks first.
fn later(lasts: Duration) -> Vec<Fault> {
    let mut later = FAULTS.to_vec();
    if lasts >= LONG_RUN {
        later.extend(SLOW_FAULTS);
    }
    later
}
