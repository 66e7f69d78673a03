//! A whole installation as its people see it: nats-server with accounts, the Discord stand-in, and the bot between.
//!
//! Everything goes the way a person goes: accounts are added by the command line, guilds linked and channels bound by
//! slash commands, events published with the game server's own credential. Nothing looks into the bot.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, stream};
use discord_sim::{Actor, Options, Reply, Sim};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::{Bot, NatsConfig, NatsServer, NatsUser, RunningBot};

/// How long anything that is on its way may take on a busy machine before a story is over.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// How long nats-server's answer may take before an event is published once more.
const STORED_WITHIN: Duration = Duration::from_secs(2);

/// Between two looks where nothing tells of a change.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The accounts a house is built with: the blog post's own, and a second with a password.
pub const FIRST_ACCOUNT: &str = "GA-1";
/// See [`FIRST_ACCOUNT`].
pub const SECOND_ACCOUNT: &str = "GA-2";

/// The second account's user and password.
pub const SECOND_USER: (&str, &str) = ("second", "correct horse battery staple");

/// nats-server, Discord and an installation of the bot.
#[derive(Debug)]
pub struct House {
    /// The event log of all accounts.
    pub nats: NatsServer,
    /// The stand-in for Discord.
    pub discord: Sim,
    /// The bot's installation.
    pub bot: Bot,
}

/// A guild with a person who may manage it.
#[derive(Debug, Clone, Copy)]
pub struct Guild {
    /// The guild.
    pub id: u64,
    /// A channel in which its commands are used.
    pub lobby: u64,
    /// Somebody with Manage Server.
    pub admin: u64,
}

impl House {
    /// nats-server with two accounts that each have a stream `EVENTS`, Discord, and the bot's binary, not yet running.
    pub async fn build(binary: &Path, database_url: Option<&str>) -> Result<House> {
        let (user, password) = SECOND_USER;
        let config = NatsConfig::blog_post().account(SECOND_ACCOUNT, &[NatsUser::password(user, password)]);
        let nats = NatsServer::start(&config)?;
        let discord = Sim::start(Options::default()).await.context("starting the Discord stand-in")?;
        let bot = Bot::new(binary)
            .discord(&discord.url(), &discord.token())
            .setting("nats.url", &nats.url())
            // One admin does here in a minute what people do in a week.
            .setting("limits.commands_per_minute", "10000")
            .setting("log.level", "guildwire=debug,info");
        let bot = match database_url {
            Some(url) => bot.database_url(url),
            None => bot,
        };
        let house = House { nats, discord, bot };
        for account in [FIRST_ACCOUNT, SECOND_ACCOUNT] {
            house.publisher(account).await?.make_stream().await?;
        }
        Ok(house)
    }

    /// Adds both accounts by the command line.
    pub async fn add_accounts(&self) -> Result<()> {
        self.operate(&["account", "add", FIRST_ACCOUNT, "--user", NatsConfig::BLOG_POST_USER]).await?;
        let (user, password) = SECOND_USER;
        let file = self.bot.home_folder().join("second.password");
        std::fs::write(&file, format!("{password}\n"))?;
        let file = file.to_string_lossy().into_owned();
        self.operate(&["account", "add", SECOND_ACCOUNT, "--user", user, "--password-file", &file]).await?;
        Ok(())
    }

    /// Runs one of the bot's commands, which has to succeed, and answers with what it printed.
    pub async fn operate(&self, arguments: &[&str]) -> Result<String> {
        let output = self.bot.command(arguments).await?;
        ensure!(output.status.success(), "guildwire {} failed: {}", arguments.join(" "), output.stderr);
        Ok(output.stdout)
    }

    /// Starts the bot and waits until it is ready and its commands are there.
    pub async fn start(&self) -> Result<RunningBot> {
        let mut running = self.bot.run().await?;
        if let Err(error) = running.wait_ready(PATIENCE).await {
            bail!("{error}\n{}", running.log());
        }
        self.discord.wait_for_gateway(PATIENCE).await?;
        Ok(running)
    }

    /// A game server's own connection to its account.
    pub async fn publisher(&self, account: &str) -> Result<Publisher> {
        Publisher::connect(&self.nats.url(), account).await
    }

    /// A guild that the bot is in, with an admin.
    #[must_use]
    pub fn guild(&self, name: &str) -> Guild {
        let id = self.discord.add_guild(name);
        let lobby = self.discord.add_channel(id, "lobby", discord_sim::ChannelKind::Text);
        // Manage Server.
        let admin = self.discord.add_member(id, "admin", 0x20);
        Guild { id, lobby, admin }
    }

    /// A text channel in a guild.
    #[must_use]
    pub fn channel(&self, guild: Guild, name: &str) -> u64 {
        self.discord.add_channel(guild.id, name, discord_sim::ChannelKind::Text)
    }

    /// Uses a slash command as the guild's admin.
    pub async fn command(&self, guild: Guild, name: &str, options: &[(&str, Value)]) -> Result<Reply> {
        let by = Actor { guild: guild.id, channel: guild.lobby, user: guild.admin };
        self.discord.command(by, name, options).await.with_context(|| format!("/{name}"))
    }

    /// Makes an invite by the command line and links the guild with it.
    pub async fn link(&self, guild: Guild, account: &str) -> Result<()> {
        let printed = self.operate(&["account", "invite", account]).await?;
        let code = printed.lines().last().context("the invite's code is the last line")?;
        let reply = self.command(guild, "account link", &[("code", code.into())]).await?;
        ensure!(reply.content.contains("is linked to"), "not linked: {}", reply.content);
        Ok(())
    }

    /// Binds a channel and waits until the binding hears events: the answer does not wait for that on a slow machine.
    pub async fn notify(&self, guild: Guild, channel: u64, events: &str, more: &[(&str, Value)]) -> Result<()> {
        let mut options = vec![("channel", channel.to_string().into()), ("events", events.into())];
        options.extend_from_slice(more);
        let reply = self.command(guild, "notify add", &options).await?;
        if reply.content.contains("from this moment on") {
            return Ok(());
        }
        ensure!(reply.content.contains("as soon as the account can be read"), "not bound: {}", reply.content);
        let begun = async {
            while self.command(guild, "notify list", &[]).await?.raw.to_string().contains("begins as soon as") {
                sleep(LOOK_EVERY).await;
            }
            Ok(())
        };
        timeout(PATIENCE, begun).await.with_context(|| format!("it never began: {}", reply.content))?
    }

    /// What a channel shows: each embed's first line, from the oldest on, without its time.
    #[must_use]
    pub fn shown(&self, channel: u64) -> Vec<String> {
        let messages = self.discord.messages(channel);
        let embeds = messages.iter().flat_map(|message| &message.embeds);
        embeds.map(|embed| without_time(embed.description.as_deref().unwrap_or_default())).collect()
    }

    /// Waits until a channel shows that many embeds, and answers with what [`House::shown`] says then.
    pub async fn wait_for_shown(&self, channel: u64, count: usize) -> Result<Vec<String>> {
        let shows_enough = |discord: &Sim| {
            discord.messages(channel).iter().map(|message| message.embeds.len()).sum::<usize>() >= count
        };
        let waited = self.discord.wait_until(PATIENCE, "a channel shows its events", shows_enough).await;
        let shown = self.shown(channel);
        waited.with_context(|| format!("{count} wanted, {} shown: {shown:#?}", shown.len()))?;
        Ok(shown)
    }

    /// Waits until a channel shows these embeds, as [`House::shown`] says: some are edited after a while.
    pub async fn wait_until_shown(&self, channel: u64, wanted: &[&str]) -> Result<()> {
        let result = self.discord.wait_until(PATIENCE, "a channel shows this", |_| self.shown(channel) == wanted).await;
        result.with_context(|| format!("{wanted:#?} wanted, shown is {:#?}", self.shown(channel)))
    }
}

/// A game server's connection.
#[derive(Debug, Clone)]
pub struct Publisher {
    /// Its JetStream.
    pub jetstream: jetstream::Context,
}

impl Publisher {
    /// Connects as a game server of one of a house's accounts.
    pub async fn connect(nats_url: &str, account: &str) -> Result<Publisher> {
        let (user, password) = match account {
            FIRST_ACCOUNT => (NatsConfig::BLOG_POST_USER, ""),
            _ => SECOND_USER,
        };
        let client = async_nats::ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned())
            .connect(nats_url)
            .await
            .with_context(|| format!("connecting as a game server of {account}"))?;
        Ok(Publisher { jetstream: jetstream::new(client) })
    }

    /// Makes the account's stream, as its owner does once.
    pub async fn make_stream(&self) -> Result<()> {
        let config = stream::Config {
            name: "EVENTS".to_owned(),
            subjects: vec!["v0.*.servers.>".to_owned()],
            ..stream::Config::default()
        };
        self.jetstream.create_stream(config).await.context("making the stream")?;
        Ok(())
    }

    /// Publishes one event and waits until it is stored. The subject goes on after `v0.rust.servers.`. Where no answer comes,
    /// as while nats-server is started anew, it is published again: by its id the stream stores it once.
    pub async fn publish(&self, subject: &str, payload: &str) -> Result<u64> {
        static EVENTS: AtomicU64 = AtomicU64::new(0);
        let (subject, id) = (format!("v0.rust.servers.{subject}"), EVENTS.fetch_add(1, Ordering::Relaxed).to_string());
        let publishing = async {
            loop {
                let event = PublishMessage::build().message_id(&id).payload(payload.to_owned().into());
                let stored = async { self.jetstream.send_publish(subject.clone(), event).await?.await };
                match timeout(STORED_WITHIN, stored).await {
                    Ok(Ok(stored)) => return Ok(stored.sequence),
                    Ok(Err(error)) if !is_lost(error.kind()) => return Err(error.into()),
                    Ok(Err(_)) | Err(_) => sleep(LOOK_EVERY).await,
                }
            }
        };
        timeout(PATIENCE, publishing).await.with_context(|| format!("{subject} was not stored"))?
    }
}

/// Whether nobody said what became of an event.
const fn is_lost(error: PublishErrorKind) -> bool {
    matches!(error, PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe)
}

fn without_time(description: &str) -> String {
    let line = description.lines().next().unwrap_or_default();
    line.split_once(" · <t:").map_or(line, |(sentence, _)| sentence).to_owned()
}
