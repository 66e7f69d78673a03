//! Every layout that publishers use, and what hostile subjects try.

use proptest::prelude::*;

use super::*;

/// nats-server's rule for two filters that may match one subject.
fn overlap(left: &str, right: &str) -> bool {
    let mut lefts = left.split('.');
    let mut rights = right.split('.');
    loop {
        match (lefts.next(), rights.next()) {
            (None, None) | (Some(">"), Some(_)) | (Some(_), Some(">")) => return true,
            (Some(one), Some(other)) if one == "*" || other == "*" || one == other => {}
            _ => return false,
        }
    }
}

#[test]
fn the_whole_of_the_kinds_has_no_overlap_either() {
    // Every smaller set's filters are among these.
    let known = Kind::ALL.iter().copied().filter(|kind| *kind != Kind::Unknown).collect();
    let filters = Root::default().filters(known, false);
    for (index, left) in filters.iter().enumerate() {
        assert!(filters[index + 1..].iter().all(|right| !overlap(left, right)), "{left}");
    }
    assert!(overlap("a.*.c", "a.b.>") && !overlap("a.b", "a.b.>"));
}

fn parse(subject: &str) -> Result<Subject<'_>, RejectReason> {
    Subject::parse(&Root::default(), subject)
}

#[test]
fn a_root_is_plain_tokens_and_stars() {
    for accepted in ["v0.*.servers", "servers", "*", "guild.prod-1.servers"] {
        let root: Root = accepted.parse().unwrap();
        assert_eq!(root.to_string(), accepted);
        assert_eq!(serde_json::from_str::<Root>(&serde_json::to_string(&root).unwrap()).unwrap(), root);
    }
    for refused in ["", ".", "v0.", ".v0", "v0..servers", "v0.>", "v0.a b", "v0.a*", "v0.\u{7}", "**"] {
        assert!(refused.parse::<Root>().is_err(), "{refused:?}");
        assert!(serde_json::from_value::<Root>(refused.into()).is_err(), "{refused:?}");
    }
}

#[test]
fn status_is_read_whoever_asked_for_what() {
    let narrow = Root::default().filters(KindSet::EMPTY, false);
    let expected = [
        "v0.*.servers.*.events.started",
        "v0.*.servers.*.events.stopping",
        "v0.*.servers.*.events.stopped",
        "v0.*.servers.*.events.wiped",
        "v0.*.servers.*.players.*.events.connected",
        "v0.*.servers.*.players.*.events.disconnected",
    ];
    assert_eq!(narrow, expected);
    assert_eq!(
        Root::default().filters([Kind::Unknown, Kind::PlayerHit].into_iter().collect(), false),
        ["v0.*.servers.*.events.>", "v0.*.servers.*.players.*.events.>"]
    );
    assert_eq!(Root::default().filters(KindSet::EMPTY, true), ["v0.*.servers.>"]);
}

#[test]
fn what_a_filter_asks_for_is_read_as_its_kind() {
    for kind in Kind::ALL {
        for ending in endings(*kind) {
            let subject = format!("v0.rust.servers.eu-1.{}", ending.replace('*', "-7"));
            let parsed = parse(&subject).unwrap();
            assert_eq!((parsed.kind, parsed.server), (*kind, Some("eu-1")), "{subject}");
            assert_eq!(parsed.player, ending.contains('*').then_some("-7"));
            assert_eq!(parsed.item, ending.contains("items").then_some("-7"));
            assert_eq!(format!("v0.rust.servers.eu-1.{}", parsed.path), subject);
        }
    }
}

#[test]
fn a_server_may_have_dots_and_the_layouts_own_words() {
    for server in ["a.b.c", "127.0.0.1:28015", "events", "players", "eu.events", "my.players", "players.events", "ä ö"]
    {
        for ending in ["events.started", "players.7.events.banned", "events.player.7.chatted"] {
            let subject = format!("v0.rust.servers.{server}.{ending}");
            let parsed = parse(&subject).unwrap();
            assert_eq!((parsed.server, parsed.path), (Some(server), ending));
            assert_ne!(parsed.kind, Kind::Unknown);
        }
    }
}

#[test]
fn placeholders_name_nobody() {
    let parsed = parse("v0.rust.servers.{server_id}.players.{steam_id}.events.items.{item_id}.loot").unwrap();
    assert_eq!(parsed.kind, Kind::PlayerItemLoot);
    assert_eq!((parsed.server, parsed.player, parsed.item), (None, None, None));
    assert_eq!(parse("v0.rust.servers.{server_id}.events.meteor").unwrap().server, None);
}

#[test]
fn unknown_events_keep_their_path_and_player() {
    for (subject, server, player, path) in [
        ("v0.rust.servers.0.events.meteor.landed", "0", None, "events.meteor.landed"),
        ("v0.rust.servers.0.players.7.events.danced", "0", Some("7"), "players.7.events.danced"),
        ("v0.rust.servers.a.b.players.7.events.danced", "a.b", Some("7"), "players.7.events.danced"),
        ("v0.rust.servers.0.players.7.events.stopped", "0", Some("7"), "players.7.events.stopped"),
        ("v0.rust.servers.0.events.raid.events.begun", "0", None, "events.raid.events.begun"),
        ("v0.rust.servers.0.events.chat", "0", None, "events.chat"),
    ] {
        let parsed = parse(subject).unwrap();
        assert_eq!(parsed, Subject { kind: Kind::Unknown, server: Some(server), player, item: None, path });
    }
}

#[test]
fn what_is_no_event_says_why() {
    for (subject, reason) in [
        ("v1.rust.servers.0.events.started", RejectReason::OutsideRoot),
        ("v0.rust.servers", RejectReason::OutsideRoot),
        ("v0.rust.servers.0", RejectReason::NotAnEvent),
        ("v0.rust.servers.0.events", RejectReason::NotAnEvent),
        ("v0.rust.servers.events.started", RejectReason::NotAnEvent),
        ("v0.rust.servers.0.players.7.events", RejectReason::NotAnEvent),
        ("v0.rust.servers.0.commands.kick", RejectReason::NotAnEvent),
        ("v0.rust.servers..events.started", RejectReason::MalformedSubject),
        ("", RejectReason::MalformedSubject),
        (".", RejectReason::MalformedSubject),
    ] {
        assert_eq!(parse(subject), Err(reason), "{subject}");
    }
    assert_eq!(RejectReason::NotAnEvent.name(), "not_an_event");
}

proptest! {
    #[test]
    fn no_two_filters_overlap_for_any_set_of_kinds(
        bits in 0..1_u32 << Kind::ALL.len(), root in prop::sample::select(vec!["v0.*.servers", "*", "events", "*.players"]),
        wide in any::<bool>(),
    ) {
        let root: Root = root.parse().unwrap();
        let kinds = Kind::ALL.iter().copied().filter(|kind| bits & (1 << *kind as u32) != 0).collect();
        let filters = root.filters(kinds, wide);
        for (index, left) in filters.iter().enumerate() {
            for right in &filters[index + 1..] {
                prop_assert!(!overlap(left, right), "{left} {right}");
            }
        }
    }

    #[test]
    fn no_subject_makes_it_panic(subject in any::<String>()) {
        let _ = parse(&subject);
    }

    #[test]
    fn what_is_read_is_a_part_of_what_came(
        tokens in prop::collection::vec(
            prop_oneof![
                Just("events"), Just("players"), Just("player"), Just("items"), Just("combat"), Just("started"),
                Just("chatted"), Just("chat"), Just("hit"), Just("loot"), Just("7"), Just("{x}"), Just("é"), Just("")
            ],
            0..10,
        )
    ) {
        let rest = tokens.join(".");
        let subject = format!("v0.rust.servers.{rest}");
        if let Ok(parsed) = parse(&subject) {
            let ending = format!(".{}", parsed.path);
            prop_assert!(subject.ends_with(&ending));
            for id in [parsed.server, parsed.player, parsed.item].into_iter().flatten() {
                prop_assert!(!id.is_empty() && rest.contains(id));
            }
        }
    }
}
