//! What happens to servers: each incident is one message, whatever the order and number of events.

use discord_sim::{Message, Sim};
use guildwire_harness::house::{FIRST_ACCOUNT, Guild, House, PATIENCE, Publisher, SECOND_ACCOUNT};
use serde_json::Value;

use crate::installation::{says, without_moments};
use crate::managing::{binding_ids, choose};
use crate::support::{Database, build_house, on_both_databases};

on_both_databases!(
    a_clean_stop_is_one_message_and_one_that_answers_it,
    a_plugin_that_is_reloaded_is_no_start,
    a_loop_is_counted_in_one_message_until_the_server_has_held,
    events_that_come_out_of_order_make_no_second_incident,
    two_servers_of_one_name_in_two_accounts_are_two,
    a_bot_that_is_killed_in_an_incident_goes_on_with_it,
    whoever_hears_no_more_of_stops_hears_that_the_server_is_up,
    an_end_is_told_where_nothing_may_be_answered,
);

/// What reading what stands in a channel takes
/// (<https://discord.com/developers/docs/topics/permissions#permissions-bitwise-permission-flags>).
const READ_MESSAGE_HISTORY: u64 = 1 << 16;

/// A house in which a server that holds for `hold` seconds is out of its loop, and a channel that hears its lifecycle.
/// Connections are not looked at again within a story: it is about what events alone tell.
async fn furnished(database: Database, hold: u64) -> (House, Guild, u64, Publisher) {
    let House { nats, discord, bot } = build_house(database).await;
    let bot = bot.setting("status.hold_seconds", &hold.to_string()).setting("status.presence_seconds", "300");
    let house = House { nats, discord, bot };
    house.add_accounts().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "status");
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    (house, guild, channel, publisher)
}

async fn bind(house: &House, guild: Guild, channel: u64, more: &[(&str, Value)]) {
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.notify(guild, channel, "lifecycle", more).await.unwrap();
}

async fn say(publisher: &Publisher, what: &[&str]) {
    for what in what {
        publisher.publish(&format!("main.events.{what}"), "{}").await.unwrap();
    }
}

/// The text of each message, without its moments and spans of time.
fn texts(messages: &[Message]) -> Vec<String> {
    messages
        .iter()
        .map(|message| without_span(&without_moments(message.embeds[0].description.as_deref().unwrap_or_default())))
        .collect()
}

/// Without how long it took, which depends on the machine.
fn without_span(text: &str) -> String {
    let line = |line: &str| match line.split_once(" is back after ") {
        Some((server, span)) => {
            let moment = if span.contains(" · ") { " · <time>" } else { "" };
            format!("{server} is back{moment}")
        }
        None => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Waits until the channel's messages read like this.
async fn wait_for_texts(house: &House, channel: u64, wanted: &[&str]) {
    let reads = |discord: &Sim| texts(&discord.messages(channel)) == wanted;
    // What it reads like then says more than that time is up.
    house.discord.wait_until(PATIENCE, "the channel reads as it should", reads).await.ok();
    assert_eq!(texts(&house.discord.messages(channel)), wanted);
}

async fn a_clean_stop_is_one_message_and_one_that_answers_it(database: Database) {
    let (house, guild, channel, publisher) = furnished(database, 900).await;
    let _bot = house.start().await.unwrap();
    let role = house.discord.add_role(guild.id, "watchers", true);
    bind(&house, guild, channel, &[("mention", role.to_string().into())]).await;
    say(&publisher, &["started"]).await;
    for (player, what) in [(1, "connected"), (2, "connected"), (2, "disconnected"), (3, "connected")] {
        publisher.publish(&format!("main.players.{player}.events.{what}"), "{}").await.unwrap();
    }
    say(&publisher, &["stopping"]).await;
    wait_for_texts(&house, channel, &["🟢 Server **main** is up · <time>", STOPPING]).await;
    say(&publisher, &["stopped"]).await;
    wait_for_texts(
        &house,
        channel,
        &["🟢 Server **main** is up · <time>", "🔴 Server **main** has stopped · <time>\n2 players were on it."],
    )
    .await;
    say(&publisher, &["started"]).await;
    let over = "🟢 Server **main** is back";
    let all = "2 players were on it.\n<time> it said that it is about to stop\n<time> it said that it has stopped\n<time> it started";
    let closing = format!("{over}\n{all}");
    let edited = format!("{over} · <time>\n2 players were on it.");
    wait_for_texts(&house, channel, &["🟢 Server **main** is up · <time>", &edited, &closing]).await;

    let messages = house.discord.messages(channel);
    assert_eq!(messages[2].raw["message_reference"]["message_id"], messages[1].raw["id"], "it answers the first");
    let notified: Vec<_> = messages.iter().map(|message| message.notified_roles.len()).collect();
    assert_eq!(notified, [1, 1, 0], "an incident calls people once");
}

const STOPPING: &str = "🟠 Server **main** is about to stop · <time>\n2 players were on it.";

async fn a_plugin_that_is_reloaded_is_no_start(database: Database) {
    let (house, guild, channel, publisher) = furnished(database, 900).await;
    let _bot = house.start().await.unwrap();
    bind(&house, guild, channel, &[]).await;
    // Somebody is on it, so it runs.
    publisher.publish("main.players.1.events.connected", "{}").await.unwrap();
    say(&publisher, &["started"]).await;
    house
        .wait_until_shown(channel, &["🔄 Server **main**: plugin reloaded, or the server was started anew"])
        .await
        .unwrap();
}

async fn a_loop_is_counted_in_one_message_until_the_server_has_held(database: Database) {
    // Long enough for edits, which come seconds apart, to tell of the loop before it is over.
    let (house, guild, channel, publisher) = furnished(database, 30).await;
    let _bot = house.start().await.unwrap();
    bind(&house, guild, channel, &[]).await;
    say(&publisher, &["started", "stopped", "started"]).await;
    let first = "🟢 Server **main** is back";
    let edited = format!("{first} · <time>");
    let closing = format!("{first}\n<time> it said that it has stopped\n<time> it started");
    let before: [&str; 3] = ["🟢 Server **main** is up · <time>", &edited, &closing];
    wait_for_texts(&house, channel, &before).await;
    say(&publisher, &["stopped", "started", "stopped", "started", "stopped", "started"]).await;
    // How long it took depends on the machine.
    let (looping, quiet) = ("🔁 down 4 times in ", ", quiet until it holds for 30 seconds.");
    let says = |discord: &Sim| {
        texts(&discord.messages(channel)).get(3).is_some_and(|text| text.contains(looping) && text.ends_with(quiet))
    };
    let waited = house.discord.wait_until(PATIENCE, "the loop is counted", says).await;
    assert!(waited.is_ok(), "{:#?}", texts(&house.discord.messages(channel)));
    house.wait_for_shown(channel, 5).await.unwrap();
    let messages = texts(&house.discord.messages(channel));
    assert_eq!(messages.len(), 5, "{messages:#?}");
    assert_eq!(messages[..3], before, "the incident before the loop stays as it was told");
    let closing = &messages[4];
    assert!(closing.starts_with("🟢 Server **main** has held for 30 seconds\n🔁 down 4 times"), "{closing}");
    assert_eq!(closing.matches("it said that it has stopped").count(), 3, "each is listed: {closing}");
    assert_eq!(closing.matches("it started").count(), 3, "{closing}");
}

async fn events_that_come_out_of_order_make_no_second_incident(database: Database) {
    let (house, guild, channel, publisher) = furnished(database, 900).await;
    let _bot = house.start().await.unwrap();
    bind(&house, guild, channel, &[]).await;
    publisher.publish("main.players.1.events.connected", "{}").await.unwrap();
    say(&publisher, &["stopped", "stopping", "stopped"]).await;
    for subject in ["main.events.player.1.chatted", "main.players.1.events.disconnected"] {
        publisher.publish(subject, "{}").await.unwrap();
    }
    say(&publisher, &["started", "started"]).await;
    let closing = "🟢 Server **main** is back\n1 player was on it.\n<time> it said that it has stopped\n<time> it said \
                   that it is about to stop\n<time> it started";
    let opening = "🟢 Server **main** is back · <time>\n1 player was on it.";
    wait_for_texts(&house, channel, &[opening, closing]).await;
}

async fn two_servers_of_one_name_in_two_accounts_are_two(database: Database) {
    let (house, guild, channel, publisher) = furnished(database, 900).await;
    let _bot = house.start().await.unwrap();
    house.link(guild, SECOND_ACCOUNT).await.unwrap();
    bind(&house, guild, channel, &[("account", FIRST_ACCOUNT.into())]).await;
    house.notify(guild, channel, "lifecycle", &[("account", SECOND_ACCOUNT.into())]).await.unwrap();
    let other = house.publisher(SECOND_ACCOUNT).await.unwrap();
    publisher.publish("0.events.stopped", "{}").await.unwrap();
    house.wait_for_shown(channel, 1).await.unwrap();
    other.publish("0.events.started", "{}").await.unwrap();
    let shown = house.wait_for_shown(channel, 2).await.unwrap();
    assert_eq!(shown, ["🔴 Server **0** has stopped", "🟢 Server **0** is up"]);
    let status = says(&house, guild, "status", &[]).await;
    let (first, second) = (status.find("GA-1").unwrap(), status.find("GA-2").unwrap());
    assert!(status[first..second].contains("offline") && status[second..].contains("online"), "{status}");
}

async fn whoever_hears_no_more_of_stops_hears_that_the_server_is_up(database: Database) {
    let (house, guild, channel, publisher) = furnished(database, 900).await;
    let _bot = house.start().await.unwrap();
    bind(&house, guild, channel, &[]).await;
    say(&publisher, &["stopped"]).await;
    house.wait_for_shown(channel, 1).await.unwrap();
    let id = binding_ids(&house, guild).await.remove(0);
    choose(&house, guild, &id, &["server.started"]).await;
    say(&publisher, &["started"]).await;
    let shown = house.wait_for_shown(channel, 2).await.unwrap();
    assert_eq!(shown[1], "🟢 Server **main** is up", "the incident's end is not its business any more");
}

async fn an_end_is_told_where_nothing_may_be_answered(database: Database) {
    let (house, guild, channel, publisher) = furnished(database, 900).await;
    let _bot = house.start().await.unwrap();
    bind(&house, guild, channel, &[]).await;
    house.discord.deny(channel, READ_MESSAGE_HISTORY);
    say(&publisher, &["stopped"]).await;
    house.wait_for_shown(channel, 1).await.unwrap();
    say(&publisher, &["started"]).await;
    house.wait_for_shown(channel, 2).await.unwrap();
    let closing = &house.discord.messages(channel)[1];
    assert_eq!(closing.raw.get("message_reference"), None);
    let text = closing.embeds[0].description.clone().unwrap();
    assert!(text.contains("is back") && text.contains("it said that it has stopped"), "{text}");
}

async fn a_bot_that_is_killed_in_an_incident_goes_on_with_it(database: Database) {
    let (house, guild, channel, publisher) = furnished(database, 900).await;
    let mut bot = house.start().await.unwrap();
    bind(&house, guild, channel, &[]).await;
    say(&publisher, &["stopping"]).await;
    house.wait_for_shown(channel, 1).await.unwrap();
    bot.kill().await.unwrap();
    say(&publisher, &["stopped", "started"]).await;
    let _bot = house.start().await.unwrap();
    let closing = "🟢 Server **main** is back\n<time> it said that it is about to stop\n<time> it said that it has \
                   stopped\n<time> it started";
    wait_for_texts(&house, channel, &["🟢 Server **main** is back · <time>", closing]).await;
}
