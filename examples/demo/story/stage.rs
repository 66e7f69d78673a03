//! The stage: nats-server, Discord and the bot, the guilds and channels, and the people who type.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use discord_sim::{Options, Sim};
use guildwire_harness::house::{FIRST_ACCOUNT, Guild, House, Publisher, SECOND_ACCOUNT, SECOND_USER};
use guildwire_harness::{Bot, NatsConfig, NatsServer, NatsUser, RunningBot};
use serde_json::Value;

use super::events::Event;
use crate::checks::Checks;
use crate::screen::Screen;

/// What the bot may do where it was invited as the manual says, and in one guild "Mention @everyone, @here, and All
/// Roles" on top of it: so that nobody is notified because of what the bot does, not of what it may do.
const MENTION_EVERYONE: u64 = 1 << 17;
const INVITED_WITH: u64 = 274_878_024_704;

/// "Send Messages".
const SEND_MESSAGES: u64 = 1 << 11;

/// A guild and its name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Community {
    /// The guild.
    pub(crate) guild: Guild,
    /// What it is called.
    pub(crate) name: &'static str,
}

/// A channel in which something will be shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Channel {
    /// The channel.
    pub(crate) id: u64,
    /// Where it is.
    pub(crate) community: Community,
    /// What it is called.
    pub(crate) name: &'static str,
    /// The account whose events it is meant for.
    pub(crate) account: &'static str,
    /// What it is bound to, in words.
    pub(crate) hears: &'static str,
}

/// Everything that was started.
#[derive(Debug)]
pub(crate) struct Stage {
    /// nats-server, Discord and the bot's installation.
    pub(crate) house: House,
    /// The bot, once it runs. Dropping it kills it, and the house's parts go with the house.
    pub(crate) running: Option<RunningBot>,
    /// What is shown at the end, in this order.
    pub(crate) channels: Vec<Channel>,
    /// The role that an admin wants to be mentioned.
    pub(crate) builders: u64,
    publishers: [(&'static str, Publisher); 2],
}

impl Stage {
    /// Starts nats-server and Discord; the bot's operator comes later.
    pub(crate) async fn build(bot: &Path) -> Result<Stage> {
        let (user, password) = SECOND_USER;
        let accounts = NatsConfig::blog_post().account(SECOND_ACCOUNT, &[NatsUser::password(user, password)]);
        let nats = NatsServer::start(&accounts)?;
        let discord = Sim::start(Options::default()).await.context("starting the stand-in for Discord")?;
        let bot = Bot::new(bot).discord(&discord.url(), &discord.token()).setting("nats.url", &nats.url());
        let house = House { nats, discord, bot };
        let (first, second) = (house.publisher(FIRST_ACCOUNT).await?, house.publisher(SECOND_ACCOUNT).await?);
        first.make_stream().await?;
        second.make_stream().await?;
        let publishers = [(FIRST_ACCOUNT, first), (SECOND_ACCOUNT, second)];
        Ok(Stage { house, running: None, channels: Vec::new(), builders: 0, publishers })
    }

    /// A guild with an admin, where the bot may mention everybody.
    pub(crate) fn community(&self, name: &'static str) -> Community {
        let (discord, guild) = (&self.house.discord, self.house.guild(name));
        let role = discord.bot_role(guild.id);
        discord.set_role_permissions(guild.id, role, INVITED_WITH | MENTION_EVERYONE);
        Community { guild, name }
    }

    /// A channel that will be shown at the end.
    pub(crate) fn channel(
        &mut self,
        screen: &mut Screen,
        community: Community,
        name: &'static str,
        account: &'static str,
        hears: &'static str,
    ) -> Channel {
        let id = self.house.channel(community.guild, name);
        screen.reader.names.insert(id, format!("#{name}"));
        let channel = Channel { id, community, name, account, hears };
        self.channels.push(channel);
        channel
    }

    /// A channel in which the bot may not write.
    pub(crate) fn closed_channel(&self, screen: &mut Screen, community: Community, name: &str) -> u64 {
        let id = self.house.channel(community.guild, name);
        screen.reader.names.insert(id, format!("#{name}"));
        self.house.discord.deny(id, SEND_MESSAGES);
        id
    }

    /// A role that anyone may mention.
    pub(crate) fn builders(&mut self, screen: &mut Screen, community: Community) -> u64 {
        self.builders = self.house.discord.add_role(community.guild.id, "Builders", true);
        screen.reader.names.insert(self.builders, "@Builders".to_owned());
        self.builders
    }

    /// The operator runs one of the bot's commands, which has to succeed.
    pub(crate) async fn operate(&self, screen: &Screen, arguments: &[&str]) -> Result<String> {
        let printed = self.house.operate(arguments).await?;
        screen.shell(&format!("guildwire {}", arguments.join(" ")), &printed)?;
        Ok(printed)
    }

    /// The operator starts the bot.
    pub(crate) async fn run(&mut self, screen: &Screen) -> Result<()> {
        let running = self.house.start().await?;
        screen.shell("guildwire run", &last_line_with(&running.log(), "connected to Discord"))?;
        self.running = Some(running);
        Ok(())
    }

    /// The operator's machine fails: SIGKILL.
    pub(crate) async fn kill(&mut self, screen: &Screen) -> Result<()> {
        let running = self.running.as_mut().context("the bot runs by then")?;
        running.kill().await?;
        self.running = None;
        screen.shell("kill -9 \"$(pidof guildwire)\"", "")
    }

    /// An admin uses a slash command; what they are answered has to contain `expected`.
    pub(crate) async fn slash(
        &self,
        screen: &Screen,
        checks: &mut Checks,
        community: Community,
        name: &str,
        options: &[(&str, Value)],
        expected: &str,
    ) -> Result<()> {
        let reply = self.house.command(community.guild, name, options).await?;
        let mut typed = format!("/{name}");
        for (option, value) in options {
            let text = value.as_str().unwrap_or_default();
            let shown = text.parse().ok().and_then(|id: u64| screen.reader.names.get(&id));
            write!(typed, " {option}: {}", shown.map_or(text, String::as_str)).context("a string takes all text")?;
        }
        // Answers in lists are embeds.
        let embedded = reply.embeds.iter().filter_map(|embed| embed.description.as_deref());
        let answered = [reply.content.as_str()].into_iter().chain(embedded).collect::<Vec<_>>().join("\n");
        screen.slash(&format!("admin of {}", community.name), &typed, answered.trim())?;
        // Players may ask for the status, too; what admins are told is theirs.
        let is_seen_right = reply.ephemeral == (name != "status");
        let is_right = answered.contains(expected) && is_seen_right;
        checks.answered((!is_right).then(|| format!("{typed} in {} was answered {answered:?}", community.name)));
        Ok(())
    }

    /// A game server publishes an event with its own credential.
    pub(crate) async fn publish(&self, event: &Event) -> Result<()> {
        let publisher = self.publishers.iter().find(|(account, _)| *account == event.account);
        let (_, publisher) = publisher.context("every account has a publisher")?;
        publisher.publish(event.subject, event.payload).await?;
        Ok(())
    }

    /// How many embeds a channel shows.
    pub(crate) fn count(&self, channel: Channel) -> usize {
        self.house.discord.messages(channel.id).iter().map(|message| message.embeds.len()).sum()
    }

    /// Stops everything in good order.
    pub(crate) async fn close(mut self, screen: &Screen, checks: &mut Checks) -> Result<()> {
        if let Some(mut running) = self.running.take() {
            let status = running.terminate().await?;
            screen.shell("kill \"$(pidof guildwire)\"", "")?;
            checks.note("guildwire stops when it is asked to", (!status.success()).then(|| status.to_string()));
        }
        self.house.discord.stop().await;
        self.house.nats.kill()?;
        ensure!(self.house.bot.home_folder().exists(), "somebody removed the bot's folder under us");
        Ok(())
    }
}

fn last_line_with(log: &str, text: &str) -> String {
    log.lines().rev().find(|line| line.contains(text)).unwrap_or_default().to_owned()
}
