//! Stories: what people do with guildwire, against the real nats-server and the Discord stand-in, on both databases.
#![expect(clippy::unwrap_used, reason = "a story that can't go on is over")]

mod asking;
mod backup;
mod bodies;
mod bounds;
mod checking;
mod commands;
mod crashes;
mod credentials;
mod disk;
mod doctor;
mod editing;
mod everyday;
mod examples;
mod fire;
mod gateway;
mod health;
mod installation;
mod lanes;
mod lifecycle;
mod limits;
mod managing;
mod metrics;
mod notices;
mod operating;
mod position;
mod publishing;
mod refusals;
mod states;
mod storm;
mod styles;
mod support;
mod two_owners;
mod unreadable;
mod watching;
mod why;
