//! `account check`: each thing that can be missing is named, with what was tried, and what lies behind it is not tried.

use async_nats::ConnectOptions;
use async_nats::jetstream;
use futures_util::StreamExt as _;
use guildwire_harness::house::{FIRST_ACCOUNT, House, Publisher};
use guildwire_harness::{NatsConfig, NatsServer, NatsUser, free_port};

use crate::fire::{self, eventually};
use crate::installation::{Comparisons, USER, file, house_around, on_sqlite, without_version};
use crate::support::{Database, build_house, on_both_databases};

on_both_databases!(
    a_running_guildwire_does_the_check_and_loses_nothing_by_it,
    an_account_that_nobody_reads_is_checked_and_left_as_it_was,
);
on_sqlite!(
    what_is_missing_is_named_with_its_subject,
    what_is_wrong_before_any_permission_is_named,
    server_ids_with_dots_are_told_of,
    a_check_that_is_not_answered_says_so,
    who_is_connected_is_not_learned_from_whoever_answers_without_end,
);

const PUBLISHER: &str = NatsConfig::BLOG_POST_USER;

/// A server with one account, in which guildwire has this user.
fn config(user: NatsUser) -> NatsConfig {
    NatsConfig::open().account("GA-1", &[NatsUser::without_password(PUBLISHER), user])
}

fn user() -> NatsUser {
    NatsUser::password(USER.0, USER.1)
}

async fn publisher(house: &House) -> Publisher {
    let options = ConnectOptions::with_user_and_password(PUBLISHER.to_owned(), String::new());
    Publisher { jetstream: jetstream::new(options.connect(house.nats.url()).await.unwrap()) }
}

/// A house with an account that is added, but not read.
async fn house_with_account(config: &NatsConfig, database: Database) -> (House, Publisher) {
    let house = house_around(NatsServer::start(config).unwrap(), database).await;
    let publisher = publisher(&house).await;
    publisher.make_stream().await.unwrap();
    let password = file(&house, "password", USER.1);
    let add = ["account", "add", "GA-1", "--user", USER.0, "--password-file", &password, "--no-check"];
    house.operate(&add).await.unwrap();
    (house, publisher)
}

/// What a check says, with the installation's own id as `<id>`, and its exit code.
async fn check(house: &House) -> (String, Option<i32>, String) {
    let output = house.bot.command(&["account", "check", "GA-1"]).await.unwrap();
    let mut text = output.stdout;
    if let Some((_, rest)) = text.split_once("guildwire-") {
        let id: String = rest.chars().take_while(char::is_ascii_lowercase).collect();
        text = text.replace(&format!("guildwire-{id}"), "guildwire-<id>");
    }
    (without_version(&text), output.status.code(), output.stderr)
}

/// The report of an account whose events are read, or not, and of which nothing is missing.
fn all_well(url: &str, stream: &str, pull: &str, limits: &str, delete: &str) -> String {
    format!(
        "✓ credential: the stored credential: user
✓ connection: {url}: connected
✓ version: 2.14 or newer: nats-server <version>
✓ stream: $JS.API.STREAM.INFO.EVENTS: stream EVENTS, with {stream}
✓ consumer: $JS.API.CONSUMER.CREATE.EVENTS.guildwire-<id>: consumer guildwire-<id>
✓ reset: $JS.API.CONSUMER.RESET.EVENTS.guildwire-<id>: can be set back
✓ pull: $JS.API.CONSUMER.MSG.NEXT.EVENTS.guildwire-<id>: {pull}
✓ acknowledge: $JS.ACK.EVENTS.guildwire-<id>.>: permitted
{limits}
✓ presence: $SYS.REQ.ACCOUNT.PING.CONNZ: shows which game servers are connected
{delete}
"
    )
}

const NO_LIMITS: &str = "– limits: $JS.API.INFO: may not be asked, and need not be";

async fn what_is_missing_is_named_with_its_subject(database: Database) {
    let (mut house, publisher) = house_with_account(&config(user()), database).await;
    let url = house.nats.url();
    let stream = publisher.jetstream.get_stream("EVENTS").await.unwrap();
    let good = all_well(
        &url,
        "0 messages of 0 subjects",
        "no event is there, which is fine",
        NO_LIMITS,
        "✓ delete: $JS.API.CONSUMER.DELETE.EVENTS.guildwire-<id>: the consumer is gone again",
    );
    let mut compare = Comparisons::default();
    let names = ["stream", "consumer", "reset", "pull", "acknowledge", "limits", "presence", "delete"];
    for (step, denied, tried, missing) in [
        (0, "$JS.API.STREAM.NAMES", "$JS.API.STREAM.NAMES, for v0.*.servers.>", "$JS.API.STREAM.NAMES"),
        (0, "$JS.API.STREAM.INFO.>", "", "$JS.API.STREAM.INFO.EVENTS"),
        (1, "$JS.API.CONSUMER.CREATE.>", "", "$JS.API.CONSUMER.CREATE.EVENTS.guildwire-<id>"),
        (2, "$JS.API.CONSUMER.RESET.>", "", "$JS.API.CONSUMER.RESET.EVENTS.guildwire-<id>"),
        (3, "$JS.API.CONSUMER.MSG.NEXT.>", "", "$JS.API.CONSUMER.MSG.NEXT.EVENTS.guildwire-<id>"),
        (4, "$JS.ACK.>", "", "$JS.ACK.EVENTS.guildwire-<id>.>"),
        (7, "$JS.API.CONSUMER.DELETE.>", "", "$JS.API.CONSUMER.DELETE.EVENTS.guildwire-<id>"),
    ] {
        house.nats.reload(&config(user().publish_deny(&[denied, "$JS.API.INFO"]))).unwrap();
        let (said, code, error) = check(&house).await;
        let tried = if tried.is_empty() { missing } else { tried };
        let fault = format!("the user may not publish to {missing}: allow that subject in the user's permissions");
        let mut wanted: Vec<String> = good.lines().map(str::to_owned).collect();
        wanted[3 + step] = format!("✗ {}: {tried}: {fault}", names[step]);
        for (later, name) in names.iter().enumerate().skip(step + 1) {
            wanted[3 + later] = format!("– {name}: not tried");
        }
        if (1..6).contains(&step) && step > 1 {
            // What was made is taken back all the same, before the rest is said not to be tried.
            wanted.truncate(3 + step + 1);
            wanted.push(good.lines().last().unwrap().to_owned());
            wanted.extend(names[step + 1..7].iter().map(|name| format!("– {name}: not tried")));
        }
        compare.equal(denied, &said, &format!("{}\n", wanted.join("\n")));
        compare.equal(denied, &error, "error: 1 of 11 checks failed\n");
        assert_eq!(code, Some(1), "{denied}");
        // The last one leaves it there, and says so.
        assert!(step == 7 || stream.consumer_names_are_empty().await, "{denied}");
    }
    house.nats.reload(&config(user().subscribe_deny(&["_INBOX_guildwire.>"]))).unwrap();
    let (said, code, _) = check(&house).await;
    let inbox = "✗ stream: $JS.API.STREAM.NAMES, for v0.*.servers.>: the user may not subscribe to \
                 _INBOX_guildwire.>: allow that subject in the user's permissions";
    compare.equal("inbox", said.lines().nth(3).unwrap(), inbox);
    assert_eq!(code, Some(1));
    house.nats.reload(&config(user().publish_deny(&["$JS.API.INFO"]))).unwrap();
    let (said, code, _) = check(&house).await;
    compare.equal("all well", &said, &good);
    assert_eq!(code, Some(0));
    house.nats.reload(&config(user().publish_deny(&["$SYS.>", "$JS.API.INFO"]))).unwrap();
    let (said, code, _) = check(&house).await;
    let blind = "– presence: $SYS.REQ.ACCOUNT.PING.CONNZ: may not be asked, so that it can't be seen which game servers are \
                 connected; events are read all the same";
    compare.equal("blind", said.lines().rev().nth(1).unwrap(), blind);
    assert_eq!(code, Some(0), "reading goes without");
}

/// Whether a stream has no consumer.
trait Consumers {
    async fn consumer_names_are_empty(&self) -> bool;
}

impl Consumers for jetstream::stream::Stream {
    async fn consumer_names_are_empty(&self) -> bool {
        self.get_info().await.unwrap().state.consumer_count == 0
    }
}

async fn what_is_wrong_before_any_permission_is_named(database: Database) {
    let (mut house, publisher) = house_with_account(&config(user()), database).await;
    let (url, closed) = (house.nats.url(), format!("nats://127.0.0.1:{}", free_port()));
    let old = NatsServer::start_old(&config(user())).unwrap();
    let mut compare = Comparisons::default();
    let refusal =
        format!("nats-server at {url} refuses the credential: check that the user exists there and was not revoked");
    house.nats.reload(&config(NatsUser::password(USER.0, "another"))).unwrap();
    compare.equal("refused", line(&check(&house).await.0, 1), &format!("✗ connection: {url}: {refusal}"));
    house.nats.reload(&config(user())).unwrap();

    house.operate(&["account", "edit", "GA-1", "--url", &closed, "--no-check"]).await.unwrap();
    let unreachable = format!(
        "✗ connection: {closed}: nats-server can't be reached at {closed} (IO error: Connection refused (os error 111)): \
         check that it runs there and that this address is right"
    );
    compare.equal("unreachable", line(&check(&house).await.0, 1), &unreachable);
    house.operate(&["account", "edit", "GA-1", "--url", &old.url(), "--no-check"]).await.unwrap();
    let too_old = "✗ version: 2.14 or newer: nats-server <version> is too old: guildwire needs 2.14 or newer, to set its \
                   consumer back after a crash";
    compare.equal("too old", line(&check(&house).await.0, 2), too_old);
    house.operate(&["account", "edit", "GA-1", "--url", &url, "--stream", "OTHER", "--no-check"]).await.unwrap();
    let missing = "✗ stream: $JS.API.STREAM.INFO.OTHER: there is no stream named OTHER in this account";
    compare.equal("no such stream", line(&check(&house).await.0, 3), missing);
    publisher.jetstream.delete_stream("EVENTS").await.unwrap();
    house.operate(&["account", "edit", "GA-1", "--find-stream", "--no-check"]).await.unwrap();
    let none = "✗ stream: $JS.API.STREAM.NAMES, for v0.*.servers.>: no stream covers v0.*.servers.>: make one with `nats \
                stream add EVENTS --subjects 'v0.*.servers.>' --storage file --defaults`";
    compare.equal("no stream", line(&check(&house).await.0, 3), none);
}

fn line(said: &str, number: usize) -> &str {
    said.lines().nth(number).unwrap_or(said)
}

async fn an_account_that_nobody_reads_is_checked_and_left_as_it_was(database: Database) {
    let (house, publisher) = house_with_account(&config(user()), database).await;
    publisher.publish("main.events.started", "{}").await.unwrap();
    let stream = publisher.jetstream.get_stream("EVENTS").await.unwrap();
    let mut compare = Comparisons::default();
    let wanted = |url: &str, bytes: u64| {
        all_well(
            url,
            "1 messages of 1 subjects",
            "brought an event",
            &format!("✓ limits: $JS.API.INFO: {bytes} bytes stored, 1 consumers"),
            "✓ delete: $JS.API.CONSUMER.DELETE.EVENTS.guildwire-<id>: the consumer is gone again",
        )
    };
    let bytes = publisher.jetstream.query_account().await.unwrap().storage;
    let (said, code, error) = check(&house).await;
    compare.equal("nobody runs", &said, &wanted(&house.nats.url(), bytes));
    assert_eq!((code, error.as_str()), (Some(0), ""));
    assert!(stream.consumer_names_are_empty().await);

    // Also by one that runs and does not read it.
    let _bot = house.start().await.unwrap();
    let (said, code, _) = check(&house).await;
    compare.equal("it runs", &said, &wanted(&house.nats.url(), bytes));
    assert_eq!(code, Some(0));
    assert!(stream.consumer_names_are_empty().await);
}

async fn a_running_guildwire_does_the_check_and_loses_nothing_by_it(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "status");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    let kinds = ["started", "stopping", "stopped"];
    let publish = async {
        for number in 0..60 {
            publisher.publish(&format!("server-{number}.events.{}", kinds[number % 3]), "{}").await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let checks = async {
        for _ in 0..2 {
            let (said, code, error) = check(&house).await;
            let left = "– delete: $JS.API.CONSUMER.DELETE.EVENTS.guildwire-<id>: left out: the account is read by this \
                        consumer";
            assert!(said.lines().last() == Some(left) && !said.contains('✗'), "{said}");
            assert_eq!((code, error.as_str()), (Some(0), ""));
        }
    };
    tokio::join!(publish, checks);
    fire::wait_for(&house.discord, channel, "server-59").await;
    let wanted: Vec<String> = (0..60).map(|number| format!("server-{number}")).collect();
    assert_eq!(fire::shown(&house.discord, channel), wanted);
    assert!(!bot.log().contains("someone else reads"), "{}", bot.log());
}

async fn server_ids_with_dots_are_told_of(database: Database) {
    let (house, publisher) = house_with_account(&config(user()), database).await;
    for server in ["main", "eu.west.1", "eu.west.2", "us.1", "us.2"] {
        publisher.publish(&format!("{server}.events.started"), "{}").await.unwrap();
    }
    let (said, code, _) = check(&house).await;
    assert_eq!(
        said.lines().last(),
        Some(
            "! server ids with dots in them are not heard: eu.west.1, eu.west.2, us.1 and 1 more. To hear them: \
             `guildwire account edit GA-1 --wide-filter`"
        ),
        "{said}"
    );
    assert_eq!(code, Some(0));
    house.operate(&["account", "edit", "GA-1", "--wide-filter"]).await.unwrap();
    assert!(!check(&house).await.0.contains("dots"));
}

async fn a_check_that_is_not_answered_says_so(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let bot = house.start().await.unwrap();
    bot.signal("STOP").unwrap();
    let (said, code, error) = check(&house).await;
    bot.signal("CONT").unwrap();
    assert_eq!((said.as_str(), code), ("", Some(1)));
    let wanted = "error: guildwire is running and was asked to check GA-1, but did not answer within 45 seconds: look at \
                  its log, and try again\n";
    assert_eq!(error, wanted);
    // It is as good as before.
    let (said, code, _) = check(&house).await;
    assert_eq!(code, Some(0), "{said}");
    let unknown = house.bot.command(&["account", "check", "GA-9"]).await.unwrap();
    assert_eq!(unknown.stderr, "error: there is no account GA-9; the accounts are GA-1, GA-2\n");
}

/// An account's users may answer in nats-server's place, and what they say must not fill the bot's memory.
async fn who_is_connected_is_not_learned_from_whoever_answers_without_end(database: Database) {
    let (house, _) = house_with_account(&config(user()), database).await;
    let owner = ConnectOptions::with_user_and_password(PUBLISHER.to_owned(), String::new());
    let owner = owner.connect(house.nats.url()).await.unwrap();
    let mut asked = owner.subscribe("$SYS.REQ.ACCOUNT.PING.CONNZ").await.unwrap();
    owner.flush().await.unwrap();
    let listed = vec![r#"{"cid":1,"start":"2026-11-23T09:39:38Z"}"#; 1_024].join(",");
    let answer = format!(r#"{{"data":{{"server_id":"x","now":"2026-11-23T09:39:39Z","connections":[{listed}]}}}}"#);
    let answers = async {
        while let Some(request) = asked.next().await {
            for _ in 0..12 {
                owner.publish(request.reply.clone().unwrap(), answer.clone().into()).await.unwrap();
            }
        }
    };
    let wanted = "– presence: $SYS.REQ.ACCOUNT.PING.CONNZ: the account has more than 8192 connections, or too much is said of \
                  them";
    // Answers that come late are not waited for.
    let told = eventually("too much is said", async || {
        let (said, code, _) = check(&house).await;
        assert_eq!(code, Some(0), "{said}");
        said.lines().rev().nth(1) == Some(wanted)
    });
    tokio::select! {
        () = answers => panic!("whoever answers is there to the end"),
        () = told => {}
    }
}
