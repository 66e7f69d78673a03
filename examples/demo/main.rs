//! Plays two game servers and a Discord, with the real nats-server and the real bot between them: `./dev demo`.
//!
//! Everything goes the way people go: accounts are added by the command line, guilds linked and channels bound by slash
//! commands, events published with the game servers' own credentials. What the channels show is then checked to the
//! letter. Whatever ends it, nothing is left running and no file stays.

mod checks;
mod community;
mod events;
mod markdown;
mod screen;
mod stage;
mod story;

use std::io::{Write as _, stderr};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::checks::Checks;
use crate::screen::Screen;

/// What a shell says of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// Plays two game servers and a Discord, and lets guildwire work between them.
#[derive(Debug, Parser)]
struct Arguments {
    /// The bot's binary.
    #[arg(long, value_name = "PATH")]
    bot: PathBuf,

    /// Play the story once, check what the channels show, and exit: 0 when all is as it should be, else 1.
    #[arg(long)]
    once: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut screen = Screen::new();
    match play(&arguments.bot, arguments.once, &mut screen).await {
        Ok(code) => code,
        Err(error) => {
            // Where standard error is gone, nobody is left to be told.
            writeln!(stderr(), "\nThe demo could not be played to its end: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}

/// Plays the story, and after it an evening that goes on until somebody has seen enough.
async fn play(bot: &Path, once: bool, screen: &mut Screen) -> Result<ExitCode> {
    let mut stop = pin!(asked_to_stop());
    let mut checks = Checks::default();
    let told = tokio::select! {
        told = story::tell(bot, screen, &mut checks) => Some(told?),
        stopped = &mut stop => { stopped?; None }
    };
    // What was started by then ended with the story's future.
    let Some(stage) = told else { return Ok(ExitCode::from(INTERRUPTED)) };
    if !once {
        tokio::select! {
            gone_on = community::go_on(&stage, screen) => match gone_on? {},
            stopped = &mut stop => stopped?,
        }
    }
    stage.close(screen, &mut checks).await?;
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
