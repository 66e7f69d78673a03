//! An evening that goes on: an event every few seconds, and what the channels show as it comes.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::events::FOR_EVER;
use crate::screen::Screen;
use crate::stage::Stage;

/// Between two events, and between two looks at the channels.
const PACE: Duration = Duration::from_secs(4);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Plays and shows until it is dropped or fails.
pub(crate) async fn go_on(stage: &Stage, screen: &Screen) -> Result<Infallible> {
    screen.headline("The evening goes on, until you press Ctrl-C")?;
    let discord = stage.house.discord.url();
    screen.say(&format!("Discord's stand-in: {discord}/sim/state (discord-sim/README.md has the rest)"))?;
    let running = stage.running.as_ref().context("the bot runs by then")?;
    screen.say(&format!("The bot's health: {0}/healthz and {0}/readyz", running.http_url()))?;
    screen.say(&format!("The bot's log: {}", running.log_file().display()))?;
    screen.say(&format!("nats-server: {}", stage.house.nats.url()))?;

    let messages = |id: u64| stage.house.discord.messages(id);
    let mut shown: BTreeMap<u64, usize> =
        stage.channels.iter().map(|channel| (channel.id, messages(channel.id).len())).collect();
    let mut turns = tokio::time::interval(PACE);
    let mut looks = tokio::time::interval(LOOK_EVERY);
    let mut events = FOR_EVER.iter().cycle();
    loop {
        tokio::select! {
            _ = turns.tick() => {
                let event = events.next().context("they never end")?;
                screen.event_briefly(event.about, event.account)?;
                stage.publish(event).await?;
            }
            _ = looks.tick() => {
                for channel in &stage.channels {
                    let messages = messages(channel.id);
                    let before = shown.insert(channel.id, messages.len()).unwrap_or_default();
                    for message in messages.iter().skip(before) {
                        screen.message(&format!("{} #{}", channel.community.name, channel.name), message)?;
                    }
                }
            }
        }
    }
}
