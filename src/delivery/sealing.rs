//! Sealing: what is due in a lane becomes one message, whose bytes and nonce are in the database before they are sent.

use std::collections::HashMap;
use std::time::Duration;

use super::Shared;
use crate::clock;
use crate::discord::embed::{EMBEDS_LIMIT, Embed};
use crate::discord::event_embed::{Names, sample_embed};
use crate::discord::incident_embed::{Telling, closing_embed, forgotten_embed, incident_embed};
use crate::discord::message::{Alone, Lateness, Message, NamedEvent, Piece, Row, Seal, compose, compose_anew};
use crate::discord::notice_embed::notice_embed;
use crate::discord::ping_embed::ping_embed;
use crate::domain::condense::is_late;
use crate::domain::ids::{AccountName, ChannelId, PlayerId};
use crate::domain::incident::{Chapter, Phase};
use crate::domain::wording::Wording;
use crate::store::StoreError;
use crate::store::outbox::{Contents, Due, DueChapter, DueEvent, SealedMessage, Told};

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
    let is_more = !given_up.is_empty();
    let are_many = due.len() > EMBEDS_LIMIT && together(&due, is_more) == due.len();
    let many = if are_many { Some(shared.composing.acquire().await) } else { None };
    if many.is_some() {
        due = store.due(channel, ROWS_LIMIT).await?;
    }
    due.truncate(together(&due, is_more));
    let (rows, shown) = rows(shared, channel, &due).await?;
    let (mark, nonce) = (new_mark(), new_nonce());
    let now = clock::now();
    let lateness = Lateness { now, after: shared.late_after };
    let composed = compose(&rows, &given_up, lateness, Seal { mark: &mark, nonce: &nonce });
    let ids: Vec<i64> = due[..composed.rows].iter().map(|row| row.id).collect();
    let message = sealed(store.next_number(), mark, &composed, Wording::Full);
    let contents = Contents { file: composed.file.as_deref(), rows: &ids, given_up: &given_up };
    store.seal(channel, &message, &contents, now).await?;
    if let Some((incident, version)) = shown {
        // Whatever happens to the incident from here on, its message is edited.
        store.note_incident_shown(incident, channel, version).await?;
    }
    tracing::trace!(%channel, mark = message.mark, rows = ids.len(), "sealed");
    Ok(message)
}

/// How many of the rows that are due first can be in one message. What happens to a server takes one of its own, for that
/// is edited, and so does what calls members; `is_more` is whether something else is to be told first.
fn together(due: &[Due], is_more: bool) -> usize {
    let first = due.iter().position(|row| matches!(row.told, Told::Incident(_) | Told::Ping(..)));
    match first {
        Some(0) if !is_more => 1,
        Some(before) => before,
        None => due.len(),
    }
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
    let (rows, _) = rows(shared, channel, &due).await?;
    let (mark, nonce) = (new_mark(), new_nonce());
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

/// The rows as they are told, with the names last heard; and the version of an incident that they show.
async fn rows(shared: &Shared, channel: ChannelId, due: &[Due]) -> Result<(Vec<Row>, Option<(i64, i64)>), StoreError> {
    let mut names = HashMap::new();
    let mut rows = Vec::with_capacity(due.len());
    let (mut shown, mut alone) = (None, None);
    for row in due {
        let (piece, mention) = match &row.told {
            Told::Event(told) => {
                let target = target_name(shared, told, &mut names).await?;
                let event = NamedEvent {
                    event: told.event.clone(),
                    player: told.last_name.clone(),
                    target,
                    server: told.server_name.clone(),
                };
                (Piece::Event(event), told.mention.clone())
            }
            // Whom it would mention, it says: nobody asked to be called for something that did not happen.
            Told::Sample(told) => {
                let target = target_name(shared, told, &mut names).await?;
                (Piece::Apart(sample(told, target.as_deref())), Vec::new())
            }
            Told::Notice(account, notice) => (Piece::Apart(notice_embed(account, notice)), Vec::new()),
            Told::Ping(account, call) => {
                let is_late = is_late(call.at, row.hold, shared.late_after, clock::now());
                // Nobody comes for what was hours ago.
                let calls = if is_late { Vec::new() } else { call.users.clone() };
                alone = Some(Alone { calls, ..Alone::default() });
                (Piece::Apart(ping_embed(account, call, is_late)), Vec::new())
            }
            Told::Incident(told) => {
                let chapter = chapter(shared, channel, told, row.hold).await?;
                shown = chapter.version.map(|version| (told.chapter.incident, version));
                alone = Some(chapter.alone);
                (Piece::Apart(chapter.embed), told.mention.clone())
            }
        };
        rows.push(Row { piece, mention, style: row.style, hold: row.hold, alone: alone.take() });
    }
    Ok((rows, shown))
}

/// A chapter of an incident as it is told.
struct ToldChapter {
    embed: Embed,
    alone: Alone,
    /// The version that it shows, where it is edited from then on.
    version: Option<i64>,
}

async fn chapter(
    shared: &Shared,
    channel: ChannelId,
    told: &DueChapter,
    hold: Duration,
) -> Result<ToldChapter, StoreError> {
    let DueChapter { chapter: Chapter { incident, phase }, stored, .. } = told;
    let Some(kept) = shared.store.incident(*incident).await? else {
        // Its account was removed meanwhile, or nobody could be told for too long.
        let embed = forgotten_embed(&told.account, &told.server, *stored);
        return Ok(ToldChapter { embed, alone: Alone::default(), version: None });
    };
    let telling = Telling {
        account: &kept.account,
        server: &kept.server,
        name: told.server_name.as_deref(),
        incident: &kept.incident,
        is_over: kept.closed_at.is_some(),
        rule: shared.loops,
        is_late: is_late(*stored, hold, shared.late_after, clock::now()),
    };
    if *phase != Phase::Closed {
        let embed = incident_embed(&telling);
        return Ok(ToldChapter { embed, alone: Alone::default(), version: Some(kept.version) });
    }
    let answers = shared.store.message_of_incident(*incident, channel).await?;
    let (embed, file) = closing_embed(&telling);
    Ok(ToldChapter { embed, alone: Alone { answers, file, calls: Vec::new() }, version: None })
}

fn sample(told: &DueEvent, target: Option<&str>) -> Embed {
    let names = Names { player: told.last_name.as_deref(), target, server: told.server_name.as_deref() };
    sample_embed(&told.event, names, &told.mention)
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

/// A mark that no message has.
pub(super) fn new_mark() -> String {
    random_text(MARK_LENGTH)
}

pub(super) fn new_nonce() -> String {
    random_text(NONCE_LENGTH)
}

fn random_text(length: usize) -> String {
    (0..length).map(|_| char::from(ALPHABET[rand::random_range(0..ALPHABET.len())])).collect()
}
