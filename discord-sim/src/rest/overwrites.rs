//! Permission overwrites of channels (<https://discord.com/developers/docs/resources/channel#edit-channel-permissions>).

use serde_json::Value;

use super::compose::{access, allowed, guild_of};
use super::{Call, Handled, done};
use crate::permissions::{ALL, MANAGE_ROLES};
use crate::refusal::Refusal;
use crate::rules::fields::Fields;
use crate::world::{Overwrite, World};

/// Overwrites of one channel (code 30060).
const OVERWRITES: usize = 1000;

/// `PUT /channels/{channel}/permissions/{overwrite}`
pub(crate) fn put(world: &mut World, call: &Call) -> Handled {
    let (channel, id) = (call.id("channel")?, call.id("overwrite")?);
    access(world, channel)?;
    let guild = guild_of(world, channel)?;
    let granted = allowed(world, channel, MANAGE_ROLES)?;
    let found = world.channels.get(&channel).ok_or_else(Refusal::unknown_channel)?;
    if found.kind.is_thread() {
        return Err(Refusal::wrong_channel_type());
    }
    let overwrite = read(world, guild, granted, id, call.json())?;
    let new = !found.overwrites.iter().any(|other| other.id == id);
    if new && found.overwrites.len() >= OVERWRITES {
        let message = format!("Maximum number of channel permission overwrites reached ({OVERWRITES})");
        return Err(Refusal::new(400, 30060, &message));
    }
    if let Some(channel) = world.channels.get_mut(&channel) {
        channel.overwrites.retain(|other| other.id != id);
        channel.overwrites.push(overwrite);
    }
    world.announce_channel(channel, "UPDATE");
    done()
}

/// `DELETE /channels/{channel}/permissions/{overwrite}`
pub(crate) fn delete(world: &mut World, call: &Call) -> Handled {
    let (channel, id) = (call.id("channel")?, call.id("overwrite")?);
    access(world, channel)?;
    guild_of(world, channel)?;
    allowed(world, channel, MANAGE_ROLES)?;
    let found = world.channels.get_mut(&channel).ok_or_else(Refusal::unknown_channel)?;
    let before = found.overwrites.len();
    found.overwrites.retain(|other| other.id != id);
    if found.overwrites.len() == before {
        return Err(Refusal::new(404, 10009, "Unknown Overwrite"));
    }
    world.announce_channel(channel, "UPDATE");
    done()
}

/// One overwrite of a body. Nobody gives or takes what they don't have themselves.
fn read(world: &World, guild: u64, granted: u64, id: u64, body: &Value) -> Result<Overwrite, Refusal> {
    let mut fields = Fields::of(body);
    let member = fields.one_of("type", &[0, 1]);
    let (allow, deny) = (fields.bits("allow").unwrap_or_default(), fields.bits("deny").unwrap_or_default());
    if member.is_none() {
        fields.faults.required("type");
    }
    fields.done()?;
    let member = member == Some(1);
    let of = world.guilds.get(&guild).ok_or_else(Refusal::unknown_guild)?;
    if !member && of.role(id).is_none() {
        return Err(Refusal::unknown_role());
    }
    if member && !world.users.contains_key(&id) {
        return Err(Refusal::unknown_user());
    }
    if granted != ALL && (allow | deny) & !granted != 0 {
        return Err(Refusal::missing_permissions());
    }
    Ok(Overwrite { id, member, allow, deny })
}

/// The `permission_overwrites` of a channel that is made or edited; nothing if the body has none.
pub(super) fn read_list(
    world: &World,
    guild: u64,
    granted: u64,
    body: &Value,
) -> Result<Option<Vec<Overwrite>>, Refusal> {
    let mut fields = Fields::of(body);
    let list = fields.list("permission_overwrites", OVERWRITES);
    fields.done()?;
    let Some(list) = list else { return Ok(None) };
    let mut overwrites = Vec::new();
    for (at, given) in list.iter().enumerate() {
        let mut fields = Fields::of(given);
        let id = fields.id("id");
        fields.done()?;
        let missing = || {
            let path = format!("permission_overwrites.{at}.id");
            Refusal::invalid(&path, "BASE_TYPE_REQUIRED", "This field is required")
        };
        overwrites.push(read(world, guild, granted, id.ok_or_else(missing)?, given)?);
    }
    Ok(Some(overwrites))
}
