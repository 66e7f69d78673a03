//! Whatever discord-sim answers is what Discord's own description of its API says is answered: `DISCORD_OPENAPI` names
//! that file, which is not part of this repository. It stands here because the schemas' checker is this package's.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use discord_sim::{Bucket, ChannelKind, Options, Sim};
use jsonschema::Registry;
use serde_json::{Value, json};

/// Where the description is registered, for references into it.
const DESCRIPTION: &str = "https://discord.com/openapi";

/// What was answered: `METHOD /path`, the status, the body.
type Answered = (String, u16, Value);

struct Visitor {
    sim: Sim,
    client: reqwest::Client,
    answered: Vec<Answered>,
}

impl Visitor {
    /// Calls, waits out a rate limit, and keeps what was answered.
    async fn call(&mut self, method: &str, path: &str, body: Value) -> Value {
        let url = format!("{}/api/v10{path}", self.sim.url());
        loop {
            let request = self.client.request(method.parse().unwrap(), &url);
            let request = request.header("authorization", format!("Bot {}", self.sim.token()));
            let request = if body.is_null() { request } else { request.json(&body) };
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default();
            if status == 429 {
                tokio::time::sleep(Duration::from_secs_f64(answer["retry_after"].as_f64().unwrap())).await;
                continue;
            }
            assert!(status < 300, "{method} {path}: {status} {answer}");
            let path = path.split('?').next().unwrap_or_default();
            self.answered.push((format!("{method} {path}"), status, answer.clone()));
            return answer;
        }
    }
}

#[tokio::test]
async fn every_answer_is_one_that_discord_describes() {
    let bucket = Bucket { limit: 50, window: Duration::from_secs(1) };
    let options = Options { message_bucket: Some(bucket), privileged_intents: true, ..Options::default() };
    let sim = Sim::start(options).await.unwrap();
    let guild = sim.add_guild("Rustaceans");
    let everything_but_administrator = (1 << 53) - 1 - (1 << 3);
    sim.set_role_permissions(guild, sim.bot_role(guild), everything_but_administrator);
    let client =
        reqwest::Client::builder().user_agent("DiscordBot (https://example.com, 1)").no_proxy().build().unwrap();
    let mut visitor = Visitor { sim, client, answered: Vec::new() };
    visit_places(&mut visitor, guild).await;
    visit_messages(&mut visitor, guild).await;
    visit_threads(&mut visitor, guild).await;
    visit_webhooks_and_commands(&mut visitor, guild).await;
    let Some(description) = description() else {
        println!("NOT CHECKED: DISCORD_OPENAPI does not name Discord's description of its API");
        return;
    };
    let registry = Registry::new().add(DESCRIPTION, &description).unwrap().prepare().unwrap();
    let mut wrong = Vec::new();
    for (route, status, body) in &visitor.answered {
        let Some(schema) = described(&description, route, *status) else {
            wrong.push(format!("{route} is not described with {status}"));
            continue;
        };
        let validator = jsonschema::options().with_registry(&registry).build(&schema).unwrap();
        wrong.extend(validator.iter_errors(body).map(|error| format!("{route}: {} {error}", error.instance_path())));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    println!("checked {} answers against Discord's description of its API", visitor.answered.len());
}

async fn visit_places(visitor: &mut Visitor, guild: u64) {
    let person = visitor.sim.add_member(guild, "person", 0);
    for path in ["/gateway", "/gateway/bot", "/users/@me", "/users/@me/guilds", "/applications/@me"] {
        visitor.call("GET", path, Value::Null).await;
    }
    visitor.call("POST", "/users/@me/channels", json!({ "recipient_id": person.to_string() })).await;
    visitor.call("GET", &format!("/users/{person}"), Value::Null).await;
    let role = visitor.call("POST", &format!("/guilds/{guild}/roles"), json!({ "name": "wiped" })).await;
    let role = role["id"].as_str().unwrap();
    visitor.call("PATCH", &format!("/guilds/{guild}/roles/{role}"), json!({ "color": 255 })).await;
    visitor.call("GET", &format!("/guilds/{guild}/roles/{role}"), Value::Null).await;
    visitor.call("PUT", &format!("/guilds/{guild}/members/{person}/roles/{role}"), Value::Null).await;
    visitor.call("PATCH", &format!("/guilds/{guild}/members/{person}"), json!({ "nick": "Rusty" })).await;
    visitor.call("PATCH", &format!("/guilds/{guild}/members/@me"), json!({ "nick": "guard" })).await;
    for (name, kind) in [("text", 0), ("voice", 2), ("category", 4), ("news", 5), ("forum", 15)] {
        let body = json!({ "name": name, "type": kind });
        let channel = visitor.call("POST", &format!("/guilds/{guild}/channels"), body).await;
        let path = format!("/channels/{}", channel["id"].as_str().unwrap());
        let overwrite = json!({ "type": 1, "deny": "1024" });
        visitor.call("PUT", &format!("{path}/permissions/{person}"), overwrite).await;
        visitor.call("GET", &path, Value::Null).await;
        visitor.call("PATCH", &path, json!({ "name": "other" })).await;
        visitor.call("DELETE", &path, Value::Null).await;
    }
    for path in ["", "/channels", "/roles", "/members?limit=5", "/members/search?query=r", "/threads/active"] {
        visitor.call("GET", &format!("/guilds/{guild}{path}"), Value::Null).await;
    }
}

async fn visit_messages(visitor: &mut Visitor, guild: u64) {
    let owner = visitor.sim.owner(guild);
    let channel = visitor.sim.add_channel(guild, "messages", ChannelKind::Announcement);
    let path = format!("/channels/{channel}/messages");
    let asked = visitor.sim.say(channel, owner, "when?");
    let button = json!({ "type": 2, "style": 1, "label": "go", "custom_id": "go" });
    let body = json!({
        "content": format!("<@{owner}>"), "embeds": [{ "title": "t", "fields": [{ "name": "n", "value": "v" }] }],
        "components": [{ "type": 1, "components": [button] }],
        "message_reference": { "message_id": asked.to_string() },
    });
    let message = visitor.call("POST", &path, body).await;
    let one = format!("{path}/{}", message["id"].as_str().unwrap());
    visitor.call("PATCH", &one, json!({ "content": "soon" })).await;
    visitor.call("PUT", &format!("{one}/reactions/%F0%9F%91%8D/@me"), Value::Null).await;
    visitor.call("GET", &format!("{one}/reactions/%F0%9F%91%8D"), Value::Null).await;
    visitor.call("PUT", &format!("{path}/pins/{}", message["id"].as_str().unwrap()), Value::Null).await;
    visitor.call("GET", &format!("{path}/pins"), Value::Null).await;
    visitor.call("GET", &format!("/channels/{channel}/pins"), Value::Null).await;
    visitor.call("POST", &format!("{one}/crosspost"), Value::Null).await;
    // No forward: its `message_reference` has the type 1, which the documentation has and the description has not.
    visitor.call("GET", &one, Value::Null).await;
    visitor.call("GET", &path, Value::Null).await;
    visitor.call("DELETE", &one, Value::Null).await;
}

async fn visit_threads(visitor: &mut Visitor, guild: u64) {
    let channel = visitor.sim.add_channel(guild, "threads", ChannelKind::Text);
    let path = format!("/channels/{channel}");
    let message = visitor.call("POST", &format!("{path}/messages"), json!({ "content": "x" })).await;
    let of_message = format!("{path}/messages/{}/threads", message["id"].as_str().unwrap());
    visitor.call("POST", &of_message, json!({ "name": "talk" })).await;
    visitor.call("GET", &format!("{path}/messages"), Value::Null).await;
    visitor.call("POST", &format!("{path}/threads"), json!({ "name": "open", "type": 11 })).await;
    let thread = visitor.call("POST", &format!("{path}/threads"), json!({ "name": "closed", "type": 12 })).await;
    let thread = format!("/channels/{}", thread["id"].as_str().unwrap());
    visitor.call("GET", &format!("{thread}/thread-members"), Value::Null).await;
    visitor.call("GET", &format!("{thread}/thread-members/{}", visitor.sim.bot()), Value::Null).await;
    visitor.call("GET", &format!("/guilds/{guild}/threads/active"), Value::Null).await;
    visitor.call("PATCH", &thread, json!({ "archived": true })).await;
    visitor.call("GET", &format!("{path}/threads/archived/private"), Value::Null).await;
    let forum = visitor.sim.add_channel(guild, "forum", ChannelKind::Forum);
    let post = json!({ "name": "help", "message": { "content": "how?" } });
    visitor.call("POST", &format!("/channels/{forum}/threads"), post).await;
}

async fn visit_webhooks_and_commands(visitor: &mut Visitor, guild: u64) {
    let channel = visitor.sim.add_channel(guild, "webhooks", ChannelKind::Text);
    let hook = visitor.call("POST", &format!("/channels/{channel}/webhooks"), json!({ "name": "events" })).await;
    let path = format!("/webhooks/{}/{}", hook["id"].as_str().unwrap(), hook["token"].as_str().unwrap());
    visitor.call("GET", &path, Value::Null).await;
    visitor.call("GET", &format!("/channels/{channel}/webhooks"), Value::Null).await;
    let sent = visitor.call("POST", &format!("{path}?wait=true"), json!({ "content": "x" })).await;
    let message = format!("{path}/messages/{}", sent["id"].as_str().unwrap());
    visitor.call("PATCH", &message, json!({ "content": "y" })).await;
    visitor.call("DELETE", &path, Value::Null).await;
    for scope in [String::new(), format!("/guilds/{guild}")] {
        let path = format!("/applications/{}{scope}/commands", visitor.sim.bot());
        let command = visitor.call("POST", &path, json!({ "name": "status", "description": "d" })).await;
        let one = format!("{path}/{}", command["id"].as_str().unwrap());
        visitor.call("PATCH", &one, json!({ "description": "e" })).await;
        visitor.call("GET", &format!("{path}?with_localizations=true"), Value::Null).await;
        visitor.call("DELETE", &one, Value::Null).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "this is no setting of the bot's")]
fn description() -> Option<Value> {
    let text = std::fs::read_to_string(std::env::var_os("DISCORD_OPENAPI")?).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// The schema of this answer; nothing if there is no such answer.
fn described(description: &Value, route: &str, status: u16) -> Option<Value> {
    let (method, path) = route.split_once(' ')?;
    let steps: Vec<&str> = path.split('/').collect();
    let fits = |described: &&String| {
        let words: Vec<&str> = described.split('/').collect();
        let mut pairs = words.iter().zip(&steps);
        words.len() == steps.len() && pairs.all(|(word, step)| word == step || word.starts_with('{'))
    };
    let paths = description["paths"].as_object()?;
    // The path with the fewest parameters is meant, as `/users/@me` is beside `/users/{user_id}`.
    let path = paths.keys().filter(fits).min_by_key(|path| path.matches('{').count())?;
    let method = method.to_lowercase();
    let answer = &paths[path][&method]["responses"][status.to_string()];
    let in_pointer = path.replace('/', "~1").replace('{', "%7B").replace('}', "%7D");
    let content = "content/application~1json/schema";
    match &answer["content"]["application/json"]["schema"] {
        Value::Null if status == 204 && answer.is_object() => Some(json!({ "type": "null" })),
        Value::Null => None,
        _ => {
            Some(json!({ "$ref": format!("{DESCRIPTION}#/paths/{in_pointer}/{method}/responses/{status}/{content}") }))
        }
    }
}
