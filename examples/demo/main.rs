//! Game servers and a Discord, with the real nats-server and the real bot between them: `./dev demo`.
//!
//! Everything goes the way people go: accounts are added by the command line, guilds linked and channels bound by slash
//! commands, events published with the game servers' own credentials. Without arguments it is a show to watch in a
//! browser, with buttons. With `--once` a story is told in the terminal and all buttons are pressed, and what the
//! channels show is checked. Whatever ends it, nothing is left running and no file stays.

mod checks;
mod community;
mod markdown;
mod screen;
mod show;
mod story;

use std::io::{Write as _, stderr};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::checks::Checks;
use crate::screen::Screen;
use crate::show::Wishes;

/// What a shell says of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// Lets guildwire work between game servers and a Discord that are played.
#[derive(Debug, Parser)]
struct Arguments {
    /// The bot's binary.
    #[arg(long, value_name = "PATH")]
    bot: PathBuf,

    /// Tell a story in the terminal, press all buttons, check what the channels show, and exit: 0 when all is as it
    /// should be, else 1.
    #[arg(long)]
    once: bool,

    /// The page's port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 8940)]
    port: u16,

    /// Varies what happens on the game servers.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// For how many seconds the button takes Discord away.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    away: u64,

    /// Print the page's address, and open no browser.
    #[arg(long)]
    no_browser: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let began = Instant::now();
    let Arguments { bot, once, port, seed, away, no_browser } = Arguments::parse();
    let mut screen = Screen::new();
    let stop = asked_to_stop();
    let ended = if once {
        check(&bot, began, &mut screen, stop).await
    } else {
        let wishes = Wishes { port, seed, away: Duration::from_secs(away), browse: !no_browser };
        show::run(&bot, wishes, began, &screen, stop).await
    };
    ended.unwrap_or_else(|error| {
        // Where standard error is gone, nobody is left to be told.
        writeln!(stderr(), "\nThe demo could not go on: {error:#}").ok();
        ExitCode::FAILURE
    })
}

/// The story, then the show's buttons, and what came of them.
async fn check(
    bot: &Path,
    began: Instant,
    screen: &mut Screen,
    stop: impl Future<Output = Result<()>>,
) -> Result<ExitCode> {
    let mut checks = Checks::default();
    let mut stop = pin!(stop);
    let told = async {
        story::tell(bot, screen, &mut checks).await?;
        screen.headline("The page and its buttons")?;
        show::rehearse(bot, began, &mut checks).await?;
        checks.print(screen)
    };
    // What was started by then ends with the future that started it.
    tokio::select! {
        told = told => told?,
        stopped = &mut stop => { stopped?; return Ok(ExitCode::from(INTERRUPTED)) }
    }
    checks.conclude(screen)
}

/// Waits for Ctrl-C, or for a supervisor's or a closing terminal's word.
async fn asked_to_stop() -> Result<()> {
    let signal = |kind| signal(kind).context("listening for signals");
    let (mut interrupt, mut terminate, mut hang_up) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
    Ok(())
}
