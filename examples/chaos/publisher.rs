//! The game servers of one account: they publish event after event, sometimes hundreds at once, whatever goes on.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use async_nats::ConnectOptions;
use async_nats::jetstream::{self, stream};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::ledger::{Entry, Kind, Ledger, count};
use crate::numbers::Number;

/// The stream of each account.
pub(crate) const STREAM: &str = "EVENTS";

/// How long acknowledgements of one burst may take. What has none by then is counted as uncertain, and never repeated:
/// so nothing is stored twice.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long nats-server may take to be back.
const REPEATS_BOUND: Duration = Duration::from_secs(30);
const REPEAT_STEP: Duration = Duration::from_millis(100);

/// The game servers of one account.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) name: &'static str,
    /// Its place among the accounts.
    pub(crate) index: usize,
    pub(crate) jetstream: jetstream::Context,
    /// Held while something is published or the stream is cut, so that it is known which came first.
    pub(crate) ledger: Mutex<Ledger>,
}

impl Account {
    /// Connects as the account's user and makes its stream.
    pub(crate) async fn open(name: &'static str, index: usize, url: &str, password: &str) -> Result<Account> {
        // One connection for the whole run, so that nats-server stores in the order of publishing.
        let client = ConnectOptions::with_user_and_password(name.to_owned(), password.to_owned())
            .reconnect_delay_callback(|_| Duration::from_millis(50))
            .connect(url)
            .await
            .with_context(|| format!("connecting as a game server of {name}"))?;
        let account = Account { name, index, jetstream: jetstream::new(client), ledger: Mutex::default() };
        account.make_stream().await?;
        Ok(account)
    }

    /// Makes the stream, as the account's owner does.
    pub(crate) async fn make_stream(&self) -> Result<()> {
        self.persist("making the stream", async || {
            let config = stream::Config {
                name: STREAM.to_owned(),
                subjects: vec!["v0.*.servers.>".to_owned()],
                ..stream::Config::default()
            };
            self.jetstream.create_stream(config).await.map(drop).map_err(anyhow::Error::from)
        })
        .await
    }

    /// Does something at nats-server until it succeeds: it may just be coming back.
    pub(crate) async fn persist<T>(&self, what: &str, mut attempt: impl AsyncFnMut() -> Result<T>) -> Result<T> {
        let deadline = Instant::now() + REPEATS_BOUND;
        loop {
            match attempt().await {
                Err(error) if Instant::now() > deadline => {
                    return Err(error.context(format!("{what} of {}", self.name)));
                }
                Err(_) => sleep(REPEAT_STEP).await,
                done => return done,
            }
        }
    }

    /// Publishes events of these kinds at once, and waits for their acknowledgements.
    pub(crate) async fn publish(&self, ledger: &mut Ledger, kinds: &[Kind], random: &mut StdRng) {
        let deadline = Instant::now() + PATIENCE;
        let first = ledger.entries.len();
        let mut acknowledgements = Vec::with_capacity(kinds.len());
        for kind in kinds {
            let number = Number { account: self.index, count: count(ledger.entries.len()) };
            ledger.entries.push(Entry { kind: *kind, sequence: None, cut: None });
            let (subject, payload) = event(*kind, number, random);
            let subject = format!("v0.rust.servers.{subject}");
            let sent = timeout_at(deadline, self.jetstream.publish(subject, payload.into())).await;
            acknowledgements.push(sent.ok().and_then(Result::ok));
        }
        for (index, acknowledgement) in acknowledgements.into_iter().enumerate() {
            let Some(acknowledgement) = acknowledgement else { continue };
            if let Ok(Ok(stored)) = timeout_at(deadline, acknowledgement.into_future()).await {
                ledger.entries[first + index].sequence = Some(stored.sequence);
            }
        }
    }

    /// Publishes one event of each kind until each is acknowledged.
    pub(crate) async fn publish_last(&self, random: &mut StdRng) -> Result<()> {
        let mut ledger = self.ledger.lock().await;
        for kind in Kind::ALL {
            let deadline = Instant::now() + REPEATS_BOUND;
            loop {
                self.publish(&mut ledger, &[kind], random).await;
                if ledger.entries.last().is_some_and(|entry| entry.sequence.is_some()) {
                    break;
                }
                anyhow::ensure!(
                    Instant::now() < deadline,
                    "nats-server does not take the last events of {}",
                    self.name
                );
            }
        }
        Ok(())
    }

    /// The ledger, while nothing is published.
    pub(crate) async fn pause(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().await
    }
}

/// Publishes until it is told to stop.
#[expect(clippy::disallowed_methods, reason = "the bot's own rule: this is another program")]
pub(crate) fn begin(account: Arc<Account>, seed: u64, stop: CancellationToken) -> JoinHandle<()> {
    tokio::spawn(async move {
        // Each account has its own series, so that none depends on how fast the others go.
        let mut random = StdRng::seed_from_u64(seed.wrapping_mul(1_000).wrapping_add(account.index as u64));
        while !stop.is_cancelled() {
            let burst = burst(&mut random);
            account.publish(&mut *account.ledger.lock().await, &burst, &mut random).await;
            let rest = random.random_range(100..600) + 30 * burst.len() as u64;
            stop.run_until_cancelled(sleep(Duration::from_millis(rest))).await;
        }
    })
}

/// What is published at once: mostly little, now and then a crowd, rarely a storm.
fn burst(random: &mut StdRng) -> Vec<Kind> {
    let size = match random.random_range(0..100) {
        0..80 => random.random_range(1..5),
        80..97 => random.random_range(10..40),
        _ => random.random_range(200..400),
    };
    (0..size).map(|_| kind(random)).collect()
}

fn kind(random: &mut StdRng) -> Kind {
    match random.random_range(0..20) {
        0..5 => Kind::Lifecycle,
        5..13 => Kind::Player,
        13..18 => Kind::Chat,
        _ => Kind::Ban,
    }
}

/// An event's subject after the root, and its payload.
fn event(kind: Kind, number: Number, random: &mut StdRng) -> (String, String) {
    // Everybody is somebody else, so that no name is another event's.
    let player = 76_561_198_000_000_000 + u64::from(number.count) * 10 + number.account as u64;
    let named = format!(r#"{{"player_name":"{number}","player":{{"id":"{player}","name":"{number}"}}}}"#);
    match kind {
        Kind::Lifecycle => {
            let what = ["started", "stopping", "stopped", "wiped"][random.random_range(0..4)];
            (format!("{number}.events.{what}"), "{}".to_owned())
        }
        Kind::Player => {
            let what = ["connected", "disconnected"][random.random_range(0..2)];
            (format!("main.players.{player}.events.{what}"), named)
        }
        Kind::Chat => {
            let said = format!(r#"{{"player_name":"Ada","full_message":"{number}"}}"#);
            (format!("main.events.player.{player}.chatted"), said)
        }
        Kind::Ban => (format!("main.players.{player}.events.banned"), named),
    }
}
