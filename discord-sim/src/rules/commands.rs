//! Limits of application commands
//! (<https://discord.com/developers/docs/interactions/application-commands>).

use serde_json::Value;

use super::length;
use crate::refusal::{Faults, Refusal};

const CHAT_INPUT: usize = 100;
const CONTEXT_MENU: usize = 15;
const NAME: usize = 32;
const DESCRIPTION: usize = 100;
const OPTIONS: usize = 25;
const CHOICES: usize = 25;
const CHOICE_TEXT: usize = 100;
/// Names, descriptions and choice values of a command and everything in it.
const TOTAL: usize = 8000;
/// The languages Discord knows (<https://discord.com/developers/docs/reference#locales>).
const LOCALES: &str = "id da de en-GB en-US es-ES es-419 fr hr it lt hu nl no pl pt-BR ro fi sv-SE vi tr cs el bg ru uk \
                       hi th zh-CN ja zh-TW ko";

const SUB_COMMAND: u64 = 1;
const SUB_COMMAND_GROUP: u64 = 2;

/// Checks the whole list of a bulk overwrite.
pub(crate) fn check(commands: &[Value]) -> Result<(), Refusal> {
    let mut faults = Faults::default();
    for kind in 1..=3 {
        most_of(kind, commands.iter().filter(|command| kind_of(command) == kind).count())?;
    }
    let mut seen = Vec::new();
    for (at, command) in commands.iter().enumerate() {
        let path = at.to_string();
        check_command(command, &path, &mut faults);
        let identity = (kind_of(command), command["name"].as_str().unwrap_or_default());
        if seen.contains(&identity) {
            faults.add(
                format!("{path}.name"),
                "APPLICATION_COMMANDS_DUPLICATE_NAME",
                "Application command names must be unique",
            );
        }
        seen.push(identity);
    }
    faults.into_result()
}

/// Checks a single command, as it is created or after an edit.
pub(crate) fn check_one(command: &Value) -> Result<(), Refusal> {
    let mut faults = Faults::default();
    check_command(command, "", &mut faults);
    faults.into_result()
}

/// Whether a scope may have so many commands of a kind.
pub(crate) fn most_of(kind: u64, count: usize) -> Result<(), Refusal> {
    let most = if kind == 1 { CHAT_INPUT } else { CONTEXT_MENU };
    if count > most {
        return Err(Refusal::new(400, 30032, &format!("Maximum number of application commands reached ({most})")));
    }
    Ok(())
}

/// The command's type; a slash command unless it says otherwise.
pub(crate) fn kind_of(command: &Value) -> u64 {
    command["type"].as_u64().unwrap_or(1)
}

fn check_command(command: &Value, path: &str, faults: &mut Faults) {
    let slash = kind_of(command) == 1;
    check_name(command, path, slash, faults);
    if !(1..=3).contains(&kind_of(command)) {
        faults.add(format!("{path}.type"), "BASE_TYPE_CHOICES", "Value must be one of (1, 2, 3).");
    }
    if slash {
        check_description(command, path, faults);
    } else if command["description"].as_str().is_some_and(|text| !text.is_empty()) {
        // <https://discord.com/developers/docs/interactions/application-commands#user-commands>
        let message = "Context menu commands cannot have description";
        faults.add(format!("{path}.description"), "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_NOT_ALLOWED", message);
    }
    for (key, most) in [("contexts", 2), ("integration_types", 1)] {
        let known = |value: &Value| value.as_u64().is_some_and(|value| value <= most);
        if command[key].as_array().is_some_and(|list| !list.iter().all(known)) {
            faults.add(format!("{path}.{key}"), "BASE_TYPE_CHOICES", format!("Values must be 0 to {most}."));
        }
    }
    let bits = &command["default_member_permissions"];
    if !bits.is_null() && bits.as_str().and_then(|bits| bits.parse::<u64>().ok()).is_none() {
        faults.add(
            format!("{path}.default_member_permissions"),
            "BASE_TYPE_BAD_TYPE",
            "A permission bitset is a decimal string.",
        );
    }
    check_options(&command["options"], path, 0, faults);
    let total = size(command);
    if total > TOTAL {
        faults.add(
            path,
            "APPLICATION_COMMAND_TOO_LARGE",
            format!("Command exceeds maximum size ({TOTAL}): it has {total} characters."),
        );
    }
}

fn check_name(of: &Value, path: &str, strict: bool, faults: &mut Faults) {
    let valid = |name: &str| {
        let right_length = (1..=NAME).contains(&name.chars().count());
        right_length && (!strict || name.chars().all(is_name_character) && name.to_lowercase() == name)
    };
    let mut check = |name: Option<&str>, path: String| match name {
        None => faults.required(path),
        Some(name) if !valid(name) => {
            faults.add(path, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid");
        }
        Some(_) => {}
    };
    check(of["name"].as_str(), format!("{path}.name"));
    for (locale, name) in localized(&of["name_localizations"]) {
        check(name.as_str(), format!("{path}.name_localizations.{locale}"));
    }
    check_locales(&of["name_localizations"], &format!("{path}.name_localizations"), faults);
}

/// The names of unknown languages are the client's own text: they stand in the message, never in a fault's path.
fn check_locales(localizations: &Value, path: &str, faults: &mut Faults) {
    for (locale, _) in localizations.as_object().into_iter().flatten().filter(|(locale, _)| !is_known(locale)) {
        faults.add(path, "BASE_TYPE_CHOICES", format!("{locale:?} is not a known locale."));
    }
}

fn is_known(locale: &str) -> bool {
    LOCALES.split_whitespace().any(|known| known == locale)
}

/// The texts in languages that Discord knows.
fn localized(localizations: &Value) -> impl Iterator<Item = (&String, &Value)> {
    localizations.as_object().into_iter().flatten().filter(|(locale, _)| is_known(locale))
}

/// Letters and numbers of any script, the marks of Devanagari and Thai, and three signs.
fn is_name_character(character: char) -> bool {
    character.is_alphanumeric()
        || "-_'".contains(character)
        || matches!(character, '\u{900}'..='\u{97F}' | '\u{E00}'..='\u{E7F}')
}

fn check_description(of: &Value, path: &str, faults: &mut Faults) {
    let mut check = |text: Option<&str>, path: String| match text {
        None | Some("") => faults.required(path),
        Some(text) if length(text) > DESCRIPTION => faults.bad_length(path, 1, DESCRIPTION),
        Some(_) => {}
    };
    check(of["description"].as_str(), format!("{path}.description"));
    for (locale, text) in localized(&of["description_localizations"]) {
        check(text.as_str(), format!("{path}.description_localizations.{locale}"));
    }
    check_locales(&of["description_localizations"], &format!("{path}.description_localizations"), faults);
}

fn check_options(options: &Value, path: &str, depth: u64, faults: &mut Faults) {
    let list = options.as_array().map_or(&[][..], Vec::as_slice);
    if list.len() > OPTIONS {
        faults.too_long(format!("{path}.options"), OPTIONS);
    }
    let is_nested = |option: &Value| matches!(option["type"].as_u64(), Some(SUB_COMMAND | SUB_COMMAND_GROUP));
    let nested = list.iter().filter(|option| is_nested(option)).count();
    if nested > 0 && nested < list.len() {
        faults.add(
            format!("{path}.options"),
            "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
            "Sub-command and sub-command group option types are mutually exclusive to all other types",
        );
    }
    let mut names = Vec::new();
    let mut optional_seen = false;
    for (at, option) in list.iter().enumerate() {
        let path = format!("{path}.options.{at}");
        check_name(option, &path, true, faults);
        check_description(option, &path, faults);
        if names.contains(&&option["name"]) {
            faults.add(
                format!("{path}.name"),
                "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS",
                "Option name already exists",
            );
        }
        names.push(&option["name"]);
        check_localized_names(option, at, list, &path, faults);
        if is_nested(option) {
            check_nesting(option, &path, depth, faults);
            continue;
        }
        let required = option["required"].as_bool().unwrap_or_default();
        if required && optional_seen {
            faults.add(
                path.clone(),
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                "Required options must be placed before non-required options",
            );
        }
        optional_seen |= !required;
        check_plain_option(option, &path, faults);
    }
}

/// In no language may two options have one name; where one has no name in it, its own counts
/// (<https://discord.com/developers/docs/interactions/application-commands#localization>).
fn check_localized_names(option: &Value, at: usize, list: &[Value], path: &str, faults: &mut Faults) {
    for (locale, name) in localized(&option["name_localizations"]) {
        let others = list.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, other)| other);
        let mut clashes = others.map(|other| other["name_localizations"].get(locale).unwrap_or(&other["name"]));
        if clashes.any(|other| other == name) {
            faults.add(
                format!("{path}.name_localizations.{locale}"),
                "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS",
                "Option name already exists",
            );
        }
    }
}

/// Command, group, subcommand, options: nothing deeper, and a group holds only subcommands.
fn check_nesting(option: &Value, path: &str, depth: u64, faults: &mut Faults) {
    let group = option["type"] == SUB_COMMAND_GROUP;
    if group && depth > 0 || depth > 1 {
        faults.add(format!("{path}.type"), "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Nested too deeply");
        return;
    }
    let children = option["options"].as_array().map_or(&[][..], Vec::as_slice);
    if group && (children.is_empty() || children.iter().any(|child| child["type"] != SUB_COMMAND)) {
        faults.add(
            format!("{path}.options"),
            "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
            "A sub-command group holds sub-commands only",
        );
    }
    check_options(&option["options"], path, if group { 1 } else { 2 }, faults);
}

fn check_plain_option(option: &Value, path: &str, faults: &mut Faults) {
    let kind = option["type"].as_u64().unwrap_or_default();
    if !(3..=11).contains(&kind) {
        faults.add(
            format!("{path}.type"),
            "BASE_TYPE_CHOICES",
            "Value must be one of (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11).",
        );
        return;
    }
    let takes_choices = matches!(kind, 3 | 4 | 10);
    let choices = option["choices"].as_array().map_or(&[][..], Vec::as_slice);
    let completes = option["autocomplete"].as_bool().unwrap_or_default();
    if (!choices.is_empty() || completes) && !takes_choices || !choices.is_empty() && completes {
        faults.add(
            path,
            "APPLICATION_COMMAND_OPTIONS_CHOICES_INVALID",
            "Choices are for strings and numbers, and exclude autocomplete",
        );
    }
    if choices.len() > CHOICES {
        faults.too_long(format!("{path}.choices"), CHOICES);
    }
    check_choices(choices, kind, &format!("{path}.choices"), faults);
    if option["channel_types"].as_array().is_some_and(|types| !types.is_empty()) && kind != 7 {
        faults.add(format!("{path}.channel_types"), "BASE_TYPE_BAD_TYPE", "Only for channel options");
    }
    for key in ["min_length", "max_length"] {
        if !option[key].is_null() && (kind != 3 || option[key].as_u64().is_none_or(|length| length > 6000)) {
            faults.add(format!("{path}.{key}"), "NUMBER_TYPE_MAX", "For strings only, 0 to 6000");
        }
    }
}

/// Checks choices, of an option or of an autocomplete answer.
pub(crate) fn check_choices(choices: &[Value], kind: u64, path: &str, faults: &mut Faults) {
    for (at, choice) in choices.iter().enumerate() {
        let name = choice["name"].as_str().unwrap_or_default();
        if !(1..=CHOICE_TEXT).contains(&length(name)) {
            faults.bad_length(format!("{path}.{at}.name"), 1, CHOICE_TEXT);
        }
        let value = &choice["value"];
        let right = match kind {
            3 => value.is_string(),
            4 => value.as_i64().is_some(),
            _ => value.is_number(),
        };
        if !right {
            faults.add(format!("{path}.{at}.value"), "BASE_TYPE_BAD_TYPE", "The value must have the option's type");
        }
        if value.as_str().is_some_and(|text| length(text) > CHOICE_TEXT) {
            faults.bad_length(format!("{path}.{at}.value"), 1, CHOICE_TEXT);
        }
    }
}

/// Characters counted towards the 8000: the longest localization of each text counts.
fn size(of: &Value) -> usize {
    let longest = |text: &Value, localizations: &Value| {
        let own = text.as_str().map_or(0, length);
        localizations
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(_, text)| text.as_str())
            .map(length)
            .fold(own, usize::max)
    };
    let list = |key: &str| of[key].as_array().map_or(&[][..], Vec::as_slice);
    longest(&of["name"], &of["name_localizations"])
        + longest(&of["description"], &of["description_localizations"])
        + list("choices").iter().map(|choice| choice["value"].as_str().map_or(0, length)).sum::<usize>()
        + list("options").iter().map(size).sum::<usize>()
}
