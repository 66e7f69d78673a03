//! Follows what becomes of events in the channels that hear them, for `guildwire watch`. It looks into the database only,
//! as the bot that runs beside it leaves it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::discord::words;
use crate::domain::account::Account;
use crate::domain::binding::recipients;
use crate::domain::event::Event;
use crate::domain::ids::{ChannelId, GuildId};
use crate::domain::text::clean;
use crate::domain::timestamp::Timestamp;
use crate::store::fates::{Became, Fate};
use crate::store::{Store, StoreError};

/// How long an event is followed that comes no further.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// How many are followed at a time: of more, the oldest are let go.
const MOST_FOLLOWED: usize = 1_000;

/// Which events are followed into which channels.
pub(super) struct Fates {
    store: Store,
    account: Account,
    stream: String,
    /// Events of interest have rows with higher numbers.
    after_row: i64,
    followed: BTreeMap<(Timestamp, u64, ChannelId), Followed>,
}

struct Followed {
    guild: GuildId,
    until: Instant,
}

/// A binding that hears an event.
#[derive(Debug)]
pub(super) struct Hearer {
    binding: i64,
    guild: GuildId,
    channel: ChannelId,
}

/// What there is to say of an event in a channel.
#[derive(Debug)]
pub(super) struct News {
    sequence: u64,
    channel: ChannelId,
    name: &'static str,
    told: String,
}

impl Fates {
    /// Follows events that the account's stream brings; with `from_now_on`, only such that are not recorded yet.
    pub(super) async fn new(
        store: Store,
        account: Account,
        stream: String,
        from_now_on: bool,
    ) -> Result<Self, StoreError> {
        let after_row = if from_now_on { store.last_event_row().await? } else { 0 };
        Ok(Self { store, account, stream, after_row, followed: BTreeMap::new() })
    }

    /// Which bindings hear the event. It is followed into their channels.
    pub(super) async fn follow(&mut self, event: &Event) -> Result<Vec<Hearer>, StoreError> {
        let bindings = self.store.bindings_of_account(&self.account.name).await?;
        let hears =
            |binding| !recipients(std::slice::from_ref(binding), event.kind(), &event.server, event.stored).is_empty();
        let is_filtered = event.server.as_str().contains('.') && !self.account.wide_filter;
        let hearers: Vec<_> = bindings
            .iter()
            .filter(|binding| !is_filtered && hears(*binding))
            .map(|binding| Hearer { binding: binding.id, guild: binding.guild, channel: binding.channel })
            .collect();
        for hearer in &hearers {
            let key = (event.stored, event.sequence, hearer.channel);
            self.followed.insert(key, Followed { guild: hearer.guild, until: Instant::now() + PATIENCE });
        }
        while self.followed.len() > MOST_FOLLOWED {
            self.followed.pop_first();
        }
        Ok(hearers)
    }

    /// Whether nothing is followed any more.
    pub(super) fn is_done(&self) -> bool {
        self.followed.is_empty()
    }

    /// Looks how far the events came, and tells of those that came to an end or come no further.
    pub(super) async fn look(&mut self) -> Result<Vec<News>, StoreError> {
        let Some(((since, ..), _)) = self.followed.first_key_value() else { return Ok(Vec::new()) };
        // First the position: what is recorded up to there is among the rows that are read next.
        let position = self.store.position(&self.account.name, &self.stream).await?;
        let fates = self.store.fates(&self.account.name, *since, self.after_row).await?;
        let fate_of: BTreeMap<_, _> =
            fates.into_iter().map(|fate| ((fate.stored, fate.sequence, fate.channel), fate)).collect();
        let now = Instant::now();
        let mut news = Vec::new();
        for (key, followed) in &self.followed {
            let (_, sequence, channel) = *key;
            let fate = fate_of.get(key);
            let is_recorded = position.is_some_and(|position| position.last_sequence >= sequence);
            let told = match fate.map(|fate| &fate.became) {
                Some(Became::Shown { message }) => Some(("shown", shown(followed.guild, channel, *message))),
                Some(Became::SetAside { reason }) => {
                    Some(("refused", format!("Discord does not take the message: {}", clean(reason))))
                }
                None if is_recorded => {
                    Some(("left_out", "was recorded without it: the binding was another then".to_owned()))
                }
                _ if now < followed.until => None,
                Some(Became::Waiting { .. }) => Some(("waiting", self.why_waiting(fate, channel).await?)),
                None => Some((
                    "not_read",
                    "guildwire has not read it yet: `guildwire account list` says how reading goes".to_owned(),
                )),
            };
            if let Some((name, told)) = told {
                news.push((*key, News { sequence, channel, name, told }));
            }
        }
        Ok(news
            .into_iter()
            .map(|(key, news)| {
                self.followed.remove(&key);
                news
            })
            .collect())
    }

    async fn why_waiting(&self, fate: Option<&Fate>, channel: ChannelId) -> Result<String, StoreError> {
        if let Some(stopped) = self.store.stopped_lane(channel).await? {
            return Ok(format!("waits, because Discord refuses the channel: {}", clean(&stopped.reason)));
        }
        Ok(match fate.map(|fate| &fate.became) {
            Some(Became::Waiting { reason: Some(reason) }) => {
                format!("waits, because sending failed and is tried again: {}", clean(reason))
            }
            _ => "waits to be sent".to_owned(),
        })
    }
}

fn shown(guild: GuildId, channel: ChannelId, message: Option<u64>) -> String {
    match message {
        Some(message) => format!("shown: {}", words::link(guild.0, channel.0, message)),
        None => "shown".to_owned(),
    }
}

impl Hearer {
    /// In a sentence.
    pub(super) fn told(&self) -> String {
        format!("binding {} for channel {}", self.binding, self.channel.0)
    }

    /// For scripts.
    pub(super) fn json(&self) -> Value {
        json!({ "binding": self.binding, "guild": self.guild.0.to_string(), "channel": self.channel.0.to_string() })
    }
}

impl News {
    /// A line.
    pub(super) fn told(&self) -> String {
        format!("message {} in channel {}: {}\n", self.sequence, self.channel.0, self.told)
    }

    /// For scripts.
    pub(super) fn json(&self) -> Value {
        json!({ "sequence": self.sequence, "channel": self.channel.0.to_string(), "became": self.name, "told": self.told })
    }
}
