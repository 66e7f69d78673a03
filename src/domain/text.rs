//! Makes text that strangers wrote safe to show in Discord: names, chat, reasons, whatever a payload brought.
//!
//! Discord's advice is to sanitise such text (<https://discord.com/developers/docs/resources/message>); what that
//! takes is decided here and nowhere else. It is the second lock: a message's `allowed_mentions` is the first, and
//! nothing here knows about messages. [`display`] is for embed text that renders markdown, [`plain`] for the places
//! that don't (a footer), where a backslash would be seen.

use unicode_segmentation::UnicodeSegmentation;

/// `raw` as it may stand in text that renders markdown, at most `max_utf16` long; `placeholder`, which is trusted,
/// when nothing visible is left.
///
/// The order matters: cleaning first, so that no stripped character can split what escaping looks for; cutting last,
/// so that the bound is the bound of what is sent.
#[must_use]
pub fn display(raw: &str, max_utf16: usize, placeholder: &str) -> String {
    let cleaned = clean(raw);
    if cleaned.is_empty() { placeholder.to_owned() } else { cut(&escape(&cleaned), max_utf16) }
}

/// `raw` as it may stand in text that renders no markdown, otherwise like [`display`].
#[must_use]
pub fn plain(raw: &str, max_utf16: usize, placeholder: &str) -> String {
    let cleaned = clean(raw);
    if cleaned.is_empty() { placeholder.to_owned() } else { cut(&break_mass_mentions(&cleaned), max_utf16) }
}

/// `raw` on one line, without what is invisible, reorders its surroundings or piles up over them, and without Rust's
/// rich-text tags. Empty when nothing visible is left.
///
/// Joiners go as well, so a family emoji falls apart into its members: a harmless price for knowing that two names
/// that look the same are the same.
#[must_use]
pub fn clean(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    for character in raw.chars() {
        if looks_like_space(character) {
            if !text.is_empty() && !text.ends_with(' ') {
                text.push(' ');
            }
        } else if character == EMOJI_STYLE {
            if text.ends_with(|last: char| last != ' ' && last != EMOJI_STYLE) {
                text.push(character);
            }
        } else if is_combining(character) {
            if may_take_another_mark(&text) {
                text.push(character);
            }
        } else if !is_unseen(character) {
            text.push(character);
            if character == '>' {
                drop_ending_tag(&mut text);
            }
        }
    }
    let mut text = thin_out(text);
    text.truncate(text.trim_end().len());
    text
}

/// `cleaned` with everything that Discord gives a meaning made inert: markdown, mentions, custom emoji, timestamps,
/// links. Expects what [`clean`] returns: one line.
///
/// Discord takes a backslash before any punctuation as "this character, nothing else"
/// (<https://support.discord.com/hc/en-us/articles/210298617>). What has a meaning only at a line's start or inside a
/// link is escaped everywhere too: this function can't know what its result is put behind.
#[must_use]
pub fn escape(cleaned: &str) -> String {
    let mut text = String::with_capacity(cleaned.len() + cleaned.len() / 4);
    for character in break_mass_mentions(cleaned).chars() {
        if SPECIAL.contains(character) {
            text.push('\\');
        }
        text.push(character);
    }
    text
}

/// `text` cut to `max_utf16` UTF-16 code units, at a grapheme's boundary, ending in `…` where something is missing.
///
/// Discord doesn't document its counting unit; UTF-16 is the largest of the plausible ones. A backslash that has lost
/// the character it escapes goes too: it would escape what is put behind it.
#[must_use]
pub fn cut(text: &str, max_utf16: usize) -> String {
    if utf16_length(text) <= max_utf16 {
        return text.to_owned();
    }
    let Some(room) = max_utf16.checked_sub(utf16_length(ELLIPSIS)) else {
        return String::new();
    };
    let mut used = 0;
    let mut end = 0;
    for (start, grapheme) in text.grapheme_indices(true) {
        used += utf16_length(grapheme);
        if used > room {
            break;
        }
        end = start + grapheme.len();
    }
    let mut kept = text[..end].trim_end();
    let backslashes = kept.len() - kept.trim_end_matches('\\').len();
    if backslashes % 2 == 1 {
        kept = kept[..kept.len() - 1].trim_end();
    }
    format!("{kept}{ELLIPSIS}")
}

/// Text that was made for a place that renders markdown, as it reads there: for files, which render none. Knows the
/// markdown that the bot itself writes: bold, links with a label, and what [`escape`] does.
#[must_use]
pub fn without_markdown(markdown: &str) -> String {
    let mut text = String::with_capacity(markdown.len());
    let mut rest = markdown.chars();
    while let Some(character) = rest.next() {
        match character {
            '\\' => text.extend(rest.next()),
            '*' | '`' | '[' => {}
            // The address behind a label. None of ours has a parenthesis in it.
            ']' => rest.by_ref().take_while(|character| *character != ')').for_each(drop),
            other => text.push(other),
        }
    }
    text
}

/// How long Discord takes `text` to be, at most.
#[must_use]
pub fn utf16_length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

const ELLIPSIS: &str = "…";

/// Variation selector 16: makes ❤ a red heart rather than a black one. The one invisible character that is kept, once,
/// behind a visible one.
const EMOJI_STYLE: char = '\u{FE0F}';

/// Punctuation that Discord gives a meaning, somewhere.
const SPECIAL: &str = "\\*_~`|><#-+.[]()@:";

/// Vietnamese, written decomposed, needs two.
const MARKS_KEPT: usize = 2;

/// Characters of one grapheme. Hangul needs three, a skin tone two, long Indic clusters up to eight.
const GRAPHEME_KEPT: usize = 8;

/// Rich-text tags of Unity's text mesh, which Rust's chat renders and players put into their names.
const TAGS: &[&str] = &[
    "align",
    "alpha",
    "b",
    "color",
    "cspace",
    "font",
    "i",
    "indent",
    "line-height",
    "link",
    "lowercase",
    "margin",
    "mark",
    "material",
    "mspace",
    "nobr",
    "noparse",
    "page",
    "pos",
    "quad",
    "rotate",
    "s",
    "size",
    "smallcaps",
    "space",
    "sprite",
    "style",
    "sub",
    "sup",
    "u",
    "uppercase",
    "voffset",
    "width",
];

/// No tag that means something is longer, and looking further back would make hostile text slow.
const TAG_LENGTH: usize = 64;

/// Takes the power from `@everyone` and `@here` by writing them with a full-width `＠`.
///
/// A backslash only tells the client to show the text as it is; the server looks for these two words in the raw text,
/// where `\@everyone` still holds one. A zero-width character inside the word would do, but is what is cleaned away
/// elsewhere. Every other mention needs `<` before its `@`, and escaping parts these two.
fn break_mass_mentions(text: &str) -> String {
    let mut broken = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, from_at) = rest.split_at(at);
        let word = &from_at[1..];
        let fires = starts_ignoring_case(word, "everyone") || starts_ignoring_case(word, "here");
        broken.push_str(before);
        broken.push(if fires { '＠' } else { '@' });
        rest = word;
    }
    broken.push_str(rest);
    broken
}

fn starts_ignoring_case(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// White space, line ends, and the blanks that are drawn as nothing but count as letters.
fn looks_like_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{2800}' | '\u{3164}' | '\u{FFA0}' | '\u{115F}' | '\u{1160}')
}

/// Controls, direction overrides and marks, joiners, zero-width characters, tags, noncharacters.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FE00}'..='\u{FE0E}' | '\u{FEFF}' | '\u{FFF0}'..='\u{FFFB}' | '\u{FDD0}'..='\u{FDEF}'
            | '\u{13430}'..='\u{1343F}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}')
        || character as u32 & 0xFFFE == 0xFFFE
}

/// The marks that zalgo text is made of. Marks that belong to a script are left to [`thin_out`].
fn is_combining(character: char) -> bool {
    matches!(character,
        '\u{0300}'..='\u{034E}' | '\u{0350}'..='\u{036F}' | '\u{0483}'..='\u{0489}' | '\u{1AB0}'..='\u{1AFF}'
        | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}')
}

/// Whether `text` ends in something that a mark can stand on, and not in too many of them already.
fn may_take_another_mark(text: &str) -> bool {
    let marks = text.chars().rev().take(MARKS_KEPT).take_while(|last| is_combining(*last)).count();
    marks < MARKS_KEPT && text.ends_with(|last: char| last != ' ')
}

/// Removes the rich-text tag that `text` ends with, if it does. Called at each `>`, it also catches tags that appear
/// when one inside them is taken away.
fn drop_ending_tag(text: &mut String) {
    let Some((start, _)) = text.char_indices().rev().take(TAG_LENGTH).find(|(_, character)| *character == '<') else {
        return;
    };
    let inside = text[start + 1..text.len() - 1].trim_start_matches('/');
    let name = inside.split(['=', ' ']).next().unwrap_or_default();
    let is_colour = name.strip_prefix('#').is_some_and(|digits| {
        matches!(digits.len(), 3 | 4 | 6 | 8) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    if is_colour || TAGS.iter().any(|tag| tag.eq_ignore_ascii_case(name)) {
        text.truncate(start);
    }
}

/// Cuts each grapheme to what a script can need: Thai and Arabic marks pile up as well as any.
fn thin_out(text: String) -> String {
    if text.is_ascii() {
        return text;
    }
    text.graphemes(true).flat_map(|grapheme| grapheme.chars().take(GRAPHEME_KEPT)).collect()
}

#[cfg(test)]
mod tests;
