//! nats-server: connecting as an account, the few JetStream calls that reading its events takes, publishing and looking on
//! for the command line, and the state each account is in. What is recorded, and when, is decided elsewhere.

pub mod check;
pub mod claims;
pub mod connected;
pub mod connection;
pub mod credential;
pub mod jetstream;
pub mod jwt;
pub mod limits;
pub mod onlooking;
pub mod presence;
pub mod publishing;
pub mod reach;
mod said;
pub mod states;
pub mod turns;
