//! What the demo prints, and how it looks: coloured where a terminal shows colours.

use std::io::{IsTerminal as _, Write as _, stdout};

use anyhow::{Context as _, Result};
use discord_sim::{Embed, Message};
use guildwire::clock;

use crate::markdown::{Reader, Style, wrap};

/// How wide a line of text becomes at most.
const WIDTH: usize = 100;

const BOLD: &str = "1";
const DIM: &str = "2";
const UNDERLINED: &str = "4";
const RED: &str = "31";
const GREEN: &str = "32";
const CYAN: &str = "36";

/// The terminal, or whatever reads the demo's output.
#[derive(Debug)]
pub(crate) struct Screen {
    coloured: bool,
    /// Knows what channels and roles are called.
    pub(crate) reader: Reader,
}

impl Screen {
    /// Standard output.
    pub(crate) fn new() -> Screen {
        #[expect(clippy::disallowed_methods, reason = "the demo has no settings; NO_COLOR is a custom of terminals")]
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Screen { coloured: stdout().is_terminal() && !unwanted, reader: Reader::default() }
    }

    /// A headline.
    pub(crate) fn headline(&self, text: &str) -> Result<()> {
        line(&format!("\n{}", self.painted(text, BOLD)))
    }

    /// A sentence, or several.
    pub(crate) fn say(&self, text: &str) -> Result<()> {
        self.block("  ", text)
    }

    /// What the operator types into a shell, and what it prints.
    pub(crate) fn shell(&self, typed: &str, printed: &str) -> Result<()> {
        line(&format!("\n  {} {}", self.painted("$", GREEN), self.painted(typed, BOLD)))?;
        for text in printed.lines() {
            // Codes, tables and addresses are not broken: somebody may want to copy them.
            line(&format!("  {} {text}", self.painted("│", DIM)))?;
        }
        Ok(())
    }

    /// What a person types into Discord, and what the bot answers them.
    pub(crate) fn slash(&self, who: &str, typed: &str, answered: &str) -> Result<()> {
        line(&format!("\n  {} {}", self.painted(&format!("{who}:"), CYAN), self.painted(typed, BOLD)))?;
        self.block(&format!("  {} ", self.painted("│", DIM)), answered)
    }

    /// One published event, and what is peculiar about it.
    pub(crate) fn event(&self, about: &str, account: &str, subject: &str, payload: &str) -> Result<()> {
        line(&format!("\n  {} {about}", self.painted(&format!("{account}:"), CYAN)))?;
        let payload = if payload.is_empty() { "(an empty payload)" } else { payload };
        line(&self.painted(&format!("    {subject}\n    {payload}"), DIM))
    }

    /// A channel's name, and what it hears.
    pub(crate) fn channel(&self, guild: &str, name: &str, hears: &str) -> Result<()> {
        line(&format!(
            "\n  {} {}",
            self.painted(&format!("{guild} #{name}"), BOLD),
            self.painted(&format!("· hears {hears}"), DIM)
        ))
    }

    /// A message as it stands in a channel, below who wrote it or where.
    pub(crate) fn message(&self, above: &str, message: &Message) -> Result<()> {
        let now = clock::now().unix_seconds();
        let content = self.paint(&self.reader.read(&message.content, now));
        line(format!("\n  {} {content}", self.painted(above, CYAN)).trim_end())?;
        message.embeds.iter().try_for_each(|embed| self.embed(embed, now))
    }

    fn embed(&self, embed: &Embed, now: i64) -> Result<()> {
        let bar = self.painted("▌", &bar_colour(embed.color.unwrap_or_default()));
        let above = embed.title.iter().map(|title| format!("**{title}**"));
        let lines = above.chain(embed.description.iter().flat_map(|text| text.lines().map(ToOwned::to_owned)));
        for text in lines {
            for part in wrap(&self.reader.read(&text, now), WIDTH - 4) {
                line(&format!("  {bar} {}", self.paint(part)))?;
            }
        }
        match &embed.footer {
            Some(footer) => line(&format!("  {bar} {}", self.painted(footer, DIM))),
            None => Ok(()),
        }
    }

    /// One thing that was checked.
    pub(crate) fn check(&self, what: &str, problem: Option<&str>) -> Result<()> {
        match problem {
            None => line(&format!("  {} {what}", self.painted("✓", GREEN))),
            Some(problem) => line(&format!("  {} {what}\n    {problem}", self.painted("✗", RED))),
        }
    }

    /// The last line.
    pub(crate) fn conclusion(&self, text: &str, good: bool) -> Result<()> {
        line(&format!("\n{}", self.painted(text, if good { GREEN } else { RED })))
    }

    /// Markdown, each line of it wrapped behind `before`.
    fn block(&self, before: &str, markdown: &str) -> Result<()> {
        let now = clock::now().unix_seconds();
        for text in markdown.lines() {
            for part in wrap(&self.reader.read(text, now), WIDTH - 4) {
                line(&format!("{before}{}", self.paint(part)))?;
            }
        }
        Ok(())
    }

    fn paint(&self, text: &[(char, Style)]) -> String {
        let runs = text.chunk_by(|(_, one), (_, next)| one == next);
        let paint = |run: &[(char, Style)]| {
            let text: String = run.iter().map(|(character, _)| character).collect();
            match run.first().map(|(_, style)| style) {
                Some(Style::Bold) => self.painted(&text, BOLD),
                Some(Style::Link) => self.painted(&text, UNDERLINED),
                Some(Style::Code) => self.painted(&text, CYAN),
                Some(Style::Plain) | None => text,
            }
        };
        runs.map(paint).collect()
    }

    fn painted(&self, text: &str, code: &str) -> String {
        if self.coloured { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

fn line(text: &str) -> Result<()> {
    writeln!(stdout(), "{text}").context("printing")
}

/// The code of a colour that Discord writes as `0xRRGGBB`: the nearest of the 216 that every terminal has.
fn bar_colour(colour: u32) -> String {
    let [red, green, blue] = [colour >> 16, colour >> 8, colour].map(|part| ((part & 0xFF) * 5 + 127) / 255);
    format!("38;5;{}", 16 + 36 * red + 6 * green + blue)
}
