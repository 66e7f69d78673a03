//! Whether something that is stored names a player, and how it is made not to.
//!
//! A player's id is looked for as a whole word: the id `7` is not in `76`. Names are not looked for, because many
//! players have the same.

use serde_json::Value;

use super::ids::PlayerId;
use super::text::display;

/// What stands in the place of a player's id that was forgotten.
pub const FORGOTTEN: &str = "[forgotten]";

/// The fields of an event's details that hold another player's id and nothing else: see `Details::other_player`.
const PLAYER_FIELDS: [&str; 3] = ["by", "target", "attacker"];

/// The field that says what happened. It is guildwire's own word, and without it the details can't be read any more.
const KIND_FIELD: &str = "kind";

/// Longer than any id that is shown.
const LONGEST_SHOWN: usize = 1_000;

/// A player's id, as it may stand in what is stored.
#[derive(Debug, Clone)]
pub struct Trace {
    id: String,
    /// As messages show it, where that is another text.
    shown: Option<String>,
}

impl Trace {
    /// What a player leaves behind.
    #[must_use]
    pub fn of(player: &PlayerId) -> Self {
        let id = player.as_str().to_owned();
        let shown = Some(display(&id, LONGEST_SHOWN, "")).filter(|shown| *shown != id && !shown.is_empty());
        Self { id, shown }
    }

    /// The texts one of which JSON holds if it names the player, and maybe if it does not.
    #[must_use]
    pub fn needles(&self) -> Vec<String> {
        let escaped = |text: &String| {
            let json = Value::from(text.as_str()).to_string();
            json[1..json.len() - 1].to_owned()
        };
        std::iter::once(&self.id).chain(&self.shown).map(escaped).collect()
    }

    /// Whether a text names the player.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        self.words().any(|word| find(text, word).is_some())
    }

    /// Whether an event's details name the player.
    #[must_use]
    pub fn is_in_details(&self, details: &Value) -> bool {
        match details {
            Value::String(text) => self.is_in(text),
            Value::Array(values) => values.iter().any(|value| self.is_in_details(value)),
            Value::Object(fields) => fields.iter().any(|(name, value)| name != KIND_FIELD && self.is_in_details(value)),
            _ => false,
        }
    }

    /// Whether a message's body names the player: its embeds' descriptions have all that players wrote, and their names.
    #[must_use]
    pub fn is_in_body(&self, body: &Value) -> bool {
        let embeds = body["embeds"].as_array().map(Vec::as_slice).unwrap_or_default();
        embeds.iter().filter_map(|embed| embed["description"].as_str()).any(|text| self.is_in(text))
    }

    /// Takes the player out of an event's details.
    pub fn take_out(&self, details: &mut Value) {
        match details {
            Value::String(text) => *text = self.without(text),
            Value::Array(values) => values.iter_mut().for_each(|value| self.take_out(value)),
            Value::Object(fields) => {
                for (name, value) in fields.iter_mut().filter(|(name, _)| *name != KIND_FIELD) {
                    if PLAYER_FIELDS.contains(&name.as_str()) && value.as_str() == Some(&self.id) {
                        *value = Value::Null;
                    } else {
                        self.take_out(value);
                    }
                }
            }
            _ => {}
        }
    }

    fn without(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for word in self.words() {
            let mut done = String::new();
            let mut left = text.as_str();
            while let Some(at) = find(left, word) {
                done.push_str(&left[..at]);
                done.push_str(FORGOTTEN);
                left = &left[at + word.len()..];
            }
            done.push_str(left);
            text = done;
        }
        text
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.shown.as_deref())
    }
}

/// Where in a text a word stands by itself.
fn find(text: &str, word: &str) -> Option<usize> {
    text.match_indices(word).map(|(at, _)| at).find(|at| {
        let before = text[..*at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::event::Details;

    fn trace(id: &str) -> Trace {
        Trace::of(&PlayerId::from(id))
    }

    #[test]
    fn an_id_is_found_as_a_word_and_never_within_another() {
        for text in ["7", "by 7", "7: hello", "(7)", "v0.rust.servers.main.players.7.events.hit", "77 and 7"] {
            assert!(trace("7").is_in(text), "{text}");
        }
        for text in ["", "77", "x7", "7x", "76561198000000007", "ä7"] {
            assert!(!trace("7").is_in(text), "{text}");
        }
        assert!(trace("a_b").is_in("**a\\_b** joined"), "as a message shows it");
    }

    #[test]
    fn the_needles_are_what_json_holds() {
        let id = "a\"b\\c";
        let stored = json!({ "by": id }).to_string();
        assert!(trace(id).needles().iter().any(|needle| stored.contains(needle)), "{stored}");
        let shown = json!({ "embeds": [{ "description": "**a\\_b** left" }] }).to_string();
        assert!(trace("a_b").needles().iter().any(|needle| shown.contains(needle)), "{shown}");
    }

    #[test]
    fn details_without_a_player_are_still_details() {
        for (details, wanted) in [
            (
                json!({ "kind": "player.hit", "attacker": "7", "killed": true, "metres": 3 }),
                json!({ "kind": "player.hit", "attacker": null, "killed": true, "metres": 3 }),
            ),
            (
                json!({ "kind": "player.reported", "target": "7", "subject": "7 cheats", "message": null, "category": "7" }),
                json!({
                    "kind": "player.reported", "target": null, "subject": "[forgotten] cheats", "message": null,
                    "category": "[forgotten]",
                }),
            ),
            (
                json!({ "kind": "server.command", "command": "ban", "arguments": "7 77 7", "by": "8" }),
                json!({ "kind": "server.command", "command": "ban", "arguments": "[forgotten] 77 [forgotten]", "by": "8" }),
            ),
            (json!({ "kind": "unknown", "name": "7" }), json!({ "kind": "unknown", "name": "[forgotten]" })),
        ] {
            let mut changed = details.clone();
            assert!(trace("7").is_in_details(&details));
            trace("7").take_out(&mut changed);
            assert_eq!(changed, wanted);
            assert!(!trace("7").is_in_details(&changed));
            assert!(serde_json::from_value::<Details>(changed).is_ok(), "{wanted}");
        }
    }

    #[test]
    fn a_player_whose_id_is_a_word_of_guildwires_is_taken_out_of_nothing_else() {
        for id in ["player", "hit", "unknown", "server", "kind"] {
            for kind in ["player.hit", "unknown", "server.started"] {
                let details = json!({ "kind": kind, "name": "events.meteor", "attacker": null });
                assert!(!trace(id).is_in_details(&details), "{id} in {kind}");
            }
            let mut details = json!({ "kind": "player.hit", "attacker": id, "killed": null, "metres": null });
            assert!(trace(id).is_in_details(&details));
            trace(id).take_out(&mut details);
            assert_eq!(details, json!({ "kind": "player.hit", "attacker": null, "killed": null, "metres": null }));
        }
    }

    #[test]
    fn a_body_names_whom_its_descriptions_name() {
        let body = json!({
            "content": "<@&7>", "nonce": "7", "allowed_mentions": { "parse": [], "roles": ["7"] },
            "embeds": [{ "description": "**a** joined", "footer": { "text": "GA-1 · 7" } }, { "description": "by 8" }],
        });
        assert!(!trace("7").is_in_body(&body) && !trace("parse").is_in_body(&body));
        assert!(trace("8").is_in_body(&body));
        assert!(!trace("8").is_in_body(&json!({})), "forgotten");
    }
}
