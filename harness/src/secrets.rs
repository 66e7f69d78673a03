//! The secrets that a test hands to its bot, and the look for them in all that the bot says: none may ever be there.
//!
//! An nkey's seed is known by its form, so one that the bot made itself is found, too. Most of the others are collected by
//! themselves, from settings and from the commands that take or print them. What comes another way, such as a file that
//! the settings name, is added by [`Bot::keep_secret`](crate::Bot::keep_secret).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use nkeys::KeyPair;

/// What is shorter could stand in a log by chance.
const SHORTEST: usize = 10;

/// A name that is all there is to prove, such as the blog post's, is at least so long; others are words.
const SHORTEST_NAME: usize = 20;

/// The settings that are secrets, as variables.
const TOKENS: [&str; 2] = ["DISCORD_TOKEN", "GUILDWIRE__DISCORD__TOKEN"];

/// All secrets of an installation, shared by whoever runs it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets(Arc<Mutex<BTreeSet<String>>>);

impl Secrets {
    /// Keeps a secret, or each line of a text with several, such as a `.creds` file.
    pub(crate) fn keep(&self, secret: &str) {
        let is_secret = |line: &&str| line.len() >= SHORTEST && !line.starts_with(['#', '-']);
        let lines = secret.lines().map(str::trim).filter(is_secret).map(str::to_owned);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(lines);
    }

    /// Keeps what a variable holds, where that is a secret.
    pub(crate) fn keep_variable(&self, name: &str, value: &str) {
        if TOKENS.contains(&name) {
            self.keep(value);
        }
        if let Some((_, password)) =
            value.split_once("://").and_then(|(_, rest)| rest.split_once('@')?.0.split_once(':'))
        {
            self.keep(password);
        }
    }

    /// Keeps what a command is given; `input` is what it may read instead of a file.
    pub(crate) fn keep_arguments(&self, home: &Path, arguments: &[&str], input: &str) {
        let has_password = arguments.contains(&"--password-file");
        for pair in arguments.windows(2) {
            match *pair {
                ["--creds" | "--nkey-seed" | "--password-file", "-"] => self.keep(input),
                ["--creds" | "--nkey-seed" | "--password-file", file] => self.keep_file(&home.join(file)),
                ["--user", name] if !has_password && name.len() >= SHORTEST_NAME => self.keep(name),
                _ => {}
            }
        }
    }

    /// Keeps what a command was to print, or to leave in a file: from now on it is a secret.
    pub(crate) fn keep_made(&self, home: &Path, arguments: &[&str], stdout: &str) {
        match arguments {
            ["account", "invite", ..] => self.keep(stdout.lines().last().unwrap_or_default()),
            ["nkey", file] => self.keep_file(&home.join(file)),
            _ => {}
        }
    }

    fn keep_file(&self, file: &Path) {
        // Some tests name a file that is not there, or is no text.
        self.keep(&fs::read_to_string(file).unwrap_or_default());
    }

    /// Fails the test when a secret stands in what was said, unless it fails already.
    ///
    /// # Panics
    ///
    /// That is how it fails.
    pub(crate) fn check(&self, home: &Path, who: &str, said: &str) {
        if std::thread::panicking() {
            return;
        }
        let seed = said.split(|character: char| !character.is_ascii_alphanumeric()).find(|word| is_seed(word));
        assert_eq!(seed, None, "{who} told a seed:\n{said}");
        // The installation's own keys, of this moment and before.
        for key in files_in(&home.join("secrets")) {
            self.keep_file(&key);
        }
        let secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for secret in secrets {
            let told: Vec<&str> = said.lines().filter(|line| line.contains(&secret)).take(3).collect();
            assert!(told.is_empty(), "{who} told the secret {secret}:\n{}", told.join("\n"));
        }
    }
}

fn is_seed(word: &str) -> bool {
    word.starts_with('S') && KeyPair::from_seed(word).is_ok()
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}
