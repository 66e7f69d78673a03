//! `guildwire watch`: what a stream brings and what guildwire makes of it, beside whoever reads it.

use std::time::Duration;

use async_nats::jetstream::stream::Stream;
use guildwire_harness::house::{FIRST_ACCOUNT, House, PATIENCE};
use guildwire_harness::{NatsConfig, NatsServer, NatsUser};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::installation::{Comparisons, USER, file, house_around, on_sqlite, refused};
use crate::support::{Database, build_house, on_both_databases};

on_both_databases!(what_comes_of_each_message_is_shown_as_it_comes);
on_sqlite!(
    a_reader_without_an_installation_sees_the_same,
    what_hinders_watching_is_named,
    nothing_in_a_message_reaches_the_terminal_as_it_is,
    ctrl_c_ends_it_and_nothing_is_left_behind,
);

/// A `guildwire watch` that goes on until it is told to end.
struct Watching {
    process: Child,
    lines: tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
    _errors: BufReader<tokio::process::ChildStderr>,
}

impl Watching {
    /// Starts it and waits until it watches.
    async fn start(house: &House, arguments: &[&str]) -> Watching {
        let mut process = house.bot.start(&[&["watch"], arguments].concat()).unwrap();
        let mut errors = BufReader::new(process.stderr.take().unwrap());
        let mut first = String::new();
        timeout(PATIENCE, errors.read_line(&mut first)).await.unwrap().unwrap();
        assert!(first.starts_with("Watching stream EVENTS of "), "{first}");
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Watching { process, lines, _errors: errors }
    }

    /// The next line of JSON.
    async fn next(&mut self) -> Value {
        let line = timeout(PATIENCE, self.lines.next_line()).await.expect("a line in time").unwrap();
        serde_json::from_str(&line.expect("it goes on")).unwrap()
    }

    /// Presses Ctrl-C and waits until it ends; answers with what else it printed.
    async fn interrupt(mut self) -> (Option<i32>, String) {
        let pid = self.process.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().await.unwrap().success());
        let status = timeout(PATIENCE, self.process.wait()).await.unwrap().unwrap();
        let mut rest = String::new();
        self.lines.into_inner().read_to_string(&mut rest).await.unwrap();
        (status.code(), rest)
    }
}

async fn consumers(stream: &Stream) -> usize {
    stream.get_info().await.unwrap().state.consumer_count
}

async fn what_comes_of_each_message_is_shown_as_it_comes(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let (status, broken) = (house.channel(guild, "status"), house.channel(guild, "broken"));
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.notify(guild, status, "everything", &[]).await.unwrap();
    house.notify(guild, broken, "lifecycle", &[]).await.unwrap();
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    let stream = publisher.jetstream.get_stream("EVENTS").await.unwrap();
    let before = consumers(&stream).await;
    let mut watching = Watching::start(&house, &[FIRST_ACCOUNT, "--json"]).await;
    house.discord.deny(broken, VIEW_CHANNEL);

    let connected = r#"{"player":{"name":"Ada"},"mood":1}"#;
    publisher.publish("main.players.7.events.connected", connected).await.unwrap();
    let first = watching.next().await;
    assert_eq!(first["sequence"], 1);
    assert_eq!(
        (&first["kind"], &first["server"], &first["player"]),
        (&json!("player.connected"), &json!("main"), &json!("7"))
    );
    assert_eq!((&first["shown_as"], &first["unused_fields"]), (&json!("📥 Ada joined main"), &json!(["mood"])));
    assert_eq!(
        first["heard_by"],
        json!([{ "binding": 1, "guild": guild.id.to_string(), "channel": status.to_string() }])
    );
    let became = watching.next().await;
    let message = house.discord.messages(status)[0].id;
    let link = format!("shown: https://discord.com/channels/{}/{status}/{message}", guild.id);
    assert_eq!(became, json!({ "sequence": 1, "channel": status.to_string(), "became": "shown", "told": link }));

    // The name that was heard before is the one that the channel shows.
    publisher.publish("main.players.7.events.respawned", "").await.unwrap();
    assert_eq!(watching.next().await["shown_as"], "🌅 Ada respawned on main");
    assert_eq!(watching.next().await["became"], "shown");
    publisher.publish("main.events.player.7.chatted", r#"{"message":"hi"}"#).await.unwrap();
    assert_eq!(watching.next().await["heard_by"], json!([]));
    publisher.publish("main.nothing", "{}").await.unwrap();
    assert_eq!(watching.next().await["rejected"], "not_an_event");
    publisher.publish("main.events.started", "{}").await.unwrap();
    assert_eq!(watching.next().await["heard_by"].as_array().unwrap().len(), 2);
    let (shown, waits) = (watching.next().await, watching.next().await);
    assert_eq!((&shown["became"], &shown["channel"]), (&json!("shown"), &json!(status.to_string())));
    assert_eq!((&waits["became"], &waits["channel"]), (&json!("waiting"), &json!(broken.to_string())));
    assert!(waits["told"].as_str().unwrap().contains("refuses the channel"), "{waits}");
    assert_eq!(watching.interrupt().await, (Some(0), String::new()));
    assert_eq!(consumers(&stream).await, before);
    let wanted = ["📥 **Ada** joined **main**", "🌅 **Ada** respawned on **main**", RELOADED];
    assert_eq!(house.shown(status), wanted);

    // What is past can be looked at, too, and told in words.
    let said = house.operate(&["watch", FIRST_ACCOUNT, "--last", "2", "--count", "1"]).await.unwrap();
    let told = said.split_once('\n').unwrap().1;
    let wanted = "\
subject   v0.rust.servers.main.nothing
payload   2 bytes
rejected  not_an_event
note      behind the server's id there must be events.NAME, or players.PLAYER.events.NAME for what is about a player

";
    assert_eq!(told, wanted);
    let said = house.operate(&["watch", FIRST_ACCOUNT, "--last", "5", "--count", "1"]).await.unwrap();
    let told = said.split_once('\n').unwrap().1;
    let wanted = format!(
        "\
subject   v0.rust.servers.main.players.7.events.connected
payload   {} bytes
event     player.connected, in players and everything
server    main
player    7, Ada
shown as  📥 Ada joined main
not used  mood
heard by  binding 1 for channel {status}

message 1 in channel {status}: {link}
",
        connected.len()
    );
    assert_eq!(told, wanted);
}

/// Without this, Discord refuses to post.
/// Somebody was on it before, so it was up.
const RELOADED: &str = "🔄 Server **main**: plugin reloaded, or the server was started anew";

const VIEW_CHANNEL: u64 = 0x400;

/// What somebody needs who watches without an installation, on the stream `EVENTS`.
const NEEDED: [&str; 5] = [
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.INFO.EVENTS",
    "$JS.API.CONSUMER.CREATE.EVENTS.*",
    "$JS.API.CONSUMER.MSG.NEXT.EVENTS.*",
    "$JS.API.CONSUMER.DELETE.EVENTS.*",
];

fn config(allowed: &[&str], inboxes: &str) -> NatsConfig {
    let reader = NatsUser::password(USER.0, USER.1).publish_allow(allowed).subscribe_allow(&[inboxes]);
    NatsConfig::open().account("GA-1", &[NatsUser::without_password(NatsConfig::BLOG_POST_USER), reader])
}

/// A house with a stream of two messages and a reader, and how the reader connects.
async fn house_with_reader(database: Database) -> (House, Vec<String>) {
    let house = house_around(NatsServer::start(&config(&NEEDED, "_INBOX_guildwire_watch.>")).unwrap(), database).await;
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    publisher.make_stream().await.unwrap();
    publisher.publish("main.events.started", "{}").await.unwrap();
    publisher.publish("eu.1.events.stopped", "{}").await.unwrap();
    let password = file(&house, "password", USER.1);
    let url = house.nats.url();
    let options = ["watch", "--url", &url, "--user", USER.0, "--password-file", &password].map(str::to_owned).to_vec();
    (house, options)
}

async fn a_reader_without_an_installation_sees_the_same(database: Database) {
    let (house, options) = house_with_reader(database).await;
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let all = house.operate(&[&options[..], &["--last", "9", "--count", "2"]].concat()).await.unwrap();
    let told: Vec<_> = all.lines().filter(|line| !line.starts_with("message ")).collect();
    let wanted = "\
subject   v0.rust.servers.main.events.started
payload   2 bytes
event     server.started, in lifecycle and everything
server    main
shown as  🟢 Server main is up

subject   v0.rust.servers.eu.1.events.stopped
payload   2 bytes
event     server.stopped, in lifecycle and everything
server    eu.1
shown as  🔴 Server eu.1 has stopped
note      a server's id with dots is heard only where the account was added with --wide-filter: better use none
";
    assert_eq!(told.join("\n"), wanted);
    let filtered = ["--last", "9", "--count", "1", "--subject", "*.*.servers.eu.>", "--json"];
    let one = house.operate(&[&options[..], &filtered].concat()).await.unwrap();
    let one: Value = serde_json::from_str(&one).unwrap();
    assert_eq!((&one["sequence"], &one["kind"], &one["heard_by"]), (&json!(2), &json!("server.stopped"), &Value::Null));
    let stream = house.publisher(FIRST_ACCOUNT).await.unwrap().jetstream.get_stream("EVENTS").await.unwrap();
    assert_eq!(consumers(&stream).await, 0);
}

async fn what_hinders_watching_is_named(database: Database) {
    let (mut house, options) = house_with_reader(database).await;
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let arguments = [&options[..], &["--last", "1", "--count", "1"]].concat();
    let mut compare = Comparisons::default();
    for missing in &NEEDED[..4] {
        let others: Vec<_> = NEEDED.into_iter().filter(|needed| needed != missing).collect();
        house.nats.reload(&config(&others, "_INBOX_guildwire_watch.>")).unwrap();
        let said = house.bot.command(&arguments).await.unwrap();
        assert_eq!((said.status.code(), said.stdout.as_str()), (Some(1), ""), "{missing}");
        let last = said.stderr.lines().last().unwrap_or_default();
        let wanted =
            format!("error: the user may not publish to {missing}: allow that subject in the user's permissions");
        compare.equal(missing, last, &wanted);
    }
    house.nats.reload(&config(&NEEDED, "elsewhere")).unwrap();
    let inbox =
        "error: the user may not subscribe to _INBOX_guildwire_watch.>: allow that subject in the user's permissions\n";
    compare.equal("inbox", &refused(&house.bot, 1, &arguments).await, inbox);
    house.nats.reload(&config(&NEEDED, "_INBOX_guildwire_watch.>")).unwrap();
    let unknown = refused(&house.bot, 1, &[&options[..], &["--stream", "OTHER"]].concat()).await;
    // The stream is named in the permission, so the permission is what is missing first.
    assert!(unknown.contains("$JS.API.CONSUMER.CREATE.OTHER.*"), "{unknown}");
    let none = refused(&house.bot, 1, &["watch", "GA-7"]).await;
    assert!(none.starts_with("error: there is no account GA-7, and no other"), "{none}");
    for nonsense in [vec!["watch"], vec!["watch", "GA-1", "--user", "x"], vec!["watch", "GA-1", "--stream", "x"]] {
        refused(&house.bot, 2, &nonsense).await;
    }
}

async fn nothing_in_a_message_reaches_the_terminal_as_it_is(database: Database) {
    let (house, options) = house_with_reader(database).await;
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    let payload =
        "{\"player_name\":\"\\u001b[31mred\\u009b2J\\u202e\",\"\\u001b]0;x\\u0007\":1,\"address\":\"203.0.113.9:1\"}";
    publisher.publish("m\u{9b}31mx.players.7\u{1b}[2J.events.connected", payload).await.unwrap();
    for form in [&[][..], &["--json"]] {
        let said = house.operate(&[&options[..], &["--last", "1", "--count", "1"], form].concat()).await.unwrap();
        let bare: String = said.chars().filter(|character| character.is_control() && *character != '\n').collect();
        assert_eq!(bare, "", "{said:?}");
        assert!(said.contains("red") && !said.contains("203.0.113") && !said.contains('\u{202e}'), "{said:?}");
    }
}

async fn ctrl_c_ends_it_and_nothing_is_left_behind(database: Database) {
    let (house, options) = house_with_reader(database).await;
    let options: Vec<&str> = options[1..].iter().map(String::as_str).collect();
    let stream = house.publisher(FIRST_ACCOUNT).await.unwrap().jetstream.get_stream("EVENTS").await.unwrap();
    let watching = Watching::start(&house, &options).await;
    assert_eq!(consumers(&stream).await, 1);
    assert_eq!(watching.interrupt().await, (Some(0), String::new()));
    assert_eq!(consumers(&stream).await, 0);
    // Whoever reads what is printed may have enough of it, too.
    let Watching { mut process, lines, .. } = Watching::start(&house, &[&options[..], &["--last", "2"]].concat()).await;
    drop(lines);
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    publisher.publish("main.events.stopping", "{}").await.unwrap();
    let status = timeout(Duration::from_secs(30), process.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(0));
}
