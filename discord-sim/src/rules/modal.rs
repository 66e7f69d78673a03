//! A modal: its title, and what a person can fill in
//! (<https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object-modal>).

use serde_json::{Value, json};

use super::controls::{Controls, Place, with_ids};
use crate::refusal::{Faults, Refusal};

const CUSTOM_ID: usize = 100;
const TITLE: usize = 45;
const COMPONENTS: usize = 5;
const LABEL: usize = 45;
const TEXT: usize = 4000;
const GROUP: usize = 10;

/// Checks a modal and gives it as it is shown, each component with its id.
pub(crate) fn check(data: &Value) -> Result<Value, Refusal> {
    let mut faults = Faults::default();
    let mut controls = Controls::new(&mut faults);
    controls.text(data, "custom_id", "data", (1, CUSTOM_ID));
    controls.text(data, "title", "data", (1, TITLE));
    let components = data["components"].as_array().map_or(&[][..], Vec::as_slice);
    if !(1..=COMPONENTS).contains(&components.len()) {
        controls.faults.bad_length("data.components", 1, COMPONENTS);
    }
    for (at, component) in components.iter().enumerate() {
        let path = format!("data.components.{at}");
        match component["type"].as_u64() {
            // The older form, for text inputs only.
            Some(1) => check_row(component, &path, &mut controls),
            Some(10) => controls.text(component, "content", &path, (1, TEXT)),
            Some(18) => check_label(component, &path, &mut controls),
            _ => controls.bad_type(&path, "1, 10, 18"),
        }
    }
    faults.into_result()?;
    let mut shown = data.clone();
    shown["components"] = with_ids(&json!(components));
    Ok(shown)
}

fn check_row(row: &Value, path: &str, controls: &mut Controls<'_>) {
    match row["components"].as_array().map_or(&[][..], Vec::as_slice) {
        [input] if input["type"] == 4 => {
            let path = format!("{path}.components.0");
            controls.text(input, "label", &path, (1, LABEL));
            check_text_input(input, &path, controls);
        }
        [_] => controls.bad_type(&format!("{path}.components.0"), "4,"),
        _ => controls.faults.bad_length(format!("{path}.components"), 1, 1),
    }
}

/// <https://discord.com/developers/docs/components/reference#label>
fn check_label(label: &Value, path: &str, controls: &mut Controls<'_>) {
    controls.text(label, "label", path, (1, LABEL));
    controls.optional_text(label, "description", path, 100);
    let (component, path) = (&label["component"], format!("{path}.component"));
    match component["type"].as_u64() {
        Some(3 | 5..=8) => controls.select(component, &path, Place::Modal),
        Some(4) => check_text_input(component, &path, controls),
        Some(19) => {
            controls.custom_id(component, &path);
            check_amount(component, &path, 1, controls);
        }
        Some(21) => {
            controls.custom_id(component, &path);
            controls.options(component, &path, (2, GROUP), 1);
        }
        Some(22) => {
            controls.custom_id(component, &path);
            let options = component["options"].as_array().map_or(0, Vec::len);
            let most = check_amount(component, &path, options.min(GROUP) as u64, controls);
            controls.options(component, &path, (1, GROUP), most);
        }
        Some(23) => controls.custom_id(component, &path),
        _ if component.is_null() => controls.faults.required(path),
        _ => controls.bad_type(&path, "3, 4, 5, 6, 7, 8, 19, 21, 22, 23"),
    }
}

/// How many of up to ten; gives the most.
fn check_amount(of: &Value, path: &str, default_most: u64, controls: &mut Controls<'_>) -> u64 {
    let least = controls.number(of, "min_values", path, (0, GROUP as u64), 1);
    let most = controls.number(of, "max_values", path, (1, GROUP as u64), default_most);
    if least > most {
        let message = "min_values must not be greater than max_values.";
        controls.faults.add(format!("{path}.min_values"), "NUMBER_TYPE_MAX", message);
    }
    controls.no_empty_requirement(of, least, path);
    most
}

/// <https://discord.com/developers/docs/components/reference#text-input>
fn check_text_input(input: &Value, path: &str, controls: &mut Controls<'_>) {
    controls.custom_id(input, path);
    if input["style"].is_null() {
        controls.faults.required(format!("{path}.style"));
    }
    controls.number(input, "style", path, (1, 2), 1);
    let least = controls.number(input, "min_length", path, (0, TEXT as u64), 0);
    let most = controls.number(input, "max_length", path, (1, TEXT as u64), TEXT as u64);
    if least > most {
        let message = "min_length must not be greater than max_length.";
        controls.faults.add(format!("{path}.min_length"), "NUMBER_TYPE_MAX", message);
    }
    controls.text(input, "value", path, (0, TEXT));
    controls.text(input, "placeholder", path, (0, 100));
}
