//! Who hears what: bindings, and the plan that turns an event into the channels it goes to.

use std::collections::BTreeMap;

use super::event::{Event, Kind, KindSet};
use super::ids::{AccountName, ChannelId, GuildId, RoleId, ServerId, UserId};
use super::style::Style;
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
    /// How its events are told.
    pub style: Style,
    /// Whether the channel is a thread; `None` where that was not noted.
    pub is_thread: Option<bool>,
    /// Who made it.
    pub created_by: UserId,
    /// When it was made.
    pub created_at: Timestamp,
    /// The moment, in nats-server's time, since which the account's consumer covers it. It hears only what was
    /// stored after that; nothing while it is `None`.
    pub covered_from: Option<Timestamp>,
    /// Kinds that were chosen after that, each with a beginning of its own: see [`Binding::choose`].
    pub later_kinds: BTreeMap<Kind, Option<Timestamp>>,
    /// Since when it is paused, if it is. A paused binding hears nothing.
    pub paused_at: Option<Timestamp>,
    /// Whether it stands in the settings file, and is not changed in another way.
    pub is_declared: bool,
}

impl Binding {
    /// Chooses other kinds. Those that it had already go on without a gap: they keep their beginning, for events that
    /// are stored but not yet read are theirs. Those that are new begin when the consumer covers them, each on its own
    /// however often the choice changes, for what was stored before was not asked for, also where the consumer takes
    /// it in for others. A kind that was given up and is chosen again is new.
    pub fn choose(&mut self, kinds: KindSet) {
        self.later_kinds.retain(|kind, _| kinds.contains(*kind));
        // Before anything is covered, all kinds begin together.
        if self.covered_from.is_some() {
            self.later_kinds.extend(kinds.without(self.kinds).iter().map(|kind| (kind, None)));
        }
        self.kinds = kinds;
    }

    /// Pauses it, if it is not paused already: from now on it hears nothing.
    pub fn pause(&mut self, now: Timestamp) {
        self.paused_at.get_or_insert(now);
    }

    /// Ends the pause. It begins anew, when the consumer covers it: what was stored meanwhile is nobody's.
    pub fn resume(&mut self) {
        if self.paused_at.take().is_some() {
            self.covered_from = None;
            self.later_kinds.clear();
        }
    }

    /// What a consumer has to deliver for it.
    #[must_use]
    pub fn wanted_kinds(&self) -> KindSet {
        if self.paused_at.is_some() { KindSet::EMPTY } else { self.kinds }
    }

    /// The kinds that no consumer covers so far; none while it is paused, for then none is to begin.
    #[must_use]
    pub fn waiting_kinds(&self) -> KindSet {
        self.wanted_kinds().iter().filter(|kind| self.beginning(*kind).is_none()).collect()
    }

    /// Whether all of its kinds have begun, or it is paused.
    #[must_use]
    pub fn is_covered(&self) -> bool {
        self.waiting_kinds().is_empty()
    }

    /// Notes that a consumer covers it since `moment`: that is the beginning of what has none yet.
    pub fn cover(&mut self, moment: Timestamp) {
        self.covered_from.get_or_insert(moment);
        for beginning in self.later_kinds.values_mut() {
            beginning.get_or_insert(moment);
        }
    }

    /// Lets it hear nothing that was stored up to `moment`. What has not begun stays so.
    pub fn begin_no_sooner_than(&mut self, moment: Timestamp) {
        let later = |beginning: &mut Timestamp| *beginning = (*beginning).max(moment);
        self.covered_from.as_mut().map(later);
        self.later_kinds.values_mut().flatten().for_each(later);
    }

    /// Whether an event like that is one of those it asks for, paused or not.
    #[must_use]
    pub fn asks_for(&self, event: &Event) -> bool {
        let kind = event.details.kind();
        self.account == event.account
            && self.kinds.contains(kind)
            && self.server.as_ref().is_none_or(|bound| *bound == event.server)
            && self.beginning(kind).is_some_and(|beginning| event.stored > beginning)
    }

    /// The moment since which a kind of its is covered; `None` while it is not.
    fn beginning(&self, kind: Kind) -> Option<Timestamp> {
        self.later_kinds.get(&kind).copied().unwrap_or(self.covered_from)
    }

    fn hears(&self, kind: Kind, server: &ServerId, stored: Timestamp) -> bool {
        self.wanted_kinds().contains(kind)
            && self.server.as_ref().is_none_or(|bound| bound == server)
            && self.beginning(kind).is_some_and(|beginning| stored > beginning)
    }
}

/// One channel that an event goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Where the event is shown, once, however many bindings ask for it.
    pub channel: ChannelId,
    /// The roles that are mentioned with it: those of all bindings that ask for it.
    pub mention: Vec<RoleId>,
    /// How it is told: in the most prominent style of those bindings.
    pub style: Style,
}

/// The kinds that an account's `bindings` want of its consumer.
#[must_use]
pub fn heard_kinds(bindings: &[Binding]) -> KindSet {
    bindings.iter().fold(KindSet::EMPTY, |kinds, binding| kinds.union(binding.wanted_kinds()))
}

/// The channels that hear of an event of `kind` from `server`, stored at `stored`, among one account's `bindings`.
#[must_use]
pub fn recipients(bindings: &[Binding], kind: Kind, server: &ServerId, stored: Timestamp) -> Vec<Recipient> {
    let mut channels: BTreeMap<ChannelId, Recipient> = BTreeMap::new();
    for binding in bindings.iter().filter(|binding| binding.hears(kind, server, stored)) {
        let alone = || Recipient { channel: binding.channel, mention: Vec::new(), style: binding.style };
        let recipient = channels.entry(binding.channel).or_insert_with(alone);
        recipient.style = recipient.style.max(binding.style);
        if let Some(role) = binding.mention.filter(|role| !recipient.mention.contains(role)) {
            recipient.mention.push(role);
        }
    }
    channels.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{Details, Group, Start};

    fn binding(channel: u64, group: Group) -> Binding {
        Binding {
            id: 1,
            guild: GuildId(1),
            channel: ChannelId(channel),
            account: "GA-1".parse().expect("a plain name"),
            server: None,
            kinds: group.kinds(),
            mention: None,
            style: Style::Quiet,
            is_thread: None,
            created_by: UserId(1),
            created_at: Timestamp::default(),
            covered_from: Some(Timestamp::from_nanoseconds(100)),
            later_kinds: BTreeMap::new(),
            paused_at: None,
            is_declared: false,
        }
    }

    fn at(nanoseconds: i64) -> Timestamp {
        Timestamp::from_nanoseconds(nanoseconds)
    }

    #[test]
    fn overlapping_bindings_show_an_event_once_with_all_their_mentions_in_the_most_prominent_style() {
        let mut lifecycle = binding(7, Group::Lifecycle);
        lifecycle.mention = Some(RoleId(1));
        let mut everything = binding(7, Group::Everything);
        everything.mention = Some(RoleId(2));
        everything.style = Style::Grouped;
        let bindings = [lifecycle.clone(), everything, lifecycle];
        let heard = recipients(&bindings, Kind::ServerStarted, &"main".into(), at(101));
        let mention = vec![RoleId(1), RoleId(2)];
        assert_eq!(heard, [Recipient { channel: ChannelId(7), mention, style: Style::Grouped }]);
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

    fn hears(binding: &Binding, kind: Kind, stored: i64) -> bool {
        !recipients(std::slice::from_ref(binding), kind, &"main".into(), at(stored)).is_empty()
    }

    #[test]
    fn kinds_chosen_later_begin_later_and_the_others_go_on() {
        let mut bound = binding(7, Group::Lifecycle);
        bound.choose(Group::Lifecycle.kinds().union(Group::Players.kinds()));
        assert_eq!(bound.waiting_kinds(), Group::Players.kinds());
        assert!(hears(&bound, Kind::ServerStarted, 101), "what it had goes on while the rest waits");
        assert!(!hears(&bound, Kind::PlayerConnected, 1_000));

        bound.cover(at(200));
        assert!(bound.is_covered());
        assert!(hears(&bound, Kind::ServerStarted, 101), "also what was stored before and is not yet read");
        assert!(!hears(&bound, Kind::PlayerConnected, 200));
        assert!(hears(&bound, Kind::PlayerConnected, 201));

        bound.choose(bound.kinds.union(Group::Chat.kinds()));
        bound.cover(at(300));
        assert!(hears(&bound, Kind::PlayerConnected, 201), "an earlier choice keeps its own beginning");
        assert!(!hears(&bound, Kind::PlayerChatted, 300));
        assert!(hears(&bound, Kind::PlayerChatted, 301));
    }

    #[test]
    fn a_kind_that_was_given_up_and_chosen_again_is_new() {
        let mut bound = binding(7, Group::Players);
        bound.choose(Group::Lifecycle.kinds());
        assert!(!hears(&bound, Kind::PlayerConnected, 1_000));
        bound.cover(at(200));
        bound.choose(Group::Lifecycle.kinds().union(Group::Players.kinds()));
        bound.cover(at(300));
        assert!(hears(&bound, Kind::ServerStarted, 201));
        assert!(!hears(&bound, Kind::PlayerConnected, 300));
        assert!(hears(&bound, Kind::PlayerConnected, 301));
    }

    #[test]
    fn what_is_recorded_already_can_be_left_behind() {
        let mut bound = binding(7, Group::Lifecycle);
        bound.choose(Group::Lifecycle.kinds().union(Group::Chat.kinds()));
        bound.begin_no_sooner_than(at(500));
        assert!(!hears(&bound, Kind::ServerStarted, 500) && hears(&bound, Kind::ServerStarted, 501));
        assert_eq!(bound.waiting_kinds(), Group::Chat.kinds(), "what has not begun is still to begin");
        bound.cover(at(400));
        bound.begin_no_sooner_than(at(300));
        assert!(hears(&bound, Kind::PlayerChatted, 401), "never sooner than it was");
    }

    #[test]
    fn before_anything_is_covered_all_kinds_begin_together() {
        let mut bound = Binding { covered_from: None, ..binding(7, Group::Players) };
        bound.choose(Group::Lifecycle.kinds().union(Group::Players.kinds()));
        assert!(bound.later_kinds.is_empty() && !bound.is_covered());
        bound.cover(at(200));
        assert!(hears(&bound, Kind::ServerStarted, 201) && !hears(&bound, Kind::PlayerConnected, 200));
    }

    #[test]
    fn a_paused_binding_hears_nothing_and_begins_anew_when_it_is_resumed() {
        let mut bound = binding(7, Group::Lifecycle);
        bound.choose(Group::Lifecycle.kinds().union(Group::Chat.kinds()));
        bound.cover(at(150));
        bound.pause(at(200));
        bound.pause(at(250));
        assert_eq!(bound.paused_at, Some(at(200)), "since the first time");
        assert!(bound.wanted_kinds().is_empty() && bound.is_covered());
        assert!(!hears(&bound, Kind::ServerStarted, 1_000));

        bound.resume();
        assert!(!bound.is_covered() && !hears(&bound, Kind::ServerStarted, 1_000));
        bound.cover(at(300));
        for kind in [Kind::ServerStarted, Kind::PlayerChatted] {
            assert!(!hears(&bound, kind, 300), "what was stored in the pause is nobody's");
            assert!(hears(&bound, kind, 301));
        }
        let before = bound.clone();
        bound.resume();
        assert_eq!(bound, before, "what is not paused goes on");
    }

    #[test]
    fn it_asks_for_events_of_its_kinds_and_server_since_it_began_also_while_it_is_paused() {
        let event = |account: &str, server: &str, stored| Event {
            account: account.parse().unwrap(),
            server: server.into(),
            player: None,
            player_name: None,
            stored: at(stored),
            sequence: 1,
            details: Details::ServerStarted { how: Start::Up },
        };
        let mut bound = Binding { server: Some("main".into()), ..binding(7, Group::Lifecycle) };
        for paused_at in [None, Some(at(200))] {
            bound.paused_at = paused_at;
            assert!(bound.asks_for(&event("GA-1", "main", 101)));
            assert!(!bound.asks_for(&event("GA-1", "main", 100)), "before it began");
            assert!(!bound.asks_for(&event("GA-1", "other", 101)));
            assert!(!bound.asks_for(&event("GA-2", "main", 101)));
        }
        bound.kinds = Group::Chat.kinds();
        assert!(!bound.asks_for(&event("GA-1", "main", 101)));
    }
}
