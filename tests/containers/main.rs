//! What guildwire is deployed with, as far as it can be tried without a container engine: the real nats-server with the
//! deployed configuration, and the files that containers are built and started from, against each other and the code.
#![expect(clippy::unwrap_used, reason = "what can't be read is no deployment")]

mod compose;
mod files;
mod image;
mod nats;
