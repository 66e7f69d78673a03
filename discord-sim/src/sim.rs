//! The handle: starting and stopping, waiting, what people see, and trouble. Building guilds is in `people`, acting as
//! a person in `person`.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::options::{Bucket, Options};
use crate::rules::mentions::snowflake;
use crate::server::{self, Door, Doors};
use crate::sessions::Outgoing;
use crate::statistics::Statistics;
use crate::trouble::{Route, Trouble};
use crate::view::{Message, Timeout};
use crate::world::World;

/// A running simulated Discord. Clones are handles to the same one.
#[derive(Clone)]
pub struct Sim {
    inner: Arc<Inner>,
}

struct Inner {
    world: Mutex<World>,
    changes: watch::Sender<u64>,
    doors: Doors,
    port: u16,
    control: bool,
}

impl std::fmt::Debug for Sim {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sim").field("port", &self.inner.port).finish_non_exhaustive()
    }
}

impl Sim {
    /// Binds the port and serves from now on. Fails if the port is taken.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = server::bind(options.port).await?;
        let port = listener.local_addr()?.port();
        let control = options.control;
        let world = Mutex::new(World::new(options, port));
        let inner = Inner { world, changes: watch::Sender::new(0), doors: Doors::new(), port, control };
        let sim = Self { inner: Arc::new(inner) };
        tokio::spawn(server::serve(sim.clone(), listener));
        Ok(sim)
    }

    /// The root that REST lives under: `http://127.0.0.1:PORT`, without `/api/v10`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.inner.port)
    }

    /// The token that is accepted.
    #[must_use]
    pub fn token(&self) -> String {
        self.read(|world| world.options.token.clone())
    }

    /// The bot's user id, which is its application's too.
    #[must_use]
    pub fn bot(&self) -> u64 {
        self.read(|world| world.bot)
    }

    /// The create-message bucket in force, fixed or by the seed.
    #[must_use]
    pub fn message_bucket(&self) -> Bucket {
        self.read(|world| world.limits.message_bucket())
    }

    /// The nonce window in force, fixed or by the seed.
    #[must_use]
    pub fn nonce_window(&self) -> Duration {
        self.read(|world| world.nonce_window)
    }

    /// Drops every connection and takes no new one, for good. What happened can still be asked for.
    pub async fn stop(&self) {
        self.inner.doors.set(Door::Stopped).await;
        self.inner.doors.drop_connections().await;
        self.change(|world| world.sessions.forget_all());
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.inner.world.lock().expect("nothing panics while it holds the world"))
    }

    /// Changes the world and wakes everyone who waits for something.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let result = change(&mut self.inner.world.lock().expect("nothing panics while it holds the world"));
        self.inner.changes.send_modify(|version| *version += 1);
        result
    }

    /// Counts every change, for whoever looks again after each.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.inner.changes.subscribe()
    }

    pub(crate) fn doors(&self) -> &Doors {
        &self.inner.doors
    }

    pub(crate) fn port(&self) -> u16 {
        self.inner.port
    }

    pub(crate) fn control_enabled(&self) -> bool {
        self.inner.control
    }

    /// What a channel shows, oldest first.
    #[must_use]
    pub fn messages(&self, channel: u64) -> Vec<Message> {
        self.read(|world| {
            let shown = world.timelines.get(&channel).into_iter().flatten();
            shown.filter_map(|id| world.messages.get(id)).cloned().collect()
        })
    }

    /// The files of a message, as name and bytes.
    #[must_use]
    pub fn files(&self, message: &Message) -> Vec<(String, Vec<u8>)> {
        let attachments = message.raw["attachments"].as_array().cloned().unwrap_or_default();
        self.read(|world| {
            let bytes = |attachment: &Value| world.files.get(&snowflake(&attachment["id"])?).cloned();
            let name = |attachment: &Value| attachment["filename"].as_str().unwrap_or_default().to_owned();
            attachments.iter().map(|attachment| (name(attachment), bytes(attachment).unwrap_or_default())).collect()
        })
    }

    /// Waits until a channel shows so many messages, and gives all of them.
    pub async fn wait_for_messages(
        &self,
        channel: u64,
        at_least: usize,
        within: Duration,
    ) -> Result<Vec<Message>, Timeout> {
        let what = format!("{at_least} messages in channel {channel}");
        let enough = |sim: &Self| sim.read(|world| world.timelines.get(&channel).map_or(0, Vec::len) >= at_least);
        match self.wait_until(within, &what, enough).await {
            Ok(()) => Ok(self.messages(channel)),
            Err(timeout) => {
                let shown: Vec<String> = self.messages(channel).iter().map(summary).collect();
                Err(Timeout { saw: format!("it shows {}: {shown:?}; {}", shown.len(), timeout.saw), ..timeout })
            }
        }
    }

    /// Waits until something holds, looking again at every change of state.
    pub async fn wait_until(
        &self,
        within: Duration,
        what: &str,
        predicate: impl Fn(&Self) -> bool,
    ) -> Result<(), Timeout> {
        let deadline = Instant::now() + within;
        let mut changes = self.inner.changes.subscribe();
        loop {
            changes.borrow_and_update();
            if predicate(self) {
                return Ok(());
            }
            if timeout_at(deadline, changes.changed()).await.is_err() {
                let saw = format!("counted: {}", json!(self.statistics()));
                return Err(Timeout { what: what.to_owned(), within, saw });
            }
        }
    }

    /// Everything counted so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.read(|world| world.statistics.clone())
    }

    /// The registered commands: the global ones, then each guild's.
    #[must_use]
    pub fn commands(&self) -> Vec<Value> {
        self.read(|world| world.commands.iter().chain(world.guild_commands.values().flatten()).cloned().collect())
    }

    /// The last bodies received, with `METHOD template`, for schema checks.
    #[must_use]
    pub fn bodies(&self) -> Vec<(String, Value)> {
        self.read(|world| world.bodies.iter().cloned().collect())
    }

    /// Whether any gateway session is connected right now.
    #[must_use]
    pub fn gateway_connected(&self) -> bool {
        self.read(|world| world.sessions.any_connected())
    }

    /// Waits until a session is connected and commands have been registered.
    pub async fn wait_for_gateway(&self, within: Duration) -> Result<(), Timeout> {
        let ready = |sim: &Self| sim.read(|world| world.sessions.any_connected() && world.commands_registered);
        self.wait_until(within, "a gateway session with registered commands", ready).await
    }

    /// From now on, requests that fit meet this trouble: `count` of them, or all until [`clear_trouble`](Self::clear_trouble).
    pub fn trouble(&self, where_: Route, what: Trouble, count: Option<u32>) {
        self.change(|world| world.troubles.add(where_, what, count));
    }

    /// Ends all trouble; requests that hang go on.
    pub fn clear_trouble(&self) {
        self.change(|world| world.troubles.clear());
    }

    pub(crate) async fn until_trouble_clears(&self) {
        let mut changes = self.inner.changes.subscribe();
        let before = self.read(|world| world.troubles.cleared);
        while self.read(|world| world.troubles.cleared) == before {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Discord is gone: every connection is dropped, new ones are refused. State and sessions stay.
    pub async fn go_away(&self) {
        self.inner.doors.set(Door::Away).await;
        self.inner.doors.drop_connections().await;
        // The connections' own tasks notice a moment later; for whoever asks, they are gone now.
        self.change(|world| world.sessions.detach_all());
    }

    /// Discord is back, on the same port.
    pub async fn come_back(&self) {
        self.inner.doors.set(Door::Open).await;
        self.change(|_| ());
    }

    /// [`go_away`](Self::go_away), and back after this long.
    pub async fn away_for(&self, time: Duration) {
        self.go_away().await;
        tokio::time::sleep(time).await;
        self.come_back().await;
    }

    /// Drops every connection, as a restart of Discord's servers does. With `forget_sessions` nothing can be resumed.
    pub async fn restart(&self, forget_sessions: bool) {
        self.go_away().await;
        if forget_sessions {
            self.change(|world| world.sessions.forget_all());
        }
        self.come_back().await;
    }

    /// Asks every gateway connection to reconnect (op 7). It is up to the client to close and resume.
    pub fn reconnect_gateway(&self) {
        self.change(|world| world.sessions.tell_all(|| Outgoing::Op(7, Value::Null)));
    }

    /// Tells every session that it is invalid (op 9), and whether it may be resumed. The connections stand.
    pub fn invalidate_sessions(&self, resumable: bool) {
        self.change(|world| world.sessions.invalidate(resumable));
    }

    /// Asks every gateway connection for a heartbeat at once (op 1).
    pub fn request_heartbeat(&self) {
        self.change(|world| world.sessions.tell_all(|| Outgoing::Op(1, Value::Null)));
    }

    /// Whether heartbeats are acknowledged. A client that hears nothing has a zombie of a connection, and should close
    /// it and resume (<https://discord.com/developers/docs/events/gateway#heartbeat-interval>).
    pub fn acknowledge_heartbeats(&self, acknowledged: bool) {
        self.change(|world| world.sessions.acknowledges = acknowledged);
    }

    /// What a shard of the bot last wanted to be shown as, with IDENTIFY or a presence update.
    #[must_use]
    pub fn presence(&self, shard: u64) -> Option<Value> {
        self.read(|world| world.presences.get(&shard).cloned())
    }

    /// Closes every gateway connection with this code.
    pub fn close_gateway(&self, code: u16) {
        self.change(|world| world.sessions.tell_all(|| Outgoing::Close(code, "Closed by the simulator.")));
    }

    /// Discord keeps a nonce for "a few minutes" only: these are over now, for all that were used so far.
    pub fn forget_nonces(&self) {
        self.change(|world| world.nonces.clear());
    }

    /// The token is no longer good: 401 everywhere, the gateway closes with 4004.
    pub fn revoke_token(&self) {
        self.change(|world| {
            world.token_revoked = true;
            world.sessions.tell_all(|| Outgoing::Close(4004, "Authentication failed."));
        });
    }

    /// The token is good again.
    pub fn restore_token(&self) {
        self.change(|world| world.token_revoked = false);
    }
}

/// A message in a line, for a wait that failed.
fn summary(message: &Message) -> String {
    let titles: Vec<&str> =
        message.embeds.iter().filter_map(|embed| embed.title.as_deref().or(embed.description.as_deref())).collect();
    format!("{:?} {titles:?}", message.content)
}
