//! `guildwire doctor`: each thing that can be wrong, in its full words.

use discord_sim::{Options, Sim};
use guildwire_harness::house::{FIRST_ACCOUNT, House, PATIENCE};
use guildwire_harness::{Output, free_port};

use crate::installation::{Comparisons, on_sqlite, usual_house};
use crate::support::{Database, build_house, on_both_databases};

on_both_databases!(all_is_well_and_then_is_not);
on_sqlite!(
    a_channel_that_refused,
    without_its_database,
    an_account_that_can_not_be_read,
    without_a_token_or_with_a_wrong_one,
    with_another_key,
    with_few_sessions_left,
    before_the_first_run
);

const VIEW_CHANNEL: u64 = 1 << 10;
const SEND_MESSAGES: u64 = 1 << 11;
const EMBED_LINKS: u64 = 1 << 14;

/// What the doctor prints, and what he ends with.
async fn doctor(house: &House) -> (String, String) {
    let Output { status, stdout, stderr } = house.bot.command(&["doctor"]).await.unwrap();
    assert_eq!(status.success(), stderr.is_empty(), "{stdout}{stderr}");
    assert_eq!(status.code(), Some(i32::from(!stderr.is_empty())), "{stdout}{stderr}");
    (stdout, stderr)
}

/// The one line about something.
fn line<'a>(printed: &'a str, about: &str) -> &'a str {
    let mut lines = printed.lines().filter(|line| line[line.find(' ').unwrap_or(0)..].trim_start().starts_with(about));
    let line = lines.next().unwrap_or_else(|| panic!("nothing about {about} in:\n{printed}"));
    assert_eq!(lines.next(), None, "{printed}");
    line
}

async fn all_is_well_and_then_is_not(database: Database) {
    let (house, _) = usual_house(database).await;
    house.add_accounts().await.unwrap();
    let mut bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let [status, gone] = ["status", "gone"].map(|name| house.channel(guild, name));
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.notify(guild, status, "lifecycle", &[]).await.unwrap();
    let mut compare = Comparisons::default();

    let (printed, failure) = doctor(&house).await;
    compare.equal("well", &failure, "");
    let url = house.discord.url();
    for (about, wanted) in [
        ("key file", "✓ key file secrets/guildwire.key: opens 2 credentials".to_owned()),
        ("token", format!("✓ token: {url} takes it, for application {}", house.discord.bot())),
        ("commands", "✓ commands: all 10 are registered".to_owned()),
        (
            "gateway",
            "✓ gateway: 1 shard connected, with the intents it takes; 999 of 1000 sessions are left for today"
                .to_owned(),
        ),
        ("guilds", "✓ guilds: the bot is in 1".to_owned()),
        ("account GA-1", "✓ account GA-1: everything that reading it takes is there".to_owned()),
        ("account GA-2", "✓ account GA-2: everything that reading it takes is there".to_owned()),
        ("channel", format!("✓ channel {status} #status in guild {}: the bot may post", guild.id)),
    ] {
        compare.equal(about, line(&printed, about), &wanted);
    }
    assert!(line(&printed, "settings").starts_with("✓ settings: from GUILDWIRE__D"), "{printed}");
    assert!(line(&printed, "database").ends_with(": its schema is up to date, and it takes writes"), "{printed}");

    house.notify(guild, gone, "players", &[]).await.unwrap();
    // What it has not noticed, the doctor does.
    assert!(bot.terminate().await.unwrap().success());
    house.discord.deny(status, VIEW_CHANNEL | EMBED_LINKS);
    house.discord.delete_channel(gone);
    let (printed, failure) = doctor(&house).await;
    compare.equal("ill", &failure, "error: 1 of 11 checks failed\n");
    for (about, wanted) in [
        (
            format!("channel {status}"),
            format!(
                "✗ channel {status} #status in guild {}: the bot lacks View Channel, Embed Links: add that in the channel's \
                 settings",
                guild.id
            ),
        ),
        (
            format!("channel {gone}"),
            format!(
                "– channel {gone} in guild {}: the gateway does not show it: it may be an archived thread, deleted, or in an \
                 outage, or the bot was removed there",
                guild.id
            ),
        ),
    ] {
        compare.equal(&about, line(&printed, &about), &wanted);
    }
}

async fn without_a_token_or_with_a_wrong_one(database: Database) {
    let house = build_house(database).await;
    let House { nats, discord, bot } = house;
    let house = House { nats, bot: bot.discord(&discord.url(), ""), discord };
    let mut compare = Comparisons::default();
    let (printed, failure) = doctor(&house).await;
    compare.equal("exit", &failure, "error: 1 of 5 checks failed\n");
    compare.equal(
        "none",
        line(&printed, "token"),
        "✗ token: no Discord token is set: put it into the environment variable DISCORD_TOKEN, into a file that \
         DISCORD_TOKEN_FILE names, or into the settings file as \
         token in section [discord] (you find it at https://discord.com/developers/applications, your application, \"Bot\")",
    );
    let house = House { bot: house.bot.discord(&house.discord.url(), "another.token"), ..house };
    let (printed, _) = doctor(&house).await;
    compare.equal(
        "wrong",
        line(&printed, "token"),
        "✗ token: Discord refuses the bot's token: set DISCORD_TOKEN (or discord.token) to the token on the page Bot of your \
         application at https://discord.com/developers/applications, and start again",
    );
    house.discord.stop().await;
    let (printed, _) = doctor(&house).await;
    assert!(line(&printed, "Discord").starts_with("✗ Discord: no answer from Discord: "), "{printed}");
}

async fn with_another_key(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let key = house.bot.home_folder().join("secrets/guildwire.key");
    std::fs::write(key, format!("{}\n", "0123456789abcdef".repeat(4))).unwrap();
    let (printed, _) = doctor(&house).await;
    let wanted = "✗ key file secrets/guildwire.key: the key file secrets/guildwire.key is not the one that the credentials in \
                  the database were encrypted with: put the right file back from your backup, or let secrets.key_file point \
                  to it";
    Comparisons::default().equal("another", line(&printed, "key file"), wanted);
}

async fn with_few_sessions_left(database: Database) {
    let House { nats, bot, .. } = build_house(database).await;
    let discord = Sim::start(Options { identify_limit: 2, ..Options::default() }).await.unwrap();
    let house = House { nats, bot: bot.discord(&discord.url(), &discord.token()), discord };
    drop(house.start().await.unwrap());
    let (printed, _) = doctor(&house).await;
    let wanted = "✗ gateway: 1 of 2 sessions are left for today: they are for `guildwire run`, so none was begun to try it. \
                  Find out what starts it over and over";
    Comparisons::default().equal("few", line(&printed, "gateway"), wanted);
    assert_eq!(house.discord.statistics().identifies, 1, "none was begun");
}

async fn before_the_first_run(database: Database) {
    let house = build_house(database).await;
    let (printed, _) = doctor(&house).await;
    let wanted = "✗ commands: /account, /board, /help, /maintenance, /notify, /ping, /players, /server, /status, /why are not \
                  registered: `guildwire run` does that as it starts";
    Comparisons::default().equal("commands", line(&printed, "commands"), wanted);
}

async fn an_account_that_can_not_be_read(database: Database) {
    let mut house = build_house(database).await;
    house.add_accounts().await.unwrap();
    house.nats.kill().unwrap();
    let wanted = format!(
        "nats-server can't be reached at {} (IO error: Connection refused (os error 111)): check that it runs there and that \
         this address is right",
        house.nats.url()
    );
    let (printed, _) = doctor(&house).await;
    let mut compare = Comparisons::default();
    for account in ["GA-1", "GA-2"] {
        let about = format!("account {account}");
        compare.equal(account, line(&printed, &about), &format!("✗ {about}: {wanted}"));
    }
}

async fn a_channel_that_refused(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "status");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    house.discord.deny(channel, EMBED_LINKS | SEND_MESSAGES);
    house.publisher(FIRST_ACCOUNT).await.unwrap().publish("main.events.started", "{}").await.unwrap();
    bot.wait_for_log("can't post in a channel", PATIENCE).await.unwrap();
    let (printed, failure) = doctor(&house).await;
    let about = format!("channel {channel}");
    let said = line(&printed, &about);
    let (before, after) = said.split_once(" since 20").unwrap();
    let (_, after) = after.split_once("Z ").unwrap();
    let mut compare = Comparisons::default();
    compare.equal("since", before, &format!("✗ {about} #status in guild {}: has taken no messages", guild.id));
    compare.equal(
        "why",
        after,
        "(missing Send Messages, Embed Links): what waits is kept, and sent once an admin has mended that or used /notify \
         test, or /board pings where members are pinged",
    );
    compare.equal("exit", &failure, "error: 1 of 10 checks failed\n");
}

async fn without_its_database(database: Database) {
    let house = build_house(database).await;
    let url = format!("postgres://guildwire:hunter2@127.0.0.1:{}/guildwire", free_port());
    let House { nats, discord, bot } = house;
    let house = House { nats, discord, bot: bot.database_url(&url) };
    let (printed, _) = doctor(&house).await;
    let mut compare = Comparisons::default();
    let shown = url.replace("hunter2", "***");
    compare.equal(
        "database",
        line(&printed, "database"),
        &format!("✗ database {shown}: database: error communicating with database: Connection refused (os error 111)"),
    );
    compare.equal(
        "key file",
        line(&printed, "key file"),
        "– key file: whether it fits shows with the credentials in the database",
    );
    compare.equal("rest", line(&printed, "accounts"), "– accounts and channels: they stand in the database");
    assert!(line(&printed, "token").starts_with('✓'), "what does without is tried: {printed}");
}
