//! Having an account checked by whoever reads it: nobody else may use its consumer meanwhile.

use std::time::Duration;

use tokio::time::Instant;

use crate::clock;
use crate::domain::ids::AccountName;
use crate::store::{Store, StoreError};

/// How long the reader may take: each of a few steps may time out.
pub const CHECK_PATIENCE: Duration = Duration::from_secs(45);

/// How often its report is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Which of an account's credentials is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// The one that it is read with.
    Own,
    /// The one that is to take that one's place.
    Next,
}

/// Asks the running guildwire, which may be this process, for a check, and answers with its report; `None` when it takes
/// too long.
pub async fn have_it_checked(
    store: &Store,
    account: &AccountName,
    checked: Checked,
) -> Result<Option<String>, StoreError> {
    let id = rand::random_range(1..i64::MAX);
    match checked {
        Checked::Own => store.ask_for_check(id, account, clock::now()).await?,
        Checked::Next => store.ask_for_check_of_next(id, account, clock::now()).await?,
    }
    let report = wait_for_report(store, id).await;
    // Also one that came too late for anybody.
    store.forget_check(id, clock::now()).await?;
    report
}

async fn wait_for_report(store: &Store, id: i64) -> Result<Option<String>, StoreError> {
    let deadline = Instant::now() + CHECK_PATIENCE;
    while Instant::now() < deadline {
        if let Some(report) = store.check_report(id).await? {
            return Ok(Some(report));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(None)
}
