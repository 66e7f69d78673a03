//! Webhooks of channels (<https://discord.com/developers/docs/resources/webhook>).

use super::compose::{allowed, guild_of};
use super::guilds::permitted;
use super::{Call, Handled, done, ok};
use crate::permissions::{self, MANAGE_WEBHOOKS};
use crate::refusal::Refusal;
use crate::rules::fields::Fields;
use crate::wire;
use crate::world::{ChannelKind, Webhook, World};

/// Webhooks of one channel (code 30007) and of one guild (code 30058).
const OF_CHANNEL: usize = 15;
const OF_GUILD: usize = 1000;
const NAME: usize = 80;

pub(super) fn unknown() -> Refusal {
    Refusal::new(404, 10015, "Unknown Webhook")
}

/// A name as Discord takes it: 1 to 80 characters, without its own names in it.
pub(super) fn read_name(fields: &mut Fields<'_>, key: &str) -> Option<String> {
    let name = fields.text(key, 1, NAME)?;
    let small = name.to_lowercase();
    for reserved in ["clyde", "discord"] {
        if small.contains(reserved) {
            let message = format!("{key} cannot contain \"{reserved}\"");
            fields.faults.add(key, "USERNAME_INVALID_CONTAINS", message);
        }
    }
    Some(name)
}

/// `POST /channels/{channel}/webhooks`
pub(crate) fn create(world: &mut World, call: &Call) -> Handled {
    let channel = call.id("channel")?;
    allowed(world, channel, MANAGE_WEBHOOKS)?;
    let guild = guild_of(world, channel)?;
    let kind = world.channels.get(&channel).ok_or_else(Refusal::unknown_channel)?.kind;
    if kind.is_thread() || kind == ChannelKind::Category {
        return Err(Refusal::wrong_channel_type());
    }
    let mut fields = Fields::of(call.json());
    if !call.json()["name"].is_string() {
        fields.faults.required("name");
    }
    let name = read_name(&mut fields, "name");
    fields.done()?;
    let of = |wanted: &dyn Fn(&Webhook) -> bool| world.webhooks.values().filter(|webhook| wanted(webhook)).count();
    if of(&|webhook| webhook.channel == channel) >= OF_CHANNEL {
        return Err(Refusal::new(400, 30007, &format!("Maximum number of webhooks reached ({OF_CHANNEL})")));
    }
    if of(&|webhook| webhook.guild == guild) >= OF_GUILD {
        let message = format!("Maximum number of webhooks per guild reached ({OF_GUILD})");
        return Err(Refusal::new(400, 30058, &message));
    }
    let id = world.add_webhook(channel, &name.unwrap_or_default(), world.bot);
    ok(world.webhooks.get(&id).map(|webhook| wire::webhook(world, webhook, false)).unwrap_or_default())
}

pub(crate) fn of_channel(world: &mut World, call: &Call) -> Handled {
    let channel = call.id("channel")?;
    allowed(world, channel, MANAGE_WEBHOOKS)?;
    let of = world.webhooks.values().filter(|webhook| webhook.channel == channel);
    ok(of.map(|webhook| wire::webhook(world, webhook, false)).collect())
}

pub(crate) fn of_guild(world: &mut World, call: &Call) -> Handled {
    let guild = permitted(world, call, MANAGE_WEBHOOKS)?.0.id;
    let of = world.webhooks.values().filter(|webhook| webhook.guild == guild);
    ok(of.map(|webhook| wire::webhook(world, webhook, false)).collect())
}

/// The webhook of a path: with a token by who knows it, without by whom its channel lets manage webhooks.
pub(super) fn find<'a>(world: &'a World, call: &Call) -> Result<&'a Webhook, Refusal> {
    let webhook = world.webhooks.get(&call.id("webhook")?).ok_or_else(unknown)?;
    let token = call.text("token");
    if token.is_empty() {
        let permissions = permissions::in_channel(world, world.bot, webhook.channel);
        if permissions & MANAGE_WEBHOOKS == 0 {
            return Err(Refusal::missing_permissions());
        }
    } else if token != webhook.token {
        return Err(Refusal::new(401, 50027, "Invalid Webhook Token"));
    }
    Ok(webhook)
}

fn by_token(call: &Call) -> bool {
    !call.text("token").is_empty()
}

pub(crate) fn get(world: &mut World, call: &Call) -> Handled {
    ok(wire::webhook(world, find(world, call)?, by_token(call)))
}

/// The name, and the channel, which only the bot itself may change.
pub(crate) fn edit(world: &mut World, call: &Call) -> Handled {
    let webhook = find(world, call)?;
    let (id, before, guild) = (webhook.id, webhook.channel, webhook.guild);
    let mut fields = Fields::of(call.json());
    let name = read_name(&mut fields, "name");
    let channel = fields.id("channel_id").filter(|_| !by_token(call));
    fields.done()?;
    if let Some(channel) = channel {
        allowed(world, channel, MANAGE_WEBHOOKS)?;
        if guild_of(world, channel)? != guild {
            return Err(Refusal::unknown_channel());
        }
    }
    if let Some(webhook) = world.webhooks.get_mut(&id) {
        webhook.name = name.unwrap_or(std::mem::take(&mut webhook.name));
        webhook.channel = channel.unwrap_or(before);
    }
    world.announce_webhooks(before);
    if let Some(after) = channel.filter(|&after| after != before) {
        world.announce_webhooks(after);
    }
    get(world, call)
}

pub(crate) fn delete(world: &mut World, call: &Call) -> Handled {
    let webhook = find(world, call)?;
    let (id, channel) = (webhook.id, webhook.channel);
    world.webhooks.remove(&id);
    world.announce_webhooks(channel);
    done()
}

impl World {
    pub(crate) fn add_webhook(&mut self, channel: u64, name: &str, creator: u64) -> u64 {
        let (id, token) = (self.next_id(), self.random_token());
        let guild = self.channels.get(&channel).map_or(0, |channel| channel.guild);
        self.webhooks.insert(id, Webhook { id, guild, channel, name: name.to_owned(), token, creator });
        self.announce_webhooks(channel);
        id
    }
}
