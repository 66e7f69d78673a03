//! One connection, as one account. It is never repaired: when it is lost, whoever holds it makes a new one, and so
//! passes the same checks again (another server of the cluster may have another version).

use std::time::Duration;

use async_nats::{Client, ConnectErrorKind, Event, ServerError, jetstream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::credential::Credential;
use crate::domain::fault::Fault;

/// The first nats-server that can set a durable consumer back to a sequence (`CONSUMER.RESET`).
pub const OLDEST_SERVER: (u32, u32) = (2, 14);

/// How long a request to JetStream may take. Long before it, a refusal is known by the connection's errors.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// How long connecting to one server may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How often a silent connection is pinged: two that go unanswered end it.
const PING_INTERVAL: Duration = Duration::from_secs(15);

/// A live connection as one account.
#[derive(Debug, Clone)]
pub struct Connection {
    client: Client,
    pub(super) jetstream: jetstream::Context,
    lost: CancellationToken,
    /// The last subject that the server did not let us publish to.
    denied: watch::Receiver<Option<String>>,
}

impl Connection {
    /// Connects to `url` and checks the server's version.
    pub async fn open(url: &str, credential: &Credential) -> Result<Self, Fault> {
        let lost = CancellationToken::new();
        let (denied_sender, denied) = watch::channel(None);
        let on_lost = lost.clone();
        let options = credential
            .connect_options()?
            .name("guildwire")
            .custom_inbox_prefix("_INBOX_guildwire")
            .connection_timeout(CONNECT_TIMEOUT)
            .request_timeout(Some(REQUEST_TIMEOUT))
            .ping_interval(PING_INTERVAL)
            // A server may name any address as one of its cluster; the credential goes to the one that was given.
            .ignore_discovered_servers()
            // One attempt and no more: the caller connects anew, at its own jittered pace.
            .max_reconnects(1)
            .event_callback(move |event| {
                match event {
                    Event::Disconnected | Event::Closed => on_lost.cancel(),
                    Event::ServerError(ServerError::Other(text)) => {
                        if let Some(subject) = denied_subject(&text) {
                            denied_sender.send_replace(Some(subject));
                        }
                    }
                    _ => {}
                }
                std::future::ready(())
            });
        let client = options.connect(url).await.map_err(|error| match error.kind() {
            ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
                Fault::Refused { url: url.to_owned() }
            }
            _ => Fault::Unreachable { url: url.to_owned(), reason: error.to_string() },
        })?;
        let version = client.server_info().version;
        if !is_new_enough(&version) {
            return Err(Fault::TooOld { version });
        }
        let jetstream = jetstream::ContextBuilder::new().timeout(REQUEST_TIMEOUT).build(client.clone());
        Ok(Self { client, jetstream, lost, denied })
    }

    /// The version of the server that was connected to.
    #[must_use]
    pub fn server_version(&self) -> String {
        self.client.server_info().version
    }

    /// Waits until the connection is lost.
    pub async fn lost(&self) {
        self.lost.cancelled().await;
    }

    /// Waits until the server denies a publish to a subject that `concerns` the caller, and says which.
    pub async fn denied(&self, concerns: &str) -> String {
        let mut denied = self.denied.clone();
        let is_ours =
            |subject: &Option<String>| subject.as_deref().is_some_and(|subject| subject.starts_with(concerns));
        let subject = denied.wait_for(is_ours).await.ok().and_then(|subject| subject.clone());
        match subject {
            Some(subject) => subject,
            // The connection is gone, and with it whoever could deny.
            None => std::future::pending().await,
        }
    }
}

/// The subject in nats-server's `Permissions Violation for Publish to "…"`.
fn denied_subject(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("Permissions Violation for Publish to \"")?;
    rest.split_once('"').map(|(subject, _)| subject.to_owned())
}

fn is_new_enough(version: &str) -> bool {
    let mut parts = version.split(['.', '-']).map(|part| part.parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor) >= OLDEST_SERVER,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_from_2_14_on_are_new_enough() {
        for version in ["2.14.0", "2.15.1", "3.0.0-beta.1", "2.14.0-RC.1"] {
            assert!(is_new_enough(version), "{version}");
        }
        for version in ["2.12.8", "2.9.10", "1.99.0", "", "unknown"] {
            assert!(!is_new_enough(version), "{version}");
        }
    }

    #[test]
    fn the_denied_subject_is_read_from_the_servers_words() {
        let text = "Permissions Violation for Publish to \"$JS.API.CONSUMER.RESET.EV.guildwire-x\"";
        assert_eq!(denied_subject(text).as_deref(), Some("$JS.API.CONSUMER.RESET.EV.guildwire-x"));
        assert_eq!(denied_subject("Permissions Violation for Subscription to \"x\""), None);
    }
}
