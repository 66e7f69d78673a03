//! The bots that are measured, each with a nats-server account and a Discord of its own: guildwire, and the peer, which
//! is a bot as it is usually written (`benches/peer/`).

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use discord_sim::{Bucket, ChannelKind, Message, Options, Sim};
use guildwire::clock;
use guildwire::domain::timestamp::Timestamp;
use guildwire_harness::house::{FIRST_ACCOUNT, Guild, House, PATIENCE, Publisher, SECOND_ACCOUNT, SECOND_USER};
use guildwire_harness::{Bot, NatsConfig, NatsServer, NatsUser, Postgres, RunningBot};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::machine::tool;

/// The account that the peer reads.
const PEER: &str = "PEER";

/// Which database guildwire keeps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

/// A Discord that limits nobody.
pub(crate) fn generous() -> Options {
    let message_bucket = Some(Bucket { limit: 1_000_000, window: Duration::from_hours(1) });
    Options { message_bucket, global_per_second: 1_000_000, ..Options::default() }
}

/// nats-server, Discord and guildwire, which has an account but does not run yet.
pub(crate) async fn house(database: Database, options: Options) -> Result<House> {
    house_on(config(), database, options).await
}

/// The accounts of those that are measured.
pub(crate) fn config() -> NatsConfig {
    let (user, password) = SECOND_USER;
    NatsConfig::blog_post()
        .account(SECOND_ACCOUNT, &[NatsUser::password(user, password)])
        .account(PEER, &[NatsUser::without_password(PEER)])
}

/// The same on a nats-server that is configured so.
pub(crate) async fn house_on(config: NatsConfig, database: Database, options: Options) -> Result<House> {
    let nats = NatsServer::start(&config)?;
    let discord = Sim::start(options).await?;
    let bot = Bot::new(env!("CARGO_BIN_EXE_guildwire"))
        .discord(&discord.url(), &discord.token())
        .setting("nats.url", &nats.url())
        .setting("limits.commands_per_minute", "10000")
        .setting("limits.bindings_per_guild", "1000")
        .setting("log.level", "warn");
    let bot = match database {
        Database::Sqlite => bot,
        Database::Postgres => bot.database_url(&Postgres::shared().create_database("bench").await?),
    };
    let house = House { nats, discord, bot };
    for account in [FIRST_ACCOUNT, SECOND_ACCOUNT] {
        house.publisher(account).await?.make_stream().await?;
    }
    house.operate(&["account", "add", FIRST_ACCOUNT, "--user", NatsConfig::BLOG_POST_USER]).await?;
    Ok(house)
}

/// Starts guildwire and links a guild with its account.
pub(crate) async fn start_guildwire(house: &House) -> Result<(RunningBot, Guild)> {
    let running = house.start().await?;
    let guild = house.guild("bench");
    house.link(guild, FIRST_ACCOUNT).await?;
    Ok((running, guild))
}

/// The peer: its process, its Discord, and the channel that it tells.
pub(crate) struct Peer {
    pub(crate) discord: Sim,
    pub(crate) channel: u64,
    pub(crate) publisher: Publisher,
    nats_url: String,
}

impl Peer {
    /// What the peer needs, on the nats-server of a house.
    pub(crate) async fn prepare(house: &House) -> Result<Self> {
        let discord = Sim::start(generous()).await?;
        let guild = discord.add_guild("bench");
        let channel = discord.add_channel(guild, "events", ChannelKind::Text);
        let client = async_nats::ConnectOptions::with_user_and_password(PEER.to_owned(), String::new())
            .connect(house.nats.url())
            .await?;
        let publisher = Publisher { jetstream: async_nats::jetstream::new(client) };
        publisher.make_stream().await?;
        Ok(Self { discord, channel, publisher, nats_url: house.nats.url() })
    }

    /// Starts it, and waits until it reads.
    pub(crate) async fn start(&self) -> Result<Child> {
        let mut child = Command::new(tool("node"))
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peer/bot.js"))
            .env("DISCORD_URL", self.discord.url())
            .env("DISCORD_TOKEN", self.discord.token())
            .env("DISCORD_CHANNEL", self.channel.to_string())
            .env("NATS_URL", &self.nats_url)
            .env("NATS_USER", PEER)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("starting the peer; `./dev tools` puts Node.js in its place")?;
        let output = child.stdout.take().context("it is piped")?;
        let line = tokio::time::timeout(PATIENCE, BufReader::new(output).lines().next_line()).await??;
        ensure!(line.as_deref() == Some("ready"), "the peer said {line:?}");
        Ok(child)
    }
}

/// Publishes one event after another, each once the one before has come to Discord and it was quiet for `pause`, and says
/// how long each took.
///
/// It begins before the event is published and ends when the simulated Discord, in this process, has taken its message.
pub(crate) async fn tell(
    discord: &Sim,
    publisher: &Publisher,
    channel: u64,
    events: usize,
    pause: Duration,
) -> Result<Vec<Duration>> {
    let shown_before = discord.messages(channel).len();
    let mut began = Vec::new();
    for number in 0..events {
        tokio::time::sleep(pause).await;
        // Nobody joins twice.
        let (subject, payload) = joined(shown_before + number);
        let taken = discord.statistics().creates_accepted;
        began.push(clock::now());
        publisher.publish(&subject, &payload).await?;
        let has_come = |discord: &Sim| discord.statistics().creates_accepted > taken;
        discord.wait_until(PATIENCE, "an event's message", has_come).await?;
    }
    let messages = &discord.messages(channel)[shown_before..];
    ensure!(messages.len() == events, "{events} events became {} messages", messages.len());
    Ok(began.into_iter().zip(messages).map(|(began, message)| taken_at(message).since(began)).collect())
}

/// When the simulated Discord had taken a message.
pub(crate) fn taken_at(message: &Message) -> Timestamp {
    let since_1970 = message.sent_at.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanoseconds(i64::try_from(since_1970.as_nanos()).unwrap_or(i64::MAX))
}

/// The subject and the payload of a player who joins, by the number that ends their name.
pub(crate) fn joined(player: usize) -> (String, String) {
    let id = 76_561_198_000_000_000 + player;
    let payload = format!(
        r#"{{"connected_timestamp":"11/22/2026 2:39:38 PM","player":{{"id":"{id}","name":"Player {player}","address":"203.0.113.9:28015"}}}}"#
    );
    (format!("main.players.{id}.events.connected"), payload)
}

/// A line of `/proc/PID/status`, in megabytes.
pub(crate) fn memory(process: u32, line: &str) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let value = status.lines().find_map(|text| text.strip_prefix(line)?.split_ascii_whitespace().nth(1));
    let kilobytes: f64 = value.with_context(|| format!("no {line} in {status}"))?.parse()?;
    Ok(kilobytes / 1024.0)
}
