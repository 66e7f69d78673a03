//! Which nats-servers people may name in Discord: their URLs, the operator's list of hosts, and which addresses are
//! public. Looking a name up is not done here.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;
use std::sync::Arc;

/// The longest URL that is taken. The longest name of a host has 253 characters.
const LONGEST_URL: usize = 280;

/// nats-server's own port, for a URL that names none.
const USUAL_PORT: u16 = 4222;

/// Where a nats-server listens: a scheme, a host and a port, and nothing else that a URL may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl {
    /// Whether the connection begins with TLS whatever the server says.
    pub is_tls: bool,
    /// A name in small letters without a dot at its end, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// What is wrong with a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadServerUrl {
    /// It is longer than a host's name can be.
    #[error("the address is too long")]
    TooLong,
    /// It begins with something else.
    #[error("the address has to begin with nats:// or tls://")]
    Scheme,
    /// It holds a user or a password.
    #[error("the address must not hold a user or a password")]
    User,
    /// What comes behind the scheme is not a host and a port.
    #[error("behind nats:// or tls:// come a host and a port, such as nats.example.org:4222, and nothing else")]
    Place,
}

impl FromStr for ServerUrl {
    type Err = BadServerUrl;

    fn from_str(text: &str) -> Result<Self, BadServerUrl> {
        if text.len() > LONGEST_URL {
            return Err(BadServerUrl::TooLong);
        }
        let (is_tls, place) = match text.split_once("://") {
            Some(("nats", place)) => (false, place),
            Some(("tls", place)) => (true, place),
            _ => return Err(BadServerUrl::Scheme),
        };
        if place.contains('@') {
            return Err(BadServerUrl::User);
        }
        let (host, port) = match place.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or(BadServerUrl::Place)?;
                host.parse::<Ipv6Addr>().map_err(|_| BadServerUrl::Place)?;
                (host, port)
            }
            None => place.split_at(place.find(':').unwrap_or(place.len())),
        };
        let port = match port.strip_prefix(':') {
            Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or(BadServerUrl::Place)?,
            None if port.is_empty() => USUAL_PORT,
            None => return Err(BadServerUrl::Place),
        };
        let host = normalised(host);
        if place.starts_with('[') || is_name(&host) {
            Ok(Self { is_tls, host, port })
        } else {
            Err(BadServerUrl::Place)
        }
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { is_tls, host, port } = self;
        let scheme = if *is_tls { "tls" } else { "nats" };
        if host.contains(':') {
            write!(formatter, "{scheme}://[{host}]:{port}")
        } else {
            write!(formatter, "{scheme}://{host}:{port}")
        }
    }
}

/// The operator's list of hosts. Cloning shares it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts(Arc<[Entry]>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    /// Whatever has a public address.
    Any,
    /// Names below this one that have public addresses.
    Below(String),
    /// This name, whatever its address.
    Name(String),
    /// Addresses that begin with so many bits of this one.
    Network(IpAddr, u32),
}

/// Why a host may not be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostRefusal {
    /// The list does not have it.
    NotListed,
    /// It is allowed for its name, which does not make this address public.
    NotPublic(IpAddr),
}

impl AllowedHosts {
    /// The list with these entries: `nats.example.org`, `*.example.org`, `*`, an address, or a network such as
    /// `10.0.0.0/8`. Fails with the first that is none.
    pub fn parse<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let entries: Result<Vec<Entry>, String> =
            entries.into_iter().map(|text| Entry::parse(text).ok_or_else(|| text.to_owned())).collect();
        entries.map(|entries| Self(entries.into()))
    }

    /// Whether a host of this name can be allowed at all, so that it is worth looking up.
    #[must_use]
    pub fn may_have(&self, host: &str) -> bool {
        self.0.iter().any(|entry| entry.has_name(host) || matches!(entry, Entry::Network(..)))
    }

    /// Whether to connect to a host of this name at this address of its.
    ///
    /// Where the operator named the host or the address, that is meant. A wildcard means the internet, and not what the
    /// machine of the bot can reach besides.
    pub fn permit(&self, host: &str, address: IpAddr) -> Result<(), HostRefusal> {
        let is_meant = |entry: &Entry| match entry {
            Entry::Name(name) => name == host,
            Entry::Network(network, bits) => has_prefix(address.to_canonical(), *network, *bits),
            Entry::Any | Entry::Below(_) => false,
        };
        if self.0.iter().any(is_meant) {
            Ok(())
        } else if !self.0.iter().any(|entry| entry.has_name(host)) {
            Err(HostRefusal::NotListed)
        } else if is_public(address) {
            Ok(())
        } else {
            Err(HostRefusal::NotPublic(address))
        }
    }

    /// The entries as they are written.
    #[must_use]
    pub fn entries(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        if let Some((address, bits)) = text.split_once('/') {
            let address: IpAddr = address.parse().ok()?;
            return bits.parse().ok().filter(|bits| *bits <= width(address)).map(|bits| Self::Network(address, bits));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(Self::Network(address, width(address)));
        }
        let (name, entry): (_, fn(String) -> Self) = match text.strip_prefix("*.") {
            Some(name) => (name, Self::Below),
            None => (text, Self::Name),
        };
        let name = normalised(name);
        is_name(&name).then(|| entry(name))
    }

    fn has_name(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Below(name) => host.strip_suffix(name.as_str()).is_some_and(|below| below.ends_with('.')),
            Self::Name(name) => name == host,
            Self::Network(..) => false,
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("*"),
            Self::Below(name) => write!(formatter, "*.{name}"),
            Self::Name(name) => formatter.write_str(name),
            Self::Network(address, bits) if *bits == width(*address) => address.fmt(formatter),
            Self::Network(address, bits) => write!(formatter, "{address}/{bits}"),
        }
    }
}

/// Whether an address is one of the internet's: not private, of the machine itself, of its link, of a group, or set
/// aside for something else (<https://www.iana.org/assignments/iana-ipv4-special-registry>, and that for IPv6).
///
/// Of IPv6, only what is given out counts, without the parts that stand for an IPv4 address.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    let is_in =
        |networks: &[(IpAddr, u32)]| networks.iter().any(|(network, bits)| has_prefix(address, *network, *bits));
    match address {
        IpAddr::V4(_) => !is_in(&SET_ASIDE_V4),
        IpAddr::V6(_) => is_in(&[v6(0x2000, 0, 3)]) && !is_in(&SET_ASIDE_V6),
    }
}

const SET_ASIDE_V4: [(IpAddr, u32); 15] = [
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
];

const SET_ASIDE_V6: [(IpAddr, u32); 4] =
    [v6(0x2001, 0, 23), v6(0x2001, 0xdb8, 32), v6(0x2002, 0, 16), v6(0x3fff, 0, 20)];

const fn v4([a, b, c, d]: [u8; 4], bits: u32) -> (IpAddr, u32) {
    (IpAddr::V4(Ipv4Addr::new(a, b, c, d)), bits)
}

const fn v6(first: u16, second: u16, bits: u32) -> (IpAddr, u32) {
    (IpAddr::V6(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0)), bits)
}

/// How many bits an address has.
const fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => Ipv4Addr::BITS,
        IpAddr::V6(_) => Ipv6Addr::BITS,
    }
}

fn has_prefix(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let differing = match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => (address.to_bits() ^ network.to_bits()).leading_zeros(),
        (IpAddr::V6(address), IpAddr::V6(network)) => (address.to_bits() ^ network.to_bits()).leading_zeros(),
        _ => return false,
    };
    differing >= bits
}

fn normalised(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// Whether it is a host's name, or an IPv4 address.
fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=63).contains(&label.len()) && label.bytes().all(allowed)
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for public in
            ["8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "2606:4700::1111", "2a01::1"]
        {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for other in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.8.9.10",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.19.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "::ffff:127.0.0.1",
            "::10.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(other.parse().unwrap()), "{other}");
        }
    }

    #[test]
    fn a_host_is_allowed_by_its_name_or_its_address() {
        let not_public = |address: &str| Err(HostRefusal::NotPublic(address.parse().unwrap()));
        let (inside, outside) = ("10.1.2.3", "8.8.8.8");
        for (list, host, address, expected) in [
            ("*", "nats.example.org", outside, Ok(())),
            ("*", "nats.example.org", inside, not_public(inside)),
            ("*", "8.8.8.8", outside, Ok(())),
            ("*", "127.0.0.1", "127.0.0.1", not_public("127.0.0.1")),
            ("*", "x", "::ffff:10.1.2.3", not_public("::ffff:10.1.2.3")),
            ("*.example.org", "nats.example.org", outside, Ok(())),
            ("*.example.org", "a.b.example.org", outside, Ok(())),
            ("*.example.org", "nats.example.org", inside, not_public(inside)),
            ("*.example.org", "example.org", outside, Err(HostRefusal::NotListed)),
            ("*.example.org", "badexample.org", outside, Err(HostRefusal::NotListed)),
            ("*.example.org", "example.org.evil.net", outside, Err(HostRefusal::NotListed)),
            ("nats.example.org", "nats.example.org", inside, Ok(())),
            ("NATS.Example.org.", "nats.example.org", inside, Ok(())),
            ("nats.example.org", "other.example.org", inside, Err(HostRefusal::NotListed)),
            ("10.0.0.0/8", "nats.example.org", inside, Ok(())),
            ("10.0.0.0/8", "nats.example.org", "::ffff:10.1.2.3", Ok(())),
            ("10.0.0.0/8", "nats.example.org", "11.0.0.1", Err(HostRefusal::NotListed)),
            ("10.1.2.3", "10.1.2.3", inside, Ok(())),
            ("10.1.2.3", "10.1.2.4", "10.1.2.4", Err(HostRefusal::NotListed)),
            ("fd00::/8", "x", "fd00::1", Ok(())),
            ("0.0.0.0/0", "x", "::1", Err(HostRefusal::NotListed)),
            ("*,10.0.0.0/8", "x", inside, Ok(())),
            ("*,10.0.0.0/8", "x", "192.168.0.1", not_public("192.168.0.1")),
            ("", "x", outside, Err(HostRefusal::NotListed)),
        ] {
            let hosts = AllowedHosts::parse(list.split(',').filter(|entry| !entry.is_empty())).unwrap();
            assert_eq!(hosts.permit(host, address.parse().unwrap()), expected, "{list}: {host} at {address}");
            assert!(hosts.may_have(host) || expected == Err(HostRefusal::NotListed), "{list}: {host}");
        }
    }

    #[test]
    fn an_entry_is_a_host_or_a_network() {
        for bad in
            ["", "*.", "*x", "a.*", "a b", "nats://x", "x:4222", "10.0.0.0/33", "10.0.0/8", "x/8", "-.@", "::1/129"]
        {
            assert_eq!(AllowedHosts::parse([bad]), Err(bad.to_owned()), "{bad:?}");
        }
        let good = ["*", "*.example.org", "nats.example.org", "10.0.0.0/8", "127.0.0.1", "::1", "fd00::/8"];
        assert_eq!(AllowedHosts::parse(good).unwrap().entries(), good);
    }

    #[test]
    fn a_url_is_a_scheme_a_host_and_a_port() {
        for (text, is_tls, host, port, written) in [
            ("nats://nats.example.org", false, "nats.example.org", 4222, "nats://nats.example.org:4222"),
            ("tls://NATS.Example.org.:443", true, "nats.example.org", 443, "tls://nats.example.org:443"),
            ("nats://[2a01::1]:5222", false, "2a01::1", 5222, "nats://[2a01::1]:5222"),
            ("nats://[::1]", false, "::1", 4222, "nats://[::1]:4222"),
            // What a name like that means is for whoever looks it up, and the address is judged.
            ("nats://0x7f.1", false, "0x7f.1", 4222, "nats://0x7f.1:4222"),
        ] {
            let url: ServerUrl = text.parse().unwrap();
            assert_eq!(url, ServerUrl { is_tls, host: host.to_owned(), port });
            assert_eq!(url.to_string(), written);
        }
        let long = format!("nats://{}", "a".repeat(300));
        for (text, wrong) in [
            (long.as_str(), BadServerUrl::TooLong),
            ("", BadServerUrl::Scheme),
            ("nats.example.org", BadServerUrl::Scheme),
            ("http://nats.example.org", BadServerUrl::Scheme),
            ("ws://nats.example.org", BadServerUrl::Scheme),
            ("nats://user:password@nats.example.org", BadServerUrl::User),
            ("nats://", BadServerUrl::Place),
            ("nats://:4222", BadServerUrl::Place),
            ("nats://a:0", BadServerUrl::Place),
            ("nats://a:99999", BadServerUrl::Place),
            ("nats://a,b", BadServerUrl::Place),
            ("nats://a/b", BadServerUrl::Place),
            ("nats://a?b", BadServerUrl::Place),
            ("nats://a b", BadServerUrl::Place),
            ("nats://[::1", BadServerUrl::Place),
            ("nats://[x]", BadServerUrl::Place),
            ("nats://[::1]x", BadServerUrl::Place),
            ("nats://::1", BadServerUrl::Place),
        ] {
            assert_eq!(text.parse::<ServerUrl>(), Err(wrong), "{text}");
        }
    }
}
