//! The bot as an installation: a binary, its settings and the folder it works in.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::free_port;
use crate::running_bot::RunningBot;
use crate::scratch::Scratch;
use crate::secrets::Secrets;

/// A command that asks a question nobody answers must not hang a test run.
const COMMAND_BOUND: Duration = Duration::from_mins(1);

/// One installation of the bot, which may run several times, one after another or at once.
///
/// It sees `PATH` and the settings given here of the environment, and nothing else. Whatever it says, in its log, its
/// metrics and its commands' answers, must hold none of the secrets that it was given: else the test fails.
#[derive(Clone, Debug)]
pub struct Bot {
    binary: PathBuf,
    environment: BTreeMap<String, String>,
    home: Home,
    /// The size of the disk that its data lies on, where that is not the machine's own.
    disk: Option<u64>,
    secrets: Secrets,
}

/// The folder a bot works in; one of our own goes with the last who uses it.
#[derive(Clone, Debug)]
pub(crate) enum Home {
    Own(Arc<Scratch>),
    Given(PathBuf),
}

impl Home {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Home::Own(scratch) => scratch.path(),
            Home::Given(folder) => folder,
        }
    }
}

/// What a command said before it ended.
#[derive(Clone, Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed for its caller.
    pub stdout: String,
    /// What it printed beside that.
    pub stderr: String,
}

impl Bot {
    /// An installation of this binary, in a new folder of its own.
    ///
    /// # Panics
    ///
    /// When the temporary folder takes no new folder.
    #[must_use]
    pub fn new(binary: impl AsRef<Path>) -> Bot {
        let home = Scratch::new("bot").expect("the temporary folder takes a new folder");
        Bot {
            binary: std::path::absolute(binary).expect("the binary's path is not empty"),
            environment: BTreeMap::new(),
            home: Home::Own(Arc::new(home)),
            disk: None,
            secrets: Secrets::default(),
        }
    }

    /// Works in this folder instead, which stays: `data/` and `secrets/` lie in it.
    #[must_use]
    pub fn home(mut self, folder: &Path) -> Bot {
        self.home = Home::Given(folder.to_owned());
        self
    }

    /// Runs with the folder `data` on a disk of this many bytes, which begins with what lies in the folder now, is seen
    /// by that process alone and is gone with it. See [`RunningBot::fill_disk`].
    #[must_use]
    pub fn on_small_disk(mut self, bytes: u64) -> Bot {
        self.disk = Some(bytes);
        self
    }

    /// Where the bot keeps its data.
    #[must_use]
    pub fn database_url(self, url: &str) -> Bot {
        self.setting("database.url", url)
    }

    /// Where Discord is, and the bot's token there.
    #[must_use]
    pub fn discord(self, api_url: &str, token: &str) -> Bot {
        self.setting("discord.api_url", api_url).setting("discord.token", token)
    }

    /// Any setting, by its path in the configuration file: `log.level` is passed on as
    /// `GUILDWIRE__LOG__LEVEL`.
    #[must_use]
    pub fn setting(self, path: &str, value: &str) -> Bot {
        let name = format!("GUILDWIRE__{}", path.replace('.', "__").to_uppercase());
        self.environment(&name, value)
    }

    /// A variable of the environment that is no setting.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Bot {
        self.secrets.keep_variable(name, value);
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Notes a secret that reaches the bot by another way than its settings and commands. A text of several lines counts
    /// as one for each.
    pub fn keep_secret(&self, secret: &str) {
        self.secrets.keep(secret);
    }

    /// The folder it works in.
    #[must_use]
    pub fn home_folder(&self) -> &Path {
        self.home.path()
    }

    /// Starts `guildwire run`. Its HTTP port is a free one unless `http.listen` was set.
    ///
    /// Returns as soon as the process exists; see [`RunningBot::wait_ready`].
    pub async fn run(&self) -> Result<RunningBot> {
        const LISTEN: &str = "GUILDWIRE__HTTP__LISTEN";
        let listen = self.environment.get(LISTEN).cloned();
        let listen = listen.unwrap_or_else(|| format!("127.0.0.1:{}", free_port()));
        let mut command = match self.disk {
            Some(bytes) => {
                self.ensure_disks_can_be_made().await?;
                self.process_on_disk(bytes)
            }
            None => self.process(&["run"]),
        };
        command.env(LISTEN, &listen);
        RunningBot::spawn(command, format!("http://{listen}"), self.home.clone(), self.secrets.clone()).await
    }

    /// Runs another of the bot's commands to its end, with nothing on stdin.
    pub async fn command(&self, arguments: &[&str]) -> Result<Output> {
        self.command_with_stdin(arguments, "").await
    }

    /// Runs another of the bot's commands to its end; `input` is what is typed or piped in.
    ///
    /// # Panics
    ///
    /// When the command says a secret. One that it makes and hands out is none before.
    pub async fn command_with_stdin(&self, arguments: &[&str], input: &str) -> Result<Output> {
        self.secrets.keep_arguments(self.home_folder(), arguments, input);
        let mut child = self
            .process(arguments)
            .stdin(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {}", self.binary.display()))?;
        let mut stdin = child.stdin.take().context("stdin is piped")?;
        let input = input.to_owned();
        // Beside the reading, so that neither side waits for the other with a full pipe. A command
        // need not read what it was given, and then the pipe breaks.
        tokio::spawn(async move { stdin.write_all(input.as_bytes()).await });
        let output = timeout(COMMAND_BOUND, child.wait_with_output())
            .await
            .with_context(|| format!("{arguments:?} did not end within {COMMAND_BOUND:?}"))?
            .with_context(|| format!("running {arguments:?}"))?;
        let output = Output {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        let said = format!("{}{}", output.stdout, output.stderr);
        self.secrets.check(self.home_folder(), &format!("guildwire {}", arguments.join(" ")), &said);
        self.secrets.keep_made(self.home_folder(), arguments, &output.stdout);
        Ok(output)
    }

    /// Starts another of the bot's commands, which goes on until it is told to end.
    pub fn start(&self, arguments: &[&str]) -> Result<Child> {
        self.process(arguments).spawn().with_context(|| format!("starting {}", self.binary.display()))
    }

    /// Each step becomes the next, so that the process that was started is the bot.
    fn process_on_disk(&self, bytes: u64) -> Command {
        let script = format!(
            "mkdir -p small data && mount -t tmpfs -o size={bytes},mode=700 tmpfs small && cp -a data/. small/ \
             && mount --bind small data && exec \"$0\" run"
        );
        let mut command = self.with_surroundings("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", &script]).arg(&self.binary);
        command
    }

    /// A test that can't be told must not pass.
    async fn ensure_disks_can_be_made(&self) -> Result<()> {
        let trial = "mkdir -p small && mount -t tmpfs -o size=1m tmpfs small";
        let output = Command::new("unshare")
            .args(["--map-root-user", "--mount", "sh", "-c", trial])
            .current_dir(self.home_folder())
            .output()
            .await
            .context("starting unshare, of util-linux, to make a small disk")?;
        ensure!(
            output.status.success(),
            "this system lets nobody make a small disk (user namespaces and tmpfs are needed), so that a full one can't \
             be tried: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    fn process(&self, arguments: &[&str]) -> Command {
        let mut command = self.with_surroundings(&self.binary);
        command.args(arguments);
        command
    }

    fn with_surroundings(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.home_folder())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home_folder())
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}
