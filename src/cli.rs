//! What can be typed after `guildwire`, and what it means. Only shapes: nothing is carried out or opened here, and no
//! variable is read; the settings do that.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

use crate::domain::ids::AccountName;
use crate::domain::subject::Root;
use crate::settings::nats_url;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "guildwire",
    version,
    about = "Tells Discord channels what happens on your game servers, from NATS JetStream.",
    after_help = FIRST_STEPS,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// The settings file; without it, the file that `GUILDWIRE_CONFIG` names, or just the defaults.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// What to do. [`Command::Run`] when nothing is said: see [`Cli::command`].
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Run the bot until SIGINT or SIGTERM (what happens without a command, too).
    Run,
    /// Manage the game-server accounts that guildwire listens to.
    ///
    /// Works while `guildwire run` is running, which notices within seconds.
    #[command(subcommand, after_help = ACCOUNT_EXAMPLES)]
    Account(AccountCommand),
    /// Try everything that running needs, and say what is wrong and what to do about it.
    ///
    /// Looks at the settings, the database, the key file, the bot's token, Discord's gateway, the commands, every account
    /// and every channel. Ends with 1 when something is wrong. Works while `guildwire run` is running.
    Doctor,
    /// Copy the database to a new file, while `guildwire run` runs or not.
    ///
    /// The key file is not in the copy: keep one of that, too, in another place. For SQLite; for PostgreSQL it says how to
    /// use `pg_dump`.
    Backup(Backup),
    /// Ask the `guildwire run` beside this whether it is alive, for containers: 0 when it is, else 1.
    Health(Health),
    /// Print the settings in force and where they come from, without secrets.
    Config,
}

/// `guildwire backup`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Backup {
    /// The copy, which must not be there yet.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// `guildwire health`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct Health {
    /// Ask instead whether it does its work: the database takes writes, the token is valid, the gateway is connected.
    #[arg(long)]
    pub ready: bool,
}

/// What to do with accounts.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum AccountCommand {
    /// Add an account: where its NATS server is, and the credential to connect with.
    ///
    /// The credential is copied into the database, encrypted; its file is not needed afterwards.
    #[command(after_help = ADD_EXAMPLES)]
    Add(AddAccount),
    /// Change an account: where it is, the credential, or how it is read. Its links and bindings stay.
    ///
    /// What is not given stays as it is. It is tried before anything is stored; `guildwire run` takes it up within seconds.
    #[command(after_help = EDIT_EXAMPLES)]
    Edit(EditAccount),
    /// List the accounts, how reading them goes, and what to do where it does not.
    List,
    /// Try everything that reading an account takes, step by step, and name the first thing that is missing.
    ///
    /// Ends with 1 when something fails. While `guildwire run` runs, it does the check.
    Check(CheckAccount),
    /// Print a one-time code that links a Discord server to an account.
    ///
    /// Give the code to an admin of the Discord server, who types `/account link` there. It stands alone on the last
    /// line of the output, can be used once, and shows whoever uses it this account's events.
    #[command(after_help = INVITE_EXAMPLES)]
    Invite(InviteToAccount),
    /// Remove an account, and with it its links and which of its events go to which channel.
    Remove(RemoveAccount),
}

/// `guildwire account add`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct AddAccount {
    /// What to call it here: 1 to 32 of A-Z a-z 0-9 _ and -, such as GA-1.
    pub name: AccountName,

    /// The address of its NATS server; without it, the setting nats.url.
    #[arg(long, value_parser = UrlParser)]
    pub url: Option<String>,

    /// The stream that holds its events; without it, the one that stores their subjects.
    #[arg(long, value_name = "NAME", value_parser = stream_name)]
    pub stream: Option<String>,

    /// What its events' subjects begin with, before the server's id.
    #[arg(long, value_name = "SUBJECT", default_value_t)]
    pub root: Root,

    /// Read everything below the root instead of the kinds that are asked for. Needed where server ids have dots.
    #[arg(long)]
    pub wide_filter: bool,

    #[command(flatten)]
    credential: CredentialArguments,

    /// The file with the user's password, on one line; without it, the user has none.
    #[arg(long, value_name = "FILE", requires = "user", conflicts_with_all = ["creds", "nkey_seed"])]
    password_file: Option<PathBuf>,

    /// Add it without connecting first, for a server that can't be reached yet.
    #[arg(long)]
    pub no_check: bool,
}

/// `guildwire account edit`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(group = ArgGroup::new("change").required(true).multiple(true).args([
    "url", "stream", "find_stream", "root", "wide_filter", "no_wide_filter", "creds", "nkey_seed", "user", "resume_from",
]))]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that is given or not")]
pub struct EditAccount {
    /// Which account.
    pub name: AccountName,

    /// The address of its NATS server.
    #[arg(long, value_parser = UrlParser)]
    pub url: Option<String>,

    /// The stream that holds its events.
    #[arg(long, value_name = "NAME", value_parser = stream_name, conflicts_with = "find_stream")]
    pub stream: Option<String>,

    /// Read the stream that stores its events' subjects, whatever its name.
    #[arg(long)]
    pub find_stream: bool,

    /// What its events' subjects begin with, before the server's id.
    #[arg(long, value_name = "SUBJECT")]
    pub root: Option<Root>,

    /// Read everything below the root instead of the kinds that are asked for. Needed where server ids have dots.
    #[arg(long, conflicts_with = "no_wide_filter")]
    pub wide_filter: bool,

    /// Read the kinds that are asked for, and nothing else.
    #[arg(long)]
    pub no_wide_filter: bool,

    #[command(flatten)]
    credential: NewCredential,

    /// The file with the user's password, on one line; without it, the user has none.
    #[arg(long, value_name = "FILE", requires = "user", conflicts_with_all = ["creds", "nkey_seed"])]
    password_file: Option<PathBuf>,

    /// Go on at the stream's end: what came before and is not read yet is never told.
    #[arg(long, value_name = "WHERE")]
    pub resume_from: Option<ResumeFrom>,

    /// Store it without connecting first, for a server that can't be reached yet.
    #[arg(long, conflicts_with = "resume_from")]
    pub no_check: bool,
}

/// Where reading goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ResumeFrom {
    /// At the stream's end.
    Now,
}

/// `guildwire account check`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct CheckAccount {
    /// Which account.
    pub name: AccountName,
}

/// `guildwire account invite`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct InviteToAccount {
    /// Which account.
    pub name: AccountName,

    /// How long the code can be used: a number and m, h or d, from 1m to 30d.
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = invite_duration)]
    pub expires: Duration,
}

/// `guildwire account remove`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct RemoveAccount {
    /// Which account.
    pub name: AccountName,

    /// Don't ask whether that is meant.
    #[arg(long)]
    pub yes: bool,
}

/// Where to take an account's credential from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialSource {
    /// A credentials file, as `nsc` makes them: a JWT and its seed.
    Creds(PathBuf),
    /// A file with an nkey's seed.
    NkeySeed(PathBuf),
    /// A user, and the file with the password where there is one.
    User {
        /// The user's name.
        name: String,
        /// The file with the password.
        password_file: Option<PathBuf>,
    },
}

/// The ways to connect, of which exactly one is needed. Its members make up the group, so the password is not here.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[group(required = true, multiple = false)]
struct CredentialArguments {
    /// Connect with a credentials file (JWT and seed), as nsc makes them.
    #[arg(long, value_name = "FILE")]
    creds: Option<PathBuf>,

    /// Connect with an nkey; the file holds its seed, which begins with SU.
    #[arg(long, value_name = "FILE")]
    nkey_seed: Option<PathBuf>,

    /// Connect as this user.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
}

/// Another way to connect, or none.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[group(multiple = false)]
struct NewCredential {
    /// Connect with a credentials file (JWT and seed), as nsc makes them.
    #[arg(long, value_name = "FILE")]
    creds: Option<PathBuf>,

    /// Connect with an nkey; the file holds its seed, which begins with SU.
    #[arg(long, value_name = "FILE")]
    nkey_seed: Option<PathBuf>,

    /// Connect as this user.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
}

impl Cli {
    /// What to do: to run, when nothing was said.
    #[must_use]
    pub fn into_command(self) -> Command {
        self.command.unwrap_or(Command::Run)
    }
}

impl AddAccount {
    /// Where the credential is to be taken from.
    #[must_use]
    pub fn credential(&self) -> CredentialSource {
        match &self.credential {
            CredentialArguments { creds: Some(file), .. } => CredentialSource::Creds(file.clone()),
            CredentialArguments { nkey_seed: Some(file), .. } => CredentialSource::NkeySeed(file.clone()),
            CredentialArguments { user, .. } => CredentialSource::User {
                name: user.clone().expect("the group requires one of the three"),
                password_file: self.password_file.clone(),
            },
        }
    }
}

impl EditAccount {
    /// Where another credential is to be taken from; `None` when the old one stays.
    #[must_use]
    pub fn credential(&self) -> Option<CredentialSource> {
        match &self.credential {
            NewCredential { creds: Some(file), .. } => Some(CredentialSource::Creds(file.clone())),
            NewCredential { nkey_seed: Some(file), .. } => Some(CredentialSource::NkeySeed(file.clone())),
            NewCredential { user: Some(name), .. } => {
                Some(CredentialSource::User { name: name.clone(), password_file: self.password_file.clone() })
            }
            NewCredential { creds: None, nkey_seed: None, user: None } => None,
        }
    }
}

const FIRST_STEPS: &str = "\
First steps:
  guildwire account add GA-1 --url nats://nats.example.org:4222 --creds ga-1.creds
  DISCORD_TOKEN=... guildwire run
  guildwire account invite GA-1      then type the code in Discord: /account link

Settings: `guildwire config` shows them; a file (--config FILE) or variables such as
GUILDWIRE__HTTP__LISTEN change them. DISCORD_TOKEN is the bot's token.";

const ACCOUNT_EXAMPLES: &str = "\
Examples:
  guildwire account add GA-1 --url nats://nats.example.org:4222 --creds ga-1.creds
  guildwire account invite GA-1
  guildwire account list";

const ADD_EXAMPLES: &str = "\
Examples:
  guildwire account add GA-1 --creds ga-1.creds
  guildwire account add GA-2 --url tls://nats.example.org:4222 --nkey-seed ga-2.seed
  guildwire account add GA-3 --user GA-3 --password-file ga-3.password
  guildwire account add GA-4 --user GA-4 --stream events --no-check";

const EDIT_EXAMPLES: &str = "\
Examples:
  guildwire account edit GA-1 --creds ga-1-new.creds
  guildwire account edit GA-1 --url tls://nats.example.org:4222
  guildwire account edit GA-1 --stream EVENTS --wide-filter
  guildwire account edit GA-1 --resume-from now";

const INVITE_EXAMPLES: &str = "\
Examples:
  guildwire account invite GA-1
  guildwire account invite GA-1 --expires 30m";

const MINUTE: Duration = Duration::from_mins(1);
const LONGEST_INVITE: Duration = Duration::from_hours(30 * 24);

/// How long an invite is good for.
fn invite_duration(text: &str) -> Result<Duration, String> {
    let parts = text.split_at_checked(text.len().saturating_sub(1));
    let seconds_each = |unit| match unit {
        "m" => Some(60),
        "h" => Some(60 * 60),
        "d" => Some(24 * 60 * 60),
        _ => None,
    };
    let seconds = parts.and_then(|(number, unit)| {
        let digits_only = number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse::<u64>().ok().filter(|_| digits_only)?;
        number.checked_mul(seconds_each(unit)?)
    });
    let duration = seconds.map(Duration::from_secs).ok_or("must be a number and m, h or d, such as 30m, 24h or 7d")?;
    if (MINUTE..=LONGEST_INVITE).contains(&duration) {
        Ok(duration)
    } else {
        Err("must be from 1m (a minute) to 30d (30 days)".to_owned())
    }
}

/// Checks a NATS server's address, without repeating what it refuses as clap would: a password may be in it.
#[derive(Clone)]
struct UrlParser;

impl TypedValueParser for UrlParser {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        _: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        let checked = value.to_str().ok_or_else(|| "must be text in UTF-8".to_owned()).and_then(nats_url);
        checked
            .map_err(|wrong| clap::Error::raw(ErrorKind::ValueValidation, format!("--url {wrong}\n")).with_cmd(command))
    }
}

/// A stream's name, as nats-server takes them.
fn stream_name(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(forbidden_in_names) || text.contains(['.', '/', '\\']) {
        return Err("must be a stream's name: without spaces and . * > / \\".to_owned());
    }
    Ok(text.to_owned())
}

fn forbidden_in_names(character: char) -> bool {
    character.is_whitespace() || character.is_control() || character == '*' || character == '>'
}

#[cfg(test)]
mod tests;
