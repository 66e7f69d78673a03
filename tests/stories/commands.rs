//! What people do with slash commands, and what the messages look like that come of it.

use discord_sim::{Actor, ChannelKind};
use guildwire_harness::house::{FIRST_ACCOUNT, Guild, House, PATIENCE, SECOND_ACCOUNT};
use serde_json::{Value, json};

use crate::fire::{self, eventually};
use crate::installation::{Comparisons, DISCORD_WAITS, offered, says, without_moments};
use crate::support::{Database, build_house, on_both_databases};

on_both_databases!(
    what_is_typed_is_completed_by_what_is_known,
    bindings_are_listed_and_removed,
    status_tells_what_was_heard_and_when,
    a_role_is_mentioned_by_the_message_that_carries_the_event,
    a_binding_hears_its_server_and_no_other_and_a_thread_is_a_channel,
    hostile_names_are_shown_harmlessly,
);

async fn what_is_typed_is_completed_by_what_is_known(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let (guild, stranger) = (house.guild("Rustaceans"), house.guild("Strangers"));
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.link(guild, SECOND_ACCOUNT).await.unwrap();
    let (status, chat) = (house.channel(guild, "status"), house.channel(guild, "chat"));
    let account = |name: &str| ("account", Value::from(name));
    let (first, second) = (account(FIRST_ACCOUNT), account(SECOND_ACCOUNT));
    house.notify(guild, status, "lifecycle", std::slice::from_ref(&first)).await.unwrap();
    house.notify(guild, status, "lifecycle", std::slice::from_ref(&second)).await.unwrap();
    house.notify(guild, chat, "chat", std::slice::from_ref(&second)).await.unwrap();
    let ours = house.publisher(FIRST_ACCOUNT).await.unwrap();
    for number in 0..30 {
        ours.publish(&format!("Survival-{number:02}.events.started"), "{}").await.unwrap();
    }
    let long = "x".repeat(101);
    for server in ["survival-2x", "@everyone", &long] {
        let subject = format!("{server}.events.started");
        house.publisher(SECOND_ACCOUNT).await.unwrap().publish(&subject, "{}").await.unwrap();
    }
    eventually("all are shown", async || fire::shown(&house.discord, status).len() == 33).await;
    // Servers that nobody has typed for or asked about are offered a moment later: see `limits.rs`.
    house.command(guild, "status", &[]).await.unwrap();
    let mut compare = Comparisons::default();
    let names =
        |offered: &[(String, String)]| offered.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>().join("; ");
    let add = async |options: &[(&str, Value)], focused: (&str, &str)| {
        offered(&house, guild, "notify add", options, focused).await
    };

    for (typed, wanted) in [("", "GA-1; GA-2"), ("ga", "GA-1; GA-2"), ("2", "GA-2"), ("GA-3", ""), ("@everyone", "")] {
        compare.equal(typed, &names(&add(&[], ("account", typed)).await), wanted);
    }
    let all = add(&[], ("server", "")).await;
    assert_eq!(all.len(), 25, "{all:?}");
    assert!(all.iter().all(|(name, value)| *name == format!("{value} · GA-1")), "{all:?}");
    let teens: Vec<_> = (10..20).map(|number| format!("Survival-{number} · GA-1")).collect();
    compare.equal("teens", &names(&add(&[], ("server", "survival-1")).await), &teens.join("; "));
    compare.equal("beyond 25", &names(&add(&[], ("server", "SURVIVAL-29")).await), "Survival-29 · GA-1");
    // A value that Discord can't carry is not offered, for a cut one would be another server.
    let of_second = add(std::slice::from_ref(&second), ("server", "")).await;
    assert_eq!(of_second, pairs(&[("＠everyone · GA-2", "@everyone"), ("survival-2x · GA-2", "survival-2x")]));
    compare.equal("of one account", &names(&add(&[first], ("server", "survival-2x")).await), "");
    compare.equal("of a strange one", &names(&add(&[account("GA-9")], ("server", "")).await), "");
    let status_of = offered(&house, guild, "status", &[], ("server", "2X")).await;
    assert_eq!(status_of, pairs(&[("survival-2x · GA-2", "survival-2x")]));

    let bindings = offered(&house, guild, "notify remove", &[], ("binding", "")).await;
    let ids: Vec<_> = bindings.iter().map(|(_, id)| id.as_str()).collect();
    assert_eq!(
        bindings,
        pairs(&[
            (&format!("#{} #status · lifecycle · GA-1", ids[0]), ids[0]),
            (&format!("#{} #status · lifecycle · GA-2", ids[1]), ids[1]),
            (&format!("#{} #chat · chat · GA-2", ids[2]), ids[2]),
        ])
    );
    let chat_only = offered(&house, guild, "notify remove", &[], ("binding", "#chat")).await;
    assert_eq!(chat_only, bindings[2..]);

    for (name, option) in
        [("notify add", "account"), ("notify add", "server"), ("notify remove", "binding"), ("status", "server")]
    {
        assert_eq!(offered(&house, stranger, name, &[], (option, "")).await, [], "/{name} {option}");
    }
}

fn pairs(choices: &[(&str, &str)]) -> Vec<(String, String)> {
    choices.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

async fn bindings_are_listed_and_removed(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let mut compare = Comparisons::default();
    compare.equal(
        "nothing",
        &says(&house, guild, "notify list", &[]).await,
        "No channel hears anything yet. `/notify add` changes that.",
    );
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.link(guild, SECOND_ACCOUNT).await.unwrap();
    let account = |name: &str| ("account", Value::from(name));
    let (status, chat) = (house.channel(guild, "status"), house.channel(guild, "chat"));
    let list = async || without_moments(&says(&house, guild, "account list", &[]).await);
    let idle = "⚪ not in use yet: choose a channel for its events with `/notify add`";
    let reads = "🟢 reading its events (connected <time>)";
    compare.equal(
        "idle",
        &list().await,
        &format!("**GA-1** · linked <time>\n{idle}\n\n**GA-2** · linked <time>\n{idle}"),
    );

    house.notify(guild, status, "lifecycle", &[account(FIRST_ACCOUNT)]).await.unwrap();
    let options = [("channel", chat.to_string().into()), ("events", "chat".into()), account(FIRST_ACCOUNT)];
    let said = says(&house, guild, "notify add", &options).await;
    let warned = format!(
        "✅ <#{chat}> hears **chat** of **GA-1** (all servers), from this moment on.\n⚠️ Game servers don't tell team \
         chat from global chat: what players say to their team is shown, too. Choose a channel that only the right \
         people can read."
    );
    compare.equal("chat warns", &said, &warned);
    compare.equal(
        "reads",
        &list().await,
        &format!("**GA-1** · linked <time>\n{reads}\n\n**GA-2** · linked <time>\n{idle}"),
    );
    let bindings = offered(&house, guild, "notify remove", &[], ("binding", "")).await;
    let ids: Vec<_> = bindings.iter().map(|(_, id)| id.as_str()).collect();
    let listed = says(&house, guild, "notify list", &[]).await;
    compare.equal(
        "list",
        &listed,
        &format!(
            "`#{}` <#{status}> hears **lifecycle** of **GA-1** (all servers)\n\n`#{}` <#{chat}> hears **chat** of \
             **GA-1** (all servers)",
            ids[0], ids[1]
        ),
    );

    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    publisher.publish("main.events.started", "{}").await.unwrap();
    house.wait_for_shown(status, 1).await.unwrap();
    let said = says(&house, guild, "notify remove", &[("binding", ids[0].into())]).await;
    let gone = "What was due already is still shown.";
    compare.equal(
        "removed",
        &said,
        &format!("🗑️ Removed: <#{status}> hears **lifecycle** of **GA-1** (all servers). {gone}"),
    );
    publisher.publish("main.events.stopping", "{}").await.unwrap();
    publisher
        .publish("main.events.player.76561198000000001.chatted", r#"{"full_message":"hi","player_name":"Ada"}"#)
        .await
        .unwrap();
    // What came after it is shown, so it would have been.
    house.wait_for_shown(chat, 1).await.unwrap();
    assert_eq!(house.shown(status), ["🟢 Server **main** is up"]);
    house.command(guild, "notify remove", &[("binding", ids[1].into())]).await.unwrap();
    compare.equal(
        "nothing again",
        &says(&house, guild, "notify list", &[]).await,
        "No channel hears anything yet. `/notify add` changes that.",
    );
    crate::installation::wait_for_account_list(&house, guild, PATIENCE, &format!("**GA-1** · linked <time>\n{idle}"))
        .await;
}

async fn status_tells_what_was_heard_and_when(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let mut compare = Comparisons::default();
    let status = async |options: &[(&str, Value)]| without_moments(&says(&house, guild, "status", options).await);
    compare.equal(
        "no account",
        &status(&[]).await,
        "No game-server account is linked here yet. Ask the account's owner for a one-time code and use it with \
         `/account link`.",
    );
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.link(guild, SECOND_ACCOUNT).await.unwrap();
    let nothing = "I have heard of no game server yet. One appears here with its first event, once a channel hears its \
                   account (`/notify add`) or a board shows it (`/board create`).";
    compare.equal("nothing heard", &status(&[]).await, nothing);
    compare.equal("nothing heard of that", &status(&[("server", "main".into())]).await, nothing);

    let channel = house.channel(guild, "everything");
    for account in [FIRST_ACCOUNT, SECOND_ACCOUNT] {
        house.notify(guild, channel, "everything", &[("account", account.into())]).await.unwrap();
    }
    let (first, second) =
        (house.publisher(FIRST_ACCOUNT).await.unwrap(), house.publisher(SECOND_ACCOUNT).await.unwrap());
    let joined = r#"{"player":{"name":"Ada"}}"#;
    first.publish("main.events.started", "{}").await.unwrap();
    first.publish("main.players.76561198000000001.events.connected", joined).await.unwrap();
    first.publish("arena.players.76561198000000001.events.connected", joined).await.unwrap();
    second.publish("main.events.stopping", "{}").await.unwrap();
    second.publish("creative.events.stopped", "{}").await.unwrap();
    second.publish("wiped.events.wiped", "{}").await.unwrap();
    house.wait_for_shown(channel, 6).await.unwrap();
    let line = |server: &str, account: &str, stands: &str, facts: &str| {
        format!("**{server}** · {account}\n{stands}\n{facts}last heard <time>")
    };
    let arena = line("arena", "GA-1", "🟢 online, at least since <time>", "1 player on · ");
    let main = line("main", "GA-1", "🟢 online since <time>: it said that it started", "1 player on · ");
    let creative = line("creative", "GA-2", "🔴 offline since <time>: it said that it stopped", "");
    let other_main = line("main", "GA-2", "🟠 stopping since <time>: it said that it stops", "nobody on · ");
    let wiped = line("wiped", "GA-2", "🟢 online, at least since <time>", "nobody on · wiped <time> · ");
    compare.equal(
        "all",
        &status(&[]).await,
        &[arena, main.clone(), creative.clone(), other_main.clone(), wiped].join("\n\n"),
    );
    compare.equal("one", &status(&[("server", " creative ".into())]).await, &creative);
    compare.equal("two of a name", &status(&[("server", "main".into())]).await, &format!("{main}\n\n{other_main}"));
    let unknown = "I have heard of no server ＠everyone yet. I know: **arena**, **main**, **creative**, **wiped**.";
    compare.equal("unknown", &status(&[("server", "@everyone".into())]).await, unknown);

    // Everybody may ask, and everybody in the channel sees the answer.
    let player = house.discord.add_member(guild.id, "player", 0);
    let by = Actor { guild: guild.id, channel: guild.lobby, user: player };
    let reply = house.discord.command(by, "status", &[("server", "creative".into())]).await.unwrap();
    assert!(!reply.ephemeral && reply.took < DISCORD_WAITS, "{reply:?}");
    assert!(reply.embeds[0].description.as_ref().unwrap().starts_with("**creative** · GA-2"), "{reply:?}");
    let message = house.discord.messages(guild.lobby).pop().unwrap();
    assert_eq!((message.notified_roles, message.notified_users, message.notified_everyone), (vec![], vec![], false));
    // Another guild sees none of it.
    let stranger = house.guild("Strangers");
    let said = says(&house, stranger, "status", &[("server", "main".into())]).await;
    assert!(said.starts_with("No game-server account is linked here yet."), "{said}");
}

async fn a_role_is_mentioned_by_the_message_that_carries_the_event(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let role = |name: &str| house.discord.add_role(guild.id, name, true);
    let (wipers, raiders, bystanders) = (role("wipers"), role("raiders"), role("bystanders"));
    let (one, both) = (house.channel(guild, "one"), house.channel(guild, "both"));
    let mention = |role: u64| ("mention", Value::from(role.to_string()));
    house.notify(guild, one, "lifecycle", &[mention(wipers)]).await.unwrap();
    house.notify(guild, one, "chat", &[]).await.unwrap();
    house.notify(guild, both, "lifecycle", &[mention(wipers)]).await.unwrap();
    house.notify(guild, both, "everything", &[mention(raiders)]).await.unwrap();
    let listed = says(&house, guild, "notify list", &[]).await;
    assert!(
        listed.contains(&format!("<#{one}> hears **lifecycle** of **GA-1** (all servers), mentioning <@&{wipers}>")),
        "{listed}"
    );

    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    publisher.publish("main.events.wiped", "{}").await.unwrap();
    let messages = house.discord.wait_for_messages(one, 1, PATIENCE).await.unwrap();
    assert_eq!((messages[0].content.as_str(), messages[0].embeds.len()), (format!("<@&{wipers}>").as_str(), 1));
    assert_eq!((&messages[0].notified_roles, messages[0].notified_everyone), (&vec![wipers], false));
    // Two bindings of one channel: the event once, the mentions of both.
    let messages = house.discord.wait_for_messages(both, 1, PATIENCE).await.unwrap();
    assert_eq!((messages.len(), messages[0].embeds.len()), (1, 1));
    assert_eq!(messages[0].content, format!("<@&{wipers}> <@&{raiders}>"));
    let mut notified = messages[0].notified_roles.clone();
    notified.sort_unstable();
    assert_eq!(notified, [wipers, raiders]);

    // What a player says notifies nobody, neither alone nor beside a mention.
    let member = house.discord.add_member(guild.id, "member", 0);
    let said = json!({ "player_name": format!("<@&{bystanders}>"), "full_message": format!("@everyone @here <@&{bystanders}> <@{member}> <@!{member}>") });
    publisher.publish("main.events.player.76561198000000001.chatted", &said.to_string()).await.unwrap();
    let messages = house.discord.wait_for_messages(one, 2, PATIENCE).await.unwrap();
    let chat = &messages[1];
    assert_eq!(
        (chat.content.as_str(), &chat.notified_roles, &chat.notified_users, chat.notified_everyone),
        ("", &vec![], &vec![], false)
    );
    let joined = json!({ "player": { "name": format!("@everyone <@&{bystanders}>") } });
    publisher.publish("main.players.76561198000000001.events.connected", &joined.to_string()).await.unwrap();
    let messages = house.discord.wait_for_messages(both, 2, PATIENCE).await.unwrap();
    assert_eq!(messages[1].content, format!("<@&{raiders}>"), "only the binding that hears it mentions");
    assert_eq!((&messages[1].notified_roles, messages[1].notified_everyone), (&vec![raiders], false));
    // A mentioned role may lose its right to be mentioned; the events stay.
    house.discord.set_role_mentionable(guild.id, wipers, false);
    publisher.publish("main.events.started", "{}").await.unwrap();
    let messages = house.discord.wait_for_messages(one, 3, PATIENCE).await.unwrap();
    assert_eq!((messages[2].embeds.len(), &messages[2].notified_roles), (1, &vec![]));
}

async fn a_binding_hears_its_server_and_no_other_and_a_thread_is_a_channel(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.link(guild, SECOND_ACCOUNT).await.unwrap();
    let account = |name: &str| ("account", Value::from(name));
    let all = house.channel(guild, "all");
    let news = house.discord.add_channel(guild.id, "news", ChannelKind::Announcement);
    let thread = house.discord.add_channel(guild.id, "main", ChannelKind::PublicThread { parent: all });
    let (first, second) =
        (house.publisher(FIRST_ACCOUNT).await.unwrap(), house.publisher(SECOND_ACCOUNT).await.unwrap());
    for name in [FIRST_ACCOUNT, SECOND_ACCOUNT] {
        house.notify(guild, all, "lifecycle", &[account(name)]).await.unwrap();
    }
    first.publish("main.events.started", "{}").await.unwrap();
    first.publish("main-2.events.started", "{}").await.unwrap();
    house.wait_for_shown(all, 2).await.unwrap();

    let main = ("server", Value::from("main"));
    let options =
        [("channel", thread.to_string().into()), ("events", "lifecycle".into()), account(FIRST_ACCOUNT), main.clone()];
    let said = says(&house, guild, "notify add", &options).await;
    assert_eq!(said, format!("✅ <#{thread}> hears **lifecycle** of **GA-1** (server **main**), from this moment on."));
    house.notify(guild, news, "lifecycle", &[account(FIRST_ACCOUNT), ("server", "main-2".into())]).await.unwrap();
    for server in ["main-2", "main", "mai", "MAIN", "other"] {
        first.publish(&format!("{server}.events.stopping"), "{}").await.unwrap();
    }
    second.publish("main.events.stopping", "{}").await.unwrap();
    first.publish("main.events.wiped", "{}").await.unwrap();
    first.publish("main-2.events.wiped", "{}").await.unwrap();
    let shown = house.wait_for_shown(thread, 2).await.unwrap();
    assert_eq!(shown, ["🟠 Server **main** is about to stop", "✨ Server **main** was wiped: a fresh world awaits"]);
    let shown = house.wait_for_shown(news, 2).await.unwrap();
    assert_eq!(
        shown,
        ["🟠 Server **main\\-2** is about to stop", "✨ Server **main\\-2** was wiped: a fresh world awaits"]
    );
    eventually("all are shown", async || fire::shown(&house.discord, all).len() == 10).await;
    assert_eq!((house.shown(thread).len(), house.shown(news).len()), (2, 2));
    // The same kinds of another server are not an equal binding.
    house.notify(guild, thread, "lifecycle", &[account(FIRST_ACCOUNT), ("server", "main-2".into())]).await.unwrap();
    let said = says(&house, guild, "notify add", &options).await;
    assert_eq!(
        said,
        format!(
            "<#{thread}> hears exactly that already. If it refused me, I try again now; `/notify list` shows everything."
        )
    );
}

async fn hostile_names_are_shown_harmlessly(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let role = house.discord.add_role(guild.id, "role", true);
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let (players, servers) = (house.channel(guild, "players"), house.channel(guild, "servers"));
    house.notify(guild, players, "players", &[]).await.unwrap();
    house.notify(guild, players, "chat", &[]).await.unwrap();
    house.notify(guild, servers, "lifecycle", &[]).await.unwrap();
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();

    let zalgo = format!("Z{}algo", "\u{0301}\u{0327}\u{0489}".repeat(500));
    let names = [
        ("@everyone".to_owned(), "＠everyone".to_owned()),
        ("@\u{200b}everyone".to_owned(), "＠everyone".to_owned()),
        (format!("<@&{role}>"), format!("\\<\\@&{role}\\>")),
        ("[free skins](https://evil.example)".to_owned(), "\\[free skins\\]\\(https\\://evil\\.example\\)".to_owned()),
        ("\u{202e}gpj.exe\u{2066}".to_owned(), "gpj\\.exe".to_owned()),
        (zalgo, "Z\u{0301}\u{0327}algo".to_owned()),
        ("A".repeat(10_000), format!("{}…", "A".repeat(99))),
        ("*".repeat(10_000), format!("{}…", "\\*".repeat(49))),
        ("<color=#ff0000><b>Ada</b></color>".to_owned(), "Ada".to_owned()),
        ("<co<b>lor=red>Ada".to_owned(), "Ada".to_owned()),
        ("Ada\u{0}\n# Bob\r\n> Eve".to_owned(), "Ada \\# Bob \\> Eve".to_owned()),
        (
            "`code` ||spoiler|| ~~gone~~ __under__".to_owned(),
            "\\`code\\` \\|\\|spoiler\\|\\| \\~\\~gone\\~\\~ \\_\\_under\\_\\_".to_owned(),
        ),
        ("203.0.113.9".to_owned(), "\\[address\\]".to_owned()),
        // Nothing is left to see, so the id stands for the name.
        (
            "\u{200b}\u{2800}\u{3164}".to_owned(),
            "[76561198000000013](https://steamcommunity.com/profiles/76561198000000013)".to_owned(),
        ),
    ];
    let mut wanted = Vec::new();
    for (number, (name, shown)) in names.iter().enumerate() {
        let subject = format!("main.players.765611980000000{number:02}.events.connected");
        publisher.publish(&subject, &json!({ "player": { "name": name } }).to_string()).await.unwrap();
        let player = if shown.starts_with('[') { shown.clone() } else { format!("**{shown}**") };
        wanted.push(format!("📥 {player} joined **main**"));
        // One by one: what is due together would be told together.
        assert_eq!(house.wait_for_shown(players, wanted.len()).await.unwrap(), wanted);
    }
    let said = json!({ "player_name": names[2].0, "full_message": format!("{} @everyone [x](https://evil.example)", "A".repeat(10_000)) });
    publisher.publish("main.events.player.76561198000000001.chatted", &said.to_string()).await.unwrap();
    house.wait_for_shown(players, names.len() + 1).await.unwrap();

    let server = "S".repeat(3_000);
    let ids = [
        ("@everyone", "＠everyone".to_owned()),
        ("<@&1>", "\\<\\@&1\\>".to_owned()),
        ("[x](https://evil)", "\\[x\\]\\(https\\://evil\\)".to_owned()),
        ("\u{202e}niam", "niam".to_owned()),
        ("a\u{0301}\u{0301}\u{0301}\u{0301}\u{0301}", "a\u{0301}\u{0301}".to_owned()),
        ("<size=99>main</size>", "main".to_owned()),
        (server.as_str(), format!("{}…", "S".repeat(99))),
    ];
    for (id, _) in &ids {
        publisher.publish(&format!("{id}.events.started"), "{}").await.unwrap();
    }
    let shown = house.wait_for_shown(servers, ids.len()).await.unwrap();
    let wanted: Vec<_> = ids.iter().map(|(_, shown)| format!("🟢 Server **{shown}** is up")).collect();
    assert_eq!(shown, wanted);
    let status = says(&house, guild, "status", &[]).await;
    for (_, shown) in &ids {
        assert!(status.contains(&format!("**{shown}** · GA-1\n🟢 online")), "{shown}: {status}");
    }
    let add = async |server: &str| {
        let options =
            [("channel", servers.to_string().into()), ("events", "players".into()), ("server", server.into())];
        says(&house, guild, "notify add", &options).await
    };
    // Whatever it is called, it can be chosen as it is offered.
    for (id, shown) in &ids[..6] {
        let choices = offered(&house, guild, "notify add", &[], ("server", "")).await;
        assert!(choices.iter().any(|(_, value)| value == id), "{id:?} in {choices:?}");
        let said = add(id).await;
        assert_eq!(
            said,
            format!("✅ <#{servers}> hears **players** of **GA-1** (server **{shown}**), from this moment on.")
        );
    }
    nobody_is_notified(&house, guild, &[players, servers, guild.lobby]);
}

fn nobody_is_notified(house: &House, guild: Guild, channels: &[u64]) {
    for message in channels.iter().flat_map(|channel| house.discord.messages(*channel)) {
        let notified = (message.notified_roles.len(), message.notified_users.len(), message.notified_everyone);
        assert_eq!(notified, (0, 0, false), "in guild {}: {}", guild.id, message.raw);
        let raw = message.raw.to_string();
        assert!(!raw.contains("@everyone") && !raw.contains("203.0.113.9") && !raw.contains('\u{202e}'), "{raw}");
    }
}
