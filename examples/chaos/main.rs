//! guildwire under fire: `./dev chaos`.
//!
//! Game servers of three accounts publish numbered events, two Discord servers listen in six channels, and everything
//! between them breaks: the bot is killed and frozen, nats-server and Discord die and come back, streams are purged,
//! made anew and rolled back, requests meet every trouble that Discord knows. Then the oracle compares what was
//! published with what people see.
//!
//! Nothing here shares code with the bot, which is a program in a process of its own: it is set up by its command line
//! and its slash commands, and looked at through its channels, `/why` and its log.

mod bot;
mod faults;
mod ledger;
mod numbers;
mod oracle;
mod publisher;
mod report;
mod stage;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::{Parser, ValueEnum};
use tokio_util::sync::CancellationToken;

use crate::faults::Conductor;
use crate::oracle::Verdict;
use crate::report::Report;
use crate::stage::Stage;

/// How long it is watched whether a message comes that should not, once the last event arrived: longer than a request
/// of the bot's may take here.
const WATCHES_FOR: Duration = Duration::from_secs(3);

/// Lets everything break around guildwire, and tells whether an event was lost, doubled or out of order.
#[derive(Debug, Parser)]
struct Arguments {
    /// The bot's binary.
    #[arg(long, value_name = "PATH")]
    bot: PathBuf,

    /// For how long things break; setting up and waiting for the last events comes on top.
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,

    /// Decides what breaks and what is published. The same seed breaks the same things in the same order; when exactly,
    /// the machine decides.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Where the bot keeps its data.
    #[arg(long, value_enum, default_value_t = Database::Sqlite)]
    database: Database,

    /// Where the bot's log goes. It is removed when all is well and no place was given.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

/// What the bot keeps its data in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (seed, database) = (arguments.seed, arguments.database.name());
    let again = format!("./dev chaos --minutes {} --seed {seed} --database {database}", arguments.minutes);
    let log = arguments.log.clone().unwrap_or_else(|| {
        std::env::temp_dir().join(format!("guildwire-chaos-{seed}-{database}-{}.log", std::process::id()))
    });
    let code = match run(&arguments, &log).await {
        Ok(report) => {
            say(&report.text());
            if report.is_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            say(&format!("The run could not go on: {error:#}"));
            ExitCode::FAILURE
        }
    };
    if code == ExitCode::SUCCESS && arguments.log.is_none() {
        // Whoever wants it names a place for it; what can't be removed here goes with the system's other leftovers.
        let _ = std::fs::remove_file(&log);
    } else {
        say(&format!("The bot's log: {}\nThe same again: {again}", log.display()));
    }
    code
}

/// Sets everything up, lets it break, and judges.
async fn run(arguments: &Arguments, log: &std::path::Path) -> Result<Report> {
    let began = Instant::now();
    let lasts = Duration::try_from_secs_f64(arguments.minutes * 60.0).context("--minutes is a number of minutes")?;
    say(&format!("Seed {}, {}, {lasts:?} of trouble.", arguments.seed, arguments.database.name()));
    let (stage, process) = Stage::build(&arguments.bot, arguments.database, arguments.seed, log).await?;
    say(&format!("The stage is set after {:.1} s.", began.elapsed().as_secs_f64()));
    let stop = CancellationToken::new();
    let publishing: Vec<_> =
        stage.accounts.iter().map(|account| publisher::begin(account.clone(), arguments.seed, stop.clone())).collect();
    let mut conductor = Conductor::new(stage, process, arguments.seed, lasts);
    conductor.conduct().await?;
    stop.cancel();
    for publisher in publishing {
        publisher.await.context("a publisher ended badly")?;
    }
    conductor.calm_down()?;
    let waited = Instant::now();
    let has_all = conductor.wait_for_the_last().await?;
    say(&format!(
        "{} after {:.1} s.",
        if has_all { "The last events arrived" } else { "The last events did not arrive, not even" },
        waited.elapsed().as_secs_f64()
    ));
    // A message that is posted twice may be so after the last.
    tokio::time::sleep(WATCHES_FOR).await;
    let verdict = Verdict::of(&conductor.stage, &conductor.evidence).await;
    let report = Report::new(arguments.seed, arguments.database.name(), arguments.minutes, &conductor, verdict).await;
    conductor.close().await?;
    Ok(report)
}

/// Tells whoever watches, at once.
fn say(text: &str) {
    let mut out = std::io::stdout();
    // Where standard output is gone, nobody is left to be told.
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}
