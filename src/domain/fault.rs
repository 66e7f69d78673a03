//! Why an account can't be read, in words for those who can change it.

use serde::{Deserialize, Serialize};

/// Why an account can't be read, in words for the account's owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Fault {
    /// Nothing answers there.
    #[error(
        "nats-server can't be reached at {url} ({reason}): check that it runs there and that this address is right"
    )]
    Unreachable {
        /// Where.
        url: String,
        /// What the client library said.
        reason: String,
    },
    /// The server does not let this user in.
    #[error("nats-server at {url} refuses the credential: check that the user exists there and was not revoked")]
    Refused {
        /// Where.
        url: String,
    },
    /// The stored credential is none.
    #[error("{0}")]
    BadCredential(String),
    /// The server lacks what reading without loss needs.
    #[error("nats-server {version} is too old: guildwire needs 2.14 or newer, to set its consumer back after a crash")]
    TooOld {
        /// The version it says it has.
        version: String,
    },
    /// The account has no JetStream.
    #[error("JetStream is not available to this account: enable it for the account in nats-server's configuration")]
    NoJetStream,
    /// No stream keeps the game servers' events.
    #[error(
        "no stream covers {subjects}: make one with `nats stream add EVENTS --subjects '{subjects}' --storage file --defaults`"
    )]
    NoStream {
        /// Which subjects.
        subjects: String,
    },
    /// The named stream does not exist.
    #[error("there is no stream named {0} in this account")]
    StreamMissing(String),
    /// More than one stream could be meant.
    #[error("several streams cover {subjects} ({}): name the one to read with --stream", .names.join(", "))]
    SeveralStreams {
        /// Which subjects.
        subjects: String,
        /// The streams' names.
        names: Vec<String>,
    },
    /// The user lacks a permission.
    #[error("the user may not publish to {0}: allow that subject in the user's permissions")]
    Denied(String),
    /// JetStream said no.
    #[error("JetStream refuses: {0}")]
    JetStream(String),
    /// No answer came.
    #[error(
        "nats-server does not answer {0}: the user may lack the permission to publish there, or to subscribe to \
         _INBOX_guildwire.>"
    )]
    TimedOut(String),
    /// The connection ended.
    #[error("the connection to nats-server was lost")]
    Lost,
    /// The connection ends each time that events are asked for.
    #[error(
        "the connection to nats-server is lost whenever events are asked for: most likely a subject in stream {stream} \
         is not UTF-8, behind message {after}; find it with `nats stream view {stream}` and delete it with \
         `nats stream rmm {stream} NUMBER`"
    )]
    LostEachTime {
        /// The stream.
        stream: String,
        /// The last message that could be read.
        after: u64,
    },
    /// The answer can't be read.
    #[error("nats-server's answer to {subject} can't be read: {reason}")]
    BadAnswer {
        /// The request's subject.
        subject: String,
        /// What is wrong with it.
        reason: String,
    },
    /// What was read can't be recorded.
    #[error("guildwire's own database does not take what is read ({0}): nothing is lost, the stream keeps it")]
    Database(String),
}
