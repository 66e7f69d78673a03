//! People change what they set up: they unlink accounts, choose other events, pause and resume.

use discord_sim::{Actor, Reply};
use guildwire_harness::TcpProxy;
use guildwire_harness::house::{FIRST_ACCOUNT, Guild, House, SECOND_ACCOUNT};
use serde_json::{Value, json};

use crate::fire::eventually;
use crate::installation::{Comparisons, DISCORD_WAITS, offered, on_sqlite, says, without_moments};
use crate::support::{Database, build_house, on_both_databases};

on_both_databases!(
    unlinking_asks_first_and_ends_the_link_with_its_bindings,
    other_events_are_chosen_and_the_rest_goes_on,
    what_happens_in_a_pause_is_never_shown,
);
on_sqlite!(kinds_chosen_while_events_are_on_their_way_begin_when_they_are_covered, buttons_of_others_do_nothing);

const GONE: &str = "There is no such entry here. `/notify list` shows what there is.";
const CHAT_WARNING: &str = "⚠️ Game servers don't tell team chat from global chat: what players say to their team is \
                            shown, too. Choose a channel that only the right people can read.";
const DUE: &str = "What was due already is still shown.";

/// The guild's admin, in its lobby.
pub(crate) fn admin(guild: Guild) -> Actor {
    Actor { guild: guild.id, channel: guild.lobby, user: guild.admin }
}

/// The numbers of the guild's bindings, oldest first.
pub(crate) async fn binding_ids(house: &House, guild: Guild) -> Vec<String> {
    offered(house, guild, "notify remove", &[], ("binding", "")).await.into_iter().map(|(_, id)| id).collect()
}

/// Presses a button, and takes the answer if it came in time.
async fn press(house: &House, guild: Guild, reply: &Reply, button: &str) -> Reply {
    let answer = house.discord.press(admin(guild), reply, button).await.unwrap();
    assert!(answer.ephemeral && answer.took < DISCORD_WAITS, "{answer:?}");
    answer
}

/// Uses `/notify edit` and chooses these kinds.
pub(crate) async fn choose(house: &House, guild: Guild, id: &str, kinds: &[&str]) -> Reply {
    let asked = house.command(guild, "notify edit", &[("binding", id.into())]).await.unwrap();
    let answer = house.discord.select(admin(guild), &asked, &format!("kinds:{id}"), kinds).await.unwrap();
    assert!(answer.ephemeral && answer.took < DISCORD_WAITS, "{answer:?}");
    assert_eq!(answer.components, json!([]), "the select is gone");
    answer
}

/// A chat message of a server's player.
async fn chat(house: &House, account: &str, words: &str) {
    let payload = json!({ "full_message": words, "player_name": "Ada" }).to_string();
    let publisher = house.publisher(account).await.unwrap();
    publisher.publish("main.events.player.76561198000000001.chatted", &payload).await.unwrap();
}

async fn happens(house: &House, account: &str, event: &str) {
    house.publisher(account).await.unwrap().publish(&format!("main.events.{event}"), "{}").await.unwrap();
}

async fn unlinking_asks_first_and_ends_the_link_with_its_bindings(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.link(guild, SECOND_ACCOUNT).await.unwrap();
    let (first, second) = (house.channel(guild, "first"), house.channel(guild, "second"));
    let account = |name: &str| ("account", Value::from(name));
    house.notify(guild, first, "lifecycle", &[account(FIRST_ACCOUNT)]).await.unwrap();
    house.notify(guild, first, "players", &[account(FIRST_ACCOUNT)]).await.unwrap();
    house.notify(guild, second, "lifecycle", &[account(SECOND_ACCOUNT)]).await.unwrap();
    let listed = says(&house, guild, "notify list", &[]).await;
    let mut compare = Comparisons::default();
    let unlink = async |name: &str| house.command(guild, "account unlink", &[account(name)]).await.unwrap();

    let names: Vec<_> = offered(&house, guild, "account unlink", &[], ("account", "")).await;
    assert_eq!(names, [("GA-1".to_owned(), "GA-1".to_owned()), ("GA-2".to_owned(), "GA-2".to_owned())]);
    let said = unlink("GA-3").await;
    compare.equal(
        "not linked",
        &said.content,
        "The account GA\\-3 is not linked here. Linked are: **GA-1**, **GA-2**.",
    );
    assert_eq!(said.components, json!([]));

    let asked = unlink(FIRST_ACCOUNT).await;
    let question = "Unlink **GA-1** from this Discord server? 2 entries of `/notify list` go with it. To link it again \
                    takes a new one-time code.";
    compare.equal("question", &asked.content, question);
    let labels: Vec<_> = asked.components[0]["components"].as_array().unwrap().iter().map(|of| &of["label"]).collect();
    assert_eq!(labels, ["Unlink GA-1", "Cancel"]);
    let cancelled = press(&house, guild, &asked, "cancel").await;
    compare.equal("cancelled", &cancelled.content, "Nothing was changed.");
    assert_eq!((cancelled.message, &cancelled.components), (asked.message, &json!([])), "in the question's place");
    compare.equal("as before", &says(&house, guild, "notify list", &[]).await, &listed);

    happens(&house, FIRST_ACCOUNT, "started").await;
    house.wait_for_shown(first, 1).await.unwrap();
    let (asked, asked_twice) = (unlink(FIRST_ACCOUNT).await, unlink(FIRST_ACCOUNT).await);
    let done = press(&house, guild, &asked, "unlink:GA-1").await;
    let unlinked = format!("🗑️ **GA-1** is no longer linked here, and 2 entries of `/notify list` went with it. {DUE}");
    compare.equal("unlinked", &done.content, &unlinked);
    assert_eq!(done.components, json!([]));
    let again = press(&house, guild, &asked_twice, "unlink:GA-1").await;
    compare.equal("again", &again.content, "**GA-1** is not linked here any more.");

    happens(&house, FIRST_ACCOUNT, "stopping").await;
    let jetstream = house.publisher(FIRST_ACCOUNT).await.unwrap().jetstream;
    eventually("the consumer goes", async || {
        jetstream.get_stream("EVENTS").await.unwrap().cached_info().state.consumer_count == 0
    })
    .await;
    happens(&house, SECOND_ACCOUNT, "started").await;
    house.wait_for_shown(second, 1).await.unwrap();
    assert_eq!(house.shown(first), ["🟢 Server **main** is up"]);
    let list = says(&house, guild, "account list", &[]).await;
    assert!(!list.contains("GA-1") && list.starts_with("**GA-2** · linked "), "{list}");
    assert_eq!(offered(&house, guild, "notify add", &[], ("account", "")).await.len(), 1, "nor is it offered");
    assert_eq!(binding_ids(&house, guild).await.len(), 1);

    let ids = binding_ids(&house, guild).await;
    says(&house, guild, "notify remove", &[("binding", ids[0].as_str().into())]).await;
    let asked = unlink(SECOND_ACCOUNT).await;
    let question = "Unlink **GA-2** from this Discord server? No channel here hears it. To link it again takes a new \
                    one-time code.";
    compare.equal("question of one that is not in use", &asked.content, question);
    let done = press(&house, guild, &asked, "unlink:GA-2").await;
    compare.equal("unlinked, too", &done.content, "🗑️ **GA-2** is no longer linked here.");
    // Whoever has a new code can begin again.
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.notify(guild, first, "lifecycle", &[]).await.unwrap();
}

async fn other_events_are_chosen_and_the_rest_goes_on(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let channel = house.channel(guild, "status");
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    let id = binding_ids(&house, guild).await.remove(0);
    let mut compare = Comparisons::default();
    let hears = |kinds: &str| format!("<#{channel}> hears **{kinds}** of **GA-1** (all servers)");

    let asked = house.command(guild, "notify edit", &[("binding", id.as_str().into())]).await.unwrap();
    assert!(asked.ephemeral && asked.took < DISCORD_WAITS, "{asked:?}");
    let question = format!("{}. Choose all that it is to hear from now on, or how it is told:", hears("lifecycle"));
    compare.equal("question", &asked.content, &question);
    let options = asked.components[0]["components"][0]["options"].as_array().unwrap().clone();
    let chosen: Vec<_> = options.iter().filter(|option| option["default"] == true).map(|of| &of["value"]).collect();
    assert_eq!(chosen, ["server.started", "server.stopping", "server.stopped", "server.wiped"]);
    assert_eq!(
        (options.len(), options[7]["label"].as_str()),
        (18, Some("Chat: everything players say, team chat included"))
    );

    chat(&house, FIRST_ACCOUNT, "before").await;
    let lifecycle = ["server.started", "server.stopping", "server.stopped", "server.wiped"];
    let with_chat = [&lifecycle[..], &["player.chatted"]].concat();
    let said = choose(&house, guild, &id, &with_chat).await.content;
    let widened =
        format!("✅ {}: **chat** from this moment on, the rest as before.\n{CHAT_WARNING}", hears("lifecycle, chat"));
    compare.equal("more", &said, &widened);
    happens(&house, FIRST_ACCOUNT, "started").await;
    chat(&house, FIRST_ACCOUNT, "after").await;
    let shown = house.wait_for_shown(channel, 2).await.unwrap();
    assert!(shown[0].starts_with("🔄 Server **main**: plugin reloaded") && shown[1].starts_with("💬 "), "{shown:?}");

    let said = choose(&house, guild, &id, &["player.chatted", "server.stopped"]).await.content;
    let fewer = format!("✅ {}. {DUE}\n{CHAT_WARNING}", hears("chat, server.stopped"));
    compare.equal("fewer", &said, &fewer);
    let same = choose(&house, guild, &id, &["server.stopped", "player.chatted"]).await.content;
    compare.equal("the same", &same, &format!("{}, as before. Nothing was changed.", hears("chat, server.stopped")));
    let said = choose(&house, guild, &id, &["player.connected", "player.disconnected"]).await.content;
    compare.equal("others altogether", &said, &format!("✅ {}, from this moment on.", hears("players")));

    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    let said = choose(&house, guild, &id, &lifecycle).await.content;
    let equal = format!(
        "Nothing was changed: another entry for <#{channel}> is exactly that already. `/notify list` shows it; `/notify \
         remove` ends the one you don't need."
    );
    compare.equal("another is that", &said, &equal);
    let listed = says(&house, guild, "notify list", &[]).await;
    assert!(listed.starts_with(&format!("`#{id}` {}", hears("players"))), "{listed}");

    // One whose select is still open while it is removed.
    let asked = house.command(guild, "notify edit", &[("binding", id.as_str().into())]).await.unwrap();
    says(&house, guild, "notify remove", &[("binding", id.as_str().into())]).await;
    let late = house.discord.select(admin(guild), &asked, &format!("kinds:{id}"), &["server.wiped"]).await.unwrap();
    compare.equal("gone", &late.content, GONE);
    compare.equal("gone, too", &says(&house, guild, "notify edit", &[("binding", id.into())]).await, GONE);
}

/// The account is read with a wide filter, so that the consumer delivers what nobody had asked for yet; and it is held
/// up, so that events wait there while somebody chooses.
async fn kinds_chosen_while_events_are_on_their_way_begin_when_they_are_covered(database: Database) {
    let house = build_house(database).await;
    let nats = TcpProxy::start(house.nats.address()).await.unwrap();
    let url = nats.url_for("nats");
    let user = guildwire_harness::NatsConfig::BLOG_POST_USER;
    house.operate(&["account", "add", FIRST_ACCOUNT, "--user", user, "--url", &url, "--wide-filter"]).await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let channel = house.channel(guild, "status");
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    let id = binding_ids(&house, guild).await.remove(0);

    nats.hold_from_target();
    happens(&house, FIRST_ACCOUNT, "started").await;
    chat(&house, FIRST_ACCOUNT, "before anybody asked").await;
    nats.wait_until_holding(guildwire_harness::house::PATIENCE).await.unwrap();
    let said = choose(&house, guild, &id, &["server.started", "server.stopped", "player.chatted"]).await.content;
    let waits = format!(
        "🕓 <#{channel}> hears **chat, server.started, server.stopped** of **GA-1** (all servers): **chat** as soon as the \
         account can be read, the rest as before. "
    );
    assert!(said.starts_with(&waits) && said.ends_with(CHAT_WARNING), "{said}");
    let listed = says(&house, guild, "notify list", &[]).await;
    assert!(
        listed.contains("\n🕓 **chat** begins as soon as the account can be read: `/account list` says why it can't"),
        "{listed}"
    );
    nats.pass();
    eventually("the new kind is covered", async || !says(&house, guild, "notify list", &[]).await.contains("🕓")).await;

    chat(&house, FIRST_ACCOUNT, "after").await;
    happens(&house, FIRST_ACCOUNT, "stopped").await;
    let shown = house.wait_for_shown(channel, 3).await.unwrap();
    assert_eq!((shown[0].as_str(), shown[2].as_str()), ("🟢 Server **main** is up", "🔴 Server **main** has stopped"));
    let texts: Vec<_> = house.discord.messages(channel).iter().map(|message| message.raw.to_string()).collect();
    assert!(texts.iter().any(|text| text.contains("after")), "{texts:?}");
    assert!(!texts.iter().any(|text| text.contains("before anybody asked")), "{texts:?}");
    assert_eq!(house.shown(channel).len(), 3);
}

async fn what_happens_in_a_pause_is_never_shown(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let (channel, witness) = (house.channel(guild, "status"), house.channel(guild, "witness"));
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    let id = binding_ids(&house, guild).await.remove(0);
    let mut compare = Comparisons::default();
    let binding = [("binding", Value::from(id.as_str()))];
    let say = async |name: &str| without_moments(&says(&house, guild, name, &binding).await);
    let hears = |kinds: &str| format!("<#{channel}> hears **{kinds}** of **GA-1** (all servers)");

    compare.equal("not paused", &say("notify resume").await, "That is not paused. `/notify list` shows everything.");
    happens(&house, FIRST_ACCOUNT, "started").await;
    house.wait_for_shown(channel, 1).await.unwrap();
    let paused = format!(
        "⏸️ Paused: {}. Until `/notify resume` nothing is kept for it, so what happens meanwhile is never shown. {DUE}",
        hears("lifecycle")
    );
    compare.equal("paused", &say("notify pause").await, &paused);
    let already = "That is paused already (<time>): nothing is kept for it until `/notify resume`.";
    compare.equal("already", &say("notify pause").await, already);
    let line = |kinds: &str| {
        let message = house.discord.messages(channel)[0].id;
        let link = format!("https://discord.com/channels/{}/{channel}/{message}", guild.id);
        format!(
            "`#{id}` {}\n⏸️ paused <time>: nothing is kept for it until `/notify resume`\n✅ shown last <time> · \
             [message]({link})",
            hears(kinds)
        )
    };
    compare.equal("listed", &without_moments(&says(&house, guild, "notify list", &[]).await), &line("lifecycle"));
    let reads = says(&house, guild, "account list", &[]).await;
    assert!(reads.contains("🟢 reading its events"), "a paused binding keeps its account subscribed: {reads}");
    assert_eq!(offered(&house, guild, "notify pause", &[], ("binding", "")).await, []);
    let offer = offered(&house, guild, "notify resume", &[], ("binding", "")).await;
    assert_eq!(offer, [(format!("#{id} #status · lifecycle · GA-1 · paused"), id.clone())]);
    let again = [("channel", Value::from(channel.to_string())), ("events", "lifecycle".into())];
    let said = says(&house, guild, "notify add", &again).await;
    let equal = format!("<#{channel}> hears exactly that already, but it is paused: `/notify resume` ends that.");
    compare.equal("an equal one", &said, &equal);

    house.notify(guild, witness, "lifecycle", &[]).await.unwrap();
    happens(&house, FIRST_ACCOUNT, "wiped").await;
    house.wait_for_shown(witness, 1).await.unwrap();
    let said = choose(&house, guild, &id, &["server.started", "server.stopped"]).await.content;
    let edited = format!(
        "✅ {}, once you resume it: it is paused, and nothing is kept for it until `/notify resume`.",
        hears("server.started, server.stopped")
    );
    compare.equal("edited in the pause", &said, &edited);
    happens(&house, FIRST_ACCOUNT, "stopped").await;
    house.wait_for_shown(witness, 2).await.unwrap();

    let resumed = format!("✅ {}, from this moment on.", hears("server.started, server.stopped"));
    compare.equal("resumed", &say("notify resume").await, &resumed);
    happens(&house, FIRST_ACCOUNT, "started").await;
    house.wait_for_shown(channel, 2).await.unwrap();
    house.wait_for_shown(witness, 3).await.unwrap();
    assert_eq!(house.shown(channel), ["🟢 Server **main** is up"; 2]);
    for name in ["notify pause", "notify resume"] {
        compare.equal(name, &says(&house, guild, name, &[("binding", "#0".into())]).await, GONE);
    }
}

async fn buttons_of_others_do_nothing(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let (guild, others) = (house.guild("Rustaceans"), house.guild("Others"));
    for guild in [guild, others] {
        house.link(guild, FIRST_ACCOUNT).await.unwrap();
    }
    let channel = house.channel(guild, "status");
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    let listed = says(&house, guild, "notify list", &[]).await;
    let id = binding_ids(&house, guild).await.remove(0);
    let kinds = format!("kinds:{id}");
    let mut compare = Comparisons::default();
    let unlink = house.command(guild, "account unlink", &[("account", FIRST_ACCOUNT.into())]).await.unwrap();
    let edit = house.command(guild, "notify edit", &[("binding", id.as_str().into())]).await.unwrap();

    // The permission may be gone between the question and the press.
    let needs = "You need the permission **Manage Server** here for that. Ask somebody who has it.";
    let moderator = Actor { user: house.discord.add_member(guild.id, "moderator", 0), ..admin(guild) };
    for button in ["unlink:GA-1", "cancel"] {
        let answer = house.discord.use_unseen(moderator, &unlink, button, None).await.unwrap();
        compare.equal(button, &answer.content, needs);
        assert!(answer.ephemeral && answer.took < DISCORD_WAITS, "{answer:?}");
        assert_ne!(answer.message, unlink.message, "the question stays as it is");
    }
    let answer = house.discord.use_unseen(moderator, &edit, &kinds, Some(&["player.chatted"])).await.unwrap();
    compare.equal("select", &answer.content, needs);
    // An id that names another guild's binding.
    let answer = house.discord.use_unseen(admin(others), &edit, &kinds, Some(&["player.chatted"])).await.unwrap();
    compare.equal("another guild", &answer.content, GONE);
    compare.equal("as before", &says(&house, guild, "notify list", &[]).await, &listed);
    let list = says(&house, guild, "account list", &[]).await;
    assert!(list.contains("GA-1"), "{list}");
}
