//! Why an account can't be read, in words for those who can change it: the operator at a shell, and the account's
//! owner, whom they pass it on to. What a guild's admin is told stands with the other sentences for Discord.

use serde::{Deserialize, Serialize};

use super::timestamp::Timestamp;

/// Why an account can't be read, or why nothing new can come from it.
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
    /// The operator does not let people in Discord connect that host.
    #[error("the setting accounts.hosts does not allow {host}: its operator has to add that host there")]
    HostNotAllowed {
        /// The host.
        host: String,
    },
    /// The host is allowed for its name, and its address is none of the internet's.
    #[error(
        "{host} has the address {address}, which is not public: it is connected to only if the setting accounts.hosts \
         names the host or the address itself"
    )]
    NotPublic {
        /// The host.
        host: String,
        /// Its address.
        address: String,
    },
    /// The server wants TLS, and was connected to by its address, which no certificate is for.
    #[error(
        "nats-server at {url} asks for TLS: its address has to begin with tls:// and name the host that its certificate is for"
    )]
    NeedsTls {
        /// Where.
        url: String,
    },
    /// The server does not let this user in.
    #[error("nats-server at {url} refuses the credential: check that the user exists there and was not revoked")]
    Refused {
        /// Where.
        url: String,
    },
    /// The server let this user in until it was told not to.
    #[error(
        "nats-server at {url} has revoked the credential: have the account's owner make a new one; guildwire's own is \
         changed with `guildwire account edit`"
    )]
    Revoked {
        /// Where.
        url: String,
    },
    /// The credential was good for a time, which is over.
    #[error(
        "the credential for nats-server at {url} has expired{}: have the account's owner make a new one; \
         guildwire's own is changed with `guildwire account edit`",
        at.map_or_else(String::new, |at| format!(" ({})", at.rfc3339()))
    )]
    Expired {
        /// Where.
        url: String,
        /// When, as the credential itself says.
        at: Option<Timestamp>,
    },
    /// The stored credential is none.
    #[error("{0}")]
    BadCredential(String),
    /// The server takes no further connection, of this account or of anybody.
    #[error(
        "nats-server at {url} takes no more connections ({reason}): close some of the account's, or raise its limit of \
         connections"
    )]
    TooManyConnections {
        /// Where.
        url: String,
        /// What the server said.
        reason: String,
    },
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
    /// The stream that was read is gone.
    #[error(
        "the stream {stream}, which was read so far, was deleted: make it anew with `nats stream add {stream} --subjects \
         '{subjects}' --storage file --defaults`"
    )]
    StreamDeleted {
        /// The stream.
        stream: String,
        /// Which subjects it has to cover.
        subjects: String,
    },
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
    /// The user may not hear the answers.
    #[error("the user may not subscribe to {0}: allow that subject in the user's permissions")]
    DeniedSubscription(String),
    /// The account has all the consumers that it may have.
    #[error(
        "the account has as many consumers on stream {stream} as it may have, so guildwire can't make its own: delete \
         one that nobody needs (`nats consumer ls {stream}`), or raise the limit of consumers"
    )]
    TooManyConsumers {
        /// The stream.
        stream: String,
    },
    /// Another account of this installation reads the stream.
    #[error(
        "guildwire reads stream {stream} already, as another account: use that one, and link further Discord servers to it \
         with a code"
    )]
    ConsumerTaken {
        /// The stream.
        stream: String,
    },
    /// The consumer is deleted whenever it is made.
    #[error(
        "somebody keeps deleting guildwire's consumer {durable} on stream {stream}: find out who does, and make it \
         stop; until then events come late"
    )]
    ConsumerDeleted {
        /// The stream.
        stream: String,
        /// The consumer.
        durable: String,
    },
    /// Someone else takes what is meant for us.
    #[error(
        "somebody else reads from guildwire's consumer {durable} on stream {stream}: give every other reader a consumer \
         of its own; until then events come late"
    )]
    ConsumerShared {
        /// The stream.
        stream: String,
        /// The consumer.
        durable: String,
    },
    /// The account's storage is used up, so that its streams take nothing new.
    #[error(
        "the account's JetStream storage is full ({used} of {limit} bytes), so new events are not stored: raise its \
         limit, or let its streams drop old messages (`nats stream edit STREAM --max-age 7d`)"
    )]
    StorageFull {
        /// How much is used, in bytes.
        used: u64,
        /// How much there may be.
        limit: u64,
    },
    /// JetStream said no.
    #[error("JetStream refuses: {0}")]
    JetStream(String),
    /// No answer came.
    #[error(
        "nats-server does not answer {0}: the user may lack the permission to publish there, or to subscribe to the \
         inboxes on which answers come"
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

impl Fault {
    /// The state's one name, for metrics and logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::HostNotAllowed { .. } => "host_not_allowed",
            Self::NotPublic { .. } => "address_not_public",
            Self::NeedsTls { .. } => "tls_needed",
            Self::Refused { .. } => "credential_refused",
            Self::Revoked { .. } => "credential_revoked",
            Self::Expired { .. } => "credential_expired",
            Self::BadCredential(_) => "credential_unreadable",
            Self::TooManyConnections { .. } => "connection_limit",
            Self::TooOld { .. } => "server_too_old",
            Self::NoJetStream => "no_jetstream",
            Self::NoStream { .. } => "no_stream",
            Self::StreamMissing(_) => "stream_missing",
            Self::StreamDeleted { .. } => "stream_deleted",
            Self::SeveralStreams { .. } => "several_streams",
            Self::Denied(_) | Self::DeniedSubscription(_) => "permission_missing",
            Self::TooManyConsumers { .. } => "consumer_limit",
            Self::ConsumerTaken { .. } => "consumer_taken",
            Self::ConsumerDeleted { .. } => "consumer_deleted",
            Self::ConsumerShared { .. } => "consumer_shared",
            Self::StorageFull { .. } => "storage_full",
            Self::JetStream(_) => "jetstream_refuses",
            Self::TimedOut(_) => "no_answer",
            Self::Lost => "connection_lost",
            Self::LostEachTime { .. } => "connection_cut",
            Self::BadAnswer { .. } => "bad_answer",
            Self::Database(_) => "database",
        }
    }

    /// Whether it is the credential that nats-server does not take. Each try is an attack to whoever watches there, so
    /// it is tried seldom.
    #[must_use]
    pub const fn is_about_credential(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Revoked { .. } | Self::Expired { .. } | Self::BadCredential(_))
    }
}
