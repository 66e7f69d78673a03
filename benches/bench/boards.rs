//! What a board costs those who wait for messages: players join at 300 a minute, each told at once, with and without a
//! board that shows all of them.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use discord_sim::Sim;
use guildwire_harness::house::{FIRST_ACCOUNT, Guild, House, PATIENCE, Publisher};

use crate::bots::{Database, generous, house, start_guildwire, tell};
use crate::figure::{Figure, ROUNDS, Reach};

/// How many join in a round, and how long it is quiet between two of them: 300 a minute.
const JOINS: usize = 75;
const PAUSE: Duration = Duration::from_millis(200);

/// What a board's edits are counted as.
const EDITS: &str = "PATCH /channels/{channel}/messages/{message}";
/// No channel has more than one edit in this time.
const SPACING: Duration = Duration::from_secs(5);

pub(crate) async fn measure() -> Result<Vec<Figure>> {
    let house = house(Database::Sqlite, generous()).await?;
    let (_running, guild) = start_guildwire(&house).await?;
    let channel = house.channel(guild, "players");
    house.notify(guild, channel, "players", &[]).await?;
    let publisher = house.publisher(FIRST_ACCOUNT).await?;
    let mut figures = [50, 99].map(|percent| {
        let what = format!("publish → Discord at 300 joins a minute, p{percent}, with a board (floor: without)");
        Figure::new(what, "ms", if percent == 50 { Reach::AtMost(1.1) } else { Reach::AtMost(1.5) })
    });
    tell(&house.discord, &publisher, channel, 10, PAUSE).await?;
    for _ in 0..ROUNDS {
        let without = round(&house.discord, &publisher, channel).await?;
        let board = create(&house, guild).await?;
        let (began, edits) = (Instant::now(), edits(&house.discord));
        let with = round(&house.discord, &publisher, channel).await?;
        is_true(&house.discord, board, house.discord.messages(channel).len()).await?;
        let most = began.elapsed().as_secs() / SPACING.as_secs() + 1;
        let edited = self::edits(&house.discord) - edits;
        ensure!((1..=most).contains(&edited), "{edited} edits, at most {most} are due");
        remove(&house, guild, board).await?;
        for (figure, (without, with)) in figures.iter_mut().zip(without.into_iter().zip(with)) {
            figure.add(without, with);
        }
    }
    let limited = house.discord.statistics().rate_limited_total();
    ensure!(limited == 0, "Discord answered {limited} times with 429");
    Ok(figures.into())
}

/// The time in milliseconds in which half of the joins were told, and 99 of 100.
async fn round(discord: &Sim, publisher: &Publisher, channel: u64) -> Result<[f64; 2]> {
    let mut took = tell(discord, publisher, channel, JOINS, PAUSE).await?;
    took.sort();
    Ok([50, 99].map(|percent| took[(JOINS * percent).div_ceil(100) - 1].as_secs_f64() * 1000.0))
}

fn edits(discord: &Sim) -> u64 {
    discord.statistics().requests_to(EDITS)
}

/// A board in a channel of its own.
async fn create(house: &House, guild: Guild) -> Result<u64> {
    let channel = house.channel(guild, "board");
    house.command(guild, "board create", &[("channel", channel.to_string().into())]).await?;
    house.discord.wait_for_messages(channel, 1, PATIENCE).await?;
    Ok(channel)
}

/// Waits until the board shows everybody who ever joined.
async fn is_true(discord: &Sim, board: u64, players: usize) -> Result<()> {
    let everybody = format!("{players} players on");
    let shows = |discord: &Sim| {
        let messages = discord.messages(board);
        messages.len() == 1
            && messages[0]
                .embeds
                .iter()
                .any(|embed| embed.description.as_ref().is_some_and(|it| it.contains(&everybody)))
    };
    discord.wait_until(PATIENCE, "the board shows everybody", shows).await.context("the board is not true")
}

async fn remove(house: &House, guild: Guild, board: u64) -> Result<()> {
    let listed = house.command(guild, "board list", &[]).await?;
    let listed = listed.embeds.iter().filter_map(|embed| embed.description.as_deref()).collect::<String>();
    let id = listed.split('`').nth(1).context("a board is listed")?;
    house.command(guild, "board remove", &[("board", id.into())]).await?;
    let gone = |discord: &Sim| discord.messages(board).is_empty();
    Ok(house.discord.wait_until(PATIENCE, "the board is gone", gone).await?)
}
