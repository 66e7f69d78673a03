//! What is planned for each way in which what is wanted and what is there can differ.

use super::*;
use crate::domain::event::Group;
use crate::domain::ids::UserId;
use crate::domain::timestamp::Timestamp;

const GUILD: GuildId = GuildId(1);

fn account(name: &str) -> DeclaredAccount {
    DeclaredAccount {
        name: name.parse().unwrap(),
        url: "nats://one".to_owned(),
        stream: None,
        root: Root::default(),
        wide_filter: false,
        credential: CredentialSource::Creds("a.creds".into()),
    }
}

fn link(account: &str) -> DeclaredLink {
    DeclaredLink { guild: GUILD, account: account.parse().unwrap() }
}

fn binding(channel: u64, group: Group) -> DeclaredBinding {
    DeclaredBinding {
        guild: GUILD,
        channel: ChannelId(channel),
        account: "GA-1".parse().unwrap(),
        server: None,
        kinds: group.kinds(),
        mention: None,
        style: Style::Each,
    }
}

fn there(id: i64, binding: DeclaredBinding) -> Binding {
    Binding {
        id,
        guild: binding.guild,
        channel: binding.channel,
        account: binding.account,
        server: binding.server,
        kinds: binding.kinds,
        mention: binding.mention,
        style: binding.style,
        is_thread: None,
        created_by: UserId(0),
        created_at: Timestamp::default(),
        covered_from: Some(Timestamp::from_nanoseconds(1)),
        later_kinds: BTreeMap::new(),
        paused_at: None,
        is_declared: true,
    }
}

fn stored(account: DeclaredAccount) -> Account {
    Account {
        name: account.name,
        url: account.url,
        stream: account.stream,
        root: account.root,
        wide_filter: account.wide_filter,
        owner: None,
        connected_in: None,
        is_declared: true,
        revision: 7,
    }
}

/// A file with three empty lists.
fn nothing() -> Setup {
    Setup { is_given: true, ..Setup::default() }
}

fn setup(bindings: &[DeclaredBinding]) -> Setup {
    Setup { accounts: vec![account("GA-1")], links: vec![link("GA-1")], bindings: bindings.to_vec(), ..nothing() }
}

fn existing(bindings: &[DeclaredBinding]) -> Existing {
    let bindings = bindings.iter().cloned().zip(1..).map(|(binding, id)| there(id, binding)).collect();
    Existing {
        accounts: vec![stored(account("GA-1"))],
        links: vec![ExistingLink { link: link("GA-1"), is_declared: true, is_by_hand: false }],
        bindings,
    }
}

fn steps(wanted: &Setup, existing: &Existing) -> Vec<Step> {
    let plan = plan(wanted, existing);
    assert_eq!(plan.obstacles, []);
    plan.steps
}

#[test]
fn what_is_there_is_not_touched_and_what_is_not_is_added_in_order() {
    let bound = binding(7, Group::Lifecycle);
    let wanted = setup(std::slice::from_ref(&bound));
    assert_eq!(steps(&wanted, &existing(std::slice::from_ref(&bound))), []);
    let all = [Step::AddAccount(account("GA-1")), Step::Link(link("GA-1")), Step::AddBinding(bound)];
    assert_eq!(steps(&wanted, &Existing::default()), all);
}

#[test]
fn an_account_changes_with_each_of_its_keys() {
    let base = account("GA-1");
    let changed = [
        DeclaredAccount { url: "nats://two".to_owned(), ..base.clone() },
        DeclaredAccount { stream: Some("EVENTS".to_owned()), ..base.clone() },
        DeclaredAccount { root: "other.servers".parse().unwrap(), ..base.clone() },
        DeclaredAccount { wide_filter: true, ..base.clone() },
    ];
    for account in changed {
        let wanted = Setup { accounts: vec![account.clone()], ..setup(&[]) };
        assert_eq!(steps(&wanted, &existing(&[])), [Step::ChangeAccount(account)]);
    }
    let elsewhere = DeclaredAccount { credential: CredentialSource::Creds("b.creds".into()), ..base };
    let wanted = Setup { accounts: vec![elsewhere], ..setup(&[]) };
    assert_eq!(steps(&wanted, &existing(&[])), [], "its credential is followed by what is in it");
}

#[test]
fn a_binding_that_hears_or_tells_otherwise_changes_and_is_not_made_anew() {
    let before = binding(7, Group::Lifecycle);
    let changed = [
        DeclaredBinding { kinds: Group::Lifecycle.kinds().union(Group::Players.kinds()), ..before.clone() },
        DeclaredBinding { style: Style::Quiet, ..before.clone() },
        DeclaredBinding { mention: Some(RoleId(9)), ..before.clone() },
    ];
    for to in changed {
        let wanted = setup(std::slice::from_ref(&to));
        assert_eq!(steps(&wanted, &existing(std::slice::from_ref(&before))), [Step::ChangeBinding { id: 1, to }]);
    }
}

#[test]
fn another_channel_or_server_is_another_binding() {
    let before = binding(7, Group::Lifecycle);
    let others = [
        DeclaredBinding { channel: ChannelId(8), ..before.clone() },
        DeclaredBinding { server: Some("main".into()), ..before.clone() },
    ];
    for other in others {
        let wanted = setup(std::slice::from_ref(&other));
        let expected = [Step::AddBinding(other), Step::RemoveBinding { guild: GUILD, id: 1 }];
        assert_eq!(steps(&wanted, &existing(std::slice::from_ref(&before))), expected);
    }
}

#[test]
fn of_several_in_a_channel_those_that_hear_the_same_stay_whatever_their_order() {
    let (one, two, three) = (binding(7, Group::Lifecycle), binding(7, Group::Players), binding(7, Group::Combat));
    let there = existing(&[one.clone(), two.clone()]);
    assert_eq!(steps(&setup(&[two.clone(), one.clone()]), &there), []);
    let changed = [Step::ChangeBinding { id: 1, to: three.clone() }];
    assert_eq!(steps(&setup(&[three.clone(), two.clone()]), &there), changed);
    assert_eq!(steps(&setup(&[one.clone(), two, three.clone()]), &there), [Step::AddBinding(three)]);
    assert_eq!(steps(&setup(&[one]), &there), [Step::RemoveBinding { guild: GUILD, id: 2 }]);
}

#[test]
fn what_leaves_the_file_is_removed_with_what_hangs_on_it() {
    let there = existing(&[binding(7, Group::Lifecycle)]);
    let unlinked = Setup { accounts: vec![account("GA-1")], ..nothing() };
    assert_eq!(steps(&unlinked, &there), [Step::Unlink(link("GA-1"))]);
    let gone = [Step::Unlink(link("GA-1")), Step::RemoveAccount("GA-1".parse().unwrap())];
    assert_eq!(steps(&nothing(), &there), gone);

    let mut by_hand = there;
    by_hand.links[0].is_by_hand = true;
    let left = [Step::RemoveBinding { guild: GUILD, id: 1 }, Step::ReleaseLink(link("GA-1"))];
    assert_eq!(steps(&unlinked, &by_hand), left, "a link that the file took over is its guild's again");
    assert_eq!(steps(&nothing(), &by_hand), gone, "but without the account there is none");
    by_hand.bindings[0].is_declared = false;
    assert_eq!(steps(&unlinked, &by_hand), [Step::ReleaseLink(link("GA-1"))], "with what was made by hand");
    by_hand.links[0].is_declared = false;
    assert_eq!(steps(&unlinked, &by_hand), [], "a link that was made with a code is its guild's");
    assert_eq!(steps(&nothing(), &by_hand), gone, "but without the account there is none");
}

#[test]
fn a_link_that_was_made_with_a_code_is_noted_as_declared() {
    let mut there = existing(&[]);
    there.links[0].is_declared = false;
    assert_eq!(steps(&setup(&[]), &there), [Step::Link(link("GA-1"))]);
}

#[test]
fn what_was_made_by_hand_is_never_taken_over() {
    let bound = binding(7, Group::Lifecycle);
    let wanted = setup(std::slice::from_ref(&bound));
    let mut there = existing(std::slice::from_ref(&bound));
    there.bindings[0].is_declared = false;
    let refused = Plan { steps: vec![], obstacles: vec![Obstacle::Binding { id: 1, wanted: bound }] };
    assert_eq!(plan(&wanted, &there), refused);
    assert_eq!(steps(&setup(&[]), &there), [], "nor removed");

    there.accounts[0].is_declared = false;
    there.links.clear();
    there.bindings.clear();
    let refused = Plan { steps: vec![], obstacles: vec![Obstacle::Account("GA-1".parse().unwrap())] };
    assert_eq!(plan(&wanted, &there), refused, "and what hangs on it is left alone, too");
    assert_eq!(steps(&nothing(), &there), []);
}

#[test]
fn a_file_that_says_nothing_of_it_removes_nothing() {
    let there = existing(&[binding(7, Group::Lifecycle)]);
    let refused = Plan { steps: vec![], obstacles: vec![Obstacle::NotGiven("GA-1".parse().unwrap())] };
    assert_eq!(plan(&Setup::default(), &there), refused);
    let mut by_hand = there;
    by_hand.accounts[0].is_declared = false;
    assert_eq!(plan(&Setup::default(), &by_hand), Plan::default(), "nor is anything missed");
}
