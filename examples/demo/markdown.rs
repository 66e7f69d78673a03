//! As much of Discord's markdown as guildwire writes, laid out for a terminal.

use std::collections::BTreeMap;

/// How a character is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// As it is.
    Plain,
    /// `**bold**`.
    Bold,
    /// A link's label, or a mention.
    Link,
    /// `` `code` ``.
    Code,
}

/// Text as its reader sees it.
pub(crate) type Styled = Vec<(char, Style)>;

/// Resolves what Discord's client resolves: the names behind ids, and the time since a moment.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// What channels and roles are called.
    pub(crate) names: BTreeMap<u64, String>,
}

impl Reader {
    /// One line of markdown as a reader sees it.
    pub(crate) fn read(&self, markdown: &str, now: i64) -> Styled {
        let mut styled = Styled::new();
        let mut rest = markdown;
        let (mut bold, mut code) = (false, false);
        while let Some(character) = rest.chars().next() {
            let style = match (bold, code) {
                (_, true) => Style::Code,
                (true, false) => Style::Bold,
                (false, false) => Style::Plain,
            };
            let after = &rest[character.len_utf8()..];
            if let (false, '\\', Some(escaped)) = (code, character, after.chars().next()) {
                styled.push((escaped, style));
                rest = &after[escaped.len_utf8()..];
            } else if let (false, Some(after)) = (code, rest.strip_prefix("**")) {
                bold = !bold;
                rest = after;
            } else if character == '`' {
                code = !code;
                rest = after;
            } else if let Some((shown, style, after)) = self.special(rest, now) {
                styled.extend(shown.chars().map(|character| (character, style)));
                rest = after;
            } else {
                styled.push((character, style));
                rest = after;
            }
        }
        styled
    }

    /// What a mention, a moment or a link at the beginning of `text` is shown as, how, and what follows it.
    fn special<'a>(&self, text: &'a str, now: i64) -> Option<(String, Style, &'a str)> {
        if let Some(inside) = text.strip_prefix('[') {
            let (label, rest) = inside.split_once("](")?;
            let (_address, after) = rest.split_once(')')?;
            return Some((label.to_owned(), Style::Link, after));
        }
        let (inside, after) = text.strip_prefix('<')?.split_once('>')?;
        if let Some(moment) = inside.strip_prefix("t:") {
            let (seconds, format) = moment.split_once(':')?;
            let seconds: i64 = seconds.parse().ok()?;
            let shown = if format == "R" { since(now - seconds) } else { "today".to_owned() };
            return Some((shown, Style::Plain, after));
        }
        let id = inside.strip_prefix('#').or_else(|| inside.strip_prefix("@&"))?;
        Some((self.names.get(&id.parse().ok()?)?.clone(), Style::Link, after))
    }
}

fn since(seconds: i64) -> String {
    match seconds {
        ..=0 => "now".to_owned(),
        1 => "a second ago".to_owned(),
        2..=59 => format!("{seconds} seconds ago"),
        60..=119 => "a minute ago".to_owned(),
        _ => format!("{} minutes ago", seconds / 60),
    }
}

/// Breaks text into lines of at most `width` characters, at spaces where there are any.
pub(crate) fn wrap(text: &[(char, Style)], width: usize) -> Vec<&[(char, Style)]> {
    let mut lines = Vec::new();
    let mut rest = text;
    while rest.len() > width {
        let space = rest[..=width].iter().rposition(|(character, _)| *character == ' ').filter(|at| *at > 0);
        let (line, after) = match space {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => rest.split_at(width),
        };
        lines.push(line);
        rest = after;
    }
    lines.push(rest);
    lines
}
