//! Asking how it goes: a sample through the real lane, and why a channel shows what it shows, or nothing.

use discord_sim::{Actor, Route, Trouble};
use guildwire_harness::house::{FIRST_ACCOUNT, Guild, House, PATIENCE};
use guildwire_harness::{NatsConfig, free_port};
use serde_json::Value;

use crate::fire::eventually;
use crate::installation::{Comparisons, offered, on_sqlite, says, without_moments};
use crate::support::{Database, build_house, on_both_databases};

on_both_databases!(
    a_sample_is_shown_as_one_and_calls_nobody,
    a_sample_that_would_be_refused_waits_until_that_is_mended,
    why_tells_what_happened_to_the_last_events,
    help_says_the_next_step,
);
on_sqlite!(
    a_sample_that_has_to_wait_says_for_what,
    a_sample_that_discord_does_not_take_is_set_aside,
    why_a_silent_channel_is_silent,
);

const SEND: u64 = 1 << 11;

async fn a_sample_is_shown_as_one_and_calls_nobody(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let (guild, others) = (house.guild("Rustaceans"), house.guild("Others"));
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let channel = house.channel(guild, "status");
    let role = house.discord.add_role(guild.id, "on call", true);
    house.notify(guild, channel, "lifecycle", &[("mention", role.to_string().into())]).await.unwrap();
    let id = bindings(&house, guild).await.remove(0);
    let mut compare = Comparisons::default();

    let said = says(&house, guild, "notify test", &[("binding", id.as_str().into())]).await;
    let message = house.discord.messages(channel).remove(0);
    let link = format!("https://discord.com/channels/{}/{channel}/{}", guild.id, message.id);
    compare.equal("works", &said, &format!("✅ It works: the sample stands in <#{channel}>. {link}"));
    let sample = format!(
        "🧪 **Sample**: this did not happen, somebody used `/notify test`.\n🟢 Server **sample server** is up · <time>\nA \
         real event mentions <@&{role}>."
    );
    compare.equal("sample", &without_moments(message.embeds[0].description.as_deref().unwrap()), &sample);
    assert!(message.embeds[0].footer.as_ref().unwrap().starts_with("GA-1 · sample server · "), "{message:?}");
    assert_eq!((message.content.as_str(), message.notified_roles.as_slice()), ("", &[][..]));

    // The next event goes its usual way, and calls.
    house.publisher(FIRST_ACCOUNT).await.unwrap().publish("main.events.started", "{}").await.unwrap();
    house.wait_for_shown(channel, 2).await.unwrap();
    assert_eq!(house.discord.messages(channel)[1].notified_roles, [role]);

    // A binding of one server has its sample there.
    house.notify(guild, channel, "chat", &[("server", "main".into())]).await.unwrap();
    let chat = bindings(&house, guild).await.remove(1);
    says(&house, guild, "notify test", &[("binding", format!("#{chat}").into())]).await;
    let sample = "🧪 **Sample**: this did not happen, somebody used `/notify test`.\n💬 **sample player** on **main** · \
                  <time>\nHello!";
    let message = house.discord.messages(channel).remove(2);
    compare.equal("chat", &without_moments(message.embeds[0].description.as_deref().unwrap()), sample);

    // Also a paused one can be tried: it says what else is missing.
    says(&house, guild, "notify pause", &[("binding", chat.as_str().into())]).await;
    let said = says(&house, guild, "notify test", &[("binding", chat.as_str().into())]).await;
    let paused = "\n⏸️ But this entry is paused: no event is shown until `/notify resume`.";
    assert!(said.starts_with("✅ It works") && said.ends_with(paused), "{said}");
    let said = without_moments(&says(&house, guild, "why", &[("binding", chat.into())]).await);
    assert!(said.contains("\n⏸️ paused <time>: nothing is kept for it until `/notify resume`\nGA-1: 🟢"), "{said}");

    let none = "There is no such entry here. `/notify list` shows what there is.";
    compare.equal("no number", &says(&house, guild, "notify test", &[("binding", "first".into())]).await, none);
    compare.equal("another guild's", &says(&house, others, "notify test", &[("binding", id.into())]).await, none);
    assert_eq!(house.shown(channel).len(), 4);
}

async fn a_sample_that_would_be_refused_waits_until_that_is_mended(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let channel = house.channel(guild, "status");
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    let id = bindings(&house, guild).await.remove(0);
    let test = async || without_moments(&says(&house, guild, "notify test", &[("binding", id.as_str().into())]).await);
    let mut compare = Comparisons::default();

    house.discord.deny(channel, SEND);
    let refused = format!(
        "🔴 The sample could not be shown in <#{channel}>. I have not been able to post there since <time>: missing Send \
         Messages. Give me that in the channel's settings under Permissions, for my role: I notice it, and what waits is \
         kept. The next try is <time>."
    );
    compare.equal("refused", &test().await, &refused);
    let again =
        format!("{refused}\nAn earlier sample was still on its way there, so I added none and waited for that.");
    compare.equal("refused again", &test().await, &again);
    let why = why_in(&house, guild, channel).await;
    assert!(why.starts_with(&format!("🔴 <#{channel}> gets no messages right now. I have not been able")), "{why}");
    let kept = "I notice it, and what waits is kept. The next try is <time>. 1 item waits for it and is kept.";
    assert!(why.contains(kept), "{why}");
    assert_eq!(house.discord.statistics().invalid, 0, "what is known to be refused is not asked for");

    house.discord.deny(channel, 0);
    house.wait_for_shown(channel, 1).await.unwrap();
    // One sample, however often it was asked for, and the lane is open for what comes.
    house.publisher(FIRST_ACCOUNT).await.unwrap().publish("main.events.started", "{}").await.unwrap();
    house.wait_for_shown(channel, 2).await.unwrap();
    assert_eq!(
        house.shown(channel),
        ["🧪 **Sample**: this did not happen, somebody used `/notify test`.", "🟢 Server **main** is up"]
    );

    house.discord.delete_channel(channel);
    let gone = format!(
        "🔴 The sample could not be shown in <#{channel}>. Nothing can be shown there since <time>: the channel was deleted. \
         Choose another with `/notify add` (for members' pings with `/board pings`), and take this one off the list with \
         `/notify remove`."
    );
    compare.equal("gone", &test().await, &gone);
}

async fn a_sample_that_has_to_wait_says_for_what(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let (limited, failing) = (house.channel(guild, "limited"), house.channel(guild, "failing"));
    for channel in [limited, failing] {
        house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    }
    let ids = bindings(&house, guild).await;
    let mut compare = Comparisons::default();

    let trouble = Trouble::RateLimited { scope: discord_sim::Scope::User, retry_after: 600.0 };
    house.discord.trouble(Route::MessageCreateIn(limited), trouble, None);
    house.discord.trouble(Route::MessageCreateIn(failing), Trouble::Status(503), None);
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    for _ in 0..12 {
        publisher.publish("main.events.started", "{}").await.unwrap();
    }
    // Else the sample could be among the first that are sent.
    let metrics = format!("{}/metrics", bot.http_url());
    eventually("all are recorded", async || {
        let text = reqwest::get(&metrics).await.unwrap().text().await.unwrap();
        text.contains("guildwire_events_recorded_total{kind=\"server.started\"} 12")
    })
    .await;
    let tested = async |id: &str| {
        let said = says(&house, guild, "notify test", &[("binding", id.into())]).await;
        without_numbers(&without_moments(&said).replace(&limited.to_string(), "C").replace(&failing.to_string(), "C"))
    };
    let (limited_says, failing_says) = tokio::join!(tested(&ids[0]), tested(&ids[1]));
    compare.equal(
        "limited",
        &limited_says,
        "🕓 The sample is still on its way to <#C>, behind N others. Discord lets me post there again in N minutes. `/why` \
         tells how it goes on.",
    );
    compare.equal(
        "failing",
        &failing_says,
        "🕓 The sample is still on its way to <#C>, behind N others. N attempts failed, the last with: HTTP N. I keep \
         trying (next <time>). `/why` tells how it goes on.",
    );
    let why = without_numbers(&why_in(&house, guild, failing).await.replace(&failing.to_string(), "C"));
    assert!(
        why.starts_with(
            "🔴 <#C> gets no messages right now. N attempts failed, the last with: HTTP N. I keep trying (next <time>). N \
             items wait for it and are kept."
        ),
        "{why}"
    );
    house.discord.clear_trouble();
    let is_last = |shown: &[String]| shown.last().is_some_and(|last| last.starts_with("🧪 **Sample**"));
    eventually("the sample comes, behind what came before it", async || is_last(&house.shown(failing))).await;
    assert!(house.shown(failing)[0].starts_with("🟢 Server **main** is up"));
}

async fn a_sample_that_discord_does_not_take_is_set_aside(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let channel = house.channel(guild, "guarded");
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    let id = bindings(&house, guild).await.remove(0);
    let mut compare = Comparisons::default();
    let message = "Message was blocked by automatic moderation".to_owned();
    house.discord.trouble(
        Route::MessageCreateIn(channel),
        Trouble::Error { status: 400, code: 200_000, message },
        None,
    );
    let said = says(&house, guild, "notify test", &[("binding", id.into())]).await;
    compare.equal(
        "set aside",
        &said,
        &format!(
            "🔴 Discord does not take the sample in <#{channel}>: HTTP 400, code 200000\\: Message was blocked by automatic \
             moderation. If AutoMod guards that channel, exempt my role from it. Events go on to be tried; `/why` shows \
             which were set aside."
        ),
    );
    let why = wait_for_why(&house, guild, channel, &format!("🟢 Nothing waits to be shown in <#{channel}>.")).await;
    let line = "\n⛔ <time> 🧪 a sample, for `/notify test` · not shown: the reason is below\n";
    assert!(why.contains(line), "{why}");
    let set_aside = "**Not shown, and not tried again**\n⛔ <time>: 1 item. HTTP 400, code 200000\\: Message was \
                     blocked by automatic moderation\n· <time> 🧪 a sample, for `/notify test`\n";
    assert!(why.contains(set_aside), "{why}");
}

async fn why_tells_what_happened_to_the_last_events(database: Database) {
    let house = build_house(database).await;
    // Only where everything under the root is read can something else than an event come.
    let wide = ["account", "add", FIRST_ACCOUNT, "--user", NatsConfig::BLOG_POST_USER, "--wide-filter"];
    house.operate(&wide).await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let (channel, empty) = (house.channel(guild, "status"), house.channel(guild, "empty"));
    house.notify(guild, channel, "everything", &[]).await.unwrap();
    let id = bindings(&house, guild).await.remove(0);
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    publisher.publish("main.nonsense", "{}").await.unwrap();
    publisher.publish("main.events.started", "{}").await.unwrap();
    house.wait_for_shown(channel, 1).await.unwrap();
    let message = house.discord.messages(channel).remove(0).id;
    let mut compare = Comparisons::default();

    let why = format!(
        "🟢 Nothing waits to be shown in <#{channel}>.\n\n`#{id}` <#{channel}> hears **everything** of **GA-1** (all \
         servers)\nsince <time>\nGA-1: 🟢 reading its events (connected <time>)\n\n**The last events**\n✅ <time> \
         🟢 Server **main** is up · [shown](https://discord.com/channels/{}/{channel}/{message}) after <took>\n\nOf what \
         came on the stream of **GA-1** in the last 24 hours, I could not read: 1 with a subject that names no event. \
         That is for whoever publishes there.\nFrom what I still keep, which is some days. Of events that no game server \
         published, I can't know. Two clocks are compared: nats-server's and mine.",
        guild.id
    );
    compare.equal("here", &wait_for_why(&house, guild, channel, "🟢").await, &why);
    let by_binding = says(&house, guild, "why", &[("binding", id.as_str().into())]).await;
    compare.equal("of that binding", &without_took(&without_moments(&by_binding)), &why);
    compare.equal(
        "nothing goes there",
        &why_in(&house, guild, empty).await,
        &format!(
            "Nothing is sent to <#{empty}>. `/notify list` shows which channels hear something: choose one of them with \
             the option `binding`, or use `/why` there."
        ),
    );
    let none = "There is no such entry here. `/notify list` shows what there is.";
    compare.equal("no such", &says(&house, guild, "why", &[("binding", "0".into())]).await, none);
    let others = house.guild("Others");
    compare.equal("another guild's", &says(&house, others, "why", &[("binding", id.into())]).await, none);
}

async fn why_a_silent_channel_is_silent(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let nowhere = format!("nats://127.0.0.1:{}", free_port());
    let away = ["account", "add", "away", "--user", "u", "--url", &nowhere, "--no-check"];
    house.operate(&away).await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let (all, one, late) = (house.channel(guild, "all"), house.channel(guild, "one"), house.channel(guild, "late"));
    house.notify(guild, all, "lifecycle", &[]).await.unwrap();
    let why = async |channel: u64| {
        let why = why_in(&house, guild, channel).await;
        why.split("\n\n").nth(2).unwrap_or(&why).lines().take(2).collect::<Vec<_>>().join("\n")
    };
    let mut compare = Comparisons::default();
    let silent = "No game server of **GA-1** has sent anything since I read its events. Ask the account's owner whether its \
                  servers publish there.";
    assert!(
        why_in(&house, guild, all)
            .await
            .starts_with(&format!("⚪ No event for <#{all}> has come so far, as far back as I remember."))
    );
    compare.equal("no server", why(all).await.lines().next().unwrap_or_default(), silent);

    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    for server in ["main", "other"] {
        publisher.publish(&format!("{server}.events.started"), "{}").await.unwrap();
    }
    house.wait_for_shown(all, 2).await.unwrap();
    house.notify(guild, one, "combat", &[("server", "main".into())]).await.unwrap();
    house.notify(guild, late, "lifecycle", &[("server", "main".into())]).await.unwrap();
    publisher.publish("other.events.stopping", "{}").await.unwrap();
    house.wait_for_shown(all, 3).await.unwrap();
    let ids = bindings(&house, guild).await;
    let of = |id: &str, line: &str| {
        format!("**What the servers sent last, and why I know of nothing that `#{id}` showed of it**\n**{line}")
    };
    compare.equal(
        "before it began",
        &why(late).await,
        &of(&ids[2], "main** sent something <time>: that was before this entry began"),
    );
    publisher.publish("main.events.wiped", "{}").await.unwrap();
    house.wait_for_shown(all, 4).await.unwrap();
    wait_for_why(&house, guild, late, "🟢").await;
    compare.equal(
        "other kinds",
        &why(one).await,
        &of(&ids[1], "main** sent something <time>: not among the events that this entry hears, or shown longer ago than I remember"),
    );
    let new = house.channel(guild, "new");
    house.notify(guild, new, "lifecycle", &[("server", "main".into())]).await.unwrap();
    let ids = bindings(&house, guild).await;
    compare.equal(
        "before",
        &why(new).await,
        &of(&ids[3], "main** sent something <time>: that was before this entry began"),
    );

    // An account that can't be read is the reason, whatever else there is.
    house.link(guild, "away").await.unwrap();
    let options = [("channel", one.to_string().into()), ("events", "chat".into()), ("account", "away".into())];
    house.command(guild, "notify add", &options).await.unwrap();
    let ids = bindings(&house, guild).await;
    let said = says(&house, guild, "why", &[("binding", ids[4].as_str().into())]).await;
    assert!(said.contains("not yet: it begins when its account can be read\naway: 🔴 "), "{said}");
    let said = says(&house, guild, "notify test", &[("binding", ids[4].as_str().into())]).await;
    assert!(said.contains("\n⚠️ But I can't read the events of **away** now. "), "{said}");
    house.discord.wait_for_messages(one, 1, PATIENCE).await.unwrap();
}

async fn help_says_the_next_step(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let nowhere = format!("nats://127.0.0.1:{}", free_port());
    let away = ["account", "add", "away", "--user", "u", "--url", &nowhere, "--no-check"];
    house.operate(&away).await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let help = async || without_moments(&says(&house, guild, "help", &[]).await);
    let mut compare = Comparisons::default();

    let to_link = "I tell channels here what happens on game servers. Three steps:\n**1.** Ask the owner of the game \
                   servers' account for a one-time code. Whoever operates me makes one with `guildwire account \
                   invite`.\n**2.** Use it with `/account link`.\n**3.** Choose which events go to which channel with \
                   `/notify add`.";
    compare.equal("nothing yet", &help().await, to_link);
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let to_bind = "Linked here: **GA-1**. Next, choose which events go to which channel with `/notify add`. Begin with \
                   **lifecycle**: when a server starts, stops or is wiped.";
    compare.equal("linked", &help().await, to_bind);

    let channel = house.channel(guild, "status");
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    let commands = "`/status` · how the servers stand, and `/players` who is on them: for everybody\n`/notify list` · what goes where; \
                    `/notify add`, `edit`, `pause`, `resume` and `remove` change it\n`/notify test` · shows a sample in a \
                    channel, and says whether that works\n`/why` · what happened to the last events for a \
                    channel\n`/account list` · how the accounts are doing; `/account link` and `unlink` change which";
    let well = "🟢 All is well: 1 entry on `/notify list`, and I know of nothing that is in the way.";
    compare.equal("all well", &help().await, &format!("{well}\n\n{commands}"));

    house.link(guild, "away").await.unwrap();
    let options = [("channel", channel.to_string().into()), ("events", "chat".into()), ("account", "away".into())];
    house.command(guild, "notify add", &options).await.unwrap();
    house.discord.deny(channel, SEND);
    let id = bindings(&house, guild).await.remove(0);
    house.command(guild, "notify test", &[("binding", id.into())]).await.unwrap();
    let trouble = format!(
        "Something needs your attention:\n\n🔴 **away** · Its nats-server can't be reached. Ask the account's owner \
         whether it runs; if it does, whoever operates me has to check its address.\n\n🔴 <#{channel}> · I have not \
         been able to post there since <time>: missing Send Messages. Give me that in the channel's settings under \
         Permissions, for my role: I notice it, and what waits is kept. The next try is <time>.\n\n{commands}"
    );
    compare.equal("trouble", &help().await, &trouble);

    // Somebody who may not change anything is told who can.
    let player = house.discord.add_member(guild.id, "player", 0);
    let by = Actor { guild: guild.id, channel: guild.lobby, user: player };
    let no_options: &[(&str, Value)] = &[];
    let reply = house.discord.command(by, "help", no_options).await.unwrap();
    assert!(reply.ephemeral, "{reply:?}");
    compare.equal(
        "a player",
        &reply.content,
        "I tell channels here what happens on game servers. `/status` shows how they stand, `/players` who is on them.\nWho hears what is \
         chosen by those who have the permission **Manage Server**: ask one of them, who finds more under `/help`.",
    );
}

/// The guild's bindings' numbers, the oldest first.
pub(crate) async fn bindings(house: &House, guild: Guild) -> Vec<String> {
    let bindings = offered(house, guild, "notify remove", &[], ("binding", "")).await;
    bindings.into_iter().map(|(_, id)| id).collect()
}

/// What `/why` says to somebody who uses it in a channel.
pub(crate) async fn why_in(house: &House, guild: Guild, channel: u64) -> String {
    let by = Actor { guild: guild.id, channel, user: guild.admin };
    let no_options: &[(&str, Value)] = &[];
    let reply = house.discord.command(by, "why", no_options).await.unwrap();
    assert!(reply.ephemeral, "{reply:?}");
    let embeds = reply.embeds.iter().flat_map(|embed| [embed.description.clone(), embed.footer.clone()]).flatten();
    let parts: Vec<_> = std::iter::once(reply.content.clone()).filter(|text| !text.is_empty()).chain(embeds).collect();
    without_took(&without_moments(&parts.join("\n")))
}

/// Waits until `/why` begins with what is wanted: what a channel shows is noted a moment later.
pub(crate) async fn wait_for_why(house: &House, guild: Guild, channel: u64, wanted: &str) -> String {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let why = why_in(house, guild, channel).await;
        if why.starts_with(wanted) {
            return why;
        }
        assert!(tokio::time::Instant::now() < deadline, "no {wanted:?} in: {why}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// A text with how long each message took as `<took>`.
pub(crate) fn without_took(text: &str) -> String {
    const BEFORE: [&str; 2] = [") after ", ", the first after "];
    BEFORE.iter().fold(text.to_owned(), |text, before| {
        let mut parts = text.split(before);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |result, part| {
            let ends = [" · ", ", ", "\n"].iter().filter_map(|end| part.find(end));
            let end = ends.min().unwrap_or(part.len());
            format!("{result}{before}<took>{}", &part[end..])
        })
    })
}

/// A text with each number as `N`.
fn without_numbers(text: &str) -> String {
    let mut result = String::new();
    for character in text.chars() {
        if !character.is_ascii_digit() {
            result.push(character);
        } else if !result.ends_with('N') {
            result.push('N');
        }
    }
    result
}
