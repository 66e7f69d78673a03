//! What a broken or hostile publisher might send.

/// What is peculiar about a message, its subject after `v0.rust.servers.`, and its payload.
pub(crate) const MESSAGES: &[(&str, &str, &str)] = &[
    (
        "a player joins, and the payload is no JSON at all",
        "Ironhaven.players.76561197900000666.events.connected",
        "\u{1}\u{2} Segmentation fault (core dumped)",
    ),
    ("an event that nobody has heard of", "Ironhaven.events.meteor.landed", r#"{"size":"huge","at":[1,2,"#),
    (
        "a chat message that tries to notify everybody, hide a link and turn the text around",
        "Saltflats.events.player.76561197900000014.chatted",
        r#""{\"player_name\":\"@everyone\",\"full_message\":\"@everyone [free skins](https://skins.example) \u202eedoc on\"}""#,
    ),
    ("a message whose subject names no event: it is set aside and counted", "Ironhaven.nonsense", "{}"),
];
