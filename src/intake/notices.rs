//! Tells each guild once when an account that it hears can't be read for a while, and once when it can be again.
//!
//! What was told is in the database, so that a restart tells nothing twice and doesn't forget to tell the end. For how
//! long an account is out is counted here: a blip is nobody's business, and neither is how often the reason changes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::domain::fault::Fault;
use crate::domain::ids::{AccountName, ChannelId, GuildId};
use crate::domain::notice::{Notice, channel_that_works};
use crate::domain::timestamp::Timestamp;
use crate::nats::states::{AccountState, AccountStates, Standing};
use crate::store::notices::ToldOutage;
use crate::store::{Store, StoreError};

/// How long an account has to be read until an outage counts as over, unless it counts as one sooner.
const STEADY: Duration = Duration::from_secs(10);

/// How often is looked, at most and at least.
const SHORTEST_LOOK: Duration = Duration::from_millis(250);
const LONGEST_LOOK: Duration = Duration::from_secs(5);

/// What telling needs.
pub struct Shared {
    /// The database.
    pub store: Store,
    /// How reading the accounts goes.
    pub states: AccountStates,
    /// How long an account has to be out until its guilds are told.
    pub after: Duration,
    /// Cancelled when the service stops.
    pub drain: CancellationToken,
}

/// Tells guilds until the service stops.
pub async fn run(shared: Shared) {
    let mut outages = Outages { steady: shared.after.min(STEADY), since: BTreeMap::new() };
    let mut looks = tokio::time::interval((shared.after / 4).clamp(SHORTEST_LOOK, LONGEST_LOOK));
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut failing = false;
    while shared.drain.run_until_cancelled(looks.tick()).await.is_some() {
        match look(&shared, &mut outages).await {
            Ok(()) => failing = false,
            // Once for as long as it lasts.
            Err(_) if std::mem::replace(&mut failing, true) => {}
            Err(error) => tracing::warn!(%error, "can't tell guilds how their accounts are doing; trying again"),
        }
    }
}

async fn look(shared: &Shared, outages: &mut Outages) -> Result<(), StoreError> {
    let now = clock::now();
    let standings = shared.states.all();
    outages.observe(&standings, now);
    let told = shared.store.told_outages().await?;
    for (account, since, fault) in outages.to_tell(&standings, shared.after, now) {
        let knowing: BTreeSet<_> =
            told.iter().filter(|outage| outage.account == *account).map(|outage| outage.guild).collect();
        let notice = Notice::Stopped { since, fault: fault.clone() };
        tell_stopped(shared, account, since, &knowing, &notice, now).await?;
    }
    for outage in &told {
        if let Some(until) = outages.ended(&standings, &outage.account) {
            tell_resumed(shared, outage, until, now).await?;
        }
    }
    Ok(())
}

/// Tells the guilds that hear the account and don't know yet.
async fn tell_stopped(
    shared: &Shared,
    account: &AccountName,
    since: Timestamp,
    knowing: &BTreeSet<GuildId>,
    notice: &Notice,
    now: Timestamp,
) -> Result<(), StoreError> {
    let bindings = shared.store.bindings_of_account(account).await?;
    let guilds: BTreeSet<_> = bindings.iter().map(|binding| binding.guild).filter(|id| !knowing.contains(id)).collect();
    if guilds.is_empty() {
        return Ok(());
    }
    let stopped = stopped_channels(&shared.store).await?;
    for guild in guilds {
        // Where no channel works, the next look finds one that does.
        let Some(channel) = channel_that_works(&bindings, guild, &stopped, None) else { continue };
        let outage = ToldOutage { guild, account: account.clone(), channel, since };
        if shared.store.tell_stopped(&outage, notice, now).await? {
            tracing::info!(%account, %guild, %channel, "told a guild that its account can't be read");
        }
    }
    Ok(())
}

/// Tells a guild that an outage is over: where it was told of it, else in a channel that works. Where none does, it
/// waits in the first one's lane for that to be mended.
async fn tell_resumed(
    shared: &Shared,
    outage: &ToldOutage,
    until: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (account, guild) = (&outage.account, outage.guild);
    let bindings = shared.store.bindings_of_account(account).await?;
    let stopped = stopped_channels(&shared.store).await?;
    let before = Some(outage.channel);
    let channel = channel_that_works(&bindings, guild, &stopped, before)
        .or_else(|| channel_that_works(&bindings, guild, &BTreeSet::new(), before));
    let notice = Notice::Resumed { since: outage.since, until };
    shared.store.tell_resumed(outage, channel, &notice, now).await?;
    tracing::info!(%account, %guild, ?channel, "the account that a guild was told about is read again");
    Ok(())
}

async fn stopped_channels(store: &Store) -> Result<BTreeSet<ChannelId>, StoreError> {
    Ok(store.stopped_lanes().await?.into_iter().map(|lane| lane.channel).collect())
}

/// Since when accounts can't be read. One that runs only for a moment at a time is out all along.
struct Outages {
    /// How long an account has to run until it counts as running.
    steady: Duration,
    since: BTreeMap<AccountName, Timestamp>,
}

impl Outages {
    /// Takes note of how all accounts stand.
    fn observe(&mut self, standings: &BTreeMap<AccountName, Standing>, now: Timestamp) {
        self.since.retain(|account, _| standings.contains_key(account));
        for (account, standing) in standings {
            if standing.state != AccountState::Running {
                self.since.entry(account.clone()).or_insert(standing.since);
            } else if now.since(standing.since) >= self.steady {
                self.since.remove(account);
            }
        }
    }

    /// The accounts that are out for `after`, since when, and why.
    fn to_tell<'a>(
        &self,
        standings: &'a BTreeMap<AccountName, Standing>,
        after: Duration,
        now: Timestamp,
    ) -> Vec<(&'a AccountName, Timestamp, &'a Fault)> {
        let outage = |(account, standing): (&'a AccountName, &'a Standing)| {
            let since = *self.since.get(account)?;
            match &standing.state {
                AccountState::Trouble(fault) if now.since(since) >= after => Some((account, since, fault)),
                _ => None,
            }
        };
        standings.iter().filter_map(outage).collect()
    }

    /// Since when an account is read again; `None` while it is out, or nothing is known of it.
    fn ended(&self, standings: &BTreeMap<AccountName, Standing>, account: &AccountName) -> Option<Timestamp> {
        let standing = standings.get(account)?;
        (standing.state == AccountState::Running && !self.since.contains_key(account)).then_some(standing.since)
    }
}

#[cfg(test)]
mod tests;
