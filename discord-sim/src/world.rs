//! The state of the simulated Discord: guilds, channels, people, messages, sessions. It outlives a simulated restart.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

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

pub use crate::model::ChannelKind;
pub(crate) use crate::model::{Channel, Guild, Member, Overwrite, Pin, Reaction, Role, Webhook};

/// Discord's first second: snowflakes count milliseconds from here
/// (<https://discord.com/developers/docs/reference#snowflakes>).
const DISCORD_EPOCH_MILLISECONDS: u64 = 1_420_070_400_000;

/// Bodies kept for schema checks; older ones are forgotten first.
const BODIES_KEPT: usize = 20_000;

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

/// Makes room in a map: before it grows, what is past its life is dropped, so that it never holds much more than twice
/// what lives, and a place in it costs the same however many there are.
pub(crate) fn prune<K: Eq + Hash, V>(map: &mut HashMap<K, V>, lives: impl Fn(&V) -> bool) {
    if map.len() == map.capacity() {
        map.retain(|_, value| lives(value));
        map.reserve(map.len().max(64));
    }
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
    /// Reactions by message, in the order the emojis came.
    pub(crate) reactions: HashMap<u64, Vec<Reaction>>,
    pub(crate) webhooks: BTreeMap<u64, Webhook>,
    /// When messages older than an hour were edited, for their limit.
    pub(crate) old_edits: VecDeque<Instant>,
    pub(crate) old_edits_per_hour: u32,
    /// How far Discord's clock was moved on.
    pub(crate) clock_ahead: Duration,
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
        let old_edits_per_hour = options.old_edits_per_hour.unwrap_or_else(|| random.random_range(20..=40));
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
            reactions: HashMap::new(),
            webhooks: BTreeMap::new(),
            old_edits: VecDeque::new(),
            old_edits_per_hour,
            clock_ahead: Duration::ZERO,
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

    /// Discord's time.
    pub(crate) fn now(&self) -> SystemTime {
        SystemTime::now() + self.clock_ahead
    }

    /// How old a snowflake is.
    pub(crate) fn age(&self, id: u64) -> Duration {
        let made = Duration::from_millis((id >> 22) + DISCORD_EPOCH_MILLISECONDS);
        self.now().duration_since(UNIX_EPOCH + made).unwrap_or_default()
    }

    /// A fresh snowflake, greater than every one before.
    pub(crate) fn next_id(&mut self) -> u64 {
        let now = self.now().duration_since(UNIX_EPOCH).unwrap_or_default();
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
        self.channels.get(&channel).and_then(|channel| channel.kind.thread_parent()).unwrap_or(channel)
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

    /// Puts a message where it belongs and tells of it; an ephemeral one exists but no channel shows it.
    pub(crate) fn keep_message(&mut self, channel: u64, message: Message, ephemeral: bool) {
        let (id, mut data) = (message.id, message.raw.clone());
        self.messages.insert(id, message);
        if ephemeral {
            return;
        }
        self.wake_thread(channel);
        self.timelines.entry(channel).or_default().push(id);
        if let Some(channel) = self.channels.get_mut(&channel) {
            channel.last_message = Some(id);
            if let Some(thread) = &mut channel.thread
                && channel.id != id
            {
                thread.sent += 1;
            }
        }
        self.add_author(channel, &mut data);
        self.tell(channel, "MESSAGE_CREATE", data);
    }

    /// A message un-archives a thread: <https://discord.com/developers/docs/topics/threads#active-archived-threads>
    fn wake_thread(&mut self, channel: u64) {
        let now = self.now();
        let thread = self.channels.get_mut(&channel).and_then(|channel| channel.thread.as_mut());
        if let Some(thread) = thread.filter(|thread| thread.archived) {
            (thread.archived, thread.turned) = (false, now);
            self.announce_channel(channel, "UPDATE");
        }
    }

    /// Changes a message that is shown, and tells of it.
    pub(crate) fn change_message(&mut self, id: u64, change: impl FnOnce(&mut Value)) {
        let Some(message) = self.messages.get_mut(&id) else { return };
        change(&mut message.raw);
        message.flags = message.raw["flags"].as_u64().unwrap_or_default();
        self.tell_of_change(id);
    }

    /// `MESSAGE_UPDATE` for a message that a channel shows.
    pub(crate) fn tell_of_change(&mut self, id: u64) {
        let Some(mut data) = self.messages.get(&id).map(|message| message.raw.clone()) else { return };
        let Some(channel) = snowflake(&data["channel_id"]) else { return };
        if self.shows(channel, id) {
            self.add_author(channel, &mut data);
            self.tell(channel, "MESSAGE_UPDATE", data);
        }
    }

    /// Deletes a message and tells of it; whether there was one.
    pub(crate) fn remove_message(&mut self, channel: u64, message: u64) -> bool {
        let shown = self.shows(channel, message);
        let there = self.forget_message(channel, message);
        if shown {
            self.tell(
                channel,
                "MESSAGE_DELETE",
                json!({ "id": message.to_string(), "channel_id": channel.to_string() }),
            );
        }
        there
    }

    /// Deletes a message with its files, reactions and pin, and tells nobody.
    pub(crate) fn forget_message(&mut self, channel: u64, message: u64) -> bool {
        if let Some(timeline) = self.timelines.get_mut(&channel) {
            timeline.retain(|&shown| shown != message);
        }
        if let Some(channel) = self.channels.get_mut(&channel) {
            channel.pins.retain(|pin| pin.message != message);
        }
        self.reactions.remove(&message);
        let gone = self.messages.remove(&message);
        for attachment in gone.iter().filter_map(|gone| gone.raw["attachments"].as_array()).flatten() {
            if let Some(id) = snowflake(&attachment["id"]) {
                self.files.remove(&id);
            }
        }
        gone.is_some()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_drops_what_is_dead_before_it_grows() {
        let (mut map, mut most) = (HashMap::new(), 0);
        for at in 0..10_000_u32 {
            prune(&mut map, |&added| added + 100 > at);
            map.insert(at, at);
            most = most.max(map.len());
            assert!((at.saturating_sub(99)..=at).all(|lives| map.contains_key(&lives)), "the last hundred live");
        }
        assert!(most < 500, "{most}");
    }
}
