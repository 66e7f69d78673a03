//! What became of a channel's last events, in lines: neighbours with the same fate share one.

use std::collections::BTreeMap;

use crate::commands::Shared;
use crate::commands::lane_state::REASON_LIMIT;
use crate::discord::event_embed::Names;
use crate::discord::event_line::event_line;
use crate::discord::ping_embed::ping_sentence;
use crate::discord::words;
use crate::domain::binding::Binding;
use crate::domain::given_up::GivenUp;
use crate::domain::ids::{ChannelId, GuildId};
use crate::domain::notice::Notice;
use crate::domain::text::display;
use crate::domain::timestamp::Timestamp;
use crate::domain::wording::Wording;
use crate::store::StoreError;
use crate::store::lately::{LaneMessage, LaneRow, Progress};
use crate::store::outbox::{DueEvent, Told};

/// How many of the last messages and rows are looked through, and how many lines tell of them.
const MESSAGES: u32 = 50;
const ROWS: u32 = 1_000;
const LINES: usize = 10;

/// How many messages that were set aside are told of, and with how many rows.
const MESSAGES_SET_ASIDE: u32 = 200;
const ROWS_SET_ASIDE: u32 = 2_000;

/// How much of an event is told, in UTF-16 units.
const EVENT_LIMIT: usize = 160;

/// The longest name of a server, in UTF-16 units.
const SERVER_LIMIT: usize = 100;

/// What is recorded of a channel's last events.
pub(super) struct Lately {
    guild: GuildId,
    channel: ChannelId,
    last: Part,
    set_aside: Part,
    given_up: Vec<GivenUp>,
    /// Whether rows were left out that are not of one binding.
    is_of_binding: bool,
}

/// Messages with their rows, the newest first.
struct Part {
    messages: Vec<LaneMessage>,
    rows: Vec<LaneRow>,
    /// How many rows of each message, or of none, were not read. They are older than those that were.
    unread: BTreeMap<Option<i64>, u64>,
}

/// Neighbours that are in the same message, or in none.
struct Run<'a> {
    message: Option<&'a LaneMessage>,
    /// The newest first.
    rows: &'a [LaneRow],
    /// How many more there are, which were not looked at, and are older.
    unread: u64,
}

impl Lately {
    pub(super) async fn read(
        shared: &Shared,
        guild: GuildId,
        channel: ChannelId,
        waiting: u64,
    ) -> Result<Self, StoreError> {
        let store = &shared.store;
        let messages = store.last_messages(channel, MESSAGES).await?;
        let mut rows = store.waiting_rows(channel, ROWS).await?;
        rows.extend(store.rows_of(&messages, ROWS).await?);
        let set_aside = store.set_aside(channel, MESSAGES_SET_ASIDE).await?;
        let rows_set_aside = store.rows_of(&set_aside, ROWS_SET_ASIDE).await?;
        Ok(Self {
            guild,
            channel,
            last: Part::new(messages, rows, waiting),
            set_aside: Part::new(set_aside, rows_set_aside, 0),
            given_up: store.given_up(channel).await?,
            is_of_binding: false,
        })
    }

    /// Without what is not of that binding, where there is one.
    pub(super) fn of(mut self, binding: Option<&Binding>) -> Self {
        if let Some(binding) = binding {
            let is_of_it = |row: &LaneRow| match &row.due.told {
                Told::Event(due) => binding.asks_for(&due.event),
                Told::Sample(due) => due.event.account == binding.account,
                Told::Notice(account, _) | Told::Ping(account, _) => *account == binding.account,
                Told::Incident(due) => due.account == binding.account,
            };
            self.last.rows.retain(is_of_it);
            self.set_aside.rows.retain(is_of_it);
            self.given_up.retain(|it| binding.kinds.contains(it.kind));
            self.is_of_binding = true;
        }
        self
    }

    /// Whether nothing is known.
    pub(super) fn is_empty(&self) -> bool {
        self.last.rows.is_empty() && self.set_aside.rows.is_empty() && self.given_up.is_empty()
    }

    /// Whether an event is among what is known.
    pub(super) fn tells_of_events(&self) -> bool {
        self.last.rows.iter().any(|row| matches!(row.due.told, Told::Event(_)))
    }

    /// The last events, the newest first, each with the numbers of those of `named` that asked for it.
    pub(super) fn lines(&self, is_hindered: bool, held_until: Option<Timestamp>, named: &[Binding]) -> Vec<String> {
        let runs = self.last.runs();
        runs.iter()
            .take(LINES)
            .map(|run| {
                let what = self.what(run);
                let fate = match (run.message, held_until) {
                    (Some(message), _) => self.fate_in_message(run, message, &what, is_hindered),
                    (None, Some(until)) if !is_hindered => words::held(&what, until.unix_seconds()),
                    (None, _) => words::waits(&what, is_hindered),
                };
                fate + &asked_for_by(run, named)
            })
            .collect()
    }

    /// What was given up and is not told in the channel so far.
    pub(super) fn given_up(&self) -> Vec<String> {
        let line = |it: &GivenUp| {
            words::given_up_line(
                it.events,
                it.kind.name(),
                it.first_stored.unix_seconds(),
                it.last_stored.unix_seconds(),
            )
        };
        self.given_up.iter().map(line).collect()
    }

    /// What was set aside, each message followed by what it was to tell.
    pub(super) fn set_aside(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for run in self.set_aside.runs() {
            let Some(LaneMessage { progress: Progress::SetAside { at }, reason, rows, .. }) = run.message else {
                continue;
            };
            let reason = display(reason.as_deref().unwrap_or_default(), REASON_LIMIT, "?");
            let items = if self.is_of_binding && run.unread == 0 { run.rows.len() as u64 } else { *rows };
            lines.push(words::message_set_aside(at.unix_seconds(), items, &reason));
            lines.extend(run.rows.iter().map(|row| words::set_aside_line(&told(row))));
            if run.unread > 0 {
                lines.push(words::and_more(usize::try_from(run.unread).unwrap_or(usize::MAX)));
            }
        }
        let left_out = self.set_aside.rows_of_unread_messages();
        if left_out > 0 {
            lines.push(words::older_set_aside(left_out));
        }
        lines
    }

    /// What happened, in a part of a line.
    fn what(&self, run: &Run<'_>) -> String {
        let (Some(last), Some(first)) = (run.rows.first(), run.rows.last()) else { return String::new() };
        let read = run.rows.len() as u64;
        match (run.unread, read) {
            (0, 1) => told(last),
            (0, _) => words::from_first_to_last(read, &told(first), &told(last)),
            _ if self.is_of_binding => words::at_least_up_to_last(read, &told(last)),
            (unread, _) => words::up_to_last(read + unread, &told(last)),
        }
    }

    /// What became of what is in a message.
    fn fate_in_message(&self, run: &Run<'_>, message: &LaneMessage, what: &str, is_hindered: bool) -> String {
        match message.progress {
            Progress::Sealed => words::goes_out(what, is_hindered),
            Progress::SetAside { .. } => words::not_accepted(what),
            Progress::Shown { at, discord_id } => {
                let link = discord_id.map(|id| words::link(self.guild.0, self.channel.0, id));
                let first = run.rows.iter().filter_map(|row| event_of(row)).map(|due| due.event.stored).min();
                let took = first.filter(|_| run.unread == 0).map(|stored| at.since(stored));
                let shown = words::shown(what, link.as_deref(), took, run.rows.len() > 1);
                let reason = display(message.reason.as_deref().unwrap_or_default(), REASON_LIMIT, "?");
                match message.wording {
                    Wording::Full => shown,
                    Wording::Plain => shown + &words::shown_plain(&reason),
                    Wording::Withheld => shown + &words::shown_withheld(&reason),
                }
            }
        }
    }
}

impl Part {
    /// `waiting` is how many rows there are in no message, of which some were read.
    fn new(messages: Vec<LaneMessage>, rows: Vec<LaneRow>, waiting: u64) -> Self {
        let all = messages.iter().map(|message| (Some(message.id), message.rows));
        let mut unread: BTreeMap<_, _> = all.chain([(None, waiting)]).collect();
        for row in &rows {
            unread.entry(row.message).and_modify(|left| *left = left.saturating_sub(1));
        }
        Self { messages, rows, unread }
    }

    fn runs(&self) -> Vec<Run<'_>> {
        self.rows
            .chunk_by(|one, next| one.message == next.message)
            .map(|rows| Run {
                message: rows[0].message.and_then(|id| self.messages.iter().find(|message| message.id == id)),
                rows,
                unread: self.unread.get(&rows[0].message).copied().unwrap_or(0),
            })
            .collect()
    }

    /// How many rows the messages have of which none was read.
    fn rows_of_unread_messages(&self) -> u64 {
        let is_unread = |message: &&LaneMessage| self.unread.get(&Some(message.id)) == Some(&message.rows);
        self.messages.iter().filter(is_unread).map(|message| message.rows).sum()
    }
}

/// Which of the bindings asked for what is in a run, where any did.
fn asked_for_by(run: &Run<'_>, named: &[Binding]) -> String {
    let asked =
        |binding: &&Binding| run.rows.iter().any(|row| event_of(row).is_some_and(|due| binding.asks_for(&due.event)));
    let ids: Vec<_> = named.iter().filter(asked).map(|binding| binding.id).collect();
    if ids.is_empty() { String::new() } else { words::for_bindings(&ids) }
}

fn event_of(row: &LaneRow) -> Option<&DueEvent> {
    match &row.due.told {
        Told::Event(due) => Some(due),
        Told::Sample(_) | Told::Notice(..) | Told::Incident(_) | Told::Ping(..) => None,
    }
}

/// What a row tells, and of when.
fn told(row: &LaneRow) -> String {
    let (at, what) = match &row.due.told {
        Told::Event(due) => {
            let names = Names { player: due.last_name.as_deref(), target: None, server: due.server_name.as_deref() };
            (due.event.stored, event_line(&due.event, names, EVENT_LIMIT))
        }
        Told::Sample(due) => (due.event.stored, words::SAMPLE_LINE.to_owned()),
        Told::Notice(account, Notice::Stopped { since: at, .. } | Notice::Resumed { until: at, .. }) => {
            (*at, words::notice_line(account.as_str()))
        }
        Told::Incident(due) => {
            let server =
                words::server(&display(due.server_name.as_deref().unwrap_or(due.server.as_str()), SERVER_LIMIT, "?"));
            (due.stored, words::incident_in_list(&server))
        }
        Told::Ping(_, call) => (call.at, words::call_line(&ping_sentence(call), call.users.len())),
        Told::Notice(_, Notice::ChannelStopped { channel, since, .. }) => (*since, words::stopped_line(channel.0)),
    };
    words::at(at.unix_seconds(), &what)
}
