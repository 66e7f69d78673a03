//! `guildwire account list`: the accounts as a table, and how reading them goes, as the running guildwire last left it.
//! Whether they can be read is not tried here.

use std::fmt::Write as _;

use super::{HOW_TO_ADD, UNVERIFIED, counted};
use crate::domain::ids::AccountName;
use crate::intake::bulletin::{Picture, picture};
use crate::nats::states::{AccountState, Standing};
use crate::store::{Store, lock};

const HEADINGS: [&str; 7] = ["NAME", "URL", "STREAM", "ROOT", "CREDENTIAL", "GUILDS", "BINDINGS"];

/// The accounts, a line each, and below them how they are doing.
pub(super) async fn list(store: &Store) -> anyhow::Result<String> {
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    let mut states = String::new();
    let picture = picture(store).await?;
    for account in store.accounts().await? {
        // Removed at this very moment: then it is not listed.
        let Some(credential) = store.credential(&account.name).await? else { continue };
        let (guilds, bindings) = store.count_links_and_bindings(&account.name).await?;
        let declared = if account.is_declared { " (from the settings file)" } else { "" };
        let is_verified = store.proof(&account.name).await?.is_none_or(|proof| proof.is_verified);
        let state = if is_verified {
            state_line(&account.name, bindings, &picture)
        } else {
            format!("  {}: {UNVERIFIED}", account.name)
        };
        writeln!(states, "{state}{declared}")?;
        let wide = if account.wide_filter { " (all below)" } else { "" };
        rows.push([
            account.name.to_string(),
            account.url,
            account.stream.unwrap_or_else(|| "by subject".to_owned()),
            format!("{}{wide}", account.root),
            credential.kind,
            guilds.to_string(),
            bindings.to_string(),
        ]);
    }
    if rows.len() == 1 {
        return Ok(format!("no accounts yet: {HOW_TO_ADD}\n"));
    }
    let running = lock::is_held(store).await?;
    Ok(format!("{}\n{}{states}", table(&rows), heading(running, &picture)))
}

/// From when the states are.
fn heading(running: bool, picture: &Picture) -> String {
    match (running, picture.seen) {
        (true, _) => "How reading them goes:\n".to_owned(),
        (false, Some(seen)) => {
            format!("guildwire is not running. How reading them went when it was, at {}:\n", seen.minute())
        }
        (false, None) => "guildwire is not running, and never was.\n".to_owned(),
    }
}

/// How an account is doing, since when, and what to do about it.
fn state_line(name: &AccountName, bindings: i64, picture: &Picture) -> String {
    let Some(Standing { state, since, lag }) = picture.accounts.get(name) else {
        return match bindings {
            0 => format!("  {name}: not read, because no channel hears it"),
            _ => format!("  {name}: not looked at yet"),
        };
    };
    let since = since.minute();
    match state {
        AccountState::Connecting => format!("  {name}: connecting, since {since}"),
        AccountState::Running => {
            format!("  {name}: read since {since}, with {} waiting", counted(lag.cast_signed(), "event", "events"))
        }
        AccountState::Trouble(fault) => format!("  {name}: since {since}: {fault}"),
    }
}

/// Rows as lines whose columns are aligned to the left, two spaces apart.
pub(super) fn table<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let widths: [usize; COLUMNS] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default());
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_nothing_trails() {
        let rows = [["NAME", "URL", "N"], ["GA-1", "nats://x", "1"], ["ä", "y", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows), "NAME  URL       N\nGA-1  nats://x  1\nä     y\n");
    }
}
