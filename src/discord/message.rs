//! The body of one Discord message of events: as many embeds as fit, the roles to mention, a nonce and a mark.
//!
//! The limits are Discord's: <https://discord.com/developers/docs/resources/message#create-message>.

use serde::Serialize;

use super::embed::{EMBEDS_LIMIT, Embed, MESSAGE_LIMIT};
use crate::domain::ids::RoleId;

/// How many roles one message mentions at most: each takes up to 25 of the content's 2,000 characters. Discord itself
/// allows 100 in `allowed_mentions`.
const ROLES_LIMIT: usize = 75;

/// What a mark adds to the footer beside itself.
const MARK_SEPARATOR: usize = 3;

/// An event as it is shown, with the roles that are mentioned with it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The embed.
    pub embed: Embed,
    /// The roles.
    pub mention: Vec<RoleId>,
}

/// A body that is ready to be sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The request's bytes.
    pub json: String,
    /// How many of the events it shows: the first ones.
    pub shown: usize,
}

#[derive(Serialize)]
struct CreateMessage<'a> {
    #[serde(skip_serializing_if = "String::is_empty")]
    content: String,
    embeds: Vec<Embed>,
    allowed_mentions: AllowedMentions,
    nonce: &'a str,
    enforce_nonce: bool,
}

/// Only these roles may be notified: by default Discord would notify whomever the content names.
#[derive(Serialize)]
struct AllowedMentions {
    parse: [&'static str; 0],
    roles: Vec<String>,
}

/// The message that shows as many of `events` as fit into one, from the first on. The last embed's footer ends with
/// `mark`, by which the message can be found again in its channel.
#[must_use]
pub fn compose(events: &[Shown], mark: &str, nonce: &str) -> Body {
    let mut size = MARK_SEPARATOR + mark.len();
    let fitting = events
        .iter()
        .take(EMBEDS_LIMIT)
        .take_while(|shown| {
            size += shown.embed.size();
            size <= MESSAGE_LIMIT
        })
        .count();
    // One embed always fits, its mark included: the embed's own bounds see to that.
    let shown = fitting.max(1).min(events.len());
    let mut roles: Vec<RoleId> = Vec::new();
    for role in events[..shown].iter().flat_map(|shown| &shown.mention) {
        if roles.len() < ROLES_LIMIT && !roles.contains(role) {
            roles.push(*role);
        }
    }
    let mut embeds: Vec<Embed> = events[..shown].iter().map(|shown| shown.embed.clone()).collect();
    if let Some(last) = embeds.pop() {
        embeds.push(last.with_footer_suffix(mark));
    }
    let message = CreateMessage {
        content: roles.iter().map(|role| format!("<@&{role}>")).collect::<Vec<_>>().join(" "),
        embeds,
        allowed_mentions: AllowedMentions { parse: [], roles: roles.iter().map(ToString::to_string).collect() },
        nonce,
        enforce_nonce: true,
    };
    Body { json: serde_json::to_string(&message).expect("texts and numbers are JSON"), shown }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn shown(text: &str, roles: &[u64]) -> Shown {
        Shown { embed: Embed::new(text).with_footer("GA-1"), mention: roles.iter().copied().map(RoleId).collect() }
    }

    fn parsed(body: &Body) -> Value {
        serde_json::from_str(&body.json).unwrap()
    }

    #[test]
    fn ten_small_events_fit_and_only_the_last_carries_the_mark() {
        let body = compose(&vec![shown("joined", &[]); 12], "7f3k2m9q", "n-1");
        assert_eq!(body.shown, 10);
        let json = parsed(&body);
        assert_eq!(json["embeds"].as_array().unwrap().len(), 10);
        assert_eq!(json["embeds"][8]["footer"]["text"], "GA-1");
        assert_eq!(json["embeds"][9]["footer"]["text"], "GA-1 · 7f3k2m9q");
        assert_eq!((json["nonce"].as_str(), json["enforce_nonce"].as_bool()), (Some("n-1"), Some(true)));
        assert!(json.get("content").is_none());
    }

    #[test]
    fn embeds_never_count_more_than_a_message_may() {
        let long = shown(&"x".repeat(2_500), &[]);
        assert_eq!(compose(&[long.clone(), long.clone(), long], "m", "n").shown, 2);
        let longest = shown(&"x".repeat(9_000), &[]);
        assert_eq!(compose(&[longest.clone(), longest], "m", "n").shown, 1);
    }

    #[test]
    fn only_the_chosen_roles_can_be_notified_each_once() {
        let json = parsed(&compose(&[shown("@everyone <@&3>", &[1, 2]), shown("b", &[2])], "m", "n"));
        assert_eq!(json["content"], "<@&1> <@&2>");
        assert_eq!(json["allowed_mentions"], serde_json::json!({ "parse": [], "roles": ["1", "2"] }));
    }
}
