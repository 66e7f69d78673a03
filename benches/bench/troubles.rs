//! What becomes of events while something fails, with guildwire and with the peer. These are facts, not figures: how many
//! of the events were not shown, were shown twice, or stand behind a later one.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use discord_sim::{Message, Sim};
use guildwire_harness::house::{FIRST_ACCOUNT, Publisher};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::bots::{Database, Peer, generous, house, joined, start_guildwire};
use crate::figure::markdown;

/// How many events are published, and how far apart.
const EVENTS: usize = 60;
const EVERY: Duration = Duration::from_millis(200);
/// Which event it is at which something fails.
const FAILS_AT: usize = 20;
/// For how long Discord is away.
const AWAY: Duration = Duration::from_secs(10);
/// Nothing more comes when nothing came for so long: nats-server hands out again after 30 seconds.
const QUIET: Duration = Duration::from_secs(35);

/// One trouble, and what became of the events with each.
#[derive(Serialize)]
pub(crate) struct Fact {
    pub(crate) trouble: &'static str,
    pub(crate) guildwire: String,
    pub(crate) peer: String,
}

/// A table of them.
pub(crate) fn table(facts: &[Fact]) -> String {
    if facts.is_empty() {
        return String::new();
    }
    let head = ["what happens", "guildwire", "the peer"].map(str::to_owned);
    let row = |fact: &Fact| [fact.trouble.to_owned(), fact.guildwire.clone(), fact.peer.clone()];
    markdown(&std::iter::once(head).chain(facts.iter().map(row)).collect::<Vec<_>>())
}

pub(crate) async fn observe() -> Result<Vec<Fact>> {
    let house = house(Database::Sqlite, generous()).await?;
    let (mut running, guild) = start_guildwire(&house).await?;
    let channel = house.channel(guild, "players");
    house.notify(guild, channel, "players", &[]).await?;
    let publisher = house.publisher(FIRST_ACCOUNT).await?;
    let peer = Peer::prepare(&house).await?;
    let mut process = peer.start().await?;

    let go_away = async |discord: &Sim| {
        discord.away_for(AWAY).await;
        Ok(())
    };
    let (guildwire_told, peer_told) = tokio::try_join!(
        told(&house.discord, &publisher, channel, go_away(&house.discord)),
        told(&peer.discord, &peer.publisher, peer.channel, go_away(&peer.discord)),
    )?;
    let away = Fact { trouble: "Discord is away for 10 s", guildwire: guildwire_told, peer: peer_told };

    let restart_guildwire = async {
        running.kill().await?;
        running = house.start().await?;
        Ok(())
    };
    let restart_peer = async {
        process.kill().await?;
        process = peer.start().await?;
        Ok(())
    };
    let (guildwire_told, peer_told) = tokio::try_join!(
        told(&house.discord, &publisher, channel, restart_guildwire),
        told(&peer.discord, &peer.publisher, peer.channel, restart_peer),
    )?;
    let killed = Fact { trouble: "it is killed, and started again", guildwire: guildwire_told, peer: peer_told };
    Ok(vec![away, killed])
}

/// Publishes events, lets something fail amid them, waits until no more comes, and says what the channel shows.
async fn told(
    discord: &Sim,
    publisher: &Publisher,
    channel: u64,
    failing: impl Future<Output = Result<()>>,
) -> Result<String> {
    let before = discord.messages(channel).len();
    let publishing = async {
        for number in 0..EVENTS {
            let (subject, payload) = joined(number);
            publisher.publish(&subject, &payload).await?;
            sleep(EVERY).await;
        }
        anyhow::Ok(())
    };
    let fails = async {
        sleep(EVERY * u32::try_from(FAILS_AT)?).await;
        failing.await
    };
    tokio::try_join!(publishing, fails)?;
    let mut shown = 0;
    let mut since = Instant::now();
    while since.elapsed() < QUIET {
        sleep(Duration::from_millis(100)).await;
        let now = discord.messages(channel).len();
        if now != shown {
            (shown, since) = (now, Instant::now());
        }
    }
    Ok(in_words(&discord.messages(channel)[before..]))
}

fn in_words(messages: &[Message]) -> String {
    let players: Vec<usize> = messages.iter().flat_map(|message| &message.embeds).filter_map(player).collect();
    let different: BTreeSet<_> = players.iter().collect();
    let (missing, doubled) = (EVENTS - different.len(), players.len() - different.len());
    let behind = (1..players.len()).filter(|&at| players[..at].iter().any(|&earlier| earlier > players[at])).count();
    if (missing, doubled, behind) == (0, 0, 0) {
        return "each once, in order".to_owned();
    }
    format!("{missing} not shown, {doubled} shown twice, {behind} behind a later one")
}

/// The number that ends the name of the player whom an embed tells of.
fn player(embed: &discord_sim::Embed) -> Option<usize> {
    let (_, name) = embed.description.as_deref()?.split_once("Player ")?;
    let digits: String = name.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}
