//! Who plays on which servers, and what they say.

/// The servers' ids in subjects, which are what Discord shows.
pub(crate) const SERVERS: [&str; 2] = ["Ironhaven", "Saltflats"];

/// The players' names. One of them would be a nuisance anywhere else.
pub(crate) const PLAYERS: [&str; 14] = [
    "Vex",
    "Marlow",
    "RaidBossRita",
    "Quill",
    "scrap_daddy",
    "Juniper",
    "Hex",
    "OldGregor",
    "Nova",
    "Tumble",
    "bucketman",
    "Isolde",
    "Pike",
    "[loot](https://loot.example)",
];

/// What they say, where it fits at any moment.
pub(crate) const TALK: [&str; 20] = [
    "anyone selling scrap? paying in sulfur",
    "who is at the dome? I hear shots",
    "gg, that was a clean raid",
    "heli is up, take cover 🚁",
    "trading 2 rockets for a locker",
    "oil rig in five, who comes along?",
    "the bear won. again.",
    "new here, where is a good spot to build?",
    "airdrop over the lighthouse 📦",
    "cargo ship from the east, full of scientists",
    "please stop shooting my horse",
    "need a mechanic for the minicopter",
    "who locked my own base with me outside?",
    "market at bandit camp tonight, bring scrap",
    "thanks for the free door, neighbour 😇",
    "night is coming, stay by the fire 🔥",
    "somebody farmed my pumpkins",
    "bradley is down, come and get it",
    "is this the line for the recycler?",
    "brb, my base is decaying",
];

/// Why players leave.
pub(crate) const FAREWELLS: [&str; 5] =
    ["Disconnected", "Disconnected", "Timed out", "Kicked: idle for too long", "Disconnected"];

/// Why players are banned.
pub(crate) const OFFENCES: [&str; 4] =
    ["aimbot", "flying without a minicopter", "selling skins in chat", "third warning"];

/// Things to gather and to craft, by the game's own numbers: wood, stones, metal ore, sulfur ore.
pub(crate) const RESOURCES: [i64; 4] = [-151_838_493, -2_099_697_608, -4_031_221, -1_157_596_551];
