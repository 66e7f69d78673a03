//! An attachment to an account's durable consumer: made, or given the filter that the bindings need, and set back to the
//! recorded position. What it delivers is `following`'s business.

use std::time::Duration;

use async_nats::jetstream::consumer::pull::Stream;
use tokio::time::Instant;

use super::disturbance::Reason;
use super::reader::{ReadError, Reader};
use crate::domain::account::Account;
use crate::domain::binding::{Binding, heard_kinds};
use crate::domain::fault::Fault;
use crate::domain::position::{Position, Session};
use crate::nats::connection::Connection;
use crate::nats::jetstream::{AfterReset, Covering, deliveries};
use crate::nats::states::AccountState;

/// How long the answer about the account's limits may take: reading waits for it.
const LIMITS_PATIENCE: Duration = Duration::from_secs(1);

/// Why an attachment ended, and so what comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing came for a while: attach anew at the position, to be sure.
    Idle,
    /// Attach anew at the position, for the reason given.
    Attach(Reason),
    /// The stream is not the one that was recorded: attach at its beginning.
    Rewind,
    /// The account was changed: connect anew.
    Connect,
    /// Somebody asked for a check of the account, which nothing may disturb.
    Check,
    /// The service stops, or the account is no longer subscribed.
    End,
}

/// Where an attachment begins to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// At the recorded position, whose event has to come first.
    Position,
    /// Behind it: it was just moved to the stream's end, to an event that the filter may leave out.
    BehindPosition,
    /// At the stream's beginning.
    Beginning,
}

/// Who hears an account: its bindings, and the account's revision that they are of, or a later one.
pub(super) struct Hearers {
    pub(super) revision: i64,
    pub(super) bindings: Vec<Binding>,
}

/// One attachment: what it reads by, and how far it came.
pub(super) struct Attachment {
    pub(super) stream: String,
    pub(super) hearers: Hearers,
    pub(super) session: Session,
    pub(super) messages: Stream,
    /// When it began, and what stood in the database then.
    pub(super) began: Instant,
    pub(super) began_at: Position,
    /// How many new events waited for it.
    pub(super) waiting: u64,
    /// Whether it reads the stream again from its beginning and has found nothing new there so far.
    pub(super) rewinding: bool,
    /// The highest sequence that was delivered, whether new or recorded before.
    pub(super) highest_seen: u64,
    /// How many events it recorded.
    pub(super) recorded: usize,
    /// What disturbs the account while it is read, until that is seen to be over.
    pub(super) trouble: Option<Fault>,
}

impl Attachment {
    /// The last event that is recorded.
    pub(super) const fn last_sequence(&self) -> u64 {
        self.session.position().last_sequence
    }

    /// How reading goes by it.
    pub(super) fn state(&self) -> AccountState {
        self.trouble.clone().map_or(AccountState::Running, AccountState::Trouble)
    }
}

impl Reader {
    /// Sets the consumer to where the database stands, or to the stream's beginning.
    pub(super) async fn attach(
        &self,
        connection: &Connection,
        account: &Account,
        stream: &str,
        start: Start,
    ) -> Result<Attachment, ReadError> {
        let is_new = self.shared.store.position(&account.name, stream).await?.is_none();
        if is_new {
            let end = connection.stream_end(stream).await?;
            self.shared.store.install_position(&account.name, stream, end).await?;
        }
        let (covering, hearers) = self.cover(connection, account, stream).await?;
        let Some(position) = self.shared.store.position(&account.name, stream).await? else {
            // Removed at this very moment; the roster says so shortly.
            return Err(Fault::Lost.into());
        };
        // A position may be another server's by now: it counts for the account that this connection is of. Both are
        // changed in one transaction, so to look in this order is enough.
        if !self.is_unchanged(account).await? {
            return Err(ReadError::AccountChanged);
        }
        // The stream asks for nothing before it is polled, so the reset comes first.
        let messages = deliveries(&covering.consumer).await?;
        let at_its_end = is_new || start == Start::BehindPosition;
        let mut anchored = start == Start::Position && !is_new && position.last_sequence > 0;
        let mut after = AfterReset::default();
        if anchored {
            after = connection.reset(stream, &self.shared.durable, position.last_sequence).await?;
            // Nothing at the position or beyond, though the recorded event stood there.
            anchored = after.pending > 0 || after.delivered > 0;
        }
        // Where the stream was just seen to end, nothing before is worth reading.
        let from = match (anchored, at_its_end) {
            (true, _) => position.last_sequence,
            (false, true) => position.last_sequence + 1,
            (false, false) => 1,
        };
        if !anchored {
            after = connection.reset(stream, &self.shared.durable, from).await?;
        }
        // The recorded event itself comes once more.
        let waiting = after.pending.saturating_sub(u64::from(anchored));
        self.shared.states.set_lag(&self.account, waiting);
        Ok(Attachment {
            stream: stream.to_owned(),
            hearers,
            session: Session::new(position, anchored),
            messages,
            began: Instant::now(),
            began_at: position,
            waiting,
            rewinding: from == 1 && position.last_sequence > 0,
            highest_seen: 0,
            recorded: 0,
            trouble: None,
        })
    }

    /// Gives the consumer the filter that the bindings need. What no consumer covered so far is covered from the moment
    /// of nats-server's answer; what was covered before keeps its place in the stream and its beginning.
    pub(super) async fn cover(
        &self,
        connection: &Connection,
        account: &Account,
        stream: &str,
    ) -> Result<(Covering, Hearers), ReadError> {
        // Looked at first: bindings that change right after it are fenced off when something is recorded for them.
        let revision = self.shared.store.account(&account.name).await?.map_or(account.revision, |now| now.revision);
        let mut bindings = self.shared.store.bindings_of_account(&account.name).await?;
        let kinds = heard_kinds(&bindings);
        let filter = account.root.filters(kinds, account.wide_filter);
        let covering = connection.cover(stream, &self.shared.durable, filter).await?;
        let mut begun: Vec<_> = bindings.iter_mut().filter(|binding| !binding.is_covered()).collect();
        for binding in &mut begun {
            binding.cover(covering.since);
        }
        let begun: Vec<_> = begun.into_iter().map(|binding| &*binding).collect();
        // Where the bindings changed meanwhile, nothing is recorded for these either, and the roster has us look again.
        if !begun.is_empty() {
            self.shared.store.cover_bindings(&account.name, revision, &begun).await?;
        }
        Ok((covering, Hearers { revision, bindings }))
    }
}

/// Whether the account's storage is full, and whether that may be asked again. Few may ask it, and none has to: it is not
/// asked again by who was refused. Whose answer only takes long asks again at the next attachment.
pub(super) async fn full_storage(connection: &Connection) -> (Option<Fault>, bool) {
    match tokio::time::timeout(LIMITS_PATIENCE, connection.limits()).await {
        Ok(Ok(limits)) => (limits.storage_full(), true),
        Ok(Err(_)) => (None, false),
        Err(_) => (None, true),
    }
}
