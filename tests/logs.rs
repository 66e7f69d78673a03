//! docs/logs.md lists every line that guildwire logs above debug: the document is the check.
#![expect(clippy::unwrap_used, reason = "a file of this repository that can't be read is a failure")]

mod sources;

use std::collections::BTreeSet;

use sources::{root, rust_files};

/// A line that is logged: its level, its message, and its fields' names in alphabetical order.
type Event = (String, String, Vec<String>);

#[test]
fn every_log_event_is_explained_and_no_other() {
    let document = std::fs::read_to_string(root().join("docs/logs.md")).unwrap();
    let documented: BTreeSet<Event> = document.lines().filter_map(row).collect();
    let mut logged = BTreeSet::new();
    for file in rust_files(&root().join("src")) {
        let text = std::fs::read_to_string(&file).unwrap();
        for level in ["error", "warn", "info"] {
            for rest in text.split(&format!("tracing::{level}!(")).skip(1) {
                let (message, fields) = arguments(rest);
                let message = message.unwrap_or_else(|| panic!("a line without a message in {}", file.display()));
                assert!(!message.contains('{'), "{}: {message:?} is not the same each time", file.display());
                logged.insert((level.to_owned(), message, fields));
            }
        }
    }
    let unexplained: Vec<_> = logged.difference(&documented).collect();
    let unlogged: Vec<_> = documented.difference(&logged).collect();
    assert!(unexplained.is_empty(), "logged, but not in docs/logs.md: {unexplained:#?}");
    assert!(unlogged.is_empty(), "in docs/logs.md, but not logged: {unlogged:#?}");
}

/// A row of the document's tables.
fn row(line: &str) -> Option<Event> {
    let mut cells = line.strip_prefix("| ")?.split(" | ").map(str::trim);
    let (level, message, fields) = (cells.next()?, cells.next()?, cells.next()?);
    ["error", "warn", "info"].contains(&level).then(|| {
        let mut fields: Vec<_> = fields.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        fields.sort();
        (level.to_owned(), message.trim_matches('`').to_owned(), fields)
    })
}

/// The message and the fields' names in a macro's arguments, of which `text` is the beginning.
fn arguments(text: &str) -> (Option<String>, Vec<String>) {
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    let (mut parts, mut part) = (Vec::new(), String::new());
    for character in text.chars() {
        if quoted {
            quoted = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else {
            match character {
                '"' => quoted = true,
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                _ => {}
            }
        }
        if depth < 0 || (depth == 0 && !quoted && character == ',') {
            parts.push(std::mem::take(&mut part).trim().to_owned());
        } else {
            part.push(character);
        }
        if depth < 0 {
            break;
        }
    }
    parts.retain(|part| !part.is_empty());
    let message = parts.pop_if(|last| last.starts_with('"')).map(|literal| in_one_line(literal.trim_matches('"')));
    let mut fields: Vec<_> = parts.iter().map(|part| field(part)).collect();
    fields.sort();
    (message, fields)
}

/// `account` of `account = %self.account`, and `account` of `%self.account` or `account`.
fn field(part: &str) -> String {
    let name = part.split_once(" = ").map_or(part, |(name, _)| name);
    name.trim_start_matches(['%', '?']).rsplit('.').next().unwrap().to_owned()
}

/// A literal that goes on behind a line's end.
fn in_one_line(literal: &str) -> String {
    literal.split("\\\n").map(str::trim_start).collect()
}

#[test]
fn arguments_are_read_as_the_macros_take_them() {
    let (message, fields) =
        arguments("%channel, wait = ?self.wait, n = f(a, \"),\"), reason, \"it \\\n   failed, so\");");
    assert_eq!(message.as_deref(), Some("it failed, so"));
    assert_eq!(fields, ["channel", "n", "reason", "wait"]);
}
