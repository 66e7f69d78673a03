//! What can be typed after `guildwire`, and what it means. Only shapes: nothing is carried out or opened here, and no
//! variable is read; the settings do that.

mod account;
mod audit;
mod credential;
mod events;
mod operator;
mod privacy;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use self::account::{
    AccountCommand, AddAccount, CheckAccount, EditAccount, InviteToAccount, RemoveAccount, ResumeFrom, RotateAccount,
};
use self::audit::AUDIT_EXAMPLES;
pub use self::audit::Audit;
pub use self::credential::CredentialSource;
pub use self::events::{Field, Payload, Publish, Watch};
use self::events::{PUBLISH_EXAMPLES, WATCH_EXAMPLES};
use self::operator::OPERATOR_EXAMPLES;
pub use self::operator::{
    CreateNatsAccount, CreateNatsUser, DeleteNatsAccount, LimitNatsAccount, NatsAccountCommand, NatsUserCommand,
    OperatorCommand, RevokeNatsUser,
};
use self::privacy::PRIVACY_EXAMPLES;
pub use self::privacy::{Export, Forget, Privacy};

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
    /// Make NATS accounts with limits, and users of them, on a nats-server of your own in operator mode.
    ///
    /// Needs the settings operator.*: the operator's signing key, and the creds of a user of the system account.
    #[command(subcommand, after_help = OPERATOR_EXAMPLES)]
    Operator(OperatorCommand),
    /// Publish an event as a game server does, with its credential, and say what guildwire makes of it.
    ///
    /// For whoever writes a plugin, or wants to try a channel. Needs no database and no token.
    #[command(after_help = PUBLISH_EXAMPLES)]
    Publish(Publish),
    /// Watch a stream, and say what guildwire makes of each message, until Ctrl-C.
    ///
    /// It reads beside guildwire and takes nothing away from it. Payloads are not shown.
    #[command(after_help = WATCH_EXAMPLES)]
    Watch(Watch),
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
    /// Make an nkey, with which a user proves itself to nats-server: a seed to keep and a public key to give away.
    ///
    /// The public key stands alone on the last line of the output. nats-server's configuration gets it; the file with the
    /// seed is for `guildwire account add --nkey-seed`, or for the game server.
    Nkey(Nkey),
    /// Show who did what to accounts, links and bindings, the latest first.
    ///
    /// Lines are kept for `retention.audit_days`. The owner of an account sees its own in Discord: /account audit.
    #[command(after_help = AUDIT_EXAMPLES)]
    Audit(Audit),
    /// Show or delete what is stored of a player.
    ///
    /// PRIVACY.md says what is stored, and for how long. Works while `guildwire run` is running.
    #[command(subcommand, after_help = PRIVACY_EXAMPLES)]
    Privacy(Privacy),
    /// Manage the key that encrypts the secrets in the database.
    #[command(subcommand)]
    Secrets(SecretsCommand),
    /// Print the settings in force and where they come from, without secrets.
    Config,
}

/// What to do with the key that encrypts the secrets in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum SecretsCommand {
    /// Make a new key and encrypt every secret in the database with it, while no `guildwire run` runs.
    ///
    /// The key before it stays beside the key file, with `.old` behind its name: copies of the database that were made
    /// until now open with nothing else. When it is cut off, the next command or start finishes it.
    Rotate,
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

/// `guildwire nkey`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Nkey {
    /// The file for the seed, which must not be there yet.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

impl Cli {
    /// What to do: to run, when nothing was said.
    #[must_use]
    pub fn into_command(self) -> Command {
        self.command.unwrap_or(Command::Run)
    }
}

const FIRST_STEPS: &str = "\
First steps:
  guildwire account add GA-1 --url nats://nats.example.org:4222 --creds ga-1.creds
  DISCORD_TOKEN=... guildwire run
  guildwire account invite GA-1      then type the code in Discord: /account link

Settings: `guildwire config` shows them; a file (--config FILE) or variables such as
GUILDWIRE__HTTP__LISTEN change them. DISCORD_TOKEN is the bot's token;
DISCORD_TOKEN_FILE names a file that holds it.";

const ACCOUNT_EXAMPLES: &str = "\
Examples:
  guildwire account add GA-1 --url nats://nats.example.org:4222 --creds ga-1.creds
  guildwire account invite GA-1
  guildwire account list";

#[cfg(test)]
mod tests;
