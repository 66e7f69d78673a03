//! How incidents are told: a server goes down, why, and is back.

use std::time::Duration;

use super::events::{server_started, server_stopped, server_stopping};
use super::notices::{count, duration};
use crate::domain::event::Start;
use crate::domain::incident::What;

/// What happened last, as a headline. `server` begins a sentence.
#[must_use]
pub fn incident_headline(server: &str, what: What) -> String {
    match what {
        What::SaidStopping => server_stopping(server),
        What::SaidStopped | What::ClosedAsSaid => server_stopped(server),
        What::Closed => format!("🔴 {server} is offline"),
        What::Crashed => format!("💥 {server} crashed"),
        What::Stale | What::Revoked | What::Vanished | What::Silent => format!("⚫ {server}: contact lost"),
        What::Started | What::Connected | What::Heard => format!("🟢 {server} is back"),
        What::Restarted => server_started(server, Start::Restarted),
        What::CrashedAndStarted => format!("💥 {server} crashed and is up again"),
        What::Reloaded => server_started(server, Start::ReloadedOrStarted),
        What::MaintenanceBegan => format!("🔧 {server} is under maintenance"),
        What::MaintenanceEnded => format!("🔧 {server}: maintenance is over"),
    }
}

/// What is known of why; `None` where the headline says it all.
#[must_use]
pub const fn incident_reason(what: What) -> Option<&'static str> {
    Some(match what {
        What::ClosedAsSaid => "It said that it stops, and then its connection closed.",
        What::Closed => {
            "Its connection closed. Whether it was stopped or crashed can't be told: it never says when it stops."
        }
        What::Crashed => "Its connection closed, and it had not said that it stops, as it usually does.",
        What::Stale => {
            "Its connection no longer answers: it hangs, or the network between does. It may still be running."
        }
        What::Revoked => "Its access to NATS was revoked. It may still be running.",
        What::Vanished => "Its connection is gone, and NATS does not say why. It may still be running.",
        What::Silent => "Nothing was heard of it for longer than is expected of it. It may still be running.",
        What::Restarted => {
            "It connected anew. Whether it was restarted or crashed can't be told: it never says when it stops."
        }
        What::CrashedAndStarted => "It connected anew, and had not said that it stops, as it usually does.",
        What::SaidStopping
        | What::SaidStopped
        | What::Started
        | What::Connected
        | What::Heard
        | What::Reloaded
        | What::MaintenanceBegan
        | What::MaintenanceEnded => return None,
    })
}

/// One line of all that happened.
#[must_use]
pub const fn incident_line(what: What) -> &'static str {
    match what {
        What::SaidStopping => "it said that it is about to stop",
        What::SaidStopped => "it said that it has stopped",
        What::ClosedAsSaid => "its connection closed",
        What::Closed => "its connection closed, without a word",
        What::Crashed => "it crashed: its connection closed, without a word",
        What::Stale => "its connection no longer answered",
        What::Revoked => "its access to NATS was revoked",
        What::Vanished => "its connection was gone",
        What::Silent => "nothing had been heard of it for too long",
        What::Started => "it started",
        What::Connected => "it was connected again",
        What::Heard => "it was heard of again",
        What::Restarted => "it was restarted, or crashed and started",
        What::CrashedAndStarted => "it crashed and started",
        What::Reloaded => "its plugin was reloaded, or it was started anew",
        What::MaintenanceBegan => "maintenance began",
        What::MaintenanceEnded => "maintenance ended",
    }
}

/// A server is back.
#[must_use]
pub fn incident_over(server: &str, lasted: Duration) -> String {
    if lasted < Duration::from_secs(1) {
        return format!("🟢 {server} is back");
    }
    format!("🟢 {server} is back after {}", duration(lasted))
}

/// A server that was in a loop has held.
#[must_use]
pub fn incident_held(server: &str, hold: Duration) -> String {
    format!("🟢 {server} has held for {}", duration(hold))
}

/// How many players were on a server when it went down.
#[must_use]
pub fn incident_players(players: u64) -> String {
    if players == 1 { "1 player was on it.".to_owned() } else { format!("{players} players were on it.") }
}

/// How often a server went down, in a loop.
#[must_use]
pub fn incident_loop(downs: u32, crashes: u32, within: Duration) -> String {
    let within = duration(within.max(Duration::from_secs(1)));
    if crashes == downs {
        return format!(
            "{} in {within}",
            if crashes == 1 { "1 crash".to_owned() } else { format!("{crashes} crashes") }
        );
    }
    let also = if crashes == 0 { String::new() } else { format!(", {crashes} of them crashes") };
    format!("down {} in {within}{also}", count(u64::from(downs), "time"))
}

/// Of a loop, only the count is told until the server holds.
#[must_use]
pub fn incident_quiet(loops: &str, hold: Duration) -> String {
    format!("🔁 {loops}, quiet until it holds for {}.", duration(hold))
}

/// How often a server went down, once that is over; `before` is how often of these in messages before.
#[must_use]
pub fn incident_total(loops: &str, before: u32) -> String {
    match before {
        0 => format!("🔁 {loops}."),
        1 => format!("🔁 {loops}, the first of them told above."),
        _ => format!("🔁 {loops}, the first {before} of them told above."),
    }
}

/// Until when maintenance takes, and what for.
#[must_use]
pub fn maintenance_until(until: i64, reason: Option<&str>) -> String {
    let reason = reason.map_or_else(String::new, |reason| format!("\n{reason}"));
    format!("Until <t:{until}:f> (<t:{until}:R>). Whatever happens till then is shown here and alarms nobody.{reason}")
}

/// Something that happened, and when.
#[must_use]
pub fn incident_moment(at: i64, line: &str) -> String {
    format!("<t:{at}:T> {line}")
}

/// The list of all that happened has more lines than are shown.
#[must_use]
pub fn incident_more(lines: usize, file: &str) -> String {
    format!("… {lines} more, all of them in `{file}` …")
}

/// Some of what happened was too much to be kept.
#[must_use]
pub fn incident_uncounted(more: u64) -> String {
    format!("… and {more} more of the same, which were only counted")
}

/// It was told late.
pub const INCIDENT_LATE: &str = "🕓 I could not tell it sooner.";

/// What happened to a server is not kept any more.
#[must_use]
pub fn incident_forgotten(server: &str) -> String {
    format!("{server} went down, and what came of it is not kept any more")
}

/// In the list of what a channel was shown.
#[must_use]
pub fn incident_in_list(server: &str) -> String {
    format!("how {server} stood")
}
