//! From a person's action to `INTERACTION_CREATE`
//! (<https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-interaction-structure>).

use serde_json::{Value, json};

use crate::interactions::{Interaction, KEPT, Kind};
use crate::permissions::{self, VIEW_CHANNEL};
use crate::view::{Actor, CommandError};
use crate::wire;
use crate::world::{ChannelKind, World, prune};

/// What a person does, ready to be sent.
pub(crate) struct Invocation {
    pub(crate) kind: Kind,
    pub(crate) by: Actor,
    pub(crate) data: Value,
    /// The message whose component was used, or whose component's modal was filled in.
    pub(crate) source: Option<u64>,
    /// The type of the option being completed.
    pub(crate) focused_kind: u64,
}

impl Invocation {
    pub(crate) fn new(kind: Kind, by: Actor, data: Value, source: Option<u64>) -> Self {
        Self { kind, by, data, source, focused_kind: 3 }
    }

    /// Sends the interaction to the bot and gives its token.
    pub(crate) fn send(self, world: &mut World) -> Result<String, CommandError> {
        let by = self.by;
        if !can_act(world, by) {
            return Err(CommandError::Unknown);
        }
        if !world.sessions.anyone_serves(by.guild) {
            return Err(CommandError::NotConnected);
        }
        let (token, id) = (world.random_token(), world.next_id());
        let event = self.event(world, id, &token);
        let mut interaction = Interaction::new(id, self.kind, by);
        interaction.source = self.source;
        interaction.focused_kind = self.focused_kind;
        interaction.name = self.data["name"].as_str().map(ToOwned::to_owned);
        let kept = world.options.interaction_life.max(KEPT);
        prune(&mut world.interactions, |interaction| interaction.created.elapsed() < kept);
        world.interactions.insert(token.clone(), interaction);
        world.dispatch(by.guild, "INTERACTION_CREATE", &event);
        Ok(token)
    }

    fn event(&self, world: &World, id: u64, token: &str) -> Value {
        let by = self.by;
        let locale = world.clients.locale(by.user);
        let may = permissions::in_channel(world, by.user, by.channel).to_string();
        let mut event = json!({
            "id": id.to_string(), "application_id": world.bot.to_string(), "type": self.kind as u64, "data": self.data,
            "channel_id": by.channel.to_string(), "token": token, "version": 1, "locale": locale, "entitlements": [],
            "app_permissions": permissions::in_channel(world, world.bot, by.channel).to_string(),
            "context": u8::from(by.guild == 0), "attachment_size_limit": ATTACHMENT_SIZE_LIMIT,
            // In a direct conversation with the bot the owner of the installation is "0".
            "authorizing_integration_owners": { "0": by.guild.to_string() },
        });
        match world.guilds.get(&by.guild) {
            Some(guild) => {
                let mut member = wire::member(world, guild, by.user, true);
                member["permissions"] = json!(may);
                event["member"] = member;
                event["guild_id"] = json!(by.guild.to_string());
                event["guild_locale"] = json!("en-US");
                event["guild"] = json!({ "id": by.guild.to_string(), "locale": "en-US", "features": [] });
            }
            None => event["user"] = wire::user(world, by.user),
        }
        if let Some(channel) = world.channels.get(&by.channel) {
            let mut value = wire::channel(world, channel);
            if by.guild != 0 {
                value["permissions"] = json!(may);
            }
            event["channel"] = value;
        }
        if let Some(message) = self.source.and_then(|id| world.messages.get(&id)) {
            event["message"] = message.raw.clone();
        }
        event
    }
}

/// The largest file that a person may attach, in bytes (<https://discord.com/developers/docs/reference#uploading-files>).
pub(crate) const ATTACHMENT_SIZE_LIMIT: usize = 10 * 1024 * 1024;

/// Whether the person sees the channel, and the bot is where it is.
pub(crate) fn can_act(world: &World, by: Actor) -> bool {
    let Some(channel) = world.channels.get(&by.channel).filter(|channel| channel.guild == by.guild) else {
        return false;
    };
    if let ChannelKind::Direct { user } = channel.kind {
        return user == by.user;
    }
    world.has_bot(by.guild) && permissions::in_channel(world, by.user, by.channel) & VIEW_CHANNEL != 0
}
