//! One connection, as one account. It is never repaired: when it is lost, whoever holds it makes a new one, and so
//! passes the same checks again (another server of the cluster may have another version).

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use async_nats::{Client, ConnectErrorKind, Event, jetstream};
use futures_util::FutureExt as _;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::credential::Credential;
use super::reach::Reach;
use super::said::said;
use crate::domain::fault::Fault;
use crate::domain::hosts::ServerUrl;
use crate::domain::timestamp::Timestamp;

/// The first nats-server that can set a durable consumer back to a sequence (`CONSUMER.RESET`).
pub const OLDEST_SERVER: (u32, u32) = (2, 14);

/// How long a request to JetStream may take. Long before it, a refusal is known by the connection's errors.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// How long connecting to one server may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long it may take to all addresses of a host that somebody named in Discord, looking its name up included.
const CONNECT_TIMEOUT_IN_ALL: Duration = Duration::from_secs(15);

/// How often a silent connection is pinged: two that go unanswered end it.
const PING_INTERVAL: Duration = Duration::from_secs(15);

/// What guildwire calls itself, in all that it does on nats-server.
pub(super) const CLIENT_NAME: &str = "guildwire";

/// What the inboxes begin with on which answers and events come to the bot's own user.
pub const OWN_INBOXES: &str = "_INBOX_guildwire";

/// What they begin with for a reader who is not the bot: no game server's user may subscribe there and so listen in.
pub const READER_INBOXES: &str = "_INBOX_guildwire_watch";

/// What they begin with for a publisher's user: NATS' own default.
pub const USUAL_INBOXES: &str = "_INBOX";

/// How many denials are kept. One is enough for whoever waits for it; a denied acknowledgement comes with each event.
const MOST_DENIALS: usize = 64;

/// A live connection as one account.
#[derive(Debug, Clone)]
pub struct Connection {
    pub(super) client: Client,
    pub(super) jetstream: jetstream::Context,
    lost: CancellationToken,
    objections: watch::Receiver<Objections>,
}

/// What the server objected to, which it says beside the answers, and not as one.
#[derive(Debug, Default)]
struct Objections {
    /// What it did not permit.
    denied: Vec<Fault>,
    /// Why it is about to end the connection.
    ending: Option<Fault>,
}

impl Connection {
    /// Connects to `url` to read, if that is within `reach`, and checks the server's version. A refused credential that
    /// had expired `now` is told as such.
    pub async fn open(url: &str, reach: &Reach, credential: &Credential, now: Timestamp) -> Result<Self, Fault> {
        let connection = Self::connect(url, reach, credential, OWN_INBOXES, now).await?;
        let version = connection.server_version();
        if is_new_enough(&version) { Ok(connection) } else { Err(Fault::TooOld { version }) }
    }

    /// Connects to `url`, if that is within `reach`, whatever version the server has. Answers come to inboxes that begin
    /// with `inboxes`.
    pub async fn connect(
        url: &str,
        reach: &Reach,
        credential: &Credential,
        inboxes: &'static str,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        let is_confined = matches!(reach, Reach::Allowed(_));
        let connect = async {
            let mut fault = Fault::Lost;
            for at in reach.urls(url).await? {
                match Self::connect_at(url, &at, credential, inboxes, now).await {
                    // Whoever named it in Discord is told no more than that.
                    Err(Fault::Unreachable { reason, .. })
                        if is_confined && is_address(&at) && reason.contains("certificate") =>
                    {
                        return Err(Fault::NeedsTls { url: url.to_owned() });
                    }
                    Err(unreachable @ Fault::Unreachable { .. }) => fault = unreachable,
                    connected => return connected,
                }
            }
            Err(fault)
        };
        match reach {
            Reach::Anywhere => connect.await,
            // async-nats tries all addresses of a name, however many its owner gave it.
            Reach::Allowed(_) => tokio::time::timeout(CONNECT_TIMEOUT_IN_ALL, connect).await.unwrap_or_else(|_| {
                Err(Fault::Unreachable { url: url.to_owned(), reason: "connecting takes too long".to_owned() })
            }),
        }
    }

    /// Connects to `url` by `at`, which may have an address in the place of its name.
    async fn connect_at(
        url: &str,
        at: &str,
        credential: &Credential,
        inboxes: &'static str,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        let lost = CancellationToken::new();
        let (sender, objections) = watch::channel(Objections::default());
        let on_lost = lost.clone();
        // async-nats drops its callback with its task, also when that panics: then no event says so.
        let gone = lost.clone().drop_guard();
        let (asked_url, expires) = (url.to_owned(), credential.expires());
        let options = credential
            .connect_options()?
            .name(CLIENT_NAME)
            .custom_inbox_prefix(inboxes)
            .connection_timeout(CONNECT_TIMEOUT)
            .request_timeout(Some(REQUEST_TIMEOUT))
            .ping_interval(PING_INTERVAL)
            // A server may name any address as one of its cluster; the credential goes to the one that was given.
            .ignore_discovered_servers()
            // One attempt and no more: the caller connects anew, at its own jittered pace.
            .max_reconnects(1)
            .event_callback(move |event| {
                let _lost_with_the_task = &gone;
                match event {
                    Event::Disconnected | Event::Closed => on_lost.cancel(),
                    Event::ServerError(error) => {
                        let text = error.to_string();
                        if let Some(denial) = denial(&text, inboxes) {
                            sender.send_modify(|said| {
                                said.denied.truncate(MOST_DENIALS - 1);
                                said.denied.push(denial);
                            });
                        } else if let Some(fault) = ending(&text, &asked_url, expires) {
                            sender.send_modify(|said| said.ending = Some(fault));
                        }
                    }
                    _ => {}
                }
                std::future::ready(())
            });
        // async-nats 0.51 slices and adds up what a server says without looking, so a stranger's can make it panic. Nothing
        // of that attempt is looked at afterwards.
        let connected = AssertUnwindSafe(options.connect(at)).catch_unwind().await.map_err(|_| Fault::Unreachable {
            url: url.to_owned(),
            reason: "what answers there is no nats-server".to_owned(),
        })?;
        let client = connected.map_err(|error| {
            if let Some(fault) = ending(&error.to_string(), url, expires) {
                return if_expired(fault, url, expires, now);
            }
            match error.kind() {
                ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
                    if_expired(Fault::Refused { url: url.to_owned() }, url, expires, now)
                }
                _ => Fault::Unreachable { url: url.to_owned(), reason: said(error) },
            }
        })?;
        let jetstream = jetstream::ContextBuilder::new().timeout(REQUEST_TIMEOUT).build(client.clone());
        Ok(Self { client, jetstream, lost, objections })
    }

    /// The version of the server that was connected to.
    #[must_use]
    pub fn server_version(&self) -> String {
        said(self.client.server_info().version)
    }

    /// Waits until the connection is lost, and says why, as far as the server did.
    pub async fn lost(&self) -> Fault {
        self.lost.cancelled().await;
        self.objections.borrow().ending.clone().unwrap_or(Fault::Lost)
    }

    /// Waits until the server denies a publish to a subject that `concerns` the caller, or denies us our inboxes, and
    /// says which.
    pub async fn denied(&self, concerns: &str) -> Fault {
        let is_ours = |fault: &&Fault| match fault {
            Fault::Denied(subject) => subject.starts_with(concerns),
            _ => true,
        };
        let mut objections = self.objections.clone();
        let denied = objections.wait_for(|said| said.denied.iter().any(|fault| is_ours(&fault))).await;
        let denied = denied.ok().and_then(|said| said.denied.iter().find(is_ours).cloned());
        match denied {
            Some(fault) => fault,
            // The connection is gone, and with it whoever could deny.
            None => std::future::pending().await,
        }
    }
}

/// Whether a URL has an address where a name could be, and does not say that TLS is wanted.
fn is_address(url: &str) -> bool {
    url.parse::<ServerUrl>().is_ok_and(|url| !url.is_tls && url.host.parse::<std::net::IpAddr>().is_ok())
}

/// What nats-server does not permit, from its `Permissions Violation for …`.
fn denial(text: &str, inboxes: &str) -> Option<Fault> {
    let (_, rest) = text.split_once("Permissions Violation for ")?;
    let (action, rest) = rest.split_once(" to \"")?;
    let (subject, _) = rest.split_once('"')?;
    match action {
        "Publish" => Some(Fault::Denied(said(acknowledgements(subject).as_deref().unwrap_or(subject)))),
        // An inbox's own name is random.
        "Subscription" if subject.starts_with(inboxes) => Some(Fault::DeniedSubscription(format!("{inboxes}.>"))),
        "Subscription" => Some(Fault::DeniedSubscription(said(subject))),
        _ => None,
    }
}

/// The subjects of a consumer's acknowledgements, from that of a single one, of which there are two forms.
fn acknowledgements(subject: &str) -> Option<String> {
    let tokens: Vec<_> = subject.strip_prefix("$JS.ACK.")?.split('.').collect();
    match tokens.as_slice() {
        [stream, consumer, _, _, _, _, _] => Some(format!("$JS.ACK.{stream}.{consumer}.>")),
        [_, _, stream, consumer, ..] => Some(format!("$JS.ACK.*.*.{stream}.{consumer}.>")),
        _ => None,
    }
}

/// Why nats-server ends a connection, or takes none, where its words tell: they are the same for both.
fn ending(text: &str, url: &str, expires: Option<Timestamp>) -> Option<Fault> {
    let url = url.to_owned();
    let lower = text.to_lowercase();
    if lower.contains("user authentication expired") {
        Some(Fault::Expired { url, at: expires })
    } else if lower.contains("user authentication revoked") {
        Some(Fault::Revoked { url })
    } else if lower.contains("authorization violation") || lower.contains("account authentication expired") {
        Some(Fault::Refused { url })
    } else if lower.contains("connections exceeded") {
        let (_, reason) = text.rsplit_once(": ").unwrap_or(("", text));
        Some(Fault::TooManyConnections { url, reason: said(reason) })
    } else {
        None
    }
}

/// nats-server does not say why it refuses a credential; one that says itself when it ends tells more.
fn if_expired(fault: Fault, url: &str, expires: Option<Timestamp>, now: Timestamp) -> Fault {
    match (fault, expires) {
        (Fault::Refused { .. }, Some(at)) if at <= now => Fault::Expired { url: url.to_owned(), at: Some(at) },
        (fault, _) => fault,
    }
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
    fn a_server_at_an_address_that_wants_tls_is_told_apart() {
        for (url, is) in [
            ("nats://10.0.0.1:4222", true),
            ("nats://[::1]:4222", true),
            ("tls://10.0.0.1:4222", false),
            ("nats://nats.example.org:4222", false),
        ] {
            assert_eq!(is_address(url), is, "{url}");
        }
    }

    #[test]
    fn what_is_denied_is_read_from_the_servers_words() {
        let text = "Permissions Violation for Publish to \"$JS.API.CONSUMER.RESET.EV.guildwire-x\"";
        assert_eq!(denial(text, OWN_INBOXES), Some(Fault::Denied("$JS.API.CONSUMER.RESET.EV.guildwire-x".to_owned())));
        let text = "Permissions Violation for Subscription to \"_INBOX_guildwire.Xy12.*\"";
        assert_eq!(denial(text, OWN_INBOXES), Some(Fault::DeniedSubscription("_INBOX_guildwire.>".to_owned())));
        for (subject, all) in [
            ("$JS.ACK.EV.guildwire-x.1.5.7.1700000000000000000.3", "$JS.ACK.EV.guildwire-x.>"),
            ("$JS.ACK._.hash.EV.guildwire-x.1.5.7.1700000000000000000.3", "$JS.ACK.*.*.EV.guildwire-x.>"),
        ] {
            let text = format!("Permissions Violation for Publish to \"{subject}\"");
            assert_eq!(denial(&text, OWN_INBOXES), Some(Fault::Denied(all.to_owned())));
        }
        assert_eq!(denial("Stale Connection", OWN_INBOXES), None);
    }

    #[test]
    fn why_a_connection_ends_is_read_from_the_servers_words() {
        let (url, at) = ("nats://x", Timestamp::from_nanoseconds(5));
        let owned = || url.to_owned();
        for (text, fault) in [
            ("User Authentication Expired", Some(Fault::Expired { url: owned(), at: Some(at) })),
            ("User Authentication Revoked", Some(Fault::Revoked { url: owned() })),
            ("authorization violation", Some(Fault::Refused { url: owned() })),
            (
                "IO error: maximum account active connections exceeded",
                Some(Fault::TooManyConnections {
                    url: owned(),
                    reason: "maximum account active connections exceeded".to_owned(),
                }),
            ),
            ("Slow Consumer", None),
        ] {
            assert_eq!(ending(text, url, Some(at)), fault, "{text}");
        }
        let refused = || Fault::Refused { url: owned() };
        assert_eq!(if_expired(refused(), url, Some(at), at), Fault::Expired { url: owned(), at: Some(at) });
        assert_eq!(if_expired(refused(), url, Some(at), Timestamp::from_nanoseconds(4)), refused());
        assert_eq!(if_expired(refused(), url, None, at), refused());
    }
}
