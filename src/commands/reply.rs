//! What a command answers, in the form Discord takes it.

use serde_json::{Value, json};

use crate::discord::embed::{DESCRIPTION_LIMIT, Embed};
use crate::discord::words;
use crate::domain::text::utf16_length;

/// Seen by whoever used the command, and by nobody else:
/// <https://discord.com/developers/docs/resources/message#message-object-message-flags>.
const EPHEMERAL: u32 = 1 << 6;

/// An answer to a command.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reply {
    content: String,
    embeds: Vec<Embed>,
}

impl Reply {
    /// A plain answer, at most 2,000 characters of our own words.
    #[must_use]
    pub(super) fn text(content: impl Into<String>) -> Self {
        Self { content: content.into(), embeds: Vec::new() }
    }

    /// A list, cut where no more fits, and then it says how many are missing.
    #[must_use]
    pub(super) fn list(entries: &[String], remark: Option<&str>) -> Self {
        let room = DESCRIPTION_LIMIT - 32;
        let mut size = 0;
        let fitting = entries
            .iter()
            .take_while(|entry| {
                size += utf16_length(entry) + 2;
                size <= room
            })
            .count();
        let mut description = entries[..fitting].join("\n\n");
        if fitting < entries.len() {
            description = format!("{description}\n\n{}", words::and_more(entries.len() - fitting));
        }
        let embed = Embed::new(&description);
        Self { content: String::new(), embeds: vec![remark.map_or(embed.clone(), |remark| embed.with_footer(remark))] }
    }

    /// The message itself. Nobody is notified by it.
    #[must_use]
    pub(super) fn to_message(&self, ephemeral: bool) -> Value {
        json!({
            "content": self.content,
            "embeds": self.embeds,
            "flags": if ephemeral { EPHEMERAL } else { 0 },
            "allowed_mentions": { "parse": [] },
        })
    }
}

/// The first answer of a command that takes longer than Discord waits.
#[must_use]
pub(super) fn deferred(ephemeral: bool) -> Value {
    json!({ "type": 5, "data": { "flags": if ephemeral { EPHEMERAL } else { 0 } } })
}

/// Choices to offer, as names and values, of which Discord takes 25 of at most 100 characters each.
#[must_use]
pub(super) fn choices(choices: impl IntoIterator<Item = (String, String)>) -> Value {
    let choices: Vec<_> = choices
        .into_iter()
        // A cut value would be another one.
        .filter(|(_, value)| utf16_length(value) <= 100)
        .take(25)
        .map(|(name, value)| json!({ "name": crate::domain::text::cut(&name, 100), "value": value }))
        .collect();
    json!({ "type": 8, "data": { "choices": choices } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_says_what_is_missing() {
        let entries: Vec<_> = (0..100).map(|number| format!("{number}: {}", "x".repeat(100))).collect();
        let message = Reply::list(&entries, None).to_message(true);
        let description = message["embeds"][0]["description"].as_str().unwrap();
        assert!(description.ends_with("… and 62 more"), "{description}");
        assert_eq!(message["flags"], 64);
        assert_eq!(message["allowed_mentions"], json!({ "parse": [] }));
    }

    #[test]
    fn only_what_discord_takes_is_offered() {
        let many = (0..40).map(|number| (format!("{number}{}", "n".repeat(200)), number.to_string()));
        let offered = choices(many.chain([("long".to_owned(), "v".repeat(101))]));
        let offered = offered["data"]["choices"].as_array().unwrap();
        assert_eq!(offered.len(), 25);
        assert!(offered.iter().all(|choice| utf16_length(choice["name"].as_str().unwrap()) <= 100));
        assert_eq!(choices([("long".to_owned(), "v".repeat(101))])["data"]["choices"], json!([]));
    }
}
