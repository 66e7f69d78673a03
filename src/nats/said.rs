//! What a server says, as it may go into faults, logs and reports: anybody's server may be at the other end, and say
//! anything, of any length.

use std::fmt::Display;

use crate::domain::text::plain;

/// How much of it is kept, in UTF-16 units: the longest subject that guildwire itself publishes to fits.
const LONGEST: usize = 400;

/// What a server said, on one line, without what terminals obey, and cut.
pub(super) fn said(text: impl Display) -> String {
    plain(&text.to_string(), LONGEST, "?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_short_and_moves_no_terminal() {
        assert_eq!(said("a\u{1b}[2J\r\nb\u{202e}"), "a[2J b");
        assert_eq!(said("x".repeat(100_000)).chars().count(), LONGEST);
        assert_eq!(said("\u{7}"), "?");
    }
}
