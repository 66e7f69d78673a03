//! What a check found, a line each: what is in order, what is not, and what was not tried.

use std::fmt;

/// The findings of a check, in the order in which it was done.
#[derive(Debug, Default)]
pub struct Report {
    findings: Vec<Finding>,
    remarks: Vec<String>,
}

#[derive(Debug)]
struct Finding {
    mark: char,
    what: String,
    told: String,
}

const GOOD: char = '✓';
const BAD: char = '✗';
const NOT_TRIED: char = '–';

impl Report {
    /// `what` is in order.
    pub(super) fn good(&mut self, what: &str, told: impl Into<String>) {
        self.add(GOOD, what, told);
    }

    /// `what` is not in order.
    pub(super) fn bad(&mut self, what: &str, told: impl Into<String>) {
        self.add(BAD, what, told);
    }

    /// `what` was not tried, for the reason told.
    pub(super) fn not_tried(&mut self, what: &str, told: impl Into<String>) {
        self.add(NOT_TRIED, what, told);
    }

    /// What is worth knowing though nothing is wrong; told at the end.
    pub(super) fn remark(&mut self, told: impl Into<String>) {
        self.remarks.push(told.into());
    }

    fn add(&mut self, mark: char, what: &str, told: impl Into<String>) {
        self.findings.push(Finding { mark, what: what.to_owned(), told: told.into() });
    }

    /// How many findings are bad; nothing when none is.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        let bad = self.findings.iter().filter(|finding| finding.mark == BAD).count();
        (bad > 0).then(|| format!("{bad} of {} checks failed", self.findings.len()))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.findings.iter().try_for_each(|Finding { mark, what, told }| {
            // What goes on in further lines stands below what it belongs to.
            writeln!(formatter, "{mark} {what}: {}", told.replace('\n', "\n    "))
        })?;
        self.remarks.iter().try_for_each(|remark| writeln!(formatter, "! {remark}"))
    }
}
