//! One account's reader: connects, attaches again and again for as long as the account is subscribed, and cleans up
//! behind itself when it no longer is. What one account suffers stays with its reader.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::attachment::{Attachment, Next, Start, full_storage};
use super::checking::Checking;
use super::disturbance::{Disturbances, Reason};
use super::leaving::Attached;
use super::open_credential;
use super::pace::Pace;
use super::presence::Presence;
use crate::clock;
use crate::domain::account::Account;
use crate::domain::fault::Fault;
use crate::domain::hosts::AllowedHosts;
use crate::domain::ids::AccountName;
use crate::domain::presence::Looking;
use crate::domain::retry::backoff;
use crate::incidents::Rules;
use crate::nats::check::Afterwards;
use crate::nats::connection::Connection;
use crate::nats::reach::Reach;
use crate::nats::states::{AccountState, AccountStates};
use crate::nats::turns::Turns;
use crate::secrets::SecretKey;
use crate::store::accounts::SealedCredential;
use crate::store::{Store, StoreError};
use crate::telemetry::metrics::{Metrics, Work};

/// An attachment that lives so long, or records anything, is a success.
const STEADY: Duration = Duration::from_secs(5);

/// So many connections in a row may be lost at once before that needs another explanation than bad luck.
const TOLERATED_CUTS: u32 = 2;

/// What the roster wants of a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Read.
    Read {
        /// The account's revision: it changes with the account and its bindings.
        revision: i64,
        /// The check that somebody waits for.
        check: Option<i64>,
    },
    /// Nobody wants the account to be read, but somebody waits for this check: carry it out and end.
    Check(i64),
    /// The account is no longer subscribed: delete the durable and end.
    Leave,
}

/// What all readers share.
#[derive(Clone)]
pub struct Shared {
    /// The database.
    pub store: Store,
    /// Where readers note how it goes.
    pub states: AccountStates,
    /// Where they count what they record.
    pub metrics: Metrics,
    /// Who may connect to which nats-server next.
    pub turns: Turns,
    /// Where accounts may be that people connected in Discord.
    pub hosts: AllowedHosts,
    /// Opens the accounts' credentials.
    pub key: Arc<SecretKey>,
    /// The durable consumers' name, the same in every account.
    pub durable: String,
    /// How long events wait for others, and what incidents go by.
    pub rules: Rules,
    /// How often it is looked which game servers are connected.
    pub looking: Looking,
    /// Cancelled when the service stops.
    pub drain: CancellationToken,
}

/// Reads one account.
pub struct Reader {
    pub(super) shared: Shared,
    pub(super) account: AccountName,
    pub(super) order: watch::Receiver<Order>,
    /// Where its durable is, once there is one.
    pub(super) attached: Option<Attached>,
    /// How often in a row the connection was lost before anything was read.
    cut_short: u32,
    /// Whether the database did not take what was read last: a new attachment alone does not mend that.
    unrecorded: bool,
    pace: Pace,
    /// The last check that was carried out.
    checked: Option<i64>,
    /// When it was looked last on which connections servers are that say that they started.
    pub(super) starts_seen_at: Option<Instant>,
}

/// Why reading failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error(transparent)]
    Nats(#[from] Fault),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the account was removed")]
    AccountRemoved,
    #[error("the account was changed")]
    AccountChanged,
}

impl ReadError {
    /// What is wrong with the account, to be told; nothing when it is on its way out.
    fn fault(&self) -> Option<Fault> {
        match self {
            Self::Nats(fault) => Some(fault.clone()),
            Self::Store(error) => Some(Fault::Database(error.to_string())),
            Self::AccountRemoved | Self::AccountChanged => None,
        }
    }
}

impl Reader {
    /// A reader of `account` that follows the roster's orders.
    #[must_use]
    pub fn new(shared: Shared, account: AccountName, order: watch::Receiver<Order>) -> Self {
        Self {
            shared,
            account,
            order,
            attached: None,
            cut_short: 0,
            unrecorded: false,
            pace: Pace::default(),
            checked: None,
            starts_seen_at: None,
        }
    }

    /// Reads until the service stops or the account is no longer subscribed.
    pub async fn run(mut self) {
        let drain = self.shared.drain.clone();
        while !self.is_to_leave() {
            if let Some(check) = self.wanted_check() {
                // Not cut short by a stop: it may have made a consumer that it takes back at its end.
                self.check(check).await;
                continue;
            }
            if !self.is_to_read() {
                return;
            }
            self.note(AccountState::Connecting);
            let error = match drain.run_until_cancelled(Box::pin(self.connect_and_read())).await {
                Some(Ok(Next::Connect | Next::Check) | Err(ReadError::AccountChanged)) => continue,
                Some(Err(error)) => error,
                Some(Ok(_)) | None => break,
            };
            if matches!(error, ReadError::Store(_)) {
                self.unrecorded = true;
                self.shared.metrics.database_failed(Work::Recording);
            }
            let fault = error.fault().map(|fault| self.in_full(fault));
            let wait = self.pace.failed(fault.as_ref(), rand::random());
            tracing::debug!(account = %self.account, %error, ?wait, "reading failed");
            if let Some(fault) = fault {
                self.note(AccountState::Trouble(fault));
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = drain.cancelled() => break,
                // A changed account is worth a try at once; if it is to be left, the durable is still there.
                changed = self.order.changed() => if changed.is_err() { break },
            }
        }
        if self.is_to_leave() && !drain.is_cancelled() {
            self.leave().await;
        }
        self.shared.states.remove(&self.account);
    }

    /// Notes the state, and logs it once for as long as it stays. An attempt to recover is no news.
    pub(super) fn note(&self, state: AccountState) {
        if state == AccountState::Connecting && self.pace.is_failing() {
            return;
        }
        if self.shared.states.set(&self.account, state.clone(), clock::now()) {
            match state {
                AccountState::Trouble(fault) => {
                    let (name, reason) = (fault.name(), fault.to_string());
                    tracing::warn!(
                        account = %self.account, reason, state = name, "can't read the account; trying again"
                    );
                }
                AccountState::Running => tracing::info!(account = %self.account, "reading the account's events"),
                AccountState::Connecting => {}
            }
        }
    }

    /// Notes that the database takes again what is read, where it did not before.
    pub(super) fn note_recorded(&mut self, attachment: &Attachment) {
        if std::mem::take(&mut self.unrecorded) {
            self.note(attachment.state());
        }
    }

    pub(super) fn is_to_leave(&self) -> bool {
        *self.order.borrow() == Order::Leave
    }

    pub(super) fn is_to_read(&self) -> bool {
        matches!(*self.order.borrow(), Order::Read { .. })
    }

    /// The check that somebody waits for, if it is not done yet.
    pub(super) fn wanted_check(&self) -> Option<i64> {
        let wanted = match *self.order.borrow() {
            Order::Read { check, .. } => check,
            Order::Check(check) => Some(check),
            Order::Leave => None,
        };
        wanted.filter(|check| self.checked != Some(*check))
    }

    async fn connect_and_read(&mut self) -> Result<Next, ReadError> {
        if self.unrecorded {
            // Nothing is read that can't be recorded: the stream keeps it.
            self.shared.store.check_writable().await?;
        }
        let (account, sealed) = self.load_account().await?.ok_or(ReadError::AccountRemoved)?;
        let credential = open_credential(&self.shared.key, &account, &sealed)?;
        // Kept until the consumer is there: to make it is the most work for the server.
        let mut turn = tokio::select! {
            turn = self.shared.turns.wait(&account.url) => Some(turn),
            // Where many wait for a server that hangs, a check or a change must not wait with them.
            changed = self.order.changed() => return Ok(if changed.is_ok() { Next::Connect } else { Next::End }),
        };
        let reach = Reach::of(&account, &self.shared.hosts);
        let connection = Connection::open(&account.url, &reach, &credential, clock::now()).await?;
        let stream = match self.find_stream(&connection, &account).await {
            Ok(stream) => stream,
            Err(error) => return Err(self.if_deleted(error, &account).await),
        };
        self.leave_former(Attached { url: account.url.clone(), reach, credential, stream: stream.clone() }).await?;
        let presence = Presence::of(&self.shared, &self.account, &connection);
        tokio::select! {
            next = self.read(&connection, &account, &sealed, &stream, &mut turn) => next,
            never = presence.watch() => match never {},
        }
    }

    /// Attaches again and again, until something else is to be done than that. Gives its `turn` to connect back once it is
    /// attached.
    async fn read(
        &mut self,
        connection: &Connection,
        account: &Account,
        sealed: &SealedCredential,
        stream: &str,
        turn: &mut Option<OwnedSemaphorePermit>,
    ) -> Result<Next, ReadError> {
        let mut may_ask_limits = true;
        let mut disturbances = Disturbances::default();
        let (mut start, mut idled) = (Start::Position, false);
        let mut fruitless = 0;
        loop {
            let mut attachment = match self.attach(connection, account, stream, start).await {
                Ok(attachment) => attachment,
                Err(error) => return Err(self.if_deleted(error, account).await),
            };
            turn.take();
            if idled {
                disturbances.idled(attachment.waiting > 0);
            }
            attachment.trouble = disturbances.fault(stream, &self.shared.durable);
            if attachment.trouble.is_none() && may_ask_limits && fruitless == 0 {
                (attachment.trouble, may_ask_limits) = full_storage(connection).await;
            }
            if !self.unrecorded {
                self.note(attachment.state());
            }
            // For commands that wait to say that a binding hears its account.
            self.shared.store.ring_coverage();
            let followed = self.follow(connection, account, sealed, &mut attachment).await;
            let lived = attachment.began.elapsed();
            if attachment.recorded > 0 || lived >= STEADY {
                self.cut_short = 0;
                self.pace.succeeded();
            }
            let next = followed.map_err(|error| self.explained(error, stream, &attachment))?;
            fruitless = if attachment.recorded > 0 { 0 } else { fruitless + 1 };
            start = match next {
                Next::Rewind => Start::Beginning,
                Next::Attach(Reason::Moved) => Start::BehindPosition,
                _ => Start::Position,
            };
            idled = next == Next::Idle;
            match next {
                Next::Idle => {
                    fruitless = 0;
                    self.unrecorded = false;
                }
                Next::Attach(reason) => {
                    tracing::info!(account = %self.account, %reason, "attaching anew");
                    disturbances.ended(reason, lived);
                }
                Next::Rewind => {
                    tracing::info!(account = %self.account, stream, "reading the stream again from its beginning");
                }
                Next::Connect | Next::Check | Next::End => return Ok(next),
            }
            if fruitless > 1 {
                // Whatever disturbs us, it is not to be helped by haste.
                let wait = backoff(fruitless - 1, Duration::from_millis(10), Duration::from_secs(5), rand::random());
                self.shared.drain.run_until_cancelled(tokio::time::sleep(wait)).await;
            }
        }
    }

    async fn find_stream(&self, connection: &Connection, account: &Account) -> Result<String, ReadError> {
        match &account.stream {
            Some(stream) => Ok(stream.clone()),
            None => Ok(connection.find_stream(&account.root).await?),
        }
    }

    /// What it means that a stream is not there: when it was read before, it was deleted.
    async fn if_deleted(&self, error: ReadError, account: &Account) -> ReadError {
        let ReadError::Nats(Fault::StreamMissing(_) | Fault::NoStream { .. }) = &error else { return error };
        let read = match self.shared.store.stream_read(&self.account).await {
            Ok(read) => read,
            Err(error) => return error.into(),
        };
        match (read, &error) {
            // Another one was read before it was named.
            (Some(read), ReadError::Nats(Fault::StreamMissing(missing))) if read != *missing => error,
            (Some(stream), _) => Fault::StreamDeleted { stream, subjects: account.root.all_subjects() }.into(),
            (None, _) => error,
        }
    }

    /// A credential that was revoked is only said to be refused from then on.
    fn in_full(&self, fault: Fault) -> Fault {
        match (fault, self.shared.states.state(&self.account)) {
            (Fault::Refused { .. }, Some(AccountState::Trouble(before @ Fault::Revoked { .. }))) => before,
            (fault, _) => fault,
        }
    }

    /// What a loss of the connection means when it comes each time that events are asked for: async-nats gives up a
    /// connection on which a subject is not UTF-8, which nats-server takes from whoever may publish.
    fn explained(&mut self, error: ReadError, stream: &str, attachment: &Attachment) -> ReadError {
        if !matches!(error, ReadError::Nats(Fault::Lost)) {
            return error;
        }
        self.cut_short += 1;
        if self.cut_short <= TOLERATED_CUTS {
            return error;
        }
        Fault::LostEachTime { stream: stream.to_owned(), after: attachment.last_sequence() }.into()
    }

    /// Whether the account is still what a connection was made for; its bindings may have changed.
    pub(super) async fn is_unchanged(&self, account: &Account) -> Result<bool, StoreError> {
        let now = self.shared.store.account(&self.account).await?;
        Ok(now.is_some_and(|now| Account { revision: account.revision, ..now } == *account))
    }

    pub(super) async fn load_account(&self) -> Result<Option<(Account, SealedCredential)>, StoreError> {
        let store = &self.shared.store;
        Ok(store.account(&self.account).await?.zip(store.credential(&self.account).await?))
    }

    /// Carries out the check that somebody waits for, and leaves the report where they look for it.
    async fn check(&mut self, check: i64) {
        self.checked = Some(check);
        if let Err(error) = self.try_check(check).await {
            tracing::warn!(account = %self.account, %error, "can't check the account");
        }
    }

    async fn try_check(&self, check: i64) -> Result<(), StoreError> {
        let Shared { store, key, durable, hosts, .. } = &self.shared;
        let Some(account) = store.account(&self.account).await? else { return Ok(()) };
        let of_next = store.is_check_of_next(check).await?;
        let after = if self.is_to_read() { Afterwards::Keep } else { Afterwards::TakeBack };
        let checking = Checking { store, key, durable, hosts, of_next, after };
        // Without an answer, whoever asked is told that there is none.
        let Some(report) = checking.check(&account).await? else { return Ok(()) };
        let text = serde_json::to_string(&report).expect("a report is JSON");
        store.answer_check(check, &text).await
    }
}
