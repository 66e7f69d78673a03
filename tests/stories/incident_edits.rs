//! The messages of incidents as they are edited: until somebody deletes them, or Discord takes no more edits.

use std::time::Duration;

use discord_sim::{Bucket, Message, Options, Sim};
use guildwire_harness::house::PATIENCE;
use serde_json::Value;

use crate::fire::Fire;
use crate::installation::without_moments;
use crate::support::{Database, on_both_databases};

on_both_databases!(
    an_incident_whose_message_is_too_old_goes_on_in_another_that_calls_nobody,
    a_message_that_was_deleted_is_not_edited_again,
);

const CREATES: &str = "POST /channels/{channel}/messages";
const EDITS: &str = "PATCH /channels/{channel}/messages/{message}";

/// A channel that hears the lifecycle, and calls a role.
async fn lit(database: Database) -> (Fire, guildwire_harness::RunningBot) {
    let bucket = Bucket { limit: 100, window: Duration::from_secs(1) };
    let options = Options { message_bucket: Some(bucket), old_edits_per_hour: Some(0), ..Options::default() };
    let fire = Fire::lay_with(database, options).await;
    let bot = fire.link().await;
    let role = fire.house.discord.add_role(fire.guild.id, "watchers", true);
    fire.house.notify(fire.guild, fire.channel, "lifecycle", &[("mention", role.to_string().into())]).await.unwrap();
    (fire, bot)
}

async fn says(fire: &Fire, what: &str) {
    server_says(fire, "main", what).await;
}

async fn server_says(fire: &Fire, server: &str, what: &str) {
    fire.servers.publish(&format!("{server}.events.{what}"), "{}").await.unwrap();
}

fn text(message: &Message) -> String {
    without_moments(message.embeds[0].description.as_deref().unwrap_or_default())
}

/// Waits until the channel's last message begins like this, and answers with all of them.
async fn wait_for_last(fire: &Fire, count: usize, wanted: &str) -> Vec<Message> {
    let reads = |discord: &Sim| {
        let messages = discord.messages(fire.channel);
        messages.len() == count && messages.last().is_some_and(|last| text(last).starts_with(wanted))
    };
    let result = fire.house.discord.wait_until(PATIENCE, wanted, reads).await;
    let messages = fire.house.discord.messages(fire.channel);
    assert!(result.is_ok(), "{:?}", messages.iter().map(text).collect::<Vec<_>>());
    messages
}

async fn an_incident_whose_message_is_too_old_goes_on_in_another_that_calls_nobody(database: Database) {
    let (fire, _bot) = lit(database).await;
    says(&fire, "stopping").await;
    wait_for_last(&fire, 1, "🟠 Server **main** is about to stop").await;
    fire.house.discord.pass_time(Duration::from_hours(2));
    says(&fire, "stopped").await;
    let messages = wait_for_last(&fire, 2, "🔴 Server **main** has stopped").await;
    assert!(text(&messages[0]).starts_with("🟠"), "it stays as it was");
    assert_eq!(messages.iter().map(|message| message.notified_roles.len()).collect::<Vec<_>>(), [1, 0]);
    assert_eq!(fire.house.discord.statistics().refused_with(30_046), 1);

    // From then on, the new one is edited, and what ends the incident answers it.
    says(&fire, "started").await;
    let messages = wait_for_last(&fire, 3, "🟢 Server **main** is back").await;
    assert_eq!(messages[2].raw["message_reference"]["message_id"], messages[1].raw["id"]);
    let edited = |discord: &Sim| text(&discord.messages(fire.channel)[1]).starts_with("🟢 Server **main** is back");
    fire.house.discord.wait_until(PATIENCE, "it is edited", edited).await.unwrap();
    let statistics = fire.house.discord.statistics();
    assert_eq!((statistics.refused_with(30_046), statistics.banned), (1, false), "what is old is left alone");
}

async fn a_message_that_was_deleted_is_not_edited_again(database: Database) {
    let (fire, _bot) = lit(database).await;
    says(&fire, "stopping").await;
    let messages = wait_for_last(&fire, 1, "🟠 Server **main** is about to stop").await;
    fire.house.discord.delete_message(fire.channel, messages[0].id);
    says(&fire, "stopped").await;
    let tried = |discord: &Sim| discord.statistics().refused_with(10_008) == 1;
    fire.house.discord.wait_until(PATIENCE, "the edit finds nothing", tried).await.unwrap();
    // A channel's edits come in turn: by another server's, what came of the first is noted.
    server_says(&fire, "other", "stopping").await;
    wait_for_last(&fire, 1, "🟠 Server **other** is about to stop").await;
    let other_is_edited = async |what: &str, shown: &str| {
        server_says(&fire, "other", what).await;
        let edited = |discord: &Sim| text(&discord.messages(fire.channel)[0]).starts_with(shown);
        fire.house.discord.wait_until(PATIENCE, shown, edited).await.unwrap();
    };
    other_is_edited("stopped", "🔴 Server **other** has stopped").await;
    says(&fire, "started").await;
    let messages = wait_for_last(&fire, 2, "🟢 Server **main** is back").await;
    assert!(text(&messages[1]).contains("it said that it has stopped"), "it lists all of it");
    let closing = fire.house.discord.bodies().into_iter().rfind(|(route, _)| route == CREATES).unwrap().1;
    assert!(closing.get("message_reference").is_none_or(Value::is_null), "and answers nothing: {closing}");
    other_is_edited("started", "🟢 Server **other** is back").await;
    assert_eq!(fire.house.discord.statistics().requests_to(EDITS), 3, "nothing of the first was edited after that");
}
