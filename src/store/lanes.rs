//! Lanes: which of them have something to do, and which are stopped because their channel takes no message.

use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, StoreError};
use crate::domain::ids::{ChannelId, GuildId};
use crate::domain::stoppage::Cause;
use crate::domain::timestamp::Timestamp;

/// The channels with rows that are in no message yet, as the table `lanes` of a statement's beginning: a step along an
/// index for each channel, where reading it whole would take seconds once dead lanes hold millions of rows.
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
         SELECT 1 FROM outbox WHERE outbox.channel_id = lanes.channel_id AND message_id IS NULL AND due_at <= $1)
     OR EXISTS (
         SELECT 1 FROM outbox WHERE outbox.channel_id = lanes.channel_id AND message_id IS NULL AND due_at > $2)
     UNION SELECT channel_id FROM given_up
     EXCEPT SELECT channel_id FROM stopped_lanes WHERE next_probe_at IS NULL OR next_probe_at > $1"
);

/// A look at one lane: each event that comes to it asks for it, so that what is held there must not be read whole. An `OR`
/// of the two ends of the index would be no search along it.
const HEAD: &str = "SELECT CASE
     WHEN EXISTS (SELECT 1 FROM stopped_lanes WHERE channel_id = $1) THEN CASE
         WHEN EXISTS (SELECT 1 FROM stopped_lanes WHERE channel_id = $1
                      AND (next_probe_at IS NULL OR next_probe_at > $2)) THEN 'nothing'
         WHEN EXISTS (SELECT 1 FROM messages WHERE channel_id = $1 AND state = 'sealed') THEN 'probe'
         WHEN EXISTS (SELECT 1 FROM outbox WHERE channel_id = $1 AND message_id IS NULL) THEN 'probe'
         WHEN EXISTS (SELECT 1 FROM given_up WHERE channel_id = $1) THEN 'probe'
         ELSE 'nothing' END
     WHEN EXISTS (SELECT 1 FROM messages WHERE channel_id = $1 AND state = 'sealed') THEN 'sealed'
     WHEN EXISTS (SELECT 1 FROM outbox WHERE channel_id = $1 AND message_id IS NULL AND due_at <= $2) THEN 'due'
     WHEN EXISTS (SELECT 1 FROM outbox WHERE channel_id = $1 AND message_id IS NULL AND due_at > $3) THEN 'due'
     WHEN EXISTS (SELECT 1 FROM given_up WHERE channel_id = $1) THEN 'due'
     ELSE 'held' END";

/// The end of a lane's soonest hold.
const HELD_UNTIL: &str = "SELECT MIN(due_at) FROM outbox WHERE channel_id = $1 AND message_id IS NULL";

/// A look at every lane for `/metrics`.
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

/// What [`stopped_lane_from`] reads.
pub(super) const STOPPED: &str = "channel_id, stopped_at, cause, reason, next_probe_at, probes";

/// A channel that takes no message of the bot's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppedLane {
    /// Which channel.
    pub channel: ChannelId,
    /// Since when.
    pub stopped_at: Timestamp,
    /// Why.
    pub cause: Cause,
    /// What Discord said, or what the gateway shows.
    pub reason: String,
    /// How often it was tried since.
    pub probes: u32,
    /// When it is tried again; `None` while only a change in Discord can help.
    pub next_probe_at: Option<Timestamp>,
}

/// Why and until when a lane is to be stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// Why.
    pub cause: Cause,
    /// What Discord said, or what the gateway shows.
    pub reason: String,
    /// When it is tried again; `None` while only a change in Discord can help.
    pub next_probe_at: Option<Timestamp>,
}

/// What a lane has to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// Nothing: all is sent, or the lane is stopped.
    Nothing,
    /// To send the message that is sealed.
    Sealed,
    /// To seal a message of what is due, or of how much was given up where nothing else is left.
    Due,
    /// To wait until that moment: what is there waits for others to be told with it.
    Held(Timestamp),
    /// To try, though it is stopped, with the message that is sealed or is to be sealed.
    Probe,
}

/// What is on its way to channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Events that are recorded and not yet delivered.
    pub events: u64,
    /// Channels that have something to send and are not stopped.
    pub due_lanes: u64,
    /// Channels that take no message.
    pub stopped_lanes: u64,
}

/// Of `ended`, whose channels are in no binding any more and have nothing left to show.
const ENDED: &str = "NOT EXISTS (SELECT 1 FROM bindings WHERE bindings.channel_id = ended.channel_id)
     AND NOT EXISTS (SELECT 1 FROM ping_channels WHERE ping_channels.channel_id = ended.channel_id)
     AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.channel_id = ended.channel_id AND message_id IS NULL)
     AND NOT EXISTS (SELECT 1 FROM messages WHERE messages.channel_id = ended.channel_id AND state = 'sealed')";

impl Store {
    /// The channels that have something to send by now and are not stopped, or are to be tried by now.
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
        let row = sqlx::query(HEAD)
            .bind(channel.to_column())
            .bind(now.nanoseconds())
            .bind(now.plus(LONGEST_HOLD).nanoseconds())
            .fetch_one(&self.reader)
            .await?;
        let head: String = row.try_get(0)?;
        Ok(match head.as_str() {
            "probe" => Head::Probe,
            "sealed" => Head::Sealed,
            "due" => Head::Due,
            "held" => self.held_until(channel).await?.map_or(Head::Nothing, Head::Held),
            _ => Head::Nothing,
        })
    }

    /// Until when what waits in a channel is held: the end of the soonest hold. `None` when nothing waits.
    pub async fn held_until(&self, channel: ChannelId) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query(HELD_UNTIL).bind(channel.to_column()).fetch_one(&self.reader).await?;
        Ok(row.try_get::<Option<i64>, _>(0)?.map(Timestamp::from_nanoseconds))
    }

    /// Stops a lane, or notes that it is stopped for another reason than before: since when, and whether somebody was
    /// told, stays. `in_vain` is its sealed message, where Discord has refused every attempt at it.
    pub async fn stop_lane(
        &self,
        channel: ChannelId,
        stop: &Stop,
        in_vain: Option<i64>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query(
            "INSERT INTO stopped_lanes (channel_id, stopped_at, cause, reason, next_probe_at)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (channel_id) DO UPDATE
             SET cause = excluded.cause, reason = excluded.reason, next_probe_at = excluded.next_probe_at",
        )
        .bind(channel.to_column())
        .bind(now.nanoseconds())
        .bind(stop.cause.name())
        .bind(&stop.reason)
        .bind(stop.next_probe_at.map(Timestamp::nanoseconds))
        .execute(&mut *transaction)
        .await?;
        if let Some(message) = in_vain {
            sqlx::query("UPDATE messages SET in_vain = 1 WHERE id = $1")
                .bind(message)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The channel as one that takes no message, if it does not.
    pub async fn stopped_lane(&self, channel: ChannelId) -> Result<Option<StoppedLane>, StoreError> {
        let query = format!("SELECT {STOPPED} FROM stopped_lanes WHERE channel_id = $1");
        let row =
            sqlx::query(sqlx::AssertSqlSafe(query)).bind(channel.to_column()).fetch_optional(&self.reader).await?;
        row.as_ref().map(stopped_lane_from).transpose()
    }

    /// Opens a lane. `false` when it was not stopped.
    pub async fn open_lane(&self, channel: ChannelId) -> Result<bool, StoreError> {
        let opened = sqlx::query("DELETE FROM stopped_lanes WHERE channel_id = $1")
            .bind(channel.to_column())
            .execute(&self.writer)
            .await?;
        self.ring_lanes([channel]);
        Ok(opened.rows_affected() > 0)
    }

    /// Forgets that lanes are stopped for whose channels nothing is left, and what was given up there: nothing is sent
    /// there any more that could show the one or tell of the other.
    pub async fn forget_ended_lanes(&self) -> Result<(), StoreError> {
        let given_up = format!(
            "DELETE FROM given_up AS ended WHERE channel_id IN (SELECT channel_id FROM stopped_lanes) AND {ENDED}"
        );
        let stopped = format!("DELETE FROM stopped_lanes AS ended WHERE {ENDED}");
        let mut transaction = self.write().await?;
        // What was given up first: it is known by its stopped lane.
        for statement in [given_up, stopped] {
            sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Sets when a stopped lane is tried next, if it still is stopped.
    pub async fn probe_lane_at(&self, channel: ChannelId, next: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE stopped_lanes SET next_probe_at = $1 WHERE channel_id = $2")
            .bind(next.nanoseconds())
            .bind(channel.to_column())
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Counts one more attempt at a stopped lane; how many that makes. Before the attempt, and with when the next may be
    /// made: whoever dies of it must not try again and again.
    pub async fn begin_probe(&self, channel: ChannelId, next: Timestamp) -> Result<u32, StoreError> {
        let row = sqlx::query(
            "UPDATE stopped_lanes SET probes = probes + 1, next_probe_at = $1 WHERE channel_id = $2 RETURNING probes",
        )
        .bind(next.nanoseconds())
        .bind(channel.to_column())
        .fetch_optional(&self.writer)
        .await?;
        let probes: i64 = row.map(|row| row.try_get(0)).transpose()?.unwrap_or_default();
        Ok(u32::try_from(probes).unwrap_or(u32::MAX))
    }

    /// Takes back the last attempt at a stopped lane, which told nothing of the channel, and sets when the next may be made.
    pub async fn take_back_probe(&self, channel: ChannelId, next: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE stopped_lanes SET probes = probes - 1, next_probe_at = $1 WHERE channel_id = $2 AND probes > 0",
        )
        .bind(next.nanoseconds())
        .bind(channel.to_column())
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Where a channel is, and whether it may be a thread, as its bindings tell, or that members are
    /// pinged there.
    pub async fn home_of_channel(&self, channel: ChannelId) -> Result<Option<(GuildId, bool)>, StoreError> {
        let row = sqlx::query(
            "SELECT guild_id, MIN(may_be_thread) FROM (
                 SELECT guild_id, COALESCE(is_thread, 1) AS may_be_thread FROM bindings WHERE channel_id = $1
                 UNION ALL SELECT guild_id, is_thread FROM ping_channels WHERE channel_id = $1) AS places
             GROUP BY guild_id",
        )
        .bind(channel.to_column())
        .fetch_optional(&self.reader)
        .await?;
        row.map(|row| Ok((GuildId::from_column(row.try_get(0)?), row.try_get::<i64, _>(1)? != 0))).transpose()
    }

    /// A guild's channels that are told anything, or those of all guilds, and whether each may be a thread.
    pub async fn channels_of(&self, guild: Option<GuildId>) -> Result<Vec<(GuildId, ChannelId, bool)>, StoreError> {
        let rows = sqlx::query(
            "SELECT guild_id, channel_id, MIN(may_be_thread) FROM (
                 SELECT guild_id, channel_id, COALESCE(is_thread, 1) AS may_be_thread FROM bindings
                 UNION ALL SELECT guild_id, channel_id, is_thread FROM ping_channels) AS places
             WHERE CAST($1 AS BIGINT) IS NULL OR guild_id = $1 GROUP BY guild_id, channel_id",
        )
        .bind(guild.map(GuildId::to_column))
        .fetch_all(&self.reader)
        .await?;
        rows.iter()
            .map(|row| {
                let (guild, channel) = (row.try_get(0)?, row.try_get(1)?);
                let may_be_thread = row.try_get::<i64, _>(2)? != 0;
                Ok((GuildId::from_column(guild), ChannelId::from_column(channel), may_be_thread))
            })
            .collect()
    }

    /// How much is on its way. The counts read partial indexes that hold only what is not done with.
    pub async fn backlog(&self) -> Result<Backlog, StoreError> {
        let row = sqlx::query(BACKLOG).fetch_one(&self.reader).await?;
        let count = |column: usize| Ok::<_, StoreError>(row.try_get::<i64, _>(column)?.cast_unsigned());
        Ok(Backlog { events: count(0)? + count(1)?, due_lanes: count(2)?, stopped_lanes: count(3)? })
    }

    /// The channels that take no message.
    pub async fn stopped_lanes(&self) -> Result<Vec<StoppedLane>, StoreError> {
        let query = format!("SELECT {STOPPED} FROM stopped_lanes");
        let rows = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_all(&self.reader).await?;
        rows.iter().map(stopped_lane_from).collect()
    }
}

pub(super) fn stopped_lane_from(row: &AnyRow) -> Result<StoppedLane, StoreError> {
    let cause: String = row.try_get(2)?;
    let probes: i64 = row.try_get(5)?;
    Ok(StoppedLane {
        channel: ChannelId::from_column(row.try_get(0)?),
        stopped_at: Timestamp::from_nanoseconds(row.try_get(1)?),
        cause: Cause::from_name(&cause).ok_or(StoreError::BadRow { what: "cause", value: cause })?,
        reason: row.try_get(3)?,
        probes: u32::try_from(probes).unwrap_or(u32::MAX),
        next_probe_at: row.try_get::<Option<i64>, _>(4)?.map(Timestamp::from_nanoseconds),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps that SQLite takes for a query.
    async fn plan(query: &'static str, moments: &[i64]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/guildwire.db", folder.path().display())).await.unwrap();
        let explained = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}")));
        let explained = moments.iter().fold(explained, |explained, moment| explained.bind(*moment));
        let plan = explained.fetch_all(&store.reader).await.unwrap();
        plan.iter().map(|row| row.try_get("detail").unwrap()).collect()
    }

    #[tokio::test]
    async fn no_look_at_the_lanes_reads_what_is_in_them() {
        for (statement, counts) in [(OPEN_LANES, 0), (BACKLOG, 1)] {
            let plan = plan(statement, &[1, 2]).await;
            let whole = plan.iter().filter(|step| step.starts_with("SCAN outbox"));
            assert_eq!(whole.count(), counts, "{plan:#?}");
            for wanted in
                ["SEARCH outbox USING INDEX outbox_held", "SEARCH outbox USING INDEX outbox_held (channel_id>?)"]
            {
                assert!(plan.iter().any(|step| step == wanted), "{plan:#?}");
            }
        }
    }

    #[tokio::test]
    async fn no_look_at_a_lane_reads_what_is_held_in_it() {
        let [sooner, later] =
            ["<", ">"].map(|end| format!("SEARCH outbox USING INDEX outbox_held (channel_id=? AND due_at{end}?)"));
        let soonest = "SEARCH outbox USING INDEX outbox_held (channel_id=?)".to_owned();
        for (statement, wanted) in
            [(OPEN_LANES, &[&sooner, &later][..]), (HEAD, &[&sooner, &later]), (HELD_UNTIL, &[&soonest])]
        {
            let plan = plan(statement, &[1, 2, 3]).await;
            assert!(wanted.iter().all(|step| plan.contains(step)), "{plan:#?}");
        }
    }
}
