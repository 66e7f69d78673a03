//! An event in one line of a list, cut where it is long.

use super::event_embed::{Names, sentence};
use crate::domain::event::Event;
use crate::domain::text::{cut, utf16_length};

/// What stands between what [`sentence`] puts on lines of their own.
const BETWEEN: &str = " · ";

/// What `event` says, on one line of at most `limit` UTF-16 units. Markdown.
#[must_use]
pub fn event_line(event: &Event, names: Names<'_>, limit: usize) -> String {
    shortened(&sentence(event, names).replace('\n', BETWEEN), limit)
}

/// Our own markdown, cut before the bold words or the link that its limit falls into: half of one would change how what
/// comes behind it is shown.
pub(super) fn shortened(markdown: &str, limit: usize) -> String {
    if utf16_length(markdown) <= limit {
        return markdown.to_owned();
    }
    let kept = cut(markdown, limit);
    match unfinished(&kept) {
        Some(start) => format!("{}…", kept[..start].trim_end()),
        None => kept,
    }
}

/// Where the bold words or the link begin that `markdown` ends in, if it does. What strangers wrote is escaped.
fn unfinished(markdown: &str) -> Option<usize> {
    let (mut bold, mut link) = (None, None);
    let mut characters = markdown.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => {
                characters.next();
            }
            '*' if characters.next_if(|(_, next)| *next == '*').is_some() => {
                bold = if bold.is_some() { None } else { Some(at) };
            }
            '[' => link = Some(at),
            ')' => link = None,
            _ => {}
        }
    }
    match (bold, link) {
        (Some(bold), Some(link)) => Some(bold.min(link)),
        (bold, link) => bold.or(link),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Details;
    use crate::domain::timestamp::Timestamp;

    fn event(player: &str, said: &str) -> Event {
        Event {
            account: "GA-1".parse().unwrap(),
            server: "main".into(),
            player: Some("76561198000000001".into()),
            player_name: Some(player.to_owned()),
            stored: Timestamp::default(),
            sequence: 1,
            details: Details::PlayerChatted { message: Some(said.to_owned()) },
        }
    }

    #[test]
    fn what_stands_on_two_lines_stands_on_one() {
        let line = event_line(&event("Ada", "hello"), Names::default(), 100);
        assert_eq!(line, "💬 **Ada** on **main** · hello");
    }

    #[test]
    fn a_line_is_cut_before_what_would_stay_open() {
        for (markdown, limit, wanted) in [
            ("**Ada** left", 12, "**Ada** left"),
            ("**Ada** left **main**", 20, "**Ada** left…"),
            ("**Ada** left **main**", 10, "**Ada** l…"),
            ("see [Steam](https://a.example/b) now", 30, "see…"),
            ("see [Steam](https://a.example/b) now, all of you", 40, "see [Steam](https://a.example/b) now, a…"),
            (r"**a\*\*b** left the server", 20, r"**a\*\*b** left the…"),
            (r"a\[b and much more than fits", 12, r"a\[b and mu…"),
        ] {
            assert_eq!(shortened(markdown, limit), wanted);
            assert!(utf16_length(wanted) <= limit);
        }
    }

    #[test]
    fn whatever_strangers_write_leaves_nothing_open_and_nothing_too_long() {
        for name in ["**", "\\", "[x](", "***a", "`", "||", "a\nb", "@everyone", "<@1>", &"*".repeat(90)] {
            for said in ["**", "[link](https://evil.example", "\\\\\\", &"x**".repeat(500)] {
                for limit in 40..160 {
                    let line = event_line(&event(name, said), Names::default(), limit);
                    assert!(utf16_length(&line) <= limit && !line.contains('\n'), "{line}");
                    assert_eq!(unfinished(&line), None, "{line}");
                    assert!(!line.contains("@everyone"), "{line}");
                }
            }
        }
    }
}
