//! Interactions as Discord keeps them: a token that must be answered once within 3 s and is good for 15 min
//! (<https://discord.com/developers/docs/interactions/receiving-and-responding>).

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::view::Actor;

/// How long a token may be used for edits and followups, unless an option says otherwise.
pub(crate) const TOKEN_LIFE: Duration = Duration::from_mins(15);

/// So long an interaction is remembered at least: while it is, its token is refused as one that was good once.
pub(crate) const KEPT: Duration = Duration::from_hours(1);

/// What kind of interaction this is; the numbers are Discord's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Command = 2,
    Component = 3,
    Autocomplete = 4,
    Modal = 5,
}

/// The bot's first answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The callback's type: 4 message, 5 deferred, 6 deferred update, 7 update, 8 choices, 9 modal.
    pub(crate) kind: u64,
    pub(crate) took: Duration,
    pub(crate) data: Value,
}

pub(crate) struct Interaction {
    pub(crate) id: u64,
    pub(crate) kind: Kind,
    pub(crate) actor: Actor,
    pub(crate) created: Instant,
    /// The message whose component was used.
    pub(crate) source: Option<u64>,
    /// The type of the option being completed, for autocomplete.
    pub(crate) focused_kind: u64,
    /// The command's name.
    pub(crate) name: Option<String>,
    pub(crate) answer: Option<Answer>,
    /// The message `@original` names, once there is one.
    pub(crate) original: Option<u64>,
    /// Messages sent after the first.
    pub(crate) followups: Vec<u64>,
    /// Nothing more is needed for a person to have an answer.
    pub(crate) finished: bool,
}

impl Interaction {
    pub(crate) fn new(id: u64, kind: Kind, actor: Actor) -> Self {
        Self {
            id,
            kind,
            actor,
            created: Instant::now(),
            source: None,
            focused_kind: 3,
            name: None,
            answer: None,
            original: None,
            followups: Vec::new(),
            finished: false,
        }
    }
}

/// What people's own clients hold.
#[derive(Default)]
pub(crate) struct Clients {
    /// Files attached but not sent yet, as attachment objects, by id.
    pub(crate) uploads: HashMap<u64, Value>,
    /// Languages other than English.
    pub(crate) locales: HashMap<u64, String>,
}

impl Clients {
    pub(crate) fn locale(&self, user: u64) -> &str {
        self.locales.get(&user).map_or("en-US", String::as_str)
    }
}
