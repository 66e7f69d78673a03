//! How a binding's events are told: at once, or some of them together.

use std::time::Duration;

/// How prominently a binding's events are told. The later variant is the more prominent one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Style {
    /// Together, after a long hold, without a sound.
    Quiet,
    /// Together, after a hold.
    Grouped,
    /// At once, each in an embed of its own while they are few.
    Each,
}

/// For how long events wait for others that are told with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Holds {
    /// Those of [`Style::Grouped`].
    pub grouped: Duration,
    /// Those of [`Style::Quiet`].
    pub quiet: Duration,
}

impl Style {
    /// All of them, in the order people are offered them.
    pub const ALL: &[Self] = &[Self::Each, Self::Grouped, Self::Quiet];

    /// The style's name in commands and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Each => "each",
            Self::Grouped => "grouped",
            Self::Quiet => "quiet",
        }
    }

    /// The style of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|style| style.name() == name)
    }
}

impl Holds {
    /// For how long an event of that style waits.
    #[must_use]
    pub const fn of(self, style: Style) -> Duration {
        match style {
            Style::Each => Duration::ZERO,
            Style::Grouped => self.grouped,
            Style::Quiet => self.quiet,
        }
    }
}
