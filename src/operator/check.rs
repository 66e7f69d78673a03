//! `guildwire account check`: tries everything that reading an account takes.
//!
//! The check works on the consumer that reading works on, so only one may do either: while `guildwire run` runs, it is
//! asked for the check, by a row; else it is done here, with the right to run.

use anyhow::Context as _;
use futures_util::{StreamExt as _, stream};

use super::report::Report;
use super::{known_account, secret_key};
use crate::cli::CheckAccount;
use crate::commands::{self, CHECK_PATIENCE, Checked};
use crate::domain::account::Account;
use crate::domain::check::{self, Outcome, Step};
use crate::intake::checking::Checking;
use crate::intake::{durable_name, installation};
use crate::nats::check::Afterwards;
use crate::settings::Settings;
use crate::store::lock::{RunnerLock, is_held};
use crate::store::{Store, StoreError};

/// How many accounts it is asked to check at once.
const AT_ONCE: usize = 16;

/// Checks the account.
pub(super) async fn check(store: &Store, settings: &Settings, check: &CheckAccount) -> anyhow::Result<Report> {
    let account = known_account(store, &check.name).await?;
    let mut report = Report::default();
    for (_, found) in check_all(store, settings, vec![account]).await? {
        tell(&mut report, &found?);
    }
    Ok(report)
}

/// Checks accounts, or has them checked.
pub(super) async fn check_all(
    store: &Store,
    settings: &Settings,
    accounts: Vec<Account>,
) -> anyhow::Result<Vec<(Account, anyhow::Result<check::Report>)>> {
    if is_held(store).await? {
        let asked = stream::iter(accounts).map(async |account| {
            let report = have_it_checked(store, &account, Checked::Own).await;
            (account, report)
        });
        return Ok(asked.buffered(AT_ONCE).collect().await);
    }
    let mut found = Vec::with_capacity(accounts.len());
    for account in accounts {
        let report = check_one(store, settings, &account, Checked::Own).await;
        found.push((account, report));
    }
    Ok(found)
}

/// Checks one of an account's credentials, or has it checked.
pub(super) async fn check_one(
    store: &Store,
    settings: &Settings,
    account: &Account,
    checked: Checked,
) -> anyhow::Result<check::Report> {
    // Taken for each account anew and held until it is done: a run that starts meanwhile waits no longer than for one.
    match RunnerLock::take(store).await {
        Ok(_lock) => check_here(store, settings, account, checked).await,
        Err(StoreError::AlreadyRunning) => have_it_checked(store, account, checked).await,
        Err(error) => Err(error.into()),
    }
}

/// Puts what was found into a report.
pub(super) fn tell(report: &mut Report, found: &check::Report) {
    for Step { check, tried, outcome } in &found.steps {
        let what = check.name();
        match outcome {
            Outcome::Passed(seen) => report.good(what, format!("{tried}: {seen}")),
            Outcome::Left(why) => report.not_tried(what, format!("{tried}: {why}")),
            Outcome::Failed(fault) => report.bad(what, format!("{tried}: {fault}")),
            Outcome::NotTried => report.not_tried(what, "not tried"),
        }
    }
    for remark in &found.remarks {
        report.remark(remark);
    }
}

async fn check_here(
    store: &Store,
    settings: &Settings,
    account: &Account,
    checked: Checked,
) -> anyhow::Result<check::Report> {
    let key = secret_key(store, settings).await?;
    let durable = durable_name(&installation(store).await?);
    let is_read = store.subscribed_accounts().await?.iter().any(|subscribed| subscribed.name == account.name);
    let checking = Checking {
        store,
        key: &key,
        durable: &durable,
        hosts: &settings.accounts.hosts,
        of_next: checked == Checked::Next,
        after: if is_read { Afterwards::Keep } else { Afterwards::TakeBack },
    };
    let report = checking.check(account).await?;
    report.with_context(|| format!("the account {} was removed meanwhile", account.name))
}

async fn have_it_checked(store: &Store, account: &Account, checked: Checked) -> anyhow::Result<check::Report> {
    let Some(report) = commands::have_it_checked(store, &account.name, checked).await? else {
        anyhow::bail!(
            "guildwire is running and was asked to check {}, but did not answer within {} seconds: look at its log, and \
             try again",
            account.name,
            CHECK_PATIENCE.as_secs()
        );
    };
    serde_json::from_str(&report).context("the running guildwire is of another version: restart it with this one")
}
