//! A message's components: rows of buttons and selects, or with `IS_COMPONENTS_V2` the whole layout
//! (<https://discord.com/developers/docs/components/reference>).

use serde_json::{Value, json};

use super::controls::{Controls, Place, each, with_ids};
use super::length;
use super::message::FLAG_COMPONENTS_V2;
use crate::refusal::Faults;

const ROWS: usize = 5;
const BUTTONS: usize = 5;
/// Components of a V2 message, nested ones too.
const V2_COMPONENTS: usize = 40;
/// Text of a V2 message over all of its displays (<https://github.com/discord/discord-api-docs/pull/8562>).
const V2_TEXT: usize = 4000;
const DESCRIPTION: usize = 1024;
const GALLERY: usize = 10;
const SECTION: usize = 3;

/// Checks the `components` of a body and gives them as they will be stored, each with its id.
pub(crate) fn check(components: &Value, flags: u64, faults: &mut Faults) -> Value {
    let list = match components {
        Value::Null => return json!([]),
        Value::Array(list) => list,
        _ => {
            faults.add("components", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType");
            return json!([]);
        }
    };
    let mut controls = Controls::new(faults);
    if flags & FLAG_COMPONENTS_V2 != 0 {
        check_size(components, &mut controls);
        for (at, component) in list.iter().enumerate() {
            let path = format!("components.{at}");
            match component["type"].as_u64() {
                Some(17) => check_container(component, &path, &mut controls),
                _ => check_part(component, &path, "1, 9, 10, 12, 13, 14, 17", &mut controls),
            }
        }
        return with_ids(components);
    }
    if list.len() > ROWS {
        controls.faults.bad_length("components", 1, ROWS);
    }
    for (at, row) in list.iter().enumerate() {
        let path = format!("components.{at}");
        if row["type"] == 1 { check_row(row, &path, &mut controls) } else { controls.bad_type(&path, "1,") }
    }
    with_ids(components)
}

/// The limits that count over the whole layout.
fn check_size(components: &Value, controls: &mut Controls<'_>) {
    let (mut count, mut text) = (0, 0);
    each(components, &mut |component| {
        count += 1;
        if component["type"] == 10 {
            text += component["content"].as_str().map_or(0, length);
        }
    });
    if count > V2_COMPONENTS {
        controls.faults.too_long("components", V2_COMPONENTS);
    }
    if text > V2_TEXT {
        let message = format!("The text of all components together must be {V2_TEXT} or fewer in length.");
        controls.faults.add("components", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", message);
    }
}

/// Rows of up to five buttons, or of one select.
fn check_row(row: &Value, path: &str, controls: &mut Controls<'_>) {
    let children = children(row);
    let selects = children.iter().filter(|child| matches!(child["type"].as_u64(), Some(3 | 5..=8))).count();
    let most = if selects > 0 { 1 } else { BUTTONS };
    if children.is_empty() || children.len() > most {
        controls.faults.bad_length(format!("{path}.components"), 1, most);
    }
    for (at, child) in children.iter().enumerate() {
        let path = format!("{path}.components.{at}");
        match child["type"].as_u64() {
            Some(2) => controls.button(child, &path),
            Some(3 | 5..=8) => controls.select(child, &path, Place::Message),
            _ => controls.bad_type(&path, "2, 3, 5, 6, 7, 8"),
        }
    }
}

fn check_container(container: &Value, path: &str, controls: &mut Controls<'_>) {
    controls.number(container, "accent_color", path, (0, 0x00FF_FFFF), 0);
    if children(container).is_empty() {
        controls.faults.required(format!("{path}.components"));
    }
    for (at, child) in children(container).iter().enumerate() {
        check_part(child, &format!("{path}.components.{at}"), "1, 9, 10, 12, 13, 14", controls);
    }
}

/// What stands in a V2 message or in a container of one.
fn check_part(part: &Value, path: &str, allowed: &str, controls: &mut Controls<'_>) {
    match part["type"].as_u64() {
        Some(1) => check_row(part, path, controls),
        Some(9) => check_section(part, path, controls),
        Some(10) => controls.text(part, "content", path, (1, V2_TEXT)),
        Some(12) => check_gallery(part, path, controls),
        Some(13) => {
            // Only a file that came with the message: https://discord.com/developers/docs/components/reference#file
            if !part["file"]["url"].as_str().is_some_and(|url| url.starts_with("attachment://")) {
                let message = "Only attachment://<filename> is taken here";
                controls.faults.add(format!("{path}.file.url"), "URL_TYPE_INVALID_SCHEME", message);
            }
        }
        Some(14) => {
            controls.number(part, "spacing", path, (1, 2), 1);
        }
        _ => controls.bad_type(path, allowed),
    }
}

fn check_section(section: &Value, path: &str, controls: &mut Controls<'_>) {
    let texts = children(section);
    if !(1..=SECTION).contains(&texts.len()) {
        controls.faults.bad_length(format!("{path}.components"), 1, SECTION);
    }
    for (at, text) in texts.iter().enumerate() {
        let path = format!("{path}.components.{at}");
        if text["type"] == 10 {
            controls.text(text, "content", &path, (1, V2_TEXT));
        } else {
            controls.bad_type(&path, "10,");
        }
    }
    let (accessory, path) = (&section["accessory"], format!("{path}.accessory"));
    match accessory["type"].as_u64() {
        Some(2) => controls.button(accessory, &path),
        Some(11) => check_media(accessory, &path, controls),
        _ if accessory.is_null() => controls.faults.required(path),
        _ => controls.bad_type(&path, "2, 11"),
    }
}

fn check_gallery(gallery: &Value, path: &str, controls: &mut Controls<'_>) {
    let items = gallery["items"].as_array().map_or(&[][..], Vec::as_slice);
    if !(1..=GALLERY).contains(&items.len()) {
        controls.faults.bad_length(format!("{path}.items"), 1, GALLERY);
    }
    for (at, item) in items.iter().enumerate() {
        check_media(item, &format!("{path}.items.{at}"), controls);
    }
}

/// A picture: from the web, or a file of the message.
fn check_media(of: &Value, path: &str, controls: &mut Controls<'_>) {
    controls.optional_text(of, "description", path, DESCRIPTION);
    let known = |url: &str| ["http://", "https://", "attachment://"].iter().any(|scheme| url.starts_with(scheme));
    match of["media"]["url"].as_str() {
        None => controls.faults.required(format!("{path}.media.url")),
        Some(url) if !known(url) => {
            let message = "Scheme must be one of ('http', 'https', 'attachment').";
            controls.faults.add(format!("{path}.media.url"), "URL_TYPE_INVALID_SCHEME", message);
        }
        Some(_) => {}
    }
}

fn children(of: &Value) -> &[Value] {
    of["components"].as_array().map_or(&[], Vec::as_slice)
}
