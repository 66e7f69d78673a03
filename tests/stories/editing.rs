//! `account edit`: what an account is read by changes, and its links and bindings stay.

use async_nats::ConnectOptions;
use async_nats::jetstream;
use guildwire_harness::house::{FIRST_ACCOUNT, PATIENCE, Publisher};
use guildwire_harness::{NatsConfig, NatsServer, NatsUser, free_port};

use crate::fire;
use crate::installation::{Comparisons, USER, file, house_around, on_sqlite, refused, without_version};
use crate::support::{Database, build_house, on_both_databases};

on_both_databases!(a_credential_is_rotated_while_events_come, reading_resumes_at_the_streams_end);
on_sqlite!(
    an_account_moves_to_another_server_and_takes_its_consumer_along,
    an_account_that_moves_to_the_streams_end_tells_nothing_twice,
    an_edit_that_makes_no_sense_changes_nothing
);

const PUBLISHER: &str = NatsConfig::BLOG_POST_USER;
const UP: &str = "🟢 Server **main** is up";
const STOPPING: &str = "🟠 Server **main** is about to stop";
const WIPED: &str = "✨ Server **main** was wiped: a fresh world awaits";

fn config(users: &[(&str, &str)]) -> NatsConfig {
    let users = users.iter().map(|(name, password)| NatsUser::password(name, password));
    let users: Vec<_> = std::iter::once(NatsUser::without_password(PUBLISHER)).chain(users).collect();
    NatsConfig::open().account("GA-1", &users)
}

async fn publisher(nats: &NatsServer) -> Publisher {
    let options = ConnectOptions::with_user_and_password(PUBLISHER.to_owned(), String::new());
    Publisher { jetstream: jetstream::new(options.connect(nats.url()).await.unwrap()) }
}

async fn a_credential_is_rotated_while_events_come(database: Database) {
    let (old, new) = (USER, ("bot-2", "another horse"));
    let mut house = house_around(NatsServer::start(&config(&[old, new])).unwrap(), database).await;
    let publisher = publisher(&house.nats).await;
    publisher.make_stream().await.unwrap();
    let password = file(&house, "old.password", old.1);
    house.operate(&["account", "add", "GA-1", "--user", old.0, "--password-file", &password]).await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "status");
    house.link(guild, "GA-1").await.unwrap();
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    publisher.publish("main.events.started", "{}").await.unwrap();
    house.wait_for_shown(channel, 1).await.unwrap();

    let password = file(&house, "new.password", new.1);
    let edit = ["account", "edit", "GA-1", "--user", new.0, "--password-file", &password];
    let printed = house.operate(&edit).await.unwrap();
    let url = house.nats.url();
    assert_eq!(
        without_version(&printed),
        format!(
            "Account GA-1 is changed.\nIt was reached at {url}: nats-server <version>, stream EVENTS, whose last message has \
             number 1.\n"
        )
    );
    publisher.publish("main.events.stopping", "{}").await.unwrap();
    house.wait_for_shown(channel, 2).await.unwrap();
    // The old user is not needed any more.
    house.nats.reload(&config(&[new])).unwrap();
    publisher.publish("main.events.wiped", "{}").await.unwrap();
    assert_eq!(house.wait_for_shown(channel, 3).await.unwrap(), [UP, STOPPING, WIPED]);
}

async fn an_account_moves_to_another_server_and_takes_its_consumer_along(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "status");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    let before = house.publisher(FIRST_ACCOUNT).await.unwrap();
    before.publish("main.events.started", "{}").await.unwrap();
    house.wait_for_shown(channel, 1).await.unwrap();

    let other = NatsServer::start(&NatsConfig::blog_post()).unwrap();
    let after = publisher(&other).await;
    after.make_stream().await.unwrap();
    house.operate(&["account", "edit", FIRST_ACCOUNT, "--url", &other.url()]).await.unwrap();
    let stream = after.jetstream.get_stream("EVENTS").await.unwrap();
    wait_for_consumers(&stream, 1).await;
    after.publish("main.events.stopping", "{}").await.unwrap();
    assert_eq!(house.wait_for_shown(channel, 2).await.unwrap(), [UP, STOPPING]);
    let left = before.jetstream.get_stream("EVENTS").await.unwrap();
    wait_for_consumers(&left, 0).await;
}

async fn an_account_that_moves_to_the_streams_end_tells_nothing_twice(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "status");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    let before = house.publisher(FIRST_ACCOUNT).await.unwrap();
    for number in 0..20 {
        before.publish(&format!("s{number}.events.started"), "{}").await.unwrap();
    }
    fire::wait_for(&house.discord, channel, "s19").await;

    let other = NatsServer::start(&NatsConfig::blog_post()).unwrap();
    let after = publisher(&other).await;
    after.make_stream().await.unwrap();
    for _ in 0..3 {
        after.publish("unheard.events.started", "{}").await.unwrap();
    }
    house.operate(&["account", "edit", FIRST_ACCOUNT, "--url", &other.url(), "--resume-from", "now"]).await.unwrap();
    // The old server may still bring something before the running bot notices: its own numbers are not the new one's.
    before.publish("late.events.started", "{}").await.unwrap();
    let stream = after.jetstream.get_stream("EVENTS").await.unwrap();
    wait_for_consumers(&stream, 1).await;
    after.publish("moved.events.started", "{}").await.unwrap();
    fire::wait_for(&house.discord, channel, "moved").await;
    let shown = fire::shown(&house.discord, channel);
    let each: std::collections::BTreeSet<_> = shown.iter().collect();
    assert_eq!(each.len(), shown.len(), "twice: {shown:#?}");
    assert!(!shown.iter().any(|server| server == "unheard"), "{shown:#?}");
}

/// Waits until the stream has so many consumers.
async fn wait_for_consumers(stream: &jetstream::stream::Stream, count: usize) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while stream.get_info().await.unwrap().state.consumer_count != count {
        assert!(tokio::time::Instant::now() < deadline, "not {count} consumers");
        // Nobody tells that a consumer came or went.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

async fn reading_resumes_at_the_streams_end(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let mut bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "status");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    publisher.publish("main.events.started", "{}").await.unwrap();
    house.wait_for_shown(channel, 1).await.unwrap();
    assert!(bot.terminate().await.unwrap().success());

    // What came while nobody read is skipped: here by the last event, which no channel hears.
    for _ in 0..30 {
        publisher.publish("main.events.stopping", "{}").await.unwrap();
    }
    publisher.publish("main.players.1.events.combat.hit", "{}").await.unwrap();
    let printed = house.operate(&["account", "edit", FIRST_ACCOUNT, "--resume-from", "now"]).await.unwrap();
    let told = "Reading goes on behind message 32 of stream EVENTS: what came before is not told any more.\n";
    assert!(printed.ends_with(told), "{printed}");
    publisher.publish("main.events.wiped", "{}").await.unwrap();
    let bot = house.start().await.unwrap();
    assert_eq!(house.wait_for_shown(channel, 2).await.unwrap(), [UP, WIPED]);

    // And under one that reads: nothing is told twice, and what comes later is.
    house.operate(&["account", "edit", FIRST_ACCOUNT, "--resume-from", "now"]).await.unwrap();
    // Another server: what is told of one that says again that it started depends on how long ago it said so before.
    publisher.publish("second.events.started", "{}").await.unwrap();
    let second = "🟢 Server **second** is up";
    assert_eq!(house.wait_for_shown(channel, 3).await.unwrap(), [UP, WIPED, second]);
    drop(bot);
}

async fn an_edit_that_makes_no_sense_changes_nothing(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let table = async || {
        let list = house.operate(&["account", "list"]).await.unwrap();
        list.split_once("\n\n").unwrap().0.to_owned()
    };
    let before = table().await;
    let closed = format!("nats://127.0.0.1:{}", free_port());
    let mut compare = Comparisons::default();
    let said = refused(&house.bot, 2, &["account", "edit", "GA-1"]).await;
    for given in ["--url", "--stream", "--find-stream", "--root", "--wide-filter", "--creds", "--resume-from"] {
        assert!(said.contains(given), "{given}: {said}");
    }
    let unknown = "error: there is no account GA-9; the accounts are GA-1, GA-2\n";
    compare.equal("unknown", &refused(&house.bot, 1, &["account", "edit", "GA-9", "--wide-filter"]).await, unknown);
    let unreachable = format!(
        "error: nats-server can't be reached at {closed} (IO error: Connection refused (os error 111)): check that it runs \
         there and that this address is right\nNothing was stored. "
    );
    compare.equal(
        "unreachable",
        &refused(&house.bot, 1, &["account", "edit", "GA-1", "--url", &closed, "--owner", "5"]).await,
        &format!("{unreachable}To store the change without trying it, add --no-check.\n"),
    );
    compare.equal(
        "resume where nothing answers",
        &refused(&house.bot, 1, &["account", "edit", "GA-1", "--url", &closed, "--resume-from", "now"]).await,
        &format!("{unreachable}Where the stream ends has to be asked to go on there.\n"),
    );
    let said = refused(&house.bot, 1, &["account", "edit", "GA-1", "--user", "nobody"]).await;
    assert!(said.contains("refuses the credential"), "{said}");
    compare.equal("as before", &table().await, &before);
    let audit = house.operate(&["audit"]).await.unwrap();
    assert!(!audit.contains("owner changed"), "nor has it an owner: {audit}");
    let printed = house.operate(&["account", "edit", "GA-1", "--resume-from", "now"]).await.unwrap();
    assert!(
        printed.ends_with("Stream EVENTS was not read so far: reading it begins with what comes then.\n"),
        "{printed}"
    );
    house.operate(&["account", "edit", "GA-1", "--stream", "EVENTS", "--wide-filter", "--root", "x.y"]).await.unwrap();
    let now = table().await;
    assert!(now.contains("EVENTS      x.y (all below)"), "{now}");
    house
        .operate(&["account", "edit", "GA-1", "--find-stream", "--no-wide-filter", "--root", "v0.*.servers"])
        .await
        .unwrap();
    compare.equal("and back", &table().await, &before);
}
