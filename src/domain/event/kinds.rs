//! The kinds of events, sets of them, and the groups in which people choose them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Defines [`Kind`] with the one name each kind has everywhere.
macro_rules! kinds {
    ($($(#[$documentation:meta])* $variant:ident = $name:literal,)+) => {
        /// What happened. Its name is the same in settings, metrics, selects and the database.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Kind {
            $($(#[$documentation])* #[serde(rename = $name)] $variant,)+
        }

        impl Kind {
            /// Every kind there is.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The kind's one name, such as `server.started`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

kinds! {
    /// A game server came up, or its plugin was loaded anew: publishers don't tell the two apart.
    ServerStarted = "server.started",
    /// A game server says it is about to stop. Not yet stopped.
    ServerStopping = "server.stopping",
    /// A game server stopped.
    ServerStopped = "server.stopped",
    /// A game server's world was wiped.
    ServerWiped = "server.wiped",
    /// A player ran a command.
    ServerCommand = "server.command",
    /// A player joined.
    PlayerConnected = "player.connected",
    /// A player left.
    PlayerDisconnected = "player.disconnected",
    /// A player said something; publishers don't tell team chat from global chat.
    PlayerChatted = "player.chatted",
    /// A player came back to life.
    PlayerRespawned = "player.respawned",
    /// A player was banned.
    PlayerBanned = "player.banned",
    /// A player's ban was lifted.
    PlayerUnbanned = "player.unbanned",
    /// A player reported another.
    PlayerReported = "player.reported",
    /// A player was hit.
    PlayerHit = "player.hit",
    /// A player gathered resources.
    PlayerGathered = "player.gathered",
    /// A player picked an item up.
    PlayerItemPickup = "player.item_pickup",
    /// A player took an item out of a container, or put one in.
    PlayerItemLoot = "player.item_loot",
    /// A player crafted an item.
    PlayerItemCrafted = "player.item_crafted",
    /// Something under a known prefix that this version has no word for.
    Unknown = "unknown",
}

impl Kind {
    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A set of kinds; the database keeps its names joined by spaces, so a row can be read by a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct KindSet(u32);

impl KindSet {
    /// The set with nothing in it.
    pub const EMPTY: Self = Self(0);

    /// Whether `kind` is in the set.
    #[must_use]
    pub const fn contains(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u32) != 0
    }

    /// All that is in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether nothing is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The kinds in the set, in the order of [`Kind::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.iter().copied().filter(move |kind| self.contains(*kind))
    }

    /// The names in the set, joined by single spaces.
    #[must_use]
    pub fn to_names(self) -> String {
        self.iter().map(Kind::name).collect::<Vec<_>>().join(" ")
    }

    /// The set whose names stand in `names`, split at spaces. Names of other versions' kinds are passed over.
    #[must_use]
    pub fn from_names(names: &str) -> Self {
        names.split_ascii_whitespace().filter_map(Kind::from_name).collect()
    }
}

impl FromIterator<Kind> for KindSet {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Self {
        Self(kinds.into_iter().fold(0, |bits, kind| bits | 1 << kind as u32))
    }
}

/// The kinds a person chooses at once. Its name is the value of the commands' choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// The server itself: started, stopping, stopped, wiped.
    Lifecycle,
    /// Who comes and goes.
    Players,
    /// What players say.
    Chat,
    /// Bans, reports and commands.
    Moderation,
    /// Hits and respawns.
    Combat,
    /// What is gathered, picked up, looted and crafted.
    Items,
    /// All of these and unknown kinds, but not chat: that is always a choice of its own.
    Everything,
}

impl Group {
    /// Every group, in the order people are offered them.
    pub const ALL: &[Self] =
        &[Self::Lifecycle, Self::Players, Self::Chat, Self::Moderation, Self::Combat, Self::Items, Self::Everything];

    /// The group's name, such as `lifecycle`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lifecycle => "lifecycle",
            Self::Players => "players",
            Self::Chat => "chat",
            Self::Moderation => "moderation",
            Self::Combat => "combat",
            Self::Items => "items",
            Self::Everything => "everything",
        }
    }

    /// The group of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|group| group.name() == name)
    }

    /// The kinds in the group.
    #[must_use]
    pub fn kinds(self) -> KindSet {
        let kinds: &[Kind] = match self {
            Self::Lifecycle => &[Kind::ServerStarted, Kind::ServerStopping, Kind::ServerStopped, Kind::ServerWiped],
            Self::Players => &[Kind::PlayerConnected, Kind::PlayerDisconnected],
            Self::Chat => &[Kind::PlayerChatted],
            Self::Moderation => &[Kind::PlayerBanned, Kind::PlayerUnbanned, Kind::PlayerReported, Kind::ServerCommand],
            Self::Combat => &[Kind::PlayerHit, Kind::PlayerRespawned],
            Self::Items => {
                &[Kind::PlayerGathered, Kind::PlayerItemPickup, Kind::PlayerItemLoot, Kind::PlayerItemCrafted]
            }
            Self::Everything => {
                return Kind::ALL.iter().copied().filter(|kind| *kind != Kind::PlayerChatted).collect();
            }
        };
        kinds.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_kinds() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_name(kind.name()), Some(*kind));
            let set: KindSet = [*kind].into_iter().collect();
            assert_eq!(KindSet::from_names(&set.to_names()), set);
        }
        assert_eq!(KindSet::from_names("server.started nonsense"), [Kind::ServerStarted].into_iter().collect());
    }

    #[test]
    fn everything_is_every_group_and_the_unknown_but_not_chat() {
        let mut all = Group::ALL.iter().filter(|group| **group != Group::Chat).map(|group| group.kinds());
        let first = all.next().expect("there are groups");
        let union = all.fold(first, KindSet::union);
        assert_eq!(union, Group::Everything.kinds());
        assert!(!union.contains(Kind::PlayerChatted));
        assert!(union.contains(Kind::Unknown));
        assert_eq!(union.iter().count() + 1, Kind::ALL.len());
    }
}
