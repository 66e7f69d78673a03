//! What Discord is told, and how: within its limits, in its formats, in our words.

pub mod embed;
pub mod event_embed;
pub mod words;
