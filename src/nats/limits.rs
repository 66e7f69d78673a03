//! What an account uses of what it may use on JetStream, from the answer to `$JS.API.INFO`.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use crate::domain::fault::Fault;

/// An account's use of JetStream and its limits, as far as there are any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// How many bytes its streams keep on disk.
    pub storage: u64,
    /// How many they may keep there.
    pub max_storage: Option<u64>,
    /// How many consumers it has.
    pub consumers: u64,
    /// How many it may have on each stream.
    pub max_consumers: Option<u64>,
}

impl Limits {
    /// That the account's storage is full, if it is. A message is refused that does not fit whole, so the last bytes
    /// stay free for ever: a hundredth of the limit counts as nothing.
    #[must_use]
    pub fn storage_full(&self) -> Option<Fault> {
        let limit = self.max_storage?;
        let full = self.storage >= limit - limit / 100;
        full.then_some(Fault::StorageFull { used: self.storage, limit })
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { storage, max_storage, consumers, max_consumers } = self;
        write!(formatter, "{storage} bytes stored")?;
        max_storage.map_or(Ok(()), |limit| write!(formatter, " of {limit}"))?;
        write!(formatter, ", {consumers} consumers")?;
        max_consumers.map_or(Ok(()), |limit| write!(formatter, " of {limit} on each stream"))
    }
}

/// The answer. An account with tiers has a use and limits for each, and none of its own.
#[derive(Deserialize)]
pub(super) struct AccountInfo {
    #[serde(flatten)]
    whole: Tier,
    #[serde(default)]
    tiers: BTreeMap<String, Tier>,
}

#[derive(Deserialize)]
struct Tier {
    #[serde(default)]
    storage: u64,
    #[serde(default)]
    consumers: u64,
    #[serde(default)]
    limits: TierLimits,
}

/// Limits as nats-server writes them: -1 is none.
#[derive(Deserialize, Default)]
struct TierLimits {
    #[serde(default)]
    max_storage: i64,
    #[serde(default)]
    max_consumers: i64,
}

impl From<AccountInfo> for Limits {
    fn from(AccountInfo { whole, tiers }: AccountInfo) -> Self {
        let limit = |given: i64| u64::try_from(given).ok().filter(|limit| *limit > 0);
        let of = |tier: &Tier| Self {
            storage: tier.storage,
            max_storage: limit(tier.limits.max_storage),
            consumers: tier.consumers,
            max_consumers: limit(tier.limits.max_consumers),
        };
        // The fullest tier is the one that matters.
        let fullest = tiers.values().map(of).max_by_key(|limits| (limits.storage_full().is_some(), limits.storage));
        fullest.unwrap_or_else(|| of(&whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Limits {
        serde_json::from_str::<AccountInfo>(text).unwrap().into()
    }

    #[test]
    fn limits_are_read_with_and_without_tiers() {
        let plain = r#"{"storage":990,"consumers":2,"limits":{"max_storage":1000,"max_consumers":-1}}"#;
        let wanted = Limits { storage: 990, max_storage: Some(1000), consumers: 2, max_consumers: None };
        assert_eq!(read(plain), wanted);
        assert_eq!(wanted.storage_full(), Some(Fault::StorageFull { used: 990, limit: 1000 }));
        let tiers = r#"{"storage":0,"limits":{},"tiers":{
            "R1":{"storage":5,"consumers":1,"limits":{"max_storage":10,"max_consumers":1}},
            "R3":{"storage":7,"consumers":0,"limits":{"max_storage":7,"max_consumers":-1}}}}"#;
        assert_eq!(read(tiers).storage_full(), Some(Fault::StorageFull { used: 7, limit: 7 }));
        assert_eq!(read(r#"{"storage":5,"limits":{"max_storage":-1}}"#).storage_full(), None);
        assert_eq!(read("{}"), Limits::default());
    }
}
