//! Pings members for what they wait for, as soon as it shows in how servers stand.
//!
//! What has come about is found out by looking, not event by event: at servers that anybody waits for and that stand
//! otherwise than at the last look. A restart looks at all of them, and whom it calls was not called before, because how
//! far each wish has come is in the database.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::domain::ids::GuildId;
use crate::domain::ping::{News, Standing, mentioned_at_once};
use crate::store::pings::Place;
use crate::store::{Store, StoreError};

/// How long after a look the next one may follow: a busy server says something all the time.
const PAUSE: Duration = Duration::from_millis(500);

/// How often is looked, whether or not somebody rang.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How many who are not called are noted at once: intake must not wait long for the writer.
const AT_ONCE: usize = 100;

/// What pinging takes.
pub struct Shared {
    /// The database.
    pub store: Store,
    /// For how long nobody is pinged again for the same.
    pub cooldown: Duration,
    /// Cancelled when the service stops.
    pub drain: CancellationToken,
}

/// Pings members until the service stops.
pub async fn run(shared: Shared) {
    let mut seen = BTreeMap::new();
    let mut failing = false;
    loop {
        // Enabled before looking, so that news that come meanwhile are not missed.
        let mut bell = pin!(shared.store.servers_bell());
        bell.as_mut().enable();
        match look(&shared, &mut seen).await {
            Ok(()) => failing = false,
            // Once for as long as it lasts.
            Err(_) if std::mem::replace(&mut failing, true) => {}
            Err(error) => tracing::warn!(%error, "can't look for what members want to be pinged for; trying again"),
        }
        let waited = async {
            tokio::time::sleep(PAUSE).await;
            tokio::select! {
                () = bell => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        };
        if shared.drain.run_until_cancelled(waited).await.is_none() {
            return;
        }
    }
}

async fn look(shared: &Shared, seen: &mut BTreeMap<Place, Standing>) -> Result<(), StoreError> {
    let awaited: BTreeMap<_, _> = shared.store.awaited_servers().await?.into_iter().collect();
    seen.retain(|place, _| awaited.contains_key(place));
    for (place, standing) in awaited {
        if seen.get(&place) != Some(&standing) {
            note(shared, &place, &standing).await?;
            seen.insert(place, standing);
        }
    }
    Ok(())
}

/// Notes for all who wait for something on a server how far it has come, and calls those for whom it has come about.
async fn note(shared: &Shared, place: &Place, standing: &Standing) -> Result<(), StoreError> {
    let now = clock::now();
    let mut moved: BTreeMap<(GuildId, Option<News>), Vec<_>> = BTreeMap::new();
    for waiting in shared.store.waiting_for(place).await? {
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
