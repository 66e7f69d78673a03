//! Leaves the accounts' states in the database, for the command line, which is another process. Rows change when states
//! do, all of them in one transaction, never for each event.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::reader::Shared;
use crate::clock;
use crate::domain::fault::Fault;
use crate::domain::ids::AccountName;
use crate::domain::timestamp::Timestamp;
use crate::nats::states::{AccountState, Standing};
use crate::store::states::StoredState;
use crate::store::{Store, StoreError};

/// How often it is looked whether a state changed.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How often lags, which change all the time, are left, and the moment at which all this was so.
const LEAVE_EVERY: Duration = Duration::from_secs(30);

/// A state as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Written {
    Connecting,
    Running,
    Trouble(Fault),
}

/// How accounts stood, and when that was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The accounts that were to be read. One whose state this version can't read is missing.
    pub accounts: BTreeMap<AccountName, Standing>,
    /// When it was looked at last; `None` before the first run.
    pub seen: Option<Timestamp>,
}

/// Leaves the states until the service stops.
pub async fn run(shared: Shared) {
    // What an earlier run left goes, or is taken over.
    let mut left = match shared.store.noted_states().await {
        Ok((states, _)) => states,
        Err(error) => {
            tracing::warn!(%error, "can't look which states an earlier run left");
            BTreeMap::new()
        }
    };
    let (mut all_left, mut failing) = (None, false);
    let mut turns = tokio::time::interval(LOOK_EVERY);
    while shared.drain.run_until_cancelled(turns.tick()).await.is_some() {
        let is_due = all_left.is_none_or(|moment: Instant| moment.elapsed() >= LEAVE_EVERY);
        match leave(&shared, &mut left, is_due).await {
            Ok(()) => {
                failing = false;
                if is_due {
                    all_left = Some(Instant::now());
                }
            }
            // Once for as long as it lasts.
            Err(_) if std::mem::replace(&mut failing, true) => {}
            Err(error) => tracing::warn!(%error, "can't leave the accounts' states for the command line"),
        }
    }
}

async fn leave(shared: &Shared, left: &mut BTreeMap<AccountName, StoredState>, is_due: bool) -> Result<(), StoreError> {
    let now: BTreeMap<AccountName, StoredState> =
        shared.states.all().into_iter().map(|(account, standing)| (account, written(standing))).collect();
    let changed: BTreeMap<_, _> = now
        .iter()
        .filter(|(account, state)| {
            left.get(*account).is_none_or(|before| {
                (&before.state, before.since) != (&state.state, state.since) || (is_due && before.lag != state.lag)
            })
        })
        .map(|(account, state)| (account.clone(), state.clone()))
        .collect();
    let gone: Vec<_> = left.keys().filter(|account| !now.contains_key(*account)).cloned().collect();
    if !is_due && changed.is_empty() && gone.is_empty() {
        return Ok(());
    }
    shared.store.note_states(&changed, &gone, clock::now()).await?;
    left.retain(|account, _| !gone.contains(account));
    left.extend(changed);
    Ok(())
}

/// How accounts stand, as the running guildwire, or the last one that ran, left it.
pub async fn picture(store: &Store) -> Result<Picture, StoreError> {
    let (states, seen) = store.noted_states().await?;
    let read = |(account, stored): (AccountName, StoredState)| {
        let state = match serde_json::from_str(&stored.state).ok()? {
            Written::Connecting => AccountState::Connecting,
            Written::Running => AccountState::Running,
            Written::Trouble(fault) => AccountState::Trouble(fault),
        };
        Some((account, Standing { state, since: stored.since, lag: stored.lag }))
    };
    Ok(Picture { accounts: states.into_iter().filter_map(read).collect(), seen })
}

fn written(Standing { state, since, lag }: Standing) -> StoredState {
    let state = match state {
        AccountState::Connecting => Written::Connecting,
        AccountState::Running => Written::Running,
        AccountState::Trouble(fault) => Written::Trouble(fault),
    };
    StoredState { state: serde_json::to_string(&state).expect("a state is JSON"), since, lag }
}
