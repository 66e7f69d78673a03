//! What Discord is told, and how: within its limits, in its formats, in our words.

pub mod answer;
pub mod board_embed;
mod catch_up;
pub mod embed;
pub mod event_embed;
pub mod event_line;
pub mod guilds;
pub mod incident_embed;
mod joined_embed;
pub mod limiter;
pub mod message;
pub mod notice_embed;
pub mod ping_embed;
pub mod rest;
pub mod sight;
pub mod words;
