//! Guilds (<https://discord.com/developers/docs/resources/guild>).

use super::channels::{MOST_POSITION, category};
use super::{Call, Handled, done, ok};
use crate::permissions::{self, MANAGE_CHANNELS};
use crate::refusal::Refusal;
use crate::rules::fields::Fields;
use crate::wire;
use crate::world::{Channel, Guild, World};

/// The guild of a path, if the bot is in it and it is not out.
pub(super) fn reachable<'a>(world: &'a World, call: &Call) -> Result<&'a Guild, Refusal> {
    world.reachable_guild(call.id("guild")?).ok_or_else(Refusal::unknown_guild)
}

/// The same, if the bot has these permissions in the whole guild; gives all it has there, too.
pub(super) fn permitted<'a>(world: &'a World, call: &Call, needed: u64) -> Result<(&'a Guild, u64), Refusal> {
    let guild = reachable(world, call)?;
    let granted = permissions::in_guild(guild, world.bot, world.now());
    if granted & needed == needed { Ok((guild, granted)) } else { Err(Refusal::missing_permissions()) }
}

pub(crate) fn get(world: &mut World, call: &Call) -> Handled {
    ok(wire::guild(world, reachable(world, call)?))
}

/// Without threads, which have a list of their own.
pub(crate) fn channels(world: &mut World, call: &Call) -> Handled {
    let guild = reachable(world, call)?.id;
    let shown = |channel: &&Channel| channel.guild == guild && !channel.kind.is_thread();
    ok(world.channels.values().filter(shown).map(|channel| wire::channel(world, channel)).collect())
}

/// `PATCH /guilds/{guild}/channels`: new places
/// (<https://discord.com/developers/docs/resources/guild#modify-guild-channel-positions>).
pub(crate) fn move_channels(world: &mut World, call: &Call) -> Handled {
    let guild = permitted(world, call, MANAGE_CHANNELS)?.0.id;
    let Some(list) = call.json().as_array() else { return Err(Refusal::no_list()) };
    let of_guild = |id: u64| world.channels.get(&id).is_some_and(|channel| channel.guild == guild);
    let mut moves = Vec::new();
    for given in list {
        let mut fields = Fields::of(given);
        let (id, position) = (fields.id("id"), fields.number("position", 0, MOST_POSITION));
        let category = fields.names("parent_id").then(|| category(world, guild, &mut fields));
        fields.done()?;
        moves.push((id.filter(|&id| of_guild(id)).ok_or_else(Refusal::unknown_channel)?, position, category));
    }
    for (id, position, category) in moves {
        let Some(channel) = world.channels.get_mut(&id) else { continue };
        channel.position = position.unwrap_or(channel.position);
        channel.category = category.unwrap_or(channel.category);
        world.announce_channel(id, "UPDATE");
    }
    done()
}
