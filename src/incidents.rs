//! What is noticed of servers, brought together in one transaction: how each stands, the incident that this begins,
//! continues or ends, and the rows that tell of it.
//!
//! Events come here with the batch that records them, and what connections and time show by themselves: all of it is
//! applied to one row of the database, which is held meanwhile.

mod maintenance;

use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::{Any, Transaction};

use crate::domain::binding::{Binding, Recipient, recipients};
use crate::domain::event::{Kind, Start};
use crate::domain::ids::{AccountName, ChannelId, ServerId};
use crate::domain::incident::{Chapter, Incident, LoopRule, Phase, Telling, What};
use crate::domain::server_state::{Cause, Connection, ServerState, Sign, State, Turn};
use crate::domain::style::Holds;
use crate::domain::timestamp::Timestamp;
use crate::store::incidents::KeptIncident;
use crate::store::outbox::INCIDENT;
use crate::store::recording::NewOutboxRow;
use crate::store::servers::Server;
use crate::store::{Store, StoreError};

pub use maintenance::Maintained;

/// For how long an incident that was due and is not is left alone.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// What incidents go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rules {
    /// For how long what is told waits for others.
    pub holds: Holds,
    /// What makes a loop.
    pub loops: LoopRule,
}

/// Whoever takes note of what is noticed of an account's servers.
#[derive(Debug, Clone, Copy)]
pub struct Observer<'a> {
    /// The database.
    pub store: &'a Store,
    /// Whose servers.
    pub account: &'a AccountName,
    /// Its bindings: which channels are told.
    pub bindings: &'a [Binding],
    /// What is gone by.
    pub rules: Rules,
    /// The bot's own time.
    pub now: Timestamp,
}

/// What came of a sign.
#[derive(Debug, Default)]
pub struct Observed {
    /// How the server stands now.
    pub state: ServerState,
    /// How it is to be read that the server said that it started, where it did.
    pub start: Start,
    /// Whether the server only said once more that its plugin was loaded anew: nobody is called for it.
    pub is_repeat: bool,
    /// The channels in which an incident tells of the sign, so that it need not be told by itself.
    pub told_in: BTreeSet<ChannelId>,
    /// The rows that tell of it, to be put into the outbox.
    pub rows: Vec<NewOutboxRow>,
}

/// When something happened.
#[derive(Debug, Clone, Copy)]
struct When {
    /// In nats-server's time.
    at: Timestamp,
    /// When it could be told at the soonest. Silence is none until it has lasted.
    known_at: Timestamp,
    /// From when on a binding had to hear its account, to be told.
    heard_at: Timestamp,
    /// The sequence of the event that it is; 0 where it is none.
    sequence: u64,
}

impl Observer<'_> {
    /// Takes note of an event of a server, stored `at` a moment. Nothing is noted of a server that is not known.
    pub async fn observe(
        &self,
        transaction: &mut Transaction<'_, Any>,
        server: &ServerId,
        sign: Sign,
        at: Timestamp,
        sequence: u64,
    ) -> Result<Observed, StoreError> {
        let Some(known) = self.store.hold_server(transaction, self.account, server).await? else {
            return Ok(Observed::default());
        };
        self.apply(transaction, &known, sign, When { at, known_at: at, heard_at: at, sequence }).await
    }

    /// Takes note of a sign of a server that is no event, of the moment `at` in nats-server's time, by itself, and rings the
    /// lanes that tell of it. That something is missing was `judged` by what was known before: where that has changed, it is
    /// judged anew at the next look.
    pub async fn observe_alone(&self, judged: &Server, sign: Sign, at: Timestamp) -> Result<ServerState, StoreError> {
        let mut transaction = self.store.write().await?;
        let Some(known) = self.store.hold_server(&mut transaction, self.account, &judged.id).await? else {
            return Ok(ServerState::default());
        };
        if matches!(sign, Sign::Gone(_) | Sign::Silent) && known != *judged {
            return Ok(known.state);
        }
        let known_at = if sign == Sign::Silent { self.now } else { at };
        let when = When { at, known_at, heard_at: self.now, sequence: 0 };
        let observed = self.apply(&mut transaction, &known, sign, when).await?;
        self.finish(transaction, observed.rows).await?;
        Ok(observed.state)
    }

    /// Brings a sign together with what is known of its server, which is held by the transaction.
    async fn apply(
        &self,
        transaction: &mut Transaction<'_, Any>,
        known: &Server,
        sign: Sign,
        when: When,
    ) -> Result<Observed, StoreError> {
        let (state, turn) = known.state.after(sign, when.at);
        if state != known.state {
            self.store.set_server_state(transaction, self.account, &known.id, state).await?;
        }
        let is_repeat = matches!(turn, Turn::ReloadedAsSaid(_));
        let mut observed = Observed { state, start: start(turn), is_repeat, ..Observed::default() };
        self.follow(transaction, &known.id, (sign, turn), when, &mut observed).await?;
        if let Some(at) = empty_since(sign, turn, (known.state, state), when.at) {
            self.store.nobody_is_on(transaction, self.account, &known.id, at).await?;
        }
        Ok(observed)
    }

    /// Takes note that time has passed for a server's incident that was due, and rings the lanes that tell of it.
    pub async fn pass_time(&self, server: &ServerId) -> Result<(), StoreError> {
        let mut transaction = self.store.write().await?;
        let mut rows = Vec::new();
        if let Some(known) = self.store.hold_server(&mut transaction, self.account, server).await?
            && let Some(mut open) = self.store.open_incident(&mut transaction, self.account, server).await?
            && open.incident.due_at(self.rules.loops).is_some_and(|due| due <= self.now)
        {
            if open.incident.maintenance.is_some() {
                rows = self.close_maintenance(&mut transaction, &known, open).await?;
            } else {
                rows = self.tell(&mut transaction, &mut open, Telling::Closed, self.at_present()).await?.rows;
            }
        } else {
            // The rules may be others than when that was noted.
            self.store.put_off_incident(&mut transaction, self.account, server, self.now.plus(LOOK_AGAIN)).await?;
        }
        self.finish(transaction, rows).await?;
        Ok(())
    }

    /// Commits with these rows, and rings the lanes that they are in, and the boards.
    async fn finish(
        &self,
        mut transaction: Transaction<'_, Any>,
        rows: Vec<NewOutboxRow>,
    ) -> Result<Vec<ChannelId>, StoreError> {
        self.store.insert_outbox(&mut transaction, self.account, &rows).await?;
        transaction.commit().await?;
        let channels: Vec<_> = rows.iter().map(|row| row.channel_id).collect();
        self.store.ring_lanes(channels.iter().copied());
        self.store.ring_boards([self.account.clone()]);
        Ok(channels)
    }

    /// Begins, continues or ends the server's incident.
    async fn follow(
        &self,
        transaction: &mut Transaction<'_, Any>,
        server: &ServerId,
        (sign, turn): (Sign, Turn),
        when: When,
        observed: &mut Observed,
    ) -> Result<(), StoreError> {
        let what = What::of(turn, observed.state);
        // What a connection shows may have begun before the state that it changes.
        let is_change = !matches!(turn, Turn::None | Turn::Reloaded(_) | Turn::ReloadedAsSaid(_));
        let at = observed.state.since.filter(|_| is_change).unwrap_or(when.at);
        let when = When { at, ..when };
        let told = if let Some(mut open) = self.store.open_incident(transaction, self.account, server).await? {
            let telling = match (what, What::said(sign)) {
                (Some(what), _) => open.incident.unfold(turn, what, at),
                (None, Some(_)) if matches!(turn, Turn::ReloadedAsSaid(_)) => Telling::Nothing,
                (None, Some(said)) => open.incident.repeat(said, at),
                (None, None) => return Ok(()),
            };
            self.tell(transaction, &mut open, telling, when).await?
        } else if let Some(what) = what {
            let before = self.store.last_incident(transaction, self.account, server).await?;
            let before = before.as_ref().and_then(|before| Some((&before.incident, before.closed_at?)));
            let affected = self.store.players_on_count(transaction, self.account, server).await?;
            let Some((incident, telling)) = Incident::begin(turn, what, at, affected, before, self.rules.loops) else {
                return Ok(());
            };
            let mut begun = self.begun(server, incident);
            self.tell(transaction, &mut begun, telling, when).await?
        } else if matches!(sign, Sign::Started(_)) && turn == Turn::None {
            // Said again right after it was told that the server is back.
            let last = self.store.last_incident(transaction, self.account, server).await?;
            let last = last.filter(|last| last.closed_at == observed.state.since);
            let Some(last) = last else { return Ok(()) };
            Told { told_in: self.told_in(transaction, &last, when.heard_at).await?, rows: Vec::new() }
        } else {
            return Ok(());
        };
        observed.told_in = told.told_in;
        observed.rows = told.rows;
        Ok(())
    }

    /// This moment, as when something happened.
    const fn at_present(&self) -> When {
        When { at: self.now, known_at: self.now, heard_at: self.now, sequence: 0 }
    }

    fn begun(&self, server: &ServerId, incident: Incident) -> KeptIncident {
        KeptIncident {
            id: self.store.next_number(),
            account: self.account.clone(),
            server: server.clone(),
            incident,
            version: 0,
            closed_at: None,
        }
    }

    /// Keeps an incident as it is now, with the rows that tell of what changed.
    async fn tell(
        &self,
        transaction: &mut Transaction<'_, Any>,
        kept: &mut KeptIncident,
        telling: Telling,
        when: When,
    ) -> Result<Told, StoreError> {
        let hearing = recipients(self.bindings, Kind::ServerStopped, &kept.server, when.heard_at);
        if telling != Telling::Nothing {
            kept.version += 1;
            kept.closed_at = matches!(telling, Telling::Closed | Telling::Passed).then_some(when.at);
            let due_at = kept.incident.due_at(self.rules.loops);
            self.store.keep_incident(transaction, kept, due_at, when.at).await?;
        }
        let mut rows = Vec::new();
        let told_in: BTreeSet<ChannelId> = match telling {
            Telling::Opened | Telling::Passed => {
                let is_alarm = kept.incident.loops_since.is_none() && kept.incident.maintenance.is_none();
                for recipient in &hearing {
                    let row = self.row(kept, Phase::Opened, recipient, is_alarm, when);
                    self.store.tell_incident(transaction, kept.id, recipient.channel, row.id).await?;
                    rows.push(row);
                }
                hearing.iter().map(|recipient| recipient.channel).collect()
            }
            Telling::Nothing | Telling::Unfolded | Telling::Closed => {
                let told_in = self.told_in(transaction, kept, when.heard_at).await?;
                if telling == Telling::Closed {
                    let told = hearing.iter().filter(|recipient| told_in.contains(&recipient.channel));
                    rows.extend(told.map(|to| self.row(kept, Phase::Closed, to, false, when)));
                }
                told_in
            }
        };
        Ok(Told { told_in, rows })
    }

    /// The channels that were told of an incident and still hear of such: in others, events are told by themselves.
    async fn told_in(
        &self,
        transaction: &mut Transaction<'_, Any>,
        kept: &KeptIncident,
        heard_at: Timestamp,
    ) -> Result<BTreeSet<ChannelId>, StoreError> {
        let told = self.store.channels_of_incident(transaction, kept.id).await?;
        let hearing = recipients(self.bindings, Kind::ServerStopped, &kept.server, heard_at);
        let hearing: BTreeSet<_> = hearing.iter().map(|recipient| recipient.channel).collect();
        Ok(told.into_iter().filter(|channel| hearing.contains(channel)).collect())
    }

    fn row(&self, kept: &KeptIncident, phase: Phase, to: &Recipient, is_alarm: bool, when: When) -> NewOutboxRow {
        let mention: Vec<_> = to.mention.iter().filter(|_| is_alarm).map(ToString::to_string).collect();
        let chapter = Chapter { incident: kept.id, phase };
        NewOutboxRow {
            id: self.store.next_number(),
            channel_id: to.channel,
            server_id: kept.server.clone(),
            player_id: None,
            player_name: None,
            stored_at: when.known_at.nanoseconds(),
            sequence: when.sequence,
            form: INCIDENT,
            details: serde_json::to_string(&chapter).expect("a chapter is numbers and a word"),
            mention_roles: mention.join(" "),
            style: to.style.name(),
            recorded_at: self.now.nanoseconds(),
            due_at: self.now.plus(self.rules.holds.of(to.style)).nanoseconds(),
        }
    }
}

/// What tells of an incident's change.
struct Told {
    told_in: BTreeSet<ChannelId>,
    rows: Vec<NewOutboxRow>,
}

/// Since when nobody can be on a server any more who was on it before, where a sign of the moment `at` shows that.
fn empty_since(
    sign: Sign,
    turn: Turn,
    (before, after): (ServerState, ServerState),
    at: Timestamp,
) -> Option<Timestamp> {
    let is_empty = match turn {
        // Its connection showed that it is back, and now it says that it was started.
        Turn::None if before.cause == Some(Cause::Connected) && after.cause == Some(Cause::Started) => {
            return after.since;
        }
        Turn::None | Turn::Appeared | Turn::Reloaded(_) | Turn::ReloadedAsSaid(_) => false,
        Turn::Restarted => true,
        Turn::Up => matches!(sign, Sign::Started(Connection::New | Connection::Unseen)),
        Turn::Down | Turn::Developed => matches!(after.state, State::Offline),
    };
    is_empty.then_some(at)
}

/// How it is to be read that a server said that it started.
const fn start(turn: Turn) -> Start {
    match turn {
        Turn::Reloaded(Connection::Same) | Turn::ReloadedAsSaid(Connection::Same) => Start::Reloaded,
        Turn::Reloaded(_) | Turn::ReloadedAsSaid(_) => Start::ReloadedOrStarted,
        Turn::Restarted => Start::Restarted,
        Turn::None | Turn::Appeared | Turn::Down | Turn::Developed | Turn::Up => Start::Up,
    }
}
