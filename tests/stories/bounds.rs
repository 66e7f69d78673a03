//! A channel that takes no messages for too long: what waits for it is bounded, and how much was given up is told.

use discord_sim::{Route, Trouble};
use guildwire::domain::event::Kind;
use guildwire::domain::ids::ChannelId;
use guildwire::domain::timestamp::Timestamp;
use guildwire::store::Store;
use guildwire::store::history::LaneBacklog;
use guildwire_harness::Postgres;
use guildwire_harness::house::PATIENCE;

use crate::fire::{Fire, eventually};
use crate::installation::sqlite_url;
use crate::metrics::{scrape, value};
use crate::support::{Database, on_both_databases};

on_both_databases!(what_waits_too_long_for_a_dead_channel_is_given_up);

/// Gives the bot a database that the story knows the address of.
async fn own_database(fire: &mut Fire, database: Database) -> String {
    match database {
        Database::Sqlite => sqlite_url(&fire.house),
        Database::Postgres => {
            let url = Postgres::shared().create_database("story").await.unwrap();
            fire.set("database.url", &url);
            url
        }
    }
}

const GIVEN_UP: &str = "guildwire_events_given_up_total{kind=\"server.started\"}";

async fn what_waits_too_long_for_a_dead_channel_is_given_up(database: Database) {
    let mut fire = Fire::lay(database).await;
    fire.set("delivery.keep_seconds", "2");
    // A message that was refused is given up when it is refused again.
    fire.set("delivery.probe_after_seconds", "1");
    let store = Store::open(&own_database(&mut fire, database).await).await.unwrap();
    let mut bot = fire.light().await;
    let dead = fire.house.channel(fire.guild, "dead");
    fire.bind(dead).await;
    let missing = Trouble::Error { status: 403, code: 50_001, message: "Missing Access".to_owned() };
    fire.house.discord.trouble(Route::MessageCreateIn(dead), missing, None);

    // The first becomes a message that the channel refuses; the others wait behind it.
    fire.come_up(1).await;
    let channel = ChannelId(dead);
    eventually("the channel refuses", async || store.stopped_lane(channel).await.unwrap().is_some()).await;
    fire.come_up(30).await;
    eventually("all is given up", async || {
        let given_up = store.given_up(channel).await.unwrap();
        given_up.iter().map(|it| it.events).sum::<u64>() == 31
    })
    .await;
    let given_up = store.given_up(channel).await.unwrap();
    assert_eq!(given_up.iter().map(|it| it.kind).collect::<Vec<_>>(), [Kind::ServerStarted]);
    assert!(given_up[0].first_stored < given_up[0].last_stored);
    assert_eq!(store.lane_backlog(channel).await.unwrap(), LaneBacklog::default());
    assert!((value(&scrape(&bot).await, GIVEN_UP) - 31.0).abs() < f64::EPSILON);
    let told = "the channel takes no messages for too long";
    assert_eq!(bot.log().matches(told).count(), 1, "told when it begins, not again and again");
    let set_aside = store.set_aside(channel, 10).await.unwrap();
    let reasons: Vec<_> = set_aside.iter().filter_map(|message| message.reason.as_deref()).collect();
    assert_eq!(reasons.len(), 1);
    assert!(reasons[0].starts_with("given up: ") && reasons[0].contains("50001"), "{reasons:?}");

    assert_eq!(store.given_up(ChannelId(fire.channel)).await.unwrap(), [], "nobody else is the poorer for it");
    let forgotten = store.forget_before(Timestamp::from_nanoseconds(i64::MAX)).await.unwrap();
    assert!(forgotten > 1, "what was given up is forgotten like what was shown");

    // Once the channel works, it is told how much that was, and then what happens.
    fire.house.discord.clear_trouble();
    fire.house.notify(fire.guild, dead, "players", &[]).await.unwrap();
    fire.house.discord.wait_for_messages(dead, 1, PATIENCE).await.unwrap();
    fire.come_up(1).await;
    fire.wait_for(dead, fire.expected.last().unwrap()).await;
    let shown = fire.house.shown(dead);
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert!(shown[0].starts_with("⚠️ **31 events before that can't be told any more**"), "{shown:?}");
    assert!(shown[0].contains("🟢 31 × up"), "{shown:?}");
    assert_eq!(store.given_up(channel).await.unwrap(), []);
    bot.terminate().await.unwrap();
}
