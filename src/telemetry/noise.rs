//! What a library says as a warning though all is well, or in a stranger's words.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter};

/// Where the line below comes from, and its end.
const TARGET: &str = "serenity::gateway::bridge::shard_runner";
const LAST_WORDS: &str = "Received an error awaiting close frame";

/// Where async-nats repeats, as errors and in full, what a server says to a new connection. That may be a stranger's server,
/// and an attempt that failed is guildwire's own to tell of.
const CONNECTOR: &str = "async_nats::connector";

/// Drops the errors of async-nats' connector, and one line of serenity's: it waits for the answer to its close frame "or an
/// error", and warns of the latter at each stop. The line is said nowhere but while a shard is told to shut down.
pub(super) struct Harmless;

impl<S: Subscriber> Filter<S> for Harmless {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        metadata.target() != CONNECTOR || *metadata.level() > Level::WARN
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        if event.metadata().target() != TARGET {
            return true;
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        !message.0.ends_with(LAST_WORDS)
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
