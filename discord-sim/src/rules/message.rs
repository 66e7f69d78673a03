//! The body of a message: create, edit, and an interaction's answer
//! (<https://discord.com/developers/docs/resources/message#create-message>).

use serde_json::{Value, json};

use super::mentions::Allowed;
use super::{components, embeds, length, mentions};
use crate::refusal::{Faults, Refusal};

const CONTENT: usize = 2000;
const NONCE: usize = 25;

pub(crate) const FLAG_SUPPRESS_EMBEDS: u64 = 1 << 2;
pub(crate) const FLAG_EPHEMERAL: u64 = 1 << 6;
/// A deferred answer that is still being thought about.
pub(crate) const FLAG_LOADING: u64 = 1 << 7;
pub(crate) const FLAG_SUPPRESS_NOTIFICATIONS: u64 = 1 << 12;
pub(crate) const FLAG_COMPONENTS_V2: u64 = 1 << 15;

/// A body that keeps every rule. What an edit leaves out is nothing.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) content: Option<String>,
    pub(crate) embeds: Option<Vec<Value>>,
    pub(crate) components: Option<Value>,
    pub(crate) allowed: Allowed,
    pub(crate) nonce: Option<Nonce>,
    pub(crate) flags: u64,
    pub(crate) tts: bool,
    pub(crate) attachments: Vec<Value>,
}

/// A nonce and whether it is to be enforced.
#[derive(Clone, Debug)]
pub(crate) struct Nonce {
    pub(crate) text: String,
    /// As it was sent, to be echoed.
    pub(crate) raw: Value,
    pub(crate) enforced: bool,
}

impl Body {
    /// Whether nothing would be shown.
    pub(crate) fn is_empty(&self) -> bool {
        let text = self.content.as_deref().unwrap_or_default();
        text.trim().is_empty()
            && self.embeds.as_ref().is_none_or(Vec::is_empty)
            && self.attachments.is_empty()
            && (self.flags & FLAG_COMPONENTS_V2 == 0 || is_empty_list(self.components.as_ref()))
    }
}

fn is_empty_list(value: Option<&Value>) -> bool {
    value.and_then(Value::as_array).is_none_or(Vec::is_empty)
}

/// Checks a body; unknown keys are ignored, as Discord does.
pub(crate) fn check(body: &Value) -> Result<Body, Refusal> {
    check_over(body, 0)
}

/// The same for an edit: a message that uses V2 components does so for good, also where the edit does not say it.
pub(crate) fn check_over(body: &Value, standing_flags: u64) -> Result<Body, Refusal> {
    let Some(given) = body.as_object() else {
        let mut faults = Faults::default();
        faults.add("", "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType");
        faults.into_result()?;
        return Err(Refusal::empty_message());
    };
    let mut faults = Faults::default();
    let content = match given.get("content") {
        None => None,
        Some(Value::Null) => Some(String::new()),
        Some(Value::String(text)) => {
            if length(text) > CONTENT {
                faults.too_long("content", CONTENT);
            }
            Some(text.trim().to_owned())
        }
        Some(_) => {
            faults.add("content", "STRING_TYPE_CONVERT", "Could not interpret value as string.");
            None
        }
    };
    let embeds = given.get("embeds").map(|list| embeds::check(list, &mut faults));
    let allowed = mentions::check(given.get("allowed_mentions"), &mut faults);
    let nonce = nonce(given.get("nonce"), given.get("enforce_nonce"), &mut faults);
    let flags = match given.get("flags") {
        None | Some(Value::Null) => 0,
        Some(flags) => flags.as_u64().unwrap_or_else(|| {
            faults.add("flags", "NUMBER_TYPE_COERCE", format!("Value {flags} is not int."));
            0
        }),
    };
    let layout = flags | standing_flags & FLAG_COMPONENTS_V2;
    let components = given.get("components").map(|list| components::check(list, layout, &mut faults));
    let shows_embeds = embeds.as_ref().is_some_and(|embeds| !embeds.is_empty());
    let shows_content = content.as_ref().is_some_and(|content| !content.is_empty());
    if layout & FLAG_COMPONENTS_V2 != 0 && (shows_content || shows_embeds) {
        // <https://discord.com/developers/docs/components/reference#legacy-message-component-behavior>
        let key = if shows_content { "content" } else { "embeds" };
        faults.add(
            key,
            "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
            format!("The '{key}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"),
        );
    }
    faults.into_result()?;
    let attachments = given.get("attachments").and_then(Value::as_array).cloned().unwrap_or_default();
    let tts = given.get("tts").and_then(Value::as_bool).unwrap_or_default();
    Ok(Body { content, embeds, components, allowed, nonce, flags, tts, attachments })
}

fn nonce(nonce: Option<&Value>, enforce: Option<&Value>, faults: &mut Faults) -> Option<Nonce> {
    let enforced = enforce.and_then(Value::as_bool).unwrap_or_default();
    let raw = match nonce {
        None | Some(Value::Null) => return None,
        Some(raw) => raw,
    };
    let text = match raw {
        Value::String(text) if text.encode_utf16().count() <= NONCE => text.clone(),
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        _ => {
            faults.add("nonce", "NONCE_TYPE_TOO_LONG", format!("Nonce must be {NONCE} or fewer in length."));
            return None;
        }
    };
    Some(Nonce { text, raw: json!(raw), enforced })
}
