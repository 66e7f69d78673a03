//! What can be typed after `guildwire operator`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::values::{role, server_id};
use crate::domain::ids::AccountName;
use crate::domain::nats_account::Role;
use crate::domain::subject::Root;
use crate::domain::tier::DEFAULT_TIER;
use crate::settings::stream_name;

/// What to make on the operator's nats-server.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum OperatorCommand {
    /// Make, limit, suspend and delete accounts.
    #[command(subcommand)]
    Account(NatsAccountCommand),
    /// Make users of an account, and revoke them.
    #[command(subcommand)]
    User(NatsUserCommand),
}

/// What to do with accounts.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum NatsAccountCommand {
    /// Make an account with the limits of a tier and a stream for its events, and have guildwire read it.
    ///
    /// Typed again after it was interrupted, it goes on where it was.
    #[command(after_help = CREATE_EXAMPLES)]
    Create(CreateNatsAccount),
    /// Give an account the limits of another tier, or its tier's again after that was changed in the settings.
    ///
    /// Takes effect at once, also on connections that are open.
    Limits(LimitNatsAccount),
    /// Let nobody into an account, and end its connections. What is stored in it stays.
    Suspend {
        /// Which account.
        name: AccountName,
    },
    /// Let an account's users in again.
    Resume {
        /// Which account.
        name: AccountName,
    },
    /// Delete an account with its users, its streams and all that is stored in them.
    ///
    /// guildwire's account of that name goes, too, with its links and bindings.
    Delete(DeleteNatsAccount),
    /// List the accounts, their limits and their users.
    List,
}

/// What to do with users.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum NatsUserCommand {
    /// Make a user of an account, and write its creds to a new file for its owner alone.
    ///
    /// server: a game server, which may publish its own events and nothing else. bot: guildwire, which may read the
    /// account's stream by its own consumer. reader: whoever looks on with `guildwire watch`.
    ///
    /// The account trusts bot and reader with its stream: who may ask for messages can have them sent to any subject.
    #[command(after_help = USER_EXAMPLES)]
    Create(CreateNatsUser),
    /// Let a user in no more, and end its connections. That can't be undone: make another user.
    Revoke(RevokeNatsUser),
}

/// `guildwire operator account create`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct CreateNatsAccount {
    /// What to call it: 1 to 32 of A-Z a-z 0-9 _ and -, such as GA-1.
    pub name: AccountName,

    /// What it may use: one of the tiers in the settings.
    #[arg(long, default_value = DEFAULT_TIER)]
    pub tier: String,

    /// What to call the stream that keeps its events.
    #[arg(long, value_name = "NAME", default_value = "EVENTS", value_parser = stream_name)]
    pub stream: String,

    /// What its events' subjects begin with, before the server's id.
    #[arg(long, value_name = "SUBJECT", default_value_t)]
    pub root: Root,

    /// Don't have guildwire read it.
    #[arg(long)]
    pub no_add: bool,
}

/// `guildwire operator account limits`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct LimitNatsAccount {
    /// Which account.
    pub name: AccountName,

    /// What it may use from now on: one of the tiers in the settings.
    #[arg(long)]
    pub tier: String,
}

/// `guildwire operator account delete`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct DeleteNatsAccount {
    /// Which account.
    pub name: AccountName,

    /// Don't ask whether that is meant.
    #[arg(long)]
    pub yes: bool,
}

/// `guildwire operator user create`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct CreateNatsUser {
    /// Of which account.
    pub account: AccountName,

    /// What it is for: server, bot or reader.
    #[arg(long, value_parser = role)]
    pub role: Role,

    /// The one server whose events a game server's user may publish; without it, any server's.
    #[arg(long, value_name = "ID", value_parser = server_id)]
    pub server_id: Option<String>,

    /// The file for the creds, which must not be there yet; without it, one named after account, role and server.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `guildwire operator user revoke`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct RevokeNatsUser {
    /// Of which account.
    pub account: AccountName,

    /// Which user: its public key, U…, as `guildwire operator account list` shows it.
    pub public_key: String,
}

pub(super) const OPERATOR_EXAMPLES: &str = "\
From nothing to a code for Discord:
  guildwire operator account create GA-1
  guildwire operator user create GA-1 --role server --server-id main --out ga-1-main.creds
  guildwire account invite GA-1

docs/operator.md tells how nats-server is set up for it.";

const CREATE_EXAMPLES: &str = "\
Examples:
  guildwire operator account create GA-1
  guildwire operator account create GA-2 --tier paid
  guildwire operator account create GA-3 --stream rust --root v0.rust.servers --no-add";

const USER_EXAMPLES: &str = "\
Examples:
  guildwire operator user create GA-1 --role server --server-id main
  guildwire operator user create GA-1 --role server --out ga-1.creds
  guildwire operator user create GA-1 --role reader --out me.creds";

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn parsed(line: &str) -> Result<OperatorCommand, String> {
        let cli = Cli::try_parse_from(["guildwire", "operator"].into_iter().chain(line.split_ascii_whitespace()));
        match cli.map(Cli::into_command) {
            Ok(Command::Operator(command)) => Ok(command),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn an_account_is_of_the_default_tier_and_read_by_guildwire() {
        let Ok(OperatorCommand::Account(NatsAccountCommand::Create(create))) = parsed("account create GA-1") else {
            panic!("it is an account")
        };
        assert_eq!((create.tier.as_str(), create.stream.as_str(), create.no_add), ("free", "EVENTS", false));
        assert_eq!(create.root, Root::default());
        assert!(parsed("account limits GA-1").unwrap_err().contains("--tier"));
    }

    #[test]
    fn a_user_has_a_role_and_may_be_kept_to_one_server() {
        let Ok(OperatorCommand::User(NatsUserCommand::Create(create))) =
            parsed("user create GA-1 --role server --server-id eu.main")
        else {
            panic!("it is a user")
        };
        assert_eq!((create.role, create.server_id.as_deref(), create.out), (Role::Server, Some("eu.main"), None));
        for (wrong, said) in [
            ("--role owner", "the roles are server, bot, reader"),
            ("--role server --server-id *", "must be a server's id"),
            ("--role server --server-id >", "must be a server's id"),
            ("--role server --server-id a..b", "must be a server's id"),
            ("", "--role"),
        ] {
            let refused = parsed(&format!("user create GA-1 {wrong}")).unwrap_err();
            assert!(refused.contains(said), "{wrong}: {refused}");
        }
    }
}
