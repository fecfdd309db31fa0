//! `/v1/events`, and `/v1/events/socket` by WebSocket: what happens, told as it happens.
//!
//! Each event has a name and one JSON value: `figures` every two seconds, as `/v1/figures` gives them; `forge` for each
//! stage of each request; `rollback` for each version that fails and is taken back; `changed` when tools, agents, approvals or the matrix may have changed.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::Event;
use futures::Stream;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

use super::asker::{Asker, Standing};
use super::live::{Line, Told, events};
use super::openapi::Routes;
use super::socket::speak;
use super::state::SharedGateway;
use super::upgrade::{Switched, Upgrade};
use crate::catalog::RolledBack;
use crate::forge;
use crate::host::Host;
use crate::permissions::{Duty, Matrix};
use crate::problem::{Problem, ProblemKind};

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/v1/events", "What happens, as it happens: `figures`, `forge`, `rollback`, `changed`", by_events)
        .get("/v1/events/socket", "The same by WebSocket", by_socket)
}

async fn by_events(
    State(gateway): State<SharedGateway>,
    Asker(client): Asker,
    standing: Standing,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    Ok(events(Ears::open(&gateway, client, standing).await?))
}

async fn by_socket(
    State(gateway): State<SharedGateway>,
    Asker(client): Asker,
    standing: Standing,
    upgrade: Upgrade,
) -> Result<Switched, Problem> {
    speak(upgrade, Ears::open(&gateway, client, standing).await?)
}

/// What one listener hears.
struct Ears {
    host: Arc<Host>,
    client: String,
    standing: Standing,
    is_first: bool,
    figures: watch::Receiver<Arc<str>>,
    forge: broadcast::Receiver<forge::Event>,
    rollbacks: broadcast::Receiver<RolledBack>,
    catalog: watch::Receiver<u64>,
    matrix: watch::Receiver<Arc<Matrix>>,
}

impl Ears {
    async fn open(gateway: &SharedGateway, client: String, standing: Standing) -> Result<Self, Problem> {
        let host = gateway.host().await?.clone();
        Ok(Self {
            client,
            standing,
            is_first: true,
            figures: host.told_figures(),
            forge: host.forge_events(),
            rollbacks: host.catalog.rollbacks(),
            catalog: host.catalog.changes(),
            matrix: host.catalog.matrix().subscribe(),
            host,
        })
    }
}

impl Line for Ears {
    async fn next(&mut self) -> Result<Told, Problem> {
        if self.is_first {
            let figures = self.host.figures().await;
            self.is_first = false;
            return Ok(Told::new("figures", &figures));
        }
        let stops = || Problem::new(ProblemKind::Unavailable, "host.stopping", "the host stops", "Listen again.");
        let changed = || Told::new("changed", &json!({}));
        tokio::select! {
            told = self.figures.changed() => {
                told.map_err(|_| stops())?;
                Ok(Told::of_json("figures", &self.figures.borrow_and_update()))
            }
            stage = self.forge.recv() => match stage {
                Ok(stage) => Ok(Told::new("forge", &stage)),
                // It was too slow for single stages: what they came to is in the lists.
                Err(RecvError::Lagged(_)) => Ok(changed()),
                Err(RecvError::Closed) => Err(stops()),
            },
            rolled = self.rollbacks.recv() => match rolled {
                Ok(rolled) => Ok(Told::new("rollback", &rolled)),
                Err(RecvError::Lagged(_)) => Ok(changed()),
                Err(RecvError::Closed) => Err(stops()),
            },
            change = self.catalog.changed() => change.map(|()| changed()).map_err(|_| stops()),
            change = self.matrix.changed() => change.map(|()| changed()).map_err(|_| stops()),
        }
    }

    async fn take(&mut self, _: &str) -> Told {
        let problem = Problem::invalid("socket.message", "nothing is taken here", "Use the other routes.");
        Told::new("refused", &problem)
    }

    fn check(&self) -> Result<(), Problem> {
        self.standing.may(&self.host, &self.client, Duty::Read)
    }
}
