//! What a person chooses in a select and fills into a modal, with what Discord's client would refuse
//! (<https://discord.com/developers/docs/components/reference>).

use serde_json::{Map, Value, json};

use crate::resolved::{Resolved, type_of};
use crate::view::{Actor, CommandError};
use crate::world::World;

/// The data of a pressed button, or of a select with the chosen values.
pub(crate) fn component_data(
    world: &World,
    by: Actor,
    component: &Value,
    values: Option<&[&str]>,
) -> Result<Value, CommandError> {
    let kind = type_of(component);
    if component["disabled"] == true || (kind == 2) != values.is_none() {
        return Err(CommandError::Unknown);
    }
    let mut data = json!({ "custom_id": component["custom_id"], "component_type": kind, "id": component["id"] });
    let Some(values) = values else { return Ok(data) };
    check_count(component, values.len(), 1)?;
    let mut resolved = Resolved::default();
    check_values(world, by, component, values, &mut resolved)?;
    data["values"] = json!(values);
    data["resolved"] = Value::Object(resolved.0);
    Ok(data)
}

/// The data of a modal that was sent; `values` by the inputs' custom ids. What is left out keeps what the bot filled in.
pub(crate) fn modal_data(
    world: &World,
    by: Actor,
    modal: &Value,
    mut values: Map<String, Value>,
) -> Result<Value, CommandError> {
    let mut resolved = Resolved::default();
    let mut components = Vec::new();
    for shown in modal["components"].as_array().into_iter().flatten() {
        let mut sent = json!({ "type": shown["type"], "id": shown["id"] });
        match type_of(shown) {
            1 => {
                let mut inputs = Vec::new();
                for input in shown["components"].as_array().into_iter().flatten() {
                    inputs.push(filled(world, by, input, &mut values, &mut resolved)?);
                }
                sent["components"] = json!(inputs);
            }
            18 => sent["component"] = filled(world, by, &shown["component"], &mut values, &mut resolved)?,
            _ => {}
        }
        components.push(sent);
    }
    if let Some(unknown) = values.keys().next() {
        return Err(CommandError::BadOption(format!("the modal has no {unknown}")));
    }
    let mut data = json!({ "custom_id": modal["custom_id"], "components": components });
    if !resolved.0.is_empty() {
        data["resolved"] = Value::Object(resolved.0);
    }
    Ok(data)
}

/// One input as it is sent.
fn filled(
    world: &World,
    by: Actor,
    input: &Value,
    values: &mut Map<String, Value>,
    resolved: &mut Resolved,
) -> Result<Value, CommandError> {
    let id = input["custom_id"].as_str().unwrap_or_default();
    let given = values.remove(id);
    let refused = |why: &str| CommandError::BadOption(format!("{id}: {why}"));
    let bad = |why: &str| Err(refused(why));
    let mut sent = json!({ "type": input["type"], "id": input["id"], "custom_id": id });
    match type_of(input) {
        4 => {
            let text = given.unwrap_or_else(|| input["value"].clone());
            let Some(text) = text.as_str().or_else(|| text.is_null().then_some("")) else {
                return bad("a text is expected");
            };
            check_text(input, text).map_err(refused)?;
            sent["value"] = json!(text);
        }
        21 => {
            let value = given.unwrap_or_else(|| defaults(input).first().cloned().unwrap_or_default());
            if value.is_null() && input["required"] != false {
                return bad("one has to be chosen");
            }
            if !value.is_null() && !offers(input, &value) {
                return bad("it is not one of the options");
            }
            sent["value"] = value;
        }
        23 => {
            let value = given.unwrap_or_else(|| json!(input["default"] == true));
            if !value.is_boolean() {
                return bad("true or false is expected");
            }
            sent["value"] = value;
        }
        kind => {
            let chosen = match given {
                None => defaults(input),
                Some(Value::Array(list)) => list,
                Some(one) => vec![one],
            };
            let texts: Option<Vec<&str>> = chosen.iter().map(Value::as_str).collect();
            let Some(texts) = texts else { return bad("texts are expected") };
            let most = if kind == 22 { input["options"].as_array().map_or(1, Vec::len) } else { 1 };
            if !(texts.is_empty() && input["required"] == false) {
                check_count(input, texts.len(), most as u64)?;
            }
            check_values(world, by, input, &texts, resolved)?;
            sent["values"] = json!(texts);
        }
    }
    Ok(sent)
}

fn check_text(input: &Value, text: &str) -> Result<(), &'static str> {
    let length = text.encode_utf16().count() as u64;
    if length == 0 {
        return if input["required"] == false { Ok(()) } else { Err("it has to be filled in") };
    }
    if text.contains('\n') && input["style"] == 1 {
        return Err("it takes one line only");
    }
    let least = input["min_length"].as_u64().unwrap_or(0);
    let most = input["max_length"].as_u64().unwrap_or(4000);
    if (least..=most).contains(&length) { Ok(()) } else { Err("its length is not allowed") }
}

/// What is chosen already when a select or a group is shown.
fn defaults(input: &Value) -> Vec<Value> {
    let options = input["options"].as_array().into_iter().flatten();
    let of_options = options.filter(|option| option["default"] == true).map(|option| option["value"].clone());
    let of_select = input["default_values"].as_array().into_iter().flatten().map(|value| value["id"].clone());
    of_options.chain(of_select).collect()
}

fn offers(input: &Value, value: &Value) -> bool {
    input["options"].as_array().is_some_and(|options| options.iter().any(|option| option["value"] == *value))
}

fn check_count(component: &Value, count: usize, default_most: u64) -> Result<(), CommandError> {
    let least = component["min_values"].as_u64().unwrap_or(1);
    let most = component["max_values"].as_u64().unwrap_or(default_most);
    if (least..=most).contains(&(count as u64)) {
        return Ok(());
    }
    let id = component["custom_id"].as_str().unwrap_or_default();
    Err(CommandError::BadOption(format!("{id}: {count} values where {least} to {most} are taken")))
}

/// Whether a person is offered each of these, once.
fn check_values(
    world: &World,
    by: Actor,
    component: &Value,
    values: &[&str],
    resolved: &mut Resolved,
) -> Result<(), CommandError> {
    for (at, &value) in values.iter().enumerate() {
        if values[..at].contains(&value) {
            return Err(CommandError::BadOption(format!("{value} twice")));
        }
        match type_of(component) {
            3 | 22 if !offers(component, &json!(value)) => return Err(CommandError::BadOption(value.to_owned())),
            5 => resolved.user(world, by, value)?,
            6 => resolved.role(world, by, value)?,
            7 => resolved.mentionable(world, by, value)?,
            8 => resolved.channel(world, by, value, &component["channel_types"])?,
            19 => resolved.attachment(world, value)?,
            _ => {}
        }
    }
    Ok(())
}
