//! A running bot: its log as it grows, its health, and the ways to end it.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::fs::OpenOptions;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::bot::Home;
use crate::scratch::tail;
use crate::secrets::Secrets;
use crate::watchdog::{Watchdog, send_signal};

/// How long an orderly stop may take before a test calls it hung.
const STOP_BOUND: Duration = Duration::from_secs(30);
/// Between two looks at `/readyz`, and for one of them.
const READY_STEP: Duration = Duration::from_millis(25);
const READY_ANSWER: Duration = Duration::from_secs(2);
const METRICS_ANSWER: Duration = Duration::from_secs(1);

/// A process of the bot. It is killed when this is dropped.
#[derive(Debug)]
pub struct RunningBot {
    process: Child,
    identifier: u32,
    watchdog: Watchdog,
    http_url: String,
    log: watch::Receiver<String>,
    log_file: PathBuf,
    /// Kept while the bot works in it.
    home: Home,
    /// What it must not tell.
    secrets: Secrets,
}

impl RunningBot {
    /// Starts the process, whose output must be piped, and the tasks that read it.
    pub(crate) async fn spawn(
        mut command: Command,
        http_url: String,
        home: Home,
        secrets: Secrets,
    ) -> Result<RunningBot> {
        let log_file = home.path().join("guildwire.log");
        let file = OpenOptions::new().create(true).append(true).open(&log_file).await;
        let file = file.with_context(|| format!("opening {}", log_file.display()))?;
        let file = Arc::new(file.into_std().await);

        let mut watchdog = Watchdog::start(None)?;
        // Its own group: Ctrl-C at the terminal is for the tests, which then end the bot.
        let mut process = command.process_group(0).spawn().context("starting the bot")?;
        let identifier = process.id().context("the process was not waited for yet")?;
        watchdog.watch(identifier, "KILL")?;

        let (lines, log) = watch::channel(String::new());
        let stdout = process.stdout.take().context("stdout is piped")?;
        let stderr = process.stderr.take().context("stderr is piped")?;
        // They end with the process, whose pipes they read.
        tokio::spawn(collect(stdout, lines.clone(), Arc::clone(&file)));
        tokio::spawn(collect(stderr, lines, file));
        Ok(RunningBot { process, identifier, watchdog, http_url, log, log_file, home, secrets })
    }

    /// Kills it with SIGKILL and waits until it is gone.
    pub async fn kill(&mut self) -> Result<()> {
        self.process.kill().await.context("killing the bot")?;
        self.ended().await;
        Ok(())
    }

    /// Asks it to stop with SIGTERM, and waits for it, 30 seconds at most.
    ///
    /// # Panics
    ///
    /// When its metrics tell a secret.
    pub async fn terminate(&mut self) -> Result<ExitStatus> {
        // One that does not answer any more has said what it had to say in its log.
        let metrics = self.get("metrics", METRICS_ANSWER).await.unwrap_or_default();
        self.secrets.check(self.home.path(), "/metrics", &metrics);
        self.signal("TERM")?;
        self.wait(STOP_BOUND).await
    }

    /// Sends it a signal by name, such as `STOP` or `CONT`.
    pub fn signal(&self, name: &str) -> Result<()> {
        send_signal(self.identifier, name)
    }

    /// The number that the system knows its process by.
    #[must_use]
    pub const fn process(&self) -> u32 {
        self.identifier
    }

    /// Waits until it ends by itself.
    pub async fn wait(&mut self, within: Duration) -> Result<ExitStatus> {
        let Ok(status) = timeout(within, self.process.wait()).await else {
            bail!("the bot did not end within {within:?}:\n{}", tail(&self.log()));
        };
        let status = status.context("waiting for the bot")?;
        self.ended().await;
        Ok(status)
    }

    /// What it has written so far, to stdout and stderr.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.borrow().clone()
    }

    /// The file with the same, and with what earlier runs in this home wrote.
    #[must_use]
    pub fn log_file(&self) -> &Path {
        &self.log_file
    }

    /// Waits until its log contains `text`, now or later. A text does not span lines.
    pub async fn wait_for_log(&self, text: &str, within: Duration) -> Result<()> {
        let mut log = self.log.clone();
        let mut searched = 0;
        let contains = log.wait_for(|log| {
            // Lines come whole, so that each needs to be searched only once.
            let found = log[searched..].contains(text);
            searched = log.len();
            found
        });
        match timeout(within, contains).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => bail!("the bot ended without {text:?} in its log:\n{}", tail(&self.log())),
            Err(_) => {
                bail!("no {text:?} in the bot's log within {within:?}:\n{}", tail(&self.log()))
            }
        }
    }

    /// Fills the disk that [`Bot::on_small_disk`](crate::Bot::on_small_disk) gave it, to the last page.
    pub fn fill_disk(&self) -> Result<()> {
        const PAGE: [u8; 4096] = [0; 4096];
        let path = self.filler();
        let mut filler = File::create(&path).with_context(|| format!("making {}", path.display()))?;
        loop {
            match filler.write_all(&PAGE) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error).context("filling the small disk"),
            }
        }
    }

    /// Makes room again after [`RunningBot::fill_disk`].
    pub fn free_disk(&self) -> Result<()> {
        std::fs::remove_file(self.filler()).context("making room on the small disk")
    }

    /// The disk is seen by the process alone, and by those who look through it.
    fn filler(&self) -> PathBuf {
        let seen_by_it = PathBuf::from(format!("/proc/{}/root", self.identifier));
        let home = self.home.path();
        seen_by_it.join(home.strip_prefix("/").unwrap_or(home)).join("data/filler")
    }

    /// Where its health and metrics are.
    #[must_use]
    pub fn http_url(&self) -> &str {
        &self.http_url
    }

    /// Waits until `GET /readyz` says yes; fails at once when the bot ends.
    pub async fn wait_ready(&mut self, within: Duration) -> Result<()> {
        let client =
            reqwest::Client::builder().timeout(READY_ANSWER).no_proxy().build().context("making an HTTP client")?;
        let url = format!("{}/readyz", self.http_url);
        let deadline = Instant::now() + within;
        let mut answer = "no answer".to_owned();
        while Instant::now() < deadline {
            if let Ok(response) = client.get(&url).send().await {
                if response.status().is_success() {
                    return Ok(());
                }
                answer = format!("{}: {}", response.status(), response.text().await.unwrap_or_default());
            }
            if let Some(status) = self.process.try_wait().context("looking after the bot")? {
                self.ended().await;
                bail!("the bot ended with {status} before it was ready:\n{}", tail(&self.log()));
            }
            sleep(READY_STEP).await;
        }
        bail!("the bot was not ready within {within:?} ({answer}):\n{}", tail(&self.log()))
    }

    async fn get(&self, path: &str, within: Duration) -> Result<String> {
        let client = reqwest::Client::builder().timeout(within).no_proxy().build().context("making an HTTP client")?;
        Ok(client.get(format!("{}/{path}", self.http_url)).send().await?.text().await?)
    }

    /// After the process was waited for: lets the log become complete.
    async fn ended(&mut self) {
        self.watchdog.forget();
        // The readers drop their ends when the pipes close. A process that the bot left behind
        // could keep them open for ever, hence the bound.
        let complete = async { while self.log.changed().await.is_ok() {} };
        let _ = timeout(Duration::from_secs(5), complete).await;
    }
}

impl Drop for RunningBot {
    fn drop(&mut self) {
        // Its home may be removed next, so wait until it writes no more. SIGKILL takes effect in
        // microseconds, unless the process hangs in the kernel; then nobody can help.
        let _ = self.process.start_kill();
        for _ in 0..1_000 {
            if !matches!(self.process.try_wait(), Ok(None)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.watchdog.forget();
        // Panics of the bot stand in its log, too.
        self.secrets.check(self.home.path(), "the bot's log", &self.log.borrow());
    }
}

async fn collect(output: impl AsyncRead + Unpin, log: watch::Sender<String>, file: Arc<File>) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    while matches!(output.read_until(b'\n', &mut line).await, Ok(1..)) {
        // The file is for people who look into a failure; the test goes on without it.
        let _ = (&*file).write_all(&line);
        log.send_modify(|log| log.push_str(&String::from_utf8_lossy(&line)));
        line.clear();
    }
}
