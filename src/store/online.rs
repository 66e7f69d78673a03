//! Who is on which server, as `domain::online` says.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::{Any, Row, Transaction};

use super::accounts::account_name;
use super::{Store, StoreError};
use crate::domain::ids::{AccountName, GuildId, PlayerId, ServerId};
use crate::domain::online::{MOST_PLAYERS, Stay};
use crate::domain::timestamp::Timestamp;

/// A player on a server of an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// Which server.
    pub server_id: ServerId,
    /// Which player.
    pub player_id: PlayerId,
}

/// Somebody who is on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayerOn {
    /// Who.
    pub player: PlayerId,
    /// The last name heard of them, where one was.
    pub name: Option<String>,
    /// Since when they are there.
    pub since: Timestamp,
}

#[derive(Serialize)]
struct KeptStay<'a> {
    #[serde(flatten)]
    place: &'a Place,
    since: i64,
    earlier_end_until: Option<i64>,
}

/// What is known of some places.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Stays {
    /// Those where the player is.
    pub known: BTreeMap<Place, Stay>,
    /// How many are on each of the servers that anybody is on.
    pub counts: BTreeMap<ServerId, usize>,
}

impl Store {
    /// What is known of `places` and their servers, in one statement.
    pub async fn stays(
        &self,
        transaction: &mut Transaction<'_, Any>,
        account: &AccountName,
        places: &[&Place],
    ) -> Result<Stays, StoreError> {
        let mut stays = Stays::default();
        if places.is_empty() {
            return Ok(stays);
        }
        let statement = self.choose(
            "SELECT online_players.server_id, online_players.player_id, since, earlier_end_until, 0 FROM json_each($2)
             JOIN online_players ON account = $1 AND server_id = value ->> 'server_id' AND player_id = value ->> 'player_id'
             UNION ALL SELECT server_id, NULL, NULL, NULL, COUNT(*) FROM online_players
             WHERE account = $1 AND server_id IN (SELECT value ->> 'server_id' FROM json_each($2)) GROUP BY server_id",
            "WITH places AS (
                 SELECT server_id, player_id
                 FROM json_to_recordset(CAST($2 AS json)) AS places (server_id TEXT, player_id TEXT))
             SELECT online_players.server_id, online_players.player_id, since, earlier_end_until, 0 FROM places
             JOIN online_players ON account = $1 AND online_players.server_id = places.server_id
                 AND online_players.player_id = places.player_id
             UNION ALL SELECT server_id, NULL, NULL, NULL, COUNT(*) FROM online_players
             WHERE account = $1 AND server_id IN (SELECT server_id FROM places) GROUP BY server_id",
        );
        let rows =
            sqlx::query(statement).bind(account.as_str()).bind(to_json(places)).fetch_all(&mut **transaction).await?;
        for row in &rows {
            let server = ServerId::from(row.try_get::<String, _>(0)?);
            if let Some(player) = row.try_get::<Option<String>, _>(1)? {
                let place = Place { server_id: server, player_id: PlayerId::from(player) };
                let earlier_end_until = row.try_get::<Option<i64>, _>(3)?.map(Timestamp::from_nanoseconds);
                let since = Timestamp::from_nanoseconds(row.try_get(2)?);
                stays.known.insert(place, Stay { since, earlier_end_until });
            } else {
                stays.counts.insert(server, usize::try_from(row.try_get::<i64, _>(4)?).unwrap_or(usize::MAX));
            }
        }
        Ok(stays)
    }

    /// Keeps who is where, in one statement.
    pub async fn keep_stays(
        &self,
        transaction: &mut Transaction<'_, Any>,
        account: &AccountName,
        stays: &[(&Place, Stay)],
    ) -> Result<(), StoreError> {
        if stays.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = stays
            .iter()
            .map(|(place, stay)| KeptStay {
                place,
                since: stay.since.nanoseconds(),
                earlier_end_until: stay.earlier_end_until.map(Timestamp::nanoseconds),
            })
            .collect();
        // `WHERE true` keeps SQLite's parser from reading ON CONFLICT as a join's ON.
        let keep = self.choose(
            "INSERT INTO online_players (account, server_id, player_id, since, earlier_end_until)
             SELECT $1, value ->> 'server_id', value ->> 'player_id', value ->> 'since', value ->> 'earlier_end_until'
             FROM json_each($2) WHERE true
             ON CONFLICT (account, server_id, player_id) DO UPDATE SET
                 since = excluded.since, earlier_end_until = excluded.earlier_end_until",
            "INSERT INTO online_players (account, server_id, player_id, since, earlier_end_until)
             SELECT $1, server_id, player_id, since, earlier_end_until
             FROM json_to_recordset(CAST($2 AS json)) AS rows (
                 server_id TEXT, player_id TEXT, since BIGINT, earlier_end_until BIGINT)
             ON CONFLICT (account, server_id, player_id) DO UPDATE SET
                 since = excluded.since, earlier_end_until = excluded.earlier_end_until",
        );
        sqlx::query(keep).bind(account.as_str()).bind(to_json(&rows)).execute(&mut **transaction).await?;
        Ok(())
    }

    /// Forgets those who are on a server beyond the [`MOST_PLAYERS`] who came last.
    pub async fn forget_players_beyond(
        &self,
        transaction: &mut Transaction<'_, Any>,
        account: &AccountName,
        server: &ServerId,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "DELETE FROM online_players WHERE account = $1 AND server_id = $2 AND player_id IN (
                 SELECT player_id FROM (
                     SELECT player_id, ROW_NUMBER() OVER (ORDER BY since DESC, player_id) AS place
                     FROM online_players WHERE account = $1 AND server_id = $2
                 ) AS placed WHERE place > $3)",
        )
        .bind(account.as_str())
        .bind(server.as_str())
        .bind(i64::try_from(MOST_PLAYERS).unwrap_or(i64::MAX))
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }

    /// Forgets who has left, in one statement.
    pub async fn end_stays(
        &self,
        transaction: &mut Transaction<'_, Any>,
        account: &AccountName,
        places: &[&Place],
    ) -> Result<(), StoreError> {
        if places.is_empty() {
            return Ok(());
        }
        let statement = self.choose(
            "DELETE FROM online_players WHERE account = $1 AND (server_id, player_id) IN (
                 SELECT value ->> 'server_id', value ->> 'player_id' FROM json_each($2))",
            "DELETE FROM online_players WHERE account = $1 AND (server_id, player_id) IN (
                 SELECT server_id, player_id
                 FROM json_to_recordset(CAST($2 AS json)) AS places (server_id TEXT, player_id TEXT))",
        );
        sqlx::query(statement).bind(account.as_str()).bind(to_json(places)).execute(&mut **transaction).await?;
        Ok(())
    }

    /// Notes that whoever was on a server `at` that moment is not any more: it went down, or was started anew.
    pub async fn nobody_is_on(
        &self,
        transaction: &mut Transaction<'_, Any>,
        account: &AccountName,
        server: &ServerId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM online_players WHERE account = $1 AND server_id = $2 AND since < $3")
            .bind(account.as_str())
            .bind(server.as_str())
            .bind(at.nanoseconds())
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }

    /// How many are on a server, as a transaction sees it.
    pub async fn players_on_count(
        &self,
        transaction: &mut Transaction<'_, Any>,
        account: &AccountName,
        server: &ServerId,
    ) -> Result<u64, StoreError> {
        let row = sqlx::query(COUNT).bind(account.as_str()).bind(server.as_str()).fetch_one(&mut **transaction).await?;
        Ok(row.try_get::<i64, _>(0)?.cast_unsigned())
    }

    /// How many are on a server, and up to `limit` of them: whoever came first, first.
    pub async fn players_on(
        &self,
        account: &AccountName,
        server: &ServerId,
        limit: usize,
    ) -> Result<(u64, Vec<PlayerOn>), StoreError> {
        let count = sqlx::query(COUNT).bind(account.as_str()).bind(server.as_str()).fetch_one(&self.reader).await?;
        let rows = sqlx::query(
            "SELECT online_players.player_id, players.name, since FROM online_players
             LEFT JOIN players ON players.account = online_players.account
                 AND players.player_id = online_players.player_id
             WHERE online_players.account = $1 AND server_id = $2
             ORDER BY since, online_players.player_id LIMIT $3",
        )
        .bind(account.as_str())
        .bind(server.as_str())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.reader)
        .await?;
        let players = rows
            .iter()
            .map(|row| {
                Ok(PlayerOn {
                    player: PlayerId::from(row.try_get::<String, _>(0)?),
                    name: row.try_get(1)?,
                    since: Timestamp::from_nanoseconds(row.try_get(2)?),
                })
            })
            .collect::<Result<_, StoreError>>()?;
        Ok((count.try_get::<i64, _>(0)?.cast_unsigned(), players))
    }

    /// How many are on each server of the accounts that a guild is linked to; one that is not named has nobody.
    pub async fn players_on_servers(
        &self,
        guild: GuildId,
    ) -> Result<BTreeMap<(AccountName, ServerId), u64>, StoreError> {
        let rows = sqlx::query(
            "SELECT online_players.account, server_id, COUNT(*) FROM online_players
             JOIN links ON links.account = online_players.account
             WHERE links.guild_id = $1 GROUP BY online_players.account, server_id",
        )
        .bind(guild.to_column())
        .fetch_all(&self.reader)
        .await?;
        rows.iter()
            .map(|row| {
                let server = ServerId::from(row.try_get::<String, _>(1)?);
                Ok(((account_name(row, 0)?, server), row.try_get::<i64, _>(2)?.cast_unsigned()))
            })
            .collect()
    }
}

const COUNT: &str = "SELECT COUNT(*) FROM online_players WHERE account = $1 AND server_id = $2";

fn to_json<Rows: Serialize + ?Sized>(rows: &Rows) -> String {
    serde_json::to_string(rows).expect("rows have string keys and finite numbers only")
}
