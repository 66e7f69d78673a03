//! Every button pressed once, by the way a page goes, and what Discord shows of it.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use discord_sim::Message;
use guildwire_harness::house::PATIENCE;
use reqwest::header::{CONTENT_TYPE, HOST, ORIGIN};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::board::Board;
use super::machines::{Machines, STORM};
use super::metrics::Metrics;
use super::reading;
use crate::checks::Checks;
use crate::community::cast::PLAYERS;
use crate::community::happening::Happening;
use crate::community::script::{Script, Step, wipe};
use crate::community::town::Town;

/// Between two looks at something that nobody announces.
const STEP: Duration = Duration::from_millis(20);

/// How many messages a storm may take.
const STORM_MESSAGES: usize = 10;

/// The servers' buttons: what is pressed, and what has to stand in the channel then, in this order.
const SERVER_BUTTONS: [(&str, &str, &[&str]); 7] = [
    ("join", "Ironhaven", &["📥 "]),
    ("chat", "Ironhaven", &["💬 "]),
    ("leave", "Ironhaven", &["📤 "]),
    ("ban", "Saltflats", &["🔨 "]),
    ("wipe", "Saltflats", &["✨ Server **Saltflats** was wiped", "🟢 Server **Saltflats** is back"]),
    ("stop", "Ironhaven", &["🔴 Server **Ironhaven** has stopped"]),
    ("start", "Ironhaven", &["🟢 Server **Ironhaven** is back"]),
];

/// Four events: one took up to 0.1 s, two up to 1 s, one longer.
const DELIVERIES: &str = r#"guildwire_delivery_seconds_bucket{le="0.1"} 1
guildwire_delivery_seconds_bucket{le="1.0"} 3
guildwire_delivery_seconds_bucket{le="+Inf"} 4
# EOF
"#;

/// The rules that need no machines: how numbers are read, and two thousand turns of the community's life.
pub(crate) fn rules(checks: &mut Checks) {
    let read = Metrics::parse(DELIVERIES).to_json();
    // Half of the two in the middle are done at 0.55 s; of the slowest is known only that it took a second at least.
    let is_right = read["p50"] == 0.55 && read["p99"] == 1.0;
    checks.note("p50 and p99 are read from the bot's histogram", (!is_right).then(|| read.to_string()));
    checks.note("what is told together is counted as a person counts it", reading::miscounted());
    let (life, same, other) = (life(1), life(1), life(2));
    checks.note(
        "the same seed tells the same life, another one another",
        (life != same || life == other).then(String::new),
    );
    let subjects: Vec<String> =
        life.iter().filter_map(|(_, what)| what.wire("s", 0)).map(|(subject, _)| subject).collect();
    let ends = [
        "started",
        "stopping",
        "wiped",
        "connected",
        "disconnected",
        "chatted",
        "hit",
        "respawned",
        "gatheredResources",
        "reported",
        "banned",
    ];
    let missing = ends.iter().find(|end| !subjects.iter().any(|subject| subject.ends_with(&format!(".{end}"))));
    let crash = life.iter().any(|(_, what)| *what == Happening::Crashed);
    let idle =
        (0..PLAYERS.len()).find(|player| !life.iter().any(|(_, what)| *what == Happening::Joined { player: *player }));
    let problem = (missing.is_some() || !crash || idle.is_some())
        .then(|| format!("missing: {missing:?}, a crash: {crash}, who never joined: {idle:?}"));
    checks.note("a life has everything in it: all players, chat, kills, bans, a wipe and a crash", problem);
    let mut town = Town::new();
    town.apply(0, &Happening::Started);
    for player in 0..PLAYERS.len() {
        town.apply(0, &Happening::Joined { player });
    }
    for (server, what) in wipe(&town, 0) {
        town.apply(server, &what);
    }
    let left = town.on(0);
    checks.note("a wipe puts everybody out", (!left.is_empty()).then(|| format!("{left:?} are still on it")));
}

fn life(seed: u64) -> Vec<Step> {
    let (mut script, mut town) = (Script::new(seed), Town::new());
    let mut steps = script.opening(&town);
    for (server, what) in &steps {
        town.apply(*server, what);
    }
    for _ in 0..2_000 {
        if let Some((server, what)) = script.next(&mut town) {
            town.apply(server, &what);
            steps.push((server, what));
        }
    }
    steps
}

/// Whoever presses the page's buttons.
struct Watcher<'a> {
    machines: &'a Machines,
    client: Client,
    url: String,
    host: String,
}

/// Opens the page and presses every button of it.
pub(crate) async fn press_everything(machines: &Machines, board: &Board, port: u16, checks: &mut Checks) -> Result<()> {
    let client = Client::builder().no_proxy().build()?;
    let host = format!("127.0.0.1:{port}");
    let watcher = Watcher { machines, client, url: format!("http://{host}"), host };
    watcher.look(checks).await?;
    for step in board.decide(|script, town| script.opening(town)) {
        machines.happen(board, |_, _| Some(step)).await?;
    }
    machines.first_message(board).await?;
    watcher.intrude(checks).await?;
    for (action, server, expected) in SERVER_BUTTONS {
        let before = watcher.shown().len();
        watcher.press(&json!({ "action": action, "server": server })).await?;
        watcher.note(checks, &format!("the button “{action}”"), before, expected).await;
    }
    watcher.press(&json!({ "action": "crash", "server": "Saltflats" })).await?;
    let crashed = watcher.wait(|state| state["town"]["servers"][1]["state"] == "crashed").await;
    let problem = crashed.err().map(|error| error.to_string());
    checks.note("a server that crashed is shown as such on the page, which alone knows", problem);
    watcher.litter(checks).await?;
    watcher.hurt(checks).await?;
    watcher.storm(checks).await?;
    watcher.count(checks).await
}

impl Watcher<'_> {
    /// The page and what it consists of.
    async fn look(&self, checks: &mut Checks) -> Result<()> {
        let mut problem = None;
        for path in ["/", "/style.css", "/panel.js", "/view.js", "/state"] {
            let answer = self.client.get(format!("{}{path}", self.url)).send().await?;
            let policy = answer.headers().get("content-security-policy").and_then(|policy| policy.to_str().ok());
            if !answer.status().is_success() || !policy.is_some_and(|policy| policy.starts_with("default-src 'none';"))
            {
                problem = Some(format!("{path} is answered {answer:?}"));
            }
        }
        checks.note("the page is served, and may load nothing from elsewhere", problem);
        let frame = self.state().await?["frame"].as_str().unwrap_or_default().to_owned();
        let answer = self.client.get(&frame).send().await?;
        let is_html = answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        checks.note("Discord's own page is there for its frame", (!is_html).then(|| format!("{answer:?}")));
        Ok(())
    }

    /// What a page from elsewhere could try.
    async fn intrude(&self, checks: &mut Checks) -> Result<()> {
        let before = self.state().await?["lines"].clone();
        let body = json!({ "action": "bot_kill" }).to_string();
        let post = || self.client.post(format!("{}/actions", self.url)).body(body.clone());
        let own = self.url.as_str();
        let tries: [(&str, RequestBuilder, StatusCode); 7] = [
            ("no origin", post().header(CONTENT_TYPE, "application/json"), StatusCode::FORBIDDEN),
            (
                "a foreign origin",
                post().header(CONTENT_TYPE, "application/json").header(ORIGIN, "https://example.org"),
                StatusCode::FORBIDDEN,
            ),
            (
                "a sandboxed frame",
                post().header(CONTENT_TYPE, "application/json").header(ORIGIN, "null"),
                StatusCode::FORBIDDEN,
            ),
            (
                "a form",
                post().header(CONTENT_TYPE, "text/plain").header(ORIGIN, own),
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ),
            (
                "a name that was made to point here",
                post()
                    .header(CONTENT_TYPE, "application/json")
                    .header(HOST, "evil.example")
                    .header(ORIGIN, "http://evil.example"),
                StatusCode::MISDIRECTED_REQUEST,
            ),
            (
                "the same, reading",
                self.client.get(format!("{own}/state")).header(HOST, "evil.example"),
                StatusCode::MISDIRECTED_REQUEST,
            ),
            (
                "an unknown action",
                self.client
                    .post(format!("{own}/actions"))
                    .header(CONTENT_TYPE, "application/json")
                    .header(ORIGIN, own)
                    .body("{}"),
                StatusCode::BAD_REQUEST,
            ),
        ];
        let mut problem = None;
        for (what, request, expected) in tries {
            let status = request.send().await?.status();
            if status != expected {
                problem = Some(format!("{what} is answered {status}"));
            }
        }
        if self.state().await?["lines"] != before {
            problem = Some("something happened".to_owned());
        }
        checks.note("nobody but the page itself can press its buttons", problem);
        Ok(())
    }

    /// Garbage.
    async fn litter(&self, checks: &mut Checks) -> Result<()> {
        let before = self.shown().len();
        self.press(&json!({ "action": "garbage" })).await?;
        let expected = ["[76561197900000666](", "❔ **meteor\\.landed**", "＠everyone \\[free skins"];
        self.note(checks, "the button “garbage”", before, &expected).await;
        let counted = self.wait(|state| state["metrics"]["rejected"] == 1.0).await;
        checks.note("what is no event is set aside and counted", counted.err().map(|error| error.to_string()));
        Ok(())
    }

    /// A thousand events: all can be read, in few messages, and what the servers say without opening a file.
    async fn storm(&self, checks: &mut Checks) -> Result<()> {
        let before = self.messages().len();
        self.press(&json!({ "action": "storm" })).await?;
        let read = || self.messages().iter().skip(before).map(|message| self.events(message)).sum::<usize>();
        // A message that began an incident counts until it is edited, seconds after the one that closes it lists all.
        let all = self.machines.discord.wait_until(PATIENCE, "the storm", |_| read() == STORM).await;
        let news = self.messages().split_off(before);
        let is_condensed = news.len() <= STORM_MESSAGES;
        let problem = (all.is_err() || read() != STORM || !is_condensed)
            .then(|| format!("{} events can be read, in {} messages", read(), news.len()));
        checks.note(format!("{STORM} events at once can all be read, in at most {STORM_MESSAGES} messages"), problem);
        let hidden: Vec<String> =
            news.iter().flat_map(|message| reading::hidden(&self.machines.discord, message)).collect();
        let problem = (!hidden.is_empty()).then(|| hidden.join("; "));
        checks.note("what a server said last in a storm is seen without opening a file", problem);
        Ok(())
    }

    /// Discord, nats-server and the bot are hurt, and somebody joins meanwhile.
    async fn hurt(&self, checks: &mut Checks) -> Result<()> {
        for (action, part) in [("discord_away", "discord"), ("nats_restart", "nats"), ("bot_kill", "bot")] {
            let before = self.shown().len();
            self.press(&json!({ "action": action })).await?;
            self.wait(|state| state["parts"][part] != "running").await.with_context(|| format!("{part} is hurt"))?;
            let again = self.post(&json!({ "action": action })).await?;
            self.press(&json!({ "action": "join", "server": "Ironhaven" })).await?;
            self.wait(|state| state["parts"][part] == "running").await.with_context(|| format!("{part} comes back"))?;
            self.note(checks, &format!("who joins during “{action}”"), before, &["📥 "]).await;
            let twice = (again != StatusCode::CONFLICT).then(|| format!("it is answered {again}"));
            checks.note(format!("“{action}” can't be pressed again while it is under way"), twice);
        }
        Ok(())
    }

    /// Each event once: as many as the stream holds, but for the one that is none.
    async fn count(&self, checks: &mut Checks) -> Result<()> {
        let publisher = self.machines.publisher.lock().await;
        let mut stream = publisher.jetstream.get_stream("EVENTS").await?;
        let stored = usize::try_from(stream.info().await?.state.messages)?;
        let shown = || self.messages().iter().map(|message| self.events(message)).sum::<usize>();
        // Where that never comes, the count tells.
        self.machines.discord.wait_until(PATIENCE, "every event", |_| shown() + 1 == stored).await.ok();
        let shown = shown();
        let problem = (shown + 1 != stored).then(|| format!("{stored} are stored, {shown} are shown"));
        checks.note(format!("each of {} events is shown once, after all of that", stored - 1), problem);
        Ok(())
    }

    /// Waits until all of `expected` stands in the channel, in this order, after what stood there before.
    async fn note(&self, checks: &mut Checks, what: &str, before: usize, expected: &[&str]) {
        let complete = || {
            let shown = self.shown();
            let mut news = shown.iter().skip(before);
            expected.iter().all(|part| news.any(|line| line.contains(part)))
        };
        let shown = self.machines.discord.wait_until(PATIENCE, what, |_| complete()).await;
        let problem = shown.err().map(|_| format!("after it, the channel shows {:?}", &self.shown()[before..]));
        checks.note(format!("{what} shows its effect in Discord"), problem);
    }

    fn messages(&self) -> Vec<Message> {
        self.machines.discord.messages(self.machines.live)
    }

    fn events(&self, message: &Message) -> usize {
        reading::events(&self.machines.discord, message)
    }

    fn shown(&self) -> Vec<String> {
        let messages = self.messages();
        let embeds = messages.iter().flat_map(|message| &message.embeds);
        embeds.map(|embed| embed.description.clone().unwrap_or_default()).collect()
    }

    async fn press(&self, action: &Value) -> Result<()> {
        let status = self.post(action).await?;
        ensure!(status == StatusCode::ACCEPTED, "{action} is answered {status}");
        Ok(())
    }

    async fn post(&self, action: &Value) -> Result<StatusCode> {
        let request =
            self.client.post(format!("{}/actions", self.url)).header(HOST, &self.host).header(ORIGIN, &self.url);
        let answer = request.header(CONTENT_TYPE, "application/json").body(action.to_string()).send().await?;
        Ok(answer.status())
    }

    async fn state(&self) -> Result<Value> {
        let text = self.client.get(format!("{}/state", self.url)).send().await?.text().await?;
        serde_json::from_str(&text).context("the board is JSON")
    }

    async fn wait(&self, holds: impl Fn(&Value) -> bool) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let state = self.state().await?;
            if holds(&state) {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "it did not come to be so: {state}");
            sleep(STEP).await;
        }
    }
}
