//! What channels waited for too long, or too much of: deleted and counted, until a message tells how much it was.

use serde::Deserialize;
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Row, Transaction};

use super::incidents::incident_on;
use super::lanes::with_lanes;
use super::outbox::{EVENT, INCIDENT, SAMPLE, read_details};
use super::{Store, StoreError};
use crate::domain::event::Kind;
use crate::domain::given_up::GivenUp;
use crate::domain::ids::ChannelId;
use crate::domain::incident::{Chapter, Incident, Phase};
use crate::domain::timestamp::Timestamp;

/// A lane in which rows wait that are in no message yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingLane {
    /// Its channel.
    pub channel: ChannelId,
    /// When the first of its rows was put into it, or its hold ended.
    pub since: Timestamp,
    /// The last row of those that are beyond the most that it may keep, if there are any.
    pub last_beyond: Option<i64>,
    /// When a message of its channel was settled last.
    pub last_settled: Option<Timestamp>,
}

/// A sealed message that can't be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsentMessage {
    /// Its row's number.
    pub id: i64,
    /// Its channel.
    pub channel: ChannelId,
    /// What Discord said.
    pub reason: String,
}

/// What was given up at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loss {
    /// The events, by their kinds.
    pub events: Vec<GivenUp>,
    /// How many samples went. They are counted nowhere else: who asked for one is no longer there.
    pub samples: u64,
    /// How many notices went, likewise: they told how an account was doing then, or that a server was being maintained.
    pub notices: u64,
    /// Whether nothing that was given up in the channel is still to be told besides.
    pub is_first: bool,
}

impl Loss {
    /// Whether nothing was given up.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.events.is_empty() && self.samples == 0 && self.notices == 0
    }

    /// Counts what a row was to tell, which is read on `connection` where it does not say it itself.
    async fn count(&mut self, connection: &mut AnyConnection, row: &AnyRow) -> Result<(), StoreError> {
        let form: String = row.try_get("form")?;
        match form.as_str() {
            EVENT => {
                let stored = Timestamp::from_nanoseconds(row.try_get("stored_at")?);
                let kind = read_details::<OnlyKind>(row, "event")?.kind;
                self.add(GivenUp { kind, events: 1, first_stored: stored, last_stored: stored });
            }
            // What happened to a server, as far as one word says it.
            INCIDENT => {
                let stored = Timestamp::from_nanoseconds(row.try_get("stored_at")?);
                let Chapter { incident, phase } = read_details(row, "chapter")?;
                let kind = match phase {
                    Phase::Opened => Kind::ServerStopped,
                    Phase::Closed => Kind::ServerStarted,
                    // What it goes on with is told by one of the others.
                    Phase::Continued => return Ok(()),
                };
                // Maintenance stops no server, and what it ends need not be over for the server.
                let is_else = |incident: Incident| {
                    incident.maintenance.is_some() || (phase == Phase::Closed && incident.up_since.is_none())
                };
                if incident_on(connection, incident).await?.is_some_and(|kept| is_else(kept.incident)) {
                    self.notices += 1;
                    return Ok(());
                }
                self.add(GivenUp { kind, events: 1, first_stored: stored, last_stored: stored });
            }
            SAMPLE => self.samples += 1,
            _ => self.notices += 1,
        }
        Ok(())
    }

    fn add(&mut self, more: GivenUp) {
        match self.events.iter_mut().find(|it| it.kind == more.kind) {
            Some(it) => {
                it.events += more.events;
                it.first_stored = it.first_stored.min(more.first_stored);
                it.last_stored = it.last_stored.max(more.last_stored);
            }
            None => self.events.push(more),
        }
    }
}

/// Of an event's details, what is counted by.
#[derive(Deserialize)]
struct OnlyKind {
    kind: Kind,
}

/// How many rows go at once: intake must not wait long for the writer.
const AT_ONCE: i64 = 500;

/// In each lane, its ends alone.
const WAITING_LANES: &str = with_lanes!(
    "SELECT channel_id,
            (SELECT CASE WHEN due_at > recorded_at THEN due_at ELSE recorded_at END FROM outbox
             WHERE message_id IS NULL AND channel_id = lanes.channel_id ORDER BY id LIMIT 1) AS since,
            (SELECT id FROM outbox WHERE message_id IS NULL AND channel_id = lanes.channel_id
             ORDER BY id DESC LIMIT 1 OFFSET $1) AS last_beyond,
            (SELECT settled_at FROM messages WHERE settled_at IS NOT NULL AND channel_id = lanes.channel_id
             ORDER BY id DESC LIMIT 1) AS last_settled
     FROM lanes WHERE channel_id IS NOT NULL"
);

impl Store {
    /// The lanes in which rows wait that are in no message yet, and which of each are more than `most`.
    pub async fn waiting_lanes(&self, most: usize) -> Result<Vec<WaitingLane>, StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = sqlx::query(WAITING_LANES).bind(most).fetch_all(&self.reader).await?;
        // A lane that was emptied meanwhile has no first row.
        rows.iter().filter_map(|row| waiting_lane_from(row).transpose()).collect()
    }

    /// Deletes a channel's oldest rows that are in no message, as far as they were put into its lane, and
    /// their holds ended, before `due_before` and none comes after `last`, and counts them; some hundreds at most. Where nothing is left of
    /// those, the answer is empty.
    pub async fn give_up_rows(&self, channel: ChannelId, due_before: Timestamp, last: i64) -> Result<Loss, StoreError> {
        let mut transaction = self.write().await?;
        // The outer condition is asked again of a row that was sealed meanwhile.
        let rows = sqlx::query(
            "DELETE FROM outbox WHERE message_id IS NULL AND id IN (
                 SELECT id FROM (SELECT id, recorded_at, due_at FROM outbox WHERE channel_id = $1 AND message_id IS NULL
                                 ORDER BY id LIMIT $4) AS oldest
                 WHERE recorded_at < $2 AND due_at < $2 AND id <= $3)
             RETURNING form, details, stored_at",
        )
        .bind(channel.to_column())
        .bind(due_before.nanoseconds())
        .bind(last)
        .bind(AT_ONCE)
        .fetch_all(&mut *transaction)
        .await?;
        let mut loss = Loss::default();
        for row in &rows {
            loss.count(&mut transaction, row).await?;
        }
        count_loss(&mut transaction, channel, &mut loss).await?;
        transaction.commit().await?;
        Ok(loss)
    }

    /// The messages that were sealed before `cutoff` and whose channels are not tried any more.
    pub async fn abandoned_messages(&self, cutoff: Timestamp) -> Result<Vec<UnsentMessage>, StoreError> {
        let rows = sqlx::query(
            "SELECT messages.id, messages.channel_id, stopped_lanes.reason
             FROM messages JOIN stopped_lanes ON stopped_lanes.channel_id = messages.channel_id
             WHERE state = 'sealed' AND sealed_at < $1 AND next_probe_at IS NULL",
        )
        .bind(cutoff.nanoseconds())
        .fetch_all(&self.reader)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(UnsentMessage {
                    id: row.try_get(0)?,
                    channel: ChannelId::from_column(row.try_get(1)?),
                    reason: row.try_get(2)?,
                })
            })
            .collect()
    }

    /// Sets a sealed message aside for good and counts its events, and what it was to tell of such counts. The answer is
    /// empty where it was settled meanwhile.
    pub async fn give_up_message(
        &self,
        message: &UnsentMessage,
        reason: &str,
        now: Timestamp,
    ) -> Result<Loss, StoreError> {
        // Before the transaction: they don't change any more, and may be thousands.
        let mut connection = self.reader.acquire().await?;
        let rows = sqlx::query("SELECT form, details, stored_at FROM outbox WHERE message_id = $1")
            .bind(message.id)
            .fetch_all(&mut *connection)
            .await?;
        let mut loss = Loss::default();
        for row in &rows {
            loss.count(&mut connection, row).await?;
        }
        drop(connection);
        let mut transaction = self.write().await?;
        let settled = sqlx::query(
            "UPDATE messages SET state = 'parked', reason = $1, settled_at = $2, attachment = NULL
             WHERE id = $3 AND state = 'sealed' RETURNING given_up",
        )
        .bind(reason)
        .bind(now.nanoseconds())
        .bind(message.id)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(settled) = settled else {
            transaction.rollback().await?;
            return Ok(Loss::default());
        };
        for untold in told_by(&settled)? {
            loss.add(untold);
        }
        count_loss(&mut transaction, message.channel, &mut loss).await?;
        transaction.commit().await?;
        Ok(loss)
    }

    /// What a sealed message tells of what was given up.
    pub async fn given_up_in(&self, message: i64) -> Result<Vec<GivenUp>, StoreError> {
        let row =
            sqlx::query("SELECT given_up FROM messages WHERE id = $1").bind(message).fetch_one(&self.reader).await?;
        told_by(&row)
    }

    /// What was given up in a channel and is in no message yet, in the order of the kinds' names.
    pub async fn given_up(&self, channel: ChannelId) -> Result<Vec<GivenUp>, StoreError> {
        let rows = sqlx::query(
            "SELECT kind, events, first_stored, last_stored FROM given_up WHERE channel_id = $1 ORDER BY kind",
        )
        .bind(channel.to_column())
        .fetch_all(&self.reader)
        .await?;
        rows.iter().map(given_up_from).collect()
    }
}

/// Notes that a message tells `told`, which is therefore not told again: what was counted since it was read is left.
/// The message's row has to be there.
pub async fn tell_given_up(
    transaction: &mut Transaction<'_, Any>,
    channel: ChannelId,
    message: i64,
    told: &[GivenUp],
) -> Result<(), StoreError> {
    if told.is_empty() {
        return Ok(());
    }
    sqlx::query("UPDATE messages SET given_up = $1 WHERE id = $2")
        .bind(serde_json::to_string(told).expect("counts are JSON"))
        .bind(message)
        .execute(&mut **transaction)
        .await?;
    for it in told {
        // The oldest are given up first: what is left was stored later than what is told.
        sqlx::query("UPDATE given_up SET events = events - $1, first_stored = $2 WHERE channel_id = $3 AND kind = $4")
            .bind(it.events.cast_signed())
            .bind(it.last_stored.nanoseconds())
            .bind(channel.to_column())
            .bind(it.kind.name())
            .execute(&mut **transaction)
            .await?;
    }
    sqlx::query("DELETE FROM given_up WHERE channel_id = $1 AND events <= 0")
        .bind(channel.to_column())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// Adds what is lost to what the channel is still to be told.
async fn count_loss(
    transaction: &mut Transaction<'_, Any>,
    channel: ChannelId,
    loss: &mut Loss,
) -> Result<(), StoreError> {
    let counted = sqlx::query("SELECT 1 FROM given_up WHERE channel_id = $1 LIMIT 1")
        .bind(channel.to_column())
        .fetch_optional(&mut **transaction)
        .await?;
    loss.is_first = counted.is_none();
    for it in &loss.events {
        sqlx::query(
            "INSERT INTO given_up (channel_id, kind, events, first_stored, last_stored) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (channel_id, kind) DO UPDATE SET
                 events = given_up.events + excluded.events,
                 first_stored = CASE WHEN excluded.first_stored < given_up.first_stored
                     THEN excluded.first_stored ELSE given_up.first_stored END,
                 last_stored = CASE WHEN excluded.last_stored > given_up.last_stored
                     THEN excluded.last_stored ELSE given_up.last_stored END",
        )
        .bind(channel.to_column())
        .bind(it.kind.name())
        .bind(it.events.cast_signed())
        .bind(it.first_stored.nanoseconds())
        .bind(it.last_stored.nanoseconds())
        .execute(&mut **transaction)
        .await?;
    }
    Ok(())
}

/// What a message was to tell of what was given up.
fn told_by(row: &AnyRow) -> Result<Vec<GivenUp>, StoreError> {
    let Some(told) = row.try_get::<Option<String>, _>("given_up")? else { return Ok(Vec::new()) };
    serde_json::from_str(&told).map_err(|_| StoreError::BadRow { what: "count of what was given up", value: told })
}

fn waiting_lane_from(row: &AnyRow) -> Result<Option<WaitingLane>, StoreError> {
    let moment =
        |column: &str| Ok::<_, StoreError>(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_nanoseconds));
    let Some(since) = moment("since")? else { return Ok(None) };
    Ok(Some(WaitingLane {
        channel: ChannelId::from_column(row.try_get("channel_id")?),
        since,
        last_beyond: row.try_get("last_beyond")?,
        last_settled: moment("last_settled")?,
    }))
}

fn given_up_from(row: &AnyRow) -> Result<GivenUp, StoreError> {
    let kind: String = row.try_get("kind")?;
    Ok(GivenUp {
        kind: Kind::from_name(&kind).ok_or(StoreError::BadRow { what: "kind", value: kind })?,
        events: row.try_get::<i64, _>("events")?.cast_unsigned(),
        first_stored: Timestamp::from_nanoseconds(row.try_get("first_stored")?),
        last_stored: Timestamp::from_nanoseconds(row.try_get("last_stored")?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_lane_is_read_whole_to_see_whether_it_is_too_long() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/guildwire.db", folder.path().display())).await.unwrap();
        let explained = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {WAITING_LANES}")));
        let plan = explained.bind(1_i64).fetch_all(&store.reader).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.try_get("detail").unwrap()).collect();
        let is_whole = |step: &String| step.starts_with("SCAN") && step != "SCAN lanes";
        assert!(!plan.iter().any(|step| is_whole(step) || step.contains("TEMP B-TREE")), "{plan:#?}");
        let wanted = "SEARCH outbox USING INDEX outbox_due (channel_id=?)";
        assert_eq!(plan.iter().filter(|step| *step == wanted).count(), 2, "{plan:#?}");
    }
}
