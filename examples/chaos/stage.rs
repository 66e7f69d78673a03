//! What everything happens on: nats-server with three accounts, a Discord with two guilds, and the bot, set up the way
//! people do it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use discord_sim::{Actor, Bucket, Options, Reply, Sim};
use guildwire_harness::house::{Guild, House, PATIENCE};
use guildwire_harness::{Bot, NatsConfig, NatsServer, NatsUser, Postgres};
use serde_json::Value;

use crate::Database;
use crate::bot::Process;
use crate::ledger::Kind;
use crate::publisher::Account;

const ACCOUNTS: [&str; 3] = ["GA-1", "GA-2", "GA-3"];
const PASSWORD: &str = "correct horse battery staple";

/// The bot's settings, so that what takes minutes takes seconds here.
const SETTINGS: [(&str, &str); 9] = [
    ("delivery.request_timeout_seconds", "2"),
    ("delivery.grouped_hold_seconds", "1"),
    ("delivery.quiet_hold_seconds", "3"),
    ("delivery.late_after_seconds", "8"),
    ("delivery.probe_after_seconds", "1"),
    ("notices.after_seconds", "5"),
    ("limits.commands_per_minute", "10000"),
    ("log.level", "guildwire=trace,info"),
    ("log.format", "json"),
];

/// A channel as it is made: in which guild, under which name, what it hears of which account, in which style.
type Plan = (usize, &'static str, &'static [(usize, &'static str)], &'static str);

const CHANNELS: [Plan; 6] = [
    (0, "status", &[(0, "lifecycle")], "each"),
    (0, "players", &[(0, "players")], "grouped"),
    (0, "chat", &[(0, "chat")], "each"),
    (0, "two-accounts", &[(0, "lifecycle"), (1, "everything")], "grouped"),
    (1, "everything", &[(2, "everything")], "quiet"),
    (1, "talk", &[(1, "chat"), (2, "chat")], "each"),
];

/// A channel and what it hears.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) guild: Guild,
    /// Accounts, by their place, and groups of events.
    hears: &'static [(usize, &'static str)],
}

impl Channel {
    /// Whether it has to show such an event of that account.
    pub(crate) fn wants(&self, account: usize, kind: Kind) -> bool {
        self.hears.iter().any(|(of, group)| *of == account && kind.is_in(group))
    }

    /// The accounts that it hears.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = usize> {
        self.hears.iter().map(|(account, _)| *account)
    }
}

/// Everything that runs, but for the bot's process.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) house: House,
    pub(crate) guilds: Vec<Guild>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) accounts: Vec<Arc<Account>>,
    /// Where the bot's log goes.
    pub(crate) log: PathBuf,
    _postgres: Option<Postgres>,
}

impl Stage {
    /// Starts everything and sets it up; nothing is published yet.
    pub(crate) async fn build(binary: &Path, database: Database, seed: u64, log: &Path) -> Result<(Stage, Process)> {
        let config = ACCOUNTS
            .iter()
            .fold(NatsConfig::open(), |config, name| config.account(name, &[NatsUser::password(name, PASSWORD)]));
        let nats = NatsServer::start(&config)?;
        let discord = Sim::start(Options {
            seed,
            // A channel of Discord's takes about one message a second; here minutes are seconds.
            message_bucket: Some(Bucket { limit: 5, window: Duration::from_secs(1) }),
            // As the way to Discord is: between sealing a message and its answer there is time to die.
            latency: Duration::from_millis(10),
            // A bot that is started hundreds of times a day would be refused by then.
            identify_limit: 1_000_000,
            ..Options::default()
        })
        .await
        .context("starting the Discord stand-in")?;
        let bot = Bot::new(binary).discord(&discord.url(), &discord.token()).setting("nats.url", &nats.url());
        let bot = SETTINGS.iter().fold(bot, |bot, (path, value)| bot.setting(path, value));
        let postgres = match database {
            Database::Sqlite => None,
            Database::Postgres => Some(Postgres::start()?),
        };
        let bot = match &postgres {
            Some(postgres) => bot.database_url(&postgres.create_database("chaos").await?),
            None => bot,
        };
        let house = House { nats, discord, bot };
        let mut accounts = Vec::new();
        for (index, name) in ACCOUNTS.into_iter().enumerate() {
            accounts.push(Arc::new(Account::open(name, index, &house.nats.url(), PASSWORD).await?));
        }
        let guilds = vec![house.guild("Rustaceans"), house.guild("Night Owls")];
        let channels = CHANNELS.iter().map(|(guild, name, hears, _)| {
            let guild = guilds[*guild];
            Channel { id: house.channel(guild, name), name, guild, hears }
        });
        let channels = channels.collect();
        let stage = Stage { house, guilds, channels, accounts, log: log.to_owned(), _postgres: postgres };
        let process = stage.settle().await?;
        Ok((stage, process))
    }

    /// Adds the accounts, starts the bot, links the guilds and binds the channels.
    async fn settle(&self) -> Result<Process> {
        let house = &self.house;
        let file = house.bot.home_folder().join("password");
        std::fs::write(&file, format!("{PASSWORD}\n")).context("writing the password's file")?;
        let file = file.to_string_lossy().into_owned();
        for name in ACCOUNTS {
            house.operate(&["account", "add", name, "--user", name, "--password-file", &file]).await?;
        }
        let process = Process::start(&house.bot, &self.log)?;
        house.discord.wait_for_gateway(PATIENCE).await?;
        for (index, guild) in self.guilds.iter().enumerate() {
            let here = || self.channels.iter().zip(CHANNELS).filter(|(_, plan)| plan.0 == index);
            let mut linked: Vec<usize> = here().flat_map(|(channel, _)| channel.accounts()).collect();
            linked.sort_unstable();
            linked.dedup();
            for account in linked {
                house.link(*guild, ACCOUNTS[account]).await?;
            }
            for (channel, (_, _, hears, style)) in here() {
                for (account, group) in hears {
                    let more = [("account", Value::from(ACCOUNTS[*account])), ("style", style.into())];
                    house.notify(*guild, channel.id, group, &more).await?;
                }
            }
        }
        Ok(process)
    }

    /// What `/why` answers in a channel, on all its pages.
    pub(crate) async fn why(&self, channel: &Channel) -> Result<String> {
        let by = Actor { guild: channel.guild.id, channel: channel.id, user: channel.guild.admin };
        let discord = &self.house.discord;
        let mut reply = discord.command(by, "why", &[]).await.context("/why")?;
        let mut text = text_of(&reply);
        while let Some(button) = next_page(&reply) {
            reply = discord.press(by, &reply, &button).await.context("turning a page of /why")?;
            text.push('\n');
            text.push_str(&text_of(&reply));
        }
        Ok(text)
    }
}

/// The button that leads on, which is the last, unless it is grey.
fn next_page(reply: &Reply) -> Option<String> {
    let button = reply.components.as_array()?.last()?["components"].as_array()?.last()?;
    let leads_on = button["disabled"].as_bool() != Some(true);
    leads_on.then(|| button["custom_id"].as_str().map(str::to_owned))?
}

/// What a person reads in an answer.
fn text_of(reply: &Reply) -> String {
    let mut text = reply.content.clone();
    for embed in &reply.embeds {
        let fields = embed.fields.iter().flat_map(|field| [Some(&field.name), Some(&field.value)]);
        for part in [embed.title.as_ref(), embed.description.as_ref()].into_iter().chain(fields).flatten() {
            text.push('\n');
            text.push_str(part);
        }
    }
    text
}
