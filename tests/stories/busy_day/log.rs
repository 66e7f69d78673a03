//! A day of a busy server, made from a seed: restarts, a crash loop, a wipe, and 300 players who come and go.

use std::collections::BTreeMap;
use std::time::Duration;

/// How many players there are.
pub(crate) const PLAYERS: u64 = 300;

/// Something that happens to the server, and when on that day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Happening {
    pub(crate) at: Duration,
    pub(crate) what: What,
}

/// What happens to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// It says something. The subject goes on after `v0.rust.servers.`.
    Says { subject: String, payload: String },
    /// Its process ends without a word.
    Crashes,
    /// It runs again, and says so.
    StartsAgain,
    /// It has run for long enough since its last crash.
    Holds,
}

/// What the server says of itself, in minutes and seconds of the day.
const LIFECYCLE: [(u64, u64, &str); 9] = [
    // The nightly restart.
    (240, 0, "stopping"),
    (240, 30, "stopped"),
    (243, 0, "started"),
    // Its plugin is loaded anew.
    (570, 0, "started"),
    // The wipe.
    (1_080, 0, "stopping"),
    (1_080, 30, "stopped"),
    (1_088, 0, "wiped"),
    (1_090, 0, "started"),
    // And its plugin once more, before midnight.
    (1_435, 0, "started"),
];

/// When the last crash is long enough ago, in minutes: what comes later waits for that.
const HELD: u64 = 670;

/// Whoever is on then leaves, in minutes.
const MIDNIGHT: u64 = 1_439;

/// When it crashes, in minutes; it runs again a minute later.
const CRASHES: [u64; 5] = [660, 662, 664, 666, 668];

/// When nobody is on, in minutes: from when they leave until they may come.
const DOWN: [(u64, u64); 3] = [(241, 244), (CRASHED, 670), (1_081, 1_091)];

/// Of those who are on then, nobody says that they leave.
const CRASHED: u64 = CRASHES[0];

/// What moderators did, in minutes, and to which player.
const MODERATION: [(u64, u64, &str, &str); 6] = [
    (
        700,
        17,
        "reported",
        r#"{"reported_target_steam_id":"76561198000000042","subject":"Wallhack","message":"He sees me","reportedType":"cheat"}"#,
    ),
    (
        705,
        23,
        "reported",
        r#"{"reported_target_steam_id":"76561198000000042","subject":"Aimbot","message":"He never misses","reportedType":"cheat"}"#,
    ),
    (760, 42, "banned", r#"{"reason":"cheating"}"#),
    (
        1_200,
        99,
        "reported",
        r#"{"reported_target_steam_id":"76561198000000100","subject":"Insults","message":"All evening","reportedType":"abusive"}"#,
    ),
    (1_205, 100, "banned", r#"{"reason":"insults, a day"}"#),
    (1_300, 100, "unbanned", "{}"),
];

/// The same numbers for the same seed, everywhere: <https://prng.di.unimi.it/splitmix64.c>.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// The day, in order.
pub(crate) fn day(seed: u64) -> Vec<Happening> {
    let mut numbers = Numbers(seed);
    let mut log: Vec<Happening> = LIFECYCLE
        .iter()
        .map(|(minute, second, what)| said(minute * 60 + second, format!("main.events.{what}"), "{}".to_owned()))
        .collect();
    for minute in CRASHES {
        log.push(Happening { at: Duration::from_mins(minute), what: What::Crashes });
        log.push(Happening { at: Duration::from_mins(minute + 1), what: What::StartsAgain });
    }
    log.push(Happening { at: Duration::from_mins(HELD), what: What::Holds });
    for player in 0..PLAYERS {
        let mut start = 0;
        for _ in 0..=numbers.below(2) {
            // Most come in the evening, and nobody comes who is on.
            start = start + 300 + numbers.below(900).max(numbers.below(900));
            if start >= MIDNIGHT {
                break;
            }
            let end = (start + 30 + numbers.below(180)).min(MIDNIGHT);
            stay(&mut log, &mut numbers, player, start, end);
            start = end;
        }
    }
    for (minute, player, what, payload) in MODERATION {
        log.push(said(minute * 60, of(player, what), payload.to_owned()));
    }
    // Sorting keeps the order of what happens at one moment.
    log.sort_by_key(|happening| happening.at);
    log
}

/// A player is on in these minutes, but where the server is down: most of those who are thrown out come back.
fn stay(log: &mut Vec<Happening>, numbers: &mut Numbers, player: u64, start: u64, end: u64) {
    let mut start = start;
    for (down, up) in DOWN {
        if (down..up).contains(&start) {
            start = up + numbers.below(10);
        }
        if start < down && down <= end {
            on(log, numbers, player, start, down);
            if numbers.below(10) < 3 {
                return;
            }
            start = up + numbers.below(10);
        }
    }
    if start < end {
        on(log, numbers, player, start, end);
    }
}

fn on(log: &mut Vec<Happening>, numbers: &mut Numbers, player: u64, start: u64, end: u64) {
    let joins = format!(r#"{{"player":{{"name":"{}"}}}}"#, name(player));
    log.push(said(start * 60 + numbers.below(30), of(player, "connected"), joins));
    if end != CRASHED {
        // Before the minute is over, in which the next may come.
        log.push(said(end * 60 + 30 + numbers.below(25), of(player, "disconnected"), "{}".to_owned()));
    }
}

/// What the player of that number is called: no name is the beginning of another.
pub(crate) fn name(player: u64) -> String {
    format!("Player{player:03}")
}

/// Whether it is something that moderators do, or are told.
pub(crate) fn is_for_staff(subject: &str) -> bool {
    ["reported", "banned", "unbanned"].iter().any(|what| subject.ends_with(&format!(".{what}")))
}

/// How often each player comes, and says that they leave.
pub(crate) fn comings(day: &[Happening]) -> BTreeMap<String, (usize, usize)> {
    let mut comings: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for happening in day {
        let What::Says { subject, .. } = &happening.what else { continue };
        let Some(behind) = subject.strip_prefix("main.players.76561198000000") else { continue };
        let coming = comings.entry(format!("Player{}", &behind[..3])).or_default();
        coming.0 += usize::from(subject.ends_with(".connected"));
        coming.1 += usize::from(subject.ends_with(".disconnected"));
    }
    comings
}

fn of(player: u64, what: &str) -> String {
    format!("main.players.76561198000000{player:03}.events.{what}")
}

fn said(second: u64, subject: String, payload: String) -> Happening {
    Happening { at: Duration::from_secs(second), what: What::Says { subject, payload } }
}

#[test]
fn the_same_seed_makes_the_same_day() {
    assert_eq!(day(7), day(7));
    assert_ne!(day(7), day(8));
    assert!(day(7).is_sorted_by_key(|happening| happening.at));
}
