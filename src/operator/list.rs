//! `guildwire account list`: the accounts as a table. Whether they can be read is not tried here.

use super::HOW_TO_ADD;
use crate::store::Store;

const HEADINGS: [&str; 7] = ["NAME", "URL", "STREAM", "ROOT", "CREDENTIAL", "GUILDS", "BINDINGS"];

/// The accounts, a line each.
pub(super) async fn list(store: &Store) -> anyhow::Result<String> {
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    for account in store.accounts().await? {
        // Removed at this very moment: then it is not listed.
        let Some(credential) = store.credential(&account.name).await? else { continue };
        let (guilds, bindings) = store.count_links_and_bindings(&account.name).await?;
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
    Ok(table(&rows))
}

/// Rows as lines whose columns are aligned to the left, two spaces apart.
fn table<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
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
