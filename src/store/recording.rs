//! The bulk statements of the transaction that records a batch of events: one statement for any number of rows,
//! handed over as one JSON text, because the round trip is what a statement costs.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::{Any, Row as _, Transaction};

use super::servers::state_from;
use super::{Store, StoreError};
use crate::domain::event::Details;
use crate::domain::ids::{AccountName, ChannelId, PlayerId, ServerId};
use crate::domain::server_state::ServerState;

/// An event, or something else to tell, on its way to one channel.
#[derive(Debug, Serialize)]
pub struct NewOutboxRow {
    /// From [`Store::next_number`].
    pub id: i64,
    /// Where it goes.
    pub channel_id: ChannelId,
    /// On which server it happened.
    pub server_id: ServerId,
    /// Whom it is about.
    pub player_id: Option<PlayerId>,
    /// That player's name, where the event tells it.
    pub player_name: Option<String>,
    /// When nats-server stored it, in nanoseconds.
    pub stored_at: i64,
    /// Its sequence in the stream; 0 where it is no event.
    pub sequence: u64,
    /// Its form: [`EVENT`](super::outbox::EVENT) or [`INCIDENT`](super::outbox::INCIDENT).
    pub form: &'static str,
    /// The [`Details`] as JSON text, or what its form has in their place.
    pub details: String,
    /// The roles to mention, as decimal ids separated by spaces.
    pub mention_roles: String,
    /// The name of the style in which it is told.
    pub style: &'static str,
    /// When it was put into its lane, in nanoseconds.
    pub recorded_at: i64,
    /// When it may be told at the soonest, in nanoseconds.
    pub due_at: i64,
}

/// What a batch tells of one server.
#[derive(Debug, Serialize)]
pub struct HeardServer {
    /// Which server.
    pub server_id: ServerId,
    /// The latest stored time of its events, in nanoseconds.
    pub last_event_at: i64,
    /// The latest stored time of its wipes, in nanoseconds.
    pub wiped_at: Option<i64>,
}

/// A player's name as a batch tells it.
#[derive(Debug, Serialize)]
pub struct HeardPlayer {
    /// Which player.
    pub player_id: PlayerId,
    /// The name.
    pub name: String,
    /// When the event that told it was stored, in nanoseconds.
    pub heard_at: i64,
}

/// A message on the stream that is no event. Its payload is not kept.
#[derive(Debug, Serialize)]
pub struct Reject {
    /// When nats-server stored it, in nanoseconds.
    pub stored_at: i64,
    /// Its sequence in the stream.
    pub sequence: u64,
    /// Its subject, cut to a bounded length.
    pub subject: String,
    /// Its payload's size in bytes.
    pub size: usize,
    /// Why it is no event.
    pub reason: &'static str,
}

/// The details' form in the database.
#[must_use]
pub fn details_to_column(details: &Details) -> String {
    serde_json::to_string(details).expect("details have string keys and finite numbers only")
}

impl Store {
    /// Puts events into their channels' outboxes, in the given order.
    pub async fn insert_outbox(
        &self,
        transaction: &mut Transaction<'_, Any>,
        account: &AccountName,
        rows: &[NewOutboxRow],
    ) -> Result<(), StoreError> {
        let statement = self.choose(
            "INSERT INTO outbox (id, channel_id, account, server_id, player_id, player_name, stored_at, sequence, form,
                                 details, mention_roles, style, recorded_at, due_at)
             SELECT value ->> 'id', value ->> 'channel_id', $1, value ->> 'server_id', value ->> 'player_id',
                    value ->> 'player_name', value ->> 'stored_at', value ->> 'sequence', value ->> 'form',
                    value ->> 'details', value ->> 'mention_roles', value ->> 'style', value ->> 'recorded_at', value ->> 'due_at'
             FROM json_each($2)",
            "INSERT INTO outbox (id, channel_id, account, server_id, player_id, player_name, stored_at, sequence, form,
                                 details, mention_roles, style, recorded_at, due_at)
             SELECT id, channel_id, $1, server_id, player_id, player_name, stored_at, sequence, form, details,
                    mention_roles, style, recorded_at, due_at
             FROM json_to_recordset(CAST($2 AS json)) AS rows (
                 id BIGINT, channel_id BIGINT, server_id TEXT, player_id TEXT, player_name TEXT, stored_at BIGINT,
                 sequence BIGINT, form TEXT, details TEXT, mention_roles TEXT, style TEXT, recorded_at BIGINT, due_at BIGINT)",
        );
        self.insert_rows(transaction, statement, account, rows).await
    }

    /// Keeps what was last heard of servers; older news does not replace newer. Answers with how they stand, and holds
    /// them: nobody else changes them before the transaction ends.
    pub async fn hear_servers(
        &self,
        transaction: &mut Transaction<'_, Any>,
        account: &AccountName,
        rows: &[HeardServer],
    ) -> Result<BTreeMap<ServerId, ServerState>, StoreError> {
        // `WHERE true` keeps SQLite's parser from reading ON CONFLICT as a join's ON.
        let statement = self.choose(
            "INSERT INTO servers (account, server_id, last_event_at, wiped_at)
             SELECT $1, value ->> 'server_id', value ->> 'last_event_at', value ->> 'wiped_at'
             FROM json_each($2) WHERE true
             ON CONFLICT (account, server_id) DO UPDATE SET
                 last_event_at = MAX(servers.last_event_at, excluded.last_event_at),
                 wiped_at = MAX(COALESCE(servers.wiped_at, excluded.wiped_at), COALESCE(excluded.wiped_at, servers.wiped_at))
             RETURNING server_id, state, state_since, state_cause, says_when_it_stops, said_started_at",
            "INSERT INTO servers (account, server_id, last_event_at, wiped_at)
             SELECT $1, server_id, last_event_at, wiped_at
             FROM json_to_recordset(CAST($2 AS json)) AS rows (server_id TEXT, last_event_at BIGINT, wiped_at BIGINT)
             ORDER BY server_id
             ON CONFLICT (account, server_id) DO UPDATE SET
                 last_event_at = GREATEST(servers.last_event_at, excluded.last_event_at),
                 wiped_at = GREATEST(servers.wiped_at, excluded.wiped_at)
             RETURNING server_id, state, state_since, state_cause, says_when_it_stops, said_started_at",
        );
        if rows.is_empty() {
            return Ok(BTreeMap::new());
        }
        let rows =
            sqlx::query(statement).bind(account.as_str()).bind(to_json(rows)).fetch_all(&mut **transaction).await?;
        rows.iter().map(|row| Ok((ServerId::from(row.try_get::<String, _>(0)?), state_from(row)?))).collect()
    }

    /// Keeps players' names; an older one does not replace a newer.
    pub async fn hear_players(
        &self,
        transaction: &mut Transaction<'_, Any>,
        account: &AccountName,
        rows: &[HeardPlayer],
    ) -> Result<(), StoreError> {
        let statement = self.choose(
            "INSERT INTO players (account, player_id, name, heard_at)
             SELECT $1, value ->> 'player_id', value ->> 'name', value ->> 'heard_at' FROM json_each($2) WHERE true
             ON CONFLICT (account, player_id) DO UPDATE SET name = excluded.name, heard_at = excluded.heard_at
             WHERE excluded.heard_at >= players.heard_at",
            "INSERT INTO players (account, player_id, name, heard_at)
             SELECT $1, player_id, name, heard_at
             FROM json_to_recordset(CAST($2 AS json)) AS rows (player_id TEXT, name TEXT, heard_at BIGINT)
             ON CONFLICT (account, player_id) DO UPDATE SET name = excluded.name, heard_at = excluded.heard_at
             WHERE excluded.heard_at >= players.heard_at",
        );
        self.insert_rows(transaction, statement, account, rows).await
    }

    /// Keeps a trace of what was no event.
    pub async fn insert_rejects(
        &self,
        transaction: &mut Transaction<'_, Any>,
        account: &AccountName,
        rows: &[Reject],
    ) -> Result<(), StoreError> {
        let statement = self.choose(
            "INSERT INTO rejects (account, stored_at, sequence, subject, size, reason)
             SELECT $1, value ->> 'stored_at', value ->> 'sequence', value ->> 'subject', value ->> 'size', value ->> 'reason'
             FROM json_each($2) WHERE true ON CONFLICT DO NOTHING",
            "INSERT INTO rejects (account, stored_at, sequence, subject, size, reason)
             SELECT $1, stored_at, sequence, subject, size, reason
             FROM json_to_recordset(CAST($2 AS json)) AS rows (
                 stored_at BIGINT, sequence BIGINT, subject TEXT, size BIGINT, reason TEXT)
             ON CONFLICT DO NOTHING",
        );
        self.insert_rows(transaction, statement, account, rows).await
    }

    async fn insert_rows<Row: Serialize>(
        &self,
        transaction: &mut Transaction<'_, Any>,
        statement: &'static str,
        account: &AccountName,
        rows: &[Row],
    ) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(statement).bind(account.as_str()).bind(to_json(rows)).execute(&mut **transaction).await?;
        Ok(())
    }
}

fn to_json<Row: Serialize>(rows: &[Row]) -> String {
    serde_json::to_string(rows).expect("rows have string keys and finite numbers only")
}
