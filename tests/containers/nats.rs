//! The deployed nats-server: an event goes its way, and everybody may do their part and nothing else.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::jetstream::consumer::Info;
use async_nats::jetstream::consumer::pull::Config as Pull;
use async_nats::jetstream::context::Context;
use async_nats::jetstream::stream::{Config as Stream, StorageType};
use async_nats::{Client, ConnectOptions, Event};
use discord_sim::{Options, Sim};
use futures_util::StreamExt as _;
use guildwire_harness::house::{House, PATIENCE};
use guildwire_harness::{Bot, NatsConfig, NatsServer};
use nkeys::KeyPair;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::files::{COMPOSE, NATS_CONFIG, read, root, service};

/// A subject that nobody may use, to know when the server has judged what came before.
const LAST: &str = "nobody.may";

/// Who uses the server: the variable with the public key, and what the inboxes begin with.
const OWNER: (&str, &str) = ("OWNER_NKEY", "_INBOX_owner");
const GAME_SERVER: (&str, &str) = ("GAME_SERVER_NKEY", "_INBOX");
const BOT: (&str, &str) = ("BOT_NKEY", "_INBOX_guildwire");
const READER: (&str, &str) = ("READER_NKEY", "_INBOX_guildwire_watch");

/// The deployed server, and a key for each of its users.
struct Deployed {
    nats: NatsServer,
    keys: Vec<(&'static str, KeyPair)>,
}

impl Deployed {
    fn start() -> Self {
        let keys = [OWNER, GAME_SERVER, BOT, READER].map(|(variable, _)| (variable, KeyPair::new_user()));
        let deployed = NatsConfig::file(&read(NATS_CONFIG));
        let config = keys
            .iter()
            .fold(deployed, |config, (variable, key)| config.raw(&format!("{variable}: \"{}\"", key.public_key())));
        let nats = NatsServer::start(&config).unwrap();
        Self { nats, keys: keys.into() }
    }

    fn seed(&self, (variable, _): (&str, &str)) -> String {
        self.keys.iter().find(|(known, _)| *known == variable).unwrap().1.seed().unwrap()
    }

    /// A connection of that user, and what the server denies it.
    async fn connect(&self, user: (&str, &str)) -> (Client, mpsc::UnboundedReceiver<String>) {
        let (sender, denied) = mpsc::unbounded_channel();
        let options = ConnectOptions::with_nkey(self.seed(user)).custom_inbox_prefix(user.1);
        let options = options.event_callback(move |event| {
            if let Event::ServerError(error) = event {
                sender.send(error.to_string()).ok();
            }
            std::future::ready(())
        });
        (options.connect(self.nats.url()).await.unwrap(), denied)
    }

    async fn jetstream(&self, user: (&str, &str)) -> Context {
        async_nats::jetstream::new(self.connect(user).await.0)
    }

    /// Makes the stream as the compose file has it made.
    async fn make_stream(&self) {
        let command = service(COMPOSE, "stream")["command"].clone();
        let words: Vec<&str> = command.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        let option = |name: &str| words.iter().find_map(|word| word.strip_prefix(name)).unwrap().to_owned();
        assert!(words.windows(3).any(|words| words == ["stream", "add", "EVENTS"]), "{words:?}");
        assert_eq!(option("--inbox-prefix="), OWNER.1);
        assert_eq!(option("--storage="), "file");
        let config = Stream {
            name: "EVENTS".to_owned(),
            subjects: vec![option("--subjects=")],
            max_bytes: option("--max-bytes=").strip_suffix("MB").unwrap().parse::<i64>().unwrap() << 20,
            ..Stream::default()
        };
        self.jetstream(OWNER).await.create_stream(config).await.unwrap();
    }

    /// Publishes to each of these subjects, or with `subscribing` subscribes to it, and answers with what is denied.
    async fn denied(&self, user: (&str, &str), subscribing: bool, subjects: &[&str]) -> BTreeSet<String> {
        let (client, mut said) = self.connect(user).await;
        let action = if subscribing { "Subscription" } else { "Publish" };
        for subject in subjects.iter().copied().chain([LAST]).map(str::to_owned) {
            if subscribing {
                // Kept until the server has judged it.
                std::mem::forget(client.subscribe(subject).await.unwrap());
            } else {
                client.publish(subject, "".into()).await.unwrap();
            }
        }
        let mut denied = BTreeSet::new();
        loop {
            let said = timeout(PATIENCE, said.recv()).await.unwrap().unwrap();
            let (_, rest) = said.split_once(&format!("Permissions Violation for {action} to \"")).unwrap();
            let (subject, _) = rest.split_once('"').unwrap();
            if subject == LAST {
                return denied;
            }
            denied.insert(subject.to_owned());
        }
    }

    async fn assert_denied(&self, user: (&str, &str), subscribing: bool, subjects: &[&str]) {
        let all: BTreeSet<String> = subjects.iter().copied().map(str::to_owned).collect();
        assert_eq!(self.denied(user, subscribing, subjects).await, all, "{}", user.0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keys_come_from_the_environment() {
    let bot = Bot::new(env!("CARGO_BIN_EXE_guildwire"));
    let mut keys = Vec::new();
    for (variable, _) in [OWNER, GAME_SERVER, BOT, READER] {
        let printed = bot.command(&["nkey", variable]).await.unwrap().stdout;
        keys.push((variable, printed.lines().last().unwrap().to_owned()));
    }
    let mut variables: Vec<(&str, &str)> = keys.iter().map(|(name, key)| (*name, key.as_str())).collect();
    let file = root().join(NATS_CONFIG);
    NatsServer::check_file(&file, &variables).unwrap();
    let (missing, _) = variables.pop().unwrap();
    let refused = NatsServer::check_file(&file, &variables).unwrap_err().to_string();
    assert!(refused.contains(&format!("variable reference for '{missing}'")), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_goes_its_way() {
    let deployed = Deployed::start();
    deployed.make_stream().await;
    let discord = Sim::start(Options::default()).await.unwrap();
    let bot = Bot::new(env!("CARGO_BIN_EXE_guildwire")).discord(&discord.url(), &discord.token());
    let bot = bot.setting("nats.url", &deployed.nats.url());
    let seed = deployed.seed(BOT);
    let add = ["account", "add", "GA-1", "--stream", "EVENTS", "--nkey-seed", "-"];
    let added = bot.command_with_stdin(&add, &format!("{seed}\n")).await.unwrap();
    assert!(added.status.success() && added.stdout.contains("Account GA-1 is added."), "{added:?}");
    let refused = bot.command_with_stdin(&["account", "add", "GA-2", "--nkey-seed", "-"], "garbage").await.unwrap();
    assert!(refused.stderr.starts_with("error: standard input can't be used\n"), "{}", refused.stderr);

    // Every permission that reading takes is tried, those that only an account without a channel needs, too.
    let game_server = deployed.jetstream(GAME_SERVER).await;
    let house = House { nats: deployed.nats, discord, bot };
    let checked = house.operate(&["account", "check", "GA-1"]).await.unwrap();
    assert!(!checked.contains('✗') && checked.contains("$JS.API.CONSUMER.DELETE.EVENTS."), "{checked}");

    let _running = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "status");
    house.link(guild, "GA-1").await.unwrap();
    house.notify(guild, channel, "everything", &[]).await.unwrap();
    for subject in ["main.events.started", "main.players.76561198000000001.events.connected"] {
        let subject = format!("v0.rust.servers.{subject}");
        game_server.publish(subject, "{}".into()).await.unwrap().await.unwrap();
    }
    let shown = house.wait_for_shown(channel, 2).await.unwrap();
    assert_eq!(shown[0], "🟢 Server **main** is up");
    assert!(shown[1].contains("joined **main**"), "{shown:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_may_do_their_part_and_nothing_else() {
    const STARTED: &str = "v0.rust.servers.main.events.started";
    let deployed = Deployed::start();
    deployed.make_stream().await;
    let others = ["v0.>", ">", "$JS.>", "$SYS.>"];

    let publishing = [STARTED, "v0.rust.servers.main.players.1.events.connected"];
    assert_eq!(deployed.denied(GAME_SERVER, false, &publishing).await, BTreeSet::new());
    deployed.assert_denied(GAME_SERVER, true, &others).await;
    deployed
        .assert_denied(GAME_SERVER, true, &["_INBOX_guildwire.>", "_INBOX_guildwire_watch.>", "_INBOX_owner.>"])
        .await;
    let reading = [
        "v0.rust.servers.main.commands.kick",
        "v0.rust.servers.main",
        "v0.other.servers.main.events.started",
        "$JS.API.INFO",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.INFO.EVENTS",
        "$JS.API.STREAM.DELETE.EVENTS",
        "$JS.API.STREAM.MSG.GET.EVENTS",
        "$JS.API.DIRECT.GET.EVENTS",
        "$JS.API.CONSUMER.CREATE.EVENTS.x",
        "$JS.API.CONSUMER.MSG.NEXT.EVENTS.x",
        "$JS.ACK.EVENTS.x.1.1.1.1.1",
        "_INBOX_guildwire.x",
    ];
    deployed.assert_denied(GAME_SERVER, false, &reading).await;

    let writing = [
        STARTED,
        "$JS.API.STREAM.CREATE.OTHER",
        "$JS.API.STREAM.UPDATE.EVENTS",
        "$JS.API.STREAM.PURGE.EVENTS",
        "$JS.API.STREAM.DELETE.EVENTS",
        "$JS.API.STREAM.MSG.GET.EVENTS",
        "$JS.API.STREAM.MSG.DELETE.EVENTS",
        "$JS.API.CONSUMER.CREATE.OTHER.x",
        "$JS.API.CONSUMER.DELETE.OTHER.x",
    ];
    for (user, inboxes) in [(BOT, "_INBOX_guildwire_watch.>"), (READER, "_INBOX_guildwire.>")] {
        deployed.assert_denied(user, false, &writing).await;
        deployed.assert_denied(user, true, &others).await;
        deployed.assert_denied(user, true, &[inboxes, "_INBOX.>", "_INBOX_owner.>"]).await;
    }
    let disturbing = [
        "$JS.ACK.EVENTS.x.1.1.1.1.1",
        "$JS.API.CONSUMER.RESET.EVENTS.x",
        "$JS.API.CONSUMER.DELETE.EVENTS.x",
        "$JS.API.INFO",
    ];
    deployed.assert_denied(READER, false, &disturbing).await;
    deployed.assert_denied(OWNER, false, &[STARTED, "_INBOX_guildwire.x"]).await;
    deployed.assert_denied(OWNER, true, &["v0.>", ">", "_INBOX.>", "_INBOX_guildwire.>"]).await;

    let stranger = ConnectOptions::with_nkey(KeyPair::new_user().seed().unwrap()).connect(deployed.nats.url()).await;
    assert!(stranger.unwrap_err().to_string().contains("authorization violation"));
    assert!(async_nats::connect(deployed.nats.url()).await.is_err(), "nobody comes in without a key");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_published_and_looked_at_by_hand() {
    let deployed = Deployed::start();
    deployed.make_stream().await;
    let bot = Bot::new(env!("CARGO_BIN_EXE_guildwire")).setting("nats.url", &deployed.nats.url());
    let by_hand = async |user, words: &[&str]| {
        let words = [words, &["--nkey-seed", "-"]].concat();
        let output = bot.command_with_stdin(&words, &deployed.seed(user)).await.unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        output.stdout
    };
    by_hand(GAME_SERVER, &["publish", "server.started", "--server", "main"]).await;
    for stream in [&["--stream", "EVENTS"][..], &[]] {
        let watched = by_hand(READER, &[&["watch", "--last", "1", "--count", "1"], stream].concat()).await;
        assert!(watched.contains("v0.rust.servers.main.events.started"), "{watched}");
    }
    // The reader may delete no consumer, so its own are left to nats-server, which does it soon.
    let stream = deployed.jetstream(OWNER).await.get_stream("EVENTS").await.unwrap();
    let left: Vec<_> = stream.consumers().map(|info| info.unwrap()).collect().await;
    assert_eq!(left.len(), 2);
    for Info { name, config, .. } in left {
        assert!(name.starts_with("guildwire-watch-"), "{name}");
        assert_eq!(config.inactive_threshold, Duration::from_secs(30));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_accounts_limits_are_those_agreed_and_hold() {
    const MOST_STREAMS: usize = 10;
    const MOST_CONSUMERS: usize = 100;
    let deployed = Deployed::start();
    deployed.make_stream().await;
    let owner = deployed.jetstream(OWNER).await;
    let limits = owner.query_account().await.unwrap().limits;
    assert_eq!((limits.max_memory, limits.max_storage), (Some(512_000_000), Some(1_000_000_000)));
    assert_eq!((limits.max_streams, limits.max_consumers), (Some(10), Some(100)));

    let stream = |name: &str, storage, max_bytes| Stream {
        name: name.to_owned(),
        subjects: vec![format!("{name}.>")],
        storage,
        max_bytes,
        ..Stream::default()
    };
    let refused = async |config: Stream| owner.create_stream(config).await.unwrap_err().to_string();
    let on_disk = refused(stream("LARGE", StorageType::File, 1_000_000_001)).await;
    assert!(on_disk.contains("insufficient storage resources"), "{on_disk}");
    let in_memory = refused(stream("LARGE", StorageType::Memory, 512_000_001)).await;
    assert!(in_memory.contains("insufficient memory resources"), "{in_memory}");
    for number in 1..MOST_STREAMS {
        owner.create_stream(stream(&format!("S{number}"), StorageType::File, -1)).await.unwrap();
    }
    let one_more = refused(stream("ONE_MORE", StorageType::File, -1)).await;
    assert!(one_more.contains("maximum number of streams reached"), "{one_more}");

    let events = owner.get_stream("EVENTS").await.unwrap();
    let durable = |number: usize| Pull { durable_name: Some(format!("d{number}")), ..Pull::default() };
    for number in 0..MOST_CONSUMERS {
        events.create_consumer(durable(number)).await.unwrap();
    }
    let one_more = events.create_consumer(durable(MOST_CONSUMERS)).await.unwrap_err().to_string();
    assert!(one_more.contains("maximum consumers limit reached"), "{one_more}");

    // The server's own limits, which come before any account's.
    let (client, _) = deployed.connect(GAME_SERVER).await;
    assert_eq!(client.server_info().max_payload, 64 << 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_syncs_at_once_and_its_health_check_answers() {
    let deployed = Deployed::start();
    let log = deployed.nats.log().unwrap();
    let address = log.split_once("Starting http monitor on ").unwrap().1.lines().next().unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = async |url: String| client.get(url).send().await.unwrap().error_for_status().unwrap();

    let test = service(COMPOSE, "nats")["healthcheck"]["test"].clone();
    let url = test.as_array().and_then(|words| words.last()).and_then(Value::as_str).unwrap();
    let health: Value = ask(url.replace("127.0.0.1:8222", address)).await.json().await.unwrap();
    assert_eq!(health["status"], "ok", "{url}");

    let jetstream: Value = ask(format!("http://{address}/jsz?config=true")).await.json().await.unwrap();
    assert_eq!(jetstream["config"]["sync_always"], true, "{jetstream}");
}
