//! One account's reader: connects, attaches again and again for as long as the account is subscribed, and cleans up
//! behind itself when it no longer is. What one account suffers stays with its reader.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::attachment::{Attachment, Next};
use super::open_credential;
use crate::clock;
use crate::domain::account::Account;
use crate::domain::fault::Fault;
use crate::domain::ids::AccountName;
use crate::domain::retry::backoff;
use crate::nats::connection::Connection;
use crate::nats::credential::Credential;
use crate::nats::states::{AccountState, AccountStates};
use crate::secrets::SecretKey;
use crate::store::accounts::SealedCredential;
use crate::store::{Store, StoreError};
use crate::telemetry::metrics::{Metrics, Work};

/// The first wait after a failure, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// An attachment that lives so long, or records anything, is a success.
const STEADY: Duration = Duration::from_secs(5);

/// So many connections in a row may be lost at once before that needs another explanation than bad luck.
const TOLERATED_CUTS: u32 = 2;

/// What the roster wants of a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Read; the number changes with the account's revision.
    Read(i64),
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
    /// Opens the accounts' credentials.
    pub key: Arc<SecretKey>,
    /// The durable consumers' name, the same in every account.
    pub durable: String,
    /// Cancelled when the service stops.
    pub drain: CancellationToken,
}

/// Reads one account.
pub struct Reader {
    pub(super) shared: Shared,
    pub(super) account: AccountName,
    pub(super) order: watch::Receiver<Order>,
    /// Where its durable is, once there is one.
    attached: Option<Attached>,
    /// How often in a row the connection was lost before anything was read.
    cut_short: u32,
    /// Whether the database did not take what was read last: a new attachment alone does not mend that.
    unrecorded: bool,
}

struct Attached {
    url: String,
    credential: Credential,
    stream: String,
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
}

impl ReadError {
    /// What is wrong with the account, to be told; nothing when it is on its way out.
    fn fault(&self) -> Option<Fault> {
        match self {
            Self::Nats(fault) => Some(fault.clone()),
            Self::Store(error) => Some(Fault::Database(error.to_string())),
            Self::AccountRemoved => None,
        }
    }
}

impl Reader {
    /// A reader of `account` that follows the roster's orders.
    #[must_use]
    pub const fn new(shared: Shared, account: AccountName, order: watch::Receiver<Order>) -> Self {
        Self { shared, account, order, attached: None, cut_short: 0, unrecorded: false }
    }

    /// Reads until the service stops or the account is no longer subscribed.
    pub async fn run(mut self) {
        let mut failures = 0;
        while !self.is_to_leave() {
            self.note(AccountState::Connecting, failures);
            let drain = self.shared.drain.clone();
            let error = match drain.run_until_cancelled(Box::pin(self.connect_and_read(&mut failures))).await {
                Some(Ok(Next::Connect)) => continue,
                Some(Err(error)) => error,
                Some(Ok(_)) | None => break,
            };
            if matches!(error, ReadError::Store(_)) {
                self.unrecorded = true;
                self.shared.metrics.database_failed(Work::Recording);
            }
            failures += 1;
            let wait = backoff(failures, FIRST_WAIT, LONGEST_WAIT, rand::random());
            if let Some(fault) = error.fault() {
                self.note(AccountState::Trouble(fault), failures);
            }
            tracing::debug!(account = %self.account, %error, ?wait, "reading failed");
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.shared.drain.cancelled() => break,
                // A changed account is worth a try at once; if it is to be left, the durable is still there.
                changed = self.order.changed() => if changed.is_err() || self.is_to_leave() { break },
            }
        }
        if self.is_to_leave() && !self.shared.drain.is_cancelled() {
            self.leave().await;
        }
        self.shared.states.remove(&self.account);
    }

    /// Notes the state, and logs it once for as long as it stays. An attempt to recover is no news.
    fn note(&self, state: AccountState, failures: u32) {
        if state == AccountState::Connecting && failures > 0 {
            return;
        }
        if self.shared.states.set(&self.account, state.clone(), clock::now()) {
            match state {
                AccountState::Trouble(fault) => {
                    let reason = fault.to_string();
                    tracing::warn!(account = %self.account, reason, "can't read the account; trying again");
                }
                AccountState::Running => tracing::info!(account = %self.account, "reading the account's events"),
                AccountState::Connecting => {}
            }
        }
    }

    /// Notes that the database takes again what is read, where it did not before.
    pub(super) fn note_recorded(&mut self) {
        if std::mem::take(&mut self.unrecorded) {
            self.note(AccountState::Running, 0);
        }
    }

    pub(super) fn is_to_leave(&self) -> bool {
        *self.order.borrow() == Order::Leave
    }

    async fn connect_and_read(&mut self, failures: &mut u32) -> Result<Next, ReadError> {
        if self.unrecorded {
            // Nothing is read that can't be recorded: the stream keeps it.
            self.shared.store.check_writable().await?;
        }
        let (account, sealed) = self.load_account().await?.ok_or(ReadError::AccountRemoved)?;
        let credential = open_credential(&self.shared.key, &account, &sealed)?;
        let connection = Connection::open(&account.url, &credential).await?;
        let stream = match &account.stream {
            Some(stream) => stream.clone(),
            None => connection.find_stream(&account.root).await?,
        };
        self.attached = Some(Attached { url: account.url.clone(), credential, stream: stream.clone() });
        let mut rewind = false;
        let mut fruitless = 0;
        loop {
            let mut attachment = self.attach(&connection, &account, &stream, rewind).await?;
            if !self.unrecorded {
                self.note(AccountState::Running, 0);
            }
            // For commands that wait to say that a binding hears its account.
            self.shared.store.ring_coverage();
            let began = Instant::now();
            let followed = self.follow(&connection, &account, &sealed, &mut attachment).await;
            if attachment.recorded > 0 || began.elapsed() >= STEADY {
                (self.cut_short, *failures) = (0, 0);
            }
            let next = followed.map_err(|error| self.explained(error, &stream, &attachment))?;
            fruitless = if attachment.recorded > 0 { 0 } else { fruitless + 1 };
            match next {
                Next::Idle => {
                    (rewind, fruitless) = (false, 0);
                    self.unrecorded = false;
                }
                Next::Attach(reason) => {
                    tracing::info!(account = %self.account, reason, "attaching anew");
                    rewind = false;
                }
                Next::Rewind => {
                    tracing::info!(account = %self.account, stream, "reading the stream again from its beginning");
                    rewind = true;
                }
                Next::Connect | Next::End => return Ok(next),
            }
            if fruitless > 1 {
                // Whatever disturbs us, it is not to be helped by haste.
                let wait = backoff(fruitless - 1, Duration::from_millis(10), Duration::from_secs(5), rand::random());
                self.shared.drain.run_until_cancelled(tokio::time::sleep(wait)).await;
            }
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

    pub(super) async fn load_account(&self) -> Result<Option<(Account, SealedCredential)>, StoreError> {
        let store = &self.shared.store;
        Ok(store.account(&self.account).await?.zip(store.credential(&self.account).await?))
    }

    /// Takes back what subscribing made: the durable and the position.
    async fn leave(&mut self) {
        if let Err(error) = self.delete_durable().await {
            tracing::warn!(
                account = %self.account, durable = self.shared.durable, %error,
                "the account is no longer read, but its durable consumer could not be deleted: delete it by hand"
            );
        }
        if let Err(error) = self.shared.store.forget_position(&self.account).await {
            tracing::warn!(account = %self.account, %error, "can't forget the account's position");
        }
        tracing::info!(account = %self.account, "no longer reading the account's events");
    }

    async fn delete_durable(&mut self) -> Result<(), ReadError> {
        let Some(attached) = self.where_attached().await? else { return Ok(()) };
        let connection = Connection::open(&attached.url, &attached.credential).await?;
        Ok(connection.delete_consumer(&attached.stream, &self.shared.durable).await?)
    }

    /// Where the durable is: as this reader made it, or as an earlier run left it, as far as the store still knows.
    async fn where_attached(&mut self) -> Result<Option<Attached>, ReadError> {
        if let Some(attached) = self.attached.take() {
            return Ok(Some(attached));
        }
        let Some((account, sealed)) = self.load_account().await? else { return Ok(None) };
        let Some(stream) = self.shared.store.stream_read(&self.account).await? else { return Ok(None) };
        let credential = open_credential(&self.shared.key, &account, &sealed)?;
        Ok(Some(Attached { url: account.url, credential, stream }))
    }
}
