//! `/notify list`: what goes where, and how that is doing.

use super::{in_words, kinds_in_words};
use crate::commands::component::{Listing, Target};
use crate::commands::lane_state::Hindrance;
use crate::commands::reply::Reply;
use crate::commands::{Shared, paging};
use crate::discord::words;
use crate::domain::ids::GuildId;
use crate::store::StoreError;

/// A page of `/notify list`.
pub(in crate::commands) async fn list(shared: &Shared, guild: GuildId, page: usize) -> Result<Reply, StoreError> {
    let bindings = shared.store.bindings_of_guild(guild).await?;
    if bindings.is_empty() {
        return Ok(Reply::text(words::NOTHING_BOUND));
    }
    let stopped = shared.store.stopped_lanes().await?;
    let lines: Vec<_> = bindings
        .iter()
        .map(|binding| {
            let lane = stopped.iter().find(|lane| lane.channel == binding.channel);
            let paused = binding.paused_at.map(|since| words::binding_paused(since.unix_seconds()));
            let state = match lane {
                Some(lane) => words::binding_stopped(&Hindrance::Refused(lane.clone()).in_words()),
                None if binding.is_covered() => String::new(),
                None if binding.waiting_kinds() == binding.kinds => words::BINDING_WAITS.to_owned(),
                None => words::kinds_wait(&kinds_in_words(binding.waiting_kinds())),
            };
            words::binding_line(binding.id, &in_words(shared, binding), &(paused.unwrap_or_default() + &state))
        })
        .collect();
    Ok(paging::page(&lines, None, page, |page| Target::Page(Listing::Bindings, page)))
}
