//! What breaks: the bot, nats-server, Discord and the ways between them. Whatever it is, each event is shown once and in
//! order, and what is not broken goes on.

use std::time::{Duration, Instant, SystemTime};

use discord_sim::{Options, Route, Scope, Sim, Trouble};
use guildwire_harness::NatsServer;
use guildwire_harness::house::PATIENCE;

use crate::fire::{self, Fire, eventually};
use crate::support::{Database, on_both_databases};

on_both_databases!(
    nats_server_dies_while_servers_publish,
    the_bot_dies_between_commit_and_acknowledgement,
    the_bot_dies_before_it_hears_that_a_message_was_taken,
    a_lost_answer_shows_nothing_twice,
    discord_goes_away_and_comes_back,
    one_channels_trouble_is_no_others,
    a_limit_of_discords_is_obeyed_in_its_scope,
    a_message_that_discord_does_not_take_is_worded_anew_once,
    what_a_filter_refuses_is_told_without_what_players_wrote,
    a_revoked_token_stops_sending_but_not_recording,
    stopping_takes_little_time_and_loses_nothing,
);

async fn nats_server_dies_while_servers_publish(database: Database) {
    let mut fire = Fire::lay(database).await;
    let _bot = fire.light().await;
    let names = fire.next_names(40);
    let (discord, channel, servers) = (fire.house.discord.clone(), fire.channel, fire.servers.clone());
    let publishing = async {
        for name in &names {
            servers.publish(&format!("{name}.events.started"), "{}").await.unwrap();
        }
    };
    let dying = async {
        for name in [&names[4], &names[20]] {
            fire::wait_for(&discord, channel, name).await;
            restart(&mut fire.house.nats);
        }
    };
    tokio::join!(publishing, dying);
    fire.check().await;
}

fn restart(nats: &mut NatsServer) {
    tokio::task::block_in_place(|| nats.restart()).unwrap();
}

async fn the_bot_dies_between_commit_and_acknowledgement(database: Database) {
    let mut fire = Fire::lay(database).await;
    let nats = fire.nats_proxy().await;
    let mut bot = fire.light().await;
    fire.check().await;
    // The acknowledgements never arrive; the second time, they come late.
    for come_late in [false, true] {
        // The last of those before is none of them.
        eventually("all is acknowledged", async || fire.is_all_recorded().await).await;
        nats.hold_to_target_at(b"$JS.ACK");
        fire.come_up(3).await;
        nats.wait_until_holding(PATIENCE).await.unwrap();
        bot.kill().await.unwrap();
        if !come_late {
            nats.cut();
        }
        nats.pass();
        bot = fire.house.start().await.unwrap();
        fire.check().await;
    }
}

async fn the_bot_dies_before_it_hears_that_a_message_was_taken(database: Database) {
    // By the time it is back, Discord has forgotten the nonce.
    let forgetful = Options { nonce_window: Some(Duration::ZERO), ..Options::default() };
    let mut fire = Fire::lay_with(database, forgetful).await;
    let discord = fire.discord_proxy().await;
    let mut bot = fire.light().await;
    fire.check().await;
    discord.hold_from_target();
    fire.come_up(5).await;
    discord.wait_until_holding(PATIENCE).await.unwrap();
    bot.kill().await.unwrap();
    discord.cut();
    discord.pass();
    let bot = fire.house.start().await.unwrap();
    fire.check().await;
    assert!(bot.log().contains("delivered already"), "{}", bot.log());
}

async fn a_lost_answer_shows_nothing_twice(database: Database) {
    let mut fire = Fire::lay(database).await;
    let _bot = fire.light().await;
    fire.house.discord.trouble(Route::MessageCreate, Trouble::LoseReply, Some(2));
    fire.come_up(5).await;
    eventually("both are sent again", async || fire.house.discord.statistics().nonce_replays == 2).await;
    fire.check().await;
}

async fn discord_goes_away_and_comes_back(database: Database) {
    let mut fire = Fire::lay(database).await;
    let bot = fire.light().await;
    fire.come_up(3).await;
    fire.wait_for_last().await;
    fire.house.discord.go_away().await;
    fire.come_up(12).await;
    bot.wait_for_log("a message was not delivered; trying again", PATIENCE).await.unwrap();
    fire.house.discord.come_back().await;
    fire.check().await;
    fire.house.discord.wait_for_gateway(PATIENCE).await.unwrap();
    let list = fire.listed().await;
    assert!(list.contains("lifecycle"), "{list}");
}

async fn one_channels_trouble_is_no_others(database: Database) {
    let mut fire = Fire::lay(database).await;
    fire.set("delivery.request_timeout_seconds", "2");
    let bot = fire.light().await;
    let other = fire.house.channel(fire.guild, "another");
    fire.bind(other).await;
    let discord = fire.house.discord.clone();
    let here = Route::MessageCreateIn(fire.channel);
    discord.trouble(here, Trouble::Hang, None);
    fire.come_up(10).await;
    fire.wait_for(other, fire.expected.last().unwrap()).await;
    assert!(fire.shown_in(fire.channel).is_empty(), "the other channel did not wait for this one");
    bot.wait_for_log("a message was not delivered; trying again", PATIENCE).await.unwrap();
    discord.clear_trouble();
    for trouble in [Trouble::Status(502), Trouble::Refuse, Trouble::Status(500)] {
        discord.trouble(here, trouble, Some(1));
    }
    fire.check().await;
    fire.wait_for(other, fire.expected.last().unwrap()).await;
    assert_eq!(fire.shown_in(other), fire.expected);
}

async fn a_limit_of_discords_is_obeyed_in_its_scope(database: Database) {
    // With buckets as Discord has them.
    let mut fire = Fire::lay_with(database, Options::default()).await;
    let bot = fire.light().await;
    let other = fire.house.channel(fire.guild, "another");
    fire.bind(other).await;
    let discord = fire.house.discord.clone();
    // So long for one channel that the other's next message comes before it is over.
    for (scope, wait) in [(Scope::User, 10.0), (Scope::Shared, 10.0), (Scope::Global, 2.5)] {
        let (before, attempts, log) = (now(), fire.attempts(), bot.log().len());
        let invalid = discord.statistics().invalid;
        let (trouble, wait) = (Trouble::RateLimited { scope, retry_after: wait }, Duration::from_secs_f64(wait));
        discord.trouble(Route::MessageCreateIn(fire.channel), trouble, Some(1));
        fire.come_up(1).await;
        eventually("the bot heard of its limit", async || bot.log()[log..].contains("Discord limits")).await;
        fire.come_up(1).await;
        fire.wait_for_last().await;
        fire.wait_for(other, fire.expected.last().unwrap()).await;

        let here = discord.messages(fire.channel).into_iter().filter(|message| message.sent_at > before);
        let here: Vec<_> = here.map(|message| message.sent_at.duration_since(before).unwrap()).collect();
        assert!(here.iter().all(|after| *after >= wait), "{scope:?}: the channel's messages came after {here:?}");
        let there = sent_after(&discord, other, fire.expected.last().unwrap(), before);
        assert_eq!(there >= wait, scope == Scope::Global, "{scope:?}: the other channel's came after {there:?}");
        let statistics = discord.statistics();
        assert_eq!(statistics.invalid - invalid, u64::from(scope != Scope::Shared));
        // One was refused; the events of both moments share the message that comes next, or have one each.
        assert!((3..=5).contains(&(fire.attempts() - attempts)), "{scope:?}: {} attempts", fire.attempts() - attempts);
    }
    assert_eq!(discord.statistics().rate_limited_total(), 3, "none but those that were made up");
    fire.check().await;
    fire.wait_for(other, fire.expected.last().unwrap()).await;
    assert_eq!(fire.shown_in(other), fire.expected);
}

fn now() -> SystemTime {
    #[expect(clippy::disallowed_methods, reason = "to compare with when Discord says that a message was sent")]
    SystemTime::now()
}

/// How long after a moment the message was sent that shows a server.
fn sent_after(discord: &Sim, channel: u64, name: &str, moment: SystemTime) -> Duration {
    let mut messages = discord.messages(channel).into_iter();
    let tells = |description: &Option<String>| description.as_deref().is_some_and(|text| text.contains(name));
    let message = messages.find(|message| message.embeds.iter().any(|embed| tells(&embed.description))).unwrap();
    message.sent_at.duration_since(moment).unwrap()
}

async fn a_message_that_discord_does_not_take_is_worded_anew_once(database: Database) {
    let mut fire = Fire::lay(database).await;
    let bot = fire.light().await;
    let not_taken = || Trouble::Error { status: 400, code: 50_035, message: "Invalid Form Body".to_owned() };
    fire.house.discord.trouble(Route::MessageCreateIn(fire.channel), not_taken(), Some(1));
    fire.come_up(1).await;
    bot.wait_for_log("it is worded anew", PATIENCE).await.unwrap();
    fire.check().await;
    let told = fire.house.shown(fire.channel);
    assert!(told[0].starts_with("Discord did not accept this as I first worded it"), "{told:?}");

    fire.house.discord.trouble(Route::MessageCreateIn(fire.channel), not_taken(), Some(2));
    fire.come_up_unseen(1).await;
    bot.wait_for_log("it is set aside", PATIENCE).await.unwrap();
    assert!(bot.log().contains("code 50035: Invalid Form Body"), "{}", bot.log());
    fire.come_up(3).await;
    fire.check().await;
}

async fn what_a_filter_refuses_is_told_without_what_players_wrote(database: Database) {
    let fire = Fire::lay(database).await;
    let bot = fire.light().await;
    fire.house.notify(fire.guild, fire.channel, "chat", &[]).await.unwrap();
    let message = "Message was blocked by automatic moderation".to_owned();
    let blocked = Trouble::Error { status: 400, code: 200_000, message };
    fire.house.discord.trouble(Route::MessageCreateIn(fire.channel), blocked, Some(1));
    fire.servers.publish("main.events.player.76561198000000001.chatted", r#"{"message":"a bad word"}"#).await.unwrap();
    bot.wait_for_log("it is worded anew", PATIENCE).await.unwrap();
    fire.house.wait_for_shown(fire.channel, 1).await.unwrap();
    let told = fire::lines(&fire.house.discord, fire.channel).join("\n");
    assert!(told.starts_with("AutoMod did not let this pass") && !told.contains("bad word"), "{told}");
    assert!(
        told.contains("[76561198000000001](https://steamcommunity.com/profiles/76561198000000001) said something"),
        "{told}"
    );
}

async fn a_revoked_token_stops_sending_but_not_recording(database: Database) {
    let mut fire = Fire::lay(database).await;
    let mut bot = fire.light().await;
    fire.check().await;
    let before = fire.house.discord.statistics();
    fire.house.discord.revoke_token();
    fire.come_up(5).await;
    let ready = format!("{}/readyz", bot.http_url());
    eventually("the bot says that its token is refused", async || {
        let answer = reqwest::get(&ready).await.unwrap();
        answer.status() == 503 && answer.text().await.unwrap().contains("token: Discord refuses it")
    })
    .await;
    // An attempt that was under way as the token was revoked may still arrive.
    eventually("intake goes on", async || fire.is_all_recorded().await).await;
    let attempts = fire.attempts();
    fire.come_up(5).await;
    eventually("intake goes on", async || fire.is_all_recorded().await).await;
    assert_eq!(fire.attempts(), attempts, "nothing is sent any more");
    let refused = fire.house.discord.statistics().invalid - before.invalid;
    assert!(refused <= 5, "{refused} requests were refused");
    assert!(bot.terminate().await.unwrap().success());
    assert_eq!(fire.attempts(), attempts, "nor until the bot ends");

    fire.house.discord.restore_token();
    let _bot = fire.house.start().await.unwrap();
    fire.check().await;
}

async fn stopping_takes_little_time_and_loses_nothing(database: Database) {
    // With buckets as Discord has them: lanes that wait for theirs have to stop, too.
    let mut fire = Fire::lay_with(database, Options::default()).await;
    let mut bot = fire.light().await;
    let names = fire.next_names(60);
    let (discord, channel, servers) = (fire.house.discord.clone(), fire.channel, fire.servers.clone());
    let publishing = async {
        for name in &names {
            servers.publish(&format!("{name}.events.started"), "{}").await.unwrap();
        }
    };
    let stopping = async {
        fire::wait_for(&discord, channel, &names[5]).await;
        let asked = Instant::now();
        let status = bot.terminate().await.unwrap();
        assert!(status.success(), "{status}");
        assert!(asked.elapsed() < Duration::from_secs(15), "stopping took {:?}", asked.elapsed());
        assert!(!bot.log().contains("cut off"), "{}", bot.log());
    };
    tokio::join!(publishing, stopping);
    let _bot = fire.house.start().await.unwrap();
    fire.check().await;
}
