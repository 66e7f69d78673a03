//! guildwire: a game server's events, told in the right Discord channels, at once, in order, each once.
//!
//! An event's way: [`domain`] holds the nouns and rules.

pub mod domain;
