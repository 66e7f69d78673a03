//! A game server's publisher in Rust: tells on JetStream that the server is up, who joins and leaves, and that it stops.
//!
//! What happens on the server comes on standard input, in the place of a game's own hooks: `join ID NAME` and
//! `leave ID NAME`. `cargo run --example publish -- nats://127.0.0.1:4222 publisher.seed main`

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use async_nats::jetstream::{self, Context};
use async_nats::{ConnectOptions, HeaderMap};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::sleep;

/// All attempts together stay within two minutes, for which a stream remembers message ids unless it was told otherwise.
const ATTEMPTS: u32 = 6;

struct Publisher {
    jetstream: Context,
    server: String,
    /// Another one for each start: together with a count it makes the events' ids.
    run: u64,
    count: u64,
}

impl Publisher {
    /// Publishes one event and returns once it is stored. `what` is the subject behind the server's id.
    async fn publish(&mut self, what: &str, payload: Value) -> Result<()> {
        let subject = format!("v0.rust.servers.{}.{what}", self.server);
        self.count += 1;
        let mut headers = HeaderMap::new();
        // The same for each attempt, so that the stream stores the event once, however often it arrives.
        headers.insert("Nats-Msg-Id", format!("{:x}-{}", self.run, self.count));
        for attempt in 1..=ATTEMPTS {
            let body = payload.to_string().into();
            let sent = self.jetstream.publish_with_headers(subject.clone(), headers.clone(), body).await;
            let stored = match sent {
                Ok(acknowledgement) => acknowledgement.await,
                Err(error) => Err(error),
            };
            match stored {
                Ok(_) => return Ok(()),
                Err(error) => eprintln!("{subject}, attempt {attempt}: {error}"),
            }
            if attempt < ATTEMPTS {
                sleep(Duration::from_secs(1 << (attempt - 1).min(3))).await;
            }
        }
        bail!("{subject} was not stored")
    }

    async fn tell(&mut self, line: &str) -> Result<()> {
        match line.splitn(3, ' ').collect::<Vec<_>>()[..] {
            ["join", id, name] => {
                self.publish(&format!("players.{id}.events.connected"), json!({ "player": { "name": name } })).await
            }
            ["leave", id, name] => {
                self.publish(&format!("players.{id}.events.disconnected"), json!({ "player_name": name })).await
            }
            _ => bail!("{line:?} is neither `join ID NAME` nor `leave ID NAME`"),
        }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let [url, seed_file, server]: [String; 3] =
        std::env::args().skip(1).collect::<Vec<_>>().try_into().ok().context("usage: publish URL SEED_FILE SERVER")?;
    let seed = std::fs::read_to_string(&seed_file).with_context(|| format!("can't read {seed_file}"))?;
    let client = ConnectOptions::with_nkey(seed.trim().to_owned()).name("game server").connect(url).await?;
    let jetstream = jetstream::new(client);
    let mut publisher = Publisher { jetstream, server, run: rand::random(), count: 0 };

    // From now on a signal ends the reading, not the process: what has started tells that it stops.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    publisher.publish("events.started", json!({})).await?;
    let mut lines = lines_of_stdin();
    loop {
        let line = tokio::select! {
            line = lines.recv() => line,
            _ = interrupt.recv() => None,
            _ = terminate.recv() => None,
        };
        let Some(line) = line else { break };
        // One event that can't be told is no reason to tell no more.
        if let Err(error) = publisher.tell(&line).await {
            eprintln!("{error}");
        }
    }
    publisher.publish("events.stopping", json!({})).await?;
    // Here the game server shuts down, which may take a while.
    publisher.publish("events.stopped", json!({})).await
}

/// Hands lines over from a thread of their own, as a game's hooks would: neither side waits for the other.
fn lines_of_stdin() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(1_000);
    std::thread::spawn(move || {
        let lines = std::io::stdin().lines().map_while(Result::ok);
        lines.map(|line| sender.blocking_send(line)).all(|sent| sent.is_ok())
    });
    lines
}
