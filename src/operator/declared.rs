//! What `guildwire doctor` finds about the accounts, links and bindings of the settings file.

use super::counted;
use super::report::Report;
use crate::domain::setup::{Setup, plan};
use crate::setup::credential_files::read_credential;
use crate::store::{Store, StoreError};

/// Looks at what stands in the file: each credential's file, what stands in its way, and what is still to be done.
pub(super) async fn declared(report: &mut Report, setup: &Setup, store: &Store) -> Result<(), StoreError> {
    for account in &setup.accounts {
        let what = format!("credential of account {} in the settings file", account.name);
        match read_credential(account.credential.clone()).await {
            Ok(_) => report.good(&what, "can be read"),
            Err(error) => report.bad(&what, format!("{error:#}")),
        }
    }
    let plan = plan(setup, &store.existing_setup().await?);
    for obstacle in &plan.obstacles {
        report.bad("setup", obstacle.to_string());
    }
    if !setup.is_given {
        return Ok(());
    }
    let [accounts, links, bindings] = [setup.accounts.len(), setup.links.len(), setup.bindings.len()].map(|number| {
        // Far fewer than that.
        i64::try_from(number).unwrap_or(i64::MAX)
    });
    let all = [
        counted(accounts, "account", "accounts"),
        counted(links, "link", "links"),
        counted(bindings, "binding", "bindings"),
    ];
    let steps: Vec<_> = plan.steps.iter().map(ToString::to_string).collect();
    let to_do = match steps.as_slice() {
        [] => String::new(),
        steps => format!("; still to do, at the next start or SIGHUP:\n{}", steps.join("\n")),
    };
    report.good("setup", format!("{} in the settings file{to_do}", all.join(", ")));
    Ok(())
}
