//! Whatever the bot sends is what Discord's own description of its API allows: `DISCORD_OPENAPI` names that file, which
//! is not part of this repository.

use discord_sim::{Route, Trouble};
use guildwire_harness::house::{FIRST_ACCOUNT, Guild, House};
use jsonschema::{Registry, Validator};
use serde_json::{Value, json};

use crate::fire::{self, eventually};
use crate::managing::binding_ids;
use crate::support::{Database, build_house};

/// Where the description is registered, for references into it.
const DESCRIPTION: &str = "https://discord.com/openapi";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_body_is_one_that_discord_describes() {
    let mut house = build_house(Database::Sqlite).await;
    house.bot = house.bot.clone().setting("notices.after_seconds", "1");
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "everything");
    let role = house.discord.add_role(guild.id, "on call", true);
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.notify(guild, channel, "everything", &[("mention", role.to_string().into())]).await.unwrap();
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    // So many that a file is attached, as they wait together.
    house.discord.trouble(Route::MessageCreateIn(channel), Trouble::Hang, None);
    for number in 0..200 {
        publisher.publish(&format!("server-{number}.events.started"), "null").await.unwrap();
    }
    house.discord.clear_trouble();
    fire::wait_for(&house.discord, channel, "server-199").await;
    let id = crate::installation::offered(&house, guild, "notify test", &[], ("binding", "")).await.remove(0).1;
    house.command(guild, "notify test", &[("binding", id.clone().into())]).await.unwrap();
    house.command(guild, "why", &[("binding", id.into())]).await.unwrap();
    for command in ["account list", "notify list", "status", "players", "why", "help"] {
        house.command(guild, command, &[]).await.unwrap();
    }
    // An account that can't be reached: the answer is deferred and completed later.
    house
        .operate(&["account", "add", "away", "--user", "u", "--url", "nats://127.0.0.1:9", "--no-check"])
        .await
        .unwrap();
    house.link(guild, "away").await.unwrap();
    let options = [("channel", channel.to_string().into()), ("events", "chat".into()), ("account", "away".into())];
    house.command(guild, "notify add", &options).await.unwrap();
    house.command(guild, "help", &[]).await.unwrap();
    eventually("the sample and the notice that the account's events don't come through", async || {
        let lines = fire::lines(&house.discord, channel);
        ["🧪 **Sample**", "have not come through"].iter().all(|told| lines.iter().any(|line| line.contains(told)))
    })
    .await;
    let by = discord_sim::Actor { guild: guild.id, channel: guild.lobby, user: guild.admin };
    use_components(&house, guild, by).await;
    assert!(!house.discord.autocomplete(by, "status", &[], "server", "server-1").await.unwrap().is_empty());

    let bodies = house.discord.bodies();
    assert!(bodies.iter().any(|(_, body)| body["attachments"][0]["filename"] == "events.txt"), "no file was sent");
    for expected in ["POST /channels", "PUT /applications", "POST /interactions", "PATCH /webhooks"] {
        assert!(bodies.iter().any(|(route, _)| route.starts_with(expected)), "no body was sent to {expected}");
    }
    // A message, a deferred one, an update deferred, an update, choices.
    for kind in 4..=8 {
        let sent = bodies.iter().any(|(route, body)| route.starts_with("POST /interactions") && body["type"] == kind);
        assert!(sent, "no answer of type {kind} was sent");
    }
    let Some(description) = description() else {
        println!("NOT CHECKED: DISCORD_OPENAPI does not name Discord's description of its API");
        return;
    };
    let registry = Registry::new().add(DESCRIPTION, &description).unwrap().prepare().unwrap();
    for (route, body) in &bodies {
        let validator = validator(&registry, &description, route);
        let errors: Vec<_> = validator.iter_errors(&as_described(body)).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{route}: {errors:#?}\n{body:#}");
    }
    println!("checked {} bodies against Discord's description of its API", bodies.len());
}

/// Answers with buttons and selects, those that take their place, and one that is completed later.
async fn use_components(house: &House, guild: Guild, by: discord_sim::Actor) {
    let ids = binding_ids(house, guild).await;
    let asked = house.command(guild, "account unlink", &[("account", FIRST_ACCOUNT.into())]).await.unwrap();
    house.discord.press(by, &asked, "cancel").await.unwrap();
    // The second binding's account is away, so that what comes of the choice is told later.
    for id in &ids {
        let asked = house.command(guild, "notify edit", &[("binding", id.as_str().into())]).await.unwrap();
        let kinds = ["server.started", "player.chatted"];
        house.discord.select(by, &asked, &format!("kinds:{id}"), &kinds).await.unwrap();
    }
    for command in ["notify pause", "notify resume"] {
        house.command(guild, command, &[("binding", ids[0].as_str().into())]).await.unwrap();
    }
    // A list of several pages: servers with long names.
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    for number in 0..40 {
        let name = format!("{}-{number}", "long".repeat(20));
        publisher.publish(&format!("{name}.events.stopped"), "null").await.unwrap();
    }
    let listed = async || house.command(guild, "status", &[]).await.unwrap();
    eventually("the list has pages", async || {
        listed().await.components.as_array().is_some_and(|rows| !rows.is_empty())
    })
    .await;
    let listed = listed().await;
    house.discord.press(by, &listed, "page:servers:1").await.unwrap();
}

#[expect(clippy::disallowed_methods, reason = "this is no setting of the bot's")]
fn description() -> Option<Value> {
    let file = std::env::var_os("DISCORD_OPENAPI")?;
    let text = std::fs::read_to_string(&file).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// Checks bodies of one route, such as `POST /channels/{channel_id}/messages`.
fn validator(registry: &Registry<'_>, description: &Value, route: &str) -> Validator {
    let (method, path) = route.split_once(' ').unwrap();
    let is_same = |described: &str| {
        let (mut given, mut theirs) = (path.split('/'), described.split('/'));
        path.split('/').count() == described.split('/').count()
            && given.all(|part| theirs.next().is_some_and(|their| part == their || their.starts_with('{')))
    };
    let paths = description["paths"].as_object().unwrap();
    let described =
        paths.keys().find(|described| is_same(described)).unwrap_or_else(|| panic!("{route} is not described"));
    let in_pointer = described.replace('/', "~1").replace('{', "%7B").replace('}', "%7D");
    let method = method.to_lowercase();
    let reference = format!("{DESCRIPTION}#/paths/{in_pointer}/{method}/requestBody/content/application~1json/schema");
    jsonschema::options().with_registry(registry).build(&json!({ "$ref": reference })).unwrap()
}

/// The description wants `default_member_permissions` as a number, where Discord's documentation has a text:
/// <https://discord.com/developers/docs/interactions/application-commands>.
fn as_described(body: &Value) -> Value {
    let mut body = body.clone();
    for command in body.as_array_mut().into_iter().flatten() {
        if let Some(permissions) = command.get_mut("default_member_permissions") {
            *permissions = permissions.as_str().and_then(|text| text.parse::<u64>().ok()).into();
        }
    }
    body
}
