//! What the gateway shows of the channels at this moment, for those who send: looked at before each message, so without
//! any wait. The gateway's connection writes it, and notes what has changed.
//!
//! Only what a connected shard shows counts. A picture that may be old says nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use dashmap::DashMap;
use tokio::sync::Notify;

use super::guilds::{ChannelAccess, Guilds, Presence};
use crate::domain::ids::{ChannelId, GuildId};
use crate::domain::stoppage::Seen;

/// Why a channel is gone.
const DELETED: &str = "the channel was deleted";
/// Why all channels of a guild are gone.
pub const REMOVED: &str = "the bot was removed from the Discord server";

/// What the gateway shows; cloning shares it.
#[derive(Clone, Default)]
pub struct Sight(Arc<Inner>);

#[derive(Default)]
struct Inner {
    picture: RwLock<Option<Picture>>,
    /// Channels that took a message though this seemed to be missing there.
    disproved: DashMap<ChannelId, Vec<&'static str>>,
    changes: Mutex<Changes>,
    bell: Notify,
    /// Rung when the bot may be in other guilds than before.
    membership: Notify,
}

/// What one connection to the gateway shows.
struct Picture {
    guilds: Guilds,
    total_shards: u32,
    shards: BTreeMap<u32, Shard>,
}

#[derive(Default)]
struct Shard {
    is_connected: bool,
    /// The guilds that the bot is in, those in an outage included.
    guilds: BTreeSet<GuildId>,
    /// The guilds that it was told since it was interrupted to be in, or not to be in any more. Each event is handled in a
    /// task of its own, so one that follows the session's beginning may be handled before it.
    told: BTreeMap<GuildId, bool>,
}

impl Shard {
    fn tell(&mut self, guild: GuildId, is_in: bool) {
        self.told.insert(guild, is_in);
        if is_in {
            self.guilds.insert(guild);
        } else {
            self.guilds.remove(&guild);
        }
    }
}

/// What has changed since somebody asked last.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Any guild may look different.
    pub everywhere: bool,
    /// The guilds in which something changed, and the channels that were changed themselves.
    pub guilds: BTreeMap<GuildId, BTreeSet<ChannelId>>,
    /// The guilds that are shown from now on.
    pub joined: BTreeSet<GuildId>,
    /// Threads that were deleted, which nothing but this event shows: one that is not there may be archived.
    pub deleted_threads: BTreeSet<ChannelId>,
}

impl Sight {
    /// A new connection begins, of which `guilds` is the picture.
    pub fn begin(&self, guilds: Guilds, total_shards: u32) {
        *self.write() = Some(Picture { guilds, total_shards, shards: BTreeMap::new() });
    }

    /// The connection has ended.
    pub fn end(&self) {
        *self.write() = None;
    }

    /// A shard's session has begun, and these are its guilds. Each of them is shown a moment later.
    pub fn shard_began(&self, shard: u32, guilds: BTreeSet<GuildId>) {
        if let Some(picture) = &mut *self.write() {
            let shard = picture.shards.entry(shard).or_default();
            (shard.is_connected, shard.guilds) = (true, guilds);
            for (guild, is_in) in shard.told.clone() {
                shard.tell(guild, is_in);
            }
        }
        self.0.membership.notify_one();
        // Of guilds that the bot was removed from while it was away, nothing else tells.
        self.note(|changes| changes.everywhere = true);
    }

    /// A shard's session goes on, or is interrupted: what it shows may be old until it has gone on.
    pub fn shard_goes_on(&self, shard: u32, is_connected: bool) {
        if let Some(shard) = self.write().as_mut().and_then(|picture| picture.shards.get_mut(&shard)) {
            shard.is_connected = is_connected;
            if !is_connected {
                shard.told.clear();
            }
        }
        // What it told before it was known to be connected again was looked at, and found to say nothing.
        if is_connected {
            self.0.membership.notify_one();
            self.note(|changes| changes.everywhere = true);
        }
    }

    /// The bot is in a guild, which is shown from now on.
    pub fn guild_joined(&self, guild: GuildId) {
        if let Some(picture) = &mut *self.write() {
            picture.shard_of(guild).tell(guild, true);
        }
        self.0.membership.notify_one();
        self.note(|changes| {
            changes.guilds.entry(guild).or_default();
            changes.joined.insert(guild);
        });
    }

    /// The bot was removed from a guild.
    pub fn guild_left(&self, guild: GuildId) {
        if let Some(picture) = &mut *self.write() {
            picture.shard_of(guild).tell(guild, false);
        }
        self.0.membership.notify_one();
        self.changed(guild, None);
    }

    /// Something has changed in a guild, and if it is a channel itself, in which.
    pub fn changed(&self, guild: GuildId, channel: Option<ChannelId>) {
        self.note(|changes| changes.guilds.entry(guild).or_default().extend(channel));
    }

    /// A thread was deleted.
    pub fn thread_deleted(&self, guild: GuildId, thread: ChannelId) {
        self.note(|changes| {
            changes.guilds.entry(guild).or_default();
            changes.deleted_threads.insert(thread);
        });
    }

    /// Waits until the bot may be in other guilds than before.
    pub async fn membership_changes(&self) {
        self.0.membership.notified().await;
    }

    /// Whether the bot is in a guild, outages included; `None` while no connected shard shows that.
    #[must_use]
    pub fn is_member(&self, guild: GuildId) -> Option<bool> {
        let picture = self.read();
        let picture = picture.as_ref()?;
        let shard = picture.shards.get(&picture.shard_number(guild)).filter(|shard| shard.is_connected)?;
        Some(shard.guilds.contains(&guild))
    }

    /// Waits until something has changed, and says what.
    pub async fn changes(&self) -> Changes {
        self.0.bell.notified().await;
        self.take_changes()
    }

    /// What has changed meanwhile.
    #[must_use]
    pub fn take_changes(&self) -> Changes {
        std::mem::take(&mut *self.lock_changes())
    }

    /// What is seen of a channel, if the gateway shows it as one that is not a thread.
    #[must_use]
    pub fn channel(&self, channel: ChannelId) -> Option<Seen> {
        let picture = self.read();
        let picture = picture.as_ref()?;
        let guild = picture.guilds.guild_of(channel)?;
        Some(self.judge(picture, guild, channel, false))
    }

    /// What is seen of a channel in a guild; one that may be a thread and is not shown may be archived.
    #[must_use]
    pub fn channel_in(&self, guild: GuildId, channel: ChannelId, may_be_thread: bool) -> Seen {
        let picture = self.read();
        picture.as_ref().map_or(Seen::Unknown, |picture| self.judge(picture, guild, channel, may_be_thread))
    }

    /// Whether the bot may read what was posted in a channel; `None` while that is not shown.
    #[must_use]
    pub fn shows_history(&self, guild: GuildId, channel: ChannelId) -> Option<bool> {
        match self.read().as_ref()?.guilds.access_by_id(guild, channel) {
            ChannelAccess::Unknown => None,
            ChannelAccess::Known { permissions, .. } => Some(permissions.read_message_history()),
        }
    }

    /// The name of a guild, as far as it is shown; strangers chose it.
    #[must_use]
    pub fn guild_name(&self, guild: GuildId) -> Option<String> {
        self.read().as_ref()?.guilds.name(guild)
    }

    /// A channel took a message though the bot seemed to lack permissions there: that is not believed again, until
    /// something else seems to be missing.
    pub fn disprove(&self, channel: ChannelId) {
        if let Some(Seen::Lacking(missing)) = self.channel(channel) {
            self.0.disproved.insert(channel, missing);
        }
    }

    fn judge(&self, picture: &Picture, guild: GuildId, channel: ChannelId, may_be_thread: bool) -> Seen {
        let shard = picture.shards.get(&picture.shard_number(guild)).filter(|shard| shard.is_connected);
        let Some(shard) = shard else { return Seen::Unknown };
        if !shard.guilds.contains(&guild) {
            return Seen::Gone(REMOVED);
        }
        match picture.guilds.presence(guild, channel) {
            Presence::Shown => {}
            Presence::Absent if !may_be_thread => return Seen::Gone(DELETED),
            Presence::WithoutParent => return Seen::Gone(DELETED),
            Presence::Absent | Presence::OutOfSight => return Seen::Unknown,
        }
        let access = picture.guilds.access_by_id(guild, channel);
        let missing = access.missing_permissions();
        if access == ChannelAccess::Unknown {
            Seen::Unknown
        } else if missing.is_empty() || self.0.disproved.get(&channel).is_some_and(|before| *before == missing) {
            Seen::Open
        } else {
            Seen::Lacking(missing)
        }
    }

    fn note(&self, note: impl FnOnce(&mut Changes)) {
        note(&mut self.lock_changes());
        self.0.bell.notify_one();
    }

    fn lock_changes(&self) -> MutexGuard<'_, Changes> {
        self.0.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Option<Picture>> {
        self.0.picture.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Option<Picture>> {
        self.0.picture.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Changes {
    /// Adds what changed later.
    pub fn add(&mut self, later: Self) {
        self.everywhere |= later.everywhere;
        for (guild, channels) in later.guilds {
            self.guilds.entry(guild).or_default().extend(channels);
        }
        self.joined.extend(later.joined);
        self.deleted_threads.extend(later.deleted_threads);
    }
}

impl Picture {
    /// Which shard shows a guild: <https://discord.com/developers/docs/events/gateway#sharding>.
    fn shard_number(&self, guild: GuildId) -> u32 {
        let number = (guild.0 >> 22) % u64::from(self.total_shards.max(1));
        u32::try_from(number).unwrap_or(u32::MAX)
    }

    fn shard_of(&mut self, guild: GuildId) -> &mut Shard {
        let number = self.shard_number(guild);
        self.shards.entry(number).or_default()
    }
}

#[cfg(test)]
mod tests;
