//! What a simulated Discord is started with: port, seed, token and the limits that may vary.

use std::time::Duration;

use crate::interactions::TOKEN_LIFE;

/// A rate-limit bucket: so many requests per window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Requests allowed in one window.
    pub limit: u32,
    /// How long a window lasts, from its first request.
    pub window: Duration,
}

/// How a [`Sim`](crate::Sim) is started. Everything Discord does not promise varies by `seed` unless it is fixed here.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Varies what Discord leaves open: bucket sizes, the nonce window, hashes and tokens.
    pub seed: u64,
    /// The bot token that is accepted.
    pub token: String,
    /// The create-message bucket of each channel; by default 4 to 6 per 4 to 6 s, by the seed.
    pub message_bucket: Option<Bucket>,
    /// Requests per second for the whole bot, interactions apart
    /// (<https://discord.com/developers/docs/topics/rate-limits#global-rate-limit>).
    pub global_per_second: u32,
    /// How long a nonce is remembered; by default 2 to 5 minutes, by the seed. Discord says "a few minutes".
    pub nonce_window: Option<Duration>,
    /// How many edits of messages older than an hour are taken in an hour before 30046; by default 20 to 40, by the seed.
    /// Discord has such a limit and does not say which
    /// (<https://github.com/discord/discord-api-docs/issues/4413>).
    pub old_edits_per_hour: Option<u32>,
    /// How many 401, 403 and 429 answers in ten minutes ban the client
    /// (<https://discord.com/developers/docs/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans>).
    pub invalid_request_limit: u32,
    /// What HELLO asks for. A connection that is silent for one and a half times as long is closed with 4009.
    pub heartbeat_interval: Duration,
    /// How long a session without a connection can be resumed. Discord does not say.
    pub session_life: Duration,
    /// How many shards may identify at the same time: one of each bucket `shard % max_concurrency`
    /// (<https://discord.com/developers/docs/events/gateway#sharding-max-concurrency>). Discord gives an ordinary bot 1.
    pub max_concurrency: u32,
    /// How long a bucket of `max_concurrency` takes for one IDENTIFY. Discord's 5 s are not the default here, so that
    /// tests that restart a bot are not paced by it.
    pub identify_interval: Duration,
    /// Past so many guilds a shard is refused with 4011
    /// (<https://discord.com/developers/docs/events/gateway#sharding>).
    pub guilds_per_shard: u32,
    /// IDENTIFY calls per day before the token is taken away
    /// (<https://discord.com/developers/docs/events/gateway#session-start-limit-object>).
    pub identify_limit: u32,
    /// How many shards `GET /gateway/bot` recommends.
    pub shards: u32,
    /// Whether the application was granted the privileged intents; without, asking for one closes with 4014.
    pub privileged_intents: bool,
    /// How long an interaction may take to its first answer.
    pub interaction_deadline: Duration,
    /// How long an interaction's token is good for edits and followups.
    pub interaction_life: Duration,
    /// How long a person waits for a deferred answer before `CommandError::NeverFinished`.
    pub deferred_within: Duration,
    /// How long every REST request takes at least.
    pub latency: Duration,
    /// Serves the control interface under `/sim` on the same port, and keeps it reachable while Discord is away.
    pub control: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            seed: 1,
            token: "sim-token".to_owned(),
            message_bucket: None,
            global_per_second: 50,
            nonce_window: None,
            old_edits_per_hour: None,
            invalid_request_limit: 10_000,
            heartbeat_interval: Duration::from_millis(41_250),
            session_life: Duration::from_mins(5),
            max_concurrency: 16,
            identify_interval: Duration::ZERO,
            guilds_per_shard: 2500,
            identify_limit: 1000,
            shards: 1,
            privileged_intents: false,
            interaction_deadline: Duration::from_secs(3),
            interaction_life: TOKEN_LIFE,
            deferred_within: Duration::from_secs(15),
            latency: Duration::ZERO,
            control: false,
        }
    }
}
