//! Lays many events, or late ones, out as one embed: all of them where they are few; else counts and what matters most,
//! with every line in an attached file.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use super::embed::{Colour, Embed};
use super::event_line::shortened;
use super::joined_embed::{events_of, told_alone};
use super::message::{NamedEvent, Piece, Row};
use super::words;
use crate::discord::event_embed::sentence;
use crate::domain::condense::{Bundle, What};
use crate::domain::event::{Group, Kind};
use crate::domain::given_up::GivenUp;
use crate::domain::ids::{AccountName, ServerId};
use crate::domain::text::{escape, utf16_length, without_markdown};
use crate::domain::timestamp::Timestamp;
use crate::domain::wording::Wording;

/// How many lines an embed shows, and how long they are together, in UTF-16 units: more is not read.
const LINES: usize = 25;
const ROOM: usize = 2_800;

/// The longest line in an embed.
const LINE_LIMIT: usize = 500;

/// How large an attached file gets, in bytes. Discord takes 10 MiB:
/// <https://discord.com/developers/docs/reference#uploading-files>.
const FILE_LIMIT: usize = 8 << 20;

/// How many accounts a footer names.
const ACCOUNTS: usize = 5;

/// What is told of many events: an embed, and the file beside it.
pub(super) struct CatchUp {
    pub embed: Embed,
    pub file: Option<String>,
}

/// What a catch-up is made of.
pub(super) struct Due<'a> {
    /// All of them.
    pub rows: &'a [Row],
    /// The same, condensed.
    pub bundles: &'a [Bundle],
    /// What was given up before them.
    pub given_up: &'a [GivenUp],
    /// Whether some of them are late.
    pub is_late: bool,
    /// How it is worded.
    pub wording: Wording,
}

/// A line, as it stands in an embed, and how much it matters: what matters more is a smaller number.
struct Line {
    text: String,
    is_cut: bool,
    rank: u8,
}

/// The catch-up of what is due.
pub(super) fn catch_up(due: &Due<'_>) -> CatchUp {
    let lines = lines(due);
    let head = head(due);
    let length: usize = lines.iter().map(|line| utf16_length(&line.text) + 1).sum();
    if lines.len() <= LINES && length <= ROOM && !lines.iter().any(|line| line.is_cut) {
        let all: Vec<_> = head.into_iter().chain(lines.into_iter().map(|line| line.text)).collect();
        return CatchUp { embed: laid_out(due, &all.join("\n")), file: None };
    }
    let (file, missing) = file(due.rows);
    let attached =
        if missing == 0 { words::all_attached(words::FILE) } else { words::first_attached(words::FILE, missing) };
    let all: Vec<_> = head.into_iter().chain(most_important(&lines)).chain([counts(due.rows), attached]).collect();
    CatchUp { embed: laid_out(due, &all.join("\n")), file: Some(file) }
}

fn laid_out(due: &Due<'_>, description: &str) -> Embed {
    let mut accounts: Vec<&str> = Vec::new();
    for event in events(due.rows) {
        let account = event.event.account.as_str();
        if accounts.len() < ACCOUNTS && !accounts.contains(&account) {
            accounts.push(account);
        }
    }
    let embed = Embed::new(description).with_footer(&accounts.join(", "));
    match (due.wording, events(due.rows).next_back()) {
        (Wording::Plain, _) => embed,
        (_, Some(last)) => embed.with_colour(Colour::BLURPLE).with_timestamp(last.event.stored),
        (_, None) => embed.with_colour(Colour::BLURPLE),
    }
}

fn events(rows: &[Row]) -> impl DoubleEndedIterator<Item = &NamedEvent> {
    rows.iter().filter_map(|row| match &row.piece {
        Piece::Event(event) => Some(event),
        Piece::Apart(_) => None,
    })
}

/// What stands above the lines.
fn head(due: &Due<'_>) -> Vec<String> {
    let mut head = Vec::new();
    let given_up = || due.given_up.iter();
    let (first, last) = (given_up().map(|it| it.first_stored).min(), given_up().map(|it| it.last_stored).max());
    if let (Some(first), Some(last)) = (first, last) {
        let kinds: Vec<_> = given_up().map(|it| (it.kind, it.events)).collect();
        let events = given_up().map(|it| it.events).sum();
        head.push(words::given_up(events, &words::counted(&kinds), first.unix_seconds(), last.unix_seconds()));
    }
    match due.wording {
        Wording::Full => {}
        Wording::Plain => head.push(words::PLAIN.to_owned()),
        Wording::Withheld => head.push(words::WITHHELD.to_owned()),
    }
    let times = || events(due.rows).map(|event| event.event.stored.unix_seconds());
    if let (Some(first), Some(last)) = (times().min(), times().max()) {
        let number = events(due.rows).count() as u64;
        head.push(words::caught_up(number, first, last, due.is_late));
    }
    head
}

fn lines(due: &Due<'_>) -> Vec<Line> {
    let (first, last) = span(due.rows);
    // Times of day alone would not tell one day from the next.
    let at = if last.since(first).as_secs() < 12 * 60 * 60 { words::at_time } else { words::at_day_and_time };
    let mut lines = Vec::new();
    for bundle in due.bundles {
        for telling in &bundle.tellings {
            let told = events_of(telling, due.rows);
            let (full, first) = match (&due.rows[telling[0]].piece, told.first()) {
                (Piece::Apart(embed), _) => (embed.description().to_owned(), None),
                (Piece::Event(_), Some(first)) => (told_alone(bundle.what, &told), Some(first.event.stored)),
                (Piece::Event(_), None) => continue,
            };
            let is_plain = due.wording == Wording::Plain;
            let full = if is_plain { escape(&without_markdown(&full)) } else { full };
            let line = shortened(&full, LINE_LIMIT);
            let is_cut = line != full;
            let text = match first {
                Some(first) if !is_plain => at(first.unix_seconds(), &line),
                _ => line,
            };
            lines.push(Line { text, is_cut, rank: rank(bundle.what) });
        }
    }
    rank_last_words(due, &mut lines);
    lines
}

/// How much something matters.
fn rank(what: What) -> u8 {
    match what {
        What::Apart => LAST_WORD,
        What::Events(kind) if Group::Lifecycle.kinds().contains(kind) => 1,
        What::Events(Kind::PlayerBanned | Kind::PlayerUnbanned) => 2,
        What::Events(Kind::PlayerReported) => 3,
        What::Events(_) | What::Reconnected => NOISE,
    }
}

/// The rank of what a server said last of itself: whether it is up.
const LAST_WORD: u8 = 0;

/// The rank of what is only counted where there is too much.
const NOISE: u8 = 9;

/// What each server said last of itself matters most.
fn rank_last_words(due: &Due<'_>, lines: &mut [Line]) {
    let mut heard: HashSet<(&AccountName, &ServerId)> = HashSet::new();
    let tellings =
        due.bundles.iter().flat_map(|bundle| bundle.tellings.iter().map(move |telling| (bundle.what, telling)));
    let tellings: Vec<_> = tellings.collect();
    for ((what, telling), line) in tellings.into_iter().zip(lines).rev() {
        if let Piece::Event(told) = &due.rows[telling[0]].piece
            && rank(what) == 1
            && heard.insert((&told.event.account, &told.event.server))
        {
            line.rank = LAST_WORD;
        }
    }
}

/// The lines that matter most, of which the newest, in their order, and how many more there are.
fn most_important(lines: &[Line]) -> Vec<String> {
    let mut by_rank: Vec<usize> = (0..lines.len()).filter(|line| lines[*line].rank < NOISE).collect();
    let important = by_rank.len();
    by_rank.sort_by_key(|line| (lines[*line].rank, std::cmp::Reverse(*line)));
    let mut room = ROOM;
    let mut kept: Vec<usize> = Vec::new();
    for line in by_rank.into_iter().take(LINES) {
        let length = utf16_length(&lines[line].text) + 1;
        if length > room {
            break;
        }
        room -= length;
        kept.push(line);
    }
    kept.sort_unstable();
    let more = important - kept.len();
    let mut texts: Vec<String> = kept.into_iter().map(|line| lines[line].text.clone()).collect();
    if more > 0 {
        texts.push(words::more_in_file(more));
    }
    texts
}

fn counts(rows: &[Row]) -> String {
    let mut kinds: BTreeMap<Kind, u64> = BTreeMap::new();
    for event in events(rows) {
        *kinds.entry(event.event.kind()).or_default() += 1;
    }
    words::counted(&kinds.into_iter().collect::<Vec<_>>())
}

/// Every row on a line of its own, as far as the file takes them, and how many it does not take.
fn file(rows: &[Row]) -> (String, u64) {
    let one_account = events(rows).map(|event| &event.event.account).collect::<HashSet<_>>().len() < 2;
    let mut file = String::new();
    for (row, left) in rows.iter().zip((1..=rows.len() as u64).rev()) {
        let before = file.len();
        let written = match &row.piece {
            Piece::Event(told) => {
                let line = without_markdown(&sentence(&told.event, told.names()).replace('\n', ": "));
                let account = if one_account { String::new() } else { format!("[{}]  ", told.event.account) };
                writeln!(file, "{}  {account}{line}", told.event.stored.second())
            }
            Piece::Apart(embed) => writeln!(file, "{}", without_markdown(&embed.description().replace('\n', " "))),
        };
        if written.is_err() || file.len() > FILE_LIMIT {
            file.truncate(before);
            file.push_str(&words::file_is_full(left));
            return (file, left);
        }
    }
    (file, 0)
}

fn span(rows: &[Row]) -> (Timestamp, Timestamp) {
    let times = || events(rows).map(|event| event.event.stored);
    (times().min().unwrap_or_default(), times().max().unwrap_or_default())
}
