//! `guildwire health`: what a container's supervisor asks of the `run` beside it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;
use reqwest::Client;

/// How long the answer may take. Supervisors mostly wait a little longer.
const PATIENCE: Duration = Duration::from_secs(4);

/// Asks the `run` that listens on `listen` whether it lives or, with `ready`, whether it does its work; gives back the
/// line to print. Fails with what is wrong.
pub async fn health(listen: SocketAddr, ready: bool) -> anyhow::Result<String> {
    let path = if ready { "/readyz" } else { "/healthz" };
    let url = format!("http://{}{path}", reachable(listen));
    // Nothing stands between: a proxy that the environment names is for other addresses.
    let client = Client::builder().timeout(PATIENCE).no_proxy().build().context("making an HTTP client")?;
    let response = client.get(&url).send().await.map_err(|error| {
        let why =
            if error.is_timeout() { format!("within {} seconds", PATIENCE.as_secs()) } else { "there".to_owned() };
        anyhow::anyhow!("nothing answers {why} at {url}: is `guildwire run` up, with the same http.listen?")
    })?;
    let status = response.status();
    let text = response.text().await.with_context(|| format!("{url} did not finish its answer"))?;
    if status.is_success() {
        return Ok(if ready { "ready\n" } else { "alive\n" }.to_owned());
    }
    let wrong: Vec<&str> = text.lines().filter(|line| !line.ends_with(": ok")).collect();
    anyhow::bail!("{} ({status} from {url})", wrong.join("; "))
}

/// Where to ask those who listen on every address: it is the same machine.
const fn reachable(listen: SocketAddr) -> SocketAddr {
    let address = match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        address => address,
    };
    SocketAddr::new(address, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_asked_here() {
        for (listen, asked) in
            [("0.0.0.0:9310", "127.0.0.1:9310"), ("[::]:1", "[::1]:1"), ("10.1.2.3:80", "10.1.2.3:80")]
        {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), asked);
        }
    }
}
