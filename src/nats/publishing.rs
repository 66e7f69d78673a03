//! Publishing an event the way a game server's plugin should: through JetStream, to the stream's answer.

use std::error::Error as _;

use async_nats::jetstream::context::{PublishError, PublishErrorKind};

use super::connection::Connection;
use crate::domain::fault::Fault;

/// Where a stream stored a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The stream.
    pub stream: String,
    /// The message's number in it.
    pub sequence: u64,
}

impl Connection {
    /// Publishes to `subject` and waits until a stream stored it. `expected` is what a stream should cover where none
    /// answers.
    pub async fn publish(&self, subject: &str, payload: Vec<u8>, expected: &str) -> Result<Stored, Fault> {
        let publish = async { self.jetstream.publish(subject.to_owned(), payload.into()).await?.await };
        let answer = tokio::select! {
            answer = publish => answer,
            fault = self.denied(subject) => return Err(fault),
            fault = self.lost() => return Err(fault),
        };
        match answer {
            Ok(ack) => Ok(Stored { stream: ack.stream, sequence: ack.sequence }),
            Err(error) => Err(fault_of(&error, subject, expected)),
        }
    }
}

fn fault_of(error: &PublishError, subject: &str, expected: &str) -> Fault {
    let source = error.source();
    let is_unreadable = source.is_some_and(<dyn std::error::Error>::is::<serde_json::Error>);
    let reason = source.map_or_else(|| error.to_string(), ToString::to_string);
    match error.kind() {
        // Nobody listens there: neither a stream nor anybody else.
        PublishErrorKind::StreamNotFound => Fault::NoStream { subjects: expected.to_owned() },
        PublishErrorKind::TimedOut => Fault::TimedOut(subject.to_owned()),
        _ if is_unreadable => Fault::BadAnswer { subject: subject.to_owned(), reason },
        _ => Fault::JetStream(reason),
    }
}
