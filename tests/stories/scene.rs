//! What the stories of presence share: an account whose game servers connect, are killed and come back, and a bot that looks
//! who is connected every second.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use async_nats::ConnectOptions;
use async_nats::jetstream;
use guildwire::domain::ids::{AccountName, ServerId};
use guildwire::domain::server_state::{Cause, State};
use guildwire::domain::timestamp::Timestamp;
use guildwire::store::Store;
use guildwire::store::servers::Server;
use guildwire_harness::house::{FIRST_ACCOUNT, House, PATIENCE, Publisher};
use guildwire_harness::{Bot, NatsConfig, NatsServer, NatsUser, RunningBot, TcpProxy, send_signal};
use nkeys::KeyPair;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::fire::eventually;
use crate::installation::{USER, file, house_around, new_database, sqlite_url};
use crate::support::Database;

/// What a channel shows of a server that says that it started.
pub(crate) const UP: &str = "🟢 Server **main** is up";

/// An account with guildwire, which reads it, and two game servers' keys.
pub(crate) struct Scene {
    pub(crate) house: House,
    pub(crate) store: Store,
    pub(crate) keys: [KeyPair; 2],
    pub(crate) channel: u64,
    pub(crate) bot: RunningBot,
}

/// The keys of two game servers, and the account that has them and guildwire.
pub(crate) fn account_of(reader: NatsUser) -> ([KeyPair; 2], NatsConfig) {
    let keys = [KeyPair::new_user(), KeyPair::new_user()];
    let mut users = vec![NatsUser::without_password(NatsConfig::BLOG_POST_USER), reader];
    users.extend(keys.iter().map(|key| NatsUser::nkey(&key.public_key())));
    (keys, NatsConfig::open().account(FIRST_ACCOUNT, &users))
}

pub(crate) fn reader() -> NatsUser {
    NatsUser::password(USER.0, USER.1)
}

/// The account is read, and nobody but guildwire is connected to it. A server has to be away for so many seconds.
pub(crate) async fn scene(database: Database, debounce: &str, account: ([KeyPair; 2], NatsConfig)) -> Scene {
    let (keys, config) = account;
    let house = with_stream(NatsServer::start(&config).unwrap()).await;
    let mut scene = scene_of(house, database, ["1", debounce], None, by_password).await;
    scene.keys = keys;
    scene
}

/// A house whose account has a stream; nobody is connected to it.
pub(crate) async fn with_stream(nats: NatsServer) -> House {
    let owner = ConnectOptions::with_user_and_password(NatsConfig::BLOG_POST_USER.to_owned(), String::new());
    let owner = owner.connect(nats.url()).await.unwrap();
    Publisher { jetstream: jetstream::new(owner.clone()) }.make_stream().await.unwrap();
    owner.drain().await.unwrap();
    house_around(nats, Database::Sqlite).await
}

/// As whom guildwire reads the account.
pub(crate) fn by_password(house: &House) -> Vec<String> {
    let password = file(house, "password", USER.1);
    ["--user", USER.0, "--password-file", &password].map(str::to_owned).into()
}

/// The account is read at `proxy`, or straight from nats-server. `debounce` is as for [`scene`], `every` the time between looks.
pub(crate) async fn scene_of(
    mut house: House,
    database: Database,
    [every, debounce]: [&str; 2],
    proxy: Option<&TcpProxy>,
    credential: impl Fn(&House) -> Vec<String>,
) -> Scene {
    let database_url = new_database(database).await;
    let url = proxy.map_or_else(|| house.nats.url(), |proxy| proxy.url_for("nats"));
    house.bot = with_database(house.bot, database_url.as_deref())
        .setting("nats.url", &url)
        .setting("status.presence_seconds", every)
        .setting("status.debounce_seconds", debounce)
        .setting("log.level", "guildwire=trace,info");
    let credential = credential(&house);
    let mut arguments = vec!["account", "add", FIRST_ACCOUNT, "--no-check"];
    arguments.extend(credential.iter().map(String::as_str));
    house.operate(&arguments).await.unwrap();
    let bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "status");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    let store = Store::open(&database_url.unwrap_or_else(|| sqlite_url(&house))).await.unwrap();
    Scene { house, store, keys: [KeyPair::new_user(), KeyPair::new_user()], channel, bot }
}

fn with_database(bot: Bot, url: Option<&str>) -> Bot {
    match url {
        Some(url) => bot.database_url(url),
        None => bot,
    }
}

pub(crate) fn account() -> AccountName {
    FIRST_ACCOUNT.parse().unwrap()
}

pub(crate) fn main_server() -> ServerId {
    ServerId::from("main".to_owned())
}

/// A game server's process: `examples/publish`, which says that it starts, and when told to end, that it stops.
pub(crate) struct GameServer(pub(crate) Child);

impl GameServer {
    pub(crate) fn signal(&self, name: &str) {
        send_signal(self.0.id().unwrap(), name).unwrap();
    }

    pub(crate) async fn kill(mut self) {
        self.0.kill().await.unwrap();
    }
}

impl Scene {
    /// Starts the game server `id` with one of the keys.
    pub(crate) fn start(&self, key: usize, id: &str) -> GameServer {
        let test = std::env::current_exe().unwrap();
        let program = test.parent().and_then(Path::parent).unwrap().join("examples/publish");
        assert!(program.exists(), "{} is missing: `cargo build --example publish`", program.display());
        let seed = file(&self.house, &format!("{key}.seed"), &self.keys[key].seed().unwrap());
        let mut command = Command::new(program);
        command.args([&self.house.nats.url(), &seed, id]).stdin(Stdio::piped()).kill_on_drop(true);
        GameServer(command.spawn().unwrap())
    }

    /// What nats-server tells of the only connection of that name there was, to whoever asks: so does guildwire.
    pub(crate) async fn told_of(&self, name: &str) -> Value {
        let owner = ConnectOptions::with_user_and_password(NatsConfig::BLOG_POST_USER.to_owned(), String::new());
        // Whoever asks publishes: by another name it could be a game server.
        let owner = owner.name("guildwire").connect(self.house.nats.url()).await.unwrap();
        let open_and_ended = json!({ "state": 2 }).to_string();
        let answer = owner.request("$SYS.REQ.ACCOUNT.PING.CONNZ", open_and_ended.into()).await.unwrap();
        owner.drain().await.unwrap();
        let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
        let clients = answer["data"]["connections"].as_array().unwrap().iter();
        let [client] = clients.filter(|client| client["name"] == name).collect::<Vec<_>>()[..] else {
            panic!("{answer:#}")
        };
        client.clone()
    }

    pub(crate) async fn server(&self) -> Option<Server> {
        self.store.servers_of_account(&account()).await.unwrap().into_iter().find(|server| server.id == main_server())
    }

    /// Waits until the server `main` is like that.
    pub(crate) async fn is(&self, what: &str, like: impl Fn(&Server) -> bool) -> Server {
        let mut last = None;
        let found = async {
            loop {
                last = self.server().await;
                if let Some(server) = last.as_ref().filter(|server| like(server)) {
                    return server.clone();
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, found).await;
        found.unwrap_or_else(|_| panic!("{what}: {last:#?}\n{}", self.bot.log()))
    }

    pub(crate) async fn stands(&self, state: State, cause: Cause) -> Server {
        let like = |server: &Server| (server.state.state, server.state.cause) == (state, Some(cause));
        self.is(&format!("{state:?}, {cause:?}"), like).await
    }

    /// Waits until the server's connection is known.
    pub(crate) async fn is_tied(&self) -> Server {
        self.is("tied", |server| server.tie.is_some() && server.connection.is_some()).await
    }

    /// Waits until the channel shows these, by their first lines.
    pub(crate) async fn shows(&self, wanted: &[&str]) {
        self.house.wait_until_shown(self.channel, wanted).await.unwrap();
    }

    /// Waits until guildwire has looked so often from now on.
    pub(crate) async fn looks(&self, count: usize) {
        let looks = || self.bot.log().matches("looked who is connected").count();
        let before = looks();
        eventually("guildwire looks who is connected", async || looks() >= before + count).await;
    }

    /// Waits until a game server that was just seen has read all that nats-server sends whoever is new, a ping after two
    /// seconds among it. Of a process that dies before, nats-server says that reading failed, which may be the network's doing.
    pub(crate) async fn settles(&self) {
        self.looks(4).await;
    }
}

/// What time it is by the clock that nats-server has here, too.
pub(crate) fn guildwire_now() -> Timestamp {
    guildwire::clock::now()
}
