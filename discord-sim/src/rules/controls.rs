//! What messages and modals share of their components: buttons, selects, custom ids, texts
//! (<https://discord.com/developers/docs/components/reference>).

use serde_json::{Value, json};

use super::length;
use crate::refusal::Faults;

const CUSTOM_ID: usize = 100;
const BUTTON_LABEL: usize = 80;
const LINK: usize = 512;
const OPTIONS: usize = 25;
const OPTION_TEXT: usize = 100;
const PLACEHOLDER: usize = 150;

/// Where a select stands; a modal's may be left empty if it says so, and none is disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Message,
    Modal,
}

/// A check of one message's or modal's components: what is wrong, and the custom ids seen so far.
pub(crate) struct Controls<'a> {
    pub(crate) faults: &'a mut Faults,
    custom_ids: Vec<String>,
}

impl<'a> Controls<'a> {
    pub(crate) fn new(faults: &'a mut Faults) -> Self {
        Self { faults, custom_ids: Vec::new() }
    }

    /// A text of this many UTF-16 units.
    pub(crate) fn text(&mut self, of: &Value, key: &str, path: &str, (least, most): (usize, usize)) {
        let path = format!("{path}.{key}");
        match &of[key] {
            Value::Null if least > 0 => self.faults.required(path),
            Value::Null => {}
            Value::String(text) if (least..=most).contains(&length(text)) => {}
            Value::String(_) if least == 0 => self.faults.too_long(path, most),
            Value::String(_) => self.faults.bad_length(path, least, most),
            _ => self.faults.add(path, "STRING_TYPE_CONVERT", "Could not interpret value as string."),
        }
    }

    /// A text that may be left out, but not be empty or longer than this.
    pub(crate) fn optional_text(&mut self, of: &Value, key: &str, path: &str, most: usize) {
        if !of[key].is_null() {
            self.text(of, key, path, (1, most));
        }
    }

    /// A whole number within bounds; the default if it is left out or wrong.
    pub(crate) fn number(&mut self, of: &Value, key: &str, path: &str, bounds: (u64, u64), default: u64) -> u64 {
        let (least, most) = bounds;
        match &of[key] {
            Value::Null => default,
            given if given.as_u64().is_some_and(|number| (least..=most).contains(&number)) => {
                given.as_u64().unwrap_or(default)
            }
            _ => {
                let message = format!("int value should be between {least} and {most}.");
                self.faults.add(format!("{path}.{key}"), "NUMBER_TYPE_MAX", message);
                default
            }
        }
    }

    pub(crate) fn bad_type(&mut self, path: &str, allowed: &str) {
        let message = format!("Value of field \"type\" must be one of ({allowed}).");
        self.faults.add(format!("{path}.type"), "BASE_TYPE_CHOICES", message);
    }

    /// 1 to 100 characters, each only once.
    pub(crate) fn custom_id(&mut self, component: &Value, path: &str) {
        self.text(component, "custom_id", path, (1, CUSTOM_ID));
        let Some(id) = component["custom_id"].as_str() else { return };
        if self.custom_ids.iter().any(|other| other == id) {
            self.faults.add(
                format!("{path}.custom_id"),
                "COMPONENT_CUSTOM_ID_DUPLICATED",
                "Component custom id cannot be duplicated",
            );
        }
        self.custom_ids.push(id.to_owned());
    }

    /// <https://discord.com/developers/docs/components/reference#button>
    pub(crate) fn button(&mut self, button: &Value, path: &str) {
        let style = button["style"].as_u64().unwrap_or_default();
        let forbidden: &[&str] = match style {
            1..=4 => &["url", "sku_id"],
            5 => &["custom_id", "sku_id"],
            6 => &["custom_id", "label", "url", "emoji"],
            _ => {
                let message = "Value must be one of (1, 2, 3, 4, 5, 6).";
                self.faults.add(format!("{path}.style"), "BASE_TYPE_CHOICES", message);
                return;
            }
        };
        for key in forbidden.iter().filter(|key| !button[**key].is_null()) {
            let message = format!("A button of style {style} has no {key}");
            self.faults.add(format!("{path}.{key}"), "BUTTON_COMPONENT_FIELD_FORBIDDEN", message);
        }
        match style {
            5 => self.link(button, path),
            6 if super::mentions::snowflake(&button["sku_id"]).is_none() => {
                self.faults.required(format!("{path}.sku_id"));
            }
            6 => {}
            _ => self.custom_id(button, path),
        }
        self.text(button, "label", path, (0, BUTTON_LABEL));
        let blank = button["label"].as_str().is_none_or(str::is_empty) && button["emoji"].is_null();
        if style != 6 && blank {
            self.faults.add(path, "BUTTON_COMPONENT_INVALID_LABEL", "A label or an emoji is required");
        }
    }

    fn link(&mut self, button: &Value, path: &str) {
        self.text(button, "url", path, (1, LINK));
        let known = |url: &str| ["http://", "https://", "discord://"].iter().any(|scheme| url.starts_with(scheme));
        if button["url"].as_str().is_some_and(|url| !known(url)) {
            let message = "Scheme must be one of ('http', 'https', 'discord').";
            self.faults.add(format!("{path}.url"), "URL_TYPE_INVALID_SCHEME", message);
        }
    }

    /// A select of any of the five kinds.
    pub(crate) fn select(&mut self, select: &Value, path: &str, place: Place) {
        self.custom_id(select, path);
        self.text(select, "placeholder", path, (0, PLACEHOLDER));
        let least = self.number(select, "min_values", path, (0, 25), 1);
        let most = self.number(select, "max_values", path, (1, 25), 1);
        if least > most {
            let message = "min_values must not be greater than max_values.";
            self.faults.add(format!("{path}.min_values"), "NUMBER_TYPE_MAX", message);
        }
        if place == Place::Modal {
            self.no_empty_requirement(select, least, path);
            if select["disabled"] == true {
                let message = "A component of a modal cannot be disabled";
                self.faults.add(format!("{path}.disabled"), "COMPONENT_DISABLED_IN_MODAL", message);
            }
        }
        if select["type"] == 3 {
            self.options(select, path, (1, OPTIONS), most);
        } else {
            self.default_values(select, path, (least, most));
        }
    }

    /// What must be answered cannot allow nothing.
    pub(crate) fn no_empty_requirement(&mut self, component: &Value, least: u64, path: &str) {
        if least == 0 && component["required"] != false {
            let message = "min_values must be at least 1 unless required is false";
            self.faults.add(format!("{path}.min_values"), "COMPONENT_REQUIRED_MIN_VALUES", message);
        }
    }

    /// The options of a string select or of a group, of which so many may be chosen.
    pub(crate) fn options(&mut self, of: &Value, path: &str, (fewest, limit): (usize, usize), most: u64) {
        let options = of["options"].as_array().map_or(&[][..], Vec::as_slice);
        if !(fewest..=limit).contains(&options.len()) {
            self.faults.bad_length(format!("{path}.options"), fewest, limit);
        }
        if most > options.len() as u64 {
            let message = format!("There are only {} options.", options.len());
            self.faults.add(format!("{path}.max_values"), "NUMBER_TYPE_MAX", message);
        }
        if options.iter().filter(|option| option["default"] == true).count() as u64 > most {
            let message = "More options are default than may be chosen";
            self.faults.add(format!("{path}.options"), "SELECT_COMPONENT_TOO_MANY_DEFAULTS", message);
        }
        let mut values = Vec::new();
        for (at, option) in options.iter().enumerate() {
            let path = format!("{path}.options.{at}");
            self.text(option, "label", &path, (1, OPTION_TEXT));
            self.text(option, "value", &path, (1, OPTION_TEXT));
            self.text(option, "description", &path, (0, OPTION_TEXT));
            if values.contains(&&option["value"]) {
                let message = "The specified option value is already used";
                self.faults.add(format!("{path}.value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", message);
            }
            values.push(&option["value"]);
        }
    }

    /// As many as may be chosen, each of the select's kind.
    fn default_values(&mut self, select: &Value, path: &str, (least, most): (u64, u64)) {
        let kinds: &[&str] = match select["type"].as_u64() {
            Some(5) => &["user"],
            Some(6) => &["role"],
            Some(7) => &["user", "role"],
            _ => &["channel"],
        };
        let defaults = select["default_values"].as_array().map_or(&[][..], Vec::as_slice);
        if !defaults.is_empty() && !(least..=most).contains(&(defaults.len() as u64)) {
            let (least, most) = (usize::try_from(least).unwrap_or(0), usize::try_from(most).unwrap_or(OPTIONS));
            self.faults.bad_length(format!("{path}.default_values"), least, most);
        }
        for (at, default) in defaults.iter().enumerate() {
            let path = format!("{path}.default_values.{at}");
            if !kinds.iter().any(|kind| default["type"] == *kind) {
                self.faults.add(format!("{path}.type"), "BASE_TYPE_CHOICES", format!("Must be one of {kinds:?}."));
            }
            if super::mentions::snowflake(&default["id"]).is_none() {
                self.faults.add(format!("{path}.id"), "NUMBER_TYPE_COERCE", "Value is not snowflake.");
            }
        }
    }
}

/// Every component within, each before those it holds.
pub(crate) fn each<'a>(components: &'a Value, visit: &mut impl FnMut(&'a Value)) {
    match components {
        Value::Array(list) => list.iter().for_each(|component| each(component, visit)),
        Value::Object(map) => {
            visit(components);
            for key in ["components", "component", "accessory"] {
                map.get(key).into_iter().for_each(|children| each(children, visit));
            }
        }
        _ => {}
    }
}

/// Gives every component without an id the next free one, in order
/// (<https://discord.com/developers/docs/components/reference#anatomy-of-a-component>).
pub(crate) fn with_ids(components: &Value) -> Value {
    let mut taken = Vec::new();
    each(components, &mut |component| taken.extend(component["id"].as_u64().filter(|&id| id != 0)));
    let mut numbered = components.clone();
    number(&mut numbered, &taken, &mut 0);
    numbered
}

fn number(components: &mut Value, taken: &[u64], latest: &mut u64) {
    match components {
        Value::Array(list) => list.iter_mut().for_each(|component| number(component, taken, latest)),
        Value::Object(map) => {
            if map.get("id").and_then(Value::as_u64).unwrap_or_default() == 0 {
                *latest += 1;
                while taken.contains(latest) {
                    *latest += 1;
                }
                map.insert("id".to_owned(), json!(*latest));
            }
            for key in ["components", "component", "accessory"] {
                map.get_mut(key).into_iter().for_each(|children| number(children, taken, latest));
            }
        }
        _ => {}
    }
}

/// The component with this custom id, wherever it stands.
pub(crate) fn find<'a>(components: &'a Value, custom_id: &str) -> Option<&'a Value> {
    let mut found = None;
    each(components, &mut |component| {
        if component["custom_id"] == custom_id {
            found = found.or(Some(component));
        }
    });
    found
}
