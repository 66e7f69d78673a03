//! Following an attachment: what its consumer delivers is recorded, until something ends it.
//!
//! An attachment ends for many reasons (idle for a minute, the consumer deleted under us, a gap in its deliveries, a
//! commit that another writer was quicker than), and each has the same answer: attach anew, from the position in the
//! database. `domain::position` judges each delivery; this file obeys.

use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::pull::{MessagesError, MessagesErrorKind};
use futures_util::{FutureExt, StreamExt};

use super::attachment::{Attachment, Next};
use super::batch::{Batch, Recorded};
use super::disturbance::{CALM, Reason};
use super::reader::{ReadError, Reader};
use crate::domain::account::Account;
use crate::domain::fault::Fault;
use crate::domain::position::{Delivered, Position, Verdict};
use crate::nats::connection::Connection;
use crate::nats::states::AccountState;
use crate::store::StoreError;
use crate::store::accounts::SealedCredential;

/// The most events that one transaction records.
const MAX_BATCH: usize = 500;

/// A consumer that delivered nothing for so long is attached anew: it costs two milliseconds, and finds what a foreign
/// puller took away.
const IDLE: Duration = Duration::from_mins(1);

/// How long acknowledging a batch may take. A lost acknowledgement does not matter: the position knows better.
const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_millis(500);

impl Reader {
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
                    if changed.is_err() || !self.is_to_read() {
                        return Ok(Next::End);
                    }
                    if self.wanted_check().is_some() {
                        return Ok(Next::Check);
                    }
                    let unchanged = self.load_account().await?.is_some_and(|(now, sealed_now)| {
                        Account { revision: account.revision, ..now } == *account && sealed_now.sealed == sealed.sealed
                    });
                    if !unchanged {
                        return Ok(Next::Connect);
                    }
                    // Nobody else moves it: it stands where this session left it, or the operator has it go on elsewhere.
                    let stands = self.shared.store.position(&self.account, &attachment.stream).await?;
                    if stands.is_some_and(|stands| stands != attachment.session.position()) {
                        return Ok(Next::Attach(Reason::Moved));
                    }
                    // No new attachment: a live consumer keeps its place when its filter changes, and a binding hears
                    // nothing stored before the server's answer.
                    attachment.hearers = self.cover(connection, account, &attachment.stream).await?.1;
                    continue;
                }
                item = tokio::time::timeout(IDLE, attachment.messages.next()) => item,
                fault = connection.denied("$JS.API.CONSUMER.MSG.NEXT.") => return Err(fault.into()),
                // A denied acknowledgement looks sent; the events would come again and again.
                fault = connection.denied("$JS.ACK.") => return Err(fault.into()),
                // Last: what came before the loss is recorded, so that what caused it is the next.
                fault = connection.lost() => return Err(fault.into()),
                // Not sooner: nothing else is to be done.
                () = tokio::time::sleep_until(attachment.began + CALM), if attachment.may_calm_down() => {
                    self.over(attachment);
                    continue;
                }
            };
            match item {
                Err(_) => return Ok(Next::Idle),
                Ok(None) => return Ok(Next::Attach(Reason::Ended)),
                Ok(Some(Err(error))) => return Ok(after_pull_error(&error)),
                Ok(Some(Ok(message))) => {
                    let next = self.take(connection, account, attachment, message).await?;
                    if attachment.recorded > 0 {
                        self.note_recorded(attachment);
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
        &mut self,
        connection: &Connection,
        account: &Account,
        attachment: &mut Attachment,
        first: Message,
    ) -> Result<Option<Next>, ReadError> {
        let before = attachment.session.position();
        let mut batch = Batch::at_revision(attachment.hearers.revision, self.shared.rules);
        let mut done = Vec::new();
        let mut waiting = 0;
        let (mut first_new, mut end) = (None, None);
        let mut next = Some(first);
        while let Some(message) = next.take() {
            let Some((delivered, pending)) = place(&message) else {
                end = Some(Next::Attach(Reason::Placeless));
                break;
            };
            match attachment.session.judge(delivered) {
                Verdict::Record => {
                    first_new.get_or_insert(delivered.sequence);
                    batch.add(account, &attachment.hearers.bindings, delivered, &message);
                }
                Verdict::Skip => {}
                Verdict::Gap => {
                    end = Some(Next::Attach(Reason::Gap));
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

        tracing::trace!(account = %self.account, messages = done.len(), "fetched");
        if let Some(first_new) = first_new {
            if waiting > 0 {
                // Before it is recorded: what is seen in the midst of a backlog is not how servers stand.
                self.shared.states.set_lag(&self.account, waiting);
            }
            self.see_starts(connection, &mut batch).await;
            if !self.record(attachment, batch, before, first_new).await? {
                return Ok(Some(Next::Attach(Reason::Fenced)));
            }
        } else if attachment.rewinding && waiting == 0 && end.is_none() {
            self.settle_rewound(attachment).await?;
        }
        self.shared.states.set_lag(&self.account, waiting);
        acknowledge(done).await;
        tracing::trace!(account = %self.account, "acknowledged");
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
        let (events, rejected) = (batch.events(), batch.rejected());
        let tally = std::mem::take(&mut batch.tally);
        let recorded = batch
            .record(&self.shared.store, &self.account, &attachment.hearers.bindings, &attachment.stream, before, after)
            .await?;
        let Recorded::Committed(channels) = recorded else { return Ok(false) };
        let rows = channels.len();
        tracing::trace!(account = %self.account, sequence = after.last_sequence, "committed");
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
        if matches!(attachment.trouble, Some(Fault::StorageFull { .. })) {
            // Something was stored.
            self.over(attachment);
        }
        tracing::debug!(account = %self.account, events, rows, rejected, sequence = after.last_sequence, "recorded");
        Ok(true)
    }

    /// Notes that what disturbed the account is over.
    fn over(&self, attachment: &mut Attachment) {
        attachment.trouble = None;
        self.note(AccountState::Running);
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
        let recorded =
            nothing.record(&self.shared.store, &self.account, &[], &attachment.stream, before, after).await?;
        if recorded != Recorded::Fenced {
            attachment.session.stand_at(after);
        }
        Ok(())
    }
}

impl Attachment {
    /// Whether its consumer was meddled with and something came through it since: if that stays so, it is over.
    fn may_calm_down(&self) -> bool {
        self.recorded > 0 && matches!(self.trouble, Some(Fault::ConsumerDeleted { .. } | Fault::ConsumerShared { .. }))
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
        MessagesErrorKind::MissingHeartbeat => Next::Attach(Reason::Silent),
        MessagesErrorKind::ConsumerDeleted => Next::Attach(Reason::Deleted),
        _ => {
            tracing::debug!(%error, "the pull failed");
            Next::Attach(Reason::PullFailed)
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
