//! Whether a game server is there, as its connection to nats-server shows: it is killed, hangs, loses its credential, stops or
//! comes back.

use async_nats::ConnectOptions;
use async_nats::jetstream;
use guildwire::domain::presence::Tie;
use guildwire::domain::server_state::{Cause, ServerState, State};
use guildwire::domain::timestamp::Timestamp;
use guildwire_harness::NatsServer;
use guildwire_harness::house::{House, Publisher};
use nkeys::KeyPair;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::fire::eventually;
use crate::installation::{file, house_around, on_sqlite};
use crate::scene::{UP, account_of, reader, scene, scene_of};
use crate::states::Signed;
use crate::support::{Database, on_both_databases};

on_both_databases!(one_that_is_killed_is_closed_and_back_when_it_is_started, one_that_hangs_is_out_of_contact,);
on_sqlite!(
    one_that_is_quickly_back_was_started_anew_and_never_down,
    a_reload_on_the_same_connection_is_no_start,
    one_that_says_that_it_stops_has_stopped,
    one_whose_credential_is_revoked_is_out_of_contact,
);

/// What a game server's user is asked to do, so that its connection goes stale within seconds; guildwire's does so, too, where
/// it gets no time for longer.
const PINGS: &str = "ping_interval: \"2s\"\nping_max: 3";

/// What a channel shows of a server that is back: once in the message that told of its end, and once in an answer to it.
const BACK: &str = "🟢 Server **main** is back";

/// What it shows of one that says on the same connection that it started.
const RELOADED: &str = "🔄 Server **main**: plugin reloaded, the server ran on";

async fn one_that_is_killed_is_closed_and_back_when_it_is_started(database: Database) {
    let scene = scene(database, "3", account_of(reader())).await;
    scene.looks(1).await;
    let game = scene.start(0, "main");
    let tied = scene.is_tied().await;
    assert_eq!(
        tied.tie.unwrap(),
        Tie { user: scene.keys[0].public_key(), name: "game server".to_owned(), is_by_hand: false }
    );
    scene.settles().await;
    game.kill().await;
    let closed = scene.stands(State::Offline, Cause::Closed).await;
    let since = closed.state.since.unwrap();
    let told = scene.told_of("game server").await;
    let ended = OffsetDateTime::parse(told["stop"].as_str().unwrap(), &Rfc3339).unwrap();
    assert_eq!(since, Timestamp::from(ended), "it is told when it ended, not when it was missed");
    // Told once, and not again at each look.
    scene.looks(3).await;
    scene.shows(&[UP, "🔴 Server **main** is offline"]).await;
    assert_eq!(scene.server().await.unwrap().state, closed.state);

    let _game = scene.start(0, "main");
    let back = scene.is("back", |server| server.state.state == State::Online).await;
    assert!(back.state.since.unwrap() > since);
    scene.is("seen anew", |server| server.connection.is_some_and(|connection| connection.since > since)).await;
    let all_back =
        async || scene.house.shown(scene.channel)[1..].iter().filter(|line| line.starts_with(BACK)).count() == 2;
    eventually("the message that told of its end, and an answer to it, say that it is back", all_back).await;
    let address = format!(":{}", told["port"].as_u64().unwrap());
    assert!(!scene.bot.log().contains(&address), "no client's address is logged");
}

async fn one_that_hangs_is_out_of_contact(database: Database) {
    let (keys, config) = account_of(reader());
    let scene = scene(database, "3", (keys, config.raw(PINGS))).await;
    scene.looks(1).await;
    let game = scene.start(0, "main");
    scene.is_tied().await;
    game.signal("STOP");
    let stale = scene.stands(State::ContactLost, Cause::Stale).await;
    scene.shows(&[UP, "⚫ Server **main**: contact lost"]).await;
    game.signal("CONT");
    let back = scene.stands(State::Online, Cause::Connected).await;
    assert!(back.state.since > stale.state.since);
}

async fn one_whose_credential_is_revoked_is_out_of_contact(database: Database) {
    let (signed, reader, player) = (Signed::new(), KeyPair::new_user(), KeyPair::new_user());
    let nats = NatsServer::start(&signed.config(-1, &[])).unwrap();
    let options = |key: &KeyPair| ConnectOptions::with_credentials(&signed.creds(key, None)).unwrap();
    let game = options(&player).name("Oxide").connect(nats.url()).await.unwrap();
    let game = Publisher { jetstream: jetstream::new(game) };
    game.make_stream().await.unwrap();
    let house = house_around(nats, Database::Sqlite).await;
    let by_creds = |house: &House| vec!["--creds".to_owned(), file(house, "bot.creds", &signed.creds(&reader, None))];
    let mut scene = scene_of(house, database, ["1", "3"], None, by_creds).await;
    scene.looks(1).await;
    game.publish("main.events.started", "{}").await.unwrap();
    let tied = scene.is_tied().await;
    assert_eq!(tied.tie.unwrap().user, player.public_key());
    scene.house.nats.reload(&signed.config(-1, &[&player])).unwrap();
    scene.stands(State::ContactLost, Cause::Revoked).await;
}

async fn one_that_is_quickly_back_was_started_anew_and_never_down(database: Database) {
    let scene = scene(database, "20", account_of(reader())).await;
    scene.looks(1).await;
    let mut game = scene.start(0, "main");
    let mut known = scene.is_tied().await;
    let before = known.state.since;
    // Where it takes more than a second to see on which connection it said that it started, that is left open: then once more.
    for _ in 0..3 {
        // What it said last is older than ten seconds, within which a start is taken for said twice.
        scene.looks(11).await;
        game.kill().await;
        scene.looks(2).await;
        game = scene.start(0, "main");
        known = scene.is("heard again", |server| server.heard_at > known.heard_at).await;
        if known.state.since > before {
            break;
        }
    }
    assert!(known.state.since > before, "{known:?}");
    assert_eq!((known.state.state, known.state.cause), (State::Online, Some(Cause::Started)));
    assert!(!scene.bot.log().contains("Gone("), "it was never said to be gone");
}

async fn a_reload_on_the_same_connection_is_no_start(database: Database) {
    let scene = scene(database, "3", account_of(reader())).await;
    scene.looks(1).await;
    let options = ConnectOptions::with_nkey(scene.keys[0].seed().unwrap()).name("Oxide");
    let client = options.connect(scene.house.nats.url()).await.unwrap();
    let game = Publisher { jetstream: jetstream::new(client) };
    let join = r#"{"player":{"id":"76561198000000001","name":"Ada"}}"#;
    game.publish("main.players.76561198000000001.events.connected", join).await.unwrap();
    let tied = scene.is_tied().await;
    assert_eq!((tied.state.state, tied.state.cause), (State::Online, Some(Cause::Heard)));
    // As above: where it is seen too late, that is left open. Within ten seconds it would be a repeat.
    for count in 1..=3 {
        scene.looks(if count == 1 { 2 } else { 12 }).await;
        game.publish("main.events.started", "{}").await.unwrap();
        if scene.house.wait_for_shown(scene.channel, count).await.unwrap()[count - 1] == RELOADED {
            break;
        }
    }
    assert_eq!(scene.house.shown(scene.channel).last().unwrap(), RELOADED);
    let heard = scene.is("heard again", |server| server.heard_at > tied.heard_at).await;
    let stands = |state: ServerState| (state.state, state.since, state.cause);
    assert_eq!(stands(heard.state), stands(tied.state), "only its plugin was loaded anew");
}

async fn one_that_says_that_it_stops_has_stopped(database: Database) {
    let scene = scene(database, "3", account_of(reader())).await;
    scene.looks(1).await;
    let mut game = scene.start(0, "main");
    scene.is_tied().await;
    game.signal("TERM");
    let stopped = scene.stands(State::Offline, Cause::SaidStopped).await;
    game.0.wait().await.unwrap();
    scene.looks(5).await;
    assert_eq!(scene.server().await.unwrap().state, stopped.state);
    let _game = scene.start(0, "main");
    scene.is("back", |server| server.state.state == State::Online).await;
}
