//! Lays neighbours of one kind and server out as one embed, which names everyone.

use super::embed::{Colour, DESCRIPTION_LIMIT, Embed};
use super::event_embed::{colour, event_embed, known_server, laid_out, reason_of_leaving, sentence, subject_of};
use super::message::{NamedEvent, Piece, Row};
use super::words;
use crate::domain::condense::{Bundle, What};
use crate::domain::event::{Details, Kind};
use crate::domain::ids::PlayerId;
use crate::domain::text::utf16_length;

/// The embed that tells of a bundle of `rows`; `None` where that is more than an embed takes.
pub(super) fn joined_embed(bundle: &Bundle, rows: &[Row]) -> Option<Embed> {
    let tellings: Vec<Vec<&NamedEvent>> = bundle.tellings.iter().map(|telling| events_of(telling, rows)).collect();
    let alone = &rows[bundle.tellings[0][0]].piece;
    let first = match alone {
        Piece::Event(first) => first,
        Piece::Apart(embed) => return Some(embed.clone()),
    };
    if let ([telling], What::Events(_)) = (tellings.as_slice(), bundle.what)
        && telling.len() == 1
    {
        return Some(event_embed(&first.event, first.names()));
    }
    let last = tellings.iter().flatten().next_back().unwrap_or(&first);
    let told = words::when(&told_together(bundle.what, &tellings), last.event.stored.unix_seconds());
    let colour = if bundle.what == What::Reconnected { Colour::GREY } else { colour(&first.event) };
    (utf16_length(&told) <= DESCRIPTION_LIMIT).then(|| laid_out(&last.event, &told).with_colour(colour))
}

/// What one telling of a bundle says, on a line of its own.
pub(super) fn told_alone(what: What, telling: &[&NamedEvent]) -> String {
    match (what, telling) {
        (What::Events(_), [first, ..]) => {
            words::times(&sentence(&first.event, first.names()).replace('\n', ": "), telling.len())
        }
        _ => told_together(what, &[telling.to_vec()]),
    }
}

/// The events among `rows` that make one telling.
pub(super) fn events_of<'a>(telling: &[usize], rows: &'a [Row]) -> Vec<&'a NamedEvent> {
    let event = |row: &usize| match &rows[*row].piece {
        Piece::Event(event) => Some(event),
        Piece::Apart(_) => None,
    };
    telling.iter().filter_map(event).collect()
}

fn told_together(what: What, tellings: &[Vec<&NamedEvent>]) -> String {
    let first = tellings.first().and_then(|telling| telling.first());
    let server = first.and_then(|first| known_server(&first.event, first.names().server));
    let server = server.as_deref();
    match what {
        What::Reconnected => words::players_reconnected(&names(what, tellings), server),
        What::Events(Kind::PlayerConnected) => words::players_joined(&names(what, tellings), server),
        What::Events(Kind::PlayerDisconnected) => words::players_left(&names(what, tellings), server),
        What::Events(Kind::PlayerRespawned) => words::players_respawned(&names(what, tellings), server),
        What::Events(_) | What::Apart => {
            tellings.iter().map(|telling| told_alone(what, telling)).collect::<Vec<_>>().join("\n")
        }
    }
}

/// Everybody's name, with how often where that is more than once.
fn names(what: What, tellings: &[Vec<&NamedEvent>]) -> String {
    let mut names: Vec<(Option<&PlayerId>, String, usize)> = Vec::new();
    for telling in tellings {
        let Some(first) = telling.first() else { continue };
        let (player, name) = (first.event.player.as_ref(), name(first));
        // One who reconnected did so once, however often both events came.
        let times = if what == What::Reconnected { 1 } else { telling.len() };
        // Others may have the same name.
        match names.iter_mut().find(|(whose, known, _)| *whose == player && *known == name) {
            Some((.., known)) => *known += times,
            None => names.push((player, name, times)),
        }
    }
    let names: Vec<_> = names.iter().map(|(_, name, times)| words::times(name, *times)).collect();
    words::listed(&names)
}

fn name(told: &NamedEvent) -> String {
    let player = subject_of(&told.event, told.names().player);
    match &told.event.details {
        Details::PlayerDisconnected { reason } => match reason_of_leaving(reason.as_ref()) {
            Some(reason) => words::left_because(&player, &reason),
            None => player,
        },
        _ => player,
    }
}
