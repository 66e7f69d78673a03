//! How events are told: at once, or some of them together after a hold, as people choose it for each binding.

use std::time::Duration;

use discord_sim::{Reply, Sim};
use guildwire_harness::house::{FIRST_ACCOUNT, Guild, House, PATIENCE};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::installation::{Comparisons, DISCORD_WAITS, on_sqlite, says, without_moments};
use crate::managing::{admin, binding_ids};
use crate::support::{Database, build_house, on_both_databases};

on_both_databases!(
    a_style_is_chosen_with_a_binding_and_changed_alone,
    what_is_held_comes_together_when_its_hold_ends,
    what_is_held_while_the_bot_stops_comes_when_its_hold_ends,
    what_is_told_at_once_takes_along_what_is_held,
);
on_sqlite!(only_styles_that_there_are_can_be_chosen);

/// Longer than any story: what is held so long is shown with something else, or never.
pub(crate) const FOR_LONG: u64 = 3_600;

/// How soon after its hold's end a message comes. A look at the clock every few seconds, in the place of one when the hold
/// ends, is later.
const IN_TIME: Duration = Duration::from_secs(2);

/// How often that is tried: a machine that stalls is late, too, and not each time.
const TRIES: usize = 3;

/// A house where grouped and quiet events are held for so many seconds.
pub(crate) async fn house_holding(database: Database, grouped: u64, quiet: u64) -> House {
    let House { nats, discord, bot } = build_house(database).await;
    let bot = bot
        .setting("delivery.grouped_hold_seconds", &grouped.to_string())
        .setting("delivery.quiet_hold_seconds", &quiet.to_string());
    let house = House { nats, discord, bot };
    house.add_accounts().await.unwrap();
    house
}

async fn joins(house: &House, names: &[&str]) {
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    let mut stored = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let subject = format!("v0.rust.servers.main.players.7656119800000000{number}.events.connected");
        let payload = json!({ "player": { "name": name } }).to_string();
        // In order, and none of them waits for the one before to be stored.
        stored.push(publisher.jetstream.publish(subject, payload.into()).await.unwrap());
    }
    for acknowledgement in stored {
        acknowledgement.await.unwrap();
    }
}

/// Uses `/notify edit` and chooses a style.
async fn choose_style(house: &House, guild: Guild, id: &str, style: &str) -> Reply {
    let asked = house.command(guild, "notify edit", &[("binding", id.into())]).await.unwrap();
    let answer = house.discord.select(admin(guild), &asked, &format!("style:{id}"), &[style]).await.unwrap();
    assert!(answer.ephemeral && answer.took < DISCORD_WAITS, "{answer:?}");
    assert_eq!(answer.components, json!([]), "the selects are gone");
    answer
}

async fn a_style_is_chosen_with_a_binding_and_changed_alone(database: Database) {
    let house = house_holding(database, FOR_LONG, 300).await;
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let channel = house.channel(guild, "players");
    let mut compare = Comparisons::default();
    let hears = format!("<#{channel}> hears **players** of **GA-1** (all servers)");
    let grouped = format!("{hears}, **grouped** (told together after 1 hour)");
    let quiet = format!("{hears}, **quiet** (told together after 5 minutes, without a sound)");
    let add = |style: &str| {
        [("channel", Value::from(channel.to_string())), ("events", "players".into()), ("style", style.into())]
    };

    let said = says(&house, guild, "notify add", &add("grouped")).await;
    compare.equal("added", &said, &format!("✅ {grouped}, from this moment on."));
    let id = binding_ids(&house, guild).await.remove(0);
    let listed = format!("`#{id}` {grouped}");
    compare.equal("listed", &says(&house, guild, "notify list", &[]).await, &listed);
    let said = says(&house, guild, "notify add", &add("each")).await;
    let equal =
        format!("<#{channel}> hears exactly that already, in another style. To change that, use `/notify edit`.");
    compare.equal("an equal one", &said, &equal);
    let said = says(&house, guild, "notify add", &add("grouped")).await;
    assert!(said.starts_with(&format!("<#{channel}> hears exactly that already. If")), "{said}");

    let asked = house.command(guild, "notify edit", &[("binding", id.as_str().into())]).await.unwrap();
    let question = format!("{grouped}. Choose all that it is to hear from now on, or how it is told:");
    compare.equal("question", &asked.content, &question);
    let options = asked.components[1]["components"][0]["options"].as_array().unwrap().clone();
    let offered: Vec<_> = options.iter().map(|of| (of["label"].as_str().unwrap(), of["default"] == true)).collect();
    let wanted = [
        ("each: at once", false),
        ("grouped: told together after 1 hour", true),
        ("quiet: told together after 5 minutes, without a sound", false),
    ];
    assert_eq!(offered, wanted);

    // What is recorded before the change stays as it was to be told.
    joins(&house, &["Ada"]).await;
    wait_until_recorded(&house, guild, channel, "1 item").await;
    let restyled = "that is how I tell what comes from now on. What waits already is told as it was to be.";
    let said = choose_style(&house, guild, &id, "quiet").await.content;
    compare.equal("quiet", &said, &format!("✅ {quiet}: {restyled}"));
    let said = choose_style(&house, guild, &id, "quiet").await.content;
    compare.equal("the same", &said, &format!("{quiet}, as before. Nothing was changed."));
    assert_eq!(house.shown(channel), [""; 0]);
    let said = choose_style(&house, guild, &id, "each").await.content;
    compare.equal("each", &said, &format!("✅ {hears}: {restyled}"));
    // It goes on without a gap: its kinds don't begin anew.
    assert!(!says(&house, guild, "notify list", &[]).await.contains("begins"));
    joins(&house, &["Grace"]).await;
    house.discord.wait_for_messages(channel, 1, PATIENCE).await.unwrap();
    let messages = house.discord.messages(channel);
    let text = messages[0].raw.to_string();
    assert!(messages.len() == 1 && text.contains("Ada") && text.contains("Grace"), "{messages:?}");

    says(&house, guild, "notify pause", &[("binding", id.as_str().into())]).await;
    let said = choose_style(&house, guild, &id, "quiet").await.content;
    let paused = "once you resume it: it is paused, and nothing is kept for it until `/notify resume`.";
    compare.equal("in a pause", &said, &format!("✅ {quiet}, {paused}"));
    let said = without_moments(&says(&house, guild, "notify resume", &[("binding", id.as_str().into())]).await);
    compare.equal("resumed", &said, &format!("✅ {quiet}, from this moment on."));

    // One whose selects are still open while it is removed.
    let asked = house.command(guild, "notify edit", &[("binding", id.as_str().into())]).await.unwrap();
    says(&house, guild, "notify remove", &[("binding", id.as_str().into())]).await;
    let late = house.discord.select(admin(guild), &asked, &format!("style:{id}"), &["each"]).await.unwrap();
    compare.equal("gone", &late.content, "There is no such entry here. `/notify list` shows what there is.");
}

async fn what_is_held_comes_together_when_its_hold_ends(database: Database) {
    const HOLD: Duration = Duration::from_secs(2);
    let house = house_holding(database, HOLD.as_secs(), FOR_LONG).await;
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let channel = house.channel(guild, "players");
    house.notify(guild, channel, "players", &[("style", "grouped".into())]).await.unwrap();
    let names = ["Ada", "Grace", "Lin"];
    let mut rounds = Vec::new();
    // A round begins right after the one before, however long that took: so a look at the clock every few seconds is late
    // in all but the first.
    for _ in 0..=TRIES {
        let (start, before) = (Instant::now(), house.discord.messages(channel).len());
        joins(&house, &names).await;
        house.discord.wait_for_messages(channel, before + 1, PATIENCE).await.unwrap();
        let took = start.elapsed();
        assert!(took >= HOLD, "held: {took:?}");
        let are_told = |discord: &Sim| {
            let text: String = discord.messages(channel)[before..].iter().map(|it| it.raw.to_string()).collect();
            names.iter().all(|name| text.contains(name))
        };
        house.discord.wait_until(PATIENCE, "all three are told", are_told).await.unwrap();
        rounds.push((took, house.discord.messages(channel).len() - before));
    }
    let is_in_time = |(took, messages): &(Duration, usize)| *took < HOLD + IN_TIME && *messages == 1;
    assert!(rounds[1..].iter().any(is_in_time), "together, when the hold ends: {rounds:?}");
}

/// It comes when the hold ends, too, and not when somebody looks.
async fn what_is_held_while_the_bot_stops_comes_when_its_hold_ends(database: Database) {
    const HOLD: Duration = Duration::from_secs(10);
    // So shortly before the hold ends that the bot's next look at the clock is seconds after that.
    const STARTED_AFTER: Duration = Duration::from_secs(8);
    let house = house_holding(database, FOR_LONG, HOLD.as_secs()).await;
    let mut bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let channel = house.channel(guild, "players");
    house.notify(guild, channel, "players", &[("style", "grouped".into())]).await.unwrap();
    let id = binding_ids(&house, guild).await.remove(0);
    choose_style(&house, guild, &id, "quiet").await;
    let mut late = Vec::new();
    for before in 0..TRIES {
        let start = Instant::now();
        joins(&house, &["Ada"]).await;
        wait_until_recorded(&house, guild, channel, "1 item").await;
        let ended = Instant::now() + HOLD;
        bot.terminate().await.unwrap();
        assert_eq!(house.discord.messages(channel).len(), before);
        tokio::time::sleep_until(start + STARTED_AFTER).await;
        bot = house.start().await.unwrap();
        let could_come = ended.max(Instant::now());
        house.discord.wait_for_messages(channel, before + 1, PATIENCE).await.unwrap();
        assert!(start.elapsed() >= HOLD, "held: {:?}", start.elapsed());
        late.push(Instant::now().saturating_duration_since(could_come));
        if late[before] < IN_TIME {
            return;
        }
    }
    panic!("not when the hold ends, but later: {late:?}");
}

/// The channel has two bindings that overlap: what both hear is told in the more prominent style.
async fn what_is_told_at_once_takes_along_what_is_held(database: Database) {
    let house = house_holding(database, FOR_LONG, FOR_LONG).await;
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let channel = house.channel(guild, "all");
    let style = |style: &str| [("style", Value::from(style))];
    house.notify(guild, channel, "everything", &style("quiet")).await.unwrap();
    house.notify(guild, channel, "lifecycle", &style("each")).await.unwrap();
    house.notify(guild, channel, "players", &style("grouped")).await.unwrap();

    joins(&house, &["Ada", "Grace"]).await;
    wait_until_recorded(&house, guild, channel, "2 items").await;
    assert_eq!(house.shown(channel), [""; 0]);
    house.publisher(FIRST_ACCOUNT).await.unwrap().publish("main.events.wiped", "{}").await.unwrap();
    let messages = house.discord.wait_for_messages(channel, 1, PATIENCE).await.unwrap();
    let text = messages[0].raw.to_string();
    let places: Vec<_> = ["Ada", "Grace", "wiped"].iter().map(|word| text.find(word)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "in one message, in order: {messages:?}");
}

async fn only_styles_that_there_are_can_be_chosen(database: Database) {
    let house = house_holding(database, FOR_LONG, FOR_LONG).await;
    let _bot = house.start().await.unwrap();
    let (guild, others) = (house.guild("Rustaceans"), house.guild("Others"));
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.link(others, FIRST_ACCOUNT).await.unwrap();
    let channel = house.channel(guild, "players");
    house.notify(guild, channel, "players", &[]).await.unwrap();
    let id = binding_ids(&house, guild).await.remove(0);
    let listed = says(&house, guild, "notify list", &[]).await;
    let asked = house.command(guild, "notify edit", &[("binding", id.as_str().into())]).await.unwrap();
    let style = format!("style:{id}");

    let moderator = discord_sim::Actor { user: house.discord.add_member(guild.id, "moderator", 0), ..admin(guild) };
    let answer = house.discord.use_unseen(moderator, &asked, &style, Some(&["quiet"])).await.unwrap();
    assert_eq!(answer.content, "You need the permission **Manage Server** here for that. Ask somebody who has it.");
    let answer = house.discord.use_unseen(admin(others), &asked, &style, Some(&["quiet"])).await.unwrap();
    assert_eq!(answer.content, "There is no such entry here. `/notify list` shows what there is.");
    assert_eq!(says(&house, guild, "notify list", &[]).await, listed);
}

/// Waits until that much waits for a channel.
async fn wait_until_recorded(house: &House, guild: Guild, channel: u64, waiting: &str) {
    let by = discord_sim::Actor { channel, ..admin(guild) };
    crate::fire::eventually("it is recorded", async || {
        let no_options: &[(&str, Value)] = &[];
        let why = house.discord.command(by, "why", no_options).await.unwrap();
        why.embeds.iter().filter_map(|embed| embed.description.as_ref()).any(|text| text.contains(waiting))
    })
    .await;
}
