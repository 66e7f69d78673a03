//! Looking on at a stream beside whoever reads it: with a consumer of its own, which acknowledges nothing, keeps nothing
//! on the server's disk, and is gone soon after nobody asks for its deliveries.

use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::pull::{self, Stream};
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, Info, IntoConsumerConfig as _};
use futures_util::StreamExt as _;
use serde_json::json;

use super::connection::Connection;
use super::jetstream::deliveries;
use super::said::said;
use crate::domain::fault::Fault;

/// How long nats-server keeps the consumer of somebody who went away without a word.
const INACTIVE: Duration = Duration::from_secs(30);

/// How many letters tell one onlooker's consumer from another's.
const NAME_LENGTH: usize = 8;

/// Somebody who looks on at a stream.
pub struct Onlooker {
    messages: Stream,
    stream: String,
    consumer: String,
}

impl Connection {
    /// Looks on at a stream from message `from` on, or else at what comes from now on. `filter` may narrow that down to some
    /// subjects.
    ///
    /// It takes the permissions to publish to `$JS.API.CONSUMER.CREATE.<stream>.*` and
    /// `$JS.API.CONSUMER.MSG.NEXT.<stream>.*`.
    pub async fn look_on(&self, stream: &str, from: Option<u64>, filter: Vec<String>) -> Result<Onlooker, Fault> {
        let letters = (0..NAME_LENGTH).map(|_| char::from(rand::random_range(b'a'..=b'z')));
        let name = format!("guildwire-watch-{}", letters.collect::<String>());
        let config = pull::Config {
            name: Some(name.clone()),
            description: Some("guildwire watch: looks on, and is soon gone".to_owned()),
            deliver_policy: from
                .map_or(DeliverPolicy::New, |start_sequence| DeliverPolicy::ByStartSequence { start_sequence }),
            ack_policy: AckPolicy::None,
            inactive_threshold: INACTIVE,
            memory_storage: true,
            num_replicas: 1,
            filter_subjects: filter,
            ..pull::Config::default()
        };
        let request = json!({ "stream_name": stream, "config": config.clone().into_consumer_config(), "action": "" });
        let created: Result<Info, Fault> = self.ask(format!("CONSUMER.CREATE.{stream}.{name}"), request).await;
        let consumer =
            Consumer::new(config, created.map_err(|fault| of_any_name(fault, &name))?, self.jetstream.clone());
        Ok(Onlooker { messages: deliveries(&consumer).await?, stream: stream.to_owned(), consumer: name })
    }
}

impl Onlooker {
    /// The next message, or why none can come any more.
    pub async fn next(&mut self, connection: &Connection) -> Result<Message, Fault> {
        tokio::select! {
            message = self.messages.next() => match message {
                Some(Ok(message)) => Ok(message),
                Some(Err(error)) => Err(Fault::JetStream(said(error))),
                None => Err(Fault::JetStream("the consumer was deleted, or the stream".to_owned())),
            },
            fault = connection.denied("$JS.API.CONSUMER.MSG.NEXT.") => Err(of_any_name(fault, &self.consumer)),
            fault = connection.lost() => Err(fault),
        }
    }

    /// Deletes the consumer at once, where that is permitted; else nats-server does soon.
    pub async fn leave(self, connection: &Connection) {
        drop(self.messages);
        connection.delete_consumer(&self.stream, &self.consumer).await.ok();
    }
}

/// What is denied with one consumer's name is to be allowed for any: the next one has another.
fn of_any_name(fault: Fault, consumer: &str) -> Fault {
    match fault {
        Fault::Denied(subject) => Fault::Denied(subject.replace(consumer, "*")),
        other => other,
    }
}
