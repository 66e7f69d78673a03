//! Nouns and rules of the trade, pure: no IO, no async, no clock.
//!
//! Everything here is a value or a total function from values to values, so each rule can be read and tested
//! alone. What a rule needs to know (the time, a random number) is handed to it.

pub mod account;
pub mod allowance;
pub mod audit;
pub mod binding;
pub mod board;
pub mod breaker;
pub mod check;
pub mod condense;
pub mod event;
pub mod fault;
pub mod given_up;
pub mod hosts;
pub mod ids;
pub mod incident;
pub mod invite;
pub mod nats_account;
pub mod notice;
pub mod online;
pub mod outlook;
pub mod permissions;
pub mod ping;
pub mod position;
pub mod presence;
pub mod retry;
pub mod sealed;
pub mod server_state;
pub mod session_starts;
pub mod setup;
pub mod stoppage;
pub mod style;
pub mod subject;
pub mod text;
pub mod tier;
pub mod timestamp;
pub mod trace;
pub mod wording;
