//! A slash command as a person types it: found among the registered ones, its options checked as Discord's client does,
//! its ids resolved.

use serde_json::{Value, json};

use crate::offered;
use crate::resolved::{Resolved, type_of};
use crate::view::{Actor, CommandError};
use crate::world::World;

/// Option types that are a sub-command or a group of them.
const SUB_COMMAND_DEPTH: [u64; 2] = [1, 2];

/// Numbers are sent between -2^53 and 2^53
/// (<https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-type>).
const MOST: u64 = 1 << 53;

/// A slash command as it stands in the input line.
pub(crate) struct Typed<'a> {
    pub(crate) by: Actor,
    pub(crate) name: &'a str,
    pub(crate) options: &'a [(&'a str, Value)],
    /// The option being completed, and what is typed there.
    pub(crate) focused: Option<(&'a str, &'a str)>,
}

impl Typed<'_> {
    /// The registered command and the (sub)command within it that is named.
    pub(crate) fn leaf(&self, world: &World) -> Option<(Value, Value)> {
        let mut steps = self.name.split_whitespace();
        let command = offered::find(world, self.by.guild, 1, steps.next()?)?;
        let mut leaf = command;
        for step in steps {
            leaf = leaf["options"]
                .as_array()?
                .iter()
                .find(|of| of["name"] == step && SUB_COMMAND_DEPTH.contains(&type_of(of)))?;
        }
        let unfinished =
            leaf["options"].as_array().into_iter().flatten().any(|of| SUB_COMMAND_DEPTH.contains(&type_of(of)));
        (!unfinished).then(|| (command.clone(), leaf.clone()))
    }

    pub(crate) fn data(&self, world: &World, checked: bool) -> Result<Value, CommandError> {
        let (command, leaf) = self.leaf(world).ok_or(CommandError::Unknown)?;
        if checked {
            offered::check(world, self.by, &command)?;
        }
        let mut resolved = Resolved::default();
        let mut given = Vec::new();
        for (name, value) in self.options {
            let option =
                option_of(&leaf, name).ok_or_else(|| CommandError::BadOption(format!("there is no option {name}")))?;
            let kind = type_of(&option);
            // While something is completed, the other options may be unfinished.
            let value = self.value(world, &option, value, &mut resolved)?;
            given.push(json!({ "name": name, "type": kind, "value": value }));
        }
        if let Some((name, typed)) = self.focused {
            let option = option_of(&leaf, name)
                .filter(|option| option["autocomplete"] == true)
                .ok_or_else(|| CommandError::BadOption(format!("{name} does not complete")))?;
            given.push(json!({ "name": name, "type": type_of(&option), "value": typed, "focused": true }));
        } else {
            let is_missing = |option: &&Value| {
                option["required"] == true && !self.options.iter().any(|(name, _)| option["name"] == *name)
            };
            if let Some(missing) = leaf["options"].as_array().into_iter().flatten().find(is_missing) {
                return Err(CommandError::BadOption(format!("{} is required", missing["name"])));
            }
        }
        let mut options = json!(given);
        let path: Vec<&str> = self.name.split_whitespace().skip(1).collect();
        for (depth, step) in path.iter().enumerate().rev() {
            let kind = if depth + 1 == path.len() { 1 } else { 2 };
            options = json!([{ "name": step, "type": kind, "options": options }]);
        }
        let mut data = json!({ "id": command["id"], "name": command["name"], "type": 1, "options": options });
        if !resolved.0.is_empty() {
            data["resolved"] = Value::Object(resolved.0);
        }
        if let Some(guild) = command.get("guild_id") {
            data["guild_id"] = guild.clone();
        }
        Ok(data)
    }

    /// The value as Discord sends it, or why its client would not.
    fn value(
        &self,
        world: &World,
        option: &Value,
        value: &Value,
        resolved: &mut Resolved,
    ) -> Result<Value, CommandError> {
        let bad = |why: &str| Err(CommandError::BadOption(format!("{}: {why}", option["name"])));
        let id = || {
            value
                .as_str()
                .map(ToOwned::to_owned)
                .or_else(|| value.as_u64().map(|id| id.to_string()))
                .unwrap_or_default()
        };
        match type_of(option) {
            3 => {
                let Some(text) = value.as_str() else { return bad("a text is expected") };
                let units = text.encode_utf16().count() as u64;
                let most = option["max_length"].as_u64().unwrap_or(6000);
                if units < option["min_length"].as_u64().unwrap_or(0) || units > most {
                    return bad("its length is not allowed");
                }
            }
            4 if value.as_i64().is_none_or(|number| number.unsigned_abs() > MOST) => {
                return bad("a whole number is expected");
            }
            5 if !value.is_boolean() => return bad("true or false is expected"),
            10 if value.as_f64().is_none_or(|number| number.abs() > 9_007_199_254_740_992.0) => {
                return bad("a number is expected");
            }
            6 => resolved.user(world, self.by, &id())?,
            7 => resolved.channel(world, self.by, &id(), &option["channel_types"])?,
            8 => resolved.role(world, self.by, &id())?,
            9 => resolved.mentionable(world, self.by, &id())?,
            11 => resolved.attachment(world, &id())?,
            _ => {}
        }
        if let Some(number) = value.as_f64() {
            let least = option["min_value"].as_f64().unwrap_or(f64::MIN);
            let most = option["max_value"].as_f64().unwrap_or(f64::MAX);
            if !(least..=most).contains(&number) {
                return bad("it is out of range");
            }
        }
        let choices = option["choices"].as_array().map_or(&[][..], Vec::as_slice);
        if !choices.is_empty() && !choices.iter().any(|choice| &choice["value"] == value) {
            return bad("it is not one of the choices");
        }
        Ok(if matches!(type_of(option), 6..=9 | 11) { json!(id()) } else { value.clone() })
    }
}

pub(crate) fn option_of(leaf: &Value, name: &str) -> Option<Value> {
    leaf["options"].as_array()?.iter().find(|option| option["name"] == name).cloned()
}
