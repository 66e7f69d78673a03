//! What the page sees, and what it may ask for. Whoever does the work writes here; the page only reads and presses.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::action::Action;
use super::metrics::Metrics;
use crate::community::happening::Happening;
use crate::community::script::Script;
use crate::community::town::{ServerId, Town};

/// How many lines of the log are kept.
const LINES: usize = 100;

/// A part of the installation that can be hurt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// nats-server.
    Nats,
    /// The stand-in for Discord.
    Discord,
    /// The bot.
    Bot,
}

/// How a part does, in a word.
pub(crate) type Condition = &'static str;
/// The part works.
pub(crate) const RUNS: Condition = "running";
/// The part is not there.
pub(crate) const GONE: Condition = "gone";
/// The part is on its way.
pub(crate) const COMING: Condition = "starting";

/// Shared by the page and those who do the work.
#[derive(Debug)]
pub(crate) struct Board {
    began: Instant,
    /// The channel to look at, on Discord's own page.
    frame: String,
    /// For how many seconds Discord goes away.
    away: u64,
    view: Mutex<View>,
    presses: mpsc::UnboundedSender<Action>,
}

#[derive(Debug)]
struct View {
    town: Town,
    script: Script,
    parts: [Condition; 3],
    is_ready: bool,
    first_message: Option<f64>,
    metrics: Option<Metrics>,
    /// Seconds since the beginning, who did it, and what.
    log: Vec<(f64, &'static str, String)>,
    /// How many lines there ever were: the page tells new lines by it.
    lines: usize,
    under_way: BTreeSet<Action>,
}

impl Board {
    /// An empty town, and where presses arrive.
    pub(crate) fn new(
        began: Instant,
        seed: u64,
        frame: String,
        away: Duration,
    ) -> (Board, mpsc::UnboundedReceiver<Action>) {
        let (sender, presses) = mpsc::unbounded_channel();
        let view = View {
            town: Town::new(),
            script: Script::new(seed),
            parts: [COMING; 3],
            is_ready: false,
            first_message: None,
            metrics: None,
            log: Vec::new(),
            lines: 0,
            under_way: BTreeSet::new(),
        };
        (Board { began, frame, away: away.as_secs(), view: Mutex::new(view), presses: sender }, presses)
    }

    fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides something by what is so in town.
    pub(crate) fn decide<T>(&self, decide: impl FnOnce(&mut Script, &mut Town) -> T) -> T {
        let View { script, town, .. } = &mut *self.view();
        decide(script, town)
    }

    /// Something happened on a server.
    pub(crate) fn apply(&self, server: ServerId, happening: &Happening) {
        self.view().town.apply(server, happening);
    }

    /// A part does otherwise than before.
    pub(crate) fn set(&self, part: Part, condition: Condition) {
        self.view().parts[part as usize] = condition;
    }

    /// What the bot counts, or nothing where it does not answer.
    pub(crate) fn measured(&self, metrics: Option<Metrics>) {
        self.view().metrics = metrics;
    }

    /// A line of the log, below who did it.
    pub(crate) fn note(&self, who: &'static str, what: impl Into<String>) {
        let after = self.began.elapsed().as_secs_f64();
        let mut view = self.view();
        view.lines += 1;
        view.log.push((after, who, what.into()));
        if view.log.len() > LINES {
            view.log.remove(0);
        }
    }

    /// The first message is seen; buttons may be pressed from now on. Gives back after how many seconds.
    pub(crate) fn open(&self) -> f64 {
        let after = self.began.elapsed().as_secs_f64();
        let mut view = self.view();
        (view.is_ready, view.first_message) = (true, Some(after));
        after
    }

    /// Takes a press, or says why not.
    pub(crate) fn press(&self, action: Action) -> Result<(), String> {
        let mut view = self.view();
        if !view.is_ready {
            return Err("everything is still being set up".to_owned());
        }
        if let Some(obstacle) = action.obstacle(&view.town) {
            return Err(obstacle);
        }
        if !view.under_way.insert(action) {
            return Err("that is under way already".to_owned());
        }
        self.presses.send(action).map_err(|_| "the demo is over".to_owned())
    }

    /// What was pressed is done.
    pub(crate) fn done(&self, action: Action) {
        self.view().under_way.remove(&action);
    }

    /// Where Discord's own page is shown from.
    pub(crate) fn frame(&self) -> &str {
        &self.frame
    }

    /// All of it for the page.
    pub(crate) fn to_json(&self) -> Value {
        let view = self.view();
        let [nats, discord, bot] = view.parts;
        let log = view.log.iter().map(|(after, who, what)| json!({ "after": after, "who": who, "what": what }));
        json!({
            "frame": self.frame, "away": self.away, "ready": view.is_ready, "first_message": view.first_message,
            "town": view.town.to_json(), "parts": { "nats": nats, "discord": discord, "bot": bot },
            "metrics": view.metrics.as_ref().map(Metrics::to_json),
            "log": log.collect::<Vec<_>>(), "lines": view.lines,
        })
    }
}
