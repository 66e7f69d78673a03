//! The messages of boards: what is to be shown, what stands in Discord, and what is known of that after a crash.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::Row;

use super::accounts::account_name;
use super::boards::{CHOSEN, COLUMNS, board_from};
use super::{Store, StoreError};
use crate::domain::board::Board;
use crate::domain::ids::{AccountName, ChannelId};
use crate::domain::timestamp::Timestamp;

/// A board with its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptBoard {
    /// The board.
    pub board: Board,
    /// Ends the footer of its message.
    pub mark: String,
    /// Since when that message may stand there without its id being known.
    pub posting_since: Option<Timestamp>,
    /// The message.
    pub message: Option<u64>,
    /// When it was posted.
    pub posted_at: Option<Timestamp>,
    /// A message that goes once another stands.
    pub replaced: Option<u64>,
    /// When one was replaced last.
    pub replaced_at: Option<Timestamp>,
    /// The body that the message shows; `None` where that is not known.
    pub shown: Option<String>,
    /// Why it can't be kept up to date.
    pub trouble: Option<String>,
    /// Whether it was taken away.
    pub is_removed: bool,
}

/// A board in brief: where it is, and which accounts' news concern it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedBoard {
    /// Where it is.
    pub channel: ChannelId,
    /// The accounts that are linked to its guild.
    pub accounts: BTreeSet<AccountName>,
    /// Whether it was taken away.
    pub is_removed: bool,
}

impl Store {
    /// All boards, those that were taken away too, by number.
    pub async fn watched_boards(&self) -> Result<BTreeMap<i64, WatchedBoard>, StoreError> {
        let rows = sqlx::query(
            "SELECT COALESCE(account, ''), boards.id, channel_id, removed_at FROM boards
             LEFT JOIN links ON links.guild_id = boards.guild_id",
        )
        .fetch_all(&self.reader)
        .await?;
        let mut boards = BTreeMap::new();
        for row in &rows {
            let board = boards.entry(row.try_get(1)?).or_insert(WatchedBoard {
                channel: ChannelId::from_column(row.try_get(2)?),
                accounts: BTreeSet::new(),
                is_removed: row.try_get::<Option<i64>, _>(3)?.is_some(),
            });
            if !row.try_get::<String, _>(0)?.is_empty() {
                board.accounts.insert(account_name(row, 0)?);
            }
        }
        Ok(boards)
    }

    /// A board with its message.
    pub async fn kept_board(&self, id: i64) -> Result<Option<KeptBoard>, StoreError> {
        let query = format!(
            "SELECT {COLUMNS}, mark, posting_since, message_id, posted_at, replaced_id, replaced_at, shown, trouble, removed_at
             FROM boards WHERE id = $1"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(query)).bind(id).fetch_optional(&self.reader).await?;
        let Some(row) = row else { return Ok(None) };
        let chosen = sqlx::query(CHOSEN).bind(id).fetch_all(&self.reader).await?;
        let number = |column| row.try_get::<Option<i64>, _>(column);
        Ok(Some(KeptBoard {
            board: board_from(&row, &chosen)?,
            mark: row.try_get("mark")?,
            posting_since: number("posting_since")?.map(Timestamp::from_nanoseconds),
            message: number("message_id")?.map(i64::cast_unsigned),
            posted_at: number("posted_at")?.map(Timestamp::from_nanoseconds),
            replaced: number("replaced_id")?.map(i64::cast_unsigned),
            replaced_at: number("replaced_at")?.map(Timestamp::from_nanoseconds),
            shown: row.try_get("shown")?,
            trouble: row.try_get("trouble")?,
            is_removed: number("removed_at")?.is_some(),
        }))
    }

    /// Notes that a board's message is about to be posted, under that mark: it may stand there from now on.
    pub async fn note_posting(&self, id: i64, mark: &str, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE boards SET posting_since = COALESCE(posting_since, $1), mark = $2 WHERE id = $3")
            .bind(now.nanoseconds())
            .bind(mark)
            .bind(id)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Notes that a board's message stands there, and what it shows, where that is known.
    pub async fn note_posted(
        &self,
        id: i64,
        message: u64,
        shown: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE boards SET message_id = $1, shown = $2, posted_at = $3, posting_since = NULL, trouble = NULL
             WHERE id = $4",
        )
        .bind(message.cast_signed())
        .bind(shown)
        .bind(now.nanoseconds())
        .bind(id)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Notes that a board's message is about to be edited: until it is noted what it shows, nobody knows that.
    pub async fn note_editing(&self, id: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE boards SET shown = NULL WHERE id = $1").bind(id).execute(&self.writer).await?;
        Ok(())
    }

    /// Notes what a board's message shows now.
    pub async fn note_board_shown(&self, id: i64, shown: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE boards SET shown = $1, trouble = NULL WHERE id = $2")
            .bind(shown)
            .bind(id)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Has a board be posted anew: its message is gone.
    pub async fn note_gone(&self, id: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE boards SET message_id = NULL, shown = NULL, posting_since = NULL WHERE id = $1")
            .bind(id)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Has a board be posted anew: its message can't be edited any more, and goes once another stands.
    pub async fn replace_board_message(&self, id: i64, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE boards SET replaced_id = message_id, replaced_at = $1, message_id = NULL, shown = NULL,
                 posting_since = NULL WHERE id = $2 AND message_id IS NOT NULL",
        )
        .bind(now.nanoseconds())
        .bind(id)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Notes that the message that was replaced is gone.
    pub async fn note_replaced(&self, id: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE boards SET replaced_id = NULL WHERE id = $1").bind(id).execute(&self.writer).await?;
        Ok(())
    }

    /// Notes why a board can't be kept up to date, or that it can.
    pub async fn note_trouble(&self, id: i64, trouble: Option<&str>) -> Result<(), StoreError> {
        sqlx::query("UPDATE boards SET trouble = $1 WHERE id = $2")
            .bind(trouble)
            .bind(id)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Forgets a board that was taken away, once its message is gone.
    pub async fn forget_board(&self, id: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM boards WHERE id = $1 AND removed_at IS NOT NULL")
            .bind(id)
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}
