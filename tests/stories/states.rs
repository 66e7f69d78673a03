//! Each state of an account: nats-server is put into it, `account list` says so in full words, and reading recovers by
//! itself once the cause is gone.

use std::time::Duration;

use async_nats::ConnectOptions;
use async_nats::jetstream::{self, consumer, stream};
use futures_util::StreamExt as _;
use guildwire_harness::house::{Guild, House, PATIENCE, Publisher};
use guildwire_harness::{NatsConfig, NatsServer, NatsUser, RunningBot};
use nkeys::KeyPair;
use serde_json::{Value, json};

use crate::credentials::jwt;
use crate::installation::{USER, file, house_around, on_sqlite};
use crate::support::{Database, on_both_databases};

on_both_databases!(a_deleted_stream_is_told_and_read_again_once_it_is_back);
on_sqlite!(
    a_missing_permission_is_told_with_its_subject,
    a_refused_credential_is_told_and_good_again_once_the_user_is_back,
    a_revoked_and_an_expired_credential_are_told_apart,
    an_account_that_has_all_its_connections_says_so,
    an_account_that_has_all_its_consumers_says_so,
    whoever_keeps_deleting_the_consumer_is_told_of,
    whoever_reads_from_our_consumer_is_told_of,
    several_streams_and_none_of_that_name_are_told_apart,
    a_server_without_jetstream_and_one_too_old_are_told_apart,
);

/// The game server's user, who may do everything.
pub(crate) const PUBLISHER: &str = NatsConfig::BLOG_POST_USER;

/// An installation with one account, which it reads with a user of its own.
pub(crate) struct Reading {
    pub(crate) house: House,
    pub(crate) publisher: Publisher,
    guild: Guild,
    channel: u64,
    pub(crate) bot: RunningBot,
}

/// A server with one account, in which guildwire has this user.
fn config(user: NatsUser) -> NatsConfig {
    NatsConfig::open().account("GA-1", &[NatsUser::without_password(PUBLISHER), user])
}

pub(crate) fn user() -> NatsUser {
    NatsUser::password(USER.0, USER.1)
}

pub(crate) async fn publisher(house: &House) -> Publisher {
    let options = ConnectOptions::with_user_and_password(PUBLISHER.to_owned(), String::new());
    Publisher { jetstream: jetstream::new(options.connect(house.nats.url()).await.unwrap()) }
}

/// Adds the account, runs the bot and binds a channel, which need not hear anything yet.
pub(crate) async fn read(mut house: House, publisher: Publisher) -> Reading {
    // By its connection the server would be seen to be started anew, and each one would be told otherwise.
    house.bot = house.bot.setting("status.presence_seconds", "300");
    let password = file(&house, "password", USER.1);
    house
        .operate(&["account", "add", "GA-1", "--user", USER.0, "--password-file", &password, "--no-check"])
        .await
        .unwrap();
    let bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "status");
    house.link(guild, "GA-1").await.unwrap();
    let options = [("channel", channel.to_string().into()), ("events", "lifecycle".into())];
    house.command(guild, "notify add", &options).await.unwrap();
    Reading { house, publisher, guild, channel, bot }
}

async fn reading(nats: &NatsConfig, database: Database) -> Reading {
    let house = house_around(NatsServer::start(nats).unwrap(), database).await;
    let publisher = publisher(&house).await;
    publisher.make_stream().await.unwrap();
    let reading = read(house, publisher).await;
    reading.is_read().await;
    reading
}

impl Reading {
    /// What `account list` says of the account, without the moment.
    async fn state(&self) -> String {
        let list = self.house.operate(&["account", "list"]).await.unwrap();
        let line = list.lines().rfind(|line| line.starts_with("  GA-1: ")).unwrap_or_else(|| panic!("{list}"));
        let (before, rest) = line.split_once("since ").unwrap_or((line, ""));
        format!("{}{}", before.trim_start(), rest.split_once("UTC").map_or("", |(_, rest)| rest))
    }

    /// Waits until `account list` says this of the account.
    async fn says(&self, wanted: &str) {
        let wanted = format!("GA-1: {wanted}");
        // What is only asked when reading begins is asked again after a minute in which nothing came.
        let deadline = tokio::time::Instant::now() + 2 * PATIENCE;
        loop {
            let state = self.state().await;
            if state == wanted {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "it says {state:?}, not {wanted:?}");
            // The state of a moment ago is still there: an operator would look again, too.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub(crate) async fn is_in_trouble(&self, words: &str) {
        self.says(&format!(": {words}")).await;
    }

    pub(crate) async fn is_read(&self) {
        self.says("read , with 0 events waiting").await;
    }

    /// Publishes and waits until the channel shows so many events: reading goes on.
    pub(crate) async fn shows(&self, count: usize) {
        self.publisher.publish("main.events.started", "{}").await.unwrap();
        self.house.wait_for_shown(self.channel, count).await.unwrap();
    }

    /// A permission that is taken away bites a live connection only where it is needed again.
    fn restart_with(&mut self, user: NatsUser) {
        self.house.nats.kill().unwrap();
        self.house.nats.reload(&config(user)).unwrap();
        self.house.nats.start_again().unwrap();
    }

    fn durable(&self) -> String {
        let log = std::fs::read_to_string(self.house.bot.home_folder().join("guildwire.log")).unwrap();
        log.split_once("durable=\"").unwrap().1.split('"').next().unwrap().to_owned()
    }
}

async fn a_deleted_stream_is_told_and_read_again_once_it_is_back(database: Database) {
    let reading = reading(&config(user()), database).await;
    reading.shows(1).await;
    reading.publisher.jetstream.delete_stream("EVENTS").await.unwrap();
    reading
        .is_in_trouble(
            "the stream EVENTS, which was read so far, was deleted: make it anew with `nats stream add EVENTS --subjects \
             'v0.*.servers.>' --storage file --defaults`",
        )
        .await;
    let list = crate::installation::says(&reading.house, reading.guild, "account list", &[]).await;
    let told = "🔴 The stream EVENTS with its events was deleted. Tell the account's owner: they have to make it anew.";
    assert!(list.contains(told), "{list}");
    reading.publisher.make_stream().await.unwrap();
    reading.shows(2).await;
    reading.is_read().await;
}

async fn a_missing_permission_is_told_with_its_subject(database: Database) {
    let mut reading = reading(&config(user()), database).await;
    let durable = reading.durable();
    let mut shown = 0;
    for (denied, words) in [
        (
            user().publish_deny(&["$JS.API.STREAM.NAMES"]),
            "the user may not publish to $JS.API.STREAM.NAMES: allow that subject in the user's permissions".to_owned(),
        ),
        (
            user().publish_deny(&["$JS.API.CONSUMER.CREATE.>"]),
            format!(
                "the user may not publish to $JS.API.CONSUMER.CREATE.EVENTS.{durable}: allow that subject in the user's \
                 permissions"
            ),
        ),
        (
            user().publish_deny(&["$JS.API.CONSUMER.MSG.NEXT.>"]),
            format!(
                "the user may not publish to $JS.API.CONSUMER.MSG.NEXT.EVENTS.{durable}: allow that subject in the \
                 user's permissions"
            ),
        ),
        (
            user().publish_deny(&["$JS.ACK.>"]),
            format!(
                "the user may not publish to $JS.ACK.EVENTS.{durable}.>: allow that subject in the user's permissions"
            ),
        ),
        (
            user().subscribe_deny(&["_INBOX_guildwire.>"]),
            "the user may not subscribe to _INBOX_guildwire.>: allow that subject in the user's permissions".to_owned(),
        ),
    ] {
        reading.restart_with(denied);
        // Without one, no acknowledgement is tried.
        reading.publisher.publish("main.events.wiped", "{}").await.unwrap();
        shown += 1;
        reading.is_in_trouble(&words).await;
        reading.restart_with(user());
        shown += 1;
        reading.shows(shown).await;
        reading.is_read().await;
    }
}

async fn a_refused_credential_is_told_and_good_again_once_the_user_is_back(database: Database) {
    let mut reading = reading(&config(user()), database).await;
    let url = reading.house.nats.url();
    reading.house.nats.reload(&config(NatsUser::password(USER.0, "another"))).unwrap();
    let refused =
        format!("nats-server at {url} refuses the credential: check that the user exists there and was not revoked");
    reading.is_in_trouble(&refused).await;
    // While it is refused, nats-server is left alone: async-nats tries once by itself, then guildwire at its pace.
    reading.house.nats.reload(&config(user())).unwrap();
    reading.shows(1).await;
    reading.is_read().await;
}

/// An operator's own account and how its users are signed.
pub(crate) struct Signed {
    operator: KeyPair,
    account: KeyPair,
    system: KeyPair,
}

impl Signed {
    pub(crate) fn new() -> Self {
        Self { operator: KeyPair::new_operator(), account: KeyPair::new_account(), system: KeyPair::new_account() }
    }

    /// The server's configuration, with so many connections for the account, and with these users revoked.
    pub(crate) fn config(&self, connections: i64, revoked: &[&KeyPair]) -> NatsConfig {
        let limits = json!({
            "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": connections,
            "leaf": -1, "mem_storage": 1_048_576, "disk_storage": 1_073_741_824, "streams": 10, "consumer": 10,
        });
        let mut account = json!({ "type": "account", "version": 2, "limits": limits });
        if !revoked.is_empty() {
            let revocations = revoked.iter().map(|key| (key.public_key(), json!(4_000_000_000_u64)));
            account["revocations"] = Value::Object(revocations.collect());
        }
        let account_jwt = jwt(&self.operator, &self.account, "GA-1", &account);
        let system_jwt = jwt(&self.operator, &self.system, "SYS", &json!({ "type": "account", "version": 2 }));
        let operator = json!({ "type": "operator", "version": 2 });
        NatsConfig::open().raw(&format!(
            "operator: {}\nsystem_account: {system}\nresolver: MEMORY\n\
             resolver_preload: {{ {account}: {account_jwt}, {system}: {system_jwt} }}",
            jwt(&self.operator, &self.operator, "guildwire", &operator),
            account = self.account.public_key(),
            system = self.system.public_key(),
        ))
    }

    /// A user's credentials file, good until then.
    pub(crate) fn creds(&self, user: &KeyPair, expires: Option<i64>) -> String {
        let claims = json!({ "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1 });
        let user_jwt = match expires {
            Some(expires) => crate::credentials::expiring_jwt(&self.account, user, "bot", &claims, expires),
            None => jwt(&self.account, user, "bot", &claims),
        };
        format!(
            "-----BEGIN NATS USER JWT-----\n{user_jwt}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
            user.seed().unwrap()
        )
    }
}

async fn signed_publisher(house: &House, signed: &Signed) -> Publisher {
    let creds = signed.creds(&KeyPair::new_user(), None);
    let client = ConnectOptions::with_credentials(&creds).unwrap().connect(house.nats.url()).await.unwrap();
    Publisher { jetstream: jetstream::new(client) }
}

async fn a_revoked_and_an_expired_credential_are_told_apart(database: Database) {
    let signed = Signed::new();
    let house = house_around(NatsServer::start(&signed.config(-1, &[])).unwrap(), database).await;
    let url = house.nats.url();
    let publisher = signed_publisher(&house, &signed).await;
    publisher.make_stream().await.unwrap();
    let mut reading = read(house, publisher).await;
    let replace = "have the account's owner make a new one; guildwire's own is changed with `guildwire account edit`";

    // Good for as long as it takes to read with it: nats-server ends the connection that was made in time, and takes no
    // further one.
    let expires = guildwire::clock::now().unix_seconds() + 30;
    let path = file(&reading.house, "short.creds", &signed.creds(&KeyPair::new_user(), Some(expires)));
    reading.house.operate(&["account", "edit", "GA-1", "--creds", &path, "--no-check"]).await.unwrap();
    reading.is_read().await;
    reading.shows(1).await;
    let at = guildwire::domain::timestamp::Timestamp::from_nanoseconds(expires * 1_000_000_000).rfc3339();
    let over = format!("the credential for nats-server at {url} has expired ({at}): {replace}");
    reading.is_in_trouble(&over).await;
    let list = crate::installation::says(&reading.house, reading.guild, "account list", &[]).await;
    assert!(list.contains("because my user has expired. Tell the account's owner"), "{list}");

    // A new one is taken up at once.
    let user = KeyPair::new_user();
    let path = file(&reading.house, "revoked.creds", &signed.creds(&user, None));
    reading.house.operate(&["account", "edit", "GA-1", "--creds", &path]).await.unwrap();
    reading.shows(2).await;
    reading.house.nats.reload(&signed.config(-1, &[&user])).unwrap();
    reading.is_in_trouble(&format!("nats-server at {url} has revoked the credential: {replace}")).await;
    let path = file(&reading.house, "good.creds", &signed.creds(&KeyPair::new_user(), None));
    reading.house.operate(&["account", "edit", "GA-1", "--creds", &path]).await.unwrap();
    reading.shows(3).await;
    reading.is_read().await;
}

async fn an_account_that_has_all_its_connections_says_so(database: Database) {
    let signed = Signed::new();
    let house = house_around(NatsServer::start(&signed.config(2, &[])).unwrap(), database).await;
    let url = house.nats.url();
    let publisher = signed_publisher(&house, &signed).await;
    publisher.make_stream().await.unwrap();
    let other = signed_publisher(&house, &signed).await;
    let reading = read(house, publisher).await;
    let path = file(&reading.house, "bot.creds", &signed.creds(&KeyPair::new_user(), None));
    reading.house.operate(&["account", "edit", "GA-1", "--creds", &path, "--no-check"]).await.unwrap();
    let full = format!(
        "nats-server at {url} takes no more connections (maximum account active connections exceeded): close some of \
         the account's, or raise its limit of connections"
    );
    reading.is_in_trouble(&full).await;
    drop(other);
    reading.is_read().await;
    reading.shows(1).await;
}

async fn an_account_that_has_all_its_consumers_says_so(database: Database) {
    let users = [NatsUser::without_password(PUBLISHER), user()];
    let nats = NatsConfig::open().account_with_jetstream("GA-1", "{ max_file: 1G, max_consumers: 1 }", &users);
    let house = house_around(NatsServer::start(&nats).unwrap(), database).await;
    let publisher = publisher(&house).await;
    publisher.make_stream().await.unwrap();
    let stream = publisher.jetstream.get_stream("EVENTS").await.unwrap();
    let other = consumer::pull::Config { durable_name: Some("other".to_owned()), ..Default::default() };
    stream.create_consumer(other).await.unwrap();
    let reading = read(house, publisher).await;
    reading
        .is_in_trouble(
            "the account has as many consumers on stream EVENTS as it may have, so guildwire can't make its own: delete \
             one that nobody needs (`nats consumer ls EVENTS`), or raise the limit of consumers",
        )
        .await;
    stream.delete_consumer("other").await.unwrap();
    reading.is_read().await;
    reading.shows(1).await;
}

async fn whoever_keeps_deleting_the_consumer_is_told_of(database: Database) {
    let reading = reading(&config(user()), database).await;
    let durable = reading.durable();
    let told = format!(
        "somebody keeps deleting guildwire's consumer {durable} on stream EVENTS: find out who does, and make it stop; \
         until then events come late"
    );
    let stream = reading.publisher.jetstream.get_stream("EVENTS").await.unwrap();
    let delete = async {
        loop {
            // It may not be there just now; and what is not pulled from yet is missed otherwise than by being deleted.
            let consumer = stream.get_consumer::<consumer::pull::Config>(&durable).await;
            if consumer.is_ok_and(|consumer| consumer.cached_info().num_waiting > 0) {
                stream.delete_consumer(&durable).await.ok();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        () = reading.is_in_trouble(&told) => {}
        () = delete => {}
    }
    reading.shows(1).await;
    reading.is_read().await;
}

async fn whoever_reads_from_our_consumer_is_told_of(database: Database) {
    let reading = reading(&config(user()), database).await;
    let durable = reading.durable();
    let told = format!(
        "somebody else reads from guildwire's consumer {durable} on stream EVENTS: give every other reader a consumer of \
         its own; until then events come late"
    );
    let stream = reading.publisher.jetstream.get_stream("EVENTS").await.unwrap();
    let theft = async {
        loop {
            let Ok(theirs) = stream.get_consumer::<consumer::pull::Config>(&durable).await else { continue };
            let messages = theirs.fetch().max_messages(5).expires(Duration::from_secs(1)).messages().await;
            let Ok(mut messages) = messages else { continue };
            while let Some(Ok(_)) = messages.next().await {}
        }
    };
    let published = async {
        loop {
            reading.publisher.publish("main.events.started", "{}").await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = reading.is_in_trouble(&told) => {}
        () = theft => {}
        () = published => {}
    }
    reading.publisher.publish("main.events.wiped", "{}").await.unwrap();
    reading.is_read().await;
}

async fn several_streams_and_none_of_that_name_are_told_apart(database: Database) {
    let house = house_around(NatsServer::start(&config(user())).unwrap(), database).await;
    let publisher = publisher(&house).await;
    for (name, subjects) in [("RUST", "v0.rust.servers.>"), ("OTHER", "v0.other.servers.>")] {
        let subjects = vec![subjects.to_owned()];
        let config = stream::Config { name: name.to_owned(), subjects, ..Default::default() };
        publisher.jetstream.create_stream(config).await.unwrap();
    }
    let reading = read(house, publisher).await;
    let several = "several streams cover v0.*.servers.> (OTHER, RUST): name the one to read with --stream";
    reading.is_in_trouble(several).await;
    reading.house.operate(&["account", "edit", "GA-1", "--stream", "RUTS", "--no-check"]).await.unwrap();
    reading.is_in_trouble("there is no stream named RUTS in this account").await;
    reading.house.operate(&["account", "edit", "GA-1", "--stream", "RUST"]).await.unwrap();
    reading.is_read().await;
    reading.shows(1).await;
}

async fn a_server_without_jetstream_and_one_too_old_are_told_apart(database: Database) {
    let users = [NatsUser::without_password(PUBLISHER), user()];
    let off = NatsConfig::open().account_with_jetstream("GA-1", "disabled", &users);
    let old = NatsServer::start_old(&config(user())).unwrap();
    let house = house_around(NatsServer::start(&off).unwrap(), database).await;
    let publisher_before = publisher(&house).await;
    let mut reading = read(house, publisher_before).await;
    let disabled =
        "JetStream is not available to this account: enable it for the account in nats-server's configuration";
    reading.is_in_trouble(disabled).await;
    let url = reading.house.nats.url();
    reading.house.operate(&["account", "edit", "GA-1", "--url", &old.url(), "--no-check"]).await.unwrap();
    reading
        .is_in_trouble(
            "nats-server 2.12.8 is too old: guildwire needs 2.14 or newer, to set its consumer back after a crash",
        )
        .await;
    reading.house.operate(&["account", "edit", "GA-1", "--url", &url, "--no-check"]).await.unwrap();
    reading.is_in_trouble(disabled).await;
    reading.house.nats.kill().unwrap();
    reading.house.nats.reload(&config(user())).unwrap();
    reading.house.nats.start_again().unwrap();
    reading.publisher = publisher(&reading.house).await;
    reading.publisher.make_stream().await.unwrap();
    reading.is_read().await;
    reading.shows(1).await;
}
