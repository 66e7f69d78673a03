//! Registering commands one by one, global and for a guild, and who may use them.

mod common;

use common::House;
use serde_json::{Value, json};

fn command(name: &str) -> Value {
    json!({ "name": name, "description": "what it does" })
}

#[tokio::test]
async fn creating_is_an_upsert() {
    let house = House::new().await;
    let path = format!("/applications/{}/commands", house.sim.bot());
    let made = house.call("POST", &path, command("status")).await;
    assert_eq!((made.status, &made.body["type"], &made.body["contexts"]), (201, &json!(1), &Value::Null));
    let again = house.call("POST", &path, json!({ "name": "status", "description": "other" })).await;
    assert_eq!((again.status, again.id(), &again.body["description"]), (200, made.id(), &json!("other")));
    assert_ne!(again.body["version"], made.body["version"]);
    let menu = house.call("POST", &path, json!({ "name": "status", "type": 2 })).await;
    assert_eq!(menu.status, 201, "a menu of the same name is another command");
    assert_eq!(house.sim.commands().len(), 2);
    let described = house.call("POST", &path, json!({ "name": "x", "type": 3, "description": "d" })).await;
    assert_eq!(described.fault("description"), "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_NOT_ALLOWED");
    assert_eq!(house.call("POST", &path, command("Status")).await.fault("name"), "APPLICATION_COMMAND_INVALID_NAME");
}

#[tokio::test]
async fn one_command_is_read_changed_and_deleted() {
    let house = House::new().await;
    let path = format!("/applications/{}/guilds/{}/commands", house.sim.bot(), house.guild);
    let id = house.call("POST", &path, command("status")).await.id();
    house.call("POST", &path, command("help")).await;
    let one = format!("{path}/{id}");
    let changed = house.call("PATCH", &one, json!({ "default_member_permissions": "32" })).await;
    assert_eq!((&changed.body["default_member_permissions"], &changed.body["name"]), (&json!("32"), &json!("status")));
    assert_eq!(changed.body["guild_id"], json!(house.guild.to_string()));
    assert_eq!(house.call("PATCH", &one, json!({ "name": "help" })).await.code, 40041);
    let wrong = house.call("PATCH", &one, json!({ "default_member_permissions": 32 })).await;
    assert_eq!(wrong.fault("default_member_permissions"), "BASE_TYPE_BAD_TYPE");
    assert_eq!(house.call("GET", &one, Value::Null).await.id(), id);
    assert_eq!(house.call("DELETE", &one, Value::Null).await.status, 204);
    assert_eq!(house.call("GET", &one, Value::Null).await.code, 10063);
}

#[tokio::test]
async fn a_list_has_localizations_only_when_asked() {
    let house = House::new().await;
    let path = format!("/applications/{}/commands", house.sim.bot());
    let body = json!({ "name": "status", "description": "d", "name_localizations": { "de": "lage" } });
    assert_eq!(house.call("POST", &path, body).await.body["name_localizations"]["de"], "lage");
    assert!(house.call("GET", &path, Value::Null).await.body[0].get("name_localizations").is_none());
    let full = house.call("GET", &format!("{path}?with_localizations=true"), Value::Null).await;
    assert_eq!(full.body[0]["name_localizations"]["de"], "lage");
}

#[tokio::test]
async fn in_no_language_do_two_options_have_one_name() {
    let house = House::new().await;
    let path = format!("/applications/{}/commands", house.sim.bot());
    let option = |name: &str, german: &str| json!({ "type": 3, "name": name, "description": "d", "name_localizations": { "de": german } });
    let plain = json!({ "type": 3, "name": "art", "description": "d" });
    let body = |options: Value| json!({ "name": "c", "description": "d", "options": options });
    let clash = house.call("POST", &path, body(json!([option("kind", "art"), plain]))).await;
    assert_eq!(clash.fault("options.0.name_localizations.de"), "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS");
    let apart = house.call("POST", &path, body(json!([option("kind", "art"), option("art", "kunst")]))).await;
    assert_eq!(apart.status, 201, "{}", apart.body);
}

#[tokio::test]
async fn a_language_that_does_not_exist_is_refused_whatever_it_is_called() {
    let house = House::new().await;
    let path = format!("/applications/{}/commands", house.sim.bot());
    for (first, second) in [("_errors", "_errors._errors"), ("_errors._errors", "de._errors"), ("", "."), ("tlh", "xx")]
    {
        let names = json!({ first: "x", second: "y", "de": "lage" });
        let option = json!({ "type": 3, "name": "o", "description": "d", "name_localizations": names });
        let body = json!({ "name": "c", "description": "d", "name_localizations": names, "options": [option, option],
            "description_localizations": names });
        let refused = house.call("POST", &path, body).await;
        assert_eq!((refused.status, refused.fault("name_localizations")), (400, "BASE_TYPE_CHOICES"), "{first}");
        assert_eq!(refused.fault("description_localizations"), "BASE_TYPE_CHOICES");
    }
    assert_eq!(house.call("POST", &path, command("status")).await.status, 201, "and the world goes on");
}

#[tokio::test]
async fn a_hundred_commands_fifteen_menus_and_200_creates_a_day_are_the_most() {
    let house = House::new().await;
    let path = format!("/applications/{}/commands", house.sim.bot());
    let list = |from: usize| Value::Array((from..from + 100).map(|at| command(&format!("c{at}"))).collect());
    assert_eq!(house.call("PUT", &path, list(0)).await.status, 200);
    assert_eq!(house.call("POST", &path, command("one-more")).await.code, 30032);
    let menus = (0..16).map(|at| json!({ "name": at.to_string(), "type": 3 })).collect();
    assert_eq!(house.call("PUT", &path, Value::Array(menus)).await.code, 30032);
    assert_eq!(house.call("PUT", &path, list(0)).await.status, 200, "what is there is no create");
    assert_eq!(house.call("PUT", &path, list(100)).await.status, 200);
    house.call("PUT", &path, json!([])).await;
    let spent = house.call("POST", &path, command("one-more")).await;
    assert_eq!((spent.status, spent.code), (400, 30034));
    let of_guild = format!("/applications/{}/guilds/{}/commands", house.sim.bot(), house.guild);
    assert_eq!(house.call("POST", &of_guild, command("one-more")).await.status, 201, "each guild has its own");
}

#[tokio::test]
async fn a_command_is_8000_characters_with_the_longest_localization_of_each() {
    let house = House::new().await;
    let path = format!("/applications/{}/commands", house.sim.bot());
    let choice = |at: usize| json!({ "name": "n", "value": format!("{at:0>100}") });
    let option = |at: usize, choices: usize| {
        json!({
            "type": 3, "name": format!("o{at}"), "description": "d",
            "description_localizations": { "de": "d".repeat(100), "fr": "d".repeat(90) },
            "choices": (0..choices).map(choice).collect::<Vec<_>>(),
        })
    };
    // 1 + 1 for the command, 102 for each option, 100 for each choice: 2 + 3 * 102 + 76 * 100 = 7908.
    let options = |last: usize| json!([option(0, 25), option(1, 25), option(2, 25), option(3, last)]);
    let body = |last: usize| json!({ "name": "c", "description": "d", "options": options(last) });
    assert_eq!(house.call("POST", &path, body(0)).await.status, 201, "2 + 4 * 102 + 75 * 100 = 7910");
    let large = house.call("POST", &path, body(1)).await;
    assert_eq!(large.body["errors"]["_errors"][0]["code"], "APPLICATION_COMMAND_TOO_LARGE", "8010");
}

#[tokio::test]
async fn permissions_are_read_by_the_bot_and_written_by_nobody_with_its_token() {
    let house = House::new().await;
    let path = format!("/applications/{}/guilds/{}/commands", house.sim.bot(), house.guild);
    let id = house.call("POST", &path, command("status")).await.id();
    assert_eq!(house.call("GET", &format!("{path}/permissions"), Value::Null).await.body, json!([]));
    let one = format!("{path}/{id}/permissions");
    assert_eq!(house.call("GET", &one, Value::Null).await.code, 10066);
    let owner = house.sim.owner(house.guild);
    house.sim.permit_command(house.guild, id, owner, Some(false));
    house.sim.permit_command(house.guild, house.sim.bot(), house.guild, Some(true));
    let set = house.call("GET", &one, Value::Null).await;
    let entry = json!({ "id": owner.to_string(), "type": 2, "permission": false });
    assert_eq!((&set.body["id"], &set.body["permissions"]), (&json!(id.to_string()), &json!([entry])));
    let of_all = house.call("GET", &format!("{path}/{}/permissions", house.sim.bot()), Value::Null).await;
    assert_eq!(of_all.body["permissions"][0]["permission"], true);
    let list = house.call("GET", &format!("{path}/permissions"), Value::Null).await;
    assert_eq!(list.body, json!([of_all.body, set.body]));
    house.sim.permit_command(house.guild, id, owner, None);
    assert_eq!(house.call("GET", &one, Value::Null).await.code, 10066, "nothing is set again");
    let refused = house.call("PUT", &one, json!({ "permissions": [] })).await;
    assert_eq!((refused.status, refused.code), (403, 20001));
    let foreign = house.call("GET", "/applications/1/commands", Value::Null).await;
    assert_eq!((foreign.status, foreign.code), (403, 20012));
}
