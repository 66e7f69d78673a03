//! Components that break a rule are refused, one per rule, with the path of what is wrong; and those at the limit stand.

#![expect(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "helpers that fail their test, and take literals"
)]

mod common;

use common::House;
use discord_sim::{Actor, CommandError};
use serde_json::{Value, json};

const V2: u64 = 1 << 15;

fn row(components: &[Value]) -> Value {
    json!({ "type": 1, "components": components })
}

fn button(style: u64, extra: Value) -> Value {
    merged(json!({ "type": 2, "style": style, "label": "b" }), extra)
}

fn select(kind: u64, extra: Value) -> Value {
    merged(json!({ "type": kind, "custom_id": "s" }), extra)
}

fn text(content: &str) -> Value {
    json!({ "type": 10, "content": content })
}

fn merged(mut base: Value, extra: Value) -> Value {
    for (key, value) in extra.as_object().unwrap() {
        base[key] = value.clone();
    }
    base
}

fn options(count: usize) -> Value {
    (0..count).map(|at| json!({ "label": format!("l{at}"), "value": format!("v{at}") })).collect()
}

/// Whether the answer's errors name this dotted path.
fn names(errors: &Value, path: &str) -> bool {
    !path.split('.').fold(errors, |at, step| &at[step])["_errors"].is_null()
}

async fn refused(house: &House, body: Value, path: &str) {
    let got = house.post(body.clone()).await;
    assert_eq!((got.status, got.code), (400, 50035), "{body}");
    assert!(names(&got.body["errors"], path), "{path} is named in {} for {body}", got.body["errors"]);
}

#[tokio::test]
async fn buttons_have_what_their_style_asks_for_and_nothing_else() {
    let house = House::new().await;
    let within = "components.0.components.0";
    for (wrong, at) in [
        (button(1, json!({})), ".custom_id"),
        (button(1, json!({ "custom_id": "c".repeat(101) })), ".custom_id"),
        (button(1, json!({ "custom_id": "c", "url": "https://example.com" })), ".url"),
        (button(1, json!({ "custom_id": "c", "label": "l".repeat(81) })), ".label"),
        (button(1, json!({ "custom_id": "c", "label": "" })), ""),
        (button(5, json!({})), ".url"),
        (button(5, json!({ "url": "javascript:alert(1)" })), ".url"),
        (button(5, json!({ "url": format!("https://e.com/{}", "u".repeat(500)) })), ".url"),
        (button(5, json!({ "url": "https://example.com", "custom_id": "c" })), ".custom_id"),
        (button(6, json!({ "label": null })), ".sku_id"),
        (button(6, json!({ "sku_id": "1" })), ".label"),
        (button(7, json!({ "custom_id": "c" })), ".style"),
    ] {
        refused(&house, json!({ "content": "x", "components": [row(&[wrong])] }), &format!("{within}{at}")).await;
    }
    let both = [button(1, json!({ "custom_id": "c" })), button(2, json!({ "custom_id": "c" }))];
    refused(&house, json!({ "content": "x", "components": [row(&both)] }), "components.0.components.1.custom_id").await;
    let six: Vec<Value> = (0..6).map(|at| button(1, json!({ "custom_id": at.to_string() }))).collect();
    refused(&house, json!({ "content": "x", "components": [row(&six)] }), "components.0.components").await;
    let rows: Vec<Value> = (0..6).map(|at| row(&[button(1, json!({ "custom_id": at.to_string() }))])).collect();
    refused(&house, json!({ "content": "x", "components": rows }), "components").await;
    let right = [
        button(1, json!({ "custom_id": "c", "label": "l".repeat(80) })),
        button(5, json!({ "url": "https://example.com" })),
        json!({ "type": 2, "style": 6, "sku_id": "1" }),
    ];
    let sent = house.post(json!({ "content": "x", "components": [row(&right)] })).await;
    let ids: Vec<&Value> = sent.body["components"][0]["components"].as_array().unwrap().iter().collect();
    assert_eq!((&sent.body["components"][0]["id"], &ids[2]["id"]), (&json!(1), &json!(4)), "each has its id");
}

#[tokio::test]
async fn selects_keep_their_bounds() {
    let house = House::new().await;
    let user = json!({ "id": "1", "type": "user" });
    for (wrong, at) in [
        (select(3, json!({ "options": options(26) })), ".options"),
        (select(3, json!({ "options": [] })), ".options"),
        (select(3, json!({ "options": [{ "label": "", "value": "v" }] })), ".options.0.label"),
        (select(3, json!({ "options": [{ "label": "l", "value": "v".repeat(101) }] })), ".options.0.value"),
        (select(3, json!({ "options": [options(1)[0], options(1)[0]] })), ".options.1.value"),
        (select(3, json!({ "options": options(2), "max_values": 3 })), ".max_values"),
        (select(3, json!({ "options": options(2), "min_values": 2 })), ".min_values"),
        (select(5, json!({ "min_values": 26, "max_values": 25 })), ".min_values"),
        (select(5, json!({ "max_values": 0 })), ".max_values"),
        (select(6, json!({ "placeholder": "p".repeat(151) })), ".placeholder"),
        (select(6, json!({ "default_values": [user] })), ".default_values.0.type"),
        (select(5, json!({ "default_values": [user, { "id": "2", "type": "user" }] })), ".default_values"),
        (select(9, json!({})), ".type"),
    ] {
        let path = format!("components.0.components.0{at}");
        refused(&house, json!({ "content": "x", "components": [row(&[wrong])] }), &path).await;
    }
    let two = [select(5, json!({})), select(6, json!({ "custom_id": "t" }))];
    refused(&house, json!({ "content": "x", "components": [row(&two)] }), "components.0.components").await;
    for right in [
        select(3, json!({ "options": options(25), "max_values": 25, "min_values": 0 })),
        select(7, json!({ "default_values": [user] })),
        select(8, json!({ "channel_types": [0, 5] })),
    ] {
        assert_eq!(house.post(json!({ "content": "x", "components": [row(&[right])] })).await.status, 200);
    }
}

#[tokio::test]
async fn components_v2_have_their_own_limits_and_no_content() {
    let house = House::new().await;
    let body = |components: Value| json!({ "flags": V2, "components": components });
    let thumbnail = json!({ "type": 11, "media": { "url": "https://example.com/a.png" } });
    for (wrong, path) in [
        (json!({ "flags": V2, "components": [text("x")], "content": "x" }), "content"),
        (json!({ "flags": V2, "components": [text("x")], "embeds": [{ "title": "t" }] }), "embeds"),
        (body(vec![text("x"); 41].into()), "components"),
        (body(json!([{ "type": 17, "components": vec![text("x"); 40] }])), "components"),
        (body(json!([text(&"x".repeat(2001)), text(&"x".repeat(2000))])), "components"),
        (body(json!([text("")])), "components.0.content"),
        (body(json!([{ "type": 9, "components": [text("x")] }])), "components.0.accessory"),
        (
            body(json!([{ "type": 9, "components": vec![text("x"); 4], "accessory": thumbnail }])),
            "components.0.components",
        ),
        (body(json!([{ "type": 12, "items": [] }])), "components.0.items"),
        (body(json!([{ "type": 13, "file": { "url": "https://example.com" } }])), "components.0.file.url"),
        (body(json!([{ "type": 14, "spacing": 3 }])), "components.0.spacing"),
        (body(json!([{ "type": 17, "components": [] }])), "components.0.components"),
        (
            body(json!([{ "type": 17, "components": [{ "type": 17, "components": [] }] }])),
            "components.0.components.0.type",
        ),
        (body(json!([{ "type": 2, "style": 1, "label": "b", "custom_id": "c" }])), "components.0.type"),
        (json!({ "content": "x", "components": [text("x")] }), "components.0.type"),
    ] {
        refused(&house, wrong, path).await;
    }
    let sent = house
        .post(body(json!([
            { "type": 17, "accent_color": 1, "components": [
                text(&"x".repeat(3990)), { "type": 14 }, { "type": 9, "components": [text("y")], "accessory": thumbnail },
                row(&[button(1, json!({ "custom_id": "deep" }))]),
            ] },
        ])))
        .await;
    assert_eq!((sent.status, &sent.body["flags"]), (200, &json!(V2)));
    assert_eq!(house.post(body(json!([]))).await.code, 50006, "nothing is shown");
}

/// A modal with this component behind a label.
fn labelled(component: Value) -> Value {
    json!({ "custom_id": "m", "title": "t", "components": [{ "type": 18, "label": "l", "component": component }] })
}

#[tokio::test]
async fn modals_that_break_a_rule_are_refused() {
    let (house, mut socket) = House::with_commands(json!([{ "name": "ask", "description": "d" }])).await;
    let input = |extra: Value| merged(json!({ "type": 4, "custom_id": "i", "style": 1 }), extra);
    let label = |extra: Value| merged(json!({ "type": 18, "label": "l", "component": input(json!({})) }), extra);
    let modal = |components: Value| json!({ "custom_id": "m", "title": "t", "components": components });
    let of_label = "data.components.0.component";
    let wrong = [
        (merged(modal(json!([label(json!({}))])), json!({ "title": "t".repeat(46) })), "data.title".to_owned()),
        (merged(modal(json!([label(json!({}))])), json!({ "custom_id": null })), "data.custom_id".to_owned()),
        (modal(json!([])), "data.components".to_owned()),
        (modal(vec![text("x"); 6].into()), "data.components".to_owned()),
        (modal(json!([input(json!({}))])), "data.components.0.type".to_owned()),
        (modal(json!([row(&[input(json!({}))])])), "data.components.0.components.0.label".to_owned()),
        (modal(json!([label(json!({ "label": "l".repeat(46) }))])), "data.components.0.label".to_owned()),
        (modal(json!([label(json!({ "component": null }))])), of_label.to_owned()),
        (modal(json!([label(json!({})), label(json!({}))])), "data.components.1.component.custom_id".to_owned()),
        (labelled(button(1, json!({ "custom_id": "b" }))), format!("{of_label}.type")),
        (labelled(input(json!({ "style": 3 }))), format!("{of_label}.style")),
        (labelled(input(json!({ "max_length": 4001 }))), format!("{of_label}.max_length")),
        (labelled(input(json!({ "min_length": 5, "max_length": 4 }))), format!("{of_label}.min_length")),
        (labelled(input(json!({ "placeholder": "p".repeat(101) }))), format!("{of_label}.placeholder")),
        (labelled(select(5, json!({ "disabled": true }))), format!("{of_label}.disabled")),
        (labelled(select(5, json!({ "min_values": 0 }))), format!("{of_label}.min_values")),
        (labelled(select(21, json!({ "options": options(1) }))), format!("{of_label}.options")),
        (labelled(select(22, json!({ "options": options(11) }))), format!("{of_label}.options")),
        (labelled(select(22, json!({ "options": options(2), "max_values": 3 }))), format!("{of_label}.max_values")),
        (labelled(select(19, json!({ "max_values": 11 }))), format!("{of_label}.max_values")),
        (labelled(json!({ "type": 23 })), format!("{of_label}.custom_id")),
    ];
    let bot = async {
        let interaction = socket.until("INTERACTION_CREATE").await;
        for (data, path) in wrong {
            let got = house.answer(&interaction, json!({ "type": 9, "data": data })).await;
            assert_eq!((got.status, got.code), (400, 50035), "{data}");
            assert!(names(&got.body["errors"], &path), "{path} is named in {}", got.body["errors"]);
        }
        let right = modal(json!([label(json!({ "label": "l".repeat(45) })), text("hello")]));
        assert_eq!(house.answer(&interaction, json!({ "type": 9, "data": right })).await.status, 204);
    };
    let (reply, ()) = tokio::join!(house.sim.command(house.owner(), "ask", &[]), bot);
    assert_eq!(reply.unwrap().content, "t");
}

#[tokio::test]
async fn every_select_and_button_can_be_used_as_its_kind_allows() {
    let (house, mut socket) = House::with_commands(json!([])).await;
    let role = house.sim.add_role(house.guild, "role", false);
    let (owner, bot_id) = (house.owner(), house.sim.bot());
    let rows: Vec<Value> = (5..=8).map(|kind| row(&[select(kind, json!({ "custom_id": kind.to_string() }))])).collect();
    let sent = house.post(json!({ "content": "x", "components": rows })).await;
    let shown = house.sim.message_as_reply(sent.body["id"].as_str().unwrap().parse().unwrap()).unwrap();
    let user = owner.user.to_string();
    let channel = house.channel.to_string();
    for (custom_id, value, kinds) in [
        ("5", &user, &["users", "members"][..]),
        ("6", &role.to_string(), &["roles"]),
        ("7", &role.to_string(), &["roles"]),
        ("7", &user, &["users", "members"]),
        ("8", &channel, &["channels"]),
    ] {
        let values = [value.as_str()];
        let person = house.sim.select(owner, &shown, custom_id, &values);
        let bot = async {
            let chosen = socket.until("INTERACTION_CREATE").await;
            let data = &chosen["d"]["data"];
            assert_eq!(
                (&data["values"], &data["component_type"]),
                (&json!([value]), &json!(custom_id.parse::<u64>().unwrap()))
            );
            for kind in kinds {
                assert!(data["resolved"][kind][value].is_object(), "{kind} in {data}");
            }
            house.answer(&chosen, json!({ "type": 6 })).await;
            house.call("POST", &house.webhook(&chosen, ""), json!({ "content": "noted", "flags": 64 })).await;
        };
        let (noted, ()) = tokio::join!(person, bot);
        assert_eq!(noted.unwrap().content, "noted");
    }
    let bad = |result: Result<_, CommandError>| matches!(result, Err(CommandError::BadOption(_)));
    assert!(bad(house.sim.select(owner, &shown, "5", &[&role.to_string()]).await), "a role is no user");
    assert!(bad(house.sim.select(owner, &shown, "6", &[&user]).await), "a user is no role");
    assert!(bad(house.sim.select(owner, &shown, "5", &[&user, &bot_id.to_string()]).await), "two are too many");
    assert_eq!(house.sim.press(owner, &shown, "5").await, Err(CommandError::Unknown), "a select is no button");
    let voice = house.sim.add_channel(house.guild, "voice", discord_sim::ChannelKind::Voice);
    let limited = row(&[select(8, json!({ "channel_types": [0] }))]);
    let link = row(&[
        button(5, json!({ "url": "https://example.com" })),
        button(1, json!({ "custom_id": "off", "disabled": true })),
    ]);
    let sent = house.post(json!({ "content": "x", "components": [limited, link] })).await;
    let shown = house.sim.message_as_reply(sent.body["id"].as_str().unwrap().parse().unwrap()).unwrap();
    assert!(bad(house.sim.select(owner, &shown, "s", &[&voice.to_string()]).await), "its type is not offered");
    assert_eq!(house.sim.press(owner, &shown, "off").await, Err(CommandError::Unknown), "it is disabled");
    let elsewhere =
        Actor { channel: house.sim.add_channel(house.guild, "else", discord_sim::ChannelKind::Text), ..owner };
    assert_eq!(
        house.sim.select(elsewhere, &shown, "s", &[&channel]).await,
        Err(CommandError::Unknown),
        "it is not here"
    );
}

#[tokio::test]
async fn a_modal_is_filled_in_as_discords_client_allows() {
    let (house, mut socket) = House::with_commands(json!([{ "name": "ask", "description": "d" }])).await;
    let label = |component: Value| json!({ "type": 18, "label": "l", "component": component });
    let input = json!({ "type": 4, "custom_id": "name", "style": 1, "min_length": 2, "max_length": 5 });
    let modal = json!({ "custom_id": "m", "title": "Ask", "components": [
        label(input), label(select(8, json!({ "custom_id": "where" }))),
        label(json!({ "type": 21, "custom_id": "size", "options": options(3) })),
        label(json!({ "type": 22, "custom_id": "kinds", "options": options(3), "min_values": 2 })),
        label(json!({ "type": 19, "custom_id": "file", "required": false, "min_values": 0 })),
    ] });
    let check = json!({ "custom_id": "n", "title": "More", "components": [
        label(json!({ "type": 23, "custom_id": "sure" })),
        row(&[json!({ "type": 4, "custom_id": "why", "style": 2, "label": "Why", "value": "because" })]),
        label(json!({ "type": 19, "custom_id": "file" })), text("a note"),
    ] });
    let file = house.sim.upload("log.txt", b"all").unwrap();
    let channel = house.channel.to_string();
    let bot = async {
        let asked = socket.until("INTERACTION_CREATE").await;
        assert_eq!(house.answer(&asked, json!({ "type": 9, "data": modal })).await.status, 204);
        let sent = socket.until("INTERACTION_CREATE").await;
        let data = &sent["d"]["data"];
        assert_eq!((&sent["d"]["type"], &data["custom_id"]), (&json!(5), &json!("m")));
        assert_eq!(
            data["components"][0],
            json!({ "type": 18, "id": 1, "component":
            { "type": 4, "id": 2, "custom_id": "name", "value": "ferri" } })
        );
        assert_eq!(data["components"][1]["component"]["values"], json!([channel]));
        assert_eq!(data["components"][2]["component"]["value"], "v1");
        assert_eq!(data["components"][3]["component"]["values"], json!(["v0", "v2"]));
        assert_eq!(data["components"][4]["component"]["values"], json!([]));
        assert!(data["resolved"]["channels"][&channel].is_object());
        assert_eq!(house.answer(&sent, json!({ "type": 9, "data": check })).await.code, 50035, "no modal on a modal");
        house.answer(&sent, json!({ "type": 4, "data": { "content": "thanks" } })).await;
        let asked = socket.until("INTERACTION_CREATE").await;
        house.answer(&asked, json!({ "type": 9, "data": check })).await;
        let sent = socket.until("INTERACTION_CREATE").await;
        let data = &sent["d"]["data"];
        assert_eq!(data["components"][0]["component"]["value"], true);
        assert_eq!(data["components"][1]["components"][0]["value"], "because", "what was filled in stays");
        assert_eq!(data["resolved"]["attachments"][file.to_string()]["filename"], "log.txt");
        house.answer(&sent, json!({ "type": 4, "data": { "content": "done" } })).await;
    };
    let person = async {
        let shown = house.sim.command(house.owner(), "ask", &[]).await.unwrap();
        let with = |name: &str, value: Value| {
            let mut values = vec![
                ("name", json!("ferri")),
                ("where", json!([channel])),
                ("size", json!("v1")),
                ("kinds", json!(["v0", "v2"])),
            ];
            values.retain(|(other, _)| *other != name);
            values.push((name, value));
            values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Vec<_>>()
        };
        for (name, value) in [
            ("name", json!("x")),
            ("name", json!("ferris")),
            ("name", json!("a\nb")),
            ("name", json!("")),
            ("where", json!([])),
            ("where", json!(["1"])),
            ("size", json!("v9")),
            ("kinds", json!(["v0"])),
            ("kinds", json!(["v0", "v0"])),
            ("file", json!(["1"])),
            ("other", json!("x")),
        ] {
            let values = with(name, value.clone());
            let values: Vec<(&str, Value)> =
                values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
            let refused = house.sim.submit(house.owner(), &shown, &values).await;
            assert!(matches!(refused, Err(CommandError::BadOption(_))), "{name} {value}: {refused:?}");
        }
        let values = with("name", json!("ferri"));
        let values: Vec<(&str, Value)> = values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        assert_eq!(house.sim.submit(house.owner(), &shown, &values).await.unwrap().content, "thanks");
        let shown = house.sim.command(house.owner(), "ask", &[]).await.unwrap();
        let values = [("sure", json!(true)), ("file", json!([file.to_string()]))];
        assert_eq!(house.sim.submit(house.owner(), &shown, &values).await.unwrap().content, "done");
    };
    tokio::join!(person, bot);
}
