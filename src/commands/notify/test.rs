//! `/notify test`: a sample goes the way of the events, and the answer says how far it came.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::wanted_binding;
use crate::clock;
use crate::commands::Shared;
use crate::commands::lane_state::{Hindrance, REASON_LIMIT, lane_state};
use crate::commands::reply::Reply;
use crate::commands::request::Request;
use crate::discord::words;
use crate::domain::binding::Binding;
use crate::domain::event::{Details, Event, Kind, Start};
use crate::domain::ids::{PlayerId, ServerId};
use crate::domain::text::display;
use crate::domain::timestamp::Timestamp;
use crate::nats::states::AccountState;
use crate::store::StoreError;
use crate::store::samples::{QueuedSample, SampleFate};

/// How long the answer waits for the sample to be shown, or to fail.
const PATIENCE: Duration = Duration::from_secs(8);

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// `/notify test`.
pub(in crate::commands) async fn test(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let binding = match wanted_binding(request) {
        Some(id) => shared.store.binding(request.guild, id).await?,
        None => None,
    };
    let Some(binding) = binding else { return Ok(Reply::text(words::NO_SUCH_BINDING)) };
    let sample = sample_of(&binding, clock::now());
    let queued = shared.store.queue_sample(binding.channel, &sample, binding.mention).await?;
    tracing::info!(
        binding = binding.id, guild = %binding.guild, channel = %binding.channel, user = %request.user,
        "a sample was asked for"
    );
    let mut lines = vec![outcome(shared, &binding, queued).await?];
    if !queued.is_new {
        lines.push(words::SAMPLE_NOT_ADDED.to_owned());
    }
    if binding.paused_at.is_some() {
        lines.push(words::SAMPLE_WHILE_PAUSED.to_owned());
    }
    if let Some(AccountState::Trouble(fault)) = shared.states.state(&binding.account) {
        lines.push(words::sample_without_account(binding.account.as_str(), &words::account_fault(&fault)));
    }
    Ok(Reply::text(lines.join("\n")))
}

/// Waits for the sample to be shown, or for something that will not pass by itself, and says what became of it.
async fn outcome(shared: &Shared, binding: &Binding, queued: QueuedSample) -> Result<String, StoreError> {
    let channel = binding.channel;
    let start = Instant::now();
    loop {
        // Asked for first: a lane may be stopped by what is behind a sample that was shown.
        let (_, hindrance) = lane_state(shared, channel).await?;
        let ahead = match shared.store.sample_fate(channel, queued.id).await? {
            SampleFate::Shown(message) => {
                let link = message.map(|message| words::link(binding.guild.0, channel.0, message));
                return Ok(words::sample_shown(channel.0, link.as_deref()));
            }
            SampleFate::SetAside(reason) => {
                return Ok(words::sample_set_aside(channel.0, &display(&reason, REASON_LIMIT, "?")));
            }
            SampleFate::Waiting(ahead) => ahead,
        };
        if let Some(hindrance @ (Hindrance::Halted | Hindrance::Refused(_))) = &hindrance {
            return Ok(words::sample_hindered(channel.0, &hindrance.in_words()));
        }
        if start.elapsed() >= PATIENCE {
            let hindrance = hindrance.as_ref().map(Hindrance::in_words);
            return Ok(words::sample_waits(channel.0, ahead, hindrance.as_deref()));
        }
        sleep(LOOK_EVERY).await;
    }
}

/// An event that the binding would hear, if it happened.
fn sample_of(binding: &Binding, now: Timestamp) -> Event {
    let kind = binding.kinds.iter().next().unwrap_or(Kind::Unknown);
    Event {
        account: binding.account.clone(),
        server: binding.server.clone().unwrap_or_else(|| ServerId::from(words::SAMPLE_SERVER)),
        player: None,
        player_name: Some(words::SAMPLE_PLAYER.to_owned()),
        stored: now,
        sequence: 0,
        details: sample_details(kind),
    }
}

fn sample_details(kind: Kind) -> Details {
    let text = |text: &str| Some(text.to_owned());
    let by = Some(PlayerId::from(words::SAMPLE_PLAYER));
    let (item, amount) = (None, Some(1));
    match kind {
        Kind::ServerStarted => Details::ServerStarted { how: Start::Up },
        Kind::ServerStopping => Details::ServerStopping,
        Kind::ServerStopped => Details::ServerStopped,
        Kind::ServerWiped => Details::ServerWiped,
        Kind::ServerCommand => Details::ServerCommand { command: text(words::SAMPLE_EVENT), arguments: None, by },
        Kind::PlayerConnected => Details::PlayerConnected,
        Kind::PlayerDisconnected => Details::PlayerDisconnected { reason: text(words::SAMPLE_REASON) },
        Kind::PlayerChatted => Details::PlayerChatted { message: text(words::SAMPLE_MESSAGE) },
        Kind::PlayerRespawned => Details::PlayerRespawned,
        Kind::PlayerBanned => Details::PlayerBanned { reason: text(words::SAMPLE_REASON) },
        Kind::PlayerUnbanned => Details::PlayerUnbanned,
        Kind::PlayerReported => Details::PlayerReported {
            target: None,
            subject: text(words::SAMPLE_REASON),
            message: text(words::SAMPLE_MESSAGE),
            category: None,
        },
        Kind::PlayerHit => Details::PlayerHit { attacker: None, killed: Some(false), metres: None },
        Kind::PlayerGathered => Details::PlayerGathered { item, amount },
        Kind::PlayerItemPickup => Details::PlayerItemPickup { item, amount },
        Kind::PlayerItemLoot => Details::PlayerItemLoot { item, amount },
        Kind::PlayerItemCrafted => Details::PlayerItemCrafted { item, amount },
        Kind::Unknown => Details::Unknown { name: words::SAMPLE_EVENT.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_of_the_kind_it_stands_for() {
        for kind in Kind::ALL {
            assert_eq!(sample_details(*kind).kind(), *kind);
        }
    }
}
