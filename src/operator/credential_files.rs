//! Reads a credential from the files that were named on the command line.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use secrecy::SecretString;

use crate::cli::CredentialSource;
use crate::nats::credential::Credential;

/// The credential that `source` names, which must look like one.
pub(super) fn read_credential(source: CredentialSource) -> anyhow::Result<Credential> {
    match source {
        CredentialSource::Creds(file) => {
            Credential::creds(&read(&file)?).with_context(|| format!("{} can't be used", file.display()))
        }
        CredentialSource::NkeySeed(file) => {
            Credential::nkey(&read(&file)?).with_context(|| format!("{} can't be used", file.display()))
        }
        CredentialSource::User { name, password_file } => {
            let password = password_file.as_deref().map(read_password).transpose()?;
            Ok(Credential::User { name: name.into(), password })
        }
    }
}

fn read_password(file: &Path) -> anyhow::Result<SecretString> {
    let text = read(file)?;
    // Editors and shells leave a line end behind. Other spaces may be the password's own.
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        anyhow::bail!("{} is empty: leave --password-file out if the user has no password", file.display());
    }
    if password.contains(['\r', '\n']) {
        anyhow::bail!("{} must hold the password alone, on one line", file.display());
    }
    Ok(password.into())
}

fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()))
}
