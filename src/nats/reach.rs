//! How far an account's connections may reach. Those of an account that somebody connected in Discord go where the
//! operator allows, and not to what else the bot's machine can reach.

use std::net::SocketAddr;
use std::time::Duration;

use crate::domain::account::Account;
use crate::domain::fault::Fault;
use crate::domain::hosts::{AllowedHosts, HostRefusal, ServerUrl};

/// How long looking a name up may take.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// How many addresses of a host are tried: connecting to each may take a while.
const MOST_ADDRESSES: usize = 4;

/// How far a connection may reach.
#[derive(Debug, Clone)]
pub enum Reach {
    /// Anywhere: the operator gave the address.
    Anywhere,
    /// To these hosts.
    Allowed(AllowedHosts),
}

impl Reach {
    /// How far connections of this account may reach, where `hosts` are those that the operator allows.
    #[must_use]
    pub fn of(account: &Account, hosts: &AllowedHosts) -> Self {
        if account.connected_in.is_some() { Self::Allowed(hosts.clone()) } else { Self::Anywhere }
    }

    /// The URLs to connect to, one after another, for that of an account.
    ///
    /// Without TLS they have the addresses that were looked at: a name that leads elsewhere a moment later is not looked
    /// up again. With TLS the name has to stay, since the certificate is for it, and async-nats 0.51 takes the name to
    /// connect to and the one to verify from the same URL. So there a name may still lead to another address in the
    /// moment between. What that other server gets is a TCP connection on which guildwire waits for nats-server's first
    /// line, and then, if it sends one, a TLS handshake that fails unless it holds a certificate for the name. No
    /// credential is sent before that, and nothing of what it says is told.
    pub async fn urls(&self, url: &str) -> Result<Vec<String>, Fault> {
        let Self::Allowed(hosts) = self else { return Ok(vec![url.to_owned()]) };
        let not_allowed = |host: &str| Fault::HostNotAllowed { host: host.to_owned() };
        let ServerUrl { is_tls, host, port } = url.parse().map_err(|_| not_allowed(url))?;
        if !hosts.may_have(&host) {
            return Err(not_allowed(&host));
        }
        let addresses = look_up(url, &host, port).await?;
        for address in &addresses {
            hosts.permit(&host, address.ip()).map_err(|refusal| match refusal {
                HostRefusal::NotListed => not_allowed(&host),
                HostRefusal::NotPublic(address) => {
                    Fault::NotPublic { host: host.clone(), address: address.to_string() }
                }
            })?;
        }
        if is_tls {
            return Ok(vec![url.to_owned()]);
        }
        Ok(addresses.into_iter().take(MOST_ADDRESSES).map(|address| format!("nats://{address}")).collect())
    }
}

async fn look_up(url: &str, host: &str, port: u16) -> Result<Vec<SocketAddr>, Fault> {
    let unreachable = |reason: String| Fault::Unreachable { url: url.to_owned(), reason };
    let found = tokio::time::timeout(LOOKUP_TIMEOUT, tokio::net::lookup_host((host, port)))
        .await
        .map_err(|_| unreachable("looking up its name takes too long".to_owned()))?;
    let addresses: Vec<SocketAddr> = found.map_err(|error| unreachable(error.to_string()))?.collect();
    if addresses.is_empty() { Err(unreachable("its name has no address".to_owned())) } else { Ok(addresses) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(hosts: &[&str]) -> Reach {
        Reach::Allowed(AllowedHosts::parse(hosts.iter().copied()).unwrap())
    }

    #[tokio::test]
    async fn what_is_connected_to_is_what_was_looked_at() {
        let urls = reach(&["localhost"]).urls("nats://localhost:4333").await.unwrap();
        assert!(
            urls.iter().all(|url| ["nats://127.0.0.1:4333", "nats://[::1]:4333"].contains(&url.as_str())),
            "{urls:?}"
        );
        let urls = reach(&["127.0.0.0/8"]).urls("nats://127.0.0.1").await.unwrap();
        assert_eq!(urls, ["nats://127.0.0.1:4222"]);
        // A certificate is for the name.
        let urls = reach(&["localhost"]).urls("tls://localhost:4333").await.unwrap();
        assert_eq!(urls, ["tls://localhost:4333"]);
        assert_eq!(Reach::Anywhere.urls("nats://10.0.0.1").await.unwrap(), ["nats://10.0.0.1"]);
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_refused() {
        for url in ["nats://localhost", "tls://localhost", "nats://127.0.0.1", "nats://0x7f.1", "nats://[::1]"] {
            let fault = reach(&["*"]).urls(url).await.unwrap_err();
            assert!(matches!(fault, Fault::NotPublic { .. }), "{url}: {fault}");
        }
        for url in ["nats://localhost", "nats://user@nats.example.org", "http://nats.example.org"] {
            let fault = reach(&["nats.example.org"]).urls(url).await.unwrap_err();
            assert!(matches!(fault, Fault::HostNotAllowed { .. }), "{url}: {fault}");
        }
    }
}
