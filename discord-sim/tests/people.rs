//! What people may do with a bot's commands: every type and option, who is offered what, and what they see meanwhile.

#![expect(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "helpers that fail their test, and take literals"
)]

mod common;

use common::House;
use discord_sim::{Actor, CommandError};
use serde_json::{Value, json};

fn command(name: &str, extra: Value) -> Value {
    let mut command = json!({ "name": name, "description": "d" });
    for (key, value) in extra.as_object().unwrap() {
        command[key] = value.clone();
    }
    command
}

#[tokio::test]
async fn menu_commands_carry_their_target() {
    let menu = json!([{ "name": "Who is it", "type": 2 }, { "name": "Keep this", "type": 3 }]);
    let (house, mut socket) = House::with_commands(menu).await;
    let person = house.sim.add_member(house.guild, "person", 0);
    let message = house.sim.say(house.channel, person, "look");
    let bot = async {
        let used = socket.until("INTERACTION_CREATE").await;
        let data = &used["d"]["data"];
        assert_eq!((&data["type"], &data["target_id"]), (&json!(2), &json!(person.to_string())));
        assert_eq!(data["resolved"]["users"][person.to_string()]["username"], "person");
        assert!(data["resolved"]["members"][person.to_string()].is_object());
        house.answer(&used, json!({ "type": 4, "data": { "content": "a person" } })).await;
        let used = socket.until("INTERACTION_CREATE").await;
        let kept = &used["d"]["data"]["resolved"]["messages"][message.to_string()];
        assert_eq!(kept["content"], "look", "also without MESSAGE_CONTENT");
        house.answer(&used, json!({ "type": 4, "data": { "content": "kept" } })).await;
    };
    let people = async {
        let owner = house.owner();
        assert_eq!(house.sim.user_command(owner, "Who is it", person).await.unwrap().content, "a person");
        assert_eq!(house.sim.message_command(owner, "Keep this", message).await.unwrap().content, "kept");
        assert_eq!(house.sim.user_command(owner, "Keep this", person).await, Err(CommandError::Unknown));
        assert_eq!(house.sim.message_command(owner, "Keep this", 1).await, Err(CommandError::Unknown));
        assert_eq!(house.sim.command(owner, "Keep this", &[]).await, Err(CommandError::Unknown));
    };
    tokio::join!(people, bot);
}

#[tokio::test]
async fn options_of_every_type_arrive_as_typed_and_nothing_else_is_sent() {
    let option = |kind: u64, name: &str| json!({ "type": kind, "name": name, "description": "d" });
    let mut bounded = option(4, "whole");
    bounded["min_value"] = json!(1);
    bounded["max_value"] = json!(9);
    let mut short = option(3, "text");
    short["max_length"] = json!(3);
    let plain = [(5, "flag"), (6, "user"), (7, "channel"), (8, "role"), (9, "any"), (10, "number"), (11, "file")];
    let options: Vec<Value> =
        [short, bounded].into_iter().chain(plain.map(|(kind, name)| option(kind, name))).collect();
    let group = json!({ "type": 2, "name": "group", "description": "d", "options": [
        { "type": 1, "name": "sub", "description": "d", "options": options } ] });
    let (house, mut socket) = House::with_commands(json!([command("all", json!({ "options": [group] }))])).await;
    let owner = house.owner();
    let role = house.sim.add_role(house.guild, "role", true).to_string();
    let (user, channel) = (owner.user.to_string(), house.channel.to_string());
    let file = house.sim.upload("a.txt", b"a").unwrap().to_string();
    let given = [
        ("text", json!("abc")),
        ("whole", json!(9)),
        ("flag", json!(true)),
        ("user", json!(user)),
        ("channel", json!(channel)),
        ("role", json!(role)),
        ("any", json!(role)),
        ("number", json!(0.5)),
        ("file", json!(file)),
    ];
    let bot = async {
        let run = socket.until("INTERACTION_CREATE").await;
        let data = &run["d"]["data"];
        let group = &data["options"][0];
        assert_eq!(
            (&group["name"], &group["type"], &group["options"][0]["type"]),
            (&json!("group"), &json!(2), &json!(1))
        );
        for (at, (name, value)) in given.iter().enumerate() {
            let option = &group["options"][0]["options"][at];
            assert_eq!((&option["name"], &option["value"]), (&json!(name), value));
        }
        for (kind, id) in
            [("users", &user), ("members", &user), ("roles", &role), ("channels", &channel), ("attachments", &file)]
        {
            assert!(data["resolved"][kind][id].is_object(), "{kind}");
        }
        let address = data["resolved"]["attachments"][&file]["url"].as_str().unwrap();
        let fetched = reqwest::Client::builder().no_proxy().build().unwrap().get(address).send().await.unwrap();
        assert_eq!(fetched.text().await.unwrap(), "a", "the bot can read the file");
        house.answer(&run, json!({ "type": 4, "data": { "content": "all" } })).await;
    };
    let person = async {
        assert_eq!(house.sim.command(owner, "all group sub", &given).await.unwrap().content, "all");
        for wrong in [
            ("text", json!("abcd")),
            ("text", json!(1)),
            ("whole", json!(10)),
            ("whole", json!(0.5)),
            ("whole", json!(1_u64 << 60)),
            ("flag", json!("yes")),
            ("user", json!("1")),
            ("channel", json!(role)),
            ("role", json!(user)),
            ("any", json!("1")),
            ("number", json!("x")),
            ("file", json!("1")),
        ] {
            let refused = house.sim.command(owner, "all group sub", std::slice::from_ref(&wrong)).await;
            assert!(matches!(refused, Err(CommandError::BadOption(_))), "{wrong:?}: {refused:?}");
        }
    };
    tokio::join!(person, bot);
    assert!(house.sim.upload("big", &vec![0; 10 * 1024 * 1024 + 1]).is_err(), "10 MiB are the limit");
}

#[tokio::test]
async fn admins_decide_who_is_offered_a_command() {
    let (house, _socket) = House::with_commands(json!([
        command("open", json!({})),
        command("manage", json!({ "default_member_permissions": "32" })),
        command("closed", json!({ "default_member_permissions": "0" })),
        command("direct", json!({ "contexts": [1] })),
    ]))
    .await;
    let sim = &house.sim;
    let id = |name: &str| {
        let command = sim.commands().into_iter().find(|command| command["name"] == name).unwrap();
        command["id"].as_str().unwrap().parse::<u64>().unwrap()
    };
    let role = sim.add_role(house.guild, "role", false);
    let person = Actor { user: sim.add_member(house.guild, "person", 0), ..house.owner() };
    let manager = Actor { user: sim.add_member(house.guild, "manager", 0x20), ..house.owner() };
    let offered = |by: Actor| -> Vec<String> {
        sim.commands_for(by).iter().map(|command| command["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(offered(house.owner()), ["open", "manage", "closed"], "an admin may all that stands in a guild");
    assert_eq!(offered(manager), ["open", "manage"]);
    assert_eq!(offered(person), ["open"]);
    sim.permit_command(house.guild, id("manage"), house.guild, Some(true));
    assert_eq!(offered(person), ["open", "manage"], "opened to everyone");
    sim.permit_command(house.guild, id("manage"), role, Some(false));
    assert_eq!(offered(person), ["open", "manage"], "a role that the person does not have");
    sim.permit_command(house.guild, id("manage"), person.user, Some(false));
    assert_eq!(offered(person), ["open"], "a person's own entry goes before everyone's");
    sim.permit_command(house.guild, id("open"), house.channel, Some(false));
    assert!(offered(person).is_empty(), "not in this channel");
    sim.permit_command(house.guild, id("open"), house.channel, None);
    sim.permit_command(house.guild, sim.bot(), house.guild - 1, Some(false));
    assert!(offered(person).is_empty(), "the application is in no channel");
    sim.permit_command(house.guild, id("open"), house.channel, Some(true));
    assert_eq!(offered(person), ["open"], "but for this command in this one");
    assert_eq!(sim.command(person, "closed", &[]).await, Err(CommandError::NotPermitted));
    assert_eq!(sim.command(house.owner(), "direct", &[]).await, Err(CommandError::Unknown), "not in a guild");
    sim.set_role_permissions(house.guild, house.guild, 1 << 10);
    sim.permit_command(house.guild, id("open"), house.channel, None);
    sim.permit_command(house.guild, sim.bot(), house.guild - 1, None);
    assert!(offered(person).is_empty(), "without USE_APPLICATION_COMMANDS");
    sim.overwrite(house.channel, person.user, 0, 1 << 10);
    assert_eq!(sim.command(person, "open", &[]).await, Err(CommandError::Unknown), "the channel cannot be seen");
}

#[tokio::test]
async fn an_interaction_says_where_it_comes_from() {
    let (house, mut socket) = House::with_commands(json!([command("where", json!({}))])).await;
    house.sim.set_locale(house.owner().user, "de");
    let bot = async {
        let used = socket.until("INTERACTION_CREATE").await;
        house.answer(&used, json!({ "type": 4, "data": { "content": "here" } })).await;
        used["d"].clone()
    };
    let (reply, used) = tokio::join!(house.sim.command(house.owner(), "where", &[]), bot);
    assert_eq!((&used["locale"], &used["guild_locale"], &used["context"]), (&json!("de"), &json!("en-US"), &json!(0)));
    assert_eq!((&used["entitlements"], &used["attachment_size_limit"]), (&json!([]), &json!(10_485_760)));
    assert_eq!(used["authorizing_integration_owners"], json!({ "0": house.guild.to_string() }));
    assert!(used["app_permissions"].is_string() && used["member"]["permissions"].is_string() && used["user"].is_null());
    let metadata = reply.unwrap().raw["interaction_metadata"].clone();
    assert_eq!((&metadata["type"], &metadata["name"]), (&json!(2), &json!("where")));
    assert_eq!(metadata["user"]["id"], house.owner().user.to_string());
}

#[tokio::test]
async fn a_deferred_answer_is_being_thought_about_until_it_is_there() {
    let (house, mut socket) = House::with_commands(json!([command("slow", json!({}))])).await;
    let bot = async {
        let used = socket.until("INTERACTION_CREATE").await;
        let path = format!(
            "/interactions/{}/{}/callback?with_response=true",
            used["d"]["id"].as_str().unwrap(),
            used["d"]["token"].as_str().unwrap()
        );
        let deferred = house.call("POST", &path, json!({ "type": 5 })).await;
        assert_eq!(deferred.body["interaction"]["response_message_loading"], true);
        assert_eq!(deferred.body["resource"]["message"]["flags"], 1 << 7);
        let thinking = house.sim.messages(house.channel).remove(0);
        assert_eq!((thinking.flags, thinking.content.as_str()), (1 << 7, ""));
        let original = house.webhook(&used, "/messages/@original");
        assert_eq!(house.call("PATCH", &original, json!({ "content": "" })).await.code, 50006);
        // The first followup is the deferred answer, and cannot become ephemeral any more.
        let first = house.call("POST", &house.webhook(&used, ""), json!({ "content": "there", "flags": 64 })).await;
        assert_eq!((&first.body["id"], &first.body["flags"]), (&json!(thinking.id.to_string()), &json!(0)));
        assert_eq!(first.body["edited_timestamp"], Value::Null, "what was promised is no edit");
        let edited = house.call("PATCH", &original, json!({ "content": "there" })).await;
        assert!(edited.body["edited_timestamp"].is_string(), "what comes later is one");
        let second = house.call("POST", &house.webhook(&used, ""), json!({ "content": "psst", "flags": 64 })).await;
        assert_eq!(second.body["flags"], 64);
        used
    };
    let (reply, used) = tokio::join!(house.sim.command(house.owner(), "slow", &[]), bot);
    assert_eq!(reply.unwrap().content, "there");
    let original = house.webhook(&used, "/messages/@original");
    assert_eq!(house.call("DELETE", &original, Value::Null).await.status, 204);
    assert_eq!(house.call("GET", &original, Value::Null).await.code, 10008);
    let whispered = house.sim.ephemeral_messages(house.channel, house.owner().user);
    assert_eq!(whispered.iter().map(|message| message.content.as_str()).collect::<Vec<_>>(), ["psst"]);
    assert!(house.sim.ephemeral_messages(house.channel, house.sim.bot()).is_empty());
}

#[tokio::test]
async fn only_who_sees_an_ephemeral_message_can_press_its_button() {
    let (house, mut socket) = House::with_commands(json!([command("ask", json!({}))])).await;
    let other = Actor { user: house.sim.add_member(house.guild, "other", 0), ..house.owner() };
    let button = json!({ "type": 1, "components": [{ "type": 2, "style": 1, "label": "b", "custom_id": "b" }] });
    let bot = async {
        let used = socket.until("INTERACTION_CREATE").await;
        assert_eq!(house.call("POST", &house.webhook(&used, ""), json!({ "content": "early" })).await.code, 10015);
        let wrong = house.answer(&used, json!({ "type": 7, "data": { "content": "x" } })).await;
        assert_eq!(wrong.code, 50035, "there is no message to update");
        assert_eq!(house.answer(&used, json!({ "type": 4, "data": { "flags": 64 } })).await.code, 50006);
        house
            .answer(&used, json!({ "type": 4, "data": { "content": "?", "flags": 64, "components": [button] } }))
            .await;
        let pressed = socket.until("INTERACTION_CREATE").await;
        assert_eq!(pressed["d"]["message"]["flags"], 64);
        assert_eq!(house.answer(&pressed, json!({ "type": 8, "data": { "choices": [] } })).await.code, 50035);
        house.answer(&pressed, json!({ "type": 6 })).await;
        house
            .call("PATCH", &house.webhook(&pressed, "/messages/@original"), json!({ "content": "!", "components": [] }))
            .await;
    };
    let person = async {
        let asked = house.sim.command(house.owner(), "ask", &[]).await.unwrap();
        assert_eq!(house.sim.press(other, &asked, "b").await, Err(CommandError::Unknown));
        let done = house.sim.press(house.owner(), &asked, "b").await.unwrap();
        assert_eq!((done.content.as_str(), done.ephemeral, done.message), ("!", true, asked.message));
    };
    tokio::join!(person, bot);
}

#[tokio::test]
async fn a_command_can_be_used_in_a_direct_conversation() {
    let commands = json!([command("here", json!({})), command("guild", json!({ "contexts": [0] }))]);
    let (house, mut socket) = House::with_commands(commands).await;
    let user = house.owner().user;
    let opened = house.call("POST", "/users/@me/channels", json!({ "recipient_id": user.to_string() })).await;
    let channel = opened.body["id"].as_str().unwrap().parse().unwrap();
    let by = Actor { guild: 0, channel, user };
    let bot = async {
        let run = socket.until("INTERACTION_CREATE").await;
        house.answer(&run, json!({ "type": 4, "data": { "content": "here" } })).await;
        run["d"].clone()
    };
    let (reply, run) = tokio::join!(house.sim.command(by, "here", &[]), bot);
    assert_eq!(reply.unwrap().content, "here");
    assert_eq!((&run["context"], &run["user"]["id"]), (&json!(1), &json!(user.to_string())));
    assert!(run["member"].is_null() && run["guild_id"].is_null());
    assert_eq!(run["authorizing_integration_owners"], json!({ "0": "0" }));
    assert_eq!(house.sim.command(by, "guild", &[]).await, Err(CommandError::Unknown), "only in a guild");
    let other = Actor { user: house.sim.add_member(house.guild, "other", 0), ..by };
    assert_eq!(house.sim.command(other, "here", &[]).await, Err(CommandError::Unknown), "not their conversation");
}
