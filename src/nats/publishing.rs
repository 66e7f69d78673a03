//! Publishing an event the way a game server's plugin should: through JetStream, to the stream's answer.

use std::error::Error as _;

use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;

use super::connection::Connection;
use super::said::said;
use crate::domain::fault::Fault;

/// Where a stream stored a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The stream.
    pub stream: String,
    /// The message's number in it.
    pub sequence: u64,
    /// Whether it was there already: an earlier message had the same id.
    pub is_repeated: bool,
}

impl Connection {
    /// Publishes to `subject` and waits until a stream stored it, which it does once with the same `id` within its
    /// [duplicate window](https://docs.nats.io/using-nats/developer/develop_jetstream/model_deep_dive#message-deduplication).
    /// `expected` is what a stream should cover where none answers.
    pub async fn publish(&self, subject: &str, payload: Vec<u8>, id: &str, expected: &str) -> Result<Stored, Fault> {
        let message = PublishMessage::build().payload(payload.into()).message_id(id);
        let publish = async { self.jetstream.send_publish(subject.to_owned(), message).await?.await };
        let answer = tokio::select! {
            answer = publish => answer,
            fault = self.denied(subject) => return Err(fault),
            fault = self.lost() => return Err(fault),
        };
        match answer {
            Ok(ack) => Ok(Stored { stream: ack.stream, sequence: ack.sequence, is_repeated: ack.duplicate }),
            Err(error) => Err(fault_of(&error, subject, expected)),
        }
    }
}

fn fault_of(error: &PublishError, subject: &str, expected: &str) -> Fault {
    let source = error.source();
    let is_unreadable = source.is_some_and(<dyn std::error::Error>::is::<serde_json::Error>);
    let reason = source.map_or_else(|| said(error), said);
    match error.kind() {
        // Nobody listens there: neither a stream nor anybody else.
        PublishErrorKind::StreamNotFound => Fault::NoStream { subjects: expected.to_owned() },
        PublishErrorKind::TimedOut => Fault::TimedOut(subject.to_owned()),
        // The connection ended while the answer was awaited.
        PublishErrorKind::BrokenPipe => Fault::Lost,
        _ if is_unreadable => Fault::BadAnswer { subject: subject.to_owned(), reason },
        _ => Fault::JetStream(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_was_cut_off_is_no_refusal() {
        let fault = |kind| fault_of(&PublishError::new(kind), "a.b", "a.>");
        assert_eq!(fault(PublishErrorKind::BrokenPipe), Fault::Lost);
        assert_eq!(fault(PublishErrorKind::TimedOut), Fault::TimedOut("a.b".to_owned()));
        assert_eq!(fault(PublishErrorKind::StreamNotFound), Fault::NoStream { subjects: "a.>".to_owned() });
    }
}
