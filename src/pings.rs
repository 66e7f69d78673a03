//! Pings members for what they wait for, as soon as it shows in how servers stand.
//!
//! What has come about is found out by looking, not event by event: at servers that anybody waits for and that stand
//! otherwise than at the last look. A restart looks at all of them, and whom it calls was not called before, because how
//! far each wish has come is in the database. While events wait on an account's stream, or it is in trouble, nobody looks: how
//! its servers stand in the database is how they stood once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::{Instant, interval_at};
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::domain::ids::{AccountName, GuildId};
use crate::domain::ping::{News, Standing, mentioned_at_once};
use crate::nats::states::{AccountStates, heard_all_since};
use crate::store::pings::{Place, Waiting};
use crate::store::{Store, StoreError};

/// How long after a look the next one may follow: a busy server says something all the time.
const PAUSE: Duration = Duration::from_millis(500);

/// How often is looked at all servers, whether or not their accounts were rung.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How many who are not called are noted at once: intake must not wait long for the writer.
const AT_ONCE: usize = 100;

/// What pinging takes.
pub struct Shared {
    /// The database.
    pub store: Store,
    /// How reading the accounts goes.
    pub states: AccountStates,
    /// For how long nobody is pinged again for the same.
    pub cooldown: Duration,
    /// Cancelled when the service stops.
    pub drain: CancellationToken,
}

/// Pings members until the service stops.
pub async fn run(shared: Shared) {
    let mut seen = BTreeMap::new();
    let mut failing = false;
    let mut rounds = interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut rung = None;
    loop {
        match look(&shared, &mut seen, rung).await {
            Ok(()) => failing = false,
            // Once for as long as it lasts.
            Err(_) if std::mem::replace(&mut failing, true) => {}
            Err(error) => tracing::warn!(%error, "can't look for what members want to be pinged for; trying again"),
        }
        let waited = async {
            tokio::time::sleep(PAUSE).await;
            tokio::select! {
                accounts = shared.store.rung_servers() => Some(accounts),
                _ = rounds.tick() => None,
            }
        };
        let Some(next) = shared.drain.run_until_cancelled(waited).await else { return };
        rung = next;
    }
}

/// Looks at the awaited servers of the accounts that were `rung`, or of all.
async fn look(
    shared: &Shared,
    seen: &mut BTreeMap<Place, Standing>,
    rung: Option<BTreeSet<AccountName>>,
) -> Result<(), StoreError> {
    let is_heard = |account: &AccountName| heard_all_since(&shared.states, account, clock::now()).is_some();
    let is_round = rung.is_none();
    let wanted = rung.unwrap_or_else(|| shared.states.all().into_keys().collect());
    let mut accounts = wanted.clone();
    // Asked before the database is, and after it: else the rest of a backlog could be recorded in between, and what was
    // read in its midst be taken for how a server stands.
    accounts.retain(is_heard);
    let mut awaited = BTreeMap::new();
    if is_round {
        awaited.extend(shared.store.awaited_servers(None).await?);
        seen.retain(|place, _| awaited.contains_key(place));
    } else {
        for account in &accounts {
            awaited.extend(shared.store.awaited_servers(Some(account)).await?);
        }
    }
    accounts.retain(is_heard);
    awaited.retain(|(account, _), _| accounts.contains(account));
    // Who asks while nobody looks is judged by the next look, also where that shows what the last one did.
    seen.retain(|(account, _), _| accounts.contains(account) || !wanted.contains(account));
    for (place, standing) in awaited {
        if seen.get(&place) == Some(&standing) {
            continue;
        }
        // Who waits first, and how it stands after that: else who asked in between would be told what was so already.
        let waiting = shared.store.waiting_for(&place).await?;
        let standing = shared.store.standing(&place).await?;
        let Some(standing) = standing.filter(|_| is_heard(&place.0)) else { continue };
        note(shared, &place, &standing, waiting).await?;
        seen.insert(place, standing);
    }
    Ok(())
}

/// Notes for all who wait for something on a server how far it has come, and calls those for whom it has come about.
async fn note(shared: &Shared, place: &Place, standing: &Standing, waiting: Vec<Waiting>) -> Result<(), StoreError> {
    let now = clock::now();
    let mut moved: BTreeMap<(GuildId, Option<News>), Vec<_>> = BTreeMap::new();
    for waiting in waiting {
        let (after, is_told) = waiting.progress.after(waiting.wish, standing, now, shared.cooldown);
        if after != waiting.progress {
            let news = is_told.then(|| News::of(waiting.wish, standing));
            moved.entry((waiting.guild, news)).or_default().push((waiting, after));
        }
    }
    for ((guild, news), mut left) in moved {
        while !left.is_empty() {
            let some = match news {
                Some(_) => mentioned_at_once(left.iter().map(|(waiting, _)| waiting.user)),
                None => left.len().min(AT_ONCE),
            };
            let rest = left.split_off(some);
            let called = shared.store.note_progress(&left, news, now).await?;
            if called > 0 {
                tracing::debug!(account = %place.0, %guild, users = called, "members are pinged");
            }
            left = rest;
        }
    }
    Ok(())
}
