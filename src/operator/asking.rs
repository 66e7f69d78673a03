//! Asks whether what can't be undone is meant.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

/// Asks the question, where somebody is there to be asked; else it fails and tells the consequence.
pub(super) fn confirmed(question: &str, consequence: &str) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        anyhow::bail!("{consequence}, and nobody is here to be asked: give --yes if that is meant");
    }
    let mut terminal = io::stderr();
    write!(terminal, "{question} [y/N] ")?;
    terminal.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    let answer = answer.trim();
    Ok(answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes"))
}
