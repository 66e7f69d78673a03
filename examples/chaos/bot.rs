//! The bot's process: its log is read as it is written, and it dies at the line it is told to die at.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use guildwire_harness::{Bot, Watchdog, free_port, send_signal};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::Child;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// What the bot says once Discord has let it in.
const LET_IN: &str = "INFO connected to Discord";

/// How long a process may take to be gone after SIGKILL.
const END_BOUND: Duration = Duration::from_secs(20);

/// The lines of the bot's log between which nothing may be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Boundary {
    Fetched,
    Committed,
    Acknowledged,
    Sealed,
    Accepted,
    Settled,
}

impl Boundary {
    /// In the order in which an event passes them.
    pub(crate) const ALL: [Boundary; 6] =
        [Self::Fetched, Self::Committed, Self::Acknowledged, Self::Sealed, Self::Accepted, Self::Settled];

    /// What the bot's log calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Fetched => "fetched",
            Self::Committed => "committed",
            Self::Acknowledged => "acknowledged",
            Self::Sealed => "sealed",
            Self::Accepted => "accepted",
            Self::Settled => "settled",
        }
    }
}

/// A running bot.
#[derive(Debug)]
pub(crate) struct Process {
    identifier: u32,
    orders: mpsc::UnboundedSender<Order>,
    reading: JoinHandle<Result<Ended>>,
    /// Whether Discord let it in, and it has noted that.
    let_in: watch::Receiver<bool>,
    /// Ends the bot should we die.
    watchdog: Watchdog,
}

#[derive(Debug, Clone, Copy)]
enum Order {
    Die,
    DieAt(Boundary),
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The last boundary in its log.
    pub(crate) last: Option<Boundary>,
    /// Whether it was killed because its log came to where it had to die.
    pub(crate) at_boundary: bool,
    /// Whether we killed it, and not something else.
    pub(crate) killed: bool,
    pub(crate) status: ExitStatus,
    /// What it said, apart from traces, and how often.
    pub(crate) said: BTreeMap<String, u64>,
}

impl Process {
    /// Starts `guildwire run`; its log is appended to the file.
    #[expect(clippy::disallowed_methods, reason = "the bot's own rule: this is another program")]
    pub(crate) fn start(bot: &Bot, log: &Path) -> Result<Process> {
        let file = File::options().create(true).append(true).open(log);
        let file = file.with_context(|| format!("opening {}", log.display()))?;
        let mut watchdog = Watchdog::start(None)?;
        let bot = bot.clone().setting("http.listen", &format!("127.0.0.1:{}", free_port()));
        let child = bot.start(&["run"])?;
        let identifier = child.id().context("the process was not waited for yet")?;
        watchdog.watch(identifier, "KILL")?;
        let (orders, received) = mpsc::unbounded_channel();
        // A task of its own, so that nothing delays it: a boundary lasts a millisecond.
        let (noted, let_in) = watch::channel(false);
        let reading = tokio::spawn(read(child, received, noted, file));
        Ok(Process { identifier, orders, reading, let_in, watchdog })
    }

    /// Sends it a signal by name.
    pub(crate) fn signal(&self, name: &str) -> Result<()> {
        send_signal(self.identifier, name)
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&self) -> bool {
        self.reading.is_finished()
    }

    /// Waits until Discord let it in and it has noted that, or it has ended.
    pub(crate) async fn wait_until_let_in(&self) {
        // An error means that its log has ended.
        let _ = self.let_in.clone().wait_for(|let_in| *let_in).await;
    }

    /// Kills it now.
    pub(crate) async fn kill(self) -> Result<Ended> {
        // It may have ended by itself, which is told then.
        let _ = self.orders.send(Order::Die);
        self.end().await
    }

    /// Kills it as soon as its log has a line of `boundary`, or when none came within so long.
    pub(crate) async fn kill_at(mut self, boundary: Boundary, within: Duration) -> Result<Ended> {
        let _ = self.orders.send(Order::DieAt(boundary));
        match timeout(within, &mut self.reading).await {
            Ok(ended) => {
                self.watchdog.forget();
                ended.context("reading the bot's log")?
            }
            Err(_) => self.kill().await,
        }
    }

    async fn end(mut self) -> Result<Ended> {
        let ended = timeout(END_BOUND, &mut self.reading).await.context("the bot outlived SIGKILL")?;
        self.watchdog.forget();
        ended.context("reading the bot's log")?
    }
}

impl Ended {
    /// Fails unless it was us who ended it.
    pub(crate) fn ensure_killed(self) -> Result<Ended> {
        ensure!(self.killed, "the bot ended by itself, with {}: its log tells why", self.status);
        Ok(self)
    }
}

/// Reads the log to its end, and kills the process where it has to die.
async fn read(
    mut child: Child,
    mut orders: mpsc::UnboundedReceiver<Order>,
    let_in: watch::Sender<bool>,
    mut file: File,
) -> Result<Ended> {
    let stderr = child.stderr.take().context("stderr is piped")?;
    let mut stdout = child.stdout.take().context("stdout is piped")?;
    let mut lines = BufReader::new(stderr).lines();
    let (mut last, mut wanted, mut killed, mut at_boundary) = (None, None, false, false);
    let mut said = BTreeMap::new();
    loop {
        tokio::select! {
            biased;
            line = lines.next_line() => {
                let Some(line) = line.context("reading the bot's log")? else { break };
                let boundary = boundary_of(&line);
                if boundary.is_some() {
                    last = boundary;
                    if !killed && wanted == boundary {
                        child.start_kill().context("killing the bot")?;
                        (killed, at_boundary) = (true, true);
                    }
                } else if let Some(message) = message_of(&line) {
                    if message == LET_IN {
                        let_in.send_replace(true);
                    }
                    *said.entry(message).or_default() += 1;
                }
                writeln!(file, "{line}").context("writing the bot's log")?;
            }
            order = orders.recv(), if !killed => match order {
                Some(Order::DieAt(boundary)) => wanted = Some(boundary),
                Some(Order::Die) | None => {
                    child.start_kill().context("killing the bot")?;
                    killed = true;
                }
            }
        }
    }
    let status = child.wait().await.context("waiting for the bot")?;
    let mut rest = String::new();
    // It writes nothing there but what it can't log.
    let _ = stdout.read_to_string(&mut rest).await;
    if !rest.is_empty() {
        writeln!(file, "{rest}").context("writing the bot's log")?;
    }
    Ok(Ended { last, at_boundary, killed, status, said })
}

/// The boundary that a line of the log tells of.
fn boundary_of(line: &str) -> Option<Boundary> {
    if !line.contains("\"TRACE\"") {
        return None;
    }
    // A fetch that brought nothing is no boundary: nothing was under way.
    let is_empty = line.contains("\"messages\":0,");
    let is_it = |boundary: &Boundary| line.contains(&format!("\"message\":\"{}\"", boundary.name()));
    Boundary::ALL.into_iter().find(|boundary| is_it(boundary) && !is_empty)
}

/// What a line says that is neither trace nor debug.
fn message_of(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    let level = line["level"].as_str()?;
    matches!(level, "INFO" | "WARN" | "ERROR")
        .then(|| format!("{level} {}", line["message"].as_str().unwrap_or_default()))
}

/// Fails when a bot that should run has ended.
pub(crate) fn ensure_runs(process: Option<&Process>) -> Result<&Process> {
    match process {
        Some(process) if !process.has_ended() => Ok(process),
        Some(_) => bail!("the bot ended by itself: its log tells why"),
        None => bail!("the bot was not started"),
    }
}
