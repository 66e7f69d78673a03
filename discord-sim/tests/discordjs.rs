//! A second opinion in another language: the real discord.js 14 (`node/bot.mjs`) logs in, registers, answers, completes,
//! opens a modal, resumes, sends with a nonce, and waits out a 429.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod common;

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::House;
use discord_sim::{Route, Scope, Sim, Trouble};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// Node.js and discord.js take a while to start where much else runs.
const WITHIN: Duration = Duration::from_secs(30);

/// The bot's process, which ends with this.
struct Bot {
    _process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Bot {
    /// Starts it and waits until it has registered its commands.
    async fn start(sim: &Sim) -> (Self, Value) {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = here.join("tests/node");
        assert!(folder.join("node_modules/discord.js").exists(), "discord.js is missing: `./dev tools` fetches it");
        let own = here.join("../.tools/bin/node");
        let node = if own.exists() { own } else { "node".into() };
        let mut process = Command::new(node)
            .arg("bot.mjs")
            .current_dir(folder)
            .envs([("DISCORD_URL", sim.url()), ("DISCORD_TOKEN", sim.token())])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("Node.js 20 or newer: `./dev tools` fetches it");
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut bot = Self { _process: process, input, output };
        let ready = bot.until("ready").await;
        (bot, ready)
    }

    /// The next thing it tells under this name.
    async fn until(&mut self, name: &str) -> Value {
        let told = async {
            loop {
                let line = self.output.next_line().await.unwrap().expect("the bot runs");
                let told: Value = serde_json::from_str(&line).unwrap();
                if !told[name].is_null() {
                    return told;
                }
            }
        };
        timeout(WITHIN, told).await.unwrap_or_else(|_| panic!("the bot tells of {name}"))
    }

    async fn send(&mut self, message: Value) -> String {
        self.input.write_all(format!("{message}\n").as_bytes()).await.unwrap();
        self.until("sent").await["sent"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn discordjs_logs_in_answers_completes_asks_and_resumes() {
    let house = House::new().await;
    let (mut bot, ready) = Bot::start(&house.sim).await;
    assert_eq!(ready, json!({ "ready": house.sim.bot().to_string(), "channels": ["events"] }));
    assert_eq!(house.sim.commands().len(), 3);

    let (sim, owner) = (&house.sim, house.owner());
    assert_eq!(sim.command(owner, "echo", &[("text", json!("hello"))]).await.unwrap().content, "hello");
    let offered = sim.autocomplete(owner, "echo", &[], "text", "hel").await.unwrap();
    assert_eq!((offered[0].name.as_str(), &offered[0].value), ("hel!", &json!("hel")));
    let modal = sim.command(owner, "ask", &[]).await.unwrap();
    let hello = sim.submit(owner, &modal, &[("name", "Ferris")]).await.unwrap();
    assert_eq!((hello.content.as_str(), hello.ephemeral), ("Hello Ferris", true));
    assert_eq!(sim.press(owner, &hello, "sure").await.unwrap().content, "Sure it is");
    assert_eq!(sim.command(owner, "slow", &[]).await.unwrap().content, "at last");

    let whispered =
        |sim: &Sim| sim.ephemeral_messages(house.channel, owner.user).iter().any(|it| it.content == "and more");
    sim.wait_until(WITHIN, "the followup", whispered).await.unwrap();

    sim.go_away().await;
    sim.rename_channel(house.channel, "renamed");
    sim.come_back().await;
    assert_eq!(bot.until("renamed").await["renamed"], "renamed", "what was missed is replayed");
    bot.until("resumed").await;
    sim.reconnect_gateway();
    bot.until("resumed").await;
    sim.invalidate_sessions(true);
    bot.until("resumed").await;
    assert_eq!((sim.statistics().resumes, sim.statistics().identifies), (3, 1));
    assert_eq!(sim.command(owner, "echo", &[("text", json!("again"))]).await.unwrap().content, "again");
}

#[tokio::test]
async fn discordjs_notices_a_zombie_and_resumes() {
    let mut options = House::quick();
    options.heartbeat_interval = Duration::from_millis(500);
    let house = House::with(options).await;
    let (mut bot, _) = Bot::start(&house.sim).await;
    house.sim.acknowledge_heartbeats(false);
    house.sim.wait_until(WITHIN, "the connection's end", |sim| !sim.gateway_connected()).await.unwrap();
    house.sim.acknowledge_heartbeats(true);
    bot.until("resumed").await;
}

#[tokio::test]
async fn discordjs_sends_with_a_nonce_and_waits_out_both_429s() {
    let house = House::new().await;
    let (mut bot, _) = Bot::start(&house.sim).await;
    let once = json!({ "channel": house.channel.to_string(), "content": "once", "nonce": "n" });
    let (first, again) = (bot.send(once.clone()).await, bot.send(once).await);
    assert_eq!((&first, house.sim.messages(house.channel).len()), (&again, 1));
    for scope in [Scope::User, Scope::Global] {
        house.sim.trouble(Route::MessageCreate, Trouble::RateLimited { scope, retry_after: 1.0 }, Some(1));
        let asked = Instant::now();
        bot.send(json!({ "channel": house.channel.to_string(), "content": "later" })).await;
        assert!(asked.elapsed() >= Duration::from_secs(1), "{scope:?}: after {:?}", asked.elapsed());
    }
    let statistics = house.sim.statistics();
    assert_eq!((statistics.creates_accepted, statistics.nonce_replays, statistics.rate_limited_total()), (3, 1, 2));
}
