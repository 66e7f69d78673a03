//! The buttons below `/account connect` and `/account rotate`: whether everything is there that reading an account takes,
//! and the JWT for a server that wants one.

use std::time::Duration;

use tokio::time::Instant;

use super::checking::{Checked, have_it_checked};
use super::connect::{Pending, page, pending};
use super::press::Press;
use super::reply::{Form, Reply};
use super::{Sender, Shared, respond_in_time};
use crate::clock;
use crate::discord::rest::RestError;
use crate::discord::words;
use crate::domain::check::Report;
use crate::domain::ids::AccountName;
use crate::nats::credential::BadJwt;
use crate::sealing::{open_credential, seal_credential};
use crate::store::StoreError;

/// How long a first event is waited for: an interaction's token lives for 15 minutes, and the last look takes a while.
const WAIT_AT_MOST: Duration = Duration::from_mins(14);

/// How long after a look the next one is, at first and later.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// What a look came to.
enum Look {
    /// This is the answer.
    Done(Reply),
    /// This is the answer for now: nothing is missing but an event.
    Waiting(Reply),
    /// This is the answer if nobody looks again: it could not be tried.
    Untried(Reply),
}

/// Answers the button, and once more when what it waits for has come.
pub(super) async fn answer(
    shared: &Shared,
    sender: &Sender<'_>,
    press: &Press,
    account: &AccountName,
) -> Result<(), RestError> {
    let deadline = Instant::now() + WAIT_AT_MOST;
    let mut is_waiting = false;
    let first = async {
        match look(shared, press, account).await {
            Look::Done(reply) | Look::Untried(reply) => reply,
            Look::Waiting(reply) => {
                is_waiting = true;
                reply
            }
        }
    };
    respond_in_time(shared, sender, Form::Update, first).await?;
    // Only now: whoever may not look at it must not end another's wait.
    if is_waiting { wait(shared, sender, press, account, deadline).await } else { Ok(()) }
}

/// Whoever waits for this account's first event stops, and the caller may begin.
fn take_over(shared: &Shared, account: &AccountName) -> u64 {
    let number = rand::random();
    shared.connecting.waiting.insert(account.clone(), number);
    number
}

async fn wait(
    shared: &Shared,
    sender: &Sender<'_>,
    press: &Press,
    account: &AccountName,
    deadline: Instant,
) -> Result<(), RestError> {
    let number = take_over(shared, account);
    let mut pause = FIRST_PAUSE;
    while Instant::now() + pause < deadline {
        let waited = shared.drain.run_until_cancelled(tokio::time::sleep(pause)).await;
        let is_latest = shared.connecting.waiting.get(account).is_some_and(|latest| *latest == number);
        if waited.is_none() || !is_latest {
            return Ok(());
        }
        if let Look::Done(reply) = look(shared, press, account).await {
            shared.connecting.waiting.remove_if(account, |_, latest| *latest == number);
            return shared.rest.complete(sender.application, sender.token, &Form::Update.message(&reply)).await;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    shared.connecting.waiting.remove_if(account, |_, latest| *latest == number);
    Ok(())
}

async fn look(shared: &Shared, press: &Press, account: &AccountName) -> Look {
    let looked = try_look(shared, press, account).await.unwrap_or_else(|error| {
        tracing::error!(%account, guild = %press.guild, %error, "an account can't be verified");
        Look::Untried(Reply::text(words::FAILED))
    });
    shared.directory.refresh(&shared.store, press.guild).await;
    looked
}

async fn try_look(shared: &Shared, press: &Press, name: &AccountName) -> Result<Look, StoreError> {
    let pending = match pending(shared, &press.person(), name).await? {
        Ok(pending) => pending,
        Err(refusal) => return Ok(Look::Done(Reply::text(refusal))),
    };
    let Pending { account, credential, since } = &pending;
    let not_yet = async |told: &str| page(shared, account, credential, told).await;
    let checked = if since.is_some() { Checked::Next } else { Checked::Own };
    let report = have_it_checked(&shared.store, name, checked).await?;
    let Some(report) = report.and_then(|report| serde_json::from_str::<Report>(&report).ok()) else {
        return Ok(Look::Untried(not_yet(words::CHECK_UNANSWERED).await?));
    };
    if let Some(fault) = report.fault() {
        let missing = words::missing(fault, &credential.public_key().unwrap_or_default());
        return Ok(Look::Done(not_yet(&words::verify_failed(&missing)).await?));
    }
    if since.is_none() && !report.has_event {
        let stream = account.stream.as_deref().unwrap_or_default();
        let waiting = words::verify_waiting(name.as_str(), stream, &account.root.all_subjects());
        return Ok(Look::Waiting(not_yet(&waiting).await?));
    }
    accept(shared, press, &pending).await.map(Look::Done)
}

/// The credential works: it counts from now on.
async fn accept(shared: &Shared, press: &Press, pending: &Pending) -> Result<Reply, StoreError> {
    let name = &pending.account.name;
    let Some(since) = pending.since else {
        let most = shared.limits.accounts_per_guild;
        if shared.store.links(press.guild).await?.len() >= most {
            return page(shared, &pending.account, &pending.credential, &words::too_many_links(most)).await;
        }
        let is_new = shared.store.verify_account(&pending.account, (press.user, press.guild), clock::now()).await?;
        if is_new {
            tracing::info!(account = %name, guild = %press.guild, user = %press.user, "an account was verified");
        }
        return Ok(Reply::text(if is_new {
            words::verified(name.as_str())
        } else {
            words::verified_already(name.as_str())
        }));
    };
    let old = shared.store.credential(name).await?;
    let old = old.and_then(|old| open_credential(&shared.connecting.key, &pending.account, &old).ok()?.public_key());
    if !shared.store.adopt_next_credential(name, since, &press.by()).await? {
        return Ok(Reply::text(words::verified_already(name.as_str())));
    }
    tracing::info!(account = %name, guild = %press.guild, user = %press.user, "an account's credential was rotated");
    Ok(Reply::text(words::rotated(name.as_str(), old.as_deref())))
}

/// Takes the JWT that goes with the key which waits to be verified.
pub(super) async fn take_jwt(shared: &Shared, press: &Press, name: &AccountName) -> Result<Reply, StoreError> {
    let pending = match pending(shared, &press.person(), name).await? {
        Ok(pending) => pending,
        Err(refusal) => return Ok(Reply::text(refusal)),
    };
    let Pending { account, credential, since } = &pending;
    let key = credential.public_key().unwrap_or_default();
    let text = press.values.first().map_or("", String::as_str);
    let told = match credential.with_jwt(text, clock::now()) {
        Ok(with_jwt) => {
            let sealed = seal_credential(&shared.connecting.key, name, &with_jwt);
            if shared.store.complete_credential(account, *since, &sealed, &press.by()).await? {
                words::jwt_taken(name.as_str())
            } else {
                return Ok(Reply::text(words::verified_already(name.as_str())));
            }
        }
        Err(BadJwt::HoldsSeed) => words::JWT_WITH_SEED.to_owned(),
        Err(BadJwt::NotOne | BadJwt::NoKey) => words::JWT_IS_NONE.to_owned(),
        Err(BadJwt::OtherUser(theirs)) => words::jwt_of_other(&theirs, &key),
        Err(BadJwt::Bearer) => words::JWT_OF_BEARER.to_owned(),
        Err(BadJwt::Expired) => words::JWT_EXPIRED.to_owned(),
    };
    page(shared, account, credential, &told).await
}
