//! Sealing: what is due in a lane becomes one message, whose bytes and nonce are in the database before they are sent.

use std::collections::HashMap;

use super::Shared;
use crate::clock;
use crate::discord::embed::{EMBEDS_LIMIT, Embed};
use crate::discord::event_embed::{Names, sample_embed};
use crate::discord::message::{Lateness, Message, NamedEvent, Piece, Row, Seal, compose, compose_anew};
use crate::discord::notice_embed::notice_embed;
use crate::domain::ids::{AccountName, ChannelId, PlayerId};
use crate::domain::wording::Wording;
use crate::store::StoreError;
use crate::store::outbox::{Contents, Due, DueEvent, SealedMessage, Told};

/// How many rows one message tells of at most.
const ROWS_LIMIT: usize = 10_000;

/// How many random characters make a nonce and a mark. Discord takes nonces of up to 25.
const NONCE_LENGTH: usize = 20;
const MARK_LENGTH: usize = 8;

/// Digits and lower-case letters that are not taken for one another.
const ALPHABET: &[u8; 32] = b"23456789abcdefghijkmnpqrstuvwxyz";

/// Seals what is due in `channel`, as much of it as one message can tell.
pub(super) async fn seal(shared: &Shared, channel: ChannelId) -> Result<SealedMessage, StoreError> {
    let store = &shared.store;
    let (mut due, given_up) = tokio::try_join!(store.due(channel, EMBEDS_LIMIT + 1), store.given_up(channel))?;
    let many = if due.len() > EMBEDS_LIMIT { Some(shared.composing.acquire().await) } else { None };
    if many.is_some() {
        due = store.due(channel, ROWS_LIMIT).await?;
    }
    let rows = rows(shared, &due).await?;
    let (mark, nonce) = (random_text(MARK_LENGTH), new_nonce());
    let now = clock::now();
    let lateness = Lateness { now, after: shared.late_after };
    let composed = compose(&rows, &given_up, lateness, Seal { mark: &mark, nonce: &nonce });
    let ids: Vec<i64> = due[..composed.rows].iter().map(|row| row.id).collect();
    let message = sealed(store.next_number(), mark, &composed, Wording::Full);
    let contents = Contents { file: composed.file.as_deref(), rows: &ids, given_up: &given_up };
    store.seal(channel, &message, &contents, now).await?;
    tracing::trace!(%channel, mark = message.mark, rows = ids.len(), "sealed");
    Ok(message)
}

/// Seals a message anew, in another `wording`: Discord did not accept the first, for `reason`, so nothing was posted.
pub(super) async fn seal_anew(
    shared: &Shared,
    channel: ChannelId,
    message: &SealedMessage,
    wording: Wording,
    reason: &str,
) -> Result<(), StoreError> {
    let _many = shared.composing.acquire().await;
    let due = shared.store.sealed_rows(message.id).await?;
    let given_up = shared.store.given_up_in(message.id).await?;
    let rows = rows(shared, &due).await?;
    let (mark, nonce) = (random_text(MARK_LENGTH), new_nonce());
    let lateness = Lateness { now: clock::now(), after: shared.late_after };
    let composed = compose_anew(&rows, &given_up, wording, lateness, Seal { mark: &mark, nonce: &nonce });
    let anew = sealed(message.id, mark, &composed, wording);
    shared.store.seal_anew(&anew, composed.file.as_deref(), reason, clock::now()).await?;
    tracing::trace!(%channel, mark = anew.mark, rows = due.len(), "sealed");
    Ok(())
}

fn sealed(id: i64, mark: String, composed: &Message, wording: Wording) -> SealedMessage {
    let (body, has_file) = (composed.json.clone(), composed.file.is_some());
    SealedMessage { id, mark, body, has_file, wording, attempts: 0, next_attempt_at: clock::now() }
}

/// The rows as they are told, with the names last heard.
async fn rows(shared: &Shared, due: &[Due]) -> Result<Vec<Row>, StoreError> {
    let mut names = HashMap::new();
    let mut rows = Vec::with_capacity(due.len());
    for row in due {
        let (piece, mention) = match &row.told {
            Told::Event(told) => {
                let target = target_name(shared, told, &mut names).await?;
                let event = NamedEvent { event: told.event.clone(), player: told.last_name.clone(), target };
                (Piece::Event(event), told.mention.clone())
            }
            // Whom it would mention, it says: nobody asked to be called for something that did not happen.
            Told::Sample(told) => {
                let target = target_name(shared, told, &mut names).await?;
                (Piece::Apart(sample(told, target.as_deref())), Vec::new())
            }
            Told::Notice(account, notice) => (Piece::Apart(notice_embed(account, notice)), Vec::new()),
        };
        rows.push(Row { piece, mention, style: row.style, hold: row.hold });
    }
    Ok(rows)
}

fn sample(told: &DueEvent, target: Option<&str>) -> Embed {
    sample_embed(&told.event, Names { player: told.last_name.as_deref(), target }, &told.mention)
}

/// The name last heard of the other player whom an event is about; `names` keeps what was looked up.
async fn target_name(
    shared: &Shared,
    told: &DueEvent,
    names: &mut HashMap<(AccountName, PlayerId), Option<String>>,
) -> Result<Option<String>, StoreError> {
    let Some(player) = told.event.details.other_player() else { return Ok(None) };
    let key = (told.event.account.clone(), player.clone());
    if let Some(known) = names.get(&key) {
        return Ok(known.clone());
    }
    let name = shared.store.player_name(&key.0, &key.1).await?;
    names.insert(key, name.clone());
    Ok(name)
}

pub(super) fn new_nonce() -> String {
    random_text(NONCE_LENGTH)
}

fn random_text(length: usize) -> String {
    (0..length).map(|_| char::from(ALPHABET[rand::random_range(0..ALPHABET.len())])).collect()
}
