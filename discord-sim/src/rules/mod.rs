//! What Discord accepts in a body: one file per object, all without state.

pub(crate) mod commands;
pub(crate) mod components;
pub(crate) mod controls;
pub(crate) mod embeds;
pub(crate) mod emoji;
pub(crate) mod fields;
pub(crate) mod mentions;
pub(crate) mod message;
pub(crate) mod modal;

/// A text's length as counted here: trimmed, in UTF-16 units. Discord trims before counting
/// (<https://discord.com/developers/docs/resources/message#embed-object-embed-limits>) and does not document the unit;
/// UTF-16 is the strictest candidate.
pub(crate) fn length(text: &str) -> usize {
    text.trim().encode_utf16().count()
}
