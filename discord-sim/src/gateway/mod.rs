//! One gateway connection: HELLO, IDENTIFY or RESUME, heartbeats, and whatever the session dispatches
//! (<https://discord.com/developers/docs/events/gateway>).

mod frames;
mod identify;
mod requests;

use std::collections::VecDeque;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use self::frames::Frames;
use self::identify::Refused;
use crate::sessions::{Connection, EVENTS_KEPT, Outgoing};
use crate::sim::Sim;

/// <https://discord.com/developers/docs/events/gateway#rate-limiting>
const SENDS_PER_MINUTE: usize = 120;

/// <https://discord.com/developers/docs/events/gateway#sending-events>
const PAYLOAD_LIMIT: usize = 4096;

/// A connection with more than this to send is given up: a whole RESUME, and as much again while it is read.
const QUEUED: usize = 2 * EVENTS_KEPT;

const TIMED_OUT: End = End::Close(4009, "Session timed out.");

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
    frames: Frames,
    connection: Connection,
    incoming: mpsc::UnboundedReceiver<Outgoing>,
    received: VecDeque<Instant>,
    /// Until then the client must have given a sign of life.
    silent_until: Instant,
}

/// What the client's address asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) zlib_stream: bool,
    /// Version 10, or none.
    pub(crate) known_version: bool,
}

/// Talks until the connection ends.
pub(crate) async fn run(sim: Sim, socket: WebSocket, dropped: CancellationToken, wanted: Wanted) {
    let (sender, incoming) = mpsc::unbounded_channel();
    let number = sim.change(|world| world.sessions.next_connection());
    let connection = Connection { number, sender };
    let (frames, received) = (Frames::new(wanted.zlib_stream), VecDeque::new());
    let silent_until = Instant::now();
    let mut talk = Talk { sim: sim.clone(), socket, frames, connection, incoming, received, silent_until };
    let end = if wanted.known_version {
        dropped.run_until_cancelled(talk.until_end()).await.unwrap_or(End::Lost)
    } else {
        End::Close(4012, "Invalid API version.")
    };
    // After 4007 and 4009, too, a new session is to be started:
    // https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
    let for_good = matches!(end, End::Goodbye | End::Close(4004 | 4007 | 4009, _));
    sim.change(|world| {
        world.sessions.detach(number, for_good);
        if let End::Close(code, _) = end {
            *world.statistics.gateway_closed.entry(code).or_default() += 1;
        }
    });
    if let End::Close(code, reason) = end {
        let frame = CloseFrame { code, reason: reason.into() };
        // The client may be gone already, which is what closing wants, or may not read any more.
        let farewell = async {
            let _ = talk.socket.send(Frame::Close(Some(frame))).await;
            // A client that is told goodbye answers with its own before the connection falls.
            while let Some(Ok(_)) = talk.socket.recv().await {}
        };
        let _ = tokio::time::timeout(Duration::from_secs(1), dropped.run_until_cancelled(farewell)).await;
    }
}

impl Talk {
    async fn until_end(&mut self) -> End {
        let interval = self.sim.read(|world| world.options.heartbeat_interval);
        let milliseconds = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX);
        let patience = interval.mul_f64(1.5);
        self.silent_until = Instant::now() + patience;
        if let Err(end) = self.send(10, &json!({ "heartbeat_interval": milliseconds })).await {
            return end;
        }
        loop {
            tokio::select! {
                outgoing = self.incoming.recv() => match outgoing {
                    Some(outgoing) => if let Err(end) = self.tell(outgoing).await { return end },
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
                        Ok(true) => self.silent_until = Instant::now() + patience,
                        Ok(false) => {}
                        Err(end) => return end,
                    }
                }
                () = sleep_until(self.silent_until) => return TIMED_OUT,
            }
        }
    }

    /// What the world has for this connection.
    async fn tell(&mut self, outgoing: Outgoing) -> Result<(), End> {
        if self.incoming.len() > QUEUED {
            return Err(End::Lost);
        }
        match outgoing {
            Outgoing::Text(text) => self.deliver(&text).await,
            Outgoing::Op(op, data) => self.send(op, &data).await,
            Outgoing::Close(code, reason) => Err(End::Close(code, reason)),
        }
    }

    /// A payload outside of the sequence.
    async fn send(&mut self, op: u64, data: &Value) -> Result<(), End> {
        let text = json!({ "op": op, "s": null, "t": null, "d": data }).to_string();
        self.deliver(&text).await
    }

    /// Who takes nothing is as silent as who says nothing.
    async fn deliver(&mut self, text: &str) -> Result<(), End> {
        let sent = timeout_at(self.silent_until, self.socket.send(self.frames.frame(text))).await;
        sent.map_err(|_| TIMED_OUT)?.map_err(|_| End::Lost)
    }

    /// One payload of the client's; true if it was a sign of life.
    async fn receive(&mut self, bytes: &[u8]) -> Result<bool, End> {
        let now = Instant::now();
        self.received.retain(|&at| now.duration_since(at) < Duration::from_mins(1));
        self.received.push_back(now);
        if self.received.len() > SENDS_PER_MINUTE {
            return Err(End::Close(4008, "You are being rate limited."));
        }
        let unreadable = End::Close(4002, "Error while decoding payload.");
        if bytes.len() > PAYLOAD_LIMIT {
            return Err(unreadable);
        }
        let Ok(payload) = serde_json::from_slice::<Value>(bytes) else { return Err(unreadable) };
        let Some(op) = payload["op"].as_u64() else { return Err(unreadable) };
        let data = &payload["d"];
        match op {
            1 if data.is_null() || data.is_u64() => {
                if self.sim.read(|world| world.sessions.acknowledges) {
                    self.send(11, &Value::Null).await?;
                }
                return Ok(true);
            }
            1 => return Err(unreadable),
            2 => self.identify(data).await?,
            6 => self.resume(data).await?,
            3 | 4 | 8 | 31 => self.request(op, data)?,
            _ => return Err(End::Close(4001, "Unknown opcode.")),
        }
        Ok(false)
    }

    fn has_session(&self) -> bool {
        self.sim.read(|world| world.sessions.of(self.connection.number).is_some())
    }

    async fn identify(&mut self, data: &Value) -> Result<(), End> {
        if self.has_session() {
            return Err(End::Close(4005, "Already authenticated."));
        }
        if data["compress"] == true && matches!(self.frames, Frames::Text) {
            self.frames = Frames::Payload;
        }
        let connection = self.connection.clone();
        let identified = self.sim.change(|world| identify::identify(world, data, connection));
        self.settled(identified).await
    }

    async fn resume(&mut self, data: &Value) -> Result<(), End> {
        if self.has_session() {
            return Err(End::Close(4005, "Already authenticated."));
        }
        let resumed = self.sim.change(|world| identify::resume(world, data, &self.connection));
        self.settled(resumed).await
    }

    async fn settled(&mut self, session: Result<(), Refused>) -> Result<(), End> {
        match session {
            Ok(()) => Ok(()),
            Err(Refused::Close(code, reason)) => Err(End::Close(code, reason)),
            Err(Refused::Invalid) => self.send(9, &json!(false)).await,
        }
    }

    fn request(&self, op: u64, data: &Value) -> Result<(), End> {
        self.sim.change(|world| {
            let session = world.sessions.of(self.connection.number);
            let Some((id, shard, intents)) = session else { return Err(End::Close(4003, "Not authenticated.")) };
            match op {
                3 => {
                    let shown = requests::presence(data)?;
                    world.presences.insert(shard, shown);
                    Ok(())
                }
                8 => requests::members(world, &id, intents, data),
                31 => requests::soundboards(world, &id, data),
                // Voice is not simulated: nobody joins.
                _ => Ok(()),
            }
        })
    }
}
