//! How much an account of the operator's own nats-server may use.

use std::fmt;

/// The tier of whoever is given no other.
pub const DEFAULT_TIER: &str = "free";

/// What an account may use. nats-server sets the bytes aside for it: they are no mere upper bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// How much its streams may keep on the disk.
    pub max_file: Bytes,
    /// How much its streams may keep in memory.
    pub max_mem: Bytes,
    /// How many streams it may have.
    pub max_streams: u32,
    /// How many consumers each of its streams may have.
    pub max_consumers: u32,
    /// How many connections its users may have open at once.
    pub max_connections: u32,
}

/// A number of bytes, read and written as nats-server's own settings do it: `1G` is 1,024 times `1M`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

const UNITS: [(char, u32); 4] = [('T', 40), ('G', 30), ('M', 20), ('K', 10)];

impl Bytes {
    /// From a number and a unit, such as `256M`, or a number alone.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let unit = UNITS.iter().find_map(|(unit, power)| Some((text.strip_suffix(*unit)?, *power)));
        let (digits, power) = unit.unwrap_or((text, 0));
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number: u64 = if is_number { digits.parse().ok()? } else { return None };
        number.checked_mul(1 << power).map(Self)
    }
}

impl fmt::Display for Bytes {
    /// In the largest unit that leaves nothing over.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.iter().find(|(_, power)| self.0 != 0 && self.0.trailing_zeros() >= *power);
        match unit {
            Some((unit, power)) => write!(formatter, "{}{unit}", self.0 >> power),
            None => write!(formatter, "{}", self.0),
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { max_file, max_mem, max_streams, max_consumers, max_connections } = self;
        write!(
            formatter,
            "max_file {max_file}, max_mem {max_mem}, max_streams {max_streams}, max_consumers {max_consumers}, \
             max_connections {max_connections}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_and_written_with_units() {
        for (text, bytes) in [("0", 0), ("1000", 1000), ("64K", 65_536), ("256M", 268_435_456), ("1G", 1 << 30)] {
            assert_eq!(Bytes::from_text(text), Some(Bytes(bytes)), "{text}");
            assert_eq!(Bytes(bytes).to_string(), text);
        }
        assert_eq!(Bytes(1536 << 20).to_string(), "1536M");
        for wrong in ["", "G", "1 G", "1g", "1GB", "-1", "+1", "1.5G", "99999999T"] {
            assert_eq!(Bytes::from_text(wrong), None, "{wrong}");
        }
    }
}
