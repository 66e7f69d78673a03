//! What the tests share: a world with one guild and channel, and a plain REST client.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::unwrap_used,
    reason = "every test file uses its own part of this"
)]

use std::time::Duration;

use discord_sim::{Actor, Bucket, ChannelKind, Options, Sim};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

pub const AGENT: &str = "DiscordBot (https://example.com/guildwire, 0.1.0)";

/// A simulator with a guild and a text channel, and a client with the right token.
pub struct House {
    pub sim: Sim,
    pub guild: u64,
    pub channel: u64,
    client: reqwest::Client,
}

/// A status, Discord's error code if there is one, and the body.
pub struct Got {
    pub status: u16,
    pub code: u64,
    pub body: Value,
    pub headers: reqwest::header::HeaderMap,
}

impl House {
    pub async fn new() -> Self {
        Self::with(Self::quick()).await
    }

    /// Options with a bucket that no test fills by accident.
    pub fn quick() -> Options {
        let bucket = Bucket { limit: 100, window: Duration::from_secs(1) };
        Options { message_bucket: Some(bucket), ..Options::default() }
    }

    pub async fn with(options: Options) -> Self {
        let sim = Sim::start(options).await.unwrap();
        let guild = sim.add_guild("Rustaceans");
        let channel = sim.add_channel(guild, "events", ChannelKind::Text);
        let client = reqwest::Client::builder().user_agent(AGENT).no_proxy().build().unwrap();
        Self { sim, guild, channel, client }
    }

    /// With short deadlines, these commands registered, and a session of a bot that does nothing by itself.
    pub async fn with_commands(commands: Value) -> (Self, Socket) {
        let short = Duration::from_millis(300);
        let options = Options { interaction_deadline: short, deferred_within: short, ..Self::quick() };
        let house = Self::with(options).await;
        let (socket, _) = Socket::identified(&house.sim).await;
        let registered = house.call("PUT", &format!("/applications/{}/commands", house.sim.bot()), commands).await;
        assert_eq!(registered.status, 200, "{}", registered.body);
        (house, socket)
    }

    pub fn owner(&self) -> Actor {
        Actor { guild: self.guild, channel: self.channel, user: self.sim.owner(self.guild) }
    }

    /// Answers an `INTERACTION_CREATE`.
    pub async fn answer(&self, interaction: &Value, body: Value) -> Got {
        let (id, token) = (interaction["d"]["id"].as_str().unwrap(), interaction["d"]["token"].as_str().unwrap());
        self.call("POST", &format!("/interactions/{id}/{token}/callback"), body).await
    }

    pub fn webhook(&self, interaction: &Value, rest: &str) -> String {
        format!("/webhooks/{}/{}{rest}", self.sim.bot(), interaction["d"]["token"].as_str().unwrap())
    }

    /// Gives the bot's role these permissions beside those of its invite.
    pub fn grant(&self, permissions: u64) {
        let role = self.sim.bot_role(self.guild);
        self.sim.set_role_permissions(self.guild, role, 0x0040_0001_cc00 | permissions);
    }

    /// A session that hears of everything that needs no privileged intent, after what comes with READY.
    pub async fn watch(&self) -> Socket {
        let mut socket = Socket::connect(&self.sim).await;
        let unprivileged = ((1 << 17) - 1) & !(1 << 1) & !(1 << 8) & !(1 << 15);
        socket.identify_as(&self.sim, json!({ "intents": unprivileged })).await;
        socket.until("GUILD_CREATE").await;
        socket
    }

    /// The same call again after the wait that a 429 asks for.
    pub async fn patiently(&self, method: &str, path: &str, body: Value) -> Got {
        loop {
            let got = self.call(method, path, body.clone()).await;
            if got.status != 429 {
                return got;
            }
            tokio::time::sleep(Duration::from_secs_f64(got.body["retry_after"].as_f64().unwrap())).await;
        }
    }

    /// Below the house's channel.
    pub async fn here(&self, method: &str, rest: &str, body: Value) -> Got {
        self.call(method, &format!("/channels/{}{rest}", self.channel), body).await
    }

    /// Below the house's guild.
    pub async fn in_guild(&self, method: &str, rest: &str, body: Value) -> Got {
        self.call(method, &format!("/guilds/{}{rest}", self.guild), body).await
    }

    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().unwrap();
        let url = format!("{}/api/v10{path}", self.sim.url());
        self.client.request(method, url).header("authorization", format!("Bot {}", self.sim.token()))
    }

    pub async fn call(&self, method: &str, path: &str, body: Value) -> Got {
        let request = self.request(method, path);
        let request = if body.is_null() { request } else { request.json(&body) };
        Got::from(request.send().await.unwrap()).await
    }

    pub async fn post(&self, body: Value) -> Got {
        self.post_to(self.channel, body).await
    }

    pub async fn post_to(&self, channel: u64, body: Value) -> Got {
        self.call("POST", &format!("/channels/{channel}/messages"), body).await
    }
}

impl Got {
    pub async fn from(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default();
        Self { status, code: body["code"].as_u64().unwrap_or_default(), body, headers }
    }

    /// The id of what was answered.
    pub fn id(&self) -> u64 {
        self.body["id"].as_str().unwrap_or_else(|| panic!("{}", self.body)).parse().unwrap()
    }

    /// The code of the first fault at this dotted path of a 50035.
    pub fn fault(&self, path: &str) -> &str {
        let at = path.split('.').fold(&self.body["errors"], |place, step| &place[step]);
        at["_errors"][0]["code"].as_str().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A gateway client that does nothing by itself.
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub async fn connect(sim: &Sim) -> Self {
        let url = format!("{}/gateway?v=10&encoding=json", sim.url().replace("http", "ws"));
        let (socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        let mut socket = Self(socket);
        assert_eq!(socket.next().await.unwrap()["op"], 10, "HELLO comes first");
        socket
    }

    /// Connects and identifies; gives READY's session id too.
    pub async fn identified(sim: &Sim) -> (Self, String) {
        let mut socket = Self::connect(sim).await;
        socket.identify(&sim.token()).await;
        let ready = socket.until("READY").await;
        (socket, ready["d"]["session_id"].as_str().unwrap().to_owned())
    }

    pub async fn identify(&mut self, token: &str) {
        let properties = json!({ "os": "linux", "browser": "test", "device": "test" });
        self.send(json!({ "op": 2, "d": { "token": token, "intents": 1, "properties": properties } })).await;
    }

    /// Identifies with these fields beside, or instead of, the usual ones.
    pub async fn identify_as(&mut self, sim: &Sim, fields: Value) {
        let mut data = json!({ "token": sim.token(), "intents": 1, "properties": {} });
        for (key, value) in fields.as_object().unwrap() {
            data[key] = value.clone();
        }
        self.send(json!({ "op": 2, "d": data })).await;
    }

    pub async fn close(mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        self.0.close(Some(frame)).await.unwrap();
    }

    /// The next frame as it came.
    pub async fn frame(&mut self) -> Frame {
        let frame = tokio::time::timeout(Duration::from_secs(5), self.0.next()).await.expect("a frame in time");
        frame.unwrap().unwrap()
    }

    pub async fn resume(&mut self, sim: &Sim, session: &str, sequence: u64) {
        let data = json!({ "token": sim.token(), "session_id": session, "seq": sequence });
        self.send(json!({ "op": 6, "d": data })).await;
    }

    pub async fn send(&mut self, payload: Value) {
        self.0.send(Frame::text(payload.to_string())).await.unwrap();
    }

    /// The next payload; an error is the close code, 0 if there was none.
    pub async fn next(&mut self) -> Result<Value, u16> {
        loop {
            let frame = tokio::time::timeout(Duration::from_secs(5), self.0.next()).await.expect("a frame in time");
            match frame {
                Some(Ok(Frame::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Frame::Close(frame))) => return Err(frame.map_or(0, |frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(0),
            }
        }
    }

    /// The next event of this name; others are passed over.
    pub async fn until(&mut self, event: &str) -> Value {
        loop {
            let payload = self.next().await.expect("the connection stands");
            if payload["t"] == event {
                return payload;
            }
        }
    }
}
