//! What belongs together is told together, nothing twice, nothing left out.

use proptest::prelude::*;

use super::*;

/// An event of server `main`, that many seconds after the beginning.
fn event(second: u64, player: Option<&str>, details: Details) -> Event {
    Event {
        account: "GA-1".parse().unwrap(),
        server: "main".into(),
        player: player.map(PlayerId::from),
        player_name: player.map(str::to_owned),
        stored: Timestamp::from_nanoseconds(0).plus(Duration::from_secs(second)),
        sequence: second,
        details,
    }
}

fn joins(second: u64, player: &str) -> Event {
    event(second, Some(player), Details::PlayerConnected)
}

fn leaves(second: u64, player: &str) -> Event {
    event(second, Some(player), Details::PlayerDisconnected { reason: None })
}

fn says(second: u64, player: &str, message: &str) -> Event {
    event(second, Some(player), Details::PlayerChatted { message: Some(message.to_owned()) })
}

fn stops(second: u64) -> Event {
    event(second, None, Details::ServerStopped)
}

fn condensed(events: &[Event]) -> Vec<(What, Vec<Vec<usize>>)> {
    let due: Vec<_> = events.iter().map(Some).collect();
    condense(&due).into_iter().map(|bundle| (bundle.what, bundle.tellings)).collect()
}

const JOINED: What = What::Events(Kind::PlayerConnected);
const LEFT: What = What::Events(Kind::PlayerDisconnected);
const SAID: What = What::Events(Kind::PlayerChatted);
const STOPPED: What = What::Events(Kind::ServerStopped);

#[test]
fn neighbours_of_one_kind_and_server_join() {
    let mut elsewhere = joins(3, "C");
    elsewhere.server = "other".into();
    assert_eq!(
        condensed(&[joins(1, "A"), joins(2, "B"), elsewhere, joins(4, "D")]),
        [(JOINED, vec![vec![0], vec![1]]), (JOINED, vec![vec![2]]), (JOINED, vec![vec![3]])]
    );
    assert_eq!(
        condensed(&[joins(1, "A"), stops(2), joins(3, "B")]),
        [(JOINED, vec![vec![0]]), (STOPPED, vec![vec![1]]), (JOINED, vec![vec![2]])]
    );
}

#[test]
fn the_same_again_within_seconds_is_told_once() {
    assert_eq!(condensed(&[stops(1), stops(3), stops(12)]), [(STOPPED, vec![vec![0, 1, 2]])]);
    assert_eq!(condensed(&[stops(1), stops(12)]), [(STOPPED, vec![vec![0], vec![1]])]);
    assert_eq!(
        condensed(&[says(1, "A", "gg"), says(1, "B", "gg"), says(2, "A", "gg"), says(2, "A", "wp")]),
        [(SAID, vec![vec![0, 2], vec![1], vec![3]])]
    );
    // What happened in between makes it news.
    assert_eq!(condensed(&[joins(1, "A"), leaves(2, "A"), joins(3, "A")])[1].0, What::Reconnected);
}

#[test]
fn who_leaves_and_is_back_in_moments_has_reconnected() {
    assert_eq!(
        condensed(&[leaves(1, "A"), leaves(2, "B"), joins(30, "B"), joins(61, "A"), joins(62, "C")]),
        [(What::Reconnected, vec![vec![0, 3], vec![1, 2]]), (JOINED, vec![vec![4]])]
    );
    assert_eq!(condensed(&[leaves(1, "A"), joins(62, "A")]), [(LEFT, vec![vec![0]]), (JOINED, vec![vec![1]])]);
    assert_eq!(
        condensed(&[leaves(1, "A"), stops(2), joins(3, "A")]),
        [(LEFT, vec![vec![0]]), (STOPPED, vec![vec![1]]), (JOINED, vec![vec![2]])],
        "the server stopped between them"
    );
    assert_eq!(
        condensed(&[leaves(1, "A"), joins(2, "A"), leaves(3, "A")]),
        [(What::Reconnected, vec![vec![0, 1]]), (LEFT, vec![vec![2]])]
    );
}

#[test]
fn a_repeat_is_told_as_one_but_not_across_what_the_server_says_of_itself() {
    assert_eq!(
        condensed(&[joins(1, "A"), stops(2), joins(3, "A")]),
        [(JOINED, vec![vec![0]]), (STOPPED, vec![vec![1]]), (JOINED, vec![vec![2]])]
    );
    assert_eq!(
        condensed(&[leaves(1, "A"), leaves(1, "A"), joins(2, "A"), joins(2, "A")]),
        [(What::Reconnected, vec![vec![0, 1, 2, 3]])],
        "a publisher that sends everything twice"
    );
}

#[test]
fn what_is_no_event_stands_apart() {
    let joined = [joins(1, "A"), joins(2, "B")];
    let what: Vec<_> =
        condense(&[Some(&joined[0]), None, None, Some(&joined[1])]).into_iter().map(|it| it.what).collect();
    assert_eq!(what, [JOINED, What::Apart, What::Apart, JOINED]);
}

#[test]
fn waiting_on_purpose_is_not_being_late() {
    let (stored, late_after) = (Timestamp::from_nanoseconds(0), Duration::from_mins(5));
    let at = |seconds| stored.plus(Duration::from_secs(seconds));
    assert!(!is_late(stored, Duration::ZERO, late_after, at(300)));
    assert!(is_late(stored, Duration::ZERO, late_after, at(301)));
    assert!(!is_late(stored, Duration::from_mins(5), late_after, at(600)));
    assert!(!is_late(at(900), Duration::ZERO, late_after, stored), "the clocks differ");
}

fn any_event() -> impl Strategy<Value = Option<Event>> {
    (0..5_u8, "[AB]", 0..200_u64).prop_map(|(what, player, second)| match what {
        0 => Some(joins(second, &player)),
        1 => Some(leaves(second, &player)),
        2 => Some(says(second, &player, "gg")),
        3 => Some(stops(second)),
        _ => None,
    })
}

proptest! {
    #[test]
    fn every_row_is_told_exactly_once_and_in_the_order_of_what_it_is_told_with(events in prop::collection::vec(any_event(), 0..40)) {
        let due: Vec<_> = events.iter().map(Option::as_ref).collect();
        let bundles = condense(&due);
        let tellings: Vec<_> = bundles.iter().flat_map(|bundle| &bundle.tellings).collect();
        let mut rows: Vec<_> = tellings.iter().flat_map(|rows| rows.iter().copied()).collect();
        prop_assert!(tellings.is_sorted_by_key(|rows| rows[0]));
        prop_assert!(tellings.iter().all(|rows| rows.is_sorted()));
        rows.sort_unstable();
        prop_assert_eq!(rows, (0..due.len()).collect::<Vec<_>>());
    }
}
