//! Numbers: what an event is known by. A letter for its account and six digits, rising within the account, such as
//! `a000123`: in a server's id, a player's name or what somebody said, so that a person reads it in the channel.

use std::fmt;

/// The accounts' letters.
pub(crate) const LETTERS: [char; 3] = ['a', 'b', 'c'];

const DIGITS: usize = 6;

/// The number of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Number {
    /// Which account's, as a place in [`LETTERS`].
    pub(crate) account: usize,
    /// From 1 on.
    pub(crate) count: u32,
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{:0DIGITS$}", LETTERS[self.account], self.count)
    }
}

/// The numbers that stand in a text, in its order. A number is a word of its own.
pub(crate) fn numbers_in(text: &str) -> impl Iterator<Item = Number> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter_map(|word| {
        let first = word.chars().next()?;
        let account = LETTERS.iter().position(|letter| *letter == first)?;
        let digits = word.get(1..)?;
        let is_number = digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit());
        is_number.then(|| digits.parse().ok()).flatten().map(|count| Number { account, count })
    })
}
