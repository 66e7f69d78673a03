//! The control interface over HTTP: whom it lets in, and what it refuses to build or to say.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod common;

use common::{AGENT, Got, House};
use discord_sim::{ChannelKind, Options};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

async fn house() -> House {
    House::with(Options { control: true, ..House::quick() }).await
}

/// A request as a browser, or whoever sends these headers, makes it.
async fn ask(house: &House, method: &str, path: &str, headers: &[(&str, &str)], body: Value) -> Got {
    let client = reqwest::Client::builder().user_agent(AGENT).no_proxy().build().unwrap();
    let mut request = client.request(method.parse().unwrap(), format!("{}{path}", house.sim.url()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = if body.is_null() { request } else { request.json(&body) };
    Got::from(request.send().await.unwrap()).await
}

#[tokio::test]
async fn only_names_of_this_machine_lead_to_it() {
    let house = house().await;
    let port = house.sim.url().rsplit(':').next().unwrap().to_owned();
    for name in ["127.0.0.1", "localhost"] {
        let own = format!("{name}:{port}");
        for path in ["/", "/page/main.js", "/sim/state"] {
            assert_eq!(ask(&house, "GET", path, &[("host", &own)], Value::Null).await.status, 200, "{own}{path}");
        }
    }
    for foreign in [format!("rebound.example:{port}"), "127.0.0.1:1".to_owned(), "localhost".to_owned()] {
        for path in ["/", "/page/main.js", "/sim/state", "/sim/live"] {
            let got = ask(&house, "GET", path, &[("host", &foreign)], Value::Null).await;
            assert_eq!(got.status, 403, "{foreign}{path}");
        }
    }
}

#[tokio::test]
async fn no_other_page_breaks_anything() {
    let house = house().await;
    let own = house.sim.url();
    for origin in ["https://evil.example", "http://127.0.0.1:1", "null", &own.replace("http", "https")] {
        for path in ["/sim/away", "/sim/restart", "/sim/trouble", "/sim/guilds"] {
            let got = ask(&house, "POST", path, &[("origin", origin)], Value::Null).await;
            assert_eq!(got.status, 403, "{path} from {origin}");
        }
        assert_eq!(ask(&house, "DELETE", "/sim/trouble", &[("origin", origin)], Value::Null).await.status, 403);
    }
    let made = ask(&house, "POST", "/sim/guilds", &[("origin", &own)], json!({ "name": "Own" })).await;
    assert_eq!(made.status, 200);
    let page = ask(&house, "GET", "/", &[], Value::Null).await;
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.ends_with("frame-ancestors http://127.0.0.1:* http://localhost:*"), "{policy}");
}

#[tokio::test]
async fn no_other_page_is_a_bot() {
    let house = house().await;
    let url = format!("{}/gateway?v=10", house.sim.url().replace("http", "ws"));
    for (origin, welcome) in [(house.sim.url(), true), ("https://evil.example".to_owned(), false)] {
        let mut request = url.as_str().into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        assert_eq!(tokio_tungstenite::connect_async(request).await.is_ok(), welcome, "{origin}");
    }
}

#[tokio::test]
async fn nothing_is_built_upon_nothing() {
    let house = house().await;
    let guild = house.guild.to_string();
    let other = house.sim.add_channel(house.sim.add_guild("Other"), "elsewhere", ChannelKind::Text).to_string();
    let category = house.sim.add_channel(house.guild, "Servers", ChannelKind::Category).to_string();
    let thread = |parent: &str| json!({ "guild": guild, "name": "t", "kind": "public_thread", "parent": parent });
    for (path, wrong) in [
        ("/sim/channels", json!({ "guild": "1", "name": "x" })),
        ("/sim/channels", thread("1")),
        ("/sim/channels", thread(&other)),
        ("/sim/channels", thread(&category)),
        ("/sim/roles", json!({ "guild": "1", "name": "x" })),
        ("/sim/members", json!({ "guild": "1", "name": "x" })),
        ("/sim/deny", json!({ "channel": "1", "permissions": 1 })),
    ] {
        let refused = ask(&house, "POST", path, &[], wrong.clone()).await;
        assert_eq!(refused.status, 400, "{path} {wrong}");
        assert!(refused.body["error"].is_string());
    }
    let made = ask(&house, "POST", "/sim/channels", &[], thread(&house.channel.to_string())).await;
    assert_eq!(made.status, 200);
}

#[tokio::test]
async fn a_person_writes_only_where_one_can() {
    let house = house().await;
    let member = house.sim.add_member(house.guild, "Ferris", 0).to_string();
    let open = house.sim.start_thread(house.owner().user, "t", ChannelKind::PublicThread { parent: house.channel });
    let say = async |channel: u64| {
        let said = json!({
            "guild": house.guild.to_string(), "channel": channel.to_string(), "user": member, "content": "hello",
        });
        ask(&house, "POST", "/sim/messages", &[], said).await.status
    };
    for kind in [ChannelKind::Category, ChannelKind::Forum] {
        assert_eq!(say(house.sim.add_channel(house.guild, "x", kind)).await, 400, "{kind:?}");
    }
    assert_eq!((say(house.channel).await, say(open).await, say(1).await), (200, 200, 400));
    house.sim.set_archived(open, true);
    assert_eq!(say(open).await, 200, "which wakes it");
    house.sim.set_locked(open, true);
    assert_eq!(say(open).await, 400);
}

#[tokio::test]
async fn a_person_is_shown_only_what_they_can_see() {
    let house = house().await;
    let member = house.sim.add_member(house.guild, "Ferris", 0).to_string();
    let owner = house.owner().user.to_string();
    let hidden = house.sim.add_channel(house.guild, "hidden", ChannelKind::Text);
    house.sim.overwrite(hidden, house.guild, 0, 1 << 10);
    for channel in [house.channel, hidden] {
        let said = json!({
            "guild": house.guild.to_string(), "channel": channel.to_string(), "user": owner, "content": "@everyone",
        });
        assert_eq!(ask(&house, "POST", "/sim/messages", &[], said).await.status, 200);
    }
    let direct = house.call("POST", "/users/@me/channels", json!({ "recipient_id": member })).await;
    let sent = format!("/channels/{}/messages", direct.body["id"].as_str().unwrap());
    assert_eq!(house.call("POST", &sent, json!({ "content": "psst" })).await.status, 200);

    for (user, channels) in [(&member, vec![house.channel]), (&owner, vec![house.channel, hidden])] {
        let told = first_of_stream(&house, &format!("guild={}&user={user}", house.guild)).await;
        let mut news: Vec<u64> = told["news"]
            .as_array()
            .unwrap()
            .iter()
            .map(|of| of["channel"].as_str().unwrap().parse().unwrap())
            .collect();
        news.sort_unstable();
        assert_eq!(news, channels);
        let path = format!("/sim/channels/{hidden}/messages?before={}&user={user}", u64::MAX);
        let older = ask(&house, "GET", &path, &[], Value::Null).await;
        assert_eq!(older.body.as_array().unwrap().len(), channels.len() - 1);
    }
}

/// What the stream tells a page that opens.
async fn first_of_stream(house: &House, view: &str) -> Value {
    let client = reqwest::Client::builder().user_agent(AGENT).no_proxy().build().unwrap();
    let mut stream = client.get(format!("{}/sim/live?{view}", house.sim.url())).send().await.unwrap();
    let mut event = String::new();
    while !event.ends_with("\n\n") {
        event += std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap();
    }
    let data = event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    serde_json::from_str(data).unwrap()
}
