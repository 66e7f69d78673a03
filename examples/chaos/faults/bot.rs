//! What happens to the bot and to nats-server themselves.

use std::time::Duration;

use anyhow::{Context as _, Result};
use rand::RngExt as _;
use tokio::time::sleep;

use super::Conductor;
use crate::bot::{Boundary, Process};

/// How long the bot may take to come to the boundary where it is to die. It may have nothing to do.
const BOUNDARY_BOUND: Duration = Duration::from_secs(4);

impl Conductor {
    /// Kills the bot at the boundary that it was killed at the least so far, and starts it again.
    pub(super) async fn kill_at_boundary(&mut self) -> Result<()> {
        let fewest = self.boundaries.values().min().copied().unwrap_or_default();
        let rarest: Vec<Boundary> =
            self.boundaries.iter().filter(|(_, times)| **times == fewest).map(|(boundary, _)| *boundary).collect();
        let wanted = self.one_of(&rarest);
        let process = self.process.take().context("the bot runs")?;
        let ended = process.kill_at(wanted, BOUNDARY_BOUND).await?.ensure_killed()?;
        // Killed at once at one line, it may have come to the next: its log decides.
        match ended.last.filter(|_| ended.at_boundary) {
            Some(boundary) => *self.boundaries.entry(boundary).or_default() += 1,
            None => *self.missed.entry("bot killed at a boundary").or_default() += 1,
        }
        self.note(ended);
        self.rest().await;
        self.start_bot()
    }

    /// Kills the bot, whatever it does.
    pub(super) async fn kill_bot(&mut self) -> Result<()> {
        let process = self.process.take().context("the bot runs")?;
        let ended = process.kill().await?.ensure_killed()?;
        self.note(ended);
        Ok(())
    }

    /// Starts the bot that was killed.
    pub(super) fn start_bot(&mut self) -> Result<()> {
        self.process = Some(Process::start(&self.stage.house.bot, &self.stage.log)?);
        Ok(())
    }

    /// Lets the bot stand still, and then go on or die.
    pub(super) async fn freeze_bot(&mut self, then_kill: bool) -> Result<()> {
        let process = self.process.as_ref().context("the bot runs")?;
        process.signal("STOP")?;
        let lasts = self.random.random_range(300..3_000);
        sleep(Duration::from_millis(lasts)).await;
        if then_kill {
            self.kill_bot().await?;
            self.start_bot()
        } else {
            self.process.as_ref().context("the bot runs")?.signal("CONT")
        }
    }

    /// Kills nats-server and starts it again, while whatever goes on goes on.
    pub(super) async fn kill_nats(&mut self) -> Result<()> {
        self.stage.house.nats.kill()?;
        self.rest().await;
        tokio::task::block_in_place(|| self.stage.house.nats.start_again())
    }
}
