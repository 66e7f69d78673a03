//! A batch of events, and the one transaction that records it.
//!
//! An event becomes a row for each channel that hears it, and news of its server and player. One that nobody asked for
//! is counted and leaves nothing behind but the position. What an event shows of how its server stands is found out in
//! the transaction, where nobody else can change that.

use std::collections::BTreeMap;

use sqlx::{Any, Transaction};

use super::decode::{decode, player_of, server_of, subject_of};
use super::moves::{Moves, move_of};
use crate::clock;
use crate::domain::account::Account;
use crate::domain::binding::{Binding, recipients};
use crate::domain::event::{Details, Event, Kind, Start};
use crate::domain::ids::{AccountName, ChannelId, PlayerId, ServerId};
use crate::domain::online::Move;
use crate::domain::position::{Delivered, Position};
use crate::domain::server_state::{Connection, ServerState, Sign, State, Turn};
use crate::domain::subject::{RejectReason, Subject, UNKNOWN_SERVER};
use crate::domain::timestamp::Timestamp;
use crate::incidents::{Observed, Observer, Rules};
use crate::store::online::Place;
use crate::store::outbox::EVENT;
use crate::store::positions::advance_position;
use crate::store::recording::{HeardPlayer, HeardServer, NewOutboxRow, Reject, details_to_column};
use crate::store::{Store, StoreError};
use crate::telemetry::metrics::Metrics;

/// How much of a rejected subject is kept, in characters.
const MAX_REJECTED_SUBJECT: usize = 256;

/// Events of one account that are recorded together.
#[derive(Debug, Default)]
pub struct Batch {
    entries: Vec<Entry>,
    /// Where among them each server's last sign is.
    last_signs: BTreeMap<ServerId, usize>,
    servers: BTreeMap<ServerId, HeardServer>,
    players: BTreeMap<PlayerId, HeardPlayer>,
    rejects: Vec<Reject>,
    events: usize,
    revision: Option<i64>,
    rules: Rules,
    made_at: Timestamp,
    pub(super) tally: Tally,
}

/// What a batch does with the database, in the stream's order.
#[derive(Debug)]
enum Entry {
    /// Tells a channel.
    Row(NewOutboxRow),
    /// Shows how a server stands.
    Sign(PendingSign),
    /// Shows who is on a server.
    Move(Place, Move, Timestamp),
}

#[derive(Debug)]
struct PendingSign {
    server: ServerId,
    kind: Kind,
    at: Timestamp,
    sequence: u64,
    /// The rows that tell of the event by itself, where no incident does.
    rows: Vec<NewOutboxRow>,
    /// On which connection a server is that started.
    connection: Connection,
}

/// That a server says that it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SaidStart {
    /// When.
    pub(super) said_at: Timestamp,
    /// When anything was heard of it before, in the same batch.
    pub(super) heard_at: Option<Timestamp>,
}

/// What is counted once the batch is recorded.
#[derive(Debug, Default)]
pub(super) struct Tally {
    kinds: BTreeMap<Kind, u64>,
    rejects: Vec<RejectReason>,
}

impl Tally {
    pub(super) fn count_in(&self, metrics: &Metrics) {
        for (kind, events) in &self.kinds {
            metrics.recorded(*kind, *events);
        }
        for reason in &self.rejects {
            metrics.rejected(*reason);
        }
    }
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// It is in the database, on disk. The channels have something to show, once for each row.
    Committed(Vec<ChannelId>),
    /// Nothing is: another writer recorded meanwhile, or the bindings are no longer those that the batch was made for.
    Fenced,
}

impl Batch {
    /// A batch for the bindings of this revision of the account, not recorded once they are others: whoever removed one
    /// was told so, and must not see what was published after that. Events are told, and incidents begun, by the `rules`.
    #[must_use]
    pub fn at_revision(revision: i64, rules: Rules) -> Self {
        Self { revision: Some(revision), rules, made_at: clock::now(), ..Self::default() }
    }

    /// Adds one message of the stream.
    pub fn add(
        &mut self,
        account: &Account,
        bindings: &[Binding],
        delivered: Delivered,
        message: &async_nats::Message,
    ) {
        self.events += 1;
        match subject_of(&account.root, &message.subject, &message.payload) {
            Ok(subject) => {
                *self.tally.kinds.entry(subject.kind).or_default() += 1;
                self.add_event(account, bindings, delivered, &subject, &message.payload);
            }
            Err(reason) => {
                self.tally.rejects.push(reason);
                self.rejects.push(Reject {
                    stored_at: delivered.stored.nanoseconds(),
                    sequence: delivered.sequence,
                    subject: without_nul(message.subject.chars().take(MAX_REJECTED_SUBJECT).collect()),
                    size: message.payload.len(),
                    reason: reason.name(),
                });
            }
        }
    }

    /// How many messages were added.
    #[must_use]
    pub const fn events(&self) -> usize {
        self.events
    }

    /// How many messages were no events.
    #[must_use]
    pub fn rejected(&self) -> usize {
        self.rejects.len()
    }

    /// The servers that say in it that they started, since then: each one's first word of that.
    pub(super) fn starts_since(&self, since: Timestamp) -> BTreeMap<ServerId, SaidStart> {
        let (mut starts, mut heard) = (BTreeMap::new(), BTreeMap::new());
        for entry in &self.entries {
            let Entry::Sign(sign) = entry else { continue };
            if sign.kind == Kind::ServerStarted && sign.at >= since {
                let start = SaidStart { said_at: sign.at, heard_at: heard.get(&sign.server).copied() };
                starts.entry(sign.server.clone()).or_insert(start);
            }
            heard.insert(sign.server.clone(), sign.at);
        }
        starts
    }

    /// Says on which connection a server said `at` a moment that it started.
    pub(super) fn set_connection(&mut self, server: &ServerId, at: Timestamp, connection: Connection) {
        for entry in &mut self.entries {
            if let Entry::Sign(sign) = entry
                && (&sign.server, sign.kind, sign.at) == (server, Kind::ServerStarted, at)
            {
                sign.connection = connection;
            }
        }
    }

    /// Records the batch for the account's `bindings` and moves the position from `before` to `after`, all or nothing.
    pub async fn record(
        self,
        store: &Store,
        account: &AccountName,
        bindings: &[Binding],
        stream: &str,
        before: Position,
        after: Position,
    ) -> Result<Recorded, StoreError> {
        let servers: Vec<_> = self.servers.into_values().collect();
        let players: Vec<_> = self.players.into_values().collect();

        let mut transaction = store.write().await?;
        if !advance_position(&mut transaction, account, self.revision, stream, before, after).await? {
            transaction.rollback().await?;
            return Ok(Recorded::Fenced);
        }
        let states = store.hear_servers(&mut transaction, account, &servers).await?;
        let observer = Observer { store, account, bindings, rules: self.rules, now: self.made_at };
        let rows = rows(&observer, &mut transaction, self.entries, states).await?;
        store.insert_outbox(&mut transaction, account, &rows).await?;
        store.hear_players(&mut transaction, account, &players).await?;
        store.insert_rejects(&mut transaction, account, &self.rejects).await?;
        transaction.commit().await?;
        store.ring_boards([account.clone()]);
        Ok(Recorded::Committed(rows.iter().map(|row| row.channel_id).collect()))
    }

    fn add_event(
        &mut self,
        account: &Account,
        bindings: &[Binding],
        delivered: Delivered,
        subject: &Subject<'_>,
        payload: &[u8],
    ) {
        let server = server_of(subject, payload);
        let recipients = recipients(bindings, subject.kind, &server, delivered.stored);
        let sign = self.notice(&server, subject.kind, delivered);
        self.notice_player(&server, subject, payload, delivered.stored);
        self.hear_server(server, subject.kind, delivered);
        // Payloads are read only for those who want them: most of a busy server's events are nobody's.
        if recipients.is_empty() && subject.kind != Kind::PlayerConnected {
            return;
        }
        let event = decode(&account.name, subject, payload, delivered.stored, delivered.sequence);
        self.hear_player(&event);
        for recipient in recipients {
            let mention_roles: Vec<_> = recipient.mention.iter().map(ToString::to_string).collect();
            let row = NewOutboxRow {
                id: 0,
                channel_id: recipient.channel,
                server_id: event.server.clone(),
                player_id: event.player.clone(),
                player_name: event.player_name.clone(),
                stored_at: delivered.stored.nanoseconds(),
                sequence: delivered.sequence,
                form: EVENT,
                details: details_to_column(&event.details),
                mention_roles: mention_roles.join(" "),
                style: recipient.style.name(),
                recorded_at: self.made_at.nanoseconds(),
                due_at: self.made_at.plus(self.rules.holds.of(recipient.style)).nanoseconds(),
            };
            match sign.map(|at| &mut self.entries[at]) {
                Some(Entry::Sign(sign)) => sign.rows.push(row),
                _ => self.entries.push(Entry::Row(row)),
            }
        }
    }

    /// Keeps what an event shows of how its server stands. Of those that are no news while a server runs, the last says
    /// it all. Answers with where the sign is that the event's own rows belong to, if the server told how it stands.
    fn notice(&mut self, server: &ServerId, kind: Kind, delivered: Delivered) -> Option<usize> {
        // Many servers, for all that is known of one without a name.
        if server.as_str() == UNKNOWN_SERVER {
            return None;
        }
        let at = delivered.stored;
        // A departure, which may come late, is apart from what only a server that runs sends.
        let is_departure = |kind| kind == Kind::PlayerDisconnected;
        if !tells_state(kind)
            && let Some(Entry::Sign(last)) = self.last_signs.get(server).map(|last| &mut self.entries[*last])
            && !tells_state(last.kind)
            && is_departure(last.kind) == is_departure(kind)
        {
            last.at = at;
            return None;
        }
        let place = self.entries.len();
        self.last_signs.insert(server.clone(), place);
        let sign = PendingSign {
            server: server.clone(),
            kind,
            at,
            sequence: delivered.sequence,
            rows: Vec::new(),
            connection: Connection::Unseen,
        };
        self.entries.push(Entry::Sign(sign));
        tells_state(kind).then_some(place)
    }

    /// Keeps who comes and goes, in its order among the signs: a server that goes down has nobody on it.
    fn notice_player(&mut self, server: &ServerId, subject: &Subject<'_>, payload: &[u8], at: Timestamp) {
        let Some(what) = move_of(subject.kind).filter(|_| server.as_str() != UNKNOWN_SERVER) else { return };
        if let Some(player_id) = player_of(subject, payload) {
            // What shows a server up after that must not stand before it.
            self.last_signs.remove(server);
            self.entries.push(Entry::Move(Place { server_id: server.clone(), player_id }, what, at));
        }
    }

    fn hear_server(&mut self, server: ServerId, kind: Kind, delivered: Delivered) {
        let at = delivered.stored.nanoseconds();
        let heard = self.servers.entry(server.clone()).or_insert(HeardServer {
            server_id: server,
            last_event_at: at,
            wiped_at: None,
        });
        heard.last_event_at = heard.last_event_at.max(at);
        if kind == Kind::ServerWiped {
            heard.wiped_at = heard.wiped_at.max(Some(at));
        }
    }

    fn hear_player(&mut self, event: &Event) {
        let (Some(player), Some(name)) = (&event.player, &event.player_name) else { return };
        let heard = HeardPlayer { player_id: player.clone(), name: name.clone(), heard_at: event.stored.nanoseconds() };
        self.players
            .entry(player.clone())
            .and_modify(|before| {
                if before.heard_at <= heard.heard_at {
                    before.name.clone_from(&heard.name);
                    before.heard_at = heard.heard_at;
                }
            })
            .or_insert(heard);
    }
}

/// Whether an event of `kind` tells of its server how it stands.
const fn tells_state(kind: Kind) -> bool {
    matches!(kind, Kind::ServerStarted | Kind::ServerStopping | Kind::ServerStopped)
}

/// The rows that `entries` come to, numbered in the stream's order, once what they show of the servers is noted.
async fn rows(
    observer: &Observer<'_>,
    transaction: &mut Transaction<'_, Any>,
    entries: Vec<Entry>,
    mut states: BTreeMap<ServerId, ServerState>,
) -> Result<Vec<NewOutboxRow>, StoreError> {
    let (store, account) = (observer.store, observer.account);
    let mut moves = Moves::default();
    let mut rows = Vec::new();
    for entry in entries {
        let sign = match entry {
            Entry::Row(row) => {
                rows.push(NewOutboxRow { id: store.next_number(), ..row });
                continue;
            }
            // On a server that does not run, it is late news of somebody who was there before.
            Entry::Move(place, Move::Connected, _)
                if states.get(&place.server_id).is_some_and(|state| state.state == State::Offline) =>
            {
                continue;
            }
            Entry::Move(place, what, at) => {
                moves.push(place, what, at);
                continue;
            }
            Entry::Sign(sign) => sign,
        };
        let Some(state) = states.get_mut(&sign.server) else { continue };
        let (shown, at) = (Sign::of_event(sign.kind, sign.connection), sign.at);
        // The usual: most events come from servers that run.
        if !tells_state(sign.kind) && state.after(shown, at) == (*state, Turn::None) {
            continue;
        }
        // Who came before it is there before it.
        moves.note(store, transaction, account).await?;
        let mut came_of_it = observer.observe(transaction, &sign.server, shown, at, sign.sequence).await?;
        *state = came_of_it.state;
        rows.append(&mut came_of_it.rows);
        for row in sign.rows.into_iter().filter(|row| !came_of_it.told_in.contains(&row.channel_id)) {
            rows.push(NewOutboxRow { id: store.next_number(), ..read_as(row, sign.kind, &came_of_it) });
        }
    }
    moves.note(store, transaction, account).await?;
    Ok(rows)
}

/// The row of an event of `kind`, where a server that said that it started is read as it did. A reload is nothing to call
/// people for, and neither is what was said just before.
fn read_as(row: NewOutboxRow, kind: Kind, observed: &Observed) -> NewOutboxRow {
    if kind != Kind::ServerStarted {
        return row;
    }
    let how = observed.start;
    let calls = how != Start::Reloaded && !observed.is_repeat;
    let mention_roles = if calls { row.mention_roles } else { String::new() };
    NewOutboxRow { details: details_to_column(&Details::ServerStarted { how }), mention_roles, ..row }
}

/// PostgreSQL's TEXT can't hold NUL, and a hostile subject must not block its stream.
fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "") } else { text }
}
