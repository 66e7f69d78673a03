//! The real serenity 0.12.5, cache and all: it logs in, sees the guild, answers a command, sends, and resumes.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::House;
use discord_sim::{Actor, ChannelKind};
use serde_json::json;
use serenity::all::{
    ChannelId, CommandOptionType, Context, CreateCommand, CreateCommandOption, CreateEmbed, CreateInteractionResponse,
    CreateInteractionResponseMessage, CreateMessage, EventHandler, GatewayIntents, GuildId, Http, HttpBuilder,
    Interaction, Nonce, Ready, ResolvedValue, ResumedEvent,
};
use serenity::async_trait;

const WITHIN: Duration = Duration::from_secs(15);

/// What the bot under test has seen.
#[derive(Default)]
struct Seen {
    channels_in_cache: Vec<String>,
    resumed: bool,
}

struct Bot {
    seen: Arc<Mutex<Seen>>,
}

#[async_trait]
impl EventHandler for Bot {
    async fn ready(&self, context: Context, _ready: Ready) {
        let option = CreateCommandOption::new(CommandOptionType::Channel, "channel", "Where").required(true);
        let command = CreateCommand::new("where").description("Says the channel's name").add_option(option);
        serenity::all::Command::set_global_commands(&context.http, vec![command]).await.unwrap();
    }

    async fn cache_ready(&self, context: Context, guilds: Vec<GuildId>) {
        let guild = context.cache.guild(guilds[0]).unwrap();
        let mut names: Vec<String> = guild.channels.values().map(|channel| channel.name.clone()).collect();
        names.extend(guild.threads.iter().map(|thread| thread.name.clone()));
        names.sort();
        assert!(guild.members.contains_key(&context.cache.current_user().id), "the bot is a member");
        self.seen.lock().unwrap().channels_in_cache = names;
    }

    async fn resume(&self, _context: Context, _event: ResumedEvent) {
        self.seen.lock().unwrap().resumed = true;
    }

    async fn interaction_create(&self, context: Context, interaction: Interaction) {
        let Interaction::Command(command) = interaction else { return };
        let options = command.data.options();
        let ResolvedValue::Channel(channel) = options[0].value else { panic!("a channel was chosen") };
        let text = format!("{} {}", channel.name.clone().unwrap(), channel.permissions.is_some());
        let message = CreateInteractionResponseMessage::new().content(text).ephemeral(true);
        command.create_response(&context.http, CreateInteractionResponse::Message(message)).await.unwrap();
    }
}

fn http(house: &House) -> Http {
    HttpBuilder::new(house.sim.token()).proxy(house.sim.url()).ratelimiter_disabled(true).build()
}

#[tokio::test]
async fn serenity_logs_in_answers_sends_and_resumes() {
    let house = House::new().await;
    let forum = house.sim.add_channel(house.guild, "forum", ChannelKind::Forum);
    house.sim.add_channel(house.guild, "post", ChannelKind::PublicThread { parent: forum });
    house.sim.add_channel(house.guild, "voice", ChannelKind::Voice);
    let seen = Arc::new(Mutex::new(Seen::default()));
    let bot = Bot { seen: seen.clone() };
    let builder = serenity::client::ClientBuilder::new_with_http(http(&house), GatewayIntents::GUILDS);
    let mut client = builder.event_handler(bot).await.unwrap();
    let shards = client.shard_manager.clone();
    let running = tokio::spawn(async move { client.start().await });

    house.sim.wait_for_gateway(WITHIN).await.unwrap();
    let cached = |_: &discord_sim::Sim| seen.lock().unwrap().channels_in_cache.len() == 4;
    house.sim.wait_until(WITHIN, "four channels in serenity's cache", cached).await.unwrap();

    let by = Actor { guild: house.guild, channel: house.channel, user: house.sim.owner(house.guild) };
    let reply = house.sim.command(by, "where", &[("channel", json!(house.channel.to_string()))]).await.unwrap();
    assert_eq!((reply.content.as_str(), reply.ephemeral), ("events true", true));

    let embed = CreateEmbed::new().title("t").field("n", "v", true);
    let message = CreateMessage::new().content("c").embed(embed).nonce(Nonce::String("n".into())).enforce_nonce(true);
    let sent = ChannelId::new(house.channel).send_message(&http(&house), message).await.unwrap();
    assert_eq!((sent.content.as_str(), sent.embeds.len()), ("c", 1));

    house.sim.restart(false).await;
    house.sim.wait_until(WITHIN, "a resumed session", |sim| sim.statistics().resumes == 1).await.unwrap();
    let reply = house.sim.command(by, "where", &[("channel", json!(house.channel.to_string()))]).await.unwrap();
    assert_eq!(reply.content, "events true");
    assert!(seen.lock().unwrap().resumed);
    assert_eq!(house.sim.statistics().identifies, 1);

    shards.shutdown_all().await;
    running.await.unwrap().unwrap();
}
