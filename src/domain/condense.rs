//! Condensing: of many events that are due in a channel, those that belong together are told together.
//!
//! Nothing is left out and the order stays: what is told together is told where the first of it stands. Repeats become
//! one, because real publishers send the same event again within seconds; who leaves and is back within moments has
//! reconnected; and neighbours of one kind and server join. Which of these a message shows as embeds of their own, and
//! when all becomes one catch-up, depends on how much fits: `discord::message` decides that.

use std::collections::HashMap;
use std::time::Duration;

use super::event::{Details, Event, Group, Kind};
use super::ids::{AccountName, PlayerId, ServerId};
use super::timestamp::Timestamp;

/// Within this time of nats-server's, an event that says the same of the same is a repeat.
const REPEATED_WITHIN: Duration = Duration::from_secs(10);

/// Who is back within this time of nats-server's has reconnected.
const BACK_WITHIN: Duration = Duration::from_mins(1);

/// Neighbours of one kind and server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// What they have in common.
    pub what: What,
    /// What a person reads as one thing each: the numbers of its rows, in their order.
    pub tellings: Vec<Vec<usize>>,
}

/// What a bundle tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Events of that kind.
    Events(Kind),
    /// Players who left and came back.
    Reconnected,
    /// One row that is no event.
    Apart,
}

/// What is due, condensed; `None` stands for a row that is no event, and is told apart.
#[must_use]
pub fn condense(due: &[Option<&Event>]) -> Vec<Bundle> {
    let mut bundles: Vec<Bundle> = Vec::new();
    for Telling { what, rows } in tellings(due) {
        let place = due[rows[0]].map(place_of);
        match bundles.last_mut() {
            Some(last) if last.what == what && place.is_some() && due[last.tellings[0][0]].map(place_of) == place => {
                last.tellings.push(rows);
            }
            _ => bundles.push(Bundle { what, tellings: vec![rows] }),
        }
    }
    bundles
}

/// Whether an event that waited on purpose for `hold` is told late: the bot, Discord or nats-server was away.
#[must_use]
pub fn is_late(stored: Timestamp, hold: Duration, late_after: Duration, now: Timestamp) -> bool {
    now.since(stored) > late_after.saturating_add(hold)
}

/// What a person reads as one thing.
struct Telling {
    what: What,
    rows: Vec<usize>,
}

fn tellings(due: &[Option<&Event>]) -> Vec<Telling> {
    let mut tellings: Vec<Telling> = Vec::new();
    // The last telling of each player, and of each server itself.
    let mut last_of: HashMap<(Place<'_>, Option<&PlayerId>), usize> = HashMap::new();
    // Where each server last said something of itself.
    let mut server_spoke: HashMap<Place<'_>, usize> = HashMap::new();
    for (row, event) in due.iter().enumerate() {
        let Some(event) = event else {
            tellings.push(Telling { what: What::Apart, rows: vec![row] });
            continue;
        };
        let place = place_of(event);
        let whom = (place, event.player.as_ref());
        if let Some(&at) = last_of.get(&whom) {
            let telling = &mut tellings[at];
            let before = telling.rows.last().and_then(|row| due[*row]);
            // Nothing is told together across what the server said of itself, but that.
            let is_same_stay = server_spoke.get(&place).is_none_or(|spoke| *spoke <= at);
            if is_same_stay && before.is_some_and(|before| is_repeat(before, event)) {
                telling.rows.push(row);
                continue;
            }
            if is_same_stay && before.is_some_and(|before| is_return(before, event)) {
                telling.rows.push(row);
                telling.what = What::Reconnected;
                continue;
            }
        }
        last_of.insert(whom, tellings.len());
        if Group::Lifecycle.kinds().contains(event.kind()) {
            server_spoke.insert(place, tellings.len());
        }
        tellings.push(Telling { what: What::Events(event.kind()), rows: vec![row] });
    }
    tellings
}

type Place<'a> = (&'a AccountName, &'a ServerId);

const fn place_of(event: &Event) -> Place<'_> {
    (&event.account, &event.server)
}

fn is_repeat(before: &Event, event: &Event) -> bool {
    before.details == event.details
        && before.player_name == event.player_name
        && apart(before, event) <= REPEATED_WITHIN
}

fn is_return(before: &Event, event: &Event) -> bool {
    event.player.is_some()
        && matches!(before.details, Details::PlayerDisconnected { .. })
        && matches!(event.details, Details::PlayerConnected)
        && apart(before, event) <= BACK_WITHIN
}

/// How much later the second was stored: nats-server's clock may have been set back between them.
fn apart(before: &Event, event: &Event) -> Duration {
    event.stored.since(before.stored)
}

#[cfg(test)]
mod tests;
