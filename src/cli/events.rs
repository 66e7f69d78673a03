//! What can be typed after `guildwire publish` and `guildwire watch`: for whoever writes a plugin for a game server.

use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::credential::{CREDENTIAL, CredentialArguments, CredentialSource};
use super::values::{UrlParser, field, kind, message_id, payload};
use crate::domain::event::Kind;
use crate::domain::ids::AccountName;
use crate::domain::subject::Root;
use crate::settings::stream_name;

/// `guildwire publish`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(group = ArgGroup::new("event").required(true).args(["kind", "subject"]))]
#[command(group = ArgGroup::new("way").required(true).multiple(true).args(["creds", "nkey_seed", "user", "dry_run"]))]
pub struct Publish {
    /// What happened, such as server.started or player.connected.
    #[arg(value_parser = kind, requires = "server")]
    pub kind: Option<Kind>,

    /// The game server's id.
    #[arg(long, value_name = "ID")]
    pub server: Option<String>,

    /// The player's id, for the kinds that are about one.
    #[arg(long, value_name = "ID", requires = "kind")]
    pub player: Option<String>,

    /// The item's id, for the kinds that are about one.
    #[arg(long, value_name = "ID", requires = "kind", allow_hyphen_values = true)]
    pub item: Option<String>,

    /// The game.
    #[arg(long, value_name = "NAME", default_value = "rust")]
    pub game: String,

    /// What the subjects begin with, before the server's id.
    #[arg(long, value_name = "SUBJECT", default_value_t)]
    pub root: Root,

    /// The whole subject, in the place of kind and ids.
    #[arg(long, value_name = "SUBJECT", conflicts_with_all = ["server", "game"])]
    pub subject: Option<String>,

    /// A field of the payload: NAME=TEXT, or NAME:=JSON for what is no text. Dots lead into objects: player.name=Ada.
    #[arg(long = "field", value_name = "NAME=TEXT", value_parser = field, conflicts_with = "payload")]
    pub fields: Vec<Field>,

    /// The whole payload: as it stands here, from a file (@FILE), or from standard input (-).
    #[arg(long, value_name = "JSON", value_parser = payload, allow_hyphen_values = true)]
    pub payload: Option<Payload>,

    /// What tells the event from any other, so that the stream stores it once however often it is sent; without it, a
    /// random one.
    #[arg(long, value_name = "TEXT", value_parser = message_id)]
    pub id: Option<String>,

    /// Say what guildwire would make of it, and send nothing.
    #[arg(long)]
    pub dry_run: bool,

    /// The address of the NATS server; without it, the setting nats.url.
    #[arg(long, value_parser = UrlParser)]
    pub url: Option<String>,

    #[command(flatten)]
    credential: CredentialArguments,
}

/// A field of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name, behind those of the objects that it stands in.
    pub path: Vec<String>,
    /// Its value.
    pub value: serde_json::Value,
}

/// Where a payload comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// It was typed.
    Text(String),
    /// From a file.
    File(PathBuf),
    /// From standard input.
    Stdin,
}

/// `guildwire watch`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(mut_group(CREDENTIAL, |group| group.required(true).arg("account")))]
pub struct Watch {
    /// An account of this installation: also shows which channels hear each event, and whether it got there.
    #[arg(conflicts_with_all = ["url", "stream", "root"])]
    pub account: Option<AccountName>,

    /// The address of the NATS server, to watch without an installation; without it, the setting nats.url.
    #[arg(long, value_parser = UrlParser)]
    pub url: Option<String>,

    /// The stream to watch; without it, the one that stores the root's subjects.
    #[arg(long, value_name = "NAME", value_parser = stream_name)]
    pub stream: Option<String>,

    /// What the events' subjects begin with, before the server's id.
    #[arg(long, value_name = "SUBJECT", default_value_t)]
    pub root: Root,

    #[command(flatten)]
    credential: CredentialArguments,

    /// Only messages of these subjects, with * and > as in NATS.
    #[arg(long, value_name = "FILTER")]
    pub subject: Option<String>,

    /// Begin with the last so many messages of the stream instead of the next one.
    #[arg(long, value_name = "NUMBER")]
    pub last: Option<NonZeroU64>,

    /// End after so many messages.
    #[arg(long, value_name = "NUMBER")]
    pub count: Option<NonZeroU64>,

    /// One JSON object a line, for scripts.
    #[arg(long)]
    pub json: bool,
}

impl Publish {
    /// Where the credential is to be taken from; `None` only for a dry run.
    #[must_use]
    pub fn credential(&self) -> Option<CredentialSource> {
        self.credential.source()
    }
}

impl Watch {
    /// Where the credential is to be taken from; `None` where an account was named.
    #[must_use]
    pub fn credential(&self) -> Option<CredentialSource> {
        self.credential.source()
    }
}

pub(super) const PUBLISH_EXAMPLES: &str = "\
Examples:
  guildwire publish server.started --server main --nkey-seed publisher.seed
  guildwire publish player.connected --server main --player 76561198000000001 \\
      --field player.name=Ada --nkey-seed publisher.seed
  guildwire publish player.item_loot --server main --player 7 --item -4031221 --field amount:=-3 --dry-run
  guildwire publish --subject v0.rust.servers.main.events.meteor.landed --payload @meteor.json --creds ga-1.creds

It takes permission to publish to the event's subject and to subscribe to _INBOX.>, where the stream answers.";

pub(super) const WATCH_EXAMPLES: &str = "\
Examples:
  guildwire watch GA-1
  guildwire watch GA-1 --last 20 --count 20
  guildwire watch --url nats://nats.example.org:4222 --nkey-seed reader.seed --subject 'v0.rust.servers.main.>'

It takes permission to publish to $JS.API.CONSUMER.CREATE.STREAM.* and $JS.API.CONSUMER.MSG.NEXT.STREAM.*, and to
subscribe to _INBOX_guildwire_watch.> (_INBOX_guildwire.> for an account of this installation). $JS.API.STREAM.NAMES is needed without
--stream, $JS.API.STREAM.INFO.STREAM for --last; with $JS.API.CONSUMER.DELETE.STREAM.* it leaves nothing behind at
once, else after 30 seconds.";
