//! Signals: the settings are read again while the bot runs, and what does not stop is named.

use guildwire_harness::Bot;
use guildwire_harness::house::PATIENCE;

use crate::fire::{Fire, eventually};
use crate::installation::on_sqlite;
use crate::support::Database;

on_sqlite!(settings_are_read_again_on_sighup, what_does_not_stop_in_time_is_named, a_clean_stop_says_nothing_alarming);

async fn settings_are_read_again_on_sighup(database: Database) {
    let mut fire = Fire::lay(database).await;
    let house = &fire.house;
    // Without variables that would win over the file.
    let bot = Bot::new(env!("CARGO_BIN_EXE_guildwire"))
        .discord(&house.discord.url(), &house.discord.token())
        .setting("nats.url", &house.nats.url())
        .environment("GUILDWIRE_CONFIG", "own.toml");
    let settings = bot.home_folder().join("own.toml");
    let write = |text: &str| std::fs::write(&settings, text).unwrap();
    write("[log]\nlevel = \"info\"\n");
    fire.house.bot = bot;
    let mut bot = fire.light().await;
    fire.check().await;
    assert!(!bot.log().contains("DEBUG"), "{}", bot.log());

    write(
        "[log]\nlevel = \"guildwire=debug,info\"\n[http]\nmetrics_per_account = true\n[retention]\nplayers_days = 1\n",
    );
    bot.signal("HUP").unwrap();
    bot.wait_for_log("the settings were read again changed=\"log.level, retention.players_days\"", PATIENCE)
        .await
        .unwrap();
    let later = "settings were changed that need a restart keys=\"http.metrics_per_account\"";
    bot.wait_for_log(later, PATIENCE).await.unwrap();
    fire.check().await;
    assert!(bot.log().contains("DEBUG guildwire::"), "{}", bot.log());

    write("[log]\nlevel = \"inof\"\n[retention]\nplayers_days = 0\n");
    bot.signal("HUP").unwrap();
    bot.wait_for_log("the settings have mistakes; those in force stay mistakes=\"log.level: must be", PATIENCE)
        .await
        .unwrap();

    // What needs a restart is named each time; what is as it was is not.
    write("[log]\nlevel = \"info\"\n[http]\nmetrics_per_account = true\n[retention]\nplayers_days = 1\n");
    bot.signal("HUP").unwrap();
    bot.wait_for_log("the settings were read again changed=\"log.level\"", PATIENCE).await.unwrap();
    eventually("the restart is asked for again", async || bot.log().matches(later).count() == 2).await;
    let debug = bot.log().matches("DEBUG").count();
    fire.check().await;
    assert_eq!(bot.log().matches("DEBUG").count(), debug, "{}", bot.log());
    assert!(bot.terminate().await.unwrap().success());
}

async fn what_does_not_stop_in_time_is_named(database: Database) {
    let mut fire = Fire::lay(database).await;
    fire.set("shutdown.deadline_seconds", "1");
    let discord = fire.discord_proxy().await;
    let mut bot = fire.light().await;
    fire.check().await;
    discord.hold_from_target_at(b"channel_id");
    fire.come_up(1).await;
    discord.wait_until_holding(PATIENCE).await.unwrap();
    // It was asked to stop and does, though it has to cut something off.
    assert!(bot.terminate().await.unwrap().success());
    let log = bot.log();
    let cut_off = log
        .lines()
        .find(|line| line.contains("cut off what did not stop by itself"))
        .unwrap_or_else(|| panic!("{log}"));
    assert!(cut_off.contains("reason=\"deadline\""), "{cut_off}");
    assert!(cut_off.contains(&format!("lane of channel {}", fire.channel)), "{cut_off}");
}

async fn a_clean_stop_says_nothing_alarming(database: Database) {
    let mut fire = Fire::lay(database).await;
    let mut bot = fire.light().await;
    fire.check().await;
    assert!(bot.terminate().await.unwrap().success());
    let log = bot.log();
    let alarming: Vec<&str> = log.lines().filter(|line| line.contains(" WARN ") || line.contains("ERROR")).collect();
    assert!(alarming.is_empty(), "{alarming:#?}");
}
