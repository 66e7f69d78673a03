//! What one person sees, as it changes: a stream of server-sent events
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
//!
//! Nothing in the simulator announces changes to this. Whenever anything changed, what is seen is compared with what was
//! sent last, and the difference is sent, ten times a second at most: a storm of changes, seen or not, costs no more than
//! that.

mod seen;

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};

pub(super) use self::seen::View;
use self::seen::{Seen, sees, shown};
use crate::sim::Sim;

/// The least time between two looks.
const PACE: Duration = Duration::from_millis(100);
/// When a browser connects again after its connection was dropped.
const RETRY: Duration = Duration::from_millis(300);

/// `GET /sim/live?guild=…&channel=…&user=…`, each optional.
pub(super) async fn stream(State(sim): State<Sim>, Query(view): Query<View>) -> impl IntoResponse {
    let (changes, seen) = (sim.changes(), Seen::new(view));
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let events = stream::unfold((sim, changes, seen, pace), async |(sim, mut changes, mut seen, mut pace)| {
        loop {
            pace.tick().await;
            changes.borrow_and_update();
            if let Some(difference) = seen.look(&sim) {
                let event = Event::default().retry(RETRY).data(difference.to_string());
                return Some((Ok::<_, Infallible>(event), (sim, changes, seen, pace)));
            }
            // The simulator itself is gone when nothing can change any more.
            changes.changed().await.ok()?;
        }
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

#[derive(Deserialize)]
pub(super) struct Older {
    /// Only messages before this one.
    before: Option<u64>,
    /// Who looks.
    user: Option<u64>,
}

/// `GET /sim/channels/{id}/messages`: what a channel shows, oldest first; with `before` a page of what came before that
/// message, as the stream shows it to `user`.
pub(super) async fn messages(
    State(sim): State<Sim>,
    Path(channel): Path<u64>,
    Query(older): Query<Older>,
) -> Json<Value> {
    let Some(before) = older.before else { return Json(json!(sim.messages(channel))) };
    let user = older.user.unwrap_or_default();
    Json(sim.read(|world| {
        let timeline = world.timelines.get(&channel).filter(|_| sees(world, user, channel));
        let timeline = timeline.map_or(&[][..], Vec::as_slice);
        let end = timeline.partition_point(|&id| id < before);
        let page = &timeline[end.saturating_sub(seen::WINDOW)..end];
        page.iter().filter_map(|id| world.messages.get(id)).map(|message| shown(world, message, user)).collect()
    }))
}
