//! What is stored of people and guilds: shown, deleted when that is asked for, and when the bot was removed.

use discord_sim::{Route, Trouble};
use guildwire::domain::ids::GuildId;
use guildwire::store::Store;
use guildwire_harness::house::{FIRST_ACCOUNT, PATIENCE};
use serde_json::{Value, json};

use crate::fire::eventually;
use crate::installation::{Comparisons, refused, says, usual_house};
use crate::support::{Database, on_both_databases};

on_both_databases!(a_player_is_shown_and_forgotten_while_the_bot_runs, a_guild_that_removed_the_bot_is_forgotten);

const ADA: &str = "76561198000000001";

async fn a_player_is_shown_and_forgotten_while_the_bot_runs(database: Database) {
    let (house, url) = usual_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let (channel, blocked) = (house.channel(guild, "events"), house.channel(guild, "blocked"));
    let chat = async |player: &str, name: &str, words: &str| {
        let payload = json!({ "full_message": words, "player_name": name }).to_string();
        let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
        publisher.publish(&format!("main.events.player.{player}.chatted"), &payload).await.unwrap();
    };
    house.notify(guild, channel, "chat", &[]).await.unwrap();
    let mut compare = Comparisons::default();
    let export =
        async || -> Value { serde_json::from_str(&house.operate(&["privacy", "export", ADA]).await.unwrap()).unwrap() };
    let nothing = json!({ "names": [], "stays": [], "events": [], "messages": [], "rejects": [] });
    assert_eq!(export().await["stored"], nothing);
    let said = house.operate(&["privacy", "forget", ADA]).await.unwrap();
    compare.equal("nobody", &said, &format!("Nothing that is stored names the player {ADA}.\n"));

    chat(ADA, "Ada", "hello").await;
    house.wait_for_shown(channel, 1).await.unwrap();
    chat("7", "Bob", &format!("who is {ADA}?")).await;
    house.wait_for_shown(channel, 2).await.unwrap();
    // A second channel refuses the bot, so that something waits there.
    house.notify(guild, blocked, "chat", &[]).await.unwrap();
    let missing = Trouble::Error { status: 403, code: 50_001, message: "Missing Access".to_owned() };
    house.discord.trouble(Route::MessageCreateIn(blocked), missing, None);
    chat("7", "Bob", "first").await;
    house.wait_for_shown(channel, 3).await.unwrap();
    let store = Store::open(&url).await.unwrap();
    let refusing = guildwire::domain::ids::ChannelId(blocked);
    eventually("the channel refuses", async || store.stopped_lane(refusing).await.unwrap().is_some()).await;
    chat(ADA, "Ada", "waits").await;
    house.wait_for_shown(channel, 4).await.unwrap();
    eventually("all is noted", async || {
        export().await["stored"]["messages"].as_array().unwrap().iter().all(|it| it["state"] == "delivered")
    })
    .await;

    let told = export().await;
    assert_eq!((&told["player"], &told["account"]), (&json!(ADA), &Value::Null));
    assert_eq!(told["stored"]["names"][0]["name"], "Ada");
    let events: Vec<_> =
        told["stored"]["events"].as_array().unwrap().iter().map(|it| &it["details"]["message"]).collect();
    assert_eq!(events.len(), 4, "{told:#}");
    assert!(told["stored"]["messages"][0]["body"].to_string().contains("hello"), "{told:#}");

    let error = refused(&house.bot, 1, &["privacy", "forget", ADA]).await;
    let asked = format!(
        "error: forgetting the player {ADA} can't be undone, and nobody is here to be asked: give --yes if that is meant\n"
    );
    compare.equal("asked", &error, &asked);
    let said = house.operate(&["privacy", "forget", ADA, "--account", FIRST_ACCOUNT, "--yes"]).await.unwrap();
    let wanted = format!(
        "Deleted of the player {ADA}:\n  1 name\n  1 event that waited for a channel, never to be told now\n  2 events that \
         were told\n  1 event of others, which stays without this player\n  3 texts of messages that were sent\nNot \
         deleted, because it is not here: messages that stand in Discord, where those who manage the channels can delete \
         them; the events in the account's stream, which belongs to its owner; copies of the database. Names that others \
         wrote into chat are not looked for.\nA game server that tells of the player again makes guildwire know the name \
         again.\n"
    );
    compare.equal("forgotten", &said, &wanted);
    assert_eq!(export().await["stored"], nothing);
    let audit = house.operate(&["audit", "--limit", "1"]).await.unwrap();
    assert!(audit.contains("operator  player forgotten  account GA-1  (8 rows)") && !audit.contains(ADA), "{audit}");

    // The lanes go on, and who is heard of again is known again.
    house.discord.clear_trouble();
    let ids = crate::managing::binding_ids(&house, guild).await;
    house.command(guild, "notify test", &[("binding", ids[1].as_str().into())]).await.unwrap();
    chat(ADA, "Ada", "again").await;
    house.wait_for_shown(channel, 5).await.unwrap();
    let told =
        || house.discord.messages(blocked).iter().map(|message| message.raw["embeds"].to_string()).collect::<String>();
    eventually("the other channel goes on", async || told().contains("again")).await;
    assert!(told().contains("first") && !told().contains("waits"), "{}", told());
    assert_eq!(export().await["stored"]["names"][0]["name"], "Ada");
    let error = refused(&house.bot, 1, &["privacy", "export", ADA, "--account", "GA-9"]).await;
    assert!(error.contains("there is no account GA-9"), "{error}");
    refused(&house.bot, 2, &["privacy", "forget", ""]).await;
}

async fn a_guild_that_removed_the_bot_is_forgotten(database: Database) {
    let (house, url) = usual_house(database).await;
    house.add_accounts().await.unwrap();
    let mut bot = house.start().await.unwrap();
    let (guild, stays) = (house.guild("Rustaceans"), house.guild("Stays"));
    let channel = house.channel(guild, "events");
    for guild in [guild, stays] {
        house.link(guild, FIRST_ACCOUNT).await.unwrap();
    }
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    house.publisher(FIRST_ACCOUNT).await.unwrap().publish("main.events.started", "{}").await.unwrap();
    house.wait_for_shown(channel, 1).await.unwrap();
    let store = Store::open(&url).await.unwrap();
    let departed = async || store.kept_guilds().await.unwrap().get(&GuildId(guild.id)).copied().flatten();
    let discord = &house.discord;
    let removed = "the bot was removed from a guild";

    // An outage is no removal, and neither is a time in which Discord is away.
    discord.set_guild_outage(guild.id, true);
    discord.close_gateway(4009);
    eventually("a new session begins", async || bot.log().matches("connected to Discord").count() >= 2).await;
    discord.remove_bot(stays.id);
    eventually("another's removal is noted", async || bot.log().contains(removed)).await;
    assert_eq!(departed().await, None, "{}", bot.log());
    discord.add_bot(stays.id);
    discord.set_guild_outage(guild.id, false);
    bot.wait_for_log("the bot is back in a guild", PATIENCE).await.unwrap();

    // A removal while the bot is down is seen at its next start.
    bot.terminate().await.unwrap();
    discord.remove_bot(guild.id);
    bot = house.start().await.unwrap();
    eventually("the removal is noted", async || departed().await.is_some()).await;
    discord.add_bot(guild.id);
    eventually("it is back", async || departed().await.is_none()).await;
    assert!(says(&house, guild, "notify list", &[]).await.contains("lifecycle"), "all is as it was");

    discord.remove_bot(guild.id);
    eventually("the removal is noted again", async || departed().await.is_some()).await;
    bot.signal("HUP").unwrap();
    bot.wait_for_log("the settings were read again", PATIENCE).await.unwrap();
    let age = async || {
        let mut transaction = store.write().await.unwrap();
        sqlx::query("UPDATE departed_guilds SET departed_at = 0").execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
    };
    // Long ago; but while guildwire was down it was invited again, which it has to find out before it deletes anything.
    bot.terminate().await.unwrap();
    age().await;
    discord.add_bot(guild.id);
    bot = house.start().await.unwrap();
    eventually("it is back again", async || departed().await.is_none()).await;
    assert_eq!(store.bindings_of_guild(GuildId(guild.id)).await.unwrap().len(), 1);

    discord.remove_bot(guild.id);
    eventually("the removal is noted for good", async || departed().await.is_some()).await;
    age().await;
    bot.signal("HUP").unwrap();
    bot.wait_for_log("deleted what was kept of a guild that the bot was removed from", PATIENCE).await.unwrap();
    assert!(!store.kept_guilds().await.unwrap().contains_key(&GuildId(guild.id)));
    assert_eq!(store.bindings_of_guild(GuildId(guild.id)).await.unwrap(), []);
    let audit = house.operate(&["audit", "--account", FIRST_ACCOUNT, "--limit", "1"]).await.unwrap();
    assert!(audit.contains(&format!("guildwire  guild forgotten  account GA-1  guild {}", guild.id)), "{audit}");
    assert!(house.operate(&["account", "list"]).await.unwrap().contains("GA-1"), "the account stays");
    discord.add_bot(guild.id);
    let said = says(&house, guild, "account list", &[]).await;
    assert_eq!(said, guildwire::discord::words::NO_ACCOUNT_LINKED, "who comes back later begins anew");
}
