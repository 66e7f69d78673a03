//! How incidents begin, go on and end.

use super::*;
use crate::domain::server_state::Connection;

const RULE: LoopRule = LoopRule { within: Duration::from_mins(10), hold: Duration::from_mins(15) };

fn at(minute: u64) -> Timestamp {
    Timestamp::default().plus(Duration::from_mins(minute))
}

fn crash(minute: u64, before: Option<(&Incident, Timestamp)>) -> (Incident, Telling) {
    Incident::begin(Turn::Down, What::Crashed, at(minute), 3, before, RULE).expect("a crash begins an incident")
}

#[test]
fn a_server_goes_down_and_is_back() {
    let (mut incident, telling) = Incident::begin(Turn::Down, What::SaidStopping, at(1), 3, None, RULE).expect("down");
    assert_eq!((telling, incident.due_at(RULE), incident.lasted()), (Telling::Opened, None, None));
    assert_eq!(incident.unfold(Turn::Developed, What::SaidStopped, at(2)), Telling::Unfolded);
    assert_eq!(incident.unfold(Turn::Up, What::Started, at(5)), Telling::Closed);
    assert_eq!((incident.lasted(), incident.affected), (Some(Duration::from_mins(4)), 3));
    assert_eq!((incident.downs, incident.crashes), (1, 0));
    let happened: Vec<_> = incident.happenings.iter().map(|it| it.what).collect();
    assert_eq!(happened, [What::SaidStopping, What::SaidStopped, What::Started]);
}

#[test]
fn what_does_not_go_down_begins_nothing() {
    for turn in [Turn::None, Turn::Appeared, Turn::Reloaded(Connection::Same), Turn::Developed, Turn::Up] {
        assert_eq!(Incident::begin(turn, What::Started, at(1), 0, None, RULE), None);
    }
}

#[test]
fn a_restart_without_a_word_begins_and_ends_at_once() {
    let begun = Incident::begin(Turn::Restarted, What::CrashedAndStarted, at(1), 3, None, RULE);
    let (incident, telling) = begun.expect("it was down");
    assert_eq!((telling, incident.crashes, incident.up_since), (Telling::Passed, 1, Some(at(1))));
}

#[test]
fn a_server_that_crashes_again_soon_is_in_a_loop_until_it_has_held() {
    let (mut first, _) = crash(0, None);
    first.unfold(Turn::Up, What::Started, at(1));
    let (mut looping, telling) = crash(11, Some((&first, at(1))));
    assert_eq!((telling, looping.loops_since), (Telling::Opened, Some(at(0))));
    assert_eq!(looping.unfold(Turn::Up, What::Started, at(12)), Telling::Unfolded);
    assert_eq!(looping.due_at(RULE), Some(at(27)));
    assert_eq!(looping.unfold(Turn::Down, What::Crashed, at(13)), Telling::Unfolded);
    assert_eq!((looping.due_at(RULE), looping.downs, looping.crashes), (None, 3, 3));
    assert_eq!(looping.unfold(Turn::Restarted, What::CrashedAndStarted, at(14)), Telling::Unfolded);
    assert_eq!((looping.due_at(RULE), looping.downs, looping.crashes), (Some(at(29)), 4, 4));

    let (later, _) = crash(12, Some((&first, at(1))));
    assert_eq!((later.loops_since, later.downs), (None, 1), "eleven minutes are no loop");
}

#[test]
fn a_stop_that_was_said_after_all_is_no_crash() {
    let (mut incident, _) = crash(0, None);
    assert_eq!(incident.unfold(Turn::Developed, What::SaidStopped, at(1)), Telling::Unfolded);
    assert_eq!((incident.downs, incident.crashes), (1, 0));
}

#[test]
fn what_is_said_again_changes_nothing_and_what_comes_late_is_noted() {
    let (mut incident, _) = Incident::begin(Turn::Down, What::SaidStopped, at(5), 0, None, RULE).expect("down");
    assert_eq!(incident.repeat(What::SaidStopped, at(6)), Telling::Nothing);
    assert_eq!(incident.repeat(What::SaidStopping, at(6)), Telling::Unfolded);
    assert_eq!(incident.repeat(What::SaidStopping, at(7)), Telling::Nothing);
}

#[test]
fn maintenance_is_over_when_it_was_said_to_be_and_tells_what_happened_meanwhile() {
    let mut maintenance = Incident::maintenance(at(60), Some("new disks".to_owned()), true, at(0));
    assert_eq!(maintenance.due_at(RULE), Some(at(60)));
    assert_eq!(maintenance.unfold(Turn::Down, What::Closed, at(10)), Telling::Unfolded);
    assert_eq!(maintenance.unfold(Turn::Up, What::Started, at(20)), Telling::Unfolded);
    assert_eq!(maintenance.due_at(RULE), Some(at(60)));
    maintenance.end_maintenance(at(60));
    assert_eq!(maintenance.happenings.len(), 4);
    let (next, _) = crash(61, Some((&maintenance, at(60))));
    assert_eq!(next.loops_since, None, "what was announced is no loop");
}

#[test]
fn of_an_endless_loop_the_rest_is_counted() {
    let (mut incident, _) = crash(0, None);
    for minute in 0..600 {
        incident.unfold(Turn::Restarted, What::CrashedAndStarted, at(minute));
    }
    assert_eq!((incident.happenings.len(), incident.more, incident.crashes), (500, 101, 601));
    assert_eq!(incident.happenings.first().map(|it| it.what), Some(What::Crashed));
    assert_eq!(incident.happenings.last().map(|it| it.at), Some(at(599)), "how it stands is always there");
    let text = serde_json::to_string(&incident).expect("texts and numbers are JSON");
    assert_eq!(serde_json::from_str::<Incident>(&text).expect("what was written"), incident);
}
