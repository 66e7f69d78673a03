//! What happens on the game servers, in the many ways in which publishers write it down.

use guildwire_harness::house::{FIRST_ACCOUNT, SECOND_ACCOUNT};

/// One event as it is published.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event {
    /// Whose server.
    pub(crate) account: &'static str,
    /// What happens, for whoever watches.
    pub(crate) about: &'static str,
    /// The subject, after `v0.rust.servers.`.
    pub(crate) subject: &'static str,
    /// The payload.
    pub(crate) payload: &'static str,
}

const fn event(about: &'static str, subject: &'static str, payload: &'static str) -> Event {
    Event { account: FIRST_ACCOUNT, about, subject, payload }
}

const fn second(about: &'static str, subject: &'static str, payload: &'static str) -> Event {
    Event { account: SECOND_ACCOUNT, about, subject, payload }
}

/// Before anybody listens.
pub(crate) const UNHEARD: Event =
    event("an old story, from before any channel heard this account", "main.events.started", "{}");

/// The evening's first half.
pub(crate) const EVENING: &[Event] = &[
    event(
        "the server comes up; its clock tells a local time without a zone",
        "main.events.started",
        r#"{"timestamp":"11/22/2026 2:39:38 PM"}"#,
    ),
    event(
        "Ada joins; her network address is in the payload",
        "main.players.76561198000000001.events.connected",
        r#"{"player":{"id":"76561198000000001","name":"Ada","address":"203.0.113.9:28015"}}"#,
    ),
    event(
        "a player joins whose name would notify a whole guild",
        "main.players.76561198000000002.events.connected",
        r#"{"player":{"id":"76561198000000002","name":"@everyone","address":"203.0.113.66:28015"}}"#,
    ),
    event(
        "one whose name hides a link",
        "main.players.76561198000000003.events.connected",
        r#"{"player":{"id":"76561198000000003","name":"[free skins](https://skins.example)"}}"#,
    ),
    event(
        "one with Rust's colour tags in the name",
        "main.players.76561198000000004.events.connected",
        r#"{"player":{"id":"76561198000000004","name":"<color=red><b>Zoe</b></color>"}}"#,
    ),
    event(
        "one whose name turns the text around (right-to-left override)",
        "main.players.76561198000000005.events.connected",
        r#"{"player":{"id":"76561198000000005","name":"Bob \u202egnp.exe"}}"#,
    ),
    event(
        "one of whom only the SteamID is known: the payload is null",
        "main.players.76561198000000006.events.connected",
        "null",
    ),
    event(
        "Ada says hello",
        "main.events.player.76561198000000001.chatted",
        r#"{"full_message":"hello! who is up for a *raid* tonight?","player_name":"Ada"}"#,
    ),
    event(
        "somebody tries to notify everybody; the object is JSON within JSON",
        "main.events.player.76561198000000002.chatted",
        r#""{\"full_message\":\"@everyone @here come to https://skins.example\",\"player_name\":\"@everyone\"}""#,
    ),
    second("the other owner's server comes up", "creative.events.started", "{}"),
    event(
        "Ada is killed from afar",
        "main.players.76561198000000001.events.combat.hit",
        r#"{"player_hit":{"victim":{"steam_id":"76561198000000001"},"attacker":{"steam_id":"76561198000000004"},"isKill":true,"hit_distance":112.4}}"#,
    ),
    event(
        "a moderator acts",
        "main.players.76561198000000003.events.banned",
        r#"{"player_name":"[free skins](https://skins.example)","reason":"spam","steam_id":"76561198000000003"}"#,
    ),
];

/// While the bot is dead.
pub(crate) const MEANWHILE: &[Event] = &[
    event(
        "Ada leaves; JSON within JSON again",
        "main.players.76561198000000001.events.disconnected",
        r#""{\"player\":{\"id\":\"76561198000000001\"},\"reason\":\"Kicked: too long idle\"}""#,
    ),
    second("the other server stops", "creative.events.stopped", "{}"),
];

/// The second half, after the bot was started again.
pub(crate) const NIGHT: &[Event] = &[
    event("the world is wiped; the payload is null", "main.events.wiped", "null"),
    event("a kind of event that guildwire has no words for", "main.events.meteor.landed", r#"{"size":"huge"}"#),
    event("the server announces its stop; the payload is empty", "main.events.stopping", ""),
    event("the server has stopped; the payload is garbage", "main.events.stopped", "Segmentation fault (core dumped)"),
];
