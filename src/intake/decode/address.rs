//! Hides network addresses in free text: `connected` carries players' addresses in a field of their own, which is
//! never read, but game servers also write them into reasons, and admins into commands.
//!
//! It looks for the written forms of IPv4 and IPv6 addresses only. A server's address in chat is hidden with them:
//! better than publishing where somebody lives.

use std::borrow::Cow;
use std::net::Ipv6Addr;

/// What is written where an address stood.
pub(super) const HIDDEN_ADDRESS: &str = "[address]";

/// `255.255.255.255`.
const LONGEST_FOUR: usize = 15;

/// `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255`.
const LONGEST_SIX: usize = 45;

/// `text` without network addresses.
pub(super) fn hide_addresses(text: &str) -> Cow<'_, str> {
    // Most texts hold none of this, and chat is the most frequent text there is.
    if text.bytes().filter(|byte| matches!(byte, b'.' | b':')).count() < 2 {
        return Cow::Borrowed(text);
    }
    let mut hidden = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(may_belong) {
        let (before, from_start) = rest.split_at(start);
        let end = from_start.find(|character| !may_belong(character)).unwrap_or(from_start.len());
        let (word, after) = from_start.split_at(end);
        hidden.push_str(before);
        hide_in_word(word, &mut hidden);
        rest = after;
    }
    hidden.push_str(rest);
    Cow::Owned(hidden)
}

/// What a word with an address in it consists of.
fn may_belong(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '.' || character == ':'
}

/// Appends `word` to `hidden`, without the addresses in it. Each place is looked at once: words can be a megabyte long.
fn hide_in_word(word: &str, hidden: &mut String) {
    let six = version_six(word);
    let mut rest = six.map_or(word, |(start, _)| &word[..start]);
    while let Some((start, end)) = version_four(rest) {
        hidden.push_str(&rest[..start]);
        hidden.push_str(HIDDEN_ADDRESS);
        rest = &rest[end..];
    }
    hidden.push_str(rest);
    if let Some((_, end)) = six {
        hidden.push_str(HIDDEN_ADDRESS);
        hidden.push_str(&word[end..]);
    }
}

/// Where the first dotted quad stands, with its port. Numbers that go on after the fourth belong to it.
fn version_four(word: &str) -> Option<(usize, usize)> {
    let is_group = |group: &str| (1..=3).contains(&group.len()) && group.parse::<u16>().is_ok_and(|n| n <= 255);
    let belongs = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let mut from = 0;
    loop {
        let start = from + word[from..].find(|character: char| character.is_ascii_digit())?;
        let quad_end = word.len().min(start + LONGEST_FOUR + 1);
        let mut groups = word[start..start + length_of(&word[start..quad_end], belongs)].split('.');
        if (0..4).all(|_| groups.next().is_some_and(is_group)) {
            let run = &word[start..start + length_of(&word[start..], belongs)];
            let end = start + run.trim_end_matches('.').len();
            let port = word[end..].strip_prefix(':').map_or(0, |port| length_of(port, |byte| byte.is_ascii_digit()));
            return Some((start, if port == 0 { end } else { end + 1 + port }));
        }
        from = start + length_of(&word[start..], |byte| byte.is_ascii_digit());
    }
}

/// Where an IPv6 address stands that is the word's end, possibly after words and colons such as `ip:`.
fn version_six(word: &str) -> Option<(usize, usize)> {
    let end = word.trim_end_matches('.').len();
    let first = end.saturating_sub(LONGEST_SIX);
    let colons = word[first..end].match_indices(':').map(|(colon, _)| first + colon + 1);
    std::iter::once(first).chain(colons).map(|start| (start, end)).find(|(start, end)| {
        let candidate = &word[*start..*end];
        // `::` and `a::b` are addresses too, but people write them for other reasons.
        candidate.parse::<Ipv6Addr>().is_ok() && candidate.bytes().any(|byte| byte.is_ascii_digit())
    })
}

fn length_of(text: &str, belongs: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|byte| belongs(*byte)).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_hidden_wherever_they_stand() {
        for (text, hidden) in [
            ("203.0.113.7", "[address]"),
            ("Timed out: 203.0.113.7:28015.", "Timed out: [address]."),
            ("ip:203.0.113.7,198.51.100.2", "ip:[address],[address]"),
            ("id:203.0.113.007 (v1.2)", "id:[address] (v1.2)"),
            ("203.0.113.7.28015", "[address]"),
            ("x203.0.113.7y", "x[address]y"),
            ("[2001:db8::7]:28015", "[[address]]:28015"),
            ("from 2001:db8:0:0:0:0:0:7.", "from [address]."),
            ("ip:fe80::1", "ip:[address]"),
            ("::ffff:203.0.113.7", "[address]"),
            ("203.0.113.7x198.51.100.2:fe80::1", "[address]x[address]:[address]"),
            ("999.203.0.113.7", "999.[address]"),
        ] {
            assert_eq!(hide_addresses(text), hidden);
        }
    }

    #[test]
    fn other_numbers_stay() {
        for text in ["v1.2.3", "12:30:45", "3.14", "300.1.2.3", "std::env::var", "lol...", "1.2.3.", ":::", "a::b", ""]
        {
            assert_eq!(hide_addresses(text), text);
        }
    }

    proptest! {
        #[test]
        fn no_address_gets_through(before in "[a-z :.(]{0,6}", four in any::<[u8; 4]>(), after in "[ ,;)a-z]{0,6}") {
            let address = std::net::Ipv4Addr::from(four).to_string();
            let text = format!("{before}{address}{after}");
            prop_assert!(!hide_addresses(&text).contains(&address), "{text}");
        }

        #[test]
        fn no_address_of_the_newer_kind_either(before in "(ip:|\\[|from |)", six in any::<[u16; 8]>(), after in "(\\]:7|\\.|, |)") {
            let address = std::net::Ipv6Addr::from(six).to_string();
            prop_assume!(address.bytes().any(|byte| byte.is_ascii_digit()));
            let text = format!("{before}{address}{after}");
            prop_assert!(!hide_addresses(&text).contains(&address), "{text}");
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9a-f.:é ]{0,40}") {
            let _ = hide_addresses(&text);
        }
    }
}
