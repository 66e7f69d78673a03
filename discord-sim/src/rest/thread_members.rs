//! Who is in a thread (<https://discord.com/developers/docs/resources/channel#join-thread>).

use super::compose::access;
use super::{Call, Handled, done, ok};
use crate::permissions::{self, MANAGE_THREADS, SEND_MESSAGES_IN_THREADS, VIEW_CHANNEL};
use crate::refusal::Refusal;
use crate::wire;
use crate::world::{ChannelKind, World};

/// The thread of a path, and the bot's permissions in it.
fn thread(world: &World, call: &Call) -> Result<(u64, u64), Refusal> {
    let id = call.id("channel")?;
    let permissions = access(world, id)?;
    let is_thread = world.channels.get(&id).is_some_and(|channel| channel.kind.is_thread());
    if is_thread { Ok((id, permissions)) } else { Err(Refusal::wrong_channel_type()) }
}

fn active_thread(world: &World, call: &Call) -> Result<(u64, u64), Refusal> {
    let found = thread(world, call)?;
    if world.channels.get(&found.0).is_some_and(crate::world::Channel::is_archived) {
        return Err(Refusal::new(400, 50083, "Thread is archived"));
    }
    Ok(found)
}

/// Joining (`@me`), or adding somebody, which takes the permission to send there.
pub(crate) fn add(world: &mut World, call: &Call) -> Handled {
    let (id, permissions) = active_thread(world, call)?;
    let user = call.user(world)?;
    if user != world.bot && permissions & SEND_MESSAGES_IN_THREADS == 0 {
        return Err(Refusal::missing_permissions());
    }
    let parent = world.permission_channel(id);
    if !world.users.contains_key(&user) {
        return Err(Refusal::unknown_user());
    }
    if permissions::in_channel(world, user, parent) & VIEW_CHANNEL == 0 {
        return Err(Refusal::missing_access());
    }
    world.join_thread(id, user);
    done()
}

/// Leaving (`@me`), or removing somebody: with `MANAGE_THREADS`, or as who started a private thread.
pub(crate) fn remove(world: &mut World, call: &Call) -> Handled {
    let (id, permissions) = active_thread(world, call)?;
    let user = call.user(world)?;
    let channel = world.channels.get(&id).ok_or_else(Refusal::unknown_channel)?;
    let private = matches!(channel.kind, ChannelKind::PrivateThread { .. });
    let owns = private && channel.thread.as_ref().is_some_and(|thread| thread.owner == world.bot);
    if user != world.bot && !owns && permissions & MANAGE_THREADS == 0 {
        return Err(Refusal::missing_permissions());
    }
    world.leave_thread(id, user);
    done()
}

pub(crate) fn get(world: &mut World, call: &Call) -> Handled {
    let (id, _) = thread(world, call)?;
    let member = wire::thread_member(world, id, call.user(world)?, call.query_flag("with_member"));
    ok(member.ok_or_else(Refusal::unknown_member)?)
}

/// Needs the privileged intent for members, as everything that lists them
/// (<https://discord.com/developers/docs/resources/channel#list-thread-members>).
pub(crate) fn list(world: &mut World, call: &Call) -> Handled {
    let (id, _) = thread(world, call)?;
    if !world.options.privileged_intents {
        return Err(Refusal::missing_access());
    }
    let with_member = call.query_flag("with_member");
    let (limit, after) = (call.limit(100, 100)?, call.query_id("after").unwrap_or(0));
    let members = world.channels.get(&id).and_then(|channel| channel.thread.as_ref()).map(|thread| &thread.members);
    let mut users: Vec<u64> =
        members.into_iter().flatten().map(|(&user, _)| user).filter(|&user| user > after).collect();
    if with_member {
        users.truncate(limit);
    }
    ok(users.into_iter().filter_map(|user| wire::thread_member(world, id, user, with_member)).collect())
}

impl World {
    pub(crate) fn join_thread(&mut self, thread: u64, user: u64) {
        let now = self.now();
        let Some(of) = self.channels.get_mut(&thread).and_then(|channel| channel.thread.as_mut()) else { return };
        if of.members.insert(user, now).is_none() {
            self.announce_thread_members(thread, &[user], &[]);
        }
    }

    pub(crate) fn leave_thread(&mut self, thread: u64, user: u64) {
        let Some(of) = self.channels.get_mut(&thread).and_then(|channel| channel.thread.as_mut()) else { return };
        if of.members.remove(&user).is_some() {
            self.announce_thread_members(thread, &[], &[user]);
        }
    }
}
