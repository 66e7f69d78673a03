//! Values of options that need more than a type to be read.

use std::ffi::OsStr;
use std::time::Duration;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;

use super::events::{Field, Payload};
use crate::domain::event::Kind;
use crate::domain::ids::UserId;
use crate::domain::nats_account::Role;
use crate::domain::subject::checked_subject;
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

/// A server's id, as it stands in subjects.
pub(super) fn server_id(text: &str) -> Result<String, String> {
    checked_subject(text).map_err(|_| "must be a server's id as in its subjects: without spaces, * and >".to_owned())
}

/// What a user is for.
pub(super) fn role(text: &str) -> Result<Role, String> {
    Role::from_name(text).ok_or_else(|| format!("the roles are {}", Role::ALL.map(Role::name).join(", ")))
}

/// The id of a Discord user.
pub(super) fn user_id(text: &str) -> Result<UserId, String> {
    // As the database keeps them.
    let id = text.parse::<i64>().ok().filter(|id| *id > 0 && text.bytes().all(|byte| byte.is_ascii_digit()));
    id.map(UserId::from_column).ok_or_else(|| {
        "must be the id of a Discord user, such as 80351110224678912 (Developer Mode in Discord's settings shows it: Copy \
         User ID)"
            .to_owned()
    })
}

/// A kind of event that has subjects of its own.
pub(super) fn kind(text: &str) -> Result<Kind, String> {
    Kind::from_name(text).filter(|kind| *kind != Kind::Unknown).ok_or_else(|| {
        let names: Vec<_> = Kind::ALL.iter().filter(|kind| **kind != Kind::Unknown).map(|kind| kind.name()).collect();
        format!("the kinds are {}; for another event give its --subject", names.join(", "))
    })
}

/// A field of a payload.
pub(super) fn field(text: &str) -> Result<Field, String> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=TEXT or NAME:=JSON")?;
    let (name, value) = match name.strip_suffix(':') {
        Some(name) => (name, serde_json::from_str(value).map_err(|error| format!("is no JSON behind := ({error})"))?),
        None => (name, value.into()),
    };
    let path: Vec<String> = name.split('.').map(str::to_owned).collect();
    if path.iter().any(String::is_empty) {
        return Err("must have a name before the =, and one on each side of a dot".to_owned());
    }
    Ok(Field { path, value })
}

/// What a message is known by again: a header's value, so no more than what is seen on one line.
pub(super) fn message_id(text: &str) -> Result<String, String> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("must be letters, digits and signs of ASCII, without spaces".to_owned());
    }
    Ok(text.to_owned())
}

/// Where a payload comes from.
pub(super) fn payload(text: &str) -> Result<Payload, String> {
    match (text, text.strip_prefix('@')) {
        ("-", _) => Ok(Payload::Stdin),
        (_, Some("")) => Err("needs a file's name behind the @".to_owned()),
        (_, Some(file)) => Ok(Payload::File(file.into())),
        _ => Ok(Payload::Text(text.to_owned())),
    }
}
