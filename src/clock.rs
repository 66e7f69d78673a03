//! The one place that reads the time.
//!
//! Everything else is handed a [`Timestamp`], taken once per unit of work, so that a rule about time can be tested
//! at any moment. This file does not wait and keeps no state; waiting is tokio's business.

use std::time::SystemTime;

use crate::domain::timestamp::Timestamp;

/// What time it is, by the machine's own clock. Take it once per unit of work and hand it down.
#[must_use]
pub fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the time")]
    let moment = SystemTime::now();
    time::OffsetDateTime::from(moment).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_later_than_when_this_was_written() {
        let written = Timestamp::from_nanoseconds(1_735_689_600_000_000_000);
        assert_eq!(written.rfc3339(), "2025-01-01T00:00:00Z");
        assert!(now() > written);
    }
}
