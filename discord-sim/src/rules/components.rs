//! Message components: rows, buttons and selects
//! (<https://discord.com/developers/docs/components/reference>).
//!
//! With the flag `IS_COMPONENTS_V2` only the outermost rules are checked: guildwire does not use them.

use serde_json::{Value, json};

use super::length;
use super::message::FLAG_COMPONENTS_V2;
use crate::refusal::Faults;

const ROWS: usize = 5;
const BUTTONS: usize = 5;
const CUSTOM_ID: usize = 100;
const LABEL: usize = 80;
const LINK: usize = 512;
const OPTIONS: usize = 25;
const OPTION_TEXT: usize = 100;
const PLACEHOLDER: usize = 150;
const V2_COMPONENTS: usize = 40;

/// Button style of a link, which has an address instead of a custom id.
const LINK_STYLE: u64 = 5;

/// Checks the `components` of a body and gives them as they will be stored.
pub(crate) fn check(components: &Value, flags: Option<&Value>, faults: &mut Faults) -> Value {
    let rows = match components {
        Value::Null => return json!([]),
        Value::Array(rows) => rows,
        _ => {
            faults.add("components", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType");
            return json!([]);
        }
    };
    if flags.and_then(Value::as_u64).unwrap_or_default() & FLAG_COMPONENTS_V2 != 0 {
        if rows.len() > V2_COMPONENTS {
            faults.too_long("components", V2_COMPONENTS);
        }
        return components.clone();
    }
    if rows.len() > ROWS {
        faults.bad_length("components", 1, ROWS);
    }
    let mut seen = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let path = format!("components.{at}");
        if row["type"] != 1 {
            faults.add(format!("{path}.type"), "BASE_TYPE_CHOICES", "Value of field \"type\" must be one of (1,).");
            continue;
        }
        check_row(row, &path, &mut seen, faults);
    }
    components.clone()
}

fn check_row(row: &Value, path: &str, seen: &mut Vec<String>, faults: &mut Faults) {
    let children = row["components"].as_array().map_or(&[][..], Vec::as_slice);
    let selects = children.iter().filter(|child| matches!(child["type"].as_u64(), Some(3 | 5..=8))).count();
    let most = if selects > 0 { 1 } else { BUTTONS };
    if children.is_empty() || children.len() > most {
        faults.bad_length(format!("{path}.components"), 1, most);
    }
    for (at, child) in children.iter().enumerate() {
        let path = format!("{path}.components.{at}");
        match child["type"].as_u64() {
            Some(2) => check_button(child, &path, seen, faults),
            Some(3 | 5..=8) => check_select(child, &path, seen, faults),
            _ => faults.add(
                format!("{path}.type"),
                "BASE_TYPE_CHOICES",
                "Value of field \"type\" must be one of (2, 3, 5, 6, 7, 8).",
            ),
        }
    }
}

fn custom_id(component: &Value, path: &str, seen: &mut Vec<String>, faults: &mut Faults) {
    let path = format!("{path}.custom_id");
    let Some(id) = component["custom_id"].as_str().filter(|id| !id.is_empty()) else {
        faults.required(path);
        return;
    };
    if length(id) > CUSTOM_ID {
        faults.bad_length(path, 1, CUSTOM_ID);
    } else if seen.iter().any(|other| other == id) {
        faults.add(path, "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated");
    }
    seen.push(id.to_owned());
}

fn check_button(button: &Value, path: &str, seen: &mut Vec<String>, faults: &mut Faults) {
    match button["style"].as_u64() {
        Some(LINK_STYLE) => match button["url"].as_str() {
            None => faults.required(format!("{path}.url")),
            Some(url) if length(url) > LINK => faults.too_long(format!("{path}.url"), LINK),
            Some(_) => {}
        },
        Some(1..=4) => custom_id(button, path, seen, faults),
        _ => faults.add(format!("{path}.style"), "BASE_TYPE_CHOICES", "Value must be one of (1, 2, 3, 4, 5, 6)."),
    }
    let label = button["label"].as_str().unwrap_or_default();
    if label.is_empty() && button["emoji"].is_null() {
        faults.add(path, "BUTTON_COMPONENT_INVALID_LABEL", "A label or an emoji is required");
    } else if length(label) > LABEL {
        faults.too_long(format!("{path}.label"), LABEL);
    }
}

fn check_select(select: &Value, path: &str, seen: &mut Vec<String>, faults: &mut Faults) {
    custom_id(select, path, seen, faults);
    if length(select["placeholder"].as_str().unwrap_or_default()) > PLACEHOLDER {
        faults.too_long(format!("{path}.placeholder"), PLACEHOLDER);
    }
    let options = select["options"].as_array().map_or(&[][..], Vec::as_slice);
    let is_string_select = select["type"] == 3;
    if is_string_select && (options.is_empty() || options.len() > OPTIONS) {
        faults.bad_length(format!("{path}.options"), 1, OPTIONS);
    }
    let least = select["min_values"].as_u64().unwrap_or(1);
    let most = select["max_values"].as_u64().unwrap_or(1);
    let available = if is_string_select { options.len() } else { OPTIONS } as u64;
    if least > most || most > available || most == 0 {
        faults.add(
            format!("{path}.max_values"),
            "NUMBER_TYPE_MAX",
            format!("int value should be between 1 and {available}, and not less than min_values."),
        );
    }
    let mut values = Vec::new();
    for (at, option) in options.iter().enumerate() {
        for key in ["label", "value"] {
            let text = option[key].as_str().unwrap_or_default();
            let path = format!("{path}.options.{at}.{key}");
            if text.is_empty() {
                faults.required(path);
            } else if length(text) > OPTION_TEXT {
                faults.too_long(path, OPTION_TEXT);
            }
        }
        if length(option["description"].as_str().unwrap_or_default()) > OPTION_TEXT {
            faults.too_long(format!("{path}.options.{at}.description"), OPTION_TEXT);
        }
        if values.contains(&&option["value"]) {
            faults.add(
                format!("{path}.options.{at}.value"),
                "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                "The specified option value is already used",
            );
        }
        values.push(&option["value"]);
    }
}

/// The component with this custom id, wherever it stands.
pub(crate) fn find<'a>(components: &'a Value, custom_id: &str) -> Option<&'a Value> {
    match components {
        Value::Array(list) => list.iter().find_map(|component| find(component, custom_id)),
        Value::Object(map) => {
            if map.get("custom_id").and_then(Value::as_str) == Some(custom_id) {
                return Some(components);
            }
            ["components", "component", "accessory"]
                .iter()
                .find_map(|key| map.get(*key).and_then(|children| find(children, custom_id)))
        }
        _ => None,
    }
}
