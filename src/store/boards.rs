//! Boards: who wanted which where, and what their accounts have to do with that.

use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use super::accounts::account_name;
use super::audit::note;
use super::{Store, StoreError};
use crate::domain::audit::{Act, Action, By};
use crate::domain::board::{BOARDS_LIMIT, Board};
use crate::domain::ids::{AccountName, ChannelId, GuildId, ServerId, UserId};
use crate::domain::timestamp::Timestamp;

pub(super) const COLUMNS: &str = "boards.id, guild_id, channel_id, shows_all, created_by, created_at";

/// The condition under which the account `accounts.name` is subscribed: it has a binding, or a board shows it, or members
/// wait for something on its servers.
pub(super) const IS_SUBSCRIBED: &str = "(EXISTS (SELECT 1 FROM bindings WHERE bindings.account = accounts.name)
     OR EXISTS (SELECT 1 FROM pings WHERE pings.account = accounts.name)
     OR EXISTS (SELECT 1 FROM links JOIN boards ON boards.guild_id = links.guild_id
     WHERE links.account = accounts.name AND removed_at IS NULL AND (shows_all <> 0 OR EXISTS
         (SELECT 1 FROM board_servers WHERE board_id = boards.id AND board_servers.account = accounts.name))))";

/// What became of a board that was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoardAdded {
    /// It is there.
    Done,
    /// Its channel has one.
    ThereAlready,
    /// The guild has too many.
    TooMany,
    /// The guild, or an account of which servers were chosen, is linked no more.
    NotLinked,
}

/// A board in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedBoard {
    /// The board.
    pub board: Board,
    /// Its message, once it stands there.
    pub message: Option<u64>,
    /// Why it can't be kept up to date.
    pub trouble: Option<String>,
}

impl Store {
    /// Adds a board.
    pub async fn add_board(&self, board: &Board, by: &By) -> Result<BoardAdded, StoreError> {
        let mut transaction = self.write().await?;
        let accounts = accounts_of(&mut transaction, board).await?;
        let is_linked = |chosen: &Vec<(AccountName, ServerId)>| chosen.iter().all(|(of, _)| accounts.contains(of));
        if accounts.is_empty() || !board.chosen.as_ref().is_none_or(is_linked) {
            transaction.rollback().await?;
            return Ok(BoardAdded::NotLinked);
        }
        let there = sqlx::query("SELECT COUNT(*) FROM boards WHERE guild_id = $1 AND removed_at IS NULL")
            .bind(board.guild.to_column())
            .fetch_one(&mut *transaction)
            .await?;
        let added = sqlx::query(
            "INSERT INTO boards (id, guild_id, channel_id, shows_all, created_by, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (channel_id) WHERE removed_at IS NULL DO NOTHING",
        )
        .bind(board.id)
        .bind(board.guild.to_column())
        .bind(board.channel.to_column())
        .bind(i64::from(board.chosen.is_none()))
        .bind(board.created_by.to_column())
        .bind(board.created_at.nanoseconds())
        .execute(&mut *transaction)
        .await?;
        let is_full = there.try_get::<i64, _>(0)? >= i64::try_from(BOARDS_LIMIT).unwrap_or(i64::MAX);
        if added.rows_affected() == 0 || is_full {
            transaction.rollback().await?;
            return Ok(if added.rows_affected() == 0 { BoardAdded::ThereAlready } else { BoardAdded::TooMany });
        }
        for (account, server) in board.chosen.iter().flatten() {
            sqlx::query(
                "INSERT INTO board_servers (board_id, account, server_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            )
            .bind(board.id)
            .bind(account.as_str())
            .bind(server.as_str())
            .execute(&mut *transaction)
            .await?;
        }
        note_act(&mut transaction, board, &accounts, Action::BoardAdded, by).await?;
        transaction.commit().await?;
        self.ring_configuration();
        self.ring_board_list();
        Ok(BoardAdded::Done)
    }

    /// Takes a guild's board away, and gives it back; `None` when the guild has no such board. It stays, as one that was
    /// removed, until its message is deleted.
    pub async fn remove_board(&self, guild: GuildId, id: i64, by: &By) -> Result<Option<Board>, StoreError> {
        let mut transaction = self.write().await?;
        let removed =
            sqlx::query("UPDATE boards SET removed_at = $1 WHERE guild_id = $2 AND id = $3 AND removed_at IS NULL")
                .bind(by.at.nanoseconds())
                .bind(guild.to_column())
                .bind(id)
                .execute(&mut *transaction)
                .await?;
        if removed.rows_affected() == 0 {
            transaction.rollback().await?;
            return Ok(None);
        }
        let query = format!("SELECT {COLUMNS} FROM boards WHERE id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(query)).bind(id).fetch_one(&mut *transaction).await?;
        let chosen = sqlx::query(CHOSEN).bind(id).fetch_all(&mut *transaction).await?;
        let board = board_from(&row, &chosen)?;
        let accounts = accounts_of(&mut transaction, &board).await?;
        note_act(&mut transaction, &board, &accounts, Action::BoardRemoved, by).await?;
        transaction.commit().await?;
        self.ring_configuration();
        self.ring_board_list();
        Ok(Some(board))
    }

    /// A guild's boards, oldest first.
    pub async fn boards_of_guild(&self, guild: GuildId) -> Result<Vec<ListedBoard>, StoreError> {
        let query = format!(
            "SELECT {COLUMNS}, message_id, trouble FROM boards WHERE guild_id = $1 AND removed_at IS NULL ORDER BY id"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(query)).bind(guild.to_column()).fetch_all(&self.reader).await?;
        let mut boards = Vec::with_capacity(rows.len());
        for row in &rows {
            let chosen = sqlx::query(CHOSEN).bind(row.try_get::<i64, _>(0)?).fetch_all(&self.reader).await?;
            boards.push(ListedBoard {
                board: board_from(row, &chosen)?,
                message: row.try_get::<Option<i64>, _>("message_id")?.map(i64::cast_unsigned),
                trouble: row.try_get("trouble")?,
            });
        }
        Ok(boards)
    }
}

/// The servers that were chosen for a board.
pub(super) const CHOSEN: &str =
    "SELECT account, server_id FROM board_servers WHERE board_id = $1 ORDER BY account, server_id";

pub(super) fn board_from(row: &AnyRow, chosen: &[AnyRow]) -> Result<Board, StoreError> {
    let shows_all = row.try_get::<i64, _>("shows_all")? != 0;
    let chosen: Vec<_> = chosen
        .iter()
        .map(|row| Ok((account_name(row, 0)?, ServerId::from(row.try_get::<String, _>(1)?))))
        .collect::<Result<_, StoreError>>()?;
    Ok(Board {
        id: row.try_get("id")?,
        guild: GuildId::from_column(row.try_get("guild_id")?),
        channel: ChannelId::from_column(row.try_get("channel_id")?),
        chosen: if shows_all { None } else { Some(chosen) },
        created_by: UserId::from_column(row.try_get("created_by")?),
        created_at: Timestamp::from_nanoseconds(row.try_get("created_at")?),
    })
}

/// The accounts that are linked to a board's guild, by name.
async fn accounts_of(transaction: &mut Transaction<'_, Any>, board: &Board) -> Result<Vec<AccountName>, StoreError> {
    let rows = sqlx::query("SELECT account FROM links WHERE guild_id = $1 ORDER BY account")
        .bind(board.guild.to_column())
        .fetch_all(&mut **transaction)
        .await?;
    rows.iter().map(|row| account_name(row, 0)).collect()
}

/// Tells the owners of the accounts that a board shows.
async fn note_act(
    transaction: &mut Transaction<'_, Any>,
    board: &Board,
    linked: &[AccountName],
    action: Action,
    by: &By,
) -> Result<(), StoreError> {
    let is_shown =
        |account: &&AccountName| board.chosen.as_ref().is_none_or(|chosen| chosen.iter().any(|(of, _)| of == *account));
    for account in linked.iter().filter(is_shown) {
        let act = Act::on(action, account).in_guild(board.guild).with(format_args!("channel {}", board.channel));
        note(transaction, by, &act).await?;
    }
    Ok(())
}
