//! Rules about whom to tell of an outage, and when.

use super::*;
use crate::domain::binding::Binding;
use crate::domain::event::Group;
use crate::domain::ids::UserId;
use crate::domain::style::Style;

const AFTER: Duration = Duration::from_mins(2);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_nanoseconds(seconds * 1_000_000_000)
}

fn account() -> AccountName {
    "GA-1".parse().expect("a plain name")
}

/// Notes an account that is in that state since that second.
fn standing(state: AccountState, since: i64) -> BTreeMap<AccountName, Standing> {
    [(account(), Standing { state, since: at(since), lag: 0 })].into()
}

fn outages() -> Outages {
    Outages { steady: STEADY, since: BTreeMap::new() }
}

/// Whether an outage is to be told of at that second, and since when it lasts.
fn told(outages: &mut Outages, standings: &BTreeMap<AccountName, Standing>, now: i64) -> Option<Timestamp> {
    outages.observe(standings, at(now));
    outages.to_tell(standings, AFTER, at(now)).first().map(|(_, since, _)| *since)
}

#[test]
fn an_outage_is_told_of_once_it_is_long_enough_whatever_its_reason_is_by_then() {
    let mut outages = outages();
    assert_eq!(told(&mut outages, &standing(AccountState::Trouble(Fault::Lost), 10), 12), None);
    assert_eq!(told(&mut outages, &standing(AccountState::Trouble(Fault::NoJetStream), 100), 129), None);
    assert_eq!(told(&mut outages, &standing(AccountState::Trouble(Fault::NoJetStream), 100), 130), Some(at(10)));
    assert_eq!(told(&mut outages, &standing(AccountState::Connecting, 140), 141), None, "there is no reason to tell");
}

#[test]
fn who_runs_for_a_moment_at_a_time_is_out_all_along() {
    let (mut outages, lost) = (outages(), AccountState::Trouble(Fault::Lost));
    told(&mut outages, &standing(lost.clone(), 0), 1);
    for second in (5..109).step_by(8) {
        assert_eq!(told(&mut outages, &standing(AccountState::Running, second), second + 4), None);
        assert_eq!(outages.ended(&standing(AccountState::Running, second), &account()), None);
        assert_eq!(told(&mut outages, &standing(lost.clone(), second + 5), second + 5), None);
    }
    assert_eq!(told(&mut outages, &standing(lost, 121), 121), Some(at(0)));

    let runs = standing(AccountState::Running, 130);
    told(&mut outages, &runs, 139);
    assert_eq!(outages.ended(&runs, &account()), None);
    told(&mut outages, &runs, 140);
    assert_eq!(outages.ended(&runs, &account()), Some(at(130)));
}

#[test]
fn an_account_of_which_nothing_is_known_is_neither_out_nor_back() {
    let mut outages = outages();
    told(&mut outages, &standing(AccountState::Trouble(Fault::Lost), 0), 1);
    assert_eq!(told(&mut outages, &BTreeMap::new(), 500), None);
    assert_eq!(outages.ended(&BTreeMap::new(), &account()), None);
    assert_eq!(told(&mut outages, &standing(AccountState::Trouble(Fault::Lost), 490), 500), None, "it begins anew");
}

fn binding(guild: u64, channel: u64, group: Group) -> Binding {
    Binding {
        id: 1,
        guild: GuildId(guild),
        channel: ChannelId(channel),
        account: account(),
        server: None,
        kinds: group.kinds(),
        mention: None,
        style: Style::Each,
        is_thread: Some(false),
        created_by: UserId(1),
        created_at: Timestamp::default(),
        covered_from: None,
        later_kinds: BTreeMap::new(),
        paused_at: None,
        is_declared: false,
    }
}

#[test]
fn a_guild_is_told_where_it_hears_of_servers_that_stop_if_that_channel_works() {
    let mut paused = binding(1, 9, Group::Lifecycle);
    paused.pause(at(1));
    let bindings = [
        paused,
        binding(2, 20, Group::Lifecycle),
        binding(1, 10, Group::Chat),
        binding(1, 11, Group::Lifecycle),
        binding(1, 12, Group::Players),
    ];
    let chosen = |stopped: &[u64], before: Option<u64>| {
        let stopped = stopped.iter().copied().map(ChannelId).collect();
        channel_that_works(&bindings, GuildId(1), &stopped, before.map(ChannelId)).map(|channel| channel.0)
    };
    assert_eq!(chosen(&[], None), Some(11));
    assert_eq!(chosen(&[11], None), Some(10));
    assert_eq!(chosen(&[10, 11], None), Some(12));
    assert_eq!(chosen(&[10, 11, 12], None), None);
    assert_eq!(chosen(&[], Some(12)), Some(12));
    assert_eq!(chosen(&[12], Some(12)), Some(11));
    assert_eq!(chosen(&[], Some(20)), Some(11), "another guild's");
}
