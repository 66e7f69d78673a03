//! The body of a message: create, edit, and an interaction's answer
//! (<https://discord.com/developers/docs/resources/message#create-message>).

use serde_json::{Value, json};

use super::controls::each;
use super::mentions::{Allowed, snowflake};
use super::{components, embeds, length, mentions};
use crate::multipart::File;
use crate::refusal::{Faults, Refusal};

const CONTENT: usize = 2000;
const NONCE: usize = 25;
const LAYOUT_BYTES: usize = 10_170;
/// <https://discord.com/developers/docs/reference#uploading-files>
const FILES: usize = 10;
const FILE_SIZE: usize = 10 * 1024 * 1024;
const FILE_DESCRIPTION: usize = 1024;

pub(crate) const FLAG_CROSSPOSTED: u64 = 1;
pub(crate) const FLAG_SUPPRESS_EMBEDS: u64 = 1 << 2;
pub(crate) const FLAG_HAS_THREAD: u64 = 1 << 5;
pub(crate) const FLAG_EPHEMERAL: u64 = 1 << 6;
/// A deferred answer that is still being thought about.
pub(crate) const FLAG_LOADING: u64 = 1 << 7;
pub(crate) const FLAG_SUPPRESS_NOTIFICATIONS: u64 = 1 << 12;
pub(crate) const FLAG_COMPONENTS_V2: u64 = 1 << 15;

/// A body that keeps every rule. What an edit leaves out is nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Body {
    pub(crate) content: Option<String>,
    pub(crate) embeds: Option<Vec<Value>>,
    pub(crate) components: Option<Value>,
    pub(crate) allowed: Allowed,
    pub(crate) nonce: Option<Nonce>,
    pub(crate) flags: u64,
    /// Whether `flags` was there at all; an edit without it leaves them.
    pub(crate) names_flags: bool,
    pub(crate) tts: bool,
    /// `attachments` as it was sent: what it says of files, and which an edit keeps.
    pub(crate) listed: Option<Vec<Value>>,
    /// What came along.
    pub(crate) files: Vec<File>,
    pub(crate) reference: Option<Reference>,
}

/// What a message answers or forwards
/// (<https://discord.com/developers/docs/resources/message#message-reference-structure>).
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    pub(crate) forwards: bool,
    pub(crate) message: u64,
    /// The same channel if left out.
    pub(crate) channel: Option<u64>,
    /// Whether the message is refused if the other is gone.
    pub(crate) must_exist: bool,
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
            && self.files.is_empty()
            && !self.reference.as_ref().is_some_and(|reference| reference.forwards)
            && (self.flags & FLAG_COMPONENTS_V2 == 0 || is_empty_list(self.components.as_ref()))
    }

    /// Takes the files that came along, within Discord's limits.
    fn with_files(mut self, files: &[File]) -> Result<Self, Refusal> {
        if files.iter().any(|file| file.bytes.len() > FILE_SIZE) {
            return Err(Refusal::new(413, 40005, "Request entity too large"));
        }
        let mut faults = Faults::default();
        if files.len() > FILES || self.listed.as_ref().is_some_and(|listed| listed.len() > FILES) {
            faults.too_long("attachments", FILES);
        }
        for (at, listed) in self.listed.iter().flatten().enumerate() {
            if snowflake(&listed["id"]).is_none() {
                faults.required(format!("attachments.{at}.id"));
            }
            if length(listed["description"].as_str().unwrap_or_default()) > FILE_DESCRIPTION {
                faults.too_long(format!("attachments.{at}.description"), FILE_DESCRIPTION);
            }
        }
        faults.into_result()?;
        self.files = files.to_vec();
        Ok(self)
    }
}

fn is_empty_list(value: Option<&Value>) -> bool {
    value.and_then(Value::as_array).is_none_or(Vec::is_empty)
}

/// Checks a body and the files that came along with it, which need no JSON beside them. `standing_flags` are those of the
/// message that is edited, 0 for a new one.
pub(crate) fn read(body: &Value, files: &[File], standing_flags: u64) -> Result<Body, Refusal> {
    let nothing = json!({});
    let bare = body.is_null() && !files.is_empty();
    check(if bare { &nothing } else { body }, standing_flags)?.with_files(files)
}

/// Unknown keys are ignored, as Discord does. A message that uses V2 components does so for good, also where an edit does
/// not say it.
fn check(body: &Value, standing_flags: u64) -> Result<Body, Refusal> {
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
    let reference = reference(given.get("message_reference"), &mut faults);
    if given.get("poll").is_some_and(|poll| !poll.is_null()) {
        faults.add("poll", "NOT_SIMULATED", "Polls are not simulated.");
    }
    faults.into_result()?;
    if !is_empty_list(given.get("sticker_ids")) {
        // Guilds have no stickers here, and an application may use no others.
        return Err(Refusal::new(400, 50081, "Invalid sticker sent"));
    }
    if layout & FLAG_COMPONENTS_V2 != 0 && components.as_ref().is_some_and(is_too_heavy) {
        return Err(Refusal::new(500, 0, "500: Internal Server Error"));
    }
    let listed = given.get("attachments").and_then(Value::as_array).cloned();
    let tts = given.get("tts").and_then(Value::as_bool).unwrap_or_default();
    let names_flags = given.get("flags").is_some_and(|flags| !flags.is_null());
    let files = Vec::new();
    Ok(Body { content, embeds, components, allowed, nonce, flags, names_flags, tts, listed, files, reference })
}

/// Text of a layout on which Discord itself stumbles, though every limit is kept: so many bytes, and twelve for each text
/// display (<https://github.com/discord/discord-api-docs/issues/8554>).
fn is_too_heavy(components: &Value) -> bool {
    let mut bytes = 0;
    each(components, &mut |component| {
        if component["type"] == 10 {
            bytes += component["content"].as_str().map_or(0, str::len) + 12;
        }
    });
    bytes > LAYOUT_BYTES
}

fn reference(given: Option<&Value>, faults: &mut Faults) -> Option<Reference> {
    let given = given.filter(|given| !given.is_null())?;
    let message = snowflake(&given["message_id"]);
    let forwards = given["type"] == 1;
    let channel = snowflake(&given["channel_id"]);
    if message.is_none() {
        faults.required("message_reference.message_id");
    }
    if forwards && channel.is_none() {
        faults.required("message_reference.channel_id");
    }
    let must_exist = given["fail_if_not_exists"].as_bool().unwrap_or(true);
    Some(Reference { forwards, message: message?, channel, must_exist })
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
