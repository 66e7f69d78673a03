//! A day of a busy community, from a generated log: how many messages, edits and mentions its channels get, and what
//! they read like in the end.
//!
//! The day passes in less than two minutes, and nats-server's times with it. What waits by settings waits as much
//! less (but for what has a second as its least: half an hour of that day). Rules without settings keep their time, so whoever
//! is back within the same message has reconnected, whenever they left.

mod log;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use discord_sim::{Message, Sim};
use guildwire::domain::server_state::{Cause, State};
use guildwire::store::Store;
use guildwire::store::servers::Server;
use guildwire_harness::RunningBot;
use guildwire_harness::house::{FIRST_ACCOUNT, Guild, House, PATIENCE, Publisher};
use tokio::time::{Instant, sleep_until};

use crate::fire::{eventually, lines};
use crate::installation::{on_sqlite, says, sqlite_url, without_moments};
use crate::support::{Database, build_house};
use log::{Happening, What};

on_sqlite!(a_busy_day_reads_well_and_takes_few_messages);

/// How much faster the day passes.
const FASTER: u32 = 1_800;

const SEED: u64 = 2_026;

/// Longer than the day takes where nothing is slow.
const LONG: Duration = Duration::from_mins(2);

/// A community with its server.
struct Community {
    house: House,
    guild: Guild,
    bot: RunningBot,
    store: Store,
    /// The server's connection, while it runs.
    server: Option<Publisher>,
    channels: BTreeMap<&'static str, u64>,
}

impl Community {
    async fn found(database: Database) -> Community {
        let mut house = build_house(database).await;
        for (key, value) in [
            ("delivery.grouped_hold_seconds", "1"),
            ("status.presence_seconds", "1"),
            ("status.debounce_seconds", "1"),
            // What belongs to the loop comes within these, and all else hours later.
            ("status.loop_seconds", "13"),
            ("status.hold_seconds", "12"),
            ("log.level", "guildwire=trace,info"),
        ] {
            house.bot = house.bot.clone().setting(key, value);
        }
        house.add_accounts().await.unwrap();
        let bot = house.start().await.unwrap();
        let guild = house.guild("Rustaceans");
        let names = ["status", "players", "staff", "board"];
        let channels = names.into_iter().map(|name| (name, house.channel(guild, name))).collect();
        let store = Store::open(&sqlite_url(&house)).await.unwrap();
        let community = Community { house, guild, bot, store, server: None, channels };
        community.house.link(guild, FIRST_ACCOUNT).await.unwrap();
        let board = [("channel", community.channels["board"].to_string().into())];
        says(&community.house, guild, "board create", &board).await;
        community.bind().await;
        community.bot.wait_for_log("reading the account's events", PATIENCE).await.unwrap();
        community
    }

    async fn bind(&self) {
        let Community { house, guild, channels, .. } = self;
        let role = house.discord.add_role(guild.id, "on call", true).to_string();
        house.notify(*guild, channels["status"], "lifecycle", &[("mention", role.into())]).await.unwrap();
        house.notify(*guild, channels["players"], "players", &[("style", "grouped".into())]).await.unwrap();
        house.notify(*guild, channels["staff"], "moderation", &[]).await.unwrap();
    }

    /// The server connects right after guildwire has looked who is connected, and says that it started before the next look:
    /// that is how it is known to be back.
    async fn start(&mut self) {
        let looks = || self.bot.log().matches("looked who is connected").count();
        let before = looks();
        eventually("guildwire looks who is connected", async || looks() > before).await;
        let seen_before = self.known().await.and_then(|server| server.connection).map(|connection| connection.since);
        let server = self.house.publisher(FIRST_ACCOUNT).await.unwrap();
        server.publish("main.events.started", "{}").await.unwrap();
        self.server = Some(server);
        // Of a connection that was never seen, nobody could tell how it ended.
        self.is("up, by a connection that was seen", |server| {
            let seen = server.connection.map(|connection| connection.since);
            server.state.state == State::Online && seen > seen_before
        })
        .await;
    }

    async fn crash(&mut self) {
        self.server = None;
        self.is("crashed", |server| server.state.cause == Some(Cause::Closed)).await;
    }

    /// Waits until the server is like that.
    async fn is(&self, what: &str, like: impl Fn(&Server) -> bool) {
        eventually(what, async || self.known().await.is_some_and(|server| like(&server))).await;
    }

    async fn known(&self) -> Option<Server> {
        self.store.servers_of_account(&FIRST_ACCOUNT.parse().unwrap()).await.unwrap().pop()
    }

    /// Lives through the day. What takes longer than on that day delays the rest of it.
    async fn live(&mut self, day: &[Happening]) {
        let mut midnight = Instant::now();
        let mut staffed = 0;
        for Happening { at, what } in day {
            sleep_until(midnight + *at / FASTER).await;
            match what {
                What::Says { subject, payload } => {
                    self.server.as_ref().unwrap().publish(subject, payload).await.unwrap();
                    if log::is_for_staff(subject) {
                        // Two that wait together would be told together.
                        staffed += 1;
                        self.house.wait_for_shown(self.channels["staff"], staffed).await.unwrap();
                    }
                }
                What::Crashes => self.crash().await,
                What::StartsAgain => self.start().await,
                What::Holds => eventually("it has held", async || self.text("status").contains("has held")).await,
            }
            midnight = midnight.max(Instant::now() - *at / FASTER);
        }
    }

    fn messages(&self, channel: &str) -> Vec<Message> {
        self.house.discord.messages(self.channels[channel])
    }

    fn text(&self, channel: &str) -> String {
        text(&self.messages(channel))
    }

    /// How many messages a channel has, how often these were edited, and how many roles they called.
    fn counted(&self, channel: &str) -> (usize, u32, usize) {
        let messages = self.messages(channel);
        let edits = messages.iter().map(|message| message.edits).sum();
        (messages.len(), edits, messages.iter().map(|message| message.notified_roles.len()).sum())
    }

    /// How often #players says of each player that they joined, and that they left.
    fn comings(&self) -> BTreeMap<String, (usize, usize)> {
        let mut comings: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for line in lines(&self.house.discord, self.channels["players"]) {
            let (joined, left) = (line.contains("📥"), line.contains("📤"));
            let again = line.contains("🔁");
            for (at, _) in line.match_indices("Player") {
                let coming = comings.entry(line[at..at + log::name(0).len()].to_owned()).or_default();
                coming.0 += usize::from(joined || again);
                coming.1 += usize::from(left || again);
            }
        }
        comings
    }
}

async fn a_busy_day_reads_well_and_takes_few_messages(database: Database) {
    let mut community = Community::found(database).await;
    community.start().await;
    let day = log::day(SEED);
    let began = Instant::now();
    community.live(&day).await;

    let wanted = log::comings(&day);
    let is_over = |_: &Sim| {
        let board = community.text("board");
        community.text("status") == kept("status") && community.comings() == wanted && board.contains("nobody on")
    };
    community.house.discord.wait_until(PATIENCE, "the day is told", is_over).await.ok();
    assert_eq!(community.comings(), wanted, "everybody who came and left is told of");
    let board = community.text("board");
    assert!(board.contains("🟢 online") && board.contains("nobody on"), "what stands at midnight: {board}");

    let mut report = format!("{} happenings of a day, {} players\n", day.len(), wanted.len());
    let counted: BTreeMap<_, _> = community.channels.keys().map(|name| (*name, community.counted(name))).collect();
    for (name, (messages, edits, mentions)) in &counted {
        writeln!(report, "#{name}: {messages} messages, {edits} edits, {mentions} mentions").unwrap();
    }
    println!("{report}");
    // A slow machine takes longer for the day, and each comes only once in some time.
    let longer = u8::try_from(1 + began.elapsed().as_secs() / LONG.as_secs()).unwrap();
    let (messages, edits) = (usize::from(longer), u32::from(longer));
    let most =
        [("board", (1, 30 * edits)), ("players", (60 * messages, 0)), ("staff", (6, 0)), ("status", (12, 16 * edits))];
    let most = BTreeMap::from(most);
    for (name, (messages, edits, _)) in &counted {
        assert!(*messages <= most[name].0 && *edits <= most[name].1, "#{name}: {report}");
    }
    // Up, down at night, the first crash, the wipe's stop, the wipe, and two reloads call people once each.
    let mentions: Vec<_> = counted.values().map(|(_, _, mentions)| *mentions).collect();
    assert_eq!(mentions, [0, 0, 0, 5], "{report}");
    assert_eq!(community.house.discord.statistics().rate_limited_total(), 0);
    let status = community.text("status");
    assert_eq!(status.matches("was wiped").count(), 1, "{status}");
    compare("status", &status);
    compare("staff", &community.text("staff"));
}

/// Compares what a channel reads like with the text that is kept of it, or keeps it where `WRITE_SNAPSHOTS` is set.
#[expect(clippy::disallowed_methods, reason = "this is no setting of the bot's")]
fn compare(name: &str, text: &str) {
    if std::env::var_os("WRITE_SNAPSHOTS").is_some() {
        std::fs::write(snapshot(name), text).unwrap();
    }
    assert_eq!(text, kept(name), "#{name} reads otherwise; WRITE_SNAPSHOTS=1 keeps it as it is:\n{text}");
}

fn kept(name: &str) -> String {
    std::fs::read_to_string(snapshot(name)).unwrap_or_default()
}

fn snapshot(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/snapshots/busy_day/{name}.txt"))
}

/// All embeds, whichever message they are in, without moments and durations. Nor does it say what a slow machine sees otherwise:
/// that a server connected before it said that it started, and not on which connection it said so.
fn text(messages: &[Message]) -> String {
    let mut text = String::new();
    for message in messages {
        let mention = if message.notified_roles.is_empty() { "" } else { "@on call " };
        for embed in &message.embeds {
            let told = without_moments(embed.description.as_deref().unwrap_or_default())
                .replace("it was connected again", "it started")
                .replace("plugin reloaded, or the server was started anew", "plugin reloaded, the server ran on");
            let mut lines: Vec<_> = told.lines().collect();
            lines.dedup();
            writeln!(text, "{mention}{}\n", without_spans(&lines.join("\n"))).unwrap();
        }
    }
    text
}

/// A text with how long something took left out: the day passes quickly, and not always in the same time. What took
/// less than a second says nothing of that.
fn without_spans(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let unit = ["second", "minute"].into_iter().find(|unit| word.starts_with(unit));
        match words.last_mut() {
            Some(last) if unit.is_some() && last.chars().all(|character| character.is_ascii_digit()) => {
                let behind = word.trim_start_matches(|character: char| character.is_ascii_alphabetic());
                *last = format!("<span>{behind}");
            }
            _ => words.push(word.to_owned()),
        }
    }
    let text = words.join(" ").replace("<span> <span>", "<span>");
    text.replace(" is back after <span>", " is back").replace(" is back", " is back after <span>")
}
