//! Reads a credential from the files that were named, on the command line or in the settings.

use std::io;
use std::path::Path;

use anyhow::Context as _;
use secrecy::SecretString;

use crate::domain::account::CredentialSource;
use crate::nats::credential::Credential;

/// What stands for standard input in the place of a file.
const STANDARD_INPUT: &str = "-";

/// The credential that `source` names, which must look like one.
pub async fn read_credential(source: CredentialSource) -> anyhow::Result<Credential> {
    match source {
        CredentialSource::Creds(file) => {
            Credential::creds(&read(&file).await?).with_context(|| format!("{} can't be used", name(&file)))
        }
        CredentialSource::NkeySeed(file) => {
            Credential::nkey(&read(&file).await?).with_context(|| format!("{} can't be used", name(&file)))
        }
        CredentialSource::User { name, password_file } => {
            let password = match password_file {
                Some(file) => Some(read_password(&file).await?),
                None => None,
            };
            Ok(Credential::User { name: name.into(), password })
        }
    }
}

/// Whether reading the credential that `source` names uses standard input up.
#[must_use]
pub fn is_on_stdin(source: &CredentialSource) -> bool {
    match source {
        CredentialSource::Creds(file) | CredentialSource::NkeySeed(file) => file == Path::new(STANDARD_INPUT),
        CredentialSource::User { password_file, .. } => password_file.as_deref() == Some(Path::new(STANDARD_INPUT)),
    }
}

async fn read_password(file: &Path) -> anyhow::Result<SecretString> {
    let text = read(file).await?;
    // Editors and shells leave a line end behind. Other spaces may be the password's own.
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        anyhow::bail!("{} is empty: leave --password-file out if the user has no password", name(file));
    }
    if password.contains(['\r', '\n']) {
        anyhow::bail!("{} must hold the password alone, on one line", name(file));
    }
    Ok(password.into())
}

/// A file's text; that of standard input for `-`, for a secret that lies where this process can't read.
async fn read(file: &Path) -> anyhow::Result<String> {
    let text = if file == Path::new(STANDARD_INPUT) {
        io::read_to_string(io::stdin())
    } else {
        tokio::fs::read_to_string(file).await
    };
    text.with_context(|| format!("can't read {}", name(file)))
}

/// A file as an error names it.
fn name(file: &Path) -> String {
    if file == Path::new(STANDARD_INPUT) { "standard input".to_owned() } else { file.display().to_string() }
}
