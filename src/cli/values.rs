//! Values of options that need more than a type to be read.

use std::ffi::OsStr;
use std::time::Duration;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;

use crate::settings::nats_url;

const MINUTE: Duration = Duration::from_mins(1);
const LONGEST_INVITE: Duration = Duration::from_hours(30 * 24);

/// How long an invite is good for.
pub(super) fn invite_duration(text: &str) -> Result<Duration, String> {
    let parts = text.split_at_checked(text.len().saturating_sub(1));
    let seconds_each = |unit| match unit {
        "m" => Some(60),
        "h" => Some(60 * 60),
        "d" => Some(24 * 60 * 60),
        _ => None,
    };
    let seconds = parts.and_then(|(number, unit)| {
        let digits_only = number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse::<u64>().ok().filter(|_| digits_only)?;
        number.checked_mul(seconds_each(unit)?)
    });
    let duration = seconds.map(Duration::from_secs).ok_or("must be a number and m, h or d, such as 30m, 24h or 7d")?;
    if (MINUTE..=LONGEST_INVITE).contains(&duration) {
        Ok(duration)
    } else {
        Err("must be from 1m (a minute) to 30d (30 days)".to_owned())
    }
}

/// Checks a NATS server's address, without repeating what it refuses as clap would: a password may be in it.
#[derive(Clone)]
pub(super) struct UrlParser;

impl TypedValueParser for UrlParser {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        _: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        let checked = value.to_str().ok_or_else(|| "must be text in UTF-8".to_owned()).and_then(nats_url);
        checked
            .map_err(|wrong| clap::Error::raw(ErrorKind::ValueValidation, format!("--url {wrong}\n")).with_cmd(command))
    }
}

/// A stream's name, as nats-server takes them.
pub(super) fn stream_name(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(forbidden_in_names) || text.contains(['.', '/', '\\']) {
        return Err("must be a stream's name: without spaces and . * > / \\".to_owned());
    }
    Ok(text.to_owned())
}

fn forbidden_in_names(character: char) -> bool {
    character.is_whitespace() || character.is_control() || character == '*' || character == '>'
}
