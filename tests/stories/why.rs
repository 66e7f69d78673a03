//! What became of the last events: each told with its fate, however many there are.

use std::collections::BTreeSet;
use std::time::Duration;

use discord_sim::{Actor, Reply, Route, Trouble};
use guildwire_harness::house::{FIRST_ACCOUNT, House, PATIENCE};
use serde_json::{Value, json};

use crate::asking::{bindings, wait_for_why, why_in, without_took};
use crate::installation::{Comparisons, DISCORD_WAITS, on_sqlite, says, without_moments};
use crate::managing::admin;
use crate::styles::{FOR_LONG, house_holding};
use crate::support::{Database, build_house, on_both_databases};

on_both_databases!(
    each_event_is_told_with_what_became_of_it,
    what_discord_never_takes_is_told_event_by_event,
    ten_thousand_events_are_told_in_time,
    the_list_says_how_each_entry_does,
);
on_sqlite!(what_waits_says_for_what, what_is_shown_in_other_words_says_why);

const A_SECOND: Duration = Duration::from_secs(1);

/// A player joins, by name.
async fn joins(house: &House, name: &str) {
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    let payload = json!({ "player": { "name": name } }).to_string();
    publisher.publish("main.players.76561198000000001.events.connected", &payload).await.unwrap();
}

async fn happens(house: &House, event: &str) {
    house.publisher(FIRST_ACCOUNT).await.unwrap().publish(&format!("main.events.{event}"), "{}").await.unwrap();
}

/// The lines below "The last events".
fn lines(why: &str) -> String {
    let after = why.split_once("**The last events**\n").map_or("", |(_, after)| after);
    after.split("\n\n").next().unwrap_or_default().split("\nFrom what").next().unwrap_or_default().to_owned()
}

async fn each_event_is_told_with_what_became_of_it(database: Database) {
    let house = house_holding(database, FOR_LONG, FOR_LONG).await;
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let channel = house.channel(guild, "all");
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    house.notify(guild, channel, "players", &[("style", "grouped".into())]).await.unwrap();
    let ids = bindings(&house, guild).await;
    let mut compare = Comparisons::default();
    let of_binding = async |id: &str| {
        let why = says(&house, guild, "why", &[("binding", id.into())]).await;
        lines(&without_took(&without_moments(&why)))
    };

    joins(&house, "Ada").await;
    joins(&house, "**Lin**").await;
    let held = format!("🕓 2 items for <#{channel}>, told together with what comes until <time>.");
    let why = wait_for_why(&house, guild, channel, &held).await;
    let wanted = format!(
        "🕓 **2 events**, the first <time> 📥 **Ada** joined **main**, the last <time> 📥 **\\*\\*Lin\\*\\*** joined **main** · \
         waits for others to be told with it, until <time> · for `#{}`",
        ids[1]
    );
    compare.equal("held", &lines(&why), &wanted);
    compare.equal("of another binding", &of_binding(&ids[0]).await, "");

    happens(&house, "started").await;
    house.discord.wait_for_messages(channel, 1, PATIENCE).await.unwrap();
    let link = |message: usize| {
        let message = house.discord.messages(channel)[message].id;
        format!("[shown](https://discord.com/channels/{}/{channel}/{message})", guild.id)
    };
    let why = wait_for_why(&house, guild, channel, "🟢").await;
    let together = format!(
        "✅ **3 events**, the first <time> 📥 **Ada** joined **main**, the last <time> 🔄 Server **main**: plugin reloaded, or the server was started anew · {}, the first \
         after <took> · for `#{}`, `#{}`",
        link(0),
        ids[0],
        ids[1]
    );
    compare.equal("shown together", &lines(&why), &together);
    let up = format!(
        "✅ <time> 🔄 Server **main**: plugin reloaded, or the server was started anew · {} after <took>",
        link(0)
    );
    compare.equal("of the one binding", &of_binding(&ids[0]).await, &up);
    let joined = format!(
        "✅ **2 events**, the first <time> 📥 **Ada** joined **main**, the last <time> 📥 **\\*\\*Lin\\*\\*** joined **main** · {}, \
         the first after <took>",
        link(0)
    );
    compare.equal("of the other", &of_binding(&ids[1]).await, &joined);

    happens(&house, "wiped").await;
    house.discord.wait_for_messages(channel, 2, PATIENCE).await.unwrap();
    let why = wait_for_why(&house, guild, channel, "🟢").await;
    let wiped = format!(
        "✅ <time> ✨ Server **main** was wiped: a fresh world awaits · {} after <took> · for `#{}`",
        link(1),
        ids[0]
    );
    compare.equal("the newest first", &lines(&why), &format!("{wiped}\n{together}"));

    // What happened to a message since is not asked of Discord; an entry that is gone has no number.
    says(&house, guild, "notify remove", &[("binding", ids[0].as_str().into())]).await;
    let why = lines(&why_in(&house, guild, channel).await);
    assert!(why.contains("✨ Server **main** was wiped") && !why.contains("for `#"), "{why}");
}

async fn what_waits_says_for_what(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let (failing, refusing) = (house.channel(guild, "failing"), house.channel(guild, "refusing"));
    for channel in [failing, refusing] {
        house.notify(guild, channel, "everything", &[]).await.unwrap();
    }
    let mut compare = Comparisons::default();
    house.discord.trouble(Route::MessageCreateIn(failing), Trouble::Status(503), None);
    // Not by permissions: of those the gateway may tell before anything is sealed.
    let refusal = Trouble::Error { status: 403, code: 50_013, message: "Missing Permissions".to_owned() };
    house.discord.trouble(Route::MessageCreateIn(refusing), refusal, None);
    happens(&house, "started").await;
    let keeps = "🕓 <time> 🟢 Server **main** is up · is next; why it waits is said above";
    for channel in [failing, refusing] {
        let why = wait_for_why(&house, guild, channel, &format!("🔴 <#{channel}> gets no messages right now.")).await;
        compare.equal("sealed", &lines(&why), keeps);
    }
    // What came later is in no message yet.
    for name in ["Ada", "Lin"] {
        joins(&house, name).await;
    }
    let waits = "🕓 **2 events**, the first <time> 📥 **Ada** joined **main**, the last <time> 📥 **Lin** joined **main** · waits, \
                 for the reason above";
    for channel in [failing, refusing] {
        crate::fire::eventually("both are recorded", async || {
            lines(&why_in(&house, guild, channel).await) == format!("{waits}\n{keeps}")
        })
        .await;
    }
    house.discord.clear_trouble();
    house.discord.wait_for_messages(failing, 2, PATIENCE).await.unwrap();
}

async fn what_is_shown_in_other_words_says_why(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let channel = house.channel(guild, "guarded");
    house.notify(guild, channel, "players", &[]).await.unwrap();
    let mut compare = Comparisons::default();
    let refusals = [
        (50_035, "Invalid Form Body", "as plain text: Discord did not accept it otherwise"),
        (
            200_000,
            "Message was blocked by automatic moderation",
            "without what players wrote: AutoMod did not let that pass",
        ),
    ];
    for (number, (code, message, how)) in refusals.into_iter().enumerate() {
        let trouble = Trouble::Error { status: 400, code, message: message.to_owned() };
        house.discord.trouble(Route::MessageCreateIn(channel), trouble, Some(1));
        joins(&house, "Ada").await;
        let shown = house.discord.wait_for_messages(channel, number + 1, PATIENCE).await.unwrap();
        let why = wait_for_why(&house, guild, channel, "🟢").await;
        let wanted = format!(
            "✅ <time> 📥 **Ada** joined **main** · [shown](https://discord.com/channels/{}/{channel}/{}) after <took>, {how} \
             (HTTP 400, code {code}\\: {message})",
            guild.id, shown[number].id
        );
        compare.equal(how, lines(&why).lines().next().unwrap_or_default(), &wanted);
    }
}

/// All pages of an answer, turned by its button.
async fn pages(house: &House, by: Actor, first: Reply) -> Vec<String> {
    let mut pages = Vec::new();
    let mut page = first;
    loop {
        assert!(page.ephemeral && page.took < DISCORD_WAITS, "{page:?}");
        pages.push(page.embeds[0].description.clone().unwrap());
        let next = &page.components[0]["components"][1];
        if next.is_null() || next["disabled"] == true {
            return pages;
        }
        let next = next["custom_id"].as_str().unwrap().to_owned();
        page = house.discord.press(by, &page, &next).await.unwrap();
    }
}

async fn what_discord_never_takes_is_told_event_by_event(database: Database) {
    const EVENTS: u64 = 300;
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let (guild, others) = (house.guild("Rustaceans"), house.guild("Others"));
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let channel = house.channel(guild, "guarded");
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    house.notify(guild, channel, "players", &[]).await.unwrap();
    let ids = bindings(&house, guild).await;
    let message = "Invalid Form Body".to_owned();
    house.discord.trouble(Route::MessageCreateIn(channel), Trouble::Error { status: 400, code: 50_035, message }, None);
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    for number in 0..EVENTS {
        publisher.publish(&format!("server-{number}.events.started"), "{}").await.unwrap();
    }
    let by = Actor { channel, ..admin(guild) };
    let no_options: &[(&str, Value)] = &[];
    let told = async |by: Actor, reply: Reply| {
        let all = pages(&house, by, reply).await.join("\n\n");
        let set_aside = all.split_once("**Not shown, and not tried again**").map_or("", |(_, rest)| rest);
        let mut numbers = Vec::new();
        for line in set_aside.lines().filter(|line| line.starts_with("· <t:")) {
            let number = line.split_once("Server **server\\-").and_then(|(_, rest)| rest.split_once("** is up"));
            numbers.push(number.unwrap_or_else(|| panic!("{line}")).0.parse::<u64>().unwrap());
        }
        (numbers, all)
    };
    crate::fire::eventually("all are set aside", async || {
        let (numbers, _) = told(by, house.discord.command(by, "why", no_options).await.unwrap()).await;
        numbers.len() as u64 == EVENTS
    })
    .await;

    let (numbers, all) = told(by, house.discord.command(by, "why", no_options).await.unwrap()).await;
    assert_eq!(numbers.iter().copied().collect::<BTreeSet<_>>(), (0..EVENTS).collect(), "each once");
    assert!(numbers.is_sorted_by(|newer, older| newer > older), "the newest first: {numbers:?}");
    assert!(all.contains("HTTP 400, code 50035\\: Invalid Form Body"), "{all}");
    assert!(lines(&all).lines().all(|line| line.contains(" · not shown: the reason is below · for `#")), "{all}");
    assert!(lines(&all).lines().count() <= 10, "{all}");
    let binding = [("binding", ids[0].as_str().into())];
    let (of_binding, _) = told(admin(guild), house.command(guild, "why", &binding).await.unwrap()).await;
    assert_eq!(of_binding, numbers);
    let (of_other, all) =
        told(admin(guild), house.command(guild, "why", &[("binding", ids[1].as_str().into())]).await.unwrap()).await;
    assert!(of_other.is_empty() && lines(&all).is_empty(), "{all}");
    assert!(all.starts_with(&format!("⚪ I know of no event for `#{}` so far.", ids[1])), "{all}");

    // Whoever presses the button may see no more than whoever uses the command.
    let reply = house.command(guild, "why", &binding).await.unwrap();
    let next = format!("why:1:{}", ids[0]);
    let moderator = Actor { user: house.discord.add_member(guild.id, "moderator", 0), ..by };
    let answer = house.discord.use_unseen(moderator, &reply, &next, None).await.unwrap();
    assert_eq!(answer.content, "You need the permission **Manage Server** here for that. Ask somebody who has it.");
    let answer = house.discord.use_unseen(admin(others), &reply, &next, None).await.unwrap();
    assert_eq!(answer.content, "There is no such entry here. `/notify list` shows what there is.");
}

async fn ten_thousand_events_are_told_in_time(database: Database) {
    let house = house_holding(database, FOR_LONG, FOR_LONG).await;
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let channel = house.channel(guild, "items");
    house.notify(guild, channel, "items", &[("style", "quiet".into())]).await.unwrap();
    let id = bindings(&house, guild).await.remove(0);
    for group in ["lifecycle", "players", "chat", "moderation", "combat"] {
        house.notify(guild, channel, group, &[]).await.unwrap();
    }
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap().jetstream;
    let subject = "v0.rust.servers.main.players.76561198000000001.events.gatheredResources";
    for _ in 0..10 {
        let mut accepted = Vec::new();
        for _ in 0..1_000 {
            accepted.push(publisher.publish(subject, r#"{"amount":7}"#.into()).await.unwrap());
        }
        for accepted in accepted {
            accepted.await.unwrap();
        }
    }
    let held = format!("🕓 10000 items for <#{channel}>, told together");
    wait_for_why(&house, guild, channel, &held).await;

    let by = Actor { channel, ..admin(guild) };
    let no_options: &[(&str, Value)] = &[];
    let here = house.discord.command(by, "why", no_options).await.unwrap();
    let binding = house.command(guild, "why", &[("binding", id.into())]).await.unwrap();
    for (reply, wanted) in
        [(here, "🕓 **10000 events**, the last <t:"), (binding, "🕓 **1000 events or more**, the last <t:")]
    {
        assert!(reply.took < A_SECOND, "{:?}", reply.took);
        let told = lines(reply.embeds[0].description.as_deref().unwrap());
        assert!(told.starts_with(wanted) && told.lines().count() == 1, "{told}");
    }
    // Of those who ask for something else in that channel nothing is found, however far is looked back.
    let listed = async || {
        let list = house.command(guild, "notify list", &[]).await.unwrap();
        assert!(list.took < A_SECOND, "{:?}", list.took);
        list.embeds[0].description.clone().unwrap()
    };
    let list = listed().await;
    assert!(list.matches("🕓 10000 events are held, told <t:").count() == 1 && !list.contains("shown last"), "{list}");
    happens(&house, "started").await;
    crate::fire::eventually("all is shown", async || {
        let list = listed().await;
        list.matches("shown last").count() == 2 && !list.contains("🕓")
    })
    .await;
}

async fn the_list_says_how_each_entry_does(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let (both, failing) = (house.channel(guild, "both"), house.channel(guild, "failing"));
    house.notify(guild, both, "lifecycle", &[]).await.unwrap();
    house.notify(guild, both, "players", &[]).await.unwrap();
    house.notify(guild, failing, "everything", &[]).await.unwrap();
    let ids = bindings(&house, guild).await;
    let entry = |number: usize, channel: u64, kinds: &str, standing: &str| {
        format!("`#{}` <#{channel}> hears **{kinds}** of **GA-1** (all servers){standing}", ids[number])
    };
    // What is shown is noted a moment later.
    let lists = async |wanted: [String; 3]| {
        let wanted = wanted.join("\n\n");
        let mut last = String::new();
        let found = tokio::time::timeout(PATIENCE, async {
            while last != wanted {
                last = without_moments(&says(&house, guild, "notify list", &[]).await);
                // The number of attempts grows.
                for attempts in 2..10 {
                    last = last.replace(&format!("{attempts} attempts"), "1 attempt");
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        let is_found = found.await.is_ok();
        assert!(is_found, "said:   {last}\nwanted: {wanted}");
    };
    let shown_in = |message: usize| {
        let message = house.discord.messages(both)[message].id;
        let link = format!("https://discord.com/channels/{}/{both}/{message}", guild.id);
        format!("\n✅ shown last <time> · [message]({link})")
    };

    house.discord.trouble(Route::MessageCreateIn(failing), Trouble::Status(503), None);
    happens(&house, "started").await;
    house.discord.wait_for_messages(both, 1, PATIENCE).await.unwrap();
    let hindered = "\n🔴 1 attempt failed, the last with: HTTP 503. I keep trying (next <time>).";
    let waits = format!("{hindered}\n🕓 1 event waits since <time>");
    // Of two entries for one channel, each has what it asked for.
    lists([
        entry(0, both, "lifecycle", &shown_in(0)),
        entry(1, both, "players", ""),
        entry(2, failing, "everything", &waits),
    ])
    .await;
    joins(&house, "Ada").await;
    house.discord.wait_for_messages(both, 2, PATIENCE).await.unwrap();
    let waits = format!("{hindered}\n🕓 2 events wait, the first since <time>");
    lists([
        entry(0, both, "lifecycle", &shown_in(0)),
        entry(1, both, "players", &shown_in(1)),
        entry(2, failing, "everything", &waits),
    ])
    .await;
}
