//! When to try again.

use std::time::Duration;

/// The wait before the attempt after `failures` failed ones: doubling from `first` up to `cap`, of which `random`, from
/// 0 to 1, takes up to half away, so that many who failed together don't come back together.
#[must_use]
pub fn backoff(failures: u32, first: Duration, cap: Duration, random: f64) -> Duration {
    let doubled = first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
    doubled.min(cap).mul_f64(1.0 - random.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_millis(500);
    const CAP: Duration = Duration::from_secs(30);

    #[test]
    fn waits_double_up_to_the_cap() {
        let waits: Vec<_> = [1, 2, 3, 7, 1000].map(|failures| backoff(failures, FIRST, CAP, 0.0)).into();
        assert_eq!(waits, [FIRST, FIRST * 2, FIRST * 4, CAP, CAP]);
    }

    #[test]
    fn chance_takes_at_most_half_away() {
        assert_eq!(backoff(1, FIRST, CAP, 1.0), FIRST / 2);
        assert_eq!(backoff(9, FIRST, CAP, 7.0), CAP / 2);
    }
}
