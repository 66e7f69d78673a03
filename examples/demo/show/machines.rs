//! The real programs: nats-server, the bot and the stand-in for Discord, and what is done to them.

use std::convert::Infallible;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use discord_sim::Sim;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use guildwire::clock;
use guildwire_harness::house::{FIRST_ACCOUNT, PATIENCE, Publisher};
use guildwire_harness::{Bot, NatsServer, RunningBot};
use tokio::sync::{Mutex, mpsc};
use tokio::time::sleep;

use super::action::Action;
use super::board::{Board, COMING, GONE, Part, RUNS};
use super::garbage;
use super::metrics::Metrics;
use crate::community::cast::SERVERS;
use crate::community::happening::Happening;
use crate::community::script::{Script, Step, wipe};
use crate::community::town::{ServerId, Town};

/// Who pressed the buttons, in the log.
const YOU: &str = "you";
/// Whose word it is that follows what was pressed.
const DEMO: &str = "demo";

/// How many events a storm has.
pub(crate) const STORM: usize = 1_000;

/// Between two looks at the bot's metrics.
const SCRAPE_EVERY: Duration = Duration::from_secs(1);
/// How long one look may take.
const SCRAPE_BOUND: Duration = Duration::from_secs(2);
/// Between two looks at whether the bot is ready.
const READY_STEP: Duration = Duration::from_millis(100);

/// How long things are gone, and how much time passes between steps that belong together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pauses {
    /// Discord.
    pub(crate) discord: Duration,
    /// nats-server.
    pub(crate) nats: Duration,
    /// The bot.
    pub(crate) bot: Duration,
    /// From "about to stop" to "stopped", and within a wipe.
    pub(crate) step: Duration,
}

/// Everything that runs.
#[derive(Debug)]
pub(crate) struct Machines {
    pub(crate) discord: Sim,
    pub(crate) bot: Bot,
    pub(crate) running: Mutex<Option<RunningBot>>,
    pub(crate) nats: Mutex<NatsServer>,
    /// Held while something happens, so that the town and the stream tell it in the same order.
    pub(crate) publisher: Mutex<Publisher>,
    /// The channel that everything is shown in.
    pub(crate) live: u64,
    pub(crate) pauses: Pauses,
}

impl Machines {
    /// Waits for the first message, opens the board, and says after how many seconds that was.
    pub(crate) async fn first_message(&self, board: &Board) -> Result<f64> {
        self.discord.wait_for_messages(self.live, 1, PATIENCE).await?;
        let after = board.open();
        board.note(DEMO, format!("the first message stands in Discord, {after:.1} s after the start"));
        Ok(after)
    }

    /// Where the bot's log is, for people.
    pub(crate) async fn log_file(&self) -> String {
        let running = self.running.lock().await;
        running.as_ref().map(|bot| bot.log_file().display().to_string()).unwrap_or_default()
    }

    /// Something happens on a server, which tells it if it can. Gives back what, if it was possible.
    ///
    /// It is decided only when nothing else can come between: nats-server may have been away for seconds before.
    pub(crate) async fn happen(
        &self,
        board: &Board,
        decide: impl FnOnce(&mut Script, &mut Town) -> Option<Step>,
    ) -> Result<Option<Step>> {
        let publisher = self.publisher.lock().await;
        let possible = board
            .decide(|script, town| decide(script, town).filter(|(server, happening)| town.allows(*server, happening)));
        let Some((server, happening)) = possible else { return Ok(None) };
        board.apply(server, &happening);
        if let Some((subject, payload)) = happening.wire(SERVERS[server], clock::now().unix_seconds()) {
            publisher.publish(&subject, &payload).await?;
        }
        Ok(Some((server, happening)))
    }

    /// Does what is pressed, several things at once where several were.
    pub(crate) async fn obey(
        &self,
        board: &Board,
        presses: &mut mpsc::UnboundedReceiver<Action>,
    ) -> Result<Infallible> {
        let mut under_way = FuturesUnordered::new();
        loop {
            tokio::select! {
                action = presses.recv() => {
                    let action = action.context("the board lives as long as the demo")?;
                    under_way.push(async move { (action, self.perform(board, action).await) });
                }
                Some((action, result)) = under_way.next() => {
                    board.done(action);
                    result?;
                }
            }
        }
    }

    async fn perform(&self, board: &Board, action: Action) -> Result<()> {
        match action {
            Action::Join { server } => self.decided(board, server.0, |script, town| script.joins(town)).await,
            Action::Leave { server } => {
                self.decided(board, server.0, |script, town| script.leaves(&town.on(server.0))).await
            }
            Action::Chat { server } => {
                self.decided(board, server.0, |script, town| script.says(&town.on(server.0))).await
            }
            Action::Ban { server } => {
                self.decided(board, server.0, |script, town| script.bans(&town.on(server.0))).await
            }
            Action::Stop { server } => {
                self.all_of(board, vec![(server.0, Happening::Stopping), (server.0, Happening::Stopped)]).await
            }
            Action::Start { server } => self.all_of(board, vec![(server.0, Happening::Started)]).await,
            Action::Wipe { server } => {
                let steps = board.decide(|_, town| wipe(town, server.0));
                self.all_of(board, steps).await
            }
            Action::Crash { server } => self.all_of(board, vec![(server.0, Happening::Crashed)]).await,
            Action::Garbage {} => self.garbage(board).await,
            Action::Storm {} => self.storm(board).await,
            Action::DiscordAway {} => self.discord_away(board).await,
            Action::NatsRestart {} => self.nats_restart(board).await,
            Action::BotKill {} => self.bot_kill(board).await,
        }
    }

    /// What somebody decides to do, if anybody is there to do it.
    async fn decided(
        &self,
        board: &Board,
        server: ServerId,
        decide: impl FnOnce(&mut Script, &mut Town) -> Option<Happening>,
    ) -> Result<()> {
        self.pressed(board, |script, town| Some((server, decide(script, town)?))).await
    }

    async fn all_of(&self, board: &Board, steps: Vec<Step>) -> Result<()> {
        for (number, step) in steps.into_iter().enumerate() {
            if number > 0 {
                sleep(self.pauses.step).await;
            }
            self.pressed(board, |_, _| Some(step)).await?;
        }
        Ok(())
    }

    async fn pressed(&self, board: &Board, decide: impl FnOnce(&mut Script, &mut Town) -> Option<Step>) -> Result<()> {
        if let Some((server, happening)) = self.happen(board, decide).await? {
            board.note(YOU, happening.about(SERVERS[server]));
        }
        Ok(())
    }

    async fn garbage(&self, board: &Board) -> Result<()> {
        let publisher = self.publisher.lock().await;
        for (about, subject, payload) in garbage::MESSAGES {
            board.note(YOU, *about);
            publisher.publish(subject, payload).await?;
        }
        Ok(())
    }

    /// So much of the community's life at once that no channel could show it event by event.
    async fn storm(&self, board: &Board) -> Result<()> {
        let publisher = self.publisher.lock().await;
        board.note(YOU, format!("{STORM} events at once: counted and in a file, what servers say in the open"));
        let wires = board.decide(|script, town| {
            let mut wires = Vec::new();
            while wires.len() < STORM {
                let left = STORM - wires.len();
                // It ends with all servers up: what happens to one is listed when it is over.
                let down = (0..SERVERS.len()).filter(|server| town.is_down(*server)).collect::<Vec<_>>();
                let next = match down.first() {
                    Some(server) if down.len() >= left => Some((*server, Happening::Started)),
                    // Nobody starts anew within seconds of having crashed: that would be taken for a repeat.
                    _ => script.next(town).filter(|(_, what)| match what {
                        Happening::Crashed => false,
                        Happening::Stopping => left > SERVERS.len(),
                        _ => true,
                    }),
                };
                if let Some((server, happening)) = next {
                    town.apply(server, &happening);
                    wires.extend(happening.wire(SERVERS[server], clock::now().unix_seconds()));
                }
            }
            wires
        });
        let mut stored = Vec::new();
        for (subject, payload) in wires {
            stored.push(publisher.jetstream.publish(format!("v0.rust.servers.{subject}"), payload.into()).await?);
        }
        for acknowledgement in stored {
            acknowledgement.await?;
        }
        Ok(())
    }

    async fn discord_away(&self, board: &Board) -> Result<()> {
        let pause = self.pauses.discord;
        board.note(YOU, format!("Discord is gone for {} s: events are recorded and wait", pause.as_secs()));
        board.set(Part::Discord, GONE);
        self.discord.away_for(pause).await;
        board.set(Part::Discord, RUNS);
        board.note(DEMO, "Discord is back: what waited is sent, in order");
        Ok(())
    }

    async fn nats_restart(&self, board: &Board) -> Result<()> {
        // Game servers have nowhere to publish to meanwhile: the community waits, as if time stood still.
        let mut publisher = self.publisher.lock().await;
        let mut nats = self.nats.lock().await;
        board.note(YOU, "nats-server is killed: nothing can be published or read");
        board.set(Part::Nats, GONE);
        nats.kill()?;
        sleep(self.pauses.nats).await;
        board.set(Part::Nats, COMING);
        tokio::task::block_in_place(|| nats.start_again())?;
        *publisher = Publisher::connect(&nats.url(), FIRST_ACCOUNT).await?;
        board.set(Part::Nats, RUNS);
        board.note(DEMO, "nats-server is back: the bot reads on where its database says it was");
        Ok(())
    }

    async fn bot_kill(&self, board: &Board) -> Result<()> {
        board.note(YOU, "the bot is killed (SIGKILL): what happens now waits in nats-server's stream");
        board.set(Part::Bot, GONE);
        if let Some(mut bot) = self.running.lock().await.take() {
            bot.kill().await?;
        }
        sleep(self.pauses.bot).await;
        board.set(Part::Bot, COMING);
        *self.running.lock().await = Some(self.bot.run().await?);
        self.bot_ready().await?;
        board.set(Part::Bot, RUNS);
        board.note(DEMO, "the bot is back: it tells what happened meanwhile, each event once");
        Ok(())
    }

    /// Waits until the bot is ready, for as long as that takes: Discord may be away. Fails when its process ends.
    ///
    /// The bot is free for others meanwhile: its metrics are asked for, and whoever ends the demo ends it in good order.
    async fn bot_ready(&self) -> Result<()> {
        let client = reqwest::Client::builder().timeout(SCRAPE_BOUND).no_proxy().build()?;
        loop {
            let url = {
                let mut running = self.running.lock().await;
                let bot = running.as_mut().context("the bot was just started")?;
                if let Ok(status) = bot.wait(Duration::ZERO).await {
                    bail!("the bot ended with {status} before it was ready; its log: {}", bot.log_file().display());
                }
                format!("{}/readyz", bot.http_url())
            };
            if client.get(url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            sleep(READY_STEP).await;
        }
    }

    /// Asks the bot for its metrics, again and again.
    pub(crate) async fn measure(&self, board: &Board) -> Result<Infallible> {
        let client = reqwest::Client::builder().timeout(SCRAPE_BOUND).no_proxy().build()?;
        loop {
            let address = self.running.lock().await.as_ref().map(|bot| format!("{}/metrics", bot.http_url()));
            let answer = match address {
                Some(address) => text(client.get(address).send().await).await,
                None => None,
            };
            board.measured(answer.map(|text| Metrics::parse(&text)));
            sleep(SCRAPE_EVERY).await;
        }
    }

    /// Stops everything in good order, and says how the bot took it.
    pub(crate) async fn close(self) -> Result<Option<std::process::ExitStatus>> {
        // Whoever stops the demo in the middle of an outage does not want to wait for its end.
        self.discord.come_back().await;
        let status = match self.running.into_inner() {
            Some(mut bot) => Some(bot.terminate().await?),
            None => None,
        };
        self.discord.stop().await;
        self.nats.into_inner().kill()?;
        Ok(status)
    }
}

/// A bot that is killed while it is asked does not answer; that is no failure of the demo.
async fn text(answer: reqwest::Result<reqwest::Response>) -> Option<String> {
    answer.ok()?.text().await.ok()
}
