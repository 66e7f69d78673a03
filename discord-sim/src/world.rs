//! The state of the simulated Discord: guilds, channels, people, messages, sessions. It outlives a simulated restart.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::intents::{self, MESSAGE_CONTENT};
use crate::interactions::{Clients, Interaction};
use crate::limits::Limits;
use crate::options::Options;
use crate::permissions::{self, VIEW_CHANNEL};
use crate::rules::mentions::snowflake;
use crate::sessions::Sessions;
use crate::statistics::Statistics;
use crate::trouble::Troubles;
use crate::view::Message;

/// Discord's first second: snowflakes count milliseconds from here
/// (<https://discord.com/developers/docs/reference#snowflakes>).
const DISCORD_EPOCH_MILLISECONDS: u64 = 1_420_070_400_000;

/// Bodies kept for schema checks; older ones are forgotten first.
const BODIES_KEPT: usize = 20_000;

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
    /// A voice channel with its text chat.
    Voice,
    /// A category: takes no messages.
    Category,
    /// A public thread in a text channel, or a post in a forum.
    PublicThread {
        /// The channel it belongs to.
        parent: u64,
    },
    /// A direct conversation; made by the bot through REST.
    Direct {
        /// The other side.
        user: u64,
    },
}

pub(crate) struct Role {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) permissions: u64,
    pub(crate) mentionable: bool,
    pub(crate) managed: bool,
}

pub(crate) struct Member {
    pub(crate) roles: Vec<u64>,
    pub(crate) joined_at: SystemTime,
}

pub(crate) struct Guild {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) owner: u64,
    /// The first is `@everyone`, whose id is the guild's.
    pub(crate) roles: Vec<Role>,
    pub(crate) members: BTreeMap<u64, Member>,
    pub(crate) out: bool,
}

/// One permission overwrite of a channel.
pub(crate) struct Overwrite {
    /// A role, or a member if `member` is set.
    pub(crate) id: u64,
    pub(crate) member: bool,
    pub(crate) allow: u64,
    pub(crate) deny: u64,
}

pub(crate) struct Channel {
    pub(crate) id: u64,
    pub(crate) guild: u64,
    pub(crate) name: String,
    pub(crate) kind: ChannelKind,
    pub(crate) overwrites: Vec<Overwrite>,
    pub(crate) locked: bool,
    pub(crate) archived: bool,
    pub(crate) last_message: Option<u64>,
}

pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) bot: bool,
    pub(crate) takes_direct_messages: bool,
}

/// A nonce that was used, and for which message.
pub(crate) struct UsedNonce {
    pub(crate) message: u64,
    pub(crate) at: Instant,
}

pub(crate) struct World {
    pub(crate) options: Options,
    pub(crate) port: u16,
    pub(crate) random: StdRng,
    last_id: u64,
    /// The bot's user id, which is its application's id too, as with every newer bot.
    pub(crate) bot: u64,
    pub(crate) token_revoked: bool,
    pub(crate) users: BTreeMap<u64, User>,
    pub(crate) guilds: BTreeMap<u64, Guild>,
    pub(crate) channels: BTreeMap<u64, Channel>,
    /// Every message that exists, the ephemeral ones too.
    pub(crate) messages: HashMap<u64, Message>,
    /// The bytes of uploaded files, by attachment id.
    pub(crate) files: HashMap<u64, Vec<u8>>,
    /// What a channel shows, in order.
    pub(crate) timelines: HashMap<u64, Vec<u64>>,
    pub(crate) nonces: HashMap<String, UsedNonce>,
    pub(crate) nonce_window: Duration,
    pub(crate) commands: Vec<Value>,
    pub(crate) commands_registered: bool,
    pub(crate) guild_commands: BTreeMap<u64, Vec<Value>>,
    /// Commands created per scope (0 is global), for the daily limit.
    pub(crate) command_creates: HashMap<u64, VecDeque<Instant>>,
    /// What a guild's admins set for a command, or for the application's id: `id`, `type` and `permission` as in REST.
    pub(crate) command_permissions: HashMap<(u64, u64), Vec<Value>>,
    pub(crate) interactions: HashMap<String, Interaction>,
    pub(crate) clients: Clients,
    pub(crate) sessions: Sessions,
    /// What each shard last wanted to be shown as.
    pub(crate) presences: BTreeMap<u64, Value>,
    pub(crate) limits: Limits,
    pub(crate) troubles: Troubles,
    pub(crate) statistics: Statistics,
    pub(crate) bodies: VecDeque<(String, Value)>,
}

impl World {
    pub(crate) fn new(options: Options, port: u16) -> Self {
        let mut random = StdRng::seed_from_u64(options.seed);
        let nonce_window = options.nonce_window.unwrap_or_else(|| Duration::from_secs(random.random_range(120..=300)));
        let limits = Limits::new(&options, &mut random);
        let mut world = Self {
            sessions: Sessions::default(),
            presences: BTreeMap::new(),
            troubles: Troubles::default(),
            statistics: Statistics::default(),
            last_id: 0,
            bot: 0,
            token_revoked: false,
            users: BTreeMap::new(),
            guilds: BTreeMap::new(),
            channels: BTreeMap::new(),
            messages: HashMap::new(),
            files: HashMap::new(),
            timelines: HashMap::new(),
            nonces: HashMap::new(),
            nonce_window,
            commands: Vec::new(),
            commands_registered: false,
            guild_commands: BTreeMap::new(),
            command_creates: HashMap::new(),
            command_permissions: HashMap::new(),
            interactions: HashMap::new(),
            clients: Clients::default(),
            bodies: VecDeque::new(),
            options,
            port,
            random,
            limits,
        };
        world.bot = world.add_user("guildwire", true);
        world
    }

    /// A fresh snowflake, greater than every one before.
    pub(crate) fn next_id(&mut self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let milliseconds = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let stamp = milliseconds.saturating_sub(DISCORD_EPOCH_MILLISECONDS) << 22;
        self.last_id = stamp.max(self.last_id + 1);
        self.last_id
    }

    pub(crate) fn random_token(&mut self) -> String {
        format!("{:016x}{:016x}", self.random.random::<u64>(), self.random.random::<u64>())
    }

    pub(crate) fn add_user(&mut self, name: &str, bot: bool) -> u64 {
        let id = self.next_id();
        self.users.insert(id, User { name: name.to_owned(), bot, takes_direct_messages: true });
        id
    }

    /// The channel whose overwrites count: a thread's parent, else the channel itself
    /// (<https://discord.com/developers/docs/topics/permissions#inherited-permissions-threads>).
    pub(crate) fn permission_channel(&self, channel: u64) -> u64 {
        match self.channels.get(&channel).map(|channel| channel.kind) {
            Some(ChannelKind::PublicThread { parent }) => parent,
            _ => channel,
        }
    }

    /// The guild, if the bot is in it and it is not out.
    pub(crate) fn reachable_guild(&self, guild: u64) -> Option<&Guild> {
        self.guilds.get(&guild).filter(|guild| guild.members.contains_key(&self.bot) && !guild.out)
    }

    pub(crate) fn has_bot(&self, guild: u64) -> bool {
        self.guilds.get(&guild).is_some_and(|guild| guild.members.contains_key(&self.bot))
    }

    /// Sends an event of a guild, or of a direct conversation if `guild` is 0, to the sessions whose shard it belongs to
    /// and whose intents cover it. What a session may not read of a message is taken out.
    pub(crate) fn dispatch(&mut self, guild: u64, event: &str, data: &Value) {
        let direct = guild == 0;
        if !direct && !self.has_bot(guild) {
            return;
        }
        let seen = snowflake(&data["channel_id"])
            .is_none_or(|channel| permissions::in_channel(self, self.bot, channel) & VIEW_CHANNEL != 0);
        if intents::needs_sight(event) && !seen {
            return;
        }
        let bot = self.bot.to_string();
        let is_bot = |member: &Value| member["user"]["id"] == bot.as_str() || member["user_id"] == bot.as_str();
        let own = is_bot(data) || data["added_members"].as_array().is_some_and(|members| members.iter().any(is_bot));
        let covering = intents::covering(event, direct, own);
        let is_message = matches!(event, "MESSAGE_CREATE" | "MESSAGE_UPDATE") && !direct;
        let redacted = is_message.then(|| intents::readable(data, self.bot));
        self.sessions.dispatch(guild, event, |asked| match covering {
            Some(any) if asked & any == 0 => None,
            _ if asked & MESSAGE_CONTENT == 0 => redacted.as_ref().or(Some(data)),
            _ => Some(data),
        });
    }

    /// Puts a message where it belongs; an ephemeral one exists but no channel shows it.
    pub(crate) fn keep_message(&mut self, channel: u64, message: Message, ephemeral: bool) {
        if !ephemeral {
            self.timelines.entry(channel).or_default().push(message.id);
            if let Some(channel) = self.channels.get_mut(&channel) {
                channel.last_message = Some(message.id);
                // A message un-archives a thread: <https://discord.com/developers/docs/topics/threads#active--archived-threads>
                channel.archived = false;
            }
        }
        self.messages.insert(message.id, message);
    }

    pub(crate) fn remove_message(&mut self, channel: u64, message: u64) -> bool {
        if let Some(timeline) = self.timelines.get_mut(&channel) {
            timeline.retain(|&shown| shown != message);
        }
        self.messages.remove(&message).is_some()
    }

    /// Whether this message stands in this channel.
    pub(crate) fn shows(&self, channel: u64, message: u64) -> bool {
        self.timelines.get(&channel).is_some_and(|timeline| timeline.contains(&message))
    }

    pub(crate) fn keep_body(&mut self, route: &str, body: &Value) {
        if self.bodies.len() >= BODIES_KEPT {
            self.bodies.pop_front();
        }
        self.bodies.push_back((route.to_owned(), body.clone()));
    }
}
