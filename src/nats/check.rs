//! A check of an account: everything that reading its events takes is tried once, in the order in which reading does it,
//! up to the first thing that fails.
//!
//! It works on the durable that reading works on, so nobody may read meanwhile. It leaves the durable set to anywhere;
//! whoever reads next sets it back to the position first, as always.

use super::connection::Connection;
use super::credential::Credential;
use super::jetstream::StreamSeen;
use super::presence::Unseen;
use super::reach::Reach;
use super::said::said;
use crate::domain::account::Account;
use crate::domain::check::{Check, Outcome, Report};
use crate::domain::event::KindSet;
use crate::domain::fault::Fault;
use crate::domain::permissions::CONNECTIONS;
use crate::domain::subject::Subject;
use crate::domain::timestamp::Timestamp;

/// A stream with more subjects is not searched for server ids with dots: the answer would be too large.
const MOST_SUBJECTS: u64 = 10_000;

/// How many of these ids are told.
const MOST_TOLD: usize = 3;

/// What becomes of the durable consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Afterwards {
    /// It stays, for whoever reads the account.
    Keep,
    /// It is deleted: nobody reads the account.
    TakeBack,
}

/// What is to be checked.
#[derive(Debug, Clone, Copy)]
pub struct Walk<'a> {
    /// The account.
    pub account: &'a Account,
    /// How far it may reach.
    pub reach: &'a Reach,
    /// The name of this installation's durable.
    pub durable: &'a str,
    /// Which kinds are heard: the durable keeps their filter, for on a stream with interest retention nothing else is
    /// stored.
    pub kinds: KindSet,
    /// What becomes of the durable.
    pub after: Afterwards,
    /// Whether the account was read before, so that a durable that is there is its own.
    pub was_read: bool,
    /// What time it is.
    pub now: Timestamp,
}

impl Walk<'_> {
    /// Walks from the credential to the last permission, and reports each step. `credential` is what opening the stored
    /// one gave.
    pub async fn go(self, credential: Result<Credential, Fault>) -> Report {
        let mut report = Report::default();
        // What failed is in the report.
        self.walk(credential, &mut report).await.ok();
        report.finish();
        report
    }

    async fn walk(self, credential: Result<Credential, Fault>, report: &mut Report) -> Result<(), Stopped> {
        let Account { url, .. } = self.account;
        let credential = passed(report, Check::Credential, "the stored credential", credential, |credential| {
            let kind = credential.kind();
            match credential.expires() {
                Some(at) => format!("{kind}, good until {}", at.rfc3339()),
                None => kind.to_owned(),
            }
        })?;
        let connection = match Connection::open(url, self.reach, &credential, self.now).await {
            Err(fault @ Fault::TooOld { .. }) => {
                report.note(Check::Connection, url, Outcome::Passed("connected".to_owned()));
                report.note(Check::Version, "2.14 or newer", Outcome::Failed(fault));
                return Err(Stopped);
            }
            opened => passed(report, Check::Connection, url, opened, |_| "connected".to_owned())?,
        };
        report.note(
            Check::Version,
            "2.14 or newer",
            Outcome::Passed(format!("nats-server {}", connection.server_version())),
        );
        let (stream, seen) = self.find_stream(&connection, report).await?;
        let walked = self.walk_consumer(&connection, &stream, &seen, report).await;
        // Also after a failure: what was made is taken back.
        if report.steps.iter().any(|step| step.check == Check::Consumer && matches!(step.outcome, Outcome::Passed(_))) {
            self.take_back(&connection, &stream, report).await?;
        }
        walked
    }

    async fn find_stream(self, connection: &Connection, report: &mut Report) -> Result<(String, StreamSeen), Stopped> {
        let root = &self.account.root;
        let stream = if let Some(stream) = &self.account.stream {
            stream.clone()
        } else {
            let tried = format!("$JS.API.STREAM.NAMES, for {}", root.all_subjects());
            match connection.find_stream(root).await {
                Ok(stream) => stream,
                Err(fault) => return stop(report, Check::Stream, tried, fault),
            }
        };
        let tried = format!("$JS.API.STREAM.INFO.{stream}");
        let seen = connection.look_at(&stream, None).await;
        let seen = passed(report, Check::Stream, tried, seen, |seen| {
            format!("stream {stream}, with {} messages of {} subjects", seen.messages, seen.subject_count)
        })?;
        if !self.account.wide_filter {
            self.look_for_dots(connection, &stream, &seen, report).await;
        }
        Ok((stream, seen))
    }

    /// Filters by kind take a server's id for one token, so one with dots is never matched.
    async fn look_for_dots(self, connection: &Connection, stream: &str, seen: &StreamSeen, report: &mut Report) {
        let root = &self.account.root;
        if seen.subject_count > MOST_SUBJECTS {
            report.remarks.push(format!(
                "the stream has too many subjects ({}) to look for server ids with dots in them",
                seen.subject_count
            ));
            return;
        }
        let Ok(seen) = connection.look_at(stream, Some(root.all_subjects())).await else {
            report.remarks.push("the stream's subjects could not be looked at".to_owned());
            return;
        };
        let mut dotted: Vec<String> = seen
            .subjects
            .iter()
            .filter_map(|subject| Subject::parse(root, subject).ok()?.server)
            .filter(|server| server.contains('.'))
            .map(said)
            .collect();
        dotted.dedup();
        if dotted.is_empty() {
            return;
        }
        let more = dotted.len().saturating_sub(MOST_TOLD);
        dotted.truncate(MOST_TOLD);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        report.remarks.push(format!(
            "server ids with dots in them are not heard: {}{more}. To hear them: `guildwire account edit {} --wide-filter`",
            dotted.join(", "),
            self.account.name
        ));
    }

    async fn walk_consumer(
        self,
        connection: &Connection,
        stream: &str,
        seen: &StreamSeen,
        report: &mut Report,
    ) -> Result<(), Stopped> {
        let durable = self.durable;
        // Where nobody reads, any event shows that events come through.
        let (wide, from) = match self.after {
            Afterwards::Keep => (self.account.wide_filter, seen.last_sequence.max(1)),
            Afterwards::TakeBack => (true, 1),
        };
        let filter = self.account.root.filters(self.kinds, wide);
        let tried = format!("$JS.API.CONSUMER.CREATE.{stream}.{durable}");
        // The durables of all accounts have one name, and another account may read this stream.
        let covering = if self.after == Afterwards::Keep || self.was_read {
            connection.cover(stream, durable, filter).await
        } else {
            connection.cover_to_try(stream, durable, filter).await
        };
        let covering = passed(report, Check::Consumer, tried, covering, |_| format!("consumer {durable}"))?;

        let tried = format!("$JS.API.CONSUMER.RESET.{stream}.{durable}");
        let reset = connection.reset(stream, durable, from).await;
        passed(report, Check::Reset, tried, reset, |_| "can be set back".to_owned())?;

        let tried = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}");
        let pulled = connection.pull_one(&covering.consumer, stream, durable).await;
        let pulled = passed(report, Check::Pull, tried, pulled, |message| match message {
            Some(_) => "brought an event".to_owned(),
            None => "no event is there, which is fine".to_owned(),
        })?;
        report.has_event = pulled.is_some();

        let tried = format!("$JS.ACK.{stream}.{durable}.>");
        let reply = pulled.and_then(|message| message.reply.clone()).map(|reply| reply.to_string());
        let acknowledged = connection.try_acknowledging(stream, durable, reply).await;
        passed(report, Check::Acknowledgement, tried, acknowledged, |()| "permitted".to_owned())?;

        if let Ok(limits) = connection.limits().await {
            let judged = limits.storage_full().map_or(Ok(()), Err);
            passed(report, Check::Limits, "$JS.API.INFO", judged, |()| limits.to_string())?;
        } else {
            let left = "may not be asked, and need not be".to_owned();
            report.note(Check::Limits, "$JS.API.INFO", Outcome::Left(left));
        }
        let outcome = match connection.look_at_connections(None).await {
            Ok(_) => Outcome::Passed("shows which game servers are connected".to_owned()),
            Err(Unseen::Denied) => Outcome::Left(
                "may not be asked, so that it can't be seen which game servers are connected; events are read all the same"
                    .to_owned(),
            ),
            Err(unseen) => Outcome::Left(unseen.to_string()),
        };
        report.note(Check::Presence, CONNECTIONS, outcome);
        Ok(())
    }

    async fn take_back(self, connection: &Connection, stream: &str, report: &mut Report) -> Result<(), Stopped> {
        let tried = format!("$JS.API.CONSUMER.DELETE.{stream}.{}", self.durable);
        match self.after {
            Afterwards::Keep => {
                let left = "left out: the account is read by this consumer".to_owned();
                report.note(Check::Deletion, tried, Outcome::Left(left));
                Ok(())
            }
            Afterwards::TakeBack => {
                let deleted = connection.delete_consumer(stream, self.durable).await;
                passed(report, Check::Deletion, tried, deleted, |()| "the consumer is gone again".to_owned())
            }
        }
    }
}

/// A step failed, and those behind it make no sense. What failed is in the report.
struct Stopped;

/// Notes a step, in words for what it gave.
fn passed<T>(
    report: &mut Report,
    check: Check,
    tried: impl Into<String>,
    result: Result<T, Fault>,
    in_words: impl FnOnce(&T) -> String,
) -> Result<T, Stopped> {
    match result {
        Ok(value) => {
            report.note(check, tried, Outcome::Passed(in_words(&value)));
            Ok(value)
        }
        Err(fault) => stop(report, check, tried, fault),
    }
}

fn stop<T>(report: &mut Report, check: Check, tried: impl Into<String>, fault: Fault) -> Result<T, Stopped> {
    report.note(check, tried, Outcome::Failed(fault));
    Err(Stopped)
}
