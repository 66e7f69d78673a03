//! Incidents, and the messages that tell of them.

use std::time::Duration;

use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Row, Transaction};

use super::accounts::account_name;
use super::outbox::{INCIDENT, server_name};
use super::{Store, StoreError};
use crate::domain::ids::{AccountName, ChannelId, ServerId};
use crate::domain::incident::{Chapter, Incident, Phase};
use crate::domain::timestamp::Timestamp;

/// An incident of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptIncident {
    /// Its number.
    pub id: i64,
    /// Whose server.
    pub account: AccountName,
    /// Which.
    pub server: ServerId,
    /// What happened.
    pub incident: Incident,
    /// Rises with every change.
    pub version: i64,
    /// When it was over; `None` while it is not.
    pub closed_at: Option<Timestamp>,
}

/// A message that does not show the latest version of its incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleMessage {
    /// Which incident.
    pub incident: i64,
    /// Where.
    pub channel: ChannelId,
    /// The message's id in Discord.
    pub message: u64,
    /// The short id that ends its footer.
    pub mark: String,
    /// When it was seen to stand there.
    pub posted_at: Timestamp,
    /// When what it told first was stored.
    pub stored: Timestamp,
    /// For how long that waited on purpose.
    pub hold: Duration,
    /// When it was worded.
    pub sealed: Timestamp,
    /// What its guild calls the server, where it gave it a name.
    pub server_name: Option<String>,
}

const COLUMNS: &str = "account, id, server_id, story, version, closed_at";

/// Whether a row's channel still hears of what happens to its server.
macro_rules! is_heard {
    ($row:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM bindings WHERE bindings.channel_id = ",
            $row,
            ".channel_id AND bindings.account = ",
            $row,
            ".account AND (bindings.server_id IS NULL OR bindings.server_id = ",
            $row,
            ".server_id) AND paused_at IS NULL AND ' ' || kinds || ' ' LIKE '% server.stopped %')"
        )
    };
}

impl Store {
    /// The incident of that number.
    pub async fn incident(&self, id: i64) -> Result<Option<KeptIncident>, StoreError> {
        incident_on(&mut *self.reader.acquire().await?, id).await
    }

    /// The server's incident that is not over.
    pub async fn open_incident(
        &self,
        transaction: &mut Transaction<'_, Any>,
        account: &AccountName,
        server: &ServerId,
    ) -> Result<Option<KeptIncident>, StoreError> {
        self.one_incident(transaction, "closed_at IS NULL", account, server).await
    }

    /// The server's incident that was over last.
    pub async fn last_incident(
        &self,
        transaction: &mut Transaction<'_, Any>,
        account: &AccountName,
        server: &ServerId,
    ) -> Result<Option<KeptIncident>, StoreError> {
        self.one_incident(
            transaction,
            "closed_at IS NOT NULL ORDER BY closed_at DESC, id DESC LIMIT 1",
            account,
            server,
        )
        .await
    }

    async fn one_incident(
        &self,
        transaction: &mut Transaction<'_, Any>,
        which: &'static str,
        account: &AccountName,
        server: &ServerId,
    ) -> Result<Option<KeptIncident>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM incidents WHERE account = $1 AND server_id = $2 AND {which}");
        let row = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(account.as_str())
            .bind(server.as_str())
            .fetch_optional(&mut **transaction)
            .await?;
        row.as_ref().map(incident_from).transpose()
    }

    /// The servers whose incidents time alone changes by `now`, and since when that is due.
    pub async fn due_incidents(&self, now: Timestamp) -> Result<Vec<(AccountName, ServerId, Timestamp)>, StoreError> {
        let rows = sqlx::query(
            "SELECT account, server_id, due_at FROM incidents WHERE closed_at IS NULL AND due_at IS NOT NULL AND due_at <= $1
             ORDER BY due_at LIMIT 1000",
        )
        .bind(now.nanoseconds())
        .fetch_all(&self.reader)
        .await?;
        rows.iter()
            .map(|row| {
                let server = ServerId::from(row.try_get::<String, _>(1)?);
                Ok((account_name(row, 0)?, server, Timestamp::from_nanoseconds(row.try_get(2)?)))
            })
            .collect()
    }

    /// Keeps an incident as it is now, and that its messages don't show that yet. `due_at` is when time alone changes it.
    pub async fn keep_incident(
        &self,
        transaction: &mut Transaction<'_, Any>,
        kept: &KeptIncident,
        due_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO incidents (id, account, server_id, story, version, opened_at, due_at, closed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (id) DO UPDATE SET story = excluded.story, version = excluded.version, due_at = excluded.due_at,
                 closed_at = excluded.closed_at",
        )
        .bind(kept.id)
        .bind(kept.account.as_str())
        .bind(kept.server.as_str())
        .bind(serde_json::to_string(&kept.incident).expect("incidents are texts and numbers"))
        .bind(kept.version)
        .bind(now.nanoseconds())
        .bind(due_at.map(Timestamp::nanoseconds))
        .bind(kept.closed_at.map(Timestamp::nanoseconds))
        .execute(&mut **transaction)
        .await?;
        sqlx::query("UPDATE incident_messages SET is_stale = 1 WHERE incident_id = $1")
            .bind(kept.id)
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }

    /// Has the server's open incident not be due before `until`.
    pub async fn put_off_incident(
        &self,
        transaction: &mut Transaction<'_, Any>,
        account: &AccountName,
        server: &ServerId,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE incidents SET due_at = $1
             WHERE account = $2 AND server_id = $3 AND closed_at IS NULL AND due_at IS NOT NULL AND due_at < $1",
        )
        .bind(until.nanoseconds())
        .bind(account.as_str())
        .bind(server.as_str())
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }

    /// Notes that a row of the outbox tells `channel` of an incident: its message is the one that is edited.
    pub async fn tell_incident(
        &self,
        transaction: &mut Transaction<'_, Any>,
        incident: i64,
        channel: ChannelId,
        row: i64,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO incident_messages (incident_id, channel_id, row_id, is_stale) VALUES ($1, $2, $3, 0)
             ON CONFLICT (incident_id, channel_id) DO UPDATE SET row_id = excluded.row_id, is_stale = 0",
        )
        .bind(incident)
        .bind(channel.to_column())
        .bind(row)
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }

    /// The channels that an incident is told in.
    pub async fn channels_of_incident(
        &self,
        transaction: &mut Transaction<'_, Any>,
        incident: i64,
    ) -> Result<Vec<ChannelId>, StoreError> {
        let rows = sqlx::query("SELECT channel_id FROM incident_messages WHERE incident_id = $1 ORDER BY channel_id")
            .bind(incident)
            .fetch_all(&mut **transaction)
            .await?;
        rows.iter().map(|row| Ok(ChannelId::from_column(row.try_get(0)?))).collect()
    }

    /// The id of the message that tells `channel` of an incident, once it stands there.
    pub async fn message_of_incident(&self, incident: i64, channel: ChannelId) -> Result<Option<u64>, StoreError> {
        let row = sqlx::query(
            "SELECT messages.discord_id FROM incident_messages JOIN outbox ON outbox.id = incident_messages.row_id
                 JOIN messages ON messages.id = outbox.message_id
             WHERE incident_id = $1 AND incident_messages.channel_id = $2",
        )
        .bind(incident)
        .bind(channel.to_column())
        .fetch_optional(&self.reader)
        .await?;
        let id: Option<i64> = row.map(|row| row.try_get(0)).transpose()?.flatten();
        Ok(id.map(i64::cast_unsigned))
    }

    /// The messages that don't show the latest version of their incidents and can be edited, at most `limit`: of each
    /// channel the newest first, so that none that takes no edits keeps the others back.
    pub async fn stale_messages(&self, limit: u32) -> Result<Vec<StaleMessage>, StoreError> {
        let query = format!("SELECT * FROM ({STALE}) AS stale ORDER BY place, incident_id DESC LIMIT $1");
        let rows = sqlx::query(sqlx::AssertSqlSafe(query)).bind(i64::from(limit)).fetch_all(&self.reader).await?;
        rows.iter().map(stale_from).collect()
    }

    /// The message that tells `channel` of an incident, if it does not show the latest version and can be edited.
    pub async fn stale_message(&self, incident: i64, channel: ChannelId) -> Result<Option<StaleMessage>, StoreError> {
        let query = format!("{STALE} AND incident_id = $1 AND incident_messages.channel_id = $2");
        let row = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(incident)
            .bind(channel.to_column())
            .fetch_optional(&self.reader)
            .await?;
        row.as_ref().map(stale_from).transpose()
    }

    /// Notes that a message is not there any more: nothing is edited there, and nothing answers it.
    pub async fn note_message_gone(&self, channel: ChannelId, message: u64) -> Result<(), StoreError> {
        sqlx::query("UPDATE messages SET discord_id = NULL WHERE channel_id = $1 AND discord_id = $2")
            .bind(channel.to_column())
            .bind(message.cast_signed())
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Notes that a channel's message shows `version` of an incident. Where that is not the latest, it stays stale.
    pub async fn note_incident_shown(&self, incident: i64, channel: ChannelId, version: i64) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        // Held: else PostgreSQL would take a version that is being changed right now for the latest.
        let lock = self.choose("", " FOR UPDATE");
        let query = format!("SELECT 1 FROM incidents WHERE id = $1 AND version = $2{lock}");
        let latest = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(incident)
            .bind(version)
            .fetch_optional(&mut *transaction)
            .await?;
        if latest.is_some() {
            sqlx::query("UPDATE incident_messages SET is_stale = 0 WHERE incident_id = $1 AND channel_id = $2")
                .bind(incident)
                .bind(channel.to_column())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Tells `channel` of an incident in a new message from here on: Discord limits edits of the one that stands there. Of
    /// one that is over, the message that closes it says all.
    pub async fn continue_incident(&self, incident: i64, channel: ChannelId, now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        // Else it may be over before this is noted.
        let hold =
            self.choose("SELECT id FROM incidents WHERE id = $1", "SELECT id FROM incidents WHERE id = $1 FOR UPDATE");
        sqlx::query(hold).bind(incident).fetch_optional(&mut *transaction).await?;
        let chapter = Chapter { incident, phase: Phase::Continued };
        let row = self.next_number();
        let inserted = sqlx::query(concat!(
            "INSERT INTO outbox (id, channel_id, account, server_id, stored_at, sequence, form, details, mention_roles, style,
                                 recorded_at, due_at)
             SELECT $1, before.channel_id, before.account, before.server_id, $2, 0, $3, $4, '', before.style, $2, $2
             FROM incident_messages JOIN outbox AS before ON before.id = row_id JOIN incidents ON incidents.id = incident_id
             WHERE incident_id = $5 AND incident_messages.channel_id = $6 AND is_stale = 1 AND closed_at IS NULL AND ",
            is_heard!("before")
        ))
        .bind(row)
        .bind(now.nanoseconds())
        .bind(INCIDENT)
        .bind(serde_json::to_string(&chapter).expect("a chapter is numbers and a word"))
        .bind(incident)
        .bind(channel.to_column())
        .execute(&mut *transaction)
        .await?;
        if inserted.rows_affected() == 1 {
            self.tell_incident(&mut transaction, incident, channel, row).await?;
        } else {
            sqlx::query("UPDATE incident_messages SET is_stale = 0 WHERE incident_id = $1 AND channel_id = $2")
                .bind(incident)
                .bind(channel.to_column())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        self.ring_lanes([channel]);
        Ok(())
    }
}

/// The incident of that number, as this connection sees it.
pub(super) async fn incident_on(connection: &mut AnyConnection, id: i64) -> Result<Option<KeptIncident>, StoreError> {
    let query = format!("SELECT {COLUMNS} FROM incidents WHERE id = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(query)).bind(id).fetch_optional(connection).await?;
    row.as_ref().map(incident_from).transpose()
}

/// Not those in channels that hear no more of it, or take no messages.
const STALE: &str = concat!(
    "SELECT incident_id, incident_messages.channel_id, messages.discord_id, mark, settled_at, stored_at, recorded_at,
        due_at, sealed_at,
        ROW_NUMBER() OVER (PARTITION BY incident_messages.channel_id ORDER BY incident_id DESC) AS place, ",
    server_name!(),
    " FROM incident_messages JOIN outbox ON outbox.id = incident_messages.row_id
        JOIN messages ON messages.id = outbox.message_id
    WHERE is_stale = 1 AND messages.state = 'delivered' AND messages.discord_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM stopped_lanes WHERE stopped_lanes.channel_id = incident_messages.channel_id) AND ",
    is_heard!("outbox")
);

fn stale_from(row: &AnyRow) -> Result<StaleMessage, StoreError> {
    let moment = |column| row.try_get(column).map(Timestamp::from_nanoseconds);
    Ok(StaleMessage {
        stored: moment("stored_at")?,
        hold: moment("due_at")?.since(moment("recorded_at")?),
        sealed: moment("sealed_at")?,
        incident: row.try_get(0)?,
        channel: ChannelId::from_column(row.try_get(1)?),
        message: row.try_get::<i64, _>(2)?.cast_unsigned(),
        mark: row.try_get(3)?,
        posted_at: Timestamp::from_nanoseconds(row.try_get(4)?),
        server_name: row.try_get("server_name")?,
    })
}

fn incident_from(row: &AnyRow) -> Result<KeptIncident, StoreError> {
    let story: String = row.try_get("story")?;
    Ok(KeptIncident {
        id: row.try_get("id")?,
        account: account_name(row, 0)?,
        server: ServerId::from(row.try_get::<String, _>("server_id")?),
        incident: serde_json::from_str(&story)
            .map_err(|_| StoreError::BadRow { what: "incident", value: story.chars().take(200).collect() })?,
        version: row.try_get("version")?,
        closed_at: row.try_get::<Option<i64>, _>("closed_at")?.map(Timestamp::from_nanoseconds),
    })
}
