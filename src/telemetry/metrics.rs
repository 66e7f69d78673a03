//! What is counted while the bot runs, in the form that Prometheus reads.
//!
//! One [`Metrics`] is made at start and handed to those who count; there is no global. A label's values are known
//! here, all of them, so that every series is there from the first answer on and none can be made up by a player: no
//! guild, channel, player or server is ever a label. `docs/metrics.md` explains each metric, and a test compares it
//! with what a running bot answers.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::domain::event::Kind;
use crate::domain::subject::RejectReason;
use crate::domain::timestamp::Timestamp;

/// How the metrics' names begin.
const PREFIX: &str = "guildwire";

/// Upper bounds of the time to deliver, in seconds: at once, in the lane's pace, after an outage.
const DELIVERY_BUCKETS: [f64; 14] =
    [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0, 3_600.0, 21_600.0];

macro_rules! label_values {
    ($($(#[$documentation:meta])* $name:ident { $($(#[$meaning:meta])* $variant:ident = $value:literal,)+ })+) => {
        $($(#[$documentation])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[$meaning])* $variant,)+
        }

        impl $name {
            const ALL: &[Self] = &[$(Self::$variant),+];

            const fn value(self) -> &'static str {
                match self {
                    $(Self::$variant => $value,)+
                }
            }
        })+
    };
}

label_values! {
    /// What became of an attempt to deliver a message.
    Outcome {
        /// Discord took it.
        Delivered = "delivered",
        /// It stood in its channel already, by an attempt that got no answer.
        Found = "found",
        /// Discord limits the channel or the bot: it is sent later.
        Limited = "limited",
        /// No answer, or one that may be another later: it is sent again.
        Failed = "failed",
        /// The channel refuses the bot: its lane stops.
        Refused = "refused",
        /// Discord does not take it as it is worded: it is worded anew.
        Reworded = "reworded",
        /// Discord will never take it: it is set aside.
        SetAside = "set_aside",
        /// Discord refuses the bot itself.
        Unauthorised = "unauthorised",
    }

    /// What became of an edit of a message that is kept true.
    EditOutcome {
        /// The message shows what it is to show.
        Done = "done",
        /// The message was deleted: it is posted anew where that is of use.
        Gone = "gone",
        /// Discord takes no more edits of old messages for now: a new message takes its place.
        TooOld = "too_old",
        /// Discord limits the channel or the bot: it is edited later.
        Limited = "limited",
        /// No answer, or one that may be another later.
        Failed = "failed",
        /// The channel refuses the bot.
        Refused = "refused",
        /// Discord does not take it as it is worded.
        Unaccepted = "unaccepted",
        /// Discord refuses the bot itself.
        Unauthorised = "unauthorised",
    }

    /// Whom a 429 is about.
    LimitScope {
        /// This bot, on one route.
        User = "user",
        /// This bot as a whole.
        Global = "global",
        /// Everybody in a channel.
        Shared = "shared",
        /// Not said: it is not Discord's API that speaks, but what stands before it.
        Unknown = "unknown",
    }

    /// Work that the database did not let be done.
    Work {
        /// Recording events.
        Recording = "recording",
        /// Sealing messages and noting what became of them.
        Delivery = "delivery",
    }
}

/// The answers that Discord counts towards a ban of the address.
const INVALID: [(u16, &str); 3] = [(401, "401"), (403, "403"), (429, "429")];

/// What is given up beside events, in the place of their kind.
const SAMPLE: &str = "sample";
const NOTICE: &str = "notice";

type Label = [(&'static str, &'static str); 1];

/// What counts. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    registry: Registry,
    recorded: Family<Label, Counter>,
    given_up: Family<Label, Counter>,
    rejected: Family<Label, Counter>,
    sends: Family<Label, Counter>,
    edits: Family<Label, Counter>,
    limited: Family<Label, Counter>,
    invalid: Family<Label, Counter>,
    database_failures: Family<Label, Counter>,
    delivery: Histogram,
    stopped: Gauge,
    shards: Gauge,
    shards_connected: Gauge,
}

/// What is looked at for each answer, rather than counted. What could not be found out in time is left out: no value
/// is better than an old one.
#[derive(Debug, Default)]
pub struct Moment {
    /// How many accounts are in each state.
    pub accounts: BTreeMap<&'static str, u64>,
    /// How many events wait on the streams: of the account that has the most, and of all together.
    pub lag: (u64, u64),
    /// The same of each account, where that is asked for.
    pub lag_of: Vec<(String, u64)>,
    /// How many channels are in each state, where the database tells.
    pub lanes: Vec<(&'static str, u64)>,
    /// How many events are recorded and not yet delivered, where the database tells.
    pub outbox_events: Option<u64>,
    /// Whether `/readyz` says yes.
    pub ready: bool,
}

impl Default for Metrics {
    fn default() -> Self {
        let counts = Counts {
            registry: Registry::default(),
            recorded: series("kind", Kind::ALL.iter().map(|kind| kind.name())),
            given_up: series("kind", Kind::ALL.iter().map(|kind| kind.name()).chain([SAMPLE, NOTICE])),
            rejected: series("reason", RejectReason::ALL.iter().map(|reason| reason.name())),
            sends: series("outcome", Outcome::ALL.iter().map(|outcome| outcome.value())),
            edits: series("outcome", EditOutcome::ALL.iter().map(|outcome| outcome.value())),
            limited: series("scope", LimitScope::ALL.iter().map(|scope| scope.value())),
            invalid: series("status", INVALID.iter().map(|(_, status)| *status)),
            database_failures: series("work", Work::ALL.iter().map(|work| work.value())),
            delivery: Histogram::new(DELIVERY_BUCKETS),
            stopped: Gauge::default(),
            shards: Gauge::default(),
            shards_connected: Gauge::default(),
        };
        let registry = counts.register();
        Self(Arc::new(Counts { registry, ..counts }))
    }
}

impl Counts {
    fn register(&self) -> Registry {
        let mut registry = Registry::with_prefix(PREFIX);
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "Which guildwire this is", version);
        registry.register(
            "events_recorded",
            "Events recorded, whether or not a channel hears them",
            self.recorded.clone(),
        );
        registry.register(
            "events_given_up",
            "Events that a channel is not shown any more, because it took no messages for too long",
            self.given_up.clone(),
        );
        registry.register("events_rejected", "Messages in the streams that are no events", self.rejected.clone());
        registry.register("sends", "Attempts to deliver a message, by what became of them", self.sends.clone());
        registry.register("edits", "Edits of messages that are kept true, by what became of them", self.edits.clone());
        registry.register("rate_limited", "Answers 429 of Discord's", self.limited.clone());
        registry.register(
            "invalid_responses",
            "Answers of Discord's that count towards a ban of the address",
            self.invalid.clone(),
        );
        registry.register(
            "sending_stopped",
            "Whether nothing but answers to commands is sent, because too many requests were refused: 1, or else 0",
            self.stopped.clone(),
        );
        registry.register(
            "database_failures",
            "Times that the database did not let something be recorded or delivered",
            self.database_failures.clone(),
        );
        registry.register_with_unit(
            "delivery",
            "From nats-server's storing an event until Discord took it",
            Unit::Seconds,
            self.delivery.clone(),
        );
        registry.register("gateway_shards", "Shards of the connection to Discord's gateway", self.shards.clone());
        registry.register("gateway_shards_connected", "Those that are connected", self.shards_connected.clone());
        registry
    }
}

impl Metrics {
    /// So many events of a kind were recorded.
    pub fn recorded(&self, kind: Kind, events: u64) {
        self.0.recorded.get_or_create(&[("kind", kind.name())]).inc_by(events);
    }

    /// So many events of a kind were given up.
    pub fn given_up(&self, kind: Kind, events: u64) {
        self.0.given_up.get_or_create(&[("kind", kind.name())]).inc_by(events);
    }

    /// So many samples and notices were given up.
    pub fn given_up_besides(&self, samples: u64, notices: u64) {
        for (what, count) in [(SAMPLE, samples), (NOTICE, notices)] {
            self.0.given_up.get_or_create(&[("kind", what)]).inc_by(count);
        }
    }

    /// A message of a stream was no event.
    pub fn rejected(&self, reason: RejectReason) {
        self.0.rejected.get_or_create(&[("reason", reason.name())]).inc();
    }

    /// A message was tried to be delivered.
    pub fn sent(&self, outcome: Outcome) {
        self.0.sends.get_or_create(&[("outcome", outcome.value())]).inc();
    }

    /// A message that is kept true was tried to be edited.
    pub fn edited(&self, outcome: EditOutcome) {
        self.0.edits.get_or_create(&[("outcome", outcome.value())]).inc();
    }

    /// Discord took a message that shows an event stored at `stored`.
    pub fn delivered(&self, stored: Timestamp, now: Timestamp) {
        self.0.delivery.observe(now.since(stored).as_secs_f64());
    }

    /// Discord answered a request with this status; whether it counts towards a ban.
    #[expect(clippy::must_use_candidate, reason = "it counts")]
    pub fn answered(&self, status: u16) -> bool {
        let invalid = INVALID.iter().find(|(invalid, _)| *invalid == status);
        if let Some((_, label)) = invalid {
            self.0.invalid.get_or_create(&[("status", *label)]).inc();
        }
        invalid.is_some()
    }

    /// Nothing but answers to commands is sent, because too many requests were refused; or no longer.
    pub fn stopped(&self, is_stopped: bool) {
        self.0.stopped.set(is_stopped.into());
    }

    /// Discord answered a request with 429.
    pub fn limited(&self, scope: LimitScope) {
        self.0.limited.get_or_create(&[("scope", scope.value())]).inc();
    }

    /// The database did not let something be done.
    pub fn database_failed(&self, work: Work) {
        self.0.database_failures.get_or_create(&[("work", work.value())]).inc();
    }

    /// So many of the gateway's shards are connected.
    pub fn shards(&self, connected: usize, total: usize) {
        let number = |count| i64::try_from(count).unwrap_or(i64::MAX);
        self.0.shards.set(number(total));
        self.0.shards_connected.set(number(connected));
    }

    /// All of it in Prometheus' text form, with what holds at this moment.
    pub fn render(&self, moment: &Moment) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.0.registry)?;
        encode_registry(&mut text, &moment.register())?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}

impl Moment {
    fn register(&self) -> Registry {
        let mut registry = Registry::with_prefix(PREFIX);
        // These two are there even where no account is in them, so that "none runs" can be asked for.
        let always = [("connecting", 0), ("running", 0)];
        let accounts =
            gauges("state", always.into_iter().chain(self.accounts.iter().map(|(state, count)| (*state, *count))));
        registry.register("accounts", "Accounts that are read, by how that goes", accounts);
        let (max, sum) = self.lag;
        let lag = gauges("of", [("max", max), ("sum", sum)]);
        let events = || Unit::Other("events".to_owned());
        registry.register_with_unit("intake_lag", "Events that wait on the streams", events(), lag);
        if !self.lag_of.is_empty() {
            let lag: Family<[(&'static str, String); 1], Gauge> = Family::default();
            for (account, events) in &self.lag_of {
                lag.get_or_create(&[("account", account.clone())]).set(number(*events));
            }
            registry.register_with_unit("intake_account_lag", "The same, of each account", events(), lag);
        }
        registry.register("ready", "Whether /readyz says yes: 1, or else 0", gauge(self.ready.into()));
        if !self.lanes.is_empty() {
            let lanes = gauges("state", self.lanes.iter().copied());
            registry.register("lanes", "Channels that have something to send, or refuse the bot", lanes);
        }
        if let Some(count) = self.outbox_events {
            let help = "Events that are recorded and not yet delivered";
            registry.register_with_unit("outbox", help, events(), gauge(count));
        }
        registry
    }
}

fn series(name: &'static str, values: impl Iterator<Item = &'static str>) -> Family<Label, Counter> {
    let family = Family::default();
    for value in values {
        drop(family.get_or_create(&[(name, value)]));
    }
    family
}

fn gauge(value: u64) -> Gauge {
    let gauge = Gauge::default();
    gauge.set(number(value));
    gauge
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn gauges(name: &'static str, values: impl IntoIterator<Item = (&'static str, u64)>) -> Family<Label, Gauge> {
    let family: Family<Label, Gauge> = Family::default();
    for (value, count) in values {
        family.get_or_create(&[(name, value)]).set(number(count));
    }
    family
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_is_there_from_the_start() {
        let text = Metrics::default().render(&Moment::default()).unwrap();
        for line in [
            "guildwire_events_recorded_total{kind=\"server.started\"} 0",
            "guildwire_events_given_up_total{kind=\"player.hit\"} 0",
            "guildwire_events_given_up_total{kind=\"notice\"} 0",
            "guildwire_events_rejected_total{reason=\"outside_root\"} 0",
            "guildwire_sends_total{outcome=\"delivered\"} 0",
            "guildwire_rate_limited_total{scope=\"shared\"} 0",
            "guildwire_invalid_responses_total{status=\"429\"} 0",
            "guildwire_delivery_seconds_count 0",
            "guildwire_ready 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let text = |moment: Moment| Metrics::default().render(&moment).unwrap();
        let unknown = text(Moment::default());
        assert!(!unknown.contains("outbox") && !unknown.contains("lanes"), "{unknown}");
        let lanes = vec![("due", 2), ("stopped", 1)];
        let known = text(Moment { lanes, outbox_events: Some(7), ..Moment::default() });
        assert!(known.contains("\nguildwire_outbox_events 7\n"), "{known}");
        assert!(known.contains("\nguildwire_lanes{state=\"stopped\"} 1\n"), "{known}");
    }

    #[test]
    fn only_what_counts_towards_a_ban_is_an_invalid_response() {
        let metrics = Metrics::default();
        for status in [200, 400, 401, 404, 429, 429, 500] {
            metrics.answered(status);
        }
        let text = metrics.render(&Moment::default()).unwrap();
        let counted: Vec<&str> =
            text.lines().filter(|line| line.starts_with("guildwire_invalid_responses_total")).collect();
        assert_eq!(counted.len(), 3, "{counted:?}");
        for (status, count) in [(401, 1), (403, 0), (429, 2)] {
            let line = format!("guildwire_invalid_responses_total{{status=\"{status}\"}} {count}");
            assert!(counted.contains(&line.as_str()), "{counted:?}");
        }
    }
}
