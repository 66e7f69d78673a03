//! What tests see: messages, embeds, replies and choices as a person would, with the raw JSON beside them.

use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};
use serde_json::Value;

/// A message as it stands in a channel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Message {
    /// The message's id.
    #[serde(serialize_with = "as_text")]
    pub id: u64,
    /// The text.
    pub content: String,
    /// The embeds.
    pub embeds: Vec<Embed>,
    /// The nonce it was created with.
    pub nonce: Option<String>,
    /// Roles that were really notified.
    #[serde(serialize_with = "as_texts")]
    pub notified_roles: Vec<u64>,
    /// Whether `@everyone` or `@here` notified.
    pub notified_everyone: bool,
    /// Users that were really notified.
    #[serde(serialize_with = "as_texts")]
    pub notified_users: Vec<u64>,
    /// Message flags, for example `1 << 12` for a silent message.
    pub flags: u64,
    /// When it was created.
    pub sent_at: SystemTime,
    /// How often its author edited it.
    pub edits: u32,
    /// The whole message object, as REST answers it.
    pub raw: Value,
}

/// An embed as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Embed {
    /// The title.
    pub title: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// The address behind the title.
    pub url: Option<String>,
    /// The colour of the bar.
    pub color: Option<u32>,
    /// The footer's text.
    pub footer: Option<String>,
    /// The author's name.
    pub author: Option<String>,
    /// The timestamp, ISO 8601.
    pub timestamp: Option<String>,
    /// The fields.
    pub fields: Vec<Field>,
}

/// One field of an embed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Field {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
    /// Whether it stands beside its neighbours.
    pub inline: bool,
}

impl Embed {
    pub(crate) fn from_json(embed: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        Self {
            title: text(&embed["title"]),
            description: text(&embed["description"]),
            url: text(&embed["url"]),
            color: embed["color"].as_u64().and_then(|color| u32::try_from(color).ok()),
            footer: text(&embed["footer"]["text"]),
            author: text(&embed["author"]["name"]),
            timestamp: text(&embed["timestamp"]),
            fields: embed["fields"].as_array().map_or_else(Vec::new, |fields| {
                fields
                    .iter()
                    .map(|field| Field {
                        name: text(&field["name"]).unwrap_or_default(),
                        value: text(&field["value"]).unwrap_or_default(),
                        inline: field["inline"].as_bool().unwrap_or_default(),
                    })
                    .collect()
            }),
        }
    }

    pub(crate) fn list(embeds: &Value) -> Vec<Self> {
        embeds.as_array().map_or_else(Vec::new, |embeds| embeds.iter().map(Self::from_json).collect())
    }
}

/// The person who acts, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The guild.
    pub guild: u64,
    /// The channel.
    pub channel: u64,
    /// The user.
    pub user: u64,
}

/// What the bot answered a person.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reply {
    /// The text; for a modal its title.
    pub content: String,
    /// The embeds.
    pub embeds: Vec<Embed>,
    /// Whether only the person sees it.
    pub ephemeral: bool,
    /// The components as Discord has them: an array of rows.
    pub components: Value,
    /// From the person's action to the bot's first answer.
    pub took: Duration,
    /// The message this answer is, if it is one; what is pressed later.
    #[serde(serialize_with = "as_text_if_any")]
    pub message: Option<u64>,
    /// The whole message object, or a modal's data.
    pub raw: Value,
}

/// One choice offered by autocomplete.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Choice {
    /// What is shown.
    pub name: String,
    /// What is sent when it is taken.
    pub value: Value,
}

/// Why a person got no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// There is no such command, component or modal.
    #[error("there is no such command or component")]
    Unknown,
    /// The person lacks the command's `default_member_permissions`.
    #[error("the person may not use this command")]
    NotPermitted,
    /// Discord's own client would not have sent this.
    #[error("Discord's client refuses this option: {0}")]
    BadOption(String),
    /// "The application did not respond".
    #[error("the application did not respond within its 3 seconds")]
    NoAnswerWithin3Seconds,
    /// "is thinking…" for ever.
    #[error("the answer was deferred and never came")]
    NeverFinished,
    /// No gateway session could take the interaction.
    #[error("no gateway session of the bot exists")]
    NotConnected,
}

/// Something that was waited for did not happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("waited {within:?} for {what}; {saw}")]
pub struct Timeout {
    /// What was waited for.
    pub what: String,
    /// How long.
    pub within: Duration,
    /// The state at the end, in short.
    pub saw: String,
}

/// Ids leave as text: JavaScript loses a snowflake's last digits in a number.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
fn as_text<S: Serializer>(id: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

fn as_texts<S: Serializer>(ids: &[u64], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ids.iter().map(ToString::to_string))
}

#[expect(clippy::ref_option, reason = "serde hands fields over by reference")]
fn as_text_if_any<S: Serializer>(id: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    id.map(|id| id.to_string()).serialize(serializer)
}
