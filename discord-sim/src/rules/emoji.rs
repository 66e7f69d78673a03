//! What Discord takes for an emoji in a path: one of Unicode's, or `name:id` of a custom one.

use serde_json::{Value, json};

/// The emoji as the reaction's object has it; nothing if it is none. Guilds have no custom emojis here, so that none is
/// known.
pub(crate) fn read(text: &str) -> Option<Value> {
    let signs = text.chars().count();
    let known = (1..=16).contains(&signs) && text.chars().any(is_pictorial) && text.chars().all(may_stand_in_one);
    known.then(|| json!({ "id": null, "name": text }))
}

/// Signs that are emojis by themselves, and the enclosing keycap
/// (<https://www.unicode.org/reports/tr51/#Emoji_Properties>).
fn is_pictorial(sign: char) -> bool {
    matches!(sign,
        '\u{A9}' | '\u{AE}' | '\u{203C}' | '\u{2049}' | '\u{20E3}' | '\u{2122}' | '\u{2139}' | '\u{3030}' | '\u{303D}'
        | '\u{3297}' | '\u{3299}' | '\u{2194}'..='\u{21AA}' | '\u{2300}'..='\u{23FF}' | '\u{24C2}'
        | '\u{25AA}'..='\u{27BF}' | '\u{2934}'..='\u{2935}' | '\u{2B05}'..='\u{2B55}' | '\u{1F000}'..='\u{1FAFF}')
}

/// Besides: joiners, the variation selector, tags of flags, and the digits and signs of keycaps.
fn may_stand_in_one(sign: char) -> bool {
    is_pictorial(sign)
        || sign.is_ascii_digit()
        || matches!(sign, '#' | '*' | '\u{200D}' | '\u{FE0F}' | '\u{E0020}'..='\u{E007F}')
}
