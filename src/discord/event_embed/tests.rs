//! What people read, word for word, and what hostile players try to make them read.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::event::Start;
use crate::domain::ids::ServerId;
use crate::domain::text::utf16_length;
use crate::domain::timestamp::Timestamp;

const BOB: &str = "76561198000000001";
const ALICE: &str = "76561198000000002";

fn event(details: Details) -> Event {
    Event {
        account: "GA-1".parse().unwrap(),
        server: ServerId::from("eu-1"),
        player: Some(PlayerId::from(BOB)),
        player_name: None,
        stored: Timestamp::from_nanoseconds(1_700_000_000_000_000_000),
        sequence: 7,
        details,
    }
}

/// What is read of `details` when Bob and Alice are known by name, without the time.
fn read(details: Details) -> String {
    let embed = event_embed(&event(details), Names { player: Some("Bob"), target: Some("Alice"), server: None });
    embed.description().replace(" · <t:1700000000:R>", "")
}

/// What is read of `details` when nobody and nothing is known.
fn read_bare(details: Details) -> String {
    let bare = Event { server: ServerId::from(UNKNOWN_SERVER), player: None, ..event(details) };
    event_embed(&bare, Names::default()).description().replace(" · <t:1700000000:R>", "")
}

fn own(text: &str) -> String {
    text.to_owned()
}

fn report(target: Option<&str>) -> Details {
    Details::PlayerReported {
        target: target.map(PlayerId::from),
        subject: Some(own("Aimbot")),
        message: Some(own("He never misses.")),
        category: Some(own("cheat")),
    }
}

fn hit(attacker: Option<&str>, killed: Option<bool>, metres: Option<u32>) -> Details {
    Details::PlayerHit { attacker: attacker.map(PlayerId::from), killed, metres }
}

#[test]
fn an_embed_is_a_sentence_a_colour_and_where_it_comes_from() {
    let embed = event_embed(&event(Details::ServerStarted { how: Start::Up }), Names::default());
    let expected = json!({
        "description": "🟢 Server **eu\\-1** is up · <t:1700000000:R>",
        "color": 0x0057_F287,
        "timestamp": "2023-11-14T22:13:20Z",
        "footer": { "text": "GA-1 · eu-1" },
    });
    assert_eq!(serde_json::to_value(&embed).unwrap(), expected);
}

#[test]
fn every_kind_reads_well() {
    let command = |command, arguments| Details::ServerCommand { command, arguments, by: Some(PlayerId::from(ALICE)) };
    for (details, text) in [
        (Details::ServerStarted { how: Start::Up }, r"🟢 Server **eu\-1** is up"),
        (Details::ServerStopping, r"🟠 Server **eu\-1** is about to stop"),
        (Details::ServerStopped, r"🔴 Server **eu\-1** has stopped"),
        (Details::ServerWiped, r"✨ Server **eu\-1** was wiped: a fresh world awaits"),
        (command(Some(own("kick")), Some(own("Eve rude"))), r"⌨️ **Alice** ran **kick** on **eu\-1**: Eve rude"),
        (command(Some(own("kick")), None), r"⌨️ **Alice** ran **kick** on **eu\-1**"),
        (Details::PlayerConnected, r"📥 **Bob** joined **eu\-1**"),
        (Details::PlayerDisconnected { reason: Some(own("AFK")) }, r"📤 **Bob** left **eu\-1**: AFK"),
        (Details::PlayerDisconnected { reason: Some(own("Disconnected")) }, r"📤 **Bob** left **eu\-1**"),
        (Details::PlayerChatted { message: Some(own("1. hi *all*")) }, "💬 **Bob** on **eu\\-1**\n1\\. hi \\*all\\*"),
        (Details::PlayerRespawned, r"🌅 **Bob** respawned on **eu\-1**"),
        (hit(Some(ALICE), Some(true), Some(35)), r"💀 **Alice** killed **Bob** from 35 metres away on **eu\-1**"),
        (hit(Some(ALICE), Some(false), Some(1)), r"⚔️ **Alice** hit **Bob** from 1 metre away on **eu\-1**"),
        (
            Details::PlayerGathered { item: Some(-5), amount: Some(500) },
            r"⛏️ **Bob** gathered 500 × item -5 on **eu\-1**",
        ),
        (Details::PlayerItemPickup { item: Some(-5), amount: None }, r"🎒 **Bob** picked up item -5 on **eu\-1**"),
        (Details::PlayerItemLoot { item: Some(5), amount: Some(2) }, r"📦 **Bob** looted 2 × item 5 on **eu\-1**"),
        (Details::PlayerItemLoot { item: Some(5), amount: Some(-2) }, r"📦 **Bob** stored 2 × item 5 on **eu\-1**"),
        (Details::PlayerItemCrafted { item: None, amount: Some(1) }, r"🛠️ **Bob** crafted 1 item on **eu\-1**"),
        (Details::Unknown { name: "events.meteor.landed".to_owned() }, r"❔ **meteor\.landed** on **eu\-1**"),
    ] {
        assert_eq!(read(details), text);
    }
}

#[test]
fn moderators_get_links_to_profiles() {
    let bob = format!("**Bob** ([Steam](https://steamcommunity.com/profiles/{BOB}))");
    let alice = format!("**Alice** ([Steam](https://steamcommunity.com/profiles/{ALICE}))");
    for (details, text) in [
        (
            Details::PlayerBanned { reason: Some(own("Cheating")) },
            format!(r"🔨 {bob} was banned on **eu\-1**: Cheating"),
        ),
        (Details::PlayerUnbanned, format!(r"🕊️ {bob} is no longer banned on **eu\-1**")),
        (
            report(Some(ALICE)),
            format!("🚩 **Bob** reported {alice} for cheat on **eu\\-1**\n**Aimbot**\nHe never misses\\."),
        ),
    ] {
        assert_eq!(read(details), text);
    }
}

#[test]
fn missing_facts_make_a_shorter_sentence() {
    for (details, text) in [
        (Details::ServerStarted { how: Start::Up }, "🟢 A server is up"),
        (Details::ServerCommand { command: None, arguments: None, by: None }, "⌨️ A player ran a command"),
        (Details::PlayerConnected, "📥 A player joined"),
        (Details::PlayerDisconnected { reason: None }, "📤 A player left"),
        (Details::PlayerChatted { message: None }, "💬 A player said something"),
        (Details::PlayerBanned { reason: Some(own("\u{200b}")) }, "🔨 A player was banned"),
        (
            Details::PlayerReported { target: None, subject: None, message: None, category: None },
            "🚩 A player reported a player",
        ),
        (hit(None, None, None), "⚔️ A player was hit"),
        (hit(None, Some(true), Some(0)), "💀 A player was killed"),
        (hit(Some("0"), Some(true), None), "💀 **0** killed a player"),
        (Details::PlayerGathered { item: None, amount: None }, "⛏️ A player gathered something"),
        (
            Details::PlayerItemLoot { item: None, amount: Some(i64::MIN) },
            "📦 A player stored 9223372036854775808 items",
        ),
        (Details::Unknown { name: String::new() }, "❔ **an event without a name**"),
    ] {
        assert_eq!(read_bare(details), text);
    }
}

#[test]
fn a_player_without_a_name_is_their_steam_id_and_only_that_is_linked() {
    let joined = |id: &str, name: Option<&str>| {
        let event = Event {
            player: Some(PlayerId::from(id)),
            player_name: name.map(str::to_owned),
            ..event(Details::PlayerConnected)
        };
        event_embed(&event, Names::default()).description().to_owned()
    };
    assert!(joined(BOB, None).contains(&format!("[{BOB}](https://steamcommunity.com/profiles/{BOB}) joined")));
    assert!(joined(BOB, Some("\u{3164}")).contains(&format!("[{BOB}](")));
    assert!(joined("7](https://evil.example)", None).contains(r"**7\]\(https\://evil\.example\)** joined"));
    assert!(joined("٧٦٥٦١١٩٨٠٠٠٠٠٠٠٠١", None).contains("**٧٦"));
    // What the event tells goes before what was heard earlier.
    let told = Event { player_name: Some(own("Robert")), ..event(Details::PlayerConnected) };
    assert!(
        event_embed(&told, Names { player: Some("Bob"), target: None, server: None })
            .description()
            .contains("**Robert**")
    );
}

#[test]
fn hostile_names_are_only_names() {
    let longest = "*".repeat(10_000);
    let zalgo = format!("Z{}", "\u{0301}".repeat(500));
    for (name, shown) in [
        ("@everyone", "**＠everyone**"),
        ("<@&1> <#2>", r"**\<\@&1\> \<\#2\>**"),
        ("[free](https://evil.example)", r"**\[free\]\(https\://evil\.example\)**"),
        ("\u{202e}nimda\u{202c}", "**nimda**"),
        ("<color=#f00><size=99>Admin</size></color>", "**Admin**"),
        (&zalgo, "**Z\u{0301}\u{0301}**"),
        (&longest, &format!("**{}…**", r"\*".repeat(49))),
        ("a\n# b", r"**a \# b**"),
        ("\\", r"**\\**"),
    ] {
        let hostile = Event { player_name: Some(own(name)), ..event(Details::PlayerConnected) };
        let embed = event_embed(&hostile, Names::default());
        assert!(embed.description().starts_with(&format!("📥 {shown} joined")), "{}", embed.description());
    }
}

#[test]
fn the_longest_event_fits_with_nothing_of_its_message_lost_to_the_names() {
    let worst = "*".repeat(2_000);
    let details = Details::PlayerReported {
        target: Some(PlayerId::from(ALICE)),
        subject: Some(own(&worst)),
        message: Some(own(&worst)),
        category: Some(own(&worst)),
    };
    let long = Event { server: ServerId::from(worst.as_str()), player_name: Some(own(&worst)), ..event(details) };
    let embed = event_embed(&long, Names { player: None, target: Some(&worst), server: None });
    assert!(utf16_length(embed.description()) < 4_096);
    assert!(embed.description().lines().last().unwrap().len() > 2_900);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn whatever_comes_is_bounded_and_fires_nothing(
        name in "(@everyone|@here|<@1>|\\PC|[\\x00-\\x7f]){0,60}", text in "(@here|<@&1>|\n|\\PC){0,60}", server in "\\PC{0,40}",
    ) {
        for details in [
            Details::PlayerChatted { message: Some(own(&text)) },
            Details::PlayerDisconnected { reason: Some(own(&text)) },
            Details::ServerCommand { command: Some(own(&name)), arguments: Some(own(&text)), by: None },
            Details::Unknown { name: text.clone() },
            report(Some(&name)),
        ] {
            let event = Event {
                player_name: Some(own(&name)), server: ServerId::from(server.as_str()), ..event(details)
            };
            let embed = event_embed(&event, Names { player: Some(&text), target: Some(&name), server: None });
            prop_assert!(embed.size() <= 6_000 && !embed.description().is_empty());
            let json = serde_json::to_value(&embed).unwrap();
            prop_assert!(matches!(json["description"], Value::String(_)));
            let all = json.to_string();
            for firing in ["@everyone", "@here", "<@", "<#"] {
                prop_assert!(!embed.description().contains(firing), "{all}");
            }
            prop_assert!(!embed.footer().contains("@everyone") && !embed.footer().contains("@here"));
        }
    }
}
