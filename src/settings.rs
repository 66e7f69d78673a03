//! What the operator can set: typed, checked, with all mistakes told at once.
//!
//! `config/guildwire.toml` is the manual and, compiled in, the defaults; a file and the environment go on top of it.
//! Only this module reads the environment. It opens nothing but the settings file and the token's: whether a database or
//! a key can be used is found out by those who use it.

mod given;
mod operator;
mod sections;
mod setup;
mod status;
mod values;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret;

use crate::domain::setup::Setup;
use crate::domain::style::Holds;
use crate::domain::tier::Tier;

use given::{Given, Origin};
pub use operator::Operator;
pub use sections::{
    Accounts, Database, Delivery, Discord, Http, Limits, Log, Nats, Notices, Pings, Retention, Secrets, Shutdown,
    TokenMissing,
};
pub use status::Status;
pub use values::{nats_url, stream_name};

/// Everything that can be set. [`Settings::load`] gets it; the sections are handed to those who need them.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How Discord is reached.
    pub discord: Discord,
    /// Where what has to last is kept.
    pub database: Database,
    /// Where game-server accounts are found.
    pub nats: Nats,
    /// Which accounts people may connect in Discord.
    pub accounts: Accounts,
    /// Where health and metrics are served.
    pub http: Http,
    /// What is logged.
    pub log: Log,
    /// How the database's secrets are kept.
    pub secrets: Secrets,
    /// How stopping goes.
    pub shutdown: Shutdown,
    /// How messages are sent.
    pub delivery: Delivery,
    /// When guilds are told of an account that can't be read.
    pub notices: Notices,
    /// How it is found out how servers stand.
    pub status: Status,
    /// How members are pinged.
    pub pings: Pings,
    /// How long what is done with is kept.
    pub retention: Retention,
    /// How much one guild and one person may ask for.
    pub limits: Limits,
    /// The accounts, links and bindings that are to be there.
    pub setup: Setup,
    /// The operator's own nats-server.
    pub operator: Operator,
    /// What its accounts may use, by the tiers' names.
    pub tiers: BTreeMap<String, Tier>,
    /// Where each key's value came from.
    origins: BTreeMap<String, Origin>,
}

/// Every mistake that was found in the settings, one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError {
    /// The mistakes, each with its key and where it was made. None of them repeats a secret.
    pub mistakes: Vec<String>,
}

impl Settings {
    /// The settings in force: the defaults, then `file` or else the file that `GUILDWIRE_CONFIG` names, then the
    /// process's environment.
    pub fn load(file: Option<&Path>) -> Result<Self, SettingsError> {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
        let variables = std::env::vars_os();
        Self::load_with(file, variables)
    }

    /// [`Settings::load`] with these environment variables instead of the process's.
    pub fn load_with(
        file: Option<&Path>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, SettingsError> {
        let mut given = Given::new(file, variables);
        let token_file = given.read("discord.token_file", values::optional_path);
        if let Some(file) = &token_file {
            given.add_contents("discord.token", file);
        }
        let settings = Self {
            discord: Discord {
                token: given.read("discord.token", values::token),
                token_file,
                api_url: given.read("discord.api_url", values::api_url),
                messages_per_second: given.read("discord.messages_per_second", |value| values::number(value, 1..=50)),
            },
            database: Database { url: given.read("database.url", values::database_url) },
            nats: Nats { url: given.read("nats.url", |value| nats_url(values::text(value)?)) },
            accounts: Accounts {
                self_service: given.read("accounts.self_service", values::truth),
                hosts: given.read("accounts.hosts", values::hosts),
            },
            http: Http {
                listen: given.read("http.listen", values::listen),
                metrics_per_account: given.read("http.metrics_per_account", values::truth),
            },
            log: Log {
                level: given.read("log.level", values::log_level),
                format: given.read("log.format", values::log_format),
            },
            secrets: Secrets { key_file: given.read("secrets.key_file", values::path) },
            shutdown: Shutdown {
                deadline: given.read("shutdown.deadline_seconds", |value| values::seconds(value, 1..=600)),
            },
            delivery: Delivery {
                request_timeout: given
                    .read("delivery.request_timeout_seconds", |value| values::seconds(value, 1..=120)),
                holds: Holds {
                    grouped: given.read("delivery.grouped_hold_seconds", |value| values::seconds(value, 1..=3_600)),
                    quiet: given.read("delivery.quiet_hold_seconds", |value| values::seconds(value, 1..=86_400)),
                },
                late_after: given.read("delivery.late_after_seconds", |value| values::seconds(value, 1..=86_400)),
                keep: given.read("delivery.keep_seconds", |value| values::seconds(value, 1..=2_592_000)),
                keep_events: given.read("delivery.keep_events", |value| values::count(value, 10..=100_000)),
                probe_after: given.read("delivery.probe_after_seconds", |value| values::seconds(value, 1..=3_600)),
            },
            status: Status::read(&mut given),
            notices: Notices { after: given.read("notices.after_seconds", |value| values::seconds(value, 1..=86_400)) },
            pings: Pings {
                cooldown: given.read("pings.cooldown_seconds", |value| values::seconds(value, 1..=604_800)),
            },
            retention: Retention {
                settled: given.read("retention.settled_days", |value| values::days(value, 1..=365)),
                players: given.read("retention.players_days", |value| values::days(value, 1..=3650)),
                servers: given.read("retention.servers_days", |value| values::days(value, 1..=3650)),
                audit: given.read("retention.audit_days", |value| values::days(value, 1..=3650)),
                departed: given.read("retention.departed_days", |value| values::days(value, 1..=3650)),
            },
            limits: Limits {
                bindings_per_guild: given.read("limits.bindings_per_guild", |value| values::count(value, 1..=1_000)),
                accounts_per_guild: given.read("limits.accounts_per_guild", |value| values::count(value, 1..=1_000)),
                accounts_per_owner: given.read("limits.accounts_per_owner", |value| values::count(value, 1..=1_000)),
                commands_per_minute: given
                    .read("limits.commands_per_minute", |value| values::number(value, 1..=10_000)),
                unverified_per_person: given
                    .read("limits.unverified_per_person", |value| values::count(value, 1..=100)),
                unverified_per_guild: given.read("limits.unverified_per_guild", |value| values::count(value, 1..=100)),
            },
            setup: Setup::default(),
            operator: Operator::read(&mut given),
            tiers: operator::read_tiers(&mut given),
            origins: BTreeMap::new(),
        };
        let setup = setup::read(&mut given, &settings.nats.url);
        let origins = given.finish()?;
        Ok(Self { setup, origins, ..settings })
    }

    /// The settings in force as TOML, each that is not the default with where it came from, and without secrets.
    #[must_use]
    pub fn render_redacted(&self) -> String {
        let mut text = String::new();
        let mut current_section = String::new();
        for (key, value) in self.shown() {
            let (section, name) = key.rsplit_once('.').expect("every key is in a section");
            if section != current_section {
                let gap = if current_section.is_empty() { "" } else { "\n" };
                let _ = writeln!(text, "{gap}[{section}]");
                section.clone_into(&mut current_section);
            }
            let _ = match self.origins.get(&key) {
                None | Some(Origin::Defaults) => writeln!(text, "{name} = {value}"),
                Some(origin) => writeln!(text, "{name} = {value} # from {origin}"),
            };
        }
        text
    }

    /// Where settings came from beside the defaults, for people.
    #[must_use]
    pub fn sources(&self) -> String {
        let changed: Vec<_> = self.origins.values().filter(|origin| !matches!(origin, Origin::Defaults)).collect();
        let mut sources: Vec<_> = changed.iter().map(ToString::to_string).collect();
        sources.sort();
        sources.dedup();
        if sources.is_empty() { "the defaults".to_owned() } else { format!("from {}", sources.join(", ")) }
    }

    /// The keys whose values are other than in `others`.
    #[must_use]
    pub fn differing(&self, others: &Self) -> Vec<String> {
        let same_token = self.discord.token.as_ref().map(ExposeSecret::expose_secret)
            == others.discord.token.as_ref().map(ExposeSecret::expose_secret);
        let same_database = self.database.url.expose_secret() == others.database.url.expose_secret();
        let (ours, theirs) = (self.shown(), others.shown());
        let only_theirs = theirs.iter().filter(|(key, _)| !ours.iter().any(|(our_key, _)| our_key == key));
        let differs = |key: &str, value: &str| match key {
            // What is shown of these leaves their secrets out.
            "discord.token" => !same_token,
            "database.url" => !same_database,
            "setup.accounts" => self.setup.accounts != others.setup.accounts,
            _ => theirs.iter().all(|(their_key, theirs)| key != their_key || value != theirs),
        };
        let differing = ours.iter().filter(|(key, value)| differs(key, value));
        differing.chain(only_theirs).map(|(key, _)| key.clone()).collect()
    }

    /// Each key with its value as it may be shown, in the manual's order.
    fn shown(&self) -> Vec<(String, String)> {
        let token = if self.discord.token.is_some() { "<set>" } else { "<not set>" };
        let mut fixed = vec![
            ("discord.token", quoted(token)),
            ("discord.token_file", quoted(&shown_path(self.discord.token_file.as_deref()))),
            ("discord.api_url", quoted(&self.discord.api_url)),
            ("discord.messages_per_second", self.discord.messages_per_second.to_string()),
            ("database.url", quoted(&self.database.redacted_url())),
            ("nats.url", quoted(&self.nats.url)),
            ("accounts.self_service", self.accounts.self_service.to_string()),
            ("accounts.hosts", list(&self.accounts.hosts.entries())),
            ("http.listen", quoted(&self.http.listen.to_string())),
            ("http.metrics_per_account", self.http.metrics_per_account.to_string()),
            ("log.level", quoted(&self.log.level)),
            ("log.format", quoted(self.log.format.name())),
            ("secrets.key_file", quoted(&self.secrets.key_file.to_string_lossy())),
            ("shutdown.deadline_seconds", self.shutdown.deadline.as_secs().to_string()),
            ("delivery.request_timeout_seconds", self.delivery.request_timeout.as_secs().to_string()),
            ("delivery.grouped_hold_seconds", self.delivery.holds.grouped.as_secs().to_string()),
            ("delivery.quiet_hold_seconds", self.delivery.holds.quiet.as_secs().to_string()),
            ("delivery.late_after_seconds", self.delivery.late_after.as_secs().to_string()),
            ("delivery.keep_seconds", self.delivery.keep.as_secs().to_string()),
            ("delivery.keep_events", self.delivery.keep_events.to_string()),
            ("delivery.probe_after_seconds", self.delivery.probe_after.as_secs().to_string()),
            ("notices.after_seconds", self.notices.after.as_secs().to_string()),
        ];
        fixed.extend(self.status.shown());
        fixed.extend([
            ("pings.cooldown_seconds", self.pings.cooldown.as_secs().to_string()),
            ("retention.settled_days", days(self.retention.settled)),
            ("retention.players_days", days(self.retention.players)),
            ("retention.servers_days", days(self.retention.servers)),
            ("retention.audit_days", days(self.retention.audit)),
            ("retention.departed_days", days(self.retention.departed)),
            ("limits.bindings_per_guild", self.limits.bindings_per_guild.to_string()),
            ("limits.accounts_per_guild", self.limits.accounts_per_guild.to_string()),
            ("limits.accounts_per_owner", self.limits.accounts_per_owner.to_string()),
            ("limits.commands_per_minute", self.limits.commands_per_minute.to_string()),
            ("limits.unverified_per_person", self.limits.unverified_per_person.to_string()),
            ("limits.unverified_per_guild", self.limits.unverified_per_guild.to_string()),
        ]);
        fixed.extend(setup::shown(&self.setup));
        fixed.extend(self.operator.shown());
        let fixed = fixed.into_iter().map(|(key, value)| (key.to_owned(), value));
        fixed.chain(operator::shown_tiers(&self.tiers)).collect()
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mistakes.as_slice() {
            [mistake] => write!(formatter, "the settings have a mistake: {mistake}"),
            mistakes => {
                write!(formatter, "the settings have {} mistakes:", mistakes.len())?;
                mistakes.iter().try_for_each(|mistake| write!(formatter, "\n  {mistake}"))
            }
        }
    }
}

impl std::error::Error for SettingsError {}

/// A duration as a number of days.
fn days(duration: Duration) -> String {
    (duration.as_secs() / values::SECONDS_A_DAY).to_string()
}

/// A path that may not be set, as the manual writes that.
fn shown_path(path: Option<&Path>) -> String {
    path.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A text as TOML writes it, which for the escapes that JSON uses is the same.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A list of texts as TOML writes it.
fn list(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests;
