//! What was checked, and how it ends.

use std::process::ExitCode;

use anyhow::Result;

use crate::screen::Screen;

/// Everything that was checked, with what was wrong.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    noted: Vec<(String, Option<String>)>,
    printed: usize,
    answers: usize,
    wrong_answers: Vec<String>,
}

impl Checks {
    /// Notes how a check went.
    pub(crate) fn note(&mut self, what: impl Into<String>, problem: Option<String>) {
        self.noted.push((what.into(), problem));
    }

    /// Counts an answer to a slash command, with what was wrong about it.
    pub(crate) fn answered(&mut self, problem: Option<String>) {
        self.answers += 1;
        self.wrong_answers.extend(problem);
    }

    /// Notes how all answers that were counted went.
    pub(crate) fn note_answers(&mut self) {
        let wrong = (!self.wrong_answers.is_empty()).then(|| self.wrong_answers.join("\n    "));
        self.note(format!("{} slash commands were answered as they should be", self.answers), wrong);
    }

    /// Prints what was checked since the last time.
    pub(crate) fn print(&mut self, screen: &Screen) -> Result<()> {
        let news = self.noted.iter().skip(std::mem::replace(&mut self.printed, self.noted.len()));
        news.into_iter().try_for_each(|(what, problem)| screen.check(what, problem.as_deref()))
    }

    /// Prints the last line.
    pub(crate) fn conclude(self, screen: &Screen) -> Result<ExitCode> {
        let failed: Vec<&str> =
            self.noted.iter().filter(|(_, problem)| problem.is_some()).map(|(what, _)| what.as_str()).collect();
        let all = self.noted.len();
        if failed.is_empty() {
            screen.conclusion(&format!("All {all} checks passed"), true)?;
            return Ok(ExitCode::SUCCESS);
        }
        screen.conclusion(&format!("{} of {all} checks failed: {}", failed.len(), failed.join("; ")), false)?;
        Ok(ExitCode::FAILURE)
    }
}
