//! What guildwire takes of the machine's memory while it is connected and has nothing to do, beside the peer.
//!
//! Each is started anew, tells Discord of an event, and is left alone; then its resident memory is read (`VmRSS`), with
//! all that it maps. <https://docs.kernel.org/filesystems/proc.html>

use std::time::Duration;

use anyhow::{Context as _, Result};
use guildwire_harness::house::FIRST_ACCOUNT;

use crate::bots::{Database, Peer, generous, house, memory, start_guildwire, tell};
use crate::figure::{Figure, ROUNDS, Reach};

/// How long a process is left alone before it is told of the event, and before its memory is read.
const PAUSE: Duration = Duration::from_secs(1);
const SETTLE: Duration = Duration::from_secs(8);

pub(crate) async fn measure() -> Result<Vec<Figure>> {
    let house = house(Database::Sqlite, generous()).await?;
    let (mut running, guild) = start_guildwire(&house).await?;
    let channel = house.channel(guild, "players");
    house.notify(guild, channel, "players", &[]).await?;
    let publisher = house.publisher(FIRST_ACCOUNT).await?;
    let peer = Peer::prepare(&house).await?;
    running.terminate().await?;

    let mut figure = Figure::new("memory, one account (floor: the peer)", "MB", Reach::AtMost(0.33));
    for _ in 0..ROUNDS {
        let mut process = peer.start().await?;
        tell(&peer.discord, &peer.publisher, peer.channel, 1, PAUSE).await?;
        tokio::time::sleep(SETTLE).await;
        let of_peer = memory(process.id().context("it runs")?, "VmRSS")?;
        process.kill().await?;

        let mut running = house.start().await?;
        tell(&house.discord, &publisher, channel, 1, PAUSE).await?;
        tokio::time::sleep(SETTLE).await;
        figure.add(of_peer, memory(running.process(), "VmRSS")?);
        running.terminate().await?;
    }
    Ok(vec![figure])
}
