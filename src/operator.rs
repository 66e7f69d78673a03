//! Stub.
use crate::cli::AccountCommand;
use crate::settings::Settings;
/// Stub.
pub async fn account(_c: AccountCommand, _s: &Settings) -> anyhow::Result<String> { Ok(String::new()) }
