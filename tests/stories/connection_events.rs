//! An account that imports nats-server's events of its own connections: guildwire looks as soon as one begins or ends.

use std::time::Duration;

use async_nats::ConnectOptions;
use guildwire::domain::permissions::to_read;
use guildwire::domain::server_state::{Cause, State};
use guildwire::nats::connection::OWN_INBOXES;
use guildwire_harness::house::PATIENCE;
use guildwire_harness::{NatsConfig, NatsServer};
use nkeys::KeyPair;

use crate::installation::{USER, on_sqlite};
use crate::scene::{by_password, scene_of, with_stream};
use crate::support::Database;

on_sqlite!(an_end_is_noticed_long_before_the_next_look);

/// What the manual says about both sides.
const EXPORT: &str = r#"{ stream: "$SYS.ACCOUNT.*.>", account_token_position: 3 }"#;
const IMPORT: &str =
    r#"{ stream: { account: SYS, subject: "$SYS.ACCOUNT.GA-1.>" }, to: "_INBOX_guildwire.connections.>" }"#;

/// Longer than anything here may take: what is seen is seen by a look that an event caused.
const EVERY: &str = "300";

async fn an_end_is_noticed_long_before_the_next_look(database: Database) {
    let manual = include_str!("../../docs/status.md");
    assert!(manual.contains(EXPORT) && manual.contains(IMPORT));
    assert!(PATIENCE < Duration::from_mins(4));
    let keys = [KeyPair::new_user(), KeyPair::new_user()];
    let nats = NatsServer::start(&NatsConfig::open().raw(&accounts(&keys[0].public_key()))).unwrap();
    let mut scene = scene_of(with_stream(nats).await, database, [EVERY, "3"], None, by_password).await;
    scene.keys = keys;
    scene.bot.wait_for_log("looked who is connected", PATIENCE).await.unwrap();
    let game = scene.start(0, "main");
    scene.is("heard", |server| server.state.state == State::Online).await;
    // Another connection, which says nothing, has guildwire look after the first word.
    let owner = ConnectOptions::with_user_and_password(NatsConfig::BLOG_POST_USER.to_owned(), String::new());
    let _owner = owner.connect(scene.house.nats.url()).await.unwrap();
    let tied = scene.is_tied().await;
    assert_eq!(tied.tie.unwrap().user, scene.keys[0].public_key());
    game.kill().await;
    let gone = scene.is("gone", |server| server.state.state != State::Online).await;
    // Of a process that dies before it has read all, nats-server says that reading failed.
    let cause = gone.state.cause;
    assert!(matches!(cause, Some(Cause::Closed | Cause::Vanished)), "{cause:?}");
}

/// The account with guildwire, which may do what reading takes and no more, and a game server.
fn accounts(game_server: &str) -> String {
    let ((bot, password), owner) = (USER, NatsConfig::BLOG_POST_USER);
    let mut permissions = to_read("*", "*", OWN_INBOXES);
    permissions.publish.push("$JS.API.STREAM.NAMES".to_owned());
    let (publish, subscribe) = (permissions.publish, permissions.subscribe);
    format!(
        r#"accounts {{
  SYS: {{ exports: [ {EXPORT} ] }}
  "GA-1": {{
    jetstream: enabled
    users: [
      {{ user: "{owner}" }}
      {{ user: "{bot}", password: "{password}", permissions: {{
        publish: {{ allow: {publish:?} }}
        subscribe: {{ allow: {subscribe:?} }}
      }} }}
      {{ nkey: "{game_server}" }}
    ]
    imports: [ {IMPORT} ]
  }}
}}
system_account: SYS"#
    )
}
