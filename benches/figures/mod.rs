//! Figures beside the floor they are measured against: a table for people, and JSON as the last line for programs.
//!
//! Both sides are measured in turn, several times, on one machine in one run; what counts is the ratio of each pair,
//! because a machine's speed drifts.

use serde_json::json;

/// What was measured, in pairs of floor and guildwire.
pub(crate) struct Figure {
    what: String,
    unit: &'static str,
    pairs: Vec<(f64, f64)>,
    /// What is to be reached, in words.
    reach: &'static str,
}

impl Figure {
    /// A figure without measurements so far.
    pub(crate) fn new(what: impl Into<String>, unit: &'static str, reach: &'static str) -> Self {
        Self { what: what.into(), unit, pairs: Vec::new(), reach }
    }

    /// Adds what was measured of the floor, and right before or after it of guildwire.
    pub(crate) fn add(&mut self, floor: f64, guildwire: f64) {
        self.pairs.push((floor, guildwire));
    }
}

/// Prints all of them.
#[expect(clippy::print_stdout, reason = "a table is what this is for")]
pub(crate) fn print(bench: &str, figures: &[Figure]) {
    println!(
        "\n{:<42} {:>12} {:>12} {:<8} {:>6}  {:<15} to reach",
        bench, "floor", "guildwire", "", "ratio", "(min to max)"
    );
    let mut rows = Vec::new();
    for Figure { what, unit, pairs, reach } in figures {
        let floor = Spread::of(pairs.iter().map(|(floor, _)| *floor));
        let own = Spread::of(pairs.iter().map(|(_, own)| *own));
        let ratio = Spread::of(pairs.iter().map(|(floor, own)| own / floor));
        println!(
            "{what:<42} {:>12.1} {:>12.1} {unit:<8} {:>6.2}  {:<15} {reach}",
            floor.median,
            own.median,
            ratio.median,
            format!("({:.2} to {:.2})", ratio.min, ratio.max),
        );
        rows.push(json!({
            "what": what, "unit": unit, "reach": reach, "pairs": pairs.len(),
            "floor": floor.json(), "guildwire": own.json(), "ratio": ratio.json(),
        }));
    }
    println!("\n{}", json!({ "bench": bench, "figures": rows }));
}

struct Spread {
    min: f64,
    median: f64,
    max: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        Self { min: at(0), median: at(values.len() / 2), max: at(values.len().saturating_sub(1)) }
    }

    fn json(&self) -> serde_json::Value {
        json!({ "min": self.min, "median": self.median, "max": self.max })
    }
}
