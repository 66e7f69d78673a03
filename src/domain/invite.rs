//! One-time codes that link a guild to an account: their look, and the hash by which they are known again.
//!
//! A code is shown once, when it is made; the database holds its hash alone. It is random enough that a plain SHA-256
//! tells nothing of it.

use std::fmt;

use sha2::{Digest, Sha256};

/// How many characters a code has. Five bits each make 100.
pub const CODE_LENGTH: usize = 20;

/// How many characters stand together, so that a code can be read aloud.
const GROUP_LENGTH: usize = 4;

/// Digits and capitals but for 0, 1, I and O, which are taken for one another.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/// A code, as it is shown: groups joined by dashes. Whoever has it may use it, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct InviteCode(String);

impl InviteCode {
    /// The code that these random bytes stand for; five bits of each count.
    #[must_use]
    pub fn from_random(bytes: [u8; CODE_LENGTH]) -> Self {
        let characters = bytes.map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
        let groups: Vec<String> = characters.chunks(GROUP_LENGTH).map(|group| group.iter().collect()).collect();
        Self(groups.join("-"))
    }

    /// The code as it is shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The hash by which the code is known again.
    #[must_use]
    pub fn hash(&self) -> Vec<u8> {
        invite_code_hash(&self.0)
    }
}

impl fmt::Debug for InviteCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("InviteCode(..)")
    }
}

/// The hash of a code as somebody typed it: case, spaces, dashes and whatever else was pasted along don't matter.
#[must_use]
pub fn invite_code_hash(code: &str) -> Vec<u8> {
    let normalised: String =
        code.chars().filter(char::is_ascii_alphanumeric).map(|character| character.to_ascii_uppercase()).collect();
    Sha256::digest(normalised).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting() -> InviteCode {
        InviteCode::from_random(std::array::from_fn(|index| u8::try_from(index).unwrap()))
    }

    #[test]
    fn a_code_is_grouped_and_has_no_look_alikes() {
        assert_eq!(counting().as_str(), "2345-6789-ABCD-EFGH-JKLM");
        assert_eq!(InviteCode::from_random([255; CODE_LENGTH]).as_str(), "ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ");
        assert!(!ALPHABET.iter().any(|character| b"01IO".contains(character)));
    }

    #[test]
    fn every_character_is_as_likely_as_any_other() {
        let mut counts = std::collections::BTreeMap::new();
        for byte in 0..=u8::MAX {
            let code = InviteCode::from_random([byte; CODE_LENGTH]);
            *counts.entry(code.as_str().to_owned()).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), ALPHABET.len());
        assert!(counts.values().all(|count| *count == 8), "{counts:?}");
    }

    #[test]
    fn a_code_is_known_again_however_it_is_typed() {
        for typed in [
            "2345-6789-ABCD-EFGH-JKLM",
            "23456789abcdefghjklm",
            " 2345 6789 abcd efgh jklm\n",
            "`2345–6789–ABCD–EFGH–JKLM`",
        ] {
            assert_eq!(invite_code_hash(typed), counting().hash(), "{typed:?}");
        }
        for other in ["2345-6789-ABCD-EFGH-JKLN", "2345-6789-ABCD-EFGH", ""] {
            assert_ne!(invite_code_hash(other), counting().hash(), "{other:?}");
        }
    }

    #[test]
    fn the_hash_stays_the_same_in_later_versions() {
        let hash = data_encoding::HEXLOWER.encode(&counting().hash());
        assert_eq!(hash, "05bfc468ba31c02b516fc6c6b354fc11ab25c05c52fe3ade7da5501e731b0053");
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", counting()), "InviteCode(..)");
    }
}
