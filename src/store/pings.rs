//! Members' own pings: who waits for what, and the rows that call them.

use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use super::accounts::account_name;
use super::outbox::PING;
use super::servers::state_from;
use super::{Store, StoreError};
use crate::domain::ids::{AccountName, ChannelId, GuildId, ServerId, UserId};
use crate::domain::ping::{Call, MOST_OF_GUILD, MOST_OF_MEMBER, News, Progress, Standing, Wish};
use crate::domain::timestamp::Timestamp;

/// A game server, by its account and its id there.
pub type Place = (AccountName, ServerId);

/// Somebody who waits for something on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// In which guild.
    pub guild: GuildId,
    /// Who.
    pub user: UserId,
    /// On which server.
    pub place: Place,
    /// For what.
    pub wish: Wish,
    /// How far that has come.
    pub progress: Progress,
}

/// What became of a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// It is waited for.
    Done {
        /// Where it is told.
        channel: ChannelId,
        /// How far it has come.
        progress: Progress,
        /// Of how many players it took the place.
        instead_of: Option<u32>,
    },
    /// It was there already.
    There(ChannelId),
    /// The guild allows no channel for it.
    NotAllowed,
    /// The guild is not linked to such a server.
    NoSuchServer,
    /// The member has as many as one may have.
    TooManyOfMember,
    /// The guild has as many as one may have.
    TooManyOfGuild,
}

/// How a server stands. The statement must name the table `servers`.
const STANDING: &str = "servers.account, servers.server_id, servers.state, servers.state_since, servers.state_cause,
    servers.says_when_it_stops, servers.said_started_at, servers.wiped_at, (SELECT COUNT(*) FROM online_players
        WHERE online_players.account = servers.account AND online_players.server_id = servers.server_id) AS online";

const WAITING: &str = "account, guild_id, user_id, server_id, wish, players, armed, wiped_at, pinged_at";

impl Store {
    /// Has a member wait for something; of `players`, for another number than before. How the server stands can't change
    /// meanwhile, so nothing comes about unseen.
    pub async fn ask_for_ping(
        &self,
        (guild, user): (GuildId, UserId),
        (account, server): &Place,
        wish: Wish,
        now: Timestamp,
    ) -> Result<Asked, StoreError> {
        let mut transaction = self.write().await?;
        // Held, so that no two of them count the same rows.
        let allowed = self.hold_ping_channel(&mut transaction, guild, " FOR UPDATE").await?;
        let Some(channel) = allowed else { return Ok(Asked::NotAllowed) };
        // Held before its players are counted: a statement that waits for the server counts those of before it waited.
        self.hold_server(&mut transaction, account, server).await?;
        let query = format!(
            "SELECT {STANDING} FROM servers JOIN links ON links.account = servers.account
             WHERE links.guild_id = $1 AND servers.account = $2 AND server_id = $3"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(guild.to_column())
            .bind(account.as_str())
            .bind(server.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else { return Ok(Asked::NoSuchServer) };
        let (_, standing) = standing_from(&row)?;
        let instead_of = match room(&mut transaction, (guild, user), (account, server), wish).await? {
            Room::There => return Ok(Asked::There(channel)),
            Room::FullOfMember => return Ok(Asked::TooManyOfMember),
            Room::FullOfGuild => return Ok(Asked::TooManyOfGuild),
            Room::InsteadOf(players) => Some(players),
            Room::Free => None,
        };
        let progress = Progress::begin(wish, &standing, now);
        sqlx::query(
            "INSERT INTO pings (guild_id, user_id, account, server_id, wish, players, armed, wiped_at, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (guild_id, user_id, account, server_id, wish)
             DO UPDATE SET players = excluded.players, armed = excluded.armed",
        )
        .bind(guild.to_column())
        .bind(user.to_column())
        .bind(account.as_str())
        .bind(server.as_str())
        .bind(wish.name())
        .bind(i64::from(wish.players()))
        .bind(i64::from(progress.armed))
        .bind(progress.wiped_at.map(Timestamp::nanoseconds))
        .bind(now.nanoseconds())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        // Whose account nobody has bound is read from now on.
        self.ring_configuration();
        Ok(Asked::Done { channel, progress, instead_of })
    }

    /// What a member of a guild waits for, by server.
    pub async fn pings_of_member(&self, guild: GuildId, user: UserId) -> Result<Vec<Waiting>, StoreError> {
        let query = format!(
            "SELECT {WAITING} FROM pings WHERE guild_id = $1 AND user_id = $2 ORDER BY account, server_id, wish"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(guild.to_column())
            .bind(user.to_column())
            .fetch_all(&self.reader)
            .await?;
        rows.iter().map(waiting_from).collect()
    }

    /// Ends what a member waits for on a server, or on all; answers with how much that was.
    pub async fn leave_pings(&self, guild: GuildId, user: UserId, place: Option<&Place>) -> Result<u64, StoreError> {
        let left = sqlx::query(
            "DELETE FROM pings WHERE guild_id = $1 AND user_id = $2
             AND (CAST($3 AS TEXT) IS NULL OR account = $3 AND server_id = $4)",
        )
        .bind(guild.to_column())
        .bind(user.to_column())
        .bind(place.map(|(account, _)| account.as_str()))
        .bind(place.map(|(_, server)| server.as_str()))
        .execute(&self.writer)
        .await?;
        Ok(left.rows_affected())
    }

    /// How each server stands that anybody waits for, of one account or of all.
    pub async fn awaited_servers(&self, account: Option<&AccountName>) -> Result<Vec<(Place, Standing)>, StoreError> {
        let of = if account.is_some() { "servers.account = $1 AND " } else { "" };
        let query = format!(
            "SELECT {STANDING} FROM servers WHERE {of}EXISTS (
                 SELECT 1 FROM pings WHERE pings.account = servers.account AND pings.server_id = servers.server_id)"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(query));
        let query = account.into_iter().fold(query, |query, account| query.bind(account.as_str()));
        let rows = query.fetch_all(&self.reader).await?;
        rows.iter().map(standing_from).collect()
    }

    /// How a server stands; `None` where nothing is known of it.
    pub async fn standing(&self, (account, server): &Place) -> Result<Option<Standing>, StoreError> {
        let query = format!("SELECT {STANDING} FROM servers WHERE account = $1 AND server_id = $2");
        let row = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(account.as_str())
            .bind(server.as_str())
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.as_ref().map(standing_from).transpose()?.map(|(_, standing)| standing))
    }

    /// Who waits for something on a server, by guild.
    pub async fn waiting_for(&self, (account, server): &Place) -> Result<Vec<Waiting>, StoreError> {
        let query = format!(
            "SELECT {WAITING} FROM pings WHERE account = $1 AND server_id = $2
             ORDER BY guild_id, wish, created_at, user_id"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(account.as_str())
            .bind(server.as_str())
            .fetch_all(&self.reader)
            .await?;
        rows.iter().map(waiting_from).collect()
    }

    /// Notes how far it has come for members of one guild who wait for something on one server, and puts a row into the
    /// allowed channel's lane that calls them, where there is `news` for them and a channel is allowed: all or nothing. Who
    /// left it meanwhile, or asked for something else, is left out. Answers with how many are called.
    pub async fn note_progress(
        &self,
        moved: &[(Waiting, Progress)],
        news: Option<News>,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let Some((first, _)) = moved.first() else { return Ok(0) };
        let mut transaction = self.write().await?;
        let channel = match news {
            // Held, so that nobody is called where that was just taken back.
            Some(news) => self
                .hold_ping_channel(&mut transaction, first.guild, " FOR SHARE")
                .await?
                .map(|channel| (channel, news)),
            None => None,
        };
        let mut users = Vec::new();
        for (waiting, progress) in moved {
            // Who is not told, because it is not allowed any more, was not pinged.
            let pinged_at = if channel.is_some() { progress.pinged_at } else { waiting.progress.pinged_at };
            if move_on(&mut transaction, waiting, &Progress { pinged_at, ..*progress }).await? {
                users.push(waiting.user);
            }
        }
        let called = channel.filter(|_| !users.is_empty());
        let Some((channel, news)) = called else {
            transaction.commit().await?;
            return Ok(0);
        };
        let name = name_of(&mut transaction, first).await?;
        let (account, server) = &first.place;
        let count = users.len();
        let call = Call { server: server.clone(), name, news, at: now, users };
        self.insert_call(&mut transaction, channel, account, &call, now).await?;
        transaction.commit().await?;
        self.ring_lanes([channel]);
        Ok(count)
    }

    async fn insert_call(
        &self,
        transaction: &mut Transaction<'_, Any>,
        channel: ChannelId,
        account: &AccountName,
        call: &Call,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO outbox (id, channel_id, account, server_id, stored_at, sequence, details, mention_roles, form,
                                 recorded_at)
             VALUES ($1, $2, $3, $4, $5, 0, $6, '', $7, $5)",
        )
        .bind(self.next_number())
        .bind(channel.to_column())
        .bind(account.as_str())
        .bind(call.server.as_str())
        .bind(now.nanoseconds())
        .bind(serde_json::to_string(call).expect("calls are texts and numbers"))
        .bind(PING)
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }
}

/// What there is in the place of something that is asked for, or whether there is room for it.
enum Room {
    There,
    InsteadOf(u32),
    FullOfMember,
    FullOfGuild,
    Free,
}

async fn room(
    transaction: &mut Transaction<'_, Any>,
    (guild, user): (GuildId, UserId),
    (account, server): (&AccountName, &ServerId),
    wish: Wish,
) -> Result<Room, StoreError> {
    let row = sqlx::query(
        "SELECT COUNT(*), COUNT(CASE WHEN user_id = $2 THEN 1 END),
                COALESCE(MAX(CASE WHEN user_id = $2 AND account = $3 AND server_id = $4 AND wish = $5 THEN players END), -1)
         FROM pings WHERE guild_id = $1",
    )
    .bind(guild.to_column())
    .bind(user.to_column())
    .bind(account.as_str())
    .bind(server.as_str())
    .bind(wish.name())
    .fetch_one(&mut **transaction)
    .await?;
    let (of_guild, of_member, players): (i64, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(match players {
        there if there == i64::from(wish.players()) => Room::There,
        there @ 0.. => Room::InsteadOf(u32::try_from(there).unwrap_or(u32::MAX)),
        _ if of_member >= MOST_OF_MEMBER => Room::FullOfMember,
        _ if of_guild >= MOST_OF_GUILD => Room::FullOfGuild,
        _ => Room::Free,
    })
}

/// What the guild of somebody who waits calls the server.
async fn name_of(transaction: &mut Transaction<'_, Any>, waiting: &Waiting) -> Result<Option<String>, StoreError> {
    let (account, server) = &waiting.place;
    let row = sqlx::query("SELECT name FROM named_servers WHERE guild_id = $1 AND account = $2 AND server_id = $3")
        .bind(waiting.guild.to_column())
        .bind(account.as_str())
        .bind(server.as_str())
        .fetch_optional(&mut **transaction)
        .await?;
    Ok(row.map(|row| row.try_get::<Option<String>, _>(0)).transpose()?.flatten())
}

/// Whether somebody still waits for it as they did, and so was moved on.
async fn move_on(
    transaction: &mut Transaction<'_, Any>,
    before: &Waiting,
    after: &Progress,
) -> Result<bool, StoreError> {
    let moved = sqlx::query(
        "UPDATE pings SET armed = $1, wiped_at = $2, pinged_at = $3
         WHERE guild_id = $4 AND user_id = $5 AND account = $6 AND server_id = $7 AND wish = $8 AND players = $9
             AND armed = $10 AND COALESCE(wiped_at, 0) = $11",
    )
    .bind(i64::from(after.armed))
    .bind(after.wiped_at.map(Timestamp::nanoseconds))
    .bind(after.pinged_at.map(Timestamp::nanoseconds))
    .bind(before.guild.to_column())
    .bind(before.user.to_column())
    .bind(before.place.0.as_str())
    .bind(before.place.1.as_str())
    .bind(before.wish.name())
    .bind(i64::from(before.wish.players()))
    .bind(i64::from(before.progress.armed))
    .bind(before.progress.wiped_at.map_or(0, Timestamp::nanoseconds))
    .execute(&mut **transaction)
    .await?;
    Ok(moved.rows_affected() > 0)
}

fn standing_from(row: &AnyRow) -> Result<(Place, Standing), StoreError> {
    let standing = Standing {
        state: state_from(row)?.state,
        players: u32::try_from(row.try_get::<i64, _>("online")?).unwrap_or(u32::MAX),
        wiped_at: row.try_get::<Option<i64>, _>("wiped_at")?.map(Timestamp::from_nanoseconds),
    };
    Ok(((account_name(row, 0)?, ServerId::from(row.try_get::<String, _>(1)?)), standing))
}

fn waiting_from(row: &AnyRow) -> Result<Waiting, StoreError> {
    let wish: String = row.try_get("wish")?;
    let players = u32::try_from(row.try_get::<i64, _>("players")?).unwrap_or(u32::MAX);
    let moment = |column| row.try_get::<Option<i64>, _>(column).map(|at| at.map(Timestamp::from_nanoseconds));
    Ok(Waiting {
        guild: GuildId::from_column(row.try_get("guild_id")?),
        user: UserId::from_column(row.try_get("user_id")?),
        place: (account_name(row, 0)?, ServerId::from(row.try_get::<String, _>("server_id")?)),
        wish: Wish::from_name(&wish, players).ok_or(StoreError::BadRow { what: "wish", value: wish })?,
        progress: Progress {
            armed: row.try_get::<i64, _>("armed")? != 0,
            wiped_at: moment("wiped_at")?,
            pinged_at: moment("pinged_at")?,
        },
    })
}
