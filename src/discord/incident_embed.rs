//! Lays an incident out as one embed: as it stands, or, once it is over, all that happened.

use std::fmt::Write as _;

use super::embed::{Colour, Embed};
use super::words;
use crate::domain::ids::{AccountName, ServerId};
use crate::domain::incident::{Happening, Incident, LoopRule, What};
use crate::domain::subject::UNKNOWN_SERVER;
use crate::domain::text::{display, plain};
use crate::domain::timestamp::Timestamp;

/// The longest name of a server, and the longest reason for maintenance, in UTF-16 units.
const NAME_LIMIT: usize = 100;
const REASON_LIMIT: usize = 400;

/// How many lines of all that happened are shown at its beginning, and as many at its end.
const LINES: usize = 12;

/// An incident, and what is said of it.
#[derive(Debug, Clone, Copy)]
pub struct Telling<'a> {
    /// Whose server.
    pub account: &'a AccountName,
    /// Which.
    pub server: &'a ServerId,
    /// What the guild calls it, where it gave it a name.
    pub name: Option<&'a str>,
    /// What happened.
    pub incident: &'a Incident,
    /// Whether it is over.
    pub is_over: bool,
    /// What makes a loop.
    pub rule: LoopRule,
    /// Whether it is told late.
    pub is_late: bool,
}

/// The embed of an incident as it stands, which is edited as it unfolds.
#[must_use]
pub fn incident_embed(telling: &Telling<'_>) -> Embed {
    let Telling { incident, is_over, is_late, .. } = *telling;
    let mut lines = if incident.maintenance.is_some() { maintenance(telling) } else { outage(telling) };
    if incident.maintenance.is_none() && incident.affected > 0 {
        // Below the headline, as in the message that closes it.
        lines.insert(1.min(lines.len()), words::incident_players(incident.affected));
    }
    if let Some(looped) = looped(incident).filter(|_| !is_over) {
        lines.push(words::incident_quiet(&looped, telling.rule.hold));
    }
    if is_late {
        lines.push(words::INCIDENT_LATE.to_owned());
    }
    laid_out(telling, &lines.join("\n"))
}

/// The embed that says that an incident is over, with all that happened; what does not fit is in a file.
#[must_use]
pub fn closing_embed(telling: &Telling<'_>) -> (Embed, Option<String>) {
    let Telling { incident, .. } = *telling;
    let server = server(telling);
    let last = incident.happenings.last().map_or(What::Started, |last| last.what);
    let headline = match (incident.lasted(), looped(incident)) {
        _ if last == What::MaintenanceEnded || last == What::MaintenanceBegan => {
            words::incident_headline(&server, last)
        }
        (_, Some(_)) => words::incident_held(&server, telling.rule.hold),
        (Some(lasted), None) => words::incident_over(&server, lasted),
        (None, None) => words::incident_headline(&server, last),
    };
    let mut lines = vec![headline];
    lines.extend(looped(incident).map(|looped| words::incident_total(&looped, incident.told_before)));
    if incident.affected > 0 {
        lines.push(words::incident_players(incident.affected));
    }
    let happenings = &incident.happenings;
    let mut file = None;
    if happenings.len() <= 2 * LINES {
        lines.extend(happenings.iter().map(line));
    } else {
        lines.extend(happenings[..LINES].iter().map(line));
        lines.push(words::incident_more(happenings.len() - 2 * LINES, words::FILE));
        lines.extend(happenings[happenings.len() - LINES..].iter().map(line));
        file = Some(all_lines(incident));
    }
    if incident.more > 0 {
        lines.push(words::incident_uncounted(incident.more));
    }
    if telling.is_late {
        lines.push(words::INCIDENT_LATE.to_owned());
    }
    (laid_out(telling, &lines.join("\n")), file)
}

/// The embed in the place of an incident that is not kept any more.
#[must_use]
pub fn forgotten_embed(account: &AccountName, server: &ServerId, at: Timestamp) -> Embed {
    let plain = plain(server.as_str(), NAME_LIMIT, UNKNOWN_SERVER);
    let server = words::server(&display(server.as_str(), NAME_LIMIT, UNKNOWN_SERVER));
    Embed::new(&words::when(&words::incident_forgotten(&server), at.unix_seconds()))
        .with_colour(Colour::GREY)
        .with_footer(&words::origin(account.as_str(), &plain))
        .with_timestamp(at)
}

/// What is said of a server that went down.
fn outage(telling: &Telling<'_>) -> Vec<String> {
    let Telling { incident, is_over, .. } = *telling;
    let server = server(telling);
    let Some(last) = incident.happenings.last() else { return vec![words::incident_forgotten(&server)] };
    if is_over && last.what == What::MaintenanceBegan {
        // That ended it, and not that the server held.
        let mut lines = vec![words::when(&words::incident_headline(&server, last.what), last.at.unix_seconds())];
        lines.extend(looped(incident).map(|looped| words::incident_total(&looped, incident.told_before)));
        return lines;
    }
    if is_over && let Some(looped) = looped(incident) {
        // That it was back after its first time down is not all that came of it.
        return vec![
            words::incident_held(&server, telling.rule.hold),
            words::incident_total(&looped, incident.told_before),
        ];
    }
    if is_over && let Some(lasted) = incident.lasted().filter(|lasted| !lasted.is_zero()) {
        let mut lines = vec![words::when(&words::incident_over(&server, lasted), last.at.unix_seconds())];
        lines.extend(
            incident.happenings.iter().filter(|it| words::incident_reason(it.what).is_some()).take(1).map(line),
        );
        return lines;
    }
    let mut lines = vec![words::when(&words::incident_headline(&server, last.what), last.at.unix_seconds())];
    lines.extend(words::incident_reason(last.what).map(str::to_owned));
    lines
}

fn maintenance(telling: &Telling<'_>) -> Vec<String> {
    let Telling { incident, is_over, .. } = *telling;
    let server = server(telling);
    let Some(maintenance) = &incident.maintenance else { return Vec::new() };
    if is_over {
        return vec![words::incident_headline(&server, What::MaintenanceEnded)];
    }
    let reason = maintenance.reason.as_deref().map(|reason| display(reason, REASON_LIMIT, ""));
    let reason = reason.filter(|reason| !reason.is_empty());
    let mut lines = vec![
        words::incident_headline(&server, What::MaintenanceBegan),
        words::maintenance_until(maintenance.until.unix_seconds(), reason.as_deref()),
    ];
    if let Some(last) = incident.happenings.last().filter(|last| last.what != What::MaintenanceBegan) {
        lines.push(line(last));
    }
    lines
}

fn looped(incident: &Incident) -> Option<String> {
    let since = incident.loops_since?;
    let is_other = |it: &&Happening| {
        matches!(it.what, What::Started | What::Connected | What::Heard | What::Reloaded | What::MaintenanceBegan)
    };
    let last = incident.happenings.iter().rfind(|it| !is_other(it))?.at;
    Some(words::incident_loop(incident.downs, incident.crashes, last.since(since)))
}

fn line(happening: &Happening) -> String {
    words::incident_moment(happening.at.unix_seconds(), words::incident_line(happening.what))
}

fn all_lines(incident: &Incident) -> String {
    let mut text = String::new();
    for happening in &incident.happenings {
        // Writing to a String never fails.
        writeln!(text, "{}  {}", happening.at.rfc3339(), words::incident_line(happening.what)).ok();
    }
    text
}

fn server(telling: &Telling<'_>) -> String {
    words::server(&display(telling.name.unwrap_or(telling.server.as_str()), NAME_LIMIT, UNKNOWN_SERVER))
}

fn laid_out(telling: &Telling<'_>, description: &str) -> Embed {
    let plain = plain(telling.server.as_str(), NAME_LIMIT, UNKNOWN_SERVER);
    let embed = Embed::new(description)
        .with_colour(colour(telling))
        .with_footer(&words::origin(telling.account.as_str(), &plain));
    match telling.incident.happenings.last() {
        Some(last) => embed.with_timestamp(last.at),
        None => embed,
    }
}

fn colour(telling: &Telling<'_>) -> Colour {
    let Telling { incident, is_over, .. } = *telling;
    if incident.maintenance.is_some() {
        return if is_over && incident.up_since.is_some() { Colour::GREEN } else { Colour::BLURPLE };
    }
    match incident.happenings.last().map(|last| last.what) {
        Some(What::MaintenanceBegan) => Colour::BLURPLE,
        _ if is_over && incident.up_since.is_some() => Colour::GREEN,
        Some(What::SaidStopping | What::Reloaded) => Colour::AMBER,
        Some(What::SaidStopped | What::ClosedAsSaid | What::Closed | What::Crashed) => Colour::RED,
        Some(What::Started | What::Connected | What::Heard | What::Restarted | What::CrashedAndStarted) => {
            Colour::GREEN
        }
        _ => Colour::GREY,
    }
}

#[cfg(test)]
mod tests;
