//! What was given for each key, by the defaults, a file and the environment, and the mistakes found on the way.
//!
//! Every given value is checked, also one that another covers: otherwise a mistake in the file would come to light
//! on the day its override goes away. What a value has to look like is for `values` to say.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use config::{File, FileFormat, Map, Source, Value, ValueKind};

use super::SettingsError;

/// The manual, which is the defaults as well.
pub(super) const DEFAULTS: &str = include_str!("../../config/guildwire.toml");

/// The variable that names the settings file.
const FILE_VARIABLE: &str = "GUILDWIRE_CONFIG";

/// The variables that other Discord bots read as well, and the keys that they stand for.
const COMMON_VARIABLES: [(&str, &str); 2] =
    [("DISCORD_TOKEN", "discord.token"), ("DISCORD_TOKEN_FILE", "discord.token_file")];

/// How the variables for all keys begin.
const PREFIX: &str = "GUILDWIRE__";

/// The section whose parts have names of the operator's choice, and the part that the defaults have.
const TIERS: &str = "tiers.";
const DEFAULT_TIER: &str = "tiers.free.";

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    Defaults,
    File(PathBuf),
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defaults => formatter.write_str("the defaults"),
            Self::File(path) => path.display().fmt(formatter),
            Self::Variable(name) => formatter.write_str(name),
        }
    }
}

/// Each known key's values, the weakest first, and what is wrong so far.
pub(super) struct Given {
    values: BTreeMap<String, Vec<(ValueKind, Origin)>>,
    origins: BTreeMap<String, Origin>,
    mistakes: Vec<String>,
}

impl Given {
    /// Gathers what the defaults, the file and the variables give.
    pub(super) fn new(file: Option<&Path>, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let defaults = parse(DEFAULTS).expect("a test parses the defaults");
        let values = defaults.into_iter().map(|(key, value)| (key, vec![(value, Origin::Defaults)])).collect();
        let mut given = Self { values, origins: BTreeMap::new(), mistakes: Vec::new() };
        let mut variables = given.select_variables(variables);
        let named = variables.remove(FILE_VARIABLE).map(PathBuf::from);
        if let Some(path) = file.map(Path::to_owned).or(named) {
            given.add_file(&path);
        }
        given.add_variables(variables);
        given
    }

    /// The value in force for `key`, once all that were given for it are checked by `check`, which says what it must
    /// be and is not. Where there is a mistake, some other value stands in: [`Given::finish`] will fail then.
    pub(super) fn read<T>(&mut self, key: &'static str, check: impl Fn(&ValueKind) -> Result<T, String>) -> T {
        self.find(key, check).expect("the defaults have every key, and a test checks their values")
    }

    /// [`Given::read`] for a key that the defaults need not have.
    pub(super) fn find<T>(&mut self, key: &str, check: impl Fn(&ValueKind) -> Result<T, String>) -> Option<T> {
        let mut in_force = None;
        for (value, origin) in self.values.get(key).into_iter().flatten() {
            match check(value) {
                Ok(checked) => {
                    in_force = Some(checked);
                    self.origins.insert(key.to_owned(), origin.clone());
                }
                Err(wrong) => self.mistakes.push(format!("{key}: {wrong} (from {origin})")),
            }
        }
        in_force
    }

    /// Whether somebody gave the value in force for `key`, once that was read.
    pub(super) fn is_given(&self, key: &str) -> bool {
        self.origins.get(key).is_some_and(|origin| *origin != Origin::Defaults)
    }

    /// Notes what is wrong at `path`, inside of the value in force for `key`.
    pub(super) fn refuse(&mut self, key: &str, path: &str, wrong: &str) {
        let from = self.origins.get(key).map_or_else(String::new, |origin| format!(" (from {origin})"));
        self.mistakes.push(format!("{path}: {wrong}{from}"));
    }

    /// Adds what a file holds as a value of `key`, which wins over all that were given so far. An empty file is a
    /// mistake: whoever names one means what is in it.
    pub(super) fn add_contents(&mut self, key: &'static str, path: &Path) {
        let origin = Origin::File(path.to_owned());
        match std::fs::read_to_string(path) {
            Ok(text) if text.trim().is_empty() => self.mistakes.push(format!("{key}: nothing is in {origin}")),
            Ok(text) => self.add(key, ValueKind::String(text), origin),
            Err(error) => self.mistakes.push(format!("{key}: can't read {origin}: {error}")),
        }
    }

    /// The names of the tiers that anything was given for.
    pub(super) fn tiers(&self) -> BTreeSet<String> {
        self.values.keys().filter_map(|key| Some(tier_and_key(key)?.0.to_owned())).collect()
    }

    /// Where the values in force came from, or else every mistake.
    pub(super) fn finish(self) -> Result<BTreeMap<String, Origin>, SettingsError> {
        if self.mistakes.is_empty() { Ok(self.origins) } else { Err(SettingsError { mistakes: self.mistakes }) }
    }

    /// The variables that mean guildwire, by name. Those set but empty are left out: compose files pass such ones
    /// for what their own environment has not.
    fn select_variables(&mut self, all: impl IntoIterator<Item = (OsString, OsString)>) -> BTreeMap<String, String> {
        let mut selected = BTreeMap::new();
        for (name, value) in all {
            let Ok(name) = name.into_string() else { continue };
            let is_common = COMMON_VARIABLES.iter().any(|(common, _)| *common == name);
            let meant = is_common || name == FILE_VARIABLE || name.starts_with(PREFIX);
            if !meant {
                self.refuse_single_underscores(&name);
                continue;
            }
            match value.into_string() {
                Ok(value) if value.is_empty() => {}
                Ok(value) => drop(selected.insert(name, value)),
                Err(_) => self.mistakes.push(format!("{name}: must be text in UTF-8")),
            }
        }
        selected
    }

    /// Refuses `GUILDWIRE_HTTP_LISTEN`, which would be without effect. Only exact keys: Kubernetes gives every
    /// container variables such as `GUILDWIRE_PORT` when a service has that name.
    fn refuse_single_underscores(&mut self, name: &str) {
        let as_variable = |key: &str| key.to_uppercase().replace('.', "_");
        if let Some(rest) = name.strip_prefix("GUILDWIRE_")
            && let Some(key) = self.values.keys().find(|key| as_variable(key) == rest)
        {
            let right = format!("{PREFIX}{}", key.to_uppercase().replace('.', "__"));
            self.mistakes.push(format!("{name}: has no effect; it must be {right}, with two underscores"));
        }
    }

    fn add_file(&mut self, path: &Path) {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                self.mistakes.push(format!("can't read the settings file {}: {error}", path.display()));
                return;
            }
        };
        match parse(&text) {
            // Whoever writes it right now has emptied it first, and what it says is not to be undone for that.
            Ok(leaves) if leaves.is_empty() => self
                .mistakes
                .push(format!("the settings file {} is empty: put something into it, or name none", path.display())),
            Ok(leaves) => {
                for (key, value) in leaves {
                    self.add(&key, value, Origin::File(path.to_owned()));
                }
            }
            Err(wrong) => self.mistakes.push(format!("{}: {wrong}", path.display())),
        }
    }

    /// Adds what the environment gives: first what has a common name, which guildwire's own name covers.
    fn add_variables(&mut self, mut variables: BTreeMap<String, String>) {
        for (name, key) in COMMON_VARIABLES {
            if let Some(text) = variables.remove(name) {
                self.add(key, ValueKind::String(text), Origin::Variable(name.to_owned()));
            }
        }
        for (name, text) in variables {
            let key = name.strip_prefix(PREFIX).unwrap_or(&name).to_lowercase().replace("__", ".");
            let value = self.variable_value(&key, text);
            self.add(&key, value, Origin::Variable(name));
        }
    }

    /// A variable's text as the kind of value that its key takes: a number where the default is one.
    fn variable_value(&self, key: &str, text: String) -> ValueKind {
        let model = model_of(key);
        let takes_number =
            matches!(self.values.get(&model).and_then(|values| values.first()), Some((ValueKind::I64(_), _)));
        match text.trim().parse() {
            Ok(number) if takes_number => ValueKind::I64(number),
            _ => ValueKind::String(text),
        }
    }

    fn add(&mut self, key: &str, value: ValueKind, origin: Origin) {
        if let Some(values) = self.values.get_mut(key) {
            values.push((value, origin));
            return;
        }
        let is_section = self.values.keys().any(|known| known.starts_with(&format!("{key}.")));
        if tier_and_key(key).is_some() && self.values.contains_key(&model_of(key)) {
            self.values.insert(key.to_owned(), vec![(value, origin)]);
            return;
        }
        let wrong = match &value {
            ValueKind::Table(_) if is_section => return,
            ValueKind::Table(_) if tier_and_key(&format!("{key}.")).is_some() => {
                "is a tier like the default one: give at least one of its limits".to_owned()
            }
            _ if is_section => format!("is a section, with keys such as {}", self.first_key_of(key)),
            _ => match self.nearest_to(key) {
                Some(near) => format!("there is no such key; did you mean {near}?"),
                None => "there is no such key".to_owned(),
            },
        };
        self.mistakes.push(format!("{key}: {wrong} (from {origin})"));
    }

    fn first_key_of(&self, section: &str) -> &str {
        let first = self.values.keys().find(|known| known.starts_with(&format!("{section}.")));
        first.map_or("", String::as_str)
    }

    /// [`Given::nearest`], of the same tier where the key is one's.
    fn nearest_to(&self, key: &str) -> Option<String> {
        let near = self.nearest(&model_of(key))?;
        Some(match (tier_and_key(key), near.strip_prefix(DEFAULT_TIER)) {
            (Some((tier, _)), Some(limit)) => format!("{TIERS}{tier}.{limit}"),
            _ => near.to_owned(),
        })
    }

    /// The known key that is most likely meant: the same name elsewhere, or one that is a few typing errors away.
    fn nearest(&self, key: &str) -> Option<&str> {
        let name = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
        let tolerated = (key.len() / 3).min(3);
        let distance = |known: &str| if name(known) == name(key) { 1 } else { strsim::damerau_levenshtein(known, key) };
        let nearest = self.values.keys().min_by_key(|known| distance(known))?;
        (distance(nearest) <= tolerated).then_some(nearest)
    }
}

/// The tier and the limit that a key is about.
fn tier_and_key(key: &str) -> Option<(&str, &str)> {
    let (tier, key) = key.strip_prefix(TIERS)?.split_once('.')?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (!tier.is_empty() && tier.bytes().all(allowed)).then_some((tier, key))
}

/// The key of the defaults that says what such a key takes: itself, but for those of further tiers.
fn model_of(key: &str) -> String {
    tier_and_key(key).map_or_else(|| key.to_owned(), |(_, key)| format!("{DEFAULT_TIER}{key}"))
}

/// The keys that a document has.
#[cfg(test)]
pub(super) fn keys_of(document: &str) -> std::collections::BTreeSet<String> {
    parse(document).expect("it is TOML").into_keys().collect()
}

/// The leaves of a TOML document by their paths, joined by dots.
fn parse(text: &str) -> Result<BTreeMap<String, ValueKind>, String> {
    let table = File::from_str(text, FileFormat::Toml).collect().map_err(|error| without_source(&error.to_string()))?;
    let mut leaves = BTreeMap::new();
    flatten("", table, &mut leaves);
    Ok(leaves)
}

/// Adds a table's leaves. An empty table counts as a leaf, so that an unknown section is noticed even then.
fn flatten(section: &str, table: Map<String, Value>, leaves: &mut BTreeMap<String, ValueKind>) {
    for (name, value) in table {
        let path = if section.is_empty() { name } else { format!("{section}.{name}") };
        match value.kind {
            ValueKind::Table(table) if !table.is_empty() => flatten(&path, table, leaves),
            leaf => drop(leaves.insert(path, leaf)),
        }
    }
}

/// A parser's error without the lines it quotes, for they may hold the token.
fn without_source(error: &str) -> String {
    let is_quote = |line: &str| line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ').starts_with('|');
    let lines: Vec<&str> = error.lines().filter(|line| !is_quote(line) && !line.trim().is_empty()).collect();
    lines.join(": ")
}
