//! Commands and their answers: what a person may send, the 3 s, one answer only, deferral, buttons, autocomplete.

mod common;

use std::time::Duration;

use common::{House, Socket};
use discord_sim::{Actor, ChannelKind, CommandError, Options};
use serde_json::{Value, json};

fn commands() -> Value {
    json!([
        { "name": "status", "description": "How it is" },
        { "name": "notify", "description": "Notifications", "default_member_permissions": "32", "contexts": [0],
          "options": [{ "type": 1, "name": "add", "description": "Add one", "options": [
            { "type": 7, "name": "channel", "description": "Where", "required": true, "channel_types": [0, 5, 11] },
            { "type": 3, "name": "events", "description": "Which", "choices": [{ "name": "Chat", "value": "chat" }] },
            { "type": 3, "name": "server", "description": "Whose", "autocomplete": true },
            { "type": 8, "name": "mention", "description": "Whom" },
          ] }] },
    ])
}

#[tokio::test]
async fn a_command_is_answered_once() {
    let (house, mut socket) = House::with_commands(commands()).await;
    let bot = async {
        let interaction = socket.until("INTERACTION_CREATE").await;
        let data = json!({ "content": "up", "flags": 64 });
        let first = house.answer(&interaction, json!({ "type": 4, "data": data })).await;
        let second = house.answer(&interaction, json!({ "type": 4, "data": data })).await;
        (first.status, second.code)
    };
    let (reply, answered) = tokio::join!(house.sim.command(house.owner(), "status", &[]), bot);
    let reply = reply.unwrap();
    assert_eq!((reply.content.as_str(), reply.ephemeral), ("up", true));
    assert_eq!(answered, (204, 40060));
    assert!(house.sim.messages(house.channel).is_empty(), "an ephemeral reply is in no channel");
}

#[tokio::test]
async fn an_answer_after_the_deadline_meets_an_unknown_interaction() {
    let (house, mut socket) = House::with_commands(commands()).await;
    let missed = house.sim.command(house.owner(), "status", &[]).await;
    assert_eq!(missed, Err(CommandError::NoAnswerWithin3Seconds));
    let interaction = socket.until("INTERACTION_CREATE").await;
    let late = house.answer(&interaction, json!({ "type": 4, "data": { "content": "late" } })).await;
    assert_eq!((late.status, late.code), (404, 10062));
}

#[tokio::test]
async fn a_token_has_its_life() {
    let life = Duration::from_millis(300);
    let house = House::with(Options { interaction_life: life, ..House::quick() }).await;
    let (mut socket, _) = Socket::identified(&house.sim).await;
    house.call("PUT", &format!("/applications/{}/commands", house.sim.bot()), commands()).await;
    let bot = async {
        let interaction = socket.until("INTERACTION_CREATE").await;
        house.answer(&interaction, json!({ "type": 4, "data": { "content": "up" } })).await;
        let original = house.webhook(&interaction, "/messages/@original");
        assert_eq!(house.call("PATCH", &original, json!({ "content": "still up" })).await.status, 200);
        tokio::time::sleep(life).await;
        let late = house.call("PATCH", &original, json!({ "content": "too late" })).await;
        assert_eq!((late.status, late.code), (401, 50027));
    };
    let (reply, ()) = tokio::join!(house.sim.command(house.owner(), "status", &[]), bot);
    assert!(reply.is_ok());
}

#[tokio::test]
async fn options_are_resolved_with_permissions() {
    let (house, mut socket) = House::with_commands(commands()).await;
    house.sim.deny(house.channel, 1 << 14);
    let role = house.sim.add_role(house.guild, "role", false);
    let channel = house.channel.to_string();
    let options = [("channel", json!(channel)), ("events", json!("chat")), ("mention", json!(role.to_string()))];
    let bot = async {
        let interaction = socket.until("INTERACTION_CREATE").await;
        house.answer(&interaction, json!({ "type": 5, "data": { "flags": 64 } })).await;
        let original = house.webhook(&interaction, "/messages/@original");
        assert_eq!(house.call("PATCH", &original, json!({ "content": "done" })).await.status, 200);
        interaction
    };
    let (reply, interaction) = tokio::join!(house.sim.command(house.owner(), "notify add", &options), bot);
    let reply = reply.unwrap();
    assert_eq!((reply.content.as_str(), reply.ephemeral), ("done", true), "a deferred answer keeps its visibility");
    let data = &interaction["d"]["data"];
    assert_eq!(data["options"][0]["name"], "add");
    assert_eq!(data["options"][0]["options"][0], json!({ "name": "channel", "type": 7, "value": channel }));
    let app = data["resolved"]["channels"][&channel]["app_permissions"].as_str().unwrap();
    assert_eq!(app.parse::<u64>().unwrap() & (1 << 14), 0, "the denied permission is missing");
    assert_eq!(data["resolved"]["roles"][role.to_string()]["mentionable"], false);
    let member = interaction["d"]["member"]["permissions"].as_str().unwrap();
    assert_ne!(member.parse::<u64>().unwrap() & 0x20, 0);
}

#[tokio::test]
async fn discords_client_refuses_what_does_not_fit() {
    let (house, _socket) = House::with_commands(commands()).await;
    let sim = &house.sim;
    let voice = sim.add_channel(house.guild, "voice", ChannelKind::Voice);
    let channel = ("channel", json!(house.channel.to_string()));
    let person = Actor { user: sim.add_member(house.guild, "person", 0), ..house.owner() };
    let manager = Actor { user: sim.add_member(house.guild, "manager", 0x20), ..house.owner() };
    let bad = |result: Result<_, CommandError>| matches!(result, Err(CommandError::BadOption(_)));
    assert_eq!(sim.command(house.owner(), "nothing", &[]).await, Err(CommandError::Unknown));
    assert_eq!(sim.command(house.owner(), "notify", &[]).await, Err(CommandError::Unknown));
    assert_eq!(
        sim.command(person, "notify add", std::slice::from_ref(&channel)).await,
        Err(CommandError::NotPermitted)
    );
    let forced = sim.command_unchecked(person, "notify add", std::slice::from_ref(&channel)).await;
    assert_eq!(forced, Err(CommandError::NoAnswerWithin3Seconds), "it was sent");
    let sent = sim.command(manager, "notify add", std::slice::from_ref(&channel)).await;
    assert_eq!(sent, Err(CommandError::NoAnswerWithin3Seconds), "it was sent");
    assert!(bad(sim.command(manager, "notify add", &[]).await), "a required option is missing");
    assert!(bad(sim.command(manager, "notify add", &[("channel", json!(voice.to_string()))]).await));
    assert!(bad(sim.command(manager, "notify add", &[channel.clone(), ("events", json!("other"))]).await));
    assert!(bad(sim.command(manager, "notify add", &[channel, ("nothing", json!(1))]).await));
}

#[tokio::test]
async fn a_deferred_answer_that_never_comes_is_never_finished() {
    let (house, mut socket) = House::with_commands(commands()).await;
    let bot = async {
        let interaction = socket.until("INTERACTION_CREATE").await;
        house.answer(&interaction, json!({ "type": 5 })).await;
    };
    let (reply, ()) = tokio::join!(house.sim.command(house.owner(), "status", &[]), bot);
    assert_eq!(reply, Err(CommandError::NeverFinished));
}

#[tokio::test]
async fn autocomplete_offers_at_most_25_choices() {
    let (house, mut socket) = House::with_commands(commands()).await;
    let choices = |count: usize| {
        let choices: Vec<Value> = (0..count).map(|at| json!({ "name": format!("c{at}"), "value": "v" })).collect();
        json!({ "type": 8, "data": { "choices": choices } })
    };
    let bot = async {
        let interaction = socket.until("INTERACTION_CREATE").await;
        assert_eq!(interaction["d"]["type"], 4);
        let focused = &interaction["d"]["data"]["options"][0]["options"][0];
        assert_eq!((&focused["focused"], &focused["value"]), (&json!(true), &json!("ma")));
        assert_eq!(house.answer(&interaction, json!({ "type": 5 })).await.code, 50035, "it cannot be deferred");
        assert_eq!(house.answer(&interaction, choices(26)).await.code, 50035);
        let long = json!({ "choices": [{ "name": "n".repeat(101), "value": "v" }] });
        assert_eq!(house.answer(&interaction, json!({ "type": 8, "data": long })).await.code, 50035);
        let number = json!({ "choices": [{ "name": "n", "value": 1 }] });
        assert_eq!(house.answer(&interaction, json!({ "type": 8, "data": number })).await.code, 50035);
        assert_eq!(house.answer(&interaction, choices(25)).await.status, 204);
    };
    let (offered, ()) = tokio::join!(house.sim.autocomplete(house.owner(), "notify add", &[], "server", "ma"), bot);
    assert_eq!(offered.unwrap().len(), 25);
}

#[tokio::test]
async fn buttons_and_selects_of_a_reply_can_be_used() {
    let (house, mut socket) = House::with_commands(commands()).await;
    let button = json!({ "type": 2, "style": 4, "label": "Sure", "custom_id": "sure" });
    let options = json!([{ "label": "A", "value": "a" }, { "label": "B", "value": "b" }]);
    let select = json!({ "type": 3, "custom_id": "kinds", "options": options, "max_values": 2 });
    let rows = json!([{ "type": 1, "components": [button] }, { "type": 1, "components": [select] }]);
    let bot = async {
        let asked = socket.until("INTERACTION_CREATE").await;
        let data = json!({ "content": "sure?", "components": rows });
        house.answer(&asked, json!({ "type": 4, "data": data })).await;
        let chosen = socket.until("INTERACTION_CREATE").await;
        assert_eq!(chosen["d"]["data"]["values"], json!(["a", "b"]));
        house.answer(&chosen, json!({ "type": 4, "data": { "content": "two" } })).await;
        let pressed = socket.until("INTERACTION_CREATE").await;
        assert_eq!(pressed["d"]["message"]["content"], "sure?");
        house.answer(&pressed, json!({ "type": 7, "data": { "content": "done", "components": [] } })).await;
    };
    let person = async {
        let asked = house.sim.command(house.owner(), "status", &[]).await.unwrap();
        let chosen = house.sim.select(house.owner(), &asked, "kinds", &["a", "b"]).await.unwrap();
        assert_eq!(chosen.content, "two");
        let done = house.sim.press(house.owner(), &asked, "sure").await.unwrap();
        assert_eq!((done.content.as_str(), done.message), ("done", asked.message));
        let again = house.sim.press(house.owner(), &asked, "sure").await;
        assert_eq!(again, Err(CommandError::Unknown), "the button is gone");
    };
    tokio::join!(person, bot);
}

#[tokio::test]
async fn commands_that_break_a_limit_are_refused() {
    let house = House::new().await;
    let path = format!("/applications/{}/commands", house.sim.bot());
    let option =
        |name: &str, required: bool| json!({ "type": 3, "name": name, "description": "d", "required": required });
    let big: Vec<Value> = (0..25)
        .map(|at| {
            let options: Vec<Value> = (0..4)
                .map(|deep| json!({ "type": 3, "name": format!("o{deep}"), "description": "d".repeat(100) }))
                .collect();
            json!({ "type": 1, "name": format!("s{at}"), "description": "d", "options": options })
        })
        .collect();
    for wrong in [
        json!({ "name": "Upper", "description": "d" }),
        json!({ "name": "with space", "description": "d" }),
        json!({ "name": "n".repeat(33), "description": "d" }),
        json!({ "name": "n", "description": "" }),
        json!({ "name": "n", "description": "d".repeat(101) }),
        json!({ "name": "n", "description": "d", "options": [option("a", false), option("b", true)] }),
        json!({ "name": "n", "description": "d", "options": [option("a", false), option("a", false)] }),
        json!({ "name": "n", "description": "d", "options": vec![option("a", false); 26] }),
        json!({ "name": "n", "description": "d", "options": [{ "type": 2, "name": "g", "description": "d" }] }),
        json!({ "name": "n", "description": "d", "options": big }),
    ] {
        let refused = house.call("PUT", &path, json!([wrong])).await;
        assert_eq!((refused.status, refused.code), (400, 50035), "{wrong}");
    }
    assert!(house.sim.commands().is_empty());
    let first = house.call("PUT", &path, commands()).await;
    let again = house.call("PUT", &path, commands()).await;
    assert_eq!(first.body, again.body, "equal commands keep id and version");
}
