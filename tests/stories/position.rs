//! What happens to a stream and its consumer under the bot: rolled back, made anew, read by a stranger, deleted. The
//! position in the database is the truth, and a binding hears what is stored after it was made.

use futures_util::StreamExt as _;
use guildwire_harness::house::{FIRST_ACCOUNT, PATIENCE};
use guildwire_harness::{NatsServer, RunningBot};
use serde_json::json;

use crate::fire::{Fire, STREAM, eventually};
use crate::support::{Database, on_both_databases};

on_both_databases!(
    a_stream_rolled_back_and_not_yet_grown_past_the_position,
    a_stream_rolled_back_and_grown_past_the_position,
    a_stream_rolled_back_under_the_running_bot,
    a_stream_made_anew_or_purged_goes_on_from_its_beginning,
    events_that_a_stranger_took_are_read_again,
    a_deleted_durable_is_made_anew,
    a_binding_hears_what_is_stored_after_it_was_made,
    a_binding_of_other_kinds_does_not_bring_back_older_ones,
    the_last_binding_takes_the_durable_and_the_position_along,
    an_account_removed_while_it_is_read_leaves_nothing_behind,
);

/// Lets the bot show events, and keeps what nats-server stored of the first half of them.
async fn shown_and_half_of_it_kept(fire: &mut Fire) -> tempfile::TempDir {
    let kept = tempfile::tempdir().unwrap();
    fire.come_up(3).await;
    fire.check().await;
    fire.house.nats.kill().unwrap();
    fire.house.nats.copy_store(&kept.path().join("store")).unwrap();
    start_again(&mut fire.house.nats);
    reconnect(fire).await;
    fire.come_up(3).await;
    fire.check().await;
    kept
}

fn roll_back(fire: &mut Fire, kept: &tempfile::TempDir) {
    fire.house.nats.kill().unwrap();
    fire.house.nats.restore_store(&kept.path().join("store")).unwrap();
    start_again(&mut fire.house.nats);
}

fn start_again(nats: &mut NatsServer) {
    tokio::task::block_in_place(|| nats.start_again()).unwrap();
}

/// The game servers connect anew, so that nothing waits for their old connection.
async fn reconnect(fire: &mut Fire) {
    fire.servers = fire.house.publisher(FIRST_ACCOUNT).await.unwrap();
}

/// Stops the bot, rolls the stream back by 4 events, has others published in their place, and starts the bot.
async fn rolled_back(database: Database, published_since: usize) {
    let mut fire = Fire::lay(database).await;
    let mut bot = fire.light().await;
    let kept = shown_and_half_of_it_kept(&mut fire).await;
    assert!(bot.terminate().await.unwrap().success());
    roll_back(&mut fire, &kept);
    reconnect(&mut fire).await;
    fire.come_up(published_since).await;
    let _bot = fire.house.start().await.unwrap();
    fire.check().await;
}

async fn a_stream_rolled_back_and_not_yet_grown_past_the_position(database: Database) {
    rolled_back(database, 2).await;
}

async fn a_stream_rolled_back_and_grown_past_the_position(database: Database) {
    rolled_back(database, 9).await;
}

async fn a_stream_rolled_back_under_the_running_bot(database: Database) {
    let mut fire = Fire::lay(database).await;
    let bot = fire.light().await;
    let kept = shown_and_half_of_it_kept(&mut fire).await;
    roll_back(&mut fire, &kept);
    reconnect(&mut fire).await;
    fire.come_up(6).await;
    fire.check().await;
    assert!(bot.log().contains("the stream was rolled back"), "{}", bot.log());
}

async fn a_stream_made_anew_or_purged_goes_on_from_its_beginning(database: Database) {
    let mut fire = Fire::lay(database).await;
    let _bot = fire.light().await;
    fire.come_up(3).await;
    fire.check().await;
    // Once it grows past the position before the bot is there again, once it does not.
    for published in [8, 2] {
        fire.servers.jetstream.delete_stream(STREAM).await.unwrap();
        fire.servers.make_stream().await.unwrap();
        fire.come_up(published).await;
        fire.check().await;
    }
    fire.servers.jetstream.get_stream(STREAM).await.unwrap().purge().await.unwrap();
    fire.come_up(3).await;
    fire.check().await;
}

async fn events_that_a_stranger_took_are_read_again(database: Database) {
    let mut fire = Fire::lay(database).await;
    let nats = fire.nats_proxy().await;
    let _bot = fire.link().await;
    // The consumer is made and reset, but the bot's first request for events does not get through.
    nats.hold_to_target_at(b"$JS.API.CONSUMER.MSG.NEXT");
    fire.bind(fire.channel).await;
    nats.wait_until_holding(PATIENCE).await.unwrap();
    fire.come_up(4).await;
    assert_eq!(take_and_acknowledge(&fire, 4).await, 4);
    nats.pass();
    fire.come_up(2).await;
    fire.check().await;

    // Side by side with the bot's own requests, which nats-server serves in turn with the stranger's.
    // The bot's resets end the stranger's request early.
    let stranger = async { assert!((1..=3).contains(&take_and_acknowledge(&fire, 3).await)) };
    let servers = fire.servers.clone();
    let names: Vec<String> = (0..8).map(|number| format!("t{number}")).collect();
    let publishing = async {
        for name in &names {
            servers.publish(&format!("{name}.events.started"), "{}").await.unwrap();
        }
    };
    tokio::join!(stranger, publishing);
    fire.expected.extend_from_slice(&names);
    fire.check().await;
}

/// A stranger pulls so many events from the bot's own durable and acknowledges them.
async fn take_and_acknowledge(fire: &Fire, count: usize) -> usize {
    let mut taken = 0;
    let mut messages = fire.durable().await.fetch().max_messages(count).expires(PATIENCE).messages().await.unwrap();
    while let Some(message) = messages.next().await {
        message.unwrap().double_ack().await.unwrap();
        taken += 1;
    }
    taken
}

async fn a_deleted_durable_is_made_anew(database: Database) {
    let mut fire = Fire::lay(database).await;
    let _bot = fire.light().await;
    for _ in 0..2 {
        fire.check().await;
        let durable = fire.durable().await.cached_info().name.clone();
        let stream = fire.servers.jetstream.get_stream(STREAM).await.unwrap();
        stream.delete_consumer(&durable).await.unwrap();
        fire.come_up(3).await;
    }
    fire.check().await;
}

async fn a_binding_hears_what_is_stored_after_it_was_made(database: Database) {
    let mut fire = Fire::lay(database).await;
    let _bot = fire.link().await;
    fire.come_up_unseen(5).await;
    fire.bind(fire.channel).await;
    fire.come_up(5).await;
    fire.check().await;
    // The same for a second channel, while servers publish without a pause: all that is published after the answer is
    // shown, and nothing is left out behind the first that is.
    let other = fire.house.channel(fire.guild, "another");
    let names = fire.next_names(200);
    let published = std::sync::atomic::AtomicUsize::new(0);
    let bound = tokio::sync::Notify::new();
    let (house, servers) = (&fire.house, &fire.servers);
    let publishing = async {
        let mut after = 10;
        for name in &names {
            servers.publish(&format!("{name}.events.started"), "{}").await.unwrap();
            published.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let is_bound = futures_util::FutureExt::now_or_never(bound.notified()).is_some();
            if (is_bound || after < 10) && {
                after -= 1;
                after == 0
            } {
                return;
            }
        }
    };
    let binding = async {
        house.notify(fire.guild, other, "lifecycle", &[]).await.unwrap();
        bound.notify_one();
        published.load(std::sync::atomic::Ordering::SeqCst)
    };
    let ((), before) = tokio::join!(publishing, binding);
    let published = published.into_inner();
    fire.expected.truncate(fire.expected.len() - (names.len() - published));
    fire.check().await;
    fire.wait_for(other, fire.expected.last().unwrap()).await;
    let there = fire.shown_in(other);
    // One may have been on its way when the answer came.
    assert!(there.len() >= published - before, "{} shown, {before} of {published} published before", there.len());
    assert_eq!(there, fire.expected[fire.expected.len() - there.len()..]);
}

async fn a_binding_of_other_kinds_does_not_bring_back_older_ones(database: Database) {
    let mut fire = Fire::lay(database).await;
    let _bot = fire.light().await;
    let (players, chat) = (fire.house.channel(fire.guild, "players"), fire.house.channel(fire.guild, "chat"));
    // The consumer covers the first anyway, and the second only once somebody asks.
    let happen = async |name: &str| {
        let steam = "76561198000000001";
        let joined = format!(r#"{{"player":{{"id":"{steam}","name":"{name}"}}}}"#);
        fire.servers.publish(&format!("main.players.{steam}.events.connected"), &joined).await.unwrap();
        let said = format!(r#"{{"full_message":"hello","player_name":"{name}"}}"#);
        fire.servers.publish(&format!("main.events.player.{steam}.chatted"), &said).await.unwrap();
    };
    happen("Early").await;
    fire.house.notify(fire.guild, players, "players", &[]).await.unwrap();
    happen("Ada").await;
    fire.house.notify(fire.guild, chat, "chat", &[]).await.unwrap();
    happen("Bob").await;
    happen("Eve").await;
    fire.wait_for(players, "Eve").await;
    fire.wait_for(chat, "Eve").await;
    assert_eq!(fire.shown_in(players), ["Ada", "Bob", "Eve"]);
    assert_eq!(fire.shown_in(chat), ["Bob", "Eve"]);
    fire.check().await;
}

async fn the_last_binding_takes_the_durable_and_the_position_along(database: Database) {
    let mut fire = Fire::lay(database).await;
    let bot = fire.light().await;
    fire.check().await;
    let list = fire.listed().await;
    let id = list.split(['#', '`']).find(|part| part.parse::<i64>().is_ok()).unwrap();
    fire.house.command(fire.guild, "notify remove", &[("binding", json!(id))]).await.unwrap();
    nothing_is_left(&fire, &bot).await;
    fire.come_up_unseen(3).await;
    fire.bind(fire.channel).await;
    fire.come_up(3).await;
    fire.check().await;
}

/// Waits until the bot no longer reads the account.
async fn nothing_is_left(fire: &Fire, bot: &RunningBot) {
    bot.wait_for_log("no longer reading the account's events", PATIENCE).await.unwrap();
    assert_eq!(fire.durables().await, Vec::<String>::new(), "{}", bot.log());
}

async fn an_account_removed_while_it_is_read_leaves_nothing_behind(database: Database) {
    let mut fire = Fire::lay(database).await;
    let bot = fire.light().await;
    fire.check().await;
    fire.house.operate(&["account", "remove", FIRST_ACCOUNT, "--yes"]).await.unwrap();
    // Before the bot looks, which it does every few seconds.
    fire.come_up_unseen(3).await;
    eventually("the durable is deleted", async || fire.durables().await.is_empty()).await;
    bot.wait_for_log("no longer reading the account's events", PATIENCE).await.unwrap();
    fire.come_up_unseen(3).await;

    let user = guildwire_harness::NatsConfig::BLOG_POST_USER;
    fire.house.operate(&["account", "add", FIRST_ACCOUNT, "--user", user]).await.unwrap();
    fire.house.link(fire.guild, FIRST_ACCOUNT).await.unwrap();
    fire.bind(fire.channel).await;
    fire.come_up(3).await;
    fire.check().await;
}
