//! `guildwire backup`: a copy of the database, made while `run` runs.

use std::path::Path;

use anyhow::Context as _;
use secrecy::ExposeSecret;

use crate::settings::Settings;
use crate::store::backup::copy_sqlite;

/// Copies the database to `file` and gives back what is to be printed. It opens no [`Store`](crate::store::Store), for
/// that would bring the schema up to date: a backup from before an upgrade must be one.
pub async fn backup(settings: &Settings, file: &Path) -> anyhow::Result<String> {
    let url = settings.database.url.expose_secret();
    let shown = settings.database.redacted_url();
    if !url.starts_with("sqlite://") {
        anyhow::bail!(
            "this database is PostgreSQL's, which has a tool of its own: pg_dump --format=custom --file={} {} (the \
             password goes into the place of ***, or into the variable PGPASSWORD)",
            quoted(&file.display().to_string()),
            quoted(&shown),
        );
    }
    copy_sqlite(url, file).await.with_context(|| format!("no backup was made of {shown}"))?;
    Ok(format!(
        "{} is a copy of the database.\nThe credentials in it are of use only with the key file {}: keep a copy of that, \
         too, in another place.\n",
        file.display(),
        settings.secrets.key_file.display()
    ))
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_sees_one_word() {
        assert_eq!(quoted("a b's"), r"'a b'\''s'");
    }
}
