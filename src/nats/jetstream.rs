//! The JetStream calls that reading an account's events takes. Each needs one permission and no more:
//! `STREAM.NAMES` or none, `STREAM.INFO` once, `CONSUMER.CREATE`, `CONSUMER.RESET`, `CONSUMER.MSG.NEXT` and, at the
//! end, `CONSUMER.DELETE`; and `$JS.ACK`, to acknowledge.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream::consumer::pull::{self, Stream};
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, Info, IntoConsumerConfig};
use async_nats::jetstream::context::{RequestError, RequestErrorKind};
use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream;
use async_nats::jetstream::{AckKind, ErrorCode, Message};
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::connection::{Connection, REQUEST_TIMEOUT};
use super::limits::{AccountInfo, Limits};
use super::said::said;
use crate::domain::fault::Fault;
use crate::domain::position::Position;
use crate::domain::subject::Root;
use crate::domain::timestamp::Timestamp;

/// How long nats-server waits for an acknowledgement before it hands an event out again. A commit takes milliseconds;
/// the position makes redeliveries harmless, so this only has to be out of the way.
const ACK_WAIT: Duration = Duration::from_secs(30);

/// How many events one pull asks for.
const PULL_BATCH: usize = 500;

/// How long one pull stays open on the server.
const PULL_EXPIRES: Duration = Duration::from_secs(30);

/// How long a denial, or the connection's end, may take from its socket to whoever waits for it: that is this process's own
/// doing.
const HEARD_BY_NOW: Duration = Duration::from_millis(250);

/// How many streams are named, where there are several.
const MOST_NAMED: usize = 10;

/// How often the server shows that an open pull still stands.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// The consumer's state right after it was reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AfterReset {
    /// How many events wait for delivery.
    pub pending: u64,
    /// How many deliveries the consumer counts, 0 unless someone else pulled meanwhile.
    pub delivered: u64,
}

/// A durable consumer that covers its filter, and the moment, in nats-server's time, at which it did.
#[derive(Debug, Clone)]
pub struct Covering {
    /// The consumer.
    pub consumer: Consumer<pull::Config>,
    /// When the server answered: what it stores later is delivered.
    pub since: Timestamp,
}

#[derive(Deserialize)]
struct Created {
    #[serde(flatten)]
    info: Info,
    #[serde(rename = "ts", with = "time::serde::rfc3339")]
    answered: time::OffsetDateTime,
}

#[derive(Deserialize)]
struct Names {
    streams: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Deleted {}

/// What a stream holds, at a glance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamSeen {
    /// How many messages.
    pub messages: u64,
    /// The last one's number.
    pub last_sequence: u64,
    /// How many subjects they have.
    pub subject_count: u64,
    /// The subjects, where they were asked for.
    pub subjects: Vec<String>,
}

#[derive(Deserialize)]
struct StreamAnswer {
    state: StreamState,
}

#[derive(Deserialize)]
struct StreamState {
    messages: u64,
    last_seq: u64,
    #[serde(default)]
    num_subjects: u64,
    #[serde(default)]
    subjects: BTreeMap<String, u64>,
}

impl Connection {
    /// The one stream that covers the root's subjects.
    pub async fn find_stream(&self, root: &Root) -> Result<String, Fault> {
        let subjects = root.all_subjects();
        let names: Names = self.ask("STREAM.NAMES".to_owned(), json!({ "subject": subjects })).await?;
        let mut names = names.streams.unwrap_or_default();
        match names.len() {
            0 => Err(Fault::NoStream { subjects }),
            1 => Ok(names.remove(0)),
            _ => Err(Fault::SeveralStreams { subjects, names: names.into_iter().take(MOST_NAMED).map(said).collect() }),
        }
    }

    /// Where the stream ends now: reading from there on begins with what comes next.
    pub async fn stream_end(&self, stream: &str) -> Result<Position, Fault> {
        let info: stream::Info = self.ask(format!("STREAM.INFO.{stream}"), json!({})).await?;
        Ok(Position { last_sequence: info.state.last_sequence, last_time: info.state.last_timestamp.into() })
    }

    /// Makes the durable consumer, or gives the one that is there the filter.
    pub async fn cover(&self, stream: &str, durable: &str, filter: Vec<String>) -> Result<Covering, Fault> {
        self.make_durable(stream, durable, filter, "", "guildwire reads events for Discord").await
    }

    /// Makes the durable consumer for as long as reading is tried. Fails where one is there that is read by.
    pub async fn cover_to_try(&self, stream: &str, durable: &str, filter: Vec<String>) -> Result<Covering, Fault> {
        // Described otherwise, so that nats-server never takes the one for the other.
        self.make_durable(stream, durable, filter, "create", "guildwire tries whether it may read").await
    }

    async fn make_durable(
        &self,
        stream: &str,
        durable: &str,
        filter: Vec<String>,
        action: &str,
        description: &str,
    ) -> Result<Covering, Fault> {
        let config = pull::Config {
            durable_name: Some(durable.to_owned()),
            description: Some(description.to_owned()),
            // The only policy under which a consumer can be reset to any sequence.
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_deliver: -1,
            filter_subjects: filter,
            ..pull::Config::default()
        };
        let request =
            json!({ "stream_name": stream, "config": config.clone().into_consumer_config(), "action": action });
        let created: Created = self.ask(format!("CONSUMER.CREATE.{stream}.{durable}"), request).await?;
        let consumer = Consumer::new(config, created.info, self.jetstream.clone());
        Ok(Covering { consumer, since: created.answered.into() })
    }

    /// Sets the durable back, so that what it delivers next has at least this sequence and is counted from 1.
    pub async fn reset(&self, stream: &str, durable: &str, sequence: u64) -> Result<AfterReset, Fault> {
        let info: Info = self.ask(format!("CONSUMER.RESET.{stream}.{durable}"), json!({ "seq": sequence })).await?;
        Ok(AfterReset { pending: info.num_pending, delivered: info.delivered.consumer_sequence })
    }

    /// Deletes the durable. One that is gone already is no error.
    pub async fn delete_consumer(&self, stream: &str, durable: &str) -> Result<(), Fault> {
        match self.ask::<Deleted>(format!("CONSUMER.DELETE.{stream}.{durable}"), json!({})).await {
            Ok(_) => Ok(()),
            Err(Fault::JetStream(reason)) if reason.contains("consumer not found") => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Looks at the stream, and at which of its subjects match a filter.
    pub async fn look_at(&self, stream: &str, subjects: Option<String>) -> Result<StreamSeen, Fault> {
        let request = subjects.map_or_else(|| json!({}), |subjects| json!({ "subjects_filter": subjects }));
        let StreamAnswer { state } = self.ask(format!("STREAM.INFO.{stream}"), request).await?;
        Ok(StreamSeen {
            messages: state.messages,
            last_sequence: state.last_seq,
            subject_count: state.num_subjects,
            subjects: state.subjects.into_keys().collect(),
        })
    }

    /// Pulls one event, if there is one.
    pub async fn pull_one(
        &self,
        consumer: &Consumer<pull::Config>,
        stream: &str,
        durable: &str,
    ) -> Result<Option<Message>, Fault> {
        let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}");
        let pull = async {
            let mut messages = consumer.fetch().max_messages(1).messages().await.map_err(said)?;
            messages.next().await.transpose().map_err(said)
        };
        tokio::select! {
            pulled = tokio::time::timeout(REQUEST_TIMEOUT, pull) => match pulled {
                Ok(pulled) => pulled.map_err(Fault::JetStream),
                Err(_) => Err(Fault::TimedOut(subject)),
            },
            fault = self.denied(&subject) => Err(fault),
            fault = self.lost() => Err(fault),
        }
    }

    /// Tries whether acknowledgements are permitted, without acknowledging: what is published to the `reply` of an
    /// event, or to one as it would be, says "in progress". A denial comes by itself, before the answer to whatever is
    /// asked next.
    pub async fn try_acknowledging(&self, stream: &str, durable: &str, reply: Option<String>) -> Result<(), Fault> {
        let subject = reply.unwrap_or_else(|| format!("$JS.ACK.{stream}.{durable}.1.1.1.0.0"));
        let published = self.client.publish(subject, AckKind::Progress.into()).await;
        published.map_err(|error| Fault::JetStream(said(error)))?;
        self.reset(stream, durable, 1).await?;
        tokio::select! {
            fault = self.denied("$JS.ACK.") => Err(fault),
            () = tokio::time::sleep(HEARD_BY_NOW) => Ok(()),
        }
    }

    /// What the account uses of what it may use. Few users may ask that, and none needs to.
    pub async fn limits(&self) -> Result<Limits, Fault> {
        let info: AccountInfo = self.ask("INFO".to_owned(), json!({})).await?;
        Ok(info.into())
    }

    /// Sends a request to JetStream's API. A refusal to publish it is known within a round trip, not by the time-out.
    pub(super) async fn ask<Answer: DeserializeOwned>(&self, subject: String, body: Value) -> Result<Answer, Fault> {
        let full_subject = format!("$JS.API.{subject}");
        let answer: Result<Response<Answer>, RequestError> = tokio::select! {
            answer = self.jetstream.request(subject, &body) => answer,
            fault = self.denied(&full_subject) => return Err(fault),
            fault = self.lost() => return Err(fault),
        };
        // Where one is named at all.
        let stream = || full_subject.split('.').nth(4).unwrap_or_default().to_owned();
        match answer {
            Ok(Response::Ok(answer)) => Ok(answer),
            Ok(Response::Err { error }) if error.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                Err(Fault::StreamMissing(stream()))
            }
            Ok(Response::Err { error }) if error.error_code() == ErrorCode::MAXIMUM_CONSUMERS_LIMIT => {
                Err(Fault::TooManyConsumers { stream: stream() })
            }
            Ok(Response::Err { error }) if error.error_code() == ErrorCode::CONSUMER_ALREADY_EXISTS => {
                Err(Fault::ConsumerTaken { stream: stream() })
            }
            Ok(Response::Err { error }) if is_without_jetstream(error.error_code()) => Err(Fault::NoJetStream),
            Ok(Response::Err { error }) => Err(Fault::JetStream(said(error))),
            Err(error) => Err(match error.kind() {
                RequestErrorKind::TimedOut => Fault::TimedOut(full_subject),
                RequestErrorKind::NoResponders => Fault::NoJetStream,
                // A request may learn of the connection's end before we do.
                _ => match tokio::time::timeout(HEARD_BY_NOW, self.lost()).await {
                    Ok(lost) => lost,
                    Err(_) => Fault::BadAnswer { subject: full_subject, reason: said(error) },
                },
            }),
        }
    }
}

/// Whether the server answers that this account, or the server itself, has no JetStream.
fn is_without_jetstream(code: ErrorCode) -> bool {
    [ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT, ErrorCode::JETSTREAM_NOT_ENABLED].contains(&code)
}

/// Opens the consumer's deliveries. Nothing is asked for before the first poll, so a reset may still follow.
pub async fn deliveries(consumer: &Consumer<pull::Config>) -> Result<Stream, Fault> {
    consumer
        .stream()
        .max_messages_per_batch(PULL_BATCH)
        .expires(PULL_EXPIRES)
        .heartbeat(HEARTBEAT)
        .messages()
        .await
        .map_err(|error| Fault::JetStream(said(error)))
}
