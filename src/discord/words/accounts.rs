//! How an account is doing, for the admins of the guilds that hear it: they can change nothing about it themselves, so
//! each sentence says who can, and what to tell them. Addresses and credentials are not their business.

use crate::domain::fault::Fault;
use crate::domain::text::display;

/// How much of what nats-server or its owner named is shown, in UTF-16 units.
const NAME_LIMIT: usize = 200;

/// Its credential is refused.
const NOT_LET_IN: &str = "Its nats-server does not let me in. Tell the account's owner that my user is refused there: they \
                          have to let it in, or make a new one: with `/account rotate` if the account is theirs here, else \
                          with whoever operates me.";
/// Its credential was good until a moment that is over.
const EXPIRED: &str = "Its nats-server does not let me in any more, because my user has expired. Tell the account's owner: \
                       they have to make a new one, with `/account rotate` if the account is theirs here, else with \
                       whoever operates me.";

/// Why an account's events don't come, and who can do what about it: whole sentences.
#[must_use]
pub fn account_fault(fault: &Fault) -> String {
    let shown = |text: &str| display(text, NAME_LIMIT, "?");
    match fault {
        Fault::Unreachable { .. } => {
            "Its nats-server can't be reached. Ask the account's owner whether it runs; if it \
                                      does, whoever operates me has to check its address."
                .to_owned()
        }
        Fault::HostNotAllowed { .. } | Fault::NotPublic { .. } | Fault::NeedsTls { .. } => {
            unfit_address(fault).to_owned()
        }
        Fault::Refused { .. } | Fault::Revoked { .. } => NOT_LET_IN.to_owned(),
        Fault::Expired { .. } => EXPIRED.to_owned(),
        Fault::BadCredential(_) => {
            "I can't connect to it, because of a fault on my side. Tell whoever operates me.".to_owned()
        }
        Fault::TooManyConnections { .. } => {
            "Its nats-server takes no more connections. Tell the account's owner that its \
                                             limit of connections is reached."
                .to_owned()
        }
        Fault::TooOld { version } => format!(
            "Its nats-server has version {}, and I need 2.14 or newer. Tell the account's owner.",
            shown(version)
        ),
        Fault::NoJetStream => {
            "JetStream is not enabled for it. Tell the account's owner: I read events from a stream.".to_owned()
        }
        Fault::NoStream { subjects } => format!(
            "No stream keeps its events. Tell the account's owner that a stream for the subjects {} is missing.",
            shown(subjects)
        ),
        Fault::StreamMissing(stream) => format!(
            "The stream {} that I am to read does not exist. Tell the account's owner, or whoever operates me if it has \
             another name.",
            shown(stream)
        ),
        Fault::StreamDeleted { stream, .. } => format!(
            "The stream {} with its events was deleted. Tell the account's owner: they have to make it anew.",
            shown(stream)
        ),
        Fault::SeveralStreams { .. } => {
            "Several streams keep its events. Tell whoever operates me: they have to choose one.".to_owned()
        }
        Fault::Denied(subject) => format!(
            "I lack a permission on its nats-server. Tell the account's owner: my user needs to publish to {}.",
            shown(subject)
        ),
        Fault::DeniedSubscription(subject) => format!(
            "I lack a permission on its nats-server. Tell the account's owner: my user needs to subscribe to {}.",
            shown(subject)
        ),
        Fault::TooManyConsumers { stream } => format!(
            "It has as many consumers as it may have, so I can't make mine. Tell the account's owner: they have to \
             delete one on stream {}, or raise the limit.",
            shown(stream)
        ),
        Fault::ConsumerTaken { stream } => {
            format!("I read its stream {} already, as another account. Tell whoever operates me.", shown(stream))
        }
        Fault::ConsumerDeleted { durable, .. } => format!(
            "Somebody keeps deleting my consumer {}, so events come late. Tell the account's owner.",
            shown(durable)
        ),
        Fault::ConsumerShared { durable, .. } => format!(
            "Somebody else reads from my consumer {}, so events come late. Tell the account's owner.",
            shown(durable)
        ),
        Fault::StorageFull { .. } => "Its storage on nats-server is full, so new events are not stored. Tell the \
                                      account's owner: they have to make room or raise the limit."
            .to_owned(),
        Fault::JetStream(reason) => {
            format!("Its nats-server refuses what I ask: {}. Tell whoever operates me.", shown(reason))
        }
        Fault::TimedOut(subject) => format!(
            "Its nats-server does not answer me. Tell the account's owner: my user may lack the permission to publish to \
             {}.",
            shown(subject)
        ),
        Fault::Lost => "The connection to its nats-server was lost. If that stays, ask the account's owner whether it \
                        runs."
            .to_owned(),
        Fault::LostEachTime { stream, after } => format!(
            "A message in its stream can't be read. Tell the account's owner: in stream {}, behind message {after}, a \
             subject is not UTF-8, and that message has to be deleted.",
            shown(stream)
        ),
        Fault::BadAnswer { .. } => {
            "Its nats-server gives answers that I can't read. Tell whoever operates me.".to_owned()
        }
        Fault::Database(_) => {
            "My own database takes nothing at the moment. Nothing is lost; tell whoever operates me.".to_owned()
        }
    }
}

/// Why an address that somebody gave in Discord is not connected to.
fn unfit_address(fault: &Fault) -> &'static str {
    match fault {
        Fault::NotPublic { .. } => {
            "The address of its nats-server is not a public one, and I connect to no other unless whoever operates me \
             allows it. Tell the account's owner."
        }
        Fault::NeedsTls { .. } => {
            "Its nats-server asks for TLS. Tell the account's owner that its address has to begin with tls:// and \
             name the host that its certificate is for."
        }
        _ => "Whoever operates me does not allow the host of its nats-server (any more). Ask them to.",
    }
}

/// An account that no binding needs.
pub const ACCOUNT_IDLE: &str = "⚪ not in use yet: choose a channel for its events with `/notify add`";

/// An account that is about to be read.
#[must_use]
pub fn account_connecting(since: i64) -> String {
    format!("🟠 connecting (since <t:{since}:R>)")
}

/// An account whose events are read, with how many wait.
#[must_use]
pub fn account_running(since: i64, lag: u64) -> String {
    match lag {
        0 => format!("🟢 reading its events (connected <t:{since}:R>)"),
        1 => format!("🟢 reading its events, 1 waits (connected <t:{since}:R>)"),
        _ => format!("🟢 reading its events, {lag} wait (connected <t:{since}:R>)"),
    }
}

/// An account that can't be read, with [`account_fault`].
#[must_use]
pub fn account_trouble(fault: &str, since: i64) -> String {
    format!("🔴 {fault} I keep trying (it began <t:{since}:R>).")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guilds_admin_sees_no_address_and_no_markup_of_strangers() {
        let url = "nats://10.0.0.7:4222".to_owned();
        let faults = [
            Fault::Unreachable { url: url.clone(), reason: "IO error".to_owned() },
            Fault::Refused { url: url.clone() },
            Fault::Revoked { url: url.clone() },
            Fault::Expired { url: url.clone(), at: None },
            Fault::TooManyConnections { url, reason: "maximum".to_owned() },
        ];
        for fault in faults {
            let told = account_fault(&fault);
            assert!(!told.contains("10.0.0.7") && (told.contains("Tell") || told.contains("Ask")), "{told}");
        }
        let told = account_fault(&Fault::StreamMissing("**x** @everyone".to_owned()));
        assert!(told.contains("\\*\\*x\\*\\* ＠everyone"), "{told}");
    }
}
