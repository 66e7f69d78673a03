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
mod tests;
