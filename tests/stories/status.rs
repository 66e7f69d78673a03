//! `/status` and `/players`: how servers stand and who is on them, through a day, in whatever order that is told.

use discord_sim::{Actor, Reply};
use guildwire_harness::house::{FIRST_ACCOUNT, Guild, House};
use serde_json::{Value, json};

use crate::fire::eventually;
use crate::installation::{Comparisons, says, without_moments};
use crate::managing::admin;
use crate::support::{Database, build_house, on_both_databases};

on_both_databases!(a_day_on_a_server_is_told_as_it_is, many_players_have_pages_for_everybody);

async fn linked(database: Database) -> (House, guildwire_harness::RunningBot, Guild) {
    let mut house = build_house(database).await;
    // No second look within a story: from then on, `/status` may tell as well when the connection was seen.
    house.bot = house.bot.setting("status.presence_seconds", "300");
    house.add_accounts().await.unwrap();
    let bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let channel = house.channel(guild, "lifecycle");
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    (house, bot, guild)
}

fn named(name: &str) -> String {
    json!({ "player": { "name": name, "address": "203.0.113.9:4000" } }).to_string()
}

async fn a_day_on_a_server_is_told_as_it_is(database: Database) {
    let (house, _bot, guild) = linked(database).await;
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    let happens = async |what: &str, payload: &str| {
        publisher.publish(&format!("main.{what}"), payload).await.unwrap();
    };
    let told = async |name: &str| without_moments(&says(&house, guild, name, &[]).await);
    let is_told = async |name: &str, wanted: &str| {
        eventually(wanted, async || told(name).await == wanted).await;
    };
    let remark = "Whoever came before I listened is missing, and a departure may be told minutes late.";

    happens("events.started", "{}").await;
    is_told(
        "status",
        "**main** · GA-1\n🟢 online since <time>: it said that it started\nnobody on · last heard <time>",
    )
    .await;
    compare_players(&house, guild, &format!("**main** · GA-1 · nobody on\n{remark}")).await;

    // A name may be anything, and calls nobody.
    happens("players.1.events.connected", &named("@everyone <@&1> [x](https://evil) \u{202e}*b*")).await;
    happens("players.2.events.connected", &named("<size=99>Bob</size>")).await;
    happens("players.3.events.connected", "{}").await;
    // Departures come last: this one is told of somebody who was never there.
    happens("players.4.events.disconnected", "{}").await;
    let hostile = "＠everyone \\<\\@&1\\> \\[x\\]\\(https\\://evil\\) \\*b\\*";
    let players = |who: &[&str]| {
        let lines: Vec<_> = who.iter().map(|name| format!("{name} · <time>")).collect();
        let count = if who.len() == 1 { "1 player on".to_owned() } else { format!("{} players on", who.len()) };
        format!("**main** · GA-1 · {count}\n{}\n{remark}", lines.join("\n"))
    };
    is_told("players", &players(&[hostile, "Bob", "3"])).await;
    happens("players.2.events.disconnected", "{}").await;
    is_told("players", &players(&[hostile, "3"])).await;

    happens("events.wiped", "null").await;
    happens("events.stopping", "{}").await;
    is_told(
        "status",
        "**main** · GA-1\n🟠 stopping since <time>: it said that it stops\n2 players on · wiped <time> · last heard <time>",
    )
    .await;
    happens("events.stopped", "{}").await;
    is_told(
        "status",
        "**main** · GA-1\n🔴 offline since <time>: it said that it stopped\nwiped <time> · last heard <time>",
    )
    .await;
    compare_players(&house, guild, &format!("**main** · GA-1 · 🔴 offline\n{remark}")).await;
    happens("events.started", "{}").await;
    happens("players.2.events.connected", &named("Bob")).await;
    is_told("players", &players(&["Bob"])).await;

    for message in house.discord.messages(guild.lobby) {
        let notified = (message.notified_roles.len(), message.notified_users.len(), message.notified_everyone);
        assert_eq!(notified, (0, 0, false), "{}", message.raw);
        assert!(!message.raw.to_string().contains("203.0.113.9"), "{}", message.raw);
    }
}

async fn compare_players(house: &House, guild: Guild, wanted: &str) {
    let mut compare = Comparisons::default();
    compare.equal("players", &without_moments(&says(house, guild, "players", &[]).await), wanted);
}

async fn many_players_have_pages_for_everybody(database: Database) {
    let (house, mut bot, guild) = linked(database).await;
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    for number in 0..120 {
        let name = format!("{}{number:03}", "x".repeat(60));
        publisher.publish(&format!("main.players.{number}.events.connected"), &named(&name)).await.unwrap();
    }
    publisher.publish("other.events.started", "{}").await.unwrap();
    let of_main = [("server", Value::from("main"))];
    eventually("all are on", async || says(&house, guild, "status", &of_main).await.contains("120 players on")).await;

    // A member turns the pages, of all servers and of one, and each player is on exactly one of them.
    let member = Actor { user: house.discord.add_member(guild.id, "member", 0), ..admin(guild) };
    for (options, prefix) in [(&[][..], "players:"), (&of_main[..], "players:")] {
        let ending = if options.is_empty() { "" } else { ":main" };
        let mut reply = house.discord.command(member, "players", options).await.unwrap();
        assert!(!reply.ephemeral, "{reply:?}");
        let mut seen = names(&reply);
        for page in 1.. {
            let id = format!("{prefix}{page}{ending}");
            let buttons = &reply.components[0]["components"];
            let Some(button) = buttons.as_array().and_then(|all| all.iter().find(|it| it["custom_id"] == id.as_str()))
            else {
                panic!("no button {id}: {}", reply.components)
            };
            if button["disabled"] == true {
                break;
            }
            reply = house.discord.press(member, &reply, &id).await.unwrap();
            seen.extend(names(&reply));
        }
        let wanted: Vec<_> = (0..120).map(|number| format!("{number:03}")).collect();
        assert_eq!(seen, wanted, "{options:?}");
    }

    // What the bot can't see is not told as if it did.
    house.operate(&["account", "edit", FIRST_ACCOUNT, "--url", "nats://127.0.0.1:9", "--no-check"]).await.unwrap();
    let told = async |name: &str| without_moments(&says(&house, guild, name, &of_main).await);
    eventually("it is out of sight", async || {
        let status = told("status").await;
        status.contains("❔ out of my sight since <time>") && status.contains("120 players were on")
    })
    .await;
    let players = told("players").await;
    assert!(players.starts_with("**main** · GA-1 · ❔ can't be seen · 120 players were on\n"), "{players}");
    bot.terminate().await.unwrap();
}

/// The numbers that the names of the players end with, as a page lists them.
fn names(reply: &Reply) -> Vec<String> {
    let text = reply.embeds[0].description.clone().unwrap_or_default();
    let number = |line: &str| line.split_once(" · <t:").map(|(name, _)| name[name.len() - 3..].to_owned());
    text.lines().filter(|line| line.starts_with('x')).filter_map(number).collect()
}
