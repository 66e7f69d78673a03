//! The nouns of the simulated Discord: guilds, roles, members, channels, threads, webhooks.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// A text channel.
    Text,
    /// An announcement channel.
    Announcement,
    /// A forum: holds threads, takes no messages.
    Forum,
    /// A media channel: a forum of pictures.
    Media,
    /// A voice channel with its text chat.
    Voice,
    /// A category: takes no messages.
    Category,
    /// A public thread in a text channel, or a post in a forum.
    PublicThread {
        /// The channel it belongs to.
        parent: u64,
    },
    /// A thread that only its members and who may manage threads can see.
    PrivateThread {
        /// The channel it belongs to.
        parent: u64,
    },
    /// A thread in an announcement channel.
    AnnouncementThread {
        /// The channel it belongs to.
        parent: u64,
    },
    /// A direct conversation; made by the bot through REST.
    Direct {
        /// The other side.
        user: u64,
    },
}

impl ChannelKind {
    /// The channel a thread belongs to; nothing for what is no thread.
    pub(crate) fn thread_parent(self) -> Option<u64> {
        match self {
            Self::PublicThread { parent } | Self::PrivateThread { parent } | Self::AnnouncementThread { parent } => {
                Some(parent)
            }
            _ => None,
        }
    }

    pub(crate) fn is_thread(self) -> bool {
        self.thread_parent().is_some()
    }

    /// A forum or a media channel: only its threads take messages.
    pub(crate) fn is_forum(self) -> bool {
        matches!(self, Self::Forum | Self::Media)
    }

    /// Discord's number for it (<https://discord.com/developers/docs/resources/channel#channel-object-channel-types>).
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Text => 0,
            Self::Direct { .. } => 1,
            Self::Voice => 2,
            Self::Category => 4,
            Self::Announcement => 5,
            Self::AnnouncementThread { .. } => 10,
            Self::PublicThread { .. } => 11,
            Self::PrivateThread { .. } => 12,
            Self::Forum => 15,
            Self::Media => 16,
        }
    }
}

pub(crate) struct Role {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) permissions: u64,
    pub(crate) mentionable: bool,
    pub(crate) managed: bool,
    pub(crate) color: u64,
    pub(crate) hoist: bool,
}

impl Role {
    pub(crate) fn new(id: u64, name: &str, permissions: u64) -> Self {
        let name = name.to_owned();
        Self { id, name, permissions, mentionable: false, managed: false, color: 0, hoist: false }
    }
}

pub(crate) struct Member {
    pub(crate) roles: Vec<u64>,
    pub(crate) joined_at: SystemTime,
    pub(crate) nick: Option<String>,
    /// Until then only reading is left
    /// (<https://discord.com/developers/docs/topics/permissions#permissions-for-timed-out-members>).
    pub(crate) timed_out_until: Option<SystemTime>,
}

impl Member {
    pub(crate) fn new(roles: Vec<u64>, joined_at: SystemTime) -> Self {
        Self { roles, joined_at, nick: None, timed_out_until: None }
    }
}

pub(crate) struct Guild {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) owner: u64,
    /// From the lowest to the highest. The first is `@everyone`, whose id is the guild's.
    pub(crate) roles: Vec<Role>,
    pub(crate) members: BTreeMap<u64, Member>,
    pub(crate) out: bool,
}

impl Guild {
    pub(crate) fn role(&self, id: u64) -> Option<&Role> {
        self.roles.iter().find(|role| role.id == id)
    }

    /// Where a member's highest role stands; 0 is `@everyone`. The owner stands above all.
    pub(crate) fn rank(&self, user: u64) -> usize {
        if user == self.owner {
            return usize::MAX;
        }
        let roles = self.members.get(&user).map_or(&[][..], |member| &member.roles);
        self.roles.iter().rposition(|role| roles.contains(&role.id)).unwrap_or_default()
    }
}

/// One permission overwrite of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Overwrite {
    /// A role, or a member if `member` is set.
    pub(crate) id: u64,
    pub(crate) member: bool,
    pub(crate) allow: u64,
    pub(crate) deny: u64,
}

/// A message that is pinned, and since when.
pub(crate) struct Pin {
    pub(crate) message: u64,
    pub(crate) at: SystemTime,
}

/// What a thread has beside a channel (<https://discord.com/developers/docs/topics/threads>).
pub(crate) struct Thread {
    pub(crate) owner: u64,
    pub(crate) created: SystemTime,
    /// When it was last archived or un-archived.
    pub(crate) turned: SystemTime,
    pub(crate) archived: bool,
    pub(crate) locked: bool,
    /// Members and since when.
    pub(crate) members: BTreeMap<u64, SystemTime>,
    /// Messages ever sent, its first apart.
    pub(crate) sent: u64,
    pub(crate) tags: Vec<u64>,
}

pub(crate) struct Channel {
    pub(crate) id: u64,
    /// 0 for a direct conversation.
    pub(crate) guild: u64,
    pub(crate) name: String,
    pub(crate) kind: ChannelKind,
    /// The category it stands in.
    pub(crate) category: Option<u64>,
    pub(crate) position: u64,
    pub(crate) overwrites: Vec<Overwrite>,
    pub(crate) last_message: Option<u64>,
    pub(crate) pins: Vec<Pin>,
    /// What is only kept and shown: the topic, slow mode, a forum's tags, a thread's archive duration.
    pub(crate) settings: Map<String, Value>,
    /// Set for a thread, and only for one.
    pub(crate) thread: Option<Thread>,
}

impl Channel {
    /// A channel as people make it. A thread begins with its owner as its member.
    pub(crate) fn new(id: u64, guild: u64, name: &str, kind: ChannelKind, owner: u64, now: SystemTime) -> Self {
        let thread = kind.is_thread().then(|| Thread {
            owner,
            created: now,
            turned: now,
            archived: false,
            locked: false,
            members: BTreeMap::from([(owner, now)]),
            sent: 0,
            tags: Vec::new(),
        });
        Self {
            id,
            guild,
            name: name.to_owned(),
            kind,
            category: None,
            position: 0,
            overwrites: Vec::new(),
            last_message: None,
            pins: Vec::new(),
            settings: Map::new(),
            thread,
        }
    }

    pub(crate) fn is_archived(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| thread.archived)
    }
}

/// A webhook of a channel (<https://discord.com/developers/docs/resources/webhook>).
pub(crate) struct Webhook {
    pub(crate) id: u64,
    pub(crate) guild: u64,
    pub(crate) channel: u64,
    pub(crate) name: String,
    pub(crate) token: String,
    /// Who made it.
    pub(crate) creator: u64,
}

/// Everyone who reacted to a message with one emoji, in the order they did.
pub(crate) struct Reaction {
    /// The emoji itself, or a custom one as `name:id`.
    pub(crate) emoji: String,
    pub(crate) users: Vec<u64>,
}
