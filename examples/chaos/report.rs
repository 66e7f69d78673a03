//! What the run came to: a table for people, and one line of JSON for whoever keeps the figures.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::bot::Boundary;
use crate::faults::Conductor;
use crate::oracle::Verdict;

/// A run of this many minutes kills the bot at each boundary so often.
const LONG_RUN: f64 = 20.0;
const KILLS_AT_EACH: u64 = 20;

/// How many faults of one sort are told in full.
const DETAILS: usize = 20;

/// How wide the table's first column is.
const WIDTH: usize = 90;

/// The figures of a run.
pub(crate) struct Report {
    verdict: Verdict,
    rows: Vec<(String, u64)>,
    json: Value,
    /// Boundaries at which a long run should have killed the bot more often.
    rare: Vec<&'static str>,
}

impl Report {
    /// Collects the figures.
    pub(crate) async fn new(
        seed: u64,
        database: &str,
        minutes: f64,
        conductor: &Conductor,
        verdict: Verdict,
    ) -> Report {
        let (mut published, mut acknowledged) = (0, 0);
        for account in &conductor.stage.accounts {
            let ledger = account.pause().await;
            published += ledger.entries.len();
            acknowledged += ledger.acknowledged();
        }
        let faults: u64 = conductor.tally.values().sum();
        let boundaries: Value =
            conductor.boundaries.iter().map(|(boundary, times)| (boundary.name().to_owned(), json!(times))).collect();
        let limited = conductor.stage.house.discord.statistics();
        let json = json!({
            "seed": seed, "database": database, "minutes": minutes,
            "published": published, "acknowledged": acknowledged,
            "faults": conductor.tally, "boundaries": boundaries,
            "messages": verdict.messages, "attachments": verdict.attachments, "shown": verdict.shown, "told_by_why": verdict.told, "cut_off": verdict.cut_off,
            "lost": verdict.lost.len(), "doubled": verdict.doubled.len(),
            "disordered": verdict.disordered.len(), "stray": verdict.stray.len(),
            "nonce_replays": limited.nonce_replays, "invalid_responses": limited.invalid,
        });
        let mut rows = vec![
            ("events published".to_owned(), published as u64),
            ("  acknowledged by JetStream".to_owned(), acknowledged as u64),
            ("messages seen".to_owned(), verdict.messages as u64),
            ("  with a text file".to_owned(), verdict.attachments as u64),
            ("  numbers in them".to_owned(), verdict.shown as u64),
            ("  refused for good, and told by /why".to_owned(), verdict.told as u64),
            ("  cut off with their history".to_owned(), verdict.cut_off as u64),
            ("faults".to_owned(), faults),
        ];
        rows.extend(conductor.tally.iter().map(|(fault, times)| (format!("  {fault}"), *times)));
        rows.push(("killed at".to_owned(), conductor.boundaries.values().sum()));
        rows.extend(conductor.boundaries.iter().map(|(boundary, times)| (format!("  {}", boundary.name()), *times)));
        rows.push(("the bot's log".to_owned(), conductor.said.values().sum()));
        rows.extend(conductor.said.iter().map(|(message, times)| (format!("  {}", cut(message)), *times)));
        rows.push(("lost".to_owned(), verdict.lost.len() as u64));
        rows.push(("doubled".to_owned(), verdict.doubled.len() as u64));
        rows.push(("disordered".to_owned(), verdict.disordered.len() as u64));
        rows.push(("stray".to_owned(), verdict.stray.len() as u64));
        let is_rare = |boundary: &Boundary| {
            minutes >= LONG_RUN && conductor.boundaries.get(boundary).is_none_or(|times| *times < KILLS_AT_EACH)
        };
        let rare = Boundary::ALL.into_iter().filter(is_rare).map(Boundary::name).collect();
        Report { verdict, rows, json, rare }
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_well(&self) -> bool {
        self.verdict.is_well() && self.rare.is_empty()
    }

    /// What a person reads, and the line of JSON.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |line: &str| writeln!(text, "{line}").expect("a string takes all text");
        for (what, count) in &self.rows {
            line(&format!("{what:<WIDTH$}{count:>9}"));
        }
        let Verdict { lost, doubled, disordered, stray, .. } = &self.verdict;
        for (sort, found) in [("lost", lost), ("doubled", doubled), ("disordered", disordered), ("stray", stray)] {
            for one in found.iter().take(DETAILS) {
                line(&format!("{sort}: {one}"));
            }
            if found.len() > DETAILS {
                line(&format!("{sort}: and {} more", found.len() - DETAILS));
            }
        }
        for boundary in &self.rare {
            line(&format!("too seldom killed at: {boundary}"));
        }
        line(&self.json.to_string());
        text
    }
}

/// A line of the log, as far as the table has room for it.
fn cut(message: &str) -> String {
    message.chars().take(WIDTH - 3).collect()
}
