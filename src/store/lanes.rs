//! Lanes: which of them have something to do, and which are stopped because their channel refuses the bot.

use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, StoreError};
use crate::domain::ids::ChannelId;
use crate::domain::timestamp::Timestamp;

/// The channels with rows that are in no message yet, as the table `lanes` of a statement's beginning: a step along the
/// index `outbox_due` for each channel, where reading it whole would take seconds once dead lanes hold millions of rows.
macro_rules! with_lanes {
    ($($statement:literal)+) => {
        concat!(
            "WITH RECURSIVE lanes (channel_id) AS (
                 SELECT MIN(channel_id) FROM outbox WHERE message_id IS NULL
                 UNION ALL
                 SELECT (SELECT MIN(channel_id) FROM outbox WHERE message_id IS NULL AND channel_id > lanes.channel_id)
                 FROM lanes WHERE channel_id IS NOT NULL
             ) ",
            $($statement)+
        )
    };
}
pub(super) use with_lanes;

/// A look at every lane: it is asked for every few seconds.
const OPEN_LANES: &str = with_lanes!(
    "SELECT channel_id FROM messages WHERE state = 'sealed'
     UNION SELECT channel_id FROM lanes WHERE EXISTS (
         SELECT 1 FROM outbox WHERE outbox.channel_id = lanes.channel_id AND message_id IS NULL
         AND (due_at <= $1 OR due_at > $2))
     UNION SELECT channel_id FROM given_up
     EXCEPT SELECT channel_id FROM stopped_lanes"
);

/// The same for `/metrics`.
const BACKLOG: &str = with_lanes!(
    "SELECT
         (SELECT COUNT(*) FROM outbox WHERE message_id IS NULL),
         (SELECT COUNT(*) FROM messages JOIN outbox ON outbox.message_id = messages.id WHERE messages.state = 'sealed'),
         (SELECT COUNT(*) FROM (
              SELECT channel_id FROM messages WHERE state = 'sealed'
              UNION SELECT channel_id FROM lanes WHERE channel_id IS NOT NULL
              UNION SELECT channel_id FROM given_up
              EXCEPT SELECT channel_id FROM stopped_lanes) AS due),
         (SELECT COUNT(*) FROM stopped_lanes)"
);

/// No hold is longer: a row that seems to be held for longer was recorded before the clock was set back, and is due.
const LONGEST_HOLD: Duration = Duration::from_hours(24);

/// A channel that refuses the bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppedLane {
    /// Which channel.
    pub channel: ChannelId,
    /// Since when.
    pub stopped_at: Timestamp,
    /// What Discord said.
    pub reason: String,
}

/// What a lane has to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// Nothing: all is sent, or its channel refuses the bot.
    Nothing,
    /// To send the message that is sealed.
    Sealed,
    /// To seal a message of what is due, or of how much was given up where nothing else is left.
    Due,
    /// To wait until that moment: what is there waits for others to be told with it.
    Held(Timestamp),
}

/// What is on its way to channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Events that are recorded and not yet delivered.
    pub events: u64,
    /// Channels that have something to send and are not stopped.
    pub due_lanes: u64,
    /// Channels that refuse the bot.
    pub stopped_lanes: u64,
}

impl Store {
    /// The channels that have something to send by now and are not stopped.
    pub async fn open_lanes(&self, now: Timestamp) -> Result<BTreeSet<ChannelId>, StoreError> {
        let rows = sqlx::query(OPEN_LANES)
            .bind(now.nanoseconds())
            .bind(now.plus(LONGEST_HOLD).nanoseconds())
            .fetch_all(&self.reader)
            .await?;
        rows.iter().map(|row| Ok(ChannelId::from_column(row.try_get(0)?))).collect()
    }

    /// What a channel's lane has to do next, in one look: events wait for it. What is held goes along with what is due.
    pub async fn head(&self, channel: ChannelId, now: Timestamp) -> Result<Head, StoreError> {
        let row = sqlx::query(
            "SELECT CASE
                 WHEN EXISTS (SELECT 1 FROM stopped_lanes WHERE channel_id = $1) THEN 'nothing'
                 WHEN EXISTS (SELECT 1 FROM messages WHERE channel_id = $1 AND state = 'sealed') THEN 'sealed'
                 WHEN EXISTS (SELECT 1 FROM outbox WHERE channel_id = $1 AND message_id IS NULL
                              AND (due_at <= $2 OR due_at > $3)) THEN 'due'
                 WHEN EXISTS (SELECT 1 FROM given_up WHERE channel_id = $1) THEN 'due'
                 ELSE 'held' END",
        )
        .bind(channel.to_column())
        .bind(now.nanoseconds())
        .bind(now.plus(LONGEST_HOLD).nanoseconds())
        .fetch_one(&self.reader)
        .await?;
        let head: String = row.try_get(0)?;
        Ok(match head.as_str() {
            "sealed" => Head::Sealed,
            "due" => Head::Due,
            "held" => self.held_until(channel).await?.map_or(Head::Nothing, Head::Held),
            _ => Head::Nothing,
        })
    }

    /// Until when what waits in a channel is held: the end of the soonest hold. `None` when nothing waits.
    pub async fn held_until(&self, channel: ChannelId) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query("SELECT MIN(due_at) FROM outbox WHERE channel_id = $1 AND message_id IS NULL")
            .bind(channel.to_column())
            .fetch_one(&self.reader)
            .await?;
        Ok(row.try_get::<Option<i64>, _>(0)?.map(Timestamp::from_nanoseconds))
    }

    /// Marks a channel as one that refuses the bot.
    pub async fn stop_lane(&self, channel: ChannelId, reason: &str, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO stopped_lanes (channel_id, stopped_at, reason) VALUES ($1, $2, $3)
             ON CONFLICT (channel_id) DO UPDATE SET reason = excluded.reason",
        )
        .bind(channel.to_column())
        .bind(now.nanoseconds())
        .bind(reason)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// The channel as one that refuses the bot, if it does.
    pub async fn stopped_lane(&self, channel: ChannelId) -> Result<Option<StoppedLane>, StoreError> {
        let row = sqlx::query("SELECT channel_id, stopped_at, reason FROM stopped_lanes WHERE channel_id = $1")
            .bind(channel.to_column())
            .fetch_optional(&self.reader)
            .await?;
        row.as_ref().map(stopped_lane_from).transpose()
    }

    /// Opens every stopped lane again, as a restart does.
    pub async fn reopen_lanes(&self) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM stopped_lanes").execute(&self.writer).await?;
        Ok(())
    }

    /// How much is on its way. The counts read partial indexes that hold only what is not done with.
    pub async fn backlog(&self) -> Result<Backlog, StoreError> {
        let row = sqlx::query(BACKLOG).fetch_one(&self.reader).await?;
        let count = |column: usize| Ok::<_, StoreError>(row.try_get::<i64, _>(column)?.cast_unsigned());
        Ok(Backlog { events: count(0)? + count(1)?, due_lanes: count(2)?, stopped_lanes: count(3)? })
    }

    /// The channels that refuse the bot.
    pub async fn stopped_lanes(&self) -> Result<Vec<StoppedLane>, StoreError> {
        let rows =
            sqlx::query("SELECT channel_id, stopped_at, reason FROM stopped_lanes").fetch_all(&self.reader).await?;
        rows.iter().map(stopped_lane_from).collect()
    }
}

fn stopped_lane_from(row: &AnyRow) -> Result<StoppedLane, StoreError> {
    Ok(StoppedLane {
        channel: ChannelId::from_column(row.try_get(0)?),
        stopped_at: Timestamp::from_nanoseconds(row.try_get(1)?),
        reason: row.try_get(2)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_look_at_the_lanes_reads_what_is_in_them() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/guildwire.db", folder.path().display())).await.unwrap();
        for (statement, counts) in [(OPEN_LANES, 0), (BACKLOG, 1)] {
            let explained = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")));
            let plan = explained.bind(1_i64).bind(2_i64).fetch_all(&store.reader).await.unwrap();
            let plan: Vec<String> = plan.iter().map(|row| row.try_get("detail").unwrap()).collect();
            let whole = plan.iter().filter(|step| step.starts_with("SCAN outbox"));
            assert_eq!(whole.count(), counts, "{plan:#?}");
            for wanted in
                ["SEARCH outbox USING INDEX outbox_due", "SEARCH outbox USING INDEX outbox_due (channel_id>?)"]
            {
                assert!(plan.iter().any(|step| step == wanted), "{plan:#?}");
            }
        }
    }
}
