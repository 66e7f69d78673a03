//! One stream is read as one account: who connects it under another name is told so, and does not disturb the reading.

use guildwire_harness::NatsServer;
use guildwire_harness::house::PATIENCE;

use crate::connecting::{config, connect, printed, publisher, self_service, verify};
use crate::installation::wait_for_account_list;
use crate::managing::admin;
use crate::support::{Database, on_both_databases};

on_both_databases!(a_stream_that_is_read_already_is_not_verified_again);

async fn a_stream_that_is_read_already_is_not_verified_again(database: Database) {
    let mut house = self_service(NatsServer::start(&config("", "")).unwrap(), database).await;
    let publisher = publisher(&house).await;
    publisher.make_stream().await.unwrap();
    publisher.publish("main.events.stopping", "{}").await.unwrap();
    let bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let first = connect(&house, guild).await;
    let entry = printed(&first).0;
    house.nats.reload(&config(&entry, "")).unwrap();
    assert!(verify(&house, guild, &first).await.content.starts_with('✅'));
    let channel = house.channel(guild, "status");
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    publisher.publish("main.events.started", "{}").await.unwrap();
    assert_eq!(house.wait_for_shown(channel, 1).await.unwrap(), ["🟢 Server **main** is up"]);

    let options = [("name", "GA-2".into()), ("url", house.nats.url().into()), ("stream", "EVENTS".into())];
    let second = house.command(guild, "account connect", &options).await.unwrap();
    house.nats.reload(&config(&format!("{entry}\n{}", printed(&second).0), "")).unwrap();
    let refused = house.discord.press(admin(guild), &second, "verify:GA-2").await.unwrap();
    assert_eq!(
        refused.content,
        "🔴 Not yet. I read stream `EVENTS` already, as an account of another name. Ask that one's owner for a one-time code, \
         and use it with `/account link`. Then press **Verify** again."
    );
    // The first one's consumer was neither changed nor deleted.
    assert!(!bot.log().contains("attaching anew"), "{}", bot.log());
    publisher.publish("next.events.started", "{}").await.unwrap();
    house.wait_for_shown(channel, 2).await.unwrap();
    wait_for_account_list(&house, guild, PATIENCE, "🟢 reading its events").await;
}
