//! Rows on their way to a channel: what is due, the messages it is sealed into, and what became of them.

use std::time::Duration;

use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::accounts::account_name;
use super::given_up::tell_given_up;
use super::{Store, StoreError};
use crate::domain::event::Event;
use crate::domain::given_up::GivenUp;
use crate::domain::ids::{AccountName, ChannelId, PlayerId, RoleId, ServerId};
use crate::domain::incident::Chapter;
use crate::domain::notice::Notice;
use crate::domain::ping::Call;
use crate::domain::style::Style;
use crate::domain::timestamp::Timestamp;
use crate::domain::wording::Wording;

/// What the forms of rows are called in the database.
pub const EVENT: &str = "event";
/// See [`EVENT`].
pub const INCIDENT: &str = "incident";
pub(super) const SAMPLE: &str = "sample";
pub(super) const NOTICE: &str = "notice";
pub(super) const PING: &str = "ping";

/// What is due in a channel.
#[derive(Debug, Clone)]
pub struct Due {
    /// Its row's number.
    pub id: i64,
    /// What it tells.
    pub told: Told,
    /// How.
    pub style: Style,
    /// For how long it waited on purpose.
    pub hold: Duration,
}

/// What a row of the outbox tells a channel.
#[derive(Debug, Clone)]
pub enum Told {
    /// An event.
    Event(DueEvent),
    /// What an event would look like that did not happen: somebody asked for it.
    Sample(DueEvent),
    /// News of an account itself.
    Notice(AccountName, Notice),
    /// What members waited for, on a server of that account.
    Ping(AccountName, Call),
    /// What happens to a server.
    Incident(DueChapter),
}

/// A chapter of an incident.
#[derive(Debug, Clone)]
pub struct DueChapter {
    /// Whose server.
    pub account: AccountName,
    /// Which.
    pub server: ServerId,
    /// What the channel's guild calls it, where it gave it a name.
    pub server_name: Option<String>,
    /// What of the incident is told.
    pub chapter: Chapter,
    /// When what it tells was stored.
    pub stored: Timestamp,
    /// The roles to mention with it.
    pub mention: Vec<RoleId>,
}

/// An event with what is shown along with it.
#[derive(Debug, Clone)]
pub struct DueEvent {
    /// The event.
    pub event: Event,
    /// The last name heard of its player.
    pub last_name: Option<String>,
    /// What the channel's guild calls its server, where it gave it a name.
    pub server_name: Option<String>,
    /// The roles to mention with it.
    pub mention: Vec<RoleId>,
}

/// A message whose bytes are fixed.
#[derive(Debug, Clone)]
pub struct SealedMessage {
    /// Its row's number.
    pub id: i64,
    /// The short id that ends its last embed's footer.
    pub mark: String,
    /// The request's JSON, posted as it stands at every attempt.
    pub body: String,
    /// Whether a file goes with it: see [`Store::file`].
    pub has_file: bool,
    /// How it is worded.
    pub wording: Wording,
    /// How many attempts failed so far.
    pub attempts: u32,
    /// When the next attempt may be made.
    pub next_attempt_at: Timestamp,
}

/// What a message shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Contents<'a> {
    /// The text of the file that goes with it.
    pub file: Option<&'a str>,
    /// The numbers of its rows.
    pub rows: &'a [i64],
    /// What it tells of what was given up.
    pub given_up: &'a [GivenUp],
}

/// What the guild of a row's channel calls its server. A channel is one guild's, so any of its bindings says whose.
macro_rules! server_name {
    () => {
        "(SELECT named_servers.name FROM bindings JOIN named_servers ON named_servers.guild_id = bindings.guild_id
          WHERE bindings.channel_id = outbox.channel_id AND named_servers.account = outbox.account
              AND named_servers.server_id = outbox.server_id LIMIT 1) AS server_name"
    };
}
pub(super) use server_name;

/// Rows with what is shown along with them.
pub(super) const DUE: &str = concat!(
    "SELECT outbox.account, id, form, server_id, outbox.player_id, player_name, stored_at, sequence, details,
            mention_roles, style, recorded_at, due_at, message_id, players.name AS last_name, ",
    server_name!(),
    " FROM outbox LEFT JOIN players
         ON players.account = outbox.account AND players.player_id = outbox.player_id"
);

impl Store {
    /// What is due first in a channel and in no message yet, in order, at most `limit`.
    pub async fn due(&self, channel: ChannelId, limit: usize) -> Result<Vec<Due>, StoreError> {
        let query = format!("{DUE} WHERE channel_id = $1 AND message_id IS NULL ORDER BY id LIMIT $2");
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(channel.to_column())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.reader)
            .await?;
        rows.iter().map(due_from).collect()
    }

    /// The rows that a message shows, in order.
    pub async fn sealed_rows(&self, message: i64) -> Result<Vec<Due>, StoreError> {
        let query = format!("{DUE} WHERE message_id = $1 ORDER BY id");
        let rows = sqlx::query(sqlx::AssertSqlSafe(query)).bind(message).fetch_all(&self.reader).await?;
        rows.iter().map(due_from).collect()
    }

    /// Fixes a message's bytes together with what it shows. Fails with [`StoreError::SealedElsewhere`], and then
    /// nothing is sealed, when one of the rows is in a message already, or it would show nothing.
    pub async fn seal(
        &self,
        channel: ChannelId,
        message: &SealedMessage,
        contents: &Contents<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Contents { file, rows, given_up } = *contents;
        if rows.is_empty() && given_up.is_empty() {
            return Err(StoreError::SealedElsewhere);
        }
        let mut transaction = self.write().await?;
        sqlx::query(
            "INSERT INTO messages (id, channel_id, mark, body, state, attempts, sealed_at, next_attempt_at, attachment,
                                   wording)
             VALUES ($1, $2, $3, $4, 'sealed', 0, $5, $5, $6, $7)",
        )
        .bind(message.id)
        .bind(channel.to_column())
        .bind(&message.mark)
        .bind(&message.body)
        .bind(now.nanoseconds())
        .bind(file)
        .bind(message.wording.name())
        .execute(&mut *transaction)
        .await?;
        let bind = self.choose(
            "UPDATE outbox SET message_id = $1 WHERE message_id IS NULL AND id IN (SELECT value FROM json_each($2))",
            "UPDATE outbox SET message_id = $1 WHERE message_id IS NULL
             AND id IN (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($2 AS json)))",
        );
        let ids = serde_json::to_string(rows).expect("numbers are JSON");
        let bound = sqlx::query(bind).bind(message.id).bind(ids).execute(&mut *transaction).await?;
        if bound.rows_affected() != rows.len() as u64 {
            transaction.rollback().await?;
            return Err(StoreError::SealedElsewhere);
        }
        tell_given_up(&mut transaction, channel, message.id, given_up).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Fixes other bytes for a sealed message, of which nothing was posted because Discord did not accept the first, for
    /// `reason`.
    pub async fn seal_anew(
        &self,
        message: &SealedMessage,
        file: Option<&str>,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE messages SET mark = $1, body = $2, attachment = $3, wording = $4, reason = $5, attempts = 0,
                    sealed_at = $6, next_attempt_at = $6
             WHERE id = $7 AND state = 'sealed'",
        )
        .bind(&message.mark)
        .bind(&message.body)
        .bind(file)
        .bind(message.wording.name())
        .bind(reason)
        .bind(now.nanoseconds())
        .bind(message.id)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// The text of the file that goes with a message, until it is settled.
    pub async fn file(&self, message: i64) -> Result<Option<String>, StoreError> {
        let row =
            sqlx::query("SELECT attachment FROM messages WHERE id = $1").bind(message).fetch_one(&self.reader).await?;
        Ok(row.try_get(0)?)
    }

    /// The channel's sealed message that is not settled, if there is one. A lane seals one at a time.
    pub async fn sealed_message(&self, channel: ChannelId) -> Result<Option<SealedMessage>, StoreError> {
        let row = sqlx::query(
            "SELECT id, mark, body, attempts, next_attempt_at, wording,
                    CASE WHEN attachment IS NULL THEN 0 ELSE 1 END AS has_file
             FROM messages WHERE channel_id = $1 AND state = 'sealed' ORDER BY id LIMIT 1",
        )
        .bind(channel.to_column())
        .fetch_optional(&self.reader)
        .await?;
        row.map(|row| {
            let attempts: i64 = row.try_get(3)?;
            let wording: String = row.try_get(5)?;
            Ok(SealedMessage {
                id: row.try_get(0)?,
                mark: row.try_get(1)?,
                body: row.try_get(2)?,
                has_file: row.try_get::<i64, _>("has_file")? != 0,
                wording: Wording::from_name(&wording).ok_or(StoreError::BadRow { what: "wording", value: wording })?,
                attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
                next_attempt_at: Timestamp::from_nanoseconds(row.try_get(4)?),
            })
        })
        .transpose()
    }

    /// When a message's bytes were fixed: it was not attempted before.
    pub async fn sealed_at(&self, id: i64) -> Result<Timestamp, StoreError> {
        let row = sqlx::query("SELECT sealed_at FROM messages WHERE id = $1").bind(id).fetch_one(&self.reader).await?;
        Ok(Timestamp::from_nanoseconds(row.try_get(0)?))
    }

    /// Whether Discord has refused every attempt at a message, which is forgotten: the next one follows.
    pub async fn take_in_vain(&self, id: i64) -> Result<bool, StoreError> {
        let taken = sqlx::query("UPDATE messages SET in_vain = 0 WHERE id = $1 AND in_vain = 1")
            .bind(id)
            .execute(&self.writer)
            .await?;
        Ok(taken.rows_affected() > 0)
    }

    /// Gives a message that is sealed another body.
    pub async fn replace_body(&self, id: i64, body: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE messages SET body = $1 WHERE id = $2 AND state = 'sealed'")
            .bind(body)
            .bind(id)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Settles a message as shown in its channel, and lets go of what was attached to it. `discord_id` is `None` when
    /// Discord says that it was shown and is gone again. Answers with when the events that it shows were stored.
    pub async fn settle_delivered(
        &self,
        id: i64,
        discord_id: Option<u64>,
        now: Timestamp,
    ) -> Result<Vec<Timestamp>, StoreError> {
        sqlx::query(
            "UPDATE messages SET state = 'delivered', discord_id = $1, settled_at = $2, attachment = NULL WHERE id = $3",
        )
            .bind(discord_id.map(u64::cast_signed))
            .bind(now.nanoseconds())
            .bind(id)
            .execute(&self.writer)
            .await?;
        let rows = sqlx::query("SELECT stored_at FROM outbox WHERE message_id = $1 AND form = $2")
            .bind(id)
            .bind(EVENT)
            .fetch_all(&self.reader)
            .await?;
        rows.iter().map(|row| Ok(Timestamp::from_nanoseconds(row.try_get(0)?))).collect()
    }

    /// Sets a message aside for good, with the reason, and lets go of what was attached to it.
    pub async fn settle_parked(&self, id: i64, reason: &str, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE messages SET state = 'parked', reason = $1, settled_at = $2, attachment = NULL WHERE id = $3",
        )
        .bind(reason)
        .bind(now.nanoseconds())
        .bind(id)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Keeps a message for another attempt.
    pub async fn postpone(&self, id: i64, attempts: u32, next: Timestamp, reason: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE messages SET attempts = $1, next_attempt_at = $2, reason = $3 WHERE id = $4")
            .bind(i64::from(attempts))
            .bind(next.nanoseconds())
            .bind(reason)
            .bind(id)
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

pub(super) fn due_from(row: &AnyRow) -> Result<Due, StoreError> {
    let form: String = row.try_get("form")?;
    let told = match form.as_str() {
        EVENT => Told::Event(event_from(row)?),
        SAMPLE => Told::Sample(event_from(row)?),
        NOTICE => Told::Notice(account_name(row, 0)?, read_details(row, "notice")?),
        INCIDENT => Told::Incident(DueChapter {
            account: account_name(row, 0)?,
            server: ServerId::from(row.try_get::<String, _>("server_id")?),
            server_name: row.try_get("server_name")?,
            chapter: read_details(row, "chapter")?,
            stored: Timestamp::from_nanoseconds(row.try_get("stored_at")?),
            mention: mentioned(row)?,
        }),
        PING => Told::Ping(account_name(row, 0)?, read_details(row, "ping")?),
        _ => return Err(StoreError::BadRow { what: "form", value: form }),
    };
    let style: String = row.try_get("style")?;
    let style = Style::from_name(&style).ok_or(StoreError::BadRow { what: "style", value: style })?;
    let [recorded, due] = ["recorded_at", "due_at"].map(|column| row.try_get(column).map(Timestamp::from_nanoseconds));
    Ok(Due { id: row.try_get("id")?, told, style, hold: due?.since(recorded?) })
}

fn event_from(row: &AnyRow) -> Result<DueEvent, StoreError> {
    let sequence: i64 = row.try_get("sequence")?;
    Ok(DueEvent {
        event: Event {
            account: account_name(row, 0)?,
            server: ServerId::from(row.try_get::<String, _>("server_id")?),
            player: row.try_get::<Option<String>, _>("player_id")?.map(PlayerId::from),
            player_name: row.try_get("player_name")?,
            stored: Timestamp::from_nanoseconds(row.try_get("stored_at")?),
            sequence: sequence.cast_unsigned(),
            details: read_details(row, "event")?,
        },
        last_name: row.try_get("last_name")?,
        server_name: row.try_get("server_name")?,
        mention: mentioned(row)?,
    })
}

fn mentioned(row: &AnyRow) -> Result<Vec<RoleId>, StoreError> {
    let mention: String = row.try_get("mention_roles")?;
    Ok(mention.split(' ').filter_map(|id| id.parse().ok().map(RoleId)).collect())
}

pub(super) fn read_details<T: DeserializeOwned>(row: &AnyRow, what: &'static str) -> Result<T, StoreError> {
    let details: String = row.try_get("details")?;
    serde_json::from_str(&details).map_err(|_| StoreError::BadRow { what, value: details.chars().take(200).collect() })
}
