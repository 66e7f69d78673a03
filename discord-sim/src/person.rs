//! Acting as a person: slash commands, autocomplete, buttons and selects, with what Discord's own client would refuse
//! (<https://discord.com/developers/docs/interactions/application-commands>).

use serde_json::{Map, Value, json};

use crate::interactions::{Answer, Interaction, Kind};
use crate::permissions;
use crate::rules::commands::kind_of;
use crate::rules::components;
use crate::rules::mentions::snowflake;
use crate::sim::Sim;
use crate::view::{Actor, Choice, CommandError, Embed, Reply};
use crate::wire;
use crate::world::World;

const SUB_COMMAND_DEPTH: [u64; 2] = [1, 2];

impl Sim {
    /// Runs a slash command; `name` is `"status"` or `"notify add"`. Options are name and value: strings, numbers,
    /// bools; channels, roles and users as decimal strings. A deferred answer is waited for.
    pub async fn command(&self, by: Actor, name: &str, options: &[(&str, Value)]) -> Result<Reply, CommandError> {
        self.run_command(by, name, options, true).await
    }

    /// The same without the check of the command's `default_member_permissions`, as after a guild's admin opened it to
    /// everyone.
    pub async fn command_unchecked(
        &self,
        by: Actor,
        name: &str,
        options: &[(&str, Value)],
    ) -> Result<Reply, CommandError> {
        self.run_command(by, name, options, false).await
    }

    async fn run_command(
        &self,
        by: Actor,
        name: &str,
        options: &[(&str, Value)],
        checked: bool,
    ) -> Result<Reply, CommandError> {
        let token = self.change(|world| {
            let typed = Typed { by, name, options, focused: None };
            let data = typed.data(world, checked)?;
            start(world, Kind::Command, by, &data, None, 3)
        })?;
        self.reply(&token).await
    }

    /// Types into an option and gives what is offered; `options` are the others, already filled.
    pub async fn autocomplete(
        &self,
        by: Actor,
        name: &str,
        options: &[(&str, Value)],
        focused: &str,
        typed: &str,
    ) -> Result<Vec<Choice>, CommandError> {
        let token = self.change(|world| {
            let typing = Typed { by, name, options, focused: Some((focused, typed)) };
            let data = typing.data(world, true)?;
            let kind = typing.leaf(world).and_then(|(_, leaf)| option_of(&leaf, focused)).map_or(3, |of| type_of(&of));
            start(world, Kind::Autocomplete, by, &data, None, kind)
        })?;
        let answer = self.first_answer(&token).await?;
        let choices = answer.data["choices"].as_array().cloned().unwrap_or_default();
        Ok(choices
            .iter()
            .map(|choice| Choice {
                name: choice["name"].as_str().unwrap_or_default().to_owned(),
                value: choice["value"].clone(),
            })
            .collect())
    }

    /// Presses a button of an earlier reply.
    pub async fn press(&self, by: Actor, reply: &Reply, custom_id: &str) -> Result<Reply, CommandError> {
        self.use_component(by, reply, custom_id, None).await
    }

    /// Chooses in a select of an earlier reply.
    pub async fn select(
        &self,
        by: Actor,
        reply: &Reply,
        custom_id: &str,
        values: &[&str],
    ) -> Result<Reply, CommandError> {
        self.use_component(by, reply, custom_id, Some(values)).await
    }

    async fn use_component(
        &self,
        by: Actor,
        reply: &Reply,
        custom_id: &str,
        values: Option<&[&str]>,
    ) -> Result<Reply, CommandError> {
        let token = self.change(|world| {
            let message = reply.message.and_then(|id| world.messages.get(&id)).ok_or(CommandError::Unknown)?;
            let component = components::find(&message.raw["components"], custom_id).ok_or(CommandError::Unknown)?;
            let data = component_data(world, by, component, custom_id, values)?;
            start(world, Kind::Component, by, &data, reply.message, 3)
        })?;
        self.reply(&token).await
    }

    /// Fills in a modal (the reply that a command or a button gave) and sends it; values by the inputs' custom ids.
    pub async fn submit(&self, by: Actor, modal: &Reply, values: &[(&str, &str)]) -> Result<Reply, CommandError> {
        let custom_id = modal.raw["custom_id"].as_str().ok_or(CommandError::Unknown)?;
        let mut components = modal.components.clone();
        for (id, value) in values {
            if !fill_in(&mut components, id, value) {
                return Err(CommandError::BadOption((*id).to_owned()));
            }
        }
        let data = json!({ "custom_id": custom_id, "components": components });
        let token = self.change(|world| start(world, Kind::Modal, by, &data, modal.message, 3))?;
        self.reply(&token).await
    }

    /// A message of a channel as something whose buttons can be pressed.
    #[must_use]
    pub fn message_as_reply(&self, message: u64) -> Option<Reply> {
        self.read(|world| world.messages.get(&message).map(|found| reply_from(&found.raw, std::time::Duration::ZERO)))
    }

    async fn first_answer(&self, token: &str) -> Result<Answer, CommandError> {
        let deadline = self.read(|world| world.options.interaction_deadline);
        let answered = |sim: &Self| {
            sim.read(|world| world.interactions.get(token).is_some_and(|interaction| interaction.answer.is_some()))
        };
        let waited = self.wait_until(deadline, "an answer to an interaction", answered).await;
        waited.map_err(|_| CommandError::NoAnswerWithin3Seconds)?;
        let answer = self.read(|world| world.interactions.get(token).and_then(|found| found.answer.clone()));
        answer.ok_or(CommandError::NoAnswerWithin3Seconds)
    }

    /// Waits for the first answer, and for what a deferred one promised.
    async fn reply(&self, token: &str) -> Result<Reply, CommandError> {
        let answer = self.first_answer(token).await?;
        let bound = self.read(|world| world.options.deferred_within);
        let finished = |sim: &Self| {
            sim.read(|world| world.interactions.get(token).is_some_and(|interaction| interaction.finished))
        };
        let waited = self.wait_until(bound, "a deferred answer", finished).await;
        waited.map_err(|_| CommandError::NeverFinished)?;
        self.read(|world| {
            let interaction = world.interactions.get(token).ok_or(CommandError::NeverFinished)?;
            if answer.kind == 9 {
                return Ok(Reply {
                    content: answer.data["title"].as_str().unwrap_or_default().to_owned(),
                    embeds: Vec::new(),
                    ephemeral: true,
                    components: answer.data["components"].clone(),
                    took: answer.took,
                    message: interaction.source,
                    raw: answer.data.clone(),
                });
            }
            // After a deferred update that sent something new, the new message is the answer.
            let shown = match answer.kind {
                6 => interaction.followups.last().copied().or(interaction.original),
                _ => interaction.original,
            };
            let message = shown.and_then(|id| world.messages.get(&id)).ok_or(CommandError::NeverFinished)?;
            Ok(reply_from(&message.raw, answer.took))
        })
    }
}

fn reply_from(raw: &Value, took: std::time::Duration) -> Reply {
    Reply {
        content: raw["content"].as_str().unwrap_or_default().to_owned(),
        embeds: Embed::list(&raw["embeds"]),
        ephemeral: raw["flags"].as_u64().unwrap_or_default() & crate::rules::message::FLAG_EPHEMERAL != 0,
        components: raw["components"].clone(),
        took,
        message: snowflake(&raw["id"]),
        raw: raw.clone(),
    }
}

/// Sets the value of the input with this custom id.
fn fill_in(components: &mut Value, custom_id: &str, value: &str) -> bool {
    match components {
        Value::Array(list) => list.iter_mut().any(|component| fill_in(component, custom_id, value)),
        Value::Object(map) if map.get("custom_id").and_then(Value::as_str) == Some(custom_id) => {
            let key = if map.get("type").and_then(Value::as_u64) == Some(4) { "value" } else { "values" };
            map.insert(key.to_owned(), if key == "value" { json!(value) } else { json!([value]) });
            true
        }
        Value::Object(map) => ["components", "component"]
            .iter()
            .any(|key| map.get_mut(*key).is_some_and(|children| fill_in(children, custom_id, value))),
        _ => false,
    }
}

/// Sends the interaction to the bot and gives its token.
fn start(
    world: &mut World,
    kind: Kind,
    by: Actor,
    data: &Value,
    source: Option<u64>,
    focused_kind: u64,
) -> Result<String, CommandError> {
    if !world.has_bot(by.guild) {
        return Err(CommandError::Unknown);
    }
    if !world.sessions.anyone_serves(by.guild) {
        return Err(CommandError::NotConnected);
    }
    let token = world.random_token();
    let id = world.next_id();
    let mut event = json!({
        "id": id.to_string(), "application_id": world.bot.to_string(), "type": kind as u64, "data": data,
        "guild_id": by.guild.to_string(), "channel_id": by.channel.to_string(), "token": token, "version": 1,
        "app_permissions": permissions::in_channel(world, world.bot, by.channel).to_string(), "locale": "en-US",
        "guild_locale": "en-US", "entitlements": [], "context": 0, "attachment_size_limit": 10_485_760,
        "authorizing_integration_owners": { "0": by.guild.to_string() },
        "guild": { "id": by.guild.to_string(), "locale": "en-US", "features": [] },
    });
    if let Some(guild) = world.guilds.get(&by.guild) {
        let mut member = wire::member(world, guild, by.user, true);
        member["permissions"] = json!(permissions::in_channel(world, by.user, by.channel).to_string());
        event["member"] = member;
    }
    if let Some(channel) = world.channels.get(&by.channel) {
        let mut value = wire::channel(world, channel);
        value["permissions"] = json!(permissions::in_channel(world, by.user, by.channel).to_string());
        event["channel"] = value;
    }
    if let Some(message) = source.and_then(|id| world.messages.get(&id)) {
        event["message"] = message.raw.clone();
    }
    let mut interaction = Interaction::new(id, kind, by);
    interaction.source = source;
    interaction.focused_kind = focused_kind;
    world.interactions.insert(token.clone(), interaction);
    world.sessions.dispatch(by.guild, "INTERACTION_CREATE", &event);
    Ok(token)
}

fn component_data(
    world: &World,
    by: Actor,
    component: &Value,
    custom_id: &str,
    values: Option<&[&str]>,
) -> Result<Value, CommandError> {
    let kind = type_of(component);
    if component["disabled"].as_bool().unwrap_or_default() || (kind == 2) != values.is_none() {
        return Err(CommandError::Unknown);
    }
    let mut data = json!({ "custom_id": custom_id, "component_type": kind });
    let Some(values) = values else { return Ok(data) };
    let least = component["min_values"].as_u64().unwrap_or(1);
    let most = component["max_values"].as_u64().unwrap_or(1);
    if !(least..=most).contains(&(values.len() as u64)) {
        return Err(CommandError::BadOption(format!("{} values where {least} to {most} are taken", values.len())));
    }
    let mut resolved = Resolved::default();
    for value in values {
        let offered =
            component["options"].as_array().is_some_and(|options| options.iter().any(|of| of["value"] == *value));
        match kind {
            3 if !offered => return Err(CommandError::BadOption((*value).to_owned())),
            5 => resolved.user(world, by, value)?,
            6 => resolved.role(world, by, value)?,
            8 => resolved.channel(world, by, value, &component["channel_types"])?,
            _ => {}
        }
    }
    data["values"] = json!(values);
    data["resolved"] = Value::Object(resolved.0);
    Ok(data)
}

/// What the ids of a command's options stand for.
#[derive(Default)]
struct Resolved(Map<String, Value>);

impl Resolved {
    fn put(&mut self, kind: &str, id: u64, value: Value) {
        let map = self.0.entry(kind).or_insert_with(|| json!({}));
        map[id.to_string()] = value;
    }

    fn user(&mut self, world: &World, by: Actor, id: &str) -> Result<(), CommandError> {
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

    fn role(&mut self, world: &World, by: Actor, id: &str) -> Result<(), CommandError> {
        let bad = || CommandError::BadOption(format!("there is no role {id}"));
        let guild = world.guilds.get(&by.guild).ok_or_else(bad)?;
        let role = guild.roles.iter().find(|role| role.id.to_string() == id).ok_or_else(bad)?;
        self.put("roles", role.id, wire::role(guild, role));
        Ok(())
    }

    fn channel(&mut self, world: &World, by: Actor, id: &str, types: &Value) -> Result<(), CommandError> {
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
struct Typed<'a> {
    by: Actor,
    name: &'a str,
    options: &'a [(&'a str, Value)],
    /// The option being completed, and what is typed there.
    focused: Option<(&'a str, &'a str)>,
}

impl Typed<'_> {
    /// The registered command and the (sub)command within it that is named.
    fn leaf(&self, world: &World) -> Option<(Value, Value)> {
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

    fn data(&self, world: &World, checked: bool) -> Result<Value, CommandError> {
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

fn option_of(leaf: &Value, name: &str) -> Option<Value> {
    leaf["options"].as_array()?.iter().find(|option| option["name"] == name).cloned()
}

fn type_of(of: &Value) -> u64 {
    of["type"].as_u64().unwrap_or_default()
}
