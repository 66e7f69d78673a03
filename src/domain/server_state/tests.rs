//! Each cell of the table in `docs/status.md`.

use super::*;

/// The moment before which each state began, and the usual moment of a sign.
const SINCE: Timestamp = Timestamp::from_nanoseconds(1_000_000_000_000);

fn later(seconds: u64) -> Timestamp {
    SINCE.plus(Duration::from_secs(seconds))
}

const fn state(state: State, cause: Cause) -> ServerState {
    ServerState { state, since: Some(SINCE), cause: Some(cause), ..UNKNOWN }
}

const UNKNOWN: ServerState =
    ServerState { state: State::Unknown, since: None, cause: None, says_when_it_stops: false, said_started_at: None };
const ONLINE: ServerState = ServerState { said_started_at: Some(SINCE), ..state(State::Online, Cause::Started) };
const STOPPING: ServerState = state(State::Stopping, Cause::SaidStopping);
const STOPPED: ServerState = state(State::Offline, Cause::SaidStopped);
const CLOSED: ServerState = state(State::Offline, Cause::Closed);
const STALE: ServerState = state(State::ContactLost, Cause::Stale);
const SILENT: ServerState = state(State::ContactLost, Cause::Silent);
const VANISHED: ServerState = state(State::ContactLost, Cause::Vanished);

/// The signs of the table's columns, at a moment that is neither a repeat nor late.
const SIGNS: [Sign; 14] = [
    Sign::Started(Connection::Same),
    Sign::Started(Connection::New),
    Sign::Started(Connection::Unseen),
    Sign::Stopping,
    Sign::Stopped,
    Sign::Heard(Kind::PlayerChatted),
    Sign::Heard(Kind::PlayerDisconnected),
    Sign::Connected { since: SINCE },
    Sign::Connected { since: Timestamp::from_nanoseconds(1_000_000_000_001) },
    Sign::Gone(End::Closed),
    Sign::Gone(End::Stale),
    Sign::Gone(End::Revoked),
    Sign::Gone(End::Unknown),
    Sign::Silent,
];

/// What a row of the table says: for each sign the state, the cause and the turn, or nothing where nothing changes.
type Row = [Option<(State, Cause, Turn)>; 14];

fn assert_row(before: ServerState, row: Row) {
    for (sign, wanted) in SIGNS.into_iter().zip(row) {
        let (after, turn) = before.after(sign, later(600));
        let unchanged = before.cause.map(|cause| (before.state, cause, Turn::None));
        let seen = after.cause.map(|cause| (after.state, cause, turn));
        assert_eq!(seen, wanted.or(unchanged), "{before:?} and {sign:?}");
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what a cell of the table is")]
const fn started(turn: Turn) -> Option<(State, Cause, Turn)> {
    Some((State::Online, Cause::Started, turn))
}

#[expect(clippy::unnecessary_wraps, reason = "what a cell of the table is")]
const fn heard(turn: Turn) -> Option<(State, Cause, Turn)> {
    Some((State::Online, Cause::Heard, turn))
}

#[expect(clippy::unnecessary_wraps, reason = "what a cell of the table is")]
const fn connected(turn: Turn) -> Option<(State, Cause, Turn)> {
    Some((State::Online, Cause::Connected, turn))
}

#[expect(clippy::unnecessary_wraps, reason = "what a cell of the table is")]
const fn stopping(turn: Turn) -> Option<(State, Cause, Turn)> {
    Some((State::Stopping, Cause::SaidStopping, turn))
}

#[expect(clippy::unnecessary_wraps, reason = "what a cell of the table is")]
const fn stopped(turn: Turn) -> Option<(State, Cause, Turn)> {
    Some((State::Offline, Cause::SaidStopped, turn))
}

#[expect(clippy::unnecessary_wraps, reason = "what a cell of the table is")]
const fn lost(cause: Cause, turn: Turn) -> Option<(State, Cause, Turn)> {
    Some((State::ContactLost, cause, turn))
}

const UP: Turn = Turn::Up;

#[test]
fn of_a_server_that_nobody_knew() {
    let appeared = Turn::Appeared;
    assert_row(
        ServerState::default(),
        [
            started(appeared),
            started(appeared),
            started(appeared),
            stopping(Turn::Down),
            stopped(Turn::Down),
            heard(appeared),
            None,
            connected(appeared),
            connected(appeared),
            None,
            None,
            None,
            None,
            None,
        ],
    );
}

#[test]
fn of_a_server_that_runs() {
    assert_row(
        ONLINE,
        [
            started(Turn::Reloaded(Connection::Same)),
            started(Turn::Restarted),
            started(Turn::Reloaded(Connection::Unseen)),
            stopping(Turn::Down),
            stopped(Turn::Down),
            None,
            None,
            None,
            None,
            Some((State::Offline, Cause::Closed, Turn::Down)),
            lost(Cause::Stale, Turn::Down),
            lost(Cause::Revoked, Turn::Down),
            lost(Cause::Vanished, Turn::Down),
            lost(Cause::Silent, Turn::Down),
        ],
    );
}

#[test]
fn of_a_server_that_said_that_it_stops() {
    let offline = Some((State::Offline, Cause::SaidStopping, Turn::Developed));
    assert_row(
        STOPPING,
        [
            started(UP),
            started(UP),
            started(UP),
            None,
            stopped(Turn::Developed),
            heard(UP),
            None,
            None,
            None,
            offline,
            lost(Cause::Stale, Turn::Developed),
            lost(Cause::Revoked, Turn::Developed),
            offline,
            lost(Cause::Silent, Turn::Developed),
        ],
    );
}

#[test]
fn of_a_server_that_said_that_it_stopped() {
    let row = [started(UP), started(UP), started(UP), None, None, heard(UP), None, None, connected(UP)];
    assert_row(STOPPED, std::array::from_fn(|at| row.get(at).copied().flatten()));
}

#[test]
fn of_a_server_whose_connection_was_closed() {
    let row = [started(UP), started(UP), started(UP), None, None, heard(UP), None, connected(UP), connected(UP)];
    assert_row(CLOSED, std::array::from_fn(|at| row.get(at).copied().flatten()));
}

#[test]
fn of_a_server_that_can_not_be_seen_any_more() {
    let developed = Turn::Developed;
    let known = [
        started(UP),
        started(UP),
        started(UP),
        stopping(developed),
        stopped(developed),
        heard(UP),
        heard(UP),
        connected(UP),
        connected(UP),
    ];
    let gone = [
        Some((State::Offline, Cause::Closed, developed)),
        lost(Cause::Stale, developed),
        lost(Cause::Revoked, developed),
        lost(Cause::Vanished, developed),
        None,
    ];
    for before in [STALE, VANISHED] {
        assert_row(before, std::array::from_fn(|at| known.get(at).copied().flatten()));
    }
    assert_row(SILENT, std::array::from_fn(|at| known.iter().chain(&gone).nth(at).copied().flatten()));
}

#[test]
fn a_server_that_says_twice_that_it_started_did_not_reload() {
    let said = |state: ServerState, at| state.after(Sign::Started(Connection::Unseen), later(at));
    let reloaded = Turn::Reloaded(Connection::Unseen);
    assert_eq!(said(ONLINE, 10), (ONLINE, Turn::None));
    assert_eq!(said(ONLINE, 11).1, reloaded);
    // A reload is said twice as well, however long ago the server started.
    let (after, turn) = said(ONLINE, 9_000);
    let again = Turn::ReloadedAsSaid(Connection::Unseen);
    assert_eq!((turn, after.since, said(after, 9_001)), (reloaded, Some(SINCE), (after, again)));
    assert_eq!(said(after, 9_011).1, reloaded);
    // Two starts with a stop between them are two.
    let (stopped, _) = ONLINE.after(Sign::Stopped, later(3));
    let (up, turn) = said(stopped, 9);
    assert_eq!((turn, said(up, 12).1, said(up, 20).1), (Turn::Up, Turn::None, reloaded));
}

#[test]
fn what_is_sent_last_and_comes_behind_a_stop_does_not_bring_a_server_back() {
    for before in [STOPPING, STOPPED, CLOSED] {
        assert_eq!(before.after(Sign::Heard(Kind::PlayerChatted), later(120)), (before, Turn::None));
        assert_eq!(before.after(Sign::Heard(Kind::PlayerChatted), later(121)).1, Turn::Up);
        assert_eq!(before.after(Sign::Heard(Kind::PlayerDisconnected), later(9_000)).1, Turn::None);
    }
}

#[test]
fn an_event_that_was_stored_before_the_state_began_changes_nothing() {
    let before = SINCE.minus(Duration::from_secs(1));
    for state in [ONLINE, STOPPING, STOPPED, STALE] {
        for sign in [Sign::Started(Connection::Unseen), Sign::Stopping, Sign::Stopped, Sign::Heard(Kind::PlayerChatted)]
        {
            let (after, turn) = state.after(sign, before);
            assert_eq!(
                (after.state, after.since, turn),
                (state.state, state.since, Turn::None),
                "{state:?} and {sign:?}"
            );
        }
    }
}

#[test]
fn a_stop_that_is_recorded_after_the_connection_was_seen_to_close_explains_it() {
    for before in [CLOSED, VANISHED] {
        for (sign, cause) in [(Sign::Stopping, Cause::SaidStopping), (Sign::Stopped, Cause::SaidStopped)] {
            let (after, turn) = before.after(sign, SINCE.minus(Duration::from_secs(5)));
            let wanted = (State::Offline, Some(cause), Some(SINCE), Turn::Developed);
            assert_eq!((after.state, after.cause, after.since, turn), wanted);
        }
    }
    // A longer shutdown: what it said is no explanation, and makes no crash of an end that may have been in order.
    assert_eq!(CLOSED.after(Sign::Stopping, SINCE.minus(Duration::from_secs(121))), (CLOSED, Turn::None));
}

#[test]
fn only_of_a_server_that_says_when_it_stops_an_end_without_a_word_is_a_crash() {
    let closed = |before: ServerState| before.after(Sign::Gone(End::Closed), later(700)).0;
    assert!(!closed(ONLINE).is_crash());
    let said = STOPPED.after(Sign::Started(Connection::Unseen), later(600)).0;
    let said = ServerState { says_when_it_stops: true, ..said };
    assert!(closed(said).is_crash());
    assert!(STOPPING.after(Sign::Stopped, later(1)).0.says_when_it_stops);
    assert!(!closed(STOPPING).is_crash());
}

#[test]
fn a_start_that_its_connection_told_already_is_no_second_one() {
    let seen = state(State::Online, Cause::Connected);
    let since = seen.since.unwrap();
    for connection in [Connection::New, Connection::Unseen] {
        let said_at = since.plus(Duration::from_mins(2));
        let said = ServerState { cause: Some(Cause::Started), said_started_at: Some(said_at), ..seen };
        assert_eq!(seen.after(Sign::Started(connection), said_at), (said, Turn::None));
        assert_eq!(said.after(Sign::Started(connection), said_at.plus(Duration::from_secs(9))), (said, Turn::None));
    }
    let (_, turn) = seen.after(Sign::Started(Connection::New), since.plus(Duration::from_secs(121)));
    assert_eq!(turn, Turn::Restarted);
    let (_, turn) = seen.after(Sign::Started(Connection::Same), since.plus(Duration::from_mins(1)));
    assert_eq!(turn, Turn::Reloaded(Connection::Same));
}
