//! The real servers: they start, keep what they were given, and are configured as they should be.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic, in its helpers, too")]

use async_nats::jetstream::{self, stream};
use async_nats::{Client, ConnectOptions};
use guildwire_harness::{NatsConfig, NatsServer, NatsUser, Postgres};
use sqlx::{Connection as _, PgConnection};

/// Of nobody: the server checks only that it is well formed.
const PUBLIC_KEY: &str = "UAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPSBT2P";

async fn connect(server: &NatsServer, user: &str, password: &str) -> Client {
    ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned()).connect(server.url()).await.unwrap()
}

async fn stored(server: &NatsServer) -> u64 {
    let client = connect(server, NatsConfig::BLOG_POST_USER, "").await;
    let context = jetstream::new(client);
    context.get_stream("events").await.unwrap().info().await.unwrap().state.messages
}

async fn publish(server: &NatsServer) {
    let client = connect(server, NatsConfig::BLOG_POST_USER, "").await;
    let context = jetstream::new(client);
    let config =
        stream::Config { name: "events".to_owned(), subjects: vec!["v0.>".to_owned()], ..stream::Config::default() };
    context.get_or_create_stream(config).await.unwrap();
    context.publish("v0.test", "event".into()).await.unwrap().await.unwrap();
}

#[tokio::test]
async fn a_stream_outlives_a_kill_and_can_be_rolled_back() {
    let mut server = NatsServer::start(&NatsConfig::blog_post()).unwrap();
    let url = server.url();
    publish(&server).await;
    server.kill().unwrap();
    let copy = tempfile::tempdir().unwrap();
    server.copy_store(copy.path()).unwrap();
    server.start_again().unwrap();
    assert_eq!(server.url(), url);
    publish(&server).await;
    assert_eq!(stored(&server).await, 2);

    server.kill().unwrap();
    server.restore_store(copy.path()).unwrap();
    server.start_again().unwrap();
    assert_eq!(stored(&server).await, 1);
    server.restart().unwrap();
    assert_eq!(stored(&server).await, 1);
}

#[tokio::test]
async fn accounts_are_reloaded_and_a_bad_file_is_refused() {
    let config = NatsConfig::blog_post();
    let mut server = NatsServer::start(&config).unwrap();
    let user = NatsUser::password("owner", "secret").publish_deny(&["v0.>"]);
    let key = NatsUser::nkey(PUBLIC_KEY).subscribe_allow(&["_INBOX.>"]);
    server.reload(&config.clone().account("GA-2", &[user, key])).unwrap();
    connect(&server, "owner", "secret").await;

    let error = server.reload(&config.raw("accounts { GA-3: nonsense }")).unwrap_err();
    assert!(error.to_string().contains("refused"), "{error:#}");
}

#[tokio::test]
async fn an_old_server_and_an_open_one_start_too() {
    let server = NatsServer::start_old(&NatsConfig::open()).unwrap();
    let client = async_nats::connect(server.url()).await.unwrap();
    assert!(client.server_info().version.starts_with("2.12."));
}

#[test]
fn a_server_that_ends_at_once_says_why_and_leaves_nothing() {
    let error = NatsServer::start(&NatsConfig::open().raw("port: [")).unwrap_err();
    assert!(error.to_string().contains("ended at its start"), "{error:#}");
}

#[tokio::test]
async fn each_database_is_new_and_empty() {
    let postgres = Postgres::shared();
    let first = postgres.create_database("same").await.unwrap();
    let second = postgres.create_database("same").await.unwrap();
    assert_ne!(first, second);
    for url in [first, second] {
        let mut connection = PgConnection::connect(&url).await.unwrap();
        sqlx::raw_sql("CREATE TABLE alone (id int)").execute(&mut connection).await.unwrap();
    }
}
