//! `guildwire account edit`: an account changes, and keeps its links and bindings.
//!
//! A running guildwire sees by the account's revision that something is new and connects anew. Where reading goes on
//! can be moved under it: what it is about to record is fenced off by the position.

use super::finding::{Found, find, in_words, not_stored};
use super::owner::set_owner;
use super::remove::delete_consumer;
use super::{known_account, refuse_declared, secret_key, stored_credential};
use crate::cli::{EditAccount, ResumeFrom};
use crate::clock;
use crate::domain::account::Account;
use crate::domain::audit::By;
use crate::domain::position::Position;
use crate::intake::seal_credential;
use crate::nats::reach::Reach;
use crate::settings::Settings;
use crate::setup::credential_files::read_credential;
use crate::store::lock::RunnerLock;
use crate::store::{Store, StoreError};

const ADVICE: &str = "To store the change without trying it, add --no-check.";
const ADVICE_TO_RESUME: &str = "Where the stream ends has to be asked to go on there.";

/// Changes the account; nothing is stored when it can't be read afterwards, unless that was not to be tried.
pub(super) async fn edit(store: &Store, settings: &Settings, edit: EditAccount) -> anyhow::Result<String> {
    let before = known_account(store, &edit.name).await?;
    if !edit.concerns_owner_alone() {
        refuse_declared(&before)?;
    }
    if edit.concerns_owner_alone() {
        return set_owner(store, &edit).await;
    }
    let key = secret_key(store, settings).await?;
    let new_credential = match edit.credential() {
        Some(source) => Some(read_credential(source).await?),
        None => None,
    };
    let after = changed(&before, &edit);

    let found = if edit.no_check {
        None
    } else {
        let credential = match &new_credential {
            Some(credential) => credential.clone(),
            None => stored_credential(store, &key, &before).await?,
        };
        let advice = if edit.resume_from.is_some() { ADVICE_TO_RESUME } else { ADVICE };
        let reach = Reach::of(&after, &settings.accounts.hosts);
        Some(find(&after, &reach, &credential).await.map_err(|fault| not_stored(&fault, advice))?)
    };
    let left_behind = leave_old_consumer(store, settings, &before, &after, found.as_ref()).await?;
    let sealed = new_credential.map(|credential| seal_credential(&key, &after.name, &credential));
    let read = store.stream_read(&after.name).await?;
    let (skip_to, resumed) = match (edit.resume_from, &found) {
        (Some(ResumeFrom::Now), Some(found)) => resume(read.as_deref(), found),
        _ => (None, String::new()),
    };
    if !store.edit_account(&after, sealed.as_ref(), skip_to, &By::operator(clock::now())).await? {
        anyhow::bail!("the account {} was removed meanwhile", after.name);
    }
    // Last, so that nothing was stored where that is said.
    let owned = set_owner(store, &edit).await?;
    let Account { name, url, .. } = &after;
    Ok(format!("Account {name} is changed.\n{}\n{resumed}{left_behind}{owned}", in_words(found.as_ref(), url)))
}

fn changed(before: &Account, edit: &EditAccount) -> Account {
    let mut after = before.clone();
    if let Some(url) = &edit.url {
        after.url.clone_from(url);
    }
    if edit.find_stream || edit.stream.is_some() {
        after.stream.clone_from(&edit.stream);
    }
    if let Some(root) = &edit.root {
        after.root = root.clone();
    }
    after.wide_filter = (before.wide_filter || edit.wide_filter) && !edit.no_wide_filter;
    after
}

/// Where another stream will be read, the consumer on the one before is of no use. A running guildwire deletes it; when
/// none runs, that is done here.
async fn leave_old_consumer(
    store: &Store,
    settings: &Settings,
    before: &Account,
    after: &Account,
    found: Option<&Found>,
) -> anyhow::Result<String> {
    let read = store.stream_read(&before.name).await?;
    let stream = found.map(|found| &found.stream).or(after.stream.as_ref());
    let stays = before.url == after.url && (stream.is_none() || stream == read.as_ref());
    if read.is_none() || stays {
        return Ok(String::new());
    }
    match RunnerLock::take(store).await {
        Ok(_lock) => delete_consumer(store, settings, before).await,
        Err(StoreError::AlreadyRunning) => Ok(String::new()),
        Err(error) => Err(error.into()),
    }
}

/// Where reading goes on when it is to go on behind the stream's end, as that was just seen, and how that is told. A
/// stream that was not read so far begins there anyway.
fn resume<'a>(read: Option<&str>, found: &'a Found) -> (Option<(&'a str, Position)>, String) {
    let Found { stream, end, .. } = found;
    if read == Some(stream) {
        let last = end.last_sequence;
        let told = format!(
            "Reading goes on behind message {last} of stream {stream}: what came before is not told any more.\n"
        );
        (Some((stream, *end)), told)
    } else {
        (None, format!("Stream {stream} was not read so far: reading it begins with what comes then.\n"))
    }
}
