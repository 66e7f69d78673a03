//! Who hears what: bindings, and the plan that turns an event into the channels it goes to.

use std::collections::BTreeMap;

use super::event::{Kind, KindSet};
use super::ids::{AccountName, ChannelId, GuildId, RoleId, ServerId, UserId};
use super::timestamp::Timestamp;

/// In a linked guild: these kinds, of this account (and server, or all), to this channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Its number, unique in the installation.
    pub id: i64,
    /// The guild that made it.
    pub guild: GuildId,
    /// Where the events go.
    pub channel: ChannelId,
    /// Whose events.
    pub account: AccountName,
    /// Which server's events; all of the account's when `None`.
    pub server: Option<ServerId>,
    /// Which kinds.
    pub kinds: KindSet,
    /// The role that each message mentions.
    pub mention: Option<RoleId>,
    /// Who made it.
    pub created_by: UserId,
    /// When it was made.
    pub created_at: Timestamp,
    /// The moment, in nats-server's time, since which the account's consumer covers it. It hears only what was
    /// stored after that; nothing while it is `None`.
    pub covered_from: Option<Timestamp>,
}

/// One channel that an event goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Where the event is shown, once, however many bindings ask for it.
    pub channel: ChannelId,
    /// The roles that are mentioned with it: those of all bindings that ask for it.
    pub mention: Vec<RoleId>,
}

/// The channels that hear of an event of `kind` from `server`, stored at `stored`, among one account's `bindings`.
#[must_use]
pub fn recipients(bindings: &[Binding], kind: Kind, server: &ServerId, stored: Timestamp) -> Vec<Recipient> {
    let mut channels: BTreeMap<ChannelId, Vec<RoleId>> = BTreeMap::new();
    for binding in bindings.iter().filter(|binding| hears(binding, kind, server, stored)) {
        let mention = channels.entry(binding.channel).or_default();
        if let Some(role) = binding.mention.filter(|role| !mention.contains(role)) {
            mention.push(role);
        }
    }
    channels.into_iter().map(|(channel, mention)| Recipient { channel, mention }).collect()
}

fn hears(binding: &Binding, kind: Kind, server: &ServerId, stored: Timestamp) -> bool {
    binding.kinds.contains(kind)
        && binding.server.as_ref().is_none_or(|bound| bound == server)
        && binding.covered_from.is_some_and(|covered| stored > covered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Group;

    fn binding(channel: u64, group: Group) -> Binding {
        Binding {
            id: 1,
            guild: GuildId(1),
            channel: ChannelId(channel),
            account: "GA-1".parse().expect("a plain name"),
            server: None,
            kinds: group.kinds(),
            mention: None,
            created_by: UserId(1),
            created_at: Timestamp::default(),
            covered_from: Some(Timestamp::from_nanoseconds(100)),
        }
    }

    fn at(nanoseconds: i64) -> Timestamp {
        Timestamp::from_nanoseconds(nanoseconds)
    }

    #[test]
    fn overlapping_bindings_show_an_event_once_and_unite_their_mentions() {
        let mut lifecycle = binding(7, Group::Lifecycle);
        lifecycle.mention = Some(RoleId(1));
        let mut everything = binding(7, Group::Everything);
        everything.mention = Some(RoleId(2));
        let bindings = [lifecycle.clone(), everything, lifecycle];
        let heard = recipients(&bindings, Kind::ServerStarted, &"main".into(), at(101));
        assert_eq!(heard, [Recipient { channel: ChannelId(7), mention: vec![RoleId(1), RoleId(2)] }]);
    }

    #[test]
    fn a_binding_hears_only_its_kinds_and_its_server() {
        let mut bound = binding(7, Group::Players);
        bound.server = Some("main".into());
        let bindings = [bound];
        assert_eq!(recipients(&bindings, Kind::PlayerConnected, &"main".into(), at(101)).len(), 1);
        assert!(recipients(&bindings, Kind::PlayerConnected, &"other".into(), at(101)).is_empty());
        assert!(recipients(&bindings, Kind::PlayerChatted, &"main".into(), at(101)).is_empty());
    }

    #[test]
    fn a_binding_hears_nothing_stored_before_it_was_covered() {
        let mut bindings = [binding(7, Group::Lifecycle)];
        assert!(recipients(&bindings, Kind::ServerStarted, &"main".into(), at(100)).is_empty());
        assert_eq!(recipients(&bindings, Kind::ServerStarted, &"main".into(), at(101)).len(), 1);
        bindings[0].covered_from = None;
        assert!(recipients(&bindings, Kind::ServerStarted, &"main".into(), at(101)).is_empty());
    }
}
