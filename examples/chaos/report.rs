//! What the run came to: a table for people, and one line of JSON for whoever keeps the figures.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::faults::Conductor;
use crate::oracle::Verdict;

/// A run of this many minutes breaks everything at least once, and kills the bot at each boundary so often.
const LONG_RUN: f64 = 20.0;
const KILLS_AT_EACH: u64 = 20;

/// And JetStream took so many of a hundred published events, or the run tells little of what the bot does with them.
const PERCENT_ACKNOWLEDGED: usize = 80;

/// How many faults of one sort are told in full.
const DETAILS: usize = 20;

/// How wide the table's first column is.
const WIDTH: usize = 90;

/// The figures of a run.
pub(crate) struct Report {
    verdict: Verdict,
    rows: Vec<(String, u64)>,
    json: Value,
    /// What a long run should have broken, and has not, or too seldom.
    wanting: Vec<String>,
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
        let boundaries: Value =
            conductor.boundaries.iter().map(|(boundary, times)| (boundary.name().to_owned(), json!(times))).collect();
        let limited = conductor.stage.house.discord.statistics();
        let json = json!({
            "seed": seed, "database": database, "minutes": minutes,
            "published": published, "acknowledged": acknowledged,
            "faults": conductor.tally, "missed": conductor.missed, "boundaries": boundaries,
            "messages": verdict.messages, "attachments": verdict.attachments,
            "shown": verdict.shown, "told_by_why": verdict.told, "cut_off": verdict.cut_off,
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
        ];
        let mut table = |head: &str, counts: Vec<(&str, u64)>| {
            rows.push((head.to_owned(), counts.iter().map(|(_, times)| times).sum()));
            rows.extend(counts.into_iter().map(|(what, times)| (format!("  {}", cut(what)), times)));
        };
        table("faults that the bot met", counted(&conductor.tally));
        table("faults that found nothing to break", counted(&conductor.missed));
        table("killed at", conductor.boundaries.iter().map(|(boundary, times)| (boundary.name(), *times)).collect());
        table("the bot's log", counted(&conductor.said));
        rows.push(("lost".to_owned(), verdict.lost.len() as u64));
        rows.push(("doubled".to_owned(), verdict.doubled.len() as u64));
        rows.push(("disordered".to_owned(), verdict.disordered.len() as u64));
        rows.push(("stray".to_owned(), verdict.stray.len() as u64));
        let mut wanting = Vec::new();
        if minutes >= LONG_RUN {
            let rare = conductor.boundaries.iter().filter(|(_, times)| **times < KILLS_AT_EACH);
            wanting.extend(rare.map(|(boundary, times)| format!("killed at {} only {times} times", boundary.name())));
            let unmet = conductor.tally.iter().filter(|(_, times)| **times == 0);
            wanting.extend(unmet.map(|(fault, _)| format!("never met: {fault}")));
            if acknowledged * 100 < published * PERCENT_ACKNOWLEDGED {
                wanting.push(format!("JetStream acknowledged only {acknowledged} of {published}"));
            }
        }
        Report { verdict, rows, json, wanting }
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_well(&self) -> bool {
        self.verdict.is_well() && self.wanting.is_empty()
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
        for what in &self.wanting {
            line(&format!("too little was broken: {what}"));
        }
        line(&self.json.to_string());
        text
    }
}

fn counted<Name: AsRef<str>>(counts: &BTreeMap<Name, u64>) -> Vec<(&str, u64)> {
    counts.iter().map(|(what, times)| (what.as_ref(), *times)).collect()
}

/// A line of the log, as far as the table has room for it.
fn cut(message: &str) -> String {
    message.chars().take(WIDTH - 3).collect()
}
