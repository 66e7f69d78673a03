//! Trouble on demand: what goes wrong, where, and how often.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::endpoint::{Caller, Endpoint, Parameters, Wanted};

/// The endpoint that [`Route::MessageCreate`] means.
pub(crate) const CREATE_MESSAGE: &str = "POST /channels/{channel}/messages";

/// No limit that is asked for lasts longer, in seconds.
const LONGEST_LIMIT: f64 = 86_400.0;

/// Which requests are troubled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// Every request, new gateway connections too.
    Everything,
    /// Create message, in any channel.
    MessageCreate,
    /// Create message in one channel.
    MessageCreateIn(u64),
    /// New gateway connections. Not `GET /gateway`, which is REST.
    Gateway,
    /// Interaction callbacks, edits and followups.
    Interactions,
    /// Every REST request, interactions too, but no gateway connection.
    Rest,
}

/// Whose limit a 429 speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The bot's own, of this route.
    User,
    /// The bot's own, of all routes.
    Global,
    /// The resource's, shared with others.
    Shared,
}

impl Scope {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Global => "global",
            Self::Shared => "shared",
        }
    }
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// A 429 as Discord answers it.
    RateLimited {
        /// Whose limit.
        scope: Scope,
        /// Seconds, in the body and in `Retry-After`; a day at most.
        retry_after: f64,
    },
    /// A 429 as Cloudflare answers it: HTML, none of Discord's headers, no `Retry-After`.
    CloudflareHtml,
    /// A bare status with an HTML body, as a proxy answers a 502. Nothing is processed.
    Status(u16),
    /// The connection is closed before anything is processed.
    Refuse,
    /// No answer until [`clear_trouble`](crate::Sim::clear_trouble); then the request is processed if the client still
    /// waits.
    Hang,
    /// No answer for this long; then the request is processed if the client still waits.
    HangFor(Duration),
    /// The request is processed completely, and the connection is closed without an answer.
    LoseReply,
    /// A refusal as Discord words it. Nothing is processed.
    Error {
        /// The status.
        status: u16,
        /// Discord's code.
        code: u32,
        /// Discord's message.
        message: String,
    },
}

struct Entry {
    route: Route,
    trouble: Trouble,
    left: Option<u32>,
}

/// The trouble that waits for requests, oldest first.
#[derive(Default)]
pub(crate) struct Troubles {
    entries: Vec<Entry>,
    /// Counts how often everything was cleared; a hanging request waits for the next.
    pub(crate) cleared: u64,
}

impl Troubles {
    pub(crate) fn add(&mut self, route: Route, mut trouble: Trouble, count: Option<u32>) {
        if let Trouble::RateLimited { retry_after, .. } = &mut trouble {
            *retry_after = retry_after.clamp(0.0, LONGEST_LIMIT);
        }
        if count != Some(0) {
            self.entries.push(Entry { route, trouble, left: count });
        }
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.cleared += 1;
    }

    /// What this request meets; the first entry that fits, used up once.
    pub(crate) fn take(&mut self, wanted: &Wanted, application: u64) -> Option<Trouble> {
        let at = self.entries.iter().position(|entry| fits(entry.route, wanted, application))?;
        let entry = &mut self.entries[at];
        let trouble = entry.trouble.clone();
        if let Some(left) = &mut entry.left {
            *left -= 1;
            if *left == 0 {
                self.entries.remove(at);
            }
        }
        Some(trouble)
    }
}

fn fits(route: Route, wanted: &Wanted, application: u64) -> bool {
    let id = |parameters: &Parameters| parameters.first().and_then(|(_, value)| value.parse::<u64>().ok());
    let created_in = match wanted {
        Wanted::Endpoint(endpoint, parameters) if endpoint.name == CREATE_MESSAGE => Some(id(parameters)),
        _ => None,
    };
    match route {
        Route::Everything => true,
        Route::MessageCreate => created_in.is_some(),
        Route::MessageCreateIn(channel) => created_in == Some(Some(channel)),
        Route::Gateway => matches!(wanted, Wanted::Socket),
        Route::Interactions => match wanted {
            // An interaction's token is a webhook's of the application; a channel's webhook has an id of its own.
            Wanted::Endpoint(Endpoint { caller: Caller::Token, name, .. }, parameters) => {
                name.starts_with("POST /interactions/") || id(parameters) == Some(application)
            }
            _ => false,
        },
        Route::Rest => !matches!(wanted, Wanted::Socket),
    }
}
