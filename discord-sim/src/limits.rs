//! Rate limits: per-route buckets, the bot's global limit, and the ban for invalid requests
//! (<https://discord.com/developers/docs/topics/rate-limits>).

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::endpoint::Endpoint;
use crate::options::{Bucket, Options};

/// How long invalid requests are counted, and how long a ban lasts here.
const INVALID_WINDOW: Duration = Duration::from_mins(10);

struct Window {
    started: Instant,
    used: u32,
}

pub(crate) struct Limits {
    message_bucket: Bucket,
    seed: u64,
    windows: HashMap<(&'static str, String), Window>,
    global_per_second: u32,
    global: Window,
    invalid_limit: usize,
    invalid: VecDeque<Instant>,
}

/// The headers of one bucket and, if it is used up, how long to wait.
pub(crate) struct Standing {
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) exceeded: Option<Duration>,
}

impl Limits {
    pub(crate) fn new(options: &Options, random: &mut StdRng) -> Self {
        let varied = Bucket {
            limit: random.random_range(4..=6),
            window: Duration::from_millis(random.random_range(4000..=6000)),
        };
        Self {
            message_bucket: options.message_bucket.unwrap_or(varied),
            seed: options.seed,
            windows: HashMap::new(),
            global_per_second: options.global_per_second,
            global: Window { started: Instant::now(), used: 0 },
            invalid_limit: options.invalid_request_limit as usize,
            invalid: VecDeque::new(),
        }
    }

    pub(crate) fn message_bucket(&self) -> Bucket {
        self.message_bucket
    }

    /// Takes one request from the bot's global second, or says how long it lasts; and how many it has had.
    pub(crate) fn take_global(&mut self) -> Result<u32, Duration> {
        let second = Duration::from_secs(1);
        let elapsed = self.global.started.elapsed();
        if elapsed >= second {
            // Fixed windows, aligned to the first: what a client measures from outside is never finer than this.
            let whole = u32::try_from(elapsed.as_secs()).unwrap_or(u32::MAX);
            self.global = Window { started: self.global.started + second * whole, used: 0 };
        }
        if self.global.used >= self.global_per_second {
            return Err(second.saturating_sub(self.global.started.elapsed()));
        }
        self.global.used += 1;
        Ok(self.global.used)
    }

    /// Takes one request from the endpoint's bucket.
    pub(crate) fn take(&mut self, endpoint: &Endpoint, route: &'static str) -> Option<Standing> {
        let bucket = self.bucket_of(endpoint, route)?;
        let now = Instant::now();
        let window = self.windows.entry((route, endpoint.major())).or_insert_with(|| Window { started: now, used: 0 });
        if now.duration_since(window.started) >= bucket.window {
            *window = Window { started: now, used: 0 };
        }
        let left = bucket.window.saturating_sub(now.duration_since(window.started));
        let exceeded = (window.used >= bucket.limit).then_some(left);
        if exceeded.is_none() {
            window.used += 1;
        }
        let reset = SystemTime::now() + left;
        let reset = reset.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let headers = vec![
            ("x-ratelimit-limit", bucket.limit.to_string()),
            ("x-ratelimit-remaining", (bucket.limit - window.used).to_string()),
            ("x-ratelimit-reset", format!("{reset:.3}")),
            ("x-ratelimit-reset-after", format!("{:.3}", round_up(left))),
            ("x-ratelimit-bucket", self.hash(route)),
        ];
        Some(Standing { headers, exceeded })
    }

    /// Only create-message's size is known from outside; the others are generous, and only there to be read.
    fn bucket_of(&self, endpoint: &Endpoint, route: &'static str) -> Option<Bucket> {
        let bucket = |limit, seconds| Some(Bucket { limit, window: Duration::from_secs(seconds) });
        match endpoint {
            Endpoint::InteractionCallback { .. } => None,
            Endpoint::Messages { .. } if route.starts_with("POST") => Some(self.message_bucket),
            Endpoint::Message { .. } if !route.starts_with("GET") => bucket(5, 5),
            Endpoint::WebhookCreate { .. } | Endpoint::WebhookMessage { .. } => bucket(5, 2),
            Endpoint::GlobalCommands { .. } | Endpoint::GuildCommands { .. } => bucket(30, 20),
            Endpoint::GatewayBot | Endpoint::Gateway => bucket(20, 5),
            _ => bucket(50, 1),
        }
    }

    /// The same for every channel: the top-level resource is not part of it.
    fn hash(&self, route: &str) -> String {
        let mut hasher = DefaultHasher::new();
        (self.seed, route).hash(&mut hasher);
        format!("{:016x}{:016x}", hasher.finish(), self.seed)
    }

    /// Counts a 401, 403 or 429.
    pub(crate) fn count_invalid(&mut self) {
        self.invalid.push_back(Instant::now());
    }

    /// Whether the last ten minutes had too many invalid requests.
    pub(crate) fn is_banned(&mut self) -> bool {
        while self.invalid.front().is_some_and(|at| at.elapsed() >= INVALID_WINDOW) {
            self.invalid.pop_front();
        }
        self.invalid.len() >= self.invalid_limit
    }
}

/// Discord's own headers never tell a client to come back too early.
pub(crate) fn round_up(wait: Duration) -> f64 {
    (wait.as_secs_f64() * 1000.0).ceil() / 1000.0
}

/// The body of a 429.
pub(crate) fn too_many(retry_after: f64, global: bool) -> Value {
    let message = if global {
        "You are being blocked from accessing our API temporarily due to exceeding our global rate limit."
    } else {
        "You are being rate limited."
    };
    json!({ "message": message, "retry_after": retry_after, "global": global })
}
