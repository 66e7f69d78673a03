//! Guilds that the bot was removed from: noted when the gateway shows it, and forgotten after a grace period.
//!
//! Nothing is concluded from an event that may have been missed. What is kept is compared with what the gateway shows,
//! and only what a connected shard shows counts: in an outage, a guild is still one that the bot is in.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::discord::sight::Sight;
use crate::domain::audit::{Actor, By};
use crate::store::{Store, StoreError};

/// How often it is looked whether or not something has changed.
const LOOK_EVERY: Duration = Duration::from_mins(10);

/// How long changes are gathered: a session begins with one for each guild.
const GATHER: Duration = Duration::from_millis(500);

/// How long to wait when the database fails.
const PAUSE: Duration = Duration::from_secs(5);

/// Notes which guilds the bot was removed from, and which it is back in, until the service stops.
pub async fn watch(store: Store, sight: Sight, drain: CancellationToken) {
    loop {
        tokio::select! {
            () = sight.membership_changes() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = drain.cancelled() => return,
        }
        drain.run_until_cancelled(tokio::time::sleep(GATHER)).await;
        while let Some(Err(error)) = drain.run_until_cancelled(note(&store, &sight)).await {
            tracing::warn!(%error, "can't note which guilds the bot is in; trying again");
            drain.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
        }
    }
}

async fn note(store: &Store, sight: &Sight) -> Result<(), StoreError> {
    for (guild, departed) in store.kept_guilds().await? {
        match (sight.is_member(guild), departed) {
            (Some(false), None) => {
                store.note_departed(guild, clock::now()).await?;
                tracing::info!(%guild, "the bot was removed from a guild: what is kept of it is deleted after a while");
            }
            (Some(true), Some(_)) => {
                store.note_returned(guild).await?;
                tracing::info!(%guild, "the bot is back in a guild, where all is as it was");
            }
            _ => {}
        }
    }
    Ok(())
}

/// Deletes what is kept of guilds that the bot was removed from longer than `grace` ago, and is still not in. Answers
/// with how many those were.
pub async fn forget(store: &Store, sight: &Sight, grace: Duration) -> Result<u64, StoreError> {
    let now = clock::now();
    let (cutoff, by) = (now.minus(grace), By { actor: Actor::Guildwire, at: now });
    let mut forgotten = 0;
    for (guild, departed) in store.kept_guilds().await? {
        let is_over = departed.is_some_and(|departed| departed < cutoff);
        // It may be back since that was noted, while guildwire did not run.
        if is_over && sight.is_member(guild) == Some(false) && store.forget_guild(guild, cutoff, &by).await? {
            tracing::info!(%guild, "deleted what was kept of a guild that the bot was removed from");
            forgotten += 1;
        }
    }
    Ok(forgotten)
}
