//! SIGHUP: the settings are read again, and those that can change while guildwire runs do.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;

use crate::discord::limiter::Limiter;
use crate::domain::setup::Setup;
use crate::lifecycle::Lifecycle;
use crate::settings::{Retention, Settings};
use crate::telemetry::Logging;

/// The keys that take effect at once; `config/guildwire.toml` says so of each.
const AT_ONCE: [&str; 11] = [
    "discord.messages_per_second",
    "log.level",
    // What runs asks for it only where accounts of the file name no url.
    "nats.url",
    "retention.settled_days",
    "retention.players_days",
    "retention.servers_days",
    "retention.audit_days",
    "retention.departed_days",
    "setup.accounts",
    "setup.links",
    "setup.bindings",
];

/// What settings are read again for.
pub(super) struct Reloading {
    /// The file that was named at the start, if one was.
    pub(super) file: Option<PathBuf>,
    /// What is in force.
    pub(super) settings: Settings,
    pub(super) logging: Logging,
    pub(super) limiter: Arc<Limiter>,
    pub(super) retention: watch::Sender<Retention>,
    pub(super) setup: watch::Sender<Setup>,
}

impl Reloading {
    /// Reads the settings again whenever that is asked for, until the service stops.
    pub(super) async fn run(mut self, lifecycle: Lifecycle) {
        let drain = lifecycle.drain();
        while drain.run_until_cancelled(lifecycle.reload_asked()).await.is_some() {
            self.reload();
        }
    }

    fn reload(&mut self) {
        let given = match Settings::load(self.file.as_deref()) {
            Ok(given) => given,
            Err(error) => {
                let mistakes = error.mistakes.join("; ");
                tracing::error!(mistakes, "the settings have mistakes; those in force stay");
                return;
            }
        };
        let changed = given.differing(&self.settings);
        // Of no effect on what runs: only commands read these.
        let of_commands = |key: &str| key.starts_with("operator.") || key.starts_with("tiers.");
        let (at_once, later): (Vec<&str>, Vec<&str>) =
            changed.iter().map(String::as_str).filter(|key| !of_commands(key)).partition(|key| AT_ONCE.contains(key));
        self.apply(given);
        tracing::info!(changed = at_once.join(", "), "the settings were read again");
        if !later.is_empty() {
            tracing::warn!(keys = later.join(", "), "settings were changed that need a restart");
        }
    }

    /// What can't be applied stays as it is in force, so that it is named again the next time.
    fn apply(&mut self, given: Settings) {
        if let Err(error) = self.logging.set_level(&given.log.level) {
            tracing::error!(%error, "the log's level could not be changed");
        }
        self.limiter.set_pace(given.discord.messages_per_second);
        self.retention.send_replace(given.retention.clone());
        // Also where it is as before: what stood in its way may be gone.
        self.setup.send_replace(given.setup.clone());
        self.settings.log.level = given.log.level;
        self.settings.discord.messages_per_second = given.discord.messages_per_second;
        self.settings.retention = given.retention;
        self.settings.setup = given.setup;
        self.settings.nats = given.nats;
    }
}
