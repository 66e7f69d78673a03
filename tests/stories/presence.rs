//! Whether a game server is there, as its connection to nats-server shows: it is killed, hangs, loses its credential or
//! comes back, and what breaks around it is not taken for its end.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use async_nats::ConnectOptions;
use async_nats::jetstream;
use guildwire::domain::audit::By;
use guildwire::domain::ids::{AccountName, ServerId};
use guildwire::domain::presence::Tie;
use guildwire::domain::server_state::{Cause, ServerState, State};
use guildwire::domain::timestamp::Timestamp;
use guildwire::store::Store;
use guildwire::store::servers::Server;
use guildwire_harness::house::{FIRST_ACCOUNT, House, PATIENCE, Publisher};
use guildwire_harness::{Bot, NatsConfig, NatsServer, NatsUser, RunningBot, TcpProxy, send_signal};
use nkeys::KeyPair;
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::fire::eventually;
use crate::installation::{USER, file, house_around, new_database, on_sqlite, sqlite_url};
use crate::states::Signed;
use crate::support::{Database, on_both_databases};

on_both_databases!(
    one_that_is_killed_is_closed_and_back_when_it_is_started,
    one_that_hangs_is_out_of_contact,
    a_nats_server_that_is_started_anew_changes_nothing,
    of_two_publishers_nobody_can_tell_until_somebody_says_so,
);
on_sqlite!(
    the_bots_own_lost_link_says_nothing_of_the_servers,
    one_that_is_quickly_back_was_started_anew_and_never_down,
    a_reload_on_the_same_connection_is_no_start,
    what_is_said_to_have_no_connection_is_tied_to_none,
    one_that_says_that_it_stops_has_stopped,
    where_one_may_not_ask_nothing_is_said,
    one_whose_credential_is_revoked_is_out_of_contact,
);

/// What a game server's user is asked to do, so that its connection goes stale within seconds.
const PINGS: &str = "ping_interval: \"1s\"\nping_max: 1";

/// What a channel shows of a server that says that it started, and of one that is back: once in the message that told of
/// its end, and once in an answer to it.
const UP: &str = "🟢 Server **main** is up";
const BACK: &str = "🟢 Server **main** is back";

/// An account with guildwire, which reads it, and two game servers' keys.
pub(crate) struct Scene {
    pub(crate) house: House,
    store: Store,
    pub(crate) keys: [KeyPair; 2],
    channel: u64,
    pub(crate) bot: RunningBot,
}

fn config(reader: NatsUser, keys: &[&KeyPair]) -> NatsConfig {
    let mut users = vec![NatsUser::without_password(NatsConfig::BLOG_POST_USER), reader];
    users.extend(keys.iter().map(|key| NatsUser::nkey(&key.public_key())));
    NatsConfig::open().raw(PINGS).account(FIRST_ACCOUNT, &users)
}

fn reader() -> NatsUser {
    NatsUser::password(USER.0, USER.1)
}

/// The account is read, and nobody but guildwire is connected to it. A server has to be away for so many seconds.
async fn scene(database: Database, debounce: &str, reader: NatsUser) -> Scene {
    let keys = [KeyPair::new_user(), KeyPair::new_user()];
    let nats = NatsServer::start(&config(reader, &[&keys[0], &keys[1]])).unwrap();
    let mut scene = scene_of(with_stream(nats).await, database, ["1", debounce], None, by_password).await;
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

fn account() -> AccountName {
    FIRST_ACCOUNT.parse().unwrap()
}

fn main_server() -> ServerId {
    ServerId::from("main".to_owned())
}

/// A game server's process: `examples/publish`, which says that it starts, and when told to end, that it stops.
pub(crate) struct GameServer(Child);

impl GameServer {
    fn signal(&self, name: &str) {
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

    /// The port of the client of that name, which nats-server tells whoever asks: so does guildwire.
    async fn address_of(&self, name: &str) -> String {
        let owner = ConnectOptions::with_user_and_password(NatsConfig::BLOG_POST_USER.to_owned(), String::new());
        let owner = owner.connect(self.house.nats.url()).await.unwrap();
        let answer = owner.request("$SYS.REQ.ACCOUNT.PING.CONNZ", "".into()).await.unwrap();
        owner.drain().await.unwrap();
        let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
        let clients = answer["data"]["connections"].as_array().unwrap();
        let client = clients.iter().find(|client| client["name"] == name).unwrap();
        format!(":{}", client["port"].as_u64().unwrap())
    }

    async fn server(&self) -> Option<Server> {
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

    async fn stands(&self, state: State, cause: Cause) -> Server {
        let like = |server: &Server| (server.state.state, server.state.cause) == (state, Some(cause));
        self.is(&format!("{state:?}, {cause:?}"), like).await
    }

    /// Waits until the server's connection is known.
    pub(crate) async fn is_tied(&self) -> Server {
        self.is("tied", |server| server.tie.is_some() && server.connection.is_some()).await
    }

    /// Waits until the channel shows these, by their first lines.
    async fn shows(&self, wanted: &[&str]) {
        self.house.wait_until_shown(self.channel, wanted).await.unwrap();
    }

    /// Waits until guildwire has looked so often from now on.
    async fn looks(&self, count: usize) {
        let looks = || self.bot.log().matches("looked who is connected").count();
        let before = looks();
        eventually("guildwire looks who is connected", async || looks() >= before + count).await;
    }
}

/// How a server stands, without what it is known by.
fn state(server: &Server) -> ServerState {
    server.state
}

async fn one_that_is_killed_is_closed_and_back_when_it_is_started(database: Database) {
    let scene = scene(database, "3", reader()).await;
    scene.looks(1).await;
    let game = scene.start(0, "main");
    let tied = scene.is_tied().await;
    assert_eq!(
        tied.tie.unwrap(),
        Tie { user: scene.keys[0].public_key(), name: "game server".to_owned(), is_by_hand: false }
    );
    let (began, before) = (tied.connection.unwrap().since, guildwire_now());
    let address = scene.address_of("game server").await;
    game.kill().await;
    let closed = scene.stands(State::Offline, Cause::Closed).await;
    let since = closed.state.since.unwrap();
    assert!(
        since > began && since.since(before) < Duration::from_secs(2),
        "it is told when it ended, not when it was missed"
    );
    // Told once, and not again at each look.
    scene.looks(3).await;
    scene.shows(&[UP, "🔴 Server **main** is offline"]).await;
    assert_eq!(scene.server().await.unwrap().state, closed.state);

    let _game = scene.start(0, "main");
    let back = scene.is("back", |server| server.state.state == State::Online).await;
    assert!(back.state.since.unwrap() > since);
    scene.is("seen anew", |server| server.connection.is_some_and(|connection| connection.since > since)).await;
    let all_back =
        async || scene.house.shown(scene.channel)[1..].iter().filter(|line| line.starts_with(BACK)).count() == 2;
    eventually("the message that told of its end, and an answer to it, say that it is back", all_back).await;
    assert!(!scene.bot.log().contains(&address), "no client's address is logged");
}

async fn one_that_hangs_is_out_of_contact(database: Database) {
    let scene = scene(database, "3", reader()).await;
    scene.looks(1).await;
    let game = scene.start(0, "main");
    scene.is_tied().await;
    game.signal("STOP");
    let stale = scene.stands(State::ContactLost, Cause::Stale).await;
    scene.shows(&[UP, "⚫ Server **main**: contact lost"]).await;
    game.signal("CONT");
    let back = scene.stands(State::Online, Cause::Connected).await;
    assert!(back.state.since > stale.state.since);
}

async fn one_whose_credential_is_revoked_is_out_of_contact(database: Database) {
    let (signed, reader, player) = (Signed::new(), KeyPair::new_user(), KeyPair::new_user());
    let nats = NatsServer::start(&signed.config(-1, &[])).unwrap();
    let options = |key: &KeyPair| ConnectOptions::with_credentials(&signed.creds(key, None)).unwrap();
    let game = options(&player).name("Oxide").connect(nats.url()).await.unwrap();
    let game = Publisher { jetstream: jetstream::new(game) };
    game.make_stream().await.unwrap();
    let house = house_around(nats, Database::Sqlite).await;
    let by_creds = |house: &House| vec!["--creds".to_owned(), file(house, "bot.creds", &signed.creds(&reader, None))];
    let mut scene = scene_of(house, database, ["1", "3"], None, by_creds).await;
    scene.looks(1).await;
    game.publish("main.events.started", "{}").await.unwrap();
    let tied = scene.is_tied().await;
    assert_eq!(tied.tie.unwrap().user, player.public_key());
    scene.house.nats.reload(&signed.config(-1, &[&player])).unwrap();
    scene.stands(State::ContactLost, Cause::Revoked).await;
}

async fn a_nats_server_that_is_started_anew_changes_nothing(database: Database) {
    let mut scene = scene(database, "10", reader()).await;
    scene.looks(1).await;
    let _game = scene.start(0, "main");
    let tied = scene.is_tied().await;
    let before = tied.connection.unwrap().since;
    scene.house.nats.restart().unwrap();
    let after =
        scene.is("seen anew", |server| server.connection.is_some_and(|connection| connection.since > before)).await;
    assert_eq!(state(&after), state(&tied));
    scene.looks(12).await;
    scene.shows(&[UP]).await;
    assert_eq!(scene.server().await.map(|server| state(&server)), Some(state(&tied)));
    assert!(!scene.bot.log().contains("Gone("), "nobody was said to be gone");
}

async fn of_two_publishers_nobody_can_tell_until_somebody_says_so(database: Database) {
    let scene = scene(database, "3", reader()).await;
    scene.looks(1).await;
    let game = scene.start(0, "main");
    let tied = scene.is_tied().await;
    let other = scene.start(1, "main");
    scene.is("not tied any more", |server| server.tie.is_none()).await;
    game.kill().await;
    other.kill().await;
    scene.looks(6).await;
    assert_eq!(scene.server().await.unwrap().state.state, State::Online, "nobody knows which connection was its");

    let (game, _other) = (scene.start(0, "main"), scene.start(1, "main"));
    let by = By::operator(guildwire_now());
    assert!(scene.store.tie_server(&account(), &main_server(), tied.tie.as_ref(), &by).await.unwrap());
    let tied = scene.is_tied().await;
    assert!(tied.tie.unwrap().is_by_hand);
    // Of a process that dies before it has read all, nats-server says that reading failed, which may be the network's doing.
    scene.looks(1).await;
    game.kill().await;
    scene.stands(State::Offline, Cause::Closed).await;
    let audit = scene.house.operate(&["audit"]).await.unwrap();
    let line = format!("server tied  account GA-1  (main: user {}, client game server)", scene.keys[0].public_key());
    assert!(audit.contains(&line), "{audit}");
}

async fn the_bots_own_lost_link_says_nothing_of_the_servers(database: Database) {
    let keys = [KeyPair::new_user(), KeyPair::new_user()];
    let nats = NatsServer::start(&config(reader(), &[&keys[0], &keys[1]])).unwrap();
    let proxy = TcpProxy::start(nats.address()).await.unwrap();
    let mut scene = scene_of(with_stream(nats).await, database, ["1", "10"], Some(&proxy), by_password).await;
    scene.keys = keys;
    scene.looks(1).await;
    let game = scene.start(0, "main");
    let tied = scene.is_tied().await;
    game.kill().await;
    let killed = Instant::now();
    scene.looks(2).await;
    proxy.refuse(true);
    proxy.cut();
    scene.bot.wait_for_log("can't read the account; trying again", PATIENCE).await.unwrap();
    // It was missed before the link was lost, and for as long as gone ones are; it is back only after guildwire sees again,
    // and then at once: sight begins anew with the link.
    tokio::time::sleep_until(killed + Duration::from_secs(12)).await;
    proxy.refuse(false);
    scene.looks(1).await;
    let _game = scene.start(0, "main");
    let before = tied.connection.unwrap().since;
    let after =
        scene.is("seen anew", |server| server.connection.is_some_and(|connection| connection.since > before)).await;
    assert_eq!(state(&after).state, State::Online);
    scene.looks(5).await;
    assert!(!scene.bot.log().contains("Gone("), "nobody was said to be gone");
}

async fn one_that_is_quickly_back_was_started_anew_and_never_down(database: Database) {
    let scene = scene(database, "20", reader()).await;
    scene.looks(1).await;
    let game = scene.start(0, "main");
    let tied = scene.is_tied().await;
    // What it said first is older than ten seconds, within which a start is taken for said twice.
    scene.looks(11).await;
    game.kill().await;
    scene.looks(2).await;
    let _game = scene.start(0, "main");
    let again = scene.is("started anew", |server| server.state.since > tied.state.since).await;
    assert_eq!((again.state.state, again.state.cause), (State::Online, Some(Cause::Started)));
    assert!(!scene.bot.log().contains("Gone("), "it was never said to be gone");
}

async fn a_reload_on_the_same_connection_is_no_start(database: Database) {
    let scene = scene(database, "3", reader()).await;
    scene.looks(1).await;
    let options = ConnectOptions::with_nkey(scene.keys[0].seed().unwrap()).name("Oxide");
    let client = options.connect(scene.house.nats.url()).await.unwrap();
    let game = Publisher { jetstream: jetstream::new(client) };
    let join = r#"{"player":{"id":"76561198000000001","name":"Ada"}}"#;
    game.publish("main.players.76561198000000001.events.connected", join).await.unwrap();
    let tied = scene.is_tied().await;
    assert_eq!((tied.state.state, tied.state.cause), (State::Online, Some(Cause::Heard)));
    game.publish("main.events.started", "{}").await.unwrap();
    let heard = scene.is("heard again", |server| server.heard_at > tied.heard_at).await;
    assert_eq!(heard.state, tied.state, "only its plugin was loaded anew");
}

async fn what_is_said_to_have_no_connection_is_tied_to_none(database: Database) {
    let scene = scene(database, "3", reader()).await;
    scene.looks(1).await;
    let game = scene.start(0, "main");
    let tied = scene.is_tied().await;
    assert!(scene.store.tie_server(&account(), &main_server(), None, &By::operator(guildwire_now())).await.unwrap());
    game.kill().await;
    scene.looks(2).await;
    let _game = scene.start(0, "main");
    scene.is("heard again", |server| server.heard_at > tied.heard_at).await;
    scene.looks(3).await;
    let server = scene.server().await.unwrap();
    assert_eq!((server.tie, server.is_untied), (None, true));
}

async fn one_that_says_that_it_stops_has_stopped(database: Database) {
    let scene = scene(database, "3", reader()).await;
    scene.looks(1).await;
    let mut game = scene.start(0, "main");
    scene.is_tied().await;
    game.signal("TERM");
    let stopped = scene.stands(State::Offline, Cause::SaidStopped).await;
    game.0.wait().await.unwrap();
    scene.looks(5).await;
    assert_eq!(scene.server().await.unwrap().state, stopped.state);
    let _game = scene.start(0, "main");
    scene.is("back", |server| server.state.state == State::Online).await;
}

async fn where_one_may_not_ask_nothing_is_said(database: Database) {
    let scene = scene(database, "1", reader().publish_deny(&["$SYS.>"])).await;
    scene.bot.wait_for_log("the user may not publish to $SYS.REQ.ACCOUNT.PING.CONNZ", PATIENCE).await.unwrap();
    let game = scene.start(0, "main");
    let heard = scene.stands(State::Online, Cause::Started).await;
    game.kill().await;
    // Reading goes on, and an event says what it says.
    let game = scene.start(0, "main");
    let again = scene.is("heard again", |server| server.heard_at > heard.heard_at).await;
    assert_eq!((again.tie, again.connection), (None, None));
    game.signal("TERM");
    scene.stands(State::Offline, Cause::SaidStopped).await;
}

/// What time it is by the clock that nats-server has here, too.
fn guildwire_now() -> Timestamp {
    guildwire::clock::now()
}
