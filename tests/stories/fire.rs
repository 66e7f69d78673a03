//! What the stories of trouble share: a channel that hears of one account's servers, and the list of what it has to
//! show, each event once and in order.

use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use discord_sim::{Bucket, Options, Sim};
use guildwire_harness::house::{FIRST_ACCOUNT, Guild, House, PATIENCE, Publisher};
use guildwire_harness::{RunningBot, TcpProxy};

use crate::support::{Database, build_house};

/// The stream of each account.
pub(crate) const STREAM: &str = "EVENTS";

/// How long a look has to wait for the next one, where nothing tells of a change.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// A house in which one channel hears of servers that came up.
pub(crate) struct Fire {
    pub(crate) house: House,
    pub(crate) guild: Guild,
    pub(crate) channel: u64,
    /// The game servers of the first account.
    pub(crate) servers: Publisher,
    /// What the channel has to show: the servers that came up, in order.
    pub(crate) expected: Vec<String>,
    /// How many servers came up so far.
    counted: usize,
}

impl Fire {
    /// A house whose bot is not yet running, with a Discord that takes as many messages as the bot's own pace allows:
    /// the stories are about what happens between messages, not about waiting for buckets.
    pub(crate) async fn lay(database: Database) -> Fire {
        let bucket = Bucket { limit: 100, window: Duration::from_secs(1) };
        Fire::lay_with(database, Options { message_bucket: Some(bucket), ..Options::default() }).await
    }

    /// The same with a Discord of these options.
    pub(crate) async fn lay_with(database: Database, options: Options) -> Fire {
        let mut house = build_house(database).await;
        house.discord = Sim::start(options).await.unwrap();
        house.bot = house.bot.discord(&house.discord.url(), &house.discord.token());
        let guild = house.guild("Rustaceans");
        let channel = house.channel(guild, "events");
        let servers = house.publisher(FIRST_ACCOUNT).await.unwrap();
        Fire { house, guild, channel, servers, expected: Vec::new(), counted: 0 }
    }

    /// Puts a proxy between the bot and nats-server. Accounts are added afterwards.
    pub(crate) async fn nats_proxy(&mut self) -> TcpProxy {
        let proxy = TcpProxy::start(self.house.nats.address()).await.unwrap();
        self.set("nats.url", &proxy.url_for("nats"));
        proxy
    }

    /// Puts a proxy between the bot and Discord's REST API.
    pub(crate) async fn discord_proxy(&mut self) -> TcpProxy {
        let address = self.house.discord.url().trim_start_matches("http://").parse().unwrap();
        let proxy = TcpProxy::start(address).await.unwrap();
        self.set("discord.api_url", &proxy.url_for("http"));
        proxy
    }

    /// Changes a setting of the bot's installation.
    pub(crate) fn set(&mut self, path: &str, value: &str) {
        self.house.bot = self.house.bot.clone().setting(path, value);
    }

    /// Starts the bot and links the guild; no channel is bound yet.
    pub(crate) async fn link(&self) -> RunningBot {
        self.house.add_accounts().await.unwrap();
        let bot = self.house.start().await.unwrap();
        self.house.link(self.guild, FIRST_ACCOUNT).await.unwrap();
        bot
    }

    /// Starts the bot, links the guild and binds the channel.
    pub(crate) async fn light(&self) -> RunningBot {
        let bot = self.link().await;
        self.bind(self.channel).await;
        bot
    }

    /// Binds a channel to the servers' lifecycle.
    pub(crate) async fn bind(&self, channel: u64) {
        self.house.notify(self.guild, channel, "lifecycle", &[]).await.unwrap();
    }

    /// Tries to bind a channel as it is bound already.
    pub(crate) async fn bind_again(&self, channel: u64) {
        let options = [("channel", channel.to_string().into()), ("events", "lifecycle".into())];
        self.house.command(self.guild, "notify add", &options).await.unwrap();
    }

    /// A name that no server had so far.
    pub(crate) fn next_name(&mut self) -> String {
        self.counted += 1;
        format!("s{:03}", self.counted)
    }

    /// So many names that no server had so far; the channel has to show them.
    pub(crate) fn next_names(&mut self, count: usize) -> Vec<String> {
        let names: Vec<String> = (0..count).map(|_| self.next_name()).collect();
        self.expected.extend_from_slice(&names);
        names
    }

    /// So many servers come up, which the channel has to show.
    pub(crate) async fn come_up(&mut self, count: usize) {
        for name in self.next_names(count) {
            self.publish(&name).await;
        }
    }

    /// So many servers come up, which the channel must not show.
    pub(crate) async fn come_up_unseen(&mut self, count: usize) {
        for _ in 0..count {
            let name = self.next_name();
            self.publish(&name).await;
        }
    }

    /// One server comes up.
    pub(crate) async fn publish(&self, name: &str) {
        self.servers.publish(&format!("{name}.events.started"), "{}").await.unwrap();
    }

    /// The servers that a channel shows, in its order.
    pub(crate) fn shown_in(&self, channel: u64) -> Vec<String> {
        shown(&self.house.discord, channel)
    }

    /// Waits until a channel shows a server.
    pub(crate) async fn wait_for(&self, channel: u64, name: &str) {
        wait_for(&self.house.discord, channel, name).await;
    }

    /// Waits until the channel shows the last server that came up.
    pub(crate) async fn wait_for_last(&self) {
        self.wait_for(self.channel, self.expected.last().unwrap()).await;
    }

    /// One more server comes up. Once the channel shows it, everything before it has been decided: the channel has to
    /// show each server once, in order, and no other.
    pub(crate) async fn check(&mut self) {
        self.come_up(1).await;
        self.wait_for_last().await;
        assert_eq!(self.shown_in(self.channel), self.expected);
    }

    /// What `/notify list` answers.
    pub(crate) async fn listed(&self) -> String {
        let reply = self.house.command(self.guild, "notify list", &[]).await.unwrap();
        let embeds = reply.embeds.iter().filter_map(|embed| embed.description.as_deref());
        [reply.content.as_str()].into_iter().chain(embeds).collect()
    }

    /// How many messages were tried to be sent to Discord, in any channel.
    pub(crate) fn attempts(&self) -> u64 {
        self.house.discord.statistics().requests_to("POST /channels/{channel}/messages")
    }

    /// The durable consumers of the stream.
    pub(crate) async fn durables(&self) -> Vec<String> {
        use futures_util::TryStreamExt as _;
        let stream = self.servers.jetstream.get_stream(STREAM).await.unwrap();
        stream.consumer_names().try_collect().await.unwrap()
    }

    /// The one durable consumer that the bot made.
    pub(crate) async fn durable(&self) -> PullConsumer {
        let durables = self.durables().await;
        assert_eq!(durables.len(), 1, "{durables:?}");
        self.servers.jetstream.get_consumer_from_stream(&durables[0], STREAM).await.unwrap()
    }

    /// Whether the bot has recorded all that is stored.
    pub(crate) async fn is_all_recorded(&self) -> bool {
        let durable = self.durable().await;
        let info = durable.cached_info();
        info.num_pending == 0 && info.num_ack_pending == 0
    }
}

/// Waits until a channel shows a server.
pub(crate) async fn wait_for(discord: &Sim, channel: u64, name: &str) {
    let shows_it = |discord: &Sim| shown(discord, channel).iter().any(|shown| shown == name);
    let waited = discord.wait_until(PATIENCE, &format!("the channel shows {name}"), shows_it).await;
    if let Err(error) = waited {
        panic!("{error}; it shows {:?}", shown(discord, channel));
    }
}

/// The servers, or players, that a channel shows, in its order.
pub(crate) fn shown(discord: &Sim, channel: u64) -> Vec<String> {
    lines(discord, channel).iter().filter_map(|line| name(line)).collect()
}

/// What a channel shows, line by line. Where a file is attached to a message it holds every line, and the embed some of
/// the same.
pub(crate) fn lines(discord: &Sim, channel: u64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for message in discord.messages(channel) {
        let files = discord.files(&message);
        if files.is_empty() {
            let embeds = message.embeds.iter().filter_map(|embed| embed.description.as_deref());
            lines.extend(embeds.flat_map(str::lines).map(str::to_owned));
        }
        for (_, bytes) in files {
            lines.extend(String::from_utf8(bytes).unwrap().lines().map(str::to_owned));
        }
    }
    lines
}

/// The server that a line tells of, else the player: names are set in bold in an embed, and can't be in a file. A heading
/// of many events, which begins in bold, tells of none.
fn name(line: &str) -> Option<String> {
    let behind = match line.split_once("Server ") {
        Some((_, behind)) => behind.trim_start_matches("**"),
        None if line.starts_with("**") => return None,
        None => line.split_once("**")?.1,
    };
    Some(behind.split(['*', ' ']).next().unwrap_or_default().replace('\\', ""))
}

/// Looks again and again until something holds.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !holds().await {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, looking).await.is_ok(), "{what}: not within {PATIENCE:?}");
}
