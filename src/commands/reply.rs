//! What a command answers, in the form Discord takes it.

use serde_json::{Value, json};

use crate::discord::embed::{DESCRIPTION_LIMIT, Embed};
use crate::discord::words;
use crate::domain::text::utf16_length;

/// Seen by whoever used the command, and by nobody else:
/// <https://discord.com/developers/docs/resources/message#message-object-message-flags>.
const EPHEMERAL: u32 = 1 << 6;

/// <https://discord.com/developers/docs/resources/message#create-message>.
const CONTENT_LIMIT: usize = 2_000;

/// An answer to a command.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reply {
    content: String,
    embeds: Vec<Embed>,
    /// Rows of buttons and selects.
    rows: Vec<Value>,
}

/// How an answer is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As a message of its own.
    New {
        /// For whoever asked alone.
        ephemeral: bool,
    },
    /// In the place of the message whose button or select was used.
    Update,
}

impl Form {
    /// The first answer to an interaction.
    #[must_use]
    pub(super) fn response(self, reply: &Reply) -> Value {
        json!({ "type": if self == Self::Update { 7 } else { 4 }, "data": self.message(reply) })
    }

    /// The first answer of work that takes longer than Discord waits.
    #[must_use]
    pub(super) fn deferral(self) -> Value {
        match self {
            Self::New { ephemeral } => deferred(ephemeral),
            Self::Update => json!({ "type": 6 }),
        }
    }

    /// The answer itself.
    #[must_use]
    pub(super) fn message(self, reply: &Reply) -> Value {
        match self {
            Self::New { ephemeral } => reply.to_message(ephemeral),
            Self::Update => reply.to_update(),
        }
    }
}

impl Reply {
    /// A plain answer, at most 2,000 characters of our own words.
    #[must_use]
    pub(super) fn text(content: impl Into<String>) -> Self {
        Self { content: content.into(), embeds: Vec::new(), rows: Vec::new() }
    }

    /// A list, cut where no more fits, and then it says how many are missing.
    #[must_use]
    pub(super) fn list(entries: &[String], remark: Option<&str>) -> Self {
        let fitting = fitting(entries).max(1).min(entries.len());
        let mut description = entries[..fitting].join("\n\n");
        if fitting < entries.len() {
            description = format!("{description}\n\n{}", words::and_more(entries.len() - fitting));
        }
        let embed = Embed::new(&description);
        let embed = remark.map_or(embed.clone(), |remark| embed.with_footer(remark));
        Self { content: String::new(), embeds: vec![embed], rows: Vec::new() }
    }

    /// With a text above what else there is.
    #[must_use]
    pub(super) fn with_content(self, content: impl Into<String>) -> Self {
        Self { content: content.into(), ..self }
    }

    /// With a row of buttons, or of one select, below it.
    #[must_use]
    pub(super) fn with_row(mut self, components: &[Value]) -> Self {
        self.rows.push(json!({ "type": 1, "components": components }));
        self
    }

    /// Adds another paragraph, where it fits; whether it does.
    #[must_use]
    pub(super) fn add_remark(&mut self, remark: &str) -> bool {
        let content = format!("{}\n\n{remark}", self.content);
        let fits = utf16_length(&content) <= CONTENT_LIMIT;
        if fits {
            content.trim_start().clone_into(&mut self.content);
        }
        fits
    }

    /// The message itself. Nobody is notified by it.
    #[must_use]
    pub(super) fn to_message(&self, ephemeral: bool) -> Value {
        let mut message = self.to_update();
        message["flags"] = json!(if ephemeral { EPHEMERAL } else { 0 });
        message
    }

    /// What takes the place of a message; who sees it stays. What is empty here is taken out of it.
    fn to_update(&self) -> Value {
        json!({
            "content": self.content,
            "embeds": self.embeds,
            "components": self.rows,
            "allowed_mentions": { "parse": [] },
        })
    }
}

/// How many of a list's first entries fit into an embed, with room to say that there are more.
#[must_use]
pub(super) fn fitting(entries: &[String]) -> usize {
    let room = DESCRIPTION_LIMIT - 32;
    let mut size = 0;
    let fits = |entry: &&String| {
        size += utf16_length(entry) + 2;
        size <= room
    };
    entries.iter().take_while(fits).count()
}

/// The first answer of a command that takes longer than Discord waits.
#[must_use]
fn deferred(ephemeral: bool) -> Value {
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
    fn a_remark_stands_below_the_answer() {
        let mut text = Reply::text("Done.");
        assert!(text.add_remark("But."));
        assert_eq!(text.content, "Done.\n\nBut.");
        let mut list = Reply::list(&["one".to_owned()], None);
        assert!(list.add_remark("But."));
        assert_eq!((list.content.as_str(), list.embeds.len()), ("But.", 1));
        let full = "x".repeat(1_998);
        let mut text = Reply::text(&full);
        assert!(!text.add_remark("But."));
        assert_eq!(text.content, full);
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
