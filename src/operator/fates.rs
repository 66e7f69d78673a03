//! Follows what becomes of events in the channels that hear them, for `guildwire watch`. It looks into the database only,
//! as the bot that runs beside it leaves it.

use std::collections::BTreeMap;
use std::mem;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::clock;
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

/// How many are followed at a time: of more, the oldest are let go, which is told of each.
const MOST_FOLLOWED: usize = 1_000;

/// Which events are followed into which channels.
pub(super) struct Fates {
    store: Store,
    account: Account,
    stream: String,
    /// How long what became of an event is kept in the database.
    kept: Duration,
    followed: BTreeMap<(Timestamp, u64, ChannelId), Followed>,
    /// What is to be told of those that were let go.
    let_go: Vec<News>,
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
    /// Follows events that the account's stream brings. What became of them is `kept` for so long.
    pub(super) const fn new(store: Store, account: Account, stream: String, kept: Duration) -> Self {
        Self { store, account, stream, kept, followed: BTreeMap::new(), let_go: Vec::new() }
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
            self.hold((event.stored, event.sequence, hearer.channel), hearer.guild);
        }
        Ok(hearers)
    }

    fn hold(&mut self, key: (Timestamp, u64, ChannelId), guild: GuildId) {
        self.followed.insert(key, Followed { guild, until: Instant::now() + PATIENCE });
        while self.followed.len() > MOST_FOLLOWED
            && let Some(((_, sequence, channel), _)) = self.followed.pop_first()
        {
            let told = format!("is not followed any more: more than {MOST_FOLLOWED} came at once");
            self.let_go.push(News { sequence, channel, name: "let_go", told });
        }
    }

    /// Whether nothing is followed any more.
    pub(super) fn is_done(&self) -> bool {
        self.followed.is_empty() && self.let_go.is_empty()
    }

    /// Looks how far the events came, and tells of those that came to an end or come no further.
    pub(super) async fn look(&mut self) -> Result<Vec<News>, StoreError> {
        let mut news = mem::take(&mut self.let_go);
        let Some(((since, ..), _)) = self.followed.first_key_value() else { return Ok(news) };
        // First the position: what is recorded up to there is among the rows that are read next.
        let position = self.store.position(&self.account.name, &self.stream).await?;
        let fates = self.store.fates(&self.account.name, *since).await?;
        let fate_of: BTreeMap<_, _> =
            fates.into_iter().map(|fate| ((fate.stored, fate.sequence, fate.channel), fate)).collect();
        let (now, forgotten) = (Instant::now(), clock::now().minus(self.kept));
        let mut ended = Vec::new();
        for (key, followed) in &self.followed {
            let (stored, sequence, channel) = *key;
            let fate = fate_of.get(key);
            let is_recorded = position.is_some_and(|position| position.last_sequence >= sequence);
            let told = match fate.map(|fate| &fate.became) {
                Some(Became::Shown { message }) => Some(("shown", shown(followed.guild, channel, *message))),
                Some(Became::SetAside { reason }) => {
                    Some(("refused", format!("Discord does not take the message: {}", clean(reason))))
                }
                // It may have been shown: what is settled is deleted after that time.
                None if is_recorded && stored < forgotten => {
                    Some(("forgotten", "was recorded too long ago: what became of it is not kept".to_owned()))
                }
                None if is_recorded => {
                    Some(("left_out", "was recorded without a message of its own: one about the server tells it, or the binding was another then".to_owned()))
                }
                _ if now < followed.until => None,
                Some(Became::Waiting { .. }) => Some(("waiting", self.why_waiting(fate, channel).await?)),
                None => Some((
                    "not_read",
                    "guildwire has not read it yet: `guildwire account list` says how reading goes".to_owned(),
                )),
            };
            if let Some((name, told)) = told {
                ended.push(*key);
                news.push(News { sequence, channel, name, told });
            }
        }
        for key in ended {
            self.followed.remove(&key);
        }
        Ok(news)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::position::Position;
    use crate::store::accounts::SealedCredential;

    const DAY: Duration = Duration::from_hours(24);

    /// Follows an account whose events up to message 5 are recorded. Two days long is kept what became of them.
    async fn fates(folder: &tempfile::TempDir) -> Fates {
        let store = Store::open(&format!("sqlite://{}/guildwire.db", folder.path().display())).await.unwrap();
        let account = Account {
            name: "GA-1".parse().unwrap(),
            url: "nats://localhost".to_owned(),
            stream: None,
            root: "v0.*.servers".parse().unwrap(),
            wide_filter: false,
            owner: None,
            connected_in: None,
            is_declared: false,
            revision: 0,
        };
        let credential = SealedCredential { kind: "nkey".to_owned(), sealed: Vec::new() };
        store.add_account(&account, &credential, &crate::domain::audit::By::operator(clock::now())).await.unwrap();
        let position = Position { last_sequence: 5, last_time: clock::now() };
        store.install_position(&account.name, "EVENTS", position).await.unwrap();
        Fates::new(store, account, "EVENTS".to_owned(), 2 * DAY)
    }

    #[tokio::test]
    async fn what_is_not_kept_any_more_may_have_been_shown() {
        let folder = tempfile::tempdir().unwrap();
        let mut fates = fates(&folder).await;
        fates.hold((clock::now().minus(3 * DAY), 4, ChannelId(2)), GuildId(1));
        fates.hold((clock::now().minus(DAY), 5, ChannelId(2)), GuildId(1));
        let news = fates.look().await.unwrap();
        let became: Vec<_> = news.iter().map(|news| (news.sequence, news.name)).collect();
        assert_eq!(became, [(4, "forgotten"), (5, "left_out")]);
        assert!(fates.is_done());
    }

    #[tokio::test]
    async fn none_is_let_go_without_a_word() {
        let folder = tempfile::tempdir().unwrap();
        let mut fates = fates(&folder).await;
        for sequence in 6..6 + MOST_FOLLOWED as u64 + 2 {
            fates.hold((clock::now(), sequence, ChannelId(2)), GuildId(1));
        }
        let news = fates.look().await.unwrap();
        let became: Vec<_> = news.iter().map(|news| (news.sequence, news.name)).collect();
        assert_eq!(became, [(6, "let_go"), (7, "let_go")]);
        assert!(!fates.is_done());
    }
}
