//! The gateway: identify, events, heartbeats, resume.

mod common;

use std::io::Read;
use std::time::Duration;

use common::{House, Socket};
use discord_sim::{ChannelKind, Options, Route, Trouble};
use flate2::read::ZlibDecoder;
use flate2::{Decompress, FlushDecompress};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message as Frame;

const WITHIN: Duration = Duration::from_secs(5);

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
async fn who_reads_nothing_is_timed_out_too() {
    let options = Options { heartbeat_interval: Duration::from_millis(200), ..Options::default() };
    let house = House::with(options).await;
    let (_unread, _) = Socket::identified(&house.sim).await;
    // More than the buffers of a connection on one machine hold.
    for _ in 0..100 {
        house.sim.rename_channel(house.channel, &"n".repeat(200_000));
    }
    house.sim.wait_until(WITHIN, "4009", |sim| sim.statistics().gateway_closed.contains_key(&4009)).await.unwrap();
}

#[tokio::test]
async fn a_session_that_timed_out_or_was_named_a_wrong_sequence_is_gone() {
    let options = Options { heartbeat_interval: Duration::from_millis(100), ..Options::default() };
    let house = House::with(options).await;
    let (mut silent, timed_out) = Socket::identified(&house.sim).await;
    silent.until("GUILD_CREATE").await;
    assert_eq!(silent.next().await, Err(4009));
    let (fallen, misnamed) = Socket::identified(&house.sim).await;
    drop(fallen);
    house.sim.wait_until(WITHIN, "the connection's end", |sim| !sim.gateway_connected()).await.unwrap();
    let mut ahead = Socket::connect(&house.sim).await;
    ahead.resume(&house.sim, &misnamed, 1000).await;
    assert_eq!(ahead.next().await, Err(4007));
    for session in [timed_out, misnamed] {
        let mut socket = Socket::connect(&house.sim).await;
        socket.resume(&house.sim, &session, 2).await;
        assert_eq!(socket.next().await.unwrap()["op"], 9);
    }
}

#[tokio::test]
async fn identifying_too_fast_is_invalid_and_too_often_costs_the_token() {
    let slow = Duration::from_secs(5);
    let house = House::with(Options { max_concurrency: 2, identify_interval: slow, ..Options::default() }).await;
    for (shard, op) in [([0, 4], 0), ([1, 4], 0), ([2, 4], 9), ([3, 4], 9)] {
        let mut socket = Socket::connect(&house.sim).await;
        socket.identify_as(&house.sim, json!({ "shard": shard })).await;
        assert_eq!(
            socket.next().await.unwrap()["op"],
            op,
            "shards 0 and 2 share a bucket, 1 and 3 the other: {shard:?}"
        );
    }
    let house = House::with(Options { identify_limit: 1, ..Options::default() }).await;
    let (mut first, _) = Socket::identified(&house.sim).await;
    first.until("GUILD_CREATE").await;
    let mut second = Socket::connect(&house.sim).await;
    second.identify(&house.sim.token()).await;
    assert_eq!(second.next().await, Err(4004));
    assert_eq!(first.next().await, Err(4004), "every session goes with the token");
}

#[tokio::test]
async fn what_breaks_the_protocol_closes_with_its_code() {
    let house = House::new().await;
    let identify = |extra: Value| {
        let mut data = json!({ "token": house.sim.token(), "intents": 1, "properties": {} });
        for (key, value) in extra.as_object().unwrap() {
            data[key] = value.clone();
        }
        json!({ "op": 2, "d": data })
    };
    for (code, wrong) in [
        (4001, json!({ "op": 99, "d": null })),
        (4002, json!({ "d": null })),
        (4002, json!({ "op": 1, "d": "x" })),
        (4002, json!({ "op": 1, "d": null, "padding": "x".repeat(4096) })),
        (4002, identify(json!({ "properties": null }))),
        (4002, identify(json!({ "presence": { "status": "busy" } }))),
        (4003, json!({ "op": 3, "d": {} })),
        (4003, json!({ "op": 8, "d": {} })),
        (4004, identify(json!({ "token": "wrong" }))),
        (4007, json!({ "op": 6, "d": { "token": house.sim.token(), "session_id": "x" } })),
        (4010, identify(json!({ "shard": [1, 1] }))),
        (4010, identify(json!({ "shard": [0] }))),
        (4013, identify(json!({ "intents": 1 << 22 }))),
        (4013, identify(json!({ "intents": null }))),
        (4014, identify(json!({ "intents": 1 << 15 }))),
    ] {
        let mut socket = Socket::connect(&house.sim).await;
        socket.send(wrong.clone()).await;
        assert_eq!(socket.next().await, Err(code), "{wrong}");
    }
    assert_eq!(house.sim.statistics().gateway_closed[&4002], 5);
    let (mut socket, session) = Socket::identified(&house.sim).await;
    socket.until("GUILD_CREATE").await;
    socket.identify(&house.sim.token()).await;
    assert_eq!(socket.next().await, Err(4005));
    let mut socket = Socket::connect(&house.sim).await;
    socket.resume(&house.sim, &session, 1000).await;
    assert_eq!(socket.next().await, Err(4007), "so many were never sent");
    let url = format!("{}/gateway?v=8&encoding=json", house.sim.url().replace("http", "ws"));
    let (mut old, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let frame = old.next().await.unwrap().unwrap();
    assert!(matches!(frame, Frame::Close(Some(frame)) if u16::from(frame.code) == 4012));
}

#[tokio::test]
async fn a_120th_payload_in_a_minute_is_taken_and_the_next_is_not() {
    let house = House::new().await;
    let mut socket = Socket::connect(&house.sim).await;
    for _ in 0..120 {
        socket.send(json!({ "op": 1, "d": null })).await;
        assert_eq!(socket.next().await.unwrap()["op"], 11);
    }
    socket.send(json!({ "op": 1, "d": null })).await;
    assert_eq!(socket.next().await, Err(4008));
}

#[tokio::test]
async fn too_many_guilds_ask_for_sharding() {
    let house = House::with(Options { guilds_per_shard: 1, privileged_intents: true, ..Options::default() }).await;
    house.sim.add_guild("Second");
    let mut socket = Socket::connect(&house.sim).await;
    socket.identify(&house.sim.token()).await;
    assert_eq!(socket.next().await, Err(4011));
    // Their ids decide which shard has which; if one has both, it is refused again.
    let mut guilds = 0;
    for shard in 0..2 {
        let mut socket = Socket::connect(&house.sim).await;
        socket.identify_as(&house.sim, json!({ "shard": [shard, 2] })).await;
        guilds += match socket.next().await {
            Ok(ready) => ready["d"]["guilds"].as_array().unwrap().len(),
            Err(code) => {
                assert_eq!(code, 4011);
                2
            }
        };
    }
    assert_eq!(guilds, 2, "each guild is one shard's");
}

#[tokio::test]
async fn closing_with_1000_ends_a_session_and_with_another_code_keeps_it() {
    let house = House::new().await;
    for (code, resumed) in [(1000, false), (1001, false), (4000, true), (1012, true)] {
        let (socket, session) = Socket::identified(&house.sim).await;
        socket.close(code).await;
        house.sim.wait_until(WITHIN, "the connection's end", |sim| !sim.gateway_connected()).await.unwrap();
        let mut socket = Socket::connect(&house.sim).await;
        socket.resume(&house.sim, &session, 2).await;
        let first = socket.next().await.unwrap();
        assert_eq!(first["t"] == "RESUMED", resumed, "after {code}: {first}");
        assert_eq!(first["op"] == 9, !resumed, "after {code}: {first}");
        socket.close(1000).await;
        house.sim.wait_until(WITHIN, "the connection's end", |sim| !sim.gateway_connected()).await.unwrap();
    }
}

#[tokio::test]
async fn a_session_left_alone_for_too_long_is_gone() {
    let house = House::with(Options { session_life: Duration::ZERO, ..Options::default() }).await;
    let (_socket, session) = Socket::identified(&house.sim).await;
    house.sim.restart(false).await;
    let mut socket = Socket::connect(&house.sim).await;
    socket.resume(&house.sim, &session, 1).await;
    assert_eq!(socket.next().await.unwrap()["op"], 9);
}

#[tokio::test]
async fn a_session_is_invalidated_on_demand_with_or_without_a_way_back() {
    let house = House::new().await;
    let (mut socket, session) = Socket::identified(&house.sim).await;
    let sequence = socket.until("GUILD_CREATE").await["s"].as_u64().unwrap();
    house.sim.invalidate_sessions(true);
    let invalid = socket.next().await.unwrap();
    assert_eq!((&invalid["op"], &invalid["d"]), (&json!(9), &json!(true)));
    house.sim.rename_channel(house.channel, "renamed");
    socket.resume(&house.sim, &session, sequence).await;
    assert_eq!(socket.next().await.unwrap()["t"], "CHANNEL_UPDATE", "on the same connection");
    assert_eq!(socket.next().await.unwrap()["t"], "RESUMED");
    house.sim.invalidate_sessions(false);
    assert_eq!(socket.next().await.unwrap()["d"], false);
    socket.send(json!({ "op": 3, "d": {} })).await;
    assert_eq!(socket.next().await, Err(4003), "the session is no more");
}

#[tokio::test]
async fn a_heartbeat_is_asked_for_and_its_answer_withheld() {
    let house = House::new().await;
    let (mut socket, _) = Socket::identified(&house.sim).await;
    socket.until("GUILD_CREATE").await;
    house.sim.request_heartbeat();
    assert_eq!(socket.next().await.unwrap()["op"], 1);
    house.sim.acknowledge_heartbeats(false);
    socket.send(json!({ "op": 1, "d": 2 })).await;
    house.sim.rename_channel(house.channel, "renamed");
    assert_eq!(socket.next().await.unwrap()["t"], "CHANNEL_UPDATE", "no acknowledgement came before");
    house.sim.acknowledge_heartbeats(true);
    socket.send(json!({ "op": 1, "d": 3 })).await;
    assert_eq!(socket.next().await.unwrap()["op"], 11);
}

#[tokio::test]
async fn a_presence_is_kept() {
    let house = House::new().await;
    let (mut socket, _) = Socket::identified(&house.sim).await;
    assert_eq!(house.sim.presence(0), None);
    let shown = json!({ "status": "idle", "afk": false, "since": null, "activities": [{ "name": "Rust", "type": 0 }] });
    socket.send(json!({ "op": 3, "d": shown })).await;
    house.sim.wait_until(WITHIN, "a presence", |sim| sim.presence(0) == Some(shown.clone())).await.unwrap();
}

#[tokio::test]
async fn members_are_told_in_chunks_to_who_may_have_them() {
    let house = House::with(Options { privileged_intents: true, ..Options::default() }).await;
    let ferris = house.sim.add_member(house.guild, "Ferris", 0);
    for at in 0..1000 {
        house.sim.add_member(house.guild, &format!("player{at}"), 0);
    }
    let ask = |extra: Value| {
        let mut data = json!({ "guild_id": house.guild.to_string(), "nonce": "n" });
        for (key, value) in extra.as_object().unwrap() {
            data[key] = value.clone();
        }
        json!({ "op": 8, "d": data })
    };
    let mut socket = Socket::connect(&house.sim).await;
    socket.identify_as(&house.sim, json!({ "intents": 3 })).await;
    socket.send(ask(json!({ "query": "", "limit": 0 }))).await;
    let chunks = [socket.until("GUILD_MEMBERS_CHUNK").await, socket.until("GUILD_MEMBERS_CHUNK").await];
    let counts = chunks.each_ref().map(|chunk| chunk["d"]["members"].as_array().unwrap().len());
    assert_eq!(counts, [1000, 3], "the owner and the bot are among them");
    assert_eq!((&chunks[1]["d"]["chunk_index"], &chunks[1]["d"]["chunk_count"]), (&json!(1), &json!(2)));
    let (mut socket, _) = Socket::identified(&house.sim).await;
    // Without the intent the whole list is not told; a search or a name is.
    socket.send(ask(json!({ "query": "", "limit": 0 }))).await;
    socket.send(ask(json!({ "query": "ferr", "limit": 10 }))).await;
    let found = socket.until("GUILD_MEMBERS_CHUNK").await;
    assert_eq!(found["d"]["members"][0]["user"]["id"], ferris.to_string());
    assert_eq!((&found["d"]["nonce"], found["d"]["members"].as_array().unwrap().len()), (&json!("n"), 1));
    socket.send(ask(json!({ "user_ids": [ferris.to_string(), "1"] }))).await;
    let named = socket.until("GUILD_MEMBERS_CHUNK").await;
    assert_eq!(
        (&named["d"]["members"][0]["user"]["username"], &named["d"]["not_found"]),
        (&json!("Ferris"), &json!(["1"]))
    );
    socket.send(ask(json!({ "user_ids": vec!["1"; 101] }))).await;
    assert_eq!(socket.next().await, Err(4002), "100 may be named");
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
async fn who_asks_for_it_gets_large_payloads_compressed_by_themselves() {
    let house = House::new().await;
    let mut socket = Socket::connect(&house.sim).await;
    socket.identify_as(&house.sim, json!({ "compress": true })).await;
    let ready = socket.frame().await.into_text().unwrap();
    assert!(ready.contains("READY"), "a small one stays text");
    let create = socket.frame().await;
    assert!(create.is_binary());
    let mut text = String::new();
    ZlibDecoder::new(&create.into_data()[..]).read_to_string(&mut text).unwrap();
    assert!(text.contains("GUILD_CREATE"));
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
