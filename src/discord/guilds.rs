//! What the gateway tells of guilds: channels, roles, and what the bot may do where. Asked for without a request.

use std::sync::Arc;

use serenity::cache::Cache;
use serenity::model::Permissions;
use serenity::model::channel::GuildChannel;
use serenity::model::guild::Guild;

use crate::domain::ids::{ChannelId, GuildId, RoleId};

/// What the bot needs in a channel or a thread, and how Discord's settings call it.
const NEEDED: [(Permissions, &str); 4] = [
    (Permissions::VIEW_CHANNEL, "View Channel"),
    (Permissions::SEND_MESSAGES, "Send Messages"),
    (Permissions::SEND_MESSAGES_IN_THREADS, "Send Messages in Threads"),
    (Permissions::EMBED_LINKS, "Embed Links"),
];

/// A channel that somebody chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChosenChannel {
    /// Which.
    pub id: ChannelId,
    /// Where in the guild it is.
    pub place: Place,
}

/// Where in a guild a channel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A channel of its own.
    Channel,
    /// A thread that everybody sees who sees its parent.
    PublicThread {
        /// The channel it belongs to.
        parent: ChannelId,
    },
    /// A thread that only those see who were added to it.
    PrivateThread,
}

/// What a channel is to the bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelAccess {
    /// The gateway told of no such channel: a private thread, or one that was just made.
    Unknown,
    /// What the bot may do there.
    Known {
        /// All of its permissions, roles and overwrites considered.
        permissions: Permissions,
        /// Whether it is a thread, where another permission to send counts.
        is_thread: bool,
    },
}

impl ChannelAccess {
    /// What the bot would need there to post events and lacks, in the words of Discord's settings. Nothing of a channel
    /// that the gateway did not tell of: that can't be known.
    #[must_use]
    pub fn missing_permissions(self) -> Vec<&'static str> {
        let Self::Known { permissions, is_thread } = self else { return Vec::new() };
        // In a thread, the permission to send in channels means nothing, and the other way round.
        let unneeded = if is_thread { Permissions::SEND_MESSAGES } else { Permissions::SEND_MESSAGES_IN_THREADS };
        let is_missing = |permission| permission != unneeded && !permissions.contains(permission);
        NEEDED.iter().filter(|(permission, _)| is_missing(*permission)).map(|(_, name)| *name).collect()
    }
}

/// Whether a guild shows a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// The guild itself is not shown: it has an outage, or is still to come.
    OutOfSight,
    /// It is shown, as a channel or as an active thread.
    Shown,
    /// It is shown as a thread of a channel that is not there any more.
    WithoutParent,
    /// It is not shown.
    Absent,
}

/// The guilds the bot is in, as the gateway keeps them up to date. Cloning shares them.
#[derive(Clone)]
pub struct Guilds(Arc<Cache>);

impl Guilds {
    /// Looks into the gateway's cache.
    #[must_use]
    pub const fn new(cache: Arc<Cache>) -> Self {
        Self(cache)
    }

    /// What the bot may do in a channel. A public thread is judged by its parent; a private one is only known when the
    /// bot was added to it, because the gateway does not tell of others.
    #[must_use]
    pub fn access(&self, guild: GuildId, channel: ChosenChannel) -> ChannelAccess {
        let bot = self.0.current_user().id;
        let Some(guild) = self.0.guild(guild.0) else { return ChannelAccess::Unknown };
        let Some(member) = guild.members.get(&bot) else { return ChannelAccess::Unknown };
        let judged_by = match channel.place {
            Place::Channel => Some(channel.id),
            Place::PublicThread { parent } => Some(parent),
            Place::PrivateThread => guild
                .threads
                .iter()
                .find(|thread| thread.id.get() == channel.id.0)
                .and_then(|thread| thread.parent_id.map(|parent| ChannelId(parent.get()))),
        };
        let place = judged_by.and_then(|id| channel_of(&guild, id));
        place.map_or(ChannelAccess::Unknown, |place| ChannelAccess::Known {
            permissions: guild.user_permissions_in(place, member),
            is_thread: channel.place != Place::Channel,
        })
    }

    /// What the bot may do in a channel of which only the id is known. A thread that is archived is unknown.
    #[must_use]
    pub fn access_by_id(&self, guild: GuildId, channel: ChannelId) -> ChannelAccess {
        let parent = self.0.guild(guild.0).and_then(|guild| {
            let thread = guild.threads.iter().find(|thread| thread.id.get() == channel.0)?;
            thread.parent_id.map(|parent| ChannelId(parent.get()))
        });
        let place = parent.map_or(Place::Channel, |parent| Place::PublicThread { parent });
        self.access(guild, ChosenChannel { id: channel, place })
    }

    /// Whether the guild shows the channel.
    #[must_use]
    pub fn presence(&self, guild: GuildId, channel: ChannelId) -> Presence {
        let Some(guild) = self.0.guild(guild.0) else { return Presence::OutOfSight };
        if channel_of(&guild, channel).is_some() {
            return Presence::Shown;
        }
        let Some(thread) = guild.threads.iter().find(|thread| thread.id.get() == channel.0) else {
            return Presence::Absent;
        };
        let parent = thread.parent_id.and_then(|parent| guild.channels.get(&parent));
        if parent.is_some() { Presence::Shown } else { Presence::WithoutParent }
    }

    /// The guild that shows the channel, where it is one and not a thread.
    #[must_use]
    #[expect(deprecated, reason = "the only look-up that needs no guild; the version is pinned")]
    pub fn guild_of(&self, channel: ChannelId) -> Option<GuildId> {
        self.0.channel(channel.0).map(|channel| GuildId(channel.guild_id.get()))
    }

    /// The guild's name, as strangers chose it.
    #[must_use]
    pub fn name(&self, guild: GuildId) -> Option<String> {
        self.0.guild(guild.0).map(|guild| guild.name.clone())
    }

    /// Whether everybody may mention the role; `None` when the guild has no such role.
    #[must_use]
    pub fn is_mentionable(&self, guild: GuildId, role: RoleId) -> Option<bool> {
        self.0.guild(guild.0)?.roles.get(&serenity::model::id::RoleId::new(role.0)).map(|role| role.mentionable)
    }

    /// The channel's name, for places where a mention is not rendered.
    #[must_use]
    pub fn channel_name(&self, guild: GuildId, channel: ChannelId) -> Option<String> {
        let guild = self.0.guild(guild.0)?;
        let thread = guild.threads.iter().find(|thread| thread.id.get() == channel.0);
        channel_of(&guild, channel).or(thread).map(|channel| channel.name.clone())
    }
}

fn channel_of(guild: &Guild, channel: ChannelId) -> Option<&GuildChannel> {
    guild.channels.get(&serenity::model::id::ChannelId::new(channel.0))
}
