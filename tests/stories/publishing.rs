//! `guildwire publish`: an event by hand, with a publisher's own credential and nothing else at hand.

use guildwire_harness::house::{FIRST_ACCOUNT, House, Publisher};
use guildwire_harness::{Bot, NatsConfig, NatsServer, NatsUser, Output, free_port};
use nkeys::KeyPair;

use crate::installation::{Comparisons, USER, file, house_around, on_sqlite, refused};
use crate::support::Database;

on_sqlite!(
    what_a_publisher_sends_by_hand_is_shown,
    what_hinders_publishing_is_named,
    a_dry_run_needs_no_server,
    what_is_no_event_is_refused_before_it_is_sent,
);

/// What a game server's user may do, and no more: the same as GamingAPI's own credentials.
pub(crate) fn least(publisher: NatsUser) -> NatsUser {
    publisher.publish_allow(&["v0.rust.servers.>"]).subscribe_allow(&["_INBOX.>"])
}

/// A house whose account has a publisher with an nkey, and the file with its seed.
pub(crate) async fn house_with_publisher(database: Database) -> (House, String) {
    let key = KeyPair::new_user();
    let users = [NatsUser::without_password(NatsConfig::BLOG_POST_USER), least(NatsUser::nkey(&key.public_key()))];
    let house = house_around(NatsServer::start(&NatsConfig::open().account("GA-1", &users)).unwrap(), database).await;
    house.publisher(FIRST_ACCOUNT).await.unwrap().make_stream().await.unwrap();
    let seed = file(&house, "publisher.seed", &format!("{}\n", key.seed().unwrap()));
    (house, seed)
}

/// A machine that has nothing but the program.
fn elsewhere() -> Bot {
    Bot::new(env!("CARGO_BIN_EXE_guildwire"))
}

#[expect(clippy::too_many_lines, reason = "what is printed stands beside what was typed")]
async fn what_a_publisher_sends_by_hand_is_shown(database: Database) {
    let (house, seed) = house_with_publisher(database).await;
    house.operate(&["account", "add", FIRST_ACCOUNT, "--user", NatsConfig::BLOG_POST_USER]).await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "everything");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.notify(guild, channel, "everything", &[]).await.unwrap();

    let (bot, url) = (elsewhere(), house.nats.url());
    let payload = file(&house, "landed.json", r#"{"size":"large"}"#);
    let player = ["--server", "main", "--player", "76561198000000001"];
    let mut compare = Comparisons::default();
    for (number, (what, input, told)) in (1..).zip([
        (
            vec!["server.started", "--server", "main"],
            "",
            "\
subject   v0.rust.servers.main.events.started
payload   2 bytes
event     server.started, in lifecycle and everything
server    main
shown as  🟢 Server main is up
stored    in stream EVENTS, as message 1
id        event-1
",
        ),
        (
            [&["player.connected"], &player[..], &["--field", "player.name=Ada", "--field", "mood=good"]].concat(),
            "",
            "\
subject   v0.rust.servers.main.players.76561198000000001.events.connected
payload   39 bytes
event     player.connected, in players and everything
server    main
player    76561198000000001, Ada
shown as  📥 Ada joined main
not used  mood
stored    in stream EVENTS, as message 2
id        event-2
",
        ),
        (
            [&["player.item_loot", "--item", "-42"], &player[..], &["--field", "amount:=-3"]].concat(),
            "",
            "\
subject   v0.rust.servers.main.players.76561198000000001.events.items.-42.loot
payload   13 bytes
event     player.item_loot, in items and everything
server    main
player    76561198000000001
          amount: -3
          item: -42
shown as  📦 76561198000000001 stored 3 × item -42 on main
stored    in stream EVENTS, as message 3
id        event-3
",
        ),
        (
            [&["player.disconnected"], &player[..], &["--payload", "-"]].concat(),
            r#"{"reason":"Kicked: too long idle"}"#,
            "\
subject   v0.rust.servers.main.players.76561198000000001.events.disconnected
payload   34 bytes
event     player.disconnected, in players and everything
server    main
player    76561198000000001
          reason: Kicked: too long idle
shown as  📤 76561198000000001 left main: Kicked: too long idle
stored    in stream EVENTS, as message 4
id        event-4
",
        ),
        (
            vec!["--subject", "v0.rust.servers.main.events.meteor.landed", "--payload", &format!("@{payload}")],
            "",
            "\
subject   v0.rust.servers.main.events.meteor.landed
payload   16 bytes
event     unknown, in everything
server    main
          name: events.meteor.landed
shown as  ❔ meteor.landed on main
note      guildwire has no words for it: channels that hear `everything` show its name, and nothing of its payload
stored    in stream EVENTS, as message 5
id        event-5
",
        ),
    ]) {
        let id = format!("event-{number}");
        let arguments = [&["publish"], &what[..], &["--url", &url, "--nkey-seed", &seed, "--id", &id]].concat();
        let Output { stdout, stderr, .. } = bot.command_with_stdin(&arguments, input).await.unwrap();
        compare.equal(&arguments.join(" "), &stdout, told);
        compare.equal(&arguments.join(" "), &stderr, "");
    }
    send_again(&bot, &url, &seed).await;
    let shown = house.wait_for_shown(channel, 6).await.unwrap();
    let wanted = [
        "🟢 Server **main** is up",
        "📥 **Ada** joined **main**",
        "📦 **Ada** stored 3 × item -42 on **main**",
        "📤 **Ada** left **main**: Kicked\\: too long idle",
        "❔ **meteor\\.landed** on **main**",
        "🔴 Server **main** has stopped",
    ];
    assert_eq!(shown, wanted);
    // It made no database and no key for this.
    let left: Vec<_> = std::fs::read_dir(bot.home_folder()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Sent again, the first of five events is stored once; without an id, what is sent is an event of its own.
async fn send_again(bot: &Bot, url: &str, seed: &str) {
    let started = ["publish", "server.started", "--server", "main", "--url", url, "--nkey-seed", seed];
    let again = bot.command(&[&started[..], &["--id", "event-1"]].concat()).await.unwrap().stdout;
    let repeated = "stored    in stream EVENTS, as message 1 already, by an earlier attempt with this id\n";
    assert!(again.contains(repeated), "{again}");
    let stopped: Vec<_> = started.iter().map(|word| word.replace("started", "stopped")).collect();
    let stopped: Vec<&str> = stopped.iter().map(String::as_str).collect();
    let stopped = bot.command(&stopped).await.unwrap().stdout;
    let (_, id) = stopped.split_once("as message 6\nid        ").unwrap();
    assert!(id.len() == "\n".len() + 32, "{stopped}");
}

async fn what_hinders_publishing_is_named(_: Database) {
    let account = |jetstream: &str, user: NatsUser| {
        NatsConfig::open().account_with_jetstream(
            "GA-1",
            jetstream,
            &[NatsUser::without_password(NatsConfig::BLOG_POST_USER), user],
        )
    };
    let user = || NatsUser::password(USER.0, USER.1);
    let mut nats = NatsServer::start(&account("enabled", least(user()))).unwrap();
    let (bot, url, closed) = (elsewhere(), nats.url(), format!("nats://127.0.0.1:{}", free_port()));
    let password = bot.home_folder().join("password");
    std::fs::write(&password, USER.1).unwrap();
    let password = password.display().to_string();
    let publish = async |url: &str, more: &[&str]| {
        let what = ["publish", "server.wiped", "--server", "main", "--url", url, "--user", USER.0];
        refused(&bot, 1, &[&what[..], &["--password-file", &password], more].concat()).await
    };
    let subject = "v0.rust.servers.main.events.wiped";
    let nothing = format!("Nothing was stored of {subject}.\n");
    let unsure =
        format!("Whether {subject} was stored is not known: try again soon with `--id wipe`, and it is stored once.\n");
    let mut compare = Comparisons::default();

    let no_stream = "error: no stream covers v0.*.servers.>: make one with `nats stream add EVENTS --subjects \
                     'v0.*.servers.>' --storage file --defaults`\n";
    compare.equal("no stream", &publish(&url, &[]).await, &format!("{no_stream}{nothing}"));
    let options =
        async_nats::ConnectOptions::with_user_and_password(NatsConfig::BLOG_POST_USER.to_owned(), String::new());
    let jetstream = async_nats::jetstream::new(options.connect(&url).await.unwrap());
    let owner = Publisher { jetstream };
    owner.make_stream().await.unwrap();

    nats.reload(&account("enabled", least(user()).publish_deny(&["*.*.servers.main.>"]))).unwrap();
    let denied =
        format!("error: the user may not publish to {subject}: allow that subject in the user's permissions\n");
    compare.equal("denied", &publish(&url, &[]).await, &format!("{denied}{nothing}"));
    nats.reload(&account("enabled", least(user()).subscribe_allow(&["elsewhere"]))).unwrap();
    let inbox = "error: the user may not subscribe to _INBOX.>: allow that subject in the user's permissions\n";
    compare.equal("no inbox", &publish(&url, &["--id", "wipe"]).await, &format!("{inbox}{unsure}"));
    nats.reload(&account("enabled", least(NatsUser::password(USER.0, "another")))).unwrap();
    let refusal = format!(
        "error: nats-server at {url} refuses the credential: check that the user exists there and was not revoked\n"
    );
    compare.equal("refused", &publish(&url, &[]).await, &format!("{refusal}{nothing}"));
    nats.reload(&account("enabled", least(user()))).unwrap();

    let unreachable = format!(
        "error: nats-server can't be reached at {closed} (IO error: Connection refused (os error 111)): check that it \
         runs there and that this address is right\n"
    );
    compare.equal("unreachable", &publish(&closed, &[]).await, &format!("{unreachable}{nothing}"));
    let large = bot.home_folder().join("large");
    std::fs::write(&large, "x".repeat(1024 * 1024 + 1)).unwrap();
    let too_large = publish(&url, &["--payload", &format!("@{}", large.display())]).await;
    assert!(too_large.starts_with("error: JetStream refuses: ") && too_large.contains("1048576"), "{too_large}");
    let mut full = owner.jetstream.get_stream("EVENTS").await.unwrap().cached_info().config.clone();
    (full.max_messages, full.discard) = (1, async_nats::jetstream::stream::DiscardPolicy::New);
    owner.jetstream.update_stream(full).await.unwrap();
    // Refused as well where the one without an inbox was stored.
    owner.publish("main.events.started", "{}").await.ok();
    let is_full = publish(&url, &[]).await;
    assert!(is_full.contains("maximum messages exceeded") && is_full.ends_with(&nothing), "{is_full}");
}

async fn a_dry_run_needs_no_server(_: Database) {
    let bot = elsewhere();
    let what = [
        "publish",
        "player.chatted",
        "--server",
        "eu.1",
        "--player",
        "7",
        "--payload",
        "\"{\\\"message\\\":\\\"hi\\\"}\"",
    ];
    let said = bot.command(&[&what[..], &["--dry-run"]].concat()).await.unwrap();
    let wanted = "\
subject   v0.rust.servers.eu.1.events.player.7.chatted
payload   22 bytes
event     player.chatted, in chat
server    eu.1
player    7
          message: hi
shown as  💬 7 on eu.1
          hi
note      the payload is JSON within a JSON string, which is read all the same: encode it once only
note      a server's id with dots is heard only where the account was added with --wide-filter: better use none
Nothing was sent.
";
    assert_eq!((said.stdout.as_str(), said.stderr.as_str()), (wanted, ""));
    // Without one, or with no credential, something has to be said.
    assert!(refused(&bot, 2, &what).await.contains("--nkey-seed"));
}

async fn what_is_no_event_is_refused_before_it_is_sent(_: Database) {
    let bot = elsewhere();
    let mut compare = Comparisons::default();
    for (arguments, error) in [
        (
            vec!["player.connected", "--server", "main"],
            "the subjects of player.connected name the player: give it with --player",
        ),
        (
            vec!["server.started", "--server", "main", "--player", "7"],
            "the subjects of server.started have no player in them: leave --player out",
        ),
        (
            vec!["server.started", "--server", "ma in"],
            "--server must be text without spaces, control characters, dots, * and >, which \"ma in\" is not",
        ),
        (
            vec!["--subject", "$JS.API.STREAM.DELETE.EVENTS"],
            "a subject is tokens joined by single dots, without spaces, control characters, * and >, and does not begin \
             with $, which \"$JS.API.STREAM.DELETE.EVENTS\" is not",
        ),
        (
            vec!["server.started", "--server", "main", "--field", "a=1", "--field", "a.b=2"],
            "the field a.b is given twice, or as both a value and an object",
        ),
    ] {
        let said = refused(&bot, 1, &[&["publish", "--dry-run"], &arguments[..]].concat()).await;
        compare.equal(&arguments.join(" "), &said, &format!("error: {error}\n"));
    }
    for credential in [&["--nkey-seed", "-"][..], &["--creds", "-"], &["--user", "x", "--password-file", "-"]] {
        let arguments = [&["publish", "server.started", "--server", "main", "--payload", "-"], credential].concat();
        let error = "payload and credential can't both come from standard input: put one of them into a file";
        compare.equal(credential[0], &refused(&bot, 1, &arguments).await, &format!("error: {error}\n"));
    }
    for arguments in [
        vec!["server.exploded", "--server", "main"],
        vec!["unknown", "--server", "main"],
        vec!["server.started"],
        vec![],
        vec!["server.started", "--server", "main", "--subject", "x"],
        vec!["server.started", "--server", "main", "--id", ""],
        vec!["server.started", "--server", "main", "--id", "a\r\nb"],
        vec!["server.started", "--server", "main", "--field", "x"],
        vec!["server.started", "--server", "main", "--field", "x:=y"],
        vec!["server.started", "--server", "main", "--field", "x=y", "--payload", "{}"],
    ] {
        refused(&bot, 2, &[&["publish", "--dry-run"], &arguments[..]].concat()).await;
    }
}
