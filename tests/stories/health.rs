//! `guildwire health`, as a container's supervisor asks it.

use discord_sim::{Route, Trouble};
use guildwire_harness::house::PATIENCE;
use guildwire_harness::{Bot, Output, free_port};

use crate::fire::eventually;
use crate::installation::on_sqlite;
use crate::support::{Database, build_house};

on_sqlite!(a_supervisor_is_told_in_one_line);

async fn asked(bot: &Bot, arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = bot.command(arguments).await.unwrap();
    (status.code(), stdout + &stderr)
}

async fn a_supervisor_is_told_in_one_line(database: Database) {
    let mut house = build_house(database).await;
    let port = free_port();
    // As in a container: listening everywhere is asked on the machine itself, whatever proxy the environment names.
    house.bot = house.bot.clone().setting("http.listen", &format!("0.0.0.0:{port}"));
    let asker = house.bot.clone().environment("HTTP_PROXY", "http://127.0.0.1:1");
    let url = format!("http://127.0.0.1:{port}");
    let nothing = |path| {
        format!("error: nothing answers there at {url}{path}: is `guildwire run` up, with the same http.listen?\n")
    };
    assert_eq!(asked(&asker, &["health"]).await, (Some(1), nothing("/healthz")));
    assert_eq!(asked(&asker, &["health", "--ready"]).await, (Some(1), nothing("/readyz")));

    house.discord.trouble(Route::Rest, Trouble::Status(503), None);
    let running = house.bot.run().await.unwrap();
    running.wait_for_log("guildwire starts", PATIENCE).await.unwrap();
    eventually("it is alive", async || asked(&asker, &["health"]).await == (Some(0), "alive\n".to_owned())).await;
    let not_yet = format!("error: gateway: not connected (503 Service Unavailable from {url}/readyz)\n");
    assert_eq!(asked(&asker, &["health", "--ready"]).await, (Some(1), not_yet));
    house.discord.clear_trouble();
    eventually("it is ready", async || asked(&asker, &["health", "--ready"]).await == (Some(0), "ready\n".to_owned()))
        .await;
}
