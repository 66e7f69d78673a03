//! The subject that an event is published to: what reading subjects turned around, for whoever publishes by hand.

use super::{Root, endings};
use crate::domain::event::Kind;

/// The longest subject, in bytes. nats-server takes lines of 4,096 bytes, on which the address for the answer and the
/// sizes have to fit, too: `max_control_line` in
/// <https://docs.nats.io/running-a-nats-service/configuration#connectivity>.
const LONGEST: usize = 3_072;

/// Of what an event tells: the parts of its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Naming<'a> {
    /// What happened.
    pub kind: Kind,
    /// The game, in the place of a root's `*`.
    pub game: &'a str,
    /// The server's id. May hold dots, which the accounts' `--wide-filter` is for.
    pub server: &'a str,
    /// The player's id, for the kinds that have one.
    pub player: Option<&'a str>,
    /// The item's id, for the kinds that have one.
    pub item: Option<&'a str>,
}

/// Why there is no such subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadNaming {
    /// A part can't be a part of a subject.
    #[error("--{option} must be text without spaces, control characters, dots, * and >, which {text:?} is not")]
    BadToken {
        /// How the part is given.
        option: &'static str,
        /// Its beginning.
        text: String,
    },
    /// The kind needs one.
    #[error("the subjects of {kind} name the {option}: give it with --{option}")]
    Missing {
        /// The kind.
        kind: Kind,
        /// How it is given.
        option: &'static str,
    },
    /// The kind has no place for one.
    #[error("the subjects of {kind} have no {option} in them: leave --{option} out")]
    Needless {
        /// The kind.
        kind: Kind,
        /// How it was given.
        option: &'static str,
    },
    /// The kind has no words in subjects.
    #[error("an event of a kind that guildwire has no word for needs its whole subject: give it with --subject")]
    NoWords,
    /// More than one token of the root is open.
    #[error("the root {0} leaves more open than the game: give the whole subject with --subject")]
    Open(Root),
    /// A subject is none.
    #[error(
        "a subject is tokens joined by single dots, without spaces, control characters, * and >, and does not begin with \
         $, which {0:?} is not"
    )]
    NoSubject(String),
    /// It does not fit into nats-server's line.
    #[error("a subject of {0} bytes is too long: nats-server takes up to about {LONGEST}")]
    TooLong(usize),
}

impl Root {
    /// The subject to publish such an event to.
    pub fn subject_of(&self, naming: Naming<'_>) -> Result<String, BadNaming> {
        let Naming { kind, game, server, player, item } = naming;
        let ending = endings(kind).first().ok_or(BadNaming::NoWords)?;
        if self.as_str().matches('*').count() > 1 {
            return Err(BadNaming::Open(self.clone()));
        }
        let mut tokens = Vec::new();
        for token in self.as_str().split('.') {
            tokens.push(if token == "*" { one_token("game", game)? } else { token });
        }
        for token in server.split('.') {
            tokens.push(one_token("server", token)?);
        }
        let mut ids = [("player", player), ("item", item)].into_iter();
        for token in ending.split('.') {
            if token == "*" {
                let (option, id) = ids.next().expect("a kind's subject names a player and an item at most");
                tokens.push(one_token(option, id.ok_or(BadNaming::Missing { kind, option })?)?);
            } else {
                tokens.push(token);
            }
        }
        if let Some((option, _)) = ids.find(|(_, id)| id.is_some()) {
            return Err(BadNaming::Needless { kind, option });
        }
        checked_subject(&tokens.join("."))
    }
}

/// A subject that can be published to, as it is: one without placeholders, outside of what nats-server keeps for itself.
pub fn checked_subject(text: &str) -> Result<String, BadNaming> {
    if text.len() > LONGEST {
        return Err(BadNaming::TooLong(text.len()));
    }
    if text.starts_with('$') || !text.split('.').all(is_token) {
        return Err(BadNaming::NoSubject(beginning(text)));
    }
    Ok(text.to_owned())
}

fn one_token<'a>(option: &'static str, text: &'a str) -> Result<&'a str, BadNaming> {
    if is_token(text) && !text.contains('.') {
        Ok(text)
    } else {
        Err(BadNaming::BadToken { option, text: beginning(text) })
    }
}

fn is_token(text: &str) -> bool {
    let forbidden = |character: char| "*>".contains(character) || character.is_whitespace() || character.is_control();
    !text.is_empty() && !text.contains(forbidden)
}

fn beginning(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::subject::Subject;

    fn naming<'a>(kind: Kind, player: Option<&'a str>, item: Option<&'a str>) -> Naming<'a> {
        Naming { kind, game: "rust", server: "main", player, item }
    }

    fn named(kind: Kind, player: Option<&str>, item: Option<&str>) -> Result<String, BadNaming> {
        Root::default().subject_of(naming(kind, player, item))
    }

    #[test]
    fn what_is_named_is_what_is_needed() {
        assert_eq!(named(Kind::ServerStarted, None, None).unwrap(), "v0.rust.servers.main.events.started");
        assert_eq!(
            named(Kind::PlayerItemPickup, Some("7"), Some("-12")).unwrap(),
            "v0.rust.servers.main.players.7.events.items.-12.pickup"
        );
        assert_eq!(
            named(Kind::PlayerChatted, None, None).unwrap_err().to_string(),
            "the subjects of player.chatted name the player: give it with --player"
        );
        assert_eq!(
            named(Kind::PlayerItemLoot, Some("7"), None).unwrap_err().to_string(),
            "the subjects of player.item_loot name the item: give it with --item"
        );
        for (kind, player, item) in [(Kind::ServerWiped, Some("7"), None), (Kind::PlayerBanned, Some("7"), Some("1"))] {
            assert!(matches!(named(kind, player, item), Err(BadNaming::Needless { .. })), "{kind}");
        }
        assert_eq!(named(Kind::Unknown, None, None), Err(BadNaming::NoWords));
    }

    #[test]
    fn a_root_may_have_one_open_token() {
        let root = |text: &str| text.parse::<Root>().unwrap();
        let started = naming(Kind::ServerStarted, None, None);
        assert_eq!(root("game.servers").subject_of(started).unwrap(), "game.servers.main.events.started");
        assert_eq!(root("*.x").subject_of(started).unwrap(), "rust.x.main.events.started");
        assert_eq!(root("*.x.*").subject_of(started), Err(BadNaming::Open(root("*.x.*"))));
    }

    #[test]
    fn what_is_no_token_gets_into_no_subject() {
        for bad in ["", "a b", "*", ">", "a.b", "a\nb", "a\u{9b}b"] {
            let refused = |naming| matches!(Root::default().subject_of(naming), Err(BadNaming::BadToken { .. }));
            assert!(refused(naming(Kind::PlayerConnected, Some(bad), None)), "{bad:?}");
            assert!(refused(Naming { game: bad, ..naming(Kind::ServerStarted, None, None) }), "{bad:?}");
            assert!(
                bad == "a.b" || refused(Naming { server: bad, ..naming(Kind::ServerStarted, None, None) }),
                "{bad:?}"
            );
            assert!(bad == "a.b" || checked_subject(bad).is_err(), "{bad:?}");
        }
        for bad in ["a..b", ".a", "a.", "$JS.API.STREAM.DELETE.EVENTS", "a.*"] {
            assert!(matches!(checked_subject(bad), Err(BadNaming::NoSubject(_))), "{bad}");
        }
        assert!(checked_subject("v0.x.$y").is_ok());
        assert_eq!(checked_subject(&"x".repeat(LONGEST + 1)), Err(BadNaming::TooLong(LONGEST + 1)));
    }

    proptest! {
        #[test]
        fn what_is_named_is_what_is_read(server in "[a-zA-Z0-9_-]{1,9}(\\.[0-9]{1,3})?", player in "[a-z0-9]{1,9}", item in "-?[0-9]{1,9}") {
            for kind in Kind::ALL.iter().copied().filter(|kind| *kind != Kind::Unknown) {
                let wanted = endings(kind)[0].matches('*').count();
                let naming = Naming {
                    kind,
                    game: "rust",
                    server: &server,
                    player: (wanted > 0).then_some(player.as_str()),
                    item: (wanted > 1).then_some(item.as_str()),
                };
                let subject = Root::default().subject_of(naming).unwrap();
                let read = Subject::parse(&Root::default(), &subject).unwrap();
                prop_assert_eq!((read.kind, read.server), (kind, Some(server.as_str())));
                prop_assert_eq!((read.player, read.item), (naming.player, naming.item));
            }
        }
    }
}
