//! guildwire: a game server's events, told in the right Discord channels, at once, in order, each once.

pub mod cli;
pub mod clock;
pub mod delivery;
pub mod discord;
pub mod domain;
pub mod intake;
pub mod lifecycle;
pub mod nats;
pub mod secrets;
pub mod settings;
pub mod store;
pub mod telemetry;
