//! One gateway connection: HELLO, IDENTIFY or RESUME, heartbeats, and whatever the session dispatches
//! (<https://discord.com/developers/docs/events/gateway>).

use std::collections::VecDeque;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket};
use flate2::{Compress, Compression, FlushCompress};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::intents;
use crate::rules::mentions::snowflake;
use crate::sessions::{Connection, NotIdentified, Outgoing};
use crate::sim::Sim;
use crate::wire;
use crate::world::World;

/// <https://discord.com/developers/docs/events/gateway#rate-limiting>
const SENDS_PER_MINUTE: usize = 120;

/// <https://discord.com/developers/docs/events/gateway#sending-events>
const PAYLOAD_LIMIT: usize = 4096;

/// Past so many guilds per shard a session is refused
/// (<https://discord.com/developers/docs/events/gateway#sharding>).
const GUILDS_PER_SHARD: u64 = 2500;

/// How a connection ends.
enum End {
    /// With a close frame of ours.
    Close(u16, &'static str),
    /// The client closed the session for good, with 1000 or 1001.
    Goodbye,
    /// The connection is just gone.
    Lost,
}

struct Talk {
    sim: Sim,
    socket: WebSocket,
    compressor: Option<Compress>,
    connection: Connection,
    incoming: mpsc::UnboundedReceiver<Outgoing>,
    has_session: bool,
    received: VecDeque<Instant>,
}

/// Talks until the connection ends.
pub(crate) async fn run(sim: Sim, socket: WebSocket, dropped: CancellationToken, compressed: bool) {
    let (sender, incoming) = mpsc::unbounded_channel();
    let number = sim.change(|world| world.sessions.next_connection());
    let connection = Connection { number, sender };
    let compressor = compressed.then(|| Compress::new(Compression::fast(), true));
    let received = VecDeque::new();
    let mut talk = Talk { sim: sim.clone(), socket, compressor, connection, incoming, has_session: false, received };
    let end = dropped.run_until_cancelled(talk.until_end()).await.unwrap_or(End::Lost);
    let for_good = matches!(end, End::Goodbye | End::Close(4004, _));
    sim.change(|world| world.sessions.detach(number, for_good));
    if let End::Close(code, reason) = end {
        let frame = CloseFrame { code, reason: reason.into() };
        // The client may be gone already, which is what closing wants.
        let _ = dropped.run_until_cancelled(talk.socket.send(Frame::Close(Some(frame)))).await;
        // A client that is told goodbye answers with its own before the connection falls.
        let farewell = async { while let Some(Ok(_)) = talk.socket.recv().await {} };
        let _ = tokio::time::timeout(Duration::from_secs(1), dropped.run_until_cancelled(farewell)).await;
    }
}

impl Talk {
    async fn until_end(&mut self) -> End {
        let interval = self.sim.read(|world| world.options.heartbeat_interval);
        let milliseconds = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX);
        let hello = json!({ "op": 10, "s": null, "t": null, "d": { "heartbeat_interval": milliseconds } });
        if self.send(&hello.to_string()).await.is_err() {
            return End::Lost;
        }
        let patience = interval.mul_f64(1.5);
        let mut silent_until = Instant::now() + patience;
        loop {
            tokio::select! {
                outgoing = self.incoming.recv() => match outgoing {
                    Some(Outgoing::Text(text)) => if self.send(&text).await.is_err() { return End::Lost },
                    Some(Outgoing::Close(code, reason)) => return End::Close(code, reason),
                    None => return End::Lost,
                },
                frame = self.socket.recv() => {
                    let text = match frame {
                        Some(Ok(Frame::Text(text))) => text.as_str().as_bytes().to_vec(),
                        Some(Ok(Frame::Binary(bytes))) => bytes.to_vec(),
                        Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => continue,
                        Some(Ok(Frame::Close(Some(frame)))) if matches!(frame.code, 1000 | 1001) => return End::Goodbye,
                        Some(Ok(Frame::Close(_)) | Err(_)) | None => return End::Lost,
                    };
                    match self.receive(&text).await {
                        Ok(true) => silent_until = Instant::now() + patience,
                        Ok(false) => {}
                        Err(end) => return end,
                    }
                }
                () = sleep_until(silent_until) => return End::Close(4009, "Session timed out."),
            }
        }
    }

    async fn send(&mut self, text: &str) -> Result<(), axum::Error> {
        let frame = match &mut self.compressor {
            None => Frame::text(text),
            Some(compressor) => Frame::binary(deflate(compressor, text.as_bytes())),
        };
        self.socket.send(frame).await
    }

    /// One payload of the client's; true if it was a sign of life.
    async fn receive(&mut self, bytes: &[u8]) -> Result<bool, End> {
        let now = Instant::now();
        self.received.retain(|&at| now.duration_since(at) < Duration::from_mins(1));
        self.received.push_back(now);
        if self.received.len() > SENDS_PER_MINUTE {
            return Err(End::Close(4008, "You are being rate limited."));
        }
        if bytes.len() > PAYLOAD_LIMIT {
            return Err(End::Close(4002, "Error while decoding payload."));
        }
        let Ok(payload) = serde_json::from_slice::<Value>(bytes) else {
            return Err(End::Close(4002, "Error while decoding payload."));
        };
        let data = &payload["d"];
        match payload["op"].as_u64() {
            Some(1) => {
                let acknowledged = json!({ "op": 11, "s": null, "t": null, "d": null }).to_string();
                self.send(&acknowledged).await.map_err(|_| End::Lost)?;
                Ok(true)
            }
            Some(2) if self.has_session => Err(End::Close(4005, "Already authenticated.")),
            Some(2) => self.identify(data).await.map(|()| false),
            Some(6) => self.resume(data).await.map(|()| false),
            Some(3 | 4 | 8 | 31) if self.has_session => Ok(false),
            Some(3 | 4 | 8 | 31) => Err(End::Close(4003, "Not authenticated.")),
            _ => Err(End::Close(4001, "Unknown opcode.")),
        }
    }

    async fn identify(&mut self, data: &Value) -> Result<(), End> {
        let connection = self.connection.clone();
        match self.sim.change(|world| identify(world, data, connection)) {
            Ok(()) => {
                self.has_session = true;
                Ok(())
            }
            Err(Identified::Close(code, reason)) => Err(End::Close(code, reason)),
            Err(Identified::Invalid) => self.invalid_session().await,
        }
    }

    async fn resume(&mut self, data: &Value) -> Result<(), End> {
        let id = data["session_id"].as_str().unwrap_or_default();
        let sequence = data["seq"].as_u64().unwrap_or_default();
        let connection = self.connection.clone();
        let missed = self.sim.change(|world| {
            if !token_is_right(world, data) {
                return Err(End::Close(4004, "Authentication failed."));
            }
            let missed = world.sessions.resume(id, sequence, connection.clone());
            if let Some(missed) = &missed {
                world.statistics.resumes += 1;
                for text in missed {
                    // Through the same queue as new events, so that none overtakes an older one.
                    let _ = connection.sender.send(Outgoing::Text(text.clone()));
                }
                world.sessions.send_to(id, "RESUMED", &json!({ "_trace": ["discord-sim"] }));
            }
            Ok(missed.is_some())
        })?;
        if missed {
            self.has_session = true;
            return Ok(());
        }
        self.invalid_session().await
    }

    /// Op 9: the session cannot be resumed, identify anew.
    async fn invalid_session(&mut self) -> Result<(), End> {
        let invalid = json!({ "op": 9, "s": null, "t": null, "d": false }).to_string();
        self.send(&invalid).await.map_err(|_| End::Lost)
    }
}

enum Identified {
    Close(u16, &'static str),
    Invalid,
}

fn token_is_right(world: &World, data: &Value) -> bool {
    let given = data["token"].as_str().unwrap_or_default();
    !world.token_revoked && given.strip_prefix("Bot ").unwrap_or(given) == world.options.token
}

/// Checks an IDENTIFY and opens its session: READY, then `GUILD_CREATE` for each guild that is not out.
fn identify(world: &mut World, data: &Value, connection: Connection) -> Result<(), Identified> {
    let close = |code, reason| Err(Identified::Close(code, reason));
    if !token_is_right(world, data) {
        return close(4004, "Authentication failed.");
    }
    let Some(asked) = data["intents"].as_u64().or_else(|| snowflake(&data["intents"])) else {
        return close(4013, "Invalid intent(s).");
    };
    if asked & !intents::KNOWN != 0 {
        return close(4013, "Invalid intent(s).");
    }
    if asked & intents::PRIVILEGED != 0 && !world.options.privileged_intents {
        return close(4014, "Disallowed intent(s).");
    }
    if !data["properties"].is_object() {
        return close(4002, "Error while decoding payload.");
    }
    let shard = match data["shard"].as_array().map(Vec::as_slice) {
        None => (0, 1),
        Some([number, count]) => match (number.as_u64(), count.as_u64()) {
            (Some(number), Some(count)) if number < count => (number, count),
            _ => return close(4010, "Invalid shard."),
        },
        Some(_) => return close(4010, "Invalid shard."),
    };
    let mine = |guild: u64| (guild >> 22) % shard.1 == shard.0;
    let guilds: Vec<u64> = world.guilds.keys().copied().filter(|&guild| mine(guild) && world.has_bot(guild)).collect();
    if guilds.len() as u64 > GUILDS_PER_SHARD {
        return close(4011, "Sharding required.");
    }
    match world.sessions.may_identify(world.options.max_concurrency, world.options.identify_limit) {
        Ok(()) => {}
        Err(NotIdentified::TooFast) => return Err(Identified::Invalid),
        Err(NotIdentified::DayIsFull) => {
            world.token_revoked = true;
            return close(4004, "Authentication failed.");
        }
    }
    world.statistics.identifies += 1;
    let id = world.random_token();
    world.sessions.add(id.clone(), shard, asked, connection);
    let unavailable: Vec<Value> =
        guilds.iter().map(|guild| json!({ "id": guild.to_string(), "unavailable": true })).collect();
    let ready = json!({
        "v": 10, "user": wire::current_user(world), "guilds": unavailable, "session_id": id, "session_type": "normal",
        "resume_gateway_url": format!("ws://127.0.0.1:{}/gateway", world.port), "shard": [shard.0, shard.1],
        "application": { "id": world.bot.to_string(), "flags": 0 }, "private_channels": [], "relationships": [],
        "presences": [], "guild_join_requests": [], "user_settings": {}, "_trace": ["discord-sim"],
    });
    world.sessions.send_to(&id, "READY", &ready);
    if asked & intents::GUILDS != 0 {
        for guild in guilds {
            let Some(guild) = world.guilds.get(&guild).filter(|guild| !guild.out) else { continue };
            let create = wire::guild_create(world, guild);
            world.sessions.send_to(&id, "GUILD_CREATE", &create);
        }
    }
    Ok(())
}

/// One payload of a zlib stream, flushed so that it can be read at once
/// (<https://discord.com/developers/docs/events/gateway#transport-compression>).
fn deflate(compressor: &mut Compress, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() / 2 + 64);
    let mut read = 0;
    loop {
        let before = compressor.total_in();
        // The only error is a misused stream, and this one is only ever fed and flushed.
        let _ = compressor.compress_vec(&bytes[read..], &mut out, FlushCompress::Sync);
        read += usize::try_from(compressor.total_in() - before).unwrap_or_default();
        if read == bytes.len() && out.len() < out.capacity() {
            return out;
        }
        out.reserve(bytes.len() / 2 + 64);
    }
}
