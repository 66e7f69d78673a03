//! What an answer to a posted message means: delivered, to be tried again, or not.
//!
//! Codes and their meaning: <https://discord.com/developers/docs/topics/opcodes-and-status-codes>.

use std::time::Duration;

use serde::Deserialize;

use super::limiter::BucketState;

/// How long everything waits after a 429 that does not say: Cloudflare bans an address for at least ten minutes.
const BAN: Duration = Duration::from_mins(10);

/// The shortest wait after a 429: each counts towards a ban, also where Discord says to wait for nothing.
const SHORTEST_WAIT: Duration = Duration::from_millis(250);

/// The longest wait that is believed: a day.
const LONGEST_WAIT: f64 = 86_400.0;

/// Discord's answer to a request.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body: JSON from Discord, anything from what stands before it.
    pub body: Vec<u8>,
    /// The channel's bucket, when the headers tell of it.
    pub bucket: Option<BucketState>,
    /// The header `Retry-After`.
    pub retry_after: Option<Duration>,
    /// The header `X-RateLimit-Scope`, or what `X-RateLimit-Global` says.
    pub scope: Option<Scope>,
}

/// What a 429 speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// This bot in this channel.
    User,
    /// This bot as a whole.
    Global,
    /// Everybody in this channel.
    Shared,
}

/// What becomes of a message after its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It stands in the channel, under this id unless it was deleted since.
    Delivered(Option<u64>),
    /// The channel takes no message for so long.
    ChannelLimited(Duration),
    /// Discord takes nothing from the bot for so long.
    Limited(Duration),
    /// It may work later.
    Retry(String),
    /// The channel refuses the bot: a person has to change something.
    Refused(String),
    /// Discord will never take this message as it is worded.
    Unacceptable(String),
    /// A guild's filter does not let pass what players wrote.
    Filtered(String),
    /// Discord refuses the bot itself: the token is wrong or was revoked.
    Unauthorised(String),
}

/// What becomes of an edit, or of a deletion, after its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    /// It was carried out.
    Done,
    /// The message is not there any more.
    Gone,
    /// The message is older than an hour, and Discord takes only so many edits of such messages:
    /// <https://github.com/discord/discord-api-docs/issues/4413>.
    TooOld,
    /// What the answer to a message that was posted would mean.
    Not(Verdict),
}

#[derive(Deserialize, Default)]
struct Created {
    id: Option<String>,
}

#[derive(Deserialize, Default)]
struct Problem {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
    retry_after: Option<f64>,
}

impl Answer {
    /// What the answer means for the message that was posted.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if (200..300).contains(&self.status) {
            let created: Created = serde_json::from_slice(&self.body).unwrap_or_default();
            return match created.id.and_then(|id| id.parse().ok()) {
                Some(id) => Verdict::Delivered(Some(id)),
                None => Verdict::Retry(format!("HTTP {}, but not from Discord", self.status)),
            };
        }
        let problem: Problem = serde_json::from_slice(&self.body).unwrap_or_default();
        let reason = problem.in_words(self.status);
        match (self.status, problem.code) {
            // Same nonce, but the message it made was deleted since.
            (_, 10_008) => Verdict::Delivered(None),
            (429, _) => self.limited(&problem),
            // Writing is limited in ways that no bucket tells of, or Discord is overloaded.
            (_, 20_028 | 20_029 | 40_004 | 40_006 | 40_062 | 110_000 | 130_000) | (500.., _) => Verdict::Retry(reason),
            (401, _) | (_, 40_001 | 40_333 | 50_014 | 50_041) => Verdict::Unauthorised(reason),
            // AutoMod and the filter of harmful links dislike the text, not the bot.
            (_, 200_000 | 200_001 | 240_000) => Verdict::Filtered(reason),
            // It answers another message, and the bot may not read the history there: without that it can be posted.
            (_, 160_002) => Verdict::Unacceptable(reason),
            // Without a code it is not Discord that speaks, but something on the way: it knows neither the channel nor
            // the message, and the nonce makes another attempt harmless.
            (_, 0) => Verdict::Retry(reason),
            (403 | 404, _) => Verdict::Refused(reason),
            _ => Verdict::Unacceptable(reason),
        }
    }

    /// What the answer means for the message that was edited, or deleted.
    #[must_use]
    pub fn edited(&self) -> Edited {
        if self.status == 204 {
            return Edited::Done;
        }
        let problem: Problem = serde_json::from_slice(&self.body).unwrap_or_default();
        match (problem.code, self.verdict()) {
            (10_008, _) => Edited::Gone,
            (30_046, _) => Edited::TooOld,
            (_, Verdict::Delivered(_)) => Edited::Done,
            (_, verdict) => Edited::Not(verdict),
        }
    }

    fn limited(&self, problem: &Problem) -> Verdict {
        let told = problem.retry_after.and_then(seconds).map(|wait| wait.max(SHORTEST_WAIT));
        match self.scope {
            // The header is exact to the second only; the body to the millisecond.
            Some(Scope::Global) => Verdict::Limited(told.or(self.retry_after).unwrap_or(BAN)),
            Some(Scope::User | Scope::Shared) => {
                Verdict::ChannelLimited(told.or(self.retry_after).unwrap_or(Duration::from_secs(5)))
            }
            // No header of Discord's: it is Cloudflare that speaks, of our address.
            None => Verdict::Limited(self.retry_after.or(told).unwrap_or(BAN)),
        }
    }
}

impl Problem {
    fn in_words(&self, status: u16) -> String {
        if self.message.is_empty() {
            format!("HTTP {status}")
        } else {
            let message: String = self.message.chars().take(200).collect();
            format!("HTTP {status}, code {}: {message}", self.code)
        }
    }
}

/// A duration from a header's or a body's number of seconds.
#[must_use]
pub fn seconds(number: f64) -> Option<Duration> {
    (number.is_finite() && number >= 0.0).then(|| Duration::from_secs_f64(number.min(LONGEST_WAIT)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.into(), bucket: None, retry_after: None, scope: None }
    }

    #[test]
    fn each_trouble_has_its_own_verdict() {
        let code = |status, code| answer(status, &format!(r#"{{"code":{code},"message":"m"}}"#)).verdict();
        let words = |status: u16, code: u32| format!("HTTP {status}, code {code}: m");
        assert_eq!(answer(200, r#"{"id":"17"}"#).verdict(), Verdict::Delivered(Some(17)));
        assert_eq!(code(404, 10_008), Verdict::Delivered(None));
        assert_eq!(code(404, 10_003), Verdict::Refused(words(404, 10_003)));
        assert_eq!(code(403, 50_013), Verdict::Refused(words(403, 50_013)));
        assert_eq!(code(400, 50_035), Verdict::Unacceptable(words(400, 50_035)));
        assert_eq!(code(400, 200_000), Verdict::Filtered(words(400, 200_000)));
        assert_eq!(code(401, 0), Verdict::Unauthorised(words(401, 0)));
        assert_eq!(code(403, 40_333), Verdict::Unauthorised(words(403, 40_333)));
        assert_eq!(code(429, 130_000), Verdict::Limited(BAN));
        assert_eq!(code(503, 0), Verdict::Retry(words(503, 0)));
        assert_eq!(code(403, 20_028), Verdict::Retry(words(403, 20_028)));
        assert_eq!(answer(502, "<html>").verdict(), Verdict::Retry("HTTP 502".to_owned()));
        // A proxy, a firewall or a redirect: nothing that Discord said of the message.
        assert_eq!(answer(301, "").verdict(), Verdict::Retry("HTTP 301".to_owned()));
        assert_eq!(answer(403, "<html>").verdict(), Verdict::Retry("HTTP 403".to_owned()));
        assert!(matches!(answer(200, "<html>").verdict(), Verdict::Retry(_)));
    }

    #[test]
    fn an_edit_has_troubles_of_its_own() {
        assert_eq!(answer(200, r#"{"id":"17"}"#).edited(), Edited::Done);
        assert_eq!(answer(204, "").edited(), Edited::Done);
        assert_eq!(answer(404, r#"{"code":10008,"message":"m"}"#).edited(), Edited::Gone);
        assert_eq!(answer(429, r#"{"code":30046,"message":"m"}"#).edited(), Edited::TooOld);
        assert_eq!(answer(400, r#"{"code":30046,"message":"m"}"#).edited(), Edited::TooOld);
        let refused = "HTTP 404, code 10003: m".to_owned();
        assert_eq!(answer(404, r#"{"code":10003,"message":"m"}"#).edited(), Edited::Not(Verdict::Refused(refused)));
        assert_eq!(answer(502, "").edited(), Edited::Not(Verdict::Retry("HTTP 502".to_owned())));
    }

    #[test]
    fn a_429_is_obeyed_in_its_scope() {
        let mut limited = answer(429, r#"{"message":"m","retry_after":1.25,"global":false}"#);
        limited.scope = Some(Scope::User);
        assert_eq!(limited.verdict(), Verdict::ChannelLimited(Duration::from_millis(1250)));
        limited.scope = Some(Scope::Shared);
        assert_eq!(limited.verdict(), Verdict::ChannelLimited(Duration::from_millis(1250)));
        limited.scope = Some(Scope::Global);
        assert_eq!(limited.verdict(), Verdict::Limited(Duration::from_millis(1250)));
        let mut page = answer(429, "<html>error code: 1015</html>");
        assert_eq!(page.verdict(), Verdict::Limited(BAN));
        page.retry_after = Some(Duration::from_hours(1));
        assert_eq!(page.verdict(), Verdict::Limited(Duration::from_hours(1)));
    }

    #[test]
    fn absurd_waits_are_not_believed() {
        assert_eq!(seconds(f64::NAN), None);
        assert_eq!(seconds(-1.0), None);
        assert_eq!(seconds(1e300), Some(Duration::from_hours(24)));
    }
}
