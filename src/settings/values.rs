//! What each kind of value must look like, one function each: from what was given to what it means, or to the words
//! "must be …, not …".
//!
//! Knows no keys and no files. An error repeats what was given, except where that may be secret.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use config::ValueKind;
use secrecy::SecretString;
use url::Url;

use crate::domain::hosts::AllowedHosts;
use crate::domain::tier::Bytes;
use crate::telemetry::{Format, check_filter};

/// How long a day is, where time zones don't matter.
pub(super) const SECONDS_A_DAY: u64 = 24 * 60 * 60;

/// Any text.
pub(super) fn text(value: &ValueKind) -> Result<&str, String> {
    match value {
        ValueKind::String(text) => Ok(text),
        other => Err(format!("must be a text in quotes, not {}", shown(other))),
    }
}

/// Yes or no.
pub(super) fn truth(value: &ValueKind) -> Result<bool, String> {
    match value {
        ValueKind::Boolean(truth) => Ok(*truth),
        // As a variable gives it.
        ValueKind::String(text) if text == "true" => Ok(true),
        ValueKind::String(text) if text == "false" => Ok(false),
        other => Err(format!("must be true or false, not {}", shown(other))),
    }
}

/// A whole number within bounds.
pub(super) fn number(value: &ValueKind, bounds: RangeInclusive<u32>) -> Result<u32, String> {
    let number = if let ValueKind::I64(number) = value { u32::try_from(*number).ok() } else { None };
    number.filter(|number| bounds.contains(number)).ok_or_else(|| {
        format!("must be a whole number from {} to {}, not {}", bounds.start(), bounds.end(), shown(value))
    })
}

/// A number of bytes within bounds.
pub(super) fn bytes(value: &ValueKind, bounds: RangeInclusive<u64>) -> Result<Bytes, String> {
    let bytes = match value {
        ValueKind::I64(number) => u64::try_from(*number).ok().map(Bytes),
        ValueKind::String(text) => Bytes::from_text(text),
        _ => None,
    };
    bytes.filter(|Bytes(number)| bounds.contains(number)).ok_or_else(|| {
        let (least, most) = (Bytes(*bounds.start()), Bytes(*bounds.end()));
        format!("must be a number of bytes from {least} to {most}, such as \"256M\", not {}", shown(value))
    })
}

/// How many of something.
pub(super) fn count(value: &ValueKind, bounds: RangeInclusive<u32>) -> Result<usize, String> {
    number(value, bounds).map(|number| usize::try_from(number).unwrap_or(usize::MAX))
}

/// A duration told in seconds.
pub(super) fn seconds(value: &ValueKind, bounds: RangeInclusive<u32>) -> Result<Duration, String> {
    number(value, bounds).map(|seconds| Duration::from_secs(seconds.into()))
}

/// A duration told in days.
pub(super) fn days(value: &ValueKind, bounds: RangeInclusive<u32>) -> Result<Duration, String> {
    number(value, bounds).map(|days| Duration::from_secs(SECONDS_A_DAY * u64::from(days)))
}

/// The bot's token, or none where the text is empty. It goes into a header, so what can't stand there is refused here.
pub(super) fn token(value: &ValueKind) -> Result<Option<SecretString>, String> {
    // Not shown, whatever it is: people paste the right thing into the wrong form.
    let ValueKind::String(text) = value else { return Err("must be a text in quotes".to_owned()) };
    // Files and shells leave line ends behind.
    let text = text.trim();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+/=".contains(&byte);
    if text.bytes().all(allowed) {
        Ok((!text.is_empty()).then(|| text.into()))
    } else {
        Err("must be the bot's token alone: letters, digits and . _ - without \"Bot \" before them".to_owned())
    }
}

/// An address of Discord's API.
pub(super) fn api_url(value: &ValueKind) -> Result<String, String> {
    let text = text(value)?;
    let plain = |url: &Url| has_host(url) && !has_user(url) && url.query().is_none() && url.fragment().is_none();
    let right = parsed(text, &["http", "https"]).is_some_and(|url| plain(&url)) && !text.ends_with('/');
    let wrong = || {
        let without = if text.ends_with('/') { ", without a slash at its end" } else { "" };
        format!("must be an address like \"https://discord.com\"{without}, not {}", shown_url(text))
    };
    right.then(|| text.to_owned()).ok_or_else(wrong)
}

/// A database's address.
pub(super) fn database_url(value: &ValueKind) -> Result<SecretString, String> {
    let text = if let ValueKind::String(text) = value { text.as_str() } else { "" };
    let file = text.strip_prefix("sqlite://").is_some_and(|file| !file.is_empty());
    if file || parsed(text, &["postgres", "postgresql"]).is_some() {
        return Ok(text.into());
    }
    // What stands behind the scheme is not shown: a password may be in it, also in one that is misspelt.
    let not = match text.split_once("://") {
        Some((scheme, _)) if !scheme.contains(['@', ':']) => format!(", not \"{scheme}://…\""),
        _ => String::new(),
    };
    Err(format!("must be an address like \"sqlite://data/guildwire.db\" or \"postgres://user@host/name\"{not}"))
}

/// A NATS server's address, without user and password. Also what `account add --url` takes.
pub fn nats_url(text: &str) -> Result<String, String> {
    // A list would pass for one address with an odd host and path, and what is in it, unseen.
    let url = parsed(text, &["nats", "tls"]).filter(|url| has_host(url) && !text.contains(',')).ok_or_else(|| {
        format!("must be an address like \"nats://127.0.0.1:4222\" (or tls://), not {}", shown_url(text))
    })?;
    if has_user(&url) {
        return Err("must be an address without user and password: an account has its own credential".to_owned());
    }
    Ok(text.to_owned())
}

/// Hosts of nats-servers: a list, or, as a variable gives it, texts with commas between them.
pub(super) fn hosts(value: &ValueKind) -> Result<AllowedHosts, String> {
    let texts: Vec<&str> = match value {
        ValueKind::String(text) => text.split(',').map(str::trim).filter(|text| !text.is_empty()).collect(),
        ValueKind::Array(values) => values.iter().map(|value| text(&value.kind)).collect::<Result<_, _>>()?,
        other => return Err(format!("must be a list of texts in quotes, not {}", shown(other))),
    };
    AllowedHosts::parse(texts).map_err(|wrong| {
        format!(
            "must have hosts such as \"nats.example.org\", \"*.example.org\", \"*\" or \"10.0.0.0/8\", not {wrong:?}"
        )
    })
}

/// A stream's name, as nats-server takes them. Also what `account add --stream` takes.
pub fn stream_name(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(forbidden_in_names) || text.contains(['.', '/', '\\']) {
        return Err("must be a stream's name: without spaces and . * > / \\".to_owned());
    }
    Ok(text.to_owned())
}

fn forbidden_in_names(character: char) -> bool {
    character.is_whitespace() || character.is_control() || character == '*' || character == '>'
}

/// A NATS server's address, or none where the text is empty.
pub(super) fn optional_nats_url(value: &ValueKind) -> Result<Option<String>, String> {
    let text = text(value)?;
    if text.is_empty() { Ok(None) } else { nats_url(text).map(Some) }
}

/// An address and port to listen on.
pub(super) fn listen(value: &ValueKind) -> Result<SocketAddr, String> {
    let text = text(value)?;
    text.parse().map_err(|_| format!("must be an address and port like \"127.0.0.1:9310\", not {text:?}"))
}

/// How much is logged.
pub(super) fn log_level(value: &ValueKind) -> Result<String, String> {
    let text = text(value)?;
    check_filter(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}

/// In which form it is logged.
pub(super) fn log_format(value: &ValueKind) -> Result<Format, String> {
    match value {
        ValueKind::String(text) if text == Format::Text.name() => Ok(Format::Text),
        ValueKind::String(text) if text == Format::Json.name() => Ok(Format::Json),
        other => Err(format!("must be text or json, not {}", shown(other))),
    }
}

/// A file's path.
pub(super) fn path(value: &ValueKind) -> Result<PathBuf, String> {
    let text = text(value)?;
    if text.is_empty() { Err("must be a file's path, not \"\"".to_owned()) } else { Ok(text.into()) }
}

/// A file's path, or none where the text is empty.
pub(super) fn optional_path(value: &ValueKind) -> Result<Option<PathBuf>, String> {
    let text = text(value)?;
    Ok((!text.is_empty()).then(|| text.into()))
}

/// A database's address with `***` for its password, which `PostgreSQL` takes in two places.
pub(super) fn redact_database_url(text: &str) -> String {
    let Some(mut url) = parsed(text, &["postgres", "postgresql"]) else { return text.to_owned() };
    let mut redacted = false;
    if url.password().is_some() {
        // Fails only where there can be no password either.
        redacted = url.set_password(Some("***")).is_ok();
    }
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    if pairs.iter().any(|(name, _)| name == "password") {
        let shown = pairs.iter().map(|(name, value)| (name, if name == "password" { "***" } else { value }));
        url.query_pairs_mut().clear().extend_pairs(shown);
        redacted = true;
    }
    if redacted { url.into() } else { text.to_owned() }
}

fn parsed(text: &str, schemes: &[&str]) -> Option<Url> {
    let (scheme, _) = text.split_once("://")?;
    Url::parse(text).ok().filter(|url| schemes.contains(&scheme) && url.scheme() == scheme)
}

fn has_host(url: &Url) -> bool {
    url.host_str().is_some_and(|host| !host.is_empty())
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// An address as an error may repeat it: not where a password may be in it.
fn shown_url(text: &str) -> String {
    if text.contains('@') { "one with a user or password in it".to_owned() } else { format!("{text:?}") }
}

/// A value as an error may repeat it.
fn shown(value: &ValueKind) -> String {
    match value {
        ValueKind::String(text) => format!("{text:?}"),
        ValueKind::Table(_) => "a section".to_owned(),
        ValueKind::Array(_) => "a list".to_owned(),
        other => other.to_string(),
    }
}
