//! What guildwire says about itself while it runs: log lines to standard error, as text or as JSON.
//!
//! Knows nothing of settings, which check their values by [`check_filter`] before anything is started with them.
//! Logs nothing itself, and nothing to standard output: that belongs to what a command was asked for.

pub mod metrics;
mod noise;

use std::io::IsTerminal;

use self::noise::Harmless;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A line of text, for people.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

impl Format {
    /// The format's name in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// A filter that says nothing sensible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a level (off, error, warn, info, debug, trace), or parts set apart as in {EXAMPLE:?}; {0}")]
pub struct BadFilter(String);

/// Why logging could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The filter is wrong.
    #[error("log filter: {0}")]
    Filter(#[from] BadFilter),
    /// There can be one in a process.
    #[error("logging was already started")]
    AlreadyStarted,
}

/// The running log.
#[derive(Debug, Clone)]
pub struct Logging(reload::Handle<EnvFilter, Registry>);

/// Why the log's level stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum LevelError {
    /// The filter is wrong.
    #[error("log filter: {0}")]
    Filter(#[from] BadFilter),
    /// Nothing logs any more.
    #[error("{0}")]
    Gone(#[from] reload::Error),
}

impl Logging {
    /// Logs as much from now on.
    pub fn set_level(&self, filter: &str) -> Result<(), LevelError> {
        Ok(self.0.reload(parse(filter)?)?)
    }
}

/// Starts logging for the whole process, from `info` or what else the filter says.
pub fn start(filter: &str, format: Format) -> Result<Logging, StartError> {
    let (filter, handle) = reload::Layer::new(parse(filter)?);
    let lines = fmt::layer().with_writer(std::io::stderr);
    // Colours stay off where nobody looks; where somebody does, the library's own default honours NO_COLOR.
    let plain = !std::io::stderr().is_terminal();
    let lines = match format {
        Format::Json => lines.json().flatten_event(true).boxed(),
        Format::Text if plain => lines.with_ansi(false).boxed(),
        Format::Text => lines.boxed(),
    };
    let started = tracing_subscriber::registry().with(filter).with(lines.with_filter(Harmless)).try_init();
    started.map(|()| Logging(handle)).map_err(|_| StartError::AlreadyStarted)
}

/// Whether `filter` can be started with.
pub fn check_filter(filter: &str) -> Result<(), BadFilter> {
    parse(filter).map(|_| ())
}

/// What a filter looks like, for errors.
const EXAMPLE: &str = "guildwire=debug,info";

/// Libraries that tell at `info` what only their authors want to know.
const NOISY: &[&str] = &[
    "async_nats",
    "h2",
    "hyper",
    "hyper_util",
    "reqwest",
    "rustls",
    "serenity",
    "sqlx",
    "tokio_tungstenite",
    "tower",
    "tungstenite",
];

fn parse(filter: &str) -> Result<EnvFilter, BadFilter> {
    let directives: Vec<&str> = filter.split(',').map(str::trim).collect();
    let mut overall = None;
    for directive in &directives {
        // The library takes any single word that is no level for a module's name, and then logs that module alone:
        // `inof` would silence everything. So a word alone has to be a level here; to the library, nothing and
        // numbers are levels as well.
        if !directive.contains(['=', '[']) {
            let is_word = directive.starts_with(|first: char| first.is_ascii_alphabetic());
            match directive.parse::<LevelFilter>() {
                Ok(level) if is_word => overall = Some(level),
                _ => return Err(BadFilter(format!("{directive:?} is none of them"))),
            }
        }
    }
    // Only a level for everything lets libraries speak up, and what comes later wins: naming one still works.
    let tamed = NOISY.iter().map(|library| format!("{library}=warn"));
    let loud = overall.is_some_and(|level| level > LevelFilter::WARN);
    let all = tamed.filter(|_| loud).chain(directives.iter().map(|&directive| directive.to_owned()));
    EnvFilter::builder()
        .parse(all.collect::<Vec<_>>().join(","))
        .map_err(|error| BadFilter(format!("{filter:?} is not understood: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_tamed_unless_they_are_named() {
        let filter = parse("info").unwrap().to_string();
        assert!(filter.contains("serenity=warn"), "{filter}");
        assert!(filter.split(',').any(|directive| directive == "info"), "{filter}");

        let filter = parse("serenity=debug,info").unwrap().to_string();
        assert!(filter.contains("serenity=debug"), "{filter}");
        assert!(!filter.contains("serenity=warn"), "{filter}");
    }

    #[test]
    fn taming_never_makes_anything_louder() {
        for quiet in ["off", "error", "warn", "guildwire=debug"] {
            assert_eq!(parse(quiet).unwrap().to_string(), quiet);
        }
    }

    #[test]
    fn a_misspelt_level_is_refused_rather_than_taken_for_a_module() {
        for bad in ["inof", "", "info,", "3", "guildwire=dbug", "guildwire=debug,inof"] {
            assert!(check_filter(bad).is_err(), "{bad:?}");
        }
        assert_eq!(
            check_filter("inof").unwrap_err().to_string(),
            "must be a level (off, error, warn, info, debug, trace), or parts set apart as in \
             \"guildwire=debug,info\"; \"inof\" is none of them"
        );
    }

    #[test]
    fn spans_can_be_named() {
        check_filter("guildwire[send{channel=1}]=trace").unwrap();
    }
}
