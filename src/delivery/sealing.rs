//! Sealing: what is due in a lane becomes one message, whose bytes and nonce are in the database before they are sent.

use super::Shared;
use crate::clock;
use crate::discord::embed::EMBEDS_LIMIT;
use crate::discord::event_embed::{Names, event_embed, sample_embed};
use crate::discord::message::{Shown, compose};
use crate::discord::notice_embed::notice_embed;
use crate::domain::ids::ChannelId;
use crate::store::StoreError;
use crate::store::outbox::{SealedMessage, Told};

/// How many random characters make a nonce and a mark. Discord takes nonces of up to 25.
const NONCE_LENGTH: usize = 20;
const MARK_LENGTH: usize = 8;

/// Digits and lower-case letters that are not taken for one another.
const ALPHABET: &[u8; 32] = b"23456789abcdefghijkmnpqrstuvwxyz";

pub(super) async fn seal(shared: &Shared, channel: ChannelId) -> Result<SealedMessage, StoreError> {
    let due = shared.store.due(channel, EMBEDS_LIMIT).await?;
    let mut shown = Vec::with_capacity(due.len());
    for row in &due {
        shown.push(show(shared, &row.told).await?);
    }
    let (mark, nonce) = (random_text(MARK_LENGTH), random_text(NONCE_LENGTH));
    let body = compose(&shown, &mark, &nonce);
    let now = clock::now();
    let message =
        SealedMessage { id: shared.store.next_number(), mark, body: body.json, attempts: 0, next_attempt_at: now };
    let rows: Vec<i64> = due[..body.shown].iter().map(|row| row.id).collect();
    shared.store.seal(channel, &message, &rows, now).await?;
    tracing::trace!(%channel, mark = message.mark, rows = rows.len(), "sealed");
    Ok(message)
}

async fn show(shared: &Shared, told: &Told) -> Result<Shown, StoreError> {
    let (due, is_sample) = match told {
        Told::Event(due) => (due, false),
        Told::Sample(due) => (due, true),
        Told::Notice(account, notice) => {
            return Ok(Shown { embed: notice_embed(account, notice), mention: Vec::new() });
        }
    };
    let other = match due.event.details.other_player() {
        Some(player) => shared.store.player_name(&due.event.account, player).await?,
        None => None,
    };
    let names = Names { player: due.last_name.as_deref(), target: other.as_deref() };
    Ok(if is_sample {
        // Whom it would mention, it says: nobody asked to be called for something that did not happen.
        Shown { embed: sample_embed(&due.event, names, &due.mention), mention: Vec::new() }
    } else {
        Shown { embed: event_embed(&due.event, names), mention: due.mention.clone() }
    })
}

fn random_text(length: usize) -> String {
    (0..length).map(|_| char::from(ALPHABET[rand::random_range(0..ALPHABET.len())])).collect()
}
