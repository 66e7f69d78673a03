//! What is stored of a player, wherever that is.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, StoreError};
use crate::domain::ids::{AccountName, PlayerId};
use crate::domain::timestamp::Timestamp;
use crate::domain::trace::Trace;

/// All that names a player.
#[derive(Debug, Default, Serialize)]
pub struct Stored {
    /// The last names heard.
    pub names: Vec<StoredName>,
    /// The servers that the player is on.
    pub stays: Vec<StoredStay>,
    /// Events on their way to a channel, or in a message.
    pub events: Vec<StoredEvent>,
    /// Messages with such events, as they are sent to Discord.
    pub messages: Vec<StoredMessage>,
    /// Subjects of what was no event.
    pub rejects: Vec<StoredReject>,
}

/// A player's name.
#[derive(Debug, Serialize)]
pub struct StoredName {
    account: String,
    name: String,
    heard_at: String,
}

/// A player's being on a server.
#[derive(Debug, Serialize)]
pub struct StoredStay {
    account: String,
    server: String,
    since: String,
}

/// An event that names the player.
#[derive(Debug, Serialize)]
pub struct StoredEvent {
    #[serde(skip)]
    pub(super) id: i64,
    account: String,
    server: String,
    channel: String,
    form: String,
    pub(super) player: Option<String>,
    player_name: Option<String>,
    stored_at: String,
    sequence: i64,
    pub(super) details: Value,
    /// The message that tells it; none while it waits.
    message: Option<i64>,
}

/// A message that names the player.
#[derive(Debug, Serialize)]
pub struct StoredMessage {
    pub(super) message: i64,
    channel: String,
    /// Its id in Discord.
    discord_id: Option<String>,
    state: String,
    sealed_at: String,
    settled_at: Option<String>,
    body: Value,
    attachment: Option<String>,
}

/// Something on a stream that was no event.
#[derive(Debug, Serialize)]
pub struct StoredReject {
    pub(super) account: String,
    pub(super) subject: String,
    stored_at: String,
    pub(super) sequence: i64,
    size: i64,
    reason: String,
}

impl Stored {
    /// Whether nothing names the player.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.names.is_empty()
            && self.stays.is_empty()
            && self.events.is_empty()
            && self.messages.is_empty()
            && self.rejects.is_empty()
    }

    /// The accounts in which the player was heard, each with how many names and events there are.
    #[must_use]
    pub fn accounts(&self) -> BTreeMap<&str, (usize, usize)> {
        let mut accounts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for name in &self.names {
            accounts.entry(&name.account).or_default().0 += 1;
        }
        for event in &self.events {
            accounts.entry(&event.account).or_default().1 += 1;
        }
        let others = self.stays.iter().map(|stay| &stay.account);
        for account in others.chain(self.rejects.iter().map(|reject| &reject.account)) {
            accounts.entry(account).or_default();
        }
        accounts
    }
}

/// Rows of a table whose text may name the player: it is looked at more closely then.
fn alike(column: &str, needles: &[String]) -> String {
    let first = 3;
    let tests: Vec<_> = (0..needles.len()).map(|at| format!("{column} LIKE ${} ESCAPE '!'", first + at)).collect();
    format!("({})", tests.join(" OR "))
}

fn pattern(needle: &str) -> String {
    let escaped = needle.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{escaped}%")
}

impl Store {
    /// All that names a player, in everything or in what was heard of one account.
    pub async fn stored_of(&self, player: &PlayerId, account: Option<&AccountName>) -> Result<Stored, StoreError> {
        let trace = Trace::of(player);
        let of = Asked { player, account, needles: trace.needles() };
        let names = self
            .asked(
                "SELECT account, name, heard_at FROM players WHERE player_id = $1 AND ($2 = '' OR account = $2)",
                &of,
                0,
            )
            .await?;
        let stays = self
            .asked(
                "SELECT account, server_id, since FROM online_players WHERE player_id = $1 AND ($2 = '' OR account = $2)",
                &of,
                0,
            )
            .await?;
        let events = format!(
            "SELECT id, account, server_id, channel_id, form, player_id, player_name, stored_at, sequence, details, message_id
             FROM outbox WHERE form NOT IN ('notice', 'ping') AND ($2 = '' OR account = $2) AND (player_id = $1 OR {}) ORDER BY id",
            alike("details", &of.needles)
        );
        let events = self.asked(&events, &of, of.needles.len()).await?;
        let events: Vec<StoredEvent> = events.iter().map(event_from).collect::<Result<_, _>>()?;
        let events: Vec<_> = events
            .into_iter()
            .filter(|event| event.player.as_deref() == Some(player.as_str()) || trace.is_in_details(&event.details))
            .collect();
        let rejects = format!(
            "SELECT account, subject, stored_at, sequence, size, reason FROM rejects
             WHERE $1 <> '' AND ($2 = '' OR account = $2) AND {} ORDER BY account, stored_at, sequence",
            alike("subject", &of.needles)
        );
        let rejects = self.asked(&rejects, &of, of.needles.len()).await?;
        let rejects: Vec<StoredReject> = rejects.iter().map(reject_from).collect::<Result<_, _>>()?;
        Ok(Stored {
            names: names.iter().map(name_from).collect::<Result<_, _>>()?,
            stays: stays.iter().map(stay_from).collect::<Result<_, _>>()?,
            messages: self.messages_of(&of, &trace, &events).await?,
            events,
            rejects: rejects.into_iter().filter(|reject| trace.is_in(&reject.subject)).collect(),
        })
    }

    /// The messages with these events, and those whose text names the player.
    async fn messages_of(
        &self,
        of: &Asked<'_>,
        trace: &Trace,
        events: &[StoredEvent],
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let columns = "id, channel_id, discord_id, state, sealed_at, settled_at, body, attachment";
        let ids: BTreeSet<i64> = events.iter().filter_map(|event| event.message).collect();
        let mut messages = Vec::new();
        for id in &ids {
            let query = format!("SELECT {columns} FROM messages WHERE id = $1");
            let row = sqlx::query(sqlx::AssertSqlSafe(query)).bind(id).fetch_optional(&self.reader).await?;
            // Forgotten at this very moment: then it is not there.
            messages.extend(row.as_ref().map(message_from).transpose()?);
        }
        let alike = format!(
            "SELECT {columns} FROM messages WHERE $1 <> '' AND ($2 = '' OR EXISTS (
                 SELECT 1 FROM outbox WHERE outbox.message_id = messages.id AND outbox.account = $2))
             AND ({} OR {}) ORDER BY id",
            alike("body", &of.needles),
            alike("COALESCE(attachment, '')", &of.needles),
        );
        for row in self.asked(&alike, of, of.needles.len()).await? {
            let message = message_from(&row)?;
            let names =
                trace.is_in_body(&message.body) || message.attachment.as_deref().is_some_and(|it| trace.is_in(it));
            if names && !ids.contains(&message.message) {
                messages.push(message);
            }
        }
        Ok(messages)
    }

    /// Asks with a player's id, the account or an empty text, and as many patterns as the query has.
    async fn asked(&self, query: &str, of: &Asked<'_>, patterns: usize) -> Result<Vec<AnyRow>, StoreError> {
        let mut asked = sqlx::query(sqlx::AssertSqlSafe(query.to_owned()))
            .bind(of.player.as_str())
            .bind(of.account.map_or("", AccountName::as_str));
        for needle in &of.needles[..patterns] {
            asked = asked.bind(pattern(needle));
        }
        Ok(asked.fetch_all(&self.reader).await?)
    }
}

/// Of whom something is asked.
struct Asked<'a> {
    player: &'a PlayerId,
    account: Option<&'a AccountName>,
    needles: Vec<String>,
}

fn moment(row: &AnyRow, column: &str) -> Result<String, StoreError> {
    Ok(Timestamp::from_nanoseconds(row.try_get(column)?).rfc3339())
}

fn snowflake(row: &AnyRow, column: &str) -> Result<String, StoreError> {
    Ok(row.try_get::<i64, _>(column)?.cast_unsigned().to_string())
}

/// JSON as it is stored; what is none, as a text.
fn json(text: String) -> Value {
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

fn name_from(row: &AnyRow) -> Result<StoredName, StoreError> {
    Ok(StoredName { account: row.try_get("account")?, name: row.try_get("name")?, heard_at: moment(row, "heard_at")? })
}

fn stay_from(row: &AnyRow) -> Result<StoredStay, StoreError> {
    Ok(StoredStay { account: row.try_get("account")?, server: row.try_get("server_id")?, since: moment(row, "since")? })
}

fn event_from(row: &AnyRow) -> Result<StoredEvent, StoreError> {
    Ok(StoredEvent {
        id: row.try_get("id")?,
        account: row.try_get("account")?,
        server: row.try_get("server_id")?,
        channel: snowflake(row, "channel_id")?,
        form: row.try_get("form")?,
        player: row.try_get("player_id")?,
        player_name: row.try_get("player_name")?,
        stored_at: moment(row, "stored_at")?,
        sequence: row.try_get("sequence")?,
        details: json(row.try_get("details")?),
        message: row.try_get("message_id")?,
    })
}

fn message_from(row: &AnyRow) -> Result<StoredMessage, StoreError> {
    let settled: Option<i64> = row.try_get("settled_at")?;
    let discord_id: Option<i64> = row.try_get("discord_id")?;
    Ok(StoredMessage {
        message: row.try_get("id")?,
        channel: snowflake(row, "channel_id")?,
        discord_id: discord_id.map(|id| id.cast_unsigned().to_string()),
        state: row.try_get("state")?,
        sealed_at: moment(row, "sealed_at")?,
        settled_at: settled.map(|at| Timestamp::from_nanoseconds(at).rfc3339()),
        body: json(row.try_get("body")?),
        attachment: row.try_get("attachment")?,
    })
}

fn reject_from(row: &AnyRow) -> Result<StoredReject, StoreError> {
    Ok(StoredReject {
        account: row.try_get("account")?,
        subject: row.try_get("subject")?,
        stored_at: moment(row, "stored_at")?,
        sequence: row.try_get("sequence")?,
        size: row.try_get("size")?,
        reason: row.try_get("reason")?,
    })
}
