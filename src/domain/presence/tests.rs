//! What looks show, one after another.

use super::*;

const DEBOUNCE: Duration = Duration::from_secs(75);

fn at(second: u64) -> Timestamp {
    Timestamp::default().plus(Duration::from_secs(second))
}

fn client(number: u64, user: &str, since: u64, published: u64) -> Client {
    Client {
        server: "N1".to_owned(),
        number,
        user: user.to_owned(),
        name: String::new(),
        language: ".NET".to_owned(),
        since: at(since),
        published,
        is_guildwire: false,
        is_leaf: false,
    }
}

fn guildwire(number: u64) -> Client {
    Client { name: "guildwire".to_owned(), is_guildwire: true, ..client(number, "reader", 1, 900) }
}

fn look(second: u64, clients: &[Client]) -> Look {
    Look { at: at(second), servers: BTreeMap::from([("N1".to_owned(), String::new())]), clients: clients.to_vec() }
}

fn tie(user: &str, is_by_hand: bool) -> Tie {
    Tie { user: user.to_owned(), name: String::new(), is_by_hand }
}

/// A server that was heard of at that second.
fn server(id: &str, heard: u64, tie: Option<Tie>) -> Known {
    let connection = tie.as_ref().map(|_| SeenConnection { since: at(2), seen_at: at(10) });
    Known {
        id: ServerId::from(id.to_owned()),
        heard_at: at(heard),
        tie,
        is_untied: false,
        connection,
        connected_to: String::new(),
    }
}

/// Looks, at a second of nats-server's and of guildwire's own.
fn see(sight: &mut Sight, second: u64, clients: &[Client], servers: &[Known]) -> Showing {
    sight.look(&look(second, clients), Duration::from_secs(second), servers)
}

fn shown(sight: &mut Sight, second: u64, clients: &[Client], servers: &[Known]) -> Shown {
    see(sight, second, clients, servers).servers[&servers[0].id]
}

#[test]
fn the_only_publisher_is_the_only_servers_once_it_spoke_while_nobody_else_was_there() {
    let mut sight = Sight::new(DEBOUNCE);
    let clients = [guildwire(1), client(2, "game", 5, 40), client(3, "dashboard", 6, 0)];
    assert_eq!(see(&mut sight, 100, &clients, &[server("a", 90, None)]).ties, [], "it may have been another's");
    let showing = see(&mut sight, 115, &clients, &[server("a", 110, None)]);
    assert_eq!(showing.ties, [(ServerId::from("a".to_owned()), Some(tie("game", false)))]);
    assert_eq!(showing.servers[&ServerId::from("a".to_owned())], Shown::Present { since: at(5) });
    assert_eq!(see(&mut sight, 130, &clients, &[server("a", 120, Some(tie("game", false)))]).ties, []);
}

#[test]
fn one_that_comes_where_nobody_was_is_tied_by_its_first_word() {
    let mut sight = Sight::new(DEBOUNCE);
    see(&mut sight, 100, &[guildwire(1)], &[server("a", 90, None)]);
    let came = [guildwire(1), client(2, "game", 108, 1)];
    assert_eq!(see(&mut sight, 115, &came, &[server("a", 109, None)]).ties.len(), 1);
    // Also where the server itself was not known before.
    let mut sight = Sight::new(DEBOUNCE);
    see(&mut sight, 100, &[guildwire(1)], &[]);
    assert_eq!(see(&mut sight, 115, &came, &[server("a", 109, None)]).ties.len(), 1);
    // What came by a connection that is gone again is not the new one's.
    let mut sight = Sight::new(DEBOUNCE);
    see(&mut sight, 100, &[guildwire(1)], &[server("a", 90, None)]);
    assert_eq!(see(&mut sight, 115, &came, &[server("a", 102, None)]).ties, []);
}

#[test]
fn of_two_publishers_or_two_servers_nobody_can_tell_and_what_was_known_by_itself_is_forgotten() {
    let mut sight = Sight::new(DEBOUNCE);
    let (one, two) = (client(2, "game", 5, 40), client(3, "game", 6, 1));
    see(&mut sight, 100, &[one.clone(), two.clone()], &[server("a", 90, None)]);
    let both = see(&mut sight, 115, &[one.clone(), two.clone()], &[server("a", 110, None)]);
    assert_eq!((both.ties, both.servers[&ServerId::from("a".to_owned())]), (vec![], Shown::Untied));

    for (clients, more) in [(vec![one.clone(), two], None), (vec![one], Some(server("b", 50, None)))] {
        let mut servers = vec![server("a", 110, Some(tie("game", false)))];
        servers.extend(more);
        let showing = see(&mut sight, 130, &clients, &servers);
        assert_eq!(showing.ties, [(ServerId::from("a".to_owned()), None)]);
        assert_eq!(showing.servers[&servers[0].id], Shown::Untied);
        servers[0].tie = Some(tie("game", true));
        let showing = see(&mut sight, 145, &clients, &servers);
        assert_eq!(showing.ties, [], "somebody said so");
        assert!(matches!(showing.servers[&servers[0].id], Shown::Present { .. }));
    }
}

#[test]
fn another_alone_takes_the_place_only_once_the_server_spoke_by_it() {
    let mut sight = Sight::new(DEBOUNCE);
    let stranger = [client(9, "admin", 90, 3)];
    let known = |heard| [server("a", heard, Some(tie("game", false)))];
    for second in [100, 115] {
        let showing = see(&mut sight, second, &stranger, &known(80));
        assert_eq!((showing.ties, showing.servers[&ServerId::from("a".to_owned())]), (vec![], Shown::Absent));
    }
    let showing = see(&mut sight, 130, &stranger, &known(120));
    assert_eq!(showing.ties, [(ServerId::from("a".to_owned()), Some(tie("admin", false)))]);
}

#[test]
fn behind_another_nats_server_there_may_be_anybody() {
    let mut sight = Sight::new(DEBOUNCE);
    let leaf = Client { is_leaf: true, ..client(9, "game", 5, 0) };
    let clients = [client(2, "dashboard", 5, 40), leaf];
    see(&mut sight, 100, &clients, &[server("a", 90, None)]);
    assert_eq!(see(&mut sight, 115, &clients, &[server("a", 110, None)]).ties, []);
    let showing = see(&mut sight, 130, &clients, &[server("a", 110, Some(tie("dashboard", false)))]);
    assert_eq!(showing.ties, [(ServerId::from("a".to_owned()), None)]);
    assert_eq!(shown(&mut sight, 145, &clients, &[server("a", 110, Some(tie("game", true)))]), Shown::Absent);
}

#[test]
fn a_tie_by_itself_needs_that_nobody_else_ended_meanwhile() {
    let mut sight = Sight::new(DEBOUNCE);
    let clients = [client(2, "dashboard", 5, 40)];
    see(&mut sight, 100, &clients, &[server("a", 90, None)]);
    let showing = see(&mut sight, 115, &clients, &[server("a", 110, None)]);
    assert_eq!((showing.ties.len(), showing.alone_since), (1, Some(at(100))));
    let ended =
        |user, published, second| Ended { client: client(7, user, 3, published), at: at(second), end: End::Closed };
    for (ended, is_alone) in [
        (ended("game", 1, 112), false),
        (ended("game", 1, 100), false),
        (ended("game", 1, 99), true),
        (ended("game", 0, 112), true),
        (ended("dashboard", 9, 112), true),
    ] {
        let tie = tie("dashboard", false);
        assert_eq!(tie.is_alone_since(at(100), &look(115, &[]), std::slice::from_ref(&ended)), is_alone, "{ended:?}");
    }
    sight.doubt();
    let showing = see(&mut sight, 130, &clients, &[server("a", 120, None)]);
    assert_eq!((showing.ties, showing.alone_since), (vec![], None), "it has to speak anew");
    assert_eq!(see(&mut sight, 145, &clients, &[server("a", 140, None)]).alone_since, Some(at(130)));
}

#[test]
fn a_tie_by_itself_ends_where_the_server_speaks_without_it() {
    let mut sight = Sight::new(DEBOUNCE);
    let known = |heard, by_hand| [server("a", heard, Some(tie("game", by_hand)))];
    assert_eq!(shown(&mut sight, 100, &[], &known(90, false)), Shown::Absent);
    assert_eq!(see(&mut sight, 115, &[], &known(101, false)).ties, [], "by clocks that are apart, that was before");
    assert_eq!(shown(&mut sight, 130, &[], &known(101, false)), Shown::Absent);
    assert_eq!(see(&mut sight, 145, &[], &known(140, true)).ties, [], "somebody said so");
    assert_eq!(shown(&mut sight, 160, &[], &known(140, false)), Shown::Absent);
    assert_eq!(see(&mut sight, 175, &[], &known(170, false)).ties, [(ServerId::from("a".to_owned()), None)]);
}

#[test]
fn what_somebody_says_to_have_no_connection_is_not_tied() {
    let mut sight = Sight::new(DEBOUNCE);
    let clients = [client(2, "dashboard", 5, 40)];
    for heard in [90, 110] {
        let servers = [Known { is_untied: true, ..server("a", heard, None) }];
        assert_eq!(see(&mut sight, heard + 5, &clients, &servers).ties, []);
    }
}

#[test]
fn what_is_missing_for_long_enough_is_gone_and_what_comes_back_before_was_never_away() {
    let mut sight = Sight::new(DEBOUNCE);
    let servers = [server("a", 50, Some(tie("game", true)))];
    let there = [client(2, "game", 2, 9)];
    assert_eq!(shown(&mut sight, 100, &there, &servers), Shown::Present { since: at(2) });
    assert_eq!(sight.due(), None);
    for second in [115, 130, 145, 189] {
        assert_eq!(shown(&mut sight, second, &[], &servers), Shown::Absent, "{second}");
        assert_eq!(sight.due(), Some(Duration::from_secs(190)));
    }
    assert_eq!(shown(&mut sight, 190, &[], &servers), Shown::Gone { at: at(115) });
    assert_eq!(sight.due(), None, "it is looked for once, and then as ever");
    // Two connections of one key: the later one may be another server's.
    let back = [client(5, "game", 180, 9), client(4, "game", 150, 9)];
    assert_eq!(shown(&mut sight, 205, &back, &servers), Shown::Present { since: at(150) });
    assert_eq!((tie("game", true).only(&back), tie("game", true).only(&back[1..])), (None, Some(&back[1])));
    assert_eq!(shown(&mut sight, 220, &[], &servers), Shown::Absent);
    assert_eq!(shown(&mut sight, 294, &[], &servers), Shown::Absent);
    assert_eq!(shown(&mut sight, 295, &[], &servers), Shown::Gone { at: at(220) });
}

#[test]
fn what_was_seen_of_servers_is_whether_they_were_there() {
    let mut sight = Sight::new(DEBOUNCE);
    let silent = Known { connected_to: "west".to_owned(), ..server("silent", 50, Some(tie("fourth", true))) };
    let servers = [
        server("there", 50, Some(tie("game", true))),
        server("missing", 50, Some(tie("other", true))),
        server("untied", 50, None),
        silent,
    ];
    let sightings = |sight: &mut Sight, second| {
        let showing = see(sight, second, &[client(2, "game", 2, 9)], &servers);
        sight.sightings(&showing)
    };
    let id = |id: &str| ServerId::from(id.to_owned());
    for second in [100, 174] {
        assert_eq!(sightings(&mut sight, second), BTreeMap::from([(id("there"), true), (id("missing"), false)]));
    }
    assert_eq!(sightings(&mut sight, 175), BTreeMap::from([(id("there"), true)]), "it has gone");
}

#[test]
fn a_new_nats_server_one_that_is_silent_and_blindness_have_the_waiting_begin_anew() {
    let servers = [server("a", 50, Some(tie("game", true)))];
    let missing = |sight: &mut Sight| {
        for second in [100, 160] {
            assert_eq!(shown(sight, second, &[], &servers), Shown::Absent);
        }
    };
    let mut sight = Sight::new(DEBOUNCE);
    missing(&mut sight);
    let restarted = Look { servers: BTreeMap::from([("N2".to_owned(), String::new())]), ..look(176, &[]) };
    let showing = sight.look(&restarted, Duration::from_secs(176), &servers);
    assert_eq!(showing.servers[&servers[0].id], Shown::Absent);
    let again = Look { at: at(251), ..restarted };
    let showing = sight.look(&again, Duration::from_secs(251), &servers);
    assert_eq!(showing.servers[&servers[0].id], Shown::Gone { at: at(176) });

    let mut sight = Sight::new(DEBOUNCE);
    missing(&mut sight);
    sight.interrupt();
    assert_eq!(shown(&mut sight, 176, &[], &servers), Shown::Absent);
    // nats-server's clock does not count, only for how long one looked.
    let leapt = sight.look(&look(9_000, &[]), Duration::from_secs(190), &servers);
    assert_eq!(leapt.servers[&servers[0].id], Shown::Absent);
}

#[test]
fn while_the_nats_server_is_silent_that_it_was_seen_on_it_is_not_gone() {
    let mut sight = Sight::new(DEBOUNCE);
    let servers = [Known { connected_to: "west".to_owned(), ..server("a", 50, Some(tie("game", true))) }];
    let east = BTreeMap::from([("N1".to_owned(), "east".to_owned())]);
    let mut see = |second, answering: &BTreeMap<String, String>| {
        let look = Look { servers: answering.clone(), ..look(second, &[]) };
        sight.look(&look, Duration::from_secs(second), &servers).servers[&servers[0].id]
    };
    for second in [100, 175, 400] {
        assert_eq!(see(second, &east), Shown::Absent, "{second}");
    }
    // It is there again under another id, and the server's connection is not.
    let mut both = east.clone();
    both.insert("N3".to_owned(), "west".to_owned());
    for (second, shown) in [(415, Shown::Absent), (489, Shown::Absent), (490, Shown::Gone { at: at(415) })] {
        assert_eq!(see(second, &both), shown, "{second}");
    }
    // That another one goes, which has nothing to do with it, only has the waiting begin anew.
    let west = BTreeMap::from([("N3".to_owned(), "west".to_owned())]);
    for (second, shown) in [(505, Shown::Absent), (580, Shown::Gone { at: at(505) })] {
        assert_eq!(see(second, &west), shown, "{second}");
    }
}

#[test]
fn one_that_was_never_seen_or_that_speaks_by_another_connection_is_not_gone() {
    let mut sight = Sight::new(DEBOUNCE);
    let never = [Known { connection: None, ..server("a", 50, Some(tie("game", true))) }];
    for second in [100, 200, 300] {
        assert_eq!(shown(&mut sight, second, &[], &never), Shown::Absent);
    }
    let mut sight = Sight::new(DEBOUNCE);
    for (second, heard) in [(100, 50), (160, 150), (230, 150)] {
        let servers = [server("a", heard, Some(tie("game", true)))];
        assert_eq!(shown(&mut sight, second, &[], &servers), Shown::Absent, "{second}");
    }
    let servers = [server("a", 150, Some(tie("game", true)))];
    assert_eq!(shown(&mut sight, 235, &[], &servers), Shown::Gone { at: at(160) });
}

#[test]
fn how_it_ended_is_told_by_the_last_connection() {
    let (tie, seen) = (tie("game", true), SeenConnection { since: at(20), seen_at: at(90) });
    let ended = |number, user, since, ended, end| Ended { client: client(number, user, since, 1), at: at(ended), end };
    let all = [
        ended(4, "other", 20, 99, End::Closed),
        ended(3, "game", 20, 95, End::Stale),
        ended(2, "game", 2, 19, End::Closed),
    ];
    assert_eq!(tie.end_of(seen, &all).map(|ended| (ended.end, ended.at)), Some((End::Stale, at(95))));
    assert_eq!(tie.end_of(SeenConnection { since: at(21), ..seen }, &all), None);
    // It was there again, and went, between two looks or while nobody looked.
    let again = [ended(5, "game", 96, 98, End::Closed), all[1].clone()];
    assert_eq!(tie.end_of(seen, &again).map(|ended| (ended.end, ended.at)), Some((End::Closed, at(98))));

    let known = server("a", 94, Some(tie));
    assert_eq!(known.went(at(100), Some(&all[1])), Some((End::Stale, at(95))));
    assert_eq!(known.went(at(100), None), Some((End::Unknown, at(100))));
    let spoke = server("a", 99, None);
    assert_eq!(spoke.went(at(100), Some(&all[1])), None, "it speaks by another one");
}

#[test]
fn nats_servers_words_are_taken_for_no_more_than_they_say() {
    for (reason, end) in [
        ("Client Closed", End::Closed),
        ("Stale Connection", End::Stale),
        ("Slow Consumer (Write Deadline)", End::Stale),
        ("Credentials Revoked", End::Revoked),
        ("Authentication Failure", End::Revoked),
        ("Server Shutdown", End::Unknown),
        ("Read Error", End::Unknown),
        ("", End::Unknown),
    ] {
        assert_eq!(end_of_reason(reason), end, "{reason}");
    }
}

#[test]
fn a_start_is_told_from_a_reload_by_what_was_heard_on_the_connection() {
    // Seconds: the connection's beginning, what it says, and what was heard before.
    for (since, said, heard, connection) in [
        (100, 105, 90, Connection::New),
        (100, 220, 90, Connection::New),
        (100, 105, 101, Connection::Same),
        (100, 9_000, 8_000, Connection::Same),
        (100, 300, 90, Connection::Unseen),
        (100, 90, 50, Connection::Unseen),
        (100, 99, 50, Connection::New),
    ] {
        assert_eq!(said_on(at(since), at(said), at(heard)), connection, "{since} {said} {heard}");
    }
}
