//! What each role may do, and what it may not.

use async_nats::jetstream::consumer::pull;
use futures_util::StreamExt as _;
use guildwire_harness::house::PATIENCE;
use nkeys::KeyPair;

use super::{User, usual_operator};
use crate::installation::on_sqlite;
use crate::metrics::wait_for_value;
use crate::support::Database;

on_sqlite!(
    each_user_may_publish_and_hear_what_its_role_takes,
    a_game_server_forges_no_other_servers_events_by_a_reply_subject,
    whoever_may_do_everything_in_an_account_hears_and_reaches_nothing_of_another,
    a_user_is_revoked,
);

async fn each_user_may_publish_and_hear_what_its_role_takes(database: Database) {
    let mut operator = usual_operator(database).await;
    operator.operate("operator account create GA-1").await;
    operator.operate("operator account create GA-2").await;
    let durable = {
        let bot = operator.house.start().await.unwrap();
        let guild = operator.house.guild("Rustaceans");
        let channel = operator.house.channel(guild, "status");
        operator.house.link(guild, "GA-1").await.unwrap();
        operator.house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
        let log = bot.log();
        let (_, rest) = log.split_once("guildwire-").unwrap();
        format!("guildwire-{}", &rest[..8])
    };

    let (mut main, _) = operator.user("GA-1", "--role server --server-id main", "_INBOX").await;
    assert_eq!(main.publish("main.events.started").await, Ok(1));
    for subject in [
        "v0.rust.servers.other.events.started",
        "v0.rust.servers.mainly.events.started",
        "$JS.API.INFO",
        "$JS.API.STREAM.INFO.EVENTS",
        "$JS.API.STREAM.PURGE.EVENTS",
        "$JS.API.STREAM.DELETE.EVENTS",
        "$JS.API.CONSUMER.CREATE.EVENTS.mine",
        "$SYS.REQ.CLAIMS.UPDATE",
        "anything",
    ] {
        main.is_denied(subject).await;
    }
    main.may_not_hear("v0.rust.servers.>").await;
    let (mut any, _) = operator.user("GA-1", "--role server", "_INBOX").await;
    assert_eq!(any.publish("other.events.started").await, Ok(2));
    any.is_denied("$JS.API.STREAM.INFO.EVENTS").await;

    let (mut bot, _) = operator.user("GA-1", "--role bot", "_INBOX_guildwire").await;
    for subject in [
        "v0.rust.servers.main.events.started".to_owned(),
        "$JS.API.STREAM.NAMES".to_owned(),
        "$JS.API.STREAM.MSG.GET.EVENTS".to_owned(),
        "$JS.API.CONSUMER.CREATE.EVENTS.another".to_owned(),
        "$JS.API.CONSUMER.DELETE.EVENTS.another".to_owned(),
        format!("$JS.API.STREAM.DELETE.{durable}"),
    ] {
        bot.is_denied(&subject).await;
    }
    bot.may_not_hear("_INBOX.>").await;

    let (mut reader, path) = operator.user("GA-1", "--role reader", "_INBOX_guildwire_watch").await;
    for subject in [
        format!("$JS.API.CONSUMER.CREATE.EVENTS.{durable}"),
        format!("$JS.API.CONSUMER.MSG.NEXT.EVENTS.{durable}"),
        format!("$JS.API.CONSUMER.DELETE.EVENTS.{durable}"),
        format!("$JS.ACK.EVENTS.{durable}.1.1.1.0.0"),
        "$JS.API.STREAM.DELETE.EVENTS".to_owned(),
        "v0.rust.servers.main.events.started".to_owned(),
    ] {
        reader.is_denied(&subject).await;
    }
    let url = operator.house.nats.url();
    let mut watch = operator.house.bot.start(&["watch", "--creds", &path, "--url", &url, "--last", "2"]).unwrap();
    let mut lines = tokio::io::BufReader::new(watch.stdout.take().unwrap());
    let mut seen = String::new();
    while !seen.contains("v0.rust.servers.other.events.started") {
        let reading = tokio::io::AsyncBufReadExt::read_line(&mut lines, &mut seen);
        assert_ne!(tokio::time::timeout(PATIENCE, reading).await.unwrap().unwrap(), 0, "{seen}");
    }
    assert!(seen.contains("v0.rust.servers.main.events.started"), "{seen}");
    watch.kill().await.unwrap();

    // Another account's owner reaches nothing of this one.
    let (mut stranger, _) = operator.user("GA-2", "--role reader", "_INBOX_guildwire_watch").await;
    let messages = stranger.jetstream.get_stream("EVENTS").await.unwrap().cached_info().state.messages;
    assert_eq!(messages, 0, "its own stream of the same name is another one");
    stranger.is_denied("$JS.API.STREAM.INFO.OTHER").await;
    let (stranger_server, _) = operator.user("GA-2", "--role server", "_INBOX").await;
    let mut overheard = stranger_server.client.subscribe("_INBOX.>").await.unwrap();
    stranger_server.client.flush().await.unwrap();
    assert_eq!(main.publish("main.events.stopping").await, Ok(3));
    assert_eq!(stranger_server.publish("main.events.stopped").await, Ok(1), "it is stored in its own stream");
    let first_heard = overheard.next().await.unwrap().payload;
    let first_heard = String::from_utf8_lossy(&first_heard);
    assert!(first_heard.contains(r#""seq":1"#), "it hears its own answers, not the other account's: {first_heard}");
    let first = operator.operate("account check GA-1").await;
    assert!(first.contains("with 3 messages of 3 subjects"), "{first}");
}

async fn whoever_may_do_everything_in_an_account_hears_and_reaches_nothing_of_another(database: Database) {
    let mut operator = usual_operator(database).await;
    operator.operate("operator account create GA-1").await;
    operator.operate("operator account create GA-2").await;
    let stranger = operator.administrator("GA-2").await;
    let mut all = stranger.client.subscribe(">").await.unwrap();
    let mut events = stranger.client.subscribe("v0.>").await.unwrap();
    let mut connections = stranger.client.subscribe("$SYS.ACCOUNT.*.>").await.unwrap();
    stranger.client.flush().await.unwrap();

    let (main, _) = operator.user("GA-1", "--role server --server-id main", "_INBOX").await;
    assert_eq!(main.publish("main.events.started").await, Ok(1));
    let administrator = operator.administrator("GA-1").await.jetstream;
    let stream = administrator.get_stream("EVENTS").await.unwrap();
    let config = pull::Config { durable_name: Some("reader".to_owned()), ..pull::Config::default() };
    let mut consumer = stream.create_consumer(config).await.unwrap();
    let mut messages = consumer.messages().await.unwrap();
    let message = messages.next().await.unwrap().unwrap();
    let acknowledgement = message.reply.clone().unwrap();
    assert!(acknowledgement.starts_with("$JS.ACK.EVENTS.reader."), "{acknowledgement}");
    stranger.client.publish(acknowledgement.clone(), "+ACK".into()).await.unwrap();
    stranger.client.flush().await.unwrap();
    assert_eq!(consumer.info().await.unwrap().num_ack_pending, 1, "nobody else acknowledges it");
    message.double_ack().await.unwrap();

    // What it does hear comes after all of that, and is its own.
    stranger.client.publish("v0.end", "".into()).await.unwrap();
    stranger.client.publish("$SYS.ACCOUNT.own.end", "".into()).await.unwrap();
    assert_eq!(events.next().await.unwrap().subject.as_str(), "v0.end");
    assert_eq!(connections.next().await.unwrap().subject.as_str(), "$SYS.ACCOUNT.own.end");
    let mut heard = Vec::new();
    while heard.last().is_none_or(|subject| subject != "$SYS.ACCOUNT.own.end") {
        heard.push(all.next().await.unwrap().subject.to_string());
    }
    let of_its_own = [acknowledgement.as_str(), "v0.end", "$SYS.ACCOUNT.own.end"];
    heard.retain(|subject| !subject.starts_with("_INBOX."));
    assert_eq!(heard, of_its_own);
    let own = stranger.jetstream.get_stream("EVENTS").await.unwrap().cached_info().state.messages;
    assert_eq!(own, 0, "its stream of the same name is another one");
}

async fn a_game_server_forges_no_other_servers_events_by_a_reply_subject(database: Database) {
    let mut operator = usual_operator(database).await;
    operator.operate("operator account create GA-1").await;
    let bot = operator.house.start().await.unwrap();
    let guild = operator.house.guild("Rustaceans");
    let channel = operator.house.channel(guild, "status");
    operator.house.link(guild, "GA-1").await.unwrap();
    operator.house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    let (main, _) = operator.user("GA-1", "--role server --server-id main", "_INBOX").await;

    // Where it may not publish, JetStream does for it: that something was stored, and that something was not.
    let (chat, others) = ("v0.rust.servers.main.events.chat", "v0.rust.servers.other.events.started");
    main.client.publish_with_reply(chat, others, "2".into()).await.unwrap();
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("Nats-Expected-Stream", "ANOTHER");
    main.client.publish_with_reply_and_headers(chat, others, headers, "2".into()).await.unwrap();
    wait_for_value(&bot, "guildwire_events_rejected_total{reason=\"jetstream_answer\"}", 2.0).await;
    assert_eq!(main.publish("main.events.started").await, Ok(4));
    assert_eq!(operator.house.wait_for_shown(channel, 1).await.unwrap(), ["🟢 Server **main** is up"]);

    let (_, path) = operator.user("GA-1", "--role reader", "_INBOX_guildwire_watch").await;
    let url = operator.house.nats.url();
    let watch = ["watch", "--creds", &path, "--url", &url, "--last", "3", "--count", "1"];
    let seen = operator.house.operate(&watch).await.unwrap();
    assert!(seen.contains(others) && seen.contains("rejected  jetstream_answer"), "{seen}");
}

async fn a_user_is_revoked(database: Database) {
    let mut operator = usual_operator(database).await;
    operator.operate("operator account create GA-1").await;
    let (mut lost, path) = operator.user("GA-1", "--role server", "_INBOX").await;
    let (kept, _) = operator.user("GA-1", "--role server", "_INBOX").await;
    let creds = std::fs::read_to_string(path).unwrap();
    let told = operator.operate("operator account list").await;
    let seed = creds.lines().find(|line| line.starts_with("SU")).unwrap();
    let public_key = KeyPair::from_seed(seed).unwrap().public_key();
    assert!(told.contains(&format!("  GA-1 server: {public_key}, made ")), "{told}");
    let said = operator.operate(&format!("operator user revoke GA-1 {public_key}")).await;
    assert_eq!(said, format!("The user {public_key} of account GA-1 is not let in any more.\n"));
    assert_eq!(lost.objection().await, "nats: User Authentication Revoked");
    let url = operator.house.nats.url();
    assert!(User::connect(&url, &creds, "_INBOX").await.is_err());
    kept.publish("main.events.started").await.unwrap();
    // It stays revoked, whatever else is changed.
    operator.operate("operator account suspend GA-1").await;
    operator.operate("operator account resume GA-1").await;
    assert!(User::connect(&url, &creds, "_INBOX").await.is_err());
    let unknown = operator.refused("operator user revoke GA-1 UABC").await;
    assert!(unknown.contains("guildwire has made no user UABC of account GA-1"), "{unknown}");
}
