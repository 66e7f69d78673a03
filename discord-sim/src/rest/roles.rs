//! Roles. Whoever manages them reaches only what stands below their own highest role
//! (<https://discord.com/developers/docs/topics/permissions#permission-hierarchy>).

use serde_json::{Value, json};

use super::guilds::{permitted, reachable};
use super::{Call, Handled, done, ok};
use crate::permissions::{ALL, MANAGE_ROLES};
use crate::refusal::Refusal;
use crate::rules::fields::Fields;
use crate::rules::mentions::snowflake;
use crate::wire;
use crate::world::{Guild, Role, World};

/// Roles of one guild (code 30005).
const ROLES: usize = 250;

pub(crate) fn list(world: &mut World, call: &Call) -> Handled {
    let guild = reachable(world, call)?;
    ok(guild.roles.iter().map(|role| wire::role(guild, role)).collect())
}

pub(crate) fn get(world: &mut World, call: &Call) -> Handled {
    let guild = reachable(world, call)?;
    shown(guild, call.id("role")?)
}

fn shown(guild: &Guild, role: u64) -> Handled {
    ok(wire::role(guild, guild.role(role).ok_or_else(Refusal::unknown_role)?))
}

/// What a body says of a role.
struct Given {
    name: Option<String>,
    permissions: Option<u64>,
    color: Option<u64>,
    hoist: Option<bool>,
    mentionable: Option<bool>,
}

impl Given {
    /// Nobody gives permissions they don't have.
    fn read(body: &Value, granted: u64) -> Result<Self, Refusal> {
        let empty = json!({});
        let mut fields = Fields::of(if body.is_null() { &empty } else { body });
        let given = Self {
            name: fields.text("name", 1, 100),
            permissions: fields.bits("permissions"),
            color: fields.number("color", 0, 0xFF_FFFF),
            hoist: fields.flag("hoist"),
            mentionable: fields.flag("mentionable"),
        };
        fields.done()?;
        if granted != ALL && given.permissions.is_some_and(|wanted| wanted & !granted != 0) {
            return Err(Refusal::missing_permissions());
        }
        Ok(given)
    }

    fn apply(self, role: &mut Role) {
        role.name = self.name.unwrap_or(std::mem::take(&mut role.name));
        role.permissions = self.permissions.unwrap_or(role.permissions);
        role.color = self.color.unwrap_or(role.color);
        role.hoist = self.hoist.unwrap_or(role.hoist);
        role.mentionable = self.mentionable.unwrap_or(role.mentionable);
    }
}

pub(crate) fn create(world: &mut World, call: &Call) -> Handled {
    let (guild, granted) = permitted(world, call, MANAGE_ROLES)?;
    let (id, everyone) = (guild.id, guild.roles[0].permissions);
    if guild.roles.len() >= ROLES {
        return Err(Refusal::new(400, 30005, &format!("Maximum number of guild roles reached ({ROLES})")));
    }
    let given = Given::read(call.json(), granted)?;
    let role = world.add_role(id, "new role", everyone);
    world.change_role(id, role, |role| given.apply(role), "GUILD_ROLE_CREATE");
    shown(reachable(world, call)?, role)
}

/// The role of a path, if the bot may manage it; and all the bot may in the guild.
fn managed<'a>(world: &'a World, call: &Call) -> Result<(&'a Guild, u64, u64), Refusal> {
    let (guild, granted) = permitted(world, call, MANAGE_ROLES)?;
    let role = call.id("role")?;
    below(world, guild, role)?;
    Ok((guild, role, granted))
}

/// Whether a role stands below the bot's highest.
pub(super) fn below(world: &World, guild: &Guild, role: u64) -> Result<(), Refusal> {
    let at = guild.roles.iter().position(|of| of.id == role).ok_or_else(Refusal::unknown_role)?;
    if at < guild.rank(world.bot) { Ok(()) } else { Err(Refusal::missing_permissions()) }
}

pub(crate) fn edit(world: &mut World, call: &Call) -> Handled {
    let (guild, role, granted) = managed(world, call)?;
    let guild = guild.id;
    let given = Given::read(call.json(), granted)?;
    world.change_role(guild, role, |role| given.apply(role), "GUILD_ROLE_UPDATE");
    shown(reachable(world, call)?, role)
}

pub(crate) fn delete(world: &mut World, call: &Call) -> Handled {
    let (guild, role, _) = managed(world, call)?;
    if role == guild.id || guild.role(role).is_some_and(|role| role.managed) {
        return Err(Refusal::new(400, 50028, "Invalid role"));
    }
    world.delete_role(guild.id, role);
    done()
}

/// `PATCH /guilds/{guild}/roles`: new places; answers all roles.
pub(crate) fn move_all(world: &mut World, call: &Call) -> Handled {
    let (guild, _) = permitted(world, call, MANAGE_ROLES)?;
    let (id, top) = (guild.id, guild.rank(world.bot));
    let mut wanted = Vec::new();
    for given in call.json().as_array().ok_or_else(Refusal::no_list)? {
        let role = snowflake(&given["id"]).ok_or_else(Refusal::unknown_role)?;
        below(world, guild, role)?;
        let position = given["position"].as_u64().and_then(|at| usize::try_from(at).ok()).unwrap_or_default();
        if position >= top || position == 0 || role == id {
            return Err(Refusal::missing_permissions());
        }
        wanted.push((role, position));
    }
    if let Some(guild) = world.guilds.get_mut(&id) {
        for &(role, position) in &wanted {
            if let Some(at) = guild.roles.iter().position(|of| of.id == role) {
                let role = guild.roles.remove(at);
                guild.roles.insert(position.min(guild.roles.len()), role);
            }
        }
    }
    for (role, _) in wanted {
        world.announce_role(id, role, "GUILD_ROLE_UPDATE");
    }
    list(world, call)
}

impl World {
    /// Makes a role just above `@everyone`, where Discord puts new ones. The caller announces it.
    pub(crate) fn add_role(&mut self, guild: u64, name: &str, permissions: u64) -> u64 {
        let id = self.next_id();
        if let Some(guild) = self.guilds.get_mut(&guild) {
            guild.roles.insert(1, Role::new(id, name, permissions));
        }
        id
    }

    /// Changes a role and tells of it.
    pub(crate) fn change_role(&mut self, guild: u64, role: u64, change: impl FnOnce(&mut Role), event: &str) {
        let roles = self.guilds.get_mut(&guild).map(|guild| &mut guild.roles);
        if let Some(role) = roles.and_then(|roles| roles.iter_mut().find(|own| own.id == role)) {
            change(role);
        }
        self.announce_role(guild, role, event);
    }

    /// Deletes a role; its members lose it, and channels their overwrites for it.
    pub(crate) fn delete_role(&mut self, guild: u64, role: u64) {
        if let Some(guild) = self.guilds.get_mut(&guild) {
            guild.roles.retain(|own| own.id != role);
            for member in guild.members.values_mut() {
                member.roles.retain(|&own| own != role);
            }
        }
        for channel in self.channels.values_mut().filter(|channel| channel.guild == guild) {
            channel.overwrites.retain(|overwrite| overwrite.id != role);
        }
        let data = json!({ "guild_id": guild.to_string(), "role_id": role.to_string() });
        self.dispatch(guild, "GUILD_ROLE_DELETE", &data);
    }
}
