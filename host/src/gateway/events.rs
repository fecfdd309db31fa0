//! `/v1/events`: what happens, told as it happens (server-sent events).
//!
//! Each event has a name and one JSON value: `figures` every two seconds, as `/v1/figures` gives them; `forge` for each
//! stage of each request; `changed` when tools, agents, approvals or the matrix may have changed.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use axum::routing::get;
use futures::Stream;
use futures::stream::unfold;
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::state::SharedGateway;
use crate::forge;
use crate::host::Host;
use crate::permissions::Matrix;
use crate::problem::Problem;

/// How often figures are told.
const FIGURES_EVERY: Duration = Duration::from_secs(2);

pub(super) fn routes() -> Router<SharedGateway> {
    Router::new().route("/v1/events", get(events))
}

/// What one listener hears.
struct Ears {
    host: Arc<Host>,
    tick: Interval,
    forge: broadcast::Receiver<forge::Event>,
    catalog: watch::Receiver<u64>,
    matrix: watch::Receiver<Arc<Matrix>>,
}

async fn events(
    State(gateway): State<SharedGateway>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let host = gateway.host().await?.clone();
    let mut tick = interval(FIGURES_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let ears = Ears {
        tick,
        forge: host.forge_events(),
        catalog: host.catalog.changes(),
        matrix: host.catalog.matrix().subscribe(),
        host,
    };
    let heard = unfold(ears, |mut ears| async move { ears.next().await.map(|event| (Ok(event), ears)) });
    Ok(Sse::new(heard).keep_alive(KeepAlive::default()))
}

impl Ears {
    /// The next event; none when the host stops.
    async fn next(&mut self) -> Option<Event> {
        tokio::select! {
            _ = self.tick.tick() => Some(event("figures", &self.host.figures().await)),
            stage = self.forge.recv() => match stage {
                Ok(stage) => Some(event("forge", &stage)),
                // It was too slow for single stages: what they came to is in the lists.
                Err(RecvError::Lagged(_)) => Some(event("changed", &json!({}))),
                Err(RecvError::Closed) => None,
            },
            changed = self.catalog.changed() => changed.ok().map(|()| event("changed", &json!({}))),
            changed = self.matrix.changed() => changed.ok().map(|()| event("changed", &json!({}))),
        }
    }
}

fn event(name: &str, value: &impl Serialize) -> Event {
    // What is told is made of names and numbers, which always have a JSON form.
    Event::default().event(name).json_data(value).unwrap_or_default()
}
