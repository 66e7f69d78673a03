//! Sections `operator` and `tiers`: what `guildwire operator` works with.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::given::Given;
use super::values::{bytes, number, optional_nats_url, optional_path};
use super::{quoted, shown_path};
use crate::domain::tier::{DEFAULT_TIER, Tier};

/// Section `operator`: the operator's own nats-server, in operator mode.
#[derive(Debug, Clone)]
pub struct Operator {
    /// The file with the seed that account JWTs are signed with.
    pub signing_key_file: Option<PathBuf>,
    /// The `.creds` file of a user of the system account.
    pub system_creds_file: Option<PathBuf>,
    /// Where nats-server is, if not at `nats.url`.
    pub url: Option<String>,
}

/// A tier's bytes: from what a stream can begin with to a pebibyte.
const FILE: RangeInclusive<u64> = 65_536..=1 << 50;
const MEMORY: RangeInclusive<u64> = 0..=1 << 50;
const STREAMS: RangeInclusive<u32> = 1..=10_000;
const CONSUMERS: RangeInclusive<u32> = 1..=10_000;
const CONNECTIONS: RangeInclusive<u32> = 1..=1_000_000;

impl Operator {
    pub(super) fn read(given: &mut Given) -> Self {
        Self {
            signing_key_file: given.read("operator.signing_key_file", optional_path),
            system_creds_file: given.read("operator.system_creds_file", optional_path),
            url: given.read("operator.url", optional_nats_url),
        }
    }

    pub(super) fn shown(&self) -> [(&'static str, String); 3] {
        [
            ("operator.signing_key_file", quoted(&shown_path(self.signing_key_file.as_deref()))),
            ("operator.system_creds_file", quoted(&shown_path(self.system_creds_file.as_deref()))),
            ("operator.url", quoted(self.url.as_deref().unwrap_or_default())),
        ]
    }
}

/// Every tier by its name. What one leaves out is as in the default one.
pub(super) fn read_tiers(given: &mut Given) -> BTreeMap<String, Tier> {
    let free = Tier {
        max_file: given.read("tiers.free.max_file", |value| bytes(value, FILE)),
        max_mem: given.read("tiers.free.max_mem", |value| bytes(value, MEMORY)),
        max_streams: given.read("tiers.free.max_streams", |value| number(value, STREAMS)),
        max_consumers: given.read("tiers.free.max_consumers", |value| number(value, CONSUMERS)),
        max_connections: given.read("tiers.free.max_connections", |value| number(value, CONNECTIONS)),
    };
    let mut others = given.tiers();
    others.remove(DEFAULT_TIER);
    let mut tiers = BTreeMap::from([(DEFAULT_TIER.to_owned(), free)]);
    for name in others {
        let key = |key: &str| format!("tiers.{name}.{key}");
        let tier = Tier {
            max_file: given.find(&key("max_file"), |value| bytes(value, FILE)).unwrap_or(free.max_file),
            max_mem: given.find(&key("max_mem"), |value| bytes(value, MEMORY)).unwrap_or(free.max_mem),
            max_streams: given.find(&key("max_streams"), |value| number(value, STREAMS)).unwrap_or(free.max_streams),
            max_consumers: given
                .find(&key("max_consumers"), |value| number(value, CONSUMERS))
                .unwrap_or(free.max_consumers),
            max_connections: given
                .find(&key("max_connections"), |value| number(value, CONNECTIONS))
                .unwrap_or(free.max_connections),
        };
        tiers.insert(name, tier);
    }
    tiers
}

pub(super) fn shown_tiers(tiers: &BTreeMap<String, Tier>) -> impl Iterator<Item = (String, String)> {
    tiers.iter().flat_map(|(name, tier)| {
        let values = [
            ("max_file", quoted(&tier.max_file.to_string())),
            ("max_mem", quoted(&tier.max_mem.to_string())),
            ("max_streams", tier.max_streams.to_string()),
            ("max_consumers", tier.max_consumers.to_string()),
            ("max_connections", tier.max_connections.to_string()),
        ];
        values.map(|(key, value)| (format!("tiers.{name}.{key}"), value))
    })
}
