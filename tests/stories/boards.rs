//! Boards: one message that is always true, edited in place, sparingly, and never lost.

use std::time::{Duration, Instant};

use discord_sim::{Actor, Bucket, Message, Options, Route, Scope, Sim, Trouble};
use guildwire::discord::board_embed::PING_BUTTON;
use guildwire::discord::words;
use guildwire_harness::house::{FIRST_ACCOUNT, Guild, House, PATIENCE, Publisher};
use guildwire_harness::{RunningBot, TcpProxy};
use serde_json::Value;

use crate::fire::{Fire, eventually};
use crate::installation::{offered, says, without_moments};
use crate::managing::admin;
use crate::support::{Database, on_both_databases};

on_both_databases!(
    a_board_is_true_and_is_edited_sparingly,
    a_board_stands_once_whatever_dies,
    a_board_is_true_in_the_end_whatever_becomes_of_an_edits_answer,
    a_board_is_looked_for_again_where_discord_limits_that,
    a_board_that_was_deleted_comes_back_and_one_that_is_too_old_is_replaced,
    a_board_that_is_taken_away_does_not_wait_for_what_an_edit_before_came_to,
    a_board_says_when_it_can_not_see,
    a_board_without_servers_says_why,
    the_button_below_a_board_has_members_be_pinged,
    a_channel_that_refuses_is_noted_and_goes_on_when_it_is_mended,
    boards_are_listed_refused_in_clear_words_and_removed,
);

const SEND_MESSAGES: u64 = 1 << 11;
const EDITS: &str = "PATCH /channels/{channel}/messages/{message}";

/// A house with a linked guild, and a channel for a board.
struct Hall {
    fire: Fire,
    bot: RunningBot,
}

impl Hall {
    async fn open(database: Database) -> Hall {
        Hall::open_as(Fire::lay(database).await).await
    }

    async fn open_as(fire: Fire) -> Hall {
        let bot = fire.link().await;
        Hall { fire, bot }
    }

    fn house(&self) -> &House {
        &self.fire.house
    }

    fn discord(&self) -> &Sim {
        &self.fire.house.discord
    }

    fn servers(&self) -> &Publisher {
        &self.fire.servers
    }

    fn guild(&self) -> Guild {
        self.fire.guild
    }

    /// Waits until what happens from now on is heard.
    async fn is_read(&self) {
        self.bot.wait_for_log("reading the account's events", PATIENCE).await.unwrap();
    }

    async fn create(&self, more: &[(&str, Value)]) -> String {
        let mut options = vec![("channel", self.fire.channel.to_string().into())];
        options.extend_from_slice(more);
        says(self.house(), self.guild(), "board create", &options).await
    }

    /// Something happens on the server `main`.
    async fn happens(&self, event: &str, payload: &str) {
        self.servers().publish(&format!("main.{event}"), payload).await.unwrap();
    }

    async fn joins(&self, player: u64, name: &str) {
        let payload = serde_json::json!({ "player": { "name": name } }).to_string();
        self.happens(&format!("players.{player}.events.connected"), &payload).await;
    }

    fn messages(&self) -> Vec<Message> {
        self.discord().messages(self.fire.channel)
    }

    /// What the channel says.
    fn board(&self) -> String {
        let messages = self.messages();
        messages.iter().map(text).collect()
    }

    async fn shows(&self, wanted: &str) {
        let result = self.discord().wait_until(PATIENCE, wanted, |_| self.board().contains(wanted)).await;
        assert!(result.is_ok(), "no {wanted:?} in {:?}\n{}", self.board(), self.bot.log());
    }

    fn edits(&self) -> u64 {
        self.discord().statistics().requests_to(EDITS)
    }

    fn every_edit_changed_something(&self) {
        let bodies = self.discord().bodies();
        let edits: Vec<_> = bodies.iter().filter(|(route, _)| route.starts_with("PATCH /channels")).collect();
        assert!(!edits.is_empty() && edits.windows(2).all(|pair| pair[0] != pair[1]), "{edits:#?}");
    }

    async fn restart(&mut self) {
        assert!(self.bot.terminate().await.unwrap().success());
        self.bot = self.fire.house.start().await.unwrap();
        self.is_read().await;
    }
}

fn text(message: &Message) -> String {
    let told = message.embeds.iter().filter_map(|embed| embed.description.as_deref()).collect::<Vec<_>>().join("\n");
    without_moments(&told)
}

async fn a_board_is_true_and_is_edited_sparingly(database: Database) {
    let hall = Hall::open(database).await;
    let said = hall.create(&[]).await;
    let created = format!(
        "📋 <#{}> has a board from now on, with all servers of the linked accounts, later ones too. I edit it whenever \
         something changes.",
        hall.fire.channel
    );
    assert_eq!(said, created);
    hall.shows("I have heard of no game server yet.").await;
    assert_eq!(hall.messages()[0].raw["flags"], 4096, "nobody is called");

    // No channel is bound: the board alone has the account read.
    hall.is_read().await;
    hall.happens("events.started", "{}").await;
    hall.shows("**main**\n🟢 online since <time>: it said that it started\n👥 nobody on\nlast heard <time>").await;
    let begun = Instant::now();
    let before = hall.edits();
    for number in 0..60 {
        hall.joins(number, &format!("Player {number}")).await;
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    hall.joins(100, "@everyone **Bob** <@1>").await;
    hall.shows("👥 61 players on\nPlayer 0 · <time>\n").await;
    let allowed = u64::try_from(begun.elapsed().as_millis() / 5000).unwrap() + 1;
    let edited = hall.edits() - before;
    assert!((1..=allowed).contains(&edited), "{edited} edits, {allowed} allowed");
    for number in 0..60 {
        hall.happens(&format!("players.{number}.events.disconnected"), "{}").await;
    }
    hall.shows("👥 1 player on\n＠everyone \\*\\*Bob\\*\\* \\<\\@1\\> · <time>\nlast heard").await;

    // What shows nowhere is no edit.
    for number in 0..5 {
        hall.happens(&format!("players.{number}.events.disconnected"), "{}").await;
    }
    eventually("all is recorded", async || hall.fire.is_all_recorded().await).await;
    hall.happens("events.stopped", "{}").await;
    hall.shows("**main**\n🔴 offline since <time>: it said that it stopped\nlast heard <time>").await;
    hall.every_edit_changed_something();
    let statistics = hall.discord().statistics();
    assert_eq!((statistics.invalid, statistics.rate_limited_total()), (0, 0), "{:?}", statistics.rejected);
    assert_eq!(hall.messages().len(), 1);
    for (route, body) in hall.discord().bodies() {
        if route.contains("messages") {
            assert_eq!(body["allowed_mentions"]["parse"], serde_json::json!([]), "{route} {body}");
        }
    }
}

async fn a_board_stands_once_whatever_dies(database: Database) {
    let mut hall = Hall::open(database).await;
    // Its post is carried out and not answered, and the nonce is forgotten before it can be tried again.
    hall.discord().trouble(Route::MessageCreateIn(hall.fire.channel), Trouble::LoseReply, Some(1));
    hall.create(&[]).await;
    hall.discord().wait_for_messages(hall.fire.channel, 1, PATIENCE).await.unwrap();
    hall.bot.kill().await.unwrap();
    hall.discord().forget_nonces();
    hall.bot = hall.fire.house.start().await.unwrap();
    hall.is_read().await;
    hall.happens("events.started", "{}").await;
    hall.shows("**main**\n🟢 online since <time>").await;
    assert_eq!(hall.discord().statistics().creates_accepted, 1, "it was found");

    // A restart neither posts nor edits what is true already.
    let message = hall.messages()[0].id;
    hall.restart().await;
    hall.happens("events.stopped", "{}").await;
    hall.shows("🔴 offline").await;
    assert_eq!(hall.messages()[0].id, message);
    assert_eq!(hall.discord().statistics().creates_accepted, 1);
    hall.every_edit_changed_something();
}

async fn a_board_is_true_in_the_end_whatever_becomes_of_an_edits_answer(database: Database) {
    let mut hall = Hall::open(database).await;
    hall.create(&[]).await;
    hall.is_read().await;
    hall.happens("events.started", "{}").await;
    hall.shows("👥 nobody on").await;
    for (player, dies) in [(1, false), (2, true)] {
        // The edit is carried out and not answered, and before the next one, all is as it was before.
        hall.discord().trouble(Route::Rest, Trouble::LoseReply, Some(1));
        hall.joins(player, "Ada").await;
        hall.shows("Ada").await;
        hall.happens(&format!("players.{player}.events.disconnected"), "{}").await;
        eventually("all is recorded", async || hall.fire.is_all_recorded().await).await;
        if dies {
            hall.bot.kill().await.unwrap();
            hall.bot = hall.fire.house.start().await.unwrap();
        }
        hall.shows("👥 nobody on").await;
    }
}

async fn a_board_is_looked_for_again_where_discord_limits_that(database: Database) {
    let hall = Hall::open(database).await;
    hall.discord().trouble(Route::MessageCreateIn(hall.fire.channel), Trouble::LoseReply, Some(1));
    hall.create(&[]).await;
    hall.discord().wait_for_messages(hall.fire.channel, 1, PATIENCE).await.unwrap();
    // The next request looks for it.
    hall.discord().forget_nonces();
    hall.discord().trouble(Route::Rest, Trouble::RateLimited { scope: Scope::User, retry_after: 1.0 }, Some(1));
    hall.is_read().await;
    hall.happens("events.started", "{}").await;
    hall.shows("🟢 online").await;
    let statistics = hall.discord().statistics();
    assert_eq!((statistics.creates_accepted, statistics.rate_limited_total()), (1, 1), "it was found");
}

async fn a_board_that_was_deleted_comes_back_and_one_that_is_too_old_is_replaced(database: Database) {
    let bucket = Bucket { limit: 100, window: Duration::from_secs(1) };
    let options = Options { message_bucket: Some(bucket), old_edits_per_hour: Some(1), ..Options::default() };
    let hall = Hall::open_as(Fire::lay_with(database, options).await).await;
    hall.create(&[]).await;
    hall.shows("no game server yet").await;
    hall.is_read().await;
    let first = hall.messages()[0].id;
    hall.discord().delete_message(hall.fire.channel, first);
    hall.happens("events.started", "{}").await;
    hall.shows("🟢 online").await;
    let second = hall.messages()[0].id;
    assert!(second > first);
    let told = "a board was deleted in Discord; posting it anew";
    hall.bot.wait_for_log(told, PATIENCE).await.unwrap();
    assert_eq!(hall.bot.log().matches(told).count(), 1);

    hall.discord().pass_time(Duration::from_hours(2));
    hall.happens("events.stopped", "{}").await;
    hall.shows("🔴 offline").await;
    assert_eq!(hall.messages()[0].id, second, "while that is allowed");
    hall.happens("events.started", "{}").await;
    // However much happens meanwhile.
    let mut player = 0;
    eventually("another takes its place", async || {
        player += 1;
        hall.joins(player, "Ada").await;
        hall.messages().len() == 1 && hall.messages()[0].id > second && hall.board().contains("🟢 online")
    })
    .await;
    assert!(hall.messages()[0].id > second, "{:?}", hall.discord().statistics());
    assert_eq!(hall.discord().statistics().refused_with(30_046), 1, "{}", hall.bot.log());
    hall.happens("events.stopped", "{}").await;
    hall.shows("🔴 offline").await;
}

async fn a_board_that_is_taken_away_does_not_wait_for_what_an_edit_before_came_to(database: Database) {
    let bucket = Bucket { limit: 100, window: Duration::from_secs(1) };
    let options = Options { message_bucket: Some(bucket), old_edits_per_hour: Some(0), ..Options::default() };
    let hall = Hall::open_as(Fire::lay_with(database, options).await).await;
    hall.create(&[]).await;
    hall.shows("no game server yet").await;
    hall.is_read().await;
    let first = hall.messages()[0].id;
    hall.discord().pass_time(Duration::from_hours(2));
    hall.happens("events.started", "{}").await;
    let is_replaced = async || hall.messages().len() == 1 && hall.messages()[0].id > first;
    eventually("another takes its place", is_replaced).await;

    // That is too old, too, and may not be replaced so soon. It is taken away before Discord says so.
    hall.discord().pass_time(Duration::from_hours(2));
    let edits = hall.edits();
    hall.discord().trouble(Route::Rest, Trouble::Hang, Some(1));
    hall.happens("events.stopped", "{}").await;
    eventually("it is edited", async || hall.edits() > edits).await;
    let ids = offered(hall.house(), hall.guild(), "board remove", &[], ("board", "")).await;
    says(hall.house(), hall.guild(), "board remove", &[("board", ids[0].1.as_str().into())]).await;
    assert!(says(hall.house(), hall.guild(), "board list", &[]).await.contains("no board here"));
    hall.discord().clear_trouble();
    let waited = hall.discord().wait_until(PATIENCE, "it is deleted", |_| hall.messages().is_empty()).await;
    assert!(waited.is_ok(), "{}", hall.bot.log());
    assert_eq!(hall.discord().statistics().refused_with(30_046), 2);
}

async fn a_board_says_when_it_can_not_see(database: Database) {
    let mut fire = Fire::lay(database).await;
    let proxy: TcpProxy = fire.nats_proxy().await;
    let hall = Hall::open_as(fire).await;
    hall.create(&[]).await;
    hall.is_read().await;
    hall.joins(1, "Ada").await;
    hall.shows("🟢 online, at least since <time>\n👥 1 player on\nAda · <time>").await;
    proxy.refuse(true);
    proxy.cut();
    hall.shows("❔ out of my sight since <time>: I can't read what its servers send. Before that: 🟢 online").await;
    assert!(!hall.board().contains("Ada"), "{}", hall.board());
    proxy.refuse(false);
    hall.shows("🟢 online, at least since <time>\n👥 1 player on\nAda · <time>").await;
}

async fn a_board_without_servers_says_why(database: Database) {
    let hall = Hall::open(database).await;
    let (house, guild) = (hall.house(), hall.guild());
    hall.create(&[]).await;
    hall.shows(words::BOARD_EMPTY).await;
    hall.is_read().await;
    hall.happens("events.started", "{}").await;
    hall.shows("**main**").await;
    says(house, guild, "server forget", &[("server", "main".into())]).await;
    hall.shows(words::ALL_HIDDEN).await;
    let asked = house.command(guild, "account unlink", &[("account", FIRST_ACCOUNT.into())]).await.unwrap();
    hall.discord().press(admin(guild), &asked, &format!("unlink:{FIRST_ACCOUNT}")).await.unwrap();
    hall.shows(words::BOARD_UNLINKED).await;
}

async fn the_button_below_a_board_has_members_be_pinged(database: Database) {
    let hall = Hall::open(database).await;
    hall.create(&[]).await;
    hall.shows(words::BOARD_EMPTY).await;
    let discord = hall.discord();
    let message = hall.messages()[0].id;
    let below = || discord.message_as_reply(message).unwrap();
    assert_eq!(below().components, serde_json::json!([]), "there is nothing to wait for yet");
    hall.is_read().await;
    hall.happens("events.started", "{}").await;
    hall.shows("🟢 online").await;
    let pings = hall.house().channel(hall.guild(), "pings");
    says(hall.house(), hall.guild(), "board pings", &[("channel", pings.to_string().into())]).await;

    let user = discord.add_member(hall.guild().id, "ann", 0);
    let ann = Actor { guild: hall.guild().id, channel: hall.fire.channel, user };
    let offered = discord.press(ann, &below(), PING_BUTTON).await.unwrap();
    assert!(offered.ephemeral, "{offered:?}");
    let wish = offered.components[0]["components"][0]["options"][0]["value"].as_str().unwrap();
    discord.select(ann, &offered, "ping_choose", &[wish]).await.unwrap();
    let listed = discord.command(ann, "ping list", &[]).await.unwrap();
    let waits_for = listed.embeds[0].description.as_deref().unwrap();
    assert!(waits_for.contains("**main**"), "{waits_for}");
}

async fn a_channel_that_refuses_is_noted_and_goes_on_when_it_is_mended(database: Database) {
    let hall = Hall::open(database).await;
    hall.create(&[]).await;
    hall.shows("no game server yet").await;
    hall.is_read().await;
    hall.discord().deny(hall.fire.channel, SEND_MESSAGES);
    let list = async || says(hall.house(), hall.guild(), "board list", &[]).await;
    eventually("the gateway shows it", async || hall.create(&[]).await.contains("**Send Messages**")).await;
    let edits = hall.edits();
    eventually("the board says so", async || {
        hall.happens("events.started", "{}").await;
        list().await.contains("🔴 not up to date: missing Send Messages")
    })
    .await;
    assert!(hall.board().contains("no game server yet"));
    assert_eq!(hall.edits(), edits, "what is known to be refused is not asked for");
    hall.discord().deny(hall.fire.channel, 0);
    eventually("it goes on", async || {
        hall.happens("events.started", "{}").await;
        hall.board().contains("🟢 online")
    })
    .await;
    eventually("and says no more that it can't", async || !list().await.contains('🔴')).await;
}

async fn boards_are_listed_refused_in_clear_words_and_removed(database: Database) {
    let hall = Hall::open(database).await;
    let (house, guild) = (hall.house(), hall.guild());
    assert_eq!(says(house, guild, "board list", &[]).await, "There is no board here yet. `/board create` makes one.");
    hall.create(&[]).await;
    hall.shows("no game server yet").await;
    hall.is_read().await;
    let there = format!(
        "<#{}> has a board already. Choose another channel, or take that one away with `/board remove` first.",
        hall.fire.channel
    );
    assert_eq!(hall.create(&[]).await, there);
    hall.happens("events.started", "{}").await;
    hall.servers().publish("other.events.started", "{}").await.unwrap();
    hall.shows("**other**").await;

    let second = house.channel(guild, "second");
    let in_second = |server: &str| [("channel", second.to_string().into()), ("server", Value::from(server))];
    let unknown = says(house, guild, "board create", &in_second("nowhere")).await;
    assert_eq!(unknown, "I have heard of no server nowhere yet. I know: **main**, **other**.");
    let choices = offered(house, guild, "board create", &[("server2", "GA-1 main".into())], ("server", "")).await;
    assert_eq!(choices, [("other · GA-1".to_owned(), "GA-1 other".to_owned())], "not what was chosen already");
    let said = says(house, guild, "board create", &in_second("GA-1 other")).await;
    assert!(said.contains("with **other**."), "{said}");
    let messages = hall.discord().wait_for_messages(second, 1, PATIENCE).await.unwrap();
    assert!(text(&messages[0]).starts_with("**other**\n🟢 online") && !text(&messages[0]).contains("main"));

    let listed = without_moments(&says(house, guild, "board list", &[]).await);
    let ids = offered(house, guild, "board remove", &[], ("board", "")).await;
    for ((_, id), wanted) in ids.iter().zip(["all servers of the linked accounts", "**other**"]) {
        assert!(listed.contains(&format!("`#{id}` <#")) && listed.contains(wanted), "{listed}");
    }
    assert_eq!(ids.iter().map(|(name, _)| name.split(' ').nth(1).unwrap()).collect::<Vec<_>>(), ["#events", "#second"]);
    for number in 0..3 {
        let channel = house.channel(guild, &format!("more-{number}"));
        says(house, guild, "board create", &[("channel", channel.to_string().into())]).await;
    }
    let sixth = house.channel(guild, "sixth");
    let many = says(house, guild, "board create", &[("channel", sixth.to_string().into())]).await;
    assert!(many.starts_with("This Discord server has 5 boards, and that is the most."), "{many}");

    let removed = says(house, guild, "board remove", &[("board", ids[0].1.as_str().into())]).await;
    assert_eq!(removed, format!("🗑️ The board in <#{}> is gone, and I delete its message.", hall.fire.channel));
    let waited = hall.discord().wait_until(PATIENCE, "it is deleted", |_| hall.messages().is_empty()).await;
    assert!(waited.is_ok(), "{}", hall.bot.log());
    let again = says(house, guild, "board remove", &[("board", ids[0].1.as_str().into())]).await;
    assert_eq!(again, "There is no such board here. `/board list` shows what there is.");
    assert!(hall.create(&[]).await.contains("has a board from now on"), "its channel is free again");
}
