//! A short visit to the gateway: a session for each shard, for as long as it takes to see every guild.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use secrecy::SecretString;
use serenity::all::{Context, EventHandler, Ready};
use serenity::async_trait;
use serenity::cache::Cache;
use serenity::model::guild::Guild;
use tokio::sync::Notify;

use super::{client, in_words};
use crate::discord::guilds::Guilds;
use crate::discord::rest::Gateway;

/// How long a shard may take: the library begins one every five seconds.
const PATIENCE_PER_SHARD: Duration = Duration::from_secs(10);

/// What was seen through the gateway.
#[derive(Clone)]
pub struct Visit {
    /// The guilds the bot is in.
    pub guilds: Guilds,
    /// How many they are.
    pub count: usize,
    /// How many of them are out of sight, because Discord has an outage there.
    pub unavailable: usize,
}

/// Begins a session for each shard, and looks. It uses up as many sessions of the day's allowance, and disturbs no
/// guildwire that is connected. Fails with what is wrong, in words for the operator.
pub async fn visit(token: &SecretString, api_url: &str, gateway: &Gateway) -> Result<Visit, String> {
    let seen = Arc::new(Seen::default());
    let mut client =
        client(token, api_url, gateway, Visitor(Arc::clone(&seen))).await.map_err(|error| error.to_string())?;
    let (cache, shards) = (Arc::clone(&client.cache), Arc::clone(&client.shard_manager));
    let patience = PATIENCE_PER_SHARD * gateway.shards();
    let result = tokio::select! {
        ended = client.start_shards(gateway.shards()) => {
            Err(ended.map_or_else(in_words, |()| "the connection ended".to_owned()))
        }
        () = seen.everything(&cache, gateway.shards()) => Ok(()),
        () = tokio::time::sleep(patience) => {
            if seen.ready.load(Ordering::Relaxed) < gateway.shards() {
                Err(format!("no session began within {} seconds", patience.as_secs()))
            } else {
                Ok(())
            }
        }
    };
    shards.shutdown_all().await;
    let (count, unavailable) = (cache.guild_count(), cache.unavailable_guilds().len());
    result.map(|()| Visit { guilds: Guilds::new(cache), count, unavailable })
}

#[derive(Default)]
struct Seen {
    ready: AtomicU32,
    news: Notify,
}

impl Seen {
    /// Waits until every shard is ready and none of its guilds is still to come.
    async fn everything(&self, cache: &Cache, shards: u32) {
        loop {
            // The permit of `notify_one` stays, so no news is missed between the look and the wait.
            if self.ready.load(Ordering::Relaxed) >= shards && cache.unavailable_guilds().len() == 0 {
                return;
            }
            self.news.notified().await;
        }
    }
}

struct Visitor(Arc<Seen>);

#[async_trait]
impl EventHandler for Visitor {
    async fn ready(&self, _: Context, _: Ready) {
        self.0.ready.fetch_add(1, Ordering::Relaxed);
        self.0.news.notify_one();
    }

    async fn guild_create(&self, _: Context, _: Guild, _: Option<bool>) {
        self.0.news.notify_one();
    }
}
