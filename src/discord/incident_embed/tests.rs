//! What messages of incidents read like.

use std::time::Duration;

use super::*;
use crate::domain::server_state::Turn;

const RULE: LoopRule = LoopRule { within: Duration::from_mins(10), hold: Duration::from_mins(15) };

fn at(minute: u64) -> Timestamp {
    Timestamp::default().plus(Duration::from_mins(minute))
}

/// What its message reads like once it is over, and what the one that closes it begins with.
fn over(incident: &Incident) -> (Embed, Embed) {
    let (account, server) = ("GA-1".parse().unwrap(), "main".into());
    let telling =
        Telling { account: &account, server: &server, name: None, incident, is_over: true, rule: RULE, is_late: false };
    (incident_embed(&telling), closing_embed(&telling).0)
}

/// A server that crashed at 0 and 2 minutes, and was up after one minute each time.
fn looping() -> Incident {
    let begin = |minute, before: Option<(&Incident, Timestamp)>| {
        Incident::begin(Turn::Down, What::Crashed, at(minute), 0, before, RULE).unwrap().0
    };
    let mut first = begin(0, None);
    first.unfold(Turn::Up, What::Started, at(1));
    let mut looping = begin(2, Some((&first, at(1))));
    looping.unfold(Turn::Up, What::Started, at(3));
    looping
}

#[test]
fn a_loop_that_time_ended_has_held_and_one_that_maintenance_ended_has_not() {
    let mut incident = looping();
    let count = "🔁 2 crashes in 2 minutes, the first of them told above.";
    let (edited, closing) = over(&incident);
    let held = format!("🟢 Server **main** has held for 15 minutes\n{count}");
    assert_eq!(edited.description(), held);
    assert!(closing.description().starts_with(&held), "{}", closing.description());

    // Up for two minutes, or down again.
    for is_down in [false, true] {
        if is_down {
            incident = looping();
            incident.unfold(Turn::Down, What::SaidStopped, at(4));
        }
        incident.repeat(What::MaintenanceBegan, at(5));
        let (edited, closing) = over(&incident);
        let headline = "🔧 Server **main** is under maintenance";
        assert!(edited.description().starts_with(&format!("{headline} · <t:300:R>\n🔁 ")), "{}", edited.description());
        assert!(closing.description().starts_with(&format!("{headline}\n🔁 ")), "{}", closing.description());
        assert!(!edited.description().contains("held") && !closing.description().contains("held"));
        for embed in [edited, closing] {
            assert_eq!(embed, embed.clone().with_colour(Colour::BLURPLE), "nobody knows that it is well");
        }
    }
}
