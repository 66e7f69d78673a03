//! What many accounts on one nats-server cost: memory, the time until all are read, and how they come back when
//! nats-server was restarted.
//!
//! The floor is a process that does the least for the same: for each account
//! a connection of async-nats with an open pull of a durable consumer with the same filter, and nothing else.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use async_nats::jetstream::consumer::{AckPolicy, pull};
use discord_sim::Sim;
use futures_util::{StreamExt as _, TryStreamExt as _};
use guildwire::domain::account::Account;
use guildwire::domain::event::Group;
use guildwire::domain::ids::ChannelId;
use guildwire::secrets::SecretKey;
use guildwire::store::Store;
use guildwire_harness::house::Publisher;
use guildwire_harness::{Bot, NatsConfig, NatsServer, NatsUser, RunningBot, free_port};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::bots::memory;
use crate::figure::{Figure, ROUNDS, Reach};
use crate::installation::{self, Heard};

const ACCOUNTS: usize = 1_000;
/// What the first word of the floor's own process is.
pub(crate) const FLOOR: &str = "floor";
/// How long anything may take before the bench is given up.
const PATIENCE: Duration = Duration::from_mins(5);
/// How often nats-server is asked how many are connected.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long a process is left alone before its memory is read.
const SETTLE: Duration = Duration::from_secs(3);

pub(crate) async fn measure() -> Result<Vec<Figure>> {
    let mut bench = Bench::prepare(ACCOUNTS).await?;
    let mut figures = [
        Figure::new("memory, one account", "MB", Reach::Nothing),
        Figure::new("memory, each further account", "KB", Reach::Within(100.0)),
        Figure::new(format!("start until {ACCOUNTS} accounts are read"), "s", Reach::Nothing),
        Figure::new("nats-server restarts: until all are read again", "s", Reach::Nothing),
        Figure::new("memory at its peak meanwhile", "MB", Reach::Nothing),
        Figure::new("most connections in a second meanwhile", "/s", Reach::Nothing),
    ];
    for _ in 0..ROUNDS {
        let floor = bench.measure(true).await?;
        let own = bench.measure(false).await?;
        for (figure, (floor, own)) in figures.iter_mut().zip(floor.into_iter().zip(own)) {
            figure.add(floor, own);
        }
    }
    Ok(figures.into())
}

/// nats-server, Discord, and two installations: one with a single account, one with all.
struct Bench {
    accounts: usize,
    nats: NatsServer,
    monitor: String,
    one: Bot,
    all: Bot,
    _discord: Sim,
}

impl Bench {
    async fn prepare(accounts: usize) -> Result<Self> {
        let monitor = free_port();
        let config =
            NatsConfig::open().synced_late().raw(&format!("http: \"127.0.0.1:{monitor}\"\nmax_connections: 10000"));
        let config = (0..accounts)
            .fold(config, |config, number| config.account(&name(number), &[NatsUser::without_password(&name(number))]));
        let nats = NatsServer::start(&config)?;
        for number in 0..accounts {
            Publisher { jetstream: connect(&nats.url(), number).await? }.make_stream().await?;
        }
        let discord = Sim::start(discord_sim::Options::default()).await?;
        let bot = || {
            Bot::new(env!("CARGO_BIN_EXE_guildwire"))
                .discord(&discord.url(), &discord.token())
                .setting("log.level", "warn")
        };
        let (one, all) = (bot(), bot());
        install(&one, &nats.url(), 1).await?;
        install(&all, &nats.url(), accounts).await?;
        Ok(Self { accounts, nats, monitor: format!("http://127.0.0.1:{monitor}/varz"), one, all, _discord: discord })
    }

    /// One side's six figures.
    async fn measure(&mut self, is_floor: bool) -> Result<[f64; 6]> {
        let single = self.start(is_floor, 1).await?;
        let memory_of_one = single.memory("VmRSS").await?;
        single.stop().await?;

        let began = Instant::now();
        let running = self.start(is_floor, self.accounts).await?;
        let start = began.elapsed();
        let memory = running.memory("VmRSS").await?;
        running.forget_peak()?;

        self.nats.kill()?;
        let killed = Instant::now();
        self.nats.start_again()?;
        let most_a_second = self.until_connected().await?;
        running.until_read(self.accounts).await?;
        let back = killed.elapsed();
        let peak = running.memory("VmHWM").await?;
        running.stop().await?;
        Ok([
            memory_of_one,
            (memory - memory_of_one) * 1024.0 / count(self.accounts - 1),
            start.as_secs_f64(),
            back.as_secs_f64(),
            peak,
            most_a_second,
        ])
    }

    async fn start(&self, is_floor: bool, accounts: usize) -> Result<Running> {
        let running = if is_floor {
            Running::Floor(start_floor(&self.nats.url(), accounts).await?)
        } else {
            let bot = if accounts == 1 { &self.one } else { &self.all };
            Running::Bot(bot.run().await?)
        };
        running.until_read(accounts).await?;
        Ok(running)
    }

    /// Waits until every account has its connection again, and answers with the most that were taken in a second.
    async fn until_connected(&self) -> Result<f64> {
        let looks = usize::try_from(Duration::from_secs(1).as_millis() / LOOK_EVERY.as_millis())?;
        let mut totals = vec![0.0];
        let deadline = Instant::now() + PATIENCE;
        loop {
            let varz: serde_json::Value = reqwest::get(&self.monitor).await?.json().await?;
            totals.push(varz["total_connections"].as_f64().context("varz counts connections")?);
            if varz["connections"].as_u64() >= Some(self.accounts as u64) {
                break;
            }
            ensure!(Instant::now() < deadline, "not all came back");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let gained = |end: usize| totals[end] - totals[end.saturating_sub(looks)];
        Ok((0..totals.len()).map(gained).fold(0.0, f64::max))
    }
}

/// A process that reads accounts.
enum Running {
    Floor(Child),
    Bot(RunningBot),
}

impl Running {
    /// Waits until so many accounts are read.
    async fn until_read(&self, accounts: usize) -> Result<()> {
        // The floor has said so when it was started, and whoever is connected there pulls.
        let Self::Bot(bot) = self else { return Ok(()) };
        let wanted = format!("guildwire_accounts{{state=\"running\"}} {accounts}");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let metrics = match reqwest::get(format!("{}/metrics", bot.http_url())).await {
                Ok(answer) => answer.text().await?,
                // It does not listen yet.
                Err(_) => String::new(),
            };
            if metrics.lines().any(|line| line == wanted) {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "not all accounts are read: {}", bot.log());
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn process(&self) -> Result<u32> {
        match self {
            Self::Floor(child) => child.id().context("it was not waited for"),
            Self::Bot(bot) => Ok(bot.process()),
        }
    }

    /// A line of `/proc/PID/status`, in megabytes, once the process was left alone for a while.
    async fn memory(&self, line: &str) -> Result<f64> {
        tokio::time::sleep(SETTLE).await;
        memory(self.process()?, line)
    }

    /// Lets `VmHWM` begin anew: <https://docs.kernel.org/filesystems/proc.html>.
    fn forget_peak(&self) -> Result<()> {
        std::fs::write(format!("/proc/{}/clear_refs", self.process()?), "5").context("resetting the peak of memory")
    }

    async fn stop(self) -> Result<()> {
        match self {
            Self::Floor(mut child) => child.kill().await.context("ending the floor"),
            Self::Bot(mut bot) => bot.terminate().await.map(drop),
        }
    }
}

fn name(number: usize) -> String {
    format!("GA-{number}")
}

#[expect(clippy::cast_precision_loss, reason = "a count of accounts is far below 2^52")]
fn count(number: usize) -> f64 {
    number as f64
}

async fn connect(url: &str, number: usize) -> Result<async_nats::jetstream::Context> {
    let options = async_nats::ConnectOptions::with_user_and_password(name(number), String::new());
    Ok(async_nats::jetstream::new(options.connect(url).await?))
}

async fn install(bot: &Bot, nats: &str, accounts: usize) -> Result<()> {
    let home = bot.home_folder();
    let store = Store::open(&format!("sqlite://{}", home.join("data/guildwire.db").display())).await?;
    let key = SecretKey::load_or_create(&home.join("secrets/guildwire.key"), true)?;
    for number in 0..accounts {
        let account = Account {
            name: name(number).parse()?,
            url: nats.to_owned(),
            stream: None,
            root: "v0.*.servers".parse()?,
            wide_filter: false,
            owner: None,
            connected_in: None,
            is_declared: false,
            revision: 0,
        };
        let heard = Heard { channel: ChannelId(number as u64 + 2), server: None, kinds: Group::Lifecycle.kinds() };
        installation::add(&store, &key, &account, &name(number), heard).await?;
    }
    Ok(())
}

async fn start_floor(url: &str, accounts: usize) -> Result<Child> {
    let this: &Path = &std::env::current_exe()?;
    let mut child = Command::new(this)
        .args([FLOOR, url, &accounts.to_string()])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("starting the floor")?;
    let output = child.stdout.take().context("it is piped")?;
    let line = tokio::time::timeout(PATIENCE, BufReader::new(output).lines().next_line()).await??;
    ensure!(line.as_deref() == Some("ready"), "the floor said {line:?}");
    Ok(child)
}

/// The floor's own process: reads every account and does nothing.
#[expect(clippy::print_stdout, reason = "it tells whoever started it")]
pub(crate) async fn floor(url: &str, accounts: usize) -> Result<()> {
    let readers: Vec<_> = futures_util::stream::iter(0..accounts)
        .map(async |number| {
            let jetstream = connect(url, number).await?;
            let stream = jetstream.get_stream_no_info("EVENTS").await?;
            let consumer = stream
                .create_consumer(pull::Config {
                    durable_name: Some("floor".to_owned()),
                    ack_policy: AckPolicy::Explicit,
                    filter_subjects: vec![
                        "v0.*.servers.*.events.>".to_owned(),
                        "v0.*.servers.*.players.*.events.>".to_owned(),
                    ],
                    ..pull::Config::default()
                })
                .await?;
            anyhow::Ok(consumer.stream().messages().await?)
        })
        .buffer_unordered(32)
        .try_collect()
        .await?;
    println!("ready");
    // A connection that is lost is the library's to make again.
    futures_util::stream::select_all(readers).for_each(async |_| ()).await;
    Ok(())
}
