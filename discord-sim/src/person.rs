//! Acting as a person: slash commands, autocomplete, buttons and selects, with what Discord's own client would refuse
//! (<https://discord.com/developers/docs/interactions/application-commands>).

use serde_json::{Value, json};

use crate::interactions::{Answer, Interaction, Kind};
use crate::permissions;
use crate::rules::components;
use crate::rules::mentions::snowflake;
use crate::sim::Sim;
use crate::typed::{Resolved, Typed, option_of, type_of};
use crate::view::{Actor, Choice, CommandError, Embed, Reply};
use crate::wire;
use crate::world::World;

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
        self.complete(by, name, options, (focused, typed), true).await
    }

    /// The same without the check of the command's `default_member_permissions`, as after a guild's admin opened it to
    /// everyone.
    pub async fn autocomplete_unchecked(
        &self,
        by: Actor,
        name: &str,
        options: &[(&str, Value)],
        focused: &str,
        typed: &str,
    ) -> Result<Vec<Choice>, CommandError> {
        self.complete(by, name, options, (focused, typed), false).await
    }

    async fn complete(
        &self,
        by: Actor,
        name: &str,
        options: &[(&str, Value)],
        (focused, typed): (&str, &str),
        checked: bool,
    ) -> Result<Vec<Choice>, CommandError> {
        let token = self.change(|world| {
            let typing = Typed { by, name, options, focused: Some((focused, typed)) };
            let data = typing.data(world, checked)?;
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
    world.dispatch(by.guild, "INTERACTION_CREATE", &event);
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
