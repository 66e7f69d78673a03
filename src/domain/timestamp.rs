//! A moment, as nats-server stores it: nanoseconds since the Unix epoch.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Nanoseconds since 1970-01-01T00:00:00Z. Holds moments up to the year 2262, which is what a 64-bit column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `nanoseconds` after the epoch.
    #[must_use]
    pub const fn from_nanoseconds(nanoseconds: i64) -> Self {
        Self(nanoseconds)
    }

    /// Nanoseconds since the epoch, the form kept in the database.
    #[must_use]
    pub const fn nanoseconds(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, the form Discord's `<t:…>` takes.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// RFC 3339 in UTC, the form an embed's `timestamp` takes.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0))
            .expect("every i64 of nanoseconds is within time's range");
        moment.format(&Rfc3339).expect("years 1677 to 2262 format as RFC 3339")
    }

    /// The moment `duration` later; the end of time when that lies beyond it.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let nanoseconds = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(nanoseconds))
    }

    /// The moment `duration` earlier; the beginning of time when that lies before it.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let nanoseconds = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(nanoseconds))
    }

    /// A moment as people read it, such as `2026-07-01 12:30 UTC`.
    #[must_use]
    pub fn minute(self) -> String {
        let text = self.rfc3339();
        let (day, rest) = text.split_once('T').expect("RFC 3339 has a T before the time of day");
        format!("{day} {} UTC", &rest[.."12:30".len()])
    }

    /// A moment to the second, such as `2026-07-01 12:30:05 UTC`.
    #[must_use]
    pub fn second(self) -> String {
        let text = self.rfc3339();
        let (day, rest) = text.split_once('T').expect("RFC 3339 has a T before the time of day");
        format!("{day} {} UTC", &rest[.."12:30:05".len()])
    }

    /// How long after `earlier` this is; zero when it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl From<OffsetDateTime> for Timestamp {
    fn from(moment: OffsetDateTime) -> Self {
        let nanoseconds = moment.unix_timestamp_nanos();
        Self(i64::try_from(nanoseconds).unwrap_or(if nanoseconds < 0 { i64::MIN } else { i64::MAX }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_discord_reads_it() {
        let moment = Timestamp::from_nanoseconds(1_700_000_000_250_000_000);
        assert_eq!(moment.unix_seconds(), 1_700_000_000);
        assert_eq!(moment.rfc3339(), "2023-11-14T22:13:20.25Z");
        assert_eq!(moment.minute(), "2023-11-14 22:13 UTC");
        assert_eq!(Timestamp::from_nanoseconds(0).minute(), "1970-01-01 00:00 UTC");
    }

    #[test]
    fn time_does_not_run_backwards() {
        let early = Timestamp::from_nanoseconds(5);
        let late = early.plus(Duration::from_nanos(7));
        assert_eq!(late.since(early), Duration::from_nanos(7));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(late.minus(Duration::from_nanos(7)), early);
        assert_eq!(late.plus(Duration::MAX), Timestamp::from_nanoseconds(i64::MAX));
    }
}
