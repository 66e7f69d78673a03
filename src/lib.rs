//! guildwire: a game server's events, told in the right Discord channels, at once, in order, each once.

pub mod app;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod delivery;
pub mod discord;
pub mod domain;
pub mod http;
pub mod incidents;
pub mod intake;
pub mod lifecycle;
pub mod nats;
pub mod operator;
pub mod pings;
pub mod sealing;
pub mod secrets;
pub mod settings;
pub mod setup;
pub mod status;
pub mod store;
pub mod telemetry;
