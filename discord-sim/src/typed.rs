//! A slash command as a person types it: found among the registered ones, its options checked as Discord's client does,
//! its ids resolved.

use serde_json::{Map, Value, json};

use crate::permissions;
use crate::rules::commands::kind_of;
use crate::rules::mentions::snowflake;
use crate::view::{Actor, CommandError};
use crate::wire;
use crate::world::World;

/// Option types that are a sub-command or a group of them.
const SUB_COMMAND_DEPTH: [u64; 2] = [1, 2];

/// What the ids of a command's options stand for.
#[derive(Default)]
pub(crate) struct Resolved(pub(crate) Map<String, Value>);

impl Resolved {
    fn put(&mut self, kind: &str, id: u64, value: Value) {
        let map = self.0.entry(kind).or_insert_with(|| json!({}));
        map[id.to_string()] = value;
    }

    pub(crate) fn user(&mut self, world: &World, by: Actor, id: &str) -> Result<(), CommandError> {
        let bad = || CommandError::BadOption(format!("there is no user {id}"));
        let user = id.parse().ok().filter(|user| world.users.contains_key(user)).ok_or_else(bad)?;
        self.put("users", user, wire::user(world, user));
        if let Some(guild) = world.guilds.get(&by.guild).filter(|guild| guild.members.contains_key(&user)) {
            let mut member = wire::member(world, guild, user, false);
            member["permissions"] = json!(permissions::in_channel(world, user, by.channel).to_string());
            self.put("members", user, member);
        }
        Ok(())
    }

    pub(crate) fn role(&mut self, world: &World, by: Actor, id: &str) -> Result<(), CommandError> {
        let bad = || CommandError::BadOption(format!("there is no role {id}"));
        let guild = world.guilds.get(&by.guild).ok_or_else(bad)?;
        let role = guild.roles.iter().find(|role| role.id.to_string() == id).ok_or_else(bad)?;
        self.put("roles", role.id, wire::role(guild, role));
        Ok(())
    }

    pub(crate) fn channel(&mut self, world: &World, by: Actor, id: &str, types: &Value) -> Result<(), CommandError> {
        let bad = |why: &str| CommandError::BadOption(format!("{why}: channel {id}"));
        let found = id.parse::<u64>().ok().and_then(|id| world.channels.get(&id));
        let channel = found.filter(|channel| channel.guild == by.guild).ok_or_else(|| bad("not in this guild"))?;
        let kind = wire::channel_type(channel.kind);
        if types.as_array().is_some_and(|types| !types.is_empty() && !types.contains(&json!(kind))) {
            return Err(bad("its type is not offered"));
        }
        if permissions::in_channel(world, by.user, channel.id) & permissions::VIEW_CHANNEL == 0 {
            return Err(bad("the person cannot see it"));
        }
        self.put("channels", channel.id, wire::resolved_channel(world, channel, by.user));
        Ok(())
    }
}

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
        let first = steps.next()?;
        let of_guild = world.guild_commands.get(&self.by.guild).into_iter().flatten();
        let mut all = of_guild.chain(&world.commands).filter(|command| kind_of(command) == 1);
        let command = all.find(|command| command["name"] == first)?;
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
        if checked && !self.is_permitted(world, &command) {
            return Err(CommandError::NotPermitted);
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

    fn is_permitted(&self, world: &World, command: &Value) -> bool {
        let has = permissions::in_channel(world, self.by.user, self.by.channel);
        match snowflake(&command["default_member_permissions"]) {
            None => true,
            Some(0) => has & permissions::ADMINISTRATOR != 0,
            Some(needed) => has & needed == needed,
        }
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
            4 if value.as_i64().is_none() => return bad("a whole number is expected"),
            5 if !value.is_boolean() => return bad("true or false is expected"),
            10 if !value.is_number() => return bad("a number is expected"),
            6 => resolved.user(world, self.by, &id())?,
            7 => resolved.channel(world, self.by, &id(), &option["channel_types"])?,
            8 => resolved.role(world, self.by, &id())?,
            9 if resolved.role(world, self.by, &id()).is_err() => resolved.user(world, self.by, &id())?,
            11 => return bad("attachments are not simulated"),
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
        Ok(if matches!(type_of(option), 6..=9) { json!(id()) } else { value.clone() })
    }
}

pub(crate) fn option_of(leaf: &Value, name: &str) -> Option<Value> {
    leaf["options"].as_array()?.iter().find(|option| option["name"] == name).cloned()
}

pub(crate) fn type_of(of: &Value) -> u64 {
    of["type"].as_u64().unwrap_or_default()
}
