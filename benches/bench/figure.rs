//! Figures beside what they are measured against: a table for people, which is also Markdown, and JSON for programs.
//!
//! Both sides are measured in turn, several times, on one machine in one run; what counts is the ratio of each pair,
//! because a machine's speed drifts.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// How often each pair is measured.
pub(crate) const ROUNDS: usize = 5;

/// What was measured, in pairs of floor and figure.
pub(crate) struct Figure {
    what: String,
    unit: &'static str,
    reach: Reach,
    pairs: Vec<(f64, f64)>,
}

/// What is to be reached.
#[derive(Clone, Copy)]
pub(crate) enum Reach {
    /// Nothing: it is there to be known.
    Nothing,
    /// So much of the floor, or more.
    AtLeast(f64),
    /// So many times the floor, or less.
    AtMost(f64),
    /// The figure itself, in its unit, or less.
    Within(f64),
}

impl Figure {
    /// A figure without measurements so far.
    pub(crate) fn new(what: impl Into<String>, unit: &'static str, reach: Reach) -> Self {
        Self { what: what.into(), unit, reach, pairs: Vec::new() }
    }

    /// Adds what was measured of the floor, and right before or after it of what stands beside it.
    pub(crate) fn add(&mut self, floor: f64, measured: f64) {
        self.pairs.push((floor, measured));
    }

    fn floor(&self) -> Spread {
        Spread::of(self.pairs.iter().map(|(floor, _)| *floor))
    }

    fn measured(&self) -> Spread {
        Spread::of(self.pairs.iter().map(|(_, measured)| *measured))
    }

    fn ratio(&self) -> Spread {
        Spread::of(self.pairs.iter().map(|(floor, measured)| measured / floor))
    }

    /// Whether the median reaches what is to be reached, if anything is.
    fn is_reached(&self) -> Option<bool> {
        match self.reach {
            Reach::Nothing => None,
            Reach::AtLeast(ratio) => Some(self.ratio().median >= ratio),
            Reach::AtMost(ratio) => Some(self.ratio().median <= ratio),
            Reach::Within(value) => Some(self.measured().median <= value),
        }
    }

    fn reach_in_words(&self) -> String {
        let wanted = match self.reach {
            Reach::Nothing => return String::new(),
            Reach::AtLeast(ratio) => format!("≥ {ratio:.2}"),
            Reach::AtMost(ratio) => format!("≤ {ratio:.2}"),
            Reach::Within(value) => format!("≤ {value} {}", self.unit),
        };
        let verdict = if self.is_reached() == Some(true) { "reached" } else { "MISSED" };
        format!("{wanted}: {verdict}")
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        json!({
            "what": self.what, "unit": self.unit, "pairs": self.pairs, "reach": self.reach_in_words(),
            "is_reached": self.is_reached(), "floor": self.floor().json(), "measured": self.measured().json(),
            "ratio": self.ratio().json(),
        })
    }

    fn cells(&self) -> [String; 5] {
        let (floor, measured, ratio) = (self.floor(), self.measured(), self.ratio());
        [
            self.what.clone(),
            with_unit(floor.median, self.unit),
            with_unit(measured.median, self.unit),
            format!("{:.2} ({:.2} to {:.2})", ratio.median, ratio.min, ratio.max),
            self.reach_in_words(),
        ]
    }
}

/// A table of figures.
pub(crate) fn table(figures: &[Figure]) -> String {
    if figures.is_empty() {
        return String::new();
    }
    let head = ["what", "floor", "measured", "ratio (min to max)", "to reach"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head).chain(figures.iter().map(Figure::cells)).collect();
    markdown(&rows)
}

/// Rows as a table in Markdown, the first of them its head, with columns that are straight for people, too.
pub(crate) fn markdown<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let mut widths = [3; COLUMNS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut table = String::new();
    for (number, row) in rows.iter().enumerate() {
        let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        writeln!(table, "| {} |", cells.join(" | ")).expect("a string takes all text");
        if number == 0 {
            writeln!(table, "| {} |", widths.map(|width| "-".repeat(width)).join(" | "))
                .expect("a string takes all text");
        }
    }
    table
}

/// With three digits that count.
fn with_unit(value: f64, unit: &str) -> String {
    let decimals = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    format!("{value:.decimals$} {unit}")
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

    fn json(&self) -> Value {
        json!({ "min": self.min, "median": self.median, "max": self.max })
    }
}
