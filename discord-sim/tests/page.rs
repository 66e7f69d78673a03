//! The page in a real browser: `node/page.mjs` looks at it in headless Chromium, while a bot answers.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod common;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use common::House;
use discord_sim::{Bucket, Options, Sim};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Unpacking Chromium, starting it and looking at everything, where much else runs.
const WITHIN: Duration = Duration::from_mins(3);

fn commands() -> Value {
    let option = |kind: u64, name: &str| json!({ "type": kind, "name": name, "description": format!("The {name}") });
    let required = |kind: u64, name: &str| json!({ "type": kind, "name": name, "description": format!("The {name}"), "required": true });
    let mut events = required(3, "events");
    events["choices"] = json!([{ "name": "Lifecycle", "value": "lifecycle" }, { "name": "Chat", "value": "chat" }]);
    let mut server = option(3, "server");
    server["autocomplete"] = json!(true);
    let subcommand = |name: &str, options: Value| json!({ "type": 1, "name": name, "description": format!("{name} one"), "options": options });
    json!([
        { "name": "status", "description": "How the servers are" },
        { "name": "whisper", "description": "Only for you" },
        { "name": "think", "description": "Takes its time" },
        { "name": "silent", "description": "Never answers" },
        { "name": "form", "description": "Opens a form" },
        { "name": "count", "description": "Takes everything", "options": [
            required(4, "amount"), option(5, "loud"), option(6, "whom"), option(9, "anyone"), option(10, "ratio"),
        ] },
        { "name": "notify", "description": "Notifications", "default_member_permissions": "32", "options": [
            subcommand("add", json!([required(7, "channel"), events, server, option(8, "mention")])),
            subcommand("list", json!([])),
        ] },
    ])
}

/// Answers as a bot would: everything that the page has to show.
async fn answer(house: &House, interaction: &Value) {
    let data = &interaction["d"]["data"];
    let said = |content: String| json!({ "type": 4, "data": { "content": content } });
    let body = match interaction["d"]["type"].as_u64().unwrap() {
        4 => {
            let options = &data["options"][0]["options"];
            let typed =
                options.as_array().unwrap().iter().find(|of| of["focused"] == true).unwrap()["value"].as_str().unwrap();
            let choices: Vec<Value> = ["eu-main", "eu-second", "us-west"]
                .iter()
                .filter(|name| name.contains(typed))
                .map(|name| json!({ "name": format!("{name} 🟢"), "value": name }))
                .collect();
            json!({ "type": 8, "data": { "choices": choices } })
        }
        3 => match data["custom_id"].as_str().unwrap() {
            "ask" => form(),
            "stop" => json!({ "type": 7, "data": { "content": "stopped", "components": [] } }),
            "ignored" => return,
            _ => said(format!(
                "chosen: {}",
                data["values"].as_array().unwrap().iter().map(|of| of.as_str().unwrap()).collect::<Vec<_>>().join(", ")
            )),
        },
        5 => said(format!("filled: {}", data["components"])),
        _ => match data["name"].as_str().unwrap() {
            "status" => json!({ "type": 4, "data": status() }),
            "whisper" => json!({ "type": 4, "data": { "content": "a secret", "flags": 64 } }),
            "think" => {
                house.answer(interaction, json!({ "type": 5 })).await;
                tokio::time::sleep(Duration::from_millis(700)).await;
                let original = house.webhook(interaction, "/messages/@original");
                house.call("PATCH", &original, json!({ "content": "thought through" })).await;
                return;
            }
            "silent" => return,
            "form" => form(),
            _ => said(format!("got {}", data["options"])),
        },
    };
    house.answer(interaction, body).await;
}

fn status() -> Value {
    json!({
        "embeds": [{ "title": "Main", "description": "**Online** since <t:1700000000:R>", "color": 0x0023_A55A }],
        "components": [
            { "type": 1, "components": [
                { "type": 2, "style": 1, "label": "Ask", "custom_id": "ask" },
                { "type": 2, "style": 4, "label": "Stop", "custom_id": "stop" },
                { "type": 2, "style": 2, "label": "Ignored", "custom_id": "ignored" },
                { "type": 2, "style": 5, "label": "Link", "url": "https://example.com/" },
            ] },
            { "type": 1, "components": [{ "type": 3, "custom_id": "kinds", "min_values": 1, "max_values": 2,
                "placeholder": "Which kinds?", "options": [
                    { "label": "Started", "value": "started", "description": "A server is up", "emoji": { "name": "🟢" } },
                    { "label": "Stopped", "value": "stopped", "emoji": { "name": "🔴" } },
                    { "label": "Wiped", "value": "wiped" },
                ] }] },
            { "type": 1, "components": [{ "type": 8, "custom_id": "where", "placeholder": "Which channel?" }] },
        ],
    })
}

fn form() -> Value {
    json!({ "type": 9, "data": { "custom_id": "form", "title": "Tell us", "components": [
        { "type": 1, "components": [{ "type": 4, "custom_id": "name", "label": "Name", "style": 1, "min_length": 2 }] },
        { "type": 18, "label": "Reason", "component": { "type": 4, "custom_id": "why", "style": 2, "required": false } },
        { "type": 18, "label": "Kind", "component": { "type": 3, "custom_id": "kind", "options": [
            { "label": "Praise", "value": "praise" }, { "label": "Blame", "value": "blame" } ] } },
        { "type": 18, "label": "Proof", "component": { "type": 19, "custom_id": "proof", "required": false } },
    ] } })
}

#[tokio::test]
async fn people_see_and_use_everything_in_a_browser() {
    let bucket = Bucket { limit: 10_000, window: Duration::from_secs(1) };
    let options = Options {
        control: true,
        message_bucket: Some(bucket),
        global_per_second: 10_000,
        interaction_deadline: Duration::from_millis(1500),
        ..Options::default()
    };
    let house = House::with(options).await;
    let mut socket = connect(&house.sim).await;
    let registered = house.call("PUT", &format!("/applications/{}/commands", house.sim.bot()), commands()).await;
    assert_eq!(registered.status, 200, "{}", registered.body);
    let world = json!({
        "url": house.sim.url(), "token": house.sim.token(), "bot": house.sim.bot().to_string(),
        "guild": house.guild.to_string(), "channel": house.channel.to_string(),
        "owner": house.sim.owner(house.guild).to_string(),
    });
    let looks = tokio::spawn(look(world));
    let answers = async {
        loop {
            match socket.next().await {
                Some(Ok(Frame::Text(text))) => {
                    let payload: Value = serde_json::from_str(&text).unwrap();
                    if payload["t"] == "INTERACTION_CREATE" {
                        answer(&house, &payload).await;
                    }
                }
                Some(Ok(_)) => {}
                // Discord was away: as any bot would, it comes again.
                Some(Err(_)) | None => socket = connect(&house.sim).await,
            }
        }
    };
    tokio::select! {
        looked = looks => looked.unwrap(),
        () = answers => {}
    }
}

/// A gateway connection that has identified, as soon as there can be one.
async fn connect(sim: &Sim) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    let url = format!("{}/gateway?v=10&encoding=json", sim.url().replace("http", "ws"));
    let mut socket = loop {
        match connect_async(&url).await {
            Ok((socket, _)) => break socket,
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    };
    let data = json!({ "token": sim.token(), "intents": 1, "properties": {} });
    let identify = json!({ "op": 2, "d": data }).to_string();
    socket.send(Frame::text(identify)).await.unwrap();
    socket
}

/// Runs the browser's side of the story and shows what it said if it failed.
async fn look(world: Value) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = here.join("tests/node");
    assert!(folder.join("node_modules/puppeteer-core").exists(), "the browser is missing: `./dev tools` fetches it");
    let own = here.join("../.tools/bin/node");
    let node = if own.exists() { own } else { "node".into() };
    let mut process = Command::new(node)
        .arg("page.mjs")
        .current_dir(folder)
        .env("PAGE_WORLD", world.to_string())
        // It ends when this closes, also when this process was killed.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("Node.js 20 or newer: `./dev tools` fetches it");
    let open = process.stdin.take();
    let output = timeout(WITHIN, process.wait_with_output()).await.expect("the story ends in time").unwrap();
    drop(open);
    let (said, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{failed}");
    print!("{said}");
}
