//! An ordinary evening: two guilds, two accounts, every form of payload.

use guildwire_harness::house::{FIRST_ACCOUNT, SECOND_ACCOUNT};

use crate::support::{Database, build_house, on_both_databases};

on_both_databases!(each_channel_shows_what_it_was_bound_to_and_nothing_else);

async fn each_channel_shows_what_it_was_bound_to_and_nothing_else(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    // Two guilds on one account, and two accounts in one guild.
    let (rustaceans, others) = (house.guild("Rustaceans"), house.guild("Others"));
    house.link(rustaceans, FIRST_ACCOUNT).await.unwrap();
    house.link(rustaceans, SECOND_ACCOUNT).await.unwrap();
    house.link(others, FIRST_ACCOUNT).await.unwrap();
    let (status, chat, second, elsewhere) = (
        house.channel(rustaceans, "status"),
        house.channel(rustaceans, "chat"),
        house.channel(rustaceans, "second"),
        house.channel(others, "everything"),
    );
    let (first, other) =
        (house.publisher(FIRST_ACCOUNT).await.unwrap(), house.publisher(SECOND_ACCOUNT).await.unwrap());
    first.publish("main.events.started", r#"{"timestamp":"before anybody listened"}"#).await.unwrap();

    let account = |name: &str| [("account", name.into())];
    house.notify(rustaceans, status, "lifecycle", &account(FIRST_ACCOUNT)).await.unwrap();
    house.notify(rustaceans, status, "players", &account(FIRST_ACCOUNT)).await.unwrap();
    house.notify(rustaceans, chat, "chat", &account(FIRST_ACCOUNT)).await.unwrap();
    house.notify(rustaceans, second, "lifecycle", &account(SECOND_ACCOUNT)).await.unwrap();
    house.notify(others, elsewhere, "everything", &[]).await.unwrap();

    let steam = "76561198000000001";
    let double = r#""{\"timestamp\":\"2026-11-22T14:39:38Z\"}""#;
    for (subject, payload) in [
        ("main.events.started".to_owned(), r#"{"timestamp":"11/22/2026 2:39:38 PM"}"#),
        (
            format!("main.players.{steam}.events.connected"),
            r#"{"player":{"id":"76561198000000001","name":"Ada","address":"203.0.113.9:28015"}}"#,
        ),
        (format!("main.events.player.{steam}.chatted"), r#"{"full_message":"hello @everyone","player_name":"Ada"}"#),
        (
            format!("main.players.{steam}.events.disconnected"),
            r#"{"player":{"id":"76561198000000001"},"reason":"Disconnected"}"#,
        ),
        ("main.events.wiped".to_owned(), "null"),
        ("main.events.stopping".to_owned(), ""),
        ("main.events.stopped".to_owned(), double),
        ("main.events.meteor.landed".to_owned(), "not json at all"),
    ] {
        first.publish(&subject, payload).await.unwrap();
    }
    other.publish("main.events.started", "{}").await.unwrap();

    let lifecycle_and_players = [
        "🟢 Server **main** is up",
        "📥 **Ada** joined **main**",
        "📤 **Ada** left **main**",
        "✨ Server **main** was wiped: a fresh world awaits",
        "🔴 Server **main** has stopped",
    ];
    let everything = [&lifecycle_and_players[..], &["❔ **meteor\\.landed** on **main**"]].concat();
    house.wait_until_shown(elsewhere, &everything).await.unwrap();
    house.wait_until_shown(status, &lifecycle_and_players).await.unwrap();
    assert_eq!(house.wait_for_shown(chat, 1).await.unwrap(), ["💬 **Ada** on **main**"]);
    assert_eq!(house.wait_for_shown(second, 1).await.unwrap(), ["🟢 Server **main** is up"]);

    // Once more through the whole way: what else was on it would have come by then.
    first.publish("main.events.wiped", "null").await.unwrap();
    house.wait_for_shown(elsewhere, everything.len() + 1).await.unwrap();
    house.wait_for_shown(status, lifecycle_and_players.len() + 1).await.unwrap();
    assert_eq!((house.shown(chat).len(), house.shown(second).len()), (1, 1));
    for message in [status, chat, second, elsewhere].iter().flat_map(|channel| house.discord.messages(*channel)) {
        assert!(!message.raw.to_string().contains("203.0.113"), "a player's address is shown: {}", message.raw);
        assert!(!message.notified_everyone && message.notified_users.is_empty() && message.notified_roles.is_empty());
    }
}
