//! Channels that take no messages: what is known to be refused costs no request, what is mended goes on at once, and
//! somebody is told.

use std::time::Duration;

use discord_sim::{ChannelKind, Options, Route, Trouble};
use guildwire_harness::RunningBot;
use guildwire_harness::house::{FIRST_ACCOUNT, Guild, PATIENCE};

use crate::fire::{Fire, eventually};
use crate::installation::{says, without_moments};
use crate::metrics::wait_for_value;
use crate::support::{Database, on_both_databases};

on_both_databases!(
    a_refusing_channel_is_tried_ever_more_rarely_until_it_takes_messages,
    a_restart_and_changes_elsewhere_try_no_refusing_channel,
    a_channel_that_may_not_be_posted_in_gets_no_request_until_that_is_mended,
    a_channel_that_was_mended_while_the_bot_was_down_goes_on,
    an_archived_thread_is_sent_to_and_a_deleted_one_is_not,
    a_guild_that_the_bot_was_removed_from_gets_no_request_until_it_is_back,
    two_hundred_deleted_channels_cost_next_to_nothing,
    a_guild_is_told_once_in_another_channel,
    a_guild_without_another_channel_is_told_at_its_next_command,
    what_can_not_be_looked_for_is_sent_again_and_says_so,
);

const VIEW_CHANNEL: u64 = 1 << 10;
const SEND_MESSAGES: u64 = 1 << 11;
const READ_MESSAGE_HISTORY: u64 = 1 << 16;
const INVITE: u64 = 274_878_024_704;

const STOPPED: &str = "can't post in a channel";
const REFUSED: &str = "the channel refuses the bot";

/// A fire with a second channel that hears the same.
async fn with_another(fire: &mut Fire) -> (RunningBot, u64) {
    let bot = fire.light().await;
    let other = fire.house.channel(fire.guild, "another");
    fire.bind(other).await;
    fire.check().await;
    fire.wait_for(other, fire.expected.last().unwrap()).await;
    (bot, other)
}

/// Some servers come up, which the other channel shows: so each lane had its turn.
async fn come_up_in(fire: &mut Fire, other: u64, count: usize) {
    fire.come_up(count).await;
    fire.wait_for(other, fire.expected.last().unwrap()).await;
    assert_eq!(fire.shown_in(other), fire.expected, "the other channel goes on");
}

/// Discord refuses the channel for no reason that the gateway shows.
fn refuse(fire: &Fire, times: Option<u32>) {
    let trouble = Trouble::Error { status: 403, code: 50_013, message: "Missing Permissions".to_owned() };
    fire.house.discord.trouble(Route::MessageCreateIn(fire.channel), trouble, times);
}

fn refusals(fire: &Fire, status: u16) -> usize {
    fire.house.discord.statistics().rejected.iter().filter(|refusal| refusal.status == status).count()
}

async fn restart(fire: &Fire, mut bot: RunningBot) -> RunningBot {
    assert!(bot.terminate().await.unwrap().success());
    drop(bot);
    fire.house.start().await.unwrap()
}

async fn a_refusing_channel_is_tried_ever_more_rarely_until_it_takes_messages(database: Database) {
    let mut fire = Fire::lay(database).await;
    fire.set("delivery.probe_after_seconds", "1");
    let (bot, other) = with_another(&mut fire).await;
    refuse(&fire, Some(3));
    come_up_in(&mut fire, other, 3).await;
    bot.wait_for_log(REFUSED, PATIENCE).await.unwrap();
    come_up_in(&mut fire, other, 3).await;
    bot.wait_for_log("the channel takes messages again", PATIENCE).await.unwrap();
    fire.check().await;
    assert_eq!(bot.log().matches(REFUSED).count(), 3, "{}", bot.log());
    assert!(!fire.listed().await.contains("🔴"));
    let content = |message: &discord_sim::Message| message.content.clone();
    let contents: String = fire.house.discord.messages(fire.channel).iter().map(content).collect();
    assert_eq!(contents, "", "Discord refused it each time: nothing can be repeated");
    let read = fire.house.discord.statistics().requests_to("GET /channels/{channel}/messages");
    assert_eq!(read, 0, "nor is it looked for");
}

async fn a_restart_and_changes_elsewhere_try_no_refusing_channel(database: Database) {
    let mut fire = Fire::lay(database).await;
    fire.set("delivery.probe_after_seconds", "3600");
    let (bot, other) = with_another(&mut fire).await;
    refuse(&fire, None);
    come_up_in(&mut fire, other, 1).await;
    bot.wait_for_log(REFUSED, PATIENCE).await.unwrap();
    let list = fire.listed().await;
    assert!(list.matches("🔴").count() == 1 && list.contains("50013"), "{list}");
    assert!(list.contains(" and I try again. The next try is <t:"), "{list}");
    let bot = restart(&fire, bot).await;
    come_up_in(&mut fire, other, 1).await;
    let role = fire.house.discord.add_role(fire.guild.id, "Raiders", false);
    fire.house.discord.set_role_permissions(fire.guild.id, role, SEND_MESSAGES);
    fire.house.discord.rename_channel(other, "renamed");
    come_up_in(&mut fire, other, 3).await;
    let bot = restart(&fire, bot).await;
    come_up_in(&mut fire, other, 1).await;
    assert_eq!(fire.house.discord.statistics().injected, 1, "{}", bot.log());

    // A change of the channel itself has it tried, and so has a person who asks for it.
    fire.house.discord.rename_channel(fire.channel, "renamed, too");
    eventually("it is tried", async || fire.house.discord.statistics().injected == 2).await;
    fire.house.discord.clear_trouble();
    fire.bind_again(fire.channel).await;
    fire.check().await;
    assert!(!fire.listed().await.contains("🔴"));
}

async fn a_channel_that_may_not_be_posted_in_gets_no_request_until_that_is_mended(database: Database) {
    let mut fire = Fire::lay(database).await;
    let (bot, other) = with_another(&mut fire).await;
    let (discord, guild) = (fire.house.discord.clone(), fire.guild.id);
    for missing in ["View Channel", "Send Messages"] {
        let log = bot.log().len();
        let denied = if missing == "View Channel" { VIEW_CHANNEL } else { SEND_MESSAGES };
        discord.deny(fire.channel, denied);
        eventually("it is noticed", async || bot.log()[log..].contains(STOPPED)).await;
        come_up_in(&mut fire, other, 5).await;
        let list = fire.listed().await;
        assert!(list.matches("🔴").count() == 1 && list.contains(&format!("missing {missing}")), "{list}");
        discord.deny(fire.channel, 0);
        fire.check().await;
        assert!(!fire.listed().await.contains("🔴"));
    }

    // The same by a role, for all channels at once.
    let log = bot.log().len();
    let role = discord.bot_role(guild);
    discord.set_role_permissions(guild, role, 0);
    discord.set_role_permissions(guild, guild, VIEW_CHANNEL);
    eventually("it is noticed", async || bot.log()[log..].matches(STOPPED).count() >= 2).await;
    fire.come_up(5).await;
    eventually("intake goes on", async || fire.is_all_recorded().await).await;
    discord.set_role_permissions(guild, role, INVITE);
    fire.check().await;
    come_up_in(&mut fire, other, 1).await;
    assert_eq!(discord.statistics().invalid, 0, "{:?}", discord.statistics().rejected);
}

async fn a_channel_that_was_mended_while_the_bot_was_down_goes_on(database: Database) {
    let mut fire = Fire::lay(database).await;
    let (mut bot, other) = with_another(&mut fire).await;
    fire.house.discord.deny(fire.channel, VIEW_CHANNEL);
    bot.wait_for_log(STOPPED, PATIENCE).await.unwrap();
    come_up_in(&mut fire, other, 5).await;
    assert!(bot.terminate().await.unwrap().success());
    fire.house.discord.deny(fire.channel, 0);
    let _bot = fire.house.start().await.unwrap();
    fire.check().await;
    assert_eq!(fire.house.discord.statistics().invalid, 0);
}

async fn an_archived_thread_is_sent_to_and_a_deleted_one_is_not(database: Database) {
    let mut fire = Fire::lay(database).await;
    let (bot, other) = with_another(&mut fire).await;
    let parent = fire.house.channel(fire.guild, "threads");
    let thread = |name: &str| fire.house.discord.add_channel(fire.guild.id, name, ChannelKind::PublicThread { parent });
    let (kept, deleted) = (thread("kept"), thread("deleted"));
    for thread in [kept, deleted] {
        fire.bind(thread).await;
    }
    fire.house.discord.set_archived(kept, true);
    let bot = restart(&fire, bot).await;
    fire.house.discord.delete_channel(deleted);
    bot.wait_for_log(STOPPED, PATIENCE).await.unwrap();
    come_up_in(&mut fire, other, 3).await;
    fire.wait_for(kept, fire.expected.last().unwrap()).await;
    assert_eq!(fire.house.discord.statistics().rejected, []);
    let list = fire.listed().await;
    assert!(list.matches("🔴").count() == 1 && list.contains("the thread was deleted"), "{list}");
}

async fn a_guild_that_the_bot_was_removed_from_gets_no_request_until_it_is_back(database: Database) {
    let mut fire = Fire::lay(database).await;
    let (bot, parent) = with_another(&mut fire).await;
    let (discord, guild) = (fire.house.discord.clone(), fire.guild.id);
    let thread = discord.add_channel(guild, "archived", ChannelKind::PublicThread { parent });
    fire.bind(thread).await;
    discord.set_archived(thread, true);
    discord.set_guild_outage(guild, true);
    discord.set_guild_outage(guild, false);
    fire.check().await;
    assert!(!bot.log().contains(STOPPED), "an outage is no removal: {}", bot.log());
    for channel in [parent, thread] {
        // What is on its way there must not meet the removal.
        fire.wait_for(channel, fire.expected.last().unwrap()).await;
    }
    discord.remove_bot(guild);
    eventually("all channels are stopped", async || bot.log().matches(STOPPED).count() == 3).await;
    fire.come_up(5).await;
    eventually("intake goes on", async || fire.is_all_recorded().await).await;
    assert_eq!(discord.statistics().rejected, []);
    discord.add_bot(guild);
    fire.check().await;
    fire.wait_for(thread, fire.expected.last().unwrap()).await;
}

/// So many guilds, each with a channel that hears of the servers, put into the database of a bot that does not run.
async fn crowd(fire: &Fire, url: &str, count: usize) -> Vec<(Guild, u64)> {
    use guildwire::domain::audit::By;
    use guildwire::domain::binding::Binding;
    use guildwire::domain::ids::{ChannelId, GuildId, UserId};

    let store = guildwire::store::Store::open(url).await.unwrap();
    let (now, account) = (guildwire::clock::now(), FIRST_ACCOUNT.parse().unwrap());
    let mut crowd = Vec::new();
    for number in 0..count {
        let guild = fire.house.guild(&format!("guild {number}"));
        let channel = fire.house.channel(guild, "events");
        let (id, code) = (GuildId(guild.id), number.to_string());
        store
            .add_invite(&account, code.as_bytes(), now.plus(Duration::from_hours(1)), &By::operator(now))
            .await
            .unwrap();
        store.redeem_invite(code.as_bytes(), id, UserId(guild.admin), now).await.unwrap();
        let binding = Binding {
            id: store.next_number(),
            guild: id,
            channel: ChannelId(channel),
            account: account.clone(),
            server: None,
            kinds: guildwire::domain::event::Group::Lifecycle.kinds(),
            mention: None,
            style: guildwire::domain::style::Style::Each,
            is_thread: Some(false),
            created_by: UserId(guild.admin),
            created_at: now,
            covered_from: None,
            later_kinds: std::collections::BTreeMap::new(),
            paused_at: None,
            is_declared: false,
        };
        assert!(store.add_binding(&binding).await.unwrap());
        crowd.push((guild, channel));
    }
    crowd
}

async fn two_hundred_deleted_channels_cost_next_to_nothing(database: Database) {
    let mut fire = Fire::lay(database).await;
    let (house, url) = crate::installation::usual_house(database).await;
    fire.house = house;
    fire.servers = fire.house.publisher(FIRST_ACCOUNT).await.unwrap();
    fire.house.add_accounts().await.unwrap();
    let crowd = crowd(&fire, &url, 200).await;
    let mut bot = fire.house.start().await.unwrap();
    let discord = fire.house.discord.clone();
    eventually("all hear", async || !says(&fire.house, crowd[199].0, "notify list", &[]).await.contains("🕓")).await;
    fire.come_up(1).await;
    for (_, channel) in &crowd {
        fire.wait_for(*channel, fire.expected.last().unwrap()).await;
    }

    // Half of them while the bot runs.
    for (_, channel) in &crowd[..100] {
        discord.delete_channel(*channel);
    }
    wait_for_value(&bot, "guildwire_lanes{state=\"stopped\"}", 100.0).await;
    fire.come_up(5).await;
    for (_, channel) in &crowd[100..] {
        fire.wait_for(*channel, fire.expected.last().unwrap()).await;
    }
    assert_eq!(discord.statistics().rejected, [], "no request at all");

    // The others over night.
    assert!(bot.terminate().await.unwrap().success());
    for (_, channel) in &crowd[100..] {
        discord.delete_channel(*channel);
    }
    fire.come_up(5).await;
    for _ in 0..3 {
        drop(bot);
        bot = fire.house.start().await.unwrap();
        wait_for_value(&bot, "guildwire_lanes{state=\"stopped\"}", 200.0).await;
        fire.come_up(5).await;
        eventually("intake goes on", async || fire.is_all_recorded().await).await;
        assert!(bot.terminate().await.unwrap().success());
    }
    let statistics = discord.statistics();
    assert!(statistics.invalid < 100, "{statistics:?}");
    assert!(refusals(&fire, 404) <= 100, "at most one for each: {}", refusals(&fire, 404));
}

async fn a_guild_is_told_once_in_another_channel(database: Database) {
    let mut fire = Fire::lay(database).await;
    fire.set("notices.after_seconds", "1");
    let (bot, other) = with_another(&mut fire).await;
    fire.house.discord.deny(fire.channel, SEND_MESSAGES);
    bot.wait_for_log("told a guild that a channel is stopped", PATIENCE).await.unwrap();
    let told = |fire: &Fire| -> Vec<String> {
        let messages = fire.house.discord.messages(other);
        let embeds = messages.iter().flat_map(|message| &message.embeds);
        let texts = embeds.map(|embed| without_moments(embed.description.as_deref().unwrap_or_default()));
        texts.filter(|text| text.contains("gets no messages")).collect()
    };
    eventually("it is told", async || told(&fire).len() == 1).await;
    let wanted = format!(
        "🔴 <#{}> gets no messages right now. I have not been able to post there since <time>: missing Send Messages. Give \
         me that in the channel's settings under Permissions, for my role: I notice it, and what waits is kept.",
        fire.channel
    );
    assert_eq!(told(&fire), [wanted]);
    let bot = restart(&fire, bot).await;
    // A stop that is told later shows that the first one would have been told again by now.
    let late = fire.house.channel(fire.guild, "late");
    fire.bind(late).await;
    fire.house.discord.delete_channel(late);
    bot.wait_for_log("told a guild that a channel is stopped", PATIENCE).await.unwrap();
    eventually("it is told", async || told(&fire).len() == 2).await;
    assert!(told(&fire)[1].contains("the channel was deleted"), "{:?}", told(&fire));
    // Nobody has to be told by an answer.
    let said = says(&fire.house, fire.guild, "account list", &[]).await;
    assert!(!said.contains("gets no messages"), "{said}");
}

async fn a_guild_without_another_channel_is_told_at_its_next_command(database: Database) {
    let mut fire = Fire::lay(database).await;
    fire.set("notices.after_seconds", "1");
    let bot = fire.light().await;
    let paused = fire.house.channel(fire.guild, "paused");
    fire.bind(paused).await;
    let ids = crate::managing::binding_ids(&fire.house, fire.guild).await;
    says(&fire.house, fire.guild, "notify pause", &[("binding", ids[1].as_str().into())]).await;
    fire.check().await;
    fire.house.discord.deny(fire.channel, VIEW_CHANNEL);
    bot.wait_for_log(STOPPED, PATIENCE).await.unwrap();
    let links = async || without_moments(&says(&fire.house, fire.guild, "account list", &[]).await);
    let wanted = format!(
        "🔴 <#{}> gets no messages right now. I have not been able to post there since <time>: missing View Channel. Give \
         me that in the channel's settings under Permissions, for my role: I notice it, and what waits is kept.",
        fire.channel
    );
    // The list may not show it on its first page, so whoever saw that is told once more.
    eventually("the list tells it", async || fire.listed().await.contains("🔴")).await;
    eventually("an answer tells it", async || links().await.starts_with(&wanted)).await;
    let said = links().await;
    assert!(said.starts_with("**GA-1**"), "once: {said}");
    fire.house.discord.deny(fire.channel, 0);
    fire.check().await;
    assert_eq!(fire.shown_in(paused), Vec::<String>::new());
}

async fn what_can_not_be_looked_for_is_sent_again_and_says_so(database: Database) {
    // By the time it is back, Discord has forgotten the nonce.
    let forgetful = Options { nonce_window: Some(Duration::ZERO), ..Options::default() };
    let mut fire = Fire::lay_with(database, forgetful).await;
    let discord = fire.discord_proxy().await;
    let mut bot = fire.light().await;
    fire.check().await;
    eventually("it is noted", async || bot.log().contains(" delivered ")).await;
    discord.hold_from_target();
    fire.come_up(1).await;
    discord.wait_until_holding(PATIENCE).await.unwrap();
    bot.kill().await.unwrap();
    discord.cut();
    discord.pass();
    fire.house.discord.deny(fire.channel, READ_MESSAGE_HISTORY);
    let bot = fire.house.start().await.unwrap();
    bot.wait_for_log("it is sent again, and says so", PATIENCE).await.unwrap();
    let repeated = fire.expected.last().unwrap().clone();
    fire.expected.push(repeated);
    fire.check().await;
    let warning = "⚠️ This may have been shown before: I lost Discord's answer and may not look here.";
    let contents: Vec<_> = fire.house.discord.messages(fire.channel).iter().map(|it| it.content.clone()).collect();
    assert_eq!(contents, ["", "", warning, ""]);
}
