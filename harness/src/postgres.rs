//! A private PostgreSQL cluster: one for all tests of a process, a database for each of them.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::free_port;
use crate::postgres_binaries::{PostgresBinaries, reachable_temporary_folder};
use crate::scratch::{Scratch, tail};
use crate::watchdog::send_signal;

const USER: &str = "guildwire";
const START_BOUND: Duration = Duration::from_mins(1);
const STEP: Duration = Duration::from_millis(20);

static SHARED: OnceLock<Postgres> = OnceLock::new();

/// A cluster on 127.0.0.1 that trusts everybody. It ends when this is dropped.
#[derive(Debug)]
pub struct Postgres {
    port: u16,
    process: Child,
    databases: AtomicU32,
    binaries: PostgresBinaries,
    folder: Scratch,
}

impl Postgres {
    /// Makes a cluster, starts it and waits until it takes connections.
    ///
    /// The programs are those in the folder `$GUILDWIRE_PG_BIN`, on `PATH`, in
    /// `/usr/lib/postgresql`, or what `./dev tools` put under `.tools/postgres`, in that order.
    pub fn start() -> Result<Postgres> {
        let folder = Scratch::inside(&reachable_temporary_folder(), "postgres")?;
        let binaries = PostgresBinaries::prepare(&folder)?;
        let data = folder.path().join("data");
        binaries.make_data_folder(&data)?;
        initialize(&binaries, &data)?;
        run(binaries, folder, &data)
    }

    /// The one cluster of this test process, started by whoever comes first.
    ///
    /// # Panics
    ///
    /// When no cluster can be started; a test has no other way to go on.
    #[must_use]
    pub fn shared() -> &'static Postgres {
        SHARED.get_or_init(|| match Postgres::start() {
            Ok(postgres) => postgres,
            Err(error) => panic!("PostgreSQL does not start: {error:#}"),
        })
    }

    /// A database of this cluster as `pg_dump` writes it down, with these arguments.
    pub fn dump(&self, arguments: &[&str]) -> Result<Vec<u8>> {
        let output = self.binaries.client("pg_dump")?.args(arguments).output().context("starting pg_dump")?;
        ensure!(output.status.success(), "pg_dump failed: {}", String::from_utf8_lossy(&output.stderr));
        Ok(output.stdout)
    }

    /// Fills a new database with what [`Postgres::dump`] wrote down, and returns its URL.
    pub async fn restore(&self, name: &str, dump: &[u8]) -> Result<String> {
        let url = self.create_database(name).await?;
        let mut restore = self.binaries.client("pg_restore")?;
        let mut restore = restore.args(["--exit-on-error", "--dbname", &url]).stdin(Stdio::piped()).spawn()?;
        restore.stdin.take().context("stdin is piped")?.write_all(dump).context("handing over the dump")?;
        let status = restore.wait().context("waiting for pg_restore")?;
        ensure!(status.success(), "pg_restore failed");
        Ok(url)
    }

    /// Makes a new, empty database, whose name begins with `name`, and returns its URL.
    ///
    /// The name is letters, digits and underscores; a number is added, so that it may be used again.
    pub async fn create_database(&self, name: &str) -> Result<String> {
        ensure!(
            name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_'),
            "a database cannot be called {name:?}"
        );
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("{name}_{number}");
        let mut connection = PgConnection::connect(&self.url("postgres"))
            .await
            .context("connecting to PostgreSQL to make a database")?;
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE \"{name}\"")))
            .execute(&mut connection)
            .await
            .with_context(|| format!("making the database {name}"))?;
        connection.close().await.context("closing the connection that made a database")?;
        Ok(self.url(&name))
    }

    /// The URL of a database of this name, whether there is one or not.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@{}/{database}", self.address())
    }

    /// Where it listens, for a proxy.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGQUIT is PostgreSQL's own way to end at once. SIGKILL would leave its shared memory
        // behind. The watchdog does the same, with a bound, should it not work.
        if send_signal(self.process.id(), "QUIT").is_ok() && self.process.wait().is_ok() {
            self.folder.watchdog.forget();
        }
    }
}

fn initialize(binaries: &PostgresBinaries, data: &Path) -> Result<()> {
    let output = binaries
        .command("initdb")
        .arg("--pgdata")
        .arg(data)
        .args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--username", USER])
        .stdin(Stdio::null())
        .output()
        .context("starting initdb (as root this takes setpriv, of util-linux)")?;
    ensure!(
        output.status.success(),
        "initdb failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

fn run(binaries: PostgresBinaries, mut folder: Scratch, data: &Path) -> Result<Postgres> {
    const ATTEMPTS: u32 = 5;
    let log = folder.path().join("postgres.log");
    for _ in 0..ATTEMPTS {
        let port = free_port();
        let mut process = launch(&binaries, data, &log, port)?;
        folder.watchdog.watch(process.id(), "QUIT")?;
        if becomes_ready(&mut process, data)? {
            return Ok(Postgres { port, process, databases: AtomicU32::new(0), binaries, folder });
        }
        folder.watchdog.forget();
        let words = fs::read_to_string(&log).context("reading the log of PostgreSQL")?;
        ensure!(words.contains("Address already in use"), "PostgreSQL ended:\n{}", tail(&words));
    }
    bail!("other processes took {ATTEMPTS} ports before PostgreSQL could")
}

/// Waits for the state that the server itself writes into its file, as `pg_ctl` does; a connection
/// could reach somebody else's server. False when the process has ended.
fn becomes_ready(process: &mut Child, data: &Path) -> Result<bool> {
    let deadline = Instant::now() + START_BOUND;
    while Instant::now() < deadline {
        let state = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
        if state.lines().nth(7).is_some_and(|line| line.trim() == "ready") {
            return Ok(true);
        }
        if process.try_wait().context("looking after PostgreSQL")?.is_some() {
            return Ok(false);
        }
        sleep(STEP);
    }
    bail!("PostgreSQL was not ready within {START_BOUND:?}")
}

fn launch(binaries: &PostgresBinaries, data: &Path, log: &Path, port: u16) -> Result<Child> {
    let log = File::create(log).context("making the log of PostgreSQL")?;
    binaries
        .command("postgres")
        .arg("-D")
        .arg(data)
        .args(["-p", &port.to_string()])
        .args(["-c", "listen_addresses=127.0.0.1"])
        .args(["-c", "unix_socket_directories="])
        // Many tests at once, each with the pools of one or two bots.
        .args(["-c", "max_connections=300"])
        .stdin(Stdio::null())
        .stdout(log.try_clone().context("sharing the log of PostgreSQL")?)
        .stderr(log)
        .process_group(0)
        .spawn()
        .context("starting postgres")
}
