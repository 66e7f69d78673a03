//! An account stops, and runs again: the guilds that hear it are told once each, where they can read it.

use guildwire_harness::RunningBot;
use guildwire_harness::house::{FIRST_ACCOUNT, Guild, House, PATIENCE};
use serde_json::Value;

use crate::installation::{offered, says, wait_for_account_list, without_moments};
use crate::support::{Database, build_house, on_both_databases};

on_both_databases!(
    guilds_are_told_once_when_their_account_stops_and_once_when_it_runs_again,
    the_end_is_told_where_it_can_be_read_and_to_those_who_still_hear_the_account,
);

const SEND: u64 = 1 << 11;

const UP: &str = "🟢 Server **main** is up";
const RELOADED: &str = "🔄 Server **main**: plugin reloaded, or the server was started anew";
const STOPPED: &str = "🔴 The events of **GA-1** have not come through since <time>. Its nats-server can't be reached. Ask \
                       the account's owner whether it runs; if it does, whoever operates me has to check its address.\nI \
                       keep trying, and say so here when they come again.";
const RESUMED: &str = "🟢 The events of **GA-1** come through again. They did not from <time> to <time>, for <long>. What its \
                       stream still holds of that time is shown; nothing of it is lost.";

async fn guilds_are_told_once_when_their_account_stops_and_once_when_it_runs_again(database: Database) {
    let (mut house, mut bot) = house_that_tells_soon(database).await;
    let (guild, unbound, late) = (house.guild("Rustaceans"), house.guild("Unbound"), house.guild("Late"));
    for guild in [guild, unbound, late] {
        house.link(guild, FIRST_ACCOUNT).await.unwrap();
    }
    let (chat, status, new) =
        (house.channel(guild, "chat"), house.channel(guild, "status"), house.channel(late, "status"));
    house.notify(guild, chat, "chat", &[]).await.unwrap();
    house.notify(guild, status, "lifecycle", &[]).await.unwrap();
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    publisher.publish("main.events.started", "{}").await.unwrap();
    house.wait_for_shown(status, 1).await.unwrap();

    house.nats.kill().unwrap();
    assert_eq!(told(&house, status, 2).await, [UP, STOPPED]);
    bot.terminate().await.unwrap();
    drop(bot);
    let _bot = house.start().await.unwrap();
    // Who begins to hear it meanwhile is told, which is also the sign that the others would have been told again by now.
    let options = [("channel", new.to_string().into()), ("events", "lifecycle".into())];
    house.command(late, "notify add", &options).await.unwrap();
    assert_eq!(told(&house, new, 1).await, [STOPPED]);

    house.nats.start_again().unwrap();
    assert_eq!(told(&house, new, 2).await, [STOPPED, RESUMED]);
    assert_eq!(told(&house, status, 3).await, [UP, STOPPED, RESUMED]);
    house.publisher(FIRST_ACCOUNT).await.unwrap().publish("main.events.started", "{}").await.unwrap();
    assert_eq!(told(&house, status, 4).await, [UP, STOPPED, RESUMED, RELOADED]);
    assert_eq!(house.shown(chat), Vec::<String>::new());
    for message in house.discord.messages(status) {
        assert!(!message.notified_everyone && message.notified_roles.is_empty(), "{message:?}");
    }
}

async fn the_end_is_told_where_it_can_be_read_and_to_those_who_still_hear_the_account(database: Database) {
    let (mut house, _bot) = house_that_tells_soon(database).await;
    let (guild, leaving) = (house.guild("Rustaceans"), house.guild("Leaving"));
    for guild in [guild, leaving] {
        house.link(guild, FIRST_ACCOUNT).await.unwrap();
    }
    let (first, second, left) =
        (house.channel(guild, "first"), house.channel(guild, "second"), house.channel(leaving, "status"));
    house.notify(guild, first, "lifecycle", &[]).await.unwrap();
    house.notify(guild, second, "players", &[]).await.unwrap();
    house.notify(leaving, left, "lifecycle", &[]).await.unwrap();
    house.discord.deny(first, SEND);
    test(&house, guild, 0, "🔴 The sample could not be shown").await;

    house.nats.kill().unwrap();
    assert_eq!(told(&house, second, 1).await, [STOPPED], "the better channel refuses");
    assert_eq!(told(&house, left, 1).await, [STOPPED]);
    let id = offered(&house, leaving, "notify remove", &[], ("binding", "")).await.remove(0).1;
    house.command(leaving, "notify remove", &[("binding", id.into())]).await.unwrap();
    house.discord.deny(first, 0);
    // The sample that waits.
    told(&house, first, 1).await;
    house.discord.deny(second, SEND);
    test(&house, guild, 1, "🔴 The sample could not be shown").await;

    house.nats.start_again().unwrap();
    let shown = told(&house, first, 2).await;
    assert!(shown[0].starts_with("🧪 **Sample**"), "{shown:?}");
    assert_eq!(shown[1..], [RESUMED]);
    wait_for_account_list(&house, guild, PATIENCE, "🟢 reading its events").await;
    assert_eq!(told(&house, left, 1).await, [STOPPED]);
    assert_eq!(told(&house, second, 1).await, [STOPPED]);
}

/// A house whose guilds are told of an outage after some seconds.
async fn house_that_tells_soon(database: Database) -> (House, RunningBot) {
    let mut house = build_house(database).await;
    // Much longer than a reader that lost its connection waits before it tries again, and finds out why.
    house.bot = house.bot.clone().setting("notices.after_seconds", "6");
    house.add_accounts().await.unwrap();
    let bot = house.start().await.unwrap();
    (house, bot)
}

/// Tests one of the guild's bindings, whose answer has to begin like that.
async fn test(house: &House, guild: Guild, binding: usize, wanted: &str) {
    let id = offered(house, guild, "notify test", &[], ("binding", "")).await.remove(binding).1;
    let options: [(&str, Value); 1] = [("binding", id.into())];
    let said = says(house, guild, "notify test", &options).await;
    assert!(said.starts_with(wanted), "{said}");
}

/// What a channel shows in full once it shows that many embeds, events as their first line, without what it tells of
/// other channels.
async fn told(house: &House, channel: u64, count: usize) -> Vec<String> {
    let shown = |discord: &discord_sim::Sim| -> Vec<String> {
        let messages = discord.messages(channel);
        let embeds = messages.iter().flat_map(|message| &message.embeds);
        let told = embeds.map(|embed| without_length(embed.description.as_deref().unwrap_or_default()));
        told.filter(|text| !text.contains("gets no messages right now")).collect()
    };
    let enough = |discord: &discord_sim::Sim| shown(discord).len() >= count;
    house.discord.wait_until(PATIENCE, "a channel tells that much", enough).await.unwrap();
    shown(&house.discord)
}

/// A notice without its moments and its duration; an event's sentence.
fn without_length(text: &str) -> String {
    let text = without_moments(text);
    let text = text.strip_suffix(" · <time>").unwrap_or(&text);
    match text.split_once("to <time>, for ") {
        Some((before, after)) => {
            let after = after.split_once('.').map_or("", |(_, after)| after);
            format!("{before}to <time>, for <long>.{after}")
        }
        None => text.to_owned(),
    }
}
