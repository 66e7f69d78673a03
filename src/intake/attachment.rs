//! One attachment of an account's durable consumer: set back to the recorded position, then followed.
//!
//! An attachment ends for many reasons (idle for a minute, the consumer deleted under us, a gap in its deliveries, a
//! commit that another writer was quicker than), and each has the same answer: attach anew, from the position in the
//! database. `domain::position` judges each delivery; this file obeys.

use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::pull::{MessagesError, MessagesErrorKind, Stream};
use futures_util::{FutureExt, StreamExt};

use super::batch::{Batch, Recorded};
use super::reader::{ReadError, Reader};
use crate::domain::account::Account;
use crate::domain::binding::Binding;
use crate::domain::event::KindSet;
use crate::domain::fault::Fault;
use crate::domain::position::{Delivered, Position, Session, Verdict};
use crate::nats::connection::Connection;
use crate::nats::jetstream::{AfterReset, Covering, deliveries};
use crate::store::StoreError;
use crate::store::accounts::SealedCredential;

/// The most events that one transaction records.
const MAX_BATCH: usize = 500;

/// A consumer that delivered nothing for so long is attached anew: it costs two milliseconds, and finds what a foreign
/// puller took away.
const IDLE: Duration = Duration::from_mins(1);

/// How long acknowledging a batch may take. A lost acknowledgement does not matter: the position knows better.
const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_millis(500);

/// Why an attachment ended, and so what comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing came for a while: attach anew at the position, to be sure.
    Idle,
    /// Attach anew at the position, for the reason given.
    Attach(&'static str),
    /// The stream is not the one that was recorded: attach at its beginning.
    Rewind,
    /// The account was changed: connect anew.
    Connect,
    /// The service stops, or the account is no longer subscribed.
    End,
}

/// Who hears an account: its bindings, and the account's revision that they are of, or a later one.
struct Hearers {
    revision: i64,
    bindings: Vec<Binding>,
}

/// One attachment: what it reads by, and how far it came.
pub(super) struct Attachment {
    stream: String,
    hearers: Hearers,
    session: Session,
    messages: Stream,
    /// What stood in the database when it began.
    began_at: Position,
    /// Whether it reads the stream again from its beginning and has found nothing new there so far.
    rewinding: bool,
    /// The highest sequence that was delivered, whether new or recorded before.
    highest_seen: u64,
    /// How many events it recorded.
    pub(super) recorded: usize,
}

impl Attachment {
    /// The last event that is recorded.
    pub(super) const fn last_sequence(&self) -> u64 {
        self.session.position().last_sequence
    }
}

impl Reader {
    /// Sets the consumer to where the database stands, or to the stream's beginning.
    pub(super) async fn attach(
        &self,
        connection: &Connection,
        account: &Account,
        stream: &str,
        rewind: bool,
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
        // The stream asks for nothing before it is polled, so the reset comes first.
        let messages = deliveries(&covering.consumer).await?;
        let mut anchored = !rewind && !is_new && position.last_sequence > 0;
        let mut after = AfterReset::default();
        if anchored {
            after = connection.reset(stream, &self.shared.durable, position.last_sequence).await?;
            // Nothing at the position or beyond, though the recorded event stood there.
            anchored = after.pending > 0 || after.delivered > 0;
        }
        // Where the stream was just seen to end, nothing before is worth reading.
        let from = match (anchored, is_new) {
            (true, _) => position.last_sequence,
            (false, true) => position.last_sequence + 1,
            (false, false) => 1,
        };
        if !anchored {
            after = connection.reset(stream, &self.shared.durable, from).await?;
        }
        // The recorded event itself comes once more.
        self.shared.states.set_lag(&self.account, after.pending.saturating_sub(u64::from(anchored)));
        Ok(Attachment {
            stream: stream.to_owned(),
            hearers,
            session: Session::new(position, anchored),
            messages,
            began_at: position,
            rewinding: from == 1 && position.last_sequence > 0,
            highest_seen: 0,
            recorded: 0,
        })
    }

    /// Gives the consumer the filter that the bindings need. What no consumer covered so far is covered from the moment
    /// of nats-server's answer; what was covered before keeps its place in the stream and its beginning.
    async fn cover(
        &self,
        connection: &Connection,
        account: &Account,
        stream: &str,
    ) -> Result<(Covering, Hearers), ReadError> {
        // Looked at first: bindings that change right after it are fenced off when something is recorded for them.
        let revision = self.shared.store.account(&account.name).await?.map_or(account.revision, |now| now.revision);
        let mut bindings = self.shared.store.bindings_of_account(&account.name).await?;
        let kinds = bindings.iter().fold(KindSet::EMPTY, |kinds, binding| kinds.union(binding.wanted_kinds()));
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

    /// Records what the consumer delivers, until something ends the attachment.
    pub(super) async fn follow(
        &mut self,
        connection: &Connection,
        account: &Account,
        sealed: &SealedCredential,
        attachment: &mut Attachment,
    ) -> Result<Next, ReadError> {
        loop {
            let item = tokio::select! {
                biased;
                () = self.shared.drain.cancelled() => return Ok(Next::End),
                changed = self.order.changed() => {
                    if changed.is_err() || self.is_to_leave() {
                        return Ok(Next::End);
                    }
                    let unchanged = self.load_account().await?.is_some_and(|(now, sealed_now)| {
                        Account { revision: account.revision, ..now } == *account && sealed_now.sealed == sealed.sealed
                    });
                    if !unchanged {
                        return Ok(Next::Connect);
                    }
                    // No new attachment: a live consumer keeps its place when its filter changes, and a binding hears
                    // nothing stored before the server's answer.
                    attachment.hearers = self.cover(connection, account, &attachment.stream).await?.1;
                    continue;
                }
                item = tokio::time::timeout(IDLE, attachment.messages.next()) => item,
                subject = connection.denied("$JS.API.CONSUMER.MSG.NEXT.") => return Err(Fault::Denied(subject).into()),
                // A denied acknowledgement looks sent; the events would come again and again.
                subject = connection.denied("$JS.ACK.") => return Err(Fault::Denied(subject).into()),
                // Last: what came before the loss is recorded, so that what caused it is the next.
                () = connection.lost() => return Err(Fault::Lost.into()),
            };
            match item {
                Err(_) => return Ok(Next::Idle),
                Ok(None) => return Ok(Next::Attach("the consumer's deliveries ended")),
                Ok(Some(Err(error))) => return Ok(after_pull_error(&error)),
                Ok(Some(Ok(message))) => {
                    let next = self.take(account, attachment, message).await?;
                    if attachment.recorded > 0 {
                        self.note_recorded();
                    }
                    if let Some(next) = next {
                        return Ok(next);
                    }
                }
            }
        }
    }

    /// Records `first` and all that is there already behind it; says what comes next when the attachment has to end.
    async fn take(
        &self,
        account: &Account,
        attachment: &mut Attachment,
        first: Message,
    ) -> Result<Option<Next>, ReadError> {
        let before = attachment.session.position();
        let mut batch = Batch::at_revision(attachment.hearers.revision);
        let mut done = Vec::new();
        let mut waiting = 0;
        let (mut first_new, mut end) = (None, None);
        let mut next = Some(first);
        while let Some(message) = next.take() {
            let Some((delivered, pending)) = place(&message) else {
                end = Some(Next::Attach("a delivery without its place in the stream"));
                break;
            };
            match attachment.session.judge(delivered) {
                Verdict::Record => {
                    first_new.get_or_insert(delivered.sequence);
                    batch.add(&self.shared.store, account, &attachment.hearers.bindings, delivered, &message);
                }
                Verdict::Skip => {}
                Verdict::Gap => {
                    end = Some(Next::Attach("deliveries are missing: someone else reads from this consumer"));
                    break;
                }
                Verdict::NotTheAnchor => {
                    end = Some(Next::Rewind);
                    break;
                }
            }
            waiting = pending;
            attachment.highest_seen = attachment.highest_seen.max(delivered.sequence);
            done.push(message);
            if done.len() < MAX_BATCH {
                next = match attachment.messages.next().now_or_never().flatten() {
                    Some(Ok(message)) => Some(message),
                    Some(Err(error)) => {
                        end = Some(after_pull_error(&error));
                        None
                    }
                    None => None,
                };
            }
        }

        if let Some(first_new) = first_new {
            if !self.record(attachment, batch, before, first_new).await? {
                return Ok(Some(Next::Attach("another writer recorded meanwhile, or who hears the account changed")));
            }
        } else if attachment.rewinding && waiting == 0 && end.is_none() {
            self.settle_rewound(attachment).await?;
        }
        self.shared.states.set_lag(&self.account, waiting);
        acknowledge(done).await;
        Ok(end)
    }

    /// Commits a batch that begins with the event `first`; `false` when the position in the database stands elsewhere,
    /// or when the bindings changed.
    async fn record(
        &self,
        attachment: &mut Attachment,
        mut batch: Batch,
        before: Position,
        first: u64,
    ) -> Result<bool, StoreError> {
        let after = attachment.session.position();
        let (events, rows, rejected) = (batch.events(), batch.rows(), batch.rejected());
        let channels: Vec<_> = batch.channels().collect();
        let tally = std::mem::take(&mut batch.tally);
        if batch.record(&self.shared.store, &self.account, &attachment.stream, before, after).await? == Recorded::Fenced
        {
            return Ok(false);
        }
        self.shared.store.ring_lanes(channels);
        tally.count_in(&self.shared.metrics);
        if attachment.rewinding && first <= attachment.began_at.last_sequence {
            tracing::warn!(
                account = %self.account,
                stream = attachment.stream,
                recorded_to = attachment.began_at.last_sequence,
                goes_on_at = first,
                "the stream was rolled back, purged or made anew; events that were lost there can't be told of"
            );
        }
        attachment.rewinding = false;
        attachment.recorded += events;
        tracing::debug!(account = %self.account, events, rows, rejected, sequence = after.last_sequence, "recorded");
        Ok(true)
    }

    /// A rewind that came to the stream's end and found nothing new: the recorded event is gone, or no longer in the
    /// filter. The last event there is takes its place, so that the next attachment finds its anchor. Once: what is
    /// delivered after that is a redelivery, or new.
    async fn settle_rewound(&self, attachment: &mut Attachment) -> Result<(), StoreError> {
        attachment.rewinding = false;
        let before = attachment.session.position();
        let after = Position { last_sequence: attachment.highest_seen, ..before };
        if after == before {
            return Ok(());
        }
        let nothing = Batch::default();
        let recorded = nothing.record(&self.shared.store, &self.account, &attachment.stream, before, after).await?;
        if recorded == Recorded::Committed {
            attachment.session.stand_at(after);
        }
        Ok(())
    }
}

/// A delivery's place in the stream and how many more wait behind it; `None` when its reply subject tells neither.
fn place(message: &Message) -> Option<(Delivered, u64)> {
    let info = message.info().ok()?;
    let delivered = Delivered {
        sequence: info.stream_sequence,
        stored: info.published.into(),
        consumer_sequence: info.consumer_sequence,
    };
    Some((delivered, info.pending))
}

/// What an error of the pull means. Attaching anew costs two milliseconds, so none is worth waiting out.
fn after_pull_error(error: &MessagesError) -> Next {
    match error.kind() {
        MessagesErrorKind::MissingHeartbeat => Next::Attach("nats-server was silent"),
        MessagesErrorKind::ConsumerDeleted => Next::Attach("the consumer was deleted"),
        _ => {
            tracing::debug!(%error, "the pull failed");
            Next::Attach("the pull failed")
        }
    }
}

async fn acknowledge(messages: Vec<Message>) {
    let all = async {
        for message in messages {
            if let Err(error) = message.ack().await {
                tracing::debug!(%error, "an acknowledgement was not sent");
                return;
            }
        }
    };
    if tokio::time::timeout(ACKNOWLEDGE_TIMEOUT, all).await.is_err() {
        tracing::debug!("acknowledging took too long and was left; the position keeps the events from coming again");
    }
}
