//! The show: a community lives on two game servers, Discord shows it, and whoever watches makes things happen.

mod action;
mod board;
mod browser;
mod garbage;
mod machines;
mod metrics;
mod panel;
mod reading;
mod rehearsal;
mod setting;

use std::convert::Infallible;
use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::time::sleep;

use self::board::Board;
use self::machines::{Machines, Pauses};
use self::setting::Setting;
use crate::checks::Checks;
use crate::community::script::Script;
use crate::screen::Screen;

/// Between two things that happen by themselves, and at the beginning, where a channel is still empty.
const PACE: Duration = Duration::from_secs(2);
const FIRST_PACE: Duration = Duration::from_secs(1);

/// How the show was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wishes {
    /// Where the page is served; 0 for any free port.
    pub(crate) port: u16,
    /// Varies what happens.
    pub(crate) seed: u64,
    /// For how long Discord goes away.
    pub(crate) away: Duration,
    /// Whether to open a browser, where there is a display.
    pub(crate) browse: bool,
}

/// Goes on until `stop`, or until a part of it fails.
pub(crate) async fn run(
    bot: &Path,
    wishes: Wishes,
    began: Instant,
    screen: &Screen,
    stop: impl Future<Output = Result<()>>,
) -> Result<ExitCode> {
    let pauses = Pauses {
        discord: wishes.away,
        nats: Duration::from_secs(3),
        bot: Duration::from_secs(5),
        step: Duration::from_secs(1),
    };
    let mut stop = pin!(stop);
    let stopped = async {
        let setting = Setting::build(bot).await?;
        let (board, mut presses) = Board::new(began, wishes.seed, setting.frame(), wishes.away);
        let board = Arc::new(board);
        let listener = panel::bind(wishes.port).await?;
        let url = format!("http://{}/", listener.local_addr().context("asking for the page's address")?);
        screen.headline("guildwire's demo")?;
        screen.say(&format!("Open {url} and watch; Ctrl-C ends it."))?;
        if wishes.browse {
            browser::open(&url);
        }
        let mut serving = pin!(panel::serve(listener, Arc::clone(&board)));
        let machines = tokio::select! {
            settled = setting.settle(&board, pauses) => settled?,
            served = &mut serving => match served? {},
            stopped = &mut stop => { stopped?; return Ok(None) }
        };
        screen.say(&format!("The bot's log: {}", machines.log_file().await))?;
        tokio::select! {
            gone_on = go_on(&machines, &board, screen) => match gone_on? {},
            obeyed = machines.obey(&board, &mut presses) => match obeyed? {},
            measured = machines.measure(&board) => match measured? {},
            served = &mut serving => match served? {},
            stopped = &mut stop => stopped?,
        }
        anyhow::Ok(Some(machines))
    };
    let Some(machines) = stopped.await? else { return Ok(ExitCode::from(crate::INTERRUPTED)) };
    machines.close().await?;
    screen.say("Everything has ended, and nothing is left.")?;
    Ok(ExitCode::SUCCESS)
}

/// The community's life: the servers come up, players join, and then whatever happens.
async fn go_on(machines: &Machines, board: &Board, screen: &Screen) -> Result<Infallible> {
    for (number, step) in board.decide(|script, town| script.opening(town)).into_iter().enumerate() {
        machines.happen(board, |_, _| Some(step)).await?;
        if number == 0 {
            let after = machines.first_message(board).await?;
            screen.say(&format!("First message after {after:.1} s."))?;
        }
        sleep(FIRST_PACE).await;
    }
    loop {
        sleep(PACE).await;
        machines.happen(board, Script::next).await?;
    }
}

/// The page and its buttons, without anybody watching: everything is pressed once, and what comes of it is checked.
pub(crate) async fn rehearse(bot: &Path, began: Instant, checks: &mut Checks) -> Result<()> {
    let pauses = Pauses {
        discord: Duration::from_secs(2),
        nats: Duration::from_millis(500),
        bot: Duration::from_millis(500),
        step: Duration::from_millis(50),
    };
    rehearsal::rules(checks);
    let setting = Setting::build(bot).await?;
    let (board, mut presses) = Board::new(began, 1, setting.frame(), pauses.discord);
    let board = Arc::new(board);
    let listener = panel::bind(0).await?;
    let port = listener.local_addr().context("asking for the page's address")?.port();
    let mut serving = pin!(panel::serve(listener, Arc::clone(&board)));
    let machines = tokio::select! {
        settled = setting.settle(&board, pauses) => settled?,
        served = &mut serving => match served? {},
    };
    tokio::select! {
        rehearsed = rehearsal::press_everything(&machines, &board, port, checks) => rehearsed?,
        obeyed = machines.obey(&board, &mut presses) => match obeyed? {},
        measured = machines.measure(&board) => match measured? {},
        served = &mut serving => match served? {},
    }
    let ended = machines.close().await?.context("the bot runs in the end")?;
    checks.note("the bot stops when it is asked to, after all of that", (!ended.success()).then(|| ended.to_string()));
    Ok(())
}
