//! The audit: each line is written in the transaction that does what it tells of.

use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use super::{Store, StoreError};
use crate::domain::audit::{Act, Action, Actor, By, Entry};
use crate::domain::ids::{AccountName, GuildId, UserId};
use crate::domain::timestamp::Timestamp;

const COLUMNS: &str = "done_at, actor, user_id, from_guild, action, account, guild_id, details";

impl Store {
    /// The latest `most` lines, of one account or of all, the latest first.
    pub async fn audit(&self, account: Option<&AccountName>, most: u32) -> Result<Vec<Entry>, StoreError> {
        let query = match account {
            Some(_) => {
                format!("SELECT {COLUMNS} FROM audit WHERE account = $1 ORDER BY done_at DESC, id DESC LIMIT $2")
            }
            None => format!("SELECT {COLUMNS} FROM audit WHERE $1 = '' ORDER BY done_at DESC, id DESC LIMIT $2"),
        };
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(account.map_or("", AccountName::as_str))
            .bind(i64::from(most))
            .fetch_all(&self.reader)
            .await?;
        rows.iter().map(entry_from).collect()
    }

    /// The latest `most` lines of an account as it is now, the latest first: not those of another that had its name
    /// before.
    pub async fn audit_since_added(&self, account: &AccountName, most: u32) -> Result<Vec<Entry>, StoreError> {
        let query = format!(
            "SELECT {COLUMNS} FROM audit WHERE account = $1
             AND done_at >= (SELECT created_at FROM accounts WHERE name = $1) ORDER BY done_at DESC, id DESC LIMIT $2"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(account.as_str())
            .bind(i64::from(most))
            .fetch_all(&self.reader)
            .await?;
        rows.iter().map(entry_from).collect()
    }
}

impl Store {
    /// Writes a line in a transaction of the caller's, which does what it tells of.
    pub async fn note_act(&self, transaction: &mut Transaction<'_, Any>, by: &By, act: &Act) -> Result<(), StoreError> {
        note(transaction, by, act).await
    }
}

/// Writes a line, if what else the transaction does is committed.
pub(super) async fn note(transaction: &mut Transaction<'_, Any>, by: &By, act: &Act) -> Result<(), StoreError> {
    let (actor, user, from_guild) = match by.actor {
        Actor::Person { user, guild } => ("person", Some(user.to_column()), Some(guild.to_column())),
        Actor::Operator => ("operator", None, None),
        Actor::Settings => ("settings", None, None),
        Actor::Guildwire => ("guildwire", None, None),
    };
    // The command line writes lines, too, so the number is not one that the running guildwire counts.
    let id = rand::random_range(0..i64::MAX);
    sqlx::query(
        "INSERT INTO audit (id, done_at, actor, user_id, from_guild, action, account, guild_id, details)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(id)
    .bind(by.at.nanoseconds())
    .bind(actor)
    .bind(user)
    .bind(from_guild)
    .bind(act.action.name())
    .bind(act.account.as_ref().map(AccountName::as_str))
    .bind(act.guild.map(GuildId::to_column))
    .bind(&act.details)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

fn entry_from(row: &AnyRow) -> Result<Entry, StoreError> {
    let bad = |what, value: &str| StoreError::BadRow { what, value: value.to_owned() };
    let actor: String = row.try_get("actor")?;
    let user = row.try_get::<Option<i64>, _>("user_id")?.map(UserId::from_column);
    let guild = row.try_get::<Option<i64>, _>("from_guild")?.map(GuildId::from_column);
    let actor = match (actor.as_str(), user, guild) {
        ("person", Some(user), Some(guild)) => Actor::Person { user, guild },
        ("operator", ..) => Actor::Operator,
        ("settings", ..) => Actor::Settings,
        ("guildwire", ..) => Actor::Guildwire,
        _ => return Err(bad("actor", &actor)),
    };
    let action: String = row.try_get("action")?;
    let account: Option<String> = row.try_get("account")?;
    let account = account.map(|name| name.parse().map_err(|_| bad("account name", &name))).transpose()?;
    Ok(Entry {
        by: By { actor, at: Timestamp::from_nanoseconds(row.try_get("done_at")?) },
        act: Act {
            action: Action::from_name(&action).ok_or_else(|| bad("action", &action))?,
            account,
            guild: row.try_get::<Option<i64>, _>("guild_id")?.map(GuildId::from_column),
            details: row.try_get("details")?,
        },
    })
}
