//! Where guildwire can't see whether a game server is there, it says nothing of it: links break, nats-server is started anew,
//! several publish, or it may not ask.

use std::time::Duration;

use guildwire::domain::audit::By;
use guildwire::domain::server_state::{Cause, ServerState, State};
use guildwire::store::servers::Server;
use guildwire_harness::house::PATIENCE;
use guildwire_harness::{NatsServer, TcpProxy};
use tokio::time::Instant;

use crate::installation::on_sqlite;
use crate::scene::{
    UP, account, account_of, by_password, guildwire_now, main_server, reader, scene, scene_of, with_stream,
};
use crate::support::{Database, on_both_databases};

on_both_databases!(
    a_nats_server_that_is_started_anew_changes_nothing,
    of_two_publishers_nobody_can_tell_until_somebody_says_so,
);
on_sqlite!(
    the_bots_own_lost_link_says_nothing_of_the_servers,
    what_is_said_to_have_no_connection_is_tied_to_none,
    where_one_may_not_ask_nothing_is_said,
);

/// How a server stands, without what it is known by.
fn state(server: &Server) -> ServerState {
    server.state
}

async fn a_nats_server_that_is_started_anew_changes_nothing(database: Database) {
    let mut scene = scene(database, "10", account_of(reader())).await;
    scene.looks(1).await;
    let _game = scene.start(0, "main");
    let tied = scene.is_tied().await;
    let before = tied.connection.unwrap().since;
    scene.house.nats.restart().unwrap();
    let after =
        scene.is("seen anew", |server| server.connection.is_some_and(|connection| connection.since > before)).await;
    assert_eq!(state(&after), state(&tied));
    scene.looks(12).await;
    scene.shows(&[UP]).await;
    assert_eq!(scene.server().await.map(|server| state(&server)), Some(state(&tied)));
    assert!(!scene.bot.log().contains("Gone("), "nobody was said to be gone");
}

async fn of_two_publishers_nobody_can_tell_until_somebody_says_so(database: Database) {
    let scene = scene(database, "3", account_of(reader())).await;
    scene.looks(1).await;
    let game = scene.start(0, "main");
    let tied = scene.is_tied().await;
    let other = scene.start(1, "main");
    scene.is("not tied any more", |server| server.tie.is_none()).await;
    game.kill().await;
    other.kill().await;
    scene.looks(6).await;
    assert_eq!(scene.server().await.unwrap().state.state, State::Online, "nobody knows which connection was its");

    let (game, _other) = (scene.start(0, "main"), scene.start(1, "main"));
    let by = By::operator(guildwire_now());
    assert!(scene.store.tie_server(&account(), &main_server(), tied.tie.as_ref(), &by).await.unwrap());
    let before = tied.connection.unwrap().since;
    let tied =
        scene.is("seen anew", |server| server.connection.is_some_and(|connection| connection.since > before)).await;
    assert!(tied.tie.unwrap().is_by_hand);
    scene.settles().await;
    game.kill().await;
    scene.stands(State::Offline, Cause::Closed).await;
    let audit = scene.house.operate(&["audit"]).await.unwrap();
    let line = format!("server tied  account GA-1  (main: user {}, client game server)", scene.keys[0].public_key());
    assert!(audit.contains(&line), "{audit}");
}

async fn the_bots_own_lost_link_says_nothing_of_the_servers(database: Database) {
    let (keys, config) = account_of(reader());
    let nats = NatsServer::start(&config).unwrap();
    let proxy = TcpProxy::start(nats.address()).await.unwrap();
    let mut scene = scene_of(with_stream(nats).await, database, ["1", "20"], Some(&proxy), by_password).await;
    scene.keys = keys;
    scene.looks(1).await;
    let game = scene.start(0, "main");
    let tied = scene.is_tied().await;
    game.kill().await;
    let killed = Instant::now();
    scene.looks(2).await;
    proxy.refuse(true);
    proxy.cut();
    scene.bot.wait_for_log("can't read the account; trying again", PATIENCE).await.unwrap();
    // It was missed before the link was lost, and for as long as gone ones are; it is back only after guildwire sees again,
    // and then at once: sight begins anew with the link.
    tokio::time::sleep_until(killed + Duration::from_secs(22)).await;
    proxy.refuse(false);
    scene.looks(1).await;
    let _game = scene.start(0, "main");
    let before = tied.connection.unwrap().since;
    let after =
        scene.is("seen anew", |server| server.connection.is_some_and(|connection| connection.since > before)).await;
    assert_eq!(state(&after).state, State::Online);
    scene.looks(5).await;
    assert!(!scene.bot.log().contains("Gone("), "nobody was said to be gone");
}

async fn what_is_said_to_have_no_connection_is_tied_to_none(database: Database) {
    let scene = scene(database, "3", account_of(reader())).await;
    scene.looks(1).await;
    let game = scene.start(0, "main");
    let tied = scene.is_tied().await;
    assert!(scene.store.tie_server(&account(), &main_server(), None, &By::operator(guildwire_now())).await.unwrap());
    game.kill().await;
    scene.looks(2).await;
    let _game = scene.start(0, "main");
    scene.is("heard again", |server| server.heard_at > tied.heard_at).await;
    scene.looks(3).await;
    let server = scene.server().await.unwrap();
    assert_eq!((server.tie, server.is_untied), (None, true));
}

async fn where_one_may_not_ask_nothing_is_said(database: Database) {
    let scene = scene(database, "1", account_of(reader().publish_deny(&["$SYS.>"]))).await;
    scene.bot.wait_for_log("the user may not publish to $SYS.REQ.ACCOUNT.PING.CONNZ", PATIENCE).await.unwrap();
    let game = scene.start(0, "main");
    let heard = scene.stands(State::Online, Cause::Started).await;
    game.kill().await;
    // Reading goes on, and an event says what it says.
    let game = scene.start(0, "main");
    let again = scene.is("heard again", |server| server.heard_at > heard.heard_at).await;
    assert_eq!((again.tie, again.connection), (None, None));
    game.signal("TERM");
    scene.stands(State::Offline, Cause::SaidStopped).await;
}
