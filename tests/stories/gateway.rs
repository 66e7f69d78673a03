//! The connection to Discord's gateway: its shards, its sessions, and how few of them are begun.

use discord_sim::{Options, Sim};
use guildwire_harness::house::{FIRST_ACCOUNT, House, PATIENCE};

use crate::installation::{Comparisons, on_sqlite, says};
use crate::support::{Database, build_house};

on_sqlite!(every_recommended_shard_is_started, a_session_is_resumed, a_crash_loop_does_not_use_up_the_sessions);

/// A house whose Discord is of another kind.
async fn house_with(options: Options, database: Database) -> House {
    let House { nats, bot, .. } = build_house(database).await;
    let discord = Sim::start(options).await.unwrap();
    let bot = bot.discord(&discord.url(), &discord.token());
    House { nats, discord, bot }
}

async fn every_recommended_shard_is_started(database: Database) {
    let house = house_with(Options { shards: 2, ..Options::default() }, database).await;
    // One on each shard: https://discord.com/developers/docs/events/gateway#sharding.
    let shard_of = |guild: u64| (guild >> 22) % 2;
    let first = house.guild("first");
    let second = (0..64).map(|_| house.guild("second")).find(|guild| shard_of(guild.id) != shard_of(first.id)).unwrap();
    let _bot = house.start().await.unwrap();
    house.discord.wait_until(PATIENCE, "both shards identify", |sim| sim.statistics().identifies == 2).await.unwrap();
    let mut compare = Comparisons::default();
    for guild in [first, second] {
        let said = says(&house, guild, "account list", &[]).await;
        compare.equal("answer", &said, guildwire::discord::words::NO_ACCOUNT_LINKED);
    }
}

async fn a_session_is_resumed(database: Database) {
    let house = build_house(database).await;
    let guild = house.guild("Rustaceans");
    let _bot = house.start().await.unwrap();
    let breaks: [fn(&Sim); 2] = [|sim| sim.close_gateway(4000), Sim::reconnect_gateway];
    for (done, break_it) in (1..).zip(breaks) {
        break_it(&house.discord);
        house.discord.wait_until(PATIENCE, "it resumes", |sim| sim.statistics().resumes == done).await.unwrap();
    }
    says(&house, guild, "account list", &[]).await;
    assert_eq!(house.discord.statistics().identifies, 1);
}

async fn a_crash_loop_does_not_use_up_the_sessions(database: Database) {
    let house = house_with(Options { identify_limit: 8, ..Options::default() }, database).await;
    house.add_accounts().await.unwrap();
    for _ in 0..4 {
        house.start().await.unwrap().kill().await.unwrap();
    }
    // Half is left, for a whole day: from here on they are spread over it.
    let mut bot = house.bot.run().await.unwrap();
    bot.wait_for_log("too many sessions with Discord's gateway were begun", PATIENCE).await.unwrap();
    let log = bot.log();
    let (_, told) = log.split_once("wait=").unwrap();
    let (wait, told) = told.split_once("s ").unwrap();
    let hours = wait.parse::<f64>().unwrap() / 3600.0;
    assert!((5.8..=6.0).contains(&hours), "a quarter of what is left of the day: {log}");
    assert!(told.starts_with("remaining=4 total=8"), "{log}");
    assert_eq!(house.discord.statistics().identifies, 4);
    // The service stands: it does what needs no gateway, and stops when it is asked to.
    house.operate(&["account", "invite", FIRST_ACCOUNT]).await.unwrap();
    assert!(bot.terminate().await.unwrap().success());
}
