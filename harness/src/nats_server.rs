//! A real nats-server in a process of its own, that can be killed, started again and rolled back.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::nats_config::NatsConfig;
use crate::scratch::{Scratch, copy_folder, tail};
use crate::watchdog::send_signal;
use crate::{free_port, repository};

/// How long a server may take to answer, on a machine that compiles beside it.
const START_BOUND: Duration = Duration::from_secs(20);
const STEP: Duration = Duration::from_millis(10);

/// A nats-server with JetStream, its port and its store. It ends when this is dropped.
#[derive(Debug)]
pub struct NatsServer {
    binary: PathBuf,
    port: u16,
    name: String,
    folder: Scratch,
    process: Option<Child>,
}

impl NatsServer {
    /// Starts a server and waits until it answers.
    ///
    /// The binary is `$GUILDWIRE_NATS_SERVER`, or `.tools/bin/nats-server` in the repository.
    pub fn start(config: &NatsConfig) -> Result<NatsServer> {
        start_binary(binary("GUILDWIRE_NATS_SERVER", "nats-server")?, config)
    }

    /// Starts a server of a version that is too old for guildwire (2.12).
    ///
    /// The binary is `$GUILDWIRE_NATS_SERVER_OLD`, or `.tools/bin/nats-server-2.12`.
    pub fn start_old(config: &NatsConfig) -> Result<NatsServer> {
        start_binary(binary("GUILDWIRE_NATS_SERVER_OLD", "nats-server-2.12")?, config)
    }

    /// Has nats-server judge a configuration file, with these variables in its environment, without starting it. Fails
    /// with its words.
    pub fn check_file(file: &Path, variables: &[(&str, &str)]) -> Result<()> {
        let binary = binary("GUILDWIRE_NATS_SERVER", "nats-server")?;
        let mut command = Command::new(&binary);
        command.arg("-t").arg("--config").arg(file).env_clear().envs(variables.iter().copied());
        let output = command.output().with_context(|| format!("starting {}", binary.display()))?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(())
    }

    /// Where clients connect to; the same after a restart.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://{}", self.address())
    }

    /// The same as an address, for a proxy.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Kills the server with SIGKILL. Its store stays.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill().context("killing nats-server")?;
            process.wait().context("waiting for nats-server")?;
            self.folder.watchdog.forget();
        }
        Ok(())
    }

    /// Starts a server that was killed, on the same port and store.
    pub fn start_again(&mut self) -> Result<()> {
        ensure!(self.process.is_none(), "nats-server runs already");
        let log = File::create(self.log_file()).context("making the log of nats-server")?;
        let mut process = Command::new(&self.binary)
            .arg("--config")
            .arg(self.config_file())
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("sharing the log of nats-server")?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {}", self.binary.display()))?;
        self.folder.watchdog.watch(process.id(), "KILL")?;

        let deadline = Instant::now() + START_BOUND;
        loop {
            if self.answers() {
                self.process = Some(process);
                return Ok(());
            }
            if process.try_wait().context("looking after nats-server")?.is_some() {
                self.folder.watchdog.forget();
                bail!("nats-server ended at its start:\n{}", tail(&self.log()?));
            }
            if Instant::now() > deadline {
                self.process = Some(process);
                self.kill()?;
                bail!("nats-server did not answer:\n{}", tail(&self.log()?));
            }
            sleep(STEP);
        }
    }

    /// Kills the server and starts it again.
    pub fn restart(&mut self) -> Result<()> {
        self.kill()?;
        self.start_again()
    }

    /// Changes accounts and users of a server, as an operator does: a new file, then SIGHUP.
    ///
    /// Returns when the server runs with the new configuration, or fails with its words when it
    /// refuses. A server that is stopped reads the file when it starts again.
    pub fn reload(&mut self, config: &NatsConfig) -> Result<()> {
        self.write_config(config)?;
        let Some(process) = &self.process else {
            return Ok(());
        };
        let before = self.log()?.len();
        send_signal(process.id(), "HUP")?;
        let deadline = Instant::now() + START_BOUND;
        loop {
            let log = self.log()?;
            let news = log.get(before..).unwrap_or_default();
            if news.contains("Reloaded server configuration") {
                return Ok(());
            }
            if news.contains("Failed to reload server configuration") {
                bail!("nats-server refused its new configuration:\n{}", tail(news));
            }
            ensure!(Instant::now() < deadline, "nats-server did not reload:\n{}", tail(news));
            sleep(STEP);
        }
    }

    /// Where the streams are kept.
    #[must_use]
    pub fn store_dir(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Copies the store of a stopped server, as a backup would.
    pub fn copy_store(&self, to: &Path) -> Result<()> {
        ensure!(self.process.is_none(), "nats-server must be stopped to copy its store");
        copy_folder(&self.store_dir(), to)
    }

    /// Puts an earlier copy in the place of a stopped server's store: its streams are rolled back.
    pub fn restore_store(&self, from: &Path) -> Result<()> {
        ensure!(self.process.is_none(), "nats-server must be stopped to change its store");
        copy_folder(from, &self.store_dir())
    }

    /// What the server wrote since it was started last.
    pub fn log(&self) -> Result<String> {
        let bytes = fs::read(self.log_file()).context("reading the log of nats-server")?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Whether our own server, and not somebody else's on the same port, takes clients.
    fn answers(&self) -> bool {
        let Ok(connection) = TcpStream::connect_timeout(&self.address(), Duration::from_secs(1)) else {
            return false;
        };
        if connection.set_read_timeout(Some(Duration::from_secs(1))).is_err() {
            return false;
        }
        let mut line = String::new();
        if BufReader::new(connection).read_line(&mut line).is_err() {
            return false;
        }
        line.strip_prefix("INFO ")
            .and_then(|json| serde_json::from_str::<serde_json::Value>(json).ok())
            .is_some_and(|info| info["server_name"] == self.name)
    }

    fn write_config(&self, config: &NatsConfig) -> Result<()> {
        let text = config.text(&self.name, self.port, &self.store_dir());
        fs::write(self.config_file(), text).context("writing the configuration of nats-server")
    }

    fn config_file(&self) -> PathBuf {
        self.folder.path().join("nats.conf")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("nats.log")
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        // Nothing to do about a failure here; the watchdog tries once more.
        let _ = self.kill();
    }
}

fn start_binary(binary: PathBuf, config: &NatsConfig) -> Result<NatsServer> {
    const ATTEMPTS: u32 = 5;
    let folder = Scratch::new("nats")?;
    let mut server = NatsServer { binary, port: 0, name: String::new(), folder, process: None };
    for _ in 1..ATTEMPTS {
        server.take_port(config)?;
        match server.start_again() {
            // Another process was quicker to take the port.
            Err(error) if error.to_string().contains("address already in use") => {}
            other => return other.map(|()| server),
        }
    }
    server.take_port(config)?;
    server.start_again().map(|()| server)
}

impl NatsServer {
    fn take_port(&mut self, config: &NatsConfig) -> Result<()> {
        self.port = free_port();
        self.name = format!("test-{}-{}", std::process::id(), self.port);
        self.write_config(config)
    }
}

fn binary(variable: &str, name: &str) -> Result<PathBuf> {
    let path = match std::env::var_os(variable) {
        Some(path) => PathBuf::from(path),
        None => repository().join(".tools/bin").join(name),
    };
    ensure!(path.is_file(), "there is no {}: run ./dev tools, or name a {name} in {variable}", path.display());
    Ok(path)
}
