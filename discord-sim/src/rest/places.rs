//! Reading guilds, channels, roles and members, and opening direct conversations.

use serde_json::{Value, json};

use super::{Handled, messages, ok};
use crate::endpoint::Endpoint;
use crate::refusal::{Faults, Refusal};
use crate::rules::mentions::snowflake;
use crate::wire;
use crate::world::{Channel, ChannelKind, Guild, World};

pub(super) fn handle(world: &mut World, endpoint: &Endpoint, body: &Value) -> Handled {
    match *endpoint {
        Endpoint::Channel { channel } => {
            messages::access(world, channel)?;
            let found = world.channels.get(&channel).ok_or_else(Refusal::unknown_channel)?;
            ok(wire::channel(world, found))
        }
        Endpoint::Guild { guild } => ok(wire::guild(world, reachable(world, guild)?)),
        Endpoint::GuildChannels { guild } => {
            let id = reachable(world, guild)?.id;
            let shown =
                |channel: &&Channel| channel.guild == id && !matches!(channel.kind, ChannelKind::PublicThread { .. });
            ok(world.channels.values().filter(shown).map(|channel| wire::channel(world, channel)).collect())
        }
        Endpoint::GuildRoles { guild } => {
            let guild = reachable(world, guild)?;
            ok(guild.roles.iter().map(|role| wire::role(guild, role)).collect())
        }
        Endpoint::GuildMember { guild, user } => {
            let guild = reachable(world, guild)?;
            if !guild.members.contains_key(&user) {
                return Err(Refusal::new(404, 10007, "Unknown Member"));
            }
            ok(wire::member(world, guild, user, true))
        }
        Endpoint::MyGuilds => {
            let mine = world.guilds.values().filter(|guild| guild.members.contains_key(&world.bot));
            ok(mine
                .map(|guild| {
                    json!({ "id": guild.id.to_string(), "name": guild.name, "icon": null, "owner": false,
                "permissions": crate::permissions::in_guild(guild, world.bot).to_string(), "features": [] })
                })
                .collect())
        }
        Endpoint::DirectMessages => open_direct(world, body),
        _ => Err(Refusal::new(404, 0, "404: Not Found")),
    }
}

fn reachable(world: &World, guild: u64) -> Result<&Guild, Refusal> {
    world.reachable_guild(guild).ok_or_else(Refusal::unknown_guild)
}

/// Opening is never refused for a user who takes no messages; sending is, with 50007, as on Discord.
fn open_direct(world: &mut World, body: &Value) -> Handled {
    let user = snowflake(&body["recipient_id"]).filter(|user| world.users.contains_key(user));
    let Some(user) = user.filter(|&user| user != world.bot) else {
        let mut faults = Faults::default();
        faults.add("recipient_id", "INVALID_RECIPIENT", "Invalid recipient");
        faults.into_result()?;
        return Err(Refusal::new(400, 50033, "Invalid Recipient(s)"));
    };
    let kind = ChannelKind::Direct { user };
    let existing = world.channels.values().find(|channel| channel.kind == kind).map(|channel| channel.id);
    let id = existing.unwrap_or_else(|| {
        let id = world.next_id();
        world.channels.insert(
            id,
            Channel {
                id,
                guild: 0,
                name: String::new(),
                kind,
                overwrites: Vec::new(),
                locked: false,
                archived: false,
                last_message: None,
            },
        );
        id
    });
    let channel = world.channels.get(&id).ok_or_else(Refusal::unknown_channel)?;
    ok(wire::channel(world, channel))
}
