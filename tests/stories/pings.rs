//! Members' own pings: a server that is back, so many players on it, its wipe; in the channel that an admin allowed, and
//! nowhere else.

use std::collections::BTreeSet;
use std::time::Duration;

use discord_sim::{Actor, Message, Reply, Route, Sim, Trouble};
use guildwire::discord::words;
use guildwire_harness::house::{FIRST_ACCOUNT, Guild, House, PATIENCE, Publisher, SECOND_ACCOUNT, SECOND_USER};
use guildwire_harness::{NatsConfig, RunningBot, TcpProxy};
use serde_json::Value;

use crate::fire::eventually;
use crate::installation::{file, on_sqlite, says};
use crate::support::{Database, build_house, on_both_databases};

on_both_databases!(
    members_are_pinged_once_when_a_server_is_back_and_after_a_wipe,
    so_many_players_are_told_once_within_the_cooldown_and_over_a_restart,
    hundreds_are_called_by_as_few_messages_as_hold_them,
    nobody_is_pinged_where_it_is_not_allowed_or_not_any_more,
    what_is_asked_for_has_limits_and_can_be_left,
    the_button_offers_what_can_be_waited_for_and_shows_what_one_has,
    nothing_in_a_servers_name_calls_anybody,
);
on_sqlite!(
    what_a_backlog_goes_through_pings_nobody,
    a_channel_that_takes_no_pings_is_told_of_and_what_is_late_calls_nobody,
);

const SEND_MESSAGES: u64 = 1 << 11;

const ALLOWED: &str = "Nobody can be pinged here yet: somebody with **Manage Server** has to allow a channel for it with \
                       `/board pings`. I send no direct messages.";

/// A guild with servers, a channel for pings, and one that shows how far the servers' events are recorded.
struct Town {
    house: House,
    bot: RunningBot,
    guild: Guild,
    chat: u64,
    pings: u64,
    servers: Publisher,
    /// How many lines `chat` is to show.
    told: usize,
    /// Members by whom it shows that what was recorded has been looked at.
    scouts: BTreeSet<u64>,
}

impl Town {
    async fn build(database: Database) -> Town {
        let house = build_house(database).await;
        house.add_accounts().await.unwrap();
        Town::build_in(house).await
    }

    /// The same in a house with both accounts, whose bot is not yet running.
    async fn build_in(house: House) -> Town {
        let bot = house.start().await.unwrap();
        let guild = house.guild("Rustaceans");
        let (chat, pings) = (house.channel(guild, "chat"), house.channel(guild, "pings"));
        house.link(guild, FIRST_ACCOUNT).await.unwrap();
        house.notify(guild, chat, "chat", &[]).await.unwrap();
        let servers = house.publisher(FIRST_ACCOUNT).await.unwrap();
        Town { house, bot, guild, chat, pings, servers, told: 0, scouts: BTreeSet::new() }
    }

    /// Where pings are allowed, and the server `main` runs.
    async fn allowing(database: Database) -> Town {
        let mut town = Town::build(database).await;
        town.say("main", "started").await;
        town.allow(Some(town.pings)).await;
        town
    }

    /// A server says something of itself, which is recorded when this is over.
    async fn say(&mut self, server: &str, what: &str) {
        self.servers.publish(&format!("{server}.events.{what}"), "{}").await.unwrap();
        self.servers.publish("marker.events.player.1.chatted", r#"{"message":"and then"}"#).await.unwrap();
        self.told += 1;
        self.house.wait_for_shown(self.chat, self.told).await.unwrap();
    }

    async fn moves(&self, player: u64, what: &str) {
        let subject = format!("main.players.7656119800000{player:04}.events.{what}");
        let joins = serde_json::json!({ "player": { "name": format!("Player {player}") } }).to_string();
        self.servers.publish(&subject, &joins).await.unwrap();
    }

    async fn allow(&self, channel: Option<u64>) -> String {
        let options: Vec<_> =
            channel.map(|channel| ("channel", Value::from(channel.to_string()))).into_iter().collect();
        says(&self.house, self.guild, "board pings", &options).await
    }

    fn member(&self, name: &str) -> Actor {
        let user = self.house.discord.add_member(self.guild.id, name, 0);
        Actor { guild: self.guild.id, channel: self.guild.lobby, user }
    }

    async fn command(&self, by: Actor, name: &str, options: &[(&str, Value)]) -> Reply {
        let reply = self.house.discord.command(by, name, options).await.unwrap();
        assert!(reply.ephemeral, "{reply:?}");
        reply
    }

    /// `/ping me`, of which the answer has to begin like that.
    async fn ask(&self, by: Actor, server: &str, when: &str, players: Option<u32>) -> String {
        let mut options = vec![("server", Value::from(server)), ("when", when.into())];
        options.extend(players.map(|players| ("players", players.into())));
        self.command(by, "ping me", &options).await.content
    }

    /// Waits until what is recorded by now was looked at, and told: a wish that is made behind it has come about, and is
    /// told in the same channel.
    async fn settle(&mut self) {
        self.settle_as_told(self.guild, self.pings).await;
    }

    /// The same by what another guild is told, of the same account: nobody can be sent ahead where nobody may be pinged.
    async fn settle_as_told(&mut self, guild: Guild, pings: u64) {
        let user = self.house.discord.add_member(guild.id, "scout", 0);
        let scout = Actor { guild: guild.id, channel: guild.lobby, user };
        self.scouts.insert(scout.user);
        let server = format!("scout-{}", self.scouts.len());
        self.say(&server, "started").await;
        self.ask(scout, &server, "wiped", None).await;
        self.say(&server, "wiped").await;
        let called =
            |discord: &Sim| discord.messages(pings).iter().any(|message| message.notified_users == [scout.user]);
        self.house.discord.wait_until(PATIENCE, "a scout is pinged", called).await.unwrap();
    }

    /// The pings in the channel, without the scouts'.
    fn shown(&self) -> Vec<Message> {
        let mut messages = self.house.discord.messages(self.pings);
        messages.retain(|message| !message.notified_users.iter().any(|user| self.scouts.contains(user)));
        messages
    }

    /// The same once there are so many, and no more by then.
    async fn pinged(&self, count: usize) -> Vec<Message> {
        let enough = |_: &Sim| self.shown().len() >= count;
        self.house.discord.wait_until(PATIENCE, "members are pinged", enough).await.unwrap();
        let shown = self.shown();
        assert_eq!(shown.len(), count, "{shown:#?}");
        shown
    }
}

/// What a ping says, without moments.
fn sentence(message: &Message) -> String {
    crate::installation::without_moments(message.embeds[0].description.as_deref().unwrap_or_default())
}

/// What each ping says, and whom it notified.
fn told(messages: &[Message]) -> Vec<(String, Vec<u64>)> {
    messages.iter().map(|message| (sentence(message), message.notified_users.clone())).collect()
}

async fn members_are_pinged_once_when_a_server_is_back_and_after_a_wipe(database: Database) {
    let mut town = Town::allowing(database).await;
    let (ann, bob) = (town.member("ann"), town.member("bob"));
    let (back, wiped) = ("🔔 Server **main** is back", "🔔 Server **main** was wiped: a fresh world awaits");
    let asked = town.ask(ann, "main", "back", None).await;
    let pings = town.pings;
    let wanted = format!(
        "🔔 I ping you in <#{pings}> when **main** is back after it was down, at most once in 1 hour. `/ping list` shows \
         what you asked for, and `/ping leave` ends it."
    );
    assert_eq!(asked, wanted);
    let again = town.ask(ann, "GA-1 main", "back", None).await;
    assert_eq!(
        again,
        format!("You have that already: I ping you in <#{pings}> when **main** is back after it was down.")
    );
    town.ask(bob, "main", "wiped", None).await;
    town.ask(bob, "main", "back", None).await;
    let listed = town.command(bob, "ping list", &[]).await;
    assert_eq!(listed.content, format!("You are pinged in <#{pings}> when:"));
    let entries = listed.embeds[0].description.as_deref();
    assert_eq!(entries, Some("🔔 **main** · GA-1 is back after it was down\n\n🔔 **main** · GA-1 was wiped"));

    town.say("main", "stopped").await;
    town.settle().await;
    town.say("main", "started").await;
    let messages = town.pinged(1).await;
    assert_eq!(told(&messages), [(back.to_owned(), vec![ann.user, bob.user])]);
    assert_eq!(messages[0].content, format!("<@{}><@{}>", ann.user, bob.user));

    for what in ["stopped", "started"] {
        town.say("main", what).await;
        town.settle().await;
    }
    town.say("main", "wiped").await;
    let messages = town.pinged(2).await;
    assert_eq!(told(&messages)[1..], [(wiped.to_owned(), vec![bob.user])], "what fell into the cooldown is not told");
}

async fn so_many_players_are_told_once_within_the_cooldown_and_over_a_restart(database: Database) {
    let mut town = Town::allowing(database).await;
    let ann = town.member("ann");
    assert_eq!(town.ask(ann, "main", "players", None).await, words::PING_NEEDS_PLAYERS);
    let asked = town.ask(ann, "main", "players", Some(2)).await;
    assert!(asked.contains("when **main** has at least 2 players on"), "{asked}");
    for player in 1..=3 {
        town.moves(player, "connected").await;
    }
    let messages = town.pinged(1).await;
    let (said, notified) = told(&messages).remove(0);
    // Whoever came while it was looked counts.
    assert!(
        ["🔔 2 players are on: Server **main**", "🔔 3 players are on: Server **main**"].contains(&said.as_str()),
        "{said}"
    );
    assert_eq!(notified, [ann.user]);
    // Else the third may not be recorded by then.
    town.settle().await;
    let asked = town.ask(ann, "main", "players", Some(3)).await;
    assert!(asked.ends_with(words::PING_NOT_NOW), "{asked}");
    for what in ["disconnected", "connected"] {
        town.moves(3, what).await;
        town.settle().await;
    }

    town.bot.terminate().await.unwrap();
    town.house.bot = town.house.bot.clone().setting("pings.cooldown_seconds", "1");
    town.bot = town.house.start().await.unwrap();
    town.settle().await;
    town.pinged(1).await;
    for what in ["disconnected", "connected"] {
        town.moves(3, what).await;
        town.settle().await;
    }
    let messages = town.pinged(2).await;
    assert_eq!(told(&messages)[1], ("🔔 3 players are on: Server **main**".to_owned(), vec![ann.user]));
}

async fn hundreds_are_called_by_as_few_messages_as_hold_them(database: Database) {
    let mut town = Town::allowing(database).await;
    town.say("main", "stopped").await;
    let mut waiting = BTreeSet::new();
    for number in 0..250 {
        let member = town.member(&format!("member {number}"));
        town.ask(member, "main", "back", None).await;
        waiting.insert(member.user);
    }
    town.settle().await;
    town.say("main", "started").await;
    let messages = town.pinged(3).await;
    let mut called = Vec::new();
    for message in &messages {
        assert_eq!(sentence(message), "🔔 Server **main** is back");
        assert!(message.notified_users.len() <= 100 && message.content.len() <= 2_000, "{message:?}");
        assert_eq!(message.embeds.len(), 1, "a ping stands alone");
        let mentions: Vec<_> = message.notified_users.iter().map(|user| format!("<@{user}>")).collect();
        let content = mentions.concat();
        assert_eq!(message.content, content, "whom it names, it notifies");
        called.extend(&message.notified_users);
    }
    assert_eq!(called.len(), 250, "nobody is called twice");
    assert_eq!(called.into_iter().collect::<BTreeSet<_>>(), waiting);
}

async fn nobody_is_pinged_where_it_is_not_allowed_or_not_any_more(database: Database) {
    let mut town = Town::build(database).await;
    town.say("main", "started").await;
    let (ann, bob) = (town.member("ann"), town.member("bob"));
    assert_eq!(town.ask(ann, "main", "back", None).await, ALLOWED);
    let refused = town.house.discord.command(ann, "board pings", &[]).await;
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(town.allow(None).await, words::PINGS_FORBIDDEN_ALREADY);
    town.house.discord.deny(town.pings, SEND_MESSAGES);
    let denied = town.allow(Some(town.pings)).await;
    assert!(denied.contains("**Send Messages**"), "{denied}");
    town.house.discord.deny(town.pings, 0);
    // The gateway's word of it comes by another way than the command.
    eventually("the channel is mended", async || town.allow(Some(town.pings)).await.starts_with("Members")).await;
    assert_eq!(town.allow(Some(town.pings)).await, words::pings_allowed_already(town.pings));

    town.ask(ann, "main", "back", None).await;
    assert_eq!(town.allow(None).await, words::PINGS_FORBIDDEN);
    assert_eq!(town.ask(bob, "main", "back", None).await, ALLOWED);
    let listed = town.command(ann, "ping list", &[]).await.content;
    assert!(listed.starts_with("No channel is allowed for pings"), "{listed}");
    let neighbours = town.house.guild("Neighbours");
    let theirs = town.house.channel(neighbours, "pings");
    town.house.link(neighbours, FIRST_ACCOUNT).await.unwrap();
    town.house.command(neighbours, "board pings", &[("channel", theirs.to_string().into())]).await.unwrap();
    for what in ["stopped", "started"] {
        town.say("main", what).await;
        town.settle_as_told(neighbours, theirs).await;
    }
    town.pings = town.house.channel(town.guild, "elsewhere");
    town.allow(Some(town.pings)).await;
    town.settle().await;
    town.pinged(0).await;
    town.say("main", "stopped").await;
    town.settle().await;
    town.say("main", "started").await;
    let messages = town.pinged(1).await;
    assert_eq!(told(&messages), [("🔔 Server **main** is back".to_owned(), vec![ann.user])]);
    let audited = town.house.operate(&["audit"]).await.unwrap();
    assert_eq!(audited.matches("pings allowed").count(), 3, "the neighbours', too: {audited}");
    assert_eq!(audited.matches("pings forbidden").count(), 1, "{audited}");
}

async fn what_is_asked_for_has_limits_and_can_be_left(database: Database) {
    let mut town = Town::allowing(database).await;
    let (ann, bob) = (town.member("ann"), town.member("bob"));
    for server in ["second", "third", "fourth"] {
        town.say(server, "started").await;
    }
    assert_eq!(town.command(ann, "ping list", &[]).await.content, words::NO_PINGS);
    assert_eq!(town.command(ann, "ping leave", &[]).await.content, words::NO_PINGS);
    let unknown = town.ask(ann, "fifth", "back", None).await;
    assert_eq!(
        unknown,
        "I have heard of no server fifth yet. I know: **fourth**, **main**, **marker**, **second**, **third**."
    );
    let mut answers = Vec::new();
    for server in ["main", "second", "third", "fourth"] {
        for (when, players) in [("back", None), ("players", Some(5)), ("wiped", None)] {
            answers.push(town.ask(ann, server, when, players).await);
        }
    }
    assert!(answers[..10].iter().all(|answer| answer.starts_with("🔔")), "{answers:#?}");
    assert_eq!(answers[10..], [words::too_many_pings(10), words::too_many_pings(10)]);
    assert!(town.ask(bob, "fourth", "wiped", None).await.starts_with("🔔"), "what one has is not what others have");

    let offered = async |by| -> Vec<String> {
        let choices = town.house.discord.autocomplete(by, "ping leave", &[], "server", "").await.unwrap();
        choices.into_iter().map(|choice| choice.name).collect()
    };
    says(&town.house, town.guild, "server rename", &[("server", "main".into()), ("name", "Home".into())]).await;
    says(&town.house, town.guild, "server forget", &[("server", "second".into())]).await;
    assert_eq!(offered(ann).await, ["fourth · GA-1", "Home (main) · GA-1", "second · GA-1", "third · GA-1"]);
    assert_eq!(offered(bob).await, ["fourth · GA-1"]);

    let leave = async |by, server: &'static str| {
        let options = [("server", Value::from(server))];
        town.command(by, "ping leave", &options).await.content
    };
    assert_eq!(leave(ann, "HOME").await, words::pings_left(3));
    assert_eq!(leave(ann, "main").await, words::no_pings_of("main"));
    assert_eq!(leave(ann, "GA-1 fourth").await, words::pings_left(1));
    town.ask(ann, "main", "wiped", None).await;
    town.ask(bob, "main", "wiped", None).await;
    assert_eq!(town.command(ann, "ping leave", &[]).await.content, words::pings_left(7));
    town.say("main", "wiped").await;
    let messages = town.pinged(1).await;
    assert_eq!(messages[0].notified_users, [bob.user], "who left is not called");

    // What Discord does not accept is told without calling anybody, and holds up nobody.
    let trouble = Trouble::Error { status: 400, code: 50_035, message: "Invalid Form Body".to_owned() };
    town.house.discord.trouble(Route::MessageCreateIn(town.pings), trouble, Some(1));
    town.ask(ann, "second", "wiped", None).await;
    town.say("second", "wiped").await;
    let messages = town.pinged(2).await;
    let plain = format!("{}\n🔔 Server second was wiped\\: a fresh world awaits", words::PLAIN);
    assert_eq!(told(&messages)[1], (plain, vec![]));
}

async fn the_button_offers_what_can_be_waited_for_and_shows_what_one_has(database: Database) {
    let mut town = Town::allowing(database).await;
    let long = "x".repeat(90);
    for server in ["second", "unknown", &long] {
        town.say(server, "started").await;
    }
    let discord = town.house.discord.clone();
    let ann = town.member("ann");
    let below = town.command(ann, "ping list", &[]).await;
    let offered = discord.forge_component(ann, &below, "ping", None).await.unwrap();
    assert!(offered.ephemeral && offered.content == words::CHOOSE_PING_BELOW, "{offered:?}");
    let options = offered.components[0]["components"][0]["options"].as_array().unwrap();
    let labels: Vec<_> = options.iter().map(|option| option["label"].as_str().unwrap()).collect();
    assert_eq!(labels.len(), 18, "six for each of three servers: {labels:?}");
    assert_eq!(labels[..3], ["main is back after it was down", "main was wiped", "main has at least 10 players on"]);

    let values = ["wiped:0:GA-1 second", "players:50:GA-1 second", "players:10:GA-1 second", "players:25:GA-1 second"];
    let chosen = discord.select(ann, &offered, "ping_choose", &values).await.unwrap();
    let said = chosen.embeds[0].description.as_deref().unwrap();
    assert_eq!(said.matches("when **second**").count(), 2, "{said}");
    assert!(said.contains("at least 10 players on") && said.ends_with(words::PING_LEAST), "{said}");
    let instead = town.ask(ann, "second", "players", Some(25)).await;
    assert!(instead.ends_with(&words::ping_instead_of(10)), "{instead}");
    let wrong = ["wiped:0:GA-1 nowhere", "down:0:GA-1 main", "players:0:GA-1 main", "back", "wiped:0:GA-1 unknown"];
    for value in wrong {
        let forged = discord.forge_component(ann, &offered, "ping_choose", Some(&[value])).await.unwrap();
        assert_eq!(forged.embeds[0].description.as_deref(), Some(words::PING_CHOICE_GONE), "{value}");
    }

    let offered = discord.forge_component(ann, &below, "ping", None).await.unwrap();
    let wanted = format!("You are pinged in <#{}> when:\n\n{}", town.pings, words::MORE_BY_COMMAND);
    assert_eq!(offered.content, wanted, "one server's name is too long for a choice");
    let left = discord.press(ann, &offered, "ping_leave").await.unwrap();
    assert_eq!(left.content, words::pings_left(2));

    assert_eq!(town.ask(ann, "unknown", "back", None).await, words::NO_SERVER_OF_THAT_NAME);
    let maintained = [("server", Value::from("unknown")), ("duration", "15m".into())];
    let said = says(&town.house, town.guild, "maintenance start", &maintained).await;
    assert_eq!(said, words::NO_SERVER_OF_THAT_NAME);
    for (hidden, wanted) in
        [(&["main", "marker", "second"][..], words::PINGS_BY_COMMAND), (&[long.as_str()][..], words::ALL_HIDDEN)]
    {
        for server in hidden {
            says(&town.house, town.guild, "server forget", &[("server", (*server).into())]).await;
        }
        let offered = discord.forge_component(ann, &below, "ping", None).await.unwrap();
        assert_eq!(offered.content, wanted);
    }
}

/// While guildwire was away, as many came as a member waits for, and went. The way from nats-server ends in the midst of what
/// it reads then.
async fn what_a_backlog_goes_through_pings_nobody(database: Database) {
    let house = build_house(database).await;
    let nats = TcpProxy::start(house.nats.address()).await.unwrap();
    let (user, password) = SECOND_USER;
    let password = file(&house, "second.password", password);
    for added in [
        [FIRST_ACCOUNT, "--user", NatsConfig::BLOG_POST_USER, "--url", &nats.url_for("nats")].as_slice(),
        &[SECOND_ACCOUNT, "--user", user, "--password-file", &password],
    ] {
        house.operate(&[&["account", "add"], added].concat()).await.unwrap();
    }
    let mut town = Town::build_in(house).await;
    town.say("main", "started").await;
    town.allow(Some(town.pings)).await;
    let (ann, scout) = (town.member("ann"), town.member("scout"));
    town.scouts.insert(scout.user);
    town.ask(ann, "main", "players", Some(2)).await;
    // The other account's way stays open: by its server it shows that it was looked.
    let (guild, pings) = (town.guild, town.pings);
    let theirs = town.house.channel(guild, "theirs");
    town.house.link(guild, SECOND_ACCOUNT).await.unwrap();
    town.house.notify(guild, theirs, "lifecycle", &[("account", SECOND_ACCOUNT.into())]).await.unwrap();
    let other = town.house.publisher(SECOND_ACCOUNT).await.unwrap();
    other.publish("other.events.started", "{}").await.unwrap();
    town.house.wait_for_shown(theirs, 1).await.unwrap();
    town.ask(scout, "other", "wiped", None).await;

    town.bot.terminate().await.unwrap();
    for player in [1, 2] {
        town.moves(player, "connected").await;
    }
    // More than the proxy reads at once lies between those who come and what it keeps.
    for text in ["on and on ", "on and on ", "on and on ", "on and on ", "on and on ", "held back "] {
        let said = serde_json::json!({ "message": text.repeat(2_000) }).to_string();
        town.servers.publish("marker.events.player.1.chatted", &said).await.unwrap();
    }
    for player in [1, 2] {
        town.moves(player, "disconnected").await;
    }
    nats.hold_from_target_at(b"held back ");
    town.bot = town.house.start().await.unwrap();
    let is_on = async || says(&town.house, guild, "players", &[("server", "main".into())]).await.contains("Player 2");
    eventually("the first part is recorded", async || is_on().await).await;
    other.publish("other.events.wiped", "{}").await.unwrap();
    let called = |discord: &Sim| discord.messages(pings).iter().any(|message| message.notified_users == [scout.user]);
    town.house.discord.wait_until(PATIENCE, "a scout is pinged", called).await.unwrap();
    town.pinged(0).await;

    nats.release();
    eventually("the rest is recorded", async || !is_on().await).await;
    for player in [1, 2] {
        town.moves(player, "connected").await;
    }
    let messages = town.pinged(1).await;
    assert_eq!(told(&messages), [("🔔 2 players are on: Server **main**".to_owned(), vec![ann.user])]);
}

async fn a_channel_that_takes_no_pings_is_told_of_and_what_is_late_calls_nobody(database: Database) {
    let mut house = build_house(database).await;
    // Longer than an account is out of reach that is read for the first time, on a slow machine, too.
    house.bot = house.bot.clone().setting("notices.after_seconds", "6");
    house.add_accounts().await.unwrap();
    let mut town = Town::build_in(house).await;
    for what in ["started", "stopped"] {
        town.say("main", what).await;
    }
    town.allow(Some(town.pings)).await;
    let ann = town.member("ann");
    town.ask(ann, "main", "back", None).await;
    town.house.discord.deny(town.pings, SEND_MESSAGES);
    let notice = format!("🔴 <#{}> gets no messages right now.", town.pings);
    let is_told = |_: &Sim| town.house.shown(town.chat).iter().any(|line| line.starts_with(&notice));
    town.house.discord.wait_until(PATIENCE, "the guild is told of it", is_told).await.unwrap();
    town.told += 1;
    let held_up = words::pings_held_up(town.pings);
    let listed = town.command(ann, "ping list", &[]).await.content;
    assert_eq!(listed, format!("{held_up}\n\nYou are pinged in <#{}> when:", town.pings));
    let asked = town.ask(ann, "main", "wiped", None).await;
    assert!(asked.starts_with("🔔") && asked.ends_with(&held_up), "{asked}");

    let neighbours = town.house.guild("Neighbours");
    let theirs = town.house.channel(neighbours, "pings");
    town.house.link(neighbours, FIRST_ACCOUNT).await.unwrap();
    town.house.command(neighbours, "board pings", &[("channel", theirs.to_string().into())]).await.unwrap();
    town.say("main", "started").await;
    town.settle_as_told(neighbours, theirs).await;
    town.bot.terminate().await.unwrap();
    town.house.bot = town.house.bot.clone().setting("delivery.late_after_seconds", "1");
    // Time alone makes it late.
    tokio::time::sleep(Duration::from_secs(1)).await;
    town.house.discord.deny(town.pings, 0);
    town.bot = town.house.start().await.unwrap();
    let messages = town.pinged(1).await;
    let late = format!("🔔 Server **main** is back\n{}", words::CALLED_LATE);
    assert_eq!(told(&messages), [(late, vec![])]);
    assert_eq!(messages[0].content, "");
}

async fn nothing_in_a_servers_name_calls_anybody(database: Database) {
    let mut town = Town::allowing(database).await;
    let (ann, victim) = (town.member("ann"), town.member("victim"));
    let server = format!("@everyone<@{}>**x**`y`", victim.user);
    town.say(&server, "started").await;
    let asked = town.ask(ann, &server, "wiped", None).await;
    assert!(asked.starts_with("🔔") && !asked.contains(&format!("<@{}>", victim.user)), "{asked}");
    town.say(&server, "wiped").await;
    let message = town.pinged(1).await.remove(0);
    assert_eq!((message.notified_users, message.notified_everyone), (vec![ann.user], false));
    assert!(message.notified_roles.is_empty());
    assert_eq!(message.content, format!("<@{}>", ann.user));
    let shown = message.embeds[0].description.clone().unwrap();
    assert!(shown.contains("\\<\\@") && shown.contains("\\*\\*x"), "{shown}");
    let listed = town.command(ann, "ping list", &[]).await.embeds[0].description.clone().unwrap();
    assert!(!listed.contains("**x**"), "{listed}");
}
