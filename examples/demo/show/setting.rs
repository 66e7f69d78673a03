//! Where the show takes place, and how it is set up: as its people would, by command line and slash commands.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use discord_sim::{Bucket, Options, Sim};
use guildwire_harness::house::{FIRST_ACCOUNT, Guild, House, Publisher};
use guildwire_harness::{Bot, NatsConfig, NatsServer};
use serde_json::Value;
use tokio::sync::Mutex;

use super::board::{Board, Part, RUNS};
use super::machines::{Machines, Pauses};

/// Who did what, in the log.
const OPERATOR: &str = "operator";
const ADMIN: &str = "admin";
const DEMO: &str = "demo";

/// What Discord was seen to allow in a channel.
const MESSAGES: Bucket = Bucket { limit: 5, window: Duration::from_secs(5) };

/// nats-server, Discord with its guilds and channels, and a bot that knows of nothing yet.
#[derive(Debug)]
pub(crate) struct Setting {
    house: House,
    publisher: Publisher,
    rustaceans: Guild,
    night_owls: Guild,
    channels: Channels,
}

#[derive(Debug, Clone, Copy)]
struct Channels {
    live: u64,
    status: u64,
    staff: u64,
    pvp: u64,
    alerts: u64,
}

impl Setting {
    /// Starts nats-server and Discord.
    pub(crate) async fn build(bot: &Path) -> Result<Setting> {
        let nats = tokio::task::block_in_place(|| NatsServer::start(&NatsConfig::blog_post()))?;
        let options = Options { control: true, message_bucket: Some(MESSAGES), ..Options::default() };
        let discord = Sim::start(options).await.context("starting the stand-in for Discord")?;
        let bot = Bot::new(bot)
            .discord(&discord.url(), &discord.token())
            .setting("nats.url", &nats.url())
            // So that what is counted in a storm is told before anybody has left.
            .setting("status.hold_seconds", "2");
        let publisher = Publisher::connect(&nats.url(), FIRST_ACCOUNT).await?;
        publisher.make_stream().await?;
        let house = House { nats, discord, bot };
        let (rustaceans, night_owls) = (house.guild("Rustaceans"), house.guild("Night Owls"));
        let channels = Channels {
            live: house.channel(rustaceans, "live"),
            status: house.channel(rustaceans, "server-status"),
            staff: house.channel(rustaceans, "staff"),
            pvp: house.channel(night_owls, "pvp"),
            alerts: house.discord.add_role(rustaceans.id, "Server Alerts", true),
        };
        Ok(Setting { house, publisher, rustaceans, night_owls, channels })
    }

    /// The channel to look at, on Discord's own page.
    pub(crate) fn frame(&self) -> String {
        format!("{}/#/channels/{}/{}", self.house.discord.url(), self.rustaceans.id, self.channels.live)
    }

    /// The operator adds the account and starts the bot; the guilds' admins link it and choose what goes where.
    pub(crate) async fn settle(self, board: &Board, pauses: Pauses) -> Result<Machines> {
        let Setting { house, publisher, rustaceans, night_owls, channels } = self;
        board.set(Part::Nats, RUNS);
        board.set(Part::Discord, RUNS);
        let user = NatsConfig::BLOG_POST_USER;
        board.note(OPERATOR, format!("$ guildwire account add {FIRST_ACCOUNT} --user {}…", &user[..8]));
        // The wide filter also sees what is no event at all, so that it can be counted.
        house.operate(&["account", "add", FIRST_ACCOUNT, "--user", user, "--wide-filter"]).await?;
        board.note(OPERATOR, "$ guildwire run");
        let running = house.start().await?;
        board.set(Part::Bot, RUNS);

        for guild in [rustaceans, night_owls] {
            link(&house, board, guild).await?;
        }
        let role = Value::from(channels.alerts.to_string());
        for (guild, name, channel, events, more) in [
            (rustaceans, "live", channels.live, "everything", vec![]),
            (rustaceans, "live", channels.live, "chat", vec![]),
            (rustaceans, "server-status", channels.status, "lifecycle", vec![("mention", role)]),
            (rustaceans, "staff", channels.staff, "moderation", vec![]),
            (night_owls, "pvp", channels.pvp, "combat", vec![]),
            (night_owls, "pvp", channels.pvp, "players", vec![]),
        ] {
            board.note(ADMIN, format!("/notify add channel: #{name} events: {events}"));
            house.notify(guild, channel, events, &more).await?;
        }
        board.note(DEMO, "all is set up; the game servers come up");
        let House { nats, discord, bot } = house;
        Ok(Machines {
            discord,
            bot,
            running: Mutex::new(Some(running)),
            nats: Mutex::new(nats),
            publisher: Mutex::new(publisher),
            live: channels.live,
            pauses,
        })
    }
}

async fn link(house: &House, board: &Board, guild: Guild) -> Result<()> {
    board.note(OPERATOR, format!("$ guildwire account invite {FIRST_ACCOUNT}"));
    let printed = house.operate(&["account", "invite", FIRST_ACCOUNT]).await?;
    let code = printed.lines().last().context("the invite's code is the last line")?;
    board.note(ADMIN, format!("/account link code: {}…", code.get(..4).unwrap_or_default()));
    let reply = house.command(guild, "account link", &[("code", code.into())]).await?;
    ensure!(reply.content.contains("is linked to"), "not linked: {}", reply.content);
    Ok(())
}
