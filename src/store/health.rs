//! How a guild's bindings do: what waits for each, and what each showed last. Few queries for any number of bindings.

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, StoreError};
use crate::domain::ids::GuildId;
use crate::domain::timestamp::Timestamp;

/// How a binding does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BindingHealth {
    /// How many of its events wait, in a message or for one.
    pub waiting: u64,
    /// When the first of them was stored.
    pub waiting_since: Option<Timestamp>,
    /// The last message that showed an event of its, where it is among the channel's last [`LOOK_BACK`].
    pub last_shown: Option<LastShown>,
}

/// A message that showed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastShown {
    /// When.
    pub at: Timestamp,
    /// Under which id it stands in the channel; `None` when it was deleted before Discord said so.
    pub discord_id: Option<u64>,
}

/// How many of a channel's last messages are looked through for the last that showed an event of a binding.
pub const LOOK_BACK: u32 = 100;

/// Whether a row's event is one that the binding asks for. Nothing is appended to the account so that rows are found by
/// their channel or message, of which there are few, and not by the index of an account's events, which are all of them.
const IS_OF_BINDING: &str = "form = 'event' AND outbox.account || '' = bindings.account
     AND (bindings.server_id IS NULL OR bindings.server_id = outbox.server_id)
     AND ' ' || bindings.kinds || ' ' LIKE '% ' || {kind} || ' %'";

impl Store {
    /// How the guild's bindings do, by their numbers. One of which nothing is known is left out.
    pub async fn health_of_bindings(&self, guild: GuildId) -> Result<BTreeMap<i64, BindingHealth>, StoreError> {
        let mut health: BTreeMap<i64, BindingHealth> = BTreeMap::new();
        for row in self.ask(&waiting_query(), guild).await? {
            let of_binding = health.entry(row.try_get(0)?).or_default();
            of_binding.waiting = row.try_get::<i64, _>(1)?.cast_unsigned();
            of_binding.waiting_since = Some(Timestamp::from_nanoseconds(row.try_get(2)?));
        }
        for row in self.ask(&last_shown_query(), guild).await? {
            health.entry(row.try_get(0)?).or_default().last_shown = Some(LastShown {
                at: Timestamp::from_nanoseconds(row.try_get(1)?),
                discord_id: row.try_get::<Option<i64>, _>(2)?.map(i64::cast_unsigned),
            });
        }
        Ok(health)
    }

    async fn ask(&self, query: &str, guild: GuildId) -> Result<Vec<AnyRow>, StoreError> {
        let kind = self.choose("(details ->> 'kind')", "(CAST(details AS json) ->> 'kind')");
        let query = query.replace("{kind}", kind);
        Ok(sqlx::query(sqlx::AssertSqlSafe(query)).bind(guild.to_column()).fetch_all(&self.reader).await?)
    }
}

fn waiting_query() -> String {
    format!(
        "SELECT id, COUNT(*), MIN(stored_at) FROM (
             SELECT bindings.id AS id, stored_at FROM bindings
                 JOIN outbox ON outbox.channel_id = bindings.channel_id AND outbox.message_id IS NULL
                 WHERE guild_id = $1 AND {IS_OF_BINDING}
             UNION ALL
             SELECT bindings.id AS id, stored_at FROM bindings
                 JOIN messages ON messages.channel_id = bindings.channel_id AND messages.state = 'sealed'
                 JOIN outbox ON outbox.message_id = messages.id
                 WHERE guild_id = $1 AND {IS_OF_BINDING}) AS waiting
         GROUP BY id"
    )
}

fn last_shown_query() -> String {
    format!(
        "SELECT bindings.id, messages.settled_at, messages.discord_id FROM bindings
             JOIN messages ON messages.id = (
                 SELECT last.id FROM (
                     SELECT id, state FROM messages
                     WHERE channel_id = bindings.channel_id AND settled_at IS NOT NULL ORDER BY id DESC LIMIT {LOOK_BACK}
                 ) AS last
                 WHERE last.state = 'delivered'
                     AND EXISTS (SELECT 1 FROM outbox WHERE outbox.message_id = last.id AND {IS_OF_BINDING})
                 ORDER BY last.id DESC LIMIT 1)
         WHERE guild_id = $1"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_asked_for_by_indexes_however_much_there_is() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/guildwire.db", folder.path().display())).await.unwrap();
        let bindings = "SEARCH bindings USING INDEX bindings_of_guild (guild_id=?)";
        for (query, steps) in [
            (
                waiting_query(),
                &[
                    "SEARCH outbox USING INDEX outbox_held (channel_id=?)",
                    "SEARCH messages USING COVERING INDEX messages_open (channel_id=?)",
                    "SEARCH outbox USING INDEX outbox_of_message (message_id=?)",
                ][..],
            ),
            (
                last_shown_query(),
                &[
                    "SEARCH messages USING INDEX messages_of_channel (channel_id=?)",
                    "SEARCH outbox EXISTS USING INDEX outbox_of_message (message_id=?)",
                ],
            ),
        ] {
            let plan: Vec<String> = store
                .ask(&format!("EXPLAIN QUERY PLAN {query}"), GuildId(1))
                .await
                .unwrap()
                .iter()
                .map(|row| row.try_get("detail").unwrap())
                .collect();
            for wanted in steps.iter().chain([&bindings]) {
                assert!(plan.iter().any(|step| step == wanted), "{wanted}: {plan:#?}");
            }
        }
    }
}
