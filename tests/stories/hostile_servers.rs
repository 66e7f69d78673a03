//! A stranger's server may answer anything. What it does is its own account's trouble: the bot lives, and other accounts'
//! events come.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use guildwire_harness::NatsServer;
use guildwire_harness::house::{House, PATIENCE};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::connecting::{config, connect, printed, publisher, self_service, verify};
use crate::installation::{on_sqlite, says, wait_for_account_list};
use crate::managing::admin;
use crate::support::{Database, on_both_databases};

on_both_databases!(lines_that_break_the_client_library_break_nothing_else);
on_sqlite!(what_a_server_says_is_told_short_and_clean);

/// A server that says what it is told to, and no more.
struct Stranger {
    address: SocketAddr,
    line: Arc<Mutex<String>>,
    /// Ends with it.
    _listens: JoinSet<()>,
}

impl Stranger {
    #[expect(clippy::disallowed_methods, reason = "it is no part of the bot, and ends with the story")]
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let line = Arc::new(Mutex::new(String::new()));
        let lines = Arc::clone(&line);
        let mut listens = JoinSet::new();
        listens.spawn(async move {
            let mut said = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let line = lines.lock().unwrap().clone();
                said.spawn(say(stream, line));
            }
        });
        Self { address, line, _listens: listens }
    }

    fn says(&self, line: &str) {
        line.clone_into(&mut self.line.lock().unwrap());
    }
}

/// Says the first of the lines at once, and the others once it was asked for a PONG.
async fn say(stream: TcpStream, lines: String) -> std::io::Result<()> {
    let (first, later) = lines.split_once("\r\n").unwrap();
    let mut stream = BufReader::new(stream);
    stream.write_all(format!("{first}\r\n").as_bytes()).await?;
    let mut asked = String::new();
    while stream.read_line(&mut asked).await? > 0 {
        if asked.ends_with("PING\r\n") {
            stream.write_all(later.as_bytes()).await?;
        }
    }
    Ok(())
}

/// What a nats-server says first.
const INFO: &str = r#"INFO {"server_id":"x","version":"2.14.0","go":"go","host":"x","port":4222,"max_payload":1048576,"proto":1,"headers":true}"#;

const UNREACHABLE: &str = "🔴 Not yet. Nothing answers as nats-server at that address: see that it runs, and that its port \
                           can be reached from the internet. Then press **Verify** again.";

async fn lines_that_break_the_client_library_break_nothing_else(database: Database) {
    let mut house = self_service(NatsServer::start(&config("", "")).unwrap(), database).await;
    let publisher = publisher(&house).await;
    publisher.make_stream().await.unwrap();
    publisher.publish("main.events.stopping", "{}").await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let connected = connect(&house, guild).await;
    house.nats.reload(&config(&printed(&connected).0, "")).unwrap();
    assert!(verify(&house, guild, &connected).await.content.starts_with('✅'));
    let channel = house.channel(guild, "status");
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();

    let stranger = Stranger::start().await;
    let url = format!("nats://{}", stranger.address);
    let options = [("name", "GA-2".into()), ("url", url.into()), ("stream", "EVENTS".into())];
    let mut page = house.command(guild, "account connect", &options).await.unwrap();
    let lost = "🔴 Not yet. The connection to its nats-server was lost.";
    let after_connecting = format!("{INFO}\r\nPONG\r\n-ERR\r\n");
    for (said, wanted) in [
        ("-ERR\r\n", UNREACHABLE),
        ("MSG a 1 18446744073709551615\r\n", UNREACHABLE),
        (after_connecting.as_str(), lost),
    ] {
        stranger.says(said);
        page = house.discord.press(admin(guild), &page, "verify:GA-2").await.unwrap();
        assert!(page.content.starts_with(wanted), "{said:?}: {}", page.content);
    }
    publisher.publish("main.events.started", "{}").await.unwrap();
    assert_eq!(house.wait_for_shown(channel, 1).await.unwrap(), ["🟢 Server **main** is up"]);
    wait_for_account_list(&house, guild, PATIENCE, "🟢 reading its events").await;
}

async fn what_a_server_says_is_told_short_and_clean(database: Database) {
    let House { nats, discord, bot } = self_service(NatsServer::start(&config("", "")).unwrap(), database).await;
    let house = House { nats, discord, bot: bot.setting("log.level", "info") };
    let bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let stranger = Stranger::start().await;
    let url = format!("nats://{}", stranger.address);
    let options = [("name", "GA-2".into()), ("url", url.into()), ("stream", "EVENTS".into())];
    let page = house.command(guild, "account connect", &options).await.unwrap();
    let long = "y".repeat(20_000);
    stranger.says(&format!("-ERR '\u{1b}[2J{long}'\r\n"));
    let page = house.discord.press(admin(guild), &page, "verify:GA-2").await.unwrap();
    assert_eq!(page.content, UNREACHABLE);
    let checked = house.bot.command(&["account", "check", "GA-2"]).await.unwrap();
    let told = checked.stdout + &checked.stderr;
    assert!(told.contains("yyyyy") && !told.contains('\u{1b}') && told.len() < 4_000, "{} {told}", told.len());
    assert!(says(&house, guild, "account list", &[]).await.starts_with("No game-server account"));
    assert!(!bot.log().contains("yyyyy"), "{}", bot.log());
}
