//! The gateway: identify, events, heartbeats, resume.

mod common;

use std::time::Duration;

use common::{House, Socket};
use discord_sim::{ChannelKind, Options, Route, Trouble};
use flate2::{Decompress, FlushDecompress};
use futures_util::StreamExt;
use serde_json::{Value, json};

#[tokio::test]
async fn identifying_with_a_wrong_token_closes_with_4004() {
    let house = House::new().await;
    let mut socket = Socket::connect(&house.sim).await;
    socket.identify("wrong").await;
    assert_eq!(socket.next().await, Err(4004));
    assert_eq!(house.sim.statistics().identifies, 0);
}

#[tokio::test]
async fn ready_names_guilds_that_then_arrive() {
    let house = House::new().await;
    let mut socket = Socket::connect(&house.sim).await;
    socket.identify(&house.sim.token()).await;
    let ready = socket.until("READY").await;
    assert_eq!(ready["d"]["guilds"], json!([{ "id": house.guild.to_string(), "unavailable": true }]));
    let guild = socket.until("GUILD_CREATE").await;
    assert_eq!(guild["d"]["channels"][0]["name"], "events");
    let later = house.sim.add_channel(house.guild, "later", ChannelKind::Text);
    assert_eq!(socket.until("CHANNEL_CREATE").await["d"]["id"], later.to_string());
    house.sim.deny(later, 1 << 11);
    assert_eq!(socket.until("CHANNEL_UPDATE").await["d"]["permission_overwrites"][0]["deny"], "2048");
    house.sim.delete_channel(later);
    socket.until("CHANNEL_DELETE").await;
    house.sim.set_guild_outage(house.guild, true);
    assert_eq!(socket.until("GUILD_DELETE").await["d"]["unavailable"], true);
    house.sim.set_guild_outage(house.guild, false);
    socket.until("GUILD_CREATE").await;
    house.sim.remove_bot(house.guild);
    assert!(socket.until("GUILD_DELETE").await["d"].get("unavailable").is_none());
    assert!(house.sim.gateway_connected());
}

#[tokio::test]
async fn a_resume_replays_what_was_missed_and_then_says_so() {
    let house = House::new().await;
    let (mut socket, session) = Socket::identified(&house.sim).await;
    let sequence = socket.until("GUILD_CREATE").await["s"].as_u64().unwrap();
    house.sim.restart(false).await;
    assert_eq!(socket.next().await, Err(0), "the connection fell");
    house.sim.add_channel(house.guild, "first", ChannelKind::Text);
    house.sim.add_channel(house.guild, "second", ChannelKind::Text);
    let mut socket = Socket::connect(&house.sim).await;
    socket.resume(&house.sim, &session, sequence).await;
    for name in ["first", "second"] {
        let event = socket.next().await.unwrap();
        assert_eq!((&event["t"], &event["d"]["name"]), (&json!("CHANNEL_CREATE"), &json!(name)));
    }
    assert_eq!(socket.next().await.unwrap()["t"], "RESUMED");
    assert_eq!(house.sim.statistics().resumes, 1);
}

#[tokio::test]
async fn a_forgotten_session_is_invalid_and_must_identify_anew() {
    let house = House::new().await;
    let (_lost, session) = Socket::identified(&house.sim).await;
    house.sim.restart(true).await;
    let mut socket = Socket::connect(&house.sim).await;
    socket.resume(&house.sim, &session, 1).await;
    let invalid = socket.next().await.unwrap();
    assert_eq!((&invalid["op"], &invalid["d"]), (&json!(9), &json!(false)));
    socket.identify(&house.sim.token()).await;
    socket.until("READY").await;
}

#[tokio::test]
async fn heartbeats_are_acknowledged_and_silence_closes_with_4009() {
    let options = Options { heartbeat_interval: Duration::from_millis(100), ..Options::default() };
    let house = House::with(options).await;
    let mut socket = Socket::connect(&house.sim).await;
    socket.send(json!({ "op": 1, "d": null })).await;
    assert_eq!(socket.next().await.unwrap()["op"], 11);
    assert_eq!(socket.next().await, Err(4009));
}

#[tokio::test]
async fn identifying_too_fast_is_invalid_and_too_often_costs_the_token() {
    let house = House::with(Options { max_concurrency: 1, ..Options::default() }).await;
    Socket::identified(&house.sim).await;
    let mut second = Socket::connect(&house.sim).await;
    second.identify(&house.sim.token()).await;
    assert_eq!(second.next().await.unwrap()["op"], 9);
    let house = House::with(Options { identify_limit: 1, ..Options::default() }).await;
    Socket::identified(&house.sim).await;
    let mut second = Socket::connect(&house.sim).await;
    second.identify(&house.sim.token()).await;
    assert_eq!(second.next().await, Err(4004));
}

#[tokio::test]
async fn reconnect_is_asked_for_and_a_revoked_token_closes_with_4004() {
    let house = House::new().await;
    let (mut socket, _) = Socket::identified(&house.sim).await;
    socket.until("GUILD_CREATE").await;
    house.sim.reconnect_gateway();
    assert_eq!(socket.next().await.unwrap()["op"], 7);
    house.sim.revoke_token();
    assert_eq!(socket.next().await, Err(4004));
}

#[tokio::test]
async fn gateway_trouble_spares_rest() {
    let house = House::new().await;
    house.sim.trouble(Route::Gateway, Trouble::Status(503), Some(1));
    let url = format!("{}/gateway?v=10", house.sim.url().replace("http", "ws"));
    assert!(tokio_tungstenite::connect_async(url).await.is_err());
    assert_eq!(house.post(json!({ "content": "x" })).await.status, 200);
    Socket::connect(&house.sim).await;
}

#[tokio::test]
async fn a_zlib_stream_can_be_read_payload_by_payload() {
    let house = House::new().await;
    let url = format!("{}/gateway?v=10&compress=zlib-stream", house.sim.url().replace("http", "ws"));
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let bytes = socket.next().await.unwrap().unwrap().into_data();
    assert!(bytes.ends_with(&[0, 0, 0xFF, 0xFF]), "each payload ends with a flush");
    let mut text = Vec::with_capacity(1000);
    Decompress::new(true).decompress_vec(&bytes, &mut text, FlushDecompress::Sync).unwrap();
    let hello: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(hello["op"], 10);
}
