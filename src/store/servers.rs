//! What is known of servers, and what guilds call them; the last names heard of players.

use std::time::Duration;

use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use super::accounts::account_name;
use super::{Store, StoreError};
use crate::domain::ids::{AccountName, GuildId, PlayerId, ServerId};
use crate::domain::outlook::{Outlook, outlook};
pub use crate::domain::presence::{SeenConnection, Tie};
use crate::domain::server_state::{Cause, ServerState, State};
use crate::domain::timestamp::Timestamp;

/// What is known of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Whose.
    pub account: AccountName,
    /// Which.
    pub id: ServerId,
    /// When anything was last heard of it.
    pub heard_at: Timestamp,
    /// How it stands.
    pub state: ServerState,
    /// When its world was wiped last, if that was heard.
    pub wiped_at: Option<Timestamp>,
    /// Which connections are its.
    pub tie: Option<Tie>,
    /// Whether somebody said that no connection is its.
    pub is_untied: bool,
    /// Its connection, as it was seen last.
    pub connection: Option<SeenConnection>,
    /// The nats-server that this is connected to, by the name that it keeps when it is started anew.
    pub connected_to: String,
    /// For how long it may be silent, where somebody said.
    pub expected_silence: Option<Duration>,
}

/// A server as a guild sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedServer {
    /// What is known of it.
    pub server: Server,
    /// What the guild calls it, where it gave it a name.
    pub name: Option<String>,
    /// Whether the guild does not want to see it.
    pub is_hidden: bool,
}

impl Server {
    /// How far what is noted of it can be relied upon `now`; `blind_since` is since when its account can't be read.
    #[must_use]
    pub fn outlook(&self, blind_since: Option<Timestamp>, now: Timestamp) -> Outlook {
        outlook(self.state, self.heard_at, self.connection.map(|seen| seen.seen_at), blind_since, now)
    }
}

impl NamedServer {
    /// What it goes by in the guild, as somebody typed it or its subjects name it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_else(|| self.server.id.as_str())
    }
}

pub(super) const TIED_BY_HAND: &str = "by_hand";
pub(super) const TIED_BY_ITSELF: &str = "by_itself";

const COLUMNS: &str = "servers.account, servers.server_id, last_event_at, state, state_since, state_cause,
    says_when_it_stops, said_started_at, wiped_at, tied_user, tied_name, tied, connected_since, connection_seen_at,
    connected_to, expected_silence";

impl Store {
    /// The servers of all accounts that the guild is linked to, by account and id, those that it hides too.
    pub async fn servers_of_guild(&self, guild: GuildId) -> Result<Vec<NamedServer>, StoreError> {
        let query = format!(
            "SELECT {COLUMNS}, name, hidden_at FROM servers JOIN links ON links.account = servers.account
             LEFT JOIN named_servers ON named_servers.guild_id = links.guild_id
                 AND named_servers.account = servers.account AND named_servers.server_id = servers.server_id
             WHERE links.guild_id = $1 ORDER BY servers.account, servers.server_id"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(query)).bind(guild.to_column()).fetch_all(&self.reader).await?;
        rows.iter()
            .map(|row| {
                let server = server_from(row)?;
                let hidden_at = moment(row, "hidden_at")?;
                let is_hidden = hidden_at.is_some_and(|at| server.heard_at <= at);
                Ok(NamedServer { server, name: row.try_get("name")?, is_hidden })
            })
            .collect()
    }

    /// The servers of an account, by id.
    pub async fn servers_of_account(&self, account: &AccountName) -> Result<Vec<Server>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM servers WHERE account = $1 ORDER BY server_id");
        let rows = sqlx::query(sqlx::AssertSqlSafe(query)).bind(account.as_str()).fetch_all(&self.reader).await?;
        rows.iter().map(server_from).collect()
    }

    /// The servers of which is said for how long they may be silent.
    pub async fn servers_with_expectation(&self) -> Result<Vec<Server>, StoreError> {
        let query =
            format!("SELECT {COLUMNS} FROM servers WHERE expected_silence IS NOT NULL ORDER BY account, server_id");
        let rows = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_all(&self.reader).await?;
        rows.iter().map(server_from).collect()
    }

    /// A server, held for this transaction: nobody else changes it before that ends.
    pub async fn hold_server(
        &self,
        transaction: &mut Transaction<'_, Any>,
        account: &AccountName,
        server: &ServerId,
    ) -> Result<Option<Server>, StoreError> {
        let lock = self.choose("", " FOR UPDATE");
        let query = format!("SELECT {COLUMNS} FROM servers WHERE account = $1 AND server_id = $2{lock}");
        let row = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(account.as_str())
            .bind(server.as_str())
            .fetch_optional(&mut **transaction)
            .await?;
        row.as_ref().map(server_from).transpose()
    }

    /// Notes how a server stands.
    pub async fn set_server_state(
        &self,
        transaction: &mut Transaction<'_, Any>,
        account: &AccountName,
        server: &ServerId,
        state: ServerState,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE servers SET state = $1, state_since = $2, state_cause = $3, says_when_it_stops = $4,
                 said_started_at = $5
             WHERE account = $6 AND server_id = $7",
        )
        .bind(state.state.name())
        .bind(state.since.map(Timestamp::nanoseconds))
        .bind(state.cause.map(Cause::name))
        .bind(i64::from(state.says_when_it_stops))
        .bind(state.said_started_at.map(Timestamp::nanoseconds))
        .bind(account.as_str())
        .bind(server.as_str())
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }

    /// The last name heard of a player.
    pub async fn player_name(&self, account: &AccountName, player: &PlayerId) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT name FROM players WHERE account = $1 AND player_id = $2")
            .bind(account.as_str())
            .bind(player.as_str())
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }
}

fn server_from(row: &AnyRow) -> Result<Server, StoreError> {
    let silence: Option<i64> = row.try_get("expected_silence")?;
    let tie = row.try_get::<Option<String>, _>("tied")?;
    let tied_user = row.try_get::<Option<String>, _>("tied_user")?;
    let connected_to = row.try_get::<Option<String>, _>("connected_to")?;
    let connection = moment(row, "connected_since")?.zip(moment(row, "connection_seen_at")?);
    Ok(Server {
        account: account_name(row, 0)?,
        id: ServerId::from(row.try_get::<String, _>(1)?),
        heard_at: Timestamp::from_nanoseconds(row.try_get("last_event_at")?),
        state: state_from(row)?,
        wiped_at: moment(row, "wiped_at")?,
        is_untied: tie.is_some() && tied_user.is_none(),
        tie: match tie.zip(tied_user) {
            None => None,
            Some((tied, user)) => Some(Tie {
                user,
                name: row.try_get::<Option<String>, _>("tied_name")?.unwrap_or_default(),
                is_by_hand: match tied.as_str() {
                    TIED_BY_HAND => true,
                    TIED_BY_ITSELF => false,
                    _ => return Err(StoreError::BadRow { what: "tie", value: tied }),
                },
            }),
        },
        connection: connection.map(|(since, seen_at)| SeenConnection { since, seen_at }),
        connected_to: connected_to.unwrap_or_default(),
        expected_silence: silence.and_then(|silence| u64::try_from(silence).ok()).map(Duration::from_nanos),
    })
}

pub(super) fn state_from(row: &AnyRow) -> Result<ServerState, StoreError> {
    let state: String = row.try_get("state")?;
    let cause: Option<String> = row.try_get("state_cause")?;
    Ok(ServerState {
        state: State::from_name(&state).ok_or(StoreError::BadRow { what: "state", value: state })?,
        since: moment(row, "state_since")?,
        cause: match cause {
            None => None,
            Some(name) => Some(Cause::from_name(&name).ok_or(StoreError::BadRow { what: "cause", value: name })?),
        },
        says_when_it_stops: row.try_get::<i64, _>("says_when_it_stops")? != 0,
        said_started_at: moment(row, "said_started_at")?,
    })
}

fn moment(row: &AnyRow, column: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_nanoseconds))
}
