//! What can be typed after `guildwire account`.

use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::credential::{CREDENTIAL, CredentialArguments, CredentialSource};
use super::values::{UrlParser, invite_duration, user_id};
use crate::domain::ids::{AccountName, UserId};
use crate::domain::subject::Root;
use crate::settings::stream_name;

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
    /// Give an account that is connected by an nkey a new one, beside the old one until the new one works.
    ///
    /// First prints what nats-server's configuration gets. With `--verify` it is tried whether the new key can read the
    /// account, and if so it takes the old one's place. An account with a creds file, or a user and password, gets
    /// another with `guildwire account edit`.
    #[command(after_help = ROTATE_EXAMPLES)]
    Rotate(RotateAccount),
    /// Remove an account, and with it its links and which of its events go to which channel.
    Remove(RemoveAccount),
}

/// `guildwire account add`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(mut_group(CREDENTIAL, |group| group.required(true)))]
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

    /// Who owns it in Discord: the id of a user, who may invite Discord servers to it there and sees which are linked.
    #[arg(long, value_name = "USER_ID", value_parser = user_id)]
    pub owner: Option<UserId>,

    #[command(flatten)]
    credential: CredentialArguments,

    /// Add it without connecting first, for a server that can't be reached yet.
    #[arg(long)]
    pub no_check: bool,
}

/// `guildwire account edit`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(group = ArgGroup::new("change").required(true).multiple(true).args([
    "url", "stream", "find_stream", "root", "wide_filter", "no_wide_filter", "creds", "nkey_seed", "user", "resume_from",
    "owner", "no_owner",
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

    /// Who owns it in Discord: the id of a user, who may invite Discord servers to it there and sees which are linked.
    #[arg(long, value_name = "USER_ID", value_parser = user_id, conflicts_with = "no_owner")]
    pub owner: Option<UserId>,

    /// Nobody owns it in Discord: codes for it are made here.
    #[arg(long)]
    pub no_owner: bool,

    #[command(flatten)]
    credential: CredentialArguments,

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

/// `guildwire account rotate`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct RotateAccount {
    /// Which account.
    pub name: AccountName,

    /// Try the new key that was made before, and use it from then on.
    #[arg(long)]
    pub verify: bool,
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

impl AddAccount {
    /// Where the credential is to be taken from.
    #[must_use]
    pub fn credential(&self) -> CredentialSource {
        self.credential.source().expect("the group requires one of the three")
    }
}

impl EditAccount {
    /// Where another credential is to be taken from; `None` when the old one stays.
    #[must_use]
    pub fn credential(&self) -> Option<CredentialSource> {
        self.credential.source()
    }

    /// Who is to own it, or that nobody is; `None` when that stays.
    #[must_use]
    pub fn ownership(&self) -> Option<Option<UserId>> {
        (self.no_owner || self.owner.is_some()).then_some(self.owner)
    }

    /// Whether nothing changes but the owner, so that nothing of it is read differently.
    #[must_use]
    pub fn concerns_owner_alone(&self) -> bool {
        let reading = self.url.is_some()
            || self.find_stream
            || self.stream.is_some()
            || self.root.is_some()
            || self.wide_filter
            || self.no_wide_filter
            || self.credential().is_some()
            || self.resume_from.is_some();
        !reading
    }
}

const ADD_EXAMPLES: &str = "\
Examples:
  guildwire account add GA-1 --creds ga-1.creds
  guildwire account add GA-2 --url tls://nats.example.org:4222 --nkey-seed ga-2.seed
  guildwire account add GA-2 --nkey-seed - < ga-2.seed
  guildwire account add GA-3 --user GA-3 --password-file ga-3.password
  guildwire account add GA-4 --user GA-4 --stream events --no-check";

const EDIT_EXAMPLES: &str = "\
Examples:
  guildwire account edit GA-1 --creds ga-1-new.creds
  guildwire account edit GA-1 --url tls://nats.example.org:4222
  guildwire account edit GA-1 --stream EVENTS --wide-filter
  guildwire account edit GA-1 --resume-from now
  guildwire account edit GA-1 --owner 80351110224678912";

const ROTATE_EXAMPLES: &str = "\
Examples:
  guildwire account rotate GA-1             then add what it prints to nats-server
  guildwire account rotate GA-1 --verify    then remove the old key there";

const INVITE_EXAMPLES: &str = "\
Examples:
  guildwire account invite GA-1
  guildwire account invite GA-1 --expires 30m";
