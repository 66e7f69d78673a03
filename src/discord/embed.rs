//! An embed that Discord accepts: its limits are upheld by construction.
//!
//! It knows nothing of events. The limits are Discord's, from
//! <https://discord.com/developers/docs/resources/message#embed-object-embed-limits>; that page doesn't say what is
//! counted, so UTF-16 code units are, the largest of the plausible units. One violation refuses the whole message.

use serde::{Deserialize, Serialize};

use crate::domain::text::{cut, utf16_length};
use crate::domain::timestamp::Timestamp;

/// The most that the embeds of one message may count together: see [`Embed::size`].
pub const MESSAGE_LIMIT: usize = 6_000;

/// The most embeds in one message.
pub const EMBEDS_LIMIT: usize = 10;

/// The longest description.
pub const DESCRIPTION_LIMIT: usize = 4_096;

/// The longest footer. Discord allows 2,048, but not beside the longest description in one message.
pub const FOOTER_LIMIT: usize = 1_024;

const _: () = assert!(DESCRIPTION_LIMIT + FOOTER_LIMIT <= MESSAGE_LIMIT, "one embed always fits");

/// One embed. Always has a description with something in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Embed {
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    footer: Option<Footer>,
}

/// A colour as Discord takes it, `0xRRGGBB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(u32);

/// An embed's footer. Markdown is not rendered in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Footer {
    text: String,
}

impl Embed {
    /// An embed with that description, which may hold markdown: text from strangers goes through
    /// [`display`](crate::domain::text::display) first.
    #[must_use]
    pub fn new(description: &str) -> Self {
        let description = bounded(description, DESCRIPTION_LIMIT).unwrap_or_else(|| NOTHING.to_owned());
        Self { description, color: None, timestamp: None, footer: None }
    }

    /// With a bar of that colour.
    #[must_use]
    pub const fn with_colour(mut self, colour: Colour) -> Self {
        self.color = Some(colour.0);
        self
    }

    /// With a moment beside the footer, shown in each reader's own time.
    #[must_use]
    pub fn with_timestamp(mut self, moment: Timestamp) -> Self {
        self.timestamp = Some(moment.rfc3339());
        self
    }

    /// With a footer, in which markdown is not rendered; without one when `footer` is blank.
    #[must_use]
    pub fn with_footer(mut self, footer: &str) -> Self {
        self.footer = bounded(footer, FOOTER_LIMIT).map(|text| Footer { text });
        self
    }

    /// With ` · {suffix}` ending the footer, which is shortened where both don't fit: a message is found again in its
    /// channel by the mark that its last footer ends with, so the mark is never what is cut.
    #[must_use]
    pub fn with_footer_suffix(mut self, suffix: &str) -> Self {
        let Some(suffix) = bounded(suffix, FOOTER_LIMIT / 2) else {
            return self;
        };
        let text = match self.footer {
            Some(footer) => {
                let room = FOOTER_LIMIT - utf16_length(SEPARATOR) - utf16_length(&suffix);
                format!("{}{SEPARATOR}{suffix}", cut(&footer.text, room))
            }
            None => suffix,
        };
        self.footer = Some(Footer { text });
        self
    }

    /// The description.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The footer's text; empty when there is none.
    #[must_use]
    pub fn footer(&self) -> &str {
        self.footer.as_ref().map_or("", |footer| &footer.text)
    }

    /// What counts toward [`MESSAGE_LIMIT`].
    #[must_use]
    pub fn size(&self) -> usize {
        utf16_length(&self.description) + utf16_length(self.footer())
    }
}

impl Colour {
    /// Discord's green: up, joined.
    pub const GREEN: Self = Self(0x0057_F287);
    /// Amber: about to change.
    pub const AMBER: Self = Self(0x00F0_B232);
    /// Discord's red: down, banned, killed.
    pub const RED: Self = Self(0x00ED_4245);
    /// Grey: left, or not known.
    pub const GREY: Self = Self(0x0095_A5A6);
    /// Discord's blurple: talk.
    pub const BLURPLE: Self = Self(0x0058_65F2);
    /// Purple: a new world.
    pub const PURPLE: Self = Self(0x009B_59B6);
    /// Brown: things.
    pub const BROWN: Self = Self(0x00A8_7C51);
}

/// What an embed shows when there is nothing to show.
const NOTHING: &str = "…";

const SEPARATOR: &str = " · ";

/// `text` as Discord counts it, without surrounding space, and no longer than `limit`; `None` when it is blank.
fn bounded(text: &str, limit: usize) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| cut(text, limit))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_written_as_discord_reads_it() {
        let embed = Embed::new("**up**")
            .with_colour(Colour::GREEN)
            .with_timestamp(Timestamp::from_nanoseconds(1_700_000_000_000_000_000))
            .with_footer("GA-1 · eu-1")
            .with_footer_suffix("7f3k2m9q");
        let expected = json!({
            "description": "**up**",
            "color": 0x0057_F287,
            "timestamp": "2023-11-14T22:13:20Z",
            "footer": { "text": "GA-1 · eu-1 · 7f3k2m9q" },
        });
        assert_eq!(serde_json::to_value(&embed).unwrap(), expected);
        assert_eq!(serde_json::from_value::<Embed>(expected).unwrap(), embed);
        assert_eq!(embed.size(), 6 + 22);
    }

    #[test]
    fn what_is_not_there_is_not_written() {
        let embed = Embed::new(" \n").with_footer("").with_footer_suffix(" ");
        assert_eq!(serde_json::to_value(&embed).unwrap(), json!({ "description": "…" }));
        assert_eq!(Embed::new("x").with_footer_suffix("7f3k2m9q").footer(), "7f3k2m9q");
    }

    proptest! {
        #[test]
        fn no_limit_is_ever_broken(
            unit in "\\PC{1,3}", times in 0_usize..3_000, suffix in "[a-z0-9]{8}", long in any::<bool>(),
        ) {
            let text = unit.repeat(times);
            let suffix = if long { suffix.repeat(400) } else { suffix };
            let embed = Embed::new(&text).with_footer(&text).with_footer_suffix(&suffix);
            prop_assert!(!embed.description.trim().is_empty());
            prop_assert!(utf16_length(&embed.description) <= DESCRIPTION_LIMIT);
            prop_assert!(utf16_length(embed.footer()) <= FOOTER_LIMIT);
            prop_assert!(long || embed.footer().ends_with(&suffix));
            prop_assert!(embed.size() <= MESSAGE_LIMIT);
        }
    }
}
