//! What is stored of a player is taken away.

use std::collections::BTreeSet;

use sqlx::{Any, Row, Transaction};

use super::audit::note;
use super::privacy::{Stored, StoredEvent};
use super::{Store, StoreError};
use crate::domain::audit::{Act, Action, By};
use crate::domain::ids::{AccountName, PlayerId};
use crate::domain::trace::Trace;

/// How many events go at once: intake must not wait long for the writer.
const AT_ONCE: usize = 500;

/// What was taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forgotten {
    /// Names.
    pub names: u64,
    /// Servers that the player was on.
    pub stays: u64,
    /// Events that waited, and are never told now.
    pub waiting: u64,
    /// Events that were told.
    pub told: u64,
    /// Events of others, out of which the player was taken.
    pub others: u64,
    /// Messages whose text was deleted here.
    pub messages: u64,
    /// Subjects of what was no event.
    pub rejects: u64,
    /// Events in messages that are being sent: those stay until that is done.
    pub on_their_way: u64,
}

impl Forgotten {
    /// How many rows were deleted or changed.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.names + self.stays + self.waiting + self.told + self.others + self.messages + self.rejects
    }

    /// This, and after it `next`: what is on its way is what that found.
    #[must_use]
    pub const fn and_then(&self, next: &Self) -> Self {
        Self {
            names: self.names + next.names,
            stays: self.stays + next.stays,
            waiting: self.waiting + next.waiting,
            told: self.told + next.told,
            others: self.others + next.others,
            messages: self.messages + next.messages,
            rejects: self.rejects + next.rejects,
            on_their_way: next.on_their_way,
        }
    }
}

impl Store {
    /// Takes away what [`Store::stored_of`] found, but for what is in a message that is being sent by now, and notes that
    /// something was done: not to whom. What has gone into a message meanwhile stays until that is found, too.
    pub async fn forget_player(
        &self,
        player: &PlayerId,
        account: Option<&AccountName>,
        stored: &Stored,
        by: &By,
    ) -> Result<Forgotten, StoreError> {
        let mut work = Work { player, trace: Trace::of(player), gone: Forgotten::default(), emptied: BTreeSet::new() };
        let (many, last) = stored.events.split_at(stored.events.len() / AT_ONCE * AT_ONCE);
        for some in many.chunks(AT_ONCE) {
            let before = work.gone.rows();
            let mut transaction = self.write().await?;
            work.forget_events(&mut transaction, some).await?;
            note_rows(&mut transaction, account, work.gone.rows() - before, by).await?;
            transaction.commit().await?;
        }
        let before = work.gone.rows();
        let mut transaction = self.write().await?;
        work.forget_events(&mut transaction, last).await?;
        work.forget_rest(&mut transaction, account, stored).await?;
        note_rows(&mut transaction, account, work.gone.rows() - before, by).await?;
        transaction.commit().await?;
        Ok(work.gone)
    }
}

/// A player who is being forgotten.
struct Work<'a> {
    player: &'a PlayerId,
    trace: Trace,
    gone: Forgotten,
    /// The messages whose text is gone.
    emptied: BTreeSet<i64>,
}

impl Work<'_> {
    async fn forget_events(
        &mut self,
        transaction: &mut Transaction<'_, Any>,
        events: &[StoredEvent],
    ) -> Result<(), StoreError> {
        for event in events {
            let is_about = event.player.as_deref() == Some(self.player.as_str());
            let was = forget_event(transaction, &self.trace, event, is_about).await?;
            let gone = &mut self.gone;
            match was {
                Was::Waiting if is_about => gone.waiting += 1,
                Was::Told(_) if is_about => gone.told += 1,
                Was::Waiting | Was::Told(_) => gone.others += 1,
                Was::OnItsWay => gone.on_their_way += 1,
                Was::Gone => {}
            }
            if let Was::Told(message) = was
                && self.emptied.insert(message)
            {
                gone.messages += 1;
            }
        }
        Ok(())
    }

    /// All but the events.
    async fn forget_rest(
        &mut self,
        transaction: &mut Transaction<'_, Any>,
        account: Option<&AccountName>,
        stored: &Stored,
    ) -> Result<(), StoreError> {
        for message in stored.messages.iter().map(|message| message.message) {
            if !self.emptied.contains(&message) && empty_message(transaction, message).await? {
                self.gone.messages += 1;
            }
        }
        let of_player =
            |statement| sqlx::query(statement).bind(self.player.as_str()).bind(account.map_or("", AccountName::as_str));
        let names = of_player("DELETE FROM players WHERE player_id = $1 AND ($2 = '' OR account = $2)");
        self.gone.names = names.execute(&mut **transaction).await?.rows_affected();
        let stays = of_player("DELETE FROM online_players WHERE player_id = $1 AND ($2 = '' OR account = $2)");
        self.gone.stays = stays.execute(&mut **transaction).await?.rows_affected();
        for reject in &stored.rejects {
            let deleted = sqlx::query("DELETE FROM rejects WHERE account = $1 AND sequence = $2 AND subject = $3")
                .bind(&reject.account)
                .bind(reject.sequence)
                .bind(&reject.subject);
            self.gone.rejects += deleted.execute(&mut **transaction).await?.rows_affected();
        }
        Ok(())
    }
}

async fn note_rows(
    transaction: &mut Transaction<'_, Any>,
    account: Option<&AccountName>,
    rows: u64,
    by: &By,
) -> Result<(), StoreError> {
    if rows == 0 {
        return Ok(());
    }
    let details = format!("{rows} rows");
    note(transaction, by, &Act { action: Action::PlayerForgotten, account: account.cloned(), guild: None, details })
        .await
}

/// Where an event was that named the player, when it was to be forgotten.
enum Was {
    /// It waited.
    Waiting,
    /// This message had told it, and says nothing more here.
    Told(i64),
    /// It is in a message that is being sent, and stays as it is.
    OnItsWay,
    /// It had gone by itself.
    Gone,
}

/// Deletes an event that is about the player; takes the player out of another's. Where the event is, is looked at now: it
/// may have gone into a message since it was found.
async fn forget_event(
    transaction: &mut Transaction<'_, Any>,
    trace: &Trace,
    event: &StoredEvent,
    is_about: bool,
) -> Result<Was, StoreError> {
    if change_event(transaction, trace, event, is_about, "message_id IS NULL").await? {
        return Ok(Was::Waiting);
    }
    let row = sqlx::query("SELECT message_id FROM outbox WHERE id = $1").bind(event.id);
    let row = row.fetch_optional(&mut **transaction).await?;
    let message: Option<i64> = row.map(|row| row.try_get(0)).transpose()?.flatten();
    let Some(message) = message else { return Ok(Was::Gone) };
    // The message before its rows, in the order in which retention deletes them.
    if !empty_message(transaction, message).await? {
        return Ok(Was::OnItsWay);
    }
    change_event(transaction, trace, event, is_about, "message_id IS NOT NULL").await?;
    Ok(Was::Told(message))
}

/// Whether the event was there in that condition.
async fn change_event(
    transaction: &mut Transaction<'_, Any>,
    trace: &Trace,
    event: &StoredEvent,
    is_about: bool,
    condition: &str,
) -> Result<bool, StoreError> {
    let changed = if is_about {
        let query = format!("DELETE FROM outbox WHERE id = $1 AND {condition}");
        sqlx::query(sqlx::AssertSqlSafe(query)).bind(event.id).execute(&mut **transaction).await?
    } else {
        let mut details = event.details.clone();
        trace.take_out(&mut details);
        let query = format!("UPDATE outbox SET details = $2 WHERE id = $1 AND {condition}");
        let update = sqlx::query(sqlx::AssertSqlSafe(query)).bind(event.id).bind(details.to_string());
        update.execute(&mut **transaction).await?
    };
    Ok(changed.rows_affected() > 0)
}

/// Deletes a message's text. `false` where it is being sent: its bytes are fixed.
async fn empty_message(transaction: &mut Transaction<'_, Any>, message: i64) -> Result<bool, StoreError> {
    let emptied = sqlx::query(
        "UPDATE messages SET body = '{}', attachment = NULL, reason = NULL WHERE id = $1 AND state <> 'sealed'",
    );
    Ok(emptied.bind(message).execute(&mut **transaction).await?.rows_affected() > 0)
}
