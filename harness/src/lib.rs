//! What tests and the demo start: nats-server, PostgreSQL, the bot's binary, and a proxy that can
//! hold bytes back between any two of them.
//!
//! Everything here is a real program in a process of its own, so that a test can kill it the way
//! an operator's machine would. What is started ends with the test process, however that ends, and
//! leaves no files behind (see `watchdog.rs`).
//!
//! [`house`] puts the parts together with the stand-in for Discord, as a person would.

mod bot;
pub mod house;
mod nats_config;
mod nats_server;
mod ports;
mod postgres;
mod postgres_binaries;
mod proxy;
mod running_bot;
mod scratch;
mod secrets;
mod watchdog;

pub use bot::{Bot, Output};
pub use nats_config::{NatsConfig, NatsUser};
pub use nats_server::NatsServer;
pub use ports::free_port;
pub use postgres::Postgres;
pub use proxy::TcpProxy;
pub use running_bot::RunningBot;
pub use watchdog::{Watchdog, send_signal};

use std::path::Path;

/// The repository this package lies in.
fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the harness is a folder inside the repository")
}
