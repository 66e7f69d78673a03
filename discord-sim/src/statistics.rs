//! What the simulated Discord has counted.

use std::collections::BTreeMap;

use serde::Serialize;

/// Everything that was counted since the start. It outlives a simulated restart.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Statistics {
    /// Requests by `METHOD template`, as in `POST /channels/{channel}/messages`.
    pub requests: BTreeMap<String, u64>,
    /// 429 answers by scope: `user`, `global`, `shared`, and `cloudflare` for those without Discord's headers.
    pub rate_limited: BTreeMap<String, u64>,
    /// Requests that met trouble of any sort, answered or not.
    pub troubled: u64,
    /// How many of the 429s and errors were injected by trouble.
    pub injected: u64,
    /// Answers that count towards the ban: 401, 403, and 429 unless shared.
    pub invalid: u64,
    /// Whether the ban for too many invalid requests was ever reached.
    pub banned: bool,
    /// The most requests in one second of the global window.
    pub peak_per_second: u32,
    /// Sessions identified.
    pub identifies: u64,
    /// Sessions resumed.
    pub resumes: u64,
    /// Gateway connections that were closed from here, by close code
    /// (<https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes>).
    pub gateway_closed: BTreeMap<u16, u64>,
    /// Messages created through the create-message route.
    pub creates_accepted: u64,
    /// Creates answered with the message that had the same nonce already.
    pub nonce_replays: u64,
    /// The last message whose sender got no answer, because trouble lost the reply.
    pub last_unanswered: Option<u64>,
    /// Refused requests by Discord's code in the answer.
    pub refused: BTreeMap<u64, u64>,
    /// The last refused requests.
    pub rejected: Vec<Rejection>,
}

/// One refused request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rejection {
    /// `METHOD template`.
    pub route: String,
    /// The status.
    pub status: u16,
    /// The code, the message, and the nested errors of a 50035.
    pub reason: String,
}

/// Refusals kept; older ones are forgotten first.
const REJECTIONS_KEPT: usize = 1000;

impl Statistics {
    pub(crate) fn reject(&mut self, route: &str, status: u16, reason: String) {
        if self.rejected.len() >= REJECTIONS_KEPT {
            self.rejected.remove(0);
        }
        self.rejected.push(Rejection { route: route.to_owned(), status, reason });
    }

    pub(crate) fn count_rate_limited(&mut self, scope: &str) {
        *self.rate_limited.entry(scope.to_owned()).or_default() += 1;
    }

    /// Refusals with one of Discord's codes, 0 if there were none.
    #[must_use]
    pub fn refused_with(&self, code: u64) -> u64 {
        self.refused.get(&code).copied().unwrap_or_default()
    }

    /// All 429 answers together.
    #[must_use]
    pub fn rate_limited_total(&self) -> u64 {
        self.rate_limited.values().sum()
    }

    /// Requests of one route, 0 if there were none.
    #[must_use]
    pub fn requests_to(&self, route: &str) -> u64 {
        self.requests.get(route).copied().unwrap_or_default()
    }
}
