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
use crate::trouble::Scope;
use crate::world::prune;

/// How long invalid requests are counted, and how long a ban lasts here.
const INVALID_WINDOW: Duration = Duration::from_mins(10);

/// What the global limits count in.
const SECOND: Duration = Duration::from_secs(1);

struct Window {
    started: Instant,
    lasts: Duration,
    used: u32,
}

impl Window {
    fn new(started: Instant, lasts: Duration) -> Self {
        Self { started, lasts, used: 0 }
    }

    fn is_over(&self) -> bool {
        self.started.elapsed() >= self.lasts
    }
}

pub(crate) struct Limits {
    message_bucket: Bucket,
    seed: u64,
    windows: HashMap<(&'static str, String), Window>,
    global_per_second: u32,
    global: Window,
    /// The window of the address, for requests without a token.
    anonymous: Window,
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
            global: Window::new(Instant::now(), SECOND),
            anonymous: Window::new(Instant::now(), SECOND),
            invalid_limit: options.invalid_request_limit as usize,
            invalid: VecDeque::new(),
        }
    }

    pub(crate) fn message_bucket(&self) -> Bucket {
        self.message_bucket
    }

    /// Takes one request from the global second of the bot, or of the address if no token came along; or says how long
    /// that second lasts. Gives how many it has had.
    pub(crate) fn take_global(&mut self, with_token: bool) -> Result<u32, Duration> {
        let window = if with_token { &mut self.global } else { &mut self.anonymous };
        let elapsed = window.started.elapsed();
        if window.is_over() {
            // Fixed windows, aligned to the first: what a client measures from outside is never finer than this.
            let whole = u32::try_from(elapsed.as_secs()).unwrap_or(u32::MAX);
            *window = Window::new(window.started + SECOND * whole, SECOND);
        }
        if window.used >= self.global_per_second {
            return Err(SECOND.saturating_sub(window.started.elapsed()));
        }
        window.used += 1;
        Ok(window.used)
    }

    /// Takes one request from the endpoint's bucket for this top-level resource.
    pub(crate) fn take(&mut self, endpoint: &Endpoint, resource: &str) -> Option<Standing> {
        let bucket = endpoint.pace.bucket(self.message_bucket)?;
        let (used, left, exceeded) = self.count(endpoint.bucket_name(), resource, bucket);
        let headers = self.headers(endpoint, bucket, used, left);
        Some(Standing { headers, exceeded: exceeded.then_some(left) })
    }

    /// What the headers say of the endpoint's bucket beside a 429 of this scope. Of a shared limit they know nothing
    /// (<https://github.com/discord/discord-api-docs/issues/4043>), and a global one comes without them.
    pub(crate) fn beside(&self, endpoint: &Endpoint, scope: Scope, retry_after: f64) -> Vec<(&'static str, String)> {
        let Some(bucket) = endpoint.pace.bucket(self.message_bucket) else { return Vec::new() };
        let left = Duration::try_from_secs_f64(retry_after).unwrap_or_default();
        match scope {
            Scope::User => self.headers(endpoint, bucket, bucket.limit, left),
            Scope::Shared => self.headers(endpoint, bucket, 1, bucket.window),
            Scope::Global => Vec::new(),
        }
    }

    fn headers(&self, endpoint: &Endpoint, bucket: Bucket, used: u32, left: Duration) -> Vec<(&'static str, String)> {
        let reset = SystemTime::now() + left;
        let reset = reset.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        vec![
            ("x-ratelimit-limit", bucket.limit.to_string()),
            ("x-ratelimit-remaining", bucket.limit.saturating_sub(used).to_string()),
            ("x-ratelimit-reset", format!("{reset:.3}")),
            ("x-ratelimit-reset-after", format!("{:.3}", round_up(left))),
            ("x-ratelimit-bucket", self.hash(endpoint.bucket_name())),
        ]
    }

    /// Takes one request from a limit that no header tells of, or says how long it is used up.
    pub(crate) fn take_hidden(&mut self, name: &'static str, resource: &str, bucket: Bucket) -> Result<(), Duration> {
        let (_, left, exceeded) = self.count(name, resource, bucket);
        if exceeded { Err(left) } else { Ok(()) }
    }

    /// Counts one request: how many the window has had, how long it lasts, and whether this one was too many.
    fn count(&mut self, name: &'static str, resource: &str, bucket: Bucket) -> (u32, Duration, bool) {
        let fresh = || Window::new(Instant::now(), bucket.window);
        prune(&mut self.windows, |window| !window.is_over());
        let window = self.windows.entry((name, resource.to_owned())).or_insert_with(fresh);
        if window.is_over() {
            *window = fresh();
        }
        let left = window.lasts.saturating_sub(window.started.elapsed());
        let exceeded = window.used >= bucket.limit;
        if !exceeded {
            window.used += 1;
        }
        (window.used, left, exceeded)
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
