//! Players' coming and going in a batch: noted all at once, and before anything that empties their servers.

use std::collections::BTreeMap;

use sqlx::{Any, Transaction};

use crate::domain::event::Kind;
use crate::domain::ids::AccountName;
use crate::domain::online::{MOST_PLAYERS, Move, after};
use crate::domain::timestamp::Timestamp;
use crate::store::online::{Place, Stays};
use crate::store::{Store, StoreError};

/// Moves that are not noted yet, for each player in the stream's order.
#[derive(Debug, Default)]
pub(super) struct Moves(BTreeMap<Place, Vec<(Move, Timestamp)>>);

impl Moves {
    pub(super) fn push(&mut self, place: Place, what: Move, at: Timestamp) {
        self.0.entry(place).or_default().push((what, at));
    }

    /// Notes them, and has none left.
    pub(super) async fn note(
        &mut self,
        store: &Store,
        transaction: &mut Transaction<'_, Any>,
        account: &AccountName,
    ) -> Result<(), StoreError> {
        let moves = std::mem::take(&mut self.0);
        let places: Vec<_> = moves.keys().collect();
        let Stays { known, mut counts } = store.stays(transaction, account, &places).await?;
        let (mut kept, mut ended) = (Vec::new(), Vec::new());
        for (place, moves) in &moves {
            let before = known.get(place).copied();
            match moves.iter().fold(before, |stay, (what, at)| after(stay, *what, *at)) {
                Some(stay) if before != Some(stay) => kept.push((place, stay)),
                None if before.is_some() => ended.push(place),
                _ => {}
            }
        }
        store.end_stays(transaction, account, &ended).await?;
        store.keep_stays(transaction, account, &kept).await?;
        for (place, _) in kept {
            *counts.entry(place.server_id.clone()).or_default() += 1;
        }
        // That they are fewer, because of some who left or came again, does no harm.
        for (server, _) in counts.into_iter().filter(|(_, count)| *count > MOST_PLAYERS) {
            store.forget_players_beyond(transaction, account, &server).await?;
        }
        Ok(())
    }
}

/// What a player does by an event of `kind`, if that is to come or to go.
pub(super) const fn move_of(kind: Kind) -> Option<Move> {
    match kind {
        Kind::PlayerConnected => Some(Move::Connected),
        Kind::PlayerDisconnected => Some(Move::Disconnected),
        _ => None,
    }
}
