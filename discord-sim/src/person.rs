//! Acting as a person: commands, autocomplete, buttons, selects and modals, with what Discord's own client would refuse
//! (<https://discord.com/developers/docs/interactions/application-commands>).

use serde_json::{Value, json};

use crate::filled;
use crate::interactions::{Answer, Kind};
use crate::invocation::{ATTACHMENT_SIZE_LIMIT, Invocation};
use crate::multipart::File;
use crate::offered;
use crate::resolved::{Resolved, type_of};
use crate::rest::attachments;
use crate::rules::controls;
use crate::rules::mentions::snowflake;
use crate::rules::message::FLAG_EPHEMERAL;
use crate::sim::Sim;
use crate::typed::{Typed, option_of};
use crate::view::{Actor, Choice, CommandError, Embed, Message, Reply};
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
            Invocation::new(Kind::Command, by, data, None).send(world)
        })?;
        self.reply(&token).await
    }

    /// Uses a user command: the one of this name in the menu of a user, by the user's id.
    pub async fn user_command(&self, by: Actor, name: &str, user: u64) -> Result<Reply, CommandError> {
        self.menu_command(by, 2, name, user).await
    }

    /// Uses a message command: the one of this name in the menu of a message of the person's channel, by its id.
    pub async fn message_command(&self, by: Actor, name: &str, message: u64) -> Result<Reply, CommandError> {
        self.menu_command(by, 3, name, message).await
    }

    async fn menu_command(&self, by: Actor, kind: u64, name: &str, target: u64) -> Result<Reply, CommandError> {
        let token = self.change(|world| {
            let command = offered::find(world, by.guild, kind, name).ok_or(CommandError::Unknown)?;
            offered::check(world, by, command)?;
            let mut resolved = Resolved::default();
            match kind {
                2 => resolved.user(world, by, &target.to_string())?,
                _ => resolved.message(world, by, target)?,
            }
            let mut data = json!({
                "id": command["id"], "name": command["name"], "type": kind, "target_id": target.to_string(),
                "resolved": resolved.0,
            });
            if let Some(guild) = command.get("guild_id") {
                data["guild_id"] = guild.clone();
            }
            Invocation::new(Kind::Command, by, data, None).send(world)
        })?;
        self.reply(&token).await
    }

    /// The registered commands of all three types that this person is offered in this channel.
    #[must_use]
    pub fn commands_for(&self, by: Actor) -> Vec<Value> {
        self.read(|world| {
            let mut offered: Vec<Value> = Vec::new();
            for command in offered::all(world, by.guild).filter(|command| offered::check(world, by, command).is_ok()) {
                let same = |other: &Value| other["name"] == command["name"] && other["type"] == command["type"];
                if !offered.iter().any(same) {
                    offered.push(command.clone());
                }
            }
            offered
        })
    }

    /// What a guild's admins set for a command in the guild's settings: whether a role, a user or a channel may use it,
    /// or nothing set again. With the bot's own id as `command` it holds for all of them; the guild's id is everyone,
    /// and the guild's id less one all channels.
    pub fn permit_command(&self, guild: u64, command: u64, whom: u64, allowed: Option<bool>) {
        self.change(|world| {
            let kind = match whom {
                _ if world.channels.contains_key(&whom) || whom.checked_add(1) == Some(guild) => 3,
                _ if world.users.contains_key(&whom) => 2,
                _ => 1,
            };
            let entries = world.command_permissions.entry((guild, command)).or_default();
            entries.retain(|entry| snowflake(&entry["id"]) != Some(whom));
            if let Some(allowed) = allowed {
                entries.push(json!({ "id": whom.to_string(), "type": kind, "permission": allowed }));
            }
            let data = json!({
                "id": command.to_string(), "application_id": world.bot.to_string(), "guild_id": guild.to_string(),
                "permissions": entries,
            });
            world.dispatch(guild, "APPLICATION_COMMAND_PERMISSIONS_UPDATE", &data);
        });
    }

    /// The language of a person's client, as in `de`; it is English at first.
    pub fn set_locale(&self, user: u64, locale: &str) {
        self.change(|world| world.clients.locales.insert(user, locale.to_owned()));
    }

    /// Uploads a file of a person, whose id is then the value of an attachment option or of a file upload in a modal.
    /// More than 10 MiB are refused, as Discord's client does.
    pub fn upload(&self, name: &str, bytes: &[u8]) -> Result<u64, CommandError> {
        if bytes.len() > ATTACHMENT_SIZE_LIMIT {
            return Err(CommandError::BadOption(format!("{name} is larger than 10 MiB")));
        }
        Ok(self.change(|world| {
            let file = File { name: name.to_owned(), bytes: bytes.to_vec(), content_type: None, index: None };
            let mut attachment = attachments::keep(world, 0, &file, &Value::Null);
            attachment["ephemeral"] = json!(true);
            let id = snowflake(&attachment["id"]).unwrap_or_default();
            world.clients.uploads.insert(id, attachment);
            id
        }))
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
            Invocation { focused_kind: kind, ..Invocation::new(Kind::Autocomplete, by, data, None) }.send(world)
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
        self.use_component(by, reply, custom_id, None, true).await
    }

    /// Chooses in a select of an earlier reply.
    pub async fn select(
        &self,
        by: Actor,
        reply: &Reply,
        custom_id: &str,
        values: &[&str],
    ) -> Result<Reply, CommandError> {
        self.use_component(by, reply, custom_id, Some(values), true).await
    }

    /// Presses a button (without values) or chooses in a select of a reply that this person does not see, as a client
    /// made by hand might: for a bot that must not take a component for a permission.
    pub async fn use_unseen(
        &self,
        by: Actor,
        reply: &Reply,
        custom_id: &str,
        values: Option<&[&str]>,
    ) -> Result<Reply, CommandError> {
        self.use_component(by, reply, custom_id, values, false).await
    }

    async fn use_component(
        &self,
        by: Actor,
        reply: &Reply,
        custom_id: &str,
        values: Option<&[&str]>,
        seen: bool,
    ) -> Result<Reply, CommandError> {
        let token = self.change(|world| {
            let message =
                reply.message.filter(|&id| !seen || sees(world, by, id)).and_then(|id| world.messages.get(&id));
            let components = &message.ok_or(CommandError::Unknown)?.raw["components"];
            let component = controls::find(components, custom_id).ok_or(CommandError::Unknown)?;
            let data = filled::component_data(world, by, component, values)?;
            Invocation::new(Kind::Component, by, data, reply.message).send(world)
        })?;
        self.reply(&token).await
    }

    /// Fills in a modal (the reply that a command or a button gave) and sends it; values by the inputs' custom ids: a
    /// text for a text input or a radio group, a list of texts for selects, checkbox groups and uploads (their ids), a
    /// bool for a checkbox. What is left out stays as the bot filled it in.
    pub async fn submit<V: Into<Value> + Clone>(
        &self,
        by: Actor,
        modal: &Reply,
        values: &[(&str, V)],
    ) -> Result<Reply, CommandError> {
        if !modal.raw["custom_id"].is_string() {
            return Err(CommandError::Unknown);
        }
        let values = values.iter().map(|(id, value)| ((*id).to_owned(), value.clone().into())).collect();
        let token = self.change(|world| {
            let data = filled::modal_data(world, by, &modal.raw, values)?;
            Invocation::new(Kind::Modal, by, data, modal.message).send(world)
        })?;
        self.reply(&token).await
    }

    /// The messages in a channel that only this person sees, oldest first.
    #[must_use]
    pub fn ephemeral_messages(&self, channel: u64, user: u64) -> Vec<Message> {
        self.read(|world| {
            let mut ids: Vec<u64> = whispers(world, channel, user).collect();
            ids.sort_unstable();
            ids.dedup();
            ids.iter().filter_map(|id| world.messages.get(id)).cloned().collect()
        })
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
    pub(crate) async fn reply(&self, token: &str) -> Result<Reply, CommandError> {
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
        ephemeral: raw["flags"].as_u64().unwrap_or_default() & FLAG_EPHEMERAL != 0,
        components: raw["components"].clone(),
        took,
        message: snowflake(&raw["id"]),
        raw: raw.clone(),
    }
}

/// The ephemeral messages that this person was shown in this channel.
fn whispers(world: &World, channel: u64, user: u64) -> impl Iterator<Item = u64> {
    let theirs = world.interactions.values().filter(move |of| of.actor.channel == channel && of.actor.user == user);
    theirs.flat_map(|of| of.original.iter().chain(&of.followups).copied()).filter(|id| is_ephemeral(world, *id))
}

fn is_ephemeral(world: &World, message: u64) -> bool {
    world.messages.get(&message).is_some_and(|message| message.flags & FLAG_EPHEMERAL != 0)
}

/// Whether the person has this message before their eyes.
fn sees(world: &World, by: Actor, message: u64) -> bool {
    world.shows(by.channel, message) || whispers(world, by.channel, by.user).any(|id| id == message)
}
