//! How a guild's bindings do: what waits for each, and what each showed last. What is read grows with the guild's channels
//! and not with what was shown in them.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::Row;
use sqlx::any::AnyRow;

use super::accounts::account_name;
use super::lately::{LaneMessage, Progress};
use super::outbox::{EVENT, Told};
use super::{Store, StoreError};
use crate::domain::binding::Binding;
use crate::domain::event::Kind;
use crate::domain::ids::{AccountName, ChannelId, GuildId, ServerId};
use crate::domain::timestamp::Timestamp;

/// How a binding does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BindingHealth {
    /// How many of its events wait, in a message or for one.
    pub waiting: u64,
    /// When the first of them was stored.
    pub waiting_since: Option<Timestamp>,
    /// The last message that showed an event of its, where it is among the channel's last [`MESSAGES`] and [`ROWS`].
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

/// How many of a channel's last messages, and of the rows in them, are looked through for the last that showed an event
/// of a binding: one message may show thousands of rows.
pub const MESSAGES: u32 = 100;
/// See [`MESSAGES`].
pub const ROWS: u32 = 2_000;

/// Where each of a channel's bindings showed something a moment ago, so many rows tell it.
const FIRST_ROWS: u32 = 100;

/// Events of one kind from one server that wait for a channel.
struct Waiting {
    channel: ChannelId,
    account: AccountName,
    server: ServerId,
    kind: Kind,
    events: u64,
    since: Timestamp,
}

impl Store {
    /// How these bindings of a guild do, by their numbers. One of which nothing is known is left out.
    pub async fn health_of_bindings(
        &self,
        guild: GuildId,
        bindings: &[Binding],
    ) -> Result<BTreeMap<i64, BindingHealth>, StoreError> {
        let mut health: BTreeMap<i64, BindingHealth> = BTreeMap::new();
        for waiting in self.ask(&waiting_query(), guild).await?.iter().map(waiting_from) {
            let waiting = waiting?;
            for binding in bindings.iter().filter(|binding| waiting.is_for(binding)) {
                let of_binding = health.entry(binding.id).or_default();
                of_binding.waiting += waiting.events;
                let since = of_binding.waiting_since.get_or_insert(waiting.since);
                *since = waiting.since.min(*since);
            }
        }
        for channel in bindings.iter().map(|binding| binding.channel).collect::<BTreeSet<_>>() {
            let of_channel: Vec<_> = bindings.iter().filter(|binding| binding.channel == channel).collect();
            for (id, shown) in self.last_shown(channel, &of_channel).await? {
                health.entry(id).or_default().last_shown = Some(shown);
            }
        }
        Ok(health)
    }

    /// What each of a channel's bindings showed last.
    async fn last_shown(
        &self,
        channel: ChannelId,
        bindings: &[&Binding],
    ) -> Result<BTreeMap<i64, LastShown>, StoreError> {
        let mut messages = self.last_messages(channel, MESSAGES).await?;
        messages.retain(|message| matches!(message.progress, Progress::Shown { .. }));
        let mut last = BTreeMap::new();
        for limit in [FIRST_ROWS, ROWS] {
            for row in self.rows_of(&messages, limit).await? {
                let Told::Event(due) = &row.due.told else { continue };
                let Some(shown) = messages.iter().find(|it| Some(it.id) == row.message).and_then(shown_by) else {
                    continue;
                };
                for binding in bindings.iter().filter(|binding| binding.asks_for(&due.event)) {
                    last.entry(binding.id).or_insert(shown);
                }
            }
            let rows: u64 = messages.iter().map(|message| message.rows).sum();
            if last.len() == bindings.len() || rows <= u64::from(limit) {
                break;
            }
        }
        Ok(last)
    }

    async fn ask(&self, query: &str, guild: GuildId) -> Result<Vec<AnyRow>, StoreError> {
        let kind = self.choose("(details ->> 'kind')", "(CAST(details AS json) ->> 'kind')");
        let query = query.replace("{kind}", kind);
        Ok(sqlx::query(sqlx::AssertSqlSafe(query)).bind(guild.to_column()).bind(EVENT).fetch_all(&self.reader).await?)
    }
}

impl Waiting {
    /// Whether a binding asks for them. Since when it hears anything is not asked: what it did not is not in its channel,
    /// but for others.
    fn is_for(&self, binding: &Binding) -> bool {
        binding.channel == self.channel
            && binding.account == self.account
            && binding.kinds.contains(self.kind)
            && binding.server.as_ref().is_none_or(|bound| *bound == self.server)
    }
}

/// Each row is read once, however many bindings its channel has.
fn waiting_query() -> String {
    let columns = "outbox.channel_id, account, server_id, details, stored_at";
    let of_guild = "IN (SELECT channel_id FROM bindings WHERE guild_id = $1)";
    format!(
        "SELECT account, channel_id, server_id, kind, COUNT(*), MIN(stored_at) FROM (
             SELECT account, channel_id, server_id, {{kind}} AS kind, stored_at FROM (
                 SELECT {columns} FROM outbox
                     WHERE outbox.channel_id {of_guild} AND message_id IS NULL AND form = $2
                 UNION ALL
                 SELECT {columns} FROM messages JOIN outbox ON outbox.message_id = messages.id
                     WHERE messages.channel_id {of_guild} AND messages.state = 'sealed' AND form = $2) AS events
             ) AS kinds
         GROUP BY account, channel_id, server_id, kind"
    )
}

fn waiting_from(row: &AnyRow) -> Result<Waiting, StoreError> {
    let kind: String = row.try_get(3)?;
    Ok(Waiting {
        account: account_name(row, 0)?,
        channel: ChannelId::from_column(row.try_get(1)?),
        server: ServerId::from(row.try_get::<String, _>(2)?),
        kind: Kind::from_name(&kind).ok_or(StoreError::BadRow { what: "kind", value: kind })?,
        events: row.try_get::<i64, _>(4)?.cast_unsigned(),
        since: Timestamp::from_nanoseconds(row.try_get(5)?),
    })
}

const fn shown_by(message: &LaneMessage) -> Option<LastShown> {
    match message.progress {
        Progress::Shown { at, discord_id } => Some(LastShown { at, discord_id }),
        Progress::Sealed | Progress::SetAside { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_waits_is_asked_for_by_indexes_however_much_was_shown() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/guildwire.db", folder.path().display())).await.unwrap();
        let plan: Vec<String> = store
            .ask(&format!("EXPLAIN QUERY PLAN {}", waiting_query()), GuildId(1))
            .await
            .unwrap()
            .iter()
            .map(|row| row.try_get("detail").unwrap())
            .collect();
        for wanted in [
            "SEARCH bindings USING INDEX bindings_of_guild (guild_id=?)",
            "SEARCH outbox USING INDEX outbox_held (channel_id=?)",
            "SEARCH messages USING COVERING INDEX messages_open (channel_id=?)",
            "SEARCH outbox USING INDEX outbox_of_message (message_id=?)",
        ] {
            assert!(plan.iter().any(|step| step == wanted), "{wanted}: {plan:#?}");
        }
    }
}
