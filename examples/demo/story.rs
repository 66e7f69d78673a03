//! The story: an operator, two communities, an evening on two game servers, and a crash in the middle of it.

mod events;
mod looks;
mod stage;

use std::path::Path;

use anyhow::{Context as _, Result};
use guildwire_harness::NatsConfig;
use guildwire_harness::house::{FIRST_ACCOUNT, SECOND_ACCOUNT, SECOND_USER};
use serde_json::Value;

use self::events::{EVENING, Event, MEANWHILE, NIGHT, UNHEARD};
use self::stage::{Community, Stage};
use crate::checks::Checks;
use crate::screen::Screen;

/// The file in the bot's folder with the second account's password.
const PASSWORD_FILE: &str = "ga-2.password";

/// Tells the story from its beginning to its end.
pub(crate) async fn tell(bot: &Path, screen: &mut Screen, checks: &mut Checks) -> Result<()> {
    screen.say("guildwire's demo: two game-server accounts, two Discord servers, one bot between them.")?;
    let mut stage = Stage::build(bot).await?;
    screen.say(&format!(
        "nats-server runs at {}, and a stand-in for Discord at {}. The bot is the real one.",
        stage.house.nats.url(),
        stage.house.discord.url()
    ))?;
    let (rustaceans, night_owls) = (stage.community("Rustaceans"), stage.community("Night Owls"));
    operator(&mut stage, screen).await?;
    admins(&mut stage, screen, checks, rustaceans, night_owls).await?;
    play(&stage, screen, "The evening begins", EVENING).await?;
    crash(&mut stage, screen).await?;
    play(&stage, screen, "The evening goes on", NIGHT).await?;
    looks::wait_for_everything(&stage).await;
    show(&stage, screen)?;
    questions(&stage, screen, checks).await?;
    screen.headline("What was checked")?;
    looks::look(&stage, checks)?;
    checks.print(screen)?;
    stage.close(screen, checks).await
}

/// The operator adds the accounts and starts the bot.
async fn operator(stage: &mut Stage, screen: &Screen) -> Result<()> {
    let (user, password) = SECOND_USER;
    std::fs::write(stage.house.bot.home_folder().join(PASSWORD_FILE), format!("{password}\n"))
        .context("writing the password's file")?;
    screen.headline("The operator adds two game-server owners' accounts and starts the bot")?;
    stage.operate(screen, &["account", "add", FIRST_ACCOUNT, "--user", NatsConfig::BLOG_POST_USER]).await?;
    stage
        .operate(screen, &["account", "add", SECOND_ACCOUNT, "--user", user, "--password-file", PASSWORD_FILE])
        .await?;
    stage.run(screen).await?;
    stage.publish(&UNHEARD).await
}

/// The admins of two guilds link them and bind channels.
async fn admins(
    stage: &mut Stage,
    screen: &mut Screen,
    checks: &mut Checks,
    rustaceans: Community,
    night_owls: Community,
) -> Result<()> {
    screen.headline("The admins of two Discord servers link the accounts and choose what goes where")?;
    let builders = stage.builders(screen, rustaceans);
    let status = stage.channel(screen, rustaceans, "server-status", FIRST_ACCOUNT, "lifecycle and players of GA-1");
    let chat = stage.channel(screen, rustaceans, "chat", FIRST_ACCOUNT, "chat of GA-1");
    let creative =
        stage.channel(screen, rustaceans, "creative", SECOND_ACCOUNT, "lifecycle of GA-2, mentioning @Builders");
    let everything = stage.channel(screen, night_owls, "everything", FIRST_ACCOUNT, "everything of GA-1 but chat");
    let closed = stage.closed_channel(screen, night_owls, "staff");

    let code = link(stage, screen, checks, rustaceans, FIRST_ACCOUNT).await?;
    link(stage, screen, checks, rustaceans, SECOND_ACCOUNT).await?;
    stage
        .slash(screen, checks, night_owls, "account link", &[("code", code.into())], "That code was used already")
        .await?;
    link(stage, screen, checks, night_owls, FIRST_ACCOUNT).await?;

    let id = |id: u64| Value::from(id.to_string());
    let bound = "from this moment on";
    for (community, channel, events, more, expected) in [
        (rustaceans, status.id, "lifecycle", vec![("account", FIRST_ACCOUNT.into())], bound),
        (rustaceans, status.id, "players", vec![("account", FIRST_ACCOUNT.into())], bound),
        (rustaceans, chat.id, "chat", vec![("account", FIRST_ACCOUNT.into())], "team chat"),
        (
            rustaceans,
            creative.id,
            "lifecycle",
            vec![("account", SECOND_ACCOUNT.into()), ("mention", id(builders))],
            bound,
        ),
        (night_owls, closed, "everything", vec![], "I am missing **Send Messages** there"),
        (night_owls, everything.id, "everything", vec![], bound),
    ] {
        let mut options = vec![("channel", id(channel)), ("events", events.into())];
        options.extend(more);
        stage.slash(screen, checks, community, "notify add", &options, expected).await?;
    }
    Ok(())
}

/// The operator makes an invite, and an admin uses it.
async fn link(
    stage: &Stage,
    screen: &Screen,
    checks: &mut Checks,
    community: Community,
    account: &str,
) -> Result<String> {
    let printed = stage.operate(screen, &["account", "invite", account]).await?;
    let code = printed.lines().last().context("the invite's code is the last line")?.to_owned();
    let options = [("code", Value::from(code.as_str()))];
    stage.slash(screen, checks, community, "account link", &options, &format!("is linked to **{account}**")).await?;
    Ok(code)
}

/// The game servers publish.
async fn play(stage: &Stage, screen: &Screen, headline: &str, events: &[Event]) -> Result<()> {
    screen.headline(headline)?;
    for event in events {
        let Event { account, about, subject, payload } = event;
        screen.event(about, account, &format!("v0.rust.servers.{subject}"), payload)?;
        stage.publish(event).await?;
    }
    Ok(())
}

/// The bot is killed in the middle of it all, and started again.
async fn crash(stage: &mut Stage, screen: &Screen) -> Result<()> {
    looks::wait_for_the_first(stage).await;
    screen.headline("The bot is killed, and knows nothing of what happens meanwhile")?;
    stage.kill(screen).await?;
    play(stage, screen, "Meanwhile, without it", MEANWHILE).await?;
    screen.headline("It is started again, and reads on where it was")?;
    stage.run(screen).await
}

/// What the channels show.
fn show(stage: &Stage, screen: &Screen) -> Result<()> {
    screen.headline("What the channels show")?;
    for channel in &stage.channels {
        screen.channel(channel.community.name, channel.name, channel.hears)?;
        stage.house.discord.messages(channel.id).iter().try_for_each(|message| screen.message("guildwire", message))?;
    }
    Ok(())
}

/// What people may ask.
async fn questions(stage: &Stage, screen: &Screen, checks: &mut Checks) -> Result<()> {
    screen.headline("What people may ask")?;
    let community = stage.channels.first().context("there are channels")?.community;
    for (name, expected) in
        [("status", "offline since"), ("account list", "reading its events"), ("notify list", "#chat")]
    {
        let expected = match (name, stage.channels.get(1)) {
            ("notify list", Some(chat)) => format!("<#{}> hears **chat** of **{FIRST_ACCOUNT}**", chat.id),
            _ => expected.to_owned(),
        };
        stage.slash(screen, checks, community, name, &[], &expected).await?;
    }
    Ok(())
}
