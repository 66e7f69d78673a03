//! Operator mode: accounts and users that guildwire makes on the operator's own nats-server, and what each may do there.

use std::path::Path;

use async_nats::jetstream;
use async_nats::{Client, ConnectOptions, Event};
use futures_util::StreamExt as _;
use guildwire_harness::house::{House, PATIENCE, Publisher};
use guildwire_harness::{NatsConfig, NatsServer};
use nkeys::KeyPair;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::credentials::jwt;
use crate::installation::{Comparisons, file, house_around, on_sqlite, refused};
use crate::support::{Database, on_both_databases};

on_both_databases!(from_nothing_to_a_message_in_three_commands, an_account_is_suspended_resumed_and_deleted);
on_sqlite!(
    each_user_may_do_what_its_role_takes_and_no_more,
    a_tiers_limits_hold_and_change_while_connections_are_open,
    a_user_is_revoked,
    what_hinders_making_an_account_is_told_and_nothing_is_left,
    an_interrupted_making_is_taken_up_again,
);

/// An operator with a nats-server of its own, whose accounts lie in a full resolver.
struct Operator {
    house: House,
    signing_key: String,
    system_creds: String,
    secrets: Vec<String>,
    /// Where the server keeps the accounts; gone after it.
    _folder: TempDir,
}

/// A server with these limits of JetStream, or as much room as the usual one, and with this resolver.
async fn operator(database: Database, room: Option<&str>, resolver: &str) -> Operator {
    let (identity, signing) = (KeyPair::new_operator(), KeyPair::new_operator());
    let (system, user) = (KeyPair::new_account(), KeyPair::new_user());
    let signing_keys = json!([signing.public_key()]);
    let operator = json!({ "type": "operator", "version": 2, "signing_keys": signing_keys });
    let limits = json!({ "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "conn": -1, "leaf": -1 });
    let system_jwt = jwt(&identity, &system, "SYS", &json!({ "type": "account", "version": 2, "limits": limits }));
    let user_claims = json!({ "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1 });
    let user_jwt = jwt(&system, &user, "sys", &user_claims);
    let folder = tempfile::tempdir().unwrap();
    let room = room.map_or_else(String::new, |room| {
        format!("jetstream {{ store_dir: \"{}\", {room} }}", folder.path().join("streams").display())
    });
    let config = NatsConfig::open().raw(&format!(
        "{room}\noperator: {operator}\nsystem_account: {system}\n{resolver}\n\
         resolver_preload: {{ {system}: {system_jwt} }}",
        operator = jwt(&identity, &identity, "operator", &operator),
        system = system.public_key(),
        resolver = resolver.replace("FOLDER", &folder.path().join("jwt").display().to_string()),
    ));
    let house = house_around(NatsServer::start(&config).unwrap(), database).await;
    let seeds = [identity.seed().unwrap(), signing.seed().unwrap(), user.seed().unwrap()];
    let signing_key = file(&house, "operator.nk", &format!("{}\n", seeds[1]));
    let creds = format!(
        "-----BEGIN NATS USER JWT-----\n{user_jwt}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
        seeds[2]
    );
    let system_creds = file(&house, "system.creds", &creds);
    let House { nats, discord, bot } = house;
    let bot = bot
        .setting("operator.signing_key_file", &signing_key)
        .setting("operator.system_creds_file", &system_creds)
        .setting("log.level", "guildwire=trace,async_nats=debug,info");
    Operator { house: House { nats, discord, bot }, signing_key, system_creds, secrets: seeds.into(), _folder: folder }
}

/// A resolver as docs/operator.md wants it; its folder is put in.
const FULL: &str = "resolver: { type: full, dir: \"FOLDER\", allow_delete: true }";

async fn usual_operator(database: Database) -> Operator {
    operator(database, None, FULL).await
}

impl Operator {
    async fn operate(&self, command: &str) -> String {
        self.house.operate(&command.split(' ').collect::<Vec<_>>()).await.unwrap()
    }

    async fn refused(&self, command: &str) -> String {
        refused(&self.house.bot, 1, &command.split(' ').collect::<Vec<_>>()).await
    }

    /// With another setting from now on.
    fn set(&mut self, key: &str, value: &str) {
        self.house.bot = self.house.bot.clone().setting(key, value);
    }

    /// Makes a user and connects as it.
    async fn user(&mut self, account: &str, arguments: &str, inboxes: &str) -> (User, String) {
        let name = format!("{account}-{}.creds", self.secrets.len());
        self.operate(&format!("operator user create {account} {arguments} --out {name}")).await;
        let path = self.house.bot.home_folder().join(&name);
        let creds = std::fs::read_to_string(&path).unwrap();
        let seed = creds.lines().find(|line| line.starts_with("SU")).unwrap();
        self.secrets.push(seed.to_owned());
        (User::connect(&self.house.nats.url(), &creds, inboxes).await.unwrap(), path.display().to_string())
    }
}

/// Somebody's connection, and what the server objects to.
struct User {
    client: Client,
    jetstream: jetstream::Context,
    objections: mpsc::UnboundedReceiver<String>,
}

impl User {
    async fn connect(url: &str, creds: &str, inboxes: &str) -> Result<User, String> {
        let (sender, objections) = mpsc::unbounded_channel();
        let client = ConnectOptions::with_credentials(creds)
            .unwrap()
            .custom_inbox_prefix(inboxes)
            .max_reconnects(1)
            .event_callback(move |event| {
                match event {
                    Event::ServerError(error) => drop(sender.send(error.to_string())),
                    Event::Disconnected | Event::Closed => drop(sender.send("disconnected".to_owned())),
                    _ => {}
                }
                std::future::ready(())
            })
            .connect(url)
            .await
            .map_err(|error| error.to_string())?;
        Ok(User { jetstream: jetstream::new(client.clone()), client, objections })
    }

    /// What the server objects to next.
    async fn objection(&mut self) -> String {
        tokio::time::timeout(PATIENCE, self.objections.recv()).await.expect("the server objects").unwrap()
    }

    /// The server does not let it publish there.
    async fn is_denied(&mut self, subject: &str) {
        self.client.publish(subject.to_owned(), "{}".into()).await.unwrap();
        let objection = self.objection().await;
        assert!(objection.contains(&format!("Permissions Violation for Publish to \"{subject}\"")), "{objection}");
    }

    async fn may_not_hear(&mut self, subject: &str) {
        let _subscriber = self.client.subscribe(subject.to_owned()).await.unwrap();
        let objection = self.objection().await;
        assert!(objection.contains(&format!("Permissions Violation for Subscription to \"{subject}\"")), "{objection}");
    }

    async fn publish(&self, subject: &str) -> Result<u64, String> {
        let payload = "{}".to_owned().into();
        let stored = self.jetstream.publish(format!("v0.rust.servers.{subject}"), payload).await.unwrap().await;
        stored.map(|stored| stored.sequence).map_err(|error| error.to_string())
    }
}

async fn from_nothing_to_a_message_in_three_commands(database: Database) {
    let mut operator = usual_operator(database).await;
    let mut compare = Comparisons::default();
    let url = operator.house.nats.url();
    let made = operator.operate("operator account create GA-1").await;
    compare.equal(
        "create",
        &made,
        &format!(
            "Account GA-1 is made at {url}, with the limits of tier free: max_file 256M, max_mem 1M, max_streams 1, \
             max_consumers 10, max_connections 10.\n\
             Its stream EVENTS keeps what game servers publish below v0.*.servers, and drops the oldest when it is full.\n\
             Creds for a game server: `guildwire operator user create GA-1 --role server --server-id ID`\n\
             guildwire can read it, as account GA-1: `guildwire account invite GA-1` prints a code for Discord.\n"
        ),
    );
    let user = operator.operate("operator user create GA-1 --role server --server-id main").await;
    assert!(
        user.starts_with("GA-1-server-main.creds holds the creds of a server main of account GA-1, for its"),
        "{user}"
    );
    let path = operator.house.bot.home_folder().join("GA-1-server-main.creds");
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions()) & 0o777, 0o600);
    let creds = std::fs::read_to_string(&path).unwrap();
    operator.secrets.push(creds.lines().find(|line| line.starts_with("SU")).unwrap().to_owned());
    let taken = operator.refused("operator user create GA-1 --role server --server-id main").await;
    assert!(taken.contains("GA-1-server-main.creds is left as it was: name a file that is not there yet"), "{taken}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), creds);

    // Everything that reading takes is permitted, also to delete the consumer.
    let unread = operator.operate("account check GA-1").await;
    assert!(unread.lines().all(|line| line.starts_with('✓')) && unread.contains("✓ delete"), "{unread}");

    // The third is `account invite`.
    let house = &operator.house;
    let mut bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "status");
    house.link(guild, "GA-1").await.unwrap();
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    let server = User::connect(&url, &creds, "_INBOX").await.unwrap();
    let publisher = Publisher { jetstream: server.jetstream.clone() };
    publisher.publish("main.events.started", "{}").await.unwrap();
    assert_eq!(house.wait_for_shown(channel, 1).await.unwrap(), ["🟢 Server **main** is up"]);
    let checked = operator.operate("account check GA-1").await;
    assert!(!checked.contains('✗'), "{checked}");

    let list = operator.operate("operator account list").await;
    assert!(list.contains("GA-1  free  256M      1M       1        10         10           EVENTS  works"), "{list}");
    assert!(list.contains("  GA-1 bot: U") && list.contains("  GA-1 server main: U"), "{list}");
    let config = operator.operate("config").await;
    assert!(bot.terminate().await.unwrap().success());
    let told = [made, user, taken, unread, checked, list, config, bot.log()].join("\n");
    for secret in &operator.secrets {
        assert!(!told.contains(secret), "a secret was told");
    }
    assert_not_in_database(operator.house.bot.home_folder(), &operator.secrets);
}

/// A database of this house, if it lies in a file, holds none of the texts.
fn assert_not_in_database(home: &Path, secrets: &[String]) {
    for name in ["guildwire.db", "guildwire.db-wal"] {
        let Ok(bytes) = std::fs::read(home.join("data").join(name)) else { continue };
        for secret in secrets {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "a secret is in {name}");
        }
        // An account's seed is nowhere in the clear, either.
        let is_seed = |window: &[u8]| {
            window.starts_with(b"SA") && window.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        };
        assert!(!bytes.windows(58).any(is_seed), "an account's seed is in {name}");
    }
}

async fn each_user_may_do_what_its_role_takes_and_no_more(database: Database) {
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

async fn a_tiers_limits_hold_and_change_while_connections_are_open(database: Database) {
    let mut operator = usual_operator(database).await;
    operator.set("tiers.small.max_file", "1M");
    operator.set("tiers.small.max_connections", "2");
    operator.set("tiers.large.max_file", "4M");
    operator.set("tiers.large.max_connections", "3");
    operator.operate("operator account create GA-1 --tier small --no-add").await;
    let (first, path) = operator.user("GA-1", "--role server", "_INBOX").await;
    let creds = std::fs::read_to_string(path).unwrap();
    let url = operator.house.nats.url();
    let mut second = User::connect(&url, &creds, "_INBOX").await.unwrap();
    let full = User::connect(&url, &creds, "_INBOX").await.err().unwrap();
    assert!(full.contains("maximum account active connections exceeded"), "{full}");

    // It never refuses an event: the oldest goes.
    let payload = "x".repeat(30_000);
    for _ in 0..50 {
        first
            .jetstream
            .publish("v0.rust.servers.main.events.chat", payload.clone().into())
            .await
            .unwrap()
            .await
            .unwrap();
    }
    assert_eq!(stored(&operator, "GA-1").await, (32, 1), "of 50, and no other stream can be made");

    let larger = operator.operate("operator account limits GA-1 --tier large").await;
    let limits = "max_file 4M, max_mem 1M, max_streams 1, max_consumers 10, max_connections 3";
    assert_eq!(larger, format!("Account GA-1 has the limits of tier large now: {limits}.\n"));
    let third = User::connect(&url, &creds, "_INBOX").await.unwrap();
    for _ in 0..50 {
        first
            .jetstream
            .publish("v0.rust.servers.main.events.chat", payload.clone().into())
            .await
            .unwrap()
            .await
            .unwrap();
    }
    assert_eq!(stored(&operator, "GA-1").await.0, 82, "all that came since");
    drop(third);

    operator.set("tiers.small.max_connections", "1");
    let list = operator.operate("operator account list").await;
    assert!(list.contains("large  4M"), "{list}");
    operator.operate("operator account limits GA-1 --tier small").await;
    assert_eq!(second.objection().await, "nats: maximum account active connections exceeded", "the newest has to go");
    assert_eq!(stored(&operator, "GA-1").await.0, 32);
    operator.set("tiers.small.max_streams", "2");
    let list = operator.operate("operator account list").await;
    assert!(list.contains("works, with older limits of its tier"), "{list}");
}

/// How many messages the account's stream has, and how many streams it may have, as the system account sees it.
async fn stored(operator: &Operator, _account: &str) -> (u64, u64) {
    let creds = std::fs::read_to_string(&operator.system_creds).unwrap();
    let system = User::connect(&operator.house.nats.url(), &creds, "_INBOX").await.unwrap();
    let request = json!({ "accounts": true, "streams": true }).to_string();
    let answer = system.client.request("$SYS.REQ.SERVER.PING.JSZ", request.into()).await.unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
    let streams = answer["data"]["account_details"][0]["stream_detail"].as_array().unwrap();
    (streams[0]["state"]["messages"].as_u64().unwrap(), streams.len().try_into().unwrap())
}

async fn an_account_is_suspended_resumed_and_deleted(database: Database) {
    let mut operator = usual_operator(database).await;
    operator.operate("operator account create GA-1").await;
    let (mut server, path) = operator.user("GA-1", "--role server", "_INBOX").await;
    let creds = std::fs::read_to_string(path).unwrap();
    let url = operator.house.nats.url();
    let mut bot = operator.house.start().await.unwrap();
    let guild = operator.house.guild("Rustaceans");
    let channel = operator.house.channel(guild, "status");
    operator.house.link(guild, "GA-1").await.unwrap();
    operator.house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    server.publish("main.events.started").await.unwrap();
    operator.house.wait_for_shown(channel, 1).await.unwrap();

    let suspended = operator.operate("operator account suspend GA-1").await;
    assert_eq!(
        suspended,
        "Account GA-1 is suspended: its connections are ended, and nobody is let in until `guildwire operator account \
         resume GA-1`. What is stored in it stays.\n"
    );
    assert_eq!(server.objection().await, "nats: maximum account active connections exceeded");
    let refused = User::connect(&url, &creds, "_INBOX").await.err().unwrap();
    assert!(refused.contains("maximum account active connections exceeded"), "{refused}");
    bot.wait_for_log("connection_limit", PATIENCE).await.unwrap();
    for command in ["suspend GA-1", "limits GA-1 --tier free"] {
        let said = operator.refused(&format!("operator account {command}")).await;
        let wanted = "error: the account GA-1 is suspended: `guildwire operator account resume GA-1` first\n";
        assert_eq!(said, wanted);
    }
    let list = operator.operate("operator account list").await;
    assert!(list.contains("suspended since "), "{list}");

    let resumed = operator.operate("operator account resume GA-1").await;
    assert_eq!(resumed, "Account GA-1 is resumed: its users are let in again.\n");
    let mut server = User::connect(&url, &creds, "_INBOX").await.unwrap();
    server.publish("main.events.stopping").await.unwrap();
    assert_eq!(operator.house.wait_for_shown(channel, 2).await.unwrap().len(), 2, "nothing has to be done in Discord");

    let asked = operator.refused("operator account delete GA-1").await;
    assert!(
        asked.contains("deleting GA-1 means deleting 2 users, all that is stored in it, 1 link and 1 binding with it"),
        "{asked}"
    );
    let deleted = operator.operate("operator account delete GA-1 --yes").await;
    let wanted = "Account GA-1 is deleted, with 2 users, all that is stored in it, 1 link and 1 binding.\n";
    assert_eq!(deleted, wanted);
    let gone = server.objection().await;
    assert!(gone.contains("expired") || gone.contains("Expired") || gone == "disconnected", "{gone}");
    assert!(User::connect(&url, &creds, "_INBOX").await.is_err());
    assert!(operator.operate("operator account list").await.starts_with("guildwire has made no accounts yet"));
    assert!(operator.operate("account list").await.starts_with("no accounts yet"));
    let kept = std::fs::read_dir(operator.house.nats.store_dir().join("jetstream")).unwrap();
    let kept: Vec<String> = kept.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(kept.iter().all(|name| !name.starts_with('A')), "nothing is left on the disk: {kept:?}");
    // The name is free again, and what is made under it is new.
    operator.operate("operator account create GA-1").await;
    assert!(User::connect(&url, &creds, "_INBOX").await.is_err());
    assert!(bot.terminate().await.unwrap().success());
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

#[expect(clippy::too_many_lines, reason = "a list of what can be wrong, each in its full words")]
async fn what_hinders_making_an_account_is_told_and_nothing_is_left(database: Database) {
    let small = "max_file_store: \"512M\", max_memory_store: \"64M\"";
    let mut operator = operator(database, Some(small), FULL).await;
    let mut compare = Comparisons::default();
    let create = "operator account create GA-1";
    let url = operator.house.nats.url();

    operator.operate("operator account create GA-0 --no-add").await;
    operator.set("tiers.huge.max_file", "600M");
    operator.set("tiers.huge.max_mem", "64M");
    compare.equal(
        "too large",
        &operator.refused("operator account create GA-1 --tier huge").await,
        &format!(
            "error: nats-server answers that it took the account GA-1, but the limits of tier huge are not in force (max_file \
             600M, max_mem 64M, max_streams 1, max_consumers 10, max_connections 10). {}\n{}\n\
             Nothing was made.\n",
            "Limits are set aside: of the 536870912 bytes of nats-server's max_file_store, other accounts have 268435456, so \
             268435456 are left, and max_file is 629145600 (600M). Raise max_file_store in its configuration, or choose a \
             smaller tier.",
            "Limits are set aside: of the 67108864 bytes of nats-server's max_memory_store, other accounts have 1048576, so \
             66060288 are left, and max_mem is 67108864 (64M). Raise max_memory_store in its configuration, or choose a \
             smaller tier.",
        ),
    );
    operator.set("tiers.huge.max_mem", "1M");
    compare.equal(
        "too large a change",
        &operator.refused("operator account limits GA-0 --tier huge").await,
        "error: nats-server answers that it took the account GA-0, but the limits of tier huge are not in force (max_file 600M, \
         max_mem 1M, max_streams 1, max_consumers 10, max_connections 10). Limits are set aside: of the 536870912 bytes of \
         nats-server's max_file_store, other accounts have 0, so 536870912 are left, and max_file is 629145600 (600M). Raise \
         max_file_store in its configuration, or choose a smaller tier.\n\
         The account has its limits of before: max_file 256M, max_mem 1M, max_streams 1, max_consumers 10, max_connections \
         10.\n",
    );
    compare.equal(
        "no tier",
        &operator.refused("operator account create GA-1 --tier gold").await,
        "error: there is no tier gold; the settings have free, huge\n",
    );
    compare.equal(
        "twice",
        &operator.refused("operator account create GA-0").await,
        "error: there is an account GA-0 already: choose another name, or change its limits with `guildwire operator account \
         limits`\n",
    );

    let foreign = KeyPair::new_operator();
    let foreign_file = file(&operator.house, "foreign.nk", &foreign.seed().unwrap());
    let trusted_file = operator.signing_key.clone();
    operator.set("operator.signing_key_file", &foreign_file);
    compare.equal(
        "a foreign key",
        &operator.refused(create).await,
        &format!(
            "error: nats-server does not trust the key {} of operator.signing_key_file: it is neither the operator's that \
             its configuration names nor one of that operator's signing keys\n",
            foreign.public_key()
        ),
    );
    let account_seed = KeyPair::new_account().seed().unwrap();
    let no_key = file(&operator.house, "account.nk", &account_seed);
    operator.set("operator.signing_key_file", &no_key);
    compare.equal(
        "no operator's key",
        &operator.refused(create).await,
        &format!(
            "error: operator.signing_key_file: {no_key} can't be used\n  because: this is no nkey seed of an operator: one \
             starts with SO and has 58 characters\n"
        ),
    );
    operator.set("operator.signing_key_file", "");
    compare.equal(
        "no key",
        &operator.refused(create).await,
        "error: operator.signing_key_file is not set: `guildwire operator` needs it (docs/operator.md tells how to set \
         nats-server up for it)\n",
    );
    operator.set("operator.signing_key_file", &trusted_file);

    let (_, ordinary) = operator.user("GA-0", "--role server", "_INBOX").await;
    operator.set("operator.system_creds_file", &ordinary);
    compare.equal(
        "creds of another account",
        &operator.refused(create).await,
        "error: the user of operator.system_creds_file may not publish to $SYS.REQ.CLAIMS.DELETE: it has to be a user of the \
         system account, and one who may\n",
    );
    operator.set("operator.system_creds_file", "no-such.creds");
    compare.equal(
        "no creds",
        &operator.refused(create).await,
        "error: operator.system_creds_file: no-such.creds can't be used\n  because: No such file or directory (os error 2)\n",
    );
    let system_creds = operator.system_creds.clone();
    operator.set("operator.system_creds_file", &system_creds);
    let nowhere = format!("nats://127.0.0.1:{}", guildwire_harness::free_port());
    operator.set("operator.url", &nowhere);
    compare.equal(
        "unreachable",
        &operator.refused(create).await,
        &format!(
            "error: the user of operator.system_creds_file can't connect\n  because: nats-server can't be reached at \
             {nowhere} (IO error: Connection refused (os error 111)): check that it runs there and that this address is \
             right\n"
        ),
    );
    operator.set("operator.url", &url);
    let fixed = self::operator(database, None, "resolver: MEMORY").await;
    compare.equal(
        "a resolver that keeps nothing",
        &fixed.refused(create).await,
        "error: nobody answers $SYS.REQ.CLAIMS.DELETE: either operator.system_creds_file is not of a user of the system \
         account, or nats-server's resolver keeps no accounts (its configuration needs `resolver: { type: full, dir: …, \
         allow_delete: true }`)\n",
    );
    let list = operator.operate("operator account list").await;
    assert!(!list.contains("GA-1") && list.contains("GA-0"), "{list}");
    // And with everything right, it works.
    operator.operate(create).await;
}

async fn an_interrupted_making_is_taken_up_again(database: Database) {
    // A resolver that lets nobody delete tells nothing of a foreign key, and keeps what was handed in.
    let mut operator = operator(database, None, "resolver: { type: full, dir: \"FOLDER\" }").await;
    let foreign = file(&operator.house, "foreign.nk", &KeyPair::new_operator().seed().unwrap());
    let trusted = operator.signing_key.clone();
    operator.set("operator.signing_key_file", &foreign);
    let said = operator.refused("operator account create GA-1").await;
    assert!(said.contains("lets nobody into it. Most likely it does not trust the key O"), "{said}");
    assert!(
        said.contains(
            "What was begun could not be taken back (nats-server lets nobody delete accounts: its resolver needs \
             `allow_delete: true`): `guildwire operator account create GA-1 --tier free` goes on with it"
        ),
        "{said}"
    );
    let list = operator.operate("operator account list").await;
    assert!(list.contains("not finished: create it again, or delete it"), "{list}");
    let said = operator.refused("operator user create GA-1 --role server").await;
    assert!(said.contains("making the account GA-1 was interrupted"), "{said}");
    operator.set("operator.signing_key_file", &trusted);
    operator.operate("operator account create GA-1").await;
    let list = operator.operate("operator account list").await;
    assert!(list.contains("works"), "{list}");
    let (server, _) = operator.user("GA-1", "--role server", "_INBOX").await;
    assert_eq!(server.publish("main.events.started").await, Ok(1));
    let said = operator.refused("operator account delete GA-1 --yes").await;
    assert_eq!(said, "error: nats-server lets nobody delete accounts: its resolver needs `allow_delete: true`\n");
    assert_eq!(server.publish("main.events.stopped").await, Ok(2), "its stream is as it was");
}
