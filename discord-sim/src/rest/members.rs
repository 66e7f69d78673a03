//! Members of a guild (<https://discord.com/developers/docs/resources/guild#guild-member-object>).

use std::time::{Duration, SystemTime};

use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::guilds::{permitted, reachable};
use super::{Call, Handled, done, ok, roles};
use crate::permissions::{
    self, ADMINISTRATOR, CHANGE_NICKNAME, KICK_MEMBERS, MANAGE_NICKNAMES, MANAGE_ROLES, MODERATE_MEMBERS,
};
use crate::refusal::Refusal;
use crate::rules::fields::Fields;
use crate::wire;
use crate::world::{Guild, World};

/// The longest time-out.
const TIME_OUT: Duration = Duration::from_hours(28 * 24);

pub(crate) fn get(world: &mut World, call: &Call) -> Handled {
    let guild = reachable(world, call)?;
    shown(world, guild, call.user(world)?)
}

fn shown(world: &World, guild: &Guild, user: u64) -> Handled {
    if !guild.members.contains_key(&user) {
        return Err(Refusal::unknown_member());
    }
    ok(wire::member(world, guild, user, true))
}

/// Needs the privileged intent for members
/// (<https://discord.com/developers/docs/resources/guild#list-guild-members>).
pub(crate) fn list(world: &mut World, call: &Call) -> Handled {
    let guild = reachable(world, call)?;
    if !world.options.privileged_intents {
        return Err(Refusal::missing_access());
    }
    let (limit, after) = (call.limit(1000, 1)?, call.query_id("after").unwrap_or(0));
    let asked = guild.members.keys().filter(|&&user| user > after).take(limit);
    ok(asked.map(|&user| wire::member(world, guild, user, true)).collect())
}

/// Members whose name or nickname begins with the query; needs no intent.
pub(crate) fn search(world: &mut World, call: &Call) -> Handled {
    let guild = reachable(world, call)?;
    let wanted = call.query.get("query").map(|query| query.to_lowercase());
    let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else {
        return Err(Refusal::invalid("query", "BASE_TYPE_REQUIRED", "This field is required"));
    };
    let limit = call.limit(1000, 1)?;
    let begins = |name: &str| name.to_lowercase().starts_with(&wanted);
    let fits = |user: u64| {
        let nick = guild.members.get(&user).and_then(|member| member.nick.as_deref());
        nick.is_some_and(begins) || world.users.get(&user).is_some_and(|user| begins(&user.name))
    };
    let found = guild.members.keys().copied().filter(|&user| fits(user)).take(limit);
    ok(found.map(|user| wire::member(world, guild, user, true)).collect())
}

/// `PATCH /guilds/{guild}/members/@me`: the bot's own nickname.
pub(crate) fn edit_me(world: &mut World, call: &Call) -> Handled {
    let guild = permitted(world, call, 0)?.0.id;
    let mut fields = Fields::of(call.json());
    let (named, nick) = (fields.names("nick"), fields.text("nick", 0, 32));
    fields.done()?;
    if named {
        permitted(world, call, CHANGE_NICKNAME)?;
        let bot = world.bot;
        if let Some(member) = world.guilds.get_mut(&guild).and_then(|guild| guild.members.get_mut(&bot)) {
            member.nick = nick.filter(|nick| !nick.is_empty());
        }
        world.announce_member(guild, bot, "GUILD_MEMBER_UPDATE");
    }
    shown(world, reachable(world, call)?, world.bot)
}

/// `PATCH /guilds/{guild}/members/{user}`: nickname, roles, time-out; each with its own permission, all or nothing.
pub(crate) fn edit(world: &mut World, call: &Call) -> Handled {
    let user = call.id("user")?;
    let (guild, granted) = permitted(world, call, 0)?;
    if !guild.members.contains_key(&user) {
        return Err(Refusal::unknown_member());
    }
    let mut fields = Fields::of(call.json());
    let nick = fields.names("nick").then(|| fields.text("nick", 0, 32));
    let roles = fields.ids("roles", 250);
    let until =
        fields.names("communication_disabled_until").then(|| fields.text("communication_disabled_until", 0, 64));
    fields.done()?;
    let until = match until {
        None => None,
        Some(text) => Some(text.filter(|text| !text.is_empty()).map(|text| time_out(world, &text)).transpose()?),
    };
    let may = |permission: u64| granted & permission != 0;
    let outranks = user == world.bot || guild.rank(world.bot) > guild.rank(user);
    let immune = permissions::in_guild(guild, user, world.now()) & ADMINISTRATOR != 0;
    if nick.is_some() && !(may(MANAGE_NICKNAMES) && outranks)
        || until.is_some() && !(may(MODERATE_MEMBERS) && outranks && !immune)
        || roles.is_some() && !may(MANAGE_ROLES)
    {
        return Err(Refusal::missing_permissions());
    }
    if let Some(wanted) = &roles {
        let had = guild.members.get(&user).map_or(&[][..], |member| &member.roles);
        for &role in
            wanted.iter().filter(|role| !had.contains(role)).chain(had.iter().filter(|role| !wanted.contains(role)))
        {
            roles::below(world, guild, role)?;
        }
    }
    let guild = guild.id;
    if let Some(member) = world.guilds.get_mut(&guild).and_then(|guild| guild.members.get_mut(&user)) {
        if let Some(nick) = nick {
            member.nick = nick.filter(|nick| !nick.is_empty());
        }
        if let Some(roles) = roles {
            member.roles = roles;
        }
        if let Some(until) = until {
            member.timed_out_until = until;
        }
    }
    world.announce_member(guild, user, "GUILD_MEMBER_UPDATE");
    shown(world, reachable(world, call)?, user)
}

fn time_out(world: &World, text: &str) -> Result<SystemTime, Refusal> {
    let path = "communication_disabled_until";
    let until = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| {
        let message = format!("Could not parse {text}. Should be ISO8601.");
        Refusal::invalid(path, "DATE_TIME_TYPE_PARSE", &message)
    })?;
    let until = SystemTime::from(until);
    if until > world.now() + TIME_OUT {
        return Err(Refusal::invalid(
            path,
            "COMMUNICATION_DISABLED_UNTIL_TOO_LATE",
            "A time-out lasts 28 days at most",
        ));
    }
    Ok(until)
}

/// `DELETE /guilds/{guild}/members/{user}`
pub(crate) fn kick(world: &mut World, call: &Call) -> Handled {
    let user = call.id("user")?;
    let (guild, _) = permitted(world, call, KICK_MEMBERS)?;
    if !guild.members.contains_key(&user) {
        return Err(Refusal::unknown_member());
    }
    if guild.rank(world.bot) <= guild.rank(user) {
        return Err(Refusal::missing_permissions());
    }
    world.remove_member(guild.id, user);
    done()
}

/// `PUT …/roles/{role}`
pub(crate) fn add_role(world: &mut World, call: &Call) -> Handled {
    change_roles(world, call, |roles, role| {
        if !roles.contains(&role) {
            roles.push(role);
        }
    })
}

/// `DELETE …/roles/{role}`
pub(crate) fn remove_role(world: &mut World, call: &Call) -> Handled {
    change_roles(world, call, |roles, role| roles.retain(|&of| of != role))
}

fn change_roles(world: &mut World, call: &Call, change: impl FnOnce(&mut Vec<u64>, u64)) -> Handled {
    let (user, role) = (call.user(world)?, call.id("role")?);
    let (guild, _) = permitted(world, call, MANAGE_ROLES)?;
    if !guild.members.contains_key(&user) {
        return Err(Refusal::unknown_member());
    }
    roles::below(world, guild, role)?;
    if role == guild.id || guild.role(role).is_some_and(|role| role.managed) {
        return Err(Refusal::new(400, 50028, "Invalid role"));
    }
    let guild = guild.id;
    if let Some(member) = world.guilds.get_mut(&guild).and_then(|guild| guild.members.get_mut(&user)) {
        change(&mut member.roles, role);
    }
    world.announce_member(guild, user, "GUILD_MEMBER_UPDATE");
    done()
}

impl World {
    /// A person leaves a guild, or is made to.
    pub(crate) fn remove_member(&mut self, guild: u64, user: u64) {
        let there = self.guilds.get_mut(&guild).and_then(|guild| guild.members.remove(&user)).is_some();
        if there {
            let data = json!({ "guild_id": guild.to_string(), "user": wire::user(self, user) });
            self.dispatch(guild, "GUILD_MEMBER_REMOVE", &data);
        }
    }

    /// The bot leaves a guild, or is made to. Its managed role goes with it, and what it registered there.
    pub(crate) fn remove_bot(&mut self, guild: u64) {
        // While it is still a member it is told; afterwards it hears nothing of this guild.
        self.dispatch(guild, "GUILD_DELETE", &json!({ "id": guild.to_string() }));
        let bot = self.bot;
        if let Some(guild) = self.guilds.get_mut(&guild) {
            guild.members.remove(&bot);
            guild.roles.retain(|role| !role.managed);
        }
        self.guild_commands.remove(&guild);
    }
}
